//! RBMs that follow another, and chains that are taken over.

use super::centred::{OfLanes, OfRows, centred};
use super::gauges;
use super::gradient::TypedStatistics;
use super::machine::TypedRbm;
use super::step::step_fields;
use crate::learning::parameters::Offsets;
use crate::learning::update::StepRule;
use crate::learning::weights::Factors;
use crate::products::panels::unpack_rows;
use crate::row::{BLOCK, Row};
use crate::simd::{dispatch, row_by_row};
use crate::states::batch::Batch;
use crate::states::bits::Bits;
use crate::states::means::row_sums;
use crate::units::conditional::Moments;
use crate::units::fields::NO_MOMENTS;
use rayon::prelude::*;

impl TypedRbm {
    /// Moves the offsets by `share` of the way towards the means of the data and of E[h|v0] of the last positive phase.
    pub fn follow_means(&mut self, v0: &Batch, share: f32) {
        let samples = self.weights.factors(0).as_ref().map_or(v0.rows().max(1) as f32, Factors::total);
        // A minibatch that weighs nothing says nothing of the means.
        let share = if samples > f32::MIN_POSITIVE { share } else { 0.0 };
        self.follow_sums(&self.sums_of_means(v0), samples, share);
    }

    /// Sums over the samples of the data and of E[h|v0] of the last positive phase, in bits.
    #[must_use]
    pub fn sums_of_means(&self, v0: &Batch) -> Offsets {
        let factors = self.weights.factors(0);
        let factors = factors.as_ref();
        let visible = match factors {
            None => v0.sums(),
            Some(factors) => unpack_rows(&factors.visible_sums(v0), self.visible.columns),
        };
        let panels = (0..self.hidden.panels.len()).map(|at| self.means.panel(at));
        let hidden: Vec<Row> = match factors {
            None => panels.map(row_sums).collect(),
            Some(factors) => panels.map(|rows| factors.sum(rows)).collect(),
        };
        let hidden = unpack_rows(&hidden, self.hidden.columns);
        Offsets { visible, hidden, labels: Vec::new() }
    }

    /// Moves the offsets by `share` of the way towards the means that sums over `samples` have.
    pub fn follow_sums(&mut self, sums: &Offsets, samples: f32, share: f32) {
        let mut offsets = self.offsets.take().unwrap_or_default();
        for (offsets, sums, layer) in
            [(&mut offsets.visible, &sums.visible, &self.visible), (&mut offsets.hidden, &sums.hidden, &self.hidden)]
        {
            offsets.resize(sums.len(), 0.0);
            let units = layer.scale.iter().flat_map(|row| row.0).zip(layer.shift.iter().flat_map(|row| row.0));
            for ((offset, sum), (scale, shift)) in offsets.iter_mut().zip(sums).zip(units) {
                *offset += share * (scale * (sum / samples) + shift - *offset);
            }
        }
        self.offsets = Some(offsets);
    }

    /// Becomes the RBM of fast weights ahead of `slow`, which has just stepped along `gradient`: see
    /// [`crate::Engine::run_ahead`]. The fast weights of a hidden unit follow the unit of measure that `slow` gave it.
    ///
    /// # Panics
    /// If the two have other units.
    pub fn run_ahead(&mut self, slow: &Self, gradient: &TypedStatistics, rate: f32, decay: f32) {
        self.same_units(slow);
        let rule = StepRule { learning_rate: rate, momentum: decay, l2: 0.0, l1: 0.0 };
        let offsets = Offsets::default();
        let (rows, lanes) = (slow.of_rows(gradient, &offsets), slow.of_lanes(gradient, &offsets));
        let scale = slow.shortened(gradient, &rows, &lanes) * rule.scale(gradient.samples);
        let level = self.level;
        self.rec.clone_from(&slow.rec);
        let panels = self.rec.panels_mut().zip(self.velocity.panels_mut()).enumerate().with_max_len(1);
        panels.for_each(|(at, (w, velocity))| {
            step_ahead(level, &rule, scale, &rows, &lanes[at], &slow.rescaled[at], gradient.w.panel(at), velocity, w);
        });
        let unscaled = vec![Row([1.0; BLOCK]); self.visible.panels.len()];
        for (own, of, gradient, rescaled) in [
            (&mut self.visible, &slow.visible, &gradient.visible, &unscaled),
            (&mut self.hidden, &slow.hidden, &gradient.hidden, &slow.rescaled),
        ] {
            for at in 0..own.fields.len() {
                let (learned, velocity, fields) = (&own.learned[at], &mut own.velocity[at], &mut own.fields[at]);
                let mut unmoved = NO_MOMENTS;
                step_fields(&rule, scale, &own.scale[at], learned, &gradient[at], velocity, &mut unmoved);
                for linear in [&mut velocity.b, &mut velocity.b_below] {
                    linear.0.iter_mut().zip(&rescaled[at].0).for_each(|(b, factor)| *b /= factor);
                }
                let sums = each_mut(fields).into_iter().zip(each(&of.fields[at])).zip(each(velocity));
                for ((sum, slow), fast) in sums {
                    *sum = Row(std::array::from_fn(|i| slow.0[i] + fast.0[i]));
                }
                gauges::bound_precisions(learned, own.precisions, fields);
            }
        }
        self.rescaled.clone_from(&slow.rescaled);
        self.refresh();
    }

    /// Moves the parameters by `share` of the way towards those of `other`.
    ///
    /// # Panics
    /// If the two have other units.
    pub fn approach(&mut self, other: &Self, share: f32) {
        self.same_units(other);
        let level = self.level;
        let panels = self.rec.panels_mut().enumerate().with_max_len(1);
        panels.for_each(|(at, own)| towards(level, share, other.rec.panel(at), own));
        for (own, other) in [(&mut self.visible, &other.visible), (&mut self.hidden, &other.hidden)] {
            for (own, other) in own.fields.iter_mut().zip(&other.fields) {
                for (own, other) in each_mut(own).into_iter().zip(each(other)) {
                    towards(level, share, std::slice::from_ref(other), std::slice::from_mut(own));
                }
            }
        }
        self.refresh();
    }

    /// Takes over the chains of an RBM of the same units.
    pub fn take_chains(&mut self, of: &Self) {
        self.h.clone_from(&of.h);
        self.reconstruction.clone_from(&of.reconstruction);
        self.x_states = None;
    }

    /// Takes over chains by their visible states.
    ///
    /// # Panics
    /// If they are not those of this layer.
    pub fn set_chains(&mut self, v: &Batch) {
        self.reconstruction = self.visible.form_of(v);
        self.x_states = None;
    }

    /// Turns visible units of the chains off: no input comes from them.
    pub fn turn_off(&mut self, cells: &Bits) {
        self.visible.units.turn_off(cells, &mut self.reconstruction);
    }

    fn same_units(&self, other: &Self) {
        assert_eq!(self.layers(), other.layers(), "RBMs of the same units");
    }
}

fn each(of: &Moments) -> [&Row; 4] {
    [&of.b, &of.log_g, &of.b_below, &of.log_g_below]
}

fn each_mut(of: &mut Moments) -> [&mut Row; 4] {
    [&mut of.b, &mut of.log_g, &mut of.b_below, &mut of.log_g_below]
}

dispatch! {
    /// Fast weights decay, step along a gradient and take the unit of measure of the hidden units; they are added to
    /// the weights.
    fn step_ahead(
        rule: &StepRule, scale: f32, rows: &OfRows, lanes: &OfLanes<'_>, rescaled: &Row, gradient: &[Row],
        velocity: &mut [Row], weights: &mut [Row],
    ) {
        for (row, ((gradient, velocity), w)) in gradient.iter().zip(velocity).zip(weights).enumerate() {
            let step = centred(rows, row, lanes, gradient);
            for i in 0..BLOCK {
                velocity.0[i] = (rule.momentum * velocity.0[i] + scale * step[i]) / rescaled.0[i];
                w.0[i] += velocity.0[i];
            }
        }
    }
}

dispatch! {
    fn towards(share: f32, other: &[Row], own: &mut [Row]) {
        for (other, own) in other.iter().zip(own) {
            row_by_row();
            for i in 0..BLOCK {
                own.0[i] += share * (other.0[i] - own.0[i]);
            }
        }
    }
}
