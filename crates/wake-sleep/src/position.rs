//! Where a tuning is, and whether its parameters are still sane there.

use crate::config::Part;
use crate::error::{Error, Result};
use deepbelief_kernels::Rule;
use deepbelief_rbm::is_default;
use serde::{Deserialize, Serialize};

/// Parameters beyond this magnitude are divergence: trained ones stay near ten, and a unit with
/// such an input is a constant.
const EXPLODED: f32 = 100.0;

/// Where a tuning is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Position {
    /// Whether the model was measured before the first update.
    pub(crate) started: bool,
    /// Epochs done.
    pub(crate) epoch: u32,
    /// Batches done in the running epoch.
    pub(crate) batch: usize,
    /// Updates done.
    pub(crate) step: u32,
    /// Epochs in a row that count against `patience`.
    pub(crate) stale_epochs: u32,
    /// How often all rates were halved after a divergence.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(crate) halvings: u32,
}

impl Position {
    /// Refuses a largest parameter, after a batch counted from 1, out of the range of sane numbers.
    pub(crate) fn sane(&self, batch: usize, part: Part, layer: usize, largest: f32, rule: &Rule) -> Result<()> {
        // Written so that NaN fails it.
        if largest <= EXPLODED {
            return Ok(());
        }
        let (what, rate) = match part {
            Part::Generative => (format!("generative weights of layer {layer}"), "wake_rate"),
            Part::Recognition => (format!("recognition weights of layer {layer}"), "sleep_rate"),
            Part::Top => (format!("top, layer {layer}"), "top_rate"),
        };
        let (epoch, value) = (self.epoch + 1, rule.learning_rate);
        Err(Error::Diverged { what, epoch, batch, magnitude: largest, rate, value })
    }
}
