//! Matrices in memory, borrowed: where entry (i, j) stands. A stride of 0 repeats a row, a column or a number; exchanged strides
//! transpose. Bounds are checked when a view is made, so that kernels need not look again.

use std::marker::PhantomData;
use std::ops::Range;

use super::Float;

/// A matrix that is read: entry (i, j) stands at `i * row_stride + j * column_stride`.
#[derive(Clone, Copy, Debug)]
pub struct View<'a, T> {
    pointer: *const T,
    rows: usize,
    columns: usize,
    row_stride: usize,
    column_stride: usize,
    memory: PhantomData<&'a [T]>,
}

/// A matrix that is written. No two of its entries share a place.
#[derive(Debug)]
pub struct ViewMut<'a, T> {
    pointer: *mut T,
    rows: usize,
    columns: usize,
    row_stride: usize,
    column_stride: usize,
    memory: PhantomData<&'a mut [T]>,
}

// SAFETY: a view is a shared borrow of numbers.
unsafe impl<T: Float> Send for View<'_, T> {}
// SAFETY: as above.
unsafe impl<T: Float> Sync for View<'_, T> {}
// SAFETY: a mutable view borrows its entries alone.
unsafe impl<T: Float> Send for ViewMut<'_, T> {}

/// How many numbers a view needs; none where it is empty.
fn extent(rows: usize, columns: usize, row_stride: usize, column_stride: usize) -> Option<usize> {
    if rows == 0 || columns == 0 {
        return Some(0);
    }
    let down = (rows - 1).checked_mul(row_stride)?;
    let along = (columns - 1).checked_mul(column_stride)?;
    down.checked_add(along)?.checked_add(1)
}

fn check_extent(length: usize, rows: usize, columns: usize, row_stride: usize, column_stride: usize) {
    assert!(
        extent(rows, columns, row_stride, column_stride).is_some_and(|needed| needed <= length),
        "a {rows}x{columns} view with strides {row_stride} and {column_stride} does not fit in {length} numbers"
    );
}

impl<'a, T: Float> View<'a, T> {
    /// A view with any strides.
    ///
    /// # Panics
    /// Where an entry would stand outside of `data`.
    pub fn new(data: &'a [T], rows: usize, columns: usize, row_stride: usize, column_stride: usize) -> View<'a, T> {
        check_extent(data.len(), rows, columns, row_stride, column_stride);
        View { pointer: data.as_ptr(), rows, columns, row_stride, column_stride, memory: PhantomData }
    }

    /// Rows one after the other.
    ///
    /// # Panics
    /// As [`View::new`].
    pub fn row_major(data: &'a [T], rows: usize, columns: usize) -> View<'a, T> {
        View::new(data, rows, columns, columns, 1)
    }

    /// One row for all rows.
    ///
    /// # Panics
    /// Where the row is shorter than `columns`.
    pub fn repeated_row(row: &'a [T], rows: usize, columns: usize) -> View<'a, T> {
        View::new(row, rows, columns, 0, 1)
    }

    /// One column for all columns.
    ///
    /// # Panics
    /// Where the column is shorter than `rows`.
    pub fn repeated_column(column: &'a [T], rows: usize, columns: usize) -> View<'a, T> {
        View::new(column, rows, columns, 1, 0)
    }

    /// One number everywhere.
    pub fn repeated(number: &'a T, rows: usize, columns: usize) -> View<'a, T> {
        View::new(std::slice::from_ref(number), rows, columns, 0, 0)
    }

    /// A view of memory that is shared with other threads.
    ///
    /// # Safety
    /// Every entry of the view is a number that stays readable and unwritten for `'a`.
    pub unsafe fn from_raw(
        pointer: *const T,
        rows: usize,
        columns: usize,
        row_stride: usize,
        column_stride: usize,
    ) -> View<'a, T> {
        View { pointer, rows, columns, row_stride, column_stride, memory: PhantomData }
    }

    /// Rows and columns exchanged.
    pub fn transposed(self) -> View<'a, T> {
        View {
            rows: self.columns,
            columns: self.rows,
            row_stride: self.column_stride,
            column_stride: self.row_stride,
            ..self
        }
    }

    /// The block of those rows and columns.
    ///
    /// # Panics
    /// Where the ranges leave the view.
    pub fn block(self, rows: Range<usize>, columns: Range<usize>) -> View<'a, T> {
        let pointer = self.pointer.wrapping_add(offset(
            (self.rows, self.columns),
            (self.row_stride, self.column_stride),
            &rows,
            &columns,
        ));
        View { pointer, rows: rows.len(), columns: columns.len(), ..self }
    }

    /// The number at (i, j).
    ///
    /// # Panics
    /// Where there is no such entry.
    pub fn at(self, i: usize, j: usize) -> T {
        assert!(i < self.rows && j < self.columns, "entry ({i}, {j}) of a {}x{} view", self.rows, self.columns);
        // SAFETY: the entry is inside, and the view was made with a place for each entry.
        unsafe { *self.pointer.add(i * self.row_stride + j * self.column_stride) }
    }

    /// The number of rows.
    #[inline]
    pub fn rows(self) -> usize {
        self.rows
    }

    /// The number of columns.
    #[inline]
    pub fn columns(self) -> usize {
        self.columns
    }

    /// From a row to the next.
    #[inline]
    pub fn row_stride(self) -> usize {
        self.row_stride
    }

    /// From a column to the next.
    #[inline]
    pub fn column_stride(self) -> usize {
        self.column_stride
    }

    /// Where entry (0, 0) stands.
    #[inline]
    pub fn pointer(self) -> *const T {
        self.pointer
    }
}

/// Where a block starts.
fn offset(shape: (usize, usize), strides: (usize, usize), rows: &Range<usize>, columns: &Range<usize>) -> usize {
    assert!(
        rows.start <= rows.end && rows.end <= shape.0 && columns.start <= columns.end && columns.end <= shape.1,
        "the block {rows:?}, {columns:?} of a {}x{} view",
        shape.0,
        shape.1
    );
    rows.start * strides.0 + columns.start * strides.1
}

impl<'a, T: Float> ViewMut<'a, T> {
    /// A view with any strides that give each entry its own place: one stride spans the whole other side.
    ///
    /// # Panics
    /// Where an entry would stand outside of `data`, or two entries could share a place.
    pub fn new(
        data: &'a mut [T],
        rows: usize,
        columns: usize,
        row_stride: usize,
        column_stride: usize,
    ) -> ViewMut<'a, T> {
        check_extent(data.len(), rows, columns, row_stride, column_stride);
        let apart = |count: usize, stride: usize, other_count: usize, other_stride: usize| {
            count <= 1 || stride > other_count.saturating_sub(1) * other_stride
        };
        let own_places = rows == 0
            || columns == 0
            || (apart(rows, row_stride, columns, column_stride) && (columns <= 1 || column_stride > 0))
            || (apart(columns, column_stride, rows, row_stride) && (rows <= 1 || row_stride > 0));
        assert!(own_places, "entries of a {rows}x{columns} view with strides {row_stride} and {column_stride} overlap");
        ViewMut { pointer: data.as_mut_ptr(), rows, columns, row_stride, column_stride, memory: PhantomData }
    }

    /// Rows one after the other.
    ///
    /// # Panics
    /// As [`ViewMut::new`].
    pub fn row_major(data: &'a mut [T], rows: usize, columns: usize) -> ViewMut<'a, T> {
        ViewMut::new(data, rows, columns, columns, 1)
    }

    /// A view of memory of which other threads write other parts.
    ///
    /// # Safety
    /// Every entry of the view is a number that nobody else reads or writes for `'a`, and no two entries share a place.
    pub unsafe fn from_raw(
        pointer: *mut T,
        rows: usize,
        columns: usize,
        row_stride: usize,
        column_stride: usize,
    ) -> ViewMut<'a, T> {
        ViewMut { pointer, rows, columns, row_stride, column_stride, memory: PhantomData }
    }

    /// The same view for a shorter time.
    pub fn reborrow(&mut self) -> ViewMut<'_, T> {
        ViewMut { memory: PhantomData, ..*self }
    }

    /// The view to read.
    pub fn as_view(&self) -> View<'_, T> {
        View {
            pointer: self.pointer,
            rows: self.rows,
            columns: self.columns,
            row_stride: self.row_stride,
            column_stride: self.column_stride,
            memory: PhantomData,
        }
    }

    /// Rows and columns exchanged.
    pub fn transposed(self) -> ViewMut<'a, T> {
        ViewMut {
            rows: self.columns,
            columns: self.rows,
            row_stride: self.column_stride,
            column_stride: self.row_stride,
            ..self
        }
    }

    /// The block of those rows and columns.
    ///
    /// # Panics
    /// Where the ranges leave the view.
    pub fn block(&mut self, rows: Range<usize>, columns: Range<usize>) -> ViewMut<'_, T> {
        let pointer = self.pointer.wrapping_add(offset(
            (self.rows, self.columns),
            (self.row_stride, self.column_stride),
            &rows,
            &columns,
        ));
        ViewMut { pointer, rows: rows.len(), columns: columns.len(), memory: PhantomData, ..*self }
    }

    /// The first rows, and the rest.
    ///
    /// # Panics
    /// Where the view has fewer rows.
    pub fn split_rows(self, first: usize) -> (ViewMut<'a, T>, ViewMut<'a, T>) {
        assert!(first <= self.rows, "{first} of {} rows", self.rows);
        let rest = ViewMut {
            pointer: self.pointer.wrapping_add(first * self.row_stride),
            rows: self.rows - first,
            memory: PhantomData,
            ..self
        };
        (ViewMut { rows: first, ..self }, rest)
    }

    /// The number of rows.
    #[inline]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The number of columns.
    #[inline]
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// From a row to the next.
    #[inline]
    pub fn row_stride(&self) -> usize {
        self.row_stride
    }

    /// From a column to the next.
    #[inline]
    pub fn column_stride(&self) -> usize {
        self.column_stride
    }

    /// Where entry (0, 0) stands.
    #[inline]
    pub fn pointer(&mut self) -> *mut T {
        self.pointer
    }
}
