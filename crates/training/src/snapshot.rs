//! A look at a training in progress.

use crate::best::Best;
use crate::position::Position;
use crate::training::{State, Training};

/// A look at a training in progress.
pub struct Snapshot<'a, T: Training> {
    pub(crate) training: &'a T,
    pub(crate) at: &'a Position,
    pub(crate) best: Option<&'a Best<T::Model>>,
    /// What an epoch that diverges starts again from.
    pub(crate) safe: Option<&'a State<T>>,
    pub(crate) run: Option<&'a str>,
}

impl<'a, T: Training> Snapshot<'a, T> {
    /// The model as it is now, on the CPU.
    ///
    /// # Errors
    /// If the tensors cannot be made.
    pub fn model(&self) -> Result<T::Model, T::Error> {
        self.training.model()
    }

    /// The best model so far on the validation data, if they say which.
    #[must_use]
    pub fn best(&self) -> Option<&'a Best<T::Model>> {
        self.best
    }

    /// Epochs done.
    #[must_use]
    pub fn epochs_done(&self) -> u32 {
        self.at.epoch
    }

    /// Updates done.
    #[must_use]
    pub fn updates_done(&self) -> u32 {
        self.at.step
    }

    /// What is running.
    #[must_use]
    pub fn training(&self) -> &'a T {
        self.training
    }

    /// Everything needed to continue from here as if never stopped: where an epoch that diverges starts again, from
    /// the start of the running one.
    ///
    /// # Errors
    /// If the tensors cannot be made.
    pub fn state(&self) -> Result<State<T>, T::Error> {
        match self.safe {
            Some(state) if self.at.batch > 0 => Ok(state.clone()),
            _ => self.current(),
        }
    }

    /// The state as it is now.
    pub(crate) fn current(&self) -> Result<State<T>, T::Error> {
        let (learned, run) = (self.training.learned()?, self.run.map(Into::into));
        Ok(State { learned, position: *self.at, best: self.best.cloned(), run })
    }
}
