//! What each hidden unit is for: how much it matters, on how many sites it acts, which sequences drive it.
//!
//! With I the input of a unit over the data, its importance is Jensen's gap
//!
//! ```text
//! <cgf(I)> - cgf(<I>)     in nats, never below 0
//! ```
//!
//! what it adds to the mean log-weight of the data beyond a unit of the same mean input that does not vary: half of Var(I) / g of
//! a Gaussian unit. It is the same in every gauge. With `s_i = sum_a W_iu(a)²`, weights in the zero-sum gauge, the unit acts on
//! `(sum_i s_i)² / sum_i s_i²` sites, its participation ratio (Tubiana, Cocco & Monasson 2019).

use crate::error::Result;
use crate::sites::{Sequences, Sites};

/// A hidden unit.
#[derive(Clone, Debug, PartialEq)]
pub struct HiddenUnit {
    /// Its number, from 0.
    pub unit: usize,
    /// In nats.
    pub importance: f64,
    /// On how many sites it acts.
    pub acts_on: f64,
    /// Mean and standard deviation of its input over the data.
    pub input: (f64, f64),
    /// Its input for each sequence.
    pub inputs: Vec<f64>,
    /// Sequences of the highest inputs, the highest first.
    pub highest: Vec<usize>,
    /// Sequences of the lowest inputs, the lowest first.
    pub lowest: Vec<usize>,
}

/// Every hidden unit, the most important first, with so many sequences at either end.
///
/// # Errors
/// If sequences do not fit the model, or candle refuses an operation.
pub fn hidden_units(sites: &Sites, sequences: &Sequences, ends: usize) -> Result<Vec<HiddenUnit>> {
    sites.require_fit(sequences)?;
    let (hidden, n) = (sites.hidden(), sequences.len());
    let total: f64 = sequences.weights().iter().sum();
    let mut inputs = vec![Vec::with_capacity(n); hidden];
    for row in sequences.rows() {
        inputs.iter_mut().zip(sites.inputs(row)).for_each(|(inputs, x)| inputs.push(x));
    }
    let mean = |of: &dyn Fn(usize) -> f64| -> f64 {
        sequences.weights().iter().enumerate().map(|(k, weight)| weight * of(k)).sum::<f64>() / total
    };
    let means: Vec<f64> = inputs.iter().map(|x| mean(&|k| x[k])).collect();
    let at_means = sites.cgfs(means.clone())?;
    let mut of_data = vec![0.0; hidden];
    for (row, weight) in sequences.rows().zip(sequences.weights()) {
        let cgfs = sites.cgfs(sites.inputs(row))?;
        of_data.iter_mut().zip(cgfs).for_each(|(sum, cgf)| *sum += weight * cgf / total);
    }
    let each = inputs.into_iter().enumerate().map(|(unit, inputs)| {
        let mut order: Vec<usize> = (0..n).collect();
        order.sort_by(|&a, &b| inputs[b].total_cmp(&inputs[a]));
        let variance = mean(&|k| (inputs[k] - means[unit]) * (inputs[k] - means[unit]));
        HiddenUnit {
            unit,
            importance: (of_data[unit] - at_means[unit]).max(0.0),
            acts_on: participation(sites, unit),
            input: (means[unit], variance.sqrt()),
            highest: order.iter().take(ends).copied().collect(),
            lowest: order.iter().rev().take(ends).copied().collect(),
            inputs,
        }
    });
    let mut units: Vec<HiddenUnit> = each.collect();
    units.sort_by(|a, b| b.importance.total_cmp(&a.importance));
    Ok(units)
}

/// The weights of a unit from the levels of a site, in the zero-sum gauge.
#[must_use]
pub fn zero_sum_weights(sites: &Sites, site: usize, unit: usize) -> Vec<f64> {
    let weights: Vec<f64> = (0..sites.levels()[site]).map(|level| sites.weights(site, level)[unit]).collect();
    let mean = weights.iter().sum::<f64>() / weights.len() as f64;
    weights.into_iter().map(|w| w - mean).collect()
}

fn participation(sites: &Sites, unit: usize) -> f64 {
    let square = |site| zero_sum_weights(sites, site, unit).iter().map(|w| w * w).sum::<f64>();
    let squares: Vec<f64> = (0..sites.count()).map(square).collect();
    let (sum, of_squares) = (squares.iter().sum::<f64>(), squares.iter().map(|s| s * s).sum::<f64>());
    if of_squares > 0.0 { sum * sum / of_squares } else { 0.0 }
}
