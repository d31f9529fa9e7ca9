//! Formulas near a wrong one: each way to change a little, as people get a formula wrong, with how much it changes. Whether
//! one of them is right is judged elsewhere.

use crate::document::formula::{Formula, Index, Kind};
use crate::functions::Function;
use crate::number::Number;

/// A changed formula.
#[derive(Clone, Debug)]
pub struct Edit {
    /// The formula after the change.
    pub formula: Formula,
    /// How much changes, in tenths.
    pub cost: u32,
    /// What was changed, in words.
    pub what: String,
}

/// What may be put into a formula.
#[derive(Clone, Debug, Default)]
pub struct Pieces {
    /// Dimensions that may scale.
    pub dimensions: Vec<String>,
    /// Names that may stand in.
    pub names: Vec<String>,
    /// Names that differ in a number at their end, each with the other.
    pub siblings: Vec<(String, String)>,
    /// Functions that act on each entry and may be what is missing.
    pub functions: Vec<Function>,
    /// Indices of the line.
    pub indices: Vec<String>,
}

/// All single changes, cheapest first.
pub fn edits(formula: &Formula, pieces: &Pieces) -> Vec<Edit> {
    let mut out = Vec::new();
    let count = formula.size();
    for place in 0..count {
        let part = part_at(formula, place);
        let parent = parent_of(formula, place);
        for (changed, cost, what) in changes(part, parent, place == 0, pieces) {
            out.push(Edit { formula: with_part(formula, place, changed), cost, what });
        }
    }
    out.sort_by_key(|edit| edit.cost);
    out
}

/// The part at a place, counted with the whole first.
fn part_at(formula: &Formula, place: usize) -> &Formula {
    let mut found = None;
    let mut count = 0;
    formula.visit(&mut |part| {
        if count == place {
            found = Some(part);
        }
        count += 1;
    });
    found.unwrap_or(formula)
}

fn parent_of(formula: &Formula, place: usize) -> Option<&Formula> {
    let wanted = std::ptr::from_ref(part_at(formula, place));
    let mut found = None;
    formula.visit(&mut |part| {
        if part.children().into_iter().any(|child| std::ptr::eq(child, wanted)) {
            found = Some(part);
        }
    });
    found
}

fn with_part(formula: &Formula, place: usize, part: Formula) -> Formula {
    fn walk(formula: &mut Formula, count: &mut usize, place: usize, part: &mut Option<Formula>) {
        if *count == place {
            if let Some(part) = part.take() {
                *formula = part;
            }
            *count += 1;
            return;
        }
        *count += 1;
        for child in formula.children_mut() {
            if part.is_none() {
                return;
            }
            walk(child, count, place, part);
        }
    }
    let mut out = formula.clone();
    walk(&mut out, &mut 0, place, &mut Some(part));
    out
}

/// The ways to change one part.
fn changes(part: &Formula, parent: Option<&Formula>, whole: bool, pieces: &Pieces) -> Vec<(Formula, u32, String)> {
    let mut out: Vec<(Formula, u32, String)> = Vec::new();
    let span = part.span;
    let make = |kind: Kind| Formula::new(kind, span);
    let shown = |formula: &Formula| crate::document::write::write(formula, crate::document::write::Script::Language);
    let short = |formula: &Formula| {
        let text = shown(formula);
        if text.chars().count() > 40 { "a factor".to_owned() } else { format!("`{text}`") }
    };
    let is_term = matches!(parent.map(|p| &p.kind), Some(Kind::Sum(_))) || whole;
    let is_argument = matches!(parent.map(|p| &p.kind), Some(Kind::Call { .. }));
    let scalar_call = matches!(&part.kind, Kind::Call { function, .. } if is_scalar_function(*function));
    let constant = matches!(part.kind, Kind::Number(_) | Kind::Delta(..) | Kind::Over { .. })
        || matches!(&part.kind, Kind::Derivative { by, .. } if matches!(by.kind, Kind::Entry { .. }))
        || scalar_call
        || part.as_name().is_some_and(|name| pieces.dimensions.iter().any(|d| d == name));
    let inside_transpose = matches!(parent.map(|p| &p.kind), Some(Kind::Transpose(_)));
    if !constant && !inside_transpose && !matches!(part.kind, Kind::Entry { .. }) {
        let cost = if matches!(part.kind, Kind::Sum(_) | Kind::Hadamard(_) | Kind::Product(_)) { 11 } else { 10 };
        let what = match &part.kind {
            Kind::Transpose(inner) => format!("{} not transposed", short(inner)),
            _ => format!("{} transposed", short(part)),
        };
        out.push((part.clone().transposed(), cost, what));
    }
    match &part.kind {
        Kind::Product(list) => {
            for i in 0..list.len().saturating_sub(1) {
                let mut swapped = list.clone();
                swapped.swap(i, i + 1);
                let what = format!("{} and {} the other way round", short(&list[i]), short(&list[i + 1]));
                out.push((make(Kind::Product(swapped)), 10, what));
                let pair = make(Kind::Hadamard(vec![list[i].clone(), list[i + 1].clone()]));
                if let Kind::Transpose(inner) = &list[i].kind {
                    let pair = make(Kind::Hadamard(vec![(**inner).clone(), list[i + 1].clone()]));
                    let mut joined = list.clone();
                    joined.splice(i..i + 2, [pair]);
                    let joined = if joined.len() == 1 { joined.remove(0) } else { make(Kind::Product(joined)) };
                    let what = format!("{} ⊙ {} in place of a product", short(inner), short(&list[i + 1]));
                    out.push((joined, 11, what));
                }
                let mut joined = list.clone();
                joined.splice(i..i + 2, [pair]);
                let joined = if joined.len() == 1 { joined.remove(0) } else { make(Kind::Product(joined)) };
                let what = format!("{} ⊙ {} in place of a matrix product", short(&list[i]), short(&list[i + 1]));
                out.push((joined, 10, what));
            }
            for (i, factor) in list.iter().enumerate() {
                let mut rest = list.clone();
                rest.remove(i);
                let rest = if rest.len() == 1 { rest.remove(0) } else { make(Kind::Product(rest)) };
                let number = matches!(factor.kind, Kind::Number(_) | Kind::Quotient(..));
                out.push((rest, if number { 10 } else { 15 }, format!("without the factor {}", short(factor))));
                if i == 0
                    && matches!(&factor.kind, Kind::Number(two) if two.as_integer() == Some(2))
                    && let [_, rest @ ..] = list.as_slice()
                {
                    let rest = if let [only] = rest { only.clone() } else { make(Kind::Product(rest.to_vec())) };
                    let what = format!("{} and its transpose in place of twice it", short(&rest));
                    let both = vec![(false, rest.clone()), (false, rest.transposed())];
                    out.push((make(Kind::Sum(both)), 14, what));
                }
                // A factor at one end is what is missing at the other: S⁻¹ u uᵀ S⁻¹.
                let matrix = !matches!(factor.kind, Kind::Number(_) | Kind::Quotient(..));
                if matrix && (i == 0 || i + 1 == list.len() || matches!(factor.kind, Kind::Power(..))) {
                    let (mut before, mut behind) = (list.clone(), list.clone());
                    before.insert(0, factor.clone());
                    behind.push(factor.clone());
                    out.push((make(Kind::Product(behind)), 16, format!("a factor {} behind it", short(factor))));
                    out.push((make(Kind::Product(before)), 16, format!("a factor {} before it", short(factor))));
                }
                for j in 0..list.len() {
                    if j != i && j + 1 != i && i + 1 != j {
                        let mut moved = list.clone();
                        let factor = moved.remove(i);
                        moved.insert(j, factor);
                        let what = format!("{} at another place", short(&list[i]));
                        out.push((make(Kind::Product(moved)), 13, what));
                    }
                }
            }
            // dB A for dA B
            if let [a, b] = list.as_slice() {
                let turned = match (&a.kind, &b.kind) {
                    (Kind::Differential(x), Kind::Name(_)) => {
                        Some(vec![Formula::differential(b.clone()), (**x).clone()])
                    }
                    (Kind::Name(_), Kind::Differential(y)) => {
                        Some(vec![(**y).clone(), Formula::differential(a.clone())])
                    }
                    _ => None,
                };
                if let Some(turned) = turned {
                    let turned = make(Kind::Product(turned));
                    let what = format!("{} in place of {}", short(&turned), short(part));
                    out.push((turned, 12, what));
                }
            }
            if list.len() > 2 {
                let reversed: Vec<Formula> = list.iter().rev().cloned().collect();
                out.push((make(Kind::Product(reversed)), 14, "the factors in reverse order".to_owned()));
            }
        }
        Kind::Hadamard(list) if list.len() == 2 => {
            let (a, b) = (&list[0], &list[1]);
            for (left, right, cost) in [
                (a.clone(), b.clone(), 10),
                (a.clone().transposed(), b.clone(), 12),
                (a.clone(), b.clone().transposed(), 12),
                (b.clone(), a.clone(), 12),
                (b.clone(), a.clone().transposed(), 13),
                (b.clone().transposed(), a.clone(), 13),
            ] {
                let what = "a matrix product in place of ⊙".to_owned();
                out.push((make(Kind::Product(vec![left, right])), cost, what));
            }
            let what = format!("⊘ in place of ⊙ {}", short(b));
            out.push((make(Kind::HadamardQuotient(Box::new(a.clone()), Box::new(b.clone()))), 12, what));
        }
        Kind::HadamardQuotient(a, b) => {
            let product = Kind::Hadamard(vec![(**a).clone(), (**b).clone()]);
            out.push((make(product), 12, format!("⊙ in place of ⊘ {}", short(b))));
            let turned = Kind::HadamardQuotient(b.clone(), a.clone());
            out.push((make(turned), 12, "the quotient the other way round".to_owned()));
        }
        Kind::Quotient(a, b) => {
            out.push(((**a).clone(), 11, format!("without the division by {}", short(b))));
            out.push((make(Kind::Quotient(b.clone(), a.clone())), 14, "the quotient the other way round".to_owned()));
        }
        // The sign of an exponent is changed with the power.
        Kind::Sum(_) if matches!(parent.map(|p| &p.kind), Some(Kind::Power(..) | Kind::HadamardPower(..))) => {}
        Kind::Sum(terms) => {
            for (i, (minus, term)) in terms.iter().enumerate() {
                let mut signs = terms.clone();
                signs[i].0 = !minus;
                let what = match minus {
                    true => format!("+ before {}", short(term)),
                    false => format!("− before {}", short(term)),
                };
                let changed = match signs.as_slice() {
                    [(false, only)] => only.clone(),
                    _ => make(Kind::Sum(signs)),
                };
                out.push((changed, 10, what));
                if terms.len() > 1 {
                    let mut rest = terms.clone();
                    rest.remove(i);
                    let rest = match rest.as_slice() {
                        [(false, only)] => only.clone(),
                        _ => make(Kind::Sum(rest)),
                    };
                    out.push((rest, 18, format!("without the term {}", short(term))));
                }
            }
            if terms.len() == 2 && terms[0].0 != terms[1].0 {
                let turned = terms.iter().map(|(minus, term)| (!minus, term.clone())).rev().collect();
                out.push((make(Kind::Sum(turned)), 11, "the difference the other way round".to_owned()));
            }
        }
        Kind::Call { function, arguments, columns } => {
            let with =
                |other: Function| make(Kind::Call { function: other, arguments: arguments.clone(), columns: *columns });
            for &(a, b) in SIBLINGS {
                for (from, to) in [(a, b), (b, a)] {
                    if *function == from {
                        out.push((with(to), 10, format!("{} in place of {}", to.name(), from.name())));
                    }
                }
            }
            if let [a, b] = arguments.as_slice() {
                let turned =
                    Kind::Call { function: *function, arguments: vec![b.clone(), a.clone()], columns: *columns };
                out.push((make(turned), 10, format!("{} and {} the other way round", short(a), short(b))));
            }
            if arguments.len() == 1 {
                out.push((arguments[0].clone(), 15, format!("without {}", function.name())));
            }
            if matches!(function, Function::Softmax | Function::LogSoftmax | Function::LogSumExp) {
                let turned = Kind::Call { function: *function, arguments: arguments.clone(), columns: !columns };
                out.push((make(turned), 12, format!("{} along the other axis", function.name())));
            }
        }
        Kind::Generic { name, order, argument } => {
            let with = |order: u32| make(Kind::Generic { name: name.clone(), order, argument: argument.clone() });
            out.push((with(order + 1), 10, format!("the derivative {name}{}", "′".repeat(*order as usize + 1))));
            if *order > 0 {
                out.push((with(order - 1), 10, format!("{name} one derivative less")));
            }
        }
        Kind::Power(base, exponent) | Kind::HadamardPower(base, exponent) => {
            let rebuilt = |exponent: Formula| {
                let exponent = Box::new(exponent);
                match part.kind {
                    Kind::Power(..) => make(Kind::Power(base.clone(), exponent)),
                    _ => make(Kind::HadamardPower(base.clone(), exponent)),
                }
            };
            out.push(((**base).clone(), 12, "without the exponent".to_owned()));
            out.push((rebuilt((**exponent).clone().negated()), 11, "the exponent with the other sign".to_owned()));
            if let Some(k) = super::evaluate::literal(exponent).and_then(Number::as_integer) {
                for other in [k - 1, k + 1] {
                    out.push((rebuilt(Formula::integer(other)), 11, format!("the exponent {other}")));
                }
            }
        }
        Kind::Number(value) => {
            for other in [1, 2, 3] {
                if value.as_integer() != Some(other) {
                    out.push((Formula::integer(other), 11, format!("{other} in place of {}", shown(part))));
                }
            }
            let half = make(Kind::Number(Number::HALF));
            out.push((half, 12, format!("1/2 in place of {}", shown(part))));
        }
        Kind::Entry { of, indices } => {
            if let [i, j] = indices.as_slice() {
                let turned = Kind::Entry { of: of.clone(), indices: vec![j.clone(), i.clone()] };
                out.push((make(turned), 10, format!("the indices of {} the other way round", short(of))));
            }
            for (k, _) in indices.iter().enumerate() {
                for other in &pieces.indices {
                    let mut list = indices.clone();
                    let other = Index::Name(other.clone());
                    if list[k] != other {
                        list[k] = other;
                        let changed = make(Kind::Entry { of: of.clone(), indices: list });
                        let what = format!("{} in place of {}", shown(&changed), shown(part));
                        out.push((changed, 11, what));
                    }
                }
            }
        }
        Kind::Delta(i, j) => {
            for other in &pieces.indices {
                for (a, b) in [(i.clone(), Index::Name(other.clone())), (Index::Name(other.clone()), j.clone())] {
                    let changed = make(Kind::Delta(a, b));
                    let what = format!("{} in place of {}", shown(&changed), shown(part));
                    out.push((changed, 11, what));
                }
            }
        }
        Kind::Over { body, index, .. } => {
            out.push(((**body).clone(), 11, format!("without the sum over {index}")));
        }
        Kind::Name(name) => {
            for (a, b) in &pieces.siblings {
                if a == name {
                    let what = format!("`{b}` in place of `{name}`");
                    out.push((make(Kind::Name(b.clone())), 12, what));
                }
            }
            for other in &pieces.names {
                if other != name && !pieces.dimensions.contains(other) && !pieces.dimensions.contains(name) {
                    let what = format!("`{other}` in place of `{name}`");
                    out.push((make(Kind::Name(other.clone())), 19, what));
                }
            }
        }
        _ => {}
    }
    if !constant && !inside_transpose && !is_scalar_call(part) {
        for &function in &pieces.functions {
            out.push((Formula::call(function, part.clone()), 15, format!("{} of {}", function.name(), short(part))));
        }
        let place = parent.is_some_and(|p| matches!(p.kind, Kind::Sum(_) | Kind::Hadamard(_)));
        if place && !matches!(part.kind, Kind::Number(_) | Kind::Sum(_) | Kind::Product(_)) {
            let square = Kind::Hadamard(vec![part.clone(), part.clone()]);
            out.push((make(square), 15, format!("{} squared", short(part))));
        }
    }
    if is_argument && !constant {
        for name in &pieces.names {
            let joined = Kind::Hadamard(vec![Formula::name(name.clone()), part.clone()]);
            out.push((make(joined), 17, format!("`{name}` ⊙ before {}", short(part))));
        }
    }
    if matches!(parent.map(|p| &p.kind), Some(Kind::Blocks(_))) {
        out.push((part.clone().negated(), 10, format!("− before {}", short(part))));
    }
    if is_term {
        let times = |factor: Formula| {
            let mut list = vec![factor];
            match &part.kind {
                Kind::Product(rest) => list.extend(rest.iter().cloned()),
                _ => list.push(part.clone()),
            }
            make(Kind::Product(list))
        };
        if whole && !matches!(part.kind, Kind::Sum(_)) {
            out.push((part.clone().negated(), 10, "the other sign".to_owned()));
        } else if whole {
            out.push((make(Kind::Sum(vec![(true, part.clone())])), 12, "the other sign of all".to_owned()));
        }
        out.push((times(Formula::integer(2)), 10, "a factor 2".to_owned()));
        let half = Kind::Quotient(Box::new(Formula::integer(1)), Box::new(Formula::integer(2)));
        out.push((times(make(half)), 10, "a factor 1/2".to_owned()));
        for name in &pieces.dimensions {
            let one = Kind::Quotient(Box::new(Formula::integer(1)), Box::new(Formula::name(name.clone())));
            out.push((times(make(one)), 11, format!("a factor 1/{name}")));
            out.push((times(Formula::name(name.clone())), 12, format!("a factor {name}")));
            let root = Formula::call(Function::Sqrt, Formula::name(name.clone()));
            let one = Kind::Quotient(Box::new(Formula::integer(1)), Box::new(root));
            out.push((times(make(one)), 13, format!("a factor 1/sqrt({name})")));
        }
        for function in
            [Function::Sum, Function::RowSum, Function::ColSum, Function::Trace, Function::Diag, Function::Inv]
        {
            let what = format!("{} of {}", function.name(), short(part));
            out.push((Formula::call(function, part.clone()), 14, what));
        }
        for function in [Function::RowSum, Function::ColSum] {
            let what = format!("{} of {}, transposed", function.name(), short(part));
            out.push((Formula::call(function, part.clone()).transposed(), 16, what));
        }
        let both = Kind::Sum(vec![(false, part.clone()), (false, part.clone().transposed())]);
        out.push((make(both), 15, "the transpose added".to_owned()));
        let free = part.free_indices();
        for index in free {
            let over = Kind::Over {
                index: index.clone(),
                upper: crate::document::formula::Size::Open(None),
                body: Box::new(part.clone()),
            };
            out.push((make(over), 12, format!("summed over {index}")));
        }
        for name in &pieces.names {
            let factor = Formula::name(name.clone());
            let joined = Kind::Hadamard(vec![factor.clone(), part.clone()]);
            out.push((make(joined), 17, format!("`{name}` ⊙ before it")));
            for (left, what) in [(true, "before it"), (false, "behind it")] {
                for turned in [false, true] {
                    let factor = if turned { factor.clone().transposed() } else { factor.clone() };
                    let mut list = match &part.kind {
                        Kind::Product(list) => list.clone(),
                        _ => vec![part.clone()],
                    };
                    let what = format!("a factor {} {what}", short(&factor));
                    if left {
                        list.insert(0, factor)
                    } else {
                        list.push(factor)
                    };
                    out.push((make(Kind::Product(list)), if turned { 18 } else { 17 }, what));
                }
            }
        }
    } else if !constant && matches!(parent.map(|p| &p.kind), Some(Kind::Product(_) | Kind::Hadamard(_))) {
        if part.as_name().is_some() {
            let both = Kind::Sum(vec![(false, part.clone()), (false, part.clone().transposed())]);
            out.push((make(both), 15, format!("{} and its transpose", short(part))));
        }
        for name in &pieces.names {
            let joined = Kind::Hadamard(vec![part.clone(), Formula::name(name.clone())]);
            out.push((make(joined), 18, format!("⊙ `{name}` behind {}", short(part))));
        }
        for function in [Function::RowSum, Function::ColSum, Function::Sum, Function::Diag, Function::Inv] {
            let what = format!("{} of {}", function.name(), short(part));
            out.push((Formula::call(function, part.clone()), 15, what));
        }
    }
    out
}

fn is_scalar_call(part: &Formula) -> bool {
    matches!(&part.kind, Kind::Call { function, .. } if is_scalar_function(*function))
}

/// Functions that are taken for each other.
const SIBLINGS: &[(Function, Function)] = &[
    (Function::Sum, Function::Mean),
    (Function::RowSum, Function::RowMean),
    (Function::ColSum, Function::ColMean),
    (Function::RowSum, Function::ColSum),
    (Function::Sum, Function::Trace),
    (Function::Det, Function::LogDet),
    (Function::Norm, Function::NormSq),
    (Function::Log, Function::Exp),
    (Function::Sin, Function::Cos),
    (Function::Sigmoid, Function::Tanh),
    (Function::Relu, Function::Step),
    (Function::Softmax, Function::LogSoftmax),
];

/// Whether a function gives a scalar, whose transpose is itself.
pub fn is_scalar_function(function: Function) -> bool {
    matches!(
        function,
        Function::Sum
            | Function::Mean
            | Function::Trace
            | Function::Det
            | Function::LogDet
            | Function::Norm
            | Function::NormSq
            | Function::Norm1
            | Function::Dot
    )
}
