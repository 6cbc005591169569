//! What training is watched by: free energy, reconstruction cost, hidden activity.
//!
//! Free energy of a visible state, in nats (Hinton 2010, section 16.1):
//! `F(v) = - vb·v - sum over hidden j of softplus(hb_j + (v W)_j)`. With a label group,
//! `F(v, y) = - vb·v - b_y - sum over hidden j of softplus(hb_j + (v W)_j + w_yj)`, and
//! p(y|v) is proportional to exp(-F(v, y)), exactly.

use crate::learning::packed::PackedRbm;
use crate::products::source::Source;
use crate::products::whole::Whole;
use crate::rng::Uniforms;
use crate::row::{BLOCK, Row, ZERO};
use crate::states::batch::Batch;
use crate::states::bits::Bits;
use crate::states::lists::{Active, Chunks};
use crate::units::bernoulli;
use rayon::prelude::*;

/// Measurements of an RBM on a batch.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Measures {
    /// Mean free energy, nats per sample.
    pub free_energy: f64,
    /// Mean cross-entropy between the data and p(v|h) for one h ~ p(h|v), nats per sample. With
    /// the mean field p(h|v) instead of the draw it would be another, usually lower, cost.
    pub reconstruction_cost: f64,
    /// Mean E\[h|v\] of each hidden unit, which of a Bernoulli unit is p(h|v).
    pub activity: Vec<f64>,
    /// Standard deviation of E\[h|v\] of each hidden unit over the samples; empty where all units are Bernoulli.
    pub spread: Vec<f64>,
    /// Share of samples whose most probable label is not theirs; `None` without a label group.
    pub label_error: Option<f64>,
}

/// Results of one chunk of samples.
struct Part {
    free_energies: Vec<f64>,
    costs: Vec<f64>,
    activity: Vec<f64>,
    label_errors: f64,
}

impl PackedRbm {
    /// Measures the RBM on a batch and, if it has a label group, the labels that belong to it
    /// (ignored otherwise). Means weigh the samples by `weights`, alike where there are none. Draws hidden states from `draw`, and leaves everything that training
    /// continues with untouched.
    ///
    /// # Panics
    /// If there is a label group and not one label of it a sample, or there are weights and not one a sample.
    pub fn measure(&mut self, batch: &Batch, labels: &[u32], weights: &[f32], draw: Uniforms) -> Measures {
        self.refresh_generative();
        if self.classes() > 0 {
            assert_eq!(labels.len(), batch.rows(), "one label a sample");
        }
        assert!([0, batch.rows()].contains(&weights.len()), "one weight a sample");
        let (mut support, mut lists) = (Bits::default(), Active::default());
        let source = Source::of_batch(batch, &mut support, &mut lists);
        let chunks = Chunks::new(batch.rows());
        // Each sample is summed by one task and the chunks in order: threads change nothing.
        let parts: Vec<Part> = (0..chunks.count())
            .into_par_iter()
            .with_max_len(1)
            .map(|chunk| {
                let range = chunks.range(chunk);
                self.measure_chunk(source, &lists, range, labels, weights, draw, batch)
            })
            .collect();
        let total: f64 = weights.iter().map(|&weight| f64::from(weight)).sum();
        let samples = if weights.is_empty() { batch.rows().max(1) as f64 } else { total.max(f64::MIN_POSITIVE) };
        let mean = |values: fn(&Part) -> &Vec<f64>| {
            let values = parts.iter().flat_map(values);
            if weights.is_empty() {
                return values.sum::<f64>() / samples;
            }
            values.zip(weights).map(|(value, &weight)| value * f64::from(weight)).sum::<f64>() / samples
        };
        let mut activity = vec![0.0; self.hidden];
        for part in &parts {
            for (sum, x) in activity.iter_mut().zip(&part.activity) {
                *sum += x / samples;
            }
        }
        Measures {
            free_energy: mean(|part| &part.free_energies),
            reconstruction_cost: mean(|part| &part.costs),
            activity,
            spread: Vec::new(),
            label_error: (self.classes() > 0)
                .then(|| parts.iter().map(|part| part.label_errors).sum::<f64>() / samples),
        }
    }

    fn measure_chunk(
        &self,
        source: Source<'_>,
        lists: &Active,
        range: std::ops::Range<usize>,
        labels: &[u32],
        weights: &[f32],
        draw: Uniforms,
        batch: &Batch,
    ) -> Part {
        let (level, n) = (self.level, range.len());
        let (mut x, mut p) = (vec![ZERO; n], vec![ZERO; n]);
        let mut part =
            Part { free_energies: vec![0.0; n], costs: vec![0.0; n], activity: Vec::new(), label_errors: 0.0 };
        let labels = if self.classes() == 0 { &[] } else { &labels[range.clone()] };
        // -F(v, y) + vb·v of each class and sample.
        let mut scores: Vec<Vec<f64>> = self.labels.b.iter().map(|&b| vec![f64::from(b); n]).collect();
        let mut h = Bits::zeros(n, self.hidden);
        for (panel, (bias, words)) in self.hb.iter().zip(h.words_mut().chunks_mut(n.max(1))).enumerate() {
            source.product(level, self.rec.panel(panel), lists, range.start, &mut x);
            let w = &self.labels.panels[panel].w;
            for (w, scores) in w.iter().zip(&mut scores) {
                bernoulli::softplus_sums(level, &x, &plus(bias, w), scores);
            }
            for (x, &y) in x.iter_mut().zip(labels) {
                *x = plus(x, &w[y as usize]);
            }
            if w.is_empty() {
                bernoulli::softplus_sums(level, &x, bias, &mut part.free_energies);
            }
            bernoulli::probabilities_and_states(level, &x, bias, draw, range.start, panel, &mut p, words);
            for j in 0..BLOCK {
                let p = p.iter().map(|p| f64::from(p.0[j]));
                part.activity.push(match weights.get(range.clone()) {
                    Some(weights) if n > 0 => p.zip(weights).map(|(p, &weight)| p * f64::from(weight)).sum(),
                    _ => p.sum(),
                });
            }
        }
        let mut hidden_lists = Active::default();
        let from_hidden = Source::of_states(&h, &Whole::default(), &mut hidden_lists);
        let mut linear = vec![0.0; n];
        for (block, bias) in self.vb.iter().enumerate() {
            let data: Vec<Row> = range.clone().map(|s| batch.block(s, block)).collect();
            from_hidden.product(level, self.generative.panel(block), &hidden_lists, 0, &mut x);
            bernoulli::cross_entropies(level, &x, bias, &data, &mut part.costs);
            bernoulli::dot_products(level, &data, bias, &mut linear);
        }
        for (s, &y) in labels.iter().enumerate() {
            let own = scores[y as usize][s];
            part.free_energies[s] = own;
            // A tie goes to the lower class, as in an argmax.
            let beaten =
                |(class, scores): (usize, &Vec<f64>)| scores[s] > own || (scores[s] == own && class < y as usize);
            let weight = weights.get(range.start + s).map_or(1.0, |&weight| f64::from(weight));
            part.label_errors += if scores.iter().enumerate().any(beaten) { weight } else { 0.0 };
        }
        for (f, linear) in part.free_energies.iter_mut().zip(&linear) {
            *f = -*f - linear;
        }
        part
    }
}

fn plus(a: &Row, b: &Row) -> Row {
    Row(std::array::from_fn(|i| a.0[i] + b.0[i]))
}
