//! Common factors taken out of sums, for reading: A·X + B·X becomes (A + B)·X.

use rustc_hash::FxHashMap as HashMap;

use crate::expr::substitute::tree_size;
use crate::expr::{Arena, ExprId, Op};
use crate::number::Number;

/// One way to take a common factor out of some terms of a sum.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Common {
    First(ExprId),
    Last(ExprId),
    Element(ExprId),
    Scalar(ExprId),
    /// A power of a vector that is broadcast along the rows (a column, `true`) or the columns.
    Spread(ExprId, Number, bool),
}

/// So many factors are taken out one after another.
const MOST_TAKEN_OUT: usize = 64;
/// A divisor must make a sum of at most this size smaller.
const LARGEST: usize = 4_000;

/// The sum with common factors taken out, as long as there are some.
pub(super) fn factor_sum(arena: &mut Arena, sum: ExprId, terms: &[(Number, ExprId)]) -> ExprId {
    factor(arena, sum, terms, MOST_TAKEN_OUT)
}

fn factor(arena: &mut Arena, sum: ExprId, terms: &[(Number, ExprId)], most: usize) -> ExprId {
    const MANY: usize = 64;
    if terms.len() > MANY || most == 0 {
        return sum;
    }
    let shape = arena.shape(sum);
    let Some((common, members)) = best_common(arena, terms) else { return sum };
    let mut inside = Vec::new();
    let mut outside = Vec::new();
    for (i, &(c, a)) in terms.iter().enumerate() {
        if members.contains(&i) {
            let rest = without(arena, a, common);
            inside.push((c, rest));
        } else {
            outside.push((c, a));
        }
    }
    let inner = arena.sum(&inside);
    // What is left of a term times a divisor may be no shorter: sign(x) ./ abs(x) has other forms that divide too.
    if matches!(common, Common::Spread(..)) && tree_size(arena, inner, LARGEST) >= tree_size(arena, sum, LARGEST) {
        return sum;
    }
    let inner = refactor(arena, inner, most - 1);
    let product = match common {
        Common::First(f) | Common::Scalar(f) => arena.multiply(&[f, inner]),
        Common::Last(f) => arena.multiply(&[inner, f]),
        Common::Element(f) => arena.hadamard(&[f, inner]),
        Common::Spread(..) => {
            let factor = spread_factor(arena, common, false);
            let factor = arena.broadcast(factor, shape);
            arena.hadamard(&[inner, factor])
        }
    };
    if outside.is_empty() {
        return product;
    }
    // Keep the place of the first member.
    let place = members[0].min(outside.len());
    outside.insert(place, (Number::ONE, product));
    let whole = arena.sum(&outside);
    // The normal form may take the factor back in; going on only while the sum gets smaller, this ends.
    let smaller = tree_size(arena, whole, LARGEST) < tree_size(arena, sum, LARGEST);
    if smaller { refactor(arena, whole, most - 1) } else { sum }
}

fn refactor(arena: &mut Arena, id: ExprId, most: usize) -> ExprId {
    let (c, inner) = arena.coefficient(id);
    match arena.op(inner).clone() {
        Op::Sum(terms) if terms.len() > 1 => {
            let factored = factor(arena, inner, &terms, most);
            arena.scale(c, factored)
        }
        _ => id,
    }
}

/// The common factor that the most terms share; a term that is nothing but the factor would leave an identity, and is
/// left alone.
fn best_common(arena: &mut Arena, terms: &[(Number, ExprId)]) -> Option<(Common, Vec<usize>)> {
    let mut groups: Vec<(Common, Vec<usize>)> = Vec::new();
    let mut places: HashMap<Common, usize> = HashMap::default();
    let mut add = |common: Common, i: usize| {
        let place = *places.entry(common).or_insert_with(|| {
            groups.push((common, Vec::new()));
            groups.len() - 1
        });
        if groups[place].1.last() != Some(&i) {
            groups[place].1.push(i);
        }
    };
    for (i, &(_, a)) in terms.iter().enumerate() {
        match arena.op(a) {
            Op::Product { scalars, factors } => {
                if factors.len() > 1 {
                    add(Common::First(factors[0]), i);
                    add(Common::Last(factors[factors.len() - 1]), i);
                }
                if let [only] = **factors
                    && let Op::Hadamard(list) = arena.op(only)
                {
                    list.iter().for_each(|&f| add(Common::Element(f), i));
                }
                if !factors.is_empty() || scalars.len() > 1 {
                    let apart = |&&s: &&ExprId| !belongs_to_mean(arena, s, scalars, factors);
                    scalars.iter().filter(apart).for_each(|&s| add(Common::Scalar(s), i));
                }
            }
            Op::Hadamard(list) => list.iter().for_each(|&f| add(Common::Element(f), i)),
            _ => {}
        }
        for divisor in spread_factors(arena, a) {
            add(divisor, i);
        }
    }
    groups.into_iter().filter(|(_, members)| members.len() > 1).max_by_key(|(common, members)| {
        let weight = match common {
            Common::First(f) | Common::Last(f) | Common::Element(f) | Common::Scalar(f) | Common::Spread(f, ..) => {
                weight(arena, *f)
            }
        };
        // Prefer more terms, then the heavier factor, then matrices to scalars.
        ((members.len() - 1) * weight, !matches!(common, Common::Scalar(_)))
    })
}

/// Whether a scalar is the 1/n of a mean: a sum of n entries stands beside it, or the chain is one.
fn belongs_to_mean(arena: &Arena, scalar: ExprId, scalars: &[ExprId], factors: &[ExprId]) -> bool {
    let (size, k) = arena.element_power_form(scalar);
    let Op::Dimension(n) = *arena.op(size) else { return false };
    let sums = |chain: &[ExprId]| arena.summed(chain).is_some_and(|(_, over)| over == n);
    let is_sum =
        |&s: &ExprId| matches!(arena.op(s), Op::Product { scalars, factors } if scalars.is_empty() && sums(factors));
    k == Number::MINUS_ONE && (sums(factors) || scalars.iter().any(is_sum))
}

/// The vectors by which a term is multiplied or divided along its rows or columns; each with exponent 1 or −1, the least
/// that all share.
fn spread_factors(arena: &mut Arena, a: ExprId) -> Vec<Common> {
    let (_, a) = arena.coefficient(a);
    if arena.shape(a).is_scalar() {
        return Vec::new();
    }
    let (_, a) = arena.split_scalars(a);
    let parts = match arena.op(a).clone() {
        Op::Hadamard(list) => list.to_vec(),
        _ => vec![a],
    };
    let mut out = Vec::new();
    for part in parts {
        let Some((vector, column)) = arena.broadcast_vector(part) else { continue };
        for (base, k) in arena.element_factors(vector) {
            let named = matches!(arena.op(base), Op::Variable(_) | Op::Named(_));
            match k.as_integer() {
                Some(k) if k < 0 => out.push(Common::Spread(base, Number::MINUS_ONE, column)),
                Some(k) if k > 0 && named => out.push(Common::Spread(base, Number::ONE, column)),
                _ => {}
            }
        }
    }
    out
}

fn spread_factor(arena: &mut Arena, common: Common, inverse: bool) -> ExprId {
    let Common::Spread(base, k, _) = common else { unreachable!("only broadcast vectors come here") };
    let exponent = arena.number(if inverse { k.negate() } else { k });
    arena.power(base, exponent)
}

fn weight(arena: &Arena, id: ExprId) -> usize {
    tree_size(arena, id, 40) + 1
}

fn without(arena: &mut Arena, a: ExprId, common: Common) -> ExprId {
    if let Common::Spread(..) = common {
        let shape = arena.shape(a);
        let factor = spread_factor(arena, common, true);
        let factor = arena.broadcast(factor, shape);
        return arena.hadamard(&[a, factor]);
    }
    match arena.op(a).clone() {
        Op::Product { scalars, factors } => {
            let mut scalars = scalars.to_vec();
            let mut factors = factors.to_vec();
            match common {
                Common::First(_) => {
                    factors.remove(0);
                }
                Common::Last(_) => {
                    factors.pop();
                }
                Common::Scalar(s) => {
                    let place = scalars.iter().position(|&x| x == s).expect("a member has the factor");
                    scalars.remove(place);
                }
                Common::Spread(..) => unreachable!("handled above"),
                Common::Element(_) => {
                    let rest = without(arena, factors[0], common);
                    factors[0] = rest;
                }
            }
            scalars.extend(factors);
            if scalars.is_empty() { arena.integer(1) } else { arena.multiply(&scalars) }
        }
        Op::Hadamard(list) => {
            let Common::Element(f) = common else {
                unreachable!("only elements are taken out of an element-wise product")
            };
            let mut list = list.to_vec();
            let place = list.iter().position(|&x| x == f).expect("a member has the factor");
            list.remove(place);
            arena.hadamard(&list)
        }
        _ => unreachable!("only products have common factors"),
    }
}
