//! The rules of composition: sums of convex functions, increasing convex functions of convex ones, squares and norms of
//! what is affine, logarithms of determinants, entry by entry. Nodes in order of evaluation come in; the curvature of the
//! root with the atoms that it comes from goes out.

use rustc_hash::{FxHashMap as HashMap, FxHashSet as HashSet};

use super::sign::{Sign, Signs, of_number, turned};
use super::{Curvature, Verdict};
use crate::elaborate::Property;
use crate::expr::{Arena, ExprId, Op};
use crate::functions::Function;
use crate::number::Number;

/// So many atoms are told in a reason.
const MOST_TOLD: usize = 4;

/// The curvature of all entries of a node that moves, and why it is that.
#[derive(Clone, Debug)]
struct State {
    curvature: Curvature,
    /// What is convex or concave in it, or what hides it.
    atoms: Vec<String>,
}

/// How a function of one argument bends, and whether it grows.
struct Shape {
    curvature: Curvature,
    growth: Growth,
    atom: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Growth {
    Up,
    Down,
    /// Up where the argument is at least 0, down where it is at most 0.
    FromZero,
    None,
}

struct Composer<'a> {
    arena: &'a Arena,
    leaves: &'a HashSet<ExprId>,
    signs: Signs,
    /// Nodes that move.
    states: HashMap<ExprId, State>,
}

/// The verdict of the rules of composition.
pub(super) fn judge(arena: &Arena, of: ExprId, nodes: &[ExprId], leaves: &HashSet<ExprId>) -> Verdict {
    let mut composer = Composer { arena, leaves, signs: Signs::new(arena, nodes), states: HashMap::default() };
    for &id in nodes {
        if let Some(state) = composer.look(id) {
            composer.states.insert(id, state);
        }
    }
    match composer.states.get(&of) {
        None => Verdict { curvature: Curvature::Affine, reason: "it does not change".to_owned() },
        Some(state) => Verdict { curvature: state.curvature, reason: reason(state) },
    }
}

fn reason(state: &State) -> String {
    let mut atoms: Vec<&str> = Vec::new();
    for atom in &state.atoms {
        if !atoms.contains(&atom.as_str()) {
            atoms.push(atom);
        }
    }
    let more = atoms.len() > MOST_TOLD;
    atoms.truncate(MOST_TOLD);
    let list = atoms.join(", ") + if more { ", …" } else { "" };
    match state.curvature {
        Curvature::Affine => "it is linear but for a constant".to_owned(),
        Curvature::Unknown => format!("the rules do not settle {list}"),
        _ => list,
    }
}

impl Composer<'_> {
    fn look(&self, id: ExprId) -> Option<State> {
        let arena = self.arena;
        if self.leaves.contains(&id) {
            return Some(State { curvature: Curvature::Affine, atoms: Vec::new() });
        }
        if let Op::Named(name) = arena.op(id) {
            return self.states.get(&arena.named(*name).body).cloned();
        }
        let mut moves = false;
        arena.operands(id, |a| moves |= self.states.contains_key(&a));
        if !moves {
            return None;
        }
        Some(match arena.op(id) {
            Op::Sum(terms) => self.sum(terms),
            Op::Product { scalars, factors } => self.product(id, scalars, factors),
            Op::Hadamard(list) => self.hadamard(list),
            Op::Power(base, exponent) => self.power(*base, *exponent),
            Op::Transpose(a) | Op::Reshape(a) => self.of(*a),
            Op::Horizontal(parts) | Op::Vertical(parts) => parts
                .iter()
                .filter_map(|a| self.states.get(a).cloned())
                .reduce(joined)
                .unwrap_or_else(|| unknown("blocks")),
            Op::Call(function, _, arguments) => self.call(*function, arguments),
            Op::MatrixPower(..) => unknown("a power of a matrix"),
            Op::Compare(..) => unknown("a comparison"),
            _ => unknown("a function of a matrix"),
        })
    }

    /// The state of an operand; one that stands still is affine.
    fn of(&self, id: ExprId) -> State {
        self.states.get(&id).cloned().unwrap_or(State { curvature: Curvature::Affine, atoms: Vec::new() })
    }

    fn moves(&self, id: ExprId) -> bool {
        self.states.contains_key(&id)
    }

    fn is_affine(&self, id: ExprId) -> bool {
        self.of(id).curvature == Curvature::Affine
    }

    fn sum(&self, terms: &[(Number, ExprId)]) -> State {
        // log(1 − sigmoid(z)) is written out by the logarithm; here only the terms count.
        let parts = terms.iter().filter_map(|&(c, a)| Some(scaled(self.states.get(&a)?.clone(), of_number(c))));
        parts.reduce(joined).unwrap_or_else(|| unknown("a sum"))
    }

    fn product(&self, id: ExprId, scalars: &[ExprId], factors: &[ExprId]) -> State {
        let all: Vec<ExprId> = scalars.iter().chain(factors).copied().collect();
        let moving: Vec<ExprId> = all.iter().copied().filter(|&a| self.moves(a)).collect();
        let rest = all.iter().filter(|&&a| !self.moves(a)).fold(Sign::Above, |sign, &a| sign.times(self.signs.sign(a)));
        if let [only] = *moving {
            let state = self.of(only);
            return if state.curvature == Curvature::Affine { state } else { scaled(state, rest) };
        }
        let still = scalars.iter().all(|&s| !self.moves(s));
        let outer = scalars.iter().fold(Sign::Above, |sign, &s| sign.times(self.signs.sign(s)));
        if self.arena.shape(id).is_scalar() && still && factors.len() > 1 {
            return match self.square_form(factors) {
                Some(atom) => scaled(State { curvature: Curvature::Convex, atoms: vec![atom.to_owned()] }, outer),
                None => unknown("a product of parts that both move"),
            };
        }
        if factors.is_empty() && scalars.len() == 2 {
            return self.entropy(scalars);
        }
        unknown("a product of parts that both move")
    }

    /// u'·u, u'·M·u and u'·inv(A)·u with u affine, M semidefinite and still, A positive definite and affine.
    fn square_form(&self, factors: &[ExprId]) -> Option<&'static str> {
        let n = factors.len();
        if !self.signs.is_square_form(self.arena, factors) {
            return None;
        }
        let half = &factors[..n / 2];
        let moving: Vec<ExprId> = half.iter().copied().filter(|&f| self.moves(f)).collect();
        let affine = moving.len() <= 1 && moving.iter().all(|&f| self.is_affine(f));
        let middle = (n % 2 == 1).then(|| factors[n / 2]);
        match middle.filter(|&m| self.moves(m)) {
            _ if !affine => None,
            None if middle.is_some() => Some("u'Mu with M semidefinite is convex in an affine u"),
            None => Some("u'u is convex in an affine u"),
            Some(middle) => match *self.arena.op(middle) {
                Op::MatrixPower(a, k)
                    if k == Number::MINUS_ONE
                        && self.is_affine(a)
                        && self.arena.properties(a).has(Property::PositiveDefinite) =>
                {
                    Some("u'inv(A)u is convex in an affine u and an affine, positive definite A")
                }
                _ => None,
            },
        }
    }

    fn hadamard(&self, list: &[ExprId]) -> State {
        let moving: Vec<ExprId> = list.iter().copied().filter(|&a| self.moves(a)).collect();
        let rest =
            list.iter().filter(|&&a| !self.moves(a)).fold(Sign::Above, |sign, &a| sign.times(self.signs.sign(a)));
        match *moving {
            [only] => {
                let state = self.of(only);
                if state.curvature == Curvature::Affine { state } else { scaled(state, rest) }
            }
            [_, _] => scaled(self.entropy(&moving), rest),
            _ => unknown("a product of parts that both move"),
        }
    }

    /// x .* log(x) with an affine x.
    fn entropy(&self, pair: &[ExprId]) -> State {
        let is_log = |log: ExprId, x: ExprId| matches!(self.arena.op(log), Op::Call(Function::Log, _, arguments) if arguments[0] == x);
        let (a, b) = (pair[0], pair[1]);
        if is_log(b, a) && self.is_affine(a) || is_log(a, b) && self.is_affine(b) {
            return State { curvature: Curvature::Convex, atoms: vec!["x log(x) is convex".to_owned()] };
        }
        unknown("a product of parts that both move")
    }

    fn power(&self, base: ExprId, exponent: ExprId) -> State {
        if self.moves(exponent) {
            let still = !self.moves(base) && self.signs.sign(base) == Sign::Above;
            return match still && self.is_affine(exponent) {
                true => State {
                    curvature: Curvature::Convex,
                    atoms: vec!["a power with an affine exponent is convex".to_owned()],
                },
                false => unknown("a power whose exponent moves"),
            };
        }
        let Op::Number(k) = *self.arena.op(exponent) else { return unknown("a power with a symbol as exponent") };
        let (value, integer) = (k.to_f64(), k.as_integer());
        let above = self.signs.sign(base) == Sign::Above;
        let positive = self.arena.properties(base).has(Property::Positive);
        let shape = match integer {
            _ if value == 1.0 => return self.of(base),
            Some(k) if k > 0 && k % 2 == 0 => (Curvature::Convex, Growth::FromZero, "an even power is convex"),
            Some(k) if k > 0 && above => (Curvature::Convex, Growth::Up, "a power of what is not negative is convex"),
            // Without a sign the domain of a negative integer power has two sides.
            Some(k) if k < 0 && positive => {
                (Curvature::Convex, Growth::Down, "a negative power of what is positive is convex")
            }
            Some(_) => return unknown("a power of what has no known sign"),
            // Where a convex base is negative the power has no value: its domain may fall apart.
            None if value > 1.0 && !above && !self.is_affine(base) => {
                return unknown("a power of what has no known sign");
            }
            None if value > 1.0 => (Curvature::Convex, Growth::Up, "a power above 1 is convex"),
            None if value > 0.0 => (Curvature::Concave, Growth::Up, "a power between 0 and 1 is concave"),
            None => (Curvature::Convex, Growth::Down, "a negative power of what is positive is convex"),
        };
        self.composed(&Shape { curvature: shape.0, growth: shape.1, atom: shape.2 }, base)
    }

    /// A function with known bend and growth of an argument with known bend.
    fn composed(&self, outer: &Shape, argument: ExprId) -> State {
        let inner = self.of(argument);
        let fits = match (inner.curvature, outer.growth) {
            (Curvature::Affine, _) => true,
            (Curvature::Unknown, _) | (_, Growth::None) => false,
            (own, Growth::Up) => own == outer.curvature,
            (own, Growth::Down) => own == outer.curvature.negated(),
            (own, Growth::FromZero) => match self.signs.sign(argument) {
                Sign::Above => own == outer.curvature,
                Sign::Below => own == outer.curvature.negated(),
                _ => false,
            },
        };
        if !fits {
            return match inner.curvature {
                Curvature::Unknown => inner,
                _ => unknown(&format!("a composition in which {}", outer.atom)),
            };
        }
        let mut atoms = vec![outer.atom.to_owned()];
        atoms.extend(inner.atoms);
        State { curvature: outer.curvature, atoms }
    }

    fn call(&self, function: Function, arguments: &[ExprId]) -> State {
        use Curvature::{Concave, Convex};
        let x = arguments[0];
        let (curvature, growth, atom) = match function {
            Function::Exp => (Convex, Growth::Up, "exp is convex and increasing"),
            Function::Expm1 => (Convex, Growth::Up, "expm1 is convex and increasing"),
            Function::Log => return self.log(x),
            Function::Log1p => (Concave, Growth::Up, "log1p is concave and increasing"),
            Function::Sqrt => (Concave, Growth::Up, "sqrt is concave and increasing"),
            Function::Softplus => (Convex, Growth::Up, "softplus is convex and increasing"),
            Function::Relu => (Convex, Growth::Up, "relu is convex and increasing"),
            Function::Elu => return unknown("elu"),
            Function::Abs => (Convex, Growth::FromZero, "abs is convex"),
            Function::Square => (Convex, Growth::FromZero, "a square is convex"),
            Function::Cosh => (Convex, Growth::FromZero, "cosh is convex"),
            Function::Norm => (Convex, Growth::FromZero, "a norm is convex"),
            Function::Norm1 => (Convex, Growth::FromZero, "a norm is convex"),
            Function::NormSq => (Convex, Growth::FromZero, "a squared norm is convex"),
            Function::LogSumExp => (Convex, Growth::Up, "logsumexp is convex and increasing"),
            Function::LogSoftmax => (Concave, Growth::None, "logsoftmax is concave"),
            Function::Max => return self.extremum(arguments, Convex, "the larger of convex functions is convex"),
            Function::Min => return self.extremum(arguments, Concave, "the smaller of concave functions is concave"),
            Function::Recip if self.arena.properties(x).has(Property::Positive) => {
                (Convex, Growth::Down, "the reciprocal of what is positive is convex")
            }
            Function::Trace => return self.trace(x),
            Function::Diag
            | Function::Tril
            | Function::Triu
            | Function::Vech
            | Function::Unvech
            | Function::Vec
            | Function::Sum
            | Function::RowSum
            | Function::ColSum
            | Function::Mean
            | Function::RowMean
            | Function::ColMean => return self.of(x),
            Function::Kron => return self.kron(arguments),
            Function::LogDet => {
                let definite = self.arena.properties(x).has(Property::PositiveDefinite);
                return match definite && self.is_affine(x) {
                    true => State {
                        curvature: Concave,
                        atoms: vec!["logdet is concave in an affine, positive definite matrix".to_owned()],
                    },
                    false => unknown("logdet of what is not known to be affine and positive definite"),
                };
            }
            _ => return unknown(function.name()),
        };
        self.composed(&Shape { curvature, growth, atom }, x)
    }

    /// log(x), and log(sigmoid(z)), log(1 − sigmoid(z)) and log(softmax(z)), which are concave in an affine z.
    fn log(&self, x: ExprId) -> State {
        let sigmoid_of_affine = |id: ExprId| {
            let body = behind_names(self.arena, id, self.leaves);
            matches!(self.arena.op(body), Op::Call(Function::Sigmoid, _, z) if self.is_affine(z[0]))
        };
        let body = behind_names(self.arena, x, self.leaves);
        let concave = |atom: &str| State { curvature: Curvature::Concave, atoms: vec![atom.to_owned()] };
        match self.arena.op(body) {
            _ if sigmoid_of_affine(body) => return concave("log(sigmoid(z)) is concave"),
            Op::Call(Function::Softmax, _, z) if self.is_affine(z[0]) => return concave("log(softmax(z)) is concave"),
            Op::Sum(terms) => {
                let is_one = |(c, a): (Number, ExprId)| {
                    c.is_one() && (self.arena.is_ones(a) || matches!(self.arena.op(a), Op::Number(v) if v.is_one()))
                };
                let is_minus_sigmoid = |(c, a): (Number, ExprId)| c == Number::MINUS_ONE && sigmoid_of_affine(a);
                if let [a, b] = **terms
                    && (is_one(a) && is_minus_sigmoid(b) || is_one(b) && is_minus_sigmoid(a))
                {
                    return concave("log(1 - sigmoid(z)) is concave");
                }
            }
            _ => {}
        }
        let shape = Shape { curvature: Curvature::Concave, growth: Growth::Up, atom: "log is concave and increasing" };
        self.composed(&shape, x)
    }

    fn extremum(&self, arguments: &[ExprId], curvature: Curvature, atom: &'static str) -> State {
        let parts: Vec<State> = arguments.iter().map(|&a| self.of(a)).collect();
        if parts.iter().all(|state| matches!(state.curvature, Curvature::Affine) || state.curvature == curvature) {
            let mut atoms = vec![atom.to_owned()];
            atoms.extend(parts.into_iter().flat_map(|state| state.atoms));
            return State { curvature, atoms };
        }
        unknown("the larger or smaller of two that bend otherwise")
    }

    fn kron(&self, arguments: &[ExprId]) -> State {
        match arguments.iter().copied().filter(|&a| self.moves(a)).collect::<Vec<_>>()[..] {
            [only] => {
                let rest = arguments.iter().find(|&&a| a != only).map_or(Sign::Unknown, |&a| self.signs.sign(a));
                let state = self.of(only);
                if state.curvature == Curvature::Affine { state } else { scaled(state, rest) }
            }
            _ => unknown("a product of parts that both move"),
        }
    }

    /// tr(A): linear in the diagonal; tr(X'·M·X·N) with M and N semidefinite, tr(M·inv(A)) with A positive definite.
    fn trace(&self, x: ExprId) -> State {
        let own = self.of(x);
        if own.curvature != Curvature::Unknown {
            return own;
        }
        let body = behind_names(self.arena, x, self.leaves);
        let (c, inner) = self.arena.coefficient(body);
        let (scalars, factors): (&[ExprId], &[ExprId]) = match self.arena.op(inner) {
            Op::Product { scalars, factors } => (scalars, factors),
            Op::Sum(terms) if terms.len() > 1 => {
                // The trace of each term by itself is left to the form.
                return own;
            }
            _ => (&[], std::slice::from_ref(&inner)),
        };
        if scalars.iter().any(|&s| self.moves(s)) {
            return own;
        }
        let sign = scalars.iter().fold(of_number(c), |sign, &s| sign.times(self.signs.sign(s)));
        let convex = |atom: &str| scaled(State { curvature: Curvature::Convex, atoms: vec![atom.to_owned()] }, sign);
        let still = |a: ExprId| !self.moves(a) && self.signs.known(a).semidefinite;
        let affine = |a: ExprId| self.moves(a) && self.is_affine(a);
        let inverse = |a: ExprId| match *self.arena.op(a) {
            Op::MatrixPower(of, k) if k == Number::MINUS_ONE => {
                affine(of) && self.arena.properties(of).has(Property::PositiveDefinite)
            }
            _ => false,
        };
        const SQUARE: &str = "tr(U'MU) with M semidefinite is convex in an affine U";
        const INVERSE: &str = "tr(M inv(A)) with M semidefinite is convex in an affine, positive definite A";
        // Factors go round in a trace.
        let n = factors.len();
        for turn in 0..n {
            let at = |i: usize| factors[(turn + i) % n];
            let found = match n {
                1 => inverse(at(0)).then_some(INVERSE),
                2 if affine(at(0)) && turned(self.arena, at(0), at(1)) => Some(SQUARE),
                2 => (inverse(at(0)) && still(at(1))).then_some(INVERSE),
                3 => (affine(at(0)) && turned(self.arena, at(0), at(2)) && still(at(1))).then_some(SQUARE),
                4 => (affine(at(0)) && turned(self.arena, at(0), at(2)) && still(at(1)) && still(at(3)))
                    .then_some(SQUARE),
                _ => None,
            };
            if let Some(atom) = found {
                return convex(atom);
            }
        }
        own
    }
}

/// The expression that a name stands for, unless it moves by itself.
fn behind_names(arena: &Arena, mut id: ExprId, leaves: &HashSet<ExprId>) -> ExprId {
    while let Op::Named(name) = arena.op(id)
        && !leaves.contains(&id)
    {
        id = arena.named(*name).body;
    }
    id
}

fn unknown(atom: &str) -> State {
    State { curvature: Curvature::Unknown, atoms: vec![atom.to_owned()] }
}

fn joined(mut a: State, b: State) -> State {
    let curvature = a.curvature.and(b.curvature);
    match (curvature, a.curvature, b.curvature) {
        (Curvature::Unknown, Curvature::Unknown, Curvature::Unknown) => a.atoms.extend(b.atoms),
        (Curvature::Unknown, Curvature::Unknown, _) => {}
        (Curvature::Unknown, _, Curvature::Unknown) => a.atoms = b.atoms,
        (Curvature::Unknown, ..) => a.atoms = vec!["a sum of convex and concave terms".to_owned()],
        _ => a.atoms.extend(b.atoms),
    }
    State { curvature, atoms: a.atoms }
}

/// Times a number or still factors of that sign.
fn scaled(state: State, sign: Sign) -> State {
    match (state.curvature, sign) {
        (Curvature::Affine | Curvature::Unknown, _) => state,
        (_, Sign::Above) => state,
        (curvature, Sign::Below) => State { curvature: curvature.negated(), atoms: state.atoms },
        (_, Sign::Zero) => State { curvature: Curvature::Affine, atoms: Vec::new() },
        (_, Sign::Unknown) => unknown("a factor of unknown sign"),
    }
}
