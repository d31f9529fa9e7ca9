//! Views: strides, blocks, splits, and what they refuse.

use matgrad_kernels::{View, ViewMut};

#[test]
fn entries_stand_where_the_strides_say() {
    let data: Vec<f64> = (0..12).map(f64::from).collect();
    let view = View::row_major(&data, 3, 4);
    assert_eq!((view.at(2, 1), view.transposed().at(1, 2)), (9.0, 9.0));
    assert_eq!(view.block(1..3, 2..4).at(1, 0), 10.0);
    assert_eq!(View::repeated_row(&data[..4], 5, 4).at(3, 2), 2.0);
    assert_eq!(View::repeated_column(&data[..3], 3, 7).at(2, 6), 2.0);
}

#[test]
#[should_panic(expected = "does not fit")]
fn a_view_beyond_its_memory_is_refused() {
    View::row_major(&[0.0_f32; 11], 3, 4);
}

#[test]
#[should_panic(expected = "overlap")]
fn a_mutable_view_whose_entries_overlap_is_refused() {
    ViewMut::new(&mut [0.0_f32; 11], 3, 4, 0, 1);
}

#[test]
fn a_split_gives_all_rows() {
    let mut data = [0.0_f64; 6];
    let (mut first, mut rest) = ViewMut::row_major(&mut data, 3, 2).split_rows(1);
    assert_eq!((first.rows(), rest.rows()), (1, 2));
    // SAFETY: both entries are inside of their views.
    unsafe {
        *first.pointer() = 1.0;
        *rest.pointer() = 2.0;
    }
    assert_eq!(data, [1.0, 0.0, 2.0, 0.0, 0.0, 0.0]);
}
