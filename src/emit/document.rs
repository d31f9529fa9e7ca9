//! Documents: the formulas and their derivation to be set, not run. The pages of `render` are put into a whole document.

use super::Emitted;
use super::code::Code;
use crate::answer::Answer;
use crate::render::{Format, render};

/// A document in LaTeX that needs amsmath and amssymb.
pub(super) fn latex(answer: &Answer, source: &str, code: &Code) -> Emitted {
    let page = render(Format::Latex, answer, source, &[]);
    let text = format!(
        "\\documentclass{{article}}\n\\usepackage[margin=25mm]{{geometry}}\n\\usepackage{{amsmath}}\n\\usepackage{{amssymb}}\n\
         \\allowdisplaybreaks\n\\begin{{document}}\n{page}\\end{{document}}\n"
    );
    document(text, code)
}

/// A file of Typst.
pub(super) fn typst(answer: &Answer, source: &str, code: &Code) -> Emitted {
    let page = render(Format::Typst, answer, source, &[]);
    document(format!("#set page(margin: 25mm)\n\n{page}"), code)
}

fn document(text: String, code: &Code) -> Emitted {
    let inputs = code.inputs.iter().map(|input| (input.name.clone(), input.name.clone())).collect();
    let outputs = code.outputs.iter().map(|output| (output.name.clone(), output.from)).collect();
    Emitted { text, name: code.name.clone(), inputs, sizes: Vec::new(), outputs }
}
