//! An estimate of ln Z from the weights of annealed chains.

use deepbelief_kernels::LogSum;

/// Effective chains below which an estimate has no standard error.
pub const FEWEST_EFFECTIVE: f64 = 10.0;

/// A figure with the interval that holds it, in nats.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// The best guess.
    pub value: f64,
    /// Both ends: the value itself where it is exact, three standard errors away where it is estimated, none where no
    /// interval holds.
    pub ends: Option<(f64, f64)>,
}

/// An estimate of ln Z.
#[derive(Clone, Debug, PartialEq)]
pub struct LogPartition {
    /// ln Z, in nats.
    pub value: f64,
    /// Standard error, to first order, which holds where many chains carry the weight: none below
    /// [`FEWEST_EFFECTIVE`] effective chains. The error of a run whose chains missed a mode is not in
    /// it: only the other run shows that.
    pub standard_error: Option<f64>,
    /// Chains of equal weight that would be worth as much: `(sum w)² / sum w²`.
    pub effective_sample_size: f64,
}

/// Standard errors below and above an estimate that make its interval.
pub(super) const INTERVAL: f64 = 3.0;

impl LogPartition {
    /// The estimate, and what lies within three standard errors of it.
    #[must_use]
    pub fn interval(&self) -> Interval {
        let ends = self.standard_error.map(|error| (self.value - INTERVAL * error, self.value + INTERVAL * error));
        Interval { value: self.value, ends }
    }

    /// Variance of the estimate from so many chains, to first order.
    pub(super) fn variance(&self, chains: usize) -> f64 {
        // Relative variance of a weight: n / ESS - 1.
        let n = chains as f64;
        (n / self.effective_sample_size - 1.0).max(0.0) / (n - 1.0)
    }

    /// From the logarithms of weights whose mean estimates exp(`sign` (ln Z - `base`)).
    pub(super) fn of(log_weights: &[f64], base: f64, sign: f64) -> Self {
        let n = log_weights.len() as f64;
        let sum = log_weights.iter().copied().collect::<LogSum>().value();
        let squares = log_weights.iter().map(|&x| 2.0 * x).collect::<LogSum>().value();
        let effective_sample_size = libm::exp(2.0 * sum - squares);
        let value = base + sign * (sum - libm::log(n));
        let estimate = Self { value, standard_error: None, effective_sample_size };
        let error = estimate.variance(log_weights.len()).sqrt();
        Self { standard_error: (effective_sample_size >= FEWEST_EFFECTIVE).then_some(error), ..estimate }
    }
}
