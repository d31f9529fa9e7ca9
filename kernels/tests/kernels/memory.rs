//! Buffers: aligned, zero, writable.

use matgrad_kernels::Buffer;

#[test]
fn a_buffer_is_aligned_zero_and_writable() {
    for length in [0, 1, 3, 16, 1001] {
        let mut buffer = Buffer::<f32>::zeroed(length);
        assert_eq!(buffer.len(), length);
        assert!(length == 0 || (buffer.as_ptr() as usize).is_multiple_of(64));
        assert!(buffer.iter().all(|&x| x == 0.0));
        buffer.iter_mut().enumerate().for_each(|(i, x)| *x = i as f32);
        assert_eq!(buffer.iter().sum::<f32>(), (0..length).map(|i| i as f32).sum::<f32>());
    }
}
