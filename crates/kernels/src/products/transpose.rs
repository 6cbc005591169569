//! The transpose of a 32 x 32 tile: how the generative weights follow the recognition weights.
//!
//! Plain loops do not vectorise here, so x86-64 has its own: sixteen 8 x 8 transposes in
//! registers. Values are only moved, so every form gives the same bits.

use crate::row::{BLOCK, Row};
use crate::simd::{Kind, Level};

/// `target[i][j] = source[j][i]`; both hold 32 rows.
pub(crate) fn transpose(level: Level, source: &[Row], target: &mut [Row]) {
    let (Ok(source), Ok(target)) = (source.try_into(), target.try_into()) else {
        unreachable!("panels are cut into tiles of 32 rows");
    };
    match level.0 {
        Kind::Portable => portable(source, target),
        // SAFETY: these levels are made only after the processor was seen to support AVX2.
        #[cfg(target_arch = "x86_64")]
        Kind::Avx2 | Kind::Avx512 => unsafe { avx(source, target) },
    }
}

fn portable(source: &[Row; BLOCK], target: &mut [Row; BLOCK]) {
    for i in 0..BLOCK {
        for j in 0..BLOCK {
            target[i].0[j] = source[j].0[i];
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn avx(source: &[Row; BLOCK], target: &mut [Row; BLOCK]) {
    for i in (0..BLOCK).step_by(8) {
        for j in (0..BLOCK).step_by(8) {
            let rows = std::array::from_fn(|k| source[j + k].0[i..].first_chunk().expect("8 columns"));
            let columns = transpose_8x8(rows);
            for (k, column) in columns.into_iter().enumerate() {
                target[i + k].0[j..j + 8].copy_from_slice(&column);
            }
        }
    }
}

/// Pairs of rows are interleaved, then pairs of pairs, then halves are exchanged.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
#[inline]
fn transpose_8x8(rows: [&[f32; 8]; 8]) -> [[f32; 8]; 8] {
    use std::arch::x86_64::{
        __m256, _mm256_loadu_ps, _mm256_permute2f128_ps, _mm256_shuffle_ps, _mm256_storeu_ps, _mm256_unpackhi_ps,
        _mm256_unpacklo_ps,
    };
    // SAFETY: each reference is to eight floats, and the load needs no alignment.
    let r: [__m256; 8] = rows.map(|row| unsafe { _mm256_loadu_ps(row.as_ptr()) });
    let pair = |a: usize| (_mm256_unpacklo_ps(r[a], r[a + 1]), _mm256_unpackhi_ps(r[a], r[a + 1]));
    let (p0, p2, p4, p6) = (pair(0), pair(2), pair(4), pair(6));
    let low = |a: __m256, b: __m256| _mm256_shuffle_ps::<0x44>(a, b);
    let high = |a: __m256, b: __m256| _mm256_shuffle_ps::<0xEE>(a, b);
    let top = [low(p0.0, p2.0), high(p0.0, p2.0), low(p0.1, p2.1), high(p0.1, p2.1)];
    let bottom = [low(p4.0, p6.0), high(p4.0, p6.0), low(p4.1, p6.1), high(p4.1, p6.1)];
    let mut out = [[0.0; 8]; 8];
    for k in 0..4 {
        let left = _mm256_permute2f128_ps::<0x20>(top[k], bottom[k]);
        let right = _mm256_permute2f128_ps::<0x31>(top[k], bottom[k]);
        // SAFETY: each row of `out` is eight floats, and the store needs no alignment.
        unsafe {
            _mm256_storeu_ps(out[k].as_mut_ptr(), left);
            _mm256_storeu_ps(out[k + 4].as_mut_ptr(), right);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_level_transposes() {
        let mut source = [Row([0.0; BLOCK]); BLOCK];
        for (i, row) in source.iter_mut().enumerate() {
            row.0 = std::array::from_fn(|j| (i * BLOCK + j) as f32);
        }
        for level in Level::available() {
            let mut target = source;
            transpose(level, &source, &mut target);
            for i in 0..BLOCK {
                for j in 0..BLOCK {
                    assert_eq!(target[i].0[j], source[j].0[i], "{} at {i}, {j}", level.name());
                }
            }
        }
    }
}
