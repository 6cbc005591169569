//! A network's parameters as an optimiser and a file have them, and the memory that they take.

use crate::config::FinetuneConfig;
use crate::error::Result;
use crate::layers::Dense;
use crate::network::Network;
use crate::optimizer::Descent;
use candle_core::{Device, Tensor, Var};
use candle_nn::Optimizer;
use deepbelief_rbm::OnDivergence;

/// A network on `device` whose parameters are variables of an optimiser.
pub(crate) fn variables(network: &Network, config: &FinetuneConfig, device: &Device) -> Result<(Descent, Network)> {
    let (mut vars, mut layers) = (Vec::new(), Vec::new());
    let variable = |tensor: &Tensor| Var::from_tensor(&tensor.to_device(device)?.copy()?);
    for Dense { w, b, activation } in network.layers() {
        let (w, b) = (variable(w)?, variable(b)?);
        layers.push(Dense { w: w.as_detached_tensor(), b: b.as_detached_tensor(), activation: *activation });
        vars.extend([w, b]);
    }
    Ok((Descent::new(vars, config.descent())?, network.with_layers(layers)))
}

/// Weights and biases, layer after layer, row-major.
pub(crate) fn flat(network: &Network) -> Result<Vec<Vec<f32>>> {
    let tensors = network.layers().iter().flat_map(|layer| [&layer.w, &layer.b]);
    Ok(tensors.map(|tensor| tensor.flatten_all()?.to_vec1()).collect::<candle_core::Result<_>>()?)
}

/// Values as [`flat`] gives them, in the shape of a network.
pub(crate) fn shaped(network: &Network, values: Vec<Vec<f32>>) -> Result<Network> {
    let mut values = values.into_iter();
    let mut tensor = |like: &Tensor| Tensor::from_vec(values.next().unwrap_or_default(), like.shape(), &Device::Cpu);
    let mut layers = Vec::with_capacity(network.depth());
    for Dense { w, b, activation } in network.layers() {
        layers.push(Dense { w: tensor(w)?, b: tensor(b)?, activation: *activation });
    }
    Ok(network.with_layers(layers))
}

/// Bytes a training holds for a network of these sizes and batches of `batch` samples, on top of the
/// data.
#[must_use]
pub fn peak_memory(sizes: &[usize], batch: usize, config: &FinetuneConfig) -> u64 {
    let parameters: usize = sizes.windows(2).map(|pair| (pair[0] + 1) * pair[1]).sum();
    // Parameters, two gradients while they are summed, two moments, the best network; the last four
    // once more as tensors and as bytes of a file, and network and moments where an epoch may be begun again.
    // Of each unit a sum, a value and two gradients, for a minibatch or for the thousand samples measured at
    // once.
    let units: usize = sizes.iter().sum();
    let again = if config.on_divergence == OnDivergence::HalveLr { 3 * parameters } else { 0 };
    4 * (6 * parameters + 8 * parameters + again + 4 * units * batch.max(1000)) as u64
}
