//! Rows of values that may be states, on their way into bits.

use crate::row::BLOCK;
use crate::simd::{Level, dispatch};

/// A number that may be a state.
pub trait Value: Copy + Send + Sync {
    /// Packs a row of values into words of 32 units, the first unit lowest. Returns whether all values are 0 or 1; where
    /// not, the words mean nothing.
    ///
    /// # Panics
    /// If there is not a word for each 32 values.
    fn pack(row: &[Self], words: &mut [u32]) -> bool;

    /// As a 32-bit number.
    fn to_f32(self) -> f32;
}

/// The loop for one type. Signs of zero and NaN have other bits than 0 and 1, and so are no states.
macro_rules! value {
    ($type:ty, $pack:ident, $bits:expr, $one:expr, $to:expr) => {
        dispatch! {
            fn $pack(row: &[$type], words: &mut [u32]) -> bool {
                assert_eq!(words.len(), row.len().div_ceil(BLOCK), "a word for each block");
                let mut others = 0;
                for (values, word) in row.chunks(BLOCK).zip(words) {
                    let mut on = [0; BLOCK];
                    for (i, (on, &x)) in on.iter_mut().zip(values).enumerate() {
                        let bits = $bits(x);
                        *on = u32::from(bits == $one) << i;
                        others |= u32::from(bits != 0 && bits != $one);
                    }
                    *word = on.iter().fold(0, |word, bit| word | bit);
                }
                others == 0
            }
        }

        impl Value for $type {
            fn pack(row: &[Self], words: &mut [u32]) -> bool {
                $pack(Level::detect(), row, words)
            }

            fn to_f32(self) -> f32 {
                $to(self)
            }
        }
    };
}

value!(f64, pack_f64, f64::to_bits, 1f64.to_bits(), |x| x as f32);
value!(f32, pack_f32, f32::to_bits, 1f32.to_bits(), |x| x);
value!(u8, pack_u8, u32::from, 1, f32::from);

#[cfg(test)]
mod tests {
    use super::*;

    fn packs<T: Value>(from: impl Fn(u8) -> T, other: &[T]) {
        for units in [1, 31, 32, 33, 100] {
            let states: Vec<u8> = (0..units).map(|i| u8::from(i % 3 == 0)).collect();
            let mut row: Vec<T> = states.iter().map(|&x| from(x)).collect();
            let mut words = vec![0; (units as usize).div_ceil(32)];
            assert!(T::pack(&row, &mut words));
            for (i, &state) in states.iter().enumerate() {
                assert_eq!(words[i / 32] >> (i % 32) & 1, u32::from(state), "unit {i} of {units}");
            }
            for &other in other {
                row[units as usize / 2] = other;
                assert!(!T::pack(&row, &mut words));
            }
        }
    }

    #[test]
    fn rows_of_states_are_packed_and_others_seen() {
        packs(f64::from, &[0.5, -1.0, 2.0, f64::NAN, f64::INFINITY, 1e-300]);
        packs(f32::from, &[0.5, -1.0, 2.0, f32::NAN, f32::INFINITY, 1e-40]);
        packs(|x| x, &[2, 255]);
    }
}
