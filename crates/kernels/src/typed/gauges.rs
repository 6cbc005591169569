//! The form that is chosen among all RBMs of one distribution.
//!
//! The weights of a categorical unit may move by w for all of its levels if the hidden fields move by -w, its biases
//! by any number: here they sum to zero. A ReLU or dReLU unit may count in any unit of measure: here its weights have
//! norm 1. Where ln g would leave its range with that, they have the norm that takes it to the end of the range.

use super::layer::Site;
use crate::row::{BLOCK, Row, ZERO};
use crate::simd::{dispatch, row_by_row};
use crate::units::conditional::Moments;

/// Norms below this are those of units without weights, which stay as they are.
const LEAST_NORM: f32 = 1e-15;

/// ln 1e4: where ln g of visible Gaussian units ends; it begins at 0, since their columns have variance 1, which the
/// noise is a share of. A column that never changes, or is a copy of another, would be ever more precise.
pub(crate) const VISIBLE_LOG_G: f32 = 9.210_34;

/// ln 1e6: where ln g of ReLU and dReLU units ends on both sides.
pub(crate) const HIDDEN_LOG_G: f32 = 13.815_511;

dispatch! {
    /// The weights of a panel sum to zero over the levels of each unit. Adds up the means that they had.
    pub(crate) fn zero_sums(sites: &[Site], weights: &mut [Row]) -> Row {
        let mut total = ZERO;
        for site in sites {
            let rows = &mut weights[site.columns()];
            let mut mean = ZERO;
            for row in &*rows {
                row_by_row();
                for i in 0..BLOCK {
                    mean.0[i] += row.0[i];
                }
            }
            let share = 1.0 / rows.len() as f32;
            for i in 0..BLOCK {
                mean.0[i] *= share;
                total.0[i] += mean.0[i];
            }
            for row in rows {
                row_by_row();
                for i in 0..BLOCK {
                    row.0[i] -= mean.0[i];
                }
            }
        }
        total
    }
}

/// The biases of each categorical unit sum to zero.
pub(crate) fn zero_sum_biases(sites: &[Site], fields: &mut [Moments]) {
    for site in sites {
        let sum = site.columns().map(|column| fields[column / BLOCK].b.0[column % BLOCK]).sum::<f32>();
        let mean = sum / site.levels as f32;
        for column in site.columns() {
            fields[column / BLOCK].b.0[column % BLOCK] -= mean;
        }
    }
}

dispatch! {
    /// Gives the units of a panel whose precision learns weights of norm 1, as far as ln g stays within `range`, where it
    /// was before. Returns what that multiplies their states by. `per_row` has s of each row.
    pub(crate) fn unit_norms(
        learned: &Moments, range: (f32, f32), per_row: &[f32], weights: &mut [Row], fields: &mut Moments,
    ) -> Row {
        let mut squares = ZERO;
        for (row, scale) in weights.iter().zip(per_row) {
            row_by_row();
            let share = 1.0 / scale;
            for i in 0..BLOCK {
                squares.0[i] += (share * row.0[i]) * (share * row.0[i]);
            }
        }
        let (mut norm, mut inverse) = (Row([1.0; BLOCK]), Row([1.0; BLOCK]));
        for i in 0..BLOCK {
            let length = libm::sqrtf(squares.0[i]);
            if learned.log_g.0[i] != 0.0 && length > LEAST_NORM && length.is_finite() {
                let below = if learned.log_g_below.0[i] == 0.0 { &fields.log_g } else { &fields.log_g_below };
                let (a, b) = (fields.log_g.0[i], below.0[i]);
                let whole = 2.0 * libm::logf(length);
                // A unit that shrinks at the end of the range would else have a larger bias with every step.
                let step = whole.max(a.max(b) - range.1).min(a.min(b) - range.0);
                let length = length * libm::expf(0.5 * (step - whole));
                (norm.0[i], inverse.0[i]) = (length, 1.0 / length);
                fields.log_g.0[i] -= step;
                fields.log_g_below.0[i] -= learned.log_g_below.0[i] * step;
            }
        }
        scale_rows(&inverse, weights);
        for linear in [&mut fields.b, &mut fields.b_below] {
            scale_rows(&inverse, std::slice::from_mut(linear));
        }
        norm
    }
}

/// What velocities are multiplied by where states are by `norms`.
pub(crate) fn inverse(norms: &Row) -> Row {
    Row(norms.0.map(|norm| 1.0 / norm))
}

dispatch! {
    /// Brings what is remembered of weights and linear fields to their unit of measure.
    pub(crate) fn rescale(factors: &Row, weights: &mut [Row], fields: &mut Moments) {
        scale_rows(factors, weights);
        for linear in [&mut fields.b, &mut fields.b_below] {
            scale_rows(factors, std::slice::from_mut(linear));
        }
    }
}

#[inline(always)]
fn scale_rows(factors: &Row, rows: &mut [Row]) {
    for row in rows {
        row_by_row();
        for i in 0..BLOCK {
            row.0[i] *= factors.0[i];
        }
    }
}

/// Brings ln g of the units that learn it back into its range.
pub(crate) fn bound_precisions(learned: &Moments, (least, most): (f32, f32), fields: &mut Moments) {
    for (learned, log_g) in [(&learned.log_g, &mut fields.log_g), (&learned.log_g_below, &mut fields.log_g_below)] {
        for (log_g, _) in log_g.0.iter_mut().zip(&learned.0).filter(|(_, learned)| **learned != 0.0) {
            // NaN stays, so that it is found.
            *log_g = log_g.clamp(least, most);
        }
    }
}
