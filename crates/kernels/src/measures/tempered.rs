//! Chains of an RBM at inverse temperatures of their own, on the path from a model without weights.
//!
//! At inverse temperature β the visible units v (with the label y, if there is a group of them)
//! have the unnormalised probability (Salakhutdinov & Murray, "On the quantitative analysis of
//! deep belief networks", ICML 2008, section 4.1)
//!
//! ```text
//! p*(v, y; β) = exp(a(β)·v + β b_y) prod over hidden j of (1 + exp(c_j(β) + β ((v W)_j + w_yj)))
//! a(β) = a_0 + β a_1,   c(β) = c_0 + β c_1
//! ```
//!
//! With `a_0 + a_1 = vb` and `c_0 + c_1 = hb` it is the RBM's own at β = 1, and at β = 0 that of independent
//! units with biases `a_0` and `c_0`. The published path has `c_0 = 0`; a path with other lines of biases
//! ([`PathBiases`]) on each of its stretches is as exact. A Gibbs step at β,
//!
//! ```text
//! h ~ sigmoid(c(β) + β (v W + w_y))
//! v ~ sigmoid(a(β) + β W h),   y ~ softmax(β (b + w h))
//! ```
//!
//! leaves the distribution at β as it is. Annealed importance sampling and parallel tempering are made of such
//! steps and of the ratios of p* at neighbouring β. The hidden terms of a ratio are summed in the form
//! `ln(1 + sigmoid(l) (exp(l' - l) - 1))` with the logits l at β and l' at β'. It keeps its precision where
//! β' and β differ by 1e-5 and the hidden terms themselves are thousands.

use crate::learning::labels::{Labels, softmax};
use crate::learning::packed::PackedRbm;
use crate::learning::parameters::Parameters;
use crate::measures::path::{BiasLine, GibbsDraws, PathBiases};
use crate::products::panels::{Activations, Panels, pack_bias, pack_rows, unpack_rows};
use crate::products::scratch::Scratch;
use crate::products::source::Source;
use crate::products::whole::Whole;
use crate::rng::Uniforms;
use crate::row::{BLOCK, Row, ZERO};
use crate::simd::Level;
use crate::states::bits::Bits;
use crate::states::lists::{Active, Chunks};
use crate::units::tempered::{linear, log_ratios, tempered_states};
use rayon::prelude::*;

/// Steps after which products are computed again. In between they are brought up to date by what
/// changed, and each time rounded.
const REFRESH: u32 = 64;

/// An RBM with Bernoulli units and chains of its visible states. All parallel work runs in the
/// caller's rayon pool; the result does not depend on the number of threads.
pub struct Tempered {
    level: Level,
    visible: usize,
    hidden: usize,
    rec: Panels,
    generative: Panels,
    /// `c_0` and `c_1`.
    hidden_offset: Vec<Row>,
    hidden_slope: Vec<Row>,
    /// `a_0`, minus infinity in padding, and `a_1`.
    visible_offset: Vec<Row>,
    visible_slope: Vec<Row>,
    labels: Labels,
    /// The label of each chain.
    y: Vec<u32>,

    v: Bits,
    h: Bits,
    x: Activations,
    /// The visible states that `x` belongs to.
    x_states: Option<Bits>,
    age: u32,
    visible_lists: Active,
    hidden_lists: Active,
    /// `a_1·v + b_y` of each chain.
    linear: Vec<f64>,
    /// Sums of each panel and chain, `[panel][chain]`.
    parts: Vec<f64>,
    /// What the chains are a part of.
    pub(crate) whole: Whole,
    /// What each chain has collected, for those who ask by [`crate::Tempering`].
    pub(crate) log_weights: Vec<f64>,
}

impl Tempered {
    /// Packs `parameters` of an RBM with `visible` x `hidden` units, on the path from independent visible
    /// units with biases `base` and fair hidden ones; [`Self::set_biases`] chooses another path.
    ///
    /// # Panics
    /// If the lengths do not fit the sizes.
    #[must_use]
    pub fn new(visible: usize, hidden: usize, parameters: &Parameters, base: &[f32]) -> Self {
        assert_eq!(parameters.hb.len(), hidden, "one hidden bias a unit");
        assert_eq!((parameters.vb.len(), base.len()), (visible, visible), "two biases a visible unit");
        let biases = PathBiases::from_visible(parameters, base);
        let mut tempered = Self {
            level: Level::detect(),
            visible,
            hidden,
            rec: Panels::pack(visible, hidden, &parameters.w_rec),
            generative: Panels::zeros(hidden, visible),
            hidden_offset: pack_rows(&biases.hidden.offset, 0.0),
            hidden_slope: pack_rows(&biases.hidden.slope, 0.0),
            visible_offset: pack_bias(&biases.visible.offset),
            visible_slope: pack_rows(&biases.visible.slope, 0.0),
            labels: Labels::new(hidden, &parameters.label_w, &parameters.label_b),
            y: Vec::new(),
            v: Bits::default(),
            h: Bits::default(),
            x: Activations::default(),
            x_states: None,
            age: 0,
            visible_lists: Active::default(),
            hidden_lists: Active::default(),
            linear: Vec::new(),
            parts: Vec::new(),
            whole: Whole::default(),
            log_weights: Vec::new(),
        };
        tempered.transpose();
        tempered
    }

    /// Brings the generative weights to the transpose of the others.
    fn transpose(&mut self) {
        let (rec, level) = (&self.rec, self.level);
        let panels = self.generative.panels_mut().enumerate().with_max_len(1);
        panels.for_each(|(block, panel)| rec.transpose_into(level, block, panel));
    }

    /// Takes over the parameters of an RBM in training; the chains stay where they are.
    ///
    /// # Panics
    /// If the sizes are others.
    pub fn follow(&mut self, machine: &PackedRbm) {
        let (own, its) = ((self.visible, self.hidden, self.labels.classes), machine);
        assert_eq!(own, (its.visible, its.hidden, its.labels.classes), "an RBM of the same sizes");
        self.rec.clone_from(&machine.rec);
        self.transpose();
        let line = |offset: &[Row], end: &[Row], units| {
            BiasLine::between(&unpack_rows(offset, units), &unpack_rows(end, units)).slope
        };
        self.visible_slope = pack_rows(&line(&self.visible_offset, &machine.vb, self.visible), 0.0);
        self.hidden_slope = pack_rows(&line(&self.hidden_offset, &machine.hb, self.hidden), 0.0);
        for (own, its) in self.labels.panels.iter_mut().zip(&machine.labels.panels) {
            own.w.clone_from(&its.w);
        }
        self.labels.b.clone_from(&machine.labels.b);
        self.restart();
    }

    /// The parameters at β = 1.
    #[must_use]
    pub fn parameters(&self) -> Parameters {
        let end = |offset: &[Row], slope: &[Row], units| -> Vec<f32> {
            let (offset, slope) = (unpack_rows(offset, units), unpack_rows(slope, units));
            // Biases of a path that starts at 0 are its slope, to the sign of a zero.
            offset.iter().zip(slope).map(|(&a, b)| if a == 0.0 { b } else { a + b }).collect()
        };
        Parameters {
            w_rec: self.rec.unpack(),
            hb: end(&self.hidden_offset, &self.hidden_slope, self.hidden),
            vb: end(&self.visible_offset, &self.visible_slope, self.visible),
            label_w: self.labels.unpack(self.hidden, |panel| &panel.w),
            label_b: self.labels.b.clone(),
            ..Parameters::default()
        }
    }

    /// Changes the biases along the path; the chains stay where they are.
    ///
    /// # Panics
    /// If the lines are not one a unit.
    pub fn set_biases(&mut self, biases: &PathBiases) {
        let lengths = |line: &BiasLine| (line.offset.len(), line.slope.len());
        assert_eq!(lengths(&biases.visible), (self.visible, self.visible), "one line a visible unit");
        assert_eq!(lengths(&biases.hidden), (self.hidden, self.hidden), "one line a hidden unit");
        self.visible_offset = pack_bias(&biases.visible.offset);
        self.visible_slope = pack_rows(&biases.visible.slope, 0.0);
        self.hidden_offset = pack_rows(&biases.hidden.offset, 0.0);
        self.hidden_slope = pack_rows(&biases.hidden.slope, 0.0);
        self.compute_linear();
    }

    /// The chains from now on are a part of `whole`.
    pub fn set_whole(&mut self, whole: &Whole) {
        self.whole = whole.clone();
    }

    /// Starts `chains` chains from the exact distribution at β = 0.
    pub fn start(&mut self, chains: usize, draw: &GibbsDraws) {
        self.v.reset(chains, self.visible);
        let (zeros, beta) = (vec![ZERO; chains], vec![0.0; chains]);
        for (block, words) in self.v.words_mut().chunks_mut(chains.max(1)).enumerate() {
            tempered_states(
                self.level,
                &zeros,
                &ZERO,
                &self.visible_offset[block],
                &beta,
                draw.visible,
                0,
                block,
                words,
            );
        }
        let classes = self.labels.classes;
        let label = |chain| ((draw.label.at(chain as u32, 0) * classes as f32) as u32).min(classes as u32 - 1);
        self.y = if classes == 0 { Vec::new() } else { (0..chains).map(label).collect() };
        self.restart();
    }

    /// Starts chains from visible states and, where there is a label group, labels.
    ///
    /// # Panics
    /// If the states have another number of units, or there is not one label a chain.
    pub fn start_from(&mut self, v: &Bits, labels: &[u32]) {
        assert_eq!(v.units(), self.visible, "states of the visible units");
        let valid = labels.len() == v.rows() && labels.iter().all(|&y| (y as usize) < self.labels.classes);
        assert!(self.labels.classes == 0 || valid, "one label a chain");
        self.v.clone_from(v);
        self.y = if self.labels.classes == 0 { Vec::new() } else { labels.to_vec() };
        self.restart();
    }

    /// The visible states of the chains.
    #[must_use]
    pub fn states(&self) -> &Bits {
        &self.v
    }

    /// The label of each chain; empty without a label group.
    #[must_use]
    pub fn chain_labels(&self) -> &[u32] {
        &self.y
    }

    /// The hidden states of the last step.
    #[must_use]
    pub fn hidden_states(&self) -> &Bits {
        &self.h
    }

    fn restart(&mut self) {
        self.x_states = None;
        self.compute_linear();
    }

    fn compute_linear(&mut self) {
        let chains = self.v.rows();
        self.parts.resize(chains * self.visible_slope.len().max(self.hidden_slope.len()), 0.0);
        for (block, parts) in self.parts.chunks_mut(chains.max(1)).take(self.v.blocks()).enumerate() {
            linear(self.level, self.v.block(block), &self.visible_slope[block], parts);
        }
        self.sum_linear();
    }

    /// Adds up what the visible panels left in `parts`.
    fn sum_linear(&mut self) {
        let chains = self.v.rows();
        self.linear.clear();
        self.linear.resize(chains, 0.0);
        add_parts(&self.parts, self.visible_slope.len(), &mut self.linear);
        for (sum, &y) in self.linear.iter_mut().zip(&self.y) {
            *sum += f64::from(self.labels.b[y as usize]);
        }
    }

    /// Adds `ln p*(v, y; to) - ln p*(v, y; from)` of every chain to `log_weights`, then, with
    /// `draws`, makes a Gibbs step at `to`. Inverse temperatures are one a chain.
    ///
    /// # Panics
    /// If there is not one of each a chain.
    pub fn anneal(&mut self, from: &[f32], to: &[f32], draws: Option<&GibbsDraws>, log_weights: &mut [f64]) {
        let chains = self.v.rows();
        assert_eq!((from.len(), to.len(), log_weights.len()), (chains, chains, chains), "one of each a chain");
        for ((weight, linear), (from, to)) in log_weights.iter_mut().zip(&self.linear).zip(from.iter().zip(to)) {
            *weight += linear * f64::from(to - from);
        }
        self.up(Some(from), to, draws.map(|draws| draws.hidden));
        add_parts(&self.parts, self.hidden_slope.len(), log_weights);
        if let Some(draws) = draws {
            self.down(to, draws);
        }
    }

    /// A Gibbs step of every chain at its own inverse temperature.
    ///
    /// # Panics
    /// If there is not one a chain.
    pub fn gibbs(&mut self, betas: &[f32], draws: &GibbsDraws) {
        assert_eq!(betas.len(), self.v.rows(), "one inverse temperature a chain");
        self.up(None, betas, Some(draws.hidden));
        self.down(betas, draws);
    }

    /// The hidden terms of the ratios to inverse temperatures `from`, into `parts`, and h ~ p(h|v, y; to).
    fn up(&mut self, from: Option<&[f32]>, to: &[f32], draw: Option<Uniforms>) {
        let (chains, hidden) = (self.v.rows(), self.hidden);
        if self.age >= REFRESH {
            self.x_states = None;
        }
        self.age = if self.x_states.is_none() { 0 } else { self.age + 1 };
        self.x.reshape(chains, hidden);
        self.h.reset(chains, hidden);
        self.labels.set_data(chains, &self.y);
        let source = Source::of_next(&self.v, &self.whole, self.x_states.as_ref(), &mut self.visible_lists);
        let (level, rec, lists, chunks) = (self.level, &self.rec, &self.visible_lists, Chunks::new(chains));
        let labels = &self.labels;
        self.x
            .panels_mut()
            .zip(self.h.words_mut().par_chunks_mut(chains.max(1)))
            .zip(self.parts.par_chunks_mut(chains.max(1)))
            .zip(self.hidden_slope.par_iter().zip(&self.hidden_offset))
            .enumerate()
            .with_max_len(1)
            .for_each_init(labels.scratch(chunks.size), |scratch, (panel, (((x, words), parts), (bias, offset)))| {
                let units = (hidden - panel * BLOCK).min(BLOCK);
                for chunk in 0..chunks.count() {
                    let range = chunks.range(chunk);
                    let x = &mut x[range.clone()];
                    source.product(level, rec.panel(panel), lists, range.start, x);
                    let x = labels.with_data(panel, range.start, x, scratch);
                    let to = &to[range.clone()];
                    if let Some(from) = from {
                        log_ratios(level, x, bias, offset, units, &from[range.clone()], to, &mut parts[range.clone()]);
                    }
                    if let Some(draw) = draw {
                        let words = &mut words[range.clone()];
                        tempered_states(level, x, bias, offset, to, draw, range.start, panel, words);
                        let padding = u32::MAX >> (BLOCK - units);
                        for word in words {
                            *word &= padding;
                        }
                    }
                }
            });
        self.x_states.get_or_insert_default().clone_from(&self.v);
    }

    /// v ~ p(v|h; beta) and y ~ p(y|h; beta).
    fn down(&mut self, beta: &[f32], draws: &GibbsDraws) {
        let chains = self.h.rows();
        self.v.reset(chains, self.visible);
        let source = Source::of_states(&self.h, &self.whole, &mut self.hidden_lists);
        let (level, lists, chunks) = (self.level, &self.hidden_lists, Chunks::new(chains));
        let generative = &self.generative;
        self.v
            .words_mut()
            .par_chunks_mut(chains.max(1))
            .zip(self.parts.par_chunks_mut(chains.max(1)))
            .zip(self.visible_slope.par_iter().zip(&self.visible_offset))
            .enumerate()
            .with_max_len(1)
            .for_each_init(
                || Scratch::new(chunks.size),
                |x, (block, ((words, parts), (bias, offset)))| {
                    for chunk in 0..chunks.count() {
                        let range = chunks.range(chunk);
                        let (x, words) = (&mut x[..range.len()], &mut words[range.clone()]);
                        source.product(level, generative.panel(block), lists, range.start, x);
                        let beta = &beta[range.clone()];
                        tempered_states(level, x, bias, offset, beta, draws.visible, range.start, block, words);
                        linear(level, words, bias, &mut parts[range]);
                    }
                },
            );
        self.labels.inputs(level, source, chains, &self.hidden_lists);
        let classes = self.labels.classes.max(1);
        for (inputs, &beta) in self.labels.p.chunks_exact_mut(classes).zip(beta) {
            for x in inputs.iter_mut() {
                *x *= beta;
            }
            softmax(inputs);
        }
        self.labels.sample(draws.label);
        for (p, y) in self.labels.p.chunks_exact(classes).zip(&mut self.y) {
            *y = p.iter().position(|&p| p == 1.0).unwrap_or(0) as u32;
        }
        self.sum_linear();
    }
}

/// Adds what `panels` panels left for every chain.
fn add_parts(parts: &[f64], panels: usize, sums: &mut [f64]) {
    for parts in parts.chunks(sums.len().max(1)).take(panels) {
        for (sum, part) in sums.iter_mut().zip(parts) {
            *sum += part;
        }
    }
}
