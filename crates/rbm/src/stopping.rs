//! When a training ends by itself: it has settled, or it overfits.
//!
//! Overfitting shows twice. The validation cost stops falling, and the gap between validation
//! and training free energy widens (Hinton 2010, section 6). Both are noisy from epoch to epoch,
//! so both are compared with the best epoch so far, the one of the lowest validation cost, and
//! not with the epoch before.

use crate::config::TrainConfig;
use crate::observer::EpochMetrics;
use serde::{Deserialize, Serialize};

/// What the stopping rules remember of the epochs done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Stopping {
    /// Reconstruction cost after the last epoch.
    last_cost: Option<f64>,
    /// The epoch with the lowest validation reconstruction cost, where there is validation data.
    best: Option<Best>,
    /// Whether a rule is met: a state that was saved just then must say so.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) met: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Best {
    epoch: u32,
    cost: f64,
    /// Free-energy gap after that epoch.
    gap: f64,
}

impl Stopping {
    /// Takes an epoch in; whether a stopping rule is met.
    pub(crate) fn judge(&mut self, config: &TrainConfig, metrics: &EpochMetrics) -> bool {
        let cost = metrics.reconstruction_cost;
        let change = self.last_cost.replace(cost).map(|last| (last - cost).abs());
        let settled = config.tolerance > 0.0 && change.is_some_and(|change| change <= config.tolerance);
        self.met = settled || self.overfits(config.patience, metrics);
        self.met
    }

    fn overfits(&mut self, patience: u32, metrics: &EpochMetrics) -> bool {
        let (Some(cost), Some(gap)) = (metrics.reconstruction_cost_valid, metrics.free_energy_gap) else {
            return false;
        };
        let epoch = metrics.epoch;
        match self.best {
            Some(best) if cost >= best.cost => {
                patience > 0 && epoch.saturating_sub(best.epoch) >= patience && gap > best.gap
            }
            _ => {
                self.best = Some(Best { epoch, cost, gap });
                false
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The epoch, from 1, at which a training with these validation costs and gaps stops.
    fn stops(patience: u32, epochs: &[(f64, f64)]) -> Option<u32> {
        let config = TrainConfig { patience, ..TrainConfig::default() };
        let mut stopping = Stopping::default();
        (1..).zip(epochs).find_map(|(epoch, &(cost, gap))| {
            let (reconstruction_cost_valid, free_energy_gap) = (Some(cost), Some(gap));
            let metrics = EpochMetrics { epoch, reconstruction_cost_valid, free_energy_gap, ..Default::default() };
            stopping.judge(&config, &metrics).then_some(epoch)
        })
    }

    /// The gap goes up two and down one, and is the widest so far in every other epoch only.
    #[test]
    fn a_noisy_gap_does_not_reset_the_count() {
        let noisy: Vec<(f64, f64)> = [1.0, 3.0, 2.0, 4.0, 3.0, 5.0, 4.0].map(|gap| (9.0 + gap, gap)).to_vec();
        assert_eq!(stops(3, &noisy), Some(4));
        assert_eq!(stops(6, &noisy), Some(7));
        assert_eq!(stops(7, &noisy), None);
        assert_eq!(stops(0, &noisy), None, "0 turns the rule off");
    }

    #[test]
    fn only_a_better_cost_resets_the_count() {
        assert_eq!(
            stops(3, &[(5.0, 1.0), (6.0, 2.0), (6.0, 2.0), (4.0, 9.0), (5.0, 10.0), (5.0, 9.5), (5.0, 9.1)]),
            Some(7)
        );
        assert_eq!(stops(3, &[(5.0, 1.0), (5.0, 2.0), (5.0, 2.0), (5.0, 2.0)]), Some(4), "as good is not better");
    }

    /// A cost that stalls without the model drifting from the validation data is no overfitting;
    /// the stop comes with the first epoch in which it is.
    #[test]
    fn the_gap_must_be_wider_than_at_the_best() {
        assert_eq!(stops(2, &[(5.0, 1.0), (6.0, 0.9), (6.0, 1.0), (6.0, 0.8), (6.0, 1.1)]), Some(5));
    }

    #[test]
    fn without_validation_data_patience_never_ends() {
        let config = TrainConfig { patience: 1, ..TrainConfig::default() };
        let mut stopping = Stopping::default();
        for epoch in 1..10 {
            assert!(!stopping.judge(&config, &EpochMetrics { epoch, ..Default::default() }));
        }
    }
}
