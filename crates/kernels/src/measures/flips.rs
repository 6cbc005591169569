//! How probable each visible unit of a sample is given all others, for all units at once.
//!
//! Where unit i changes by d, the input of hidden unit j goes from `x_j` to `x_j + d w_ij`. With `p = sigmoid(x)`,
//!
//! ```text
//! sum over j of softplus(x_j + d w_ij) - softplus(x_j) = ln product over j of (1 - p_j + p_j exp(d w_ij))
//! ```
//!
//! All terms are above 0, so that nothing cancels. The exponentials of states, d = 1 or -1, are tabled once for all
//! samples: a weight costs two multiplications and an addition, and a unit one logarithm. A product of 32-bit numbers
//! has as many factors as cannot overflow; products are joined in 64 bits, and their exponents counted apart.

use crate::products::panels::Panels;
use crate::row::{BLOCK, Row, ZERO};
use crate::simd::{Level, dispatch};
use crate::units::math::{exp, ln, softplus};

/// The largest sum of weights that the exponent of a product may reach: four lanes of them, exp(80), are 32-bit numbers,
/// and eight of those a 64-bit one.
const REACH: f32 = 20.0;

/// Bytes of tables that one task passes through for all of its samples: half of a second-level cache.
const TILE: usize = 1 << 19;

/// p(h = 1 | v) and p(h = 0 | v) of 32 hidden units, each to its own rounding.
#[derive(Clone, Copy)]
pub(crate) struct Odds {
    on: Row,
    off: Row,
}

impl Odds {
    /// Of inputs, panel by panel.
    pub(crate) fn of(level: Level, inputs: &[Row]) -> Vec<Self> {
        let mut odds = vec![Self { on: ZERO, off: ZERO }; inputs.len()];
        sigmoids(level, inputs, &mut odds);
        odds
    }
}

/// exp(w) and exp(-w) of weights [visible, hidden].
pub(crate) struct Flips<'a> {
    weights: &'a Panels,
    up: Panels,
    down: Panels,
    /// Panels whose factors are multiplied in 32 bits.
    group: usize,
}

impl<'a> Flips<'a> {
    /// Of weights that are all small enough.
    pub(crate) fn new(level: Level, weights: &'a Panels) -> Option<Self> {
        let mut largest = 0.0_f32;
        for w in weights.rows().iter().flat_map(|row| row.0) {
            if w.is_nan() || w.abs() > REACH {
                return None;
            }
            largest = largest.max(w.abs());
        }
        let table = |sign: f32| {
            let mut table = weights.clone();
            table.slices_mut().for_each(|panel| exponentials(level, sign, panel));
            table
        };
        let group = (REACH / largest.max(1e-3)) as usize;
        Some(Self { weights, up: table(1.0), down: table(-1.0), group: group.max(1) })
    }

    /// `sum over i of ln sigmoid(-(sum over j of the above) - d_i vb_i)` of samples, with the odds of their hidden units
    /// and the change d, from -1 to 1, of each of their visible units.
    pub(crate) fn log_likelihoods(&self, level: Level, odds: &[Vec<Odds>], signs: &[Vec<f32>], vb: &[Row]) -> Vec<f64> {
        let mut sums = vec![0.0; odds.len()];
        let panels = odds.first().map_or(1, Vec::len).max(1);
        let tile = (TILE / (2 * panels * size_of::<Row>())).next_multiple_of(BLOCK);
        let units = signs.first().map_or(0, Vec::len);
        let (mut mantissas, mut exponents) = (vec![0.0; tile.min(units)], vec![0.0; tile.min(units)]);
        for first in (0..units).step_by(tile) {
            let end = units.min(first + tile);
            let (mantissas, exponents) = (&mut mantissas[..end - first], &mut exponents[..end - first]);
            for ((odds, signs), sum) in odds.iter().zip(signs).zip(&mut sums) {
                let signs = &signs[first..end];
                products(level, odds, self, first, signs, mantissas, exponents);
                *sum += log_sigmoids(level, mantissas, exponents, signs, &vb[first / BLOCK..]);
            }
        }
        sums
    }
}

dispatch! {
    fn exponentials(sign: f32, rows: &mut [Row]) {
        for row in rows {
            for w in &mut row.0 {
                *w = exp(sign * *w);
            }
        }
    }
}

dispatch! {
    fn sigmoids(inputs: &[Row], odds: &mut [Odds]) {
        for (x, odds) in inputs.iter().zip(odds) {
            for i in 0..BLOCK {
                odds.on.0[i] = 1.0 / (1.0 + exp(-x.0[i]));
                odds.off.0[i] = 1.0 / (1.0 + exp(x.0[i]));
            }
        }
    }
}

dispatch! {
    /// The products of the units from `first` on that change by `signs`, as `mantissa * 2^exponent`.
    fn products(
        odds: &[Odds], flips: &Flips<'_>, first: usize, signs: &[f32], mantissas: &mut [f32], exponents: &mut [f32],
    ) {
        let found = mantissas.iter_mut().zip(exponents);
        for (unit, (&sign, (mantissa, exponent))) in signs.iter().zip(found).enumerate() {
            let unit = first + unit;
            // States have their tables; comparing is exact, since 1 - 2 v is.
            (*mantissa, *exponent) = if sign == 1.0 {
                product(odds, &flips.up, unit, flips.group, |w| w)
            } else if sign == -1.0 {
                product(odds, &flips.down, unit, flips.group, |w| w)
            } else {
                product(odds, flips.weights, unit, flips.group, |w| exp(sign * w))
            };
        }
    }
}

#[inline(always)]
fn product(odds: &[Odds], table: &Panels, unit: usize, group: usize, factor: impl Fn(f32) -> f32) -> (f32, f32) {
    const MANTISSA: u64 = (1 << 52) - 1;
    let (mut mantissa, mut exponent) = (1.0_f64, 0_i64);
    let mut rows = table.rows()[unit..].iter().step_by(table.height());
    for odds in odds.chunks(group) {
        let mut lanes = [1.0_f32; BLOCK];
        for (odds, w) in odds.iter().zip(&mut rows) {
            for i in 0..BLOCK {
                lanes[i] *= odds.off.0[i] + odds.on.0[i] * factor(w.0[i]);
            }
        }
        let mut eight = [0.0_f32; 8];
        for i in 0..8 {
            eight[i] = (lanes[i] * lanes[i + 8]) * (lanes[i + 16] * lanes[i + 24]);
        }
        let mut four = [0.0_f64; 4];
        for i in 0..4 {
            four[i] = f64::from(eight[i]) * f64::from(eight[i + 4]);
        }
        let bits = (mantissa * ((four[0] * four[2]) * (four[1] * four[3]))).to_bits();
        exponent += (bits >> 52) as i64 - 1023;
        mantissa = f64::from_bits(bits & MANTISSA | 1023 << 52);
    }
    (mantissa as f32, exponent as f32)
}

dispatch! {
    /// `sum over units of ln sigmoid(-ln(mantissa 2^exponent) - sign vb)`.
    fn log_sigmoids(mantissas: &[f32], exponents: &[f32], signs: &[f32], vb: &[Row]) -> f64 {
        let mut sum = 0.0;
        let parts = mantissas.chunks(BLOCK).zip(exponents.chunks(BLOCK)).zip(signs.chunks(BLOCK)).zip(vb);
        for (((mantissas, exponents), signs), vb) in parts {
            let mut terms = [0.0; BLOCK];
            for (i, term) in terms.iter_mut().enumerate().take(signs.len()) {
                *term = softplus(ln(mantissas[i]) + exponents[i] * std::f32::consts::LN_2 + signs[i] * vb.0[i]);
            }
            sum -= terms.iter().map(|&term| f64::from(term)).sum::<f64>();
        }
        sum
    }
}
