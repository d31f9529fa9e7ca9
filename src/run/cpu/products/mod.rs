//! Products of matrices: C = f(α·A·B + β·D), with what follows done while the numbers are still in registers or near. Views come
//! in, the result is written; the workspace is the caller's. Nothing is allocated, and nothing knows a thread: a caller with
//! several gives each a block of the result.

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

    fn check(&self, out: &ViewMut<'_, T>, sums: Option<&[T]>) {
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
        if let Some(sums) = sums {
            assert_eq!(sums.len(), n, "the column sums do not fit");
        }
    }
}

/// How many numbers [`multiply`] needs to work with for an m×n result over k.
pub fn workspace<T: Float>(set: InstructionSet, m: usize, n: usize, k: usize) -> usize {
    let _ = (set, m, n, k);
    0
}

/// How many numbers [`pack_right`] writes for a k×n factor.
pub fn packed_length<T: Float>(set: InstructionSet, k: usize, n: usize) -> usize {
    let _ = set;
    k * n
}

/// Packs a right factor that several products use.
///
/// # Panics
/// Where `memory` is shorter than [`packed_length`].
pub fn pack_right<'a, T: Float>(set: InstructionSet, right: View<'_, T>, memory: &'a mut [T]) -> Packed<'a, T> {
    let (rows, columns) = (right.rows(), right.columns());
    let memory = &mut memory[..packed_length::<T>(set, rows, columns)];
    for i in 0..rows {
        for j in 0..columns {
            memory[i * columns + j] = right.at(i, j);
        }
    }
    Packed { data: memory, rows, columns, set }
}

/// The product into `out`. With `column_sums`, the sums of the columns of what was written are added to them.
///
/// # Panics
/// Where the shapes do not fit, the workspace is too short, or B was packed for another instruction set.
pub fn multiply<T: Float>(
    set: InstructionSet,
    product: &Product<'_, T>,
    mut out: ViewMut<'_, T>,
    column_sums: Option<&mut [T]>,
    workspace: &mut [T],
) {
    product.check(&out, column_sums.as_deref());
    let _ = workspace;
    let (m, n, k) = product.shape();
    let mut sums = column_sums;
    for i in 0..m {
        for j in 0..n {
            let mut sum = T::ZERO;
            for p in 0..k {
                let right = match product.right {
                    Right::Plain(view) => view.at(p, j),
                    Right::Packed(packed) => {
                        assert_eq!(packed.set, set, "the right factor was packed for another instruction set");
                        packed.data[p * n + j]
                    }
                };
                sum = sum + product.left.at(i, p) * right;
            }
            let mut x = product.alpha * sum;
            if let Some((beta, added)) = product.added {
                x = x + beta * added.at(i, j);
            }
            x = match product.then {
                Then::Nothing => x,
                Then::Relu => {
                    if x <= T::ZERO {
                        T::ZERO
                    } else {
                        x
                    }
                }
                Then::WhereAbove(view) => {
                    if view.at(i, j) > T::ZERO {
                        x
                    } else {
                        T::ZERO
                    }
                }
                Then::Times(view) => x * view.at(i, j),
            };
            if product.into == Into::Add {
                x = x + out.as_view().at(i, j);
            }
            // SAFETY: the entry is inside.
            unsafe {
                let place = out.pointer().add(i * out.row_stride() + j * out.column_stride());
                *place = x;
            }
            if let Some(sums) = sums.as_deref_mut() {
                sums[j] = sums[j] + x;
            }
        }
    }
}
