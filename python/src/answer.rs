//! Texts of programs to answers: what they ask for, in all formats, checked and as code. Strings and plain tuples go to Python,
//! which makes its objects of them.

use std::sync::Arc;

use matgrad::answer::Direction;
use matgrad::check::{Options, Report, check};
use matgrad::derivation::Detail;
use matgrad::diagnostic::{Paint, Severity, render_pieces};
use matgrad::emit::{self, TARGETS, emit};
use matgrad::render::latex::latex;
use matgrad::render::notation::Notation;
use matgrad::render::page::{Shown, page};
use matgrad::render::text::{text, unicode};
use matgrad::render::{Format, render};
use matgrad::syntax::ast::{AskKind, Statement};
use pyo3::prelude::*;

use crate::failure;
use crate::program::{Asked, Program};

/// An answered program.
#[pyclass(frozen, module = "matgrad._matgrad")]
pub struct Answer {
    /// What is shared with functions compiled of it.
    pub program: Arc<Program>,
}

/// A result as Python has it: kind, of what, by which names, key, LaTeX of the equation, notes.
type Told = (&'static str, String, Vec<String>, String);

#[pymethods]
impl Answer {
    #[new]
    #[allow(clippy::too_many_arguments, reason = "Python calls it in one place")]
    #[pyo3(signature = (pieces, kind=None, has_wrt=false, has_directions=false, detail="none", curvature=false, only_last=false))]
    fn new(
        py: Python<'_>,
        pieces: Vec<(String, String)>,
        kind: Option<&str>,
        has_wrt: bool,
        has_directions: bool,
        detail: &str,
        curvature: bool,
        only_last: bool,
    ) -> PyResult<Answer> {
        let asked = match kind {
            Some(name) => {
                let kind =
                    kind_named(name).ok_or_else(|| failure::value(format!("there is no derivative `{name}`")))?;
                Some(Asked { kind, has_wrt, has_directions })
            }
            None => None,
        };
        let detail = detail_named(detail)?;
        let answered = py.detach(|| Program::new(&pieces, asked, only_last, detail));
        let mut program =
            answered.map_err(|wrong| failure::of_text(py, &wrong.errors, &wrong.source, &wrong.pieces))?;
        if curvature && let Some(program) = Arc::get_mut(&mut program) {
            program.answer.judge_gradients();
        }
        Ok(Answer { program })
    }

    /// The text.
    #[getter]
    fn source(&self) -> &str {
        &self.program.source
    }

    /// The text without what it asks for.
    fn without_requests(&self) -> String {
        let mut source = self.program.source.clone();
        for statement in self.program.answer.typed.ast.statements.iter().rev() {
            if let Statement::Ask { span, .. } = statement {
                let end = (span.end as usize).min(source.len());
                source.replace_range((span.start as usize).min(end)..end, "");
            }
        }
        source
    }

    /// Notes about the text, each as the command line shows it.
    fn notes(&self) -> Vec<String> {
        let program = &*self.program;
        let notes = program.answer.typed.notes.iter();
        notes
            .map(|note| {
                let one = std::slice::from_ref(note);
                render_pieces(one, &program.source, &program.pieces, Severity::Note, Paint::Plain).trim_end().to_owned()
            })
            .collect()
    }

    /// Names of the variables with their types.
    fn variables(&self) -> Vec<(String, String)> {
        let variables = self.program.answer.typed.variables.iter();
        variables.map(|variable| (variable.name.clone(), variable.kind.clone())).collect()
    }

    /// Names of the definitions, each with whether it is a scalar.
    fn definitions(&self) -> Vec<(String, bool)> {
        let answer = &self.program.answer;
        let definitions = answer.typed.definitions.iter().zip(&answer.definitions);
        definitions.map(|(named, &node)| (named.name.clone(), answer.arena.shape(node).is_scalar())).collect()
    }

    /// What is asked for.
    fn results(&self) -> Vec<Told> {
        let told = |outcome: &matgrad::answer::Outcome| {
            (kind_name(outcome.kind), outcome.of.clone(), outcome.wrt.clone(), outcome.key())
        };
        self.program.answer.outcomes.iter().map(told).collect()
    }

    /// What moves in each result and along or against what, as typed: with these behind it a request gives it again.
    fn directions(&self) -> Vec<(Vec<String>, Vec<String>)> {
        let told = |outcome: &matgrad::answer::Outcome| match &outcome.direction {
            Direction::None => (outcome.wrt.clone(), Vec::new()),
            Direction::Against { text, .. } => (outcome.wrt.clone(), vec![text.clone()]),
            Direction::Along { moves, .. } => {
                moves.iter().map(|moved| (moved.name.clone(), moved.text.clone())).unzip()
            }
        };
        self.program.answer.outcomes.iter().map(told).collect()
    }

    /// Whether what a result is of is a scalar, a column, a row or a matrix, and in which sizes.
    fn shape_of(&self, place: usize) -> PyResult<(String, String)> {
        let answer = &self.program.answer;
        let outcome = answer.outcomes.get(place).ok_or_else(|| failure::value("there is no such result"))?;
        let shape = answer.arena.shape(outcome.of_node);
        let text = |dimension| answer.arena.dimensions.text(dimension);
        Ok((text(shape.rows), text(shape.columns)))
    }

    /// The results and the names that stand in them as equations in `text`, `unicode` or `latex`: left side, right side, axes.
    fn equations(&self, style: &str) -> PyResult<Vec<(String, String, Vec<String>)>> {
        let spell: fn(&Notation) -> String = match style {
            "text" => text,
            "unicode" => unicode,
            "latex" => latex,
            _ => return Err(failure::value(format!("there is no style `{style}`"))),
        };
        let page = page(&self.program.answer, &[]);
        let shown = page.requests.iter().flat_map(|request| &request.results);
        let of = |shown: &Shown| {
            // In one expression, where that is short.
            let right = shown.whole.as_ref().unwrap_or(&shown.right);
            (spell(&shown.left), spell(right), shown.shape.iter().map(spell).collect())
        };
        Ok(shown.map(of).collect())
    }

    /// In `text`, `unicode`, `latex`, `markdown`, `html` or `json`; with what a check found where `check` is set.
    fn render(&self, py: Python<'_>, format: &str, check: bool) -> PyResult<String> {
        let format = match format {
            "text" => Format::Text,
            "unicode" => Format::Unicode,
            "latex" => Format::Latex,
            "markdown" => Format::Markdown,
            "typst" => Format::Typst,
            "html" => Format::Html,
            "json" => Format::Json,
            _ => return Err(failure::value(format!("there is no format `{format}`"))),
        };
        let program = &*self.program;
        Ok(py.detach(|| {
            let lines = if check { program.checked().lines() } else { Vec::new() };
            render(format, &program.answer, &program.source, &lines)
        }))
    }

    /// A check of all results: for each its title, points, worst error, whether exactly, steps and steps by numbers, what was not
    /// checked; the disagreements; the closing lines.
    #[allow(clippy::type_complexity, reason = "a tuple for Python")]
    fn check(
        &self,
        py: Python<'_>,
        seed: Option<u64>,
    ) -> (
        Vec<(String, usize, f64, bool, usize, usize, Vec<String>)>,
        Vec<(String, String, String, String, String)>,
        Vec<String>,
    ) {
        let program = &*self.program;
        let told = |report: &Report| {
            let results = report.results.iter().map(|r| {
                let not_checked = r.not_checked.clone();
                (r.title.clone(), r.points, r.worst_error, r.exact, r.steps, r.steps_by_numbers, not_checked)
            });
            let failures = report.failures.iter().map(|f| {
                let title = report.results[f.result].title.clone();
                (title, f.what.clone(), f.expected.clone(), f.found.clone(), f.sizes.clone())
            });
            (results.collect(), failures.collect(), report.lines())
        };
        py.detach(|| match seed {
            None => told(program.checked()),
            Some(seed) => told(&check(&program.answer, Options { seed, ..Options::default() })),
        })
    }

    /// Code in another language; the derivation stands in it as detailed as the answer has it, where `derivation` is set.
    #[pyo3(signature = (target, name, derivation, sizes, sharded=None))]
    fn emit(
        &self,
        py: Python<'_>,
        target: &str,
        name: String,
        derivation: bool,
        sizes: Vec<(String, i64)>,
        sharded: Option<(String, u32)>,
    ) -> PyResult<String> {
        let Some(&(_, target)) = TARGETS.iter().find(|(known, _)| *known == target) else {
            let known: Vec<&str> = TARGETS.iter().map(|(name, _)| *name).collect();
            return Err(failure::value(format!("there is no target `{target}`; there are {}", known.join(", "))));
        };
        let options = emit::Options { name, derivation, test: false, sizes, sharded };
        let program = &*self.program;
        let emitted = py.detach(|| emit(&program.answer, &program.source, target, &options));
        emitted.map(|emitted| emitted.text).map_err(|error| failure::plain(py, error.message))
    }
}

fn kind_named(name: &str) -> Option<AskKind> {
    [
        AskKind::Gradient,
        AskKind::Jacobian,
        AskKind::Hessian,
        AskKind::Differential,
        AskKind::HessianAlong,
        AskKind::JacobianAlong,
        AskKind::JacobianAgainst,
    ]
    .into_iter()
    .find(|&kind| kind_name(kind) == name)
}

fn kind_name(kind: AskKind) -> &'static str {
    match kind {
        AskKind::Gradient => "gradient",
        AskKind::Jacobian => "jacobian",
        AskKind::Hessian => "hessian",
        AskKind::Differential => "differential",
        AskKind::HessianAlong => "hessian along",
        AskKind::JacobianAlong => "jacobian along",
        AskKind::JacobianAgainst => "jacobian against",
    }
}

fn detail_named(name: &str) -> PyResult<Detail> {
    match name {
        "none" => Ok(Detail::None),
        "brief" => Ok(Detail::Brief),
        "full" => Ok(Detail::Full),
        _ => Err(failure::value(format!("steps are none, brief or full, not `{name}`"))),
    }
}
