//! What a network is made of, and for.

use candle_core::Tensor;
use serde::{Deserialize, Serialize};

/// What a network is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Objective {
    /// The probability of each label.
    #[default]
    Classifier,
    /// The inputs themselves, through a narrow layer.
    Autoencoder,
}

impl Objective {
    /// Units of all layers of a network that goes up through `up`, from the visible units to the top hidden
    /// ones: then the layer of `classes`, or the same way down again.
    #[must_use]
    pub fn sizes(self, up: &[usize], classes: usize) -> Vec<usize> {
        match self {
            Self::Classifier => [up, &[classes]].concat(),
            Self::Autoencoder => up.iter().chain(up.iter().rev().skip(1)).copied().collect(),
        }
    }
}

/// What a layer makes of its inputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Activation {
    /// `1 / (1 + exp(-x))` of every unit: the probability of a binary one.
    Sigmoid,
    /// `x` itself: the mean of a Gaussian unit.
    Linear,
    /// `exp(x)` of every unit over the sum of all: the probability of a label.
    Softmax,
    /// The mean of a visible unit of its kind, where these are of several.
    Means,
}

/// A layer of weights.
#[derive(Clone, Debug)]
pub struct Dense {
    /// Weights [in, out].
    pub w: Tensor,
    /// Biases `[out]`.
    pub b: Tensor,
    /// What becomes of `x w + b`.
    pub activation: Activation,
}
