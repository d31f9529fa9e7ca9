//! Documents: the formulas and their derivation to be set, not run. The pages of `render` are put into a whole document.

use super::Emitted;
use super::code::Code;
use crate::answer::Answer;
use crate::render::{Format, render};

/// A document in LaTeX that needs amsmath and amssymb.
pub(super) fn latex(answer: &Answer, source: &str, code: &Code) -> Emitted {
    let page = render(Format::Latex, answer, source, &[]);
    // The first line says what a page needs in a document of one's own; here it is loaded.
    let page = page.split_once('\n').filter(|(first, _)| first.starts_with('%')).map_or(&*page, |(_, rest)| rest);
    let text = format!(
        "\\documentclass{{article}}\n\\usepackage[margin=20mm]{{geometry}}\n\\usepackage{{amsmath}}\n\\usepackage{{amssymb}}\n\
         \\allowdisplaybreaks\n\\begin{{document}}\n{page}\\end{{document}}\n"
    );
    Emitted::under_own_names(code, text, &code.name)
}

/// A file of Typst.
pub(super) fn typst(answer: &Answer, source: &str, code: &Code) -> Emitted {
    let page = render(Format::Typst, answer, source, &[]);
    Emitted::under_own_names(code, format!("#set page(margin: 20mm)\n\n{page}"), &code.name)
}
