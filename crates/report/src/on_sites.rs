//! A model of sites beside sites that do not depend on each other: by how much it finds samples more probable, and what to
//! do where it does not.

use crate::traces::Traces;
use serde::{Deserialize, Serialize};

/// The figure of a training that is compared with independent sites.
pub const COMPARED: &str = "log_likelihood_valid";

/// Nats per site within which a model is neither better nor worse.
const SAME: f64 = 0.001;

/// Standard deviation of the difference over samples, in nats per site, up to which a model has no couplings to speak of.
const WITHOUT_COUPLINGS: f64 = 0.01;

/// Spread of the hidden units up to which they say nothing, so that no couplings are left.
const SILENT: f64 = 0.01;

/// Standard errors on each side of a difference: 95 of 100 intervals hold the true one.
const SIDES: f64 = 1.96;

/// The L1b cost to try where there was none, in the middle of those that families need.
const SOME_COST: f64 = 0.1;

/// Sums over samples, of which each may weigh another amount.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Moments {
    /// Of the weights.
    pub weight: f64,
    /// Of the squares of the weights.
    pub weight_squares: f64,
    /// Of the values, as often as each weighs.
    pub values: f64,
    /// Of the squares of the values, as often as each weighs.
    pub squares: f64,
}

impl Moments {
    /// Of weights and values.
    #[must_use]
    pub fn of(samples: impl IntoIterator<Item = (f64, f64)>) -> Self {
        samples.into_iter().fold(Self::default(), |sums, (weight, value)| Self {
            weight: sums.weight + weight,
            weight_squares: sums.weight_squares + weight * weight,
            values: sums.values + weight * value,
            squares: sums.squares + weight * value * value,
        })
    }

    /// The variance of the values, and as how many samples the weights count.
    fn variance(&self) -> (f64, f64) {
        let mean = self.values / self.weight;
        ((self.squares / self.weight - mean * mean).max(0.0), self.weight * self.weight / self.weight_squares)
    }
}

/// By how much a model finds samples more probable than independent sites do, in nats per sample.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Difference {
    /// The mean over the samples.
    pub value: f64,
    /// The lower end of its interval of 95 %; none where that is not known.
    pub low: Option<f64>,
    /// The upper end.
    pub high: Option<f64>,
    /// Standard deviation over the samples.
    pub spread: f64,
}

impl Difference {
    /// A mean difference with 1.96 standard errors on each side. `samples` are sums over the differences of single samples,
    /// in which a constant such as ln Z may be missing; the standard error of ln Z joins theirs as a root of squares. Without
    /// it, and of a single sample, there is no interval.
    #[must_use]
    pub fn new(value: f64, samples: &Moments, log_z_error: Option<f64>) -> Self {
        let (variance, n) = samples.variance();
        let error =
            log_z_error.filter(|_| n > 1.0).map(|of_log_z| SIDES * (variance / (n - 1.0)).sqrt().hypot(of_log_z));
        Self {
            value,
            low: error.map(|error| value - error),
            high: error.map(|error| value + error),
            spread: variance.sqrt(),
        }
    }

    /// `better than independent sites by 0.74 nats per sample (0.50 to 0.98)`.
    #[must_use]
    pub fn in_words(&self) -> String {
        let is_worse = self.value < 0.0;
        let ends = self.low.zip(self.high).map(|(low, high)| if is_worse { (-high, -low) } else { (low, high) });
        let interval = ends.map_or(String::new(), |(low, high)| {
            let chance = if low <= 0.0 { ", which may be chance" } else { "" };
            format!(" ({low:.2} to {high:.2}){chance}")
        });
        let word = if is_worse { "worse" } else { "better" };
        format!("{word} than independent sites by {:.2} nats per sample{interval}", self.value.abs())
    }
}

/// The log-likelihood of validation samples at the end of a training, and that of independent sites.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Compared {
    /// The epoch that the model was measured in.
    pub epoch: u32,
    /// Sites of a sample.
    pub sites: usize,
    /// Mean log-likelihood of a sample under the model, in nats.
    pub model: f64,
    /// The same under independent sites.
    pub independent: f64,
    /// What single samples say of the difference, where they were measured.
    pub difference: Option<Difference>,
}

/// What a model of sites is judged by beside its figures.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct OnSites {
    /// The L1b cost that it was trained with; 0 without.
    pub l1b_cost: f64,
    /// How it compares with independent sites, where that was computed.
    pub compared: Option<Compared>,
}

/// What is wrong with a model that is not better than independent sites.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// It is still getting better.
    Early,
    /// It has no couplings.
    Uncoupled,
    /// Its couplings do not help on samples that it did not learn from.
    Overfits,
}

/// The same in a sentence, with its cure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What it is.
    pub wrong: Wrong,
    /// The sentence.
    pub text: String,
}

impl OnSites {
    /// The cure for overfitting.
    #[must_use]
    pub fn cure(&self) -> String {
        if self.l1b_cost > 0.0 {
            format!("Try --l1b-cost {}, twice the L1b cost.", in_two_digits(2.0 * self.l1b_cost))
        } else {
            format!("Try an L1b cost: --l1b-cost {SOME_COST} is one.")
        }
    }

    /// Why the model is not better than independent sites; none if it is, or was not compared.
    #[must_use]
    pub fn fault(&self, traces: &Traces) -> Option<Fault> {
        let compared = self.compared?;
        let (ahead, sites) = (compared.model - compared.independent, compared.sites as f64);
        let spread = compared.difference.map(|difference| difference.spread);
        let says_nothing = traces.last("hidden_spread").is_some_and(|(_, spread)| spread <= SILENT);
        let is_uncoupled = says_nothing || spread.is_none_or(|spread| spread <= WITHOUT_COUPLINGS * sites);
        let fault = |wrong: Wrong, text: String| Some(Fault { wrong, text });
        if ahead.abs() <= SAME * sites && is_uncoupled {
            let why = if self.l1b_cost > 0.0 {
                let half = in_two_digits(0.5 * self.l1b_cost);
                format!("the L1b cost has removed the couplings. Try --l1b-cost {half}, half of it.")
            } else {
                "it has learned no couplings.".into()
            };
            return fault(Wrong::Uncoupled, format!("It is no better than independent sites: {why}"));
        }
        if ahead > SAME * sites {
            return None;
        }
        let points = traces.points(COMPARED);
        let best = points.iter().copied().max_by(|a, b| a.1.total_cmp(&b.1)).filter(|_| points.len() > 1);
        let how = if ahead < -SAME * sites { "worse" } else { "no better" };
        match best {
            Some((epoch, _)) if epoch == f64::from(compared.epoch) => fault(
                Wrong::Early,
                "It is not better than independent sites yet, and is still getting better: try more epochs.".into(),
            ),
            Some((epoch, _)) => fault(
                Wrong::Overfits,
                format!(
                    "It overfits: epoch {epoch} was best, and epoch {} is {how} than independent sites. {}",
                    compared.epoch,
                    self.cure()
                ),
            ),
            None => fault(Wrong::Overfits, format!("It is {how} than independent sites. {}", self.cure())),
        }
    }
}

fn in_two_digits(cost: f64) -> f64 {
    format!("{cost:.1e}").parse().unwrap_or(cost)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn traces(values: &[(u32, f64)]) -> Traces {
        let mut traces = Traces::default();
        for &(epoch, value) in values {
            traces.add(epoch, BTreeMap::from([(COMPARED.to_string(), value)]));
        }
        traces
    }

    fn compared(model: f64, independent: f64, spread: f64) -> Compared {
        let difference = Difference { value: model - independent, low: None, high: None, spread };
        Compared { epoch: 60, sites: 42, model, independent, difference: Some(difference) }
    }

    /// Of the differences 1, 2, 3, 4 the mean is 2.5 and its standard error is the square root of 5/12; what all samples lack
    /// alike changes nothing, and weights of 2 count as one sample each.
    #[test]
    fn a_difference_has_the_interval_of_its_samples_and_of_ln_z() {
        let error = 1.96 * (5.0f64 / 12.0).sqrt();
        for (weight, less) in [(1.0, 0.0), (2.0, 70.0)] {
            let samples = Moments::of([1.0, 2.0, 3.0, 4.0].map(|x| (weight, x - less)));
            let exact = Difference::new(2.5, &samples, Some(0.0));
            assert!((exact.low.unwrap() - (2.5 - error)).abs() < 1e-9, "{exact:?}");
            let estimated = Difference::new(2.5, &samples, Some(1.0));
            let both = (error * error + 1.96 * 1.96).sqrt();
            assert!((estimated.high.unwrap() - (2.5 + both)).abs() < 1e-9, "{estimated:?}");
            assert_eq!(Difference::new(2.5, &samples, None).low, None);
        }
        let words = |value: f64, low: f64, high: f64| {
            Difference { value, low: Some(low), high: Some(high), spread: 1.0 }.in_words()
        };
        assert_eq!(words(0.74, 0.5, 0.98), "better than independent sites by 0.74 nats per sample (0.50 to 0.98)");
        assert_eq!(words(-2.0, -3.0, -1.0), "worse than independent sites by 2.00 nats per sample (1.00 to 3.00)");
        assert!(words(0.1, -0.2, 0.4).ends_with("(-0.20 to 0.40), which may be chance"));
    }

    #[test]
    fn what_is_not_better_than_independent_sites_has_one_cure() {
        let fault = |l1b_cost: f64, compared: Compared, values: &[(u32, f64)]| {
            OnSites { l1b_cost, compared: Some(compared) }.fault(&traces(values)).map(|fault| (fault.wrong, fault.text))
        };
        let falling = [(20, -103.0), (40, -106.0), (60, -108.0)];
        let (wrong, text) = fault(0.14, compared(-108.0, -100.2, 9.0), &falling).unwrap();
        assert_eq!(wrong, Wrong::Overfits);
        assert_eq!(
            text,
            "It overfits: epoch 20 was best, and epoch 60 is worse than independent sites. Try --l1b-cost 0.28, twice the \
             L1b cost."
        );
        let rising = [(20, -108.0), (40, -106.0), (60, -103.0)];
        assert_eq!(fault(0.14, compared(-103.0, -100.2, 9.0), &rising).unwrap().0, Wrong::Early);
        let (wrong, text) = fault(1.0, compared(-100.20, -100.21, 0.1), &rising).unwrap();
        assert_eq!(wrong, Wrong::Uncoupled);
        assert!(text.ends_with("has removed the couplings. Try --l1b-cost 0.5, half of it."), "{text}");
        let (_, text) = fault(0.0, compared(-100.20, -100.21, 9.0), &falling[..1]).unwrap();
        assert_eq!(text, "It is no better than independent sites. Try an L1b cost: --l1b-cost 0.1 is one.");
        assert_eq!(fault(0.14, compared(-90.0, -100.2, 9.0), &falling), None);
        assert_eq!(OnSites::default().fault(&traces(&falling)), None);
    }
}
