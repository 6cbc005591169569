//! Annealed importance sampling (Neal 2001; for RBMs Salakhutdinov & Murray 2008).
//!
//! Chains start from the exact distribution of a model without weights, β = 0, and take a Gibbs
//! step at each inverse temperature `β_k` of a ladder up to the RBM at β = 1, along a path of biases
//! ([`AnnealPath`]). Along the way each collects
//!
//! ```text
//! ln w = sum over k of ln p*(v_k; β_k+1) - ln p*(v_k; β_k)
//! ```
//!
//! and the mean of w over the chains estimates Z / Z(β = 0) without bias. Its logarithm tends to be too small:
//! it exceeds ln Z by k nats with probability `exp(-k)` at most, and falls short where no chain finds a mode.
//! In reverse (Burda, Grosse & Salakhutdinov 2015), chains start from states of the RBM and go down; the mean of
//! their weights estimates Z(β = 0) / Z, and ln Z tends to be too large. That holds only if the starts are
//! samples of the model. They are had from data by Gibbs steps. Where the model has modes that no chain from
//! the data reaches, the reverse estimate lacks them and falls below the forward one.

use super::biases::AnnealPath;
use super::estimate::LogPartition;
use super::ladder::Ladder;
use super::phases::{MARKS, Mark};
use super::runs::{AnnealConfig, BURN_IN, FORWARD, PILOT_RUN, REVERSE, REVERSE_PILOT, draws, in_bits, run, starts};
use crate::error::Result;
use crate::model::rbm::Rbm;
use deepbelief_kernels::{Batch, Betas, Tempering};

/// Steps of each of the two pilots that an adaptive ladder is made by.
pub const PILOT: usize = 1000;

/// One direction of annealing.
#[derive(Clone, Debug, PartialEq)]
pub struct Annealed {
    /// ln Z from this direction alone.
    pub estimate: LogPartition,
    /// What each chain collected: samples of ln (Z / Z(β = 0)), or of its negative in reverse.
    pub(super) log_weights: Vec<f64>,
    /// ln Z at β = 0.
    pub(super) base: f64,
    /// States along the way.
    pub(super) marks: Vec<Mark>,
}

/// ln Z by annealed importance sampling along a path.
///
/// # Errors
/// [`crate::Error::Config`] for a setting out of range, [`deepbelief_training::Error::Threads`].
pub fn annealed_importance(rbm: &Rbm, path: &AnnealPath, config: &AnnealConfig) -> Result<Annealed> {
    let (rbm, constant) = &in_bits(rbm)?;
    run(rbm, config, |chains| {
        set_line(chains, path, 0.0, 1.0)?;
        chains.start(config.chains, &draws(config.seed, FORWARD, 0))?;
        let (log_weights, marks) = climb(chains, path, &config.ladder.through(path.knots()), config.seed, FORWARD)?;
        let base = path.base_log_partition(rbm)? + constant;
        Ok(Annealed { estimate: LogPartition::of(&log_weights, base, 1.0), log_weights, base, marks })
    })
}

/// ln Z by annealing down from states of the model, which are had from `v` (with `labels`, where
/// there is a label group) by [`AnnealConfig::burn_in`] Gibbs steps. There are as many chains as
/// samples.
///
/// # Errors
/// As [`annealed_importance`]; [`crate::Error::Shape`] if the samples do not fit the RBM.
pub fn reverse_annealed_importance(
    rbm: &Rbm,
    path: &AnnealPath,
    v: &Batch,
    labels: &[u32],
    config: &AnnealConfig,
) -> Result<Annealed> {
    let (v, labels) = starts(rbm, v, labels)?;
    let (rbm, constant) = &in_bits(rbm)?;
    let config = AnnealConfig { chains: v.rows(), ..config.clone() };
    run(rbm, &config, |chains| {
        set_line(chains, path, 1.0, 0.0)?;
        chains.start_from(&v, labels)?;
        for step in 0..config.burn_in {
            chains.anneal(Betas::All(1.0), Betas::All(1.0), Some(&draws(config.seed, BURN_IN, step)))?;
        }
        let down: Vec<f32> = config.ladder.through(path.knots()).into_iter().rev().collect();
        let (log_weights, marks) = climb(chains, path, &down, config.seed, REVERSE)?;
        let base = path.base_log_partition(rbm)? + constant;
        Ok(Annealed { estimate: LogPartition::of(&log_weights, base, -1.0), log_weights, base, marks })
    })
}

/// So many inverse temperatures, spaced by thermodynamic length: a pilot run of the chains finds how fast the
/// distribution changes with β, and steps are short where it changes fast. The ladder of `config` plays no part.
/// With states `v` (and `labels`, where there is a label group) of the model, a second pilot comes down from them,
/// and the faster change of the two counts.
///
/// # Errors
/// As [`annealed_importance`] and [`reverse_annealed_importance`]; [`crate::Error::Config`] as [`Ladder::with_steps`] has
/// it.
pub fn adaptive_ladder(
    rbm: &Rbm,
    path: &AnnealPath,
    from: Option<(&Batch, &[u32])>,
    config: &AnnealConfig,
    steps: usize,
) -> Result<Ladder> {
    Ladder::with_steps(steps)?;
    let pilot = Ladder::with_uniform_steps(PILOT);
    let from = from.map(|(v, labels)| starts(rbm, v, labels)).transpose()?;
    let (rbm, _) = &in_bits(rbm)?;
    let mut spread = run(rbm, config, |chains| {
        set_line(chains, path, 0.0, 1.0)?;
        chains.start(config.chains, &draws(config.seed, PILOT_RUN, 0))?;
        spread_along(chains, path, pilot.betas(), config.seed, PILOT_RUN)
    })?;
    if let Some((v, labels)) = from {
        let config = AnnealConfig { chains: v.rows(), ..config.clone() };
        let down: Vec<f32> = pilot.betas().iter().rev().copied().collect();
        let reverse = run(rbm, &config, |chains| {
            set_line(chains, path, 1.0, 0.0)?;
            chains.start_from(&v, labels)?;
            spread_along(chains, path, &down, config.seed, REVERSE_PILOT)
        })?;
        spread.iter_mut().zip(reverse.iter().rev()).for_each(|(up, &down)| *up = up.max(down));
    }
    Ok(pilot.respaced(&spread, steps))
}

/// Standard deviation over the chains of the change of ln p* with β, at every step along `betas`.
fn spread_along(chains: &mut dyn Tempering, path: &AnnealPath, betas: &[f32], seed: u64, run: u8) -> Result<Vec<f64>> {
    let mut spread = Vec::with_capacity(betas.len());
    for (step, pair) in betas.windows(2).enumerate() {
        // The line of the stretch that the middle of the step is in.
        if let Some(biases) = path.line_at(0.5 * (pair[0] + pair[1])) {
            chains.set_biases(&biases)?;
        }
        chains.anneal(Betas::All(pair[0]), Betas::All(pair[1]), Some(&draws(seed, run, step as u32 + 1)))?;
        let added = chains.take_log_weights()?;
        let n = added.len() as f64;
        let mean = added.iter().sum::<f64>() / n;
        let variance = added.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / n;
        spread.push(variance.sqrt() / f64::from((pair[1] - pair[0]).abs()));
    }
    Ok(spread)
}

/// Gives chains at `beta` the line of biases towards `to`, where one begins there.
fn set_line(chains: &mut dyn Tempering, path: &AnnealPath, beta: f32, to: f32) -> Result<()> {
    match path.line_from(beta, to) {
        Some(biases) => Ok(chains.set_biases(&biases)?),
        None => Ok(()),
    }
}

/// Takes the chains along `betas`, which pass every knot of the path: what they collect, and the marks they leave.
fn climb(
    chains: &mut dyn Tempering,
    path: &AnnealPath,
    betas: &[f32],
    seed: u64,
    run: u8,
) -> Result<(Vec<f64>, Vec<Mark>)> {
    let (last, mut marks) = (betas.len() - 1, Vec::new());
    let mut log_weights = Vec::new();
    let mut mark = |chains: &mut dyn Tempering, beta, towards| -> Result<()> {
        let (mark, collected) = Mark::of(chains, beta, towards)?;
        marks.push(mark);
        log_weights.resize(collected.len(), 0.0);
        log_weights.iter_mut().zip(collected).for_each(|(sum, added)| *sum += added);
        Ok(())
    };
    // The same inverse temperatures on the way up and on the way down.
    let is_marked = |step: usize| {
        let rung = if betas[0] < betas[last] { step } else { last - step };
        last < MARKS || (rung * MARKS) % last < MARKS
    };
    for step in 0..last {
        set_line(chains, path, betas[step], betas[step + 1])?;
        if is_marked(step) {
            mark(chains, betas[step], betas[step + 1])?;
        }
        chains.anneal(
            Betas::All(betas[step]),
            Betas::All(betas[step + 1]),
            Some(&draws(seed, run, step as u32 + 1)),
        )?;
    }
    mark(chains, betas[last], betas[last - 1])?;
    Ok((log_weights, marks))
}
