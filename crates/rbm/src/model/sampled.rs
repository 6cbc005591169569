//! Units of a layer as they are drawn.

use crate::error::Result;
use candle_core::Tensor;
use deepbelief_kernels::{Uniforms, ops};

/// Units of a layer: their probabilities and 0/1 states drawn from them, both [B, units]; of
/// Gaussian units their means and real states.
#[derive(Clone, Debug)]
pub struct Sampled {
    /// Probability of each unit to be on, or mean of a Gaussian one.
    pub probabilities: Tensor,
    /// 0 or 1, or real, in the probabilities' type.
    pub states: Tensor,
}

/// Bernoulli units given their inputs [B, units] without biases.
pub(crate) fn sample(x: &Tensor, bias: &Tensor, draw: Uniforms) -> Result<Sampled> {
    let (probabilities, states) = ops::bernoulli(x, bias, draw)?;
    Ok(Sampled { probabilities, states })
}
