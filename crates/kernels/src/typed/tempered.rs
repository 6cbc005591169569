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

use super::machine::TypedRbm;
use super::panel::Panel;
use super::sites;
use super::up::{finish, targets};
use crate::engine::{Betas, Tempering};
use crate::learning::parameters::Parameters;
use crate::measures::path::{BiasLine, GibbsDraws, PathBiases};
use crate::products::panels::pack_rows;
use crate::products::scratch::Scratch;
use crate::products::source::Source;
use crate::rng::Uniforms;
use crate::row::{BLOCK, Row, ZERO};
use crate::simd::{Level, dispatch};
use crate::states::batch::Batch;
use crate::states::lists::Chunks;
use crate::units::layers::{Layers, UnitKind};
use crate::units::spins::spins_as_bits;
use candle_core::Result;
use rayon::prelude::*;
use std::borrow::Cow;
use std::ops::Range;

/// Steps after which products are computed anew. In between they are brought up to date by what changed, and each
/// time rounded.
const REFRESH: u32 = 64;

/// Changes of an input, in standard deviations of its unit, below which cgf is integrated.
const CLOSE: f32 = 0.25;

/// Half the distance of the two points of Gauss's rule, in shares of the interval.
const GAUSS: f32 = 0.288_675_13;

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
            Batch::Binary(states) => Source::of_next(states, machine.x_states.as_ref(), &mut machine.visible_lists),
            Batch::Real { .. } => Source::of_batch(v, &mut machine.support, &mut machine.visible_lists),
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
        let source = super::down::of_hidden(&machine.h, &mut machine.hidden_lists);
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

dispatch! {
    /// `out = β x + start + β slope`.
    fn tempered(x: &[Row], beta: &[f32], start: &Row, slope: &Row, out: &mut [Row]) {
        for ((x, beta), out) in x.iter().zip(beta).zip(out) {
            for i in 0..BLOCK {
                out.0[i] = start.0[i] + beta * (x.0[i] + slope.0[i]);
            }
        }
    }
}

dispatch! {
    fn term(v: &Row, slope: &Row, of_g: &Row) -> f64 {
        let mut sum = 0.0;
        for i in 0..BLOCK {
            sum += f64::from(v.0[i] * slope.0[i]) - 0.5 * f64::from(of_g.0[i] * v.0[i] * v.0[i]);
        }
        sum
    }
}

dispatch! {
    /// What inputs change by from one β to another: no digits are lost where these are close.
    fn steps_of(x: &[Row], from: &[f32], to: &[f32], slope: &Row, out: &mut [Row]) {
        for ((x, out), (from, to)) in x.iter().zip(out).zip(from.iter().zip(to)) {
            for i in 0..BLOCK {
                out.0[i] = (to - from) * (x.0[i] + slope.0[i]);
            }
        }
    }
}

/// `sums[s] = sum over the units of a panel of cgf(high) - cgf(low)`, for inputs that are `step` apart.
fn ratios(level: Level, panel: &Panel, low: &[Row], step: &[Row], high: &[Row], sums: &mut [f64]) {
    sums.fill(0.0);
    let least = panel.fields.g.0.iter().chain(&panel.fields.g_below.0).copied().fold(1.0, f32::min);
    let largest = step.iter().flat_map(|step| step.0).fold(0.0_f32, |largest, step| largest.max(step.abs()));
    if largest >= CLOSE * libm::sqrtf(least) {
        let mut before = vec![0.0; sums.len()];
        panel.add_cgfs(level, high, sums);
        panel.add_cgfs(level, low, &mut before);
        sums.iter_mut().zip(before).for_each(|(sum, before)| *sum -= before);
        return;
    }
    let [mut point, mut means] = [(); 2].map(|()| Scratch::new(low.len()));
    for at in [0.5 - GAUSS, 0.5 + GAUSS] {
        for ((point, low), step) in point.iter_mut().zip(low).zip(step) {
            point.0 = std::array::from_fn(|i| low.0[i] + at * step.0[i]);
        }
        panel.means(level, &point, &mut means);
        for ((sum, mean), step) in sums.iter_mut().zip(means.iter()).zip(step) {
            for part in &panel.parts {
                *sum += part.lanes.clone().map(|i| 0.5 * f64::from(mean.0[i] * step.0[i])).sum::<f64>();
            }
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::learning::parameters::Fields;
    use crate::rng::Stream;
    use crate::units::layers::{Segment, Units};
    use crate::units::reference;

    fn numbers(n: usize, scale: f32, step: u32) -> Vec<f32> {
        let mut out = vec![0.0; n];
        Uniforms::new(7, Stream::User, step).fill_row(0, &mut out);
        out.iter().map(|u| scale * (2.0 * u - 1.0)).collect()
    }

    fn units(parts: &[(UnitKind, usize, usize)]) -> Units {
        parts.iter().map(|&(units, levels, sites)| Segment { units, levels, sites }).collect()
    }

    /// 2 Gaussian, 1 categorical of 3, 2 spin units under one of each hidden kind.
    fn model() -> (Layers, Parameters) {
        use UnitKind::{Bernoulli, Categorical, Drelu, Gaussian, Relu, Spin};
        let layers = Layers {
            visible: units(&[(Gaussian, 1, 2), (Categorical, 3, 1), (Spin, 1, 2)]),
            hidden: units(&[(Bernoulli, 1, 1), (Gaussian, 1, 1), (Relu, 1, 1), (Drelu, 1, 1), (Spin, 1, 1)]),
        };
        let mut parameters = Parameters {
            w_rec: numbers(35, 0.8, 0),
            hb: numbers(5, 1.0, 1),
            vb: numbers(7, 1.0, 2),
            visible_fields: Fields::at_rest(&layers.visible),
            hidden_fields: Fields::at_rest(&layers.hidden),
            ..Parameters::default()
        };
        parameters.visible_fields.log_precision[..2].copy_from_slice(&[0.4, 1.1]);
        parameters.hidden_fields.log_precision = vec![0.0, 0.3, -0.5, 0.2, 0.0];
        parameters.hidden_fields.bias_below[3] = -0.7;
        parameters.hidden_fields.log_precision_below[3] = 0.6;
        (layers, parameters)
    }

    /// ln p* at β, in double precision, of states whose spins are bits. `from` are b, g and c at β = 0, in bits.
    fn log_p(p: &Parameters, from: &PathBiases, v: &[f32], beta: f64) -> f64 {
        let at = |line: &BiasLine, k: usize| f64::from(line.offset[k]) + beta * f64::from(line.slope[k]);
        let hidden = p.hb.len();
        let mut sum = 0.0;
        for (i, &x) in v.iter().enumerate() {
            let x = f64::from(x);
            sum += at(&from.visible, i) * x;
            if let (Some(g), true) = (&from.precision, i < 2) {
                sum -= 0.5 * at(g, i) * x * x;
            }
        }
        for u in 0..hidden {
            let terms = v.iter().enumerate().map(|(i, &x)| f64::from(x) * f64::from(p.w_rec[i * hidden + u]));
            let shift = at(&from.hidden, u) - f64::from(p.hb[u]);
            let x = beta * terms.sum::<f64>() + shift;
            let log_g = f64::from(p.hidden_fields.log_precision[u]);
            let below = (f64::from(p.hidden_fields.bias_below[u]), f64::from(p.hidden_fields.log_precision_below[u]));
            let fields = [f64::from(p.hb[u]), log_g.exp(), below.0, below.1.exp()];
            sum += match u {
                1 => reference::gaussian(x, fields).cgf,
                2 => reference::relu(x, fields).cgf,
                3 => reference::drelu(x, fields).cgf,
                _ => (x + f64::from(p.hb[u])).exp().ln_1p(),
            };
        }
        sum
    }

    /// The ratios of far and near temperatures are those of the formula, with 40 chains at temperatures of their own.
    #[test]
    fn chains_collect_the_ratios_of_their_temperatures() {
        let (layers, parameters) = model();
        let (_, bits, _) = spins_as_bits(&layers, &parameters);
        let mut chains = TypedTempered::new(&layers, &parameters, &[0.0; 7]);
        let g: Vec<f32> = bits.visible_fields.log_precision.iter().map(|&x| libm::expf(x)).collect();
        let path = PathBiases {
            visible: BiasLine::between(&numbers(7, 1.0, 5), &bits.vb),
            hidden: BiasLine::between(&numbers(5, 1.0, 6), &bits.hb),
            precision: Some(BiasLine::between(&[0.8, 1.5, 1.0, 1.0, 1.0, 1.0, 1.0], &g)),
        };
        chains.set_biases(&path).unwrap();
        let draw = |stream, step| Uniforms::new(3, stream, step);
        let draws = |step| GibbsDraws {
            hidden: draw(Stream::AnnealHidden, step),
            visible: draw(Stream::AnnealVisible, step),
            label: draw(Stream::AnnealLabel, step),
        };
        chains.start(40, &draws(0)).unwrap();
        let betas: Vec<f32> = (0..40).map(|k| k as f32 / 39.0).collect();
        for step in 1..4 {
            chains.gibbs(Betas::Each(&betas), &draws(step)).unwrap();
            let v = chains.states().unwrap().to_values();
            for width in [1e-5, 0.02, 0.5] {
                let next: Vec<f32> =
                    betas.iter().map(|beta| if *beta < 0.5 { beta + width } else { beta - width }).collect();
                chains.anneal(Betas::Each(&betas), Betas::Each(&next), None).unwrap();
                for (chain, got) in chains.take_log_weights().unwrap().into_iter().enumerate() {
                    let own = &v[chain * 7..(chain + 1) * 7];
                    let at = |beta: f32| log_p(&bits, &path, own, f64::from(beta));
                    let want = at(next[chain]) - at(betas[chain]);
                    let tolerance = 1e-5 + 2e-6 * want.abs().max(own.iter().map(|x| f64::from(x * x)).sum());
                    let tolerance = if width < 1e-3 { 3e-8 + 2e-6 * want.abs() + 1e-7 } else { tolerance };
                    assert!((got - want).abs() < tolerance, "chain {chain}, {width}: {got}, exactly {want}");
                }
            }
        }
    }

    /// Means over the chains of a chain's start, against those of independent units: 4,000 chains, five standard errors,
    /// a failure below 1e-5 for the seven columns.
    #[test]
    fn chains_start_from_independent_units() {
        let (layers, parameters) = model();
        let base = [0.5, -1.0, 0.2, -0.4, 0.9, 0.3, -0.6];
        let mut chains = TypedTempered::new(&layers, &parameters, &base);
        let draw = Uniforms::new(3, Stream::User, 0);
        chains.start(4000, &GibbsDraws { hidden: draw, visible: draw, label: draw }).unwrap();
        let v = chains.states().unwrap().to_values();
        let g = [libm::exp(0.4_f32.into()), libm::exp(1.1_f32.into())];
        let whole: f64 = base[2..5].iter().map(|&b| libm::exp(b.into())).sum();
        for column in 0..7 {
            let b = f64::from(base[column]);
            let (mean, variance) = match column {
                0 | 1 => (b / g[column], 1.0 / g[column]),
                2..5 => (b.exp() / whole, b.exp() / whole * (1.0 - b.exp() / whole)),
                _ => (1.0 / (1.0 + (-2.0 * b).exp()), 0.25),
            };
            let found = v.iter().skip(column).step_by(7).map(|&x| f64::from(x)).sum::<f64>() / 4000.0;
            let error = (variance / 4000.0).sqrt();
            assert!((found - mean).abs() < 5.0 * error, "column {column}: {found}, exactly {mean}");
        }
    }
}
