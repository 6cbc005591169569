//! What an epoch of a training by backpropagation is measured by.

use deepbelief_training::{Metrics, Score};
use serde::Serialize;

/// What an epoch looked like. Epoch 0 is the network before training.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct FinetuneMetrics {
    /// Epoch, from 1; 0 before the first.
    pub epoch: u32,
    /// Step size in the epoch.
    pub learning_rate: f64,
    /// Mean cost of the epoch's minibatches as they were learned from, dropout included, in nats per
    /// sample; absent before the first epoch.
    pub training_cost: Option<f64>,
    /// Cross-entropy of labels or inputs after the epoch, without dropout, on fixed training samples, in
    /// nats per sample.
    pub cost: f64,
    /// The same on validation samples.
    pub cost_valid: Option<f64>,
    /// Share of those training samples that get a wrong label; of a classifier.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label_error_train: Option<f64>,
    /// The same of the validation samples.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label_error_valid: Option<f64>,
    /// Squared error of the reconstruction of those training samples, summed over units, per sample; of
    /// an autoencoder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub squared_error_train: Option<f64>,
    /// The same of the validation samples.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub squared_error_valid: Option<f64>,
    /// Euclidean norm of all weights.
    pub weight_norm: f64,
    /// Epoch of the best network so far; absent without validation data.
    pub best_epoch: Option<u32>,
    /// Training speed, measurements included.
    pub samples_per_second: f64,
    /// Wall time of the epoch.
    pub seconds: f64,
}

impl Metrics for FinetuneMetrics {
    fn score(&self) -> Option<Score> {
        let error = self.label_error_valid.or(self.squared_error_valid);
        self.cost_valid.map(|cost| Score { error, cost })
    }

    fn complete(&mut self, seconds: f64, samples_per_second: f64, best_epoch: Option<u32>) {
        (self.seconds, self.samples_per_second, self.best_epoch) = (seconds, samples_per_second, best_epoch);
    }
}
