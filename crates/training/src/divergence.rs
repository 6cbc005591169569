//! What becomes of a training that diverges.

use serde::{Deserialize, Serialize};

/// What becomes of a training whose parameters or cost leave the range of sane numbers, or whose hidden
/// units all become constant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnDivergence {
    /// It ends with an error.
    #[default]
    Stop,
    /// It starts the epoch again, at half of all its learning rates from there on, up to
    /// [`OnDivergence::MOST_HALVINGS`] times. A state that is saved within an epoch is that of its start.
    HalveLr,
}

impl OnDivergence {
    /// Halvings of the learning rates before a training that diverges is given up.
    pub const MOST_HALVINGS: u32 = 10;

    /// Whether a training whose rates were halved so often may retry after another divergence.
    #[must_use]
    pub fn should_retry(self, halvings: u32) -> bool {
        self == Self::HalveLr && halvings < Self::MOST_HALVINGS
    }

    /// The factor that so many halvings multiply a learning rate by.
    #[must_use]
    pub fn decay_factor(halvings: u32) -> f64 {
        0.5f64.powi(halvings as i32)
    }
}
