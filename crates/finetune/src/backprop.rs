//! Training a network by backpropagation, which is what [`Finetuner`] runs: for every minibatch a pass up and a pass
//! back ([`crate::pass`]), then a step of the optimiser.

use crate::config::FinetuneConfig;
use crate::error::{Error, Result};
use crate::layers::{Dense, Objective};
use crate::learned::Learned;
use crate::measure::Scores;
use crate::metrics::FinetuneMetrics;
use crate::network::Network;
use crate::optimizer::{Descent, Moments, OptimizerKind};
use crate::parameters::{flat, shaped, variables};
use crate::pass::{self, Drops, Outputs};
use crate::state;
use candle_core::{Device, Tensor};
use candle_nn::Optimizer;
use deepbelief_kernels::feedforward::drop_inputs;
use deepbelief_rbm::{UnitKind, Units};
use deepbelief_training::{
    EpochEnd, Error as LoopError, Labelled, Loop, Monitors, OnDivergence, Position, State, Training,
};
use std::path::Path;

/// Costs beyond so many times that of a blind guess are divergence: a network cannot come by them but by
/// enormous weights.
const EXPLODED: f64 = 100.0;

/// Trains a network.
///
/// ```
/// use deepbelief_finetune::{FinetuneConfig, Finetuner, Network, Objective};
/// use deepbelief_kernels::{Batch, Minibatches};
/// use deepbelief_rbm::{Monitors, Outcome};
///
/// struct Ones;
/// impl Minibatches for Ones {
///     fn samples(&self) -> usize { 4 }
///     fn units(&self) -> usize { 6 }
///     fn batches(&self) -> usize { 1 }
///     fn start_epoch(&mut self, _: u32) {}
///     fn fill(&mut self, _: usize, batch: &mut Batch) { batch.make_real(4, 6).fill(1.0) }
/// }
///
/// # fn main() -> Result<(), deepbelief_finetune::Error> {
/// let network = Network::random(Objective::Autoencoder, &[6, 3], 0, 1)?;
/// let config = FinetuneConfig { epochs: 5, learning_rate: 0.1, ..Default::default() };
/// let mut shown = Batch::default();
/// Ones.fill(0, &mut shown);
///
/// let mut finetuner = Finetuner::new(&network, config)?;
/// let monitors = Monitors { train: shown.clone(), ..Default::default() };
/// assert_eq!(finetuner.fit(&mut Ones, &monitors, &mut ())?, Outcome::Finished);
/// let trained = finetuner.snapshot().model()?;
/// assert!(trained.score(&shown, &[])?.error < network.score(&shown, &[])?.error);
/// # Ok(())
/// # }
/// ```
pub type Finetuner = Loop<Backprop>;

/// A look at a training in progress.
pub type Snapshot<'a> = deepbelief_training::Snapshot<'a, Backprop>;

/// Everything that a [`Finetuner`] resumes from.
pub type FinetuneState = State<Backprop>;

/// The best network so far, by its error on the validation data, and among equals by its cost.
pub type Best = deepbelief_training::Best<Network>;

/// A network in training by backpropagation.
pub struct Backprop {
    config: FinetuneConfig,
    /// Made of the tensors that the optimiser changes.
    network: Network,
    descent: Descent,
    /// Cost of the running epoch's samples, summed.
    cost: f64,
}

impl Backprop {
    fn new(network: &Network, config: FinetuneConfig, device: &Device) -> Result<Self> {
        config.validate()?;
        let (descent, network) = variables(network, &config, device)?;
        Ok(Self { config, network, descent, cost: 0.0 })
    }

    /// Refuses a cost, after a batch of an epoch, both counted from 1, beyond all that training makes of it.
    fn check_sane(&self, cost: f64, epoch: u32, batch: usize) -> Result<()> {
        let Self { network, descent, .. } = self;
        let guessing = network.outputs().cost_of_guessing(network.visible(), network.classes());
        // Written so that NaN fails it.
        if cost <= EXPLODED * guessing {
            return Ok(());
        }
        Err(Error::Diverged { epoch, batch, cost, learning_rate: descent.learning_rate() })
    }

    fn weight_norm(&self) -> Result<f64> {
        let square = |layer: &Dense| layer.w.sqr()?.sum_all()?.to_scalar::<f32>().map(f64::from);
        let squares = self.network.layers().iter().map(square);
        Ok(squares.sum::<candle_core::Result<f64>>()?.sqrt())
    }
}

impl Training for Backprop {
    type Model = Network;
    type Config = FinetuneConfig;
    type Learned = Learned;
    type Metrics = FinetuneMetrics;
    type Error = Error;

    const MEASURES_START: bool = true;
    const NEED_OF_LABELS: &'static str = "a classifier learns from; train an autoencoder instead";

    fn start(network: &Network, config: FinetuneConfig) -> Result<Self> {
        Self::new(network, config, &Device::Cpu)
    }

    fn restore(learned: Learned, config: FinetuneConfig, at: &Position, device: &Device) -> Result<Self> {
        let Learned { network, first, second, cost } = learned;
        if second.is_some() != (config.optimizer == OptimizerKind::Adam) {
            return Err(LoopError::Resume(format!("it is not one of {:?}", config.optimizer)).into());
        }
        let mut training = Self::new(&network, config, device)?;
        let (first, second) = (flat(&first)?, second.as_ref().map(flat).transpose()?);
        let second = second.unwrap_or_else(|| vec![Vec::new(); first.len()]);
        let moments = first.into_iter().zip(second).map(|(first, second)| Moments { first, second });
        training.descent.restore(moments.collect(), at.step)?;
        training.cost = cost;
        Ok(training)
    }

    fn config(&self) -> &FinetuneConfig {
        &self.config
    }

    fn device(&self) -> &Device {
        self.network.device()
    }

    fn visible(&self) -> usize {
        self.network.visible()
    }

    /// A classifier takes what it is given as numbers.
    fn visible_units(&self) -> Option<Units> {
        match self.network.outputs() {
            Outputs::Labels => None,
            Outputs::Bernoulli => Some(Units::of(UnitKind::Bernoulli, self.network.visible())),
            Outputs::Units(units) => Some(units.clone()),
        }
    }

    fn classes(&self) -> usize {
        self.network.classes()
    }

    /// In tensors that later updates leave alone.
    fn model(&self) -> Result<Network> {
        shaped(&self.network, flat(&self.network)?)
    }

    fn learned(&self) -> Result<Learned> {
        let Self { descent, network, config, cost, .. } = self;
        let (first, second): (Vec<_>, Vec<_>) =
            descent.moments()?.into_iter().map(|Moments { first, second }| (first, second)).unzip();
        let adam = config.optimizer == OptimizerKind::Adam;
        Ok(Learned {
            network: self.model()?,
            first: shaped(network, first)?,
            second: if adam { Some(shaped(network, second)?) } else { None },
            cost: *cost,
        })
    }

    /// The moments stay: they are of gradients, whatever the rate.
    fn at_rest(learned: Learned) -> Result<Learned> {
        Ok(learned)
    }

    fn begin_epoch(&mut self, at: &Position) {
        self.descent.set_learning_rate(self.rate(at));
    }

    fn rate(&self, at: &Position) -> f64 {
        OnDivergence::decay_factor(at.halvings) * self.config.rate(at.epoch)
    }

    fn update(&mut self, data: &Labelled, at: &Position) -> Result<()> {
        let Labelled { v: batch, y: labels, .. } = data;
        let (rows, units) = (batch.rows(), batch.units());
        let drops = |rate| Drops { rate, seed: self.config.seed, step: at.step };
        // What is reconstructed are the whole samples, whatever is dropped from them.
        let device = self.network.device();
        let whole = Tensor::from_vec(batch.to_values(), (rows, units), device)?;
        let v = match drops(self.config.input_dropout).above(0) {
            None => whole.clone(),
            Some(dropout) => {
                let mut values = batch.to_values();
                drop_inputs(&mut values, units, dropout);
                Tensor::from_vec(values, (rows, units), device)?
            }
        };
        let (layers, objective, drops) = (self.network.layers(), self.network.objective(), drops(self.config.dropout));
        let values = pass::up(layers, &v, drops)?;
        let logits = &values[layers.len()];
        let target = pass::target(objective, &whole, labels, self.network.classes())?;
        let outputs = self.network.outputs();
        let value = outputs.cost(logits, &target)?;
        self.check_sane(value, at.epoch + 1, at.batch + 1)?;
        let gradients = pass::back(layers, &values, outputs.excess(logits, &target)?, drops)?;
        self.descent.take(gradients.iter().map(Some))?;
        self.cost += value * rows as f64;
        Ok(())
    }

    /// What the last step made of the network has not been seen yet.
    fn finish_epoch(&mut self, at: &Position) -> Result<()> {
        if self.weight_norm()?.is_finite() {
            return Ok(());
        }
        self.check_sane(f64::NAN, at.epoch + 1, at.batch)
    }

    fn measure(&mut self, monitors: &Monitors, end: &EpochEnd) -> Result<FinetuneMetrics> {
        let train = self.network.score(&monitors.train, &monitors.train_labels)?;
        let mut training_cost = None;
        if end.epoch > 0 {
            self.check_sane(train.cost, end.epoch, end.batches)?;
            training_cost = Some(std::mem::take(&mut self.cost) / end.samples.max(1) as f64);
        }
        let valid = monitors.valid.as_ref().map(|valid| self.network.score(valid, &monitors.valid_labels));
        let valid = valid.transpose()?;
        let of = |objective, scores: Option<Scores>| {
            scores.filter(|_| self.network.objective() == objective).map(|scores| scores.error)
        };
        Ok(FinetuneMetrics {
            epoch: end.epoch,
            learning_rate: self.descent.learning_rate(),
            training_cost,
            cost: train.cost,
            cost_valid: valid.map(|scores| scores.cost),
            label_error_train: of(Objective::Classifier, Some(train)),
            label_error_valid: of(Objective::Classifier, valid),
            squared_error_train: of(Objective::Autoencoder, Some(train)),
            squared_error_valid: of(Objective::Autoencoder, valid),
            weight_norm: self.weight_norm()?,
            ..Default::default()
        })
    }

    fn is_divergence(error: &Error) -> bool {
        matches!(error, Error::Diverged { .. })
    }

    fn save(state: &FinetuneState, path: &Path) -> Result<()> {
        state::save(state, path)
    }

    fn load(path: &Path) -> Result<FinetuneState> {
        state::load(path)
    }
}
