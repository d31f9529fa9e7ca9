//! Products of matrices: C = f(α·A·B + β·D), with what follows done while the numbers are still in registers or near. Views come
//! in, the result is written; the workspace is the caller's. Nothing is allocated, and nothing knows a thread: a caller with
//! several gives each a block of the result.

mod ahead;
mod blocks;
mod narrow;
mod pack;
mod tile;

use std::marker::PhantomData;

pub(crate) use self::blocks::Widths;
use self::blocks::{Panels, Source};
use self::narrow::Way;
use self::tile::{Finish, Held, Kind, Side};
use super::simd::{Kernel, Lanes, fence};
use super::{Float, InstructionSet, View, ViewMut};

/// α·A·B and what follows it. Start from [`Product::new`].
#[derive(Clone, Copy, Debug)]
pub struct Product<'a, T> {
    /// A, m×k.
    pub left: View<'a, T>,
    /// B, k×n.
    pub right: Right<'a, T>,
    /// α.
    pub alpha: T,
    /// β and D, m×n: `+ β·D`. A bias is a repeated row, see [`View::repeated_row`].
    pub added: Option<(T, View<'a, T>)>,
    /// What is done to each entry of α·A·B + β·D.
    pub then: Then<'a, T>,
    /// Whether the result is written or added.
    pub into: Into,
    /// Which entries are computed.
    pub part: Part,
    /// Whether the factors' entries are rounded to bf16 (8 bits of the number, all of the exponent), and their products summed in
    /// single precision: where [`InstructionSet::has_bf16`], and with no factor packed before.
    pub rounded: bool,
}

/// The right factor.
#[derive(Clone, Copy, Debug)]
pub enum Right<'a, T> {
    /// In memory as it is.
    Plain(View<'a, T>),
    /// Packed by [`pack_right`].
    Packed(Packed<'a, T>),
}

/// A right factor in the order in which the kernel reads it.
#[derive(Clone, Copy, Debug)]
pub struct Packed<'a, T> {
    data: &'a [T],
    rows: usize,
    columns: usize,
    set: InstructionSet,
    panels: Widths,
}

impl<T: Float> Packed<'_, T> {
    fn at(&self, p: usize, j: usize) -> T {
        let at_once = blocks::cut_k::<T>(self.rows);
        let first_k = p / at_once * at_once;
        let depth = at_once.min(self.rows - first_k);
        let mut first = 0;
        let mut width = self.panels.panel(self.columns);
        while j >= first + width {
            first += width;
            width = self.panels.panel(self.columns - first);
        }
        let panel = first_k * self.panels.padded(self.columns) + first * depth;
        self.data[panel + (p - first_k) * width + j - first]
    }
}

/// What is done to each entry before it is written.
#[derive(Clone, Copy, Debug)]
pub enum Then<'a, T> {
    /// Nothing.
    Nothing,
    /// max(x, 0): 0 where x ≤ 0.
    Relu,
    /// x where the entry of this m×n matrix is above 0, else 0.
    WhereAbove(View<'a, T>),
    /// x times the entry of this m×n matrix.
    Times(View<'a, T>),
}

/// What happens to what the result's memory held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Into {
    /// It is overwritten, and never read.
    Replace,
    /// It is overwritten past the caches, where the processor can: for a large result that is not read soon.
    Stream,
    /// The product is added to it. Not together with `then` or `added`.
    Add,
}

/// Which entries are computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// All.
    Whole,
    /// For a square result known to be symmetric: those on and below the diagonal, the others copied from them.
    Symmetric,
}

impl<'a, T: Float> Product<'a, T> {
    /// A·B, written.
    pub fn new(left: View<'a, T>, right: View<'a, T>) -> Product<'a, T> {
        Product {
            left,
            right: Right::Plain(right),
            alpha: T::ONE,
            added: None,
            then: Then::Nothing,
            into: Into::Replace,
            part: Part::Whole,
            rounded: false,
        }
    }

    /// A·B with B packed.
    pub fn with_packed(left: View<'a, T>, right: Packed<'a, T>) -> Product<'a, T> {
        Product { right: Right::Packed(right), ..Product::new(left, View::new(&[], right.rows, 0, 0, 0)) }
    }

    fn shape(&self) -> (usize, usize, usize) {
        let (k, n) = match self.right {
            Right::Plain(view) => (view.rows(), view.columns()),
            Right::Packed(packed) => (packed.rows, packed.columns),
        };
        (self.left.rows(), n, k)
    }

    /// The product of the transposed factors, whose result is the transpose; none where B is packed.
    fn turned(&self) -> Option<Product<'a, T>> {
        let Right::Plain(right) = self.right else { return None };
        let then = match self.then {
            Then::WhereAbove(view) => Then::WhereAbove(view.transposed()),
            Then::Times(view) => Then::Times(view.transposed()),
            other => other,
        };
        let added = self.added.map(|(beta, view)| (beta, view.transposed()));
        let (left, right) = (right.transposed(), Right::Plain(self.left.transposed()));
        Some(Product { left, right, added, then, ..*self })
    }

    fn check(&self, set: InstructionSet, out: &ViewMut<'_, T>, sums: &Sums<'_, T>) {
        let (m, n, k) = self.shape();
        assert_eq!(self.left.columns(), k, "the factors do not fit");
        assert_eq!((out.rows(), out.columns()), (m, n), "the result does not fit");
        if let Some((_, added)) = self.added {
            assert_eq!((added.rows(), added.columns()), (m, n), "what is added does not fit");
        }
        if let Then::WhereAbove(view) | Then::Times(view) = self.then {
            assert_eq!((view.rows(), view.columns()), (m, n), "the factor of the entries does not fit");
        }
        if self.into == Into::Add {
            assert!(
                self.added.is_none() && matches!(self.then, Then::Nothing),
                "a product that is added has nothing after"
            );
        }
        if self.part == Part::Symmetric {
            assert_eq!(m, n, "a symmetric result is square");
        }
        if self.rounded {
            assert!(set.has_bf16() && size_of::<T>() == 4, "the processor has no products of bf16");
            assert!(matches!(self.right, Right::Plain(_)), "a packed factor is not rounded");
        }
        if let Right::Packed(packed) = self.right {
            assert_eq!(packed.set, set, "the right factor was packed for another instruction set");
        }
        if let Some(columns) = &sums.columns {
            assert!(self.part == Part::Whole, "a symmetric result has no column sums");
            assert_eq!(columns.len(), n, "the column sums do not fit");
        }
        if sums.squares.is_some() {
            assert!(self.part == Part::Whole && self.added.is_some(), "nothing is added whose squares could be summed");
        }
    }
}

/// Sums that are taken while the entries are at hand, each added to what is there.
#[derive(Debug, Default)]
pub struct Sums<'a, T> {
    /// Those of the columns of what is written; not of a [`Part::Symmetric`].
    pub columns: Option<&'a mut [T]>,
    /// That of the squares of the entries of what is added, before β: of the m×n matrix D, its squared Frobenius norm.
    pub squares: Option<&'a mut f64>,
}

/// How many numbers [`multiply`] needs to work with for an m×n result over k.
pub fn workspace<T: Float>(set: InstructionSet, m: usize, n: usize, k: usize) -> usize {
    set.run(Room { m, n, k, number: PhantomData::<T> }).0
}

/// How many numbers [`pack_right`] writes for a k×n factor.
pub fn packed_length<T: Float>(set: InstructionSet, k: usize, n: usize) -> usize {
    set.run(Room { m: 0, n, k, number: PhantomData::<T> }).1
}

/// Packs a right factor that several products use.
///
/// # Panics
/// Where `memory` is shorter than [`packed_length`].
pub fn pack_right<'a, T: Float>(set: InstructionSet, right: View<'_, T>, memory: &'a mut [T]) -> Packed<'a, T> {
    let (rows, columns) = (right.rows(), right.columns());
    let memory = &mut memory[..packed_length::<T>(set, rows, columns)];
    let panels = T::pack(set, Packing { right, to: memory.as_mut_ptr() });
    Packed { data: memory, rows, columns, set, panels }
}

/// The product into `out`, and sums that are taken with it.
///
/// # Panics
/// Where the shapes do not fit, the workspace is shorter than [`workspace`] says, or B was packed for another instruction set.
pub fn multiply<T: Float>(
    set: InstructionSet,
    product: &Product<'_, T>,
    out: ViewMut<'_, T>,
    sums: Sums<'_, T>,
    workspace: &mut [T],
) {
    product.check(set, &out, &sums);
    let (m, n, _) = product.shape();
    if m == 0 || n == 0 {
        return;
    }
    if out.column_stride() == 1 || n == 1 {
        return T::multiply(set, Multiply { product, out, sums, workspace });
    }
    // Memory runs along columns: the transposed product runs along them too.
    match product.turned() {
        Some(turned) if (out.row_stride() == 1 || m == 1) && sums.columns.is_none() => {
            T::multiply(set, Multiply { product: &turned, out: out.transposed(), sums, workspace });
        }
        _ => entry_by_entry(product, out, sums),
    }
}

/// The lengths of the workspace and of a packed factor.
struct Room<T> {
    m: usize,
    n: usize,
    k: usize,
    number: PhantomData<T>,
}

impl<T: Float> Kernel<T> for Room<T> {
    type Output = (usize, usize);

    #[inline(always)]
    unsafe fn run<V: Lanes<Scalar = T>>(self) -> (usize, usize) {
        let (m, n, k) = (self.m, self.n, self.k);
        // The transposed product may be the one that is made.
        let work = |rounded| blocks::workspace::<V>(m, k, rounded).max(blocks::workspace::<V>(n, k, rounded));
        let work = work(false).max(if V::PAIRS { work(true) } else { 0 });
        // Either side may have few columns, and a product of fewer rows is made in the same room.
        let narrow = narrow::workspace(m.max(n), k);
        (work + narrow + blocks::LINE, blocks::packed_length::<V>(k, n))
    }
}

pub(crate) struct Packing<'a, T> {
    right: View<'a, T>,
    to: *mut T,
}

impl<T: Float> Kernel<T> for Packing<'_, T> {
    type Output = Widths;

    #[inline(always)]
    unsafe fn run<V: Lanes<Scalar = T>>(self) -> Widths {
        let (k, n) = (self.right.rows(), self.right.columns());
        // SAFETY: the room was measured; the caller has asked for the instructions of V.
        unsafe { blocks::pack_all::<V>(source(self.right), k, n, self.to) }
        Widths::of::<V>()
    }
}

#[inline]
fn source<T: Float>(view: View<'_, T>) -> Source<T> {
    Source { pointer: view.pointer(), down: view.row_stride(), along: view.column_stride() }
}

#[inline]
fn side<T: Float>(view: View<'_, T>) -> Side<T> {
    Side { pointer: view.pointer(), down: view.row_stride(), along: view.column_stride() }
}

pub(crate) struct Multiply<'a, T> {
    product: &'a Product<'a, T>,
    out: ViewMut<'a, T>,
    sums: Sums<'a, T>,
    workspace: &'a mut [T],
}

impl<T: Float> Kernel<T> for Multiply<'_, T> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<V: Lanes<Scalar = T>>(self) {
        let Multiply { product, mut out, sums, workspace } = self;
        let shape = product.shape();
        let (m, n, k) = shape;
        // Few columns may be made as the rows of the transposed product, which take no more room than the least number of rows.
        let room = blocks::workspace::<V>(m, k, product.rounded) + narrow::workspace(m.max(n), k);
        assert!(workspace.len() >= room + blocks::LINE, "the workspace is too short");
        let (then, other) = match product.then {
            Then::Nothing => (Kind::Nothing, Side::NONE),
            Then::Relu => (Kind::Relu, Side::NONE),
            Then::WhereAbove(view) => (Kind::WhereAbove, side(view)),
            Then::Times(view) => (Kind::Times, side(view)),
        };
        let (beta, added) = product.added.map_or((T::ZERO, Side::NONE), |(beta, view)| (beta, side(view)));
        let finish = Finish {
            alpha: product.alpha,
            beta,
            added,
            then,
            other,
            sums: sums.columns.map_or(std::ptr::null_mut(), |sums| sums.as_mut_ptr()),
            squares: sums.squares.map_or(std::ptr::null_mut(), |sum| &raw mut *sum),
            held: if product.into == Into::Add { Held::Result } else { Held::Nothing },
            // Whole aligned lines, written once.
            stream: product.into == Into::Stream
                && shape.2 <= blocks::cut_k::<T>(shape.2)
                && out.row_stride().is_multiple_of(V::COUNT)
                && (out.pointer() as usize).is_multiple_of(V::COUNT * size_of::<T>()),
        };
        let right = match product.right {
            Right::Plain(view) => Panels::Plain(source(view)),
            Right::Packed(packed) => Panels::Packed(packed.data.as_ptr()),
        };
        let lower_only = product.part == Part::Symmetric;
        let left = source(product.left);
        let work = blocks::aligned(workspace);
        let down = out.row_stride();
        let c = out.pointer();
        let way = match right {
            Panels::Plain(_) if !lower_only && !product.rounded => narrow::way::<V>(shape, left),
            _ => Way::Plain,
        };
        // SAFETY: the shapes and the workspace were checked; the caller has asked for the instructions of V.
        unsafe {
            match (way, right) {
                (Way::Dots, Panels::Plain(right)) => narrow::dots::<V>(shape, left, right, &finish, c, down, work),
                (Way::Combination, Panels::Plain(right)) => {
                    narrow::combination::<V>((shape.0, shape.2), left, right, &finish, c, down, work)
                }
                _ => pieces::<V>(shape, left, right, way, &finish, c, down, (lower_only, product.rounded), work),
            }
        }
        if finish.stream {
            fence();
        }
        if lower_only {
            mirror(out);
        }
    }
}

/// The product in one piece, or as transposed pieces.
///
/// # Safety
/// As for [`blocks::product`].
#[inline(always)]
#[allow(clippy::too_many_arguments, reason = "a product is these things")]
unsafe fn pieces<V: Lanes>(
    (m, n, k): (usize, usize, usize),
    left: Source<V::Scalar>,
    right: Panels<V::Scalar>,
    way: Way,
    finish: &Finish<V::Scalar>,
    c: *mut V::Scalar,
    c_down: usize,
    kind: (bool, bool),
    work: *mut V::Scalar,
) {
    let piece = work;
    let room = piece.wrapping_add(narrow::FEW * narrow::PIECE);
    let mut first = 0;
    // One call of the loops, so that the compiler makes one copy of them.
    loop {
        let turned = way == Way::Turned;
        let width = narrow::PIECE.min(m - first);
        let plain = Finish::partial(Held::Nothing);
        // SAFETY: the piece is inside of the factors, the result and the workspace.
        unsafe {
            let (shape, a, b) = match right {
                Panels::Plain(right) if turned => {
                    let along = Source { pointer: left.from(first, 0).pointer, down: left.along, along: left.down };
                    let across = Source { pointer: right.pointer, down: right.along, along: right.down };
                    ((n, width, k), across, Panels::Plain(along))
                }
                right => ((m, n, k), left, right),
            };
            let (here, to, to_down, rest) = if turned {
                (&plain, piece, narrow::PIECE, room.wrapping_add(narrow::FEW * narrow::PIECE))
            } else {
                (finish, c, c_down, work)
            };
            blocks::product::<V>(shape, a, b, here, to, to_down, kind, rest);
            if !turned {
                break;
            }
            let there = c.add(first * c_down);
            narrow::finish_turned::<V>((width, n), piece, room, &finish.from(first, 0), there, c_down);
        }
        first += width;
        if first >= m {
            break;
        }
    }
}

/// The product for a result whose entries are apart in both directions, or that nothing faster covers.
fn entry_by_entry<T: Float>(product: &Product<'_, T>, mut out: ViewMut<'_, T>, mut sums: Sums<'_, T>) {
    let (m, n, k) = product.shape();
    let (down, along) = (out.row_stride(), out.column_stride());
    for i in 0..m {
        for j in 0..n {
            let right = |p| match product.right {
                Right::Plain(view) => view.at(p, j),
                Right::Packed(packed) => packed.at(p, j),
            };
            let sum = (0..k).fold(0.0, |sum, p| sum + product.left.at(i, p).to_f64() * right(p).to_f64());
            let mut x = product.alpha * T::from_f64(sum);
            if let Some((beta, added)) = product.added {
                x = x + beta * added.at(i, j);
                if let Some(squares) = sums.squares.as_deref_mut() {
                    *squares += added.at(i, j).to_f64().powi(2);
                }
            }
            match product.then {
                Then::Nothing => {}
                Then::Relu if x <= T::ZERO => x = T::ZERO,
                Then::Relu => {}
                Then::WhereAbove(view) if view.at(i, j) > T::ZERO => {}
                Then::WhereAbove(_) => x = T::ZERO,
                Then::Times(view) => x = x * view.at(i, j),
            }
            // SAFETY: the entry is inside.
            unsafe {
                let place = out.pointer().add(i * down + j * along);
                if product.into == Into::Add {
                    x = x + *place;
                }
                *place = x;
            }
            if let Some(sums) = sums.columns.as_deref_mut() {
                sums[j] = sums[j] + x;
            }
        }
    }
}

/// Copies what is below the diagonal to above it.
fn mirror<T: Float>(mut out: ViewMut<'_, T>) {
    let (n, down, along) = (out.rows(), out.row_stride(), out.column_stride());
    let pointer = out.pointer();
    for i in 0..n {
        for j in 0..i {
            // SAFETY: both entries are inside.
            unsafe { *pointer.add(j * down + i * along) = *pointer.add(i * down + j * along) }
        }
    }
}
