//! When a training ends by itself: it has settled, or its patience is out (see the crate's documentation).
//!
//! What is watched is noisy from epoch to epoch, so it is compared with the best epoch so far and not with the
//! epoch before.

use crate::best::{Best, Score};
use crate::config::Settings;
use crate::metrics::{Metrics, Watched};
use serde::{Deserialize, Serialize};

/// What the stopping rules remember of the epochs done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stopping {
    /// Cost after the last epoch, where tolerance has one to compare.
    last_cost: Option<f64>,
    /// The epoch with the best of what is watched.
    best: Option<BestEpoch>,
    /// Whether a rule is met: a state that was saved just then must say so.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    met: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct BestEpoch {
    epoch: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    error: Option<f64>,
    cost: f64,
    gap: Option<f64>,
}

impl Stopping {
    /// Of a training that watches the score of its best model alone.
    pub(crate) fn since<M>(best: &Best<M>) -> Self {
        let Score { error, cost } = best.score;
        Self { best: Some(BestEpoch { epoch: best.epoch, error, cost, gap: None }), ..Self::default() }
    }

    /// Epochs since the best one.
    pub(crate) fn stale_epochs(&self, epoch: u32) -> u32 {
        self.best.map_or(0, |best| epoch.saturating_sub(best.epoch))
    }

    /// Whether a training that has done so many epochs is over.
    pub(crate) fn is_met(&self, epoch: u32, patience: u32) -> bool {
        let watches_a_gap = self.best.is_some_and(|best| best.gap.is_some());
        self.met || !watches_a_gap && patience > 0 && self.stale_epochs(epoch) >= patience
    }

    /// Takes an epoch in; whether a stopping rule is met.
    pub(crate) fn finish_epoch(&mut self, settings: &impl Settings, epoch: u32, metrics: &impl Metrics) -> bool {
        let (last, tolerance) = (self.last_cost, settings.tolerance());
        self.last_cost = metrics.settling_cost();
        let change = last.zip(self.last_cost).map(|(last, cost)| (last - cost).abs());
        let settled = tolerance > 0.0 && change.is_some_and(|change| change <= tolerance);
        self.met =
            settled || metrics.watched().is_some_and(|now| self.is_out_of_patience(settings.patience(), epoch, now));
        self.met
    }

    fn is_out_of_patience(&mut self, patience: u32, epoch: u32, Watched { score, gap }: Watched) -> bool {
        let better = |best: &BestEpoch| score < Score { error: best.error, cost: best.cost };
        let Some(best) = self.best.filter(|best| !better(best)) else {
            self.best = Some(BestEpoch { epoch, error: score.error, cost: score.cost, gap });
            return false;
        };
        let wider = gap.zip(best.gap).is_none_or(|(now, then)| now > then);
        patience > 0 && epoch.saturating_sub(best.epoch) >= patience && wider
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::OnDivergence;

    struct Patient(u32);

    impl Settings for Patient {
        fn epochs(&self) -> u32 {
            1000
        }
        fn patience(&self) -> u32 {
            self.0
        }
        fn on_divergence(&self) -> OnDivergence {
            OnDivergence::Stop
        }
        fn threads(&self) -> usize {
            1
        }
    }

    /// A cost on the validation data, and a gap.
    struct Seen(f64, Option<f64>);

    impl Metrics for Seen {
        fn score(&self) -> Option<Score> {
            None
        }
        fn watched(&self) -> Option<Watched> {
            Some(Watched { score: Score::of_cost(self.0), gap: self.1 })
        }
        fn complete(&mut self, _: f64, _: f64, _: Option<u32>) {}
    }

    /// The epoch, from 1, at which a training with these validation costs and gaps stops.
    fn stops(patience: u32, epochs: &[(f64, Option<f64>)]) -> Option<u32> {
        let mut stopping = Stopping::default();
        (1..).zip(epochs).find_map(|(epoch, &(cost, gap))| {
            let met = stopping.finish_epoch(&Patient(patience), epoch, &Seen(cost, gap));
            assert_eq!(met, stopping.is_met(epoch, patience), "a state says whether it is over");
            met.then_some(epoch)
        })
    }

    fn with_gap(epochs: &[(f64, f64)]) -> Vec<(f64, Option<f64>)> {
        epochs.iter().map(|&(cost, gap)| (cost, Some(gap))).collect()
    }

    /// The gap goes up two and down one, and is the widest so far in every other epoch only.
    #[test]
    fn a_noisy_gap_does_not_reset_the_count() {
        let noisy = with_gap(&[1.0, 3.0, 2.0, 4.0, 3.0, 5.0, 4.0].map(|gap| (9.0 + gap, gap)));
        assert_eq!(stops(3, &noisy), Some(4));
        assert_eq!(stops(6, &noisy), Some(7));
        assert_eq!(stops(7, &noisy), None);
        assert_eq!(stops(0, &noisy), None, "0 turns the rule off");
    }

    #[test]
    fn only_a_better_cost_resets_the_count() {
        let costs = [(5.0, 1.0), (6.0, 2.0), (6.0, 2.0), (4.0, 9.0), (5.0, 10.0), (5.0, 9.5), (5.0, 9.1)];
        assert_eq!(stops(3, &with_gap(&costs)), Some(7));
        let equal = [(5.0, 1.0), (5.0, 2.0), (5.0, 2.0), (5.0, 2.0)];
        assert_eq!(stops(3, &with_gap(&equal)), Some(4), "as good is not better");
    }

    /// A cost that stalls without the model drifting from the validation data is no overfitting;
    /// the stop comes with the first epoch in which it is.
    #[test]
    fn the_gap_must_be_wider_than_at_the_best() {
        assert_eq!(stops(2, &with_gap(&[(5.0, 1.0), (6.0, 0.9), (6.0, 1.0), (6.0, 0.8), (6.0, 1.1)])), Some(5));
    }

    #[test]
    fn without_a_gap_the_count_decides() {
        assert_eq!(stops(2, &[(5.0, None), (6.0, None), (4.0, None), (4.0, None), (4.0, None)]), Some(5));
    }

    /// Files of trainings that have no gap keep the best epoch alone.
    #[test]
    fn what_a_file_keeps_is_enough() {
        let best = Best { epoch: 3, score: Score { error: Some(0.5), cost: 1.0 }, model: () };
        let stopping = Stopping::since(&best);
        assert_eq!((stopping.stale_epochs(5), stopping.is_met(5, 3), stopping.is_met(6, 3)), (2, false, true));
        assert!(!stopping.is_met(6, 0));
    }
}
