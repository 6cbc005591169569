//! Chains of an RBM of any units at inverse temperatures of their own, on the path from a model without weights.
//!
//! At inverse temperature β the visible units v have the unnormalised probability
//!
//! ```text
//! ln p*(v; β) = sum of b_i(β) v_i - g_i(β) v_i² / 2 + sum over hidden u of cgf_u(c_u(β) + β (v W)_u)
//! ```
//!
//! where b, g and c are straight in β ([`PathBiases`]), g only where units are Gaussian. All other fields are those of
//! the RBM all along; both linear fields of a dReLU unit move with c. Spins are bits here ([`spins_as_bits`]).
//!
//! The fields b and c reach a unit as a part of its input, so that chains of different β are computed side by side.
//! The hidden terms of a ratio are differences of cgf, or, where two inputs are close, the integral of its derivative,
//! the mean, by Gauss's rule of two points: no digits are lost where β and β' differ by 1e-5.

use crate::engine::{Betas, Tempering};
use crate::learning::parameters::Parameters;
use crate::measures::path::{BiasLine, GibbsDraws, PathBiases};
use crate::products::panels::pack_rows;
use crate::products::scratch::Scratch;
use crate::products::source::Source;
use crate::products::whole::Whole;
use crate::rng::Uniforms;
use crate::row::{BLOCK, Row, ZERO};
use crate::states::batch::Batch;
use crate::states::lists::Chunks;
mod ratios;
#[cfg(test)]
mod tests;

use crate::typed::machine::TypedRbm;
use crate::typed::panel::Panel;
use crate::typed::sites;
use crate::typed::up::{finish, targets};
use crate::units::layers::{Layers, UnitKind};
use crate::units::spins::spins_as_bits;
use candle_core::Result;
use ratios::{ratios, steps_of, tempered, term};
use rayon::prelude::*;
use std::borrow::Cow;
use std::ops::Range;

/// Steps after which products are computed again. In between they are brought up to date by what changed, and each
/// time rounded.
const REFRESH: u32 = 64;

/// A field on its way: `start + β slope` is what it is more than at β = 1.
#[derive(Clone, Default)]
struct Line {
    start: Vec<Row>,
    slope: Vec<Row>,
}

impl Line {
    /// Of a field that ends as `end`.
    fn of(line: &BiasLine, end: &[f32]) -> Self {
        assert_eq!((line.offset.len(), line.slope.len()), (end.len(), end.len()), "a line a column");
        let start: Vec<f32> = line.offset.iter().zip(end).map(|(offset, end)| offset - end).collect();
        Self { start: pack_rows(&start, 0.0), slope: pack_rows(&line.slope, 0.0) }
    }
}

/// Chains of a [`TypedRbm`] at inverse temperatures of their own. All parallel work runs in the caller's rayon pool; the
/// result does not depend on the number of threads.
pub struct TypedTempered {
    /// As it is at β = 1, in bits. Its hidden states and its reconstruction are the chains'.
    machine: TypedRbm,
    layers: Layers,
    /// As they are.
    parameters: Parameters,
    /// In bits.
    biases: Parameters,
    base: PathBiases,
    visible: Line,
    hidden: Line,
    /// g of Gaussian visible units, less that at β = 1; empty where it stays.
    precision: Line,
    age: u32,
    /// What β multiplies of each chain's visible fields.
    linear: Vec<f64>,
    parts: Vec<f64>,
    log_weights: Vec<f64>,
}

impl TypedTempered {
    /// Chains of an RBM with these units and parameters, on the path from independent visible units with the biases
    /// `base`, and all other fields as they are, to the RBM. [`Tempering::set_biases`] chooses another.
    ///
    /// # Panics
    /// As [`TypedRbm::new`]; if there is not one bias a visible column.
    #[must_use]
    pub fn new(layers: &Layers, parameters: &Parameters, base: &[f32]) -> Self {
        let (bits, in_bits, _) = spins_as_bits(layers, parameters);
        let scale = |kind: UnitKind| if kind == UnitKind::Spin { 2.0 } else { 1.0 };
        let scales = layers.visible.each().flat_map(|(segment, columns)| columns.map(move |_| scale(segment.units)));
        let base: Vec<f32> = base.iter().zip(scales).map(|(base, scale)| scale * base).collect();
        let mut chains = Self {
            machine: TypedRbm::new(&bits, &in_bits),
            layers: layers.clone(),
            parameters: parameters.clone(),
            base: PathBiases::from_visible(&in_bits, &base),
            biases: in_bits,
            visible: Line::default(),
            hidden: Line::default(),
            precision: Line::default(),
            age: 0,
            linear: Vec::new(),
            parts: Vec::new(),
            log_weights: Vec::new(),
        };
        chains.take_lines(&chains.base.clone());
        chains
    }

    /// The chains from now on are a part of `whole`.
    pub fn set_whole(&mut self, whole: &Whole) {
        self.machine.set_whole(whole);
    }

    /// Takes over the parameters of an RBM in training, with the same fields at β = 0; the chains stay where they are.
    ///
    /// # Panics
    /// If the units are others.
    pub fn follow(&mut self, machine: &TypedRbm) {
        assert_eq!(self.layers, machine.layers(), "an RBM of the same units");
        let parameters = machine.parameters();
        let (bits, in_bits, _) = spins_as_bits(&self.layers, &parameters);
        let mut next = TypedRbm::new(&bits, &in_bits);
        next.h = std::mem::take(&mut self.machine.h);
        next.whole = self.machine.whole.clone();
        next.reconstruction = std::mem::take(&mut self.machine.reconstruction);
        let line = |of: &BiasLine, end: &[f32]| BiasLine::between(&of.offset, end);
        self.base.visible = line(&self.base.visible, &in_bits.vb);
        self.base.hidden = line(&self.base.hidden, &in_bits.hb);
        (self.machine, self.parameters, self.biases) = (next, parameters, in_bits);
        self.take_lines(&self.base.clone());
    }

    fn take_lines(&mut self, biases: &PathBiases) {
        self.visible = Line::of(&biases.visible, &self.biases.vb);
        self.hidden = Line::of(&biases.hidden, &self.biases.hb);
        self.precision = match &biases.precision {
            None => Line::default(),
            Some(line) => {
                let log_g = &self.biases.visible_fields.log_precision;
                let end = if log_g.is_empty() {
                    vec![1.0; line.slope.len()]
                } else {
                    log_g.iter().map(|&x| libm::expf(x)).collect()
                };
                Line::of(line, &end)
            }
        };
        self.compute_linear();
    }

    fn chains(&self) -> usize {
        self.machine.reconstruction.rows()
    }

    fn restart(&mut self) {
        self.machine.x_states = None;
        self.compute_linear();
        self.log_weights = vec![0.0; self.chains()];
    }

    /// `sum of slope v - slope of g v² / 2` of each chain.
    fn compute_linear(&mut self) {
        let (v, level) = (&self.machine.reconstruction, self.machine.level);
        let mut linear = vec![0.0; v.rows()];
        for (at, slope) in self.visible.slope.iter().enumerate() {
            let of_g = self.precision.slope.get(at).unwrap_or(&ZERO);
            for (s, sum) in linear.iter_mut().enumerate() {
                *sum += term(level, &v.block(s, at), slope, of_g);
            }
        }
        self.linear = linear;
    }

    /// The hidden terms of the ratios of `to` to `from`, into `parts`, and h ~ p(h|v; to).
    fn up(&mut self, from: Option<&[f32]>, to: &[f32], draw: Option<Uniforms>) {
        let chains = self.chains();
        let machine = &mut self.machine;
        if self.age >= REFRESH {
            machine.x_states = None;
        }
        self.age = if machine.x_states.is_none() { 0 } else { self.age + 1 };
        machine.x.reshape(chains, machine.hidden.columns);
        let v = &machine.reconstruction;
        let source = match v {
            Batch::Binary(states) => {
                Source::of_next(states, &machine.whole, machine.x_states.as_ref(), &mut machine.visible_lists)
            }
            Batch::Real { .. } => Source::of_part(v, &machine.whole, &mut machine.support, &mut machine.visible_lists),
        };
        let (level, rec, lists, chunks) = (machine.level, &machine.rec, &machine.visible_lists, Chunks::new(chains));
        self.parts.resize(chains * machine.hidden.panels.len(), 0.0);
        let targets: Vec<_> = match draw {
            Some(_) => {
                targets(&machine.hidden, chains, &mut machine.h, &mut machine.rows).into_iter().map(Some).collect()
            }
            None => machine.hidden.panels.iter().map(|_| None).collect(),
        };
        machine
            .x
            .panels_mut()
            .zip(self.parts.par_chunks_mut(chains.max(1)))
            .zip(&machine.hidden.panels)
            .zip(self.hidden.start.par_iter().zip(&self.hidden.slope))
            .zip(targets)
            .enumerate()
            .with_max_len(1)
            .for_each(|(at, ((((x, parts), panel), (start, slope)), mut target))| {
                let [mut low, mut step, mut high] = [(); 3].map(|()| Scratch::new(chunks.size));
                for chunk in 0..chunks.count() {
                    let range = chunks.range(chunk);
                    let x = &mut x[range.clone()];
                    source.product(level, rec.panel(at), lists, range.start, x);
                    let (low, step, high) = (&mut low[..x.len()], &mut step[..x.len()], &mut high[..x.len()]);
                    tempered(level, x, &to[range.clone()], start, slope, high);
                    if let Some(from) = from {
                        let (from, to) = (&from[range.clone()], &to[range.clone()]);
                        tempered(level, x, from, start, slope, low);
                        steps_of(level, x, from, to, slope, step);
                        ratios(level, panel, low, step, high, &mut parts[range.clone()]);
                    }
                    if let (Some(draw), Some(target)) = (draw, target.as_mut()) {
                        panel.states(level, high, draw, range.start, at, target.of(range));
                    }
                }
            });
        if draw.is_some() {
            finish(&machine.hidden, chains, &machine.rows, &mut machine.h);
        }
        match &machine.reconstruction {
            Batch::Binary(bits) => machine.x_states.get_or_insert_default().clone_from(bits),
            Batch::Real { .. } => machine.x_states = None,
        }
    }

    /// v ~ p(v|h; β).
    fn down(&mut self, beta: &[f32], draw: Uniforms) {
        let machine = &mut self.machine;
        machine.refresh_generative();
        let chains = machine.h.rows();
        machine.inputs.reshape(chains, machine.visible.columns);
        let source = crate::typed::down::of_hidden(&machine.h, &machine.whole, &mut machine.hidden_lists);
        let (level, lists, chunks) = (machine.level, &machine.hidden_lists, Chunks::new(chains));
        let generative = &machine.generative;
        machine.inputs.panels_mut().enumerate().with_max_len(1).for_each(|(at, x)| {
            for chunk in 0..chunks.count() {
                let range = chunks.range(chunk);
                source.product(level, generative.panel(at), lists, range.start, &mut x[range]);
            }
        });
        self.draw_visible(beta, draw);
    }

    /// v from what arrives at each column before it is multiplied by β.
    fn draw_visible(&mut self, beta: &[f32], draw: Uniforms) {
        let machine = &mut self.machine;
        let (level, chains, layer) = (machine.level, beta.len(), &machine.visible);
        // Samples of one β are drawn together where the precision depends on it.
        let runs = runs(beta, self.precision.slope.is_empty());
        let (line, precision) = (&self.visible, &self.precision);
        let mut targets = targets(layer, chains, &mut machine.reconstruction, &mut machine.rows);
        machine
            .inputs
            .panels_mut()
            .zip(&mut targets)
            .zip(&layer.panels)
            .zip(line.start.par_iter().zip(&line.slope))
            .enumerate()
            .with_max_len(1)
            .for_each(|(at, (((x, target), panel), (start, slope)))| {
                let mut own = Scratch::new(x.len());
                tempered(level, x, beta, start, slope, &mut own);
                x.copy_from_slice(&own);
                for run in &runs {
                    let panel = precision.at(panel, at, beta.get(run.start).copied().unwrap_or(1.0));
                    panel.states(level, &x[run.clone()], draw, run.start, at, target.of(run.clone()));
                }
            });
        if !layer.sites.is_empty() {
            let levels = sites::draw(level, layer, &machine.inputs, draw, chains);
            targets.par_iter_mut().enumerate().with_max_len(1).for_each(|(at, target)| {
                sites::set_levels(level, layer, at, &levels, target.of(0..chains));
            });
        }
        finish(layer, chains, &machine.rows, &mut machine.reconstruction);
        self.compute_linear();
    }
}

impl Line {
    /// A panel with the precisions that hold at β.
    fn at<'a>(&self, panel: &'a Panel, at: usize, beta: f32) -> Cow<'a, Panel> {
        let (Some(start), Some(slope)) = (self.start.get(at), self.slope.get(at)) else { return Cow::Borrowed(panel) };
        let mut panel = panel.clone();
        for i in 0..BLOCK {
            panel.fields.g.0[i] += start.0[i] + beta * slope.0[i];
        }
        Cow::Owned(panel)
    }
}

/// Neighbouring chains of the same β; all of them where they are `alike`.
fn runs(beta: &[f32], alike: bool) -> Vec<Range<usize>> {
    let mut runs: Vec<Range<usize>> = Vec::new();
    for (at, own) in beta.iter().enumerate() {
        match runs.last_mut() {
            Some(run) if alike || beta[run.start] == *own => run.end = at + 1,
            _ => runs.push(at..at + 1),
        }
    }
    runs
}

impl Tempering for TypedTempered {
    fn parameters(&self) -> Result<Parameters> {
        Ok(self.parameters.clone())
    }

    fn set_biases(&mut self, biases: &PathBiases) -> Result<()> {
        self.take_lines(biases);
        Ok(())
    }

    fn start(&mut self, chains: usize, draws: &GibbsDraws) -> Result<()> {
        self.machine.inputs.reshape(chains, self.machine.visible.columns);
        self.machine.inputs.rows_mut().fill(ZERO);
        self.draw_visible(&vec![0.0; chains], draws.visible);
        self.restart();
        Ok(())
    }

    fn start_from(&mut self, v: &Batch, _: &[u32]) -> Result<()> {
        assert_eq!(v.units(), self.machine.visible.columns, "visible states");
        self.machine.reconstruction = self.machine.visible.form_of(v);
        self.restart();
        Ok(())
    }

    fn anneal(&mut self, from: Betas<'_>, to: Betas<'_>, draws: Option<&GibbsDraws>) -> Result<()> {
        let chains = self.chains();
        let (from, to) = (from.each(chains), to.each(chains));
        self.up(Some(&from), &to, draws.map(|draws| draws.hidden));
        let steps = self.linear.iter().zip(from.iter().zip(to.iter()));
        let mut added: Vec<f64> = steps.map(|(linear, (from, to))| linear * f64::from(to - from)).collect();
        for parts in self.parts.chunks(chains.max(1)).take(self.machine.hidden.panels.len()) {
            added.iter_mut().zip(parts).for_each(|(sum, part)| *sum += part);
        }
        self.log_weights.iter_mut().zip(added).for_each(|(weight, added)| *weight += added);
        if let Some(draws) = draws {
            self.down(&to, draws.visible);
        }
        Ok(())
    }

    fn gibbs(&mut self, betas: Betas<'_>, draws: &GibbsDraws) -> Result<()> {
        let betas = betas.each(self.chains());
        self.up(None, &betas, Some(draws.hidden));
        self.down(&betas, draws.visible);
        Ok(())
    }

    fn take_log_weights(&mut self) -> Result<Vec<f64>> {
        let zeros = vec![0.0; self.chains()];
        Ok(std::mem::replace(&mut self.log_weights, zeros))
    }

    fn states(&self) -> Result<Batch> {
        Ok(self.machine.reconstruction.clone())
    }

    fn labels(&self) -> Result<Vec<u32>> {
        Ok(Vec::new())
    }

    fn hidden_states(&self) -> Result<Batch> {
        Ok(self.machine.h.clone())
    }
}
