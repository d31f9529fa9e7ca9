//! Vectors of 64 bytes, with a bit a lane for masks.

use std::arch::x86_64::{
    __m512, __m512d, __m512i, __mmask8, __mmask16, _CMP_EQ_OQ, _CMP_GE_OQ, _CMP_GT_OQ, _MM_FROUND_NO_EXC,
    _MM_FROUND_TO_NEAREST_INT, _MM_FROUND_TO_NEG_INF, _mm512_abs_pd, _mm512_abs_ps, _mm512_add_pd, _mm512_add_ps,
    _mm512_and_pd, _mm512_and_ps, _mm512_castpd_ps, _mm512_castps_pd, _mm512_castsi512_ps, _mm512_cmp_pd_mask,
    _mm512_cmp_ps_mask, _mm512_div_pd, _mm512_div_ps, _mm512_fmadd_pd, _mm512_fmadd_ps, _mm512_getexp_pd,
    _mm512_getexp_ps, _mm512_loadu_pd, _mm512_loadu_ps, _mm512_loadu_si512, _mm512_mask_blend_pd, _mm512_mask_blend_ps,
    _mm512_mask_storeu_pd, _mm512_mask_storeu_ps, _mm512_maskz_loadu_pd, _mm512_maskz_loadu_ps, _mm512_max_pd,
    _mm512_max_ps, _mm512_min_pd, _mm512_min_ps, _mm512_mul_pd, _mm512_mul_ps, _mm512_or_pd, _mm512_or_ps,
    _mm512_permutexvar_epi16, _mm512_reduce_add_pd, _mm512_reduce_add_ps, _mm512_reduce_max_pd, _mm512_reduce_max_ps,
    _mm512_roundscale_pd, _mm512_roundscale_ps, _mm512_scalef_pd, _mm512_scalef_ps, _mm512_set1_pd, _mm512_set1_ps,
    _mm512_setzero_pd, _mm512_setzero_ps, _mm512_shuffle_f32x4, _mm512_shuffle_f64x2, _mm512_sqrt_pd, _mm512_sqrt_ps,
    _mm512_storeu_pd, _mm512_storeu_ps, _mm512_stream_pd, _mm512_stream_ps, _mm512_sub_pd, _mm512_sub_ps,
    _mm512_unpackhi_pd, _mm512_unpackhi_ps, _mm512_unpacklo_pd, _mm512_unpacklo_ps, _mm512_xor_pd, _mm512_xor_ps,
};

use std::ops::{Add, BitAnd, BitOr, Div, Mul, Neg, Not, Sub};

use super::{call, instruction, operators};
use crate::simd::{Kernel, Lanes, Mask};

/// 16 numbers of 4 bytes.
#[derive(Clone, Copy)]
pub struct F32x16(__m512);

/// A bit for each lane of [`F32x16`].
#[derive(Clone, Copy)]
pub struct Bits16(__mmask16);

impl BitAnd for Bits16 {
    type Output = Self;
    #[inline(always)]
    fn bitand(self, b: Self) -> Self {
        Bits16(self.0 & b.0)
    }
}

impl BitOr for Bits16 {
    type Output = Self;
    #[inline(always)]
    fn bitor(self, b: Self) -> Self {
        Bits16(self.0 | b.0)
    }
}

impl Not for Bits16 {
    type Output = Self;
    #[inline(always)]
    fn not(self) -> Self {
        Bits16(!self.0)
    }
}

impl Mask for Bits16 {
    #[inline(always)]
    fn any(self) -> bool {
        self.0 != 0
    }
}

/// The numbers rounded to bf16: those of `a` in the lower half of the vector, those of `b` in the upper. An instruction in words, as
/// below.
///
/// # Safety
/// The processor has AVX512-BF16.
#[inline]
#[target_feature(enable = "avx512f")]
unsafe fn halves(a: __m512, b: __m512) -> __m512i {
    let halves;
    // SAFETY: the caller's.
    unsafe {
        std::arch::asm!(
            "vcvtne2ps2bf16 {halves}, {b}, {a}",
            halves = lateout(zmm_reg) halves,
            a = in(zmm_reg) a,
            b = in(zmm_reg) b,
            options(pure, nomem, nostack, preserves_flags),
        );
    }
    halves
}

/// The intrinsic is inlined only where all of a kernel is compiled for the instruction: a processor without it would need a copy of
/// every kernel.
///
/// # Safety
/// The processor has AVX512-BF16.
#[inline]
#[target_feature(enable = "avx512f")]
unsafe fn sum_of_pairs(a: __m512, b: __m512, mut sums: __m512) -> __m512 {
    // SAFETY: the caller's.
    unsafe {
        std::arch::asm!(
            "vdpbf16ps {sums}, {a}, {b}",
            sums = inout(zmm_reg) sums,
            a = in(zmm_reg) a,
            b = in(zmm_reg) b,
            options(pure, nomem, nostack, preserves_flags),
        );
    }
    sums
}

operators!(F32x16, _mm512_add_ps, _mm512_sub_ps, _mm512_mul_ps, _mm512_div_ps, _mm512_xor_ps, _mm512_set1_ps(-0.0));

impl Lanes for F32x16 {
    type Scalar = f32;
    type Mask = Bits16;
    const COUNT: usize = 16;
    const VECTORS: usize = 3;
    const TALL: usize = 24;
    const PAIRS: bool = true;

    call!("avx2,fma,avx512f,avx512dq,avx512bw,avx512vl");

    #[inline(always)]
    unsafe fn splat(x: f32) -> Self {
        // SAFETY: the caller's.
        unsafe { F32x16(_mm512_set1_ps(x)) }
    }

    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        // SAFETY: the caller's.
        unsafe { F32x16(_mm512_loadu_ps(from)) }
    }

    #[inline(always)]
    unsafe fn load_first(from: *const f32, count: usize) -> Self {
        // SAFETY: the caller's; lanes that the mask leaves out are not read.
        unsafe { F32x16(_mm512_maskz_loadu_ps(first16(count), from)) }
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: the caller's.
        unsafe { _mm512_storeu_ps(to, self.0) }
    }

    #[inline(always)]
    unsafe fn store_first(self, to: *mut f32, count: usize) {
        // SAFETY: the caller's; lanes that the mask leaves out are not written.
        unsafe { _mm512_mask_storeu_ps(to, first16(count), self.0) }
    }

    #[inline(always)]
    unsafe fn stream(self, to: *mut f32) {
        // SAFETY: the caller's.
        unsafe { _mm512_stream_ps(to, self.0) }
    }

    instruction!(fn times_plus(self, b, c) = _mm512_fmadd_ps);
    instruction!(fn larger(self, b) = _mm512_max_ps);
    instruction!(fn smaller(self, b) = _mm512_min_ps);
    instruction!(fn magnitude(self) = _mm512_abs_ps);
    instruction!(fn root(self) = _mm512_sqrt_ps);
    instruction!(fn times_two_to(self, n) = _mm512_scalef_ps);

    #[inline(always)]
    fn with_sign_of(self, b: Self) -> Self {
        // SAFETY: a vector exists only where the processor has its instructions.
        unsafe {
            let sign = _mm512_and_ps(b.0, _mm512_set1_ps(-0.0));
            F32x16(_mm512_or_ps(self.magnitude().0, sign))
        }
    }

    #[inline(always)]
    fn nearest(self) -> Self {
        // SAFETY: as above.
        unsafe { F32x16(_mm512_roundscale_ps::<{ _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC }>(self.0)) }
    }

    #[inline(always)]
    fn floor(self) -> Self {
        // SAFETY: as above.
        unsafe { F32x16(_mm512_roundscale_ps::<{ _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC }>(self.0)) }
    }

    #[inline(always)]
    fn mantissa_and_exponent(self) -> (Self, Self) {
        // SAFETY: as above. One more than the exponent of x·√½, so that it steps at √½ of a power.
        unsafe {
            let below = _mm512_getexp_ps((self * self.all(std::f64::consts::FRAC_1_SQRT_2)).0);
            let exponent = _mm512_add_ps(below, _mm512_set1_ps(1.0));
            let negative = _mm512_sub_ps(_mm512_setzero_ps(), exponent);
            (F32x16(_mm512_scalef_ps(self.0, negative)), F32x16(exponent))
        }
    }

    #[inline(always)]
    fn above(self, b: Self) -> Bits16 {
        // SAFETY: as above.
        unsafe { Bits16(_mm512_cmp_ps_mask::<_CMP_GT_OQ>(self.0, b.0)) }
    }

    #[inline(always)]
    fn at_least(self, b: Self) -> Bits16 {
        // SAFETY: as above.
        unsafe { Bits16(_mm512_cmp_ps_mask::<_CMP_GE_OQ>(self.0, b.0)) }
    }

    #[inline(always)]
    fn equals(self, b: Self) -> Bits16 {
        // SAFETY: as above.
        unsafe { Bits16(_mm512_cmp_ps_mask::<_CMP_EQ_OQ>(self.0, b.0)) }
    }

    #[inline(always)]
    fn where_or(self, mask: Bits16, b: Self) -> Self {
        // SAFETY: as above.
        unsafe { F32x16(_mm512_mask_blend_ps(mask.0, b.0, self.0)) }
    }

    #[inline(always)]
    fn sum(self) -> f32 {
        // SAFETY: as above.
        unsafe { _mm512_reduce_add_ps(self.0) }
    }

    #[inline(always)]
    fn largest(self) -> f32 {
        if self.is_nan().any() {
            return f32::NAN;
        }
        // SAFETY: as above.
        unsafe { _mm512_reduce_max_ps(self.0) }
    }

    #[inline(always)]
    unsafe fn turn(
        (rows, columns): (usize, usize),
        from: *const f32,
        from_down: usize,
        to: *mut f32,
        to_down: usize,
        width: usize,
    ) {
        macro_rules! row {
            ($i:expr) => {
                // A row of the block, or none of its numbers.
                Self::load_first(from.wrapping_add($i * from_down), if $i < rows { columns } else { 0 }).0
            };
        }
        macro_rules! leave {
            ($j:expr, $column:expr) => {
                if $j < columns {
                    Self($column).store_first(to.add($j * to_down), width);
                }
            };
        }
        // SAFETY: a vector exists only where the processor has its instructions.
        unsafe {
            // Four rows at a time: columns q, 4 + q, 8 + q, 12 + q in the quarters of vector q.
            macro_rules! four {
                ($i:expr) => {{
                    let (a, b, c, d) = (row!($i), row!($i + 1), row!($i + 2), row!($i + 3));
                    let (ab, cd) = (_mm512_unpacklo_ps(a, b), _mm512_unpacklo_ps(c, d));
                    let (ab_high, cd_high) = (_mm512_unpackhi_ps(a, b), _mm512_unpackhi_ps(c, d));
                    [pairs_low(ab, cd), pairs_high(ab, cd), pairs_low(ab_high, cd_high), pairs_high(ab_high, cd_high)]
                }};
            }
            let (a, b, c, d) = (four!(0), four!(4), four!(8), four!(12));
            for q in 0..4 {
                let ab_low = _mm512_shuffle_f32x4::<0x44>(a[q], b[q]);
                let ab_high = _mm512_shuffle_f32x4::<0xEE>(a[q], b[q]);
                let cd_low = _mm512_shuffle_f32x4::<0x44>(c[q], d[q]);
                let cd_high = _mm512_shuffle_f32x4::<0xEE>(c[q], d[q]);
                leave!(q, _mm512_shuffle_f32x4::<0x88>(ab_low, cd_low));
                leave!(4 + q, _mm512_shuffle_f32x4::<0xDD>(ab_low, cd_low));
                leave!(8 + q, _mm512_shuffle_f32x4::<0x88>(ab_high, cd_high));
                leave!(12 + q, _mm512_shuffle_f32x4::<0xDD>(ab_high, cd_high));
            }
        }
    }

    #[inline(always)]
    unsafe fn pair(self, b: Self) -> Self {
        /// The place of each half of a lane among those of one vector after the other.
        const PLACES: [u16; 32] = {
            let mut places = [0; 32];
            let mut i = 0;
            while i < 32 {
                places[i] = (i / 2 + i % 2 * 16) as u16;
                i += 1;
            }
            places
        };
        // SAFETY: the caller's.
        unsafe {
            let places = _mm512_loadu_si512(PLACES.as_ptr().cast());
            F32x16(_mm512_castsi512_ps(_mm512_permutexvar_epi16(places, halves(self.0, b.0))))
        }
    }

    #[inline(always)]
    unsafe fn pairs_plus(self, b: Self, c: Self) -> Self {
        // SAFETY: the caller's.
        unsafe { F32x16(sum_of_pairs(self.0, b.0, c.0)) }
    }

    #[inline(always)]
    unsafe fn sums<const N: usize>(vectors: &[Self; N], to: *mut f32) {
        for (chunk, group) in vectors.chunks_exact(Self::COUNT).enumerate() {
            // SAFETY: a vector exists only where the processor has its instructions; the place is the caller's.
            unsafe {
                macro_rules! pair {
                    ($i:expr) => {{
                        let (a, b) = (group[$i].0, group[$i + 1].0);
                        _mm512_add_ps(_mm512_unpacklo_ps(a, b), _mm512_unpackhi_ps(a, b))
                    }};
                }
                macro_rules! four {
                    ($i:expr) => {{
                        let (ab, cd) = (pair!($i), pair!($i + 2));
                        _mm512_add_ps(pairs_low(ab, cd), pairs_high(ab, cd))
                    }};
                }
                macro_rules! quarters {
                    ($a:expr, $b:expr) => {{ _mm512_add_ps(_mm512_shuffle_f32x4::<0x88>($a, $b), _mm512_shuffle_f32x4::<0xDD>($a, $b)) }};
                }
                let all = quarters!(quarters!(four!(0), four!(4)), quarters!(four!(8), four!(12)));
                _mm512_storeu_ps(to.add(chunk * Self::COUNT), all);
            }
        }
    }
}

/// The mask of the first lanes.
#[inline(always)]
fn first16(count: usize) -> __mmask16 {
    debug_assert!(count <= 16);
    ((1_u32 << count) - 1) as __mmask16
}

/// 8 numbers of 8 bytes.
#[derive(Clone, Copy)]
pub struct F64x8(__m512d);

/// A bit for each lane of [`F64x8`].
#[derive(Clone, Copy)]
pub struct Bits8(__mmask8);

impl BitAnd for Bits8 {
    type Output = Self;
    #[inline(always)]
    fn bitand(self, b: Self) -> Self {
        Bits8(self.0 & b.0)
    }
}

impl BitOr for Bits8 {
    type Output = Self;
    #[inline(always)]
    fn bitor(self, b: Self) -> Self {
        Bits8(self.0 | b.0)
    }
}

impl Not for Bits8 {
    type Output = Self;
    #[inline(always)]
    fn not(self) -> Self {
        Bits8(!self.0)
    }
}

impl Mask for Bits8 {
    #[inline(always)]
    fn any(self) -> bool {
        self.0 != 0
    }
}

operators!(F64x8, _mm512_add_pd, _mm512_sub_pd, _mm512_mul_pd, _mm512_div_pd, _mm512_xor_pd, _mm512_set1_pd(-0.0));

impl Lanes for F64x8 {
    type Scalar = f64;
    type Mask = Bits8;
    const COUNT: usize = 8;
    const VECTORS: usize = 3;
    const TALL: usize = 24;

    call!("avx2,fma,avx512f,avx512dq,avx512bw,avx512vl");

    #[inline(always)]
    unsafe fn splat(x: f64) -> Self {
        // SAFETY: the caller's.
        unsafe { F64x8(_mm512_set1_pd(x)) }
    }

    #[inline(always)]
    unsafe fn load(from: *const f64) -> Self {
        // SAFETY: the caller's.
        unsafe { F64x8(_mm512_loadu_pd(from)) }
    }

    #[inline(always)]
    unsafe fn load_first(from: *const f64, count: usize) -> Self {
        // SAFETY: the caller's; lanes that the mask leaves out are not read.
        unsafe { F64x8(_mm512_maskz_loadu_pd(first8(count), from)) }
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f64) {
        // SAFETY: the caller's.
        unsafe { _mm512_storeu_pd(to, self.0) }
    }

    #[inline(always)]
    unsafe fn store_first(self, to: *mut f64, count: usize) {
        // SAFETY: the caller's; lanes that the mask leaves out are not written.
        unsafe { _mm512_mask_storeu_pd(to, first8(count), self.0) }
    }

    #[inline(always)]
    unsafe fn stream(self, to: *mut f64) {
        // SAFETY: the caller's.
        unsafe { _mm512_stream_pd(to, self.0) }
    }

    instruction!(fn times_plus(self, b, c) = _mm512_fmadd_pd);
    instruction!(fn larger(self, b) = _mm512_max_pd);
    instruction!(fn smaller(self, b) = _mm512_min_pd);
    instruction!(fn magnitude(self) = _mm512_abs_pd);
    instruction!(fn root(self) = _mm512_sqrt_pd);
    instruction!(fn times_two_to(self, n) = _mm512_scalef_pd);

    #[inline(always)]
    fn with_sign_of(self, b: Self) -> Self {
        // SAFETY: a vector exists only where the processor has its instructions.
        unsafe {
            let sign = _mm512_and_pd(b.0, _mm512_set1_pd(-0.0));
            F64x8(_mm512_or_pd(self.magnitude().0, sign))
        }
    }

    #[inline(always)]
    fn nearest(self) -> Self {
        // SAFETY: as above.
        unsafe { F64x8(_mm512_roundscale_pd::<{ _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC }>(self.0)) }
    }

    #[inline(always)]
    fn floor(self) -> Self {
        // SAFETY: as above.
        unsafe { F64x8(_mm512_roundscale_pd::<{ _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC }>(self.0)) }
    }

    #[inline(always)]
    fn mantissa_and_exponent(self) -> (Self, Self) {
        // SAFETY: as above. One more than the exponent of x·√½, so that it steps at √½ of a power.
        unsafe {
            let below = _mm512_getexp_pd((self * self.all(std::f64::consts::FRAC_1_SQRT_2)).0);
            let exponent = _mm512_add_pd(below, _mm512_set1_pd(1.0));
            let negative = _mm512_sub_pd(_mm512_setzero_pd(), exponent);
            (F64x8(_mm512_scalef_pd(self.0, negative)), F64x8(exponent))
        }
    }

    #[inline(always)]
    fn above(self, b: Self) -> Bits8 {
        // SAFETY: as above.
        unsafe { Bits8(_mm512_cmp_pd_mask::<_CMP_GT_OQ>(self.0, b.0)) }
    }

    #[inline(always)]
    fn at_least(self, b: Self) -> Bits8 {
        // SAFETY: as above.
        unsafe { Bits8(_mm512_cmp_pd_mask::<_CMP_GE_OQ>(self.0, b.0)) }
    }

    #[inline(always)]
    fn equals(self, b: Self) -> Bits8 {
        // SAFETY: as above.
        unsafe { Bits8(_mm512_cmp_pd_mask::<_CMP_EQ_OQ>(self.0, b.0)) }
    }

    #[inline(always)]
    fn where_or(self, mask: Bits8, b: Self) -> Self {
        // SAFETY: as above.
        unsafe { F64x8(_mm512_mask_blend_pd(mask.0, b.0, self.0)) }
    }

    #[inline(always)]
    fn sum(self) -> f64 {
        // SAFETY: as above.
        unsafe { _mm512_reduce_add_pd(self.0) }
    }

    #[inline(always)]
    fn largest(self) -> f64 {
        if self.is_nan().any() {
            return f64::NAN;
        }
        // SAFETY: as above.
        unsafe { _mm512_reduce_max_pd(self.0) }
    }

    #[inline(always)]
    unsafe fn turn(
        (rows, columns): (usize, usize),
        from: *const f64,
        from_down: usize,
        to: *mut f64,
        to_down: usize,
        width: usize,
    ) {
        macro_rules! row {
            ($i:expr) => {
                // A row of the block, or none of its numbers.
                Self::load_first(from.wrapping_add($i * from_down), if $i < rows { columns } else { 0 }).0
            };
        }
        macro_rules! leave {
            ($j:expr, $column:expr) => {
                if $j < columns {
                    Self($column).store_first(to.add($j * to_down), width);
                }
            };
        }
        // SAFETY: a vector exists only where the processor has its instructions.
        unsafe {
            // Two rows at a time: columns q, 2 + q, 4 + q, 6 + q in the quarters of vector q.
            macro_rules! two {
                ($i:expr) => {{
                    let (a, b) = (row!($i), row!($i + 1));
                    [_mm512_unpacklo_pd(a, b), _mm512_unpackhi_pd(a, b)]
                }};
            }
            let (a, b, c, d) = (two!(0), two!(2), two!(4), two!(6));
            for q in 0..2 {
                let ab_low = _mm512_shuffle_f64x2::<0x44>(a[q], b[q]);
                let ab_high = _mm512_shuffle_f64x2::<0xEE>(a[q], b[q]);
                let cd_low = _mm512_shuffle_f64x2::<0x44>(c[q], d[q]);
                let cd_high = _mm512_shuffle_f64x2::<0xEE>(c[q], d[q]);
                leave!(q, _mm512_shuffle_f64x2::<0x88>(ab_low, cd_low));
                leave!(2 + q, _mm512_shuffle_f64x2::<0xDD>(ab_low, cd_low));
                leave!(4 + q, _mm512_shuffle_f64x2::<0x88>(ab_high, cd_high));
                leave!(6 + q, _mm512_shuffle_f64x2::<0xDD>(ab_high, cd_high));
            }
        }
    }

    #[inline(always)]
    unsafe fn sums<const N: usize>(vectors: &[Self; N], to: *mut f64) {
        for (chunk, group) in vectors.chunks_exact(Self::COUNT).enumerate() {
            // SAFETY: a vector exists only where the processor has its instructions; the place is the caller's.
            unsafe {
                macro_rules! pair {
                    ($i:expr) => {{
                        let (a, b) = (group[$i].0, group[$i + 1].0);
                        _mm512_add_pd(_mm512_unpacklo_pd(a, b), _mm512_unpackhi_pd(a, b))
                    }};
                }
                macro_rules! quarters {
                    ($a:expr, $b:expr) => {{ _mm512_add_pd(_mm512_shuffle_f64x2::<0x88>($a, $b), _mm512_shuffle_f64x2::<0xDD>($a, $b)) }};
                }
                let all = quarters!(quarters!(pair!(0), pair!(2)), quarters!(pair!(4), pair!(6)));
                _mm512_storeu_pd(to.add(chunk * Self::COUNT), all);
            }
        }
    }
}

/// The mask of the first lanes.
#[inline(always)]
fn first8(count: usize) -> __mmask8 {
    debug_assert!(count <= 8);
    ((1_u32 << count) - 1) as __mmask8
}

/// The first of each two pairs of lanes, of a and of b.
///
/// # Safety
/// The processor has AVX-512.
#[inline(always)]
unsafe fn pairs_low(a: __m512, b: __m512) -> __m512 {
    // SAFETY: the caller's.
    unsafe { _mm512_castpd_ps(_mm512_unpacklo_pd(_mm512_castps_pd(a), _mm512_castps_pd(b))) }
}

/// The second of each two pairs of lanes, of a and of b.
///
/// # Safety
/// The processor has AVX-512.
#[inline(always)]
unsafe fn pairs_high(a: __m512, b: __m512) -> __m512 {
    // SAFETY: the caller's.
    unsafe { _mm512_castpd_ps(_mm512_unpackhi_pd(_mm512_castps_pd(a), _mm512_castps_pd(b))) }
}
