//! Options that change nothing, as other settings are.

use crate::options::flag;
use deepbelief_rbm::{Optimizer, Sampler, Schedule, TrainConfig};
use toml::Table;

/// The key of an option, and why it changes nothing.
pub(crate) type UnusedOption = (&'static str, &'static str);

/// Of options that may change nothing, those that do not.
pub(super) fn unused<const N: usize>(options: [(&'static str, bool, &'static str); N]) -> Vec<UnusedOption> {
    options.into_iter().filter_map(|(key, unused, reason)| unused.then_some((key, reason))).collect()
}

/// Options of contrastive divergence that change nothing.
pub(super) fn of_learning(train: &TrainConfig) -> Vec<UnusedOption> {
    let swaps = matches!(train.sampler, Sampler::Tempered | Sampler::Trajectory);
    let adam = train.optimizer == Optimizer::Adam;
    unused([
        ("momentum", adam, "with the optimizer adam"),
        ("final_momentum", adam, "with the optimizer adam"),
        ("momentum_switch", adam, "with the optimizer adam"),
        ("beta1", !adam, "without the optimizer adam"),
        ("beta2", !adam, "without the optimizer adam"),
        ("epsilon", !adam, "without the optimizer adam"),
        ("fast_learning_rate", train.sampler != Sampler::Fast, "without the sampler fast"),
        ("temperatures", !swaps, "without the sampler tempered or trajectory"),
        ("final_learning_rate", train.schedule == Schedule::Constant, "with a constant schedule"),
        ("sparsity_target", train.sparsity_cost == 0.0, "without a sparsity cost"),
    ])
}

/// Those that change nothing in any of the layers that are to learn.
pub(crate) fn everywhere(layers: &[Vec<UnusedOption>]) -> Vec<UnusedOption> {
    let Some((first, others)) = layers.split_first() else { return Vec::new() };
    let is_everywhere =
        |(key, _): &&UnusedOption| others.iter().all(|layer| layer.iter().any(|(other, _)| other == key));
    first.iter().filter(is_everywhere).copied().collect()
}

/// Warns of flags that change nothing in any of the layers that are to learn.
pub(super) fn warn(flags: &Table, layers: &[Vec<UnusedOption>]) {
    let mut everywhere = everywhere(layers);
    everywhere.sort_unstable();
    for (key, reason) in everywhere.into_iter().filter(|(key, _)| flags.contains_key(*key)) {
        tracing::warn!("{} changes nothing {reason}", flag(key));
    }
}
