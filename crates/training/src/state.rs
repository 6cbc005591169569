//! What a training continues from.

use crate::best::Best;
use crate::error::{Error, Result};
use crate::position::Position;
use crate::training::Training;
use std::path::Path;

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
    pub fn require_run(&self, run: &str) -> Result<()> {
        match &self.run {
            Some(of) if of != run => Err(Error::AnotherRun),
            _ => Ok(()),
        }
    }

    /// Writes the state to one file, whole or not at all; the state that was there before is kept beside it.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn save(&self, path: &Path) -> std::result::Result<(), T::Error> {
        T::save(self, path)
    }

    /// Reads a state.
    ///
    /// # Errors
    /// If the file cannot be read, or is not a whole state of this kind of training.
    pub fn load(path: &Path) -> std::result::Result<Self, T::Error> {
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
