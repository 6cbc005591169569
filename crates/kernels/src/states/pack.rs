//! Rows of values on their way into bits, where they are states, or into 32-bit numbers.

use crate::row::BLOCK;
use crate::simd::{Kind, Level, dispatch};
#[cfg(target_arch = "x86_64")]
use crate::states::masks;
use crate::states::masks::word_of;

/// A number that may be a state.
pub trait Value: Copy + Send + Sync {
    /// Packs a row of values into words of 32 units, the first unit lowest. Returns whether all values are 0 or 1; where
    /// not, the words mean nothing.
    ///
    /// # Panics
    /// If there is not a word for each 32 values.
    fn pack(row: &[Self], words: &mut [u32]) -> bool;

    /// Writes a row as 32-bit numbers. Returns whether all of them lie from 0 to 1.
    fn narrow(row: &[Self], numbers: &mut [f32]) -> bool;
}

/// The loops for one type. Signs of zero and NaN have other bits than 0 and 1, and so are no states.
macro_rules! value {
    ($type:ty, $vectors:ident, $narrow:ident, $bits:expr, $one:expr, $to:expr) => {
        dispatch! {
            fn $narrow(row: &[$type], numbers: &mut [f32]) -> bool {
                let mut beyond = 0;
                for (number, &x) in numbers.iter_mut().zip(row) {
                    *number = $to(x);
                    beyond |= u32::from(!(0.0..=1.0).contains(number));
                }
                beyond == 0
            }
        }

        impl Value for $type {
            fn pack(row: &[Self], words: &mut [u32]) -> bool {
                assert_eq!(words.len(), row.len().div_ceil(BLOCK), "a word for each block");
                let portable = |values: &[Self], word: &mut u32| {
                    *word = word_of(values, |&x| $bits(x) == $one);
                    values.iter().all(|&x| $bits(x) == 0 || $bits(x) == $one)
                };
                let (blocks, rest) = row.as_chunks::<BLOCK>();
                let (words, last) = words.split_at_mut(blocks.len());
                let are_states = match Level::detect().0 {
                    Kind::Portable => blocks.iter().zip(words).all(|(values, word)| portable(values, word)),
                    // SAFETY: a level of another kind is made only after the processor was asked.
                    #[cfg(target_arch = "x86_64")]
                    Kind::Avx2 | Kind::Avx512 => unsafe { masks::$vectors(blocks, words) },
                };
                are_states && last.iter_mut().all(|word| portable(rest, word))
            }

            fn narrow(row: &[Self], numbers: &mut [f32]) -> bool {
                $narrow(Level::detect(), row, numbers)
            }
        }
    };
}

value!(f64, doubles, narrow_f64, f64::to_bits, 1f64.to_bits(), |x| x as f32);
value!(f32, floats, narrow_f32, f32::to_bits, 1f32.to_bits(), |x| x);
value!(u8, bytes, narrow_u8, u32::from, 1, f32::from);

#[cfg(test)]
mod tests {
    use super::*;

    /// Other values with the 32-bit numbers that they are and whether these lie from 0 to 1.
    fn packs<T: Value>(from: impl Fn(u8) -> T, other: &[(T, f32, bool)]) {
        for units in [1, 31, 32, 33, 100] {
            let states: Vec<u8> = (0..units).map(|i| u8::from(i % 3 == 0)).collect();
            let mut row: Vec<T> = states.iter().map(|&x| from(x)).collect();
            let mut words = vec![0; (units as usize).div_ceil(32)];
            assert!(T::pack(&row, &mut words));
            for (i, &state) in states.iter().enumerate() {
                assert_eq!(words[i / 32] >> (i % 32) & 1, u32::from(state), "unit {i} of {units}");
            }
            let mut numbers = vec![0.0; row.len()];
            assert!(T::narrow(&row, &mut numbers));
            assert!(numbers.iter().zip(&states).all(|(&number, &state)| number == f32::from(state)));
            for &(other, number, within) in other {
                row[units as usize / 2] = other;
                assert!(!T::pack(&row, &mut words));
                assert_eq!(T::narrow(&row, &mut numbers), within);
                assert_eq!(numbers[units as usize / 2].to_bits(), number.to_bits());
            }
        }
    }

    #[test]
    fn rows_of_states_are_packed_and_others_seen() {
        let others = [0.5, -1.0, 2.0, f32::NAN, f32::INFINITY].map(|x| (x, x, x == 0.5));
        let mut wide = others.map(|(x, number, within)| (f64::from(x), number, within)).to_vec();
        wide.push((1e-300, 0.0, true));
        packs(f64::from, &wide);
        packs(f32::from, &others);
        packs(f32::from, &[(1e-40, 1e-40, true)]);
        packs(|x| x, &[(2, 2.0, false), (255, 255.0, false)]);
    }
}
