//! Sums of sufficient statistics over samples.

use crate::row::{BLOCK, Row};
use crate::simd::{dispatch, row_by_row};
use crate::units::conditional::Moments;

dispatch! {
    /// `E[h]` of its two halves.
    pub(crate) fn means(moments: &[Moments], means: &mut [Row]) {
        for (moments, mean) in moments.iter().zip(means) {
            row_by_row();
            for i in 0..BLOCK {
                mean.0[i] = moments.b.0[i] + moments.b_below.0[i];
            }
        }
    }
}

dispatch! {
    /// `sum += factor * weight *` moments; all weigh 1 where there are no weights.
    pub(crate) fn add(moments: &[Moments], weights: Option<&[f32]>, factor: f32, sum: &mut Moments) {
        for (at, moments) in moments.iter().enumerate() {
            let factor = weights.map_or(factor, |weights| factor * weights[at]);
            for i in 0..BLOCK {
                sum.b.0[i] += factor * moments.b.0[i];
                sum.log_g.0[i] += factor * moments.log_g.0[i];
                sum.b_below.0[i] += factor * moments.b_below.0[i];
                sum.log_g_below.0[i] += factor * moments.log_g_below.0[i];
            }
        }
    }
}

dispatch! {
    /// `sums += factor * weight * v²` of row-major values [samples, columns]; all weigh 1 where there are no weights.
    pub(crate) fn add_squares(values: &[f32], columns: usize, weights: Option<&[f32]>, factor: f32, sums: &mut [Row]) {
        for (at, values) in values.chunks_exact(columns.max(1)).enumerate() {
            let factor = weights.map_or(factor, |weights| factor * weights[at]);
            for (values, sums) in values.chunks(BLOCK).zip(sums.iter_mut()) {
                for (v, sum) in values.iter().zip(&mut sums.0) {
                    *sum += factor * v * v;
                }
            }
        }
    }
}
