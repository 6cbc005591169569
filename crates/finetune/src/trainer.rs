//! Training a network by backpropagation: for every minibatch a pass up and a pass back
//! ([`crate::pass`]), then a step of the optimiser.

use crate::config::{FinetuneConfig, OptimizerKind};
use crate::error::{Error, Result, require};
use crate::measure::Scores;
use crate::network::{Dense, Network, Objective};
use crate::observer::{FinetuneMetrics, FinetuneObserver, ask};
use crate::optimizer::{Descent, Moments};
use crate::parameters::{flat, shaped, variables};
use crate::pass::{self, Drops};
use crate::state::{Best, FinetuneState, Position};
use candle_core::{Device, Tensor};
use candle_nn::Optimizer;
use deepbelief_kernels::feedforward::drop_inputs;
use deepbelief_kernels::{Batch, Level, Minibatches};
use deepbelief_rbm::{Control, Error as RbmError, Monitors, OnDivergence, Outcome, Progress};
use std::sync::Arc;
use std::time::Instant;

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
/// let trained = finetuner.snapshot().network()?;
/// assert!(trained.score(&shown, &[])?.error < network.score(&shown, &[])?.error);
/// # Ok(())
/// # }
/// ```
pub struct Finetuner {
    config: FinetuneConfig,
    /// Made of the tensors that the optimiser changes.
    network: Network,
    descent: Descent,
    pool: Arc<rayon::ThreadPool>,
    at: Position,
    best: Option<Best>,
    /// What an epoch that diverges is begun anew from.
    safe: Option<FinetuneState>,
}

/// A look at a training in progress.
pub struct FinetuneSnapshot<'a> {
    finetuner: &'a Finetuner,
}

impl<'a> FinetuneSnapshot<'a> {
    /// The network as it is now.
    ///
    /// # Errors
    /// If candle refuses to copy its tensors.
    pub fn network(&self) -> Result<Network> {
        self.finetuner.copied()
    }

    /// The best network so far on the validation data, if there are any.
    #[must_use]
    pub fn best(&self) -> Option<&'a Best> {
        self.finetuner.best.as_ref()
    }

    /// Everything needed to continue from here as if never stopped: where an epoch that diverges is to be
    /// begun anew, from the start of the running one.
    ///
    /// # Errors
    /// If the tensors cannot be made.
    pub fn state(&self) -> Result<FinetuneState> {
        match &self.finetuner.safe {
            Some(state) if self.finetuner.at.batch > 0 => Ok(state.clone()),
            _ => self.now(),
        }
    }

    fn now(&self) -> Result<FinetuneState> {
        let Finetuner { descent, network, config, at, best, .. } = self.finetuner;
        let (first, second): (Vec<_>, Vec<_>) =
            descent.moments()?.into_iter().map(|Moments { first, second }| (first, second)).unzip();
        let adam = config.optimizer == OptimizerKind::Adam;
        Ok(FinetuneState {
            network: self.network()?,
            first: shaped(network, first)?,
            second: if adam { Some(shaped(network, second)?) } else { None },
            position: *at,
            best: best.clone(),
        })
    }
}

impl Finetuner {
    /// Trains `network` from where it is, on the CPU unless [`Finetuner::on`] says otherwise.
    ///
    /// # Errors
    /// [`Error::Config`] for a setting out of range; [`deepbelief_rbm::Error::Threads`].
    pub fn new(network: &Network, config: FinetuneConfig) -> Result<Self> {
        config.validate()?;
        let threads = config.threads;
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .map_err(|source| RbmError::Threads { threads, source })?;
        let (descent, network) = variables(network, &config, &Device::Cpu)?;
        Ok(Self { descent, network, config, pool: pool.into(), at: Position::default(), best: None, safe: None })
    }

    /// Continues a training; with the same settings and data the result is, bit for bit, that of one
    /// that never stopped.
    ///
    /// # Errors
    /// Those of [`Finetuner::new`]; [`Error::Resume`] for another optimiser.
    pub fn resume(config: FinetuneConfig, state: FinetuneState) -> Result<Self> {
        let FinetuneState { network, first, second, position, best } = state;
        if second.is_some() != (config.optimizer == OptimizerKind::Adam) {
            return Err(Error::Resume(format!("it is not one of {:?}", config.optimizer)));
        }
        let mut finetuner = Self::new(&network, config)?;
        let (first, second) = (flat(&first)?, second.as_ref().map(flat).transpose()?);
        let second = second.unwrap_or_else(|| vec![Vec::new(); first.len()]);
        let moments = first.into_iter().zip(second).map(|(first, second)| Moments { first, second });
        finetuner.descent.restore(moments.collect(), position.step)?;
        (finetuner.at, finetuner.best) = (position, best);
        Ok(finetuner)
    }

    /// The same training on `device`.
    ///
    /// # Errors
    /// If it has no step of gradient descent here, or is out of memory.
    pub fn on(mut self, device: &Device) -> Result<Self> {
        self.move_to(device)?;
        Ok(self)
    }

    fn move_to(&mut self, device: &Device) -> Result<()> {
        let moments = self.descent.moments()?;
        (self.descent, self.network) = variables(&self.network, &self.config, device)?;
        Ok(self.descent.restore(moments, self.at.step)?)
    }

    /// Epochs done.
    #[must_use]
    pub fn epochs_done(&self) -> u32 {
        self.at.epoch
    }

    /// The instruction set of our own passes, such as `avx512`.
    #[must_use]
    pub fn simd(&self) -> &'static str {
        Level::detect().name()
    }

    /// Threads in use.
    #[must_use]
    pub fn threads(&self) -> usize {
        self.pool.current_num_threads()
    }

    /// A look at the network and the state.
    #[must_use]
    pub fn snapshot(&self) -> FinetuneSnapshot<'_> {
        FinetuneSnapshot { finetuner: self }
    }

    /// Trains until the epochs are done, patience is out or an observer says so.
    ///
    /// # Errors
    /// [`deepbelief_rbm::Error::Shape`] if data do not fit the network, [`Error::NoLabels`],
    /// [`Error::Label`], [`Error::Config`] for patience without validation data,
    /// [`Error::Diverged`], [`Error::Observer`].
    pub fn fit(
        &mut self,
        train: &mut dyn Minibatches,
        monitors: &Monitors,
        observer: &mut dyn FinetuneObserver,
    ) -> Result<Outcome> {
        self.network.check("training monitor", &monitors.train, &monitors.train_labels)?;
        if let Some(valid) = &monitors.valid {
            self.network.check("validation data", valid, &monitors.valid_labels)?;
        }
        let patience = self.config.patience;
        let fits = patience == 0 || monitors.valid.is_some();
        require(fits, "patience", patience, "0 where there are no validation data")?;
        let pool = Arc::clone(&self.pool);
        pool.install(|| self.run(train, monitors, observer))
    }

    fn run(
        &mut self,
        train: &mut dyn Minibatches,
        monitors: &Monitors,
        observer: &mut dyn FinetuneObserver,
    ) -> Result<Outcome> {
        let epochs = self.config.epochs;
        if !self.at.started {
            self.at.started = true;
            let (started, train) = (Instant::now(), self.network.score(&monitors.train, &monitors.train_labels)?);
            if self.close_epoch(monitors, train, None, (started, 0), observer)? == Control::Stop {
                return Ok(Outcome::Interrupted);
            }
        }
        // The state of a training that ended by itself goes no further.
        if self.is_converged() {
            return Ok(Outcome::Converged);
        }
        let recovers = self.config.on_divergence == OnDivergence::HalveLr;
        while self.at.epoch < epochs {
            if recovers && (self.at.batch == 0 || self.safe.is_none()) {
                self.safe = Some(self.snapshot().now()?);
            }
            match self.epoch(train, monitors, observer) {
                Ok(None) => {}
                Ok(Some(outcome)) => return Ok(outcome),
                Err(error @ Error::Diverged { .. }) if self.config.on_divergence.goes_on(self.at.halvings) => {
                    let Some(state) = self.safe.take() else { return Err(error) };
                    self.go_back(state)?;
                    observer.recovered(&error, self.rate(self.at.epoch));
                }
                Err(error) => return Err(error),
            }
        }
        Ok(Outcome::Finished)
    }

    /// Starts anew from an earlier state at half the learning rate. The moments stay: they are of gradients,
    /// whatever the rate.
    fn go_back(&mut self, state: FinetuneState) -> Result<()> {
        let (halvings, device) = (self.at.halvings + 1, self.network.device().clone());
        // First here: a GPU need not hold both.
        *self = Self::resume(self.config.clone(), state)?;
        self.at.halvings = halvings;
        self.move_to(&device)
    }

    /// The step size of an epoch, counted from 0, after all divergences.
    fn rate(&self, epoch: u32) -> f64 {
        OnDivergence::share(self.at.halvings) * self.config.rate(epoch)
    }

    /// The rest of an epoch; how the training ended, if it ended with it.
    fn epoch(
        &mut self,
        train: &mut dyn Minibatches,
        monitors: &Monitors,
        observer: &mut dyn FinetuneObserver,
    ) -> Result<Option<Outcome>> {
        let epochs = self.config.epochs;
        let (started, batches, mut samples) = (Instant::now(), train.batches(), 0);
        let mut batch = Batch::default();
        self.descent.set_learning_rate(self.rate(self.at.epoch));
        train.start_epoch(self.at.epoch);
        while self.at.batch < batches {
            train.fill(self.at.batch, &mut batch);
            let labels = train.labels().unwrap_or_default();
            self.network.check("training data", &batch, labels)?;
            self.update(&batch, labels)?;
            samples += batch.rows();
            let progress = Progress { epoch: self.at.epoch + 1, epochs, batch: self.at.batch, batches, samples };
            if observer.batch_done(&progress) == Control::Stop && self.at.batch < batches {
                return Ok(Some(Outcome::Interrupted));
            }
        }
        // What the last step made of the network has not been seen yet.
        if !self.weight_norm()?.is_finite() {
            self.check_sane(f64::NAN, batches)?;
        }
        let train_scores = self.network.score(&monitors.train, &monitors.train_labels)?;
        self.check_sane(train_scores.cost, batches)?;
        let cost = std::mem::take(&mut self.at.cost) / train.samples().max(1) as f64;
        (self.at.batch, self.at.epoch) = (0, self.at.epoch + 1);
        let control = self.close_epoch(monitors, train_scores, Some(cost), (started, samples), observer)?;
        // A training that ended by itself in this epoch was not cut short.
        if self.is_converged() {
            return Ok(Some(Outcome::Converged));
        }
        let cut_short = control == Control::Stop && self.at.epoch < epochs;
        Ok(cut_short.then_some(Outcome::Interrupted))
    }

    /// Whether patience has run out.
    fn is_converged(&self) -> bool {
        self.config.patience > 0 && self.at.stale_epochs >= self.config.patience
    }

    /// One update from one minibatch.
    fn update(&mut self, batch: &Batch, labels: &[u32]) -> Result<()> {
        let (rows, units) = (batch.rows(), batch.units());
        let drops = |rate| Drops { rate, seed: self.config.seed, step: self.at.step };
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
        let value = pass::cost(objective, logits, &target)?;
        self.check_sane(value, self.at.batch + 1)?;
        let gradients = pass::back(layers, &values, pass::excess(objective, logits, &target)?, drops)?;
        self.descent.take(gradients.iter().map(Some))?;
        self.at.cost += value * rows as f64;
        self.at.step = self.at.step.checked_add(1).ok_or(RbmError::Endless)?;
        self.at.batch += 1;
        Ok(())
    }

    /// Refuses a cost beyond all that training makes of it.
    fn check_sane(&self, cost: f64, batch: usize) -> Result<()> {
        let Self { network, descent, at, .. } = self;
        let guessing = pass::cost_of_guessing(network.objective(), network.visible(), network.classes());
        // Written so that NaN fails it.
        if cost <= EXPLODED * guessing {
            return Ok(());
        }
        Err(Error::Diverged { epoch: at.epoch + 1, batch, cost, learning_rate: descent.learning_rate() })
    }

    /// Measures the network after an epoch, or before the first, keeps it if it is the best, and tells
    /// the observer.
    fn close_epoch(
        &mut self,
        monitors: &Monitors,
        train: Scores,
        training_cost: Option<f64>,
        (started, samples): (Instant, usize),
        observer: &mut dyn FinetuneObserver,
    ) -> Result<Control> {
        let epoch = self.at.epoch;
        let valid = monitors.valid.as_ref().map(|valid| self.network.score(valid, &monitors.valid_labels));
        let valid = valid.transpose()?;
        if let Some(scores) = valid {
            self.judge(scores)?;
        }
        let of = |objective, scores: Option<Scores>| {
            scores.filter(|_| self.network.objective() == objective).map(|scores| scores.error)
        };
        let seconds = started.elapsed().as_secs_f64();
        let metrics = FinetuneMetrics {
            epoch,
            learning_rate: self.rate(epoch.max(1) - 1),
            training_cost,
            cost: train.cost,
            cost_valid: valid.map(|scores| scores.cost),
            label_error_train: of(Objective::Classifier, Some(train)),
            label_error_valid: of(Objective::Classifier, valid),
            squared_error_train: of(Objective::Autoencoder, Some(train)),
            squared_error_valid: of(Objective::Autoencoder, valid),
            weight_norm: self.weight_norm()?,
            best_epoch: self.best.as_ref().map(|best| best.epoch),
            samples_per_second: samples as f64 / seconds,
            seconds,
        };
        ask(observer, &metrics, &self.snapshot())
    }

    /// Keeps the network if validation data find none better before it.
    fn judge(&mut self, scores: Scores) -> Result<()> {
        let better = |best: &Best| (scores.error, scores.cost) < (best.scores.error, best.scores.cost);
        if self.best.as_ref().is_none_or(better) {
            self.best = Some(Best { epoch: self.at.epoch, scores, network: self.copied()? });
            self.at.stale_epochs = 0;
        } else {
            self.at.stale_epochs = self.at.stale_epochs.saturating_add(1);
        }
        Ok(())
    }

    fn weight_norm(&self) -> Result<f64> {
        let square = |layer: &Dense| layer.w.sqr()?.sum_all()?.to_scalar::<f32>().map(f64::from);
        let squares = self.network.layers().iter().map(square);
        Ok(squares.sum::<candle_core::Result<f64>>()?.sqrt())
    }

    /// The network in tensors that later updates leave alone.
    fn copied(&self) -> Result<Network> {
        shaped(&self.network, flat(&self.network)?)
    }
}
