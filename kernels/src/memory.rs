//! Memory that starts on a cache line. A length comes in, zeroed numbers come out; they are never moved or grown.

use std::alloc::{Layout, alloc_zeroed, dealloc, handle_alloc_error};
use std::ops::{Deref, DerefMut};
use std::ptr::NonNull;

use super::Float;

/// The alignment of a [`Buffer`] in bytes: a cache line, and the widest vector.
pub const ALIGNMENT: usize = 64;

/// A fixed number of numbers, zero at first, aligned to 64 bytes.
#[derive(Debug)]
pub struct Buffer<T: Float> {
    /// Where the allocation starts, less than a line before the numbers.
    start: NonNull<u8>,
    pointer: NonNull<T>,
    length: usize,
}

impl<T: Float> Buffer<T> {
    /// `length` zeros. The pages of a large one are the system's zero pages until they are written, and large pages where it has
    /// them.
    ///
    /// # Panics
    /// Where the length in bytes overflows; memory that is not to be had ends the program as it does for a `Vec`.
    pub fn zeroed(length: usize) -> Buffer<T> {
        if length == 0 {
            return Buffer { start: NonNull::dangling(), pointer: NonNull::dangling(), length };
        }
        let layout = layout::<T>(length);
        // SAFETY: the layout has a size above zero.
        let start = unsafe { alloc_zeroed(layout) };
        let Some(start) = NonNull::new(start) else { handle_alloc_error(layout) };
        ask_for_large_pages(start.as_ptr(), layout.size());
        // SAFETY: the layout has room for the gap.
        let pointer = unsafe { start.add(start.align_offset(ALIGNMENT)) }.cast();
        Buffer { start, pointer, length }
    }
}

/// What the system's allocator gives without writing zeros, and room to start on a line.
fn layout<T>(length: usize) -> Layout {
    let bytes = length.checked_mul(size_of::<T>()).and_then(|bytes| bytes.checked_add(ALIGNMENT));
    Layout::from_size_align(bytes.expect("a length that memory can hold"), align_of::<T>())
        .expect("a length that memory can hold")
}

/// Rows of large matrices lie on pages of their own: with pages of 2 MiB the processor knows where all of them are. As NumPy, from
/// 4 MiB on; a system that has none goes on as it is.
#[cfg(all(target_os = "linux", not(miri)))]
fn ask_for_large_pages(start: *mut u8, bytes: usize) {
    use std::ffi::{c_int, c_void};

    unsafe extern "C" {
        fn madvise(address: *mut c_void, length: usize, advice: c_int) -> c_int;
    }
    const MADV_HUGEPAGE: c_int = 14;
    const PAGE: usize = 2 << 20;

    if bytes >= 2 * PAGE {
        let gap = start.align_offset(PAGE);
        // SAFETY: whole pages of an allocation; advice changes nothing that they hold.
        unsafe { madvise(start.wrapping_add(gap).cast(), (bytes - gap) / PAGE * PAGE, MADV_HUGEPAGE) };
    }
}

#[cfg(not(all(target_os = "linux", not(miri))))]
fn ask_for_large_pages(_start: *mut u8, _bytes: usize) {}

impl<T: Float> Drop for Buffer<T> {
    fn drop(&mut self) {
        if self.length > 0 {
            // SAFETY: the start came from `alloc_zeroed` with this layout.
            unsafe { dealloc(self.start.as_ptr(), layout::<T>(self.length)) }
        }
    }
}

impl<T: Float> Deref for Buffer<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        // SAFETY: `length` numbers were allocated; all bits zero is a number.
        unsafe { std::slice::from_raw_parts(self.pointer.as_ptr(), self.length) }
    }
}

impl<T: Float> DerefMut for Buffer<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        // SAFETY: as for `deref`, and the buffer is borrowed alone.
        unsafe { std::slice::from_raw_parts_mut(self.pointer.as_ptr(), self.length) }
    }
}

// SAFETY: the buffer owns its memory, and its numbers may be sent and shared.
unsafe impl<T: Float> Send for Buffer<T> {}
// SAFETY: as above.
unsafe impl<T: Float> Sync for Buffer<T> {}
