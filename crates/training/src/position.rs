//! Where a training is.

use crate::best::Best;
use crate::stopping::Stopping;
use serde::{Deserialize, Serialize};

/// Where a training is: with what it learned, all that a resume needs.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Position {
    /// Whether the model was measured before the first update, where that is done.
    pub started: bool,
    /// Epochs done.
    pub epoch: u32,
    /// Batches done in the running epoch.
    pub batch: usize,
    /// Updates done.
    pub step: u32,
    /// What the stopping rules remember.
    pub stopping: Stopping,
    /// How often all learning rates were halved after a divergence.
    pub halvings: u32,
}

/// A [`Position`] in the header of a file, where the best model says what patience remembers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PositionHeader {
    started: bool,
    epoch: u32,
    batch: usize,
    step: u32,
    /// Epochs in a row without a better model.
    stale_epochs: u32,
    /// Cost of the running epoch's samples, summed, where a training sums it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<f64>,
    /// How often all learning rates were halved after a divergence.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub halvings: u32,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

impl PositionHeader {
    /// As it is written.
    #[must_use]
    pub fn new(at: &Position, cost: Option<f64>) -> Self {
        let Position { started, epoch, batch, step, stopping, halvings } = *at;
        Self { started, epoch, batch, step, stale_epochs: stopping.stale_epochs(epoch), cost, halvings }
    }

    /// As it is read, beside the best model.
    #[must_use]
    pub fn position<M>(self, best: Option<&Best<M>>) -> Position {
        let Self { started, epoch, batch, step, halvings, .. } = self;
        Position {
            started,
            epoch,
            batch,
            step,
            stopping: best.map_or_else(Stopping::default, Stopping::since),
            halvings,
        }
    }
}
