//! Spins, -1 or 1: `U(x) = -b x`, and with `t = b + I` `cgf(I) = |t| + ln(1 + exp(-2 |t|))`, mean `tanh(t)`, variance
//! `1 - tanh(t)²`.

use super::run::Run;
use candle_core::{Result, Tensor};
use candle_nn::ops::sigmoid;
use deepbelief_kernels::ops;

pub(super) fn cgf(run: &Run, input: &Tensor) -> Result<Tensor> {
    let t = input.broadcast_add(&run.b)?;
    // softplus(2 t) - t, which is the same.
    ops::softplus(&(&t * 2.0)?)? - t
}

pub(super) fn mean(run: &Run, input: &Tensor) -> Result<Tensor> {
    input.broadcast_add(&run.b)?.tanh()
}

pub(super) fn variance(run: &Run, input: &Tensor) -> Result<Tensor> {
    1.0 - mean(run, input)?.sqr()?
}

/// The unit is 1 where its uniform number is below the probability of that.
pub(super) fn draw(run: &Run, input: &Tensor, u: &Tensor) -> Result<Tensor> {
    let p = sigmoid(&(input.broadcast_add(&run.b)? * 2.0)?)?;
    (u.lt(&p)?.to_dtype(input.dtype())? * 2.0)? - 1.0
}
