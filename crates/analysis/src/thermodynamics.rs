//! Energy, heat capacity and entropy of an RBM at other temperatures than that it was trained at.
//!
//! At the inverse temperature beta, `p(v, h) = exp(-beta E(v, h)) / Z(beta)`: all weights and biases times beta. With U the mean of
//! the energy,
//!
//! ```text
//! C = beta² Var(E)       S = ln Z + beta U       ln Z(0) = sum over units of ln(levels)
//! ```
//!
//! Chains go up a ladder from beta = 0, where they are exact, and leave a replica on each rung. While all of them are
//! measured, replicas of neighbouring rungs swap their visible states after every Gibbs step (parallel tempering), with the
//! probability `min(1, w(v'; beta) w(v; beta') / (w(v; beta) w(v'; beta')))` of `w(v; beta) = sum over h of exp(-beta E(v, h))`:
//! where chains of one temperature are slow, hot ones bring them new states. ln Z goes up the ladder by Bennett's
//! acceptance ratio from rung to rung. Given visible states the hidden units are summed over: `Var(E) = Var(<E|v>) + <Var(E|v)>`. The overlap of two
//! independent chains is the mean over sites of `s s'` of spins and bits as -1 and 1, and of q levels of `(q [v = v'] - 1) / (q - 1)`.

use crate::chains::Chains;
use crate::error::{Error, Result};
use crate::sites::{Level, Sequences, Sites};
use deepbelief_kernels::{Stream, Uniforms};
use deepbelief_rbm::likelihood::bennett;
use deepbelief_rbm::{Rbm, UnitKind};
use rayon::prelude::*;
use serde::Serialize;

/// Bins of the overlaps between -1 and 1.
const BINS: usize = 20;

/// One temperature.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Rung {
    /// Inverse temperature.
    pub beta: f64,
    /// Mean energy.
    pub energy: f64,
    /// Its standard error over the chains.
    pub energy_error: f64,
    /// `beta² Var(E)`.
    pub heat_capacity: f64,
    /// ln Z, in nats.
    pub log_z: f64,
    /// In nats.
    pub entropy: f64,
    /// Mean overlap of two chains.
    pub overlap: f64,
    /// Its standard deviation.
    pub overlap_std: f64,
    /// How often overlaps are in each of 20 equal parts of -1 to 1.
    pub overlaps: Vec<u32>,
    /// Share of the swaps with the next rung that were accepted; none of the last rung.
    pub swap_rate: Option<f64>,
}

/// How the chains run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// Chains; an even number.
    pub chains: usize,
    /// Gibbs steps of each replica before it is measured, and while it is.
    pub steps: u32,
    /// Seed of everything drawn.
    pub seed: u64,
}

/// Measures an RBM on a ladder of inverse temperatures, from 0 or above in rising order.
///
/// # Errors
/// [`Error::Units`] for other than discrete visible units and Bernoulli or spin hidden ones; [`Error::Setting`] for a ladder that does
/// not rise, fewer than two chains or no steps; if candle refuses an operation.
pub fn thermodynamics(rbm: &Rbm, ladder: &[f64], run: &Run) -> Result<Vec<Rung>> {
    let sites = Sites::of(rbm)?;
    let hidden = &rbm.layers().hidden;
    if !hidden.all(UnitKind::is_binary) {
        let expected = "bernoulli or spin hidden units, whose energy is linear in the parameters";
        return Err(Error::Units { what: "a ladder of temperatures", got: format!("{hidden} hidden units"), expected });
    }
    let refuse = |name, got: String, expected: &str| Err(Error::Setting { name, got, expected: expected.into() });
    let rises =
        ladder.windows(2).all(|pair| pair[0] < pair[1]) && ladder.iter().all(|beta| beta.is_finite() && *beta >= 0.0);
    if ladder.is_empty() || !rises {
        return refuse(
            "the ladder",
            format!("{ladder:?}"),
            "inverse temperatures from 0 up, each above the one before",
        );
    }
    if run.chains < 2 || run.steps == 0 {
        return refuse(
            "the run",
            format!("{} chains of {} steps", run.chains, run.steps),
            "two chains and one step at least",
        );
    }
    let mut rungs = ladder.to_vec();
    if ladder[0] > 0.0 {
        rungs.insert(0, 0.0);
    }
    let units: f64 = sites.levels().iter().map(|&q| libm::log(q as f64)).sum();
    let mut log_z = units + hidden.sites() as f64 * std::f64::consts::LN_2;
    let spins = hidden.each().flat_map(|(segment, columns)| columns.map(move |_| segment.units == UnitKind::Spin));
    let biases = rbm.to_parameters()?.hb.iter().map(|&b| f64::from(b)).collect();
    let energies = Energies { sites: &sites, biases, spins: spins.collect() };
    let visible = &rbm.layers().visible;
    let mut states = Chains::new(&rbm.at_beta(0.0)?, run.chains, run.seed)?.states().clone();
    let mut replicas = Vec::with_capacity(rungs.len());
    // Half of the steps that are not measured go up the ladder, half swap.
    let quiet = run.steps / 2;
    for (k, &beta) in rungs.iter().enumerate() {
        let mut chains = Chains::from_states(&rbm.at_beta(beta)?, states, run.seed.wrapping_add(1 + k as u64))?;
        chains.advance(run.steps - quiet)?;
        states = chains.states().clone();
        replicas.push(chains);
    }
    let read = |chains: &Chains| Sequences::of_values(visible, &chains.states().to_values(), None);
    let nothing = || (0..rungs.len()).map(|k| Seen::new(&rungs, k, run.chains)).collect();
    let mut seen: Vec<Seen> = nothing();
    for step in 0..quiet + run.steps {
        if step == quiet {
            seen = nothing();
        }
        for (chains, seen) in replicas.iter_mut().zip(&mut seen) {
            chains.advance(1)?;
            seen.add(&energies, &energies.parts(&read(chains)?));
        }
        swap(&mut replicas, &mut seen, step, Uniforms::new(run.seed, Stream::Swap, step));
    }
    let mut found = Vec::with_capacity(rungs.len());
    for (k, here) in seen.iter().enumerate() {
        if k > 0 {
            log_z += bennett(&seen[k - 1].up, &here.down).value;
        }
        found.push(here.rung(&energies.overlaps(&read(&replicas[k])?), log_z));
    }
    if ladder[0] > 0.0 {
        found.remove(0);
    }
    Ok(found)
}

/// Swaps the states of neighbouring replicas, of every second pair in turn.
fn swap(replicas: &mut [Chains], seen: &mut [Seen], step: u32, draw: Uniforms) {
    for lower in (step as usize % 2..replicas.len().saturating_sub(1)).step_by(2) {
        let chains = seen[lower].of_chain.len();
        let (before, after) = replicas.split_at_mut(lower + 1);
        let first = seen[lower].up.len() - chains;
        for chain in 0..chains {
            let gain = seen[lower].up[first + chain] + seen[lower + 1].down[first + chain];
            let swaps = f64::from(draw.at(chain as u32, lower as u32)) < libm::exp(gain);
            if swaps {
                before[lower].swap(&mut after[0], chain);
            }
            seen[lower].swaps += u32::from(swaps);
            seen[lower].tried += 1;
        }
    }
}

/// What the visible units of a state add to the energy, and what each hidden unit does where it is 1: its bias and input.
type Parts = (f64, Vec<f64>);

/// What was seen on one rung.
struct Seen {
    beta: f64,
    /// Inverse temperatures of the rungs below and above.
    below: Option<f64>,
    above: Option<f64>,
    /// Of each chain the sum of the mean energies given its visible states.
    of_chain: Vec<f64>,
    /// Sums of the squares of these means, and of the variances given visible states.
    squares: f64,
    within: f64,
    steps: u32,
    /// How much larger the log weights of what was seen are on the rung below, and on the one above.
    down: Vec<f64>,
    up: Vec<f64>,
    swaps: u32,
    tried: u32,
}

impl Seen {
    /// Nothing yet.
    fn new(rungs: &[f64], k: usize, chains: usize) -> Self {
        let below = k.checked_sub(1).map(|below| rungs[below]);
        let (beta, above, of_chain) = (rungs[k], rungs.get(k + 1).copied(), vec![0.0; chains]);
        let (down, up) = (Vec::new(), Vec::new());
        Self { beta, below, above, of_chain, squares: 0.0, within: 0.0, steps: 0, down, up, swaps: 0, tried: 0 }
    }

    /// Adds a state of each chain.
    fn add(&mut self, energies: &Energies<'_>, states: &[Parts]) {
        let beta = self.beta;
        let weigh = |state: &Parts| {
            let here = energies.log_weight(state, beta);
            let gain = |to: Option<f64>| to.map(|to| energies.log_weight(state, to) - here);
            (energies.given(state, beta), gain(self.below), gain(self.above))
        };
        let weighed: Vec<_> = states.par_iter().map(weigh).collect();
        for (sum, ((mean, within), down, up)) in self.of_chain.iter_mut().zip(weighed) {
            *sum += mean;
            self.squares += mean * mean;
            self.within += within;
            self.down.extend(down);
            self.up.extend(up);
        }
        self.steps += 1;
    }

    fn rung(&self, overlaps: &[f64], log_z: f64) -> Rung {
        let (chains, steps) = (self.of_chain.len() as f64, f64::from(self.steps));
        let energy = self.of_chain.iter().sum::<f64>() / (chains * steps);
        let variance = (self.squares + self.within) / (chains * steps) - energy * energy;
        // Chains are independent, steps of one are not; swaps are between replicas of the same number.
        let spread = self.of_chain.iter().map(|sum| (sum / steps - energy).powi(2)).sum::<f64>() / (chains - 1.0);
        let mean = overlaps.iter().sum::<f64>() / overlaps.len() as f64;
        let square = overlaps.iter().map(|q| (q - mean).powi(2)).sum::<f64>() / overlaps.len() as f64;
        let mut bins = vec![0u32; BINS];
        for q in overlaps {
            bins[((f64::midpoint(*q, 1.0) * BINS as f64) as usize).min(BINS - 1)] += 1;
        }
        Rung {
            beta: self.beta,
            energy,
            energy_error: (spread / chains).sqrt(),
            heat_capacity: self.beta * self.beta * variance,
            log_z,
            entropy: log_z + self.beta * energy,
            overlap: mean,
            overlap_std: square.sqrt(),
            overlaps: bins,
            swap_rate: (self.tried > 0).then(|| f64::from(self.swaps) / f64::from(self.tried)),
        }
    }
}

/// The model and what its hidden units are.
struct Energies<'a> {
    sites: &'a Sites,
    biases: Vec<f64>,
    /// Which hidden units are spins.
    spins: Vec<bool>,
}

impl Energies<'_> {
    /// The parts of the energies of some sequences.
    fn parts(&self, sequences: &Sequences) -> Vec<Parts> {
        let rows: Vec<&[Level]> = sequences.rows().collect();
        let parts = |row: &&[Level]| {
            let visible = row.iter().enumerate().map(|(site, &level)| self.sites.energy(site, level.into())).sum();
            (visible, self.sites.inputs(row).iter().zip(&self.biases).map(|(input, bias)| input + bias).collect())
        };
        rows.par_iter().map(parts).collect()
    }

    /// `ln sum_h exp(-beta E(v, h))`.
    fn log_weight(&self, (visible, x): &Parts, beta: f64) -> f64 {
        let softplus = |x: f64| x.max(0.0) + libm::log1p(libm::exp(-x.abs()));
        // Of a spin ln(exp(-x) + exp(x)).
        let cgf =
            |(x, spin): (&f64, &bool)| if *spin { softplus(2.0 * beta * x) - beta * x } else { softplus(beta * x) };
        x.iter().zip(&self.spins).map(cgf).sum::<f64>() - beta * visible
    }

    /// The mean and the variance of the energy given v.
    fn given(&self, (visible, x): &Parts, beta: f64) -> (f64, f64) {
        let unit = |(x, spin): (&f64, &bool)| {
            let mean = if *spin { libm::tanh(beta * x) } else { 1.0 / (1.0 + libm::exp(-beta * x)) };
            let variance = if *spin { 1.0 - mean * mean } else { mean * (1.0 - mean) };
            (x * mean, x * x * variance)
        };
        let units = x.iter().zip(&self.spins).map(unit);
        units.fold((*visible, 0.0), |(mean, variance), (m, v)| (mean - m, variance + v))
    }

    /// The overlaps of all pairs of a chain of the first half with one of the second.
    fn overlaps(&self, last: &Sequences) -> Vec<f64> {
        let half = last.len() / 2;
        let levels = self.sites.levels();
        let overlap = |(a, b): (usize, usize)| -> f64 {
            let sites = last.row(a).iter().zip(last.row(b)).zip(levels);
            let of_site = |((a, b), &q): ((&Level, &Level), &usize)| {
                let same = if a == b { q as f64 } else { 0.0 };
                (same - 1.0) / (q as f64 - 1.0).max(1.0)
            };
            sites.map(of_site).sum::<f64>() / levels.len() as f64
        };
        (0..half).flat_map(|a| (half..last.len()).map(move |b| (a, b))).map(overlap).collect()
    }
}
