//! What the loop reads of a training's settings.

use crate::divergence::OnDivergence;

/// The settings that every training has.
pub trait Settings {
    /// Passes over the data.
    fn epochs(&self) -> u32;

    /// Epochs without a better figure on the validation data before the training stops; 0 turns it off.
    fn patience(&self) -> u32;

    /// The largest change of the cost from one epoch to the next that counts as none and ends the training; 0
    /// turns it off.
    fn tolerance(&self) -> f64 {
        0.0
    }

    /// What becomes of a training that diverges.
    fn on_divergence(&self) -> OnDivergence;

    /// Threads; 0 takes one a core.
    fn threads(&self) -> usize;
}
