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
    pointer: NonNull<T>,
    length: usize,
}

impl<T: Float> Buffer<T> {
    /// `length` zeros. The pages are the system's zero pages until they are written.
    ///
    /// # Panics
    /// Where the length in bytes overflows; memory that is not to be had ends the program as it does for a `Vec`.
    pub fn zeroed(length: usize) -> Buffer<T> {
        if length == 0 {
            return Buffer { pointer: NonNull::dangling(), length };
        }
        let layout = layout::<T>(length);
        // SAFETY: the layout has a size above zero.
        let pointer = unsafe { alloc_zeroed(layout) };
        match NonNull::new(pointer.cast::<T>()) {
            Some(pointer) => Buffer { pointer, length },
            None => handle_alloc_error(layout),
        }
    }
}

fn layout<T>(length: usize) -> Layout {
    let bytes = length.checked_mul(size_of::<T>()).expect("a length that memory can hold");
    Layout::from_size_align(bytes, ALIGNMENT).expect("a length that memory can hold")
}

impl<T: Float> Drop for Buffer<T> {
    fn drop(&mut self) {
        if self.length > 0 {
            // SAFETY: the pointer came from `alloc_zeroed` with this layout.
            unsafe { dealloc(self.pointer.as_ptr().cast(), layout::<T>(self.length)) }
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
