//! What an epoch is measured by.

use crate::best::Score;

/// What patience watches of an epoch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Watched {
    /// On the validation data: the lower, the better.
    pub score: Score,
    /// How much worse validation data are than training data, where that too must grow before the training stops.
    pub gap: Option<f64>,
}

/// What an epoch is measured by.
pub trait Metrics: Send {
    /// How good the model is on the validation data, if they say so: the best model is kept.
    fn score(&self) -> Option<Score>;

    /// What patience watches: the score and no gap, unless a training says otherwise.
    fn watched(&self) -> Option<Watched> {
        self.score().map(|score| Watched { score, gap: None })
    }

    /// The cost whose changes tolerance looks at, where a training has tolerance.
    fn settling_cost(&self) -> Option<f64> {
        None
    }

    /// Takes in what only the loop knows: the wall time of the epoch, its speed, and which epoch is the best.
    fn complete(&mut self, seconds: f64, samples_per_second: f64, best_epoch: Option<u32>);
}
