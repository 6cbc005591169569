//! The acceptance ratio of Bennett ("Efficient estimation of free energy differences from Monte Carlo
//! data", J. Comp. Phys. 22:245, 1976): `ln (Z_1 / Z_0)` from samples of both models.
//!
//! With `f(x) = 1 / (1 + exp(x))`, gains `g_0 = ln p*_1(v) - ln p*_0(v)` of `n_0` samples of model 0 and
//! `g_1 = ln p*_0(v) - ln p*_1(v)` of `n_1` samples of model 1, the difference D solves
//!
//! ```text
//! sum over samples of 0 of f(M - g_0 + D) = sum over samples of 1 of f(-M - g_1 - D),   M = ln(n_0 / n_1)
//! ```
//!
//! whose left side falls and whose right side rises with D. Of all estimates from such samples it has the
//! least variance, to first order
//! `(<f²>_0 / <f>_0² - 1) / n_0 + (<f²>_1 / <f>_1² - 1) / n_1`.

/// An estimate of `ln (Z_1 / Z_0)`, in nats.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LogRatio {
    /// The estimate.
    pub value: f64,
    /// Its variance, to first order, for independent samples.
    pub variance: f64,
    /// Samples of equal weight that the smaller side is worth: `(sum f)² / sum f²`.
    pub effective: f64,
}

/// Halvings of the interval that D is sought in: enough for all digits.
const HALVINGS: u32 = 100;

/// From the gains of samples of model 0 in going over to model 1, and of samples of 1 in going to 0.
/// Without samples of one of them, or without numbers, the variance is infinite.
#[must_use]
pub fn bennett(from_0: &[f64], from_1: &[f64]) -> LogRatio {
    let (n0, n1) = (from_0.len() as f64, from_1.len() as f64);
    let finite = from_0.iter().chain(from_1).all(|gain| gain.is_finite());
    if from_0.is_empty() || from_1.is_empty() || !finite {
        return LogRatio { value: 0.0, variance: f64::INFINITY, effective: 0.0 };
    }
    let m = libm::log(n0 / n1);
    let sum = |gains: &[f64], shift: f64| gains.iter().map(|gain| fermi(shift - gain)).sum::<f64>();
    let excess = |d: f64| sum(from_0, m + d) - sum(from_1, -m - d);
    // D lies where some sample's term is at its middle, or between such places.
    let ends = from_0.iter().map(|gain| gain - m).chain(from_1.iter().map(|gain| -gain - m));
    let (mut low, mut high) = ends.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), d| (low.min(d), high.max(d)));
    (low, high) = (low - n0.max(n1).ln() - 1.0, high + n0.max(n1).ln() + 1.0);
    for _ in 0..HALVINGS {
        let middle = 0.5 * (low + high);
        if excess(middle) > 0.0 { low = middle } else { high = middle }
    }
    let value = 0.5 * (low + high);
    let effective = |gains: &[f64], shift: f64| {
        let square = gains.iter().map(|gain| fermi(shift - gain).powi(2)).sum::<f64>();
        let effective = sum(gains, shift).powi(2) / square;
        // Samples that have nothing in common with the other model tell nothing.
        if effective.is_finite() { effective } else { 0.0 }
    };
    let (of_0, of_1) = (effective(from_0, m + value), effective(from_1, -m - value));
    let variance = (1.0 / of_0 - 1.0 / n0).max(0.0) + (1.0 / of_1 - 1.0 / n1).max(0.0);
    LogRatio { value, variance, effective: of_0.min(of_1) }
}

fn fermi(x: f64) -> f64 {
    1.0 / (1.0 + libm::exp(x))
}

#[cfg(test)]
mod tests {
    use super::*;
    use deepbelief_kernels::{Stream, Uniforms};

    /// Samples of N(0, 1) and of N(1, 1) scaled to have 20 times the mass, in unequal numbers. Of 40
    /// estimates, the errors in units of their standard errors have a root mean square of 0.97 for these
    /// seeds; for 40 normal values it is outside 0.55 to 1.5 with probability below 1e-5.
    #[test]
    fn the_ratio_of_two_normal_distributions() {
        let ratio = 20f64.ln();
        // ln p*_1 - ln p*_0 at x.
        let gain = |x: f64| ratio + x - 0.5;
        let squares: Vec<f64> = (0..40)
            .map(|trial| {
                let mut draws = vec![0.0; 900];
                Uniforms::new(trial, Stream::User, 0).normal(1.0, 900, &mut draws);
                let from_0: Vec<f64> = draws[..600].iter().map(|&x| gain(f64::from(x))).collect();
                let from_1: Vec<f64> = draws[600..].iter().map(|&x| -gain(f64::from(x) + 1.0)).collect();
                let LogRatio { value, variance, .. } = bennett(&from_0, &from_1);
                assert!((value - ratio).abs() < 0.3, "{value}");
                (value - ratio).powi(2) / variance
            })
            .collect();
        let spread = (squares.iter().sum::<f64>() / 40.0).sqrt();
        assert!((0.55..1.5).contains(&spread), "{spread}");
    }

    #[test]
    fn equal_models_differ_by_their_constant() {
        for constant in [-700.0, 0.0, 3.5, 1e5] {
            let estimate = bennett(&[constant; 7], &[-constant; 3]);
            assert!((estimate.value - constant).abs() < 1e-9 * (1.0 + constant.abs()), "{estimate:?}");
            assert!(estimate.variance < 1e-9, "{estimate:?}");
        }
    }

    #[test]
    fn what_cannot_be_told_has_no_certainty() {
        assert_eq!(bennett(&[], &[1.0]).variance, f64::INFINITY);
        assert_eq!(bennett(&[f64::NAN], &[1.0]).variance, f64::INFINITY);
        assert_eq!(bennett(&[-500.0, -500.5], &[-750.0, -751.0]).variance, f64::INFINITY);
    }
}
