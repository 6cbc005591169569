//! The types of hidden units: what they are is told in `hidden.rs`.

use serde::{Deserialize, Serialize};
use std::fmt;

/// What the hidden units of an RBM are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HiddenUnits {
    /// Binary.
    #[default]
    Bernoulli,
    /// Real, with noise of unit variance.
    Gaussian,
}

impl HiddenUnits {
    /// Whether they are Bernoulli, the default, which files need not mention.
    #[must_use]
    pub fn is_bernoulli(&self) -> bool {
        *self == Self::Bernoulli
    }

    /// The type that a file calls so.
    pub(crate) fn named(name: &str) -> Option<Self> {
        [Self::Bernoulli, Self::Gaussian].into_iter().find(|units| units.to_string() == name)
    }
}

/// As recipes and files have it.
impl fmt::Display for HiddenUnits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bernoulli => "bernoulli",
            Self::Gaussian => "gaussian",
        })
    }
}
