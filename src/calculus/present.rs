//! Expressions as they are to be read: the user's names where a definition's expression stands, common factors taken out
//! of sums or products multiplied out where that is shorter, patterns with a shorter name. Only results pass through here;
//! what is differentiated stays in the arena's normal form, in which terms meet and cancel.

use rustc_hash::FxHashMap as HashMap;

use super::expand::expanded;
use super::factor::factor_sum;
use super::names::Names;
use crate::expr::substitute::{rebuild, tree_size};
use crate::expr::{Arena, Axis, ExprId, Op};
use crate::functions::Function;
use crate::number::Number;

/// Larger sums are not multiplied out.
const LARGEST_EXPANDED: usize = 100;

/// Expressions for reading; remembers what it has seen.
#[derive(Clone, Debug, Default)]
pub struct Presenter {
    names: Names,
    done: HashMap<ExprId, ExprId>,
}

impl Presenter {
    /// The expression as it is to be read.
    pub fn present(&mut self, arena: &mut Arena, root: ExprId) -> ExprId {
        let root = self.names.put_into(arena, root);
        let mut stack = vec![root];
        while let Some(&id) = stack.last() {
            if self.done.contains_key(&id) {
                stack.pop();
                continue;
            }
            let mut missing = false;
            arena.operands(id, |a| {
                if !self.done.contains_key(&a) {
                    missing = true;
                    stack.push(a);
                }
            });
            if missing {
                continue;
            }
            let built = rebuild(arena, id, &|a| self.done[&a]);
            let built = improved(arena, built);
            self.done.insert(id, built);
            stack.pop();
        }
        self.names.put_into(arena, self.done[&root])
    }
}

fn improved(arena: &mut Arena, id: ExprId) -> ExprId {
    let (c, inner) = arena.coefficient(id);
    match arena.op(inner).clone() {
        Op::Sum(terms) if terms.len() > 1 => {
            let better = shorter_sum(arena, inner, &terms);
            arena.scale(c, better)
        }
        Op::Product { scalars, factors } if scalars.is_empty() => match shorter_chain(arena, inner, &factors) {
            Some(shorter) => arena.scale(c, shorter),
            None => id,
        },
        Op::Call(Function::Trace, _, arguments) => {
            // tr(B'·B) = normsq(B)
            let (d, of) = arena.coefficient(arguments[0]);
            let Op::Product { scalars, factors } = arena.op(of).clone() else { return id };
            match half_of_palindrome(arena, &factors).filter(|_| scalars.is_empty()) {
                Some(half) => {
                    let square = arena.call(Function::NormSq, Axis::All, &[half]);
                    arena.scale(c.times(d), square)
                }
                None => id,
            }
        }
        Op::Call(Function::Diag, _, arguments) if !arena.shape(arguments[0]).is_column() => {
            // diag(B·B') = rowsum(B.^2)
            let (d, of) = arena.coefficient(arguments[0]);
            let Op::Product { scalars, factors } = arena.op(of).clone() else { return id };
            match half_of_palindrome(arena, &factors).filter(|_| scalars.is_empty()) {
                Some(half) => {
                    let turned = arena.transpose(half);
                    let two = arena.integer(2);
                    let squares = arena.power(turned, two);
                    let sums = arena.call(Function::RowSum, Axis::All, &[squares]);
                    arena.scale(c.times(d), sums)
                }
                None => id,
            }
        }
        _ => id,
    }
}

/// The shorter of the sum with common factors taken out and the sum multiplied out.
fn shorter_sum(arena: &mut Arena, sum: ExprId, terms: &[(Number, ExprId)]) -> ExprId {
    let terms = with_differentials_last(arena, terms);
    let factored = factor_sum(arena, sum, &terms);
    let size = tree_size(arena, factored, LARGEST_EXPANDED + 1);
    if size > LARGEST_EXPANDED {
        return factored;
    }
    let Some(all) = expanded(arena, &terms) else { return factored };
    let (c, inner) = arena.coefficient(all);
    let all = match arena.op(inner).clone() {
        Op::Sum(terms) if terms.len() > 1 => {
            let again = factor_sum(arena, inner, &terms);
            arena.scale(c, again)
        }
        _ => all,
    };
    // Multiplied out a residual is lost: only where that pays.
    if 5 * tree_size(arena, all, size + 1) <= 4 * size { all } else { factored }
}

/// dx'·A·x is turned to x'·A'·dx, so that the d stands last.
fn with_differentials_last(arena: &mut Arena, terms: &[(Number, ExprId)]) -> Vec<(Number, ExprId)> {
    let is_d = |arena: &Arena, id: ExprId| match arena.op(id) {
        Op::Differential(_) => true,
        Op::Transpose(a) => matches!(arena.op(*a), Op::Differential(_)),
        _ => false,
    };
    terms
        .iter()
        .map(|&(c, t)| match arena.op(t).clone() {
            Op::Product { scalars, factors }
                if scalars.is_empty()
                    && arena.shape(t).is_scalar()
                    && factors.len() > 2
                    && is_d(arena, factors[0])
                    && !is_d(arena, factors[factors.len() - 1]) =>
            {
                let turned: Vec<ExprId> = factors.iter().rev().map(|&f| arena.transpose(f)).collect();
                let shape = arena.shape(t);
                (c, arena.intern_raw(Op::Product { scalars, factors: turned.into() }, shape))
            }
            _ => (c, t),
        })
        .collect()
}

/// u'·u = normsq(u) for a compound u, X·inv(X'·X) = pinv(X)'.
fn shorter_chain(arena: &mut Arena, id: ExprId, factors: &[ExprId]) -> Option<ExprId> {
    if arena.shape(id).is_scalar() {
        let half = half_of_palindrome(arena, factors)?;
        let compound = matches!(arena.op(half), Op::Product { .. });
        return compound.then(|| arena.call(Function::NormSq, Axis::All, &[half]));
    }
    let [a, b] = *factors else { return None };
    for (x, inverse, first) in [(a, b, true), (b, a, false)] {
        let Op::MatrixPower(gram, k) = *arena.op(inverse) else { continue };
        if k != Number::MINUS_ONE {
            continue;
        }
        let turned = arena.transpose(x);
        // X·inv(X'·X) and inv(X·X')·X
        let own = if first { arena.multiply(&[turned, x]) } else { arena.multiply(&[x, turned]) };
        if own == gram {
            let pinv = arena.call(Function::Pinv, Axis::All, &[x]);
            return Some(arena.transpose(pinv));
        }
    }
    None
}

/// The u of a chain u'·u; a power C^(2k) of a symmetric matrix in the middle is two powers C^k.
fn half_of_palindrome(arena: &mut Arena, factors: &[ExprId]) -> Option<ExprId> {
    let n = factors.len();
    if n < 2 || !(0..n / 2).all(|i| arena.transpose(factors[n - 1 - i]) == factors[i]) {
        return None;
    }
    let mut half = Vec::new();
    if n % 2 == 1 {
        let Op::MatrixPower(base, k) = *arena.op(factors[n / 2]) else { return None };
        let k = k.as_integer().filter(|k| k % 2 == 0)?;
        if arena.transpose(base) != base {
            return None;
        }
        half.push(arena.matrix_power(base, Number::integer(k / 2)));
    }
    half.extend(&factors[n.div_ceil(2)..]);
    Some(arena.multiply(&half))
}
