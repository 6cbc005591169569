//! The way up: the positive phase, and half-steps from visible to hidden units.

use super::layer::Layer;
use super::machine::TypedRbm;
use super::moments;
use super::panel::Target;
use crate::products::panels::Activations;
use crate::products::source::Source;
use crate::rng::Uniforms;
use crate::row::{BLOCK, Row, ZERO};
use crate::states::batch::Batch;
use crate::states::bits::Bits;
use crate::states::lists::Chunks;
use crate::units::fields::NO_MOMENTS;
use rayon::prelude::*;

impl TypedRbm {
    /// The positive phase: E[h|v0], and with `draw` also h ~ p(h|v0).
    ///
    /// # Panics
    /// If the visible units are not those of this layer.
    pub fn infer_hidden(&mut self, v0: &Batch, draw: Option<Uniforms>) {
        assert_eq!(v0.units(), self.visible.columns, "visible units");
        let samples = v0.rows();
        self.weights.clear();
        self.x.reshape(samples, self.hidden.columns);
        self.means.reshape(samples, self.hidden.columns);
        let source = Source::of_part(v0, &self.whole, &mut self.support, &mut self.visible_lists);
        let (level, rec, lists, chunks) = (self.level, &self.rec, &self.visible_lists, Chunks::new(samples));
        let targets: Vec<_> = match draw {
            Some(_) => targets(&self.hidden, samples, &mut self.h, &mut self.rows).into_iter().map(Some).collect(),
            None => self.hidden.panels.iter().map(|_| None).collect(),
        };
        self.x
            .panels_mut()
            .zip(self.means.panels_mut())
            .zip(&mut self.moments)
            .zip(&self.hidden.panels)
            .zip(targets)
            .enumerate()
            .with_max_len(1)
            .for_each(|(at, ((((x, means), moments), panel), mut target))| {
                moments.resize(if panel.learns_moments() { samples } else { 0 }, NO_MOMENTS);
                for chunk in 0..chunks.count() {
                    let range = chunks.range(chunk);
                    let (x, means) = (&mut x[range.clone()], &mut means[range.clone()]);
                    source.product(level, rec.panel(at), lists, range.start, x);
                    let target = target.as_mut().map(|target| target.of(range.clone()));
                    match (draw.zip(target), moments.get_mut(range.clone())) {
                        (drawn, Some(moments)) => {
                            panel.expected(level, x, moments);
                            moments::means(level, moments, means);
                            if let Some((draw, target)) = drawn {
                                panel.states(level, x, draw, range.start, at, target);
                            }
                        }
                        (Some((draw, target)), None) => {
                            panel.means_and_states(level, x, draw, range.start, at, means, target);
                        }
                        (None, None) => panel.means(level, x, means),
                    }
                }
            });
        if draw.is_some() {
            finish(&self.hidden, samples, &self.rows, &mut self.h);
        }
        match v0 {
            Batch::Binary(bits) => self.x_states.get_or_insert_default().clone_from(bits),
            Batch::Real { .. } => self.x_states = None,
        }
    }

    /// Half a Gibbs step up: h ~ p(h|v) for the visible states of the last down pass.
    pub fn sample_hidden(&mut self, draw: Uniforms) {
        let samples = self.reconstruction.rows();
        self.x.reshape(samples, self.hidden.columns);
        let source = Source::of_reconstruction(&self.reconstruction, self.x_states.as_ref(), &mut self.visible_lists);
        let (level, rec, lists, chunks) = (self.level, &self.rec, &self.visible_lists, Chunks::new(samples));
        let targets = targets(&self.hidden, samples, &mut self.h, &mut self.rows);
        self.x.panels_mut().zip(&self.hidden.panels).zip(targets).enumerate().with_max_len(1).for_each(
            |(at, ((x, panel), mut target))| {
                for chunk in 0..chunks.count() {
                    let range = chunks.range(chunk);
                    let x = &mut x[range.clone()];
                    source.product(level, rec.panel(at), lists, range.start, x);
                    panel.states(level, x, draw, range.start, at, target.of(range));
                }
            },
        );
        finish(&self.hidden, samples, &self.rows, &mut self.h);
        match &self.reconstruction {
            Batch::Binary(bits) => self.x_states.get_or_insert_default().clone_from(bits),
            Batch::Real { .. } => self.x_states = None,
        }
    }

    /// Hidden states for chains that know nothing yet: fair coins where all units are bits, and else what a layer of
    /// such units is where no input arrives.
    #[must_use]
    pub fn fresh_hidden(&self, chains: usize, draw: Uniforms) -> Batch {
        let hidden = &self.hidden;
        if hidden.discrete {
            return Batch::Binary(Bits::coins(chains, hidden.columns, draw));
        }
        let (mut h, mut rows) = (Batch::default(), Activations::default());
        // In bits, the fields have the input of spins that are all -1, which is not there.
        let inputs = if self.visible.spins { self.weighted_columns() } else { vec![ZERO; hidden.panels.len()] };
        let targets = targets(hidden, chains, &mut h, &mut rows);
        for (at, ((panel, input), target)) in hidden.panels.iter().zip(inputs).zip(targets).enumerate() {
            let x = vec![Row(input.0.map(|x| -x)); chains];
            panel.states(self.level, &x, draw, 0, at, target);
        }
        finish(hidden, chains, &rows, &mut h);
        h
    }
}

/// Where the states of each panel of a layer go, in `states` or on the way there.
pub(crate) fn targets<'a>(
    layer: &Layer,
    samples: usize,
    states: &'a mut Batch,
    rows: &'a mut Activations,
) -> Vec<Target<'a>> {
    if layer.discrete {
        let words = states.make_binary(samples, layer.columns).words_mut();
        return split(words, samples, layer).into_iter().map(Target::Words).collect();
    }
    rows.reshape(samples, layer.columns);
    split(rows.rows_mut(), samples, layer).into_iter().map(Target::Rows).collect()
}

/// `samples` elements for each panel.
fn split<'a, T>(mut rest: &'a mut [T], samples: usize, layer: &Layer) -> Vec<&'a mut [T]> {
    let panels = layer.panels.iter().map(|_| {
        let (own, others) = std::mem::take(&mut rest).split_at_mut(samples);
        rest = others;
        own
    });
    panels.collect()
}

/// Brings the states of all panels to `states`, where they are values.
pub(crate) fn finish(layer: &Layer, samples: usize, rows: &Activations, states: &mut Batch) {
    if !layer.discrete {
        unpack(layer, samples, rows, states);
    }
}

/// Values as a batch.
pub(crate) fn unpack(layer: &Layer, samples: usize, rows: &Activations, values: &mut Batch) {
    let out = values.make_real(samples, layer.columns);
    out.par_chunks_mut((BLOCK * layer.columns).max(1)).enumerate().with_max_len(1).for_each(|(block, out)| {
        for (s, out) in out.chunks_exact_mut(layer.columns).enumerate() {
            for (at, chunk) in out.chunks_mut(BLOCK).enumerate() {
                chunk.copy_from_slice(&rows.panel(at)[block * BLOCK + s].0[..chunk.len()]);
            }
        }
    });
}
