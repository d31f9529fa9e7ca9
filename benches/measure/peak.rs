//! The peak of the processor: so many multiplications and additions in a second, as registers alone allow. Threads come in, a
//! speed goes out; memory is never touched.

use std::hint::black_box;
use std::time::Instant;

use matgrad::run::cpu::Pool;

/// Multiplications and additions per second of all threads together, in units of 10⁹.
pub fn peak(pool: &mut Pool) -> f64 {
    const ROUNDS: usize = 20_000;
    let start = Instant::now();
    pool.run(&|_| {
        black_box(fused(ROUNDS));
    });
    let operations = (pool.threads() * ROUNDS * operations_of_a_round()) as f64;
    operations / start.elapsed().as_secs_f64() / 1e9
}

#[cfg(target_arch = "x86_64")]
fn operations_of_a_round() -> usize {
    if is_x86_feature_detected!("avx512f") { 16 * 16 * 2 } else { 12 * 8 * 2 }
}

#[cfg(target_arch = "x86_64")]
fn fused(rounds: usize) -> f32 {
    if is_x86_feature_detected!("avx512f") {
        // SAFETY: the processor has the instructions.
        unsafe { fused_avx512(rounds) }
    } else {
        // SAFETY: a processor on which the bench is of use has them.
        unsafe { fused_avx2(rounds) }
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
fn fused_avx512(rounds: usize) -> f32 {
    use std::arch::x86_64::{_mm512_fmadd_ps, _mm512_reduce_add_ps, _mm512_set1_ps};
    let (x, y) = (_mm512_set1_ps(black_box(0.999_999)), _mm512_set1_ps(black_box(1e-6)));
    let mut sums = [_mm512_set1_ps(black_box(1.0)); 16];
    for _ in 0..rounds {
        for sum in &mut sums {
            *sum = _mm512_fmadd_ps(*sum, x, y);
        }
    }
    sums.iter().map(|&sum| _mm512_reduce_add_ps(sum)).sum()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn fused_avx2(rounds: usize) -> f32 {
    use std::arch::x86_64::{_mm256_cvtss_f32, _mm256_fmadd_ps, _mm256_set1_ps};
    let (x, y) = (_mm256_set1_ps(black_box(0.999_999)), _mm256_set1_ps(black_box(1e-6)));
    let mut sums = [_mm256_set1_ps(black_box(1.0)); 12];
    for _ in 0..rounds {
        for sum in &mut sums {
            *sum = _mm256_fmadd_ps(*sum, x, y);
        }
    }
    sums.iter().map(|&sum| _mm256_cvtss_f32(sum)).sum()
}

#[cfg(not(target_arch = "x86_64"))]
fn operations_of_a_round() -> usize {
    64 * 2
}

#[cfg(not(target_arch = "x86_64"))]
fn fused(rounds: usize) -> f32 {
    let (x, y) = (black_box(0.999_999_f32), black_box(1e-6_f32));
    let mut sums = [black_box(1.0_f32); 64];
    for _ in 0..rounds {
        for sum in &mut sums {
            *sum = sum.mul_add(x, y);
        }
    }
    sums.iter().sum()
}
