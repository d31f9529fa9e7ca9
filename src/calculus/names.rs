//! The user's names put back: where a definition's expression stands, its name does, so that P stays P.

use rustc_hash::FxHashMap as HashMap;

use crate::dimension::Shape;
use crate::expr::substitute::rebuild;
use crate::expr::{Arena, ExprId, NameKind, NamedId, Op};
use crate::number::Number;

/// The definitions of an arena by what they stand for.
#[derive(Clone, Debug, Default)]
pub struct Names {
    /// By the whole expression.
    whole: HashMap<ExprId, ExprId>,
    /// Definitions that are a chain of factors, by the first of them: the factors and the name.
    chains: HashMap<ExprId, Vec<(Vec<ExprId>, ExprId)>>,
    /// Definitions s = x.^k, by x: k and s, so that x.^(3*k) is s.^3.
    powers: HashMap<ExprId, (Number, ExprId)>,
    /// Definitions that are element-wise products, by their factors.
    elements: Vec<(Vec<Factor>, ExprId)>,
    /// Definitions z = s·u that are divided by scalars, as a normalised u is.
    scaled: Vec<Scaled>,
    /// Whether a definition is a mean along rows or columns.
    means: bool,
    /// How many named results of the arena were looked at.
    seen: usize,
    done: HashMap<ExprId, ExprId>,
    /// Definitions that are not put where their expression stands.
    hidden: Vec<ExprId>,
}

/// How a factor stands in an element-wise product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Along {
    /// Entry by entry.
    Full,
    /// A column, repeated along the rows.
    Column,
    /// A row, repeated along the columns.
    Row,
}

/// A factor of an element-wise product: how it stands, the base and its exponent.
type Factor = (Along, ExprId, Number);

impl Names {
    /// As the default, but that these definitions are not put where their expression stands: they move apart from it.
    pub fn hiding(hidden: &[ExprId]) -> Names {
        Names { hidden: hidden.to_vec(), ..Names::default() }
    }

    /// The expression with the names of definitions in it.
    pub fn put_into(&mut self, arena: &mut Arena, root: ExprId) -> ExprId {
        self.look(arena);
        if self.whole.is_empty() {
            return root;
        }
        let mut stack = vec![root];
        while let Some(&id) = stack.last() {
            if self.done.contains_key(&id) {
                stack.pop();
                continue;
            }
            if let Some(&name) = self.whole.get(&id) {
                self.done.insert(id, name);
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
            let built = self.centred(arena, built);
            let built = self.in_chain(arena, built);
            let built = self.in_scaled(arena, built);
            let built = self.as_power(arena, built);
            let built = self.in_elements(arena, built);
            let built = self.whole.get(&built).copied().unwrap_or(built);
            self.done.insert(id, built);
            stack.pop();
        }
        self.done[&root]
    }

    /// Takes in the definitions that are new in the arena.
    fn look(&mut self, arena: &mut Arena) {
        let count = arena.all_named().len();
        if self.seen < count {
            self.done.clear();
        }
        for i in self.seen..count {
            let named = arena.named(NamedId(i as u32));
            let body = named.body;
            if named.kind != NameKind::Definition || !is_compound(arena, body) {
                continue;
            }
            let name = arena.named_node(i);
            if self.hidden.contains(&name) {
                continue;
            }
            if let Op::Power(base, exponent) = *arena.op(body)
                && let Op::Number(k) = *arena.op(exponent)
                && !k.is_one()
                && !k.is_negative()
            {
                self.powers.entry(base).or_insert((k, name));
            }
            if let Some(factors) = factors_of(arena, body).filter(|factors| factors.len() > 1) {
                self.elements.push((factors, name));
            }
            let (body_turned, name_turned) = (arena.transpose(body), arena.transpose(name));
            for (body, name) in [(body, name), (body_turned, name_turned)] {
                self.whole.entry(body).or_insert(name);
                if let Op::Product { scalars, factors } = arena.op(body)
                    && !factors.is_empty()
                {
                    if !scalars.is_empty() {
                        self.means |= factors.iter().any(|&f| matches!(arena.op(f), Op::Ones));
                        let powers: Scalars = scalars.iter().map(|&s| arena.element_power_form(s)).collect();
                        if powers.iter().any(|&(base, k)| k.is_negative() && !is_size(arena, base)) {
                            let parts = split(arena, &powers);
                            self.scaled.push(Scaled { chain: factors.to_vec(), scale: powers, parts, name });
                        }
                    } else if factors.len() > 1 {
                        self.chains.entry(factors[0]).or_default().push((factors.to_vec(), name));
                    }
                }
            }
        }
        self.seen = count;
    }

    /// An element-wise product with the factors of a definition in it: M .* v ./ s.^2 is Xh .* v ./ s for Xh = M ./ s. What
    /// divides beside a sum along rows goes into the sum where it makes a name: rowsum(G .* M) ./ s is rowsum(G .* Xh).
    fn in_elements(&self, arena: &mut Arena, id: ExprId) -> ExprId {
        if self.elements.is_empty() {
            return id;
        }
        let Some(mut factors) = factors_of(arena, id) else { return id };
        let mut changed = self.take_names(&mut factors);
        for i in 0..factors.len() {
            let (along, sum, k) = factors[i];
            if along == Along::Full || !k.is_one() {
                continue;
            }
            let Op::Product { scalars, factors: chain } = arena.op(sum).clone() else { continue };
            let [a, b] = *chain else { continue };
            let (inner, ones) = if along == Along::Column { (a, b) } else { (b, a) };
            if !scalars.is_empty() || !matches!(arena.op(ones), Op::Ones) {
                continue;
            }
            let Some(within) = factors_of(arena, inner) else { continue };
            let divisor = factors.iter().position(|&(other, _, j)| other == along && j.is_negative());
            let Some(j) = divisor else { continue };
            let mut within = within;
            add(&mut within, (along, factors[j].1, Number::MINUS_ONE));
            if self.take_names(&mut within) {
                let shape = arena.shape(inner);
                let inner = product_of(arena, &within, shape);
                let sum = if along == Along::Column {
                    arena.multiply(&[inner, ones])
                } else {
                    arena.multiply(&[ones, inner])
                };
                factors[i].1 = sum;
                factors[j].2 = factors[j].2.plus(Number::ONE);
                changed = true;
            }
        }
        if !changed {
            return id;
        }
        let shape = arena.shape(id);
        product_of(arena, &factors, shape)
    }

    /// Replaces factors by the names of definitions that they make up; whether there was one.
    fn take_names(&self, factors: &mut Vec<Factor>) -> bool {
        let mut changed = false;
        for (body, name) in &self.elements {
            let fits = body.iter().all(|&(along, base, k)| {
                factors.iter().any(|&(other, b, j)| along == other && base == b && reaches(j, k))
            });
            if fits {
                for &(along, base, k) in body {
                    add(factors, (along, base, k.negate()));
                }
                add(factors, (Along::Full, *name, Number::ONE));
                changed = true;
            }
        }
        changed
    }

    /// The sums of what a mean was taken from are 0: rowsum(X - mu·1') for mu = rowmean(X).
    fn centred(&self, arena: &mut Arena, id: ExprId) -> ExprId {
        if !self.means {
            return id;
        }
        let Op::Product { factors, .. } = arena.op(id).clone() else { return id };
        let Some((sum, size)) = arena.summed(&factors) else { return id };
        let Op::Sum(terms) = arena.op(sum).clone() else { return id };
        let size = arena.dimension(size);
        let mut chain = vec![arena.reciprocal(size)];
        chain.extend(&factors);
        let place = if factors[0] == sum { 1 } else { 2 };
        let mut means = Vec::with_capacity(terms.len());
        for &(c, term) in &terms {
            chain[place] = term;
            let mean = arena.multiply(&chain);
            means.push((c, self.whole.get(&mean).copied().unwrap_or(mean)));
        }
        let all = arena.sum(&means);
        let shape = arena.shape(id);
        if arena.is_zero(all) { arena.zeros(shape) } else { id }
    }

    /// x.^j as s.^(j/k) for a definition s = x.^k, where j/k is an odd integer (an even one would hide x itself).
    fn as_power(&self, arena: &mut Arena, id: ExprId) -> ExprId {
        let Op::Power(base, exponent) = *arena.op(id) else { return id };
        let Op::Number(j) = *arena.op(exponent) else { return id };
        let Some(&(k, name)) = self.powers.get(&base) else { return id };
        match k.reciprocal().map(|inverse| j.times(inverse)) {
            Some(times) if times.as_integer().is_some_and(|times| times % 2 != 0) => {
                let exponent = arena.number(times);
                arena.power(name, exponent)
            }
            _ => id,
        }
    }

    /// A product with the factors of a definition in it.
    fn in_chain(&self, arena: &mut Arena, id: ExprId) -> ExprId {
        let Op::Product { scalars, factors } = arena.op(id).clone() else { return id };
        if !factors.iter().any(|f| self.chains.contains_key(f)) {
            return id;
        }
        let mut operands = scalars.to_vec();
        let mut changed = false;
        let mut i = 0;
        while i < factors.len() {
            let found = self.chains.get(&factors[i]).and_then(|list| {
                list.iter().filter(|(chain, _)| factors[i..].starts_with(chain)).max_by_key(|(chain, _)| chain.len())
            });
            match found {
                Some((chain, name)) => {
                    operands.push(*name);
                    i += chain.len();
                    changed = true;
                }
                None => {
                    operands.push(factors[i]);
                    i += 1;
                }
            }
        }
        if changed { arena.multiply(&operands) } else { id }
    }

    /// A product with a definition z = s·u in it where it is divided by what z is divided by: (g'·u)·u/norm(u)^3 is
    /// (g'·z)·z/norm(u) for z = u/norm(u).
    fn in_scaled(&self, arena: &mut Arena, id: ExprId) -> ExprId {
        if self.scaled.is_empty() {
            return id;
        }
        let Op::Product { scalars, factors } = arena.op(id).clone() else { return id };
        if scalars.is_empty() {
            return id;
        }
        let mut factors = factors.to_vec();
        let whole: Scalars = scalars.iter().map(|&s| arena.element_power_form(s)).collect();
        let mut powers = split(arena, &whole);
        let mut used: Vec<&Scaled> = Vec::new();
        for definition in &self.scaled {
            let Scaled { chain, parts, name, .. } = definition;
            let mut found = false;
            while divides(arena, &powers, parts) && replace(&mut factors, chain, *name) {
                divide(&mut powers, parts);
                found = true;
            }
            // The same in scalars that are products themselves.
            for i in 0..powers.len() {
                let (scalar, k) = powers[i];
                let Op::Product { scalars: inner, factors: own } = arena.op(scalar).clone() else { continue };
                let mut own = own.to_vec();
                while k.is_one()
                    && inner.is_empty()
                    && parts.iter().all(|&(base, _)| base != scalar)
                    && divides(arena, &powers, parts)
                    && replace(&mut own, chain, *name)
                {
                    divide(&mut powers, parts);
                    powers[i].0 = arena.multiply(&own);
                    found = true;
                }
            }
            if found {
                used.push(definition);
            }
        }
        if used.is_empty() {
            return id;
        }
        used.iter().for_each(|definition| join(arena, &mut powers, &definition.scale));
        let mut operands: Vec<ExprId> = Vec::with_capacity(powers.len() + factors.len());
        for (base, k) in powers {
            let exponent = arena.number(k);
            operands.push(arena.power(base, exponent));
        }
        operands.extend(factors);
        arena.multiply(&operands)
    }
}

/// A definition z = s·u.
#[derive(Clone, Debug)]
struct Scaled {
    /// The factors of u.
    chain: Vec<ExprId>,
    /// The powers that make s.
    scale: Scalars,
    /// The same, those of means as powers of a sum and a size.
    parts: Scalars,
    /// z
    name: ExprId,
}

/// Powers of scalars that are multiplied.
type Scalars = Vec<(ExprId, Number)>;

/// The powers with those of products as powers of their factors: (s/n)^k is s^k and n^(-k).
fn split(arena: &Arena, powers: &[(ExprId, Number)]) -> Scalars {
    let mut out = Scalars::with_capacity(powers.len());
    for &(base, k) in powers {
        match arena.op(base) {
            Op::Product { scalars, factors } if factors.is_empty() => {
                for &scalar in scalars {
                    let (base, j) = arena.element_power_form(scalar);
                    times(&mut out, base, j.times(k));
                }
            }
            _ => times(&mut out, base, k),
        }
    }
    out
}

/// The inverse of `split` for the means in `scale` that stand under a root.
fn join(arena: &Arena, powers: &mut Scalars, scale: &[(ExprId, Number)]) {
    for &(mean, _) in scale {
        let parts = split(arena, &[(mean, Number::ONE)]);
        let &[(sum, _)] = &parts.iter().copied().filter(|(base, _)| !is_size(arena, *base)).collect::<Vec<_>>()[..]
        else {
            continue;
        };
        let Some(&(_, k)) = powers.iter().find(|(base, k)| *base == sum && k.as_integer().is_none()) else { continue };
        if parts.len() > 1 {
            parts.iter().for_each(|&(base, j)| times(powers, base, j.times(k).negate()));
            times(powers, mean, k);
        }
    }
}

fn is_size(arena: &Arena, id: ExprId) -> bool {
    matches!(arena.op(id), Op::Dimension(_))
}

/// Whether powers of scalars have all of these in them, with the same signs. Sizes may come to stand above or below: they
/// belong to means.
fn divides(arena: &Arena, powers: &[(ExprId, Number)], scale: &[(ExprId, Number)]) -> bool {
    scale
        .iter()
        .filter(|(base, _)| !is_size(arena, *base))
        .all(|&(base, k)| powers.iter().any(|&(b, j)| b == base && reaches(j, k)))
}

/// Whether x^k can be taken out of x^j: the same sign, and no larger.
fn reaches(j: Number, k: Number) -> bool {
    j.is_negative() == k.is_negative() && j.abs().plus(k.abs().negate()).to_f64() >= 0.0
}

fn divide(powers: &mut Scalars, scale: &[(ExprId, Number)]) {
    scale.iter().for_each(|&(base, k)| times(powers, base, k.negate()));
}

/// Multiplies a power in; what comes to the power 0 stays, so that places stay.
fn times(powers: &mut Scalars, base: ExprId, k: Number) {
    match powers.iter_mut().find(|(other, _)| *other == base) {
        Some(power) => power.1 = power.1.plus(k),
        None => powers.push((base, k)),
    }
}

/// Replaces the first place of a chain among factors by a name; whether there was one.
fn replace(factors: &mut Vec<ExprId>, chain: &[ExprId], name: ExprId) -> bool {
    let place = factors.windows(chain.len()).position(|window| window == chain);
    if let Some(place) = place {
        factors.splice(place..place + chain.len(), [name]);
    }
    place.is_some()
}

fn is_compound(arena: &Arena, id: ExprId) -> bool {
    let (_, inner) = arena.coefficient(id);
    let leaf = |id: ExprId| {
        matches!(
            arena.op(id),
            Op::Number(_)
                | Op::Pi
                | Op::Euler
                | Op::Variable(_)
                | Op::Named(_)
                | Op::Dimension(_)
                | Op::Ones
                | Op::Identity
                | Op::Zeros
                | Op::Unit(_)
        )
    };
    match arena.op(inner) {
        Op::Transpose(a) => !leaf(*a),
        _ => !leaf(inner),
    }
}

/// The factors of an element-wise product; `None` for anything else.
fn factors_of(arena: &mut Arena, id: ExprId) -> Option<Vec<Factor>> {
    let Op::Hadamard(list) = arena.op(id).clone() else { return None };
    let mut out = Vec::with_capacity(list.len());
    for &part in &list {
        match arena.broadcast_vector(part) {
            Some((vector, column)) => {
                let along = if column { Along::Column } else { Along::Row };
                out.extend(arena.element_factors(vector).into_iter().map(|(base, k)| (along, base, k)));
            }
            None => {
                let (base, k) = arena.element_power_form(part);
                out.push((Along::Full, base, k));
            }
        }
    }
    Some(out)
}

/// Multiplies one factor in.
fn add(factors: &mut Vec<Factor>, (along, base, k): Factor) {
    match factors.iter().position(|&(other, b, _)| other == along && b == base) {
        Some(i) => {
            factors[i].2 = factors[i].2.plus(k);
            if factors[i].2.is_zero() {
                factors.remove(i);
            }
        }
        None => factors.push((along, base, k)),
    }
}

/// The product of the factors, of that shape.
fn product_of(arena: &mut Arena, factors: &[Factor], shape: Shape) -> ExprId {
    let mut list = Vec::with_capacity(factors.len());
    for &(_, base, k) in factors.iter().filter(|(_, _, k)| !k.is_zero()) {
        let exponent = arena.number(k);
        let power = arena.power(base, exponent);
        list.push(arena.broadcast(power, shape));
    }
    if list.is_empty() { arena.ones(shape) } else { arena.hadamard(&list) }
}
