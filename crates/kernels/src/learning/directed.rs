//! The weights of one direction between two layers, in the layout that trains fastest.
//!
//! Given the units x of the input layer, those of the output layer are independent:
//!
//! ```text
//! p(y_j = 1 | x) = sigmoid(b_j + (x W)_j)                   W [inputs, outputs], b [outputs]
//! ```
//!
//! and the delta rule moves them towards targets t (Hinton, Dayan, Frey & Neal 1995), along the
//! gradient of minus the cross-entropy:
//!
//! ```text
//! W += rate xᵀ (t - p) / n,    b += rate sum over the samples of (t - p) / n
//! ```
//!
//! Where recognition and generative weights are learned apart, neighbouring layers have two such
//! sets: one whose inputs are the lower units, and one whose inputs are the upper ones. Each is
//! used in its own direction only, so that neither needs its transpose. One phase of learning
//! samples from a set and the other one teaches it, on other states: no product serves twice.
//!
//! As in [`crate::PackedRbm`], work is split by panels of 32 outputs, each written by one task in a
//! fixed order, in the caller's rayon pool.

use crate::learning::largest::Largest;
use crate::learning::parameters::{Fields, MAX_UNITS};
use crate::learning::update::{self, StepRule};
use crate::products::dense;
use crate::products::panels::{Activations, Panels, pack_bias, pack_rows, unpack_rows};
use crate::products::scratch::Scratch;
use crate::products::source::Source;
use crate::rng::Uniforms;
use crate::row::{BLOCK, Row, ZERO};
use crate::simd::Level;
use crate::states::batch::Batch;
use crate::states::bits::Bits;
use crate::states::lists::{Active, Chunks};
use crate::states::unit_lists::{Side, UnitLists};
use crate::units::bernoulli;
use rayon::prelude::*;

/// The weights and biases of a direction, or their velocities, row-major.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Weights {
    /// Weights [inputs, outputs].
    pub w: Vec<f32>,
    /// Biases of the outputs.
    pub b: Vec<f32>,
    /// What else the outputs have; nothing of Bernoulli units.
    pub fields: Fields,
}

/// One direction between two layers of Bernoulli units. See the module's formulas.
pub struct Directed {
    level: Level,
    inputs: usize,
    outputs: usize,
    w: Panels,
    b: Vec<Row>,
    w_velocity: Panels,
    b_velocity: Vec<Row>,

    /// Where a real-valued input is not zero.
    support: Bits,
    lists: Active,
    unit_lists: UnitLists,
    pub(crate) largest: Largest,
}

impl Directed {
    /// Packs `weights` from `inputs` to `outputs` units.
    ///
    /// # Panics
    /// If the lengths do not fit the sizes or a size exceeds [`MAX_UNITS`].
    #[must_use]
    pub fn new(inputs: usize, outputs: usize, weights: &Weights) -> Self {
        assert!(inputs <= MAX_UNITS && outputs <= MAX_UNITS, "at most {MAX_UNITS} units a layer");
        assert_eq!(weights.b.len(), outputs, "one bias an output");
        let b = pack_bias(&weights.b);
        Self {
            level: Level::detect(),
            inputs,
            outputs,
            w: Panels::pack(inputs, outputs, &weights.w),
            w_velocity: Panels::zeros(inputs, outputs),
            b_velocity: vec![ZERO; b.len()],
            b,
            support: Bits::default(),
            lists: Active::default(),
            unit_lists: UnitLists::default(),
            largest: Largest::default(),
        }
    }

    /// Bytes held for these sizes and batches of `batch` samples.
    #[must_use]
    pub fn bytes(inputs: usize, outputs: usize, batch: usize) -> u64 {
        let (inputs, outputs) = (inputs.next_multiple_of(BLOCK), outputs.next_multiple_of(BLOCK));
        let weights = 2 * 4 * inputs * outputs;
        let lists = batch * (2 * inputs + 2 * 2 * inputs + inputs / 8);
        (weights + lists) as u64
    }

    /// Units of the input layer.
    #[must_use]
    pub fn inputs(&self) -> usize {
        self.inputs
    }

    /// Units of the output layer.
    #[must_use]
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// Uses one instruction set, for tests and comparisons.
    pub fn set_level(&mut self, level: Level) {
        self.level = level;
    }

    /// The weights and biases.
    #[must_use]
    pub fn weights(&self) -> Weights {
        Weights { w: self.w.unpack(), b: unpack_rows(&self.b, self.outputs), fields: Fields::default() }
    }

    /// The velocities that momentum keeps.
    #[must_use]
    pub fn velocities(&self) -> Weights {
        let (w, b) = (self.w_velocity.unpack(), unpack_rows(&self.b_velocity, self.outputs));
        Weights { w, b, fields: Fields::default() }
    }

    /// Continues with the velocities of an earlier run.
    ///
    /// # Panics
    /// If a length does not fit.
    pub fn set_velocities(&mut self, velocities: &Weights) {
        assert_eq!(velocities.b.len(), self.outputs, "one velocity a bias");
        self.w_velocity = Panels::pack(self.inputs, self.outputs, &velocities.w);
        self.b_velocity = pack_rows(&velocities.b, 0.0);
    }

    /// Writes states y ~ p(y|x) of every sample to `states`; sample s draws from row s of `draw`.
    ///
    /// # Panics
    /// If the input has another number of units.
    pub fn sample(&mut self, input: &Batch, draw: Uniforms, states: &mut Batch) {
        let samples = self.samples(input);
        let states = states.make_binary(samples, self.outputs);
        let source = Source::of_batch(input, &mut self.support, &mut self.lists);
        let (level, w, lists, chunks) = (self.level, &self.w, &self.lists, Chunks::new(samples));
        states.words_mut().par_chunks_mut(samples.max(1)).zip(&self.b).enumerate().with_max_len(1).for_each_init(
            || Scratch::new(chunks.size),
            |x, (panel, (words, bias))| {
                for chunk in 0..chunks.count() {
                    let range = chunks.range(chunk);
                    let x = &mut x[..range.len()];
                    source.product(level, w.panel(panel), lists, range.start, x);
                    bernoulli::states(level, x, bias, draw, range.start, panel, &mut words[range]);
                }
            },
        );
    }

    /// Writes p(y|x) of every sample to `probabilities`.
    ///
    /// # Panics
    /// If the input has another number of units.
    pub fn probabilities(&mut self, input: &Batch, probabilities: &mut Batch) {
        let samples = self.samples(input);
        let mut p = Activations::default();
        p.reshape(samples, self.outputs);
        let source = Source::of_batch(input, &mut self.support, &mut self.lists);
        let (level, w, lists, chunks) = (self.level, &self.w, &self.lists, Chunks::new(samples));
        p.panels_mut().zip(&self.b).enumerate().with_max_len(1).for_each_init(
            || Scratch::new(chunks.size),
            |x, (panel, (p, bias))| {
                for chunk in 0..chunks.count() {
                    let range = chunks.range(chunk);
                    let x = &mut x[..range.len()];
                    source.product(level, w.panel(panel), lists, range.start, x);
                    bernoulli::probabilities(level, x, bias, &mut p[range]);
                }
            },
        );
        p.unpack(self.outputs, probabilities.make_real(samples, self.outputs));
    }

    /// Mean cross-entropy between targets and p(y|x), summed over the outputs, in nats per
    /// sample: `sum over j of softplus(b_j + (x W)_j) - t_j (b_j + (x W)_j)`, which stays finite
    /// where probabilities saturate. For targets p(y|x) it is the entropy.
    ///
    /// # Panics
    /// If numbers of units or samples do not fit.
    pub fn cross_entropy(&mut self, input: &Batch, target: &Batch) -> f64 {
        let samples = self.samples_of_pair(input, target);
        let source = Source::of_batch(input, &mut self.support, &mut self.lists);
        let (level, w, lists, chunks) = (self.level, &self.w, &self.lists, Chunks::new(samples));
        let parts: Vec<f64> = (0..chunks.count())
            .into_par_iter()
            .with_max_len(1)
            .map(|chunk| {
                let range = chunks.range(chunk);
                let (mut x, mut costs) = (vec![ZERO; range.len()], vec![0.0; range.len()]);
                for (panel, bias) in self.b.iter().enumerate() {
                    source.product(level, w.panel(panel), lists, range.start, &mut x);
                    let target: Vec<Row> = range.clone().map(|s| target.block(s, panel)).collect();
                    bernoulli::cross_entropies(level, &x, bias, &target, &mut costs);
                }
                costs.iter().sum()
            })
            .collect();
        parts.iter().sum::<f64>() / samples.max(1) as f64
    }

    /// One step of the delta rule, with momentum and weight costs as `rule` says. Returns the
    /// largest |weight| or |bias| afterwards: NaN if a parameter is NaN.
    ///
    /// # Panics
    /// If numbers of units or samples do not fit.
    pub fn learn(&mut self, input: &Batch, target: &Batch, rule: &StepRule) -> f32 {
        let samples = self.samples_of_pair(input, target);
        let chunks = Chunks::new(samples);
        let source = Source::of_batch(input, &mut self.support, &mut self.lists);
        let (side, dense) = Side::of_batch(input, &self.support);
        // Nothing is taken away from the inputs' statistics, and their own biases are not here.
        let mut sums = vec![ZERO; self.inputs.div_ceil(BLOCK)];
        self.unit_lists.gather(chunks, side, Side::Dense, 0.0, &mut sums);

        let scale = rule.learning_rate / samples.max(1) as f32;
        let (level, inputs, height) = (self.level, self.inputs, self.w.height());
        let (lists, unit_lists) = (&self.lists, &self.unit_lists);
        // One chunk of sparse inputs needs no gradient in memory.
        let direct = chunks.count() == 1 && dense.is_empty();
        let largest = self
            .w
            .panels_mut()
            .zip(self.w_velocity.panels_mut())
            .zip(self.b.par_iter_mut().zip(&mut self.b_velocity))
            .enumerate()
            .with_max_len(1)
            .map_init(
                || (chunks.table(), Scratch::new(chunks.size), Scratch::new(if direct { 0 } else { height })),
                |(table, targets, gradient), (panel, ((w, w_velocity), (b, b_velocity)))| {
                    let mut b_gradient = ZERO;
                    gradient.fill(ZERO);
                    for chunk in 0..chunks.count() {
                        let range = chunks.range(chunk);
                        let (errors, targets) = (&mut table[..range.len()], &mut targets[..range.len()]);
                        source.product(level, w, lists, range.start, errors);
                        for (row, s) in targets.iter_mut().zip(range.clone()) {
                            *row = target.block(s, panel);
                        }
                        bernoulli::errors(level, errors, b, targets, &mut b_gradient);
                        if !dense.is_empty() {
                            let values = &dense[range.start * inputs..];
                            dense::dense(level, errors, values, 1, inputs, &mut gradient[..inputs]);
                        }
                        if chunk + 1 < chunks.count() {
                            update::accumulate(level, table, unit_lists, chunk, gradient);
                        }
                    }
                    let last = chunks.count() - 1;
                    let largest = update::step(level, rule, scale, table, unit_lists, last, gradient, w_velocity, w);
                    rule.step_bias(scale, &b_gradient, b_velocity, b);
                    largest
                },
            )
            .reduce(|| 0, u32::max);
        f32::from_bits(largest.max(update::largest_bias(self.b.iter())))
    }

    fn samples(&self, input: &Batch) -> usize {
        assert_eq!(input.units(), self.inputs, "a value for each input");
        input.rows()
    }

    fn samples_of_pair(&self, input: &Batch, target: &Batch) -> usize {
        assert_eq!((target.rows(), target.units()), (input.rows(), self.outputs), "a target for each output");
        self.samples(input)
    }
}
