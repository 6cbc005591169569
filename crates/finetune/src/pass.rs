//! The pass through a network, up to the inputs of its last units ("logits"), and the pass back:
//!
//! ```text
//! h_l  = sigmoid(h_(l-1) w_l + b_l)                 below the last layer L, where dropped units are 0
//! x    = h_(L-1) w_L + b_L
//! C    = - (1/B) sum over samples of log p(label | x), or of log p(v | x)
//! d_L  = dC/dx = (p - target) / B                   p the softmax, or the sigmoid, of x
//! d_l  = (d_(l+1) w_(l+1)ᵀ) * slope of h_l
//! dC/dw_l = h_(l-1)ᵀ d_l,  dC/db_l = sums of d_l over the samples
//! ```
//!
//! It is written out because candle, where it differentiates, adds every gradient to one of zeros, on
//! threads that wait by spinning: half the time of an epoch here.

use crate::error::Result;
use crate::layers::{Activation, Dense, Objective};
use crate::outputs;
use candle_core::{Device, Tensor};
use candle_nn::encoding::one_hot;
use deepbelief_kernels::feedforward::{
    Dropout, log_softmax, sigmoid, sigmoid_cross_entropy, sigmoid_excess, sigmoid_slope, softmax,
};
use deepbelief_kernels::ops::{outer, product, product_transposed};
use deepbelief_kernels::{Stream, Uniforms};
use deepbelief_rbm::Units;

/// Where an update drops hidden units.
#[derive(Clone, Copy)]
pub(crate) struct Drops {
    pub(crate) rate: f64,
    pub(crate) seed: u64,
    pub(crate) step: u32,
}

impl Drops {
    /// Nowhere.
    pub(crate) const NONE: Self = Self { rate: 0.0, seed: 0, step: 0 };

    /// Of the units above `layer` layers of weights; 0 are the inputs.
    pub(crate) fn above(self, layer: usize) -> Option<Dropout> {
        let draw = || Uniforms::new(self.seed, Stream::Dropout, self.step).layer(layer as u8);
        (self.rate > 0.0).then(|| Dropout { rate: self.rate as f32, draw: draw() })
    }
}

/// The values of all layers, [B, V] -> [B, units] each: the samples, the hidden units, and last the
/// logits.
pub(crate) fn up(layers: &[Dense], v: &Tensor, drops: Drops) -> candle_core::Result<Vec<Tensor>> {
    let mut values = vec![v.clone()];
    for (below, Dense { w, b, activation }) in layers.iter().enumerate() {
        let (z, layer) = (product(&values[below], w)?, below + 1);
        values.push(match activation {
            Activation::Sigmoid if layer < layers.len() => sigmoid(&z, b, drops.above(layer))?,
            _ => z.broadcast_add(b)?,
        });
    }
    Ok(values)
}

/// The gradients of weights and biases, layer after layer, from the values of all layers and the
/// gradient of the logits.
pub(crate) fn back(
    layers: &[Dense],
    values: &[Tensor],
    logits: Tensor,
    drops: Drops,
) -> candle_core::Result<Vec<Tensor>> {
    let (mut gradients, mut d) = (Vec::with_capacity(2 * layers.len()), logits);
    // Sums as a product, which is many times faster.
    let ones = Tensor::ones((1, d.dim(0)?), d.dtype(), d.device())?;
    for (below, Dense { w, .. }) in layers.iter().enumerate().rev() {
        gradients.push(product(&ones, &d)?.squeeze(0)?);
        gradients.push(outer(&values[below], &d)?);
        if below > 0 {
            d = product_transposed(&d, w)?;
            if layers[below - 1].activation == Activation::Sigmoid {
                d = sigmoid_slope(&values[below], &d, drops.above(below))?;
            }
        }
    }
    gradients.reverse();
    Ok(gradients)
}

/// What units make of their inputs.
pub(crate) fn activate(logits: &Tensor, activation: Activation) -> candle_core::Result<Tensor> {
    match activation {
        Activation::Sigmoid => sigmoid(logits, &Tensor::zeros(logits.dim(1)?, logits.dtype(), logits.device())?, None),
        Activation::Linear => Ok(logits.clone()),
        Activation::Softmax => softmax(logits),
        Activation::Means => candle_core::bail!("what visible units make of their inputs depends on their kinds"),
    }
}

/// What outputs are compared with: labels, or the samples themselves.
pub(crate) fn target(objective: Objective, v: &Tensor, labels: &[u32], classes: usize) -> candle_core::Result<Tensor> {
    match objective {
        Objective::Classifier => {
            // Candle makes it on the CPU in any case.
            let labels = Tensor::from_slice(labels, labels.len(), &Device::Cpu)?;
            one_hot(labels, classes, 1.0f32, 0.0f32)?.to_device(v.device())
        }
        Objective::Autoencoder => Ok(v.clone()),
    }
}

/// What the outputs of a network are, and how they are judged.
#[derive(Clone, Copy)]
pub(crate) enum Outputs<'a> {
    /// The probabilities of labels.
    Labels,
    /// Units between 0 and 1.
    Bernoulli,
    /// Units of several kinds.
    Units(&'a Units),
}

impl Outputs<'_> {
    /// The cost of outputs with these logits, in nats per sample: the cross-entropy of the target.
    pub(crate) fn cost(self, logits: &Tensor, target: &Tensor) -> Result<f64> {
        let cost = match self {
            Self::Labels => ((log_softmax(logits)? * target)?.sum_all()?.neg()? / logits.dim(0)? as f64)?,
            Self::Bernoulli => sigmoid_cross_entropy(logits, target)?,
            Self::Units(units) => return Ok(outputs::cost(units, logits, target)?),
        };
        Ok(f64::from(cost.to_scalar::<f32>()?))
    }

    /// The cost of outputs that say nothing, in nats per sample: every label, or every unit's states, equally
    /// probable.
    pub(crate) fn cost_of_guessing(self, visible: usize, classes: usize) -> f64 {
        match self {
            Self::Labels => (classes.max(2) as f64).ln(),
            Self::Bernoulli => visible as f64 * std::f64::consts::LN_2,
            Self::Units(units) => outputs::cost_of_guessing(units),
        }
    }

    /// The gradient of the cost with respect to the logits.
    pub(crate) fn excess(self, logits: &Tensor, target: &Tensor) -> candle_core::Result<Tensor> {
        match self {
            Self::Labels => (softmax(logits)? - target)? / logits.dim(0)? as f64,
            Self::Bernoulli => sigmoid_excess(logits, target),
            Self::Units(units) => outputs::excess(units, logits, target),
        }
    }
}
