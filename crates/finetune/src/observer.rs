//! How a training talks to the outside: progress bars, metrics files, pictures and checkpoints are
//! observers.

use crate::error::{Error, Result};
use crate::trainer::FinetuneSnapshot;
use deepbelief_rbm::{Control, Progress};
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

/// Watches a training. Nothing an observer does can change what is learned.
pub trait FinetuneObserver: Send {
    /// After every update.
    fn batch_done(&mut self, progress: &Progress) -> Control {
        let _ = progress;
        Control::Continue
    }

    /// After a divergence that the training goes on from, at the start of its epoch and at this learning rate.
    fn recovered(&mut self, from: &Error, learning_rate: f64) {
        let _ = (from, learning_rate);
    }

    /// Before the first update, as epoch 0, and after every epoch.
    ///
    /// # Errors
    /// An error ends the training.
    fn epoch_done(
        &mut self,
        metrics: &FinetuneMetrics,
        snapshot: &FinetuneSnapshot<'_>,
    ) -> std::result::Result<Control, Box<dyn std::error::Error + Send + Sync>> {
        let _ = (metrics, snapshot);
        Ok(Control::Continue)
    }
}

/// Watches nothing.
impl FinetuneObserver for () {}

pub(crate) fn ask(
    observer: &mut dyn FinetuneObserver,
    metrics: &FinetuneMetrics,
    snapshot: &FinetuneSnapshot<'_>,
) -> Result<Control> {
    observer.epoch_done(metrics, snapshot).map_err(Error::Observer)
}
