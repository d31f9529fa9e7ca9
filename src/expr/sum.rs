//! Linear combinations: like terms collected, the common numeric and symbolic content taken out.

use rustc_hash::FxHashMap as HashMap;

use super::{Arena, ExprId, Op};
use crate::dimension::{DimId, Shape};
use crate::elaborate::{Properties, Property};
use crate::functions::Function;
use crate::number::Number;

/// Fewer terms than this are found by looking through them.
const FEW_TERMS: usize = 16;

impl Arena {
    /// A number.
    pub fn number(&mut self, value: Number) -> ExprId {
        self.intern(Op::Number(value), Shape::SCALAR, Properties::NONE)
    }

    /// An integer.
    pub fn integer(&mut self, value: i64) -> ExprId {
        self.number(Number::integer(value))
    }

    /// A dimension's value as a scalar.
    pub fn dimension(&mut self, dimension: DimId) -> ExprId {
        match self.dimensions.as_constant(dimension) {
            Some(value) => self.integer(value),
            None => self.intern(
                Op::Dimension(dimension),
                Shape::SCALAR,
                Properties::NONE.with(Property::Positive).with(Property::Nonnegative),
            ),
        }
    }

    /// Zeros of a shape.
    pub fn zeros(&mut self, shape: Shape) -> ExprId {
        if shape.is_scalar() {
            return self.number(Number::ZERO);
        }
        self.intern(Op::Zeros, shape, Properties::NONE)
    }

    /// Whether a node is zero.
    pub fn is_zero(&self, id: ExprId) -> bool {
        match self.op(id) {
            Op::Zeros => true,
            Op::Number(value) => value.is_zero(),
            _ => false,
        }
    }

    /// Splits c·A into c and A.
    pub fn coefficient(&self, id: ExprId) -> (Number, ExprId) {
        match self.op(id) {
            Op::Sum(terms) if terms.len() == 1 => terms[0],
            _ => (Number::ONE, id),
        }
    }

    /// The terms of a sum, or the node itself as the only one.
    pub fn terms(&self, id: ExprId) -> Vec<(Number, ExprId)> {
        match self.op(id) {
            Op::Sum(terms) => terms.to_vec(),
            _ => vec![(Number::ONE, id)],
        }
    }

    /// a + b of equal shapes.
    pub fn add(&mut self, a: ExprId, b: ExprId) -> ExprId {
        self.sum(&[(Number::ONE, a), (Number::ONE, b)])
    }

    /// a − b of equal shapes.
    pub fn subtract(&mut self, a: ExprId, b: ExprId) -> ExprId {
        self.sum(&[(Number::ONE, a), (Number::MINUS_ONE, b)])
    }

    /// −a.
    pub fn negate(&mut self, a: ExprId) -> ExprId {
        self.scale(Number::MINUS_ONE, a)
    }

    /// c·a.
    pub fn scale(&mut self, c: Number, a: ExprId) -> ExprId {
        let (d, inner) = self.coefficient(a);
        let c = c.times(d);
        if let Op::Number(value) = self.op(inner) {
            let value = c.times(*value);
            return self.number(value);
        }
        if c.is_zero() || self.is_zero(inner) {
            return self.zeros(self.shape(a));
        }
        if c.is_one() {
            return inner;
        }
        let properties = self.scaled_properties(c, inner);
        self.intern(Op::Sum(Box::new([(c, inner)])), self.shape(a), properties)
    }

    fn scaled_properties(&self, c: Number, a: ExprId) -> Properties {
        let of = self.properties(a);
        let mut out = Properties::NONE;
        let mut keep = vec![
            Property::Symmetric,
            Property::Skew,
            Property::Diagonal,
            Property::Invertible,
            Property::LowerTriangular,
            Property::UpperTriangular,
            Property::ZeroRowSums,
            Property::ZeroColumnSums,
        ];
        if !c.is_negative() {
            keep.extend([Property::PositiveDefinite, Property::Positive, Property::Nonnegative]);
        }
        for property in keep {
            if of.has(property) {
                out = out.with(property);
            }
        }
        out
    }

    /// Σ cᵢ·Aᵢ of equal shapes; there is at least one term.
    pub fn sum(&mut self, terms: &[(Number, ExprId)]) -> ExprId {
        let shape = self.shape(terms[0].1);
        let mut collected = self.collect(terms);
        self.merge_scalars(&mut collected);
        collected.retain(|(c, _)| !c.is_zero());
        self.complement_of_sigmoid(&mut collected);
        match collected.as_slice() {
            [] => self.zeros(shape),
            &[(c, a)] => self.scale(c, a),
            _ => self.sum_of_distinct(collected, shape),
        }
    }

    /// Flattens nested sums and adds the coefficients of equal terms, in order of first appearance.
    fn collect(&mut self, terms: &[(Number, ExprId)]) -> Vec<(Number, ExprId)> {
        let mut out: Vec<(Number, ExprId)> = Vec::with_capacity(terms.len());
        // Where a term stands, from when there are many; few are found faster by looking through them.
        let mut places: HashMap<ExprId, usize> = HashMap::default();
        let mut stack: Vec<(Number, ExprId)> = terms.iter().rev().copied().collect();
        let one = self.number(Number::ONE);
        while let Some((c, a)) = stack.pop() {
            debug_assert_eq!(self.shape(a), self.shape(terms[0].1), "terms of a sum have one shape");
            match self.op(a) {
                Op::Sum(inner) => stack.extend(inner.iter().rev().map(|&(d, b)| (c.times(d), b))),
                Op::Zeros => {}
                op => {
                    let (c, a) = match op {
                        Op::Number(value) => (c.times(*value), one),
                        _ => (c, a),
                    };
                    let place = match out.len() {
                        0..FEW_TERMS => out.iter().position(|&(_, b)| b == a),
                        _ => places.get(&a).copied(),
                    };
                    match place {
                        Some(place) => out[place].0 = out[place].0.plus(c),
                        None => {
                            out.push((c, a));
                            match out.len() {
                                0..FEW_TERMS => {}
                                FEW_TERMS => places.extend(out.iter().enumerate().map(|(i, &(_, b))| (b, i))),
                                more => {
                                    places.insert(a, more - 1);
                                }
                            }
                        }
                    }
                }
            }
        }
        out.retain(|(c, _)| !c.is_zero());
        out
    }

    /// 1 - sigmoid(-x) = sigmoid(x).
    fn complement_of_sigmoid(&mut self, terms: &mut Vec<(Number, ExprId)>) {
        if terms.len() < 2 {
            return;
        }
        let one = |arena: &Arena, a: ExprId| matches!(arena.op(a), Op::Number(k) if k.is_one()) || arena.is_ones(a);
        let Some(i) = terms.iter().position(|&(_, a)| one(self, a)) else { return };
        let constant = terms[i].0;
        for j in 0..terms.len() {
            let (c, a) = terms[j];
            if let Op::Call(Function::Sigmoid, axis, arguments) = self.op(a).clone()
                && c == constant.negate()
                && self.coefficient(arguments[0]).0.is_negative()
            {
                let turned = self.negate(arguments[0]);
                terms[j] = (constant, self.call(Function::Sigmoid, axis, &[turned]));
                terms.remove(i);
                return;
            }
        }
    }

    /// s·A + t·A becomes (s + t)·A for symbolic scalars s, t.
    fn merge_scalars(&mut self, terms: &mut Vec<(Number, ExprId)>) {
        if terms.len() < 2 || self.shape(terms[0].1).is_scalar() {
            return;
        }
        let scaled = |arena: &Arena, id: ExprId| match arena.op(id) {
            Op::Product { scalars, .. } => !scalars.is_empty(),
            _ => false,
        };
        if !terms.iter().any(|&(_, a)| scaled(self, a)) {
            return;
        }
        let mut groups: Vec<(ExprId, Vec<usize>)> = Vec::new();
        let mut places: HashMap<ExprId, usize> = HashMap::default();
        for (i, &(_, a)) in terms.clone().iter().enumerate() {
            let base = self.split_scalars(a).1;
            let place = *places.entry(base).or_insert_with(|| {
                groups.push((base, Vec::new()));
                groups.len() - 1
            });
            groups[place].1.push(i);
        }
        if groups.iter().all(|(_, members)| members.len() == 1) {
            return;
        }
        let mut out = Vec::with_capacity(groups.len());
        for (base, members) in groups {
            if let [only] = members.as_slice() {
                out.push(terms[*only]);
                continue;
            }
            let mut factors = Vec::new();
            for i in members {
                let (c, a) = terms[i];
                let scalar = self.split_scalars(a).0;
                factors.push((c, scalar));
            }
            let scalar = self.sum(&factors);
            let merged = self.multiply(&[scalar, base]);
            out.push(self.coefficient(merged));
        }
        *terms = self.collect(&out);
    }

    /// Splits s·A into the scalar s (1 where there is none) and the matrix A.
    pub fn split_scalars(&mut self, id: ExprId) -> (ExprId, ExprId) {
        match self.op(id) {
            Op::Product { scalars, factors } if !scalars.is_empty() && !factors.is_empty() => {
                let (scalars, factors) = (scalars.clone(), factors.clone());
                let scalar = self.multiply(&scalars);
                (scalar, self.multiply(&factors))
            }
            _ => (self.number(Number::ONE), id),
        }
    }

    /// The scalar factors of a term.
    fn scalars_of(&self, id: ExprId) -> Vec<ExprId> {
        match self.op(id) {
            Op::Product { scalars, factors } if !factors.is_empty() || self.shape(id).is_scalar() => scalars.to_vec(),
            _ if self.shape(id).is_scalar() && !matches!(self.op(id), Op::Number(_)) => vec![id],
            _ => Vec::new(),
        }
    }

    fn sum_of_distinct(&mut self, mut terms: Vec<(Number, ExprId)>, shape: Shape) -> ExprId {
        let content = numeric_content(&terms);
        if !content.is_one() {
            let inverse = content.reciprocal().expect("the content is not zero");
            for (c, _) in &mut terms {
                *c = c.times(inverse);
            }
        }
        let mut common = self.scalars_of(terms[0].1);
        for &(_, a) in &terms[1..] {
            if common.is_empty() {
                break;
            }
            let other = self.scalars_of(a);
            common.retain(|s| other.contains(s));
        }
        if !common.is_empty() {
            for (_, a) in &mut terms {
                *a = self.without_scalars(*a, &common);
            }
            let inner = self.sum(&terms);
            common.push(inner);
            let product = self.multiply(&common);
            return self.scale(content, product);
        }
        if self.reading_order {
            self.plain_before_transposed(&mut terms);
            self.positive_first(&mut terms);
        }
        let properties = self.sum_properties(&terms, shape);
        let mut key = terms.clone();
        key.sort_unstable_by_key(|&(_, a)| a);
        let id = self.intern_as(Op::Sum(key.into()), Op::Sum(terms.into()), shape, properties);
        self.scale(content, id)
    }

    /// A positive term first; a number behind the others (exp(s) - 1), unless all those are subtracted (1 - x).
    pub(crate) fn positive_first(&self, terms: &mut Vec<(Number, ExprId)>) {
        let is_number = |id: ExprId| matches!(self.op(id), Op::Number(_)) || self.is_ones(id);
        if let Some(place) = terms.iter().position(|&(_, a)| is_number(a)) {
            let others_negative = terms.iter().enumerate().all(|(i, (c, _))| i == place || c.is_negative());
            let number = terms.remove(place);
            let first = !number.0.is_negative() && (others_negative || place == 0);
            terms.insert(if first { 0 } else { terms.len() }, number);
        }
        if terms[0].0.is_negative()
            && let Some(place) = terms.iter().position(|(c, _)| !c.is_negative())
        {
            let positive = terms.remove(place);
            terms.insert(0, positive);
        }
    }

    /// A + A' and not A' + A.
    fn plain_before_transposed(&mut self, terms: &mut [(Number, ExprId)]) {
        if terms.len() > 8 || terms.iter().any(|&(_, t)| !self.shape(t).is_square() || self.shape(t).is_scalar()) {
            return;
        }
        for i in 0..terms.len() {
            let turned = self.transpose(terms[i].1);
            let (_, turned) = self.coefficient(turned);
            if turned != terms[i].1
                && let Some(j) = (i + 1..terms.len()).find(|&j| terms[j].1 == turned)
                && self.transposes(terms[i].1) > self.transposes(turned)
            {
                terms.swap(i, j);
            }
        }
    }

    /// How many transposes stand at the top of a term.
    fn transposes(&self, id: ExprId) -> usize {
        let is_transpose = |&&f: &&ExprId| matches!(self.op(f), Op::Transpose(_));
        match self.op(id) {
            Op::Product { factors, .. } => factors.iter().filter(is_transpose).count(),
            Op::Hadamard(list) => list.iter().filter(is_transpose).count(),
            Op::Transpose(_) => 1,
            _ => 0,
        }
    }

    fn without_scalars(&mut self, id: ExprId, common: &[ExprId]) -> ExprId {
        match self.op(id).clone() {
            Op::Product { scalars, factors } => {
                let mut rest: Vec<ExprId> = scalars.iter().copied().filter(|s| !common.contains(s)).collect();
                rest.extend(factors.iter());
                if rest.is_empty() { self.number(Number::ONE) } else { self.multiply(&rest) }
            }
            _ => self.number(Number::ONE),
        }
    }

    fn sum_properties(&mut self, terms: &[(Number, ExprId)], shape: Shape) -> Properties {
        let mut out = Properties::NONE;
        let all = |arena: &Arena, p: Property| terms.iter().all(|&(_, a)| arena.properties(a).has(p));
        let positive_coefficients = terms.iter().all(|(c, _)| !c.is_negative());
        for p in [Property::Diagonal, Property::Skew, Property::ZeroRowSums, Property::ZeroColumnSums] {
            if all(self, p) {
                out = out.with(p);
            }
        }
        for p in [Property::LowerTriangular, Property::UpperTriangular] {
            let triangular = |a: ExprId| self.properties(a).has(p) || self.properties(a).has(Property::Diagonal);
            if terms.iter().all(|&(_, a)| triangular(a)) {
                out = out.with(p);
            }
        }
        if positive_coefficients {
            for p in [Property::PositiveDefinite, Property::Positive, Property::Nonnegative] {
                if all(self, p) {
                    out = out.with(p);
                }
            }
        }
        if shape.is_square() && !shape.is_scalar() {
            let small = terms.len() <= 8;
            let symmetric = terms.iter().all(|&(c, a)| {
                self.properties(a).has(Property::Symmetric)
                    || small && {
                        let t = self.transpose(a);
                        let (d, t) = self.coefficient(t);
                        terms.contains(&(c.times(d), t))
                    }
            });
            if symmetric {
                out = out.with(Property::Symmetric);
            }
        }
        if out.has(Property::PositiveDefinite) {
            out = out.with(Property::Invertible);
        }
        out
    }
}

/// The number that is taken out of a sum: all coefficients over it are small integers, the first positive one first.
fn numeric_content(terms: &[(Number, ExprId)]) -> Number {
    let sign = if terms.iter().all(|(c, _)| c.is_negative()) { Number::MINUS_ONE } else { Number::ONE };
    let (mut numerator, mut denominator) = (0_u64, 1_u64);
    for &(c, _) in terms {
        let Number::Ratio(n, d) = c else {
            let size = c.abs();
            return if terms.iter().all(|(c, _)| c.abs() == size) { sign.times(size) } else { sign };
        };
        numerator = gcd(numerator, n.unsigned_abs());
        let d = d.unsigned_abs();
        let Some(multiple) = (denominator / gcd(denominator, d)).checked_mul(d) else { return sign };
        denominator = multiple;
    }
    let Some(content) = Number::ratio(numerator.into(), denominator.into()) else { return sign };
    let Some(inverse) = content.reciprocal() else { return sign };
    let small = |c: Number| c.times(inverse).as_integer().is_some_and(|k| k.unsigned_abs() <= 12);
    // 2*(a + 2*b) and 0.5*(a + b), but log(p) - 0.5*e: the form with fewer numbers in it.
    let numbers = |c: Number| usize::from(!c.abs().is_one());
    let inside: usize = terms.iter().map(|&(c, _)| numbers(c.times(inverse))).sum();
    let before: usize = terms.iter().map(|&(c, _)| numbers(c)).sum();
    let good = terms.iter().all(|&(c, _)| small(c)) && inside + numbers(content) <= before;
    if good { sign.times(content) } else { sign }
}

fn gcd(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}
