//! Bernoulli units, 0 or 1: `U(x) = -b x`, `cgf(I) = softplus(b + I)`, mean `p = sigmoid(b + I)`, variance `p (1 - p)`.

use super::run::Run;
use candle_core::{Result, Tensor};
use candle_nn::ops::sigmoid;
use deepbelief_kernels::ops;

pub(super) fn cgf(run: &Run, input: &Tensor) -> Result<Tensor> {
    ops::softplus(&input.broadcast_add(&run.b)?)
}

pub(super) fn mean(run: &Run, input: &Tensor) -> Result<Tensor> {
    sigmoid(&input.broadcast_add(&run.b)?)
}

pub(super) fn variance(run: &Run, input: &Tensor) -> Result<Tensor> {
    let p = mean(run, input)?;
    &p * (1.0 - &p)?
}

/// The unit is on where its uniform number is below p.
pub(super) fn draw(run: &Run, input: &Tensor, u: &Tensor) -> Result<Tensor> {
    u.lt(&mean(run, input)?)?.to_dtype(input.dtype())
}

/// -ln p(x | I) of every unit.
pub(super) fn cost(bias: &Tensor, input: &Tensor, states: &Tensor) -> Result<Tensor> {
    let logits = input.broadcast_add(bias)?;
    ops::softplus(&logits)? - (states * &logits)?
}
