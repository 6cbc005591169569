//! How parameters follow their gradient, and the step of Adam on tensors.

use crate::error::Result;
use candle_core::Tensor;
use deepbelief_kernels::AdamDecays;
use serde::{Deserialize, Serialize};

/// How parameters follow their gradient.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Optimizer {
    /// Gradient descent with momentum.
    #[default]
    Sgd,
    /// Adam (Kingma & Ba 2015): each parameter steps along its mean gradient over the root of its mean square. Costs
    /// of weights are part of the gradient.
    Adam,
}

/// Step `t` of Adam, counted from 1, along the mean `gradient`, with the means `m` of gradients and `s` of their squares.
pub(crate) fn adam_step(
    decays: &AdamDecays,
    learning_rate: f64,
    t: u32,
    gradient: &Tensor,
    m: &mut Tensor,
    s: &mut Tensor,
) -> Result<Tensor> {
    let AdamDecays { beta1, beta2, epsilon } = *decays;
    let left = |beta: f64| 1.0 - libm::pow(beta, f64::from(t));
    *m = ((&*m * beta1)? + (gradient * (1.0 - beta1))?)?;
    *s = ((&*s * beta2)? + (gradient.sqr()? * (1.0 - beta2))?)?;
    let size = ((&*s / left(beta2))?.sqrt()? + epsilon)?;
    Ok(((&*m * (learning_rate / left(beta1)))? / size)?)
}
