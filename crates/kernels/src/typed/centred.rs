//! The centred gradient, of units as they are, and what a step along it multiplies it by.

use super::gradient::TypedStatistics;
use super::layer::Layer;
use super::machine::TypedRbm;
use crate::learning::parameters::Offsets;
use crate::products::panels::pack_rows;
use crate::row::{BLOCK, Row, ZERO};
use crate::simd::dispatch;
use crate::units::conditional::Moments;
use rayon::prelude::*;

/// The root mean square of a mean gradient with real units beyond which it is scaled down.
const MOST_GRADIENT: f64 = 1.0;

/// What the rows of all panels have in common: numbers of the visible units.
pub(crate) struct OfRows {
    /// s.
    pub(crate) scale: Vec<f32>,
    /// Offsets in bits, and those of the units as they are over s: what a step takes from the fields.
    mu: Vec<f32>,
    pub(crate) kept: Vec<f32>,
    /// Gradients of the biases in bits.
    v: Vec<f32>,
}

/// The same of a panel's 32 hidden units.
pub(crate) struct OfLanes<'a> {
    pub(crate) scale: Row,
    pub(crate) lambda: Row,
    pub(crate) kept: Row,
    h: &'a Row,
}

impl TypedRbm {
    pub(crate) fn of_rows(&self, gradient: &TypedStatistics, offsets: &Offsets) -> OfRows {
        let (layer, height) = (&self.visible, self.rec.height());
        assert!([0, layer.columns].contains(&offsets.visible.len()), "an offset a visible column");
        assert_eq!(
            (gradient.w.height(), gradient.visible.len()),
            (height, layer.panels.len()),
            "a gradient of this RBM"
        );
        let each = |rows: &dyn Fn(usize) -> Row, rest: f32| {
            let mut values: Vec<f32> = (0..layer.panels.len()).flat_map(|at| rows(at).0).collect();
            values.resize(height, rest);
            values
        };
        let (mu, kept) = (layer.in_bits(&offsets.visible), padded(&offsets.visible, layer));
        OfRows {
            scale: each(&|at| layer.scale[at], 1.0),
            mu: each(&|at| mu[at], 0.0),
            kept: each(&|at| over(&kept[at], &layer.scale[at]), 0.0),
            v: each(&|at| gradient.visible[at].b, 0.0),
        }
    }

    pub(crate) fn of_lanes<'a>(&self, gradient: &'a TypedStatistics, offsets: &Offsets) -> Vec<OfLanes<'a>> {
        let layer = &self.hidden;
        assert!([0, layer.columns].contains(&offsets.hidden.len()), "an offset a hidden column");
        assert_eq!(gradient.h.len(), layer.panels.len(), "a gradient of this RBM");
        let (lambda, kept) = (layer.in_bits(&offsets.hidden), padded(&offsets.hidden, layer));
        let each = lambda.into_iter().zip(kept).enumerate();
        let lanes = each.map(|(at, (lambda, kept))| {
            let scale = layer.scale[at];
            OfLanes { scale, lambda, kept: over(&kept, &scale), h: &gradient.h[at] }
        });
        lanes.collect()
    }

    /// What a gradient is multiplied by so that the root mean square of its mean over the samples is at most 1, if
    /// some units are real: 1 for most.
    pub(crate) fn shortened(&self, gradient: &TypedStatistics, rows: &OfRows, lanes: &[OfLanes<'_>]) -> f32 {
        if self.visible.discrete && self.hidden.discrete {
            return 1.0;
        }
        let level = self.level;
        // Each panel is summed by one task, and the panels in order: threads change nothing.
        let squares: Vec<f64> = lanes
            .par_iter()
            .enumerate()
            .with_max_len(1)
            .map(|(at, lanes)| gradient_squares(level, rows, lanes, gradient.w.panel(at)))
            .collect();
        let fields = |layer: &Layer, gradient: &[Moments]| {
            let each = gradient.iter().zip(&layer.learned).zip(&layer.scale);
            each.map(|((gradient, learned), scale)| field_squares(gradient, learned, scale)).sum::<f64>()
        };
        let samples = gradient.samples.max(1) as f64;
        let sum = squares.iter().sum::<f64>()
            + fields(&self.visible, &gradient.visible)
            + fields(&self.hidden, &gradient.hidden);
        let count = (self.visible.columns * self.hidden.columns + self.visible.columns + self.hidden.columns) as f64;
        let size = libm::sqrt(sum / count) / samples;
        if size > MOST_GRADIENT { (MOST_GRADIENT / size) as f32 } else { 1.0 }
    }
}

fn padded(values: &[f32], layer: &Layer) -> Vec<Row> {
    let mut rows = pack_rows(values, 0.0);
    rows.resize(layer.panels.len(), ZERO);
    rows
}

fn over(values: &Row, scale: &Row) -> Row {
    Row(std::array::from_fn(|i| values.0[i] / scale.0[i]))
}

/// The squares of a gradient of fields as the units have them, added up.
fn field_squares(gradient: &Moments, learned: &Moments, scale: &Row) -> f64 {
    let mut sum = 0.0;
    for i in 0..BLOCK {
        for part in [
            scale.0[i] * gradient.b.0[i],
            learned.log_g.0[i] * gradient.log_g.0[i],
            learned.b_below.0[i] * gradient.b_below.0[i],
            learned.log_g_below.0[i] * gradient.log_g_below.0[i],
        ] {
            sum += f64::from(part) * f64::from(part);
        }
    }
    sum
}

/// The centred gradient of one row of weights as the units have them, times `s_i s_u`.
#[inline(always)]
pub(crate) fn centred(rows: &OfRows, row: usize, lanes: &OfLanes<'_>, gradient: &Row) -> [f32; BLOCK] {
    let (mu, v, scale) = (rows.mu[row], rows.v[row], rows.scale[row]);
    let mut out = gradient.0;
    for i in 0..BLOCK {
        let factor = scale * lanes.scale.0[i];
        out[i] = factor * factor * (out[i] - (mu * lanes.h.0[i] + v * lanes.lambda.0[i]));
    }
    out
}

dispatch! {
    fn gradient_squares(rows: &OfRows, lanes: &OfLanes<'_>, gradient: &[Row]) -> f64 {
        let mut sums = [0.0_f64; BLOCK];
        for (row, gradient) in gradient.iter().enumerate() {
            let step = centred(rows, row, lanes, gradient);
            for i in 0..BLOCK {
                let own = f64::from(step[i] / (rows.scale[row] * lanes.scale.0[i]));
                sums[i] += own * own;
            }
        }
        sums.iter().sum()
    }
}
