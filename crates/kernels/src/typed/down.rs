//! The way down: half-steps from hidden to visible units.

use super::machine::TypedRbm;
use super::panel::Target;
use super::sites;
use super::up::{finish, targets, unpack};
use crate::learning::packed::Transpose;
use crate::products::scratch::Scratch;
use crate::products::source::Source;
use crate::products::whole::Whole;
use crate::rng::Uniforms;
use crate::states::batch::Batch;
use crate::states::lists::{Active, Chunks};
use rayon::prelude::*;

impl TypedRbm {
    /// Half a Gibbs step down: v ~ p(v|h).
    pub fn sample_visible(&mut self, draw: Uniforms) {
        self.down(Some(draw));
    }

    /// As [`Self::sample_visible`], with the means E[v|h] themselves in place of states.
    pub fn mean_visible(&mut self) {
        self.down(None);
    }

    fn down(&mut self, draw: Option<Uniforms>) {
        let (samples, layer) = (self.h.rows(), &self.visible);
        self.inputs.reshape(samples, layer.columns);
        let mut targets = if draw.is_some() {
            targets(layer, samples, &mut self.reconstruction, &mut self.rows)
        } else {
            self.rows.reshape(samples, layer.columns);
            self.rows.rows_mut().chunks_mut(samples.max(1)).map(Target::Rows).collect()
        };
        let source = of_hidden(&self.h, &self.whole, &mut self.hidden_lists);
        let (level, lists, chunks) = (self.level, &self.hidden_lists, Chunks::new(samples));
        let (rec, transpose) = (&self.rec, self.transpose);
        let height = if transpose == Transpose::Stale { self.generative.height() } else { 0 };
        self.generative
            .panels_mut()
            .zip(self.inputs.panels_mut())
            .zip(&layer.panels)
            .zip(&mut targets)
            .enumerate()
            .with_max_len(1)
            .for_each_init(
                || Scratch::new(height),
                |own, (at, (((kept, x), panel), target))| {
                    let weights = if transpose == Transpose::Stale { &mut **own } else { kept };
                    if transpose != Transpose::Kept {
                        rec.transpose_into(level, at, weights);
                    }
                    for chunk in 0..chunks.count() {
                        let range = chunks.range(chunk);
                        let x = &mut x[range.clone()];
                        source.product(level, weights, lists, range.start, x);
                        match (draw, target.of(range.clone())) {
                            (Some(draw), target) => panel.states(level, x, draw, range.start, at, target),
                            (None, Target::Rows(rows)) => panel.means(level, x, rows),
                            (None, Target::Words(_)) => unreachable!("means are values"),
                        }
                    }
                },
            );
        self.transpose = transpose.after_a_pass();
        if let Some(draw) = draw {
            let levels = sites::draw(level, layer, &self.inputs, draw, samples);
            targets.par_iter_mut().enumerate().with_max_len(1).for_each(|(at, target)| {
                sites::set_levels(level, layer, at, &levels, target.of(0..samples));
            });
            finish(layer, samples, &self.rows, &mut self.reconstruction);
        } else {
            let tiles = sites::probabilities(level, layer, &self.inputs, samples);
            self.rows.panels_mut().enumerate().with_max_len(1).for_each(|(at, rows)| {
                sites::set_probabilities(level, layer, at, &tiles, rows);
            });
            unpack(layer, samples, &self.rows, &mut self.reconstruction);
        }
    }

    /// Brings the generative weights up to date outside a down pass.
    pub(crate) fn refresh_generative(&mut self) {
        if self.transpose != Transpose::Kept {
            let (rec, level) = (&self.rec, self.level);
            let panels = self.generative.panels_mut().enumerate().with_max_len(1);
            panels.for_each(|(block, panel)| rec.transpose_into(level, block, panel));
            self.transpose = Transpose::Kept;
        }
    }
}

/// Where the products of hidden states with the weights come from.
pub(crate) fn of_hidden<'a>(h: &'a Batch, whole: &Whole, lists: &mut Active) -> Source<'a> {
    match h {
        Batch::Binary(bits) => Source::of_states(bits, whole, lists),
        Batch::Real { units, values, .. } => Source::Dense(values, *units),
    }
}
