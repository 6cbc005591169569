//! Energy, heat capacity and entropy of an RBM at other temperatures than that it was trained at.
//!
//! At the inverse temperature beta, `p(v, h) = exp(-beta E(v, h)) / Z(beta)`: all weights and biases times beta. With U the mean of
//! the energy,
//!
//! ```text
//! C = beta² Var(E)       S = ln Z + beta U       ln Z(0) = sum over units of ln(levels)
//! ```
//!
//! Chains go up a ladder from beta = 0, where they are exact, and ln Z goes with them by Bennett's acceptance ratio
//! from rung to rung. Given visible states the hidden units are summed over: `Var(E) = Var(<E|v>) + <Var(E|v)>`. The overlap of two
//! independent chains is the mean over sites of `s s'` of spins and bits as -1 and 1, and of q levels of `(q [v = v'] - 1) / (q - 1)`.

use crate::chains::Chains;
use crate::error::{Error, Result};
use crate::sites::{Level, Sequences, Sites};
use deepbelief_kernels::Parameters;
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
}

/// How the chains run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// Chains; an even number.
    pub chains: usize,
    /// Gibbs steps on each rung before it is measured, and while it is.
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
    let parameters = rbm.to_parameters()?;
    let mut rungs = ladder.to_vec();
    if ladder[0] > 0.0 {
        rungs.insert(0, 0.0);
    }
    let units: f64 = sites.levels().iter().map(|&q| libm::log(q as f64)).sum();
    let mut log_z = units + hidden.sites() as f64 * std::f64::consts::LN_2;
    let at = |beta: f64| at_temperature(rbm, &parameters, beta);
    let spins = hidden.each().flat_map(|(segment, columns)| columns.map(move |_| segment.units == UnitKind::Spin));
    let biases = parameters.hb.iter().map(|&b| f64::from(b)).collect();
    let energies = Energies { sites: &sites, biases, spins: spins.collect() };
    let visible = &rbm.layers().visible;
    let mut states = Chains::new(&at(0.0)?, run.chains, run.seed)?.states().clone();
    let mut found = Vec::with_capacity(rungs.len());
    let mut before: Option<Seen> = None;
    for (k, &beta) in rungs.iter().enumerate() {
        let mut chains = Chains::from_states(&at(beta)?, states, run.seed.wrapping_add(1 + k as u64))?;
        chains.advance(run.steps)?;
        let mut seen = Vec::with_capacity(run.steps as usize * run.chains);
        let mut last = None;
        for _ in 0..run.steps {
            chains.advance(1)?;
            let sequences = Sequences::of_values(visible, &chains.states().to_values(), None)?;
            seen.extend(energies.parts(&sequences));
            last = Some(sequences);
        }
        states = chains.states().clone();
        let Some(last) = last else { break };
        let here = Seen { beta, states: seen, last };
        if let Some(before) = &before {
            log_z += bennett(&energies.gains(before, beta), &energies.gains(&here, before.beta)).value;
        }
        found.push(energies.rung(&here, run.chains, log_z));
        before = Some(here);
    }
    if ladder[0] > 0.0 {
        found.remove(0);
    }
    Ok(found)
}

/// The model with all its weights and biases times beta.
fn at_temperature(rbm: &Rbm, parameters: &Parameters, beta: f64) -> Result<Rbm> {
    let times = |values: &[f32]| values.iter().map(|x| (f64::from(*x) * beta) as f32).collect::<Vec<_>>();
    let Parameters { w_rec, hb, vb, .. } = parameters;
    let scaled = Parameters { w_rec: times(w_rec), hb: times(hb), vb: times(vb), ..parameters.clone() };
    Ok(Rbm::from_parameters(rbm.layers(), scaled, &candle_core::Device::Cpu)?)
}

/// What was seen on one rung.
struct Seen {
    beta: f64,
    /// Of each chain at each step, chain by chain: what the visible units add to the energy, and what each hidden unit does
    /// where it is 1: its bias and input.
    states: Vec<(f64, Vec<f64>)>,
    /// The chains as they are at the end.
    last: Sequences,
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
    fn parts(&self, sequences: &Sequences) -> Vec<(f64, Vec<f64>)> {
        let rows: Vec<&[Level]> = sequences.rows().collect();
        let parts = |row: &&[Level]| {
            let visible = row.iter().enumerate().map(|(site, &level)| self.sites.energy(site, level.into())).sum();
            (visible, self.sites.inputs(row).iter().zip(&self.biases).map(|(input, bias)| input + bias).collect())
        };
        rows.par_iter().map(parts).collect()
    }

    /// `ln sum_h exp(-beta E(v, h))`.
    fn log_weight(&self, (visible, x): &(f64, Vec<f64>), beta: f64) -> f64 {
        let softplus = |x: f64| x.max(0.0) + libm::log1p(libm::exp(-x.abs()));
        // Of a spin ln(exp(-x) + exp(x)).
        let cgf =
            |(x, spin): (&f64, &bool)| if *spin { softplus(2.0 * beta * x) - beta * x } else { softplus(beta * x) };
        x.iter().zip(&self.spins).map(cgf).sum::<f64>() - beta * visible
    }

    /// The mean and the variance of the energy given v.
    fn given(&self, (visible, x): &(f64, Vec<f64>), beta: f64) -> (f64, f64) {
        let unit = |(x, spin): (&f64, &bool)| {
            let mean = if *spin { libm::tanh(beta * x) } else { 1.0 / (1.0 + libm::exp(-beta * x)) };
            let variance = if *spin { 1.0 - mean * mean } else { mean * (1.0 - mean) };
            (x * mean, x * x * variance)
        };
        let units = x.iter().zip(&self.spins).map(unit);
        units.fold((*visible, 0.0), |(mean, variance), (m, v)| (mean - m, variance + v))
    }

    /// How much larger the log weights of what was seen at one beta are at another.
    fn gains(&self, seen: &Seen, to: f64) -> Vec<f64> {
        seen.states.par_iter().map(|state| self.log_weight(state, to) - self.log_weight(state, seen.beta)).collect()
    }

    fn rung(&self, seen: &Seen, chains: usize, log_z: f64) -> Rung {
        let beta = seen.beta;
        let given: Vec<(f64, f64)> = seen.states.par_iter().map(|state| self.given(state, beta)).collect();
        let n = given.len() as f64;
        let energy = given.iter().map(|(mean, _)| mean).sum::<f64>() / n;
        let variance = given.iter().map(|(mean, within)| (mean - energy).powi(2) + within).sum::<f64>() / n;
        // Chains are independent, steps of one are not.
        let of_chain = |chain: usize| {
            let own = given.iter().skip(chain).step_by(chains);
            own.clone().map(|(mean, _)| mean).sum::<f64>() / own.count() as f64
        };
        let spread = (0..chains).map(|chain| (of_chain(chain) - energy).powi(2)).sum::<f64>() / (chains - 1) as f64;
        let overlaps = self.overlaps(&seen.last);
        let mean = overlaps.iter().sum::<f64>() / overlaps.len() as f64;
        let square = overlaps.iter().map(|q| (q - mean).powi(2)).sum::<f64>() / overlaps.len() as f64;
        let mut bins = vec![0u32; BINS];
        for q in &overlaps {
            bins[((f64::midpoint(*q, 1.0) * BINS as f64) as usize).min(BINS - 1)] += 1;
        }
        Rung {
            beta,
            energy,
            energy_error: (spread / chains as f64).sqrt(),
            heat_capacity: beta * beta * variance,
            log_z,
            entropy: log_z + beta * energy,
            overlap: mean,
            overlap_std: square.sqrt(),
            overlaps: bins,
        }
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
