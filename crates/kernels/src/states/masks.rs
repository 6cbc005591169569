//! Words that say of 32 values which are such and such.
//!
//! Compilers make vectors of the loop over bits, but do not find the instruction that takes one bit of every lane.

use crate::row::BLOCK;
#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::{
    __m256i, _CMP_NEQ_UQ, _mm256_andnot_si256, _mm256_castsi256_pd, _mm256_castsi256_ps, _mm256_cmp_ps,
    _mm256_cmpeq_epi8, _mm256_cmpeq_epi32, _mm256_cmpeq_epi64, _mm256_loadu_ps, _mm256_loadu_si256,
    _mm256_movemask_epi8, _mm256_movemask_pd, _mm256_movemask_ps, _mm256_or_si256, _mm256_set1_epi8, _mm256_set1_epi32,
    _mm256_set1_epi64x, _mm256_setzero_ps, _mm256_setzero_si256, _mm256_testz_si256,
};

/// A bit for each of up to 32 values, the first one lowest.
#[inline(always)]
pub(crate) fn word_of<T>(values: &[T], is: impl Fn(&T) -> bool) -> u32 {
    let mut on = [0; BLOCK];
    for (i, (on, x)) in on.iter_mut().zip(values).enumerate() {
        *on = u32::from(is(x)) << i;
    }
    on.iter().fold(0, |word, bit| word | bit)
}

/// Which values are 1, by their bits, until one is neither 0 nor 1; returns whether there is none.
#[cfg(target_arch = "x86_64")]
macro_rules! states {
    ($name:ident, $type:ty, $one:expr, $equal:ident, $mask:expr) => {
        #[target_feature(enable = "avx2")]
        pub(crate) fn $name(blocks: &[[$type; BLOCK]], words: &mut [u32]) -> bool {
            const LANES: usize = size_of::<__m256i>() / size_of::<$type>();
            let one = $one;
            for (values, word) in blocks.iter().zip(words) {
                let (mut on, mut others) = (0, _mm256_setzero_si256());
                for i in (0..BLOCK).step_by(LANES) {
                    // SAFETY: the lanes from i on, a multiple of their number, lie within the 32 values, and the load
                    // needs no alignment.
                    let bits = unsafe { _mm256_loadu_si256(values.as_ptr().add(i).cast()) };
                    let equal = $equal(bits, one);
                    others = _mm256_or_si256(others, _mm256_andnot_si256(equal, bits));
                    on |= ($mask(equal) as u32) << i;
                }
                *word = on;
                if _mm256_testz_si256(others, others) == 0 {
                    return false;
                }
            }
            true
        }
    };
}

#[cfg(target_arch = "x86_64")]
states!(doubles, f64, _mm256_set1_epi64x(1f64.to_bits().cast_signed()), _mm256_cmpeq_epi64, |lanes| {
    _mm256_movemask_pd(_mm256_castsi256_pd(lanes))
});
#[cfg(target_arch = "x86_64")]
states!(floats, f32, _mm256_set1_epi32(1f32.to_bits().cast_signed()), _mm256_cmpeq_epi32, |lanes| {
    _mm256_movemask_ps(_mm256_castsi256_ps(lanes))
});
#[cfg(target_arch = "x86_64")]
states!(bytes, u8, _mm256_set1_epi8(1), _mm256_cmpeq_epi8, |lanes| _mm256_movemask_epi8(lanes));

/// Which values are not zero, a word at every `step`.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
pub(crate) fn nonzero(blocks: &[[f32; BLOCK]], words: &mut [u32], step: usize) {
    const LANES: usize = size_of::<__m256i>() / size_of::<f32>();
    for (values, word) in blocks.iter().zip(words.iter_mut().step_by(step)) {
        *word = 0;
        for i in (0..BLOCK).step_by(LANES) {
            // SAFETY: eight floats from i on, a multiple of eight, lie within the 32, and the load needs no alignment.
            let values = unsafe { _mm256_loadu_ps(values.as_ptr().add(i)) };
            let lanes = _mm256_cmp_ps::<_CMP_NEQ_UQ>(values, _mm256_setzero_ps());
            *word |= (_mm256_movemask_ps(lanes) as u32) << i;
        }
    }
}
