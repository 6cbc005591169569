//! Weights step by Adam, and what they pay: see [`super::descent`].

use super::centred::{OfLanes, OfRows, centred};
use super::descent::AdamStep;
use crate::learning::update::StepRule;
use crate::row::{BLOCK, Row, ZERO};
use crate::simd::{Level, dispatch};

/// What the weights of a panel's hidden units pay.
pub(crate) struct Costs {
    pub(crate) l2: f32,
    /// A number a hidden unit.
    pub(crate) l1: Row,
}

impl Costs {
    /// Those of a panel, whose weights are those in bits.
    pub(crate) fn of(
        level: Level,
        rule: &StepRule,
        l1b: f32,
        columns: usize,
        rows: &OfRows,
        lanes: &OfLanes<'_>,
        weights: &[Row],
    ) -> Self {
        let mut l1 = Row([rule.l1; BLOCK]);
        if l1b != 0.0 {
            let sums = magnitudes(level, rows, lanes, weights);
            let share = l1b / columns.max(1) as f32;
            l1.0.iter_mut().zip(sums.0).for_each(|(l1, sum)| *l1 += share * sum);
        }
        Self { l2: rule.l2, l1 }
    }

    /// The cost of a weight in bits, which is `size` times the one that pays.
    #[inline(always)]
    pub(crate) fn pull(&self, i: usize, size: f32, w: f32) -> f32 {
        let sign = if w == 0.0 { 0.0 } else { w.signum() };
        self.l2 * w + self.l1.0[i] * size * sign
    }
}

dispatch! {
    /// The sums over the visible columns of |W|.
    fn magnitudes(rows: &OfRows, lanes: &OfLanes<'_>, weights: &[Row]) -> Row {
        let mut sums = ZERO;
        for (row, w) in weights.iter().enumerate() {
            let share = 1.0 / rows.scale[row];
            for i in 0..BLOCK {
                sums.0[i] += share * w.0[i].abs();
            }
        }
        for i in 0..BLOCK {
            sums.0[i] /= lanes.scale.0[i];
        }
        sums
    }
}

dispatch! {
    /// Steps the weights of a panel along their centred gradient, times `share`. Leaves the steps in `steps`.
    pub(crate) fn step_by_adam(
        adam: &AdamStep, share: f32, costs: &Costs, rows: &OfRows, lanes: &OfLanes<'_>, gradient: &[Row],
        m: &mut [Row], s: &mut [Row], weights: &mut [Row], steps: &mut [Row],
    ) {
        let memory = m.iter_mut().zip(s);
        for (row, (((gradient, (m, s)), w), step)) in gradient.iter().zip(memory).zip(weights).zip(steps).enumerate() {
            let slope = centred(rows, row, lanes, gradient);
            for i in 0..BLOCK {
                let size = rows.scale[row] * lanes.scale.0[i];
                let slope = share * slope[i] - costs.pull(i, size, w.0[i]);
                step.0[i] = adam.step(slope, size, &mut m.0[i], &mut s.0[i]);
                w.0[i] += step.0[i];
            }
        }
    }
}
