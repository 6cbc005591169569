//! How the statistics of a minibatch are added up.

use serde::{Deserialize, Serialize};

/// How the statistics of a minibatch are added up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sums {
    /// As floats, in the order that is fastest on one machine.
    #[default]
    Float,
    /// As integers, in pieces of 64 samples ([`deepbelief_kernels::ExactSums`]): the same for any number of ranks.
    Exact,
}

impl Sums {
    /// Whether they are floats.
    #[must_use]
    pub fn is_float(&self) -> bool {
        *self == Self::Float
    }
}
