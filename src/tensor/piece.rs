//! Pieces of a linear map on vec: what a matrix product, a Hadamard product, a transpose … does to vec(N). Chains of pieces
//! are kept short: neighbours are joined where the result is one piece. No differential is looked at here.

use super::constants;
use crate::calculus::NotCovered;
use crate::dimension::{DimId, Shape};
use crate::expr::{Arena, Axis, ExprId, Op};
use crate::functions::Function;
use crate::number::Number;

/// A linear map on vec(N).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Piece {
    /// A·N·Bᵀ: the matrix B⊗A. Where N is a vector either factor may take its entries, so N may lie or stand.
    Kron {
        /// B
        right: ExprId,
        /// A
        left: ExprId,
    },
    /// H .* N: the matrix diag(vec(H)).
    Diagonal(ExprId),
    /// Nᵀ of an N of that shape: the commutation matrix.
    Swap(Shape),
    /// ⟨G, N⟩, a scalar: the row vec(G)ᵀ.
    Row(ExprId),
    /// s·C of a scalar s: the column vec(C).
    Column(ExprId),
    /// diag(v) of a vector of that many entries.
    Embed(DimId),
    /// The diagonal of a square matrix of that many rows.
    Extract(DimId),
    /// vech(N) of a square N of `side` rows, or, `back`, unvech(N).
    Half {
        /// Rows of the square matrix.
        side: DimId,
        /// Entries of the vector.
        length: DimId,
        /// Whether N is the vector.
        back: bool,
    },
    /// Any matrix that acts on vec.
    Matrix {
        /// The matrix.
        matrix: ExprId,
        /// The shape of N.
        from: Shape,
        /// The shape of the result.
        to: Shape,
    },
    /// The same entries column by column in another shape.
    Reshape {
        /// The shape of N.
        from: Shape,
        /// The shape of the result.
        to: Shape,
    },
}

impl Piece {
    /// The shape of what it gives; of a vector that lies or stands, one of the two.
    pub fn gives(self, arena: &Arena) -> Shape {
        shapes(arena, self).0
    }
}

/// number · scalars · (the last piece · … · the first piece): a linear map, the first piece acting first.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Chain {
    /// A number.
    pub number: Number,
    /// Symbolic scalars.
    pub scalars: Vec<ExprId>,
    /// The pieces in the order in which they act.
    pub pieces: Vec<Piece>,
}

impl Chain {
    /// The map that changes nothing.
    pub fn identity() -> Chain {
        Chain { number: Number::ONE, scalars: Vec::new(), pieces: Vec::new() }
    }

    /// The map that is zero.
    fn vanish(&mut self) {
        self.number = Number::ZERO;
        self.pieces.clear();
    }

    /// Takes number and scalars out of a matrix.
    fn content(&mut self, arena: &mut Arena, a: ExprId) -> ExprId {
        let (c, inner) = arena.coefficient(a);
        self.number = self.number.times(c);
        let (s, inner) = arena.split_scalars(inner);
        self.scale(arena, s);
        inner
    }

    /// Multiplies by a scalar.
    pub fn scale(&mut self, arena: &mut Arena, s: ExprId) {
        let (c, s) = arena.coefficient(s);
        self.number = self.number.times(c);
        match arena.op(s).clone() {
            Op::Number(k) => self.number = self.number.times(k),
            Op::Product { scalars, factors } if factors.is_empty() => self.scalars.extend(scalars.iter()),
            _ => self.scalars.push(s),
        }
    }

    /// Lets one more piece act.
    pub fn push(&mut self, arena: &mut Arena, piece: Piece) -> Result<(), NotCovered> {
        // Joining may leave pieces to be put back one by one.
        let mut waiting = vec![piece];
        while let Some(piece) = waiting.pop() {
            if self.number.is_zero() {
                return Ok(());
            }
            let Some(piece) = self.plain(arena, piece) else { continue };
            match self.pieces.last().copied() {
                None => self.pieces.push(piece),
                Some(last) => match joined(arena, piece, last)? {
                    Join::Apart => self.pieces.push(piece),
                    Join::Pieces(pieces) => {
                        self.pieces.pop();
                        waiting.extend(pieces.into_iter().rev());
                    }
                    Join::Scalar(s) => {
                        self.pieces.pop();
                        self.scale(arena, s);
                    }
                },
            }
        }
        Ok(())
    }

    /// The piece with numbers and scalars taken out, in its simplest kind; `None` where it changes nothing more.
    fn plain(&mut self, arena: &mut Arena, piece: Piece) -> Option<Piece> {
        let matrices: &[ExprId] = match &piece {
            Piece::Kron { right, left } => &[*right, *left],
            Piece::Diagonal(a) | Piece::Row(a) | Piece::Column(a) | Piece::Matrix { matrix: a, .. } => &[*a],
            _ => &[],
        };
        if matrices.iter().any(|&a| arena.is_zero(a)) {
            self.vanish();
            return None;
        }
        match piece {
            Piece::Kron { right, left } => {
                let (right, left) = (self.content(arena, right), self.content(arena, left));
                let (b, a) = (arena.shape(right), arena.shape(left));
                let from_scalar = a.columns == DimId::ONE && b.columns == DimId::ONE;
                let to_scalar = a.rows == DimId::ONE && b.rows == DimId::ONE;
                let still = |arena: &Arena, x: ExprId| match arena.op(x) {
                    Op::Identity => true,
                    Op::Number(k) => k.is_one(),
                    _ => false,
                };
                if still(arena, right) && still(arena, left) {
                    return None;
                }
                if from_scalar && to_scalar {
                    self.scale(arena, left);
                    self.scale(arena, right);
                    return None;
                }
                if to_scalar {
                    let turned = arena.transpose(left);
                    let g = arena.multiply(&[turned, right]);
                    return self.plain(arena, Piece::Row(g));
                }
                if from_scalar {
                    let turned = arena.transpose(right);
                    let c = arena.multiply(&[left, turned]);
                    return self.plain(arena, Piece::Column(c));
                }
                Some(Piece::Kron { right, left })
            }
            Piece::Diagonal(h) => {
                let h = self.content(arena, h);
                let shape = arena.shape(h);
                if shape.is_scalar() {
                    self.scale(arena, h);
                    return None;
                }
                if arena.is_ones(h) {
                    return None;
                }
                let one = arena.integer(1);
                if shape.is_column() || shape.is_row() {
                    let diagonal = arena.diagonal(h);
                    let (right, left) = if shape.is_column() { (one, diagonal) } else { (diagonal, one) };
                    return Some(Piece::Kron { right, left });
                }
                match arena.broadcast_vector(h) {
                    Some((u, true)) => {
                        let (right, left) = (arena.identity(shape.columns), arena.diagonal(u));
                        self.plain(arena, Piece::Kron { right, left })
                    }
                    Some((v, false)) => {
                        let (right, left) = (arena.diagonal(v), arena.identity(shape.rows));
                        self.plain(arena, Piece::Kron { right, left })
                    }
                    None => Some(Piece::Diagonal(h)),
                }
            }
            Piece::Row(g) => Some(Piece::Row(self.content(arena, g))),
            Piece::Column(c) => Some(Piece::Column(self.content(arena, c))),
            Piece::Matrix { matrix, from, to } => {
                let matrix = self.content(arena, matrix);
                if matches!(arena.op(matrix), Op::Identity) {
                    return Some(Piece::Reshape { from, to }).filter(|_| from != to);
                }
                Some(Piece::Matrix { matrix, from, to })
            }
            Piece::Swap(shape) if shape.is_column() || shape.is_row() || shape.is_scalar() => None,
            Piece::Reshape { from, to } if from == to => None,
            other => Some(other),
        }
    }

    /// The matrix of the map from vec(N) with N of the shape `from`.
    pub fn matrix(&self, arena: &mut Arena, from: Shape) -> Result<ExprId, NotCovered> {
        let mut operands = vec![arena.number(self.number)];
        operands.extend(&self.scalars);
        let mut any = false;
        for &piece in self.pieces.iter().rev() {
            if let Some(matrix) = matrix_of(arena, piece)? {
                operands.push(matrix);
                any = true;
            }
        }
        if !any {
            let n = constants::times(arena, from.rows, from.columns)?;
            operands.push(arena.identity(n));
        }
        Ok(product(arena, &operands))
    }
}

/// The matrix by which a piece acts on vec; `None` for one that changes only the shape.
fn matrix_of(arena: &mut Arena, piece: Piece) -> Result<Option<ExprId>, NotCovered> {
    Ok(Some(match piece {
        Piece::Kron { right, left } => {
            let (b, a) = (arena.shape(right), arena.shape(left));
            if matches!(arena.op(right), Op::Identity) && matches!(arena.op(left), Op::Identity) {
                let n = constants::times(arena, a.rows, b.rows)?;
                arena.identity(n)
            } else {
                constants::times(arena, a.rows, b.rows)?;
                constants::times(arena, a.columns, b.columns)?;
                constants::kron(arena, right, left)
            }
        }
        Piece::Diagonal(h) => {
            let stacked = vec(arena, h);
            arena.diagonal(stacked)
        }
        Piece::Swap(shape) => constants::commutation(arena, shape)?,
        Piece::Row(g) => {
            let stacked = vec(arena, g);
            arena.transpose(stacked)
        }
        Piece::Column(c) => vec(arena, c),
        Piece::Embed(n) => constants::embedding(arena, n),
        Piece::Extract(n) => {
            let embedding = constants::embedding(arena, n);
            arena.transpose(embedding)
        }
        Piece::Half { side, length, back } => {
            constants::times(arena, side, side)?;
            let half = constants::half(arena, side, length);
            if back { arena.transpose(half) } else { half }
        }
        Piece::Matrix { matrix, .. } => matrix,
        Piece::Reshape { .. } => return Ok(None),
    }))
}

/// The product with what blocks and diagonals make of their neighbours: diag(u)·v = u .* v, [A, B]·[I; 0] = A.
pub fn product(arena: &mut Arena, operands: &[ExprId]) -> ExprId {
    let whole = arena.multiply(operands);
    let (c, inner) = arena.coefficient(whole);
    let Op::Product { scalars, factors } = arena.op(inner).clone() else { return whole };
    let mut list = factors.to_vec();
    let mut any = false;
    let mut i = 0;
    while i + 1 < list.len() {
        match neighbours(arena, list[i], list[i + 1]) {
            Some(joined) => {
                list.splice(i..i + 2, [joined]);
                i = i.saturating_sub(1);
                any = true;
            }
            None => i += 1,
        }
    }
    if !any {
        return whole;
    }
    let operands: Vec<ExprId> = scalars.iter().copied().chain(list).collect();
    let shorter = product(arena, &operands);
    arena.scale(c, shorter)
}

/// What two neighbours of a product become.
fn neighbours(arena: &mut Arena, a: ExprId, b: ExprId) -> Option<ExprId> {
    let diagonal_of = |arena: &Arena, id: ExprId| match arena.op(id) {
        Op::Call(Function::Diag, _, arguments) if arena.shape(id).is_square() => Some(arguments[0]),
        _ => None,
    };
    if let Some(u) = diagonal_of(arena, a) {
        if arena.shape(b).is_column() {
            return Some(arena.hadamard(&[u, b]));
        }
        // diag(u)·diag(v) = diag(u .* v)
        if let Some(v) = diagonal_of(arena, b) {
            let both = arena.hadamard(&[u, v]);
            return Some(arena.diagonal(both));
        }
    }
    if let Some(v) = diagonal_of(arena, b)
        && arena.shape(a).is_row()
    {
        let v = arena.transpose(v);
        return Some(arena.hadamard(&[a, v]));
    }
    let (left, right) = (columns_of_blocks(arena, a)?, rows_of_blocks(arena, b)?);
    let selects = |arena: &Arena, list: &[ExprId]| {
        list.iter().all(|&x| matches!(arena.op(x), Op::Identity | Op::Zeros) || arena.is_zero(x))
    };
    let fits = left.len() == right.len()
        && left.iter().zip(&right).all(|(&x, &y)| arena.shape(x).columns == arena.shape(y).rows);
    if !fits || !selects(arena, &left) && !selects(arena, &right) {
        return None;
    }
    let mut terms = Vec::with_capacity(left.len());
    for (&x, &y) in left.iter().zip(&right) {
        terms.push((Number::ONE, arena.multiply(&[x, y])));
    }
    Some(arena.sum(&terms))
}

/// A, B, … of [A, B, …].
fn columns_of_blocks(arena: &mut Arena, a: ExprId) -> Option<Vec<ExprId>> {
    match arena.op(a).clone() {
        Op::Horizontal(parts) => Some(parts.to_vec()),
        Op::Transpose(inner) => match arena.op(inner).clone() {
            Op::Vertical(parts) => Some(parts.iter().map(|&p| arena.transpose(p)).collect()),
            _ => None,
        },
        _ => None,
    }
}

/// A, B, … of [A; B; …].
fn rows_of_blocks(arena: &mut Arena, a: ExprId) -> Option<Vec<ExprId>> {
    match arena.op(a).clone() {
        Op::Vertical(parts) => Some(parts.to_vec()),
        Op::Transpose(inner) => match arena.op(inner).clone() {
            Op::Horizontal(parts) => Some(parts.iter().map(|&p| arena.transpose(p)).collect()),
            _ => None,
        },
        _ => None,
    }
}

/// vec(a) as a column.
pub fn vec(arena: &mut Arena, a: ExprId) -> ExprId {
    if arena.shape(a).is_row() {
        return arena.transpose(a);
    }
    arena.call(Function::Vec, Axis::All, &[a])
}

/// What two neighbours become.
enum Join {
    /// They stay.
    Apart,
    /// These instead, in the order in which they act.
    Pieces(Vec<Piece>),
    /// A scalar.
    Scalar(ExprId),
}

/// A vector turned to a shape it has in the other direction.
fn turned_to(arena: &mut Arena, a: ExprId, shape: Shape) -> ExprId {
    if arena.shape(a) == shape { a } else { arena.transpose(a) }
}

/// The shape of what a piece gives, and of what it takes.
fn shapes(arena: &Arena, piece: Piece) -> (Shape, Shape) {
    match piece {
        Piece::Kron { right, left } => {
            let (b, a) = (arena.shape(right), arena.shape(left));
            (Shape::new(a.rows, b.rows), Shape::new(a.columns, b.columns))
        }
        Piece::Diagonal(h) => (arena.shape(h), arena.shape(h)),
        Piece::Swap(shape) => (shape.transposed(), shape),
        Piece::Row(g) => (Shape::SCALAR, arena.shape(g)),
        Piece::Column(c) => (arena.shape(c), Shape::SCALAR),
        Piece::Embed(n) => (Shape::new(n, n), Shape::column(n)),
        Piece::Extract(n) => (Shape::column(n), Shape::new(n, n)),
        Piece::Half { side, length, back: false } => (Shape::column(length), Shape::new(side, side)),
        Piece::Half { side, length, back: true } => (Shape::new(side, side), Shape::column(length)),
        Piece::Matrix { from, to, .. } | Piece::Reshape { from, to } => (to, from),
    }
}

/// `next` after `last`.
fn joined(arena: &mut Arena, next: Piece, last: Piece) -> Result<Join, NotCovered> {
    let (between, first) = shapes(arena, last);
    let one = arena.integer(1);
    Ok(match (next, last) {
        // On what does not depend on N.
        (Piece::Row(g), Piece::Column(c)) => {
            let g = turned_to(arena, g, between);
            Join::Scalar(arena.inner(g, c))
        }
        (_, Piece::Column(c)) => match applied(arena, next, c) {
            Some(c) => Join::Pieces(vec![Piece::Column(c)]),
            None => Join::Apart,
        },
        (Piece::Column(_), _) => Join::Apart,
        (Piece::Row(g), _) => {
            let g = turned_to(arena, g, between);
            match pulled(arena, g, last) {
                Some(g) => Join::Pieces(vec![Piece::Row(g)]),
                None => Join::Apart,
            }
        }
        (Piece::Kron { right: b2, left: a2 }, Piece::Kron { right: b1, left: a1 }) => {
            let fits = (arena.shape(a2).columns, arena.shape(b2).columns) == (between.rows, between.columns);
            if fits {
                let (right, left) = (product(arena, &[b2, b1]), product(arena, &[a2, a1]));
                Join::Pieces(vec![Piece::Kron { right, left }])
            } else {
                // The vector between them was turned: A₂·(A₁·N·B₁ᵀ)ᵀ·B₂ᵀ = (A₂·B₁)·Nᵀ·(B₂·A₁)ᵀ.
                let (right, left) = (product(arena, &[b2, a1]), product(arena, &[a2, b1]));
                Join::Pieces(vec![Piece::Swap(first), Piece::Kron { right, left }])
            }
        }
        (Piece::Diagonal(h), Piece::Diagonal(other)) => {
            Join::Pieces(vec![Piece::Diagonal(arena.hadamard(&[h, other]))])
        }
        (Piece::Swap(_), Piece::Kron { right, left }) => {
            Join::Pieces(vec![Piece::Swap(first), Piece::Kron { right: left, left: right }])
        }
        (Piece::Swap(shape), Piece::Diagonal(h)) => {
            let turned = arena.transpose(h);
            Join::Pieces(vec![Piece::Swap(shape), Piece::Diagonal(turned)])
        }
        (Piece::Swap(_), Piece::Swap(_)) => Join::Pieces(Vec::new()),
        (Piece::Swap(_), Piece::Embed(_)) => Join::Pieces(vec![last]),
        (Piece::Extract(_), Piece::Swap(_)) => Join::Pieces(vec![next]),
        (Piece::Extract(_), Piece::Embed(_)) => Join::Pieces(Vec::new()),
        (Piece::Extract(n), Piece::Diagonal(h)) => {
            let kept = arena.diagonal(h);
            Join::Pieces(vec![Piece::Extract(n), Piece::Diagonal(kept)])
        }
        (Piece::Diagonal(h), Piece::Embed(n)) => {
            let kept = arena.diagonal(h);
            Join::Pieces(vec![Piece::Diagonal(kept), Piece::Embed(n)])
        }
        // diag(u·(B·n)ᵀ) = diag(u)·B·n
        (Piece::Extract(_), Piece::Kron { right, left }) => {
            if arena.shape(left).columns == DimId::ONE {
                let diagonal = arena.diagonal(left);
                let left = arena.multiply(&[diagonal, right]);
                Join::Pieces(vec![Piece::Kron { right: one, left }])
            } else if arena.shape(right).columns == DimId::ONE {
                let diagonal = arena.diagonal(right);
                let left = arena.multiply(&[diagonal, left]);
                Join::Pieces(vec![Piece::Kron { right: one, left }])
            } else {
                Join::Apart
            }
        }
        // A·diag(n)·b = A·diag(b)·n
        (Piece::Kron { right, left }, Piece::Embed(_)) => {
            if arena.shape(right).rows == DimId::ONE {
                let diagonal = arena.diagonal(right);
                let left = arena.multiply(&[left, diagonal]);
                Join::Pieces(vec![Piece::Kron { right: one, left }])
            } else if arena.shape(left).rows == DimId::ONE {
                let diagonal = arena.diagonal(left);
                let left = arena.multiply(&[right, diagonal]);
                Join::Pieces(vec![Piece::Kron { right: one, left }])
            } else {
                Join::Apart
            }
        }
        (Piece::Reshape { to, .. }, Piece::Reshape { from, .. }) => Join::Pieces(vec![Piece::Reshape { from, to }]),
        _ => Join::Apart,
    })
}

/// What a piece makes of a constant C; `None` where that has no short form.
fn applied(arena: &mut Arena, piece: Piece, c: ExprId) -> Option<ExprId> {
    let (_, takes) = shapes(arena, piece);
    let c = if arena.shape(c).is_column() || arena.shape(c).is_row() { turned_to(arena, c, takes) } else { c };
    Some(match piece {
        Piece::Kron { right, left } => {
            let turned = arena.transpose(right);
            product(arena, &[left, c, turned])
        }
        Piece::Diagonal(h) => arena.hadamard(&[h, c]),
        Piece::Swap(_) => arena.transpose(c),
        Piece::Embed(_) | Piece::Extract(_) => arena.diagonal(c),
        Piece::Half { side, length, back } => half_call(arena, c, side, length, back),
        Piece::Reshape { to, .. } => arena.reshape(c, to),
        Piece::Matrix { matrix, to, .. } => {
            let stacked = vec(arena, c);
            let product = arena.multiply(&[matrix, stacked]);
            arena.reshape(product, to)
        }
        Piece::Row(_) | Piece::Column(_) => return None,
    })
}

/// The F with ⟨G, piece(N)⟩ = ⟨F, N⟩.
fn pulled(arena: &mut Arena, g: ExprId, piece: Piece) -> Option<ExprId> {
    Some(match piece {
        Piece::Kron { right, left } => {
            let turned = arena.transpose(left);
            product(arena, &[turned, g, right])
        }
        Piece::Diagonal(h) => arena.hadamard(&[g, h]),
        Piece::Swap(_) => arena.transpose(g),
        Piece::Embed(_) | Piece::Extract(_) => arena.diagonal(g),
        Piece::Half { side, length, back } => half_call(arena, g, side, length, !back),
        Piece::Reshape { from, .. } => arena.reshape(g, from),
        Piece::Matrix { matrix, from, .. } => {
            let stacked = vec(arena, g);
            let turned = arena.transpose(matrix);
            let product = arena.multiply(&[turned, stacked]);
            arena.reshape(product, from)
        }
        Piece::Row(_) | Piece::Column(_) => return None,
    })
}

/// vech(a), or `back` unvech(a).
fn half_call(arena: &mut Arena, a: ExprId, side: DimId, length: DimId, back: bool) -> ExprId {
    match back {
        true => arena.linear_call(Function::Unvech, a, Shape::new(side, side)),
        false => arena.linear_call(Function::Vech, a, Shape::column(length)),
    }
}
