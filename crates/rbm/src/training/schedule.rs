//! How a step size moves over the epochs.

use serde::{Deserialize, Serialize};

/// How the learning rate moves from `learning_rate` to `final_learning_rate` over the epochs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Schedule {
    /// It stays where it is.
    #[default]
    Constant,
    /// In equal differences.
    Linear,
    /// In equal ratios.
    Exponential,
}

impl Schedule {
    /// The value in an epoch, counted from 0, of `epochs`: `first` in the first one, `last` in the
    /// last, unless the schedule is constant.
    #[must_use]
    pub fn at(self, first: f64, last: f64, epoch: u32, epochs: u32) -> f64 {
        let done = f64::from(epoch) / f64::from(epochs.max(2) - 1);
        match self {
            Self::Constant => first,
            Self::Linear => first + (last - first) * done,
            Self::Exponential => first * (last / first).powf(done),
        }
    }
}
