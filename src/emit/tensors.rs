//! Tensors of more than two axes in a language with arrays: terms with indices come in, calls that sum products of entries
//! go out, by letters, by places or entry by entry, as the language's table has it.

use super::EmitError;
use super::arrays::{Level, Text};
use super::code::Tensor;
use super::expressions::Writer;
use crate::number::Number;

impl Writer<'_> {
    /// The sum of a tensor's terms.
    pub(super) fn tensor(&self, tensor: &Tensor) -> Result<Text, EmitError> {
        let mut terms = Vec::with_capacity(tensor.terms.len());
        for term in &tensor.terms {
            let mut factors = Vec::with_capacity(term.factors.len());
            for (factor, at) in &term.factors {
                factors.push((self.used(*factor)?, at.clone()));
            }
            terms.push(TensorText {
                coefficient: (self.code.number_of(term.coefficient) != Some(Number::ONE))
                    .then(|| self.used(term.coefficient))
                    .transpose()?,
                factors,
                deltas: term.deltas.clone(),
                summed: term.summed.iter().map(|&d| self.dimension(d).text).collect(),
            });
        }
        let axes: Vec<String> = tensor.axes.iter().map(|&d| self.dimension(d).text).collect();
        let like = self.like();
        match self.dialect.row("einsum") {
            Some(_) => Ok(einsum(self, &axes, &terms, &like)),
            None => Err(EmitError::new("a derivative of more than two axes is not covered for this target".to_owned())),
        }
    }
}

/// A term of a tensor in the language.
struct TensorText {
    coefficient: Option<Text>,
    factors: Vec<(Text, Vec<usize>)>,
    deltas: Vec<(usize, usize)>,
    summed: Vec<String>,
}

/// Letters of the axes, then of the indices that are summed over.
const LETTERS: &str = "ijklabcdefghmnopqrstuvwxyz";

/// The terms as calls of a function that sums products of entries by letters. The rows `eye` and `ones` make the factors of
/// deltas and of axes that no factor has.
fn einsum(writer: &Writer<'_>, axes: &[String], terms: &[TensorText], like: &str) -> Text {
    let letter = |i: usize| LETTERS.chars().nth(if i < axes.len() { i } else { i - axes.len() + 4 }).unwrap_or('?');
    // Where the letters are variables, an array or a size of the same name would be hidden.
    let index = |i: usize| {
        let mut name = letter(i).to_string();
        while writer.has(&name) {
            name.push('_');
        }
        name
    };
    let made = |key: &str, size: &str| {
        writer.dialect.row(key).unwrap_or_default().replace("$size", size).replace("$like", like)
    };
    let mut parts = Vec::new();
    for term in terms {
        let mut letters: Vec<String> = Vec::new();
        let mut arrays: Vec<String> = Vec::new();
        for (text, at) in &term.factors {
            letters.push(at.iter().map(|&i| letter(i)).collect());
            arrays.push(text.text.clone());
        }
        for &(i, j) in &term.deltas {
            letters.push([letter(i), letter(j)].iter().collect());
            arrays.push(made("eye", &axes[i]));
        }
        for i in 0..axes.len() + term.summed.len() {
            if !letters.iter().any(|known| known.contains(letter(i))) {
                let size = if i < axes.len() { &axes[i] } else { &term.summed[i - axes.len()] };
                letters.push(letter(i).to_string());
                arrays.push(made("ones", size));
            }
        }
        let all: String = (0..axes.len()).map(letter).collect();
        let call = writer.dialect.row("einsum").unwrap_or_default();
        let places = |letters: &String| -> String {
            let numbers: Vec<String> = letters
                .chars()
                .map(|c| (0..).find(|&i| letter(i) == c).map_or(0, |i: usize| i + 1).to_string())
                .collect();
            format!("[{}]", numbers.join(", "))
        };
        let pairs: Vec<String> =
            letters.iter().zip(&arrays).map(|(at, array)| format!("{}, {array}", places(at))).collect();
        let sizes: Vec<&str> = axes.iter().chain(&term.summed).map(String::as_str).collect();
        let call = call
            .replace("$letters", &format!("{}->{all}", letters.join(",")))
            .replace("$arrays", &arrays.join(", "))
            .replace("$pairs", &pairs.join(", "))
            .replace("$sizes", &sizes.join(", "))
            .replace("$entries", &entries_text(term, axes.len(), &index))
            .replace("$axes", &axes.len().to_string())
            .replace("$ranges", &ranges(axes, &index));
        parts.push(match &term.coefficient {
            Some(c) => format!("{}{}{call}", c.at_least(Level::Product), writer.dialect.scale),
            None => call,
        });
    }
    if parts.is_empty() {
        let shape = axes.join(", ");
        return Text::atom(made("zeros", &shape));
    }
    let level = match parts.len() {
        1 => Level::Product,
        _ => Level::Sum,
    };
    Text::new(parts.join(" + "), level)
}

/// A term entry by entry: `sum(A[i, a] * B[a, j] for a in 1:n)`.
fn entries_text(term: &TensorText, axes: usize, index: &dyn Fn(usize) -> String) -> String {
    let mut parts: Vec<String> = Vec::new();
    for (text, at) in &term.factors {
        let at: Vec<String> = at.iter().map(|&i| index(i)).collect();
        parts.push(format!("{}[{}]", text.at_least(Level::Atom), at.join(", ")));
    }
    parts.extend(term.deltas.iter().map(|&(i, j)| format!("({} == {})", index(i), index(j))));
    let product = if parts.is_empty() { "1.0".to_owned() } else { parts.join(" * ") };
    if term.summed.is_empty() {
        return product;
    }
    let ranges: Vec<String> =
        term.summed.iter().enumerate().map(|(s, size)| format!("{} in 1:{size}", index(axes + s))).collect();
    format!("sum({product} for {})", ranges.join(", "))
}

/// `i in 1:m, j in 1:n`
fn ranges(axes: &[String], index: &dyn Fn(usize) -> String) -> String {
    let ranges: Vec<String> = axes.iter().enumerate().map(|(i, size)| format!("{} in 1:{size}", index(i))).collect();
    ranges.join(", ")
}
