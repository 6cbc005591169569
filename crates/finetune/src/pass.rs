//! The pass through a network. It is the same for learning, where the tensors are variables and
//! candle records what leads to the cost, and for use, where they are not.

use crate::error::Result;
use crate::network::{Activation, Dense, Objective};
use candle_core::{DType, Tensor};
use deepbelief_kernels::feedforward::{Dropout, add_bias, sigmoid, sigmoid_cross_entropy};
use deepbelief_kernels::{Stream, Uniforms};

/// A layer on the way.
pub(crate) struct Step<'a> {
    pub(crate) w: &'a Tensor,
    pub(crate) b: &'a Tensor,
    pub(crate) activation: Activation,
}

impl<'a> Step<'a> {
    pub(crate) fn of(layer: &'a Dense) -> Self {
        Self { w: &layer.w, b: &layer.b, activation: layer.activation }
    }
}

/// Where an update drops hidden units.
#[derive(Clone, Copy)]
pub(crate) struct Drops {
    pub(crate) rate: f64,
    pub(crate) seed: u64,
    pub(crate) step: u32,
}

impl Drops {
    /// Of the units above `layer` layers of weights; 0 are the inputs.
    pub(crate) fn above(self, layer: usize) -> Option<Dropout> {
        let draw = || Uniforms::new(self.seed, Stream::Dropout, self.step).layer(layer as u8);
        (self.rate > 0.0).then(|| Dropout { rate: self.rate as f32, draw: draw() })
    }
}

/// The inputs to the last layer's units, [B, V] -> [B, units], what their activation is applied to.
pub(crate) fn logits<'a>(
    steps: impl ExactSizeIterator<Item = Step<'a>>,
    v: &Tensor,
    drops: Option<Drops>,
) -> candle_core::Result<Tensor> {
    let depth = steps.len();
    let mut h = v.clone();
    for (layer, Step { w, b, activation }) in (1..).zip(steps) {
        let z = h.matmul(w)?;
        h = match activation {
            Activation::Sigmoid if layer < depth => sigmoid(&z, b, drops.and_then(|drops| drops.above(layer)))?,
            _ => add_bias(&z, b)?,
        };
    }
    Ok(h)
}

/// What units make of their inputs.
pub(crate) fn activate(logits: &Tensor, activation: Activation) -> candle_core::Result<Tensor> {
    match activation {
        Activation::Sigmoid => {
            sigmoid(logits, &Tensor::zeros(logits.dim(1)?, logits.dtype(), logits.device())?, None)
        }
        Activation::Linear => Ok(logits.clone()),
        Activation::Softmax => candle_nn::ops::softmax(logits, 1),
    }
}

/// The cost of outputs with these logits, in nats per sample: the cross-entropy of the labels, or of
/// the inputs.
pub(crate) fn cost(objective: Objective, logits: &Tensor, v: &Tensor, labels: &[u32]) -> Result<Tensor> {
    Ok(match objective {
        Objective::Classifier => {
            let labels = Tensor::from_slice(labels, labels.len(), logits.device())?;
            candle_nn::loss::cross_entropy(logits, &labels.to_dtype(DType::U32)?)?
        }
        Objective::Autoencoder => sigmoid_cross_entropy(logits, v)?,
    })
}
