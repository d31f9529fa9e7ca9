//! The differentials of the dictionary: text in our own language, parsed once, put together for given arguments.

use std::sync::LazyLock;

use crate::expr::{Arena, Axis, ExprId};
use crate::functions::{ENTRIES, Function};
use crate::syntax::ast::{Ast, Node, NodeId};
use crate::syntax::parse_expression;

static PARSED: LazyLock<Vec<Option<(Ast, NodeId)>>> = LazyLock::new(|| {
    ENTRIES
        .iter()
        .map(|entry| {
            if entry.differential.is_empty() {
                return None;
            }
            let (ast, root, errors) = parse_expression(entry.differential);
            assert!(errors.is_empty(), "the differential of {}: {errors:?}", entry.name);
            root.map(|root| (ast, root))
        })
        .collect()
});

/// The dictionary's differential of `of` = f(x) in the direction dx; `None` where the entry has no text.
pub fn dictionary_differential(
    arena: &mut Arena,
    function: Function,
    of: ExprId,
    x: ExprId,
    dx: ExprId,
) -> Option<ExprId> {
    let (ast, root) = PARSED[function as usize].as_ref()?;
    let shape = arena.shape(x);
    let mut built: Vec<Option<ExprId>> = Vec::with_capacity(ast.len());
    for i in 0..=root.0 {
        let id = NodeId(i);
        let expr = match ast.node(id) {
            Node::Name(name) => match name.as_str() {
                "F" => Some(of),
                "X" => Some(x),
                "dX" => Some(dx),
                "m" => Some(arena.dimension(shape.rows)),
                "n" => Some(arena.dimension(shape.columns)),
                "pi" => Some(arena.pi()),
                _ => None,
            },
            Node::Call { function, arguments, .. } if function == "eye" => {
                let rows = matches!(ast.node(arguments[0]), Node::Name(name) if name == "m");
                Some(arena.identity(if rows { shape.rows } else { shape.columns }))
            }
            _ => arena.combine(ast, id, shape, &|child| built[child.0 as usize]),
        };
        built.push(expr);
    }
    let out = built[root.0 as usize]?;
    Some(if arena.is_zero(out) { arena.zeros(arena.shape(of)) } else { out })
}

/// softmax, logsoftmax and logsumexp: d along rows, columns or all entries, with P = softmax(x).
pub fn row_wise_differential(
    arena: &mut Arena,
    function: Function,
    axis: Axis,
    of: ExprId,
    x: ExprId,
    dx: ExprId,
) -> ExprId {
    let p = if function == Function::Softmax { of } else { arena.call(Function::Softmax, axis, &[x]) };
    // The weighted sum of dx along the axis: a scalar, a column or a row.
    let weighted = match axis {
        Axis::All => arena.inner(p, dx),
        Axis::Rows | Axis::Columns => {
            let product = arena.hadamard(&[p, dx]);
            let sum = if axis == Axis::Rows { Function::RowSum } else { Function::ColSum };
            arena.call(sum, Axis::All, &[product])
        }
    };
    if function == Function::LogSumExp {
        return weighted;
    }
    let shape = arena.shape(x);
    if function == Function::Softmax {
        let first = arena.times(p, dx);
        let second = match axis {
            Axis::All => arena.multiply(&[p, weighted]),
            _ => {
                let spread = arena.broadcast(weighted, shape);
                arena.hadamard(&[p, spread])
            }
        };
        return arena.subtract(first, second);
    }
    let spread = arena.broadcast(weighted, shape);
    arena.subtract(dx, spread)
}
