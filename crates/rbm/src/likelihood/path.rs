//! ln Z along a training, from one checkpoint to the next.
//!
//! Neighbouring checkpoints are neighbouring models: Bennett's acceptance ratio ([`bennett`]) tells their
//! ln Z apart from few samples of both (Béreux, Decelle, Furtlehner, Rosset & Seoane, "Fast training and
//! sampling of restricted Boltzmann machines", 2024, make the whole path of a training a ladder). Chains
//! that are carried along supply them. The path starts at independent units of the means that both layers have over
//! the data, whose ln Z is exact and which are sampled without chains; a way that is too long for the ratio is walked in pieces, along which
//! all parameters move together.
//!
//! The chains must keep up: where learning is so fast that the model has modes for a few updates only, they
//! miss some, and ln Z comes out too small. Annealing from independent units to the present model, with fewer
//! steps than [`super::annealed_importance`] takes by default, errs to the same side; so at every checkpoint
//! it is done as well. Where it finds more than chance explains, the path goes on from there; where both
//! agree, they are averaged, each by what it is known to; where it finds less, it has missed something.

use super::bennett::bennett;
use super::biases::{Means, hidden_rates};
use super::estimate::LogPartition;
use super::ladder::Ladder;
use super::path_model::{PathModel, from_independent};
use super::runs::{PATH, draws, in_bits};
use crate::error::{Result, require};
use crate::model::rbm::Rbm;
use crate::units::fit::{independent_fit, log_odds};
use deepbelief_kernels::{Batch, Betas, Fields, Layers, Parameters, Stream, Uniforms, UnitKind, Units};

/// Standard deviation of the samples' gains, in nats, that a piece of a step is to stay at.
const PIECE: f64 = 0.5;

/// The shortest piece, as a share of the way from one checkpoint to the next.
const SHORTEST: f64 = 1e-3;

/// Steps of the annealing.
const ANNEALING: usize = 1000;

/// Standard errors by which two estimates may differ.
const CHANCE: f64 = 3.0;

/// Gibbs steps of the chains in every piece.
const GIBBS: u32 = 10;

/// An estimate that is carried along a training.
#[derive(Clone, Debug)]
pub struct LogZTracker {
    state: LogZState,
    seed: u64,
}

/// What a resume needs of it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct LogZState {
    /// Visible biases of the independent units at its start; those of spins as bits, here and below.
    pub(crate) base: Vec<f32>,
    /// Hidden biases there: zeros in an earlier state, whose path starts at fair hidden units.
    pub(crate) hidden_base: Vec<f32>,
    /// The model that the path has reached.
    pub(crate) parameters: Parameters,
    pub(crate) v: Batch,
    pub(crate) labels: Vec<u32>,
    pub(crate) log_z: f64,
    pub(crate) variance: f64,
    /// Gibbs steps made.
    pub(crate) steps: u32,
}

impl LogZTracker {
    /// Starts `chains` chains at independent units like those of `rbm`, with these means in both layers: of spins how
    /// often they are 1, and of other hidden units than Bernoulli ones and spins any.
    ///
    /// # Errors
    /// [`crate::Error::Config`] for units that do not train, or for other than one mean a unit.
    pub fn start(rbm: &Rbm, means: &Means, chains: usize, seed: u64) -> Result<Self> {
        let rbm = &*rbm.joined()?;
        let Layers { visible, hidden } = rbm.layers();
        let known = visible.all(|kind| kind.is_discrete() || kind == UnitKind::Gaussian);
        require(known, "visible units", visible.kinds(), "bernoulli, spin, categorical or gaussian")?;
        let known = hidden.all(|kind| kind != UnitKind::Categorical);
        require(known, "hidden units", hidden.kinds(), "bernoulli, spin, gaussian, relu or drelu")?;
        require(means.visible.len() == rbm.visible(), "visible means", means.visible.len(), "one a visible unit")?;
        require(means.hidden.len() == rbm.hidden(), "hidden means", means.hidden.len(), "one a hidden unit")?;
        let (base, hidden_base) = if rbm.layers().are_bernoulli() {
            let log_odds = |means: &[f32]| -> Vec<f32> { means.iter().map(|&p| log_odds(p)).collect() };
            (log_odds(&means.visible), log_odds(&means.hidden))
        } else {
            let bits = &in_bits(rbm)?.0;
            (independent_fit(&bits.layers().visible, &means.visible)?, hidden_rates(bits, means)?)
        };
        let parameters = independent(rbm, &base, &hidden_base)?;
        let (mut start, log_z) = from_independent(rbm.layers(), &parameters, &base, &hidden_base)?;
        start.start(chains, &draws(seed, PATH, 0))?;
        let (v, labels) = (start.states()?, start.labels()?);
        let state = LogZState { base, hidden_base, parameters, v, labels, log_z, variance: 0.0, steps: 0 };
        Ok(Self { state, seed })
    }

    pub(crate) fn resume(state: LogZState, seed: u64) -> Self {
        Self { state, seed }
    }

    pub(crate) fn state(&self) -> &LogZState {
        &self.state
    }

    /// ln Z of the model that the path has reached, in nats.
    #[must_use]
    pub fn log_z(&self) -> f64 {
        self.state.log_z
    }

    /// Its standard error, to first order: that of independent samples at every step. Chains that do not
    /// keep up with the model make an error which is not in it.
    #[must_use]
    pub fn standard_error(&self) -> f64 {
        self.state.variance.sqrt()
    }

    /// Goes on to a model of the same units. Runs in the caller's pool of threads.
    ///
    /// # Errors
    /// If the parameters of `rbm` cannot be read.
    pub fn extend(&mut self, rbm: &Rbm) -> Result<()> {
        let rbm = &*rbm.joined()?;
        let (layers, target) = (rbm.layers(), rbm.to_parameters()?);
        let model = |parameters: &Parameters| PathModel::of(layers, parameters);
        let mut last = model(&self.state.parameters)?;
        let mut end = model(&target)?;
        let start = std::mem::take(&mut self.state.parameters);
        let mut done = 0.0_f64;
        while done < 1.0 {
            // As far as the samples' gains do not spread too much, which they tell best from where they are.
            let left = 1.0 - done;
            let mut step = left.min(left * PIECE / spread(&self.state.gains(&mut last, &mut end)?)).max(SHORTEST);
            let (next, forward) = loop {
                let share = if step >= left { 1.0 } else { done + step };
                let mut next = model(&between(&start, &target, share as f32))?;
                let forward = self.state.gains(&mut last, &mut next)?;
                if spread(&forward) <= 1.5 * PIECE || step <= SHORTEST {
                    done = share;
                    break (next, forward);
                }
                step = (0.5 * step).max(SHORTEST);
            };
            self.state.resample(&forward, self.seed);
            let mut model = next;
            self.state.walk(&mut model, self.seed)?;
            let ratio = bennett(&forward, &self.state.gains(&mut model, &mut last)?);
            self.state.log_z += ratio.value;
            self.state.variance += ratio.variance;
            last = model;
        }
        self.state.parameters = target;
        let fresh = self.state.annealed(layers, self.seed)?;
        self.state.steps = fresh.steps;
        self.state.reconcile(fresh);
        Ok(())
    }
}

impl LogZState {
    /// The same place, reached by annealing.
    fn annealed(&self, layers: &Layers, seed: u64) -> Result<Self> {
        let n = self.v.rows();
        let (mut model, base) = from_independent(layers, &self.parameters, &self.base, &self.hidden_base)?;
        let ladder = Ladder::spaced(ANNEALING);
        let mut place = self.clone();
        place.steps += 1;
        model.start(n, &draws(seed, PATH, place.steps))?;
        for pair in ladder.betas().windows(2) {
            place.steps += 1;
            model.anneal(Betas::All(pair[0]), Betas::All(pair[1]), Some(&draws(seed, PATH, place.steps)))?;
        }
        let log_weights = model.take_log_weights()?;
        let estimate = LogPartition::of(&log_weights, base, 1.0);
        (place.log_z, place.variance) = (estimate.value, estimate.variance(n));
        (place.v, place.labels) = (model.states()?, model.labels()?);
        place.resample(&log_weights, seed);
        Ok(place)
    }

    /// Takes into account what annealing found.
    fn reconcile(&mut self, annealed: Self) {
        let (own, other) = (self.variance, annealed.variance);
        let (more, chance) = (annealed.log_z - self.log_z, CHANCE * (own + other).sqrt());
        if more > chance || own.is_infinite() {
            *self = annealed;
        } else if more > -chance {
            let share = own / (own + other);
            // Two certain estimates that agree are one.
            if share.is_finite() {
                self.log_z += share * more;
                self.variance *= 1.0 - share;
            }
        }
    }

    /// ln p* of every chain's state under `to` minus that under `from`.
    fn gains(&self, from: &mut PathModel, to: &mut PathModel) -> Result<Vec<f64>> {
        let (from, to) = (from.log_p(&self.v, &self.labels)?, to.log_p(&self.v, &self.labels)?);
        Ok(to.iter().zip(from).map(|(to, from)| to - from).collect())
    }

    /// Multiplies the chains by what they gain in going over to the next model, as evenly as whole chains
    /// allow (systematic resampling): what Gibbs steps do not carry from one mode to another moves with
    /// the chains' numbers.
    fn resample(&mut self, gains: &[f64], seed: u64) {
        let top = gains.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let weights: Vec<f64> = gains.iter().map(|gain| libm::exp(gain - top)).collect();
        let (mean, mut left) = (weights.iter().sum::<f64>() / gains.len() as f64, 0.0);
        let first = f64::from(Uniforms::new(seed, Stream::Resample, self.steps).at(0, 0));
        let mut chosen = Vec::with_capacity(gains.len());
        for (chain, weight) in weights.iter().enumerate() {
            left += weight / mean;
            while (chosen.len() as f64) + first < left && chosen.len() < gains.len() {
                chosen.push(chain);
            }
        }
        // Rounding may leave the last place open.
        chosen.resize(gains.len(), gains.len().saturating_sub(1));
        self.v = self.v.chosen(&chosen);
        if !self.labels.is_empty() {
            self.labels = chosen.iter().map(|&chain| self.labels[chain]).collect();
        }
    }

    /// Takes the chains some Gibbs steps of a model.
    fn walk(&mut self, model: &mut PathModel, seed: u64) -> Result<()> {
        let draws: Vec<_> = (1..=GIBBS).map(|step| draws(seed, PATH, self.steps + step)).collect();
        self.steps += GIBBS;
        (self.v, self.labels) = model.walk(&self.v, &self.labels, &draws)?;
        Ok(())
    }
}

/// The parameters of independent units like those of `rbm` with these biases, of spins as bits. Gaussian visible units
/// have a variance of 1, as their data do.
fn independent(rbm: &Rbm, base: &[f32], hidden_base: &[f32]) -> Result<Parameters> {
    let mut p = rbm.to_parameters()?;
    let Layers { visible, hidden } = rbm.layers();
    // Without weights a bit's bias is twice that of its spin.
    let as_they_are = |units: &Units, biases: &[f32]| {
        let mut biases = biases.to_vec();
        for (_, columns) in units.each().filter(|(segment, _)| segment.units == UnitKind::Spin) {
            biases[columns].iter_mut().for_each(|bias| *bias *= 0.5);
        }
        biases
    };
    let hb = as_they_are(hidden, hidden_base);
    let moved = hb.iter().zip(&p.hb).map(|(to, from)| to - from);
    p.hidden_fields.bias_below.iter_mut().zip(moved).for_each(|(below, by)| *below += by);
    (p.hb, p.vb) = (hb, as_they_are(visible, base));
    p.visible_fields = Fields::at_rest(visible);
    for weights in [&mut p.w_rec, &mut p.label_w, &mut p.label_b] {
        weights.fill(0.0);
    }
    Ok(p)
}

fn spread(values: &[f64]) -> f64 {
    let n = values.len().max(1) as f64;
    let mean = values.iter().sum::<f64>() / n;
    (values.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / n).sqrt()
}

/// The model a share of the way from one to another.
fn between(from: &Parameters, to: &Parameters, share: f32) -> Parameters {
    if share >= 1.0 {
        return to.clone();
    }
    let mix = |from: &[f32], to: &[f32]| from.iter().zip(to).map(|(a, b)| a + share * (b - a)).collect();
    let fields = |from: &Fields, to: &Fields| {
        let mut fields = from.clone();
        for ((_, field), (_, to)) in fields.each_mut().into_iter().zip(to.each()) {
            *field = mix(field, to);
        }
        fields
    };
    Parameters {
        w_rec: mix(&from.w_rec, &to.w_rec),
        hb: mix(&from.hb, &to.hb),
        vb: mix(&from.vb, &to.vb),
        label_w: mix(&from.label_w, &to.label_w),
        visible_fields: fields(&from.visible_fields, &to.visible_fields),
        hidden_fields: fields(&from.hidden_fields, &to.hidden_fields),
        label_b: mix(&from.label_b, &to.label_b),
    }
}
