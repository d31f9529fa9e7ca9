//! Expressions to notation: the reading order of sums and products, quotients from negative powers, means and sums from
//! products with ones, transposes of whole products, and brackets that make a product cheap. Decided here once for all
//! formats.

use super::chain::chain_of;
use super::means::{chain_with_means, mean_of_all, take_means};
use super::notation::Notation;
use super::sums::{spread, sum_of_terms};
use super::written::Written;
use crate::dimension::DimId;
use crate::expr::{Arena, Axis, ExprId, Op};
use crate::number::Number;

/// The notation of an expression; of a very large one the inner parts are left out.
pub fn notation(arena: &Arena, id: ExprId) -> Notation {
    Written::all_of(arena, id)
}

/// The notation of a dimension.
pub fn dimension(arena: &Arena, id: DimId) -> Notation {
    let table = &arena.dimensions;
    let mut terms = Vec::new();
    for (names, k) in table.terms_for_reading(id) {
        let mut factors: Vec<Notation> = names
            .iter()
            .map(|&n| match table.side_of_triangle(n) {
                Some(side) => triangle(arena, side),
                None => Notation::Name(table.name(n).to_owned()),
            })
            .collect();
        if names.is_empty() || k.unsigned_abs() != 1 {
            let size = i64::try_from(k.unsigned_abs()).unwrap_or(i64::MAX);
            factors.insert(0, Notation::Number(Number::integer(size)));
        }
        terms.push((*k < 0, product(factors)));
    }
    match terms.len() {
        0 => Notation::Number(Number::ZERO),
        1 if !terms[0].0 => terms.remove(0).1,
        _ => Notation::Sum(terms),
    }
}

/// d·(d + 1)/2.
fn triangle(arena: &Arena, side: DimId) -> Notation {
    let side = dimension(arena, side);
    let mut next = match &side {
        Notation::Sum(terms) => terms.clone(),
        other => vec![(false, other.clone())],
    };
    next.push((false, Notation::Number(Number::ONE)));
    let whole = Notation::Product(vec![side, Notation::Sum(next)]);
    Notation::Quotient(Box::new(whole), Box::new(Notation::Number(Number::integer(2))))
}

pub(super) fn product(mut factors: Vec<Notation>) -> Notation {
    if factors.len() == 1 { factors.remove(0) } else { Notation::Product(factors) }
}

/// c·A.
pub(super) fn term(arena: &Written, c: Number, id: ExprId) -> Notation {
    if c.is_negative() {
        return Notation::Negative(Box::new(term(arena, c.negate(), id)));
    }
    if arena.is_hidden(id) {
        let factor = (!c.is_one()).then_some(Notation::Number(c));
        return product(factor.into_iter().chain([Notation::Elided]).collect());
    }
    let shape = arena.shape(id);
    match arena.op(id) {
        Op::Number(value) => {
            let value = c.times(*value);
            if value.is_negative() {
                Notation::Negative(Box::new(Notation::Number(value.negate())))
            } else {
                Notation::Number(value)
            }
        }
        Op::Sum(terms) => {
            if let [(d, inner)] = **terms {
                return term(arena, c.times(d), inner);
            }
            let sum = sum_of_terms(arena, terms, shape);
            scaled(arena, c, &[], vec![sum])
        }
        Op::Product { scalars, factors } => product_of(arena, c, scalars, factors),
        Op::Hadamard(list) => hadamard(arena, c, &[], list),
        Op::Power(..) if shape.is_scalar() => product_of(arena, c, &[id], &[]),
        Op::Power(..) => hadamard(arena, c, &[], &[id]),
        _ if shape.is_scalar() => product_of(arena, c, &[id], &[]),
        _ => product_of(arena, c, &[], &[id]),
    }
}

/// c · scalars · chain, c ≥ 0.
pub(super) fn product_of(arena: &Written, c: Number, scalars: &[ExprId], factors: &[ExprId]) -> Notation {
    let (scalars, chain) = chain_with_means(arena, scalars, factors);
    if let ([only], true) = (factors, chain.len() == 1) {
        match arena.op(*only) {
            Op::Hadamard(list) => return hadamard(arena, c, &scalars, list),
            Op::Power(..) => return hadamard(arena, c, &scalars, &[*only]),
            _ => {}
        }
    }
    scaled(arena, c, &scalars, chain)
}

/// Numbers and names in front, the chain, compound divisors behind.
fn scaled(arena: &Written, c: Number, scalars: &[ExprId], chain: Vec<Notation>) -> Notation {
    let mut rest: Vec<ExprId> = scalars.to_vec();
    let mut compound: Vec<Notation> = Vec::new();
    let chains: Vec<ExprId> = rest
        .iter()
        .copied()
        .filter(|&s| matches!(arena.op(s), Op::Product { factors, .. } if !factors.is_empty()))
        .collect();
    for s in chains {
        if let Some(mean) = mean_of_all(arena, &mut rest, s) {
            rest.retain(|&other| other != s);
            compound.push(mean);
        }
    }
    let (mut simple, mut below_simple, mut below): (Vec<Notation>, Vec<Notation>, Vec<Notation>) =
        (Vec::new(), Vec::new(), Vec::new());
    let by_dimensions = rest.iter().all(|&s| matches!(arena.op(arena.element_power_form(s).0), Op::Dimension(_)));
    let mut number = c;
    if let Number::Ratio(n, d) = c
        && d != 1
        && !short_decimal(d)
    {
        number = Number::integer(n);
        below_simple.push(Notation::Number(Number::integer(d)));
    }
    // Dimensions first: n*s.
    rest.sort_by_key(|&s| !matches!(arena.op(arena.element_power_form(s).0), Op::Dimension(_)));
    for s in rest {
        let (base, k) = arena.element_power_form(s);
        let atom = is_atom(arena, base);
        let (shown, into) = if k.is_negative() {
            let inverse = scalar_power(arena, base, k.negate());
            (inverse, if atom { &mut below_simple } else { &mut below })
        } else {
            (scalar_power(arena, base, k), if atom { &mut simple } else { &mut compound })
        };
        into.push(shown);
    }
    if !number.is_one() {
        simple.insert(0, Notation::Number(number));
    }
    if chain.is_empty() {
        // A scalar: one quotient; a differential stands last.
        let (moving, still): (Vec<Notation>, Vec<Notation>) =
            simple.into_iter().partition(|n| matches!(n, Notation::Differential(_)));
        simple = still;
        simple.extend(compound);
        simple.extend(moving);
        below_simple.extend(below);
        let above = if simple.is_empty() { Notation::Number(Number::ONE) } else { product(simple) };
        return if below_simple.is_empty() { above } else { quotient(above, product(below_simple)) };
    }
    // X/f and A*x/f, but 1/N*X'*(…) for a mean over a dimension.
    let leaf = |n: &Notation| match n {
        Notation::Transpose(inner) => matches!(**inner, Notation::Name(_) | Notation::Differential(_)),
        n => matches!(n, Notation::Name(_) | Notation::Differential(_)),
    };
    let mut all = Vec::new();
    let one = compound.is_empty() && chain.len() == 1 && leaf(&chain[0]);
    if simple.is_empty() && !below_simple.is_empty() && (one || !by_dimensions) {
        below_simple.extend(below);
        all.extend(compound);
        all.extend(chain);
        return quotient(product(all), product(below_simple));
    }
    if !below_simple.is_empty() {
        let above = if simple.is_empty() { Notation::Number(Number::ONE) } else { product(simple) };
        all.push(quotient(above, product(below_simple)));
    } else {
        all.extend(simple);
    }
    all.extend(compound);
    all.extend(chain);
    let above = product(all);
    if below.is_empty() { above } else { quotient(above, product(below)) }
}

pub(super) fn quotient(above: Notation, below: Notation) -> Notation {
    Notation::Quotient(Box::new(above), Box::new(below))
}

/// Whether 1/d is a short decimal.
fn short_decimal(d: i64) -> bool {
    let mut d = d.unsigned_abs();
    for p in [2, 5] {
        while d.is_multiple_of(p) {
            d /= p;
        }
    }
    d == 1
}

fn is_atom(arena: &Written, id: ExprId) -> bool {
    matches!(arena.op(id), Op::Number(_) | Op::Pi | Op::Euler | Op::Dimension(_) | Op::Variable(_) | Op::Named(_))
}

fn scalar_power(arena: &Written, base: ExprId, k: Number) -> Notation {
    let inner = || Box::new(leaf_or_group(arena, base));
    if k.is_one() {
        return leaf_or_group(arena, base);
    }
    if k == Number::HALF {
        return Notation::Root(inner());
    }
    Notation::Power(inner(), Box::new(number(k)))
}

fn number(k: Number) -> Notation {
    if k.is_negative() { Notation::Negative(Box::new(Notation::Number(k.negate()))) } else { Notation::Number(k) }
}

/// A scalar or matrix that is no product of scalars, as it stands alone.
pub(super) fn leaf_or_group(arena: &Written, id: ExprId) -> Notation {
    if arena.is_hidden(id) {
        return Notation::Elided;
    }
    match arena.op(id) {
        Op::Product { scalars, factors } if !factors.is_empty() && scalars.is_empty() => {
            product(chain_of(arena, factors))
        }
        Op::Power(base, exponent) if arena.shape(id).is_scalar() => {
            Notation::Power(Box::new(arena.part(*base)), Box::new(arena.part(*exponent)))
        }
        Op::Power(base, exponent) if !matches!(arena.op(*exponent), Op::Number(_)) => {
            Notation::HadamardPower(Box::new(arena.part(*base)), Box::new(arena.part(*exponent)))
        }
        Op::Number(_) | Op::Sum(_) | Op::Product { .. } | Op::Hadamard(_) | Op::Power(..) => arena.part(id),
        _ => leaf(arena, id),
    }
}

/// c · scalars · (a .* b ./ d …), c ≥ 0.
pub(super) fn hadamard(arena: &Written, c: Number, scalars: &[ExprId], list: &[ExprId]) -> Notation {
    let (mut above, mut below): (Vec<Factor>, Vec<Factor>) = (Vec::new(), Vec::new());
    let mut left = scalars.to_vec();
    let mut full = list.iter().any(|&a| spread(arena, arena.element_power_form(a).0).is_none());
    for &a in list {
        let (base, k) = arena.element_power_form(a);
        let vector = spread(arena, base).filter(|_| full);
        let (vector, base) = match vector {
            Some(vector) if vector.scalars.is_empty() && vector.factors.len() == 1 && k.is_one() => {
                // Each factor of the vector by itself, so that 1 ./ s divides.
                for (part, j) in arena.element_factors(vector.factors[0]) {
                    let mean = match arena.op(part) {
                        Op::Product { scalars, factors } if scalars.is_empty() && j.is_one() => {
                            let (rest, mean) = take_means(arena, &left, factors);
                            left = rest;
                            mean
                        }
                        _ => None,
                    };
                    let shown = mean.unwrap_or_else(|| leaf_or_group(arena, part));
                    let short = element_power(shown, j.abs());
                    let explicit = vector.repeated(arena, short.clone());
                    let shown = Notation::Broadcast(Box::new(explicit), Box::new(short));
                    let factor = Factor { shown, repeats: vector.direction(arena) };
                    if j.is_negative() { below.push(factor) } else { above.push(factor) }
                }
                continue;
            }
            other => (other, base),
        };
        let repeats = vector.as_ref().and_then(|vector| vector.direction(arena));
        let shown = match vector {
            Some(vector) => {
                let mean = if vector.scalars.is_empty() && k.is_one() {
                    let (rest, mean) = take_means(arena, &left, &vector.factors);
                    left = rest;
                    mean
                } else {
                    None
                };
                let (explicit, short) = match mean {
                    Some(mean) => (vector.repeated(arena, mean.clone()), mean),
                    None => {
                        let short = product_of(arena, Number::ONE, &vector.scalars, &vector.factors);
                        (leaf_or_group(arena, base), short)
                    }
                };
                Notation::Broadcast(Box::new(explicit), Box::new(short))
            }
            None => {
                full = true;
                let mean = match arena.op(base) {
                    Op::Product { scalars, factors } if scalars.is_empty() && k.is_one() => {
                        let (rest, mean) = take_means(arena, &left, factors);
                        left = rest;
                        mean
                    }
                    _ => None,
                };
                mean.unwrap_or_else(|| leaf_or_group(arena, base))
            }
        };
        let shown = element_power(shown, k.abs());
        let factor = Factor { shown, repeats };
        if k.is_negative() { below.push(factor) } else { above.push(factor) }
    }
    let (mut above, below) = (in_any_order(above), in_any_order(below));
    let scalars = &left[..];
    let many = |mut list: Vec<Notation>| if list.len() == 1 { list.remove(0) } else { Notation::Hadamard(list) };
    if above.is_empty() {
        let one = scaled(arena, c, scalars, Vec::new());
        return Notation::HadamardQuotient(Box::new(one), Box::new(many(below)));
    }
    let several = above.len() + below.len() > 1;
    if !scalars.is_empty() && several {
        // Symbolic scalars stand before the whole: 2*a*(x ./ y).
        let above = many(above);
        let whole =
            if below.is_empty() { above } else { Notation::HadamardQuotient(Box::new(above), Box::new(many(below))) };
        return scaled(arena, c, scalars, vec![whole]);
    }
    let first = above.remove(0);
    let plain = c.is_one() && scalars.is_empty();
    let first = if plain { first } else { scaled(arena, c, scalars, vec![first]) };
    // A divisor at the end of the scaled first operand would end in front of the others: keep it outside.
    let above = match first {
        Notation::Quotient(top, bottom) if several => {
            let mut rest = vec![*top];
            rest.extend(above);
            let above = many(rest);
            let inner = if below.is_empty() {
                above
            } else {
                Notation::HadamardQuotient(Box::new(above), Box::new(many(below)))
            };
            return Notation::Quotient(Box::new(inner), bottom);
        }
        first => {
            let mut rest = vec![first];
            rest.extend(above);
            many(rest)
        }
    };
    if below.is_empty() { above } else { Notation::HadamardQuotient(Box::new(above), Box::new(many(below))) }
}

/// A factor of an element-wise product; of a repeated vector whether it is a column.
struct Factor {
    shown: Notation,
    repeats: Option<bool>,
}

/// The factors so that the language takes them from left to right: a column next to a row is an error there, so where
/// both come before a factor of the full shape, the first of them is written out.
fn in_any_order(factors: Vec<Factor>) -> Vec<Notation> {
    let whole = factors.iter().position(|f| f.repeats.is_none()).unwrap_or(factors.len());
    let first = factors[..whole].first().and_then(|f| f.repeats);
    let mixed = factors[..whole].iter().any(|f| f.repeats != first);
    let mut out: Vec<Notation> = factors.into_iter().map(|f| f.shown).collect();
    if mixed {
        let first = out.remove(0);
        out.insert(0, written_out(first));
    }
    out
}

/// A repeated vector as a product with ones.
fn written_out(notation: Notation) -> Notation {
    match notation {
        Notation::Broadcast(explicit, _) => *explicit,
        Notation::Root(inner) => Notation::Root(Box::new(written_out(*inner))),
        Notation::HadamardPower(base, k) => Notation::HadamardPower(Box::new(written_out(*base)), k),
        other => other,
    }
}

fn element_power(base: Notation, k: Number) -> Notation {
    if k.is_one() {
        base
    } else if k == Number::HALF {
        Notation::Root(Box::new(base))
    } else {
        Notation::HadamardPower(Box::new(base), Box::new(number(k)))
    }
}

pub(super) fn call(function: &'static str, argument: Notation) -> Notation {
    Notation::Call { function, arguments: vec![argument], columns: false }
}

/// A node that is neither sum, product nor element-wise product.
pub(super) fn leaf(arena: &Written, id: ExprId) -> Notation {
    let shape = arena.shape(id);
    let one = |a: ExprId| Box::new(arena.part(a));
    let dim = |d: DimId| Box::new(dimension(arena, d));
    let columns = |d: DimId| (d != DimId::ONE).then(|| dim(d));
    match arena.op(id) {
        Op::Number(value) => number(*value),
        Op::Pi => Notation::Pi,
        Op::Euler => Notation::Euler,
        Op::Dimension(d) => dimension(arena, *d),
        Op::Variable(_) | Op::Named(_) => Notation::Name(arena.name_of(id)),
        Op::Differential(of) => Notation::Differential(arena.name_of(*of)),
        Op::Identity => Notation::Identity(dim(shape.rows)),
        Op::Ones => Notation::Ones(dim(shape.rows), columns(shape.columns)),
        Op::Zeros => Notation::Zeros(dim(shape.rows), columns(shape.columns)),
        Op::Unit(i) => Notation::Unit(dim(shape.rows), *i),
        Op::Sum(_) | Op::Product { .. } | Op::Hadamard(_) | Op::Power(..) => arena.part(id),
        Op::MatrixPower(a, k) if *k == Number::MINUS_ONE => Notation::Inverse(one(*a)),
        Op::MatrixPower(a, k) => {
            let exponent = match *k {
                Number::Ratio(n, 2) => {
                    let half =
                        quotient(Notation::Number(Number::integer(n.abs())), Notation::Number(Number::integer(2)));
                    if n < 0 { Notation::Negative(Box::new(half)) } else { half }
                }
                k => number(k),
            };
            Notation::Power(one(*a), Box::new(exponent))
        }
        Op::Transpose(a) => Notation::Transpose(one(*a)),
        Op::Compare(comparison, a, b) => Notation::Compare(*comparison, one(*a), one(*b)),
        Op::Call(function, axis, arguments) => Notation::Call {
            function: function.name(),
            arguments: arguments.iter().map(|&a| arena.part(a)).collect(),
            columns: *axis == Axis::Columns,
        },
        Op::ExpmFrechet(a, e) => upper_right(arena, shape.rows, *a, *e, |block| call("expm", block)),
        Op::PowerFrechet(a, e, k) => upper_right(arena, shape.rows, *a, *e, |block| {
            Notation::Power(Box::new(block), Box::new(number(Number::integer(*k))))
        }),
        Op::Horizontal(parts) => Notation::Blocks(vec![parts.iter().map(|&a| arena.part(a)).collect()]),
        Op::Vertical(parts) => Notation::Blocks(
            parts
                .iter()
                .map(|&band| match arena.op(band) {
                    Op::Horizontal(row) => row.iter().map(|&a| arena.part(a)).collect(),
                    _ => vec![arena.part(band)],
                })
                .collect(),
        ),
        Op::Reshape(a) if shape.is_column() => call("vec", arena.part(*a)),
        Op::Reshape(a) => Notation::Call {
            function: "reshape",
            arguments: vec![arena.part(*a), dimension(arena, shape.rows), dimension(arena, shape.columns)],
            columns: false,
        },
    }
}

/// [I, 0] · f([a, e; 0, a]) · [0; I].
fn upper_right(arena: &Written, rows: DimId, a: ExprId, e: ExprId, f: impl FnOnce(Notation) -> Notation) -> Notation {
    let n = || Box::new(dimension(arena, rows));
    let identity = || Notation::Identity(n());
    let zeros = || Notation::Zeros(n(), Some(n()));
    let block = Notation::Blocks(vec![vec![arena.part(a), arena.part(e)], vec![zeros(), arena.part(a)]]);
    Notation::Product(vec![
        Notation::Blocks(vec![vec![identity(), zeros()]]),
        f(block),
        Notation::Blocks(vec![vec![zeros()], vec![identity()]]),
    ])
}
