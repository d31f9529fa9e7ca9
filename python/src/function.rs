//! The object of Python that is called with arrays. Names of arguments are found here; all else is `compiled`'s.

use std::collections::HashMap;

use matgrad::syntax::canonical_name;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyTuple};

use crate::answer::Answer;
use crate::arrays::Form;
use crate::compiled::{Compiled, Ours, Wanted};
use crate::failure;

/// A function of arrays.
#[pyclass(frozen, module = "matgrad._matgrad", weakref)]
pub struct Function {
    compiled: Compiled,
    /// Whether it computes in 32-bit floats.
    is_single: bool,
    /// The names of the inputs, as Python's own strings.
    names: Vec<Py<PyString>>,
    /// The keys of the outputs.
    keys: Vec<Py<PyString>>,
    /// What makes it again: a callable and its arguments.
    recipe: Py<PyAny>,
}

#[pymethods]
impl Function {
    #[new]
    #[pyo3(signature = (answer, outputs, sizes, dtype, threads, check, recipe))]
    #[allow(clippy::too_many_arguments, reason = "Python calls it in one place")]
    fn new(
        py: Python<'_>,
        answer: &Answer,
        outputs: Option<Vec<String>>,
        sizes: Vec<(String, i64)>,
        dtype: &str,
        threads: Option<usize>,
        check: bool,
        recipe: Py<PyAny>,
    ) -> PyResult<Function> {
        let is_single = match dtype {
            "float32" => true,
            "float64" => false,
            _ => return Err(failure::value(format!("dtype is float32 or float64, not {dtype}"))),
        };
        let threads = threads_of(threads)?;
        let sizes = sizes.into_iter().map(|(name, size)| (canonical_name(&name).unwrap_or(name), size)).collect();
        let compiled = Compiled::new(answer.program.clone(), outputs.as_deref(), sizes, threads, check);
        let compiled = compiled.map_err(failure::value)?;
        let names = compiled.wanted.iter().map(|wanted| PyString::intern(py, &wanted.name).unbind()).collect();
        let keys = compiled.outputs.iter().map(|output| PyString::intern(py, &output.key).unbind()).collect();
        Ok(Function { compiled, is_single, names, keys, recipe })
    }

    #[pyo3(signature = (arrays=None, /, *, out=None, **named))]
    fn __call__<'py>(
        &self,
        py: Python<'py>,
        arrays: Option<&Bound<'py, PyAny>>,
        out: Option<&Bound<'py, PyDict>>,
        named: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyDict>> {
        match self.is_single {
            true => self.call::<f32>(py, arrays, out, named),
            false => self.call::<f64>(py, arrays, out, named),
        }
    }

    /// The names of the arguments with what each is.
    #[getter]
    fn inputs(&self) -> Vec<(String, &'static str)> {
        let form = |form| match form {
            Form::Scalar => "scalar",
            Form::Column => "vector",
            Form::Row => "row",
            Form::Matrix => "matrix",
            Form::OneHot => "onehot",
        };
        self.compiled.wanted.iter().map(|wanted| (wanted.name.clone(), form(wanted.form))).collect()
    }

    /// The keys of the results.
    #[getter]
    fn outputs(&self) -> Vec<String> {
        self.compiled.outputs.iter().map(|output| output.key.clone()).collect()
    }

    /// The precision.
    #[getter]
    fn dtype(&self) -> &'static str {
        if self.is_single { "float32" } else { "float64" }
    }

    /// How many threads take part.
    #[getter]
    fn threads(&self) -> usize {
        self.compiled.threads
    }

    /// Numbers of dimensions that are told.
    #[getter]
    fn sizes(&self) -> Vec<(String, i64)> {
        self.compiled.fixed.clone()
    }

    /// The plan for these numbers of the dimensions, and those that were told.
    #[pyo3(signature = (**sizes))]
    fn plan(&self, py: Python<'_>, sizes: Option<HashMap<String, i64>>) -> PyResult<String> {
        let mut all: HashMap<String, i64> =
            self.compiled.program.answer.typed.dimension_values.iter().cloned().collect();
        all.extend(self.compiled.fixed.iter().cloned());
        for (name, size) in sizes.into_iter().flatten() {
            all.insert(canonical_name(&name).unwrap_or(name), size);
        }
        let plan = py.detach(|| match self.is_single {
            true => self.compiled.plan_text::<f32>(&all),
            false => self.compiled.plan_text::<f64>(&all),
        });
        plan.map_err(failure::value)
    }

    /// The shapes of the results from those of the inputs, in their order.
    fn shapes(&self, lengths: Vec<Vec<usize>>) -> PyResult<Vec<Vec<usize>>> {
        self.compiled.shapes(&lengths).map_err(failure::value)
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        Ok(self.recipe.bind(py).clone())
    }

    fn __repr__(&self) -> String {
        let inputs: Vec<&str> = self.compiled.wanted.iter().map(|wanted| wanted.name.as_str()).collect();
        let threads = self.compiled.threads;
        let threads = if threads == 1 { "1 thread".to_owned() } else { format!("{threads} threads") };
        let results = self.outputs().join(", ");
        format!("<function of {} in {}, {threads}: {results}>", inputs.join(", "), self.dtype())
    }
}

impl Function {
    fn call<'py, T: Ours>(
        &self,
        py: Python<'py>,
        arrays: Option<&Bound<'py, PyAny>>,
        out: Option<&Bound<'py, PyDict>>,
        named: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyDict>> {
        let mut found = match arrays {
            None => self.as_spelt(py, named)?,
            Some(_) => None,
        };
        if found.is_none() {
            let all = self.by_canonical_name(py, arrays, named)?;
            let mut list = Vec::with_capacity(self.names.len());
            for (name, wanted) in self.names.iter().zip(&self.compiled.wanted) {
                list.push(all.get_item(name.bind(py))?.ok_or_else(|| failure::kind(self.missing(wanted)))?);
            }
            found = Some(list);
        }
        let mut found = found.unwrap_or_default().into_iter();
        let mut fetch = |_: usize, wanted: &Wanted| found.next().ok_or_else(|| failure::kind(self.missing(wanted)));
        let results = self.compiled.call::<T>(py, &mut fetch, out)?;
        let given = PyDict::new(py);
        for ((key, output), result) in self.keys.iter().zip(&self.compiled.outputs).zip(results) {
            let is_callers = match out {
                Some(out) => out.contains(key.bind(py))?,
                None => false,
            };
            match output.is_scalar && !is_callers {
                true => given.set_item(key.bind(py), result.first().to_f64())?,
                false => given.set_item(key.bind(py), result.object)?,
            }
        }
        Ok(given)
    }

    /// The arguments in order, where they are just the names as spelt in the program: the usual call.
    fn as_spelt<'py>(
        &self,
        py: Python<'py>,
        named: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Option<Vec<Bound<'py, PyAny>>>> {
        let Some(named) = named.filter(|named| named.len() == self.names.len()) else { return Ok(None) };
        let mut list = Vec::with_capacity(self.names.len());
        for name in &self.names {
            match named.get_item(name.bind(py))? {
                Some(object) => list.push(object),
                None => return Ok(None),
            }
        }
        Ok(Some(list))
    }

    /// All arguments under their names in the language: `λ` and `lambda_` are `lambda`.
    fn by_canonical_name<'py>(
        &self,
        py: Python<'py>,
        arrays: Option<&Bound<'py, PyAny>>,
        named: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyDict>> {
        let all = PyDict::new(py);
        let add = |name: &str, value: Bound<'py, PyAny>, is_argument: bool| -> PyResult<()> {
            let spelt = canonical_name(name).unwrap_or_else(|| name.to_owned());
            let without = spelt.strip_suffix('_').and_then(canonical_name);
            let known = |name: &String| self.compiled.wanted.iter().any(|wanted| wanted.name == *name);
            let found = Some(spelt).filter(known).or(without.filter(known));
            let Some(found) = found else {
                if !is_argument {
                    return Ok(());
                }
                let names: Vec<&str> = self.compiled.wanted.iter().map(|wanted| wanted.name.as_str()).collect();
                return Err(failure::kind(format!(
                    "the program has no use for `{name}`; it needs {}",
                    names.join(", ")
                )));
            };
            if all.contains(&found)? {
                return Err(failure::kind(format!("`{found}` is given twice")));
            }
            all.set_item(found, value)
        };
        if let Some(arrays) = arrays {
            let Ok(items) = arrays.call_method0("items") else {
                return Err(failure::kind("arrays are given by name, as f(X=…), or as a dictionary"));
            };
            for item in items.try_iter()? {
                let item = item?;
                let item = item.cast::<PyTuple>()?;
                add(&item.get_item(0)?.extract::<String>()?, item.get_item(1)?, false)?;
            }
        }
        if let Some(named) = named {
            for (name, value) in named {
                add(&name.extract::<String>()?, value, true)?;
            }
        }
        Ok(all)
    }

    fn missing(&self, wanted: &Wanted) -> String {
        let name = &wanted.name;
        let hint = if name == "lambda" { ", which is given as `lambda_`" } else { "" };
        let variables = &self.compiled.program.answer.typed.variables;
        match variables.iter().find(|variable| variable.name == *name) {
            Some(variable) => format!("there is no argument `{name}`, {}{hint}", variable.kind),
            None => format!("there is no argument `{name}`, which the differential is linear in"),
        }
    }
}

/// As many threads as asked for, or as the process may use.
pub fn threads_of(threads: Option<usize>) -> PyResult<usize> {
    match threads {
        Some(threads @ 1..=1024) => Ok(threads),
        Some(threads) => Err(failure::value(format!("threads is a number from 1 to 1024, not {threads}"))),
        None => Ok(std::thread::available_parallelism().map_or(1, |threads| threads.get().min(64))),
    }
}
