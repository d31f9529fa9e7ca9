//! Programs in other languages: an answer comes in, a file goes out that computes what is differentiated and every
//! derivative asked for, as somebody who works in that language would write it. `lower` makes one program of the answer,
//! with all that is special for stable numbers; each target writes it in its own file. Nothing is derived here.

mod array_test;
mod arrays;
mod buffers;
mod build;
mod c;
mod c_test;
mod chain;
pub mod code;
mod document;
mod expressions;
mod helpers_in_c;
mod helpers_in_rust;
mod jax;
mod julia;
mod loops;
mod lower;
mod matlab;
mod names;
mod ndarray;
mod numpy;
mod python;
mod python_test;
mod rust;
mod rust_test;
mod selftest;
mod sizes;
mod stablehlo;
mod stablehlo_solve;
mod stablehlo_special;
mod stablehlo_wholes;
mod statements;
mod tensors;
mod torch;
mod wholes;

use crate::answer::Answer;
use crate::render::{Format, render};
use code::{Code, Origin};
use selftest::SelfTest;

/// A language and library.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// Python with NumPy and SciPy.
    Numpy,
    /// Python with PyTorch.
    Torch,
    /// Python with JAX.
    Jax,
    /// Julia with ChainRulesCore.
    Julia,
    /// MATLAB and Octave.
    Matlab,
    /// Rust without dependencies.
    Rust,
    /// Rust with ndarray.
    Ndarray,
    /// C99 with CBLAS.
    C,
    /// StableHLO, for numbers of all dimensions.
    StableHlo,
    /// A document in LaTeX.
    Latex,
    /// A document in Typst.
    Typst,
}

/// The targets by the names that users give.
pub const TARGETS: &[(&str, Target)] = &[
    ("numpy", Target::Numpy),
    ("torch", Target::Torch),
    ("jax", Target::Jax),
    ("julia", Target::Julia),
    ("matlab", Target::Matlab),
    ("rust", Target::Rust),
    ("ndarray", Target::Ndarray),
    ("c", Target::C),
    ("stablehlo", Target::StableHlo),
    ("latex", Target::Latex),
    ("typst", Target::Typst),
];

/// What is written beside the program.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The name of the function; `program` where it is empty.
    pub name: String,
    /// Whether the derivation stands in the comment at the top, as detailed as the answer has it.
    pub derivation: bool,
    /// Whether the file has a test of its derivatives by differences.
    pub test: bool,
    /// Numbers of dimensions, for a target that needs them.
    pub sizes: Vec<(String, i64)>,
    /// The dimension whose rows are spread over that many devices, for a target that can.
    pub sharded: Option<(String, u32)>,
}

/// Why there is no program in the target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EmitError {
    /// What is wrong, in words.
    pub message: String,
}

impl EmitError {
    fn new(message: impl Into<String>) -> EmitError {
        EmitError { message: message.into() }
    }
}

impl std::fmt::Display for EmitError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for EmitError {}

/// A program in a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Emitted {
    /// The file.
    pub text: String,
    /// The function's name.
    pub name: String,
    /// The names of the arrays it takes, in order, each with its name in the program.
    pub inputs: Vec<(String, String)>,
    /// The names of the dimensions it takes behind the arrays, each with its name in the program.
    pub sizes: Vec<(String, String)>,
    /// The names of what it gives back, in order: values first, then derivatives; each with what it is of the answer.
    pub outputs: Vec<(String, Origin)>,
}

impl Emitted {
    /// A file with the function of that name; `inputs` and `outputs` are the names it has for those of the code, in order.
    fn new(
        code: &Code,
        text: String,
        name: &str,
        [inputs, outputs]: [&[String]; 2],
        sizes: Vec<(String, String)>,
    ) -> Emitted {
        Emitted {
            text,
            name: name.to_owned(),
            inputs: code.inputs.iter().map(|input| input.name.clone()).zip(inputs.iter().cloned()).collect(),
            sizes,
            outputs: outputs.iter().cloned().zip(code.outputs.iter().map(|output| output.from)).collect(),
        }
    }

    /// A file that calls inputs and outputs as the code does, and takes no dimension.
    fn under_own_names(code: &Code, text: String, name: &str) -> Emitted {
        let inputs: Vec<String> = code.inputs.iter().map(|input| input.name.clone()).collect();
        let outputs: Vec<String> = code.outputs.iter().map(|output| output.name.clone()).collect();
        Emitted::new(code, text, name, [&inputs, &outputs], Vec::new())
    }
}

/// The program of an answer in a target. `source` is the program's text.
///
/// # Errors
/// What the target does not cover.
pub fn emit(answer: &Answer, source: &str, target: Target, options: &Options) -> Result<Emitted, EmitError> {
    let name = if options.name.is_empty() { "program" } else { &options.name };
    let mut code = lower::lower(answer, name)?;
    let test = match options.test {
        true => Some(selftest::self_test(answer, &code)?),
        false => None,
    };
    let about = About { source, derivation: derivation(answer, source, options), test };
    if about.test.is_some() && matches!(target, Target::Latex | Target::Typst | Target::StableHlo) {
        return Err(EmitError::new(format!(
            "target {} has no self-test: emit another target with --test",
            name_of(target)
        )));
    }
    match target {
        Target::Numpy => numpy::write(&mut code, &about),
        Target::Torch => torch::write(&mut code, &about),
        Target::Jax => jax::write(&mut code, &about),
        Target::Julia => julia::write(&mut code, &about),
        Target::Matlab => matlab::write(&mut code, &about),
        Target::Rust => rust::write(&mut code, &about),
        Target::Ndarray => ndarray::write(&mut code, &about),
        Target::Latex => Ok(document::latex(answer, source, &code)),
        Target::Typst => Ok(document::typst(answer, source, &code)),
        Target::StableHlo => stablehlo::write(&mut code, &about, options),
        Target::C => c::write(&mut code, &about),
    }
    .map_err(|error| EmitError::new(format!("target {}: {}", name_of(target), error.message)))
}

/// The name that users give a target.
pub fn name_of(target: Target) -> &'static str {
    TARGETS.iter().find(|(_, known)| *known == target).map_or("", |(name, _)| name)
}

/// What the comments tell.
struct About<'a> {
    /// The program's text.
    source: &'a str,
    /// The lines of the derivation.
    derivation: Vec<String>,
    /// The self-test, where one is wanted.
    test: Option<SelfTest>,
}

impl About<'_> {
    /// The lines of the program's text.
    fn program(&self) -> impl Iterator<Item = &str> {
        self.source.lines().map(str::trim_end).filter(|line| !line.is_empty())
    }
}

fn derivation(answer: &Answer, source: &str, options: &Options) -> Vec<String> {
    if !options.derivation {
        return Vec::new();
    }
    render(Format::Unicode, answer, source, &[]).lines().map(str::to_owned).collect()
}
