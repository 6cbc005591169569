//! Gibbs steps of the packed RBM: the positive phase, and half-steps down and up.

use crate::learning::packed::{PackedRbm, Transpose};
use crate::products::panels::Activations;
use crate::products::scratch::Scratch;
use crate::products::source::Source;
use crate::rng::Uniforms;
use crate::row::ZERO;
use crate::states::batch::Batch;
use crate::states::lists::Chunks;
use crate::units::bernoulli;
use rayon::prelude::*;

impl PackedRbm {
    /// The positive phase: p(h|v0, y), and with `draw` also h ~ p(h|v0, y). `labels` holds y of
    /// each sample; it is ignored by an RBM without a label group.
    ///
    /// # Panics
    /// If there is a label group and not one label of it a sample.
    pub fn infer_hidden(&mut self, v0: &Batch, labels: &[u32], draw: Option<Uniforms>) {
        let samples = v0.rows();
        self.labels.set_data(samples, labels);
        self.weights.clear();
        self.x.reshape(samples, self.hidden);
        self.p0.reshape(samples, self.hidden);
        self.h.reset(samples, self.hidden);
        let source = Source::of_part(v0, &self.whole, &mut self.support, &mut self.visible_lists);
        let (level, rec, lists, chunks) = (self.level, &self.rec, &self.visible_lists, Chunks::new(samples));
        let labels = &self.labels;
        self.x
            .panels_mut()
            .zip(self.p0.panels_mut())
            .zip(self.h.words_mut().par_chunks_mut(samples.max(1)))
            .zip(&self.hb)
            .enumerate()
            .with_max_len(1)
            .for_each_init(labels.scratch(chunks.size), |scratch, (panel, (((x, p), words), bias))| {
                for chunk in 0..chunks.count() {
                    let range = chunks.range(chunk);
                    let (x, p) = (&mut x[range.clone()], &mut p[range.clone()]);
                    source.product(level, rec.panel(panel), lists, range.start, x);
                    let x = labels.with_data(panel, range.start, x, scratch);
                    match draw {
                        Some(draw) => bernoulli::probabilities_and_states(
                            level,
                            x,
                            bias,
                            draw,
                            range.start,
                            panel,
                            p,
                            &mut words[range],
                        ),
                        None => bernoulli::probabilities(level, x, bias, p),
                    }
                }
            });
        match v0 {
            Batch::Binary(bits) => self.x_states.get_or_insert_default().clone_from(bits),
            Batch::Real { .. } => self.x_states = None,
        }
    }

    /// Half a Gibbs step down: v ~ p(v|h), and the labels' p(y|h).
    pub fn sample_visible(&mut self, draw: Uniforms) {
        let samples = self.h.rows();
        let states = self.reconstruction.make_binary(samples, self.visible);
        let source = Source::of_states(&self.h, &self.whole, &mut self.hidden_lists);
        let (level, lists, chunks) = (self.level, &self.hidden_lists, Chunks::new(samples));
        let (rec, transpose) = (&self.rec, self.transpose);
        let height = if transpose == Transpose::Stale { self.generative.height() } else { 0 };
        self.generative
            .panels_mut()
            .zip(states.words_mut().par_chunks_mut(samples.max(1)))
            .zip(&self.vb)
            .enumerate()
            .with_max_len(1)
            .for_each_init(
                || (Scratch::new(chunks.size), Scratch::new(height)),
                |(x, own), (block, ((kept, words), bias))| {
                    let panel = if transpose == Transpose::Stale { &mut **own } else { kept };
                    if transpose != Transpose::Kept {
                        rec.transpose_into(level, block, panel);
                    }
                    for chunk in 0..chunks.count() {
                        let range = chunks.range(chunk);
                        let x = &mut x[..range.len()];
                        source.product(level, panel, lists, range.start, x);
                        bernoulli::states(level, x, bias, draw, range.start, block, &mut words[range]);
                    }
                },
            );
        self.transpose = transpose.after_a_pass();
        self.labels.reconstruct(level, source, samples, &self.hidden_lists);
    }

    /// As [`Self::sample_visible`], with the probabilities p(v|h) themselves in place of states.
    pub fn mean_visible(&mut self) {
        let samples = self.h.rows();
        let mut p = Activations::default();
        p.reshape(samples, self.visible);
        let source = Source::of_states(&self.h, &self.whole, &mut self.hidden_lists);
        let (level, lists) = (self.level, &self.hidden_lists);
        let (rec, transpose) = (&self.rec, self.transpose);
        self.generative.panels_mut().zip(p.panels_mut()).zip(&self.vb).enumerate().with_max_len(1).for_each(
            |(block, ((panel, p), bias))| {
                if transpose != Transpose::Kept {
                    rec.transpose_into(level, block, panel);
                }
                let mut x = vec![ZERO; samples];
                source.product(level, panel, lists, 0, &mut x);
                bernoulli::probabilities(level, &x, bias, p);
            },
        );
        self.transpose = Transpose::Kept;
        p.unpack(self.visible, self.reconstruction.make_real(samples, self.visible));
        self.labels.reconstruct(level, source, samples, &self.hidden_lists);
    }

    /// Draws the labels of the last down pass: states instead of p(y|h).
    pub fn sample_labels(&mut self, draw: Uniforms) {
        self.labels.sample(draw);
    }

    /// Half a Gibbs step up: h ~ p(h|v) for the visible states, and the label probabilities, of
    /// the last down pass.
    pub fn sample_hidden(&mut self, draw: Uniforms) {
        let samples = self.h.rows();
        self.x.reshape(samples, self.hidden);
        let source = Source::of_reconstruction(&self.reconstruction, self.x_states.as_ref(), &mut self.visible_lists);
        let (level, rec, lists, chunks) = (self.level, &self.rec, &self.visible_lists, Chunks::new(samples));
        let labels = &self.labels;
        self.x
            .panels_mut()
            .zip(self.h.words_mut().par_chunks_mut(samples.max(1)))
            .zip(&self.hb)
            .enumerate()
            .with_max_len(1)
            .for_each_init(labels.scratch(chunks.size), |scratch, (panel, ((x, words), bias))| {
                for chunk in 0..chunks.count() {
                    let range = chunks.range(chunk);
                    let x = &mut x[range.clone()];
                    source.product(level, rec.panel(panel), lists, range.start, x);
                    let x = labels.with_reconstruction(level, &labels.panels[panel].w, range.start, x, scratch);
                    bernoulli::states(level, x, bias, draw, range.start, panel, &mut words[range]);
                }
            });
        match &self.reconstruction {
            Batch::Binary(bits) => self.x_states.get_or_insert_default().clone_from(bits),
            Batch::Real { .. } => self.x_states = None,
        }
    }

    /// Brings the generative weights up to date outside a down pass.
    pub(crate) fn refresh_generative(&mut self) {
        if self.transpose != Transpose::Kept {
            let (rec, level) = (&self.rec, self.level);
            self.generative
                .panels_mut()
                .enumerate()
                .with_max_len(1)
                .for_each(|(block, panel)| rec.transpose_into(level, block, panel));
            self.transpose = Transpose::Kept;
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::{Batch, Bits, PackedRbm, Parameters, Sparsity, StepRule, Stream, Uniforms};

    /// The tie of an RBM: `w_gen` is the transpose of `w_rec`, whatever was learned in between.
    /// Values are only moved, so the tie is exact, at every size and through either down pass.
    #[test]
    fn the_down_pass_brings_the_generative_weights_to_the_exact_transpose() {
        for (visible, hidden) in [(1, 1), (7, 5), (32, 32), (33, 64), (97, 31), (70, 250)] {
            let uniforms = |rows: usize, columns: usize, step| -> Vec<f32> {
                let mut values = vec![0.0; rows * columns];
                for (row, out) in values.chunks_exact_mut(columns).enumerate() {
                    Uniforms::new(3, Stream::User, step).fill_row(row as u32, out);
                }
                values
            };
            let parameters = Parameters {
                w_rec: uniforms(visible, hidden, 0).iter().map(|u| u - 0.5).collect(),
                hb: vec![0.1; hidden],
                vb: vec![-0.1; visible],
                ..Parameters::default()
            };
            let mut machine = PackedRbm::new(visible, hidden, &parameters);
            let states: Vec<f32> = uniforms(20, visible, 1).iter().map(|&u| f32::from(u8::from(u < 0.3))).collect();
            let v0 = Batch::Binary(Bits::from_values(20, visible, &states));
            let rule = StepRule { learning_rate: 0.1, momentum: 0.5, l2: 1e-3, l1: 1e-4 };
            for step in 0..6 {
                let draw = |stream| Uniforms::new(1, stream, step);
                machine.infer_hidden(&v0, &[], Some(draw(Stream::Hidden)));
                if step % 3 == 2 {
                    machine.mean_visible();
                } else {
                    // The first pass transposes for itself, the second keeps what it makes.
                    machine.sample_visible(draw(Stream::Visible));
                    let once = machine.reconstruction().to_values();
                    machine.sample_visible(draw(Stream::Visible));
                    assert_eq!(machine.reconstruction().to_values(), once, "{visible}x{hidden}, step {step}");
                }
                let (w_rec, w_gen) = (machine.rec.unpack(), machine.generative.unpack());
                for (i, row) in w_rec.chunks_exact(hidden).enumerate() {
                    for (j, w) in row.iter().enumerate() {
                        let tied = w_gen[j * visible + i];
                        assert_eq!(w.to_bits(), tied.to_bits(), "{visible}x{hidden}, step {step}: w[{i}, {j}]");
                    }
                }
                machine.update(&v0, &rule, Sparsity { target: 0.1, cost: 0.0 });
                // Otherwise the comparison would hold without anything being brought up to date.
                assert!(machine.rec.unpack() != w_rec, "{visible}x{hidden}, step {step}: nothing was learned");
            }
        }
    }
}
