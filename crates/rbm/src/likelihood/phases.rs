//! Whether the chains of two directions have met.
//!
//! Annealed chains that miss a mode of the model report a small error: nothing in their weights shows what they
//! never saw. What shows it is a comparison with chains that came from the other end. At some inverse
//! temperatures both directions leave their states behind, and two samples of what should be one distribution
//! are compared by the difference of their means in units of their pooled standard deviation, along
//!
//! - the sum of the visible units, which of bits is the number of those that are on,
//! - `d ln p*(v; β) / dβ`, the energy that β multiplies,
//! - the free energy of the RBM, at β = 1,
//! - the direction in which the mean states differ, found from one half of the chains and measured on the other.

use super::runs::in_bits;
use crate::error::Result;
use crate::model::rbm::Rbm;
use candle_core::{DType, Device, Tensor};
use deepbelief_kernels::{Batch, Betas, Tempering};

/// Standard deviations by which the means of two samples may differ before they count as two phases.
/// Neighbouring modes that both samples visit, in shares of their own, stay below it; clusters that only one
/// of them visits are far above.
pub const APART: f64 = 2.0;

/// Chains that are compared, at most.
const COMPARED: usize = 1000;

/// Fewest chains that are compared: below, pooled deviations are chance.
const FEWEST: usize = 10;

/// Inverse temperatures between the ends at which states are compared.
pub(super) const MARKS: usize = 24;

/// Step of the difference quotient along β.
const PROBE: f32 = 1e-3;

/// States at an inverse temperature.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Mark {
    beta: f32,
    states: Batch,
    /// `d ln p* / dβ` of each chain.
    slopes: Vec<f64>,
}

impl Mark {
    /// Of chains at `beta`, whose line of biases holds there. Takes the log weights that they have collected,
    /// which it returns.
    pub(super) fn of(chains: &mut dyn Tempering, beta: f32, towards: f32) -> Result<(Self, Vec<f64>)> {
        let collected = chains.take_log_weights()?;
        let all = chains.states()?;
        let kept: Vec<usize> = (0..all.rows().min(COMPARED)).collect();
        // Within the stretch that the chains are about to pass, or have passed.
        let probe = if towards < beta { -PROBE } else { PROBE };
        chains.anneal(Betas::All(beta), Betas::All(beta + probe), None)?;
        let mut slopes: Vec<f64> = chains.take_log_weights()?.iter().map(|x| x / f64::from(probe)).collect();
        slopes.truncate(COMPARED);
        Ok((Self { beta, states: all.chosen(&kept), slopes }, collected))
    }
}

/// How far two directions are apart.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Separation {
    /// Inverse temperature.
    pub beta: f64,
    /// Pooled standard deviations between the means, along the direction in which they differ most.
    pub deviations: f64,
}

/// Of marks of both directions at the same inverse temperatures, in ascending order. Nothing where too few
/// chains are there to compare.
pub(super) fn separations(rbm: &Rbm, forward: &[Mark], reverse: &[Mark]) -> Result<Vec<Separation>> {
    let rows = |marks: &[Mark]| marks.first().map_or(0, |mark| mark.states.rows());
    if rows(forward) < FEWEST || rows(reverse) < FEWEST {
        return Ok(Vec::new());
    }
    let rbm = &in_bits(rbm)?.0;
    let mut reverse: Vec<&Mark> = reverse.iter().collect();
    reverse.sort_by(|a, b| a.beta.total_cmp(&b.beta));
    forward.iter().zip(reverse).map(|(a, b)| separation(rbm, a, b)).collect()
}

fn separation(rbm: &Rbm, a: &Mark, b: &Mark) -> Result<Separation> {
    let activity = |mark: &Mark| -> Vec<f64> {
        let values = mark.states.to_values();
        values.chunks_exact(mark.states.units().max(1)).map(|row| row.iter().map(|&x| f64::from(x)).sum()).collect()
    };
    let mut deviations = difference(&activity(a), &activity(b)).max(difference(&a.slopes, &b.slopes));
    if a.beta >= 1.0 {
        deviations = deviations.max(difference(&free_energies(rbm, &a.states)?, &free_energies(rbm, &b.states)?));
    }
    let (a_values, b_values) = (a.states.to_values(), b.states.to_values());
    let deviations = deviations.max(along_means(&a_values, &b_values, a.states.units().max(1)));
    Ok(Separation { beta: f64::from(a.beta), deviations })
}

fn free_energies(rbm: &Rbm, v: &Batch) -> Result<Vec<f64>> {
    let shape = (v.rows(), v.units());
    let v = Tensor::from_vec(v.to_values(), shape, &Device::Cpu)?.to_device(rbm.w_rec().device())?;
    Ok(rbm.free_energy(&v.to_dtype(rbm.w_rec().dtype())?)?.to_dtype(DType::F64)?.to_vec1()?)
}

/// Difference of the means in pooled standard deviations.
fn difference(a: &[f64], b: &[f64]) -> f64 {
    let moments = |x: &[f64]| {
        let n = x.len().max(1) as f64;
        let mean = x.iter().sum::<f64>() / n;
        (mean, x.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / n)
    };
    let ((a, a_variance), (b, b_variance)) = (moments(a), moments(b));
    let (apart, pooled) = ((a - b).abs(), (0.5 * (a_variance + b_variance)).sqrt());
    // Values that are all the same but for rounding are not apart.
    if apart <= 1e-6 * (a.abs() + b.abs()) { 0.0 } else { apart / pooled }
}

/// The same along the difference of the mean states of every other chain, measured on the rest.
fn along_means(a: &[f32], b: &[f32], units: usize) -> f64 {
    let mean = |values: &[f32]| {
        let mut sums = vec![0.0f64; units];
        let rows = values.chunks_exact(units).step_by(2);
        let n = rows.len().max(1) as f64;
        rows.for_each(|row| sums.iter_mut().zip(row).for_each(|(sum, &x)| *sum += f64::from(x) / n));
        sums
    };
    let direction: Vec<f64> = mean(a).iter().zip(mean(b)).map(|(a, b)| a - b).collect();
    let along = |values: &[f32]| -> Vec<f64> {
        let project = |row: &[f32]| row.iter().zip(&direction).map(|(&x, d)| f64::from(x) * d).sum();
        values.chunks_exact(units).skip(1).step_by(2).map(project).collect()
    };
    difference(&along(a), &along(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_are_in_standard_deviations() {
        assert_eq!(difference(&[1.0, 3.0], &[11.0, 13.0]), 10.0);
        assert_eq!(difference(&[2.0; 5], &[2.0; 5]), 0.0);
        assert_eq!(difference(&[2.0; 5], &[3.0; 5]), f64::INFINITY);
    }

    /// Two patterns of the same number of units: only the direction between them shows that one sample has one
    /// and the other the other.
    #[test]
    fn patterns_of_equal_activity_are_told_apart() {
        let rows = |pattern: [f32; 4]| pattern.repeat(20);
        let (a, b) = (rows([1.0, 1.0, 0.0, 0.0]), rows([0.0, 0.0, 1.0, 1.0]));
        assert!(along_means(&a, &b, 4) > 1e6);
        let mixed: Vec<f32> = [a.clone(), b].concat();
        assert_eq!(along_means(&mixed, &mixed, 4), 0.0);
        assert!(along_means(&a, &mixed, 4) < APART, "a half of one sample is where the other is");
    }
}
