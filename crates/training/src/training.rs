//! What one training does that another does not, and what it continues from.

use crate::best::Best;
use crate::config::Settings;
use crate::error::{self, Error, require};
use crate::labelled::Labelled;
use crate::metrics::Metrics;
use crate::monitors::Monitors;
use crate::position::Position;
use candle_core::Device;
use deepbelief_kernels::{Share, Units};
use deepbelief_ranks::Group;
use std::path::Path;
use std::sync::Arc;

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

    /// Number of visible units.
    fn visible(&self) -> usize;

    /// What the visible units are, without a label; none where it learns from those of any kinds.
    fn visible_units(&self) -> Option<Units> {
        None
    }

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

    /// Trains as one of several ranks from now on. Every rank has the same model and settings, and makes the same calls.
    ///
    /// # Errors
    /// If this training is one of a single process, or the ranks cannot reach each other.
    fn join(&mut self, group: &Arc<dyn Group>) -> Result<(), Self::Error> {
        Ok(require(group.size() == 1, "ranks", group.size(), "1 for this training")?)
    }

    /// The samples of a minibatch that [`Training::update`] reads.
    fn share(&self) -> Share {
        Share::WHOLE
    }

    /// Whether all ranks stop after an update, where this one wishes so: if one stops, all do, an update later at most.
    fn agree(&mut self, stop: bool) -> bool {
        stop
    }

    /// A number that follows from every bit of the parameters.
    ///
    /// # Errors
    /// If the device failed.
    fn fingerprint(&self) -> Result<u64, Self::Error> {
        Ok(0)
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

/// Everything that [`crate::Loop::resume`] continues from.
pub struct State<T: Training> {
    /// What the training learned: parameters, velocities, chains.
    pub learned: T::Learned,
    /// Where the training is.
    pub position: Position,
    /// The best model so far, if validation data say which.
    pub best: Option<Best<T::Model>>,
    /// The run that the state is of, as [`crate::Loop::of_run`] named it; none where nobody did.
    pub run: Option<String>,
}

impl<T: Training> State<T> {
    /// Epochs done.
    #[must_use]
    pub fn epochs_done(&self) -> u32 {
        self.position.epoch
    }

    /// Batches done in the running epoch.
    #[must_use]
    pub fn batches_done(&self) -> usize {
        self.position.batch
    }

    /// The epoch that was measured last: 0 is the model before the training, none not even that.
    #[must_use]
    pub fn measured(&self) -> Option<u32> {
        (self.position.started || !T::MEASURES_START).then_some(self.position.epoch)
    }

    /// Refuses to go on with the state of another run. A state that nobody named the run of, as those of older
    /// versions, is of any run.
    ///
    /// # Errors
    /// [`Error::AnotherRun`].
    pub fn require_run(&self, run: &str) -> error::Result<()> {
        match &self.run {
            Some(of) if of != run => Err(Error::AnotherRun),
            _ => Ok(()),
        }
    }

    /// Writes the state to one file, whole or not at all; the state that was there before is kept beside it.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), T::Error> {
        T::save(self, path)
    }

    /// Reads a state.
    ///
    /// # Errors
    /// If the file cannot be read, or is not a whole state of this kind of training.
    pub fn load(path: &Path) -> Result<Self, T::Error> {
        T::load(path)
    }
}

impl<T: Training> Clone for State<T> {
    fn clone(&self) -> Self {
        Self { learned: self.learned.clone(), position: self.position, best: self.best.clone(), run: self.run.clone() }
    }
}

impl<T: Training> std::fmt::Debug for State<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("State").field("position", &self.position).field("run", &self.run).finish_non_exhaustive()
    }
}
