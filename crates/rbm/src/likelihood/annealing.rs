//! Annealed importance sampling (Neal 2001; for RBMs Salakhutdinov & Murray 2008).
//!
//! Chains start from the exact distribution of a model without weights, β = 0, and take a Gibbs
//! step at each inverse temperature `β_k` of a ladder up to the RBM at β = 1. Along the way each
//! collects
//!
//! ```text
//! ln w = sum over k of ln p*(v_k; β_k+1) - ln p*(v_k; β_k)
//! ```
//!
//! and the mean of w over the chains estimates Z / Z(β = 0) without bias. Its logarithm is rather
//! too small, badly so where no chain finds a mode. In reverse (Burda, Grosse & Salakhutdinov 2015),
//! chains start from states of the RBM and go down; the mean of their weights estimates
//! Z(β = 0) / Z, and ln Z comes out rather too large. States of the model are had from data: by
//! Gibbs steps from them, which is exact only as far as those mix.

use super::chains::Chains;
use super::ladder::Ladder;
use crate::config::validate_threads;
use crate::error::{Error, Result, require};
use crate::rbm::{Rbm, log_odds};
use deepbelief_kernels::{Bits, GibbsDraws, LogSum, Stream, Uniforms};

/// Steps of the pilot that an adaptive ladder is made by.
const PILOT: usize = 1000;

/// How ln Z is estimated.
#[derive(Clone, Debug, PartialEq)]
pub struct AnnealConfig {
    /// Chains.
    pub chains: usize,
    /// Inverse temperatures; [`adaptive_ladder`] finds some that suit a model.
    pub ladder: Ladder,
    /// Gibbs steps from the data before a reverse run.
    pub burn_in: u32,
    /// Seed of everything drawn.
    pub seed: u64,
    /// Threads; 0 takes one a core. The result does not depend on it.
    pub threads: usize,
}

/// The paper's: 100 chains and 14,500 temperatures.
impl Default for AnnealConfig {
    fn default() -> Self {
        Self { chains: 100, ladder: Ladder::default(), burn_in: 1000, seed: 1, threads: 0 }
    }
}

impl AnnealConfig {
    /// Checks every field.
    ///
    /// # Errors
    /// [`Error::Config`] names the first field out of range.
    pub fn validate(&self) -> Result<()> {
        require((2..=100_000).contains(&self.chains), "chains", self.chains, "between 2 and 100000")?;
        validate_threads(self.threads)
    }
}

/// Effective chains below which an estimate has no standard error.
pub const FEWEST_EFFECTIVE: f64 = 10.0;

/// An estimate of ln Z.
#[derive(Clone, Debug, PartialEq)]
pub struct LogPartition {
    /// ln Z, in nats.
    pub value: f64,
    /// Standard error, to first order, which holds where many chains carry the weight: none below
    /// [`FEWEST_EFFECTIVE`] effective chains. The error of a run whose chains missed a mode is not in
    /// it: only the other run shows that.
    pub standard_error: Option<f64>,
    /// Chains of equal weight that would be worth as much: `(sum w)² / sum w²`.
    pub effective_sample_size: f64,
}

impl LogPartition {
    /// Variance of the estimate from so many chains, to first order.
    pub(super) fn variance(&self, chains: usize) -> f64 {
        // Relative variance of a weight: n / ESS - 1.
        let n = chains as f64;
        (n / self.effective_sample_size - 1.0).max(0.0) / (n - 1.0)
    }

    /// From the logarithms of weights whose mean estimates exp(`sign` (ln Z - `base`)).
    pub(super) fn of(log_weights: &[f64], base: f64, sign: f64) -> Self {
        let n = log_weights.len() as f64;
        let sum = log_weights.iter().copied().collect::<LogSum>().value();
        let squares = log_weights.iter().map(|&x| 2.0 * x).collect::<LogSum>().value();
        let effective_sample_size = libm::exp(2.0 * sum - squares);
        let value = base + sign * (sum - libm::log(n));
        let estimate = Self { value, standard_error: None, effective_sample_size };
        let error = estimate.variance(log_weights.len()).sqrt();
        Self { standard_error: (effective_sample_size >= FEWEST_EFFECTIVE).then_some(error), ..estimate }
    }
}

/// Biases of the model without weights that annealing starts from: the log odds of the data's
/// means `[V]`, held away from infinity.
#[must_use]
pub fn base_rates(means: &[f32]) -> Vec<f32> {
    means.iter().map(|&p| log_odds(p)).collect()
}

/// ln Z by annealed importance sampling from independent units with biases `base`
/// ([`base_rates`]).
///
/// # Errors
/// [`Error::Config`] for a setting out of range or Gaussian hidden units, [`Error::Shape`] if
/// there is not one bias a visible unit, [`Error::Threads`].
pub fn annealed_importance(rbm: &Rbm, base: &[f32], config: &AnnealConfig) -> Result<LogPartition> {
    run(rbm, base, config, |chains| {
        chains.start(config.chains, &draws(config.seed, FORWARD, 0))?;
        climb(chains, config.ladder.betas(), config.seed, FORWARD)?;
        Ok(LogPartition::of(&chains.take_log_weights()?, chains.base_log_partition(), 1.0))
    })
}

/// ln Z by annealing down from states of the model, which are had from `v` (with `labels`, where
/// there is a label group) by [`AnnealConfig::burn_in`] Gibbs steps. There are as many chains as
/// samples.
///
/// # Errors
/// As [`annealed_importance`]; [`Error::Shape`] if the samples do not fit the RBM.
pub fn reverse_annealed_importance(
    rbm: &Rbm,
    base: &[f32],
    v: &Bits,
    labels: &[u32],
    config: &AnnealConfig,
) -> Result<LogPartition> {
    check_starts(rbm, v, labels)?;
    let config = AnnealConfig { chains: v.rows(), ..config.clone() };
    run(rbm, base, &config, |chains| {
        chains.start_from(v, labels)?;
        for step in 0..config.burn_in {
            chains.anneal(1.0, 1.0, Some(&draws(config.seed, BURN_IN, step)))?;
        }
        let down: Vec<f32> = config.ladder.betas().iter().rev().copied().collect();
        climb(chains, &down, config.seed, REVERSE)?;
        Ok(LogPartition::of(&chains.take_log_weights()?, chains.base_log_partition(), -1.0))
    })
}

/// What chains start from, in errors.
const STARTS: (&str, &str) = ("samples to start from", "labels to start from");

/// Refuses visible states and labels that chains of an RBM cannot start from.
pub(super) fn check_starts(rbm: &Rbm, v: &Bits, labels: &[u32]) -> Result<()> {
    check_samples(rbm, v, labels, STARTS)
}

/// Refuses visible states and labels that are not those of an RBM; errors call them by these names.
pub(super) fn check_samples(
    rbm: &Rbm,
    v: &Bits,
    labels: &[u32],
    (of_states, of_labels): (&str, &'static str),
) -> Result<()> {
    let wrong = |what: &str, got, expected| Err(Error::Shape { what: what.into(), got, expected });
    if v.units() != rbm.visible() {
        return wrong(of_states, vec![v.rows(), v.units()], vec![v.rows(), rbm.visible()]);
    }
    let classes = rbm.labels().map_or(0, crate::LabelGroup::classes);
    if classes > 0 && labels.len() != v.rows() {
        return wrong(of_labels, vec![labels.len()], vec![v.rows()]);
    }
    let known = classes == 0 || labels.iter().all(|&label| (label as usize) < classes);
    require(known, of_labels, "not all of the label group", "below its number of classes")
}

/// So many inverse temperatures where a pilot run of the chains finds that the distribution changes,
/// closer where it changes faster. The ladder and the burn-in of `config` play no part.
///
/// # Errors
/// As [`annealed_importance`]; [`Error::Config`] as [`Ladder::with_steps`] has it.
pub fn adaptive_ladder(rbm: &Rbm, base: &[f32], config: &AnnealConfig, steps: usize) -> Result<Ladder> {
    Ladder::with_steps(steps)?;
    let pilot = Ladder::with_uniform_steps(PILOT);
    let widths: Vec<f64> = pilot.betas().windows(2).map(|pair| f64::from(pair[1] - pair[0])).collect();
    let mut spread = Vec::with_capacity(PILOT);
    run(rbm, base, config, |chains| {
        chains.start(config.chains, &draws(config.seed, PILOT_RUN, 0))?;
        for (step, width) in widths.iter().enumerate() {
            climb_step(chains, pilot.betas(), step, config.seed, PILOT_RUN)?;
            let added = chains.take_log_weights()?;
            let n = added.len() as f64;
            let mean = added.iter().sum::<f64>() / n;
            let variance = added.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / n;
            spread.push(variance.sqrt() / width);
        }
        Ok(())
    })?;
    Ok(pilot.respaced(&spread, steps))
}

/// Runs in a pool of as many threads as are asked for.
pub(super) fn run<T: Send>(
    rbm: &Rbm,
    base: &[f32],
    config: &AnnealConfig,
    with: impl FnOnce(&mut dyn Chains) -> Result<T> + Send,
) -> Result<T> {
    config.validate()?;
    let units = rbm.hidden_units();
    require(units.is_bernoulli(), "hidden_units", units, "bernoulli: annealing draws their states")?;
    if base.len() != rbm.visible() {
        let (got, expected) = (vec![base.len()], vec![rbm.visible()]);
        return Err(Error::Shape { what: "biases of the base-rate model".into(), got, expected });
    }
    let threads = config.threads;
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .map_err(|source| Error::Threads { threads, source })?;
    let mut chains = super::chains::of(rbm, base)?;
    pool.install(|| with(&mut *chains))
}

/// Runs that share no random numbers.
const FORWARD: u8 = 0;
const REVERSE: u8 = 1;
const BURN_IN: u8 = 2;
const PILOT_RUN: u8 = 3;
pub(super) const MIXING: u8 = 4;
pub(super) const PATH: u8 = 5;

pub(super) fn draws(seed: u64, run: u8, step: u32) -> GibbsDraws {
    let draw = |stream| Uniforms::new(seed, stream, step).layer(run);
    GibbsDraws {
        hidden: draw(Stream::AnnealHidden),
        visible: draw(Stream::AnnealVisible),
        label: draw(Stream::AnnealLabel),
    }
}

/// Takes the chains along `betas`.
fn climb(chains: &mut dyn Chains, betas: &[f32], seed: u64, run: u8) -> Result<()> {
    (0..betas.len() - 1).try_for_each(|step| climb_step(chains, betas, step, seed, run))
}

/// Takes them one step, counted from 0.
fn climb_step(chains: &mut dyn Chains, betas: &[f32], step: usize, seed: u64, run: u8) -> Result<()> {
    // Nothing comes after the last step.
    let draws = (step + 2 < betas.len()).then(|| draws(seed, run, step as u32 + 1));
    chains.anneal(betas[step], betas[step + 1], draws.as_ref())
}
