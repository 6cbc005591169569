//! What a model makes of missing values.
//!
//! Gibbs chains run through the whole net with the observed units held: up through the directed layers, a step in the
//! top RBM, down again, and what is missing is drawn anew. With one layer of weights that samples p(missing|observed)
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
use deepbelief_kernels::{Batch, Bits, Stream, Uniforms};
use deepbelief_rbm::VisibleStates;
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

/// What a model makes of missing values. All are row-major [samples, units], and observed units hold what they were.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Completed {
    /// The mean of p(v = 1|h) over all steps that count.
    pub mean: Vec<f32>,
    /// Its standard deviation over these; 0 where observed.
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
        const MOST: u32 = 60_000;
        require((1..=MOST).contains(&how.chains), "chains", how.chains, format!("between 1 and {MOST}"))?;
        let steps = how.burn_in.saturating_add(how.sweeps);
        require(
            how.sweeps > 0 && steps <= MOST,
            "sweeps",
            how.sweeps,
            format!("between 1 and {MOST} with the burn-in"),
        )?;
        let (rows, units) = (batch.rows(), batch.units());
        let fits = units == self.visible() && (missing.rows(), missing.units()) == (rows, units);
        require(fits, "units", units, format!("{}, those of the model", self.visible()))?;

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
        let choices: Vec<Choice> = choices
            .iter()
            .filter(|_| self.layers().is_empty())
            .map(|choice| {
                let lacks = |row: &usize| gap_of(*row, choice.start).is_some();
                Choice::new(choice.clone(), (0..lacking.len()).filter(lacks).collect())
            })
            .collect();
        let mut is_chosen = vec![false; gaps.len()];
        for (choice, row) in choices.iter().flat_map(|choice| choice.rows.iter().map(move |row| (choice, *row))) {
            choice.units().filter_map(|unit| gap_of(row, unit)).for_each(|gap| is_chosen[gap] = true);
        }
        let (mut sums, mut squares) = (vec![0.0f64; gaps.len()], vec![0.0f64; gaps.len()]);
        for chain in 0..how.chains {
            let (mut v, mut p) = (part.clone(), part.clone());
            for step in 0..if lacking.is_empty() { 0 } else { steps } {
                let draw = Uniforms::new(how.seed, Stream::Missing, chain).gibbs(step as u16);
                let v_tensor = Tensor::from_slice(&v, (lacking.len(), units), &Device::Cpu)?;
                p = self.sweep(v_tensor, draw, &numbers)?.flatten_all()?.to_vec1()?;
                let uniforms = uniforms(draw.layer(LAST), &numbers, units);
                for &(at, _) in gaps.iter().zip(&is_chosen).filter(|(_, chosen)| !**chosen).map(|(gap, _)| gap) {
                    v[at] = match how.visible_states {
                        VisibleStates::Sampled => f32::from(u8::from(uniforms[at % uniforms.len()] < p[at])),
                        VisibleStates::Probabilities => p[at],
                    };
                }
                for choice in &choices {
                    let probabilities = choice.probabilities(self.top(), &v)?;
                    for (&row, options) in choice.rows.iter().zip(probabilities) {
                        let first = row * units + choice.units().start;
                        let drawn = label_at(&options, uniforms[first % uniforms.len()].into());
                        choice.put(drawn as usize, &mut v[row * units..][..units]);
                        // Of a binary value the unit has the second option's.
                        let options = if options.len() > choice.units().len() { &options[1..] } else { &options };
                        p[first..].iter_mut().zip(options).for_each(|(p, option)| *p = *option as f32);
                    }
                }
                if step >= how.burn_in {
                    for ((sum, square), &(at, _)) in sums.iter_mut().zip(&mut squares).zip(&gaps) {
                        *sum += f64::from(p[at]);
                        *square += f64::from(p[at]) * f64::from(p[at]);
                    }
                }
            }
            for (&(at, _), _) in gaps.iter().zip(&is_chosen).filter(|(_, chosen)| **chosen) {
                p[at] = v[at];
            }
            for (values, all) in [(&v, &mut completed.draws), (&p, &mut completed.draw_means)] {
                let mut whole = completed.mean.clone();
                for &(at, place) in &gaps {
                    whole[place] = values[at];
                }
                all.push(whole);
            }
        }
        let count = f64::from(how.chains) * f64::from(how.sweeps);
        for (&(_, place), (sum, square)) in gaps.iter().zip(sums.iter().zip(squares)) {
            let mean = sum / count;
            completed.mean[place] = mean as f32;
            completed.deviation[place] = (square / count - mean * mean).max(0.0).sqrt() as f32;
        }
        Ok(completed)
    }

    /// p(v|h) after one way up, a step at the top and one way down. Samples draw from the rows `numbers`, or all from
    /// the only one.
    fn sweep(&self, v: Tensor, draw: Uniforms, numbers: &[u32]) -> Result<Tensor> {
        let depth = self.layers().len() as u8;
        let mut units = v;
        for (index, layer) in self.layers().iter().enumerate() {
            units = states(&probabilities(&units, &layer.w_rec, &layer.hb)?, draw.layer(index as u8), numbers)?;
        }
        let top = self.top();
        let mut x = inputs(&units, top.w_rec(), top.hb())?;
        if let Some(group) = top.labels() {
            // The label is a unit that is missing too.
            let p: Vec<Vec<f64>> = top.label_probabilities(&units)?.to_dtype(DType::F64)?.to_vec2()?;
            let u = |row: usize| f64::from(draw.layer(depth + 1).at(numbers[row % numbers.len()], 0));
            let labels: Vec<u32> = p.iter().enumerate().map(|(row, p)| label_at(p, u(row))).collect();
            x = (x + one_hot(&labels, group.classes(), &units)?.matmul(&group.w)?)?;
        }
        let h = if top.layers().hidden.is_bernoulli() {
            states(&sigmoid(&x)?, draw.layer(depth), numbers)?
        } else {
            let mut z = vec![0.0; numbers.len() * top.hidden()];
            for (z, &number) in z.chunks_exact_mut(top.hidden()).zip(numbers) {
                draw.layer(depth).normal_row(1.0, number, z);
            }
            x.broadcast_add(&Tensor::from_vec(z, (numbers.len(), top.hidden()), &Device::Cpu)?)?
        };
        let mut p = probabilities(&h, top.w_gen(), top.vb())?;
        for (index, layer) in self.layers().iter().enumerate().rev() {
            let below = states(&p, draw.layer(index as u8 + depth + 2), numbers)?;
            p = probabilities(&below, &layer.w_gen, &layer.vb)?;
        }
        Ok(p)
    }
}

/// The place of the visible units' random numbers among the layers.
const LAST: u8 = u8::MAX;

/// States with these probabilities [B, units]; samples draw from the rows `numbers`, or all from the only one.
fn states(p: &Tensor, draw: Uniforms, numbers: &[u32]) -> Result<Tensor> {
    let units = p.dim(1)?;
    let u = Tensor::from_vec(uniforms(draw, numbers, units), (numbers.len(), units), &Device::Cpu)?;
    Ok(p.broadcast_gt(&u)?.to_dtype(p.dtype())?)
}

/// Rows of uniforms, by their numbers.
fn uniforms(draw: Uniforms, numbers: &[u32], units: usize) -> Vec<f32> {
    let mut rows = vec![0.0; numbers.len() * units];
    rows.chunks_exact_mut(units.max(1)).zip(numbers).for_each(|(row, &number)| draw.fill_row(number, row));
    rows
}
