//! The gradient of an update as a thing of its own, and the centred step along it.
//!
//! With the centred energy `-(v - μ)ᵀ W (h - λ) - a·(v - μ) - b·(h - λ)` the gradient no longer depends on
//! which of its two states a unit calls on, and the steps of weights and biases get out of each other's
//! way (Montavon & Müller 2012; Melchior, Fischer & Wiskott, "How to center deep Boltzmann machines",
//! JMLR 17:99, 2016). The model is the same: its usual biases are `vb = a - W λ` and `hb = b - Wᵀ μ`. From
//! the usual statistics S of the weights, s of `vb` and t of `hb`, a step is
//!
//! ```text
//! ΔW  = step along S - μ tᵀ - s λᵀ, with momentum and weight costs
//! Δvb = (step along s) - ΔW λ
//! Δhb = (step along t) - ΔWᵀ μ
//! ```
//!
//! so that what is stored is never centred. The labels of a group count as visible units.

use crate::learning::packed::PackedRbm;
use crate::learning::parameters::Offsets;
use crate::learning::update::{self, StepRule, magnitude};
use crate::learning::weights::Factors;
use crate::products::panels::{Panels, pack_rows, unpack_rows};
use crate::row::{BLOCK, Row, ZERO};
use crate::simd::dispatch;
use crate::states::batch::Batch;
use crate::states::means::row_sums;
use rayon::prelude::*;

/// The gradient of the mean log-likelihood of a minibatch, as far as chains estimate it, times its
/// samples.
#[derive(Clone, Debug, Default)]
pub struct Statistics {
    pub(crate) w: Panels,
    pub(crate) hb: Vec<Row>,
    pub(crate) vb: Vec<Row>,
    /// Of the label weights, for each panel of hidden units a row a class.
    pub(crate) label_w: Vec<Vec<Row>>,
    pub(crate) label_b: Vec<f32>,
    pub(crate) samples: usize,
}

/// What belongs to one panel of hidden units.
pub(crate) struct StatisticsPanel<'a> {
    pub(crate) w: &'a mut [Row],
    pub(crate) hb: &'a mut Row,
    pub(crate) label_w: &'a mut Vec<Row>,
}

impl Statistics {
    /// Takes the shapes of an RBM.
    pub(crate) fn reshape(&mut self, machine: &PackedRbm, samples: usize) {
        self.samples = samples;
        if self.hb.len() != machine.hb.len() || self.w.height() != machine.rec.height() {
            self.w = Panels::zeros(machine.visible, machine.hidden);
            self.hb = vec![ZERO; machine.hb.len()];
            self.label_w = vec![Vec::new(); machine.hb.len()];
        }
    }

    pub(crate) fn panels_mut(&mut self) -> impl Iterator<Item = StatisticsPanel<'_>> {
        let rest = self.hb.iter_mut().zip(&mut self.label_w);
        self.w.slices_mut().zip(rest).map(|(w, (hb, label_w))| StatisticsPanel { w, hb, label_w })
    }
}

impl PackedRbm {
    /// Moves offsets by `share` of the way towards the means of the data, their labels and p(h|v0) of
    /// the last positive phase. Offsets of other sizes are replaced.
    pub fn follow_means(&self, v0: &Batch, share: f32, offsets: &mut Offsets) {
        let samples = self.weights.factors(0).as_ref().map_or(v0.rows().max(1) as f32, Factors::total);
        // A minibatch that weighs nothing says nothing of the means.
        let share = if samples > f32::MIN_POSITIVE { share } else { 0.0 };
        Self::follow_sums(&self.sums_of_means(v0), samples, share, offsets);
    }

    /// Sums over the samples of the data, their labels and p(h|v0) of the last positive phase.
    #[must_use]
    pub fn sums_of_means(&self, v0: &Batch) -> Offsets {
        let factors = self.weights.factors(0);
        let factors = factors.as_ref();
        let (visible, hidden) = match factors {
            None => (v0.sums(), self.p0_sums(row_sums)),
            Some(factors) => {
                let visible = unpack_rows(&factors.visible_sums(v0), self.visible);
                (visible, self.p0_sums(|rows| factors.sum(rows)))
            }
        };
        let mut labels = vec![0.0; self.labels.classes];
        for (row, &y) in self.labels.data.iter().enumerate() {
            labels[y as usize] += factors.map_or(1.0, |factors| factors.positive[row]);
        }
        Offsets { visible, hidden, labels }
    }

    /// Moves offsets by `share` of the way towards the means that sums over `samples` have. Offsets of other sizes are
    /// replaced.
    pub fn follow_sums(sums: &Offsets, samples: f32, share: f32, offsets: &mut Offsets) {
        for (offsets, sums) in [
            (&mut offsets.visible, &sums.visible),
            (&mut offsets.hidden, &sums.hidden),
            (&mut offsets.labels, &sums.labels),
        ] {
            offsets.resize(sums.len(), 0.0);
            for (offset, sum) in offsets.iter_mut().zip(sums) {
                *offset += share * (sum / samples - *offset);
            }
        }
    }

    /// Sums over the samples of p(h|v0) of the last positive phase.
    fn p0_sums(&self, sum: impl Fn(&[Row]) -> Row) -> Vec<f32> {
        let sums: Vec<Row> = (0..self.hb.len()).map(|panel| sum(self.p0.panel(panel))).collect();
        unpack_rows(&sums, self.hidden)
    }

    /// Steps all parameters along a gradient, centred at `offsets` if there are any. The velocities are
    /// those of the centred parameters. Returns the largest |weight| or |bias| afterwards, NaN if one is
    /// NaN.
    ///
    /// # Panics
    /// If gradient or offsets do not have the shapes of the RBM.
    pub fn step(&mut self, gradient: &Statistics, rule: &StepRule, offsets: Option<&Offsets>) -> f32 {
        let (level, scale) = (self.level, rule.scale(gradient.samples));
        let none = Offsets::default();
        let offsets = offsets.unwrap_or(&none);
        assert!([0, self.visible].contains(&offsets.visible.len()), "an offset a visible unit");
        assert!([0, self.hidden].contains(&offsets.hidden.len()), "an offset a hidden unit");
        let (height, classes, panels) = (self.rec.height(), self.labels.classes, self.hb.len());
        assert_eq!((gradient.w.height(), gradient.hb.len()), (height, panels), "a gradient of this RBM");
        self.step_visible(rule, gradient.samples, &gradient.vb, &gradient.label_b);

        let centred = [&offsets.visible, &offsets.hidden, &offsets.labels].iter().any(|means| !means.is_empty());
        // Per visible unit: its offset and the gradient of its bias; labels follow.
        let per_row = |rows: &[f32], len: usize| {
            let mut rows = rows.to_vec();
            rows.resize(len, 0.0);
            rows
        };
        let (mu, s) = (per_row(&offsets.visible, height), per_row(&unpack_rows(&gradient.vb, self.visible), height));
        let label_mu = per_row(&offsets.labels, classes);
        let mut lambda = pack_rows(&offsets.hidden, 0.0);
        lambda.resize(panels, ZERO);
        // ΔW λ of every panel, added up in order below.
        let mut shifts = vec![0.0; panels * (height + classes)];
        let largest = self
            .rec
            .panels_mut()
            .zip(self.velocity.panels_mut())
            .zip(self.hb.par_iter_mut().zip(&mut self.hb_velocity))
            .zip(&mut self.labels.panels)
            .zip(shifts.par_chunks_mut((height + classes).max(1)))
            .enumerate()
            .with_max_len(1)
            .map(|(panel, ((((w, velocity), (hb, hb_velocity)), labels), shifts))| {
                let (t, lambda) = (&gradient.hb[panel], &lambda[panel]);
                rule.step_bias(scale, t, hb_velocity, hb);
                if !centred {
                    let largest = update::apply(level, rule, scale, gradient.w.panel(panel), velocity, w);
                    return largest.max(labels.step(level, rule, scale, &gradient.label_w[panel]));
                }
                let (visible, of_labels) = shifts.split_at_mut(height);
                let centre = Centre { t, lambda };
                let of_units = Rows { offsets: &mu, s: &s, gradient: gradient.w.panel(panel) };
                let largest = centred_step(level, rule, scale, centre, of_units, velocity, w, hb, visible);
                let of_classes = Rows { offsets: &label_mu, s: &gradient.label_b, gradient: &gradient.label_w[panel] };
                let (velocity, w) = (&mut labels.velocity, &mut labels.w);
                largest.max(centred_step(level, rule, scale, centre, of_classes, velocity, w, hb, of_labels))
            })
            .reduce(|| 0, u32::max);
        for shifts in shifts.chunks_exact((height + classes).max(1)) {
            let (visible, labels) = shifts.split_at(height);
            for (bias, shifts) in self.vb.iter_mut().zip(visible.chunks_exact(BLOCK)) {
                bias.0.iter_mut().zip(shifts).for_each(|(b, shift)| *b -= shift);
            }
            self.labels.b.iter_mut().zip(labels).for_each(|(b, shift)| *b -= shift);
        }
        self.stepped(largest)
    }
}

/// What a panel's step is centred by.
#[derive(Clone, Copy)]
struct Centre<'a> {
    /// Statistics of the hidden biases.
    t: &'a Row,
    lambda: &'a Row,
}

/// Rows of weights, each of one visible unit or label.
#[derive(Clone, Copy)]
struct Rows<'a> {
    offsets: &'a [f32],
    /// Gradients of the units' biases.
    s: &'a [f32],
    gradient: &'a [Row],
}

dispatch! {
    /// Steps rows of weights along their centred gradient; takes `ΔWᵀ μ` from the hidden biases and
    /// leaves `ΔW λ` of every row in `shifts`. Returns the largest |weight| as bits.
    fn centred_step(
        rule: &StepRule, scale: f32, centre: Centre<'_>, rows: Rows<'_>, velocity: &mut [Row], weights: &mut [Row],
        hb: &mut Row, shifts: &mut [f32],
    ) -> u32 {
        let mut largest = [0; BLOCK];
        let mut shift = [0.0; BLOCK];
        let units = rows.gradient.iter().zip(rows.offsets.iter().zip(rows.s));
        let steps = velocity.iter_mut().zip(weights).zip(shifts);
        for ((gradient, (&mu, &s)), ((velocity, w), of_row)) in units.zip(steps) {
            let mut centred = gradient.0;
            for i in 0..BLOCK {
                centred[i] -= mu * centre.t.0[i] + s * centre.lambda.0[i];
            }
            rule.step_weights(scale, &centred, velocity, w);
            magnitude(&w.0, &mut largest);
            let mut terms = [0.0; BLOCK];
            for i in 0..BLOCK {
                shift[i] += mu * velocity.0[i];
                terms[i] = velocity.0[i] * centre.lambda.0[i];
            }
            *of_row = sum(terms);
        }
        for i in 0..BLOCK {
            hb.0[i] -= shift[i];
        }
        largest.iter().fold(0, |a, &b| a.max(b))
    }
}

/// Adds up 32 numbers, halves onto halves.
#[inline(always)]
fn sum(mut terms: [f32; BLOCK]) -> f32 {
    let mut half = BLOCK / 2;
    while half > 0 {
        for i in 0..half {
            terms[i] += terms[i + half];
        }
        half /= 2;
    }
    terms[0]
}
