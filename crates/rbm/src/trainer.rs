//! The training loop: epochs of contrastive divergence, measured, watched, resumable.

use crate::cd::Draws;
use crate::config::{Rule, TrainConfig};
use crate::error::{Error, Result};
use crate::hidden::HiddenUnits;
use crate::labels::LabelGroup;
use crate::learner::{self, HiddenStatistics, Labelled, Learner, Measured};
use crate::likelihood::{Path, base_rates};
use crate::monitors::Monitors;
use crate::observer::{Control, EpochMetrics, Observer, Progress, ask};
use crate::rbm::Rbm;
use crate::state::TrainState;
use crate::stopping::Stopping;
use candle_core::Device;
use deepbelief_kernels::{Batch, Level, Minibatches, Stream, Uniforms};
use std::time::Instant;

/// Parameters beyond this magnitude are divergence: trained ones stay near ten, and a unit with
/// such an input is a constant.
const EXPLODED: f32 = 100.0;

/// The same where learning is centred: biases then make up for the sums of many weights, as where most
/// pixels are on, and are as large as those.
const EXPLODED_CENTRED: f32 = 2000.0;

/// Hidden units from which on a layer without a single one that varies is a failure: a few may
/// well be constant together for a while, or because there is nothing else to say of the data.
const ENOUGH_TO_DIE: usize = 8;

/// Chains that carry the estimate of ln Z along a training.
const PATH_CHAINS: usize = 500;

/// How a training ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// All epochs are done.
    Finished,
    /// `tolerance` or `patience` was met.
    Converged,
    /// An observer asked to stop.
    Interrupted,
}

/// Trains one RBM.
pub struct Trainer {
    config: TrainConfig,
    sizes: Sizes,
    learner: Box<dyn Learner>,
    pool: std::sync::Arc<rayon::ThreadPool>,
    at: Position,
    /// The estimate of ln Z along the training, once there is one.
    path: Option<Path>,
}

/// What training leaves as it is.
#[derive(Clone, Copy)]
struct Sizes {
    visible: usize,
    hidden: usize,
    hidden_units: HiddenUnits,
    classes: usize,
}

/// Where a training is: with the parameters, velocities and chains, all a resume needs.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Position {
    /// Epochs done.
    pub(crate) epoch: u32,
    /// Batches done in the running epoch.
    pub(crate) batch: usize,
    /// Updates done.
    pub(crate) step: u32,
    /// What the stopping rules remember.
    pub(crate) stopping: Stopping,
}

/// A look at a training in progress.
pub struct Snapshot<'a> {
    trainer: &'a Trainer,
}

impl Snapshot<'_> {
    /// The RBM as it is now, on the CPU.
    ///
    /// # Errors
    /// If the tensors cannot be made.
    pub fn rbm(&self) -> Result<Rbm> {
        self.trainer.learner.rbm()
    }

    /// Everything needed to continue from here as if never stopped.
    ///
    /// # Errors
    /// If a GPU failed.
    pub fn state(&self) -> Result<TrainState> {
        let Trainer { sizes, learner, at, path, .. } = self.trainer;
        Ok(TrainState {
            visible: sizes.visible,
            hidden: sizes.hidden,
            hidden_units: sizes.hidden_units,
            parameters: learner.parameters()?,
            velocities: learner.velocities()?,
            chains: learner.chains()?,
            memory: learner.memory(),
            path: path.as_ref().map(|path| path.state().clone()),
            position: *at,
        })
    }
}

impl Trainer {
    /// Trains `rbm` from where it is, on the device where it is.
    ///
    /// # Errors
    /// [`Error::Config`] for a setting out of range, or a device without kernels;
    /// [`Error::Threads`]; if a GPU is out of memory.
    pub fn new(rbm: &Rbm, config: TrainConfig) -> Result<Self> {
        let sizes = Sizes::of(rbm);
        let learner = learner::start(rbm, &config)?;
        Self::build(learner, sizes, config, Position::default(), None)
    }

    /// Continues a training on `device`; with the same settings and data, and on the same kind of
    /// device, the result is, bit for bit, that of a training that never stopped.
    ///
    /// # Errors
    /// [`Error::Config`] for a setting out of range, a device without kernels, or chains and methods of
    /// learning that are not those the training started with; [`Error::Threads`]; if a GPU is out of memory.
    pub fn resume(config: TrainConfig, state: TrainState, device: &Device) -> Result<Self> {
        state.require_methods(&config)?;
        let (sizes, position) = (Sizes::of(&state.rbm()?), state.position);
        let path = state.path.clone().map(|path| Path::resume(path, config.seed));
        let learner = learner::resume(state, &config, device)?;
        Self::build(learner, sizes, config, position, path)
    }

    fn build(
        learner: Box<dyn Learner>,
        sizes: Sizes,
        config: TrainConfig,
        at: Position,
        path: Option<Path>,
    ) -> Result<Self> {
        config.validate()?;
        config.validate_for(sizes.hidden_units)?;
        let threads = config.threads;
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .map_err(|source| Error::Threads { threads, source })?;
        Ok(Self { config, sizes, learner, pool: pool.into(), at, path })
    }

    /// Epochs done.
    #[must_use]
    pub fn epochs_done(&self) -> u32 {
        self.at.epoch
    }

    /// The instruction set in use, such as `avx512`.
    #[must_use]
    pub fn simd(&self) -> &'static str {
        Level::detect().name()
    }

    /// Threads in use.
    #[must_use]
    pub fn threads(&self) -> usize {
        self.pool.current_num_threads()
    }

    /// A look at the RBM and the state.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot<'_> {
        Snapshot { trainer: self }
    }

    /// Trains until the epochs are done, a stopping rule is met or an observer says so.
    ///
    /// # Errors
    /// [`Error::Shape`] if data or labels do not fit the RBM, [`Error::Config`] for a label beyond its
    /// classes, [`Error::Diverged`], [`Error::Collapsed`], [`Error::Observer`].
    pub fn fit(
        &mut self,
        train: &mut dyn Minibatches,
        monitors: &Monitors,
        observer: &mut dyn Observer,
    ) -> Result<Outcome> {
        let visible = self.sizes.visible;
        let sets = [("training data", train.units()), ("training monitor", monitors.train.units())];
        let valid = monitors.valid.as_ref().map(|valid| ("validation data", valid.units()));
        for (what, units) in sets.into_iter().chain(valid) {
            if units != visible {
                return Err(Error::Shape { what: what.into(), got: vec![units], expected: vec![visible] });
            }
        }
        let labels = [("training monitor", &monitors.train, &monitors.train_labels)]
            .into_iter()
            .chain(monitors.valid.as_ref().map(|valid| ("validation data", valid, &monitors.valid_labels)));
        for (what, samples, labels) in labels {
            self.check_labels(what, samples.rows(), labels)?;
        }
        // One entry into the pool for the whole training: joins inside it are much cheaper.
        let pool = std::sync::Arc::clone(&self.pool);
        pool.install(|| self.run(train, monitors, observer))
    }

    /// Refuses labels that a label group cannot learn from.
    fn check_labels(&self, what: &str, samples: usize, labels: &[u32]) -> Result<()> {
        let classes = self.sizes.classes;
        if classes == 0 {
            return Ok(());
        }
        if labels.len() != samples {
            let (got, expected) = (vec![labels.len()], vec![samples]);
            return Err(Error::Shape { what: format!("labels of the {what}"), got, expected });
        }
        match labels.iter().find(|&&y| y as usize >= classes) {
            Some(y) => {
                Err(Error::Config { name: "label", got: y.to_string(), expected: "below the number of classes" })
            }
            None => Ok(()),
        }
    }

    fn run(
        &mut self,
        train: &mut dyn Minibatches,
        monitors: &Monitors,
        observer: &mut dyn Observer,
    ) -> Result<Outcome> {
        // While one batch is learned from, a thread that has nothing to do fetches the next.
        let (mut batch, mut next) = (Labelled::default(), Labelled::default());
        while self.at.epoch < self.config.epochs {
            let started = Instant::now();
            let rule = self.config.rule(self.at.epoch);
            train.start_epoch(self.at.epoch);
            let batches = train.batches();
            let mut samples = 0;
            let mut before = None;
            if self.at.batch < batches {
                next.fetch(train, self.at.batch);
            }
            while self.at.batch < batches {
                std::mem::swap(&mut batch, &mut next);
                let following = self.at.batch + 1;
                self.check_labels("training data", batch.v.rows(), &batch.y)?;
                if self.at.batch + 1 == batches {
                    before = Some(self.learner.remember()?);
                }
                let fetch = || {
                    if following < batches {
                        next.fetch(train, following);
                    }
                };
                rayon::join(|| self.update(&batch, &rule), fetch).0?;
                samples += batch.v.rows();
                let progress = Progress {
                    epoch: self.at.epoch + 1,
                    epochs: self.config.epochs,
                    batch: self.at.batch,
                    batches,
                    samples,
                };
                if observer.batch_done(&progress) == Control::Stop && self.at.batch < batches {
                    return Ok(Outcome::Interrupted);
                }
            }
            let largest = self.learner.largest()?;
            self.check_sane(largest, &rule)?;
            (self.at.batch, self.at.epoch) = (0, self.at.epoch + 1);
            let mut metrics = self.measure_epoch(monitors, &rule, before.as_deref())?;
            self.check_alive(monitors, &metrics)?;
            let converged = self.at.stopping.judge(&self.config, &metrics);
            metrics.seconds = started.elapsed().as_secs_f64();
            metrics.samples_per_second = samples as f64 / metrics.seconds;
            let control = ask(observer, &metrics, &self.snapshot())?;
            // A training that ended by itself in this epoch was not cut short.
            if converged {
                return Ok(Outcome::Converged);
            }
            if control == Control::Stop && self.at.epoch < self.config.epochs {
                return Ok(Outcome::Interrupted);
            }
        }
        Ok(Outcome::Finished)
    }

    /// One update from one minibatch.
    fn update(&mut self, data: &Labelled, rule: &Rule) -> Result<()> {
        let draws = Draws { seed: self.config.seed, step: self.at.step };
        let largest = self.learner.learn(data, rule, draws, &self.config)?;
        self.at.step += 1;
        self.at.batch += 1;
        self.check_sane(largest, rule)
    }

    /// Refuses parameters beyond all that training makes of them.
    fn check_sane(&self, largest: Option<f32>, rule: &Rule) -> Result<()> {
        let Some(magnitude) = largest else { return Ok(()) };
        // Written so that NaN fails it.
        if magnitude <= if self.config.centred { EXPLODED_CENTRED } else { EXPLODED } {
            return Ok(());
        }
        Err(Error::Diverged {
            epoch: self.at.epoch + 1,
            batch: self.at.batch,
            magnitude,
            learning_rate: rule.learning_rate,
            hidden_units: self.sizes.hidden_units,
        })
    }

    /// Refuses to go on with hidden units none of which says anything of the data: with all of
    /// them constant the gradient of the weights is that of the biases, and they stay constant.
    fn check_alive(&self, monitors: &Monitors, metrics: &EpochMetrics) -> Result<()> {
        let (Some(dead), Some(saturated)) = (metrics.dead_units, metrics.saturated_units) else { return Ok(()) };
        let hidden = self.sizes.hidden;
        if hidden < ENOUGH_TO_DIE || dead + saturated < hidden || monitors.train.rows() == 0 {
            return Ok(());
        }
        Err(Error::Collapsed { epoch: metrics.epoch, dead, saturated, learning_rate: metrics.learning_rate })
    }

    /// Measures the RBM as it is on samples and, where it has a label group, their labels, in the
    /// way that every epoch is measured.
    ///
    /// # Errors
    /// [`Error::Shape`] if samples or labels do not fit the RBM, [`Error::Config`] for a label
    /// beyond its classes.
    pub fn measure(&mut self, samples: &Batch, labels: &[u32]) -> Result<Measured> {
        let (got, expected) = (samples.units(), self.sizes.visible);
        if got != expected {
            return Err(Error::Shape { what: "samples".into(), got: vec![got], expected: vec![expected] });
        }
        self.check_labels("samples", samples.rows(), labels)?;
        // The same numbers after every epoch: a change of cost is a change of the model.
        let draw = Uniforms::new(self.config.seed, Stream::Monitor, 0);
        let pool = std::sync::Arc::clone(&self.pool);
        pool.install(|| self.learner.measure(samples, labels, draw))
    }

    /// ln Z of the model and its standard error, in epochs that have an estimate.
    fn log_z(&mut self, monitors: &Monitors) -> Result<Option<(f64, f64)>> {
        let TrainConfig { log_z_every: every, seed, .. } = self.config;
        if every == 0 || !self.at.epoch.is_multiple_of(every) {
            return Ok(None);
        }
        let rbm = self.learner.rbm()?;
        let path = match &mut self.path {
            Some(path) => path,
            none => none.insert(Path::start(&rbm, &base_rates(&monitors.train.means()), PATH_CHAINS, seed)?),
        };
        path.extend(&rbm)?;
        Ok(Some((path.log_z(), path.standard_error())))
    }

    /// `before`: the weights before the last update, if there was one.
    fn measure_epoch(&mut self, monitors: &Monitors, rule: &Rule, before: Option<&[f32]>) -> Result<EpochMetrics> {
        let train = self.measure(&monitors.train, &monitors.train_labels)?;
        let valid = monitors.valid.as_ref().map(|valid| self.measure(valid, &monitors.valid_labels)).transpose()?;
        let log_z = self.log_z(monitors)?;
        let log_likelihood = |measured: &Measured| log_z.map(|(log_z, _)| -measured.free_energy - log_z);
        let (weight_norm, change) = self.learner.norm_and_change(before.unwrap_or_default())?;
        let (activity, spread) = match &train.hidden {
            HiddenStatistics::Activity(activity) => (Some(activity), None),
            HiddenStatistics::Spread(spread) => (None, Some(spread)),
        };
        let mean = |terms: f64, units: usize| terms / units.max(1) as f64;
        let count = |fits: fn(f64) -> bool| activity.map(|units| units.iter().filter(|&&p| fits(p)).count());
        let of_valid = |value: fn(&Measured) -> f64| valid.as_ref().map(value);
        Ok(EpochMetrics {
            layer: 0,
            epoch: self.at.epoch,
            learning_rate: rule.learning_rate,
            momentum: rule.momentum,
            reconstruction_cost: train.reconstruction_cost,
            reconstruction_cost_valid: of_valid(|valid| valid.reconstruction_cost),
            free_energy_train: train.free_energy,
            free_energy_valid: of_valid(|valid| valid.free_energy),
            free_energy_gap: of_valid(|valid| valid.free_energy).map(|valid| valid - train.free_energy),
            hidden_activity: activity.map(|units| mean(units.iter().sum(), units.len())),
            dead_units: count(|p| p < 0.001),
            saturated_units: count(|p| p > 0.999),
            hidden_spread: spread.map(|units| mean(units.iter().map(|s| s * s).sum(), units.len()).sqrt()),
            label_error_train: train.label_error,
            label_error_valid: valid.as_ref().and_then(|valid| valid.label_error),
            log_z: log_z.map(|(log_z, _)| log_z),
            log_z_error: log_z.map(|(_, error)| error),
            log_likelihood_train: log_likelihood(&train),
            log_likelihood_valid: valid.as_ref().and_then(log_likelihood),
            swap_rate: self.learner.swap_rate(),
            update_ratio: if before.is_some() && weight_norm > 0.0 { change / weight_norm } else { 0.0 },
            weight_norm,
            samples_per_second: 0.0,
            seconds: 0.0,
        })
    }
}

impl Sizes {
    fn of(rbm: &Rbm) -> Self {
        Self {
            visible: rbm.visible(),
            hidden: rbm.hidden(),
            hidden_units: rbm.hidden_units(),
            classes: rbm.labels().map_or(0, LabelGroup::classes),
        }
    }
}
