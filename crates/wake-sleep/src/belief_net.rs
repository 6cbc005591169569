//! The sigmoid belief net (Neal 1992), the model that wake-sleep was made for.
//!
//! Every layer is generated from the one above, and the topmost units are independent:
//! `p(v, h1, ..., hN) = p(v | h1) ... p(hN-1 | hN) p(hN)` with `p(hN = 1) = sigmoid(vb)`. As a deep
//! belief net it has N directed layers under a top RBM of one hidden unit whose weights and bias
//! are zero: that unit says nothing, and what is left of the RBM are the visible biases, the prior
//! of hN. Every program that reads a deep belief net can read it, and generates from it exactly.

use crate::error::{Result, require};
use candle_core::{DType, Device, Tensor};
use deepbelief_rbm::{Rbm, RbmConfig};
use deepbelief_stack::{Dbn, StackConfig};

/// A sigmoid belief net that has learned nothing yet, to be tuned with
/// [`TopModel::Factorial`](crate::TopModel::Factorial): hidden layers of `hidden` units, from the
/// bottom, over data whose units have the means `data_mean`.
///
/// Weights are normal with standard deviation `weight_std`, the generative ones the transpose of
/// the recognition ones; visible biases are the log odds of the means, all others zero.
///
/// # Errors
/// [`crate::Error::Config`] for no hidden layer; those of [`Rbm::new`] and [`Dbn::from_rbms`].
pub fn sigmoid_belief_net(hidden: &[usize], data_mean: &[f32], weight_std: f64, seed: u64) -> Result<Dbn> {
    let Some(&topmost) = hidden.last() else {
        return Err(crate::Error::config("hidden layers", 0, "at least 1"));
    };
    require(!data_mean.is_empty(), "visible units", 0, "at least 1")?;
    let seeds = StackConfig { seed, ..StackConfig::default() };
    let (mut rbms, mut means) = (Vec::with_capacity(hidden.len() + 1), data_mean.to_vec());
    for (layer, &hidden) in hidden.iter().enumerate() {
        let config = RbmConfig { hidden, weight_std, seed: seeds.layer_seed(layer), ..RbmConfig::default() };
        rbms.push(Rbm::new(&config, &means, &Device::Cpu)?);
        means = vec![0.5; hidden];
    }
    let zeros = |shape: &[usize]| Tensor::zeros(shape, DType::F32, &Device::Cpu);
    rbms.push(Rbm::from_tensors(zeros(&[topmost, 1])?, zeros(&[1])?, zeros(&[topmost])?)?);
    Ok(Dbn::from_rbms(rbms)?)
}
