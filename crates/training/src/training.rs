//! What one training does that another does not.

use crate::best::Score;
use crate::config::Settings;
use crate::data::Labelled;
use crate::error::Error;
use crate::monitors::Monitors;
use crate::position::Position;
use crate::state::State;
use crate::stopping::Watched;
use candle_core::Device;
use std::path::Path;

/// An epoch, or what comes before the first, that is to be measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EpochEnd {
    /// Epochs done; 0 before the first.
    pub epoch: u32,
    /// Batches of the epoch; 0 before the first.
    pub batches: usize,
    /// Samples of the data.
    pub samples: usize,
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

/// A rule of learning with everything it learns: what [`crate::Loop`] runs. Data that come here fit the model.
pub trait Training: Send + Sync + Sized + 'static {
    /// What is trained.
    type Model: Clone + Send + Sync;
    /// Its settings.
    type Config: Settings + Clone + Send + Sync;
    /// What a state holds of the training: parameters, velocities, chains.
    type Learned: Clone + Send + Sync;
    /// What an epoch is measured by.
    type Metrics: Metrics;
    /// What can go wrong.
    type Error: std::error::Error + From<Error> + Send + Sync + 'static;

    /// Whether the model is measured before the first update, as epoch 0.
    const MEASURES_START: bool;
    /// What needs labels and what to do without them, behind "the training data have no labels, which".
    const NEED_OF_LABELS: &'static str;

    /// Starts from a model.
    ///
    /// # Errors
    /// For a setting out of range, or one that does not fit the model.
    fn start(model: &Self::Model, config: Self::Config) -> Result<Self, Self::Error>;

    /// Goes on from a state's part, on `device`.
    ///
    /// # Errors
    /// For a setting out of range, or one that does not fit what was learned; for a device without kernels.
    fn restore(
        learned: Self::Learned,
        config: Self::Config,
        at: &Position,
        device: &Device,
    ) -> Result<Self, Self::Error>;

    /// Its settings.
    fn config(&self) -> &Self::Config;

    /// Where it computes.
    fn device(&self) -> &Device;

    /// Visible units.
    fn visible(&self) -> usize;

    /// Classes of the labels it learns; 0 where it learns none.
    fn classes(&self) -> usize;

    /// The model as it is, on the CPU.
    ///
    /// # Errors
    /// If the tensors cannot be made.
    fn model(&self) -> Result<Self::Model, Self::Error>;

    /// What a state holds of it.
    ///
    /// # Errors
    /// If the tensors cannot be made.
    fn learned(&self) -> Result<Self::Learned, Self::Error>;

    /// The same without momentum, to go on from at other rates; what does not depend on the rates may stay.
    ///
    /// # Errors
    /// If the tensors cannot be made.
    fn at_rest(learned: Self::Learned) -> Result<Self::Learned, Self::Error>;

    /// Refuses to train where it is.
    ///
    /// # Errors
    /// For a setting that the device does not have.
    fn check_device(&self) -> Result<(), Self::Error> {
        Ok(())
    }

    /// Takes the rates of the epoch that begins, or goes on, at `at`.
    fn begin_epoch(&mut self, at: &Position);

    /// The learning rate of the epoch at `at` after all divergences; where there are several, the factor that
    /// divergences left of them.
    fn rate(&self, at: &Position) -> f64;

    /// One update from one minibatch, number `at.batch` of the epoch from 0.
    ///
    /// # Errors
    /// If the training diverged.
    fn update(&mut self, data: &Labelled, at: &Position) -> Result<(), Self::Error>;

    /// Before the last update of an epoch: remembers what that update is measured against.
    ///
    /// # Errors
    /// If a GPU failed.
    fn remember(&mut self) -> Result<(), Self::Error> {
        Ok(())
    }

    /// Brings the model on the CPU up to date with a GPU.
    ///
    /// # Errors
    /// If a GPU failed.
    fn sync(&mut self) -> Result<(), Self::Error> {
        Ok(())
    }

    /// After the last update of an epoch: refuses what no update has refused yet.
    ///
    /// # Errors
    /// If the training diverged.
    fn finish_epoch(&mut self, at: &Position) -> Result<(), Self::Error>;

    /// Measures the model, after [`Training::sync`].
    ///
    /// # Errors
    /// If the training diverged.
    fn measure(&mut self, monitors: &Monitors, end: &EpochEnd) -> Result<Self::Metrics, Self::Error>;

    /// Whether an error is a divergence, after which half the rates may do.
    fn is_divergence(error: &Self::Error) -> bool;

    /// Writes a state to a file.
    ///
    /// # Errors
    /// If the file cannot be written.
    fn save(state: &State<Self>, path: &Path) -> Result<(), Self::Error>;

    /// Reads a state from a file.
    ///
    /// # Errors
    /// If the file cannot be read, or is not a whole state of this training.
    fn load(path: &Path) -> Result<State<Self>, Self::Error>;
}
