//! What training is watched by: free energies, reconstruction costs, hidden activity, of units as they are.
//!
//! ```text
//! F(v) = sum of U(v_i) - sum of cgf(inputs of h_u),     -ln p(v|h) = sum of U(v_i) + cgf(inputs of v_i) - v_i inputs
//! ```
//!
//! in nats a sample, densities where units are real.

use super::down::of_hidden;
use super::machine::TypedRbm;
use super::panel::Part;
use super::sites;
use super::up::{finish, targets};
use crate::measures::measure::Measures;
use crate::products::panels::Activations;
use crate::products::source::Source;
use crate::products::transpose::transpose;
use crate::products::whole::Whole;
use crate::rng::Uniforms;
use crate::row::{BLOCK, Row, ZERO};
use crate::states::batch::Batch;
use crate::states::bits::Bits;
use crate::states::lists::{Active, Chunks};
use crate::units::categorical;
use crate::units::conditional;
use crate::units::layers::UnitKind;
use rayon::prelude::*;
use std::ops::Range;

/// Results of one chunk of samples.
struct Measured {
    free_energies: Vec<f64>,
    costs: Vec<f64>,
    /// Sums of E[h|v] in bits and of its square over the samples.
    means: Vec<f64>,
    squares: Vec<f64>,
}

/// The samples that are measured.
#[derive(Clone, Copy)]
struct Samples<'a> {
    batch: &'a Batch,
    source: Source<'a>,
    lists: &'a Active,
    weights: &'a [f32],
}

impl Samples<'_> {
    fn weight(&self, sample: usize) -> f64 {
        self.weights.get(sample).map_or(1.0, |&weight| f64::from(weight))
    }
}

impl TypedRbm {
    /// Measures the RBM on a batch. Means weigh the samples by `weights`, alike where there are none. Draws hidden
    /// states from `draw`, and leaves everything that training continues with untouched.
    ///
    /// # Panics
    /// If there are weights and not one a sample.
    pub fn measure(&mut self, batch: &Batch, weights: &[f32], draw: Uniforms) -> Measures {
        assert!([0, batch.rows()].contains(&weights.len()), "one weight a sample");
        self.refresh_generative();
        let (mut support, mut lists) = (Bits::default(), Active::default());
        let source = Source::of_batch(batch, &mut support, &mut lists);
        let samples = Samples { batch, source, lists: &lists, weights };
        let chunks = Chunks::new(batch.rows());
        // Each sample is summed by one task and the chunks in order: threads change nothing.
        let parts: Vec<Measured> = (0..chunks.count())
            .into_par_iter()
            .with_max_len(1)
            .map(|chunk| self.measure_chunk(samples, chunks.range(chunk), draw))
            .collect();
        let total = (0..batch.rows()).map(|sample| samples.weight(sample)).sum::<f64>().max(f64::MIN_POSITIVE);
        let mean = |values: fn(&Measured) -> &Vec<f64>| {
            let values = parts.iter().flat_map(values).enumerate();
            values.map(|(sample, value)| samples.weight(sample) * value).sum::<f64>() / total
        };
        let sums = |values: fn(&Measured) -> &Vec<f64>| {
            let unit = |at: usize| parts.iter().map(|part| values(part)[at]).sum::<f64>() / total;
            (0..self.hidden.columns).map(unit).collect::<Vec<_>>()
        };
        let (activity, squares) = (sums(|part| &part.means), sums(|part| &part.squares));
        let scales = self.hidden.scale.iter().flat_map(|row| row.0).map(f64::from);
        let shifts = self.hidden.shift.iter().flat_map(|row| row.0).map(f64::from);
        let spread = squares.iter().zip(&activity).zip(scales.clone());
        Measures {
            free_energy: mean(|part| &part.free_energies) - self.constant(),
            reconstruction_cost: mean(|part| &part.costs),
            spread: spread.map(|((square, mean), scale)| scale * (square - mean * mean).max(0.0).sqrt()).collect(),
            activity: activity.iter().zip(scales.zip(shifts)).map(|(mean, (s, o))| s * mean + o).collect(),
            label_error: None,
        }
    }

    /// What the energy in bits is more than that of the units as they are.
    fn constant(&self) -> f64 {
        if !self.visible.spins && !self.hidden.spins {
            return 0.0;
        }
        let parameters = self.parameters();
        let shifts = |rows: &[Row]| rows.iter().flat_map(|row| row.0).map(f64::from).collect::<Vec<_>>();
        let (of_visible, of_hidden) = (shifts(&self.visible.shift), shifts(&self.hidden.shift));
        let dot = |values: &[f32], shifts: &[f64]| {
            values.iter().zip(shifts).map(|(&value, shift)| f64::from(value) * shift).sum::<f64>()
        };
        let rows = parameters.w_rec.chunks_exact(self.hidden.columns.max(1)).zip(&of_visible);
        dot(&parameters.vb, &of_visible)
            + dot(&parameters.hb, &of_hidden)
            + rows.map(|(row, shift)| shift * dot(row, &of_hidden)).sum::<f64>()
    }

    fn measure_chunk(&self, samples: Samples<'_>, range: Range<usize>, draw: Uniforms) -> Measured {
        let (level, n, hidden) = (self.level, range.len(), &self.hidden);
        let (mut x, mut means) = (vec![ZERO; n], vec![ZERO; n]);
        let (mut cgfs, mut energies, mut costs) = (vec![0.0; n], vec![0.0; n], vec![0.0; n]);
        let (mut sums, mut squares) = (Vec::new(), Vec::new());
        let (mut h, mut rows) = (Batch::default(), Activations::default());
        let targets = targets(hidden, n, &mut h, &mut rows);
        for (at, (panel, target)) in hidden.panels.iter().zip(targets).enumerate() {
            samples.source.product(level, self.rec.panel(at), samples.lists, range.start, &mut x);
            panel.add_cgfs(level, &x, &mut cgfs);
            panel.means(level, &x, &mut means);
            panel.states(level, &x, draw, range.start, at, target);
            for lane in 0..BLOCK {
                let of = |power: i32| {
                    let each = means.iter().zip(range.clone());
                    each.map(|(row, s)| samples.weight(s) * f64::from(row.0[lane]).powi(power)).sum::<f64>()
                };
                sums.push(of(1));
                squares.push(of(2));
            }
        }
        finish(hidden, n, &rows, &mut h);
        self.measure_visible(samples.batch, &range, &h, &mut energies, &mut costs);
        let free_energies = energies.iter().zip(&cgfs).map(|(energy, cgf)| energy - cgf).collect();
        Measured { free_energies, costs, means: sums, squares }
    }

    /// Mean `-ln p(v|h)` of visible states given hidden ones, in nats a sample.
    pub(crate) fn cost_of(&mut self, h: &Batch, v: &Batch) -> f64 {
        self.refresh_generative();
        let chunks = Chunks::new(v.rows());
        let parts: Vec<f64> = (0..chunks.count())
            .into_par_iter()
            .with_max_len(1)
            .map(|chunk| {
                let range = chunks.range(chunk);
                let (mut energies, mut costs) = (vec![0.0; range.len()], vec![0.0; range.len()]);
                self.measure_visible(v, &range, &h.slice(range.clone()), &mut energies, &mut costs);
                costs.iter().sum()
            })
            .collect();
        parts.iter().sum::<f64>() / v.rows().max(1) as f64
    }

    /// The energies of some visible states, and their `-ln p(v|h)` given as many hidden states.
    fn measure_visible(&self, v: &Batch, range: &Range<usize>, h: &Batch, energies: &mut [f64], costs: &mut [f64]) {
        let (level, n, visible) = (self.level, range.len(), &self.visible);
        let mut lists = Active::default();
        let from_hidden = of_hidden(h, &Whole::default(), &mut lists);
        let mut inputs = Activations::default();
        inputs.reshape(n, visible.columns);
        let panels = inputs.rows_mut().chunks_mut(n.max(1)).zip(&visible.panels);
        for (at, (x, panel)) in panels.enumerate() {
            let v: Vec<Row> = range.clone().map(|s| v.block(s, at)).collect();
            from_hidden.product(level, self.generative.panel(at), &lists, 0, x);
            panel.add_energies(level, &v, energies);
            for Part { kind, lanes } in &panel.parts {
                self.add_costs(at, *kind, lanes, x, &v, costs);
            }
        }
        self.measure_sites(v, range, &inputs, energies, costs);
    }

    /// `costs[s] += -ln p(v|inputs)` of some lanes of a panel.
    fn add_costs(&self, at: usize, kind: UnitKind, lanes: &Range<usize>, x: &[Row], v: &[Row], costs: &mut [f64]) {
        let (level, f) = (self.level, &self.visible.panels[at].fields);
        if kind == UnitKind::Gaussian {
            for ((x, v), cost) in x.iter().zip(v).zip(costs) {
                for i in lanes.clone() {
                    let [x, v, b, g] = [x.0[i], v.0[i], f.b.0[i], f.g.0[i]].map(f64::from);
                    let error = v - (b + x) / g;
                    *cost += 0.5 * (g * error * error + libm::log(std::f64::consts::TAU / g));
                }
            }
            return;
        }
        let (mut cgfs, mut energies) = (vec![ZERO; x.len()], vec![ZERO; x.len()]);
        conditional::cgfs(level, kind, x, f, &mut cgfs);
        conditional::energies(level, kind, v, f, &mut energies);
        for (((x, v), (cgf, energy)), cost) in x.iter().zip(v).zip(cgfs.iter().zip(&energies)).zip(costs) {
            for i in lanes.clone() {
                let [x, v, cgf, energy] = [x.0[i], v.0[i], cgf.0[i], energy.0[i]].map(f64::from);
                *cost += energy + cgf - v * x;
            }
        }
    }

    /// The energies of categorical units, and `-ln p(v|inputs)`.
    fn measure_sites(
        &self,
        batch: &Batch,
        range: &Range<usize>,
        inputs: &Activations,
        energies: &mut [f64],
        costs: &mut [f64],
    ) {
        let (level, layer) = (self.level, &self.visible);
        let mut logits = vec![ZERO; layer.categorical.len() * BLOCK];
        let (mut rows, mut values) = ([ZERO; BLOCK], logits.clone());
        for (block, (energies, costs)) in energies.chunks_mut(BLOCK).zip(costs.chunks_mut(BLOCK)).enumerate() {
            let own = block * BLOCK..block * BLOCK + costs.len();
            sites::logits(level, layer, inputs, &own, &mut logits);
            for (tile, at) in values.chunks_exact_mut(BLOCK).zip(layer.categorical.clone()) {
                let each = own.clone().map(|s| batch.block(range.start + s, at));
                rows.iter_mut().zip(each).for_each(|(row, values)| *row = values);
                transpose(level, &rows, tile);
            }
            for site in &layer.sites {
                let mut whole = ZERO;
                let rows = sites::rows(layer, *site);
                categorical::log_sum_exp(level, &logits[rows.clone()], &mut whole);
                for (column, (logit, v)) in site.columns().zip(logits[rows.clone()].iter().zip(&values[rows])) {
                    let bias = f64::from(layer.panels[column / BLOCK].levels.0[column % BLOCK]);
                    for (s, (energy, cost)) in energies.iter_mut().zip(costs.iter_mut()).enumerate() {
                        let v = f64::from(v.0[s]);
                        *energy -= bias * v;
                        *cost += v * (f64::from(whole.0[s]) - f64::from(logit.0[s]));
                    }
                }
            }
        }
    }
}
