//! The positions of the bits of a word, as list entries: the step from states to lists.
//!
//! A word is unpacked byte by byte through a table of the bit positions in a byte, or at once
//! where the processor can move chosen lanes of a vector together (AVX-512 VBMI2). Both write
//! the same entries; the cost follows the number of words, hardly that of bits.

use crate::row::BLOCK;

/// Entries beyond the end of what was appended that may be overwritten with garbage.
pub(crate) const SPARE: usize = BLOCK;

/// Bit positions of each byte; entries beyond the byte's bits are never used.
static POSITIONS: [[u8; 8]; 256] = {
    let mut table = [[0; 8]; 256];
    let mut byte = 0;
    while byte < 256 {
        let (mut bit, mut count) = (0, 0);
        while bit < 8 {
            if byte >> bit & 1 == 1 {
                table[byte][count] = bit;
                count += 1;
            }
            bit += 1;
        }
        byte += 1;
    }
    table
};

/// Appends `base +` the position of every bit of each `(word, base)` at `list[at..]`, and returns
/// the new end. Up to [`SPARE`] entries beyond it are overwritten.
#[inline(always)]
pub(crate) fn append(words: impl Iterator<Item = (u32, u16)>, list: &mut [u16], at: usize) -> usize {
    #[cfg(target_arch = "x86_64")]
    if vectors::available() {
        // SAFETY: the processor was asked.
        return unsafe { vectors::append(words, list, at) };
    }
    append_by_bytes(words, list, at)
}

#[inline(always)]
fn append_by_bytes(words: impl Iterator<Item = (u32, u16)>, list: &mut [u16], mut at: usize) -> usize {
    for (word, base) in words {
        if word == 0 {
            continue;
        }
        for byte in 0..4u16 {
            let bits = (word >> (8 * byte)) & 255;
            let out = &mut list[at..at + 8];
            for (out, &position) in out.iter_mut().zip(&POSITIONS[bits as usize]) {
                *out = base + 8 * byte + u16::from(position);
            }
            at += bits.count_ones() as usize;
        }
    }
    at
}

/// The forms for processors with AVX-512 VBMI2.
#[cfg(target_arch = "x86_64")]
pub(crate) mod vectors {
    use super::BLOCK;
    use std::arch::x86_64::{
        __m512i, _mm512_add_epi16, _mm512_loadu_si512, _mm512_mask_add_epi16, _mm512_maskz_compress_epi16,
        _mm512_set1_epi16, _mm512_set1_epi32, _mm512_storeu_si512, _mm512_test_epi32_mask,
    };

    /// Whether the processor has them.
    #[inline(always)]
    pub(crate) fn available() -> bool {
        is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512vbmi2")
            && is_x86_feature_detected!("popcnt")
    }

    static COUNTING: [u16; BLOCK] = {
        let mut counting = [0; BLOCK];
        let mut i = 0;
        while i < BLOCK {
            counting[i] = i as u16;
            i += 1;
        }
        counting
    };

    /// `base`, `base + 1`, ...
    #[target_feature(enable = "avx512f,avx512bw")]
    #[inline]
    fn counting_from(base: u16) -> __m512i {
        // SAFETY: 32 u16 are the 64 bytes of the load, which needs no alignment.
        let counting = unsafe { _mm512_loadu_si512(COUNTING.as_ptr().cast()) };
        _mm512_add_epi16(counting, _mm512_set1_epi16(base.cast_signed()))
    }

    /// Writes the lanes of `values` that `chosen` names at `list[at..]`, and garbage after them.
    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi2,popcnt")]
    #[inline]
    fn put(chosen: u32, values: __m512i, list: &mut [u16], at: usize) -> usize {
        let out = &mut list[at..at + BLOCK];
        // SAFETY: the slice has the 64 bytes of the store, which needs no alignment.
        unsafe { _mm512_storeu_si512(out.as_mut_ptr().cast(), _mm512_maskz_compress_epi16(chosen, values)) };
        at + chosen.count_ones() as usize
    }

    /// As [`super::append`].
    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi2,popcnt")]
    pub(super) fn append(words: impl Iterator<Item = (u32, u16)>, list: &mut [u16], mut at: usize) -> usize {
        for (word, base) in words {
            at = put(word, counting_from(base), list, at);
        }
        at
    }

    /// Bit `bit` of each of 32 words.
    #[target_feature(enable = "avx512f")]
    #[inline]
    fn column(words: &[u32; BLOCK], bit: usize) -> u32 {
        let chosen = _mm512_set1_epi32((1u32 << bit).cast_signed());
        // SAFETY: each half of the words has the 64 bytes of a load, which needs no alignment.
        let (low, high) = unsafe {
            (_mm512_loadu_si512(words.as_ptr().cast()), _mm512_loadu_si512(words[BLOCK / 2..].as_ptr().cast()))
        };
        let (low, high) = (_mm512_test_epi32_mask(low, chosen), _mm512_test_epi32_mask(high, chosen));
        u32::from(low) | u32::from(high) << 16
    }

    /// For unit `bit` of a block, appends the row of a chunk's table for every sample it is on in:
    /// `s` where only its word in `positive` says so, `size + s` where only the one in `negative`
    /// does, `2 size + s` where both do. Words are in groups of 32 samples. Returns the new end
    /// and how often either said so.
    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi2,popcnt")]
    pub(crate) fn append_contrast(
        positive: &[[u32; BLOCK]],
        negative: &[[u32; BLOCK]],
        bit: usize,
        size: u16,
        list: &mut [u16],
        mut at: usize,
    ) -> (usize, [u32; 2]) {
        let (once, twice) = (_mm512_set1_epi16(size.cast_signed()), _mm512_set1_epi16((2 * size).cast_signed()));
        let mut counts = [0; 2];
        for (group, (positive, negative)) in positive.iter().zip(negative).enumerate() {
            let (p, n) = (column(positive, bit), column(negative, bit));
            let samples = counting_from((group * BLOCK) as u16);
            let rows = _mm512_mask_add_epi16(samples, n & !p, samples, once);
            let rows = _mm512_mask_add_epi16(rows, n & p, samples, twice);
            at = put(p | n, rows, list, at);
            counts[0] += p.count_ones();
            counts[1] += n.count_ones();
        }
        (at, counts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_the_positions_of_the_bits() {
        let words = [(0, 0), (0x8000_0001, 32), (u32::MAX, 64), (0x0F0A_5300, 65_472), (0, 96), (1 << 17, 128)];
        let expected: Vec<u16> = words
            .iter()
            .flat_map(|&(word, base)| (0..32).filter(move |bit| word >> bit & 1 == 1).map(move |bit| base + bit))
            .collect();
        let mut list = vec![7; 100 + SPARE];
        for start in [0, 3] {
            let end = append_by_bytes(words.into_iter(), &mut list, start);
            assert_eq!(list[start..end], expected);
            let end = append(words.into_iter(), &mut list, start);
            assert_eq!(list[start..end], expected);
        }
    }
}
