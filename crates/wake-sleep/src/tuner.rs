//! The tuner: epochs of wake-sleep on a packed deep belief net, measured, watched, resumable.

use crate::config::{Part, Rules, TuneConfig};
use crate::error::{Error, Result, require};
use crate::input::Labelled;
use crate::measure::{measure, weights};
use crate::net::Net;
use crate::observer::{TuneMetrics, TuneObserver, ask};
use crate::on_device::DeviceNet;
use crate::position::Position;
use crate::state::{Best, TuneState};
use crate::up_down::UpDown;
use candle_core::Device;
use deepbelief_kernels::{Bits, Level, Minibatches};
use deepbelief_rbm::{Control, Error as RbmError, Monitors, OnDivergence, Outcome, Progress};
use deepbelief_stack::Dbn;
use std::sync::Arc;
use std::time::Instant;

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
    device: Device,
    /// Where updates are made, if not on the CPU; `net` then lags behind it within an epoch.
    on_device: Option<DeviceNet>,
    pool: Arc<rayon::ThreadPool>,
    at: Position,
    up_down: UpDown,
    best: Option<Best>,
    /// What an epoch that diverges is begun anew from.
    safe: Option<TuneState>,
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

    /// Everything needed to continue from here as if never stopped: where an epoch that diverges is to be
    /// begun anew, from the start of the running one.
    ///
    /// # Errors
    /// If the tensors cannot be made.
    pub fn state(&self) -> Result<TuneState> {
        match &self.tuner.safe {
            Some(state) if self.tuner.at.batch > 0 => Ok(state.clone()),
            _ => self.now(),
        }
    }

    fn now(&self) -> Result<TuneState> {
        let Tuner { net, up_down: UpDown { chains, .. }, at, best, .. } = self.tuner;
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
            device: Device::Cpu,
            on_device: None,
            config,
            pool: pool.into(),
            at: Position::default(),
            up_down: UpDown::default(),
            best: None,
            safe: None,
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
        (tuner.at, tuner.up_down.chains, tuner.best) = (position, chains, best);
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
        self.device = device.clone();
        self.on_device = Some(DeviceNet::new(device, precision, &self.net, self.up_down.chains.as_ref())?);
        Ok(self)
    }

    /// Brings the net up to date with a GPU.
    fn catch_up(&mut self) -> Result<()> {
        if let Some(device) = &self.on_device {
            self.up_down.chains = device.download(&mut self.net)?;
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
                    observer.recovered(&error, OnDivergence::share(self.at.halvings));
                }
                Err(error) => return Err(error),
            }
        }
        Ok(Outcome::Finished)
    }

    /// Starts anew from an earlier state at half of all rates, and from rest: velocities are those of the
    /// rates before.
    fn go_back(&mut self, state: TuneState) -> Result<()> {
        // A GPU need not hold both.
        self.on_device = None;
        let mut tuner = Self::new(&state.dbn, self.config.clone())?;
        tuner.at = Position { halvings: self.at.halvings + 1, ..state.position };
        (tuner.up_down.chains, tuner.best) = (state.chains, state.best);
        *self = tuner.on(&self.device)?;
        Ok(())
    }

    /// The rest of an epoch; how the tuning ended, if it ended with it.
    fn epoch(
        &mut self,
        train: &mut dyn Minibatches,
        monitors: &Monitors,
        observer: &mut dyn TuneObserver,
    ) -> Result<Option<Outcome>> {
        let (started, epochs) = (Instant::now(), self.config.epochs());
        let rules = self.config.rules(self.at.epoch, self.net.layers(), self.at.halvings);
        // While one batch is learned from, a thread that has nothing to do fetches the next.
        let (mut batch, mut next) = (Labelled::default(), Labelled::default());
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
                return Ok(Some(Outcome::Interrupted));
            }
        }
        self.check_device(&rules, batches)?;
        self.catch_up()?;
        (self.at.batch, self.at.epoch) = (0, self.at.epoch + 1);
        let control = self.close_epoch(monitors, &before, (started, samples), observer)?;
        // A tuning that ended by itself in this epoch was not cut short.
        if self.is_converged() {
            return Ok(Some(Outcome::Converged));
        }
        let cut_short = control == Control::Stop && self.at.epoch < epochs;
        Ok(cut_short.then_some(Outcome::Interrupted))
    }

    /// Refuses parameters on a GPU, after a batch counted from 1, out of the range of sane numbers.
    fn check_device(&mut self, rules: &Rules, batch: usize) -> Result<()> {
        if let Some(device) = &mut self.on_device {
            for (part, layer, largest) in device.largest()? {
                let rule = match part {
                    Part::Generative => &rules.generative[layer],
                    Part::Recognition => &rules.recognition[layer],
                    Part::Top => &rules.top,
                };
                self.at.sane(batch, part, layer, largest, rule)?;
            }
        }
        Ok(())
    }

    /// Whether patience has run out.
    fn is_converged(&self) -> bool {
        self.config.patience > 0 && self.at.stale_epochs >= self.config.patience
    }

    /// One update from one minibatch.
    fn update(&mut self, data: &Labelled, rules: &Rules) -> Result<()> {
        let Self { config, net, on_device, at, up_down, .. } = self;
        match on_device {
            Some(device) => device.update(data, config, rules, at.step)?,
            None => up_down.update(net, data, config, rules, at)?,
        }
        at.step = at.step.checked_add(1).ok_or(RbmError::Endless)?;
        if at.step.is_multiple_of(PATIENCE) {
            self.check_device(rules, self.at.batch + 1)?;
        }
        self.at.batch += 1;
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
        let rules = self.config.rules(epoch.max(1) - 1, self.net.layers(), self.at.halvings);
        let share = self.config.share(epoch.max(1) - 1) * OnDivergence::share(self.at.halvings);
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
            self.at.stale_epochs = self.at.stale_epochs.saturating_add(1);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use deepbelief_rbm::{Rbm, RbmConfig};

    struct Ones;

    impl Minibatches for Ones {
        fn samples(&self) -> usize {
            4
        }
        fn units(&self) -> usize {
            6
        }
        fn batches(&self) -> usize {
            1
        }
        fn start_epoch(&mut self, _: u32) {}
        fn fill(&mut self, _: usize, batch: &mut deepbelief_kernels::Batch) {
            batch.make_real(4, 6).fill(1.0);
        }
    }

    /// Back at a state with velocities: the model is its own, the velocities are zero, the rates half.
    #[test]
    fn going_back_is_from_rest_and_at_half_the_rates() -> Result<()> {
        let rbm = |visible: usize, hidden| {
            Rbm::new(&RbmConfig { hidden, ..Default::default() }, &vec![0.5; visible], &Device::Cpu)
        };
        let dbn = Dbn::from_rbms(vec![rbm(6, 5)?, rbm(5, 8)?])?;
        let config = TuneConfig { momentum: 0.5, on_divergence: OnDivergence::HalveLr, ..Default::default() };
        let mut tuner = Tuner::new(&dbn, TuneConfig { top_steps: "1x2".parse()?, ..config })?;
        let mut shown = deepbelief_kernels::Batch::default();
        Ones.fill(0, &mut shown);
        tuner.fit(&mut Ones, &Monitors { train: shown, ..Default::default() }, &mut ())?;
        let values = |dbn: &Dbn| -> Result<Vec<f32>> {
            let tensors = dbn.named_tensors("").into_iter().map(|(_, tensor)| tensor.flatten_all()?.to_vec1::<f32>());
            Ok(tensors.collect::<candle_core::Result<Vec<_>>>()?.concat())
        };
        let state = tuner.snapshot().now()?;
        assert!(values(&state.velocities)?.iter().any(|&x| x != 0.0));
        tuner.go_back(state.clone())?;
        let now = tuner.snapshot().now()?;
        assert!(values(&now.dbn)? == values(&state.dbn)?);
        assert!(values(&now.velocities)?.iter().all(|&x| x == 0.0));
        assert_eq!(now.position, Position { halvings: 1, ..state.position });
        let rate = |halvings| tuner.config.rules(0, 1, halvings).generative[0].learning_rate;
        assert_eq!(rate(1), 0.5 * rate(0));
        Ok(())
    }
}
