//! The tuner: epochs of wake-sleep on a packed deep belief net, measured, watched, resumable.
//!
//! One update, from one minibatch, is that of the up-down algorithm (Hinton, Osindero & Teh 2006,
//! appendix B):
//!
//! ```text
//! wake   1. up-pass by the recognition weights, every layer sampled; top units given the
//!           penultimate ones and the label
//!        2. positive statistics of the top
//!        3. k Gibbs steps of the top: penultimate units sampled, label probabilities, top sampled
//!        4. negative statistics of the top
//! sleep  5. down-pass by the generative weights from the last penultimate units, hidden layers
//!           sampled, visible probabilities
//!        6. each layer predicted from the one above on wake states, from the one below on sleep
//!           states
//! learn  7. generative weights    += rate * upper wake stateᵀ (lower wake state - prediction)
//!        8. weights of the top    += rate * (positive - negative statistics)
//!        9. recognition weights   += rate * lower sleep stateᵀ (upper sleep state - prediction)
//! ```
//!
//! all as means over the batch. Generative weights learn from wake states only and recognition
//! weights from sleep states only: this is where the two part. Under a factorial top the Gibbs
//! steps give way to one draw from the prior, and the same phases are the wake-sleep algorithm of
//! Hinton, Dayan, Frey & Neal (1995).

use crate::config::{Part, Rules, TuneConfig};
use crate::draws::Draws;
use crate::error::{Error, Result, require};
use crate::input::Labelled;
use crate::measure::{measure, weights};
use crate::net::{Net, ascend, descend};
use crate::observer::{TuneMetrics, TuneObserver, ask};
use crate::on_device::DeviceNet;
use crate::state::{Best, TuneState};
use candle_core::Device;
use deepbelief_kernels::{Batch, Bits, Level, Minibatches, Rule, Stream, Uniforms};
use deepbelief_rbm::{Control, Error as RbmError, Monitors, Outcome, Progress};
use deepbelief_stack::Dbn;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Instant;

/// Parameters beyond this magnitude are divergence: trained ones stay near ten, and a unit with
/// such an input is a constant.
const EXPLODED: f32 = 100.0;

/// Updates on a GPU after which its largest parameters are asked for: asking waits for all that is
/// queued.
const PATIENCE: u32 = 100;

/// Tunes a deep belief net.
///
/// ```
/// use candle_core::Device;
/// use deepbelief_kernels::{Batch, Minibatches};
/// use deepbelief_rbm::{Monitors, Outcome, Rbm, RbmConfig};
/// use deepbelief_stack::Dbn;
/// use deepbelief_wake_sleep::{TuneConfig, Tuner};
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
/// # fn main() -> Result<(), deepbelief_wake_sleep::Error> {
/// let rbm = |visible: usize, hidden| {
///     Rbm::new(&RbmConfig { hidden, ..Default::default() }, &vec![0.5; visible], &Device::Cpu)
/// };
/// let greedy = Dbn::from_rbms(vec![rbm(6, 5)?, rbm(5, 8)?])?;
/// let config = TuneConfig { top_steps: "3x2".parse()?, ..Default::default() };
/// let mut shown = Batch::default();
/// Ones.fill(0, &mut shown);
///
/// let mut tuner = Tuner::new(&greedy, config)?;
/// let monitors = Monitors { train: shown, ..Default::default() };
/// assert_eq!(tuner.fit(&mut Ones, &monitors, &mut ())?, Outcome::Finished);
/// assert!(!tuner.snapshot().dbn()?.is_tied()?);
/// # Ok(())
/// # }
/// ```
pub struct Tuner {
    config: TuneConfig,
    net: Net,
    /// Where updates are made, if not on the CPU; `net` then lags behind it within an epoch.
    on_device: Option<DeviceNet>,
    pool: Arc<rayon::ThreadPool>,
    at: Position,
    chains: Option<Bits>,
    best: Option<Best>,
    /// Wake states of the layers above the data.
    awake: Vec<Batch>,
    /// Sleep states of all layers, from the visible to the penultimate units.
    asleep: Vec<Batch>,
}

/// Where a tuning is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Position {
    /// Whether the model was measured before the first update.
    pub(crate) started: bool,
    /// Epochs done.
    pub(crate) epoch: u32,
    /// Batches done in the running epoch.
    pub(crate) batch: usize,
    /// Updates done.
    pub(crate) step: u32,
    /// Epochs in a row that count against `patience`.
    pub(crate) stale_epochs: u32,
}

/// A look at a tuning in progress.
pub struct TuneSnapshot<'a> {
    tuner: &'a Tuner,
}

impl<'a> TuneSnapshot<'a> {
    /// The model as it is now, on the CPU.
    ///
    /// # Errors
    /// If the tensors cannot be made.
    pub fn dbn(&self) -> Result<Dbn> {
        self.tuner.net.dbn()
    }

    /// The best model so far on the validation data, if there are any.
    #[must_use]
    pub fn best(&self) -> Option<&'a Best> {
        self.tuner.best.as_ref()
    }

    /// Everything needed to continue from here as if never stopped.
    ///
    /// # Errors
    /// If the tensors cannot be made.
    pub fn state(&self) -> Result<TuneState> {
        let Tuner { net, chains, at, best, .. } = self.tuner;
        Ok(TuneState {
            dbn: net.dbn()?,
            velocities: net.velocities()?,
            chains: chains.clone(),
            position: *at,
            best: best.clone(),
        })
    }
}

impl Tuner {
    /// Tunes `dbn` from where it is.
    ///
    /// # Errors
    /// [`Error::Config`] for a setting out of range, or one that does not fit the model;
    /// [`deepbelief_rbm::Error::Threads`].
    pub fn new(dbn: &Dbn, config: TuneConfig) -> Result<Self> {
        config.validate()?;
        let (given, layers) = (config.layers.len(), dbn.layers().len());
        require(given <= layers, "rates of single layers", given, format!("at most {layers}, the directed layers"))?;
        let threads = config.threads;
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .map_err(|source| RbmError::Threads { threads, source })?;
        Ok(Self {
            net: Net::new(dbn, config.top)?,
            on_device: None,
            config,
            pool: pool.into(),
            at: Position::default(),
            chains: None,
            best: None,
            awake: Vec::new(),
            asleep: Vec::new(),
        })
    }

    /// Continues a tuning; with the same settings and data the result is, bit for bit, that of one
    /// that never stopped.
    ///
    /// # Errors
    /// Those of [`Tuner::new`]; [`Error::Resume`] for another number of persistent chains.
    pub fn resume(config: TuneConfig, state: TuneState) -> Result<Self> {
        let TuneState { dbn, velocities, chains, position, best } = state;
        let (expected, got) = (config.persistent_chains, chains.as_ref().map_or(0, Bits::rows));
        let mut tuner = Self::new(&dbn, config)?;
        // Before the first update there are no chains yet.
        if position.step > 0 && got != expected {
            return Err(Error::Resume(format!("it has {got} persistent chains, the settings say {expected}")));
        }
        tuner.net.set_velocities(&velocities)?;
        (tuner.at, tuner.chains, tuner.best) = (position, chains, best);
        Ok(tuner)
    }

    /// The same tuning with its updates on `device`. Measurements stay on the CPU.
    ///
    /// # Errors
    /// [`Error::Config`] for a device without kernels, a precision it does not have, or a factorial
    /// top on a GPU; if the GPU is out of memory.
    pub fn on(mut self, device: &Device) -> Result<Self> {
        let precision = self.config.precision;
        if device.is_cpu() {
            require(precision.is_f32(), "precision", precision, "f32 on the CPU")?;
            return Ok(self);
        }
        self.on_device = Some(DeviceNet::new(device, precision, &self.net, self.chains.as_ref())?);
        Ok(self)
    }

    /// Brings the net up to date with a GPU.
    fn catch_up(&mut self) -> Result<()> {
        if let Some(device) = &self.on_device {
            self.chains = device.download(&mut self.net)?;
        }
        Ok(())
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

    /// A look at the model and the state.
    #[must_use]
    pub fn snapshot(&self) -> TuneSnapshot<'_> {
        TuneSnapshot { tuner: self }
    }

    /// Tunes until the epochs are done, patience is out or an observer says so. A model with a
    /// label group learns the labels of the data; one without ignores them.
    ///
    /// # Errors
    /// [`deepbelief_rbm::Error::Shape`] if data do not fit the model, [`Error::NoLabels`],
    /// [`Error::Label`], [`Error::Config`] for patience without validation data,
    /// [`Error::Diverged`], [`Error::Observer`].
    pub fn fit(
        &mut self,
        train: &mut dyn Minibatches,
        monitors: &Monitors,
        observer: &mut dyn TuneObserver,
    ) -> Result<Outcome> {
        self.net.check_units("training data", train.units())?;
        self.net.check_samples("training monitor", &monitors.train, &monitors.train_labels)?;
        if let Some(valid) = &monitors.valid {
            self.net.check_samples("validation data", valid, &monitors.valid_labels)?;
        }
        let precision = self.config.precision;
        let fits = precision.is_f32() || self.on_device.is_some();
        require(fits, "precision", precision, "f32 on the CPU")?;
        let patience = self.config.patience;
        let fits = patience == 0 || monitors.valid.is_some();
        require(fits, "patience", patience, "0 where there are no validation data")?;
        // One entry into the pool for the whole tuning: joins inside it are much cheaper.
        let pool = Arc::clone(&self.pool);
        pool.install(|| self.run(train, monitors, observer))
    }

    fn run(
        &mut self,
        train: &mut dyn Minibatches,
        monitors: &Monitors,
        observer: &mut dyn TuneObserver,
    ) -> Result<Outcome> {
        let epochs = self.config.epochs();
        if !self.at.started {
            self.at.started = true;
            let started = Instant::now();
            if self.close_epoch(monitors, &[], (started, 0), observer)? == Control::Stop {
                return Ok(Outcome::Interrupted);
            }
        }
        // While one batch is learned from, a thread that has nothing to do fetches the next.
        let (mut batch, mut next) = (Labelled::default(), Labelled::default());
        // The state of a training that ended by itself goes no further.
        if self.is_converged() {
            return Ok(Outcome::Converged);
        }
        while self.at.epoch < epochs {
            let started = Instant::now();
            let rules = self.config.rules(self.at.epoch, self.net.layers());
            train.start_epoch(self.at.epoch);
            let (batches, mut samples, mut before) = (train.batches(), 0, Vec::new());
            if self.at.batch < batches {
                next.fetch(train, self.at.batch);
            }
            while self.at.batch < batches {
                std::mem::swap(&mut batch, &mut next);
                let following = self.at.batch + 1;
                self.net.check_units("a training batch", batch.v.units())?;
                self.net.check_labels("training data", batch.v.rows(), &batch.y)?;
                if following == batches {
                    self.catch_up()?;
                    before = weights(&self.net);
                }
                let fetch = || {
                    if following < batches {
                        next.fetch(train, following);
                    }
                };
                rayon::join(|| self.update(&batch, &rules), fetch).0?;
                samples += batch.v.rows();
                let progress = Progress { epoch: self.at.epoch + 1, epochs, batch: self.at.batch, batches, samples };
                if observer.batch_done(&progress) == Control::Stop && self.at.batch < batches {
                    self.catch_up()?;
                    return Ok(Outcome::Interrupted);
                }
            }
            self.check_device(&rules)?;
            self.catch_up()?;
            (self.at.batch, self.at.epoch) = (0, self.at.epoch + 1);
            let control = self.close_epoch(monitors, &before, (started, samples), observer)?;
            // A tuning that ended by itself in this epoch was not cut short.
            if self.is_converged() {
                return Ok(Outcome::Converged);
            }
            if control == Control::Stop && self.at.epoch < epochs {
                return Ok(Outcome::Interrupted);
            }
        }
        Ok(Outcome::Finished)
    }

    /// Refuses parameters on a GPU out of the range of sane numbers.
    fn check_device(&mut self, rules: &Rules) -> Result<()> {
        if let Some(device) = &mut self.on_device {
            for (part, layer, largest) in device.largest()? {
                let rule = match part {
                    Part::Generative => &rules.generative[layer],
                    Part::Recognition => &rules.recognition[layer],
                    Part::Top => &rules.top,
                };
                self.at.sane(part, layer, largest, rule)?;
            }
        }
        Ok(())
    }

    /// Whether patience has run out.
    fn is_converged(&self) -> bool {
        self.config.patience > 0 && self.at.stale_epochs >= self.config.patience
    }

    /// One update from one minibatch, step by step as at the top of this file.
    fn update(&mut self, data: &Labelled, rules: &Rules) -> Result<()> {
        if let Some(device) = &mut self.on_device {
            device.update(data, &self.config, rules, self.at.step)?;
            self.at.step += 1;
            self.at.batch += 1;
            return if self.at.step.is_multiple_of(PATIENCE) { self.check_device(rules) } else { Ok(()) };
        }
        let Self { config, net, at, chains, awake, asleep, .. } = self;
        let (units, learns) = (config.units, |part| !config.is_frozen(part));
        let draws = Draws::of_update(config.seed, at.step, net.layers());
        let chains = (config.persistent_chains > 0).then(|| {
            let coins = Uniforms::new(config.seed, Stream::Chains, 0);
            chains.get_or_insert_with(|| Bits::coins(config.persistent_chains, net.top.hidden(), coins))
        });

        ascend(&mut net.recognition, units.wake, &data.v, draws.wake, awake);
        let awake: Vec<&Batch> = std::iter::once(&data.v).chain(&*awake).collect();
        let penultimate = awake[net.layers()];
        net.top.dream(penultimate, &data.y, rules.top_steps, units, &draws, chains);
        descend(&mut net.generative, (units.sleep, units.visible), net.top.fantasy(), draws.sleep, asleep);

        if learns(Part::Generative) {
            for (layer, (set, rule)) in net.generative.iter_mut().zip(&rules.generative).enumerate() {
                let largest = set.learn(awake[layer + 1], awake[layer], rule);
                at.sane(Part::Generative, layer, largest, rule)?;
            }
        }
        if learns(Part::Top) {
            let largest = net.top.learn(penultimate, units.top_statistics, &rules.top);
            at.sane(Part::Top, net.recognition.len(), largest, &rules.top)?;
        }
        if learns(Part::Recognition) {
            for (layer, (set, rule)) in net.recognition.iter_mut().zip(&rules.recognition).enumerate() {
                let largest = set.learn(&asleep[layer], &asleep[layer + 1], rule);
                at.sane(Part::Recognition, layer, largest, rule)?;
            }
        }
        at.step += 1;
        at.batch += 1;
        Ok(())
    }

    /// Measures the model after an epoch, or before the first, keeps it if it is the best, and tells
    /// the observer.
    fn close_epoch(
        &mut self,
        monitors: &Monitors,
        before: &[Vec<f32>],
        (started, samples): (Instant, usize),
        observer: &mut dyn TuneObserver,
    ) -> Result<Control> {
        let epoch = self.at.epoch;
        let rules = self.config.rules(epoch.max(1) - 1, self.net.layers());
        let share = self.config.share(epoch.max(1) - 1);
        let measured = measure(&mut self.net, &self.config, &rules, monitors, before);
        self.judge(&measured)?;
        let seconds = started.elapsed().as_secs_f64();
        let metrics = TuneMetrics {
            epoch,
            top_steps: rules.top_steps,
            wake_rate: share * self.config.wake_rate,
            sleep_rate: share * self.config.sleep_rate,
            top_rate: share * self.config.top_rate,
            best_epoch: self.best.as_ref().map(|best| best.epoch),
            samples_per_second: samples as f64 / seconds,
            seconds,
            ..measured
        };
        ask(observer, &metrics, &self.snapshot())
    }

    /// Keeps the model if validation data find none better before it.
    fn judge(&mut self, metrics: &TuneMetrics) -> Result<()> {
        let Some(variational_cost) = metrics.variational_cost_valid else { return Ok(()) };
        let (epoch, label_error) = (self.at.epoch, metrics.label_error_valid);
        let better = |best: &Best| (label_error, variational_cost) < (best.label_error, best.variational_cost);
        if self.best.as_ref().is_none_or(better) {
            self.best = Some(Best { epoch, label_error, variational_cost, dbn: self.net.dbn()? });
            self.at.stale_epochs = 0;
        } else {
            self.at.stale_epochs += 1;
        }
        Ok(())
    }
}

impl Position {
    /// Refuses a largest parameter out of the range of sane numbers.
    fn sane(&self, part: Part, layer: usize, largest: f32, rule: &Rule) -> Result<()> {
        // Written so that NaN fails it.
        if largest <= EXPLODED {
            return Ok(());
        }
        let (what, rate) = match part {
            Part::Generative => (format!("generative weights of layer {layer}"), "wake_rate"),
            Part::Recognition => (format!("recognition weights of layer {layer}"), "sleep_rate"),
            Part::Top => (format!("top, layer {layer}"), "top_rate"),
        };
        let (epoch, batch, value) = (self.epoch + 1, self.batch + 1, rule.learning_rate);
        Err(Error::Diverged { what, epoch, batch, magnitude: largest, rate, value })
    }
}
