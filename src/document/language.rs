//! Expressions of the language as formulas: a tree of the parser comes in, a [`Formula`] with the same places goes out, or
//! what it is that no check knows. `d(…)` is the differential of an expression, `dX` that of a name.

use super::formula::{DEEPEST, Formula, Kind, LARGEST, Size};
use crate::diagnostic::Diagnostic;
use crate::functions::{Function, Signature};
use crate::syntax::ast::{Ast, Node, NodeId, Operator};

/// What stands behind a function's name for each prime: `σ'(X)`.
pub const PRIME: &str = "_";

/// What the names of a text are, as far as reading a formula needs it.
pub trait Names {
    /// Whether a name is known as it stands, so that `dX` with a name X is no differential.
    fn is_known(&self, name: &str) -> bool;
}

/// The formula of a node.
///
/// # Errors
/// A function that is not in the dictionary with more than one argument, a formula that is too deep or too large.
pub fn formula(ast: &Ast, root: NodeId, names: &dyn Names) -> Result<Formula, Diagnostic> {
    let below = reachable(ast, root)?;
    let mut done: std::collections::HashMap<NodeId, Formula> = std::collections::HashMap::new();
    for id in below {
        let made = node(ast, id, names, &mut done)?;
        done.insert(id, made);
    }
    done.remove(&root).ok_or_else(|| Diagnostic::at(ast.span(root), "the formula could not be read"))
}

/// The node and all below it, children first; an error where they are too many or too deep.
fn reachable(ast: &Ast, root: NodeId) -> Result<Vec<NodeId>, Diagnostic> {
    let mut out = Vec::new();
    let mut stack = vec![(root, 0_usize, false)];
    while let Some((id, depth, left_of_chain)) = stack.pop() {
        out.push(id);
        if out.len() > LARGEST {
            return Err(Diagnostic::at(ast.span(root), format!("a formula of more than {LARGEST} parts")));
        }
        if depth > DEEPEST {
            return Err(Diagnostic::at(ast.span(root), format!("a formula nested deeper than {DEEPEST} levels")));
        }
        let _ = left_of_chain;
        for child in ast.children(id) {
            let chained = chain_operator(ast, id).is_some() && chain_operator(ast, id) == chain_operator(ast, child);
            stack.push((child, if chained { depth } else { depth + 1 }, chained));
        }
    }
    out.sort_unstable();
    Ok(out)
}

/// Operators whose chains are one flat list.
fn chain_operator(ast: &Ast, id: NodeId) -> Option<u8> {
    match ast.node(id) {
        Node::Binary(Operator::Add | Operator::Subtract, ..) => Some(0),
        Node::Binary(Operator::Multiply, ..) => Some(1),
        Node::Binary(Operator::Hadamard, ..) => Some(2),
        _ => None,
    }
}

fn node(
    ast: &Ast,
    id: NodeId,
    names: &dyn Names,
    done: &mut std::collections::HashMap<NodeId, Formula>,
) -> Result<Formula, Diagnostic> {
    let span = ast.span(id);
    let mut take =
        |child: NodeId| done.remove(&child).ok_or_else(|| Diagnostic::at(span, "the formula could not be read"));
    let kind = match ast.node(id) {
        Node::Error => return Err(Diagnostic::at(span, "the formula could not be read")),
        Node::Number(value) => Kind::Number(*value),
        Node::Name(name) => match name.strip_prefix('d') {
            Some(rest) if !rest.is_empty() && !names.is_known(name) && names.is_known(rest) => {
                Kind::Differential(Box::new(Formula::new(Kind::Name(rest.to_owned()), span)))
            }
            _ => Kind::Name(name.clone()),
        },
        Node::Negate(a) => {
            let inner = take(*a)?;
            return Ok(Formula { span, ..inner.negated() });
        }
        Node::Transpose(a) => Kind::Transpose(Box::new(take(*a)?)),
        Node::Binary(operator, a, b) => {
            let (left, right) = (take(*a)?, take(*b)?);
            binary(*operator, left, right, ast.span(*a) == ast.span(*b))
        }
        Node::Compare(comparison, a, b) => {
            let (left, right) = (take(*a)?, take(*b)?);
            Kind::Compare(*comparison, Box::new(left), Box::new(right))
        }
        Node::Frobenius(a, b) => {
            let arguments = vec![take(*a)?, take(*b)?];
            Kind::Call { function: Function::Dot, arguments, columns: false }
        }
        Node::Blocks(rows) => {
            let mut out = Vec::with_capacity(rows.len());
            for row in rows {
                let parts: Result<Vec<Formula>, Diagnostic> = row.iter().map(|&a| take(a)).collect();
                out.push(parts?);
            }
            Kind::Blocks(out)
        }
        Node::Call { function, arguments, named } => {
            let mut columns = false;
            for (name, place, value) in named {
                let value = take(*value)?;
                match (name.as_str(), &value.kind) {
                    ("axis", Kind::Number(k)) if k.is_zero() => columns = true,
                    ("axis", Kind::Number(k)) if k.is_one() => {}
                    _ => return Err(Diagnostic::at(*place, format!("no argument `{name}` is known here"))),
                }
            }
            let list: Result<Vec<Formula>, Diagnostic> = arguments.iter().map(|&a| take(a)).collect();
            call(function, list?, columns).map_err(|message| Diagnostic::at(ast.operator_span(id), message))?
        }
    };
    Ok(Formula::new(kind, span))
}

fn binary(operator: Operator, left: Formula, right: Formula, _same: bool) -> Kind {
    match operator {
        Operator::Add | Operator::Subtract => {
            let mut terms = match left.kind {
                // A chain from the left is one list; `(a + b) + c` is the same.
                Kind::Sum(terms) => terms,
                kind => vec![(false, Formula { kind, span: left.span })],
            };
            terms.push((operator == Operator::Subtract, right));
            Kind::Sum(terms)
        }
        Operator::Multiply => Kind::Product(flat(left, right, |kind| match kind {
            Kind::Product(list) => Ok(list),
            other => Err(other),
        })),
        Operator::Hadamard => Kind::Hadamard(flat(left, right, |kind| match kind {
            Kind::Hadamard(list) => Ok(list),
            other => Err(other),
        })),
        Operator::HadamardDivide => Kind::HadamardQuotient(Box::new(left), Box::new(right)),
        Operator::Divide => Kind::Quotient(Box::new(left), Box::new(right)),
        Operator::LeftDivide => Kind::Product(vec![Formula::call(Function::Inv, left), right]),
        Operator::Power => Kind::Power(Box::new(left), Box::new(right)),
        Operator::HadamardPower => Kind::HadamardPower(Box::new(left), Box::new(right)),
    }
}

fn flat(left: Formula, right: Formula, list: fn(Kind) -> Result<Vec<Formula>, Kind>) -> Vec<Formula> {
    let span = left.span;
    let mut factors = list(left.kind).unwrap_or_else(|kind| vec![Formula { kind, span }]);
    factors.push(right);
    factors
}

/// A function applied to its arguments; one that the dictionary lacks acts on each entry.
///
/// # Errors
/// A wrong number of arguments, in words.
pub fn call(name: &str, mut arguments: Vec<Formula>, columns: bool) -> Result<Kind, String> {
    let count = arguments.len();
    let Some(function) = Function::lookup(name) else {
        return match (name, count) {
            ("d", 1) => Ok(Kind::Differential(Box::new(arguments.remove(0)))),
            ("trace" | "Tr", 1) => Ok(Kind::Call { function: Function::Trace, arguments, columns }),
            ("ln", 1) => Ok(Kind::Call { function: Function::Log, arguments, columns }),
            (_, 1) => {
                let base = name.trim_end_matches(PRIME);
                let order = ((name.len() - base.len()) / PRIME.len()) as u32;
                let argument = Box::new(arguments.remove(0));
                Ok(Kind::Generic { name: base.to_owned(), order, argument })
            }
            _ => Err(format!("no function `{name}` of {count} arguments is known")),
        };
    };
    let signature = function.entry().signature;
    if !signature.arity().contains(&count) {
        return Err(format!("`{name}` does not take {count} arguments"));
    }
    let mut next = || arguments.remove(0);
    let size = |formula: Formula| Size::Given(Box::new(formula));
    Ok(match signature {
        Signature::Identity => Kind::Identity(size(next())),
        Signature::Filled => {
            let rows = size(next());
            let columns = (count == 2).then(|| size(next()));
            if function == Function::Zeros { Kind::Zeros(rows, columns) } else { Kind::Ones(rows, columns) }
        }
        Signature::Column => Kind::Ones(size(next()), None),
        Signature::UnitVector => {
            let n = size(next());
            match next().kind {
                Kind::Number(k) => match k.as_integer().and_then(|i| u64::try_from(i).ok()) {
                    Some(i) if i > 0 => Kind::Unit(n, i),
                    _ => return Err("`unit` counts from 1".to_owned()),
                },
                _ => return Err("the place in `unit(n, i)` is a number".to_owned()),
            }
        }
        Signature::Reshape => {
            let a = next();
            let rows = size(next());
            Kind::Reshape(Box::new(a), rows, size(next()))
        }
        Signature::Reduce if count == 2 => {
            let a = next();
            let along_columns = match next().kind {
                Kind::Number(k) if k.is_one() => true,
                Kind::Number(k) if k.as_integer() == Some(2) => false,
                _ => return Err(format!("the second argument of `{name}` is 1 or 2")),
            };
            let function = match (function, along_columns) {
                (Function::Sum, true) => Function::ColSum,
                (Function::Sum, false) => Function::RowSum,
                (_, true) => Function::ColMean,
                (_, false) => Function::RowMean,
            };
            Kind::Call { function, arguments: vec![a], columns: false }
        }
        Signature::ConstantVector => {
            let value = next();
            Kind::Product(vec![value, Formula::new(Kind::Ones(Size::Open(None), None), Default::default())])
        }
        Signature::ConstantMatrix => {
            let value = next();
            let ones = Kind::Ones(Size::Open(None), Some(Size::Open(None)));
            Kind::Product(vec![value, Formula::new(ones, Default::default())])
        }
        _ => Kind::Call { function, arguments, columns },
    })
}
