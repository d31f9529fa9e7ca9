//! A formula of a document in MathML Core.

use crate::document::formula::{Formula, Index, Kind, Size};
use crate::functions::Function;
use crate::number::Number;
use crate::render::mathml::escaped;
use crate::render::names::parts;

/// How tightly a form binds, loosest first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Loose,
    Sum,
    Hadamard,
    Product,
    Closed,
}

/// The formula as MathML elements, in a row.
pub fn mathml(formula: &Formula) -> String {
    row(&written(formula, Level::Loose))
}

fn level(formula: &Formula) -> Level {
    match &formula.kind {
        Kind::Compare(..) => Level::Loose,
        Kind::Sum(_) | Kind::Over { .. } => Level::Sum,
        Kind::Hadamard(_) | Kind::HadamardQuotient(..) | Kind::Call { function: Function::Kron, .. } => Level::Hadamard,
        Kind::Product(_) => Level::Product,
        _ => Level::Closed,
    }
}

fn written(formula: &Formula, least: Level) -> String {
    let inner = bare(formula);
    if level(formula) < least { format!("{}{inner}{}", operator("("), operator(")")) } else { inner }
}

fn row(inner: &str) -> String {
    format!("<mrow>{inner}</mrow>")
}

fn operator(sign: &str) -> String {
    format!("<mo>{}</mo>", escaped(sign))
}

fn word(text: &str) -> String {
    let variant = if text.chars().count() > 1 { "" } else { " mathvariant=\"normal\"" };
    format!("<mi{variant}>{}</mi>", escaped(text))
}

fn name(text: &str) -> String {
    let parts = parts(text);
    let base = format!("<mi>{}</mi>", escaped(&parts.base));
    let below: Vec<String> = parts.below.iter().map(|(word, digits)| format!("{word}{digits}")).collect();
    if below.is_empty() {
        return base;
    }
    format!("<msub>{base}<mi>{}</mi></msub>", escaped(&below.join(",")))
}

fn power(base: &Formula, exponent: &str) -> String {
    format!("<msup>{}{exponent}</msup>", row(&written(base, Level::Closed)))
}

fn number(value: Number) -> String {
    match value {
        Number::Ratio(n, 1) => format!("<mn>{n}</mn>"),
        Number::Ratio(n, d) => format!("<mfrac><mn>{n}</mn><mn>{d}</mn></mfrac>"),
        Number::Float(x) => format!("<mn>{x}</mn>"),
    }
}

fn index(index: &Index) -> String {
    match index {
        Index::Name(name) => format!("<mi>{}</mi>", escaped(name)),
        Index::Number(k) => format!("<mn>{k}</mn>"),
        Index::All => operator(":"),
    }
}

fn sized(base: &str, sizes: &[Option<&Size>]) -> String {
    let sizes: Vec<String> = sizes
        .iter()
        .filter_map(|size| match size {
            Some(Size::Given(formula)) => Some(mathml(formula)),
            _ => None,
        })
        .collect();
    match sizes.is_empty() {
        true => base.to_owned(),
        false => format!("<msub>{base}{}</msub>", row(&sizes.join(&operator("×")))),
    }
}

fn joined(list: &[Formula], sign: &str, least: Level) -> String {
    list.iter().map(|factor| written(factor, least)).collect::<Vec<_>>().join(&operator(sign))
}

fn bare(formula: &Formula) -> String {
    match &formula.kind {
        Kind::Number(value) => number(*value),
        Kind::Name(text) => name(text),
        Kind::Differential(a) => match a.kind {
            Kind::Name(_) => format!("{}{}", word("d"), bare(a)),
            _ => format!("{}{}{}{}", word("d"), operator("("), written(a, Level::Loose), operator(")")),
        },
        Kind::Derivative { of, by } => {
            let side = |formula: &Formula| row(&format!("{}{}", operator("∂"), written(formula, Level::Closed)));
            format!("<mfrac>{}{}</mfrac>", side(of), side(by))
        }
        Kind::Sum(terms) => {
            let mut out = String::new();
            for (i, (minus, term)) in terms.iter().enumerate() {
                match (i, minus) {
                    (0, false) => {}
                    (_, true) => out.push_str(&operator("−")),
                    (_, false) => out.push_str(&operator("+")),
                }
                out.push_str(&written(term, Level::Hadamard));
            }
            out
        }
        Kind::Product(list) => joined(list, "\u{2062}", Level::Closed),
        Kind::Hadamard(list) => joined(list, "⊙", Level::Product),
        Kind::HadamardQuotient(a, b) => {
            format!("{}{}{}", written(a, Level::Product), operator("⊘"), written(b, Level::Product))
        }
        Kind::Quotient(a, b) => format!("<mfrac>{}{}</mfrac>", mathml(a), mathml(b)),
        Kind::Power(a, b) => power(a, &mathml(b)),
        Kind::HadamardPower(a, b) => power(a, &row(&format!("{}{}", operator("∘"), written(b, Level::Closed)))),
        Kind::Transpose(a) => power(a, &operator("⊤")),
        Kind::Compare(comparison, a, b) => {
            format!("{}{}{}", written(a, Level::Sum), operator(comparison.text()), written(b, Level::Sum))
        }
        Kind::Generic { name: text, order, argument } => {
            let head = match order {
                0 => name(text),
                order => format!("<msup>{}<mo>{}</mo></msup>", name(text), "′".repeat(*order as usize)),
            };
            format!("{head}{}{}{}", operator("("), written(argument, Level::Loose), operator(")"))
        }
        Kind::Call { function, arguments, .. } => call(*function, arguments),
        Kind::Blocks(rows) => {
            let rows: Vec<String> = rows
                .iter()
                .map(|parts| {
                    let cells: Vec<String> = parts.iter().map(|part| format!("<mtd>{}</mtd>", mathml(part))).collect();
                    format!("<mtr>{}</mtr>", cells.concat())
                })
                .collect();
            format!("{}<mtable>{}</mtable>{}", operator("["), rows.concat(), operator("]"))
        }
        Kind::Identity(n) => sized("<mi>I</mi>", &[Some(n)]),
        Kind::Ones(m, n) => sized("<mn>𝟏</mn>", &[Some(m), n.as_ref()]),
        Kind::Zeros(m, n) => sized("<mn>𝟎</mn>", &[Some(m), n.as_ref()]),
        Kind::Unit(_, place) => format!("<msub><mi>e</mi><mn>{place}</mn></msub>"),
        Kind::Reshape(a, ..) => format!("{}{}{}{}", word("reshape"), operator("("), mathml(a), operator(")")),
        Kind::Entry { of, indices } => {
            let list: Vec<String> = indices.iter().map(index).collect();
            format!("<msub>{}{}</msub>", row(&written(of, Level::Closed)), row(&list.concat()))
        }
        Kind::Over { index, upper, body } => {
            let below = row(&format!("<mi>{}</mi>", escaped(index)));
            let sign = match upper {
                Size::Given(n) => format!("<munderover>{}{below}{}</munderover>", operator("∑"), mathml(n)),
                Size::Open(_) => format!("<munder>{}{below}</munder>", operator("∑")),
            };
            format!("{sign}{}", written(body, Level::Hadamard))
        }
        Kind::Delta(i, j) => format!("<msub><mi>δ</mi>{}</msub>", row(&format!("{}{}", index(i), index(j)))),
    }
}

fn call(function: Function, arguments: &[Formula]) -> String {
    let first = &arguments[0];
    let inside = |open: &str, close: &str| {
        let list: Vec<String> = arguments.iter().map(|argument| written(argument, Level::Sum)).collect();
        format!("{}{}{}", operator(open), list.join(&operator(",")), operator(close))
    };
    match function {
        Function::Dot => inside("⟨", "⟩"),
        Function::Inv => power(first, &row(&format!("{}<mn>1</mn>", operator("−")))),
        Function::Kron => joined(arguments, "⊗", Level::Product),
        Function::Norm => inside("‖", "‖"),
        Function::NormSq => format!("<msup>{}<mn>2</mn></msup>", row(&inside("‖", "‖"))),
        Function::Sqrt => format!("<msqrt>{}</msqrt>", mathml(first)),
        _ => format!("{}{}", word(function.name()), inside("(", ")")),
    }
}
