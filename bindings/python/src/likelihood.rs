//! Mean log-likelihood of samples: ln Z exactly where that can be summed, else by annealing both ways, as `dbn eval`
//! has it. A net with layers has an estimate by draws of them, and a bound.

use crate::failure::Result;
use candle_core::{Device, Tensor};
use deepbelief_data::{Binarize, Split};
use deepbelief_kernels::{Batch, Stream, Uniforms};
use deepbelief_rbm::likelihood::{
    AnnealConfig, AnnealPath, BothWays, Ladder, Means, Verdict, annealed_importance, exact_log_partition, is_summable,
    require_normalizable, reverse_annealed_importance,
};
use deepbelief_rbm::{batch_of, to_tensor};
use deepbelief_stack::Dbn;
use serde::Serialize;

/// Samples at a time.
const CHUNK: usize = 1000;

/// Draws of the layers of a net for each sample.
const LAYER_DRAWS: u16 = 20;

/// Standard errors of ln Z that the interval reaches on each side.
const ERRORS: f64 = 3.0;

/// Samples that the means of the annealing path are taken of, at most.
const MEANS: usize = 10_000;

/// What is asked.
pub(crate) struct Wanted {
    pub(crate) chains: usize,
    pub(crate) temperatures: usize,
    pub(crate) burn_in: u32,
    pub(crate) seed: u64,
    pub(crate) threads: usize,
}

/// What is found, in nats per sample.
#[derive(Serialize)]
pub(crate) struct Estimate {
    value: f64,
    /// None where the annealing tells of no interval.
    low: Option<f64>,
    high: Option<f64>,
    method: &'static str,
    /// The variational bound of a net with layers.
    bound: Option<f64>,
    log_z: f64,
    standard_error_of_samples: Option<f64>,
}

/// Of samples that lack nothing; values between 0 and 1 of Bernoulli units are drawn once.
pub(crate) fn log_likelihood(dbn: &Dbn, split: &Split, log_scales: f64, wanted: &Wanted) -> Result<Estimate> {
    let top = dbn.top();
    require_normalizable(top)?;
    let (n, units) = (split.samples(), split.units());
    let (mut importance, mut bound) = (Vec::with_capacity(n), 0.0);
    let mut states = Vec::new();
    for (step, first) in (0..n).step_by(CHUNK).enumerate() {
        let rows = CHUNK.min(n - first);
        let mut values = split.batch(first..first + rows, Binarize::Fixed, wanted.seed)?.to_values();
        to_tensor(split.layer(), &mut values);
        let v = Tensor::from_vec(values, (rows, units), &Device::Cpu)?;
        let draw = Uniforms::new(wanted.seed, Stream::User, step as u32);
        let found = dbn.unnormalised_log_likelihood(&v, LAYER_DRAWS, draw)?;
        importance.extend(found.importance);
        bound += found.bound.iter().sum::<f64>();
        if states.len() < MEANS * top.visible() {
            let below = dbn.encode(&v, dbn.layers().len(), Some(draw))?;
            states.extend(batch_of(&top.layers().visible, &below)?.to_values());
        }
    }
    let (mean, deep) = (importance.iter().sum::<f64>() / n as f64, dbn.depth() > 1);
    let squares: f64 = importance.iter().map(|x| (x - mean) * (x - mean)).sum();
    let (log_z, error, method) = if is_summable(top) {
        (exact_log_partition(top)?, Some(0.0), if deep { "importance" } else { "exact" })
    } else {
        let (log_z, error) = annealed(dbn, &states, wanted)?;
        (log_z, error, "annealed")
    };
    let off = |errors: f64| error.map(|error| mean - log_z - log_scales + errors * error);
    Ok(Estimate {
        value: mean - log_z - log_scales,
        low: off(-ERRORS),
        high: off(ERRORS),
        method,
        bound: deep.then(|| bound / n as f64 - log_z - log_scales),
        log_z,
        standard_error_of_samples: (n > 1).then(|| (squares / (n - 1) as f64 / n as f64).sqrt()),
    })
}

/// ln Z by both directions, and its standard error where that holds.
fn annealed(dbn: &Dbn, states: &[f32], wanted: &Wanted) -> Result<(f64, Option<f64>)> {
    let (top, units) = (dbn.top(), dbn.top().visible());
    let there = states.len() / units;
    let Wanted { chains, temperatures, burn_in, seed, threads } = *wanted;
    let config = AnnealConfig {
        chains,
        ladder: Ladder::with_steps(temperatures)?,
        burn_in,
        seed,
        threads,
        ..AnnealConfig::default()
    };
    let classes = dbn.classes();
    let label = |chain: usize| (chain % classes.max(1)) as u32;
    let labels = |count: usize| if classes > 0 { (0..count).map(label).collect() } else { Vec::new() };
    let all = Batch::Real { rows: there, units, values: states.to_vec() };
    let means = Means::of(top, &all, &labels(there), &config)?;
    let path = AnnealPath::matched(top, &means, &config)?;
    let chosen: Vec<usize> = (0..chains).map(|chain| chain * there / chains % there.max(1)).collect();
    let from = all.chosen(&chosen);
    let forward = annealed_importance(top, &path, &config)?;
    let reverse = reverse_annealed_importance(top, &path, &from, &labels(chains), &config)?;
    let both = BothWays::of(top, &forward, &reverse)?;
    let error = both.log_z.standard_error.filter(|_| both.verdict == Verdict::Sound);
    Ok(match both.verdict {
        Verdict::MissedModes => (forward.estimate.value, forward.estimate.standard_error),
        _ => (both.log_z.value, error),
    })
}
