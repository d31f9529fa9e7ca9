//! Vectors of 32 bytes.

use std::arch::x86_64::{
    __m256, __m256d, __m256i, _CMP_EQ_OQ, _CMP_GE_OQ, _CMP_GT_OQ, _MM_FROUND_NO_EXC, _MM_FROUND_TO_NEAREST_INT,
    _mm_add_pd, _mm_add_ps, _mm_add_sd, _mm_add_ss, _mm_cvtsd_f64, _mm_cvtss_f32, _mm_max_pd, _mm_max_ps, _mm_max_sd,
    _mm_max_ss, _mm_movehl_ps, _mm_shuffle_ps, _mm_unpackhi_pd, _mm256_add_epi32, _mm256_add_epi64, _mm256_add_pd,
    _mm256_add_ps, _mm256_and_pd, _mm256_and_ps, _mm256_andnot_pd, _mm256_andnot_ps, _mm256_blendv_pd,
    _mm256_blendv_ps, _mm256_castpd_si256, _mm256_castpd256_pd128, _mm256_castps_si256, _mm256_castps256_ps128,
    _mm256_castsi256_pd, _mm256_castsi256_ps, _mm256_cmp_pd, _mm256_cmp_ps, _mm256_cvtepi32_epi64, _mm256_cvtepi32_ps,
    _mm256_cvtpd_epi32, _mm256_cvtps_epi32, _mm256_div_pd, _mm256_div_ps, _mm256_extractf128_pd, _mm256_extractf128_ps,
    _mm256_floor_pd, _mm256_floor_ps, _mm256_fmadd_pd, _mm256_fmadd_ps, _mm256_hadd_pd, _mm256_hadd_ps,
    _mm256_loadu_pd, _mm256_loadu_ps, _mm256_loadu_si256, _mm256_maskload_pd, _mm256_maskload_ps, _mm256_maskstore_pd,
    _mm256_maskstore_ps, _mm256_max_pd, _mm256_max_ps, _mm256_min_pd, _mm256_min_ps, _mm256_movemask_pd,
    _mm256_movemask_ps, _mm256_mul_pd, _mm256_mul_ps, _mm256_or_pd, _mm256_or_ps, _mm256_permute2f128_pd,
    _mm256_permute2f128_ps, _mm256_round_pd, _mm256_round_ps, _mm256_set1_epi32, _mm256_set1_epi64x, _mm256_set1_pd,
    _mm256_set1_ps, _mm256_shuffle_ps, _mm256_slli_epi32, _mm256_slli_epi64, _mm256_sqrt_pd, _mm256_sqrt_ps,
    _mm256_srai_epi32, _mm256_srli_epi64, _mm256_storeu_pd, _mm256_storeu_ps, _mm256_stream_pd, _mm256_stream_ps,
    _mm256_sub_epi32, _mm256_sub_epi64, _mm256_sub_pd, _mm256_sub_ps, _mm256_unpackhi_pd, _mm256_unpackhi_ps,
    _mm256_unpacklo_pd, _mm256_unpacklo_ps, _mm256_xor_pd, _mm256_xor_ps,
};

use std::ops::{Add, BitAnd, BitOr, Div, Mul, Neg, Not, Sub};

use super::{call, instruction, operators};
use crate::simd::{Kernel, Lanes, Mask};

/// 8 numbers of 4 bytes.
#[derive(Clone, Copy)]
pub struct F32x8(__m256);

/// All bits of a lane of [`F32x8`] set, or none.
#[derive(Clone, Copy)]
pub struct Whole8(__m256);

impl BitAnd for Whole8 {
    type Output = Self;
    #[inline(always)]
    fn bitand(self, b: Self) -> Self {
        // SAFETY: a vector exists only where the processor has its instructions.
        unsafe { Whole8(_mm256_and_ps(self.0, b.0)) }
    }
}

impl BitOr for Whole8 {
    type Output = Self;
    #[inline(always)]
    fn bitor(self, b: Self) -> Self {
        // SAFETY: as above.
        unsafe { Whole8(_mm256_or_ps(self.0, b.0)) }
    }
}

impl Not for Whole8 {
    type Output = Self;
    #[inline(always)]
    fn not(self) -> Self {
        // SAFETY: as above.
        unsafe { Whole8(_mm256_xor_ps(self.0, _mm256_castsi256_ps(_mm256_set1_epi32(-1)))) }
    }
}

impl Mask for Whole8 {
    #[inline(always)]
    fn any(self) -> bool {
        // SAFETY: as above.
        unsafe { _mm256_movemask_ps(self.0) != 0 }
    }
}

operators!(F32x8, _mm256_add_ps, _mm256_sub_ps, _mm256_mul_ps, _mm256_div_ps, _mm256_xor_ps, _mm256_set1_ps(-0.0));

impl Lanes for F32x8 {
    type Scalar = f32;
    type Mask = Whole8;
    const COUNT: usize = 8;
    const VECTORS: usize = 2;
    const TALL: usize = 12;

    call!("avx2,fma");

    #[inline(always)]
    unsafe fn splat(x: f32) -> Self {
        // SAFETY: the caller's.
        unsafe { F32x8(_mm256_set1_ps(x)) }
    }

    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        // SAFETY: the caller's.
        unsafe { F32x8(_mm256_loadu_ps(from)) }
    }

    #[inline(always)]
    unsafe fn load_first(from: *const f32, count: usize) -> Self {
        // SAFETY: the caller's; lanes that the mask leaves out are not read.
        unsafe { F32x8(_mm256_maskload_ps(from, head8(count))) }
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: the caller's.
        unsafe { _mm256_storeu_ps(to, self.0) }
    }

    #[inline(always)]
    unsafe fn store_first(self, to: *mut f32, count: usize) {
        // SAFETY: the caller's; lanes that the mask leaves out are not written.
        unsafe { _mm256_maskstore_ps(to, head8(count), self.0) }
    }

    #[inline(always)]
    unsafe fn stream(self, to: *mut f32) {
        // SAFETY: the caller's.
        unsafe { _mm256_stream_ps(to, self.0) }
    }

    instruction!(fn times_plus(self, b, c) = _mm256_fmadd_ps);
    instruction!(fn larger(self, b) = _mm256_max_ps);
    instruction!(fn smaller(self, b) = _mm256_min_ps);
    instruction!(fn root(self) = _mm256_sqrt_ps);

    #[inline(always)]
    fn magnitude(self) -> Self {
        // SAFETY: a vector exists only where the processor has its instructions.
        unsafe { F32x8(_mm256_andnot_ps(_mm256_set1_ps(-0.0), self.0)) }
    }

    #[inline(always)]
    fn with_sign_of(self, b: Self) -> Self {
        // SAFETY: as above.
        unsafe {
            let sign = _mm256_and_ps(b.0, _mm256_set1_ps(-0.0));
            F32x8(_mm256_or_ps(self.magnitude().0, sign))
        }
    }

    #[inline(always)]
    fn nearest(self) -> Self {
        // SAFETY: as above.
        unsafe { F32x8(_mm256_round_ps::<{ _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC }>(self.0)) }
    }

    #[inline(always)]
    fn floor(self) -> Self {
        // SAFETY: as above.
        unsafe { F32x8(_mm256_floor_ps(self.0)) }
    }

    #[inline(always)]
    fn times_two_to(self, n: Self) -> Self {
        // In three factors, so that each is a normal number and only the last product rounds.
        let limit = self.all(381.0);
        let n = n.smaller(limit).larger(-limit);
        let third = (n * self.all(1.0 / 3.0)).nearest();
        let rest = n - third - third;
        // SAFETY: as above.
        unsafe { self * power8(third) * power8(third) * power8(rest) }
    }

    #[inline(always)]
    fn mantissa_and_exponent(self) -> (Self, Self) {
        // Bits of √½, so that the exponent steps there.
        const OFFSET: i32 = (127 << 23) - std::f32::consts::FRAC_1_SQRT_2.to_bits() as i32;
        // SAFETY: as above.
        unsafe {
            let bits = _mm256_castps_si256(self.0);
            let shifted = _mm256_add_epi32(bits, _mm256_set1_epi32(OFFSET));
            let exponent = _mm256_sub_epi32(_mm256_srai_epi32::<23>(shifted), _mm256_set1_epi32(127));
            let mantissa = _mm256_sub_epi32(bits, _mm256_slli_epi32::<23>(exponent));
            let exponent = _mm256_cvtepi32_ps(exponent);
            (F32x8(_mm256_castsi256_ps(mantissa)), F32x8(exponent))
        }
    }

    #[inline(always)]
    fn above(self, b: Self) -> Whole8 {
        // SAFETY: as above.
        unsafe { Whole8(_mm256_cmp_ps::<_CMP_GT_OQ>(self.0, b.0)) }
    }

    #[inline(always)]
    fn at_least(self, b: Self) -> Whole8 {
        // SAFETY: as above.
        unsafe { Whole8(_mm256_cmp_ps::<_CMP_GE_OQ>(self.0, b.0)) }
    }

    #[inline(always)]
    fn equals(self, b: Self) -> Whole8 {
        // SAFETY: as above.
        unsafe { Whole8(_mm256_cmp_ps::<_CMP_EQ_OQ>(self.0, b.0)) }
    }

    #[inline(always)]
    fn where_or(self, mask: Whole8, b: Self) -> Self {
        // SAFETY: as above.
        unsafe { F32x8(_mm256_blendv_ps(b.0, self.0, mask.0)) }
    }

    #[inline(always)]
    fn sum(self) -> f32 {
        // SAFETY: as above.
        unsafe {
            let half = _mm_add_ps(_mm256_castps256_ps128(self.0), _mm256_extractf128_ps::<1>(self.0));
            let quarter = _mm_add_ps(half, _mm_movehl_ps(half, half));
            _mm_cvtss_f32(_mm_add_ss(quarter, _mm_shuffle_ps::<1>(quarter, quarter)))
        }
    }

    #[inline(always)]
    fn largest(self) -> f32 {
        if self.is_nan().any() {
            return f32::NAN;
        }
        // SAFETY: as above.
        unsafe {
            let half = _mm_max_ps(_mm256_castps256_ps128(self.0), _mm256_extractf128_ps::<1>(self.0));
            let quarter = _mm_max_ps(half, _mm_movehl_ps(half, half));
            _mm_cvtss_f32(_mm_max_ss(quarter, _mm_shuffle_ps::<1>(quarter, quarter)))
        }
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
            // Four rows at a time: columns q and 4 + q in the halves of vector q.
            macro_rules! four {
                ($i:expr) => {{
                    let (a, b, c, d) = (row!($i), row!($i + 1), row!($i + 2), row!($i + 3));
                    let (ab, cd) = (_mm256_unpacklo_ps(a, b), _mm256_unpacklo_ps(c, d));
                    let (ab_high, cd_high) = (_mm256_unpackhi_ps(a, b), _mm256_unpackhi_ps(c, d));
                    [
                        _mm256_shuffle_ps::<0x44>(ab, cd),
                        _mm256_shuffle_ps::<0xEE>(ab, cd),
                        _mm256_shuffle_ps::<0x44>(ab_high, cd_high),
                        _mm256_shuffle_ps::<0xEE>(ab_high, cd_high),
                    ]
                }};
            }
            let (a, b) = (four!(0), four!(4));
            for q in 0..4 {
                leave!(q, _mm256_permute2f128_ps::<0x20>(a[q], b[q]));
                leave!(4 + q, _mm256_permute2f128_ps::<0x31>(a[q], b[q]));
            }
        }
    }

    #[inline(always)]
    unsafe fn sums<const N: usize>(vectors: &[Self; N], to: *mut f32) {
        for (chunk, group) in vectors.chunks_exact(Self::COUNT).enumerate() {
            // SAFETY: a vector exists only where the processor has its instructions; the place is the caller's.
            unsafe {
                macro_rules! pair {
                    ($i:expr) => {{ _mm256_hadd_ps(group[$i].0, group[$i + 1].0) }};
                }
                let (low, high) = (_mm256_hadd_ps(pair!(0), pair!(2)), _mm256_hadd_ps(pair!(4), pair!(6)));
                let first = _mm256_permute2f128_ps::<0x20>(low, high);
                let second = _mm256_permute2f128_ps::<0x31>(low, high);
                _mm256_storeu_ps(to.add(chunk * Self::COUNT), _mm256_add_ps(first, second));
            }
        }
    }
}

/// The mask of the first lanes.
///
/// # Safety
/// The processor has AVX2.
#[inline(always)]
unsafe fn head8(count: usize) -> __m256i {
    const TABLE: [i32; 16] = [-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0];
    debug_assert!(count <= 8);
    // SAFETY: 8 integers from place 8 - count are inside of the table.
    unsafe { _mm256_loadu_si256(TABLE.as_ptr().add(8 - count).cast()) }
}

/// 4 numbers of 8 bytes.
#[derive(Clone, Copy)]
pub struct F64x4(__m256d);

/// All bits of a lane of [`F64x4`] set, or none.
#[derive(Clone, Copy)]
pub struct Whole4(__m256d);

impl BitAnd for Whole4 {
    type Output = Self;
    #[inline(always)]
    fn bitand(self, b: Self) -> Self {
        // SAFETY: a vector exists only where the processor has its instructions.
        unsafe { Whole4(_mm256_and_pd(self.0, b.0)) }
    }
}

impl BitOr for Whole4 {
    type Output = Self;
    #[inline(always)]
    fn bitor(self, b: Self) -> Self {
        // SAFETY: as above.
        unsafe { Whole4(_mm256_or_pd(self.0, b.0)) }
    }
}

impl Not for Whole4 {
    type Output = Self;
    #[inline(always)]
    fn not(self) -> Self {
        // SAFETY: as above.
        unsafe { Whole4(_mm256_xor_pd(self.0, _mm256_castsi256_pd(_mm256_set1_epi32(-1)))) }
    }
}

impl Mask for Whole4 {
    #[inline(always)]
    fn any(self) -> bool {
        // SAFETY: as above.
        unsafe { _mm256_movemask_pd(self.0) != 0 }
    }
}

operators!(F64x4, _mm256_add_pd, _mm256_sub_pd, _mm256_mul_pd, _mm256_div_pd, _mm256_xor_pd, _mm256_set1_pd(-0.0));

impl Lanes for F64x4 {
    type Scalar = f64;
    type Mask = Whole4;
    const COUNT: usize = 4;
    const VECTORS: usize = 2;
    const TALL: usize = 12;

    call!("avx2,fma");

    #[inline(always)]
    unsafe fn splat(x: f64) -> Self {
        // SAFETY: the caller's.
        unsafe { F64x4(_mm256_set1_pd(x)) }
    }

    #[inline(always)]
    unsafe fn load(from: *const f64) -> Self {
        // SAFETY: the caller's.
        unsafe { F64x4(_mm256_loadu_pd(from)) }
    }

    #[inline(always)]
    unsafe fn load_first(from: *const f64, count: usize) -> Self {
        // SAFETY: the caller's; lanes that the mask leaves out are not read.
        unsafe { F64x4(_mm256_maskload_pd(from, head4(count))) }
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f64) {
        // SAFETY: the caller's.
        unsafe { _mm256_storeu_pd(to, self.0) }
    }

    #[inline(always)]
    unsafe fn store_first(self, to: *mut f64, count: usize) {
        // SAFETY: the caller's; lanes that the mask leaves out are not written.
        unsafe { _mm256_maskstore_pd(to, head4(count), self.0) }
    }

    #[inline(always)]
    unsafe fn stream(self, to: *mut f64) {
        // SAFETY: the caller's.
        unsafe { _mm256_stream_pd(to, self.0) }
    }

    instruction!(fn times_plus(self, b, c) = _mm256_fmadd_pd);
    instruction!(fn larger(self, b) = _mm256_max_pd);
    instruction!(fn smaller(self, b) = _mm256_min_pd);
    instruction!(fn root(self) = _mm256_sqrt_pd);

    #[inline(always)]
    fn magnitude(self) -> Self {
        // SAFETY: a vector exists only where the processor has its instructions.
        unsafe { F64x4(_mm256_andnot_pd(_mm256_set1_pd(-0.0), self.0)) }
    }

    #[inline(always)]
    fn with_sign_of(self, b: Self) -> Self {
        // SAFETY: as above.
        unsafe {
            let sign = _mm256_and_pd(b.0, _mm256_set1_pd(-0.0));
            F64x4(_mm256_or_pd(self.magnitude().0, sign))
        }
    }

    #[inline(always)]
    fn nearest(self) -> Self {
        // SAFETY: as above.
        unsafe { F64x4(_mm256_round_pd::<{ _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC }>(self.0)) }
    }

    #[inline(always)]
    fn floor(self) -> Self {
        // SAFETY: as above.
        unsafe { F64x4(_mm256_floor_pd(self.0)) }
    }

    #[inline(always)]
    fn times_two_to(self, n: Self) -> Self {
        // In three factors, so that each is a normal number and only the last product rounds.
        let limit = self.all(3069.0);
        let n = n.smaller(limit).larger(-limit);
        let third = (n * self.all(1.0 / 3.0)).nearest();
        let rest = n - third - third;
        // SAFETY: as above.
        unsafe { self * power4(third) * power4(third) * power4(rest) }
    }

    #[inline(always)]
    fn mantissa_and_exponent(self) -> (Self, Self) {
        // Bits of √½, so that the exponent steps there.
        const OFFSET: i64 = (1023 << 52) - std::f64::consts::FRAC_1_SQRT_2.to_bits() as i64;
        // SAFETY: as above.
        unsafe {
            // 1.5 · 2^52: its last bits are the units.
            let magic = _mm256_set1_pd(6_755_399_441_055_744.0);
            let bits = _mm256_castpd_si256(self.0);
            let shifted = _mm256_add_epi64(bits, _mm256_set1_epi64x(OFFSET));
            let exponent = _mm256_sub_epi64(_mm256_srli_epi64::<52>(shifted), _mm256_set1_epi64x(1023));
            let mantissa = _mm256_sub_epi64(bits, _mm256_slli_epi64::<52>(exponent));
            let exponent =
                _mm256_sub_pd(_mm256_castsi256_pd(_mm256_add_epi64(exponent, _mm256_castpd_si256(magic))), magic);
            (F64x4(_mm256_castsi256_pd(mantissa)), F64x4(exponent))
        }
    }

    #[inline(always)]
    fn above(self, b: Self) -> Whole4 {
        // SAFETY: as above.
        unsafe { Whole4(_mm256_cmp_pd::<_CMP_GT_OQ>(self.0, b.0)) }
    }

    #[inline(always)]
    fn at_least(self, b: Self) -> Whole4 {
        // SAFETY: as above.
        unsafe { Whole4(_mm256_cmp_pd::<_CMP_GE_OQ>(self.0, b.0)) }
    }

    #[inline(always)]
    fn equals(self, b: Self) -> Whole4 {
        // SAFETY: as above.
        unsafe { Whole4(_mm256_cmp_pd::<_CMP_EQ_OQ>(self.0, b.0)) }
    }

    #[inline(always)]
    fn where_or(self, mask: Whole4, b: Self) -> Self {
        // SAFETY: as above.
        unsafe { F64x4(_mm256_blendv_pd(b.0, self.0, mask.0)) }
    }

    #[inline(always)]
    fn sum(self) -> f64 {
        // SAFETY: as above.
        unsafe {
            let half = _mm_add_pd(_mm256_castpd256_pd128(self.0), _mm256_extractf128_pd::<1>(self.0));
            _mm_cvtsd_f64(_mm_add_sd(half, _mm_unpackhi_pd(half, half)))
        }
    }

    #[inline(always)]
    fn largest(self) -> f64 {
        if self.is_nan().any() {
            return f64::NAN;
        }
        // SAFETY: as above.
        unsafe {
            let half = _mm_max_pd(_mm256_castpd256_pd128(self.0), _mm256_extractf128_pd::<1>(self.0));
            _mm_cvtsd_f64(_mm_max_sd(half, _mm_unpackhi_pd(half, half)))
        }
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
            // Two rows at a time: columns q and 2 + q in the halves of vector q.
            macro_rules! two {
                ($i:expr) => {{
                    let (a, b) = (row!($i), row!($i + 1));
                    [_mm256_unpacklo_pd(a, b), _mm256_unpackhi_pd(a, b)]
                }};
            }
            let (a, b) = (two!(0), two!(2));
            for q in 0..2 {
                leave!(q, _mm256_permute2f128_pd::<0x20>(a[q], b[q]));
                leave!(2 + q, _mm256_permute2f128_pd::<0x31>(a[q], b[q]));
            }
        }
    }

    #[inline(always)]
    unsafe fn sums<const N: usize>(vectors: &[Self; N], to: *mut f64) {
        for (chunk, group) in vectors.chunks_exact(Self::COUNT).enumerate() {
            // SAFETY: a vector exists only where the processor has its instructions; the place is the caller's.
            unsafe {
                macro_rules! pair {
                    ($i:expr) => {{ _mm256_hadd_pd(group[$i].0, group[$i + 1].0) }};
                }
                let (low, high) = (pair!(0), pair!(2));
                let first = _mm256_permute2f128_pd::<0x20>(low, high);
                let second = _mm256_permute2f128_pd::<0x31>(low, high);
                _mm256_storeu_pd(to.add(chunk * Self::COUNT), _mm256_add_pd(first, second));
            }
        }
    }
}

/// The mask of the first lanes.
///
/// # Safety
/// The processor has AVX2.
#[inline(always)]
unsafe fn head4(count: usize) -> __m256i {
    const TABLE: [i64; 8] = [-1, -1, -1, -1, 0, 0, 0, 0];
    debug_assert!(count <= 4);
    // SAFETY: 4 integers from place 4 - count are inside of the table.
    unsafe { _mm256_loadu_si256(TABLE.as_ptr().add(4 - count).cast()) }
}

/// 2^n for integers n of normal numbers.
///
/// # Safety
/// The processor has AVX2.
#[inline(always)]
unsafe fn power8(n: F32x8) -> F32x8 {
    // SAFETY: the caller's.
    unsafe {
        let biased = _mm256_add_epi32(_mm256_cvtps_epi32(n.0), _mm256_set1_epi32(127));
        F32x8(_mm256_castsi256_ps(_mm256_slli_epi32::<23>(biased)))
    }
}

/// 2^n for integers n of normal numbers.
///
/// # Safety
/// The processor has AVX2.
#[inline(always)]
unsafe fn power4(n: F64x4) -> F64x4 {
    // SAFETY: the caller's.
    unsafe {
        let biased = _mm256_add_epi64(_mm256_cvtepi32_epi64(_mm256_cvtpd_epi32(n.0)), _mm256_set1_epi64x(1023));
        F64x4(_mm256_castsi256_pd(_mm256_slli_epi64::<52>(biased)))
    }
}
