//! Index notation: a linear map on vec comes in, its entries go out as a sum of terms, each a scalar times factors with
//! indices, summed over the indices that are no axis of the result. An identity is never a factor: it makes two indices
//! one, and where both are axes that is told as a delta. What can be contracted to one matrix is.

use super::constants;
use super::linear::Linear;
use super::piece::{Chain, Piece, product};
use crate::dimension::{DimId, Shape};
use crate::expr::{Arena, ExprId, Op};
use crate::functions::Function;
use crate::number::Number;

/// An index: first the axes of the result in order, then those that are summed over.
pub type Index = usize;

/// A factor: a matrix, column or row, with an index for each of its axes that is longer than 1.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Factor {
    /// The matrix.
    pub expr: ExprId,
    /// One or two indices, rows first.
    pub at: Vec<Index>,
}

/// coefficient · Σ Π factors · Π deltas.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Term {
    /// A scalar.
    pub coefficient: ExprId,
    /// The factors.
    pub factors: Vec<Factor>,
    /// Pairs of axes that are equal; the factors name the first of them.
    pub deltas: Vec<(Index, Index)>,
    /// The sizes of the indices that are summed over, which begin behind the axes.
    pub summed: Vec<DimId>,
}

/// The entries of a derivative.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Entries {
    /// The sizes of the axes: first those of what is differentiated, then those of what it is differentiated by, without
    /// axes of length 1.
    pub axes: Vec<DimId>,
    /// How many of the axes are those of what is differentiated.
    pub rows: usize,
    /// The terms.
    pub terms: Vec<Term>,
}

/// The axes of a shape that are longer than 1.
pub fn axes_of(shape: Shape) -> Vec<DimId> {
    [shape.rows, shape.columns].into_iter().filter(|&d| d != DimId::ONE).collect()
}

/// The entries of the map from vec of something of shape `from` to vec of something of shape `to`.
pub fn entries(arena: &mut Arena, map: &Linear, from: Shape, to: Shape) -> Entries {
    let rows = axes_of(to);
    let mut axes = rows.clone();
    axes.extend(axes_of(from));
    let mut out = Entries { axes, rows: rows.len(), terms: Vec::new() };
    let mut terms = Vec::with_capacity(map.chains.len());
    for chain in &map.chains {
        let mut graph = Graph::new(arena, &out.axes);
        graph.read(arena, chain, out.rows);
        graph.reduce(arena);
        if let Some(term) = graph.term(arena) {
            terms.push(term);
        }
    }
    out.terms = collected(arena, terms);
    out
}

/// A term on the way: indices in classes of equal ones.
struct Graph {
    /// For each index another equal one, or itself.
    parent: Vec<Index>,
    sizes: Vec<DimId>,
    /// How many of the indices are axes of the result.
    axes: usize,
    factors: Vec<Factor>,
    scalars: Vec<ExprId>,
}

impl Graph {
    fn new(arena: &mut Arena, axes: &[DimId]) -> Graph {
        let one = arena.integer(1);
        Graph {
            parent: (0..axes.len()).collect(),
            sizes: axes.to_vec(),
            axes: axes.len(),
            factors: Vec::new(),
            scalars: vec![one],
        }
    }

    fn fresh(&mut self, size: DimId) -> Index {
        self.parent.push(self.parent.len());
        self.sizes.push(size);
        self.parent.len() - 1
    }

    fn class(&self, mut i: Index) -> Index {
        while self.parent[i] != i {
            i = self.parent[i];
        }
        i
    }

    /// Makes two indices one; an axis of the result stands for both.
    fn unite(&mut self, i: Index, j: Index) {
        let (i, j) = (self.class(i), self.class(j));
        self.parent[i.max(j)] = i.min(j);
    }

    /// Lets the pieces act, from the axes of what is differentiated by to those of what is differentiated.
    fn read(&mut self, arena: &mut Arena, chain: &Chain, rows: usize) {
        let number = arena.number(chain.number);
        self.scalars.push(number);
        self.scalars.extend(&chain.scalars);
        let mut state: Vec<Index> = (rows..self.axes).collect();
        for &piece in &chain.pieces {
            state = self.act(arena, piece, &state);
        }
        for (i, &own) in state.iter().enumerate() {
            self.unite(i, own);
        }
    }

    fn fresh_of(&mut self, shape: Shape) -> Vec<Index> {
        axes_of(shape).into_iter().map(|size| self.fresh(size)).collect()
    }

    /// The indices of what the piece gives, for those of what it takes.
    fn act(&mut self, arena: &mut Arena, piece: Piece, state: &[Index]) -> Vec<Index> {
        match piece {
            Piece::Kron { right, left } => {
                let mut rest = state.iter().copied();
                let mut out = Vec::with_capacity(2);
                for matrix in [left, right] {
                    let shape = arena.shape(matrix);
                    let mut at = Vec::with_capacity(2);
                    if shape.rows != DimId::ONE {
                        let own = self.fresh(shape.rows);
                        at.push(own);
                        out.push(own);
                    }
                    if shape.columns != DimId::ONE {
                        at.extend(rest.next());
                    }
                    self.add(arena, matrix, &at);
                }
                out
            }
            Piece::Diagonal(h) => {
                self.add(arena, h, state);
                state.to_vec()
            }
            Piece::Swap(_) => state.iter().rev().copied().collect(),
            Piece::Row(g) => {
                self.add(arena, g, state);
                Vec::new()
            }
            Piece::Column(c) => {
                let out = self.fresh_of(arena.shape(c));
                self.add(arena, c, &out);
                out
            }
            Piece::Embed(_) => vec![state[0], state[0]],
            Piece::Extract(_) => {
                self.unite(state[0], state[1]);
                vec![state[0]]
            }
            Piece::Half { side, length, back } => {
                let (rows, columns) = constants::places_of_half(arena, side, length);
                let (stacked, out) = if back {
                    (state[0], vec![self.fresh(side), self.fresh(side)])
                } else {
                    let stacked = self.fresh(length);
                    (stacked, vec![stacked])
                };
                let square = if back { out.clone() } else { state.to_vec() };
                self.add(arena, rows, &[stacked, square[0]]);
                self.add(arena, columns, &[stacked, square[1]]);
                out
            }
            Piece::Reshape { from, to } => {
                let stacked = self.stacked(arena, from, state);
                self.unstacked(arena, to, stacked)
            }
            Piece::Matrix { matrix, from, to } => {
                let column = self.stacked(arena, from, state);
                let row = self.fresh(arena.shape(matrix).rows);
                self.add(arena, matrix, &[row, column]);
                self.unstacked(arena, to, row)
            }
        }
    }

    /// The index of vec(N) for those of N.
    fn stacked(&mut self, arena: &mut Arena, shape: Shape, at: &[Index]) -> Index {
        match at {
            [only] => *only,
            [i, j] => {
                let rows = constants::row_of(arena, shape);
                let columns = constants::column_of(arena, shape);
                let stacked = self.fresh(arena.shape(rows).rows);
                self.add_factor(rows, &[stacked, *i]);
                self.add_factor(columns, &[stacked, *j]);
                stacked
            }
            _ => unreachable!("a matrix has one or two axes here"),
        }
    }

    /// The indices of N for that of vec(N).
    fn unstacked(&mut self, arena: &mut Arena, shape: Shape, stacked: Index) -> Vec<Index> {
        let out = self.fresh_of(shape);
        match out.as_slice() {
            [only] => self.unite(*only, stacked),
            [i, j] => {
                let rows = constants::row_of(arena, shape);
                let columns = constants::column_of(arena, shape);
                self.add_factor(rows, &[stacked, *i]);
                self.add_factor(columns, &[stacked, *j]);
            }
            _ => {}
        }
        out
    }

    fn add_factor(&mut self, expr: ExprId, at: &[Index]) {
        self.factors.push(Factor { expr, at: at.to_vec() });
    }

    /// One more factor, taken apart as far as that is simpler: scalars, ones, identities, diagonals, rank one.
    fn add(&mut self, arena: &mut Arena, expr: ExprId, at: &[Index]) {
        let mut waiting: Vec<(ExprId, Vec<Index>)> = vec![(expr, at.to_vec())];
        while let Some((expr, at)) = waiting.pop() {
            let shape = arena.shape(expr);
            if shape.is_scalar() {
                self.scalars.push(expr);
                continue;
            }
            let (c, inner) = arena.coefficient(expr);
            if !c.is_one() {
                let c = arena.number(c);
                self.scalars.push(c);
                waiting.push((inner, at));
                continue;
            }
            match arena.op(expr).clone() {
                Op::Ones => {}
                Op::Zeros => {
                    let zero = arena.integer(0);
                    self.scalars.push(zero);
                }
                Op::Identity => self.unite(at[0], at[1]),
                Op::Transpose(inner) => waiting.push((inner, at.into_iter().rev().collect())),
                Op::Call(Function::Diag, _, arguments) if at.len() == 2 => {
                    self.unite(at[0], at[1]);
                    waiting.push((arguments[0], vec![at[0]]));
                }
                Op::Product { scalars, factors } if !scalars.is_empty() => {
                    self.scalars.extend(scalars.iter());
                    let product = arena.multiply(&factors);
                    waiting.push((product, at));
                }
                Op::Product { .. } if at.len() == 1 => {
                    // diag(u)·v = u .* v
                    let shorter = product(arena, &[expr]);
                    if shorter == expr {
                        self.add_factor(expr, &at);
                    } else {
                        waiting.push((shorter, at));
                    }
                }
                Op::Product { factors, .. } if at.len() == 2 => {
                    let is_diagonal = |arena: &Arena, f: ExprId| matches!(arena.op(f), Op::Call(Function::Diag, ..));
                    // u·vᵀ, and A·diag(d)·B.
                    let cut = (1..factors.len()).find(|&i| {
                        arena.shape(factors[i]).rows == DimId::ONE
                            || is_diagonal(arena, factors[i])
                            || is_diagonal(arena, factors[i - 1])
                    });
                    match cut {
                        Some(i) => {
                            let (left, right) = (arena.multiply(&factors[..i]), arena.multiply(&factors[i..]));
                            let inner = arena.shape(right).rows;
                            let (mut first, mut last) = (vec![at[0]], vec![at[1]]);
                            if inner != DimId::ONE {
                                let between = self.fresh(inner);
                                first.push(between);
                                last.insert(0, between);
                            }
                            waiting.push((right, last));
                            waiting.push((left, first));
                        }
                        None => self.add_factor(expr, &at),
                    }
                }
                Op::Hadamard(list) if at.len() == 2 => {
                    let mut rest = Vec::with_capacity(list.len());
                    for &f in &list {
                        match arena.broadcast_vector(f) {
                            Some((vector, column)) => {
                                waiting.push((vector, vec![if column { at[0] } else { at[1] }]));
                            }
                            None => rest.push(f),
                        }
                    }
                    if rest.len() == list.len() {
                        self.add_factor(expr, &at);
                    } else if !rest.is_empty() {
                        let rest = arena.hadamard(&rest);
                        waiting.push((rest, at));
                    }
                }
                _ => self.add_factor(expr, &at),
            }
        }
    }

    /// The factors that name a class.
    fn uses(&self, class: Index) -> Vec<usize> {
        let names = |f: &Factor| f.at.iter().any(|&i| self.class(i) == class);
        (0..self.factors.len()).filter(|&k| names(&self.factors[k])).collect()
    }

    /// Contracts until nothing can be contracted.
    fn reduce(&mut self, arena: &mut Arena) {
        loop {
            for i in 0..self.factors.len() {
                for k in 0..self.factors[i].at.len() {
                    self.factors[i].at[k] = self.class(self.factors[i].at[k]);
                }
            }
            if self.stacked_and_back(arena) || self.loops(arena) || self.parallel(arena) || self.summed(arena) {
                continue;
            }
            break;
        }
    }

    /// Two equal factors that tell the row, or the column, of one stacked index tell it once.
    fn stacked_and_back(&mut self, arena: &mut Arena) -> bool {
        for a in 0..self.factors.len() {
            if !is_place(arena, self.factors[a].expr) {
                continue;
            }
            for b in 0..self.factors.len() {
                let same = a != b
                    && self.factors[a].expr == self.factors[b].expr
                    && self.factors[a].at[0] == self.factors[b].at[0];
                if same {
                    let (i, j) = (self.factors[a].at[1], self.factors[b].at[1]);
                    self.unite(i, j);
                    self.factors.remove(b);
                    return true;
                }
            }
        }
        // Σ over a stacked index that stands in the two of a pair alone: 1 for every row and column.
        for class in self.axes..self.parent.len() {
            if self.class(class) != class {
                continue;
            }
            let [a, b] = self.uses(class)[..] else { continue };
            let (x, y) = (self.factors[a].expr, self.factors[b].expr);
            let pair = is_place(arena, x) && is_place(arena, y) && self.factors[a].at[0] == self.factors[b].at[0];
            let sizes = [x, y].map(|f| arena.shape(f));
            let whole = arena.dimensions.product(sizes[0].columns, sizes[1].columns) == Some(sizes[0].rows);
            if pair && x != y && whole {
                self.factors.remove(a.max(b));
                self.factors.remove(a.min(b));
                return true;
            }
        }
        false
    }

    /// A[i, i]: the diagonal of A, or its trace.
    fn loops(&mut self, arena: &mut Arena) -> bool {
        let Some(k) = self.factors.iter().position(|f| f.at.len() == 2 && f.at[0] == f.at[1]) else { return false };
        let Factor { expr, at } = self.factors.remove(k);
        if at[0] >= self.axes && self.uses(at[0]).is_empty() {
            let trace = arena.trace(expr);
            self.scalars.push(trace);
            self.sum_away(at[0]);
        } else {
            let diagonal = arena.diagonal(expr);
            self.add(arena, diagonal, &[at[0]]);
        }
        true
    }

    /// Marks an index that is summed already: it is that of nothing any more.
    fn sum_away(&mut self, class: Index) {
        self.sizes[class] = DimId::ONE;
    }

    /// Factors with the same indices: their Hadamard product.
    fn parallel(&mut self, arena: &mut Arena) -> bool {
        for a in 0..self.factors.len() {
            for b in a + 1..self.factors.len() {
                let (x, y) = (&self.factors[a], &self.factors[b]);
                if is_place(arena, x.expr) || is_place(arena, y.expr) || x.at.len() != y.at.len() {
                    continue;
                }
                let turned: Vec<Index> = y.at.iter().rev().copied().collect();
                if x.at != y.at && x.at != turned {
                    continue;
                }
                let at = x.at.clone();
                let (first, mut second) = (x.expr, y.expr);
                let shape = arena.shape(first);
                if arena.shape(second) != shape || at.len() == 2 && y.at != at {
                    second = arena.transpose(second);
                }
                let product = arena.hadamard(&[first, second]);
                self.factors.remove(b);
                self.factors.remove(a);
                self.add(arena, product, &at);
                return true;
            }
        }
        false
    }

    /// An index that is summed over and stands in at most two factors.
    fn summed(&mut self, arena: &mut Arena) -> bool {
        for class in self.axes..self.parent.len() {
            if self.class(class) != class || self.sizes[class] == DimId::ONE {
                continue;
            }
            let uses = self.uses(class);
            if uses.iter().any(|&k| is_place(arena, self.factors[k].expr)) {
                continue;
            }
            match uses[..] {
                [] => {
                    let n = arena.dimension(self.sizes[class]);
                    self.scalars.push(n);
                }
                [k] => {
                    let ones = arena.ones_column(self.sizes[class]);
                    let (rest, at) = self.take_with_last(arena, k, class);
                    let sums = arena.multiply(&[rest, ones]);
                    self.add(arena, sums, &at);
                }
                [a, b] => {
                    let (last, column) = (a.max(b), a.min(b));
                    let (right, mut behind) = self.take_with_last(arena, last, class);
                    let (left, mut at) = self.take_with_last(arena, column, class);
                    let right = arena.transpose(right);
                    let product = arena.multiply(&[left, right]);
                    at.append(&mut behind);
                    self.add(arena, product, &at);
                }
                _ => continue,
            }
            self.sum_away(class);
            return true;
        }
        false
    }

    /// Takes a factor out, turned so that the class is its column index; with its other indices.
    fn take_with_last(&mut self, arena: &mut Arena, k: usize, class: Index) -> (ExprId, Vec<Index>) {
        let Factor { expr, at } = self.factors.remove(k);
        let lies = match at.len() {
            2 => at[1] == class,
            _ => arena.shape(expr).is_row(),
        };
        let expr = if lies { expr } else { arena.transpose(expr) };
        (expr, at.into_iter().filter(|&i| i != class).collect())
    }

    /// The term, with its summed indices numbered by where they first stand; nothing where it is zero.
    fn term(mut self, arena: &mut Arena) -> Option<Term> {
        let coefficient = arena.multiply(&self.scalars);
        if arena.is_zero(coefficient) {
            return None;
        }
        for factor in &mut self.factors {
            // A symmetric matrix and a product that is as long transposed are named in one way.
            if factor.at.len() == 1 {
                let turned = arena.transpose(factor.expr);
                if better(arena, turned, factor.expr) {
                    factor.expr = turned;
                }
            }
            if let [i, j] = factor.at[..] {
                let turned = arena.transpose(factor.expr);
                if turned == factor.expr && i > j || better(arena, turned, factor.expr) {
                    factor.expr = turned;
                    factor.at.reverse();
                }
            }
        }
        let mut deltas = Vec::new();
        for i in 0..self.axes {
            let class = self.class(i);
            if class != i {
                deltas.push((class, i));
            }
        }
        let mut summed: Vec<Index> = Vec::new();
        for factor in &self.factors {
            for &i in factor.at.iter().filter(|&&i| i >= self.axes) {
                if !summed.contains(&i) {
                    summed.push(i);
                }
            }
        }
        let (factors, order) = in_one_order(&self.factors, self.axes, &summed);
        let sizes = order.iter().map(|&i| self.sizes[i]).collect();
        Some(Term { coefficient, factors, deltas, summed: sizes })
    }
}

/// Whether a matrix tells the row or the column of a stacked index.
fn is_place(arena: &Arena, expr: ExprId) -> bool {
    let Op::Call(Function::Kron, _, arguments) = arena.op(expr) else { return false };
    let (a, b) = (arena.op(arguments[0]), arena.op(arguments[1]));
    matches!((a, b), (Op::Ones, Op::Identity) | (Op::Identity, Op::Ones))
}

/// Whether a matrix is named by this one rather than by the other, which is its transpose.
fn better(arena: &Arena, this: ExprId, other: ExprId) -> bool {
    let size = |id| crate::expr::substitute::tree_size(arena, id, 200);
    let (a, b) = (size(this), size(other));
    a < b || a == b && this < other
}

/// The most summed indices for which every order is tried.
const MOST_ORDERED: usize = 4;

/// The factors sorted, with the summed indices numbered so that the list is the first of all such; and those indices in
/// that order.
fn in_one_order(factors: &[Factor], axes: usize, summed: &[Index]) -> (Vec<Factor>, Vec<Index>) {
    let numbered = |order: &[Index]| {
        let mut list: Vec<Factor> = factors
            .iter()
            .map(|f| {
                let at = f.at.iter().map(|&i| match order.iter().position(|&s| s == i) {
                    Some(place) => axes + place,
                    None => i,
                });
                Factor { expr: f.expr, at: at.collect() }
            })
            .collect();
        list.sort_by(|a, b| (a.at.iter().min(), &a.at, a.expr).cmp(&(b.at.iter().min(), &b.at, b.expr)));
        list
    };
    let mut best = (numbered(summed), summed.to_vec());
    if summed.len() > 1 && summed.len() <= MOST_ORDERED {
        for order in orders(summed) {
            let list = numbered(&order);
            if list < best.0 {
                best = (list, order);
            }
        }
    }
    best
}

/// All orders of a short list.
fn orders(list: &[Index]) -> Vec<Vec<Index>> {
    let mut out: Vec<Vec<Index>> = vec![Vec::new()];
    for &item in list {
        let mut next = Vec::new();
        for order in &out {
            for place in 0..=order.len() {
                let mut longer = order.clone();
                longer.insert(place, item);
                next.push(longer);
            }
        }
        out = next;
    }
    out
}

/// Equal terms added; terms that differ in one factor with the same indices joined in the sum of those factors.
fn collected(arena: &mut Arena, terms: Vec<Term>) -> Vec<Term> {
    let mut out: Vec<Term> = Vec::with_capacity(terms.len());
    for term in terms {
        let same = |t: &&mut Term| t.factors == term.factors && t.deltas == term.deltas && t.summed == term.summed;
        match out.iter_mut().find(same) {
            Some(t) => t.coefficient = arena.add(t.coefficient, term.coefficient),
            None => out.push(term),
        }
    }
    out.retain(|t| !arena.is_zero(t.coefficient));
    while let Some((a, b, joined)) = pair_to_join(arena, &out) {
        out.remove(b);
        out[a] = joined;
    }
    out
}

/// Two terms that are one with a sum in it.
fn pair_to_join(arena: &mut Arena, terms: &[Term]) -> Option<(usize, usize, Term)> {
    for a in 0..terms.len() {
        for b in a + 1..terms.len() {
            let (x, y) = (&terms[a], &terms[b]);
            let fits = x.deltas == y.deltas && x.summed == y.summed && x.factors.len() == y.factors.len();
            if !fits || x.factors.is_empty() {
                continue;
            }
            let only_here: Vec<&Factor> = x.factors.iter().filter(|f| !y.factors.contains(f)).collect();
            let only_there: Vec<&Factor> = y.factors.iter().filter(|f| !x.factors.contains(f)).collect();
            let ([f], [g]) = (&only_here[..], &only_there[..]) else { continue };
            let turned: Vec<Index> = g.at.iter().rev().copied().collect();
            if f.at != g.at && f.at != turned {
                continue;
            }
            let (split_x, split_y) = (number_of(arena, x.coefficient), number_of(arena, y.coefficient));
            if split_x.1 != split_y.1 {
                continue;
            }
            let mut other = g.expr;
            if arena.shape(other) != arena.shape(f.expr) || f.at.len() == 2 && f.at != g.at {
                other = arena.transpose(other);
            }
            let sum = arena.sum(&[(split_x.0, f.expr), (split_y.0, other)]);
            let (c, sum) = arena.coefficient(sum);
            let coefficient = arena.scale(c, split_x.1);
            let mut joined = x.clone();
            joined.coefficient = coefficient;
            let place = x.factors.iter().position(|h| h == *f)?;
            joined.factors[place].expr = sum;
            return Some((a, b, joined));
        }
    }
    None
}

/// A scalar as a number times what is left.
fn number_of(arena: &mut Arena, scalar: ExprId) -> (Number, ExprId) {
    match arena.op(scalar) {
        Op::Number(k) => (*k, arena.integer(1)),
        _ => arena.coefficient(scalar),
    }
}
