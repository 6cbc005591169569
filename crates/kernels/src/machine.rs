//! An RBM in the layout that trains fastest, and the operations learning rules are made of.
//!
//! A step of CD-k (Hinton 2002) is
//!
//! ```text
//! machine.positive(v0, hidden draw)        p(h|v0) and h ~ p(h|v0)
//! repeat k times:
//!     machine.down(visible draw)           v ~ p(v|h)
//!     machine.up(hidden draw)              h ~ p(h|v), except after the last
//! machine.learn(v0, rule)                  W += rate (v0ᵀ p(h|v0) - vᵀ p(h|v)) / n
//! ```
//!
//! Weights live in panels of 32 columns in both directions: the up pass adds rows of `rec`
//! (a row per visible unit), the down pass rows of `gen` (a row per hidden unit). Work is
//! split by panel, each output written by one task in a fixed order, so that the result does
//! not depend on the number of threads. All parallel work runs in the caller's rayon pool.

use crate::lists::{Active, Chunks, Side, UnitLists};
use crate::panels::{Activations, Panels, Row, ZERO, pack_bias, unpack_rows};
use crate::product;
use crate::rng::{BLOCK, Uniforms};
use crate::simd::Level;
use crate::states::{Batch, Bits};
use crate::units;
use crate::update::{self, Rule};
use rayon::prelude::*;

/// Units per layer at most: list entries are 16-bit.
pub const MAX_UNITS: usize = 65_504;

/// Pull of the mean hidden activity towards a target (Hinton 2010, section 11).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sparsity {
    /// Wanted mean probability of a hidden unit.
    pub target: f32,
    /// Strength; 0 turns it off.
    pub cost: f32,
}

/// The weights, biases and velocities of an RBM, row-major.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Parameters {
    /// Recognition weights [visible, hidden]; the generative ones are their transpose.
    pub w_rec: Vec<f32>,
    /// Hidden biases.
    pub hb: Vec<f32>,
    /// Visible biases.
    pub vb: Vec<f32>,
}

/// An RBM with Bernoulli units and everything one training step needs. See the module's
/// formula for the order of calls.
pub struct Machine {
    pub(crate) level: Level,
    visible: usize,
    pub(crate) hidden: usize,
    pub(crate) rec: Panels,
    pub(crate) generative: Panels,
    /// Whether `generative` lags behind `rec`; the next down pass brings it up to date.
    pub(crate) stale: bool,
    pub(crate) hb: Vec<Row>,
    pub(crate) vb: Vec<Row>,
    velocity: Panels,
    hb_velocity: Vec<Row>,
    vb_velocity: Vec<Row>,

    /// Products of the visible states with the weights, `x = v W`.
    x: Activations,
    /// The binary visible states that `x` belongs to, if any.
    x_states: Option<Bits>,
    p0: Activations,
    h: Bits,
    /// The visible states of the negative phase, binary or probabilities.
    reconstruction: Batch,
    /// Where a real-valued batch is not zero.
    support: Bits,
    visible_lists: Active,
    hidden_lists: Active,
    unit_lists: UnitLists,
}

impl Machine {
    /// Packs `parameters` of an RBM with `visible` x `hidden` units.
    ///
    /// # Panics
    /// If the lengths do not fit the sizes or a size exceeds [`MAX_UNITS`].
    #[must_use]
    pub fn new(visible: usize, hidden: usize, parameters: &Parameters) -> Self {
        assert!(visible <= MAX_UNITS && hidden <= MAX_UNITS, "at most {MAX_UNITS} units a layer");
        assert_eq!(parameters.hb.len(), hidden, "one hidden bias a unit");
        assert_eq!(parameters.vb.len(), visible, "one visible bias a unit");
        let (hb, vb) = (pack_bias(&parameters.hb), pack_bias(&parameters.vb));
        Self {
            level: Level::detect(),
            visible,
            hidden,
            rec: Panels::pack(visible, hidden, &parameters.w_rec),
            generative: Panels::zeros(hidden, visible),
            stale: true,
            velocity: Panels::zeros(visible, hidden),
            hb_velocity: vec![ZERO; hb.len()],
            vb_velocity: vec![ZERO; vb.len()],
            hb,
            vb,
            x: Activations::default(),
            x_states: None,
            p0: Activations::default(),
            h: Bits::default(),
            reconstruction: Batch::default(),
            support: Bits::default(),
            visible_lists: Active::default(),
            hidden_lists: Active::default(),
            unit_lists: UnitLists::default(),
        }
    }

    /// Bytes held for an RBM of these sizes and batches of `batch` samples.
    #[must_use]
    pub fn bytes(visible: usize, hidden: usize, batch: usize) -> u64 {
        let (v, h) = (visible.next_multiple_of(BLOCK), hidden.next_multiple_of(BLOCK));
        let weights = 3 * 4 * v * h;
        let activations = batch * (4 * 2 * h + (v + h) / 4);
        let lists = batch * 2 * (v + h + 2 * v);
        (weights + activations + lists) as u64
    }

    /// Number of visible units.
    #[must_use]
    pub fn visible(&self) -> usize {
        self.visible
    }

    /// Number of hidden units.
    #[must_use]
    pub fn hidden(&self) -> usize {
        self.hidden
    }

    /// Uses one instruction set, for tests and comparisons.
    pub fn set_level(&mut self, level: Level) {
        self.level = level;
    }

    /// The instruction set in use.
    #[must_use]
    pub fn level(&self) -> Level {
        self.level
    }

    /// The parameters, row-major.
    #[must_use]
    pub fn parameters(&self) -> Parameters {
        Parameters {
            w_rec: self.rec.unpack(),
            hb: unpack_rows(&self.hb, self.hidden),
            vb: unpack_rows(&self.vb, self.visible),
        }
    }

    /// The velocities that momentum keeps, in the shapes of the parameters.
    #[must_use]
    pub fn velocities(&self) -> Parameters {
        Parameters {
            w_rec: self.velocity.unpack(),
            hb: unpack_rows(&self.hb_velocity, self.hidden),
            vb: unpack_rows(&self.vb_velocity, self.visible),
        }
    }

    /// Continues with the velocities of an earlier run.
    ///
    /// # Panics
    /// If a length does not fit.
    pub fn set_velocities(&mut self, velocities: &Parameters) {
        let pack = |values: &[f32], units| {
            assert_eq!(values.len(), units, "one velocity a bias");
            values
                .chunks(BLOCK)
                .map(|chunk| {
                    let mut row = ZERO;
                    row.0[..chunk.len()].copy_from_slice(chunk);
                    row
                })
                .collect()
        };
        self.velocity = Panels::pack(self.visible, self.hidden, &velocities.w_rec);
        self.hb_velocity = pack(&velocities.hb, self.hidden);
        self.vb_velocity = pack(&velocities.vb, self.visible);
    }

    /// The hidden states, for instance to keep persistent chains.
    #[must_use]
    pub fn hidden_states(&self) -> &Bits {
        &self.h
    }

    /// Sets the hidden states, for instance to go on with persistent chains.
    pub fn set_hidden_states(&mut self, h: &Bits) {
        self.h.clone_from(h);
        self.x_states = None;
    }

    /// The visible states of the last down pass.
    #[must_use]
    pub fn reconstruction(&self) -> &Batch {
        &self.reconstruction
    }

    /// The positive phase: p(h|v0), and with `draw` also h ~ p(h|v0).
    pub fn positive(&mut self, v0: &Batch, draw: Option<Uniforms>) {
        let samples = v0.rows();
        self.x.reshape(samples, self.hidden);
        self.p0.reshape(samples, self.hidden);
        self.h.reset(samples, self.hidden);
        let source = Source::of_batch(v0, &mut self.support, &mut self.visible_lists);
        let (level, rec, lists, chunks) = (self.level, &self.rec, &self.visible_lists, Chunks::new(samples));
        self.x
            .panels_mut()
            .zip(self.p0.panels_mut())
            .zip(self.h.words_mut().par_chunks_mut(samples.max(1)))
            .zip(&self.hb)
            .enumerate()
            .with_max_len(1)
            .for_each(|(panel, (((x, p), words), bias))| {
                for chunk in 0..chunks.count() {
                    let range = chunks.range(chunk);
                    let (x, p) = (&mut x[range.clone()], &mut p[range.clone()]);
                    source.product(level, rec.panel(panel), lists, range.start, x);
                    match draw {
                        Some(draw) => units::probabilities_and_states(
                            level,
                            x,
                            bias,
                            draw,
                            range.start,
                            panel,
                            p,
                            &mut words[range],
                        ),
                        None => units::probabilities(level, x, bias, p),
                    }
                }
            });
        match v0 {
            Batch::Binary(bits) => self.x_states.get_or_insert_default().clone_from(bits),
            Batch::Real { .. } => self.x_states = None,
        }
    }

    /// Half a Gibbs step down: v ~ p(v|h).
    pub fn down(&mut self, draw: Uniforms) {
        let samples = self.h.rows();
        let states = self.reconstruction.make_binary(samples, self.visible);
        self.hidden_lists.of(&self.h);
        let (level, lists, chunks) = (self.level, &self.hidden_lists, Chunks::new(samples));
        let (rec, stale) = (&self.rec, self.stale);
        self.generative
            .panels_mut()
            .zip(states.words_mut().par_chunks_mut(samples.max(1)))
            .zip(&self.vb)
            .enumerate()
            .with_max_len(1)
            .for_each_init(
                || vec![ZERO; chunks.size],
                |x, (block, ((panel, words), bias))| {
                    if stale {
                        rec.transpose_into(level, block, panel);
                    }
                    for chunk in 0..chunks.count() {
                        let range = chunks.range(chunk);
                        let x = &mut x[..range.len()];
                        product::sparse(level, panel, lists, range.start, x);
                        units::states(level, x, bias, draw, range.start, block, &mut words[range]);
                    }
                },
            );
        self.stale = false;
    }

    /// As [`Self::down`], with the probabilities p(v|h) themselves in place of states.
    pub fn down_mean(&mut self) {
        let samples = self.h.rows();
        let mut p = Activations::default();
        p.reshape(samples, self.visible);
        self.hidden_lists.of(&self.h);
        let (level, lists) = (self.level, &self.hidden_lists);
        let (rec, stale) = (&self.rec, self.stale);
        self.generative.panels_mut().zip(p.panels_mut()).zip(&self.vb).enumerate().with_max_len(1).for_each(
            |(block, ((panel, p), bias))| {
                if stale {
                    rec.transpose_into(level, block, panel);
                }
                let mut x = vec![ZERO; samples];
                product::sparse(level, panel, lists, 0, &mut x);
                units::probabilities(level, &x, bias, p);
            },
        );
        self.stale = false;
        p.unpack(self.visible, self.reconstruction.make_real(samples, self.visible));
    }

    /// Half a Gibbs step up: h ~ p(h|v) for the visible states of the last down pass.
    pub fn up(&mut self, draw: Uniforms) {
        let samples = self.h.rows();
        self.x.reshape(samples, self.hidden);
        let source = Source::of_reconstruction(&self.reconstruction, self.x_states.as_ref(), &mut self.visible_lists);
        let (level, rec, lists, chunks) = (self.level, &self.rec, &self.visible_lists, Chunks::new(samples));
        self.x
            .panels_mut()
            .zip(self.h.words_mut().par_chunks_mut(samples.max(1)))
            .zip(&self.hb)
            .enumerate()
            .with_max_len(1)
            .for_each(|(panel, ((x, words), bias))| {
                for chunk in 0..chunks.count() {
                    let range = chunks.range(chunk);
                    let x = &mut x[range.clone()];
                    source.product(level, rec.panel(panel), lists, range.start, x);
                    units::states(level, x, bias, draw, range.start, panel, &mut words[range]);
                }
            });
        match &self.reconstruction {
            Batch::Binary(bits) => self.x_states.get_or_insert_default().clone_from(bits),
            Batch::Real { .. } => self.x_states = None,
        }
    }

    /// The negative phase's last p(h|v) and the update of all parameters:
    /// `W += rate (v0ᵀ p(h|v0) / n - vᵀ p(h|v) / m)`, and likewise the biases, for n samples
    /// in the data and m in the chains. Returns the largest |weight| or |bias| afterwards: NaN
    /// if a parameter is NaN.
    pub fn learn(&mut self, v0: &Batch, rule: &Rule, sparsity: Sparsity) -> f32 {
        let (samples, negatives) = (v0.rows(), self.h.rows());
        self.x.reshape(negatives, self.hidden);
        let source = Source::of_reconstruction(&self.reconstruction, self.x_states.as_ref(), &mut self.visible_lists);
        let scale = rule.learning_rate / samples.max(1) as f32;
        let r = samples as f32 / negatives.max(1) as f32;
        let chunks = Chunks::new(samples.max(negatives));

        let (positive, dense_positive) = match v0 {
            Batch::Binary(bits) => (Side::Binary(bits), [].as_slice()),
            Batch::Real { values, .. } if self.support.is_dense() => (Side::Dense, values.as_slice()),
            Batch::Real { values, .. } => (Side::Scaled(&self.support, values), [].as_slice()),
        };
        let (negative, dense_negative) = match &self.reconstruction {
            Batch::Binary(bits) => (Side::Binary(bits), [].as_slice()),
            Batch::Real { values, .. } => (Side::Dense, values.as_slice()),
        };
        let mut vb_gradient = vec![ZERO; self.vb.len()];
        self.unit_lists.gather(chunks, positive, negative, r, &mut vb_gradient);
        add_columns(dense_positive, self.visible, 1.0, &mut vb_gradient);
        add_columns(dense_negative, self.visible, -r, &mut vb_gradient);
        for ((bias, velocity), gradient) in self.vb.iter_mut().zip(&mut self.vb_velocity).zip(&vb_gradient) {
            rule.step_bias(scale, gradient, velocity, bias);
        }

        let (level, lists, unit_lists, visible) = (self.level, &self.visible_lists, &self.unit_lists, self.visible);
        let (height, p0) = (self.rec.height(), &self.p0);
        // One chunk of binary states needs no gradient in memory.
        let direct = chunks.count() == 1 && dense_positive.is_empty() && dense_negative.is_empty();
        let largest = self
            .rec
            .panels_mut()
            .zip(self.velocity.panels_mut())
            .zip(self.x.panels_mut())
            .zip(self.hb.par_iter_mut().zip(&mut self.hb_velocity))
            .enumerate()
            .with_max_len(1)
            .map_init(
                || (vec![ZERO; 3 * chunks.size], vec![ZERO; if direct { 0 } else { height }]),
                |(table, gradient), (panel, (((weights, velocity), x), (hb, hb_velocity)))| {
                    let p0 = p0.panel(panel);
                    let pull = sparsity_pull(sparsity, p0, hb);
                    let mut hb_gradient = ZERO;
                    gradient.fill(ZERO);
                    for chunk in 0..chunks.count() {
                        let range = chunks.range(chunk);
                        let positives = range.start.min(samples)..range.end.min(samples);
                        let range = range.start.min(negatives)..range.end.min(negatives);
                        source.product(level, weights, lists, range.start, &mut x[range.clone()]);
                        update::contrast(
                            level,
                            &p0[positives.clone()],
                            &x[range.clone()],
                            hb,
                            &pull,
                            r,
                            chunks.size,
                            table,
                            &mut hb_gradient,
                        );
                        if !dense_positive.is_empty() {
                            let rows = &table[..positives.len()];
                            let values = &dense_positive[positives.start * visible..positives.end * visible];
                            product::dense(level, rows, values, 1, visible, &mut gradient[..visible]);
                        }
                        if !dense_negative.is_empty() {
                            let rows = &table[chunks.size..chunks.size + range.len()];
                            let values = &dense_negative[range.start * visible..range.end * visible];
                            product::dense(level, rows, values, 1, visible, &mut gradient[..visible]);
                        }
                        if chunk + 1 < chunks.count() {
                            update::accumulate(level, table, unit_lists, chunk, gradient);
                        }
                    }
                    let last = chunks.count() - 1;
                    let largest =
                        update::step(level, rule, scale, table, unit_lists, last, gradient, velocity, weights);
                    rule.step_bias(scale, &hb_gradient, hb_velocity, hb);
                    largest
                },
            )
            .reduce(|| 0, u32::max);
        self.stale = true;
        self.x_states = None;
        f32::from_bits(largest.max(self.largest_bias()))
    }

    /// Brings the generative weights up to date outside a down pass.
    pub(crate) fn refresh_generative(&mut self) {
        if self.stale {
            let (rec, level) = (&self.rec, self.level);
            self.generative
                .panels_mut()
                .enumerate()
                .with_max_len(1)
                .for_each(|(block, panel)| rec.transpose_into(level, block, panel));
            self.stale = false;
        }
    }

    fn largest_bias(&self) -> u32 {
        let mut largest = [0; BLOCK];
        for row in self.hb.iter().chain(&self.vb) {
            // Padding is minus infinity on purpose.
            let finite = row.0.map(|b| if b == f32::NEG_INFINITY { 0.0 } else { b });
            update::magnitude(&finite, &mut largest);
        }
        largest.iter().fold(0, |a, &b| a.max(b))
    }
}

/// How the products `x = v W` of a visible state are had.
#[derive(Clone, Copy)]
pub(crate) enum Source<'a> {
    /// They are there already.
    Done,
    /// From those of the state before, by what changed.
    Change,
    /// From the units that are on.
    Lists,
    /// From the units that are not zero, row-major values [samples, units].
    Scaled(&'a [f32], usize),
    /// From all units, row-major values [samples, units].
    Dense(&'a [f32], usize),
}

impl<'a> Source<'a> {
    /// For a batch of data; fills the lists it needs.
    pub(crate) fn of_batch(batch: &'a Batch, support: &mut Bits, lists: &mut Active) -> Self {
        match batch {
            Batch::Binary(bits) => {
                lists.of(bits);
                Self::Lists
            }
            Batch::Real { rows, units, values } => {
                support.set_nonzero(*rows, *units, values);
                if support.is_dense() {
                    return Self::Dense(values, *units);
                }
                lists.of(support);
                Self::Scaled(values, *units)
            }
        }
    }

    /// For the reconstruction, when `x` belongs to the states `before`.
    fn of_reconstruction(now: &'a Batch, before: Option<&Bits>, lists: &mut Active) -> Self {
        let states = match now {
            Batch::Binary(states) => states,
            Batch::Real { units, values, .. } => return Self::Dense(values, *units),
        };
        match before.filter(|before| before.rows() == states.rows()).map(|before| (before, before.differing(states))) {
            Some((_, 0)) => Self::Done,
            Some((before, changed)) if changed < states.ones() => {
                lists.of_difference(before, states);
                Self::Change
            }
            _ => {
                lists.of(states);
                Self::Lists
            }
        }
    }

    /// Brings `x`, the products with one panel for the samples from `first` on, up to date.
    pub(crate) fn product(self, level: Level, panel: &[Row], lists: &Active, first: usize, x: &mut [Row]) {
        match self {
            Self::Done => {}
            Self::Change => product::difference(level, panel, lists, first, x),
            Self::Lists => product::sparse(level, panel, lists, first, x),
            Self::Scaled(values, units) => product::sparse_scaled(level, panel, lists, values, units, first, x),
            Self::Dense(values, units) => {
                x.fill(ZERO);
                product::dense(level, &panel[..units], &values[first * units..], units, 1, x);
            }
        }
    }
}

/// `sums += factor *` the column sums of row-major values [samples, units].
fn add_columns(values: &[f32], units: usize, factor: f32, sums: &mut [Row]) {
    for row in values.chunks_exact(units.max(1)) {
        for (chunk, sums) in row.chunks(BLOCK).zip(sums.iter_mut()) {
            for (x, sum) in chunk.iter().zip(&mut sums.0) {
                *sum += factor * x;
            }
        }
    }
}

/// What the sparsity cost takes from every positive probability of a hidden unit: its cost
/// times how far the unit's mean activity lies above the target. Zero for padding units.
fn sparsity_pull(sparsity: Sparsity, p0: &[Row], bias: &Row) -> Row {
    let mut pull = ZERO;
    if sparsity.cost == 0.0 || p0.is_empty() {
        return pull;
    }
    for row in p0 {
        for (sum, p) in pull.0.iter_mut().zip(&row.0) {
            *sum += p;
        }
    }
    for (pull, &bias) in pull.0.iter_mut().zip(&bias.0) {
        let excess = *pull / p0.len() as f32 - sparsity.target;
        *pull = if bias == f32::NEG_INFINITY { 0.0 } else { sparsity.cost * excess };
    }
    pull
}
