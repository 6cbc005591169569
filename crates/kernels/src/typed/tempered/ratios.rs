//! What inputs are at inverse temperatures, and what they add to ratios of probabilities.

use crate::products::scratch::Scratch;
use crate::row::{BLOCK, Row};
use crate::simd::{Level, dispatch, row_by_row};
use crate::typed::panel::Panel;

/// Changes of an input, in standard deviations of its unit, below which cgf is integrated.
const CLOSE: f32 = 0.25;

/// Half the distance of the two points of Gauss's rule, in shares of the interval.
const GAUSS: f32 = 0.288_675_13;

dispatch! {
    /// `out = β x + start + β slope`.
    pub(super) fn tempered(x: &[Row], beta: &[f32], start: &Row, slope: &Row, out: &mut [Row]) {
        for ((x, beta), out) in x.iter().zip(beta).zip(out) {
            row_by_row();
            for i in 0..BLOCK {
                out.0[i] = start.0[i] + beta * (x.0[i] + slope.0[i]);
            }
        }
    }
}

dispatch! {
    pub(super) fn term(v: &Row, slope: &Row, of_g: &Row) -> f64 {
        let mut sum = 0.0;
        for i in 0..BLOCK {
            sum += f64::from(v.0[i] * slope.0[i]) - 0.5 * f64::from(of_g.0[i] * v.0[i] * v.0[i]);
        }
        sum
    }
}

dispatch! {
    /// What inputs change by from one β to another: no digits are lost where these are close.
    pub(super) fn steps_of(x: &[Row], from: &[f32], to: &[f32], slope: &Row, out: &mut [Row]) {
        for ((x, out), (from, to)) in x.iter().zip(out).zip(from.iter().zip(to)) {
            row_by_row();
            for i in 0..BLOCK {
                out.0[i] = (to - from) * (x.0[i] + slope.0[i]);
            }
        }
    }
}

/// `sums[s] = sum over the units of a panel of cgf(high) - cgf(low)`, for inputs that are `step` apart.
///
/// Each sample goes its own way, whatever comes with it.
pub(super) fn ratios(level: Level, panel: &Panel, low: &[Row], step: &[Row], high: &[Row], sums: &mut [f64]) {
    let least = panel.fields.g.0.iter().chain(&panel.fields.g_below.0).copied().fold(1.0, f32::min);
    let close = CLOSE * libm::sqrtf(least);
    let is_close = |step: &Row| step.0.iter().fold(0.0_f32, |largest, step| largest.max(step.abs())) < close;
    let mut first = 0;
    for run in step.chunk_by(|a, b| is_close(a) == is_close(b)) {
        let own = first..first + run.len();
        of_run(level, panel, is_close(&run[0]), &low[own.clone()], run, &high[own.clone()], &mut sums[own]);
        first += run.len();
    }
}

/// The same of samples that go the same way.
fn of_run(level: Level, panel: &Panel, close: bool, low: &[Row], step: &[Row], high: &[Row], sums: &mut [f64]) {
    sums.fill(0.0);
    if !close {
        let mut before = vec![0.0; sums.len()];
        panel.add_cgfs(level, high, sums);
        panel.add_cgfs(level, low, &mut before);
        sums.iter_mut().zip(before).for_each(|(sum, before)| *sum -= before);
        return;
    }
    let [mut point, mut means] = [(); 2].map(|()| Scratch::new(low.len()));
    for at in [0.5 - GAUSS, 0.5 + GAUSS] {
        for ((point, low), step) in point.iter_mut().zip(low).zip(step) {
            point.0 = std::array::from_fn(|i| low.0[i] + at * step.0[i]);
        }
        panel.means(level, &point, &mut means);
        for ((sum, mean), step) in sums.iter_mut().zip(means.iter()).zip(step) {
            for part in &panel.parts {
                *sum += part.lanes.clone().map(|i| 0.5 * f64::from(mean.0[i] * step.0[i])).sum::<f64>();
            }
        }
    }
}
