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
use super::biases::Means;
use super::estimate::LogPartition;
use super::ladder::Ladder;
use super::runs::{PATH, draws};
use crate::error::{Result, require, require_bernoulli};
use crate::model::rbm::Rbm;
use crate::units::fit::log_odds;
use deepbelief_kernels::{Batch, BiasLine, Bits, Parameters, PathBiases, Stream, Tempered, Uniforms};

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
    /// Visible biases of the independent units at its start.
    pub(crate) base: Vec<f32>,
    /// Hidden biases there: zeros in a state of before, whose path starts at fair hidden units.
    pub(crate) hidden_base: Vec<f32>,
    /// The model that the path has come to.
    pub(crate) parameters: Parameters,
    pub(crate) v: Batch,
    pub(crate) labels: Vec<u32>,
    pub(crate) log_z: f64,
    pub(crate) variance: f64,
    /// Gibbs steps made.
    pub(crate) steps: u32,
}

impl LogZTracker {
    /// Starts `chains` chains at independent units like those of `rbm`, with these means in both layers.
    ///
    /// # Errors
    /// [`crate::Error::Config`] for Gaussian hidden units, or for other than one mean a unit.
    pub fn start(rbm: &Rbm, means: &Means, chains: usize, seed: u64) -> Result<Self> {
        require_bernoulli(rbm.layers(), "bernoulli: their states are drawn")?;
        require(means.visible.len() == rbm.visible(), "visible means", means.visible.len(), "one a visible unit")?;
        require(means.hidden.len() == rbm.hidden(), "hidden means", means.hidden.len(), "one a hidden unit")?;
        let model = rbm.to_parameters()?;
        let log_odds = |means: &[f32]| -> Vec<f32> { means.iter().map(|&p| log_odds(p)).collect() };
        let (base, hidden_base) = (log_odds(&means.visible), log_odds(&means.hidden));
        let zeros = |values: &[f32]| vec![0.0; values.len()];
        let parameters = Parameters {
            w_rec: zeros(&model.w_rec),
            hb: hidden_base.clone(),
            vb: base.clone(),
            label_w: zeros(&model.label_w),
            label_b: zeros(&model.label_b),
            ..Parameters::default()
        };
        let mut tempered = Tempered::new(rbm.visible(), rbm.hidden(), &parameters, &base);
        tempered.start(chains, &draws(seed, PATH, 0));
        let (v, labels) = (Batch::Binary(tempered.states().clone()), tempered.chain_labels().to_vec());
        let state = LogZState { base, hidden_base, parameters, v, labels, log_z: 0.0, variance: 0.0, steps: 0 };
        Ok(Self { state: LogZState { log_z: state.base_log_partition(), ..state }, seed })
    }

    pub(crate) fn resume(state: LogZState, seed: u64) -> Self {
        Self { state, seed }
    }

    pub(crate) fn state(&self) -> &LogZState {
        &self.state
    }

    /// ln Z of the model that the path has come to, in nats.
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

    /// Goes on to a model of the same sizes. Runs in the caller's pool of threads.
    ///
    /// # Errors
    /// If the parameters of `rbm` cannot be had.
    pub fn extend(&mut self, rbm: &Rbm) -> Result<()> {
        let (visible, hidden, target) = (rbm.visible(), rbm.hidden(), rbm.to_parameters()?);
        // The same for all models, so that differences of p* are those of the models.
        let base = vec![0.0; visible];
        let model = |parameters: &Parameters| Tempered::new(visible, hidden, parameters, &base);
        let mut last = model(&self.state.parameters);
        let mut end = model(&target);
        let start = std::mem::take(&mut self.state.parameters);
        let mut done = 0.0_f64;
        while done < 1.0 {
            // As far as the samples' gains do not spread too much, which they tell best from where they are.
            let left = 1.0 - done;
            let mut step = left.min(left * PIECE / spread(&self.state.gains(&mut last, &mut end))).max(SHORTEST);
            let (next, forward) = loop {
                let share = if step >= left { 1.0 } else { done + step };
                let mut next = model(&between(&start, &target, share as f32));
                let forward = self.state.gains(&mut last, &mut next);
                if spread(&forward) <= 1.5 * PIECE || step <= SHORTEST {
                    done = share;
                    break (next, forward);
                }
                step = (0.5 * step).max(SHORTEST);
            };
            self.state.resample(&forward, self.seed);
            let mut model = next;
            self.state.walk(&mut model, self.seed);
            let ratio = bennett(&forward, &self.state.gains(&mut model, &mut last));
            self.state.log_z += ratio.value;
            self.state.variance += ratio.variance;
            last = model;
        }
        self.state.parameters = target;
        let mut whole = Tempered::new(visible, hidden, &self.state.parameters, &self.state.base);
        whole.set_biases(&self.state.biases());
        let fresh = self.state.annealed(whole, self.seed);
        self.state.steps = fresh.steps;
        self.state.reconcile(fresh);
        Ok(())
    }
}

impl LogZState {
    /// The biases along the way from the independent units at the start to the model.
    fn biases(&self) -> PathBiases {
        PathBiases {
            visible: BiasLine::between(&self.base, &self.parameters.vb),
            hidden: BiasLine::between(&self.hidden_base, &self.parameters.hb),
            precision: None,
        }
    }

    /// ln Z of those independent units.
    fn base_log_partition(&self) -> f64 {
        self.biases().base_log_partition(self.parameters.label_b.len())
    }

    /// The same place, come to by annealing.
    fn annealed(&self, mut model: Tempered, seed: u64) -> Self {
        let n = self.v.rows();
        let ladder = Ladder::spaced(ANNEALING);
        let mut log_weights = vec![0.0; n];
        let mut place = self.clone();
        place.steps += 1;
        model.start(n, &draws(seed, PATH, place.steps));
        for pair in ladder.betas().windows(2) {
            place.steps += 1;
            let mut added = vec![0.0; n];
            model.anneal(&vec![pair[0]; n], &vec![pair[1]; n], Some(&draws(seed, PATH, place.steps)), &mut added);
            log_weights.iter_mut().zip(added).for_each(|(weight, added)| *weight += added);
        }
        let estimate = LogPartition::of(&log_weights, self.base_log_partition(), 1.0);
        (place.log_z, place.variance) = (estimate.value, estimate.variance(n));
        (place.v, place.labels) = (Batch::Binary(model.states().clone()), model.chain_labels().to_vec());
        place.resample(&log_weights, seed);
        place
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

    fn bits(&self) -> &Bits {
        match &self.v {
            Batch::Binary(bits) => bits,
            Batch::Real { .. } => unreachable!("chains of Bernoulli units"),
        }
    }

    /// ln p* of every chain's state under `to` minus that under `from`.
    fn gains(&self, from: &mut Tempered, to: &mut Tempered) -> Vec<f64> {
        let n = self.v.rows();
        let log_p = |model: &mut Tempered| {
            let mut sums = vec![0.0; n];
            model.start_from(self.bits(), &self.labels);
            model.anneal(&vec![0.0; n], &vec![1.0; n], None, &mut sums);
            sums
        };
        let (from, to) = (log_p(from), log_p(to));
        to.iter().zip(from).map(|(to, from)| to - from).collect()
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
    fn walk(&mut self, model: &mut Tempered, seed: u64) {
        model.start_from(self.bits(), &self.labels);
        let betas = vec![1.0; self.v.rows()];
        for _ in 0..GIBBS {
            self.steps += 1;
            model.gibbs(&betas, &draws(seed, PATH, self.steps));
        }
        self.v = Batch::Binary(model.states().clone());
        self.labels = model.chain_labels().to_vec();
    }
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
    Parameters {
        w_rec: mix(&from.w_rec, &to.w_rec),
        hb: mix(&from.hb, &to.hb),
        vb: mix(&from.vb, &to.vb),
        label_w: mix(&from.label_w, &to.label_w),
        label_b: mix(&from.label_b, &to.label_b),
        ..Parameters::default()
    }
}
