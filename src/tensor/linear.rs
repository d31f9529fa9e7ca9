//! A differential as a linear map on vec(dX): dY, linear in the differentials of leaves, comes in; for one leaf the sum of
//! chains of pieces by which vec(dY) depends on vec(d of that leaf) goes out. One rule for each linear operation; each node
//! is visited once, and a sum that grows gets a name.

use rustc_hash::{FxHashMap as HashMap, FxHashSet as HashSet};

use super::constants;
use super::piece::{Chain, Piece};
use crate::calculus::NotCovered;
use crate::dimension::{DimId, Shape};
use crate::elaborate::Property;
use crate::expr::substitute::local_nodes;
use crate::expr::{Arena, Axis, ExprId, NameKind, Op};
use crate::functions::Function;
use crate::number::Number;

/// A sum of more chains than this is one matrix with a name.
const MOST_CHAINS: usize = 16;

/// A linear map vec(dX) ↦ vec(dZ): the sum of its chains.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Linear {
    /// The terms.
    pub chains: Vec<Chain>,
}

impl Linear {
    /// The map of dX itself.
    fn of_leaf() -> Linear {
        Linear { chains: vec![Chain::identity()] }
    }

    /// The map on the entries of a structured leaf: first they are projected onto its structure.
    ///
    /// # Errors
    /// Sizes too large to be counted.
    pub fn projected(&self, arena: &mut Arena, leaf: ExprId) -> Result<Linear, NotCovered> {
        let mut chains = Vec::with_capacity(2 * self.chains.len());
        let Some(pieces) = projection(arena, leaf) else { return Ok(self.clone()) };
        for (number, piece) in pieces {
            for chain in &self.chains {
                let mut own = Chain { pieces: Vec::new(), ..chain.clone() };
                own.number = own.number.times(number);
                for &piece in piece.iter().chain(&chain.pieces) {
                    own.push(arena, piece)?;
                }
                chains.push(own);
            }
        }
        Ok(Linear { chains }.collected())
    }

    /// Whether nothing moves.
    pub fn is_zero(&self) -> bool {
        self.chains.is_empty()
    }

    /// The matrix of the map from vec of something of shape `from`; nothing where it is zero.
    ///
    /// # Errors
    /// Sizes too large to be counted.
    pub fn matrix(&self, arena: &mut Arena, from: Shape) -> Result<Option<ExprId>, NotCovered> {
        let mut terms = Vec::with_capacity(self.chains.len());
        for chain in &self.chains {
            terms.push((Number::ONE, chain.matrix(arena, from)?));
        }
        Ok(if terms.is_empty() { None } else { Some(arena.sum(&terms)) })
    }

    /// The matrix with what all chains begin and end with taken out of the sum; nothing where there is no such piece.
    ///
    /// # Errors
    /// Sizes too large to be counted.
    pub fn sandwiched(&self, arena: &mut Arena, from: Shape) -> Result<Option<ExprId>, NotCovered> {
        let Some((first, rest)) = self.chains.split_first() else { return Ok(None) };
        let shortest = self.chains.iter().map(|c| c.pieces.len()).min().unwrap_or(0);
        if rest.is_empty() || shortest < 2 {
            return Ok(None);
        }
        let begin = (0..shortest).take_while(|&k| rest.iter().all(|c| c.pieces[k] == first.pieces[k])).count();
        let back = |c: &Chain, k: usize| c.pieces[c.pieces.len() - 1 - k];
        let end = (0..shortest).take_while(|&k| rest.iter().all(|c| back(c, k) == back(first, k))).count();
        // The shortest chain keeps a piece of its own where it has one to spare.
        let (begin, end) = if begin + end > shortest.saturating_sub(1) {
            (begin.min(1), end.min(shortest.saturating_sub(begin.min(1))).min(1))
        } else {
            (begin, end)
        };
        if begin + end == 0 {
            return Ok(None);
        }
        let part = |pieces: &[Piece]| Chain { pieces: pieces.to_vec(), ..Chain::identity() };
        let n = first.pieces.len();
        let (inner, outer) = (part(&first.pieces[..begin]), part(&first.pieces[n - end..]));
        let mut between = from;
        for &piece in &inner.pieces {
            between = piece.gives(arena);
        }
        let mut terms = Vec::with_capacity(self.chains.len());
        for chain in &self.chains {
            let own = Chain { pieces: chain.pieces[begin..chain.pieces.len() - end].to_vec(), ..chain.clone() };
            terms.push((Number::ONE, own.matrix(arena, between)?));
        }
        let middle = arena.sum(&terms);
        let mut operands = Vec::with_capacity(3);
        if end > 0 {
            operands.push(outer.matrix(arena, from)?);
        }
        operands.push(middle);
        if begin > 0 {
            operands.push(inner.matrix(arena, from)?);
        }
        Ok(Some(arena.multiply(&operands)))
    }

    /// The map followed by a piece.
    fn then(&self, arena: &mut Arena, piece: Piece) -> Result<Linear, NotCovered> {
        let mut chains = Vec::with_capacity(self.chains.len());
        for chain in &self.chains {
            let mut chain = chain.clone();
            chain.push(arena, piece)?;
            chains.push(chain);
        }
        Ok(Linear { chains }.collected())
    }

    fn scaled(&self, arena: &mut Arena, number: Number, scalars: &[ExprId]) -> Linear {
        let mut out = self.clone();
        for chain in &mut out.chains {
            chain.number = chain.number.times(number);
            for &s in scalars {
                chain.scale(arena, s);
            }
        }
        out
    }

    /// Equal chains added.
    fn collected(mut self) -> Linear {
        let mut places: HashMap<(Vec<ExprId>, Vec<Piece>), usize> = HashMap::default();
        let mut chains: Vec<Chain> = Vec::with_capacity(self.chains.len());
        for mut chain in self.chains.drain(..) {
            chain.scalars.sort_unstable();
            let key = (chain.scalars.clone(), chain.pieces.clone());
            match places.get(&key) {
                Some(&place) => chains[place].number = chains[place].number.plus(chain.number),
                None => {
                    places.insert(key, chains.len());
                    chains.push(chain);
                }
            }
        }
        chains.retain(|chain| !chain.number.is_zero());
        Linear { chains }
    }
}

/// The projection of the entries of a structured leaf: numbers times pieces; nothing where there is no structure.
pub fn projection(arena: &mut Arena, leaf: ExprId) -> Option<Vec<(Number, Option<Piece>)>> {
    let (shape, known) = (arena.shape(leaf), arena.properties(leaf));
    if shape.is_scalar() || !matches!(arena.op(leaf), Op::Variable(_)) {
        return None;
    }
    if known.has(Property::Diagonal) {
        let identity = arena.identity(shape.rows);
        return Some(vec![(Number::ONE, Some(Piece::Diagonal(identity)))]);
    }
    let other = match (known.has(Property::Symmetric), known.has(Property::Skew)) {
        (true, _) => Number::HALF,
        (_, true) => Number::Ratio(-1, 2),
        _ => return None,
    };
    Some(vec![(Number::HALF, None), (other, Some(Piece::Swap(shape)))])
}

/// The maps of the differentials of named results, by their nodes, and of the leaf itself.
#[derive(Debug)]
pub struct Known {
    /// The map of each differential that was read.
    pub of: HashMap<ExprId, Linear>,
    /// The shape of the leaf.
    pub from: Shape,
}

impl Known {
    /// Only the leaf moves so far.
    pub fn new(arena: &Arena, leaf: ExprId) -> Known {
        Known { of: HashMap::from_iter([(leaf, Linear::of_leaf())]), from: arena.shape(leaf) }
    }
}

/// The map by which d depends on the leaf; differentials that are not known stand still.
///
/// # Errors
/// An operation on a differential without a rule.
pub fn linear(arena: &mut Arena, d: ExprId, known: &Known) -> Result<Linear, NotCovered> {
    let mut maps: HashMap<ExprId, Linear> = HashMap::default();
    for id in local_nodes(arena, d) {
        let map = match *arena.op(id) {
            Op::Differential(leaf) => known.of.get(&leaf).cloned().unwrap_or_default(),
            _ => {
                let mut moves = false;
                arena.operands(id, |a| moves |= maps.contains_key(&a));
                if !moves {
                    continue;
                }
                of_node(arena, id, &maps)?
            }
        };
        if map.is_zero() {
            continue;
        }
        let map = if map.chains.len() > MOST_CHAINS { named(arena, id, &map, known.from)? } else { map };
        maps.insert(id, map);
    }
    Ok(maps.remove(&d).unwrap_or_default())
}

/// The map as one matrix with a name.
fn named(arena: &mut Arena, id: ExprId, map: &Linear, from: Shape) -> Result<Linear, NotCovered> {
    let to = arena.shape(id);
    let Some(matrix) = map.matrix(arena, from)? else { return Ok(Linear::default()) };
    let text = arena.unused_name("J");
    let matrix = arena.name(text, matrix, NameKind::Adjoint);
    let mut chain = Chain::identity();
    chain.push(arena, Piece::Matrix { matrix, from, to })?;
    Ok(Linear { chains: vec![chain] })
}

fn of_node(arena: &mut Arena, id: ExprId, maps: &HashMap<ExprId, Linear>) -> Result<Linear, NotCovered> {
    let shape = arena.shape(id);
    let moves = |a: &ExprId| maps.contains_key(a);
    Ok(match arena.op(id).clone() {
        Op::Sum(terms) => {
            let mut chains = Vec::new();
            for &(c, a) in terms.iter().filter(|(_, a)| moves(a)) {
                chains.extend(maps[&a].scaled(arena, c, &[]).chains);
            }
            Linear { chains }.collected()
        }
        Op::Product { scalars, factors } => {
            if let Some(i) = scalars.iter().position(moves) {
                let rest: Vec<ExprId> = scalars.iter().enumerate().filter(|&(j, _)| j != i).map(|(_, &s)| s).collect();
                let map = maps[&scalars[i]].scaled(arena, Number::ONE, &rest);
                if factors.is_empty() {
                    return Ok(map);
                }
                let chain = arena.multiply(&factors);
                return map.then(arena, Piece::Column(chain));
            }
            let Some(i) = factors.iter().position(moves) else { return Ok(Linear::default()) };
            let inner = arena.shape(factors[i]);
            let left = if i == 0 { arena.identity(inner.rows) } else { arena.multiply(&factors[..i]) };
            let right = match &factors[i + 1..] {
                [] => arena.identity(inner.columns),
                rest => {
                    let product = arena.multiply(rest);
                    arena.transpose(product)
                }
            };
            let map = maps[&factors[i]].scaled(arena, Number::ONE, &scalars);
            map.then(arena, Piece::Kron { right, left })?
        }
        Op::Hadamard(list) => {
            let Some(i) = list.iter().position(moves) else { return Ok(Linear::default()) };
            let rest: Vec<ExprId> = list.iter().enumerate().filter(|&(j, _)| j != i).map(|(_, &f)| f).collect();
            let rest = arena.hadamard(&rest);
            maps[&list[i]].then(arena, Piece::Diagonal(rest))?
        }
        Op::Transpose(a) => {
            let inner = arena.shape(a);
            maps[&a].then(arena, Piece::Swap(inner))?
        }
        Op::Reshape(a) => {
            let from = arena.shape(a);
            let vectors = [from, shape].iter().all(|s| s.is_column() || s.is_row());
            if vectors { maps[&a].clone() } else { maps[&a].then(arena, Piece::Reshape { from, to: shape })? }
        }
        Op::Horizontal(parts) => {
            let columns: Vec<DimId> = parts.iter().map(|&p| arena.shape(p).columns).collect();
            of_blocks(arena, &parts, maps, |arena, i| {
                let (right, left) = (constants::block(arena, &columns, i), arena.identity(shape.rows));
                Piece::Kron { right, left }
            })?
        }
        Op::Vertical(parts) => {
            let rows: Vec<DimId> = parts.iter().map(|&p| arena.shape(p).rows).collect();
            of_blocks(arena, &parts, maps, |arena, i| {
                let (right, left) = (arena.identity(shape.columns), constants::block(arena, &rows, i));
                Piece::Kron { right, left }
            })?
        }
        Op::ExpmFrechet(a, e) => {
            let matrix = frechet(arena, a, shape.rows, |arena, block| arena.call(Function::Expm, Axis::All, &[block]))?;
            maps[&e].then(arena, Piece::Matrix { matrix, from: shape, to: shape })?
        }
        Op::PowerFrechet(a, e, k) => {
            let matrix = frechet(arena, a, shape.rows, |arena, block| arena.matrix_power(block, Number::integer(k)))?;
            maps[&e].then(arena, Piece::Matrix { matrix, from: shape, to: shape })?
        }
        Op::Call(function, _, arguments) => of_call(arena, id, function, &arguments, maps)?,
        _ => return Err(no_rule("an operation")),
    })
}

fn of_call(
    arena: &mut Arena,
    id: ExprId,
    function: Function,
    arguments: &[ExprId],
    maps: &HashMap<ExprId, Linear>,
) -> Result<Linear, NotCovered> {
    let shape = arena.shape(id);
    let a = arguments[0];
    let inner = arena.shape(a);
    let piece = match function {
        Function::Trace => Piece::Row(arena.identity(inner.rows)),
        Function::Diag if inner.is_column() => Piece::Embed(inner.rows),
        Function::Diag => Piece::Extract(inner.rows),
        Function::Tril | Function::Triu => {
            let ones = arena.ones(inner);
            Piece::Diagonal(arena.call(function, Axis::All, &[ones]))
        }
        Function::Vech => Piece::Half { side: inner.rows, length: shape.rows, back: false },
        Function::Unvech => Piece::Half { side: shape.rows, length: inner.rows, back: true },
        Function::Kron => {
            // A⊗dN = (A⊗1) .* (1⊗dN), and 1⊗dN = (1⊗I)·dN·(1⊗I)ᵀ; dA⊗N likewise with I⊗1.
            let (left, right) = (arguments[0], arguments[1]);
            let (outer, small) = (arena.shape(left), arena.shape(right));
            let moves_right = maps.contains_key(&right);
            let (rows, columns, weights) = if moves_right {
                let ones = arena.ones(small);
                let rows = constants::row_of(arena, Shape::new(small.rows, outer.rows));
                let columns = constants::row_of(arena, Shape::new(small.columns, outer.columns));
                (rows, columns, constants::kron(arena, left, ones))
            } else {
                let ones = arena.ones(outer);
                let rows = constants::column_of(arena, Shape::new(small.rows, outer.rows));
                let columns = constants::column_of(arena, Shape::new(small.columns, outer.columns));
                (rows, columns, constants::kron(arena, ones, right))
            };
            let moving = if moves_right { right } else { left };
            let spread = maps[&moving].then(arena, Piece::Kron { right: columns, left: rows })?;
            return spread.then(arena, Piece::Diagonal(weights));
        }
        _ => return Err(no_rule(&format!("`{}`", function.name()))),
    };
    maps[&a].then(arena, piece)
}

fn no_rule(what: &str) -> NotCovered {
    NotCovered { message: format!("{what} of a differential has no Kronecker form yet") }
}

/// Σ over the blocks that move.
fn of_blocks(
    arena: &mut Arena,
    parts: &[ExprId],
    maps: &HashMap<ExprId, Linear>,
    piece: impl Fn(&mut Arena, usize) -> Piece,
) -> Result<Linear, NotCovered> {
    let mut chains = Vec::new();
    for (i, part) in parts.iter().enumerate().filter(|(_, part)| maps.contains_key(part)) {
        let piece = piece(arena, i);
        chains.extend(maps[part].then(arena, piece)?.chains);
    }
    Ok(Linear { chains }.collected())
}

/// The matrix by which E ↦ upper right block of f([A, E; 0, A]) acts on vec(E), for f a power series: f takes products of
/// powers Aⁱ·E·Aʲ to (Aᵀ)ʲ⊗Aⁱ, so it is the upper right block of f([I⊗A, I; 0, Aᵀ⊗I]) (Higham, Functions of Matrices,
/// thm 10.13 has the same integral).
fn frechet(
    arena: &mut Arena,
    a: ExprId,
    n: DimId,
    f: impl Fn(&mut Arena, ExprId) -> ExprId,
) -> Result<ExprId, NotCovered> {
    let all = constants::times(arena, n, n)?;
    let (identity, whole) = (arena.identity(n), arena.identity(all));
    let turned = arena.transpose(a);
    let (above, below) = (constants::kron(arena, identity, a), constants::kron(arena, turned, identity));
    let zeros = arena.zeros(Shape::new(all, all));
    let (top, bottom) = (arena.horizontal(&[above, whole]), arena.horizontal(&[zeros, below]));
    let block = arena.vertical(&[top, bottom]);
    let value = f(arena, block);
    let (first, last) = (arena.horizontal(&[whole, zeros]), arena.vertical(&[zeros, whole]));
    Ok(arena.multiply(&[first, value, last]))
}

/// The leaves whose differentials stand in an expression.
pub fn differentials_in(arena: &Arena, d: ExprId) -> HashSet<ExprId> {
    let leaves = local_nodes(arena, d).into_iter().filter_map(|id| match *arena.op(id) {
        Op::Differential(leaf) => Some(leaf),
        _ => None,
    });
    leaves.collect()
}
