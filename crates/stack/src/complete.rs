//! What a model makes of missing values.
//!
//! Gibbs chains run through the whole net with the observed units held: up through the directed layers, a step in the
//! top RBM, down again, and what is missing is drawn again. With one layer of weights that samples p(missing|observed)
//! of the RBM itself.
//!
//! All samples share the random numbers of a chain, so that what a sample is given depends on its own values alone,
//! not on the samples beside it. Draws that stand side by side in a table must not: then each sample has numbers of
//! its own, by its place in the table.

use crate::choices::Choice;
use crate::dbn::Dbn;
use crate::error::{Result, require};
use crate::labels::{label_at, one_hot};
use crate::layer::{inputs, probabilities};
use candle_core::{DType, Device, Tensor};
use candle_nn::ops::sigmoid;
use deepbelief_kernels::{Batch, Bits, Stream, Uniforms, ops};
use deepbelief_rbm::{Sampled, UnitKind, Units, VisibleStates, to_batch, to_tensor};
use std::ops::Range;

/// How missing values are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Completing {
    /// Chains of each sample.
    pub chains: u32,
    /// Steps of a chain before it counts.
    pub burn_in: u32,
    /// Steps of a chain that count.
    pub sweeps: u32,
    /// What a chain puts where a value is missing: a state, or its probability, as training did.
    pub visible_states: VisibleStates,
    /// Seed of everything drawn.
    pub seed: u64,
    /// Number of the batch's first sample, where each sample draws random numbers of its own. None: all draw the same.
    pub rows_from: Option<u32>,
}

impl Default for Completing {
    fn default() -> Self {
        Self { chains: 4, burn_in: 20, sweeps: 20, visible_states: VisibleStates::Sampled, seed: 1, rows_from: None }
    }
}

impl Completing {
    /// Checks the numbers of chains and steps, and returns how many steps a chain makes.
    fn validate(&self) -> Result<u32> {
        const MOST: u32 = 60_000;
        require((1..=MOST).contains(&self.chains), "chains", self.chains, format!("between 1 and {MOST}"))?;
        let (steps, expected) = (self.burn_in.saturating_add(self.sweeps), "with the burn-in");
        let fits = self.sweeps > 0 && steps <= MOST;
        require(fits, "sweeps", self.sweeps, format!("between 1 and {MOST} {expected}"))?;
        Ok(steps)
    }
}

/// What a model makes of missing values. All are row-major [samples, units], and observed units hold what they were.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Completed {
    /// The mean over all steps that count of E(v|h), which varies less than v does and has the same mean.
    pub mean: Vec<f32>,
    /// Over these steps the standard deviation of what is drawn of a number, of p(v = 1|h) of other units; 0 where
    /// observed.
    pub deviation: Vec<f32>,
    /// The last values of each chain.
    pub draws: Vec<Vec<f32>>,
    /// p(v = 1|h) that these were drawn from; of a choice what was drawn.
    pub draw_means: Vec<Vec<f32>>,
}

impl Dbn {
    /// Draws what samples lack; `missing` is on where a unit has no value, and the batch holds anything there.
    ///
    /// # Errors
    /// [`crate::Error::Config`] for no or too many chains or steps; if the batch does not fit the visible units.
    pub fn complete(&self, batch: &Batch, missing: &Bits, how: &Completing) -> Result<Completed> {
        self.complete_choices(batch, missing, &[], how)
    }

    /// The same of samples with `choices`: neighbouring units of which exactly one is on, or a unit that is on or off.
    /// With one layer of weights they are drawn given the rest of the sample, hidden units summed out; their mean is
    /// that of these exact probabilities.
    ///
    /// # Errors
    /// Those of [`Dbn::complete`].
    pub fn complete_choices(
        &self,
        batch: &Batch,
        missing: &Bits,
        choices: &[Range<usize>],
        how: &Completing,
    ) -> Result<Completed> {
        self.complete_watched(batch, missing, choices, how, &|| ())
    }

    /// The same, with `stepped` called after each step of each chain.
    ///
    /// # Errors
    /// Those of [`Dbn::complete`].
    pub fn complete_watched(
        &self,
        batch: &Batch,
        missing: &Bits,
        choices: &[Range<usize>],
        how: &Completing,
        stepped: &dyn Fn(),
    ) -> Result<Completed> {
        let steps = how.validate()?;
        let (rows, units) = (batch.rows(), batch.units());
        let fits = units == self.visible() && (missing.rows(), missing.units()) == (rows, units);
        require(fits, "units", units, format!("{}, those of the model", self.visible()))?;

        let visible = self.visible_units();
        let alone = self.layers().is_empty();
        let typed = !visible.is_bernoulli() || alone && !self.top().layers().are_bernoulli();
        let (mean, deviation) = (batch.to_values(), vec![0.0; rows * units]);
        let mut completed = Completed { mean, deviation, ..Completed::default() };
        let lacking: Vec<usize> =
            (0..rows).filter(|&row| (0..missing.blocks()).any(|b| missing.word(row, b) != 0)).collect();
        let mut part = Vec::with_capacity(lacking.len() * units);
        let mut gaps = Vec::new();
        for (place, &row) in lacking.iter().enumerate() {
            part.extend_from_slice(&completed.mean[row * units..][..units]);
            let is_missing = |unit: &usize| missing.word(row, unit / 32) >> (unit % 32) & 1 == 1;
            gaps.extend((0..units).filter(is_missing).map(|unit| (place * units + unit, row * units + unit)));
        }
        let numbers = match how.rows_from {
            Some(first) => lacking.iter().map(|&row| first.wrapping_add(row as u32)).collect(),
            None => vec![0],
        };
        let gap_of = |row: usize, unit: usize| gaps.binary_search_by_key(&(row * units + unit), |gap| gap.0).ok();
        let is_number = columns_of(visible, |kind| !kind.is_discrete());
        let is_spin = columns_of(visible, |kind| kind == UnitKind::Spin);
        let choices: Vec<Choice> = choices
            .iter()
            .filter(|_| alone)
            .map(|choice| {
                let lacks = |row: &usize| gap_of(*row, choice.start).is_some();
                let low = if is_spin[choice.start] { -1.0 } else { 0.0 };
                Choice::new(choice.clone(), low, (0..lacking.len()).filter(lacks).collect())
            })
            .collect();
        let mut is_chosen = vec![false; gaps.len()];
        for (choice, row) in choices.iter().flat_map(|choice| choice.rows.iter().map(move |row| (choice, *row))) {
            choice.units().filter_map(|unit| gap_of(row, unit)).for_each(|gap| is_chosen[gap] = true);
        }
        // Choices are drawn given the other visible units alone: no hidden unit is needed for them.
        let all_chosen = is_chosen.iter().all(|&chosen| chosen);
        let mut sums = vec![Sums::default(); gaps.len()];
        // Spins are -1 and 1 from here on.
        to_tensor(visible, &mut part);
        for chain in 0..how.chains {
            let (mut v, mut p) = (part.clone(), part.clone());
            for step in 0..if lacking.is_empty() { 0 } else { steps } {
                let draw = Uniforms::new(how.seed, Stream::Missing, chain).gibbs(step as u16);
                let uniforms = uniforms(draw.layer(LAST), &numbers, units);
                let mut states = Vec::new();
                if !all_chosen {
                    let v_tensor = Tensor::from_slice(&v, (lacking.len(), units), &Device::Cpu)?;
                    if typed && !alone {
                        (p, states) = self.sweep_below(v_tensor, draw, &numbers)?;
                    } else if typed {
                        (p, states) = self.sweep_units(&v_tensor, draw, &numbers)?;
                    } else {
                        p = self.sweep(v_tensor, draw, &numbers)?.flatten_all()?.to_vec1()?;
                    }
                }
                for &(at, _) in gaps.iter().zip(&is_chosen).filter(|(_, chosen)| !**chosen).map(|(gap, _)| gap) {
                    v[at] = match how.visible_states {
                        _ if typed => states[at],
                        VisibleStates::Sampled => f32::from(u8::from(uniforms[at % uniforms.len()] < p[at])),
                        VisibleStates::Probabilities => p[at],
                    };
                }
                self.choose(&choices, &uniforms, &mut v, &mut p)?;
                stepped();
                if step >= how.burn_in {
                    for (sums, &(at, _)) in sums.iter_mut().zip(&gaps) {
                        // Numbers spread as they are drawn, not as their means do.
                        sums.add(p[at], if is_number[at % units] { v[at] } else { p[at] });
                    }
                }
            }
            for (&(at, _), _) in gaps.iter().zip(&is_chosen).filter(|(_, chosen)| **chosen) {
                p[at] = v[at];
            }
            // What is drawn of units that are not Bernoulli is drawn already.
            let mut p = if typed { v.clone() } else { p };
            to_batch(visible, &mut p);
            to_batch(visible, &mut v);
            for (values, all) in [(&v, &mut completed.draws), (&p, &mut completed.draw_means)] {
                let mut whole = completed.mean.clone();
                for &(at, place) in &gaps {
                    whole[place] = values[at];
                }
                all.push(whole);
            }
        }
        let count = f64::from(how.chains) * f64::from(how.sweeps);
        for (&(_, place), sums) in gaps.iter().zip(&sums) {
            let mean = sums.means / count;
            completed.mean[place] = if is_spin[place % units] { (0.5 * (mean + 1.0)) as f32 } else { mean as f32 };
            completed.deviation[place] = sums.deviation(count) as f32;
        }
        Ok(completed)
    }

    /// Draws choices given the rest of each row of `v`, with numbers that have the rows' places, and puts their
    /// probabilities into `p`.
    fn choose(&self, choices: &[Choice], uniforms: &[f32], v: &mut [f32], p: &mut [f32]) -> Result<()> {
        let units = self.visible();
        for choice in choices.iter().filter(|choice| !choice.rows.is_empty()) {
            let probabilities = choice.probabilities(self.top(), v)?;
            for (&row, options) in choice.rows.iter().zip(probabilities) {
                let first = row * units + choice.units().start;
                let drawn = label_at(&options, uniforms[first % uniforms.len()].into());
                choice.put(drawn as usize, &mut v[row * units..][..units]);
                // Of a binary value the unit has the second option's, between the two values.
                let of_two = options.len() > choice.units().len();
                let (options, low) = if of_two { (&options[1..], choice.low()) } else { (&options[..], 0.0) };
                let mean = |p: f64| low + (1.0 - low) * p as f32;
                p[first..].iter_mut().zip(options).for_each(|(p, option)| *p = mean(*option));
            }
        }
        Ok(())
    }

    /// p(v|h) of Bernoulli units after one way up, a step at the top and one way down. Samples draw from the rows
    /// `numbers`, or all from the only one.
    fn sweep(&self, v: Tensor, draw: Uniforms, numbers: &[u32]) -> Result<Tensor> {
        let above = self.sweep_above(v, draw, numbers)?;
        let (w, b) = self.layers().first().map_or((self.top().w_gen(), self.top().vb()), |l| (l.w_gen(), l.vb()));
        Ok(probabilities(&above, w, b)?)
    }

    /// States of the units just above the visible ones after the same way.
    fn sweep_above(&self, v: Tensor, draw: Uniforms, numbers: &[u32]) -> Result<Tensor> {
        let depth = self.layers().len() as u8;
        let mut units = v;
        for (index, layer) in self.layers().iter().enumerate() {
            units = states(&probabilities(&units, &layer.w_rec, &layer.hb)?, draw.layer(index as u8), numbers)?;
        }
        let top = self.top();
        // The label is a unit that is missing too.
        let u = |row: usize| draw.layer(depth + 1).at(numbers[row % numbers.len()], 0);
        let of_label = self.inputs_of_labels(&units, u)?;
        let with_label = |x: Tensor| of_label.as_ref().map_or(Ok(x.clone()), |of_label| x + of_label);
        let hidden = &top.layers().hidden;
        let x = with_label(inputs(&units, top.w_rec(), top.hb())?)?;
        let h = if hidden.is_bernoulli() {
            states(&sigmoid(&x)?, draw.layer(depth), numbers)?
        } else if !hidden.all(|kind| kind == UnitKind::Gaussian) {
            let x = with_label(ops::product(&units, top.w_rec())?)?;
            top.above().sample_by(&x, at(draw.layer(depth), numbers))?.states
        } else {
            let mut z = vec![0.0; numbers.len() * top.hidden()];
            for (z, &number) in z.chunks_exact_mut(top.hidden()).zip(numbers) {
                draw.layer(depth).normal_row(1.0, number, z);
            }
            x.broadcast_add(&Tensor::from_vec(z, (numbers.len(), top.hidden()), &Device::Cpu)?)?
        };
        if self.layers().is_empty() {
            return Ok(h);
        }
        let mut p = probabilities(&h, top.w_gen(), top.vb())?;
        for (index, layer) in self.layers().iter().enumerate().skip(1).rev() {
            let below = states(&p, draw.layer(index as u8 + depth + 2), numbers)?;
            p = probabilities(&below, &layer.w_gen, &layer.vb)?;
        }
        states(&p, draw.layer(depth + 2), numbers)
    }

    /// What labels drawn given penultimate units [B, units], their hidden units summed out, make of the inputs of the top;
    /// none without labels. Row b draws from `uniform(b)`.
    fn inputs_of_labels(&self, units: &Tensor, uniform: impl Fn(usize) -> f32) -> Result<Option<Tensor>> {
        let Some(group) = self.top().labels() else { return Ok(None) };
        let p: Vec<Vec<f64>> = self.top().label_probabilities(units)?.to_dtype(DType::F64)?.to_vec2()?;
        let labels: Vec<u32> = p.iter().enumerate().map(|(row, p)| label_at(p, uniform(row).into())).collect();
        Ok(Some(one_hot(&labels, group.classes(), units)?.matmul(&group.w)?))
    }

    /// Means and states of visible units of any kinds under directed layers, likewise.
    fn sweep_below(&self, v: Tensor, draw: Uniforms, numbers: &[u32]) -> Result<(Vec<f32>, Vec<f32>)> {
        let above = self.sweep_above(v, draw, numbers)?;
        let bottom = &self.layers()[0];
        let x = ops::product(&above, bottom.w_gen())?;
        let Sampled { probabilities, states } = bottom.below().sample_by(&x, at(draw.layer(LAST), numbers))?;
        let values = |tensor: Tensor| tensor.flatten_all()?.to_vec1();
        Ok((values(probabilities)?, values(states)?))
    }
}

impl Dbn {
    /// Means and states of the visible units of an RBM alone after a step from `v`. Samples draw from the rows `numbers`, or
    /// all from the only one: then each row is computed by itself, so that it does not depend on those beside it.
    fn sweep_units(&self, v: &Tensor, draw: Uniforms, numbers: &[u32]) -> Result<(Vec<f32>, Vec<f32>)> {
        let (mut means, mut states, top) = (Vec::new(), Vec::new(), self.top());
        let rows = v.dim(0)?;
        let at_once = if numbers.len() > 1 { rows } else { 1 };
        for first in (0..rows).step_by(at_once.max(1)) {
            let v = v.narrow(0, first, at_once)?;
            let mut x = ops::product(&v, top.w_rec())?;
            if let Some(of_label) =
                self.inputs_of_labels(&v, |row| draw.layer(1).at(numbers[row % numbers.len()], 0))?
            {
                x = (x + of_label)?;
            }
            let h = top.above().sample_by(&x, at(draw.layer(0), numbers))?.states;
            let below = top.below().sample_by(&ops::product(&h, top.w_gen())?, at(draw.layer(LAST), numbers))?;
            means.extend(below.probabilities.flatten_all()?.to_vec1::<f32>()?);
            states.extend(below.states.flatten_all()?.to_vec1::<f32>()?);
        }
        Ok((means, states))
    }
}

/// Sums over the steps that count of a unit's means given the hidden units, of what spreads and of its squares.
#[derive(Clone, Copy, Default)]
struct Sums {
    means: f64,
    spread: f64,
    squares: f64,
}

impl Sums {
    fn add(&mut self, mean: f32, spread: f32) {
        let spread = f64::from(spread);
        self.means += f64::from(mean);
        self.spread += spread;
        self.squares += spread * spread;
    }

    /// The standard deviation of what spreads.
    fn deviation(self, count: f64) -> f64 {
        let mean = self.spread / count;
        (self.squares / count - mean * mean).max(0.0).sqrt()
    }
}

/// Whether each column is of units that `fits` says.
fn columns_of(units: &Units, fits: impl Fn(UnitKind) -> bool) -> Vec<bool> {
    units.each().flat_map(|(segment, columns)| std::iter::repeat_n(fits(segment.units), columns.len())).collect()
}

/// The place of the visible units' random numbers among the layers.
const LAST: u8 = u8::MAX;

/// States with these probabilities [B, units]; samples draw from the rows `numbers`, or all from the only one.
fn states(p: &Tensor, draw: Uniforms, numbers: &[u32]) -> Result<Tensor> {
    let units = p.dim(1)?;
    let u = Tensor::from_vec(uniforms(draw, numbers, units), (numbers.len(), units), &Device::Cpu)?;
    Ok(p.broadcast_gt(&u)?.to_dtype(p.dtype())?)
}

/// The uniform number of each unit, by the numbers of rows.
fn at(draw: Uniforms, numbers: &[u32]) -> impl Fn(usize, u32) -> f32 {
    move |row, column| draw.at(numbers[row % numbers.len()], column)
}

/// Rows of uniforms, by their numbers.
fn uniforms(draw: Uniforms, numbers: &[u32], units: usize) -> Vec<f32> {
    let mut rows = vec![0.0; numbers.len() * units];
    rows.chunks_exact_mut(units.max(1)).zip(numbers).for_each(|(row, &number)| draw.fill_row(number, row));
    rows
}
