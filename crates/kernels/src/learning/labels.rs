//! A softmax group of label units on the visible side: the top of a deep belief net with labels
//! (Hinton, Osindero & Teh 2006, section 6).
//!
//! Exactly one of the group's units is on. Its unit y adds its weights to the input of the
//! hidden units, `x + w_y`, and is reconstructed as probabilities,
//! `p(y|h) = softmax(b + w h)`. Without labels every function here does nothing.

use crate::learning::update::{self, StepRule};
use crate::learning::weights::Factors;
use crate::products::dense;
use crate::products::panels::Panels;
use crate::products::scratch::Scratch;
use crate::products::source::Source;
use crate::rng::Uniforms;
use crate::row::{BLOCK, Row, ZERO};
use crate::simd::Level;
use crate::states::lists::Active;
use rayon::prelude::*;
use std::ops::Range;

/// Samples whose label probabilities one task computes.
const GROUP: usize = 16;

/// The label group; all lengths are zero where there is none.
#[derive(Clone, Debug, Default)]
pub(crate) struct Labels {
    pub(crate) classes: usize,
    /// One entry per panel of hidden units, even without labels.
    pub(crate) panels: Vec<LabelPanel>,
    pub(crate) b: Vec<f32>,
    pub(crate) b_velocity: Vec<f32>,
    /// The label of each sample in the positive phase.
    pub(crate) data: Vec<u32>,
    /// p(y|h) of each chain, row-major [chains, classes].
    pub(crate) p: Vec<f32>,
}

/// The weights between the labels and 32 hidden units, a row per class.
#[derive(Clone, Debug, Default)]
pub(crate) struct LabelPanel {
    pub(crate) w: Vec<Row>,
    pub(crate) velocity: Vec<Row>,
}

impl Labels {
    /// From row-major weights [classes, hidden] and biases [classes]; both may be empty.
    pub(crate) fn new(hidden: usize, w: &[f32], b: &[f32]) -> Self {
        let classes = b.len();
        let packed = Panels::pack(classes, hidden, w);
        let panel = |index| match classes {
            0 => LabelPanel::default(),
            _ => LabelPanel { w: packed.panel(index)[..classes].to_vec(), velocity: vec![ZERO; classes] },
        };
        let panels = (0..hidden.div_ceil(BLOCK)).map(panel).collect();
        Self { classes, panels, b: b.to_vec(), b_velocity: vec![0.0; classes], ..Self::default() }
    }

    /// Row-major [classes, hidden] of one of the panels' parts.
    pub(crate) fn unpack(&self, hidden: usize, part: impl Fn(&LabelPanel) -> &[Row]) -> Vec<f32> {
        let mut out = Vec::with_capacity(self.classes * hidden);
        for class in 0..self.classes {
            out.extend(self.panels.iter().flat_map(|panel| part(panel)[class].0).take(hidden));
            out.truncate((class + 1) * hidden);
        }
        out
    }

    pub(crate) fn set_velocities(&mut self, hidden: usize, w: &[f32], b: &[f32]) {
        for (panel, of) in self.panels.iter_mut().zip(Self::new(hidden, w, b).panels) {
            panel.velocity = of.w;
        }
        self.b_velocity = b.to_vec();
    }

    /// Sets the labels of the positive phase.
    ///
    /// # Panics
    /// If there is not one valid label a sample.
    pub(crate) fn set_data(&mut self, samples: usize, labels: &[u32]) {
        if self.classes == 0 {
            return;
        }
        assert_eq!(labels.len(), samples, "one label a sample");
        assert!(labels.iter().all(|&y| (y as usize) < self.classes), "labels below the number of classes");
        self.data.clear();
        self.data.extend_from_slice(labels);
    }

    /// Room for the sums below.
    pub(crate) fn scratch(&self, samples: usize) -> impl Fn() -> Scratch + Sync + Send + Copy + use<> {
        let rows = if self.classes == 0 { 0 } else { samples };
        move || Scratch::new(rows)
    }

    /// The inputs of a panel's hidden units for the samples from `first` on, with the data's
    /// labels: `x` itself without labels, else `x + w_y` in `scratch`.
    pub(crate) fn with_data<'a>(&self, panel: usize, first: usize, x: &'a [Row], scratch: &'a mut [Row]) -> &'a [Row] {
        if self.classes == 0 {
            return x;
        }
        let (w, sum) = (&self.panels[panel].w, &mut scratch[..x.len()]);
        for ((sum, x), &y) in sum.iter_mut().zip(x).zip(&self.data[first..]) {
            for i in 0..BLOCK {
                sum.0[i] = x.0[i] + w[y as usize].0[i];
            }
        }
        sum
    }

    /// The same with the reconstructed labels of the chains: `x + sum_y p(y) w_y`.
    pub(crate) fn with_reconstruction<'a>(
        &self,
        level: Level,
        w: &[Row],
        first: usize,
        x: &'a [Row],
        scratch: &'a mut [Row],
    ) -> &'a [Row] {
        if self.classes == 0 {
            return x;
        }
        let sum = &mut scratch[..x.len()];
        sum.copy_from_slice(x);
        dense::dense(level, w, &self.p[first * self.classes..], self.classes, 1, sum);
        sum
    }

    /// p(y|h) of all chains, whose hidden states `hidden` and `lists` describe.
    pub(crate) fn reconstruct(&mut self, level: Level, hidden: Source<'_>, chains: usize, lists: &Active) {
        self.inputs(level, hidden, chains, lists);
        let classes = self.classes.max(1);
        self.p.par_chunks_mut(GROUP * classes).for_each(|p| p.chunks_exact_mut(classes).for_each(softmax));
    }

    /// Their logits `b + w h`, instead of p(y|h).
    pub(crate) fn inputs(&mut self, level: Level, hidden: Source<'_>, chains: usize, lists: &Active) {
        if self.classes == 0 {
            return;
        }
        let (classes, b) = (self.classes, &self.b);
        let rows = self.panels.len() * BLOCK;
        let columns: Vec<Vec<Row>> = (0..classes.div_ceil(BLOCK)).map(|q| self.column_panel(q, rows)).collect();
        self.p.resize(chains * classes, 0.0);
        self.p.par_chunks_mut(GROUP * classes).enumerate().for_each(|(group, p)| {
            let mut x = vec![ZERO; p.len() / classes];
            for (q, panel) in columns.iter().enumerate() {
                hidden.product(level, panel, lists, group * GROUP, &mut x);
                for (p, x) in p.chunks_exact_mut(classes).zip(&x) {
                    for ((p, x), b) in p[q * BLOCK..].iter_mut().zip(&x.0).zip(&b[q * BLOCK..]) {
                        *p = x + b;
                    }
                }
            }
        });
    }

    /// Puts a label drawn from them instead of every chain's p(y|h).
    pub(crate) fn sample(&mut self, draw: Uniforms) {
        for (chain, p) in self.p.chunks_exact_mut(self.classes.max(1)).enumerate() {
            let mut left = draw.at(chain as u32, 0);
            // Rounding may leave the sum short of one: the last class takes what is left.
            let passed = |&&p: &&f32| {
                left -= p;
                left >= 0.0
            };
            let label = p.iter().take_while(passed).count().min(p.len() - 1);
            p.fill(0.0);
            p[label] = 1.0;
        }
    }

    /// Columns `32 q ..` of the transpose [hidden, classes].
    fn column_panel(&self, q: usize, rows: usize) -> Vec<Row> {
        // A row more, of zeros, that lists of hidden units are filled up with.
        let mut out = vec![ZERO; rows + 1];
        for (j, row) in out[..rows].iter_mut().enumerate() {
            for (value, w) in row.0.iter_mut().zip(&self.panels[j / BLOCK].w[q * BLOCK..]) {
                *value = w.0[j % BLOCK];
            }
        }
        out
    }

    /// Adds a chunk's contributions to the gradient [classes] of a panel: `table` holds the
    /// data's in its first rows, the chains' from row `size` on.
    pub(crate) fn accumulate(
        &self,
        level: Level,
        table: &[Row],
        size: usize,
        (data, chains): (Range<usize>, Range<usize>),
        gradient: &mut [Row],
    ) {
        if self.classes == 0 {
            return;
        }
        for (row, &y) in table.iter().zip(&self.data[data]) {
            for (sum, x) in gradient[y as usize].0.iter_mut().zip(&row.0) {
                *sum += x;
            }
        }
        let rows = &table[size..size + chains.len()];
        dense::dense(level, rows, &self.p[chains.start * self.classes..], 1, self.classes, gradient);
    }

    /// The biases' gradient, data minus `r` times reconstruction.
    pub(crate) fn bias_gradient(&self, r: f32, factors: Option<&Factors>) -> Vec<f32> {
        let mut gradient = vec![0.0; self.classes];
        for (row, &y) in self.data.iter().enumerate() {
            gradient[y as usize] += factors.map_or(1.0, |factors| factors.positive[row]);
        }
        for (row, p) in self.p.chunks_exact(self.classes.max(1)).enumerate() {
            let r = factors.map_or(r, |factors| r * factors.negative[row]);
            for (sum, p) in gradient.iter_mut().zip(p) {
                *sum -= r * p;
            }
        }
        gradient
    }

    /// Steps the biases along their gradient.
    pub(crate) fn step_biases(&mut self, rule: &StepRule, scale: f32, gradient: &[f32]) {
        for ((b, velocity), gradient) in self.b.iter_mut().zip(&mut self.b_velocity).zip(gradient) {
            *velocity = rule.momentum * *velocity + scale * gradient;
            *b += *velocity;
        }
    }
}

impl LabelPanel {
    /// Steps the weights; returns the largest |weight| as bits.
    pub(crate) fn step(&mut self, level: Level, rule: &StepRule, scale: f32, gradient: &[Row]) -> u32 {
        update::apply(level, rule, scale, gradient, &mut self.velocity, &mut self.w)
    }
}

/// Logits become probabilities, in place.
pub(crate) fn softmax(x: &mut [f32]) {
    let top = x.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    for x in x.iter_mut() {
        *x = libm::expf(*x - top);
    }
    let sum: f32 = x.iter().sum();
    for x in x {
        *x /= sum;
    }
}

/// Logits become the logarithms of probabilities, in place.
pub(crate) fn log_softmax(x: &mut [f32]) {
    let top = x.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let sum: f32 = x.iter().map(|x| libm::expf(x - top)).sum();
    let log = libm::logf(sum);
    for x in x {
        *x = *x - top - log;
    }
}
