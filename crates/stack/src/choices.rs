//! Missing choices of a table: a category, whose units of which exactly one is on, or a binary value, which is one unit.
//!
//! A choice given the rest of the sample has an exact distribution, with the hidden units summed out:
//!
//! ```text
//! p(choice = k | rest) = exp(-F(v with k)) / sum over l of exp(-F(v with l))
//! ```
//!
//! Steps through the hidden units would draw it too, but hold on to a choice that many hidden units know of.

use crate::error::Result;
use candle_core::{Device, Tensor};
use deepbelief_rbm::Rbm;
use std::ops::Range;

/// A choice that some rows lack.
pub(crate) struct Choice {
    units: Range<usize>,
    low: f32,
    /// The rows.
    pub(crate) rows: Vec<usize>,
}

impl Choice {
    /// Of a category's units, or of the unit of a binary value, the lower of which is `low`.
    pub(crate) fn new(units: Range<usize>, low: f32, rows: Vec<usize>) -> Self {
        Self { units, low, rows }
    }

    /// The lower of a binary value's two.
    pub(crate) fn low(&self) -> f32 {
        self.low
    }

    /// Its units.
    pub(crate) fn units(&self) -> Range<usize> {
        self.units.clone()
    }

    /// Turns option `k` on: of a binary value off or on.
    pub(crate) fn put(&self, k: usize, v: &mut [f32]) {
        match self.units.len() {
            1 => v[self.units.start] = if k == 1 { 1.0 } else { self.low },
            _ => self.units().enumerate().for_each(|(l, unit)| v[unit] = if l == k { 1.0 } else { 0.0 }),
        }
    }

    /// The probability of every option, of each row that lacks the choice. `v` are samples of the RBM, row by row.
    pub(crate) fn probabilities(&self, rbm: &Rbm, v: &[f32]) -> Result<Vec<Vec<f64>>> {
        let (visible, options) = (rbm.visible(), self.units.len().max(2));
        let mut rows: Vec<f32> = self.rows.iter().flat_map(|&row| &v[row * visible..][..visible]).copied().collect();
        let mut scores = vec![Vec::with_capacity(options); self.rows.len()];
        for k in 0..options {
            rows.chunks_exact_mut(visible).for_each(|v| self.put(k, v));
            let v = Tensor::from_slice(&rows, (self.rows.len(), visible), &Device::Cpu)?;
            let free_energies = rbm.free_energy(&v)?.to_vec1::<f32>()?;
            scores.iter_mut().zip(free_energies).for_each(|(scores, f)| scores.push(-f64::from(f)));
        }
        for scores in &mut scores {
            let most = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            for x in scores.iter_mut() {
                *x = libm::exp(*x - most);
            }
            let sum: f64 = scores.iter().sum();
            for x in scores.iter_mut() {
                *x /= sum;
            }
        }
        Ok(scores)
    }
}
