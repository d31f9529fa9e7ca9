//! The error function against tables, and its text for other programs.

use matgrad_kernels::error_function::{erf, erfc, source};

#[test]
fn the_text_is_that_of_the_functions_alone() {
    let text = source();
    assert!(text.starts_with("/// Numerator") && text.ends_with('}'), "{text}");
    assert!(text.contains("pub fn erfc(") && !text.contains("fn source") && !text.contains("#[test]"), "{text}");
}

#[test]
fn values_agree_with_tables() {
    // x, erf(x), erfc(x) to double precision.
    const TABLE: &[(f64, f64, f64)] = &[
        (1e-08, 1.1283791670955126e-08, 0.9999999887162083),
        (0.1, 0.1124629160182849, 0.8875370839817152),
        (0.25, 0.2763263901682369, 0.7236736098317631),
        (0.46875, 0.49261347321793797, 0.507386526782062),
        (0.5, 0.5204998778130465, 0.4795001221869535),
        (0.9, 0.7969082124228322, 0.20309178757716786),
        (1.0, 0.8427007929497149, 0.15729920705028513),
        (1.7, 0.9837904585907745, 0.016209541409225436),
        (2.5, 0.999593047982555, 0.0004069520174449589),
        (3.9, 0.9999999652077514, 3.479224859723177e-08),
        (4.0, 0.9999999845827421, 1.541725790028002e-08),
        (4.5, 0.9999999998033839, 1.9661604415428873e-10),
        (6.0, 1.0, 2.1519736712498916e-17),
        (10.0, 1.0, 2.088487583762545e-45),
    ];
    for &(x, value, complement) in TABLE {
        assert!((erf(x) - value).abs() <= 2.3e-16 * value.abs().max(0.1), "erf({x})");
        assert!((erf(-x) + value).abs() <= 2.3e-16 * value.abs().max(0.1), "erf(-{x})");
        assert!((erfc(x) - complement).abs() <= 1e-15 * complement, "erfc({x})");
    }
    assert_eq!(erf(0.0), 0.0);
    assert_eq!(erf(f64::INFINITY), 1.0);
    assert!(erf(f64::NAN).is_nan());
}
