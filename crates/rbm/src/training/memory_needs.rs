//! How much memory a training takes.

use crate::training::config::{Sampler, TrainConfig};
use crate::training::forms::{is_typed, on_tensors};
use crate::training::optimizer::Optimizer;
use crate::training::sums::Sums;
use candle_core::Device;
use deepbelief_kernels::{Layers, PackedRbm, TypedRbm};
use deepbelief_training::OnDivergence;

/// Bytes a trainer holds for these units and batches of `batch_size` samples, on top of the
/// data.
#[must_use]
pub fn peak_memory(layers: &Layers, batch_size: usize, config: &TrainConfig) -> u64 {
    let (visible, hidden) = (layers.visible.columns(), layers.hidden.columns());
    let chains = config.persistent_chains.max(batch_size);
    let weights = 4 * visible as u64 * hidden as u64;
    // Sets of parameters that a state holds, each of which exists four times while it is written: weights and
    // velocities, those of methods, the best model, and all once more where an epoch may be begun again.
    let by_adam = config.optimizer == Optimizer::Adam;
    let mut sets = 2 + u64::from(by_adam) + u64::from(config.averaging > 0.0) + 2 * u64::from(config.log_z_every > 0);
    sets += match config.sampler {
        Sampler::Fast => 1,
        Sampler::Trajectory => config.temperatures as u64,
        Sampler::Gibbs | Sampler::Tempered => 0,
    };
    let again = if config.on_divergence == OnDivergence::HalveLr { sets } else { 0 };
    // And the model as it is measured, drawn and saved in the end, both ways.
    let copies = (4 * sets + 4 + again) * weights;
    let typed = is_typed(&Device::Cpu, layers, config);
    let on_engine = !on_tensors(layers, config);
    let training = if on_engine {
        let laddered = matches!(config.sampler, Sampler::Tempered | Sampler::Trajectory);
        let replicas = if laddered { config.temperatures * chains } else { 0 };
        // Fast weights and chains at several temperatures have weights both ways of their own, the mean
        // of the models and the gradient one way more.
        let more = [
            (config.sampler != Sampler::Gibbs, 3),
            // Every model both ways, and as it is saved; the one that may join them.
            (config.sampler == Sampler::Trajectory, 3 * (config.temperatures as u64 + 1)),
            (config.averaging > 0.0, 3),
            (by_adam, 1),
            (config.centred || config.sampler == Sampler::Fast, 1),
            // The gradient, and its sums.
            (config.sums == Sums::Exact, 2),
            // Two models of a path in both directions, and both its ends.
            (config.log_z_every > 0, 7),
        ];
        let more: u64 = more.iter().filter(|(in_use, _)| *in_use).map(|(_, copies)| copies * weights).sum();
        let units = |chains: usize| {
            if typed { TypedRbm::bytes(layers, chains) } else { PackedRbm::bytes(visible, hidden, chains) }
        };
        units(chains + replicas) + more
    } else {
        // The weights both ways before and after an update, their velocities, two gradients and what
        // lies between; of each layer's units inputs, means and states in both phases.
        10 * weights + 4 * 2 * 5 * chains as u64 * (visible + hidden) as u64
    };
    training + copies
}
