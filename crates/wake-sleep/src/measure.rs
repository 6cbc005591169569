//! What a tuning is watched by. Definitions are with [`TuneMetrics`] and [`LayerMetrics`].

use crate::config::{Rules, TuneConfig, Units};
use crate::draws::PhaseDraws;
use crate::error::Result;
use crate::metrics::{LayerMetrics, TuneMetrics};
use crate::net::Net;
use deepbelief_kernels::{Batch, CpuDirection, Measures, PackedRbm, Shown, Stream, Uniforms, Weights};
use deepbelief_training::Monitors;

/// Fantasies that recognition is measured on: the Gibbs steps of as many chains are a small share
/// of an epoch.
const FANTASIES: usize = 1000;

/// What both sets of monitors are measured for.
struct Look {
    /// Of each directed layer, on a sampled up-pass: its generative cost, its recognition entropy.
    costs: Vec<(f64, f64)>,
    /// The top on a deterministic up-pass.
    top: Measures,
    /// What the top takes to tell its penultimate units.
    top_cost: f64,
    /// The layers above the data, sampled.
    awake: Vec<Batch>,
}

impl Look {
    fn at(net: &mut Net<PackedRbm>, data: &Batch, labels: &[u32], seed: u64) -> Result<Self> {
        let draws = PhaseDraws::of_monitor(seed, net.layers());
        let (mut awake, mut certain) = (Vec::new(), Vec::new());
        net.ascend(Units::Sampled, data, draws.wake, &mut awake)?;
        let (mut costs, mut q) = (Vec::with_capacity(net.layers()), Batch::default());
        for (layer, upper) in awake.iter().enumerate() {
            let lower = if layer == 0 { data } else { &awake[layer - 1] };
            let recognition = &mut net.recognition[layer];
            recognition.probabilities(lower, &mut q);
            costs.push((net.generative[layer].cross_entropy(upper, lower), recognition.cross_entropy(lower, &q)));
        }
        net.ascend(Units::Probabilities, data, draws.wake, &mut certain)?;
        let top = net.top.measure(certain.last().unwrap_or(data), labels, Uniforms::new(seed, Stream::Monitor, 0));
        let top_cost = net.top.cost(awake.last().unwrap_or(data), &top);
        Ok(Self { costs, top, top_cost, awake })
    }

    fn variational_cost(&self) -> f64 {
        self.costs.iter().map(|(generative, entropy)| generative - entropy).sum::<f64>() + self.top_cost
    }
}

/// All but the time an epoch took and which one was the best.
pub(crate) fn measure(
    net: &mut Net<PackedRbm>,
    config: &TuneConfig,
    rules: &Rules,
    monitors: &Monitors,
    before: &[Vec<f32>],
) -> Result<TuneMetrics> {
    let train = Look::at(net, &monitors.train, &monitors.train_labels, config.seed)?;
    let valid = monitors.valid.as_ref();
    let valid = valid.map(|valid| Look::at(net, valid, &monitors.valid_labels, config.seed)).transpose()?;
    let recognition = recognition_costs(net, config, rules, monitors)?;
    let ratios = update_ratios(&weights(net), before);
    let mut layers = Vec::with_capacity(net.layers());
    for layer in 0..net.layers() {
        let below = if layer == 0 { &monitors.train } else { &train.awake[layer - 1] };
        layers.push(LayerMetrics {
            layer: layer as u32,
            generative_cost: train.costs[layer].0,
            generative_cost_valid: valid.as_ref().map(|valid| valid.costs[layer].0),
            recognition_cost: recognition[layer],
            recognition_entropy: train.costs[layer].1,
            divergence: divergence(&mut net.recognition[layer], &net.generative[layer], below),
            generative_update_ratio: ratios[layer],
            recognition_update_ratio: ratios[net.layers() + layer],
        });
    }
    let of_valid = |value: fn(&Measures) -> f64| valid.as_ref().map(|valid| value(&valid.top));
    Ok(TuneMetrics {
        variational_cost: train.variational_cost(),
        variational_cost_valid: valid.as_ref().map(Look::variational_cost),
        layers,
        reconstruction_cost: train.top_cost,
        reconstruction_cost_valid: valid.as_ref().map(|valid| valid.top_cost),
        free_energy_train: train.top.free_energy,
        free_energy_valid: of_valid(|top| top.free_energy),
        free_energy_gap: of_valid(|top| top.free_energy).map(|valid| valid - train.top.free_energy),
        hidden_activity: train.top.activity.iter().sum::<f64>() / train.top.activity.len().max(1) as f64,
        label_error_train: train.top.label_error,
        label_error_valid: valid.as_ref().and_then(|valid| valid.top.label_error),
        top_update_ratio: ratios[2 * net.layers()],
        ..TuneMetrics::default()
    })
}

/// Cross-entropies of every layer's recognition on fantasies made as in the sleep phase, from
/// chains that start at the first of the training samples.
fn recognition_costs(
    net: &mut Net<PackedRbm>,
    config: &TuneConfig,
    rules: &Rules,
    monitors: &Monitors,
) -> Result<Vec<f64>> {
    if net.layers() == 0 {
        return Ok(Vec::new());
    }
    let draws = PhaseDraws::of_monitor(config.seed, net.layers());
    let data = monitors.train.head(FANTASIES);
    let labels = &monitors.train_labels[..data.rows().min(monitors.train_labels.len())];
    let (mut awake, mut asleep) = (Vec::new(), Vec::new());
    net.ascend(config.units.wake, &data, draws.wake, &mut awake)?;
    let penultimate = Shown::States(&awake[net.layers() - 1]);
    net.top.dream(penultimate, (data.rows(), labels), rules.top_steps, config.units, &draws, None)?;
    let units = (config.units.sleep, config.units.visible);
    net.descend(units, draws.sleep, &mut asleep)?;
    let costs = net.recognition.iter_mut().zip(&asleep).zip(&asleep[1..]);
    Ok(costs.map(|((set, lower), upper)| set.cross_entropy(lower, upper)).collect())
}

/// `KL(q || t) = H(q, t) - H(q)` for q from the recognition weights and t from the transposed
/// generative ones, with the same biases, over the units above `below`.
fn divergence(recognition: &mut CpuDirection, generative: &CpuDirection, below: &Batch) -> f64 {
    let (below_units, above_units) = (recognition.input_units(), recognition.output_units());
    let (lower, upper) = (below_units.columns(), above_units.columns());
    let (w_gen, b) = (generative.weights().w, recognition.weights().b);
    let mut w = vec![0.0; w_gen.len()];
    for (j, row) in w_gen.chunks_exact(lower).enumerate() {
        for (i, &value) in row.iter().enumerate() {
            w[i * upper + j] = value;
        }
    }
    let mut tied = CpuDirection::new(&below_units, &above_units, &Weights { w, b, ..Weights::default() });
    let mut q = Batch::default();
    recognition.probabilities(below, &mut q);
    tied.cross_entropy(below, &q) - recognition.cross_entropy(below, &q)
}

/// What the update ratios are of: generative weights, recognition weights, both from the bottom,
/// and the top.
pub(crate) fn weights(net: &Net<PackedRbm>) -> Vec<Vec<f32>> {
    let directed = net.generative.iter().chain(&net.recognition).map(|set| set.weights().w);
    directed.chain([net.top.weights()]).collect()
}

/// Norm of the change over the norm of the weights, for each of them; 0 where nothing is known to
/// have changed.
fn update_ratios(now: &[Vec<f32>], before: &[Vec<f32>]) -> Vec<f64> {
    let norm = |terms: &mut dyn Iterator<Item = f64>| terms.map(|x| x * x).sum::<f64>().sqrt();
    let ratio = |(set, now): (usize, &Vec<f32>)| {
        let Some(before) = before.get(set) else { return 0.0 };
        let change = norm(&mut now.iter().zip(before).map(|(&a, &b)| f64::from(a) - f64::from(b)));
        let whole = norm(&mut now.iter().map(|&w| f64::from(w)));
        if whole > 0.0 { change / whole } else { 0.0 }
    };
    now.iter().enumerate().map(ratio).collect()
}
