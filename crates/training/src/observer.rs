//! How a training talks to the outside: progress bars, metrics files, pictures and checkpoints are observers.

use crate::error::Error;
use crate::snapshot::Snapshot;
use crate::training::Training;

/// How far a training is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The running epoch, from 1.
    pub epoch: u32,
    /// Epochs in all.
    pub epochs: u32,
    /// Batches done in this epoch.
    pub batch: usize,
    /// Batches in an epoch.
    pub batches: usize,
    /// Samples presented in this epoch.
    pub samples: usize,
}

/// Whether to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Control {
    /// Go on.
    Continue,
    /// Stop here; the training can resume from this point.
    Stop,
}

/// How a training ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// All epochs are done.
    Finished,
    /// `tolerance` or `patience` was met.
    Converged,
    /// An observer asked to stop.
    Interrupted,
}

/// What an observer answers: whether to go on, or why it failed.
pub type ObserverResult = Result<Control, Box<dyn std::error::Error + Send + Sync>>;

/// Watches a training. Nothing an observer does can change what is learned.
pub trait Observer<T: Training>: Send {
    /// After every update.
    fn batch_done(&mut self, progress: &Progress) -> Control {
        let _ = progress;
        Control::Continue
    }

    /// After a divergence that the training retries from, at the start of its epoch and at this [`Training::rate`].
    fn recovered(&mut self, from: &T::Error, rate: f64) {
        let _ = (from, rate);
    }

    /// After every epoch, and where the model is measured before the first update, then as epoch 0.
    ///
    /// # Errors
    /// An error ends the training.
    fn epoch_done(&mut self, metrics: &T::Metrics, snapshot: &Snapshot<'_, T>) -> ObserverResult {
        let _ = (metrics, snapshot);
        Ok(Control::Continue)
    }
}

/// Watches nothing.
impl<T: Training> Observer<T> for () {}

/// A function of an epoch's metrics watches every epoch.
impl<T: Training, F: FnMut(&T::Metrics) + Send> Observer<T> for F {
    fn epoch_done(&mut self, metrics: &T::Metrics, _: &Snapshot<'_, T>) -> ObserverResult {
        self(metrics);
        Ok(Control::Continue)
    }
}

/// What an observer answered, its failure as an error of the training.
///
/// # Errors
/// [`Error::Observer`].
pub fn notify(answer: ObserverResult) -> Result<Control, Error> {
    answer.map_err(Error::Observer)
}
