//! Formulas as text, in the language and in LaTeX, with brackets where the reading needs them.

use super::formula::{Formula, Index, Kind, Size};
use crate::functions::Function;
use crate::number::Number;
use crate::render::names::{latex_greek, parts};

/// In what a formula is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Script {
    /// The language, with a few signs of its own for what only documents have.
    Language,
    /// LaTeX.
    Latex,
}

/// How tightly a form binds, loosest first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Comparison,
    Sum,
    Hadamard,
    Product,
    Power,
    Closed,
}

/// A formula as text.
pub fn write(formula: &Formula, script: Script) -> String {
    let mut out = String::new();
    Writer { script, out: &mut out }.formula(formula, Level::Comparison);
    out
}

struct Writer<'a> {
    script: Script,
    out: &'a mut String,
}

impl Writer<'_> {
    fn level(&self, formula: &Formula) -> Level {
        let latex = self.script == Script::Latex;
        match &formula.kind {
            Kind::Compare(..) => Level::Comparison,
            Kind::Sum(_) => Level::Sum,
            Kind::Product(_) => Level::Product,
            Kind::Hadamard(_) | Kind::HadamardQuotient(..) if latex => Level::Hadamard,
            Kind::Hadamard(_) | Kind::HadamardQuotient(..) => Level::Product,
            Kind::Quotient(..) if latex => Level::Closed,
            Kind::Quotient(..) => Level::Product,
            Kind::Call { function: Function::Kron, .. } if latex => Level::Hadamard,
            Kind::Call { function: Function::Inv, .. } if latex => Level::Power,
            Kind::Power(..) | Kind::HadamardPower(..) => Level::Power,
            Kind::Transpose(a) if latex && matches!(&a.kind, Kind::Entry { of, indices } if is_member(of, indices)) => {
                Level::Closed
            }
            Kind::Transpose(_) | Kind::Derivative { .. } if latex => Level::Power,
            Kind::Over { .. } => Level::Sum,
            Kind::Number(Number::Ratio(n, d)) if *d != 1 && !latex && fraction(*n, *d) => Level::Product,
            Kind::Derivative { .. } if !latex => Level::Sum,
            _ => Level::Closed,
        }
    }

    /// Writes a part; in brackets where it binds more loosely than `least`.
    fn formula(&mut self, formula: &Formula, least: Level) {
        if self.level(formula) < least {
            self.put(if self.script == Script::Latex { "\\left(" } else { "(" });
            self.bare(formula);
            self.put(if self.script == Script::Latex { "\\right)" } else { ")" });
        } else {
            self.bare(formula);
        }
    }

    fn put(&mut self, text: &str) {
        // A command must not run into a letter.
        if self.script == Script::Latex
            && text.starts_with(|c: char| c.is_ascii_alphabetic())
            && ends_in_a_command(self.out)
        {
            self.out.push(' ');
        }
        self.out.push_str(text);
    }

    fn bare(&mut self, formula: &Formula) {
        let latex = self.script == Script::Latex;
        match &formula.kind {
            Kind::Number(value) => {
                let text = number(*value, latex);
                self.put(&text);
            }
            Kind::Name(name) => self.name(name),
            Kind::Differential(a) => {
                self.put(if latex { "\\mathrm{d}" } else { "d" });
                match a.kind {
                    Kind::Name(_) => self.formula(a, Level::Closed),
                    _ => {
                        self.put("(");
                        self.formula(a, Level::Comparison);
                        self.put(")");
                    }
                }
            }
            Kind::Derivative { of, by } if latex && matches!(of.kind, Kind::Derivative { .. }) => {
                let Kind::Derivative { of, by: first } = &of.kind else { return };
                self.put("\\frac{\\partial^2 ");
                self.formula(of, Level::Closed);
                self.put("}{\\partial ");
                self.formula(first, Level::Closed);
                self.put(" \\partial ");
                self.formula(by, Level::Closed);
                self.put(if by.as_name().is_some() { "^{\\top}}" } else { "}" });
            }
            Kind::Derivative { of, by } if latex => {
                self.put("\\frac{\\partial ");
                self.formula(of, Level::Closed);
                self.put("}{\\partial ");
                self.formula(by, Level::Closed);
                self.put("}");
            }
            Kind::Derivative { of, by } => {
                self.put("grad ");
                self.formula(of, Level::Sum);
                self.put(" wrt ");
                self.formula(by, Level::Closed);
            }
            Kind::Sum(terms) => {
                for (i, (minus, term)) in terms.iter().enumerate() {
                    match (i, minus) {
                        (0, false) => {}
                        (0, true) => self.put("-"),
                        (_, false) => self.put(" + "),
                        (_, true) => self.put(" - "),
                    }
                    self.formula(term, if latex { Level::Hadamard } else { Level::Product });
                }
            }
            Kind::Product(list) => self.product(list),
            Kind::Hadamard(list) => {
                let sign = if latex { " \\odot " } else { " .* " };
                for (i, factor) in list.iter().enumerate() {
                    if i > 0 {
                        self.put(sign);
                    }
                    self.formula(factor, if latex { Level::Product } else { Level::Power });
                }
            }
            Kind::HadamardQuotient(a, b) => {
                let least = if latex { Level::Product } else { Level::Power };
                self.formula(a, least);
                self.put(if latex { " \\oslash " } else { " ./ " });
                self.formula(b, least);
            }
            Kind::Quotient(a, b) if latex => {
                self.put("\\frac{");
                self.formula(a, Level::Comparison);
                self.put("}{");
                self.formula(b, Level::Comparison);
                self.put("}");
            }
            Kind::Quotient(a, b) => {
                self.formula(a, Level::Product);
                self.put("/");
                self.formula(b, Level::Power);
            }
            Kind::Power(a, b) => {
                self.formula(a, Level::Closed);
                self.exponent("^", b);
            }
            Kind::HadamardPower(a, b) => {
                self.formula(a, Level::Closed);
                self.exponent(if latex { "^{\\circ}" } else { ".^" }, b);
            }
            Kind::Transpose(a) => {
                let inverted = match &a.kind {
                    Kind::Call { function: Function::Inv, arguments, .. } => arguments.first(),
                    Kind::Power(base, exponent) if write(exponent, Script::Language) == "-1" => Some(base.as_ref()),
                    _ => None,
                };
                if let (true, Some(base)) = (latex, inverted) {
                    self.formula(base, Level::Closed);
                    self.put("^{-\\top}");
                    return;
                }
                if let (true, Kind::Entry { of, indices }) = (latex, &a.kind)
                    && is_member(of, indices)
                {
                    self.formula(of, Level::Closed);
                    self.put(&format!("_{{{}}}", index(&indices[0])));
                    return;
                }
                self.formula(a, Level::Closed);
                self.put(if latex { "^{\\top}" } else { "'" });
            }
            Kind::Compare(comparison, a, b) => {
                self.formula(a, Level::Sum);
                let sign = match (comparison.text(), latex) {
                    (">=", true) => "\\ge",
                    ("<=", true) => "\\le",
                    ("!=", true) => "\\ne",
                    ("==", true) => "=",
                    (sign, _) => sign,
                };
                self.put(&format!(" {sign} "));
                self.formula(b, Level::Sum);
            }
            Kind::Call { function, arguments, columns } => self.call(*function, arguments, *columns),
            Kind::Generic { name, order, argument } => {
                self.name(name);
                self.put(&"'".repeat(*order as usize));
                self.put("(");
                self.formula(argument, Level::Comparison);
                self.put(")");
            }
            Kind::Blocks(rows) => {
                let [open, row_end, next, close] = match latex {
                    true => ["\\begin{bmatrix} ", " \\\\ ", " & ", " \\end{bmatrix}"],
                    false => ["[", "; ", ", ", "]"],
                };
                self.put(open);
                for (i, row) in rows.iter().enumerate() {
                    self.put(if i > 0 { row_end } else { "" });
                    for (j, part) in row.iter().enumerate() {
                        self.put(if j > 0 { next } else { "" });
                        self.formula(part, Level::Comparison);
                    }
                }
                self.put(close);
            }
            Kind::Identity(n) => match (latex, n) {
                (_, Size::Open(_)) => self.put("I"),
                (true, Size::Given(n)) => self.subscripted("I", &[n]),
                (false, Size::Given(n)) => self.constant("eye", &[n]),
            },
            Kind::Ones(m, n) => self.filled(if latex { "\\mathbf{1}" } else { "ones" }, m, n.as_ref()),
            Kind::Zeros(m, n) => self.filled(if latex { "\\mathbf{0}" } else { "zeros" }, m, n.as_ref()),
            Kind::Unit(_, place) if latex => self.put(&format!("e_{{{place}}}")),
            Kind::Unit(n, place) => {
                let place = Formula::integer(i64::try_from(*place).unwrap_or(i64::MAX));
                match n {
                    Size::Given(n) => self.constant("unit", &[n, &place]),
                    Size::Open(_) => self.put(&format!("e_{}", number_of(&place))),
                }
            }
            Kind::Reshape(a, m, n) => {
                let sizes: Vec<&Formula> = [m, n]
                    .into_iter()
                    .filter_map(|size| match size {
                        Size::Given(formula) => Some(formula.as_ref()),
                        Size::Open(_) => None,
                    })
                    .collect();
                let all: Vec<&Formula> = std::iter::once(a.as_ref()).chain(sizes).collect();
                self.constant("reshape", &all);
            }
            // A member of a family x_i is a row of its matrix.
            Kind::Entry { of, indices } if latex && is_member(of, indices) => {
                self.formula(of, Level::Closed);
                self.put(&format!("_{{{}}}^{{\\top}}", index(&indices[0])));
            }
            Kind::Entry { of, indices } => {
                let below = latex && of.as_name().is_some_and(|name| latex_name(name).contains('_'));
                self.put(if below { "{" } else { "" });
                self.formula(of, Level::Closed);
                self.put(if below { "}" } else { "" });
                let list: Vec<String> = indices.iter().map(index).collect();
                match latex {
                    true => self.put(&format!("_{{{}}}", list.join(","))),
                    false => self.put(&format!("[{}]", list.join(","))),
                }
            }
            Kind::Over { index, upper, body } => {
                let upper = match upper {
                    Size::Given(n) => write(n, self.script),
                    Size::Open(_) => String::new(),
                };
                match (latex, upper.is_empty()) {
                    (true, true) => self.put(&format!("\\sum_{{{index}}} ")),
                    (true, false) => self.put(&format!("\\sum_{{{index}=1}}^{{{upper}}} ")),
                    (false, _) => self.put(&format!("sum_{index} ")),
                }
                self.formula(body, Level::Hadamard);
            }
            Kind::ByEntries { indices, body } => {
                self.put("[");
                self.formula(body, Level::Comparison);
                self.put("]");
                let list = indices.join(",");
                self.put(&if latex { format!("_{{{list}}}") } else { format!("_{list}") });
            }
            Kind::Delta(i, j) => {
                let list = [index(i), index(j)].concat();
                self.put(&if latex { format!("\\delta_{{{list}}}") } else { format!("delta_{list}") });
            }
        }
    }

    fn product(&mut self, list: &[Formula]) {
        let latex = self.script == Script::Latex;
        for (i, factor) in list.iter().enumerate() {
            if i > 0 {
                let numbers = matches!(factor.kind, Kind::Number(_));
                self.put(match (latex, numbers) {
                    (true, true) => " \\cdot ",
                    (true, false) => " ",
                    (false, _) => "*",
                });
            }
            let least = match (latex, i) {
                (false, 0) if matches!(factor.kind, Kind::Quotient(..)) => Level::Product,
                _ => Level::Power,
            };
            self.formula(factor, least);
        }
    }

    fn call(&mut self, function: Function, arguments: &[Formula], columns: bool) {
        let latex = self.script == Script::Latex;
        let first = &arguments[0];
        match function {
            Function::Dot => {
                self.put(if latex { "\\langle " } else { "<" });
                self.formula(first, Level::Sum);
                self.put(", ");
                self.formula(&arguments[1], Level::Sum);
                self.put(if latex { "\\rangle" } else { ">" });
                return;
            }
            Function::Inv if latex => {
                self.formula(first, Level::Closed);
                self.put("^{-1}");
                return;
            }
            Function::Kron if latex => {
                self.formula(first, Level::Product);
                self.put(" \\otimes ");
                self.formula(&arguments[1], Level::Product);
                return;
            }
            // Sums along rows and columns are products with ones in a book.
            Function::RowSum if latex => {
                self.formula(first, Level::Power);
                self.put(" \\mathbf{1}");
                return;
            }
            Function::ColSum if latex => {
                self.put("\\mathbf{1}^{\\top} ");
                self.formula(first, Level::Power);
                return;
            }
            Function::NormSq if latex => {
                self.put("\\|");
                self.formula(first, Level::Comparison);
                self.put("\\|^2");
                return;
            }
            Function::Norm if latex => {
                self.put("\\|");
                self.formula(first, Level::Comparison);
                self.put("\\|");
                return;
            }
            Function::Sqrt if latex => {
                self.put("\\sqrt{");
                self.formula(first, Level::Comparison);
                self.put("}");
                return;
            }
            _ => {}
        }
        let name = function.name();
        match latex {
            false => self.put(name),
            true if matches!(
                function,
                Function::Exp
                    | Function::Log
                    | Function::Det
                    | Function::Sin
                    | Function::Cos
                    | Function::Tan
                    | Function::Tanh
                    | Function::Sinh
                    | Function::Cosh
                    | Function::Max
                    | Function::Min
            ) =>
            {
                self.put(&format!("\\{name}"));
            }
            true => self.put(&format!("\\operatorname{{{}}}", name.replace('_', "\\_"))),
        }
        self.put(if latex { "\\left(" } else { "(" });
        for (i, argument) in arguments.iter().enumerate() {
            if i > 0 {
                self.put(", ");
            }
            self.formula(argument, Level::Comparison);
        }
        if columns {
            self.put(", axis=0");
        }
        self.put(if latex { "\\right)" } else { ")" });
    }

    fn constant(&mut self, name: &str, arguments: &[&Formula]) {
        self.put(name);
        self.put("(");
        for (i, argument) in arguments.iter().enumerate() {
            if i > 0 {
                self.put(", ");
            }
            self.formula(argument, Level::Comparison);
        }
        self.put(")");
    }

    fn subscripted(&mut self, name: &str, sizes: &[&Formula]) {
        let list: Vec<String> = sizes.iter().map(|size| write(size, self.script)).collect();
        match list.as_slice() {
            [one] if one.chars().count() == 1 => self.put(&format!("{name}_{one}")),
            _ => self.put(&format!("{name}_{{{}}}", list.join(" \\times "))),
        }
    }

    fn filled(&mut self, name: &str, rows: &Size, columns: Option<&Size>) {
        let sizes: Vec<&Formula> = [Some(rows), columns]
            .into_iter()
            .flatten()
            .filter_map(|size| match size {
                Size::Given(formula) => Some(formula.as_ref()),
                Size::Open(_) => None,
            })
            .collect();
        match (self.script, sizes.is_empty()) {
            (_, true) => self.put(name),
            (Script::Latex, false) => self.subscripted(name, &sizes),
            (Script::Language, false) => self.constant(name, &sizes),
        }
    }

    fn exponent(&mut self, sign: &str, exponent: &Formula) {
        match self.script {
            Script::Latex => {
                self.put(&format!("{sign}{{"));
                self.formula(exponent, Level::Comparison);
                self.put("}");
            }
            Script::Language => {
                self.put(sign);
                let signed = matches!(&exponent.kind, Kind::Sum(terms) if terms.len() == 1);
                self.formula(exponent, if signed { Level::Sum } else { Level::Closed });
            }
        }
    }

    fn name(&mut self, name: &str) {
        match self.script {
            Script::Language => self.put(name),
            Script::Latex => {
                let text = latex_name(name);
                self.put(&text);
            }
        }
    }
}

/// Whether an entry is read as x_i, a row of a matrix whose name is a small letter.
fn is_member(of: &Formula, indices: &[Index]) -> bool {
    matches!(indices, [Index::Name(_), Index::All])
        && of.as_name().is_some_and(|name| name.starts_with(|c: char| c.is_lowercase()))
}

fn number_of(formula: &Formula) -> String {
    write(formula, Script::Language)
}

fn index(index: &Index) -> String {
    match index {
        Index::Name(name) => name.clone(),
        Index::Number(k) => k.to_string(),
        Index::All => ":".to_owned(),
    }
}

fn fraction(n: i64, d: i64) -> bool {
    n != 0 && !matches!(d, 1 | 2 | 4 | 5 | 10)
}

fn number(value: Number, latex: bool) -> String {
    match value {
        Number::Ratio(n, 1) => n.to_string(),
        Number::Ratio(n, d) if latex => format!("\\frac{{{n}}}{{{d}}}"),
        Number::Ratio(n, d) if fraction(n, d) => format!("{n}/{d}"),
        Number::Ratio(n, d) => format!("{}", n as f64 / d as f64),
        Number::Float(x) => format!("{x:?}"),
    }
}

fn ends_in_a_command(text: &str) -> bool {
    let head = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    head.len() < text.len() && head.ends_with('\\')
}

/// A name as LaTeX spells it: `W1` is `W_1`, `lambda` is `\lambda`.
pub fn latex_name(name: &str) -> String {
    let parts = parts(name);
    let word = |text: &str| {
        let mut letters = text.chars();
        match (letters.next(), letters.next()) {
            (Some(letter), None) => {
                latex_greek(letter).map_or_else(|| letter.to_string(), |command| command.to_owned())
            }
            (Some(_), Some(_)) => format!("\\mathrm{{{}}}", text.replace('_', "\\_")),
            _ => String::new(),
        }
    };
    let mut out = word(&parts.base);
    let is_accent = |text: &str| ["hat", "bar", "tilde", "check", "breve", "dot"].contains(&text);
    for (accent, _) in parts.below.iter().filter(|(text, digits)| is_accent(text) && digits.is_empty()) {
        out = format!("\\{accent}{{{out}}}");
    }
    let below: Vec<String> = parts
        .below
        .iter()
        .filter(|(text, digits)| !is_accent(text) || !digits.is_empty())
        .map(|(text, digits)| format!("{}{digits}", word(text)))
        .collect();
    match below.as_slice() {
        [] => {}
        [one] if one.chars().count() == 1 => out.push_str(&format!("_{one}")),
        list => out.push_str(&format!("_{{{}}}", list.join(","))),
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{Script, write};
    use crate::document::formula::Formula;
    use crate::document::language::{Names, formula};
    use crate::syntax::parse_expression;

    struct All;

    impl Names for All {
        fn is_known(&self, name: &str) -> bool {
            !name.starts_with('d')
        }
    }

    fn read(text: &str) -> Formula {
        let (ast, root, errors) = parse_expression(text);
        assert!(errors.is_empty(), "{errors:?}");
        formula(&ast, root.unwrap(), &All).unwrap()
    }

    #[test]
    fn what_is_written_reads_back() {
        for text in [
            "a'*X*b",
            "-(A + B)*C'",
            "A .* (B*C)",
            "(A .* B)*C",
            "1/N*tr(Y'*log(P))",
            "inv(A)'*dX",
            "2*(W1 - W2)/N",
            "x.^2",
            "A^-1",
            "d(X*Y)",
            "<A, B>",
            "sigma(Z) .* dZ",
            "eye(n) - x*x'",
            "[A, B; C, D]",
            "ones(m, n)",
        ] {
            let written = write(&read(text), Script::Language);
            assert_eq!(read(&written).without_places(), read(text).without_places(), "{text} -> {written}");
        }
    }

    #[test]
    fn latex_is_spelled_as_books_do() {
        for (text, latex) in [
            ("lambda*W1", "\\lambda W_1"),
            ("a'*X*b", "a^{\\top} X b"),
            ("inv(A)'", "A^{-\\top}"),
            ("tr(A .* B)/N", "\\frac{\\operatorname{tr}\\left(A \\odot B\\right)}{N}"),
        ] {
            assert_eq!(write(&read(text), Script::Latex), latex);
        }
    }
}
