//! The training loop: epochs of contrastive divergence, measured, watched, resumable.

use crate::cd::Draws;
use crate::config::{Rule, TrainConfig};
use crate::divergence::OnDivergence;
use crate::error::{Error, Result};
use crate::health::{Concern, concerns};
use crate::hidden::HiddenUnits;
use crate::labels::LabelGroup;
use crate::learner::{self, Labelled, Learner};
use crate::likelihood::Path;
use crate::monitors::Monitors;
use crate::observer::{Control, EpochMetrics, Observer, Progress, ask};
use crate::rbm::Rbm;
use crate::state::{Best, TrainState};
use crate::stopping::Stopping;
use candle_core::Device;
use deepbelief_kernels::{Level, Minibatches, Parameters};
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
    pub(crate) config: TrainConfig,
    pub(crate) sizes: Sizes,
    pub(crate) learner: Box<dyn Learner>,
    pub(crate) pool: std::sync::Arc<rayon::ThreadPool>,
    pub(crate) at: Position,
    /// The estimate of ln Z along the training, once there is one.
    pub(crate) path: Option<Path>,
    /// The best model by those estimates, where there are validation samples.
    best: Option<Best>,
    device: Device,
    /// What an epoch that diverges is begun anew from.
    safe: Option<TrainState>,
}

/// What training leaves as it is.
#[derive(Clone, Copy)]
pub(crate) struct Sizes {
    pub(crate) visible: usize,
    pub(crate) hidden: usize,
    pub(crate) hidden_units: HiddenUnits,
    pub(crate) classes: usize,
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
    /// How often the learning rate was halved after a divergence.
    pub(crate) halvings: u32,
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

    /// The best model so far, where validation samples and estimates of ln Z say which.
    #[must_use]
    pub fn best(&self) -> Option<&Best> {
        self.trainer.best.as_ref()
    }

    /// What looks wrong in an epoch.
    #[must_use]
    pub fn concerns(&self, metrics: &EpochMetrics) -> Vec<Concern> {
        concerns(metrics, self.trainer.sizes.hidden, self.trainer.at.step)
    }

    /// Everything needed to continue from here as if never stopped: where an epoch that diverges is to be
    /// begun anew, from the start of the running one.
    ///
    /// # Errors
    /// If a GPU failed.
    pub fn state(&self) -> Result<TrainState> {
        match &self.trainer.safe {
            Some(state) if self.trainer.at.batch > 0 => Ok(state.clone()),
            _ => self.now(),
        }
    }

    fn now(&self) -> Result<TrainState> {
        let Trainer { sizes, learner, at, path, best, .. } = self.trainer;
        Ok(TrainState {
            visible: sizes.visible,
            hidden: sizes.hidden,
            hidden_units: sizes.hidden_units,
            parameters: learner.parameters()?,
            velocities: learner.velocities()?,
            chains: learner.chains()?,
            memory: learner.memory(),
            path: path.as_ref().map(|path| path.state().clone()),
            best: best.clone(),
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
        Self::build(learner, sizes, config, Position::default(), (None, rbm.w_rec().device()))
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
        let best = state.best.clone();
        let learner = learner::resume(state, &config, device)?;
        Ok(Self { best, ..Self::build(learner, sizes, config, position, (path, device))? })
    }

    fn build(
        learner: Box<dyn Learner>,
        sizes: Sizes,
        config: TrainConfig,
        at: Position,
        (path, device): (Option<Path>, &Device),
    ) -> Result<Self> {
        config.validate()?;
        config.validate_for(sizes.hidden_units)?;
        let threads = config.threads;
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .map_err(|source| Error::Threads { threads, source })?;
        Ok(Self { config, sizes, learner, pool: pool.into(), at, path, best: None, device: device.clone(), safe: None })
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
    pub(crate) fn check_labels(&self, what: &str, samples: usize, labels: &[u32]) -> Result<()> {
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
        if self.at.stopping.met {
            return Ok(Outcome::Converged);
        }
        let recovers = self.config.on_divergence == OnDivergence::HalveLr;
        while self.at.epoch < self.config.epochs {
            if recovers && (self.at.batch == 0 || self.safe.is_none()) {
                self.safe = Some(self.snapshot().now()?);
            }
            match self.epoch(train, monitors, observer) {
                Ok(None) => {}
                Ok(Some(outcome)) => return Ok(outcome),
                Err(error @ (Error::Diverged { .. } | Error::Collapsed { .. }))
                    if self.config.on_divergence.goes_on(self.at.halvings) =>
                {
                    let Some(state) = self.safe.take() else { return Err(error) };
                    self.go_back(state)?;
                    observer.recovered(&error, self.rule().learning_rate);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(Outcome::Finished)
    }

    /// Starts anew from an earlier state at half the learning rate, and from rest: velocities are those of the
    /// rate before.
    fn go_back(&mut self, mut state: TrainState) -> Result<()> {
        let Parameters { w_rec, hb, vb, label_w, label_b } = &mut state.velocities;
        for velocities in [w_rec, hb, vb, label_w, label_b] {
            velocities.fill(0.0);
        }
        let halvings = self.at.halvings + 1;
        self.at = Position { halvings, ..state.position };
        self.path = state.path.clone().map(|path| Path::resume(path, self.config.seed));
        self.learner = learner::resume(state, &self.config, &self.device)?;
        Ok(())
    }

    /// The learning rule as it is now.
    pub(crate) fn rule(&self) -> Rule {
        let (rule, share) = (self.config.rule(self.at.epoch), OnDivergence::share(self.at.halvings));
        let (learning_rate, fast_learning_rate) = (share * rule.learning_rate, share * rule.fast_learning_rate);
        Rule { learning_rate, fast_learning_rate, ..rule }
    }

    /// The rest of an epoch; how the training ended, if it ended with it.
    fn epoch(
        &mut self,
        train: &mut dyn Minibatches,
        monitors: &Monitors,
        observer: &mut dyn Observer,
    ) -> Result<Option<Outcome>> {
        let started = Instant::now();
        let rule = self.rule();
        // While one batch is learned from, a thread that has nothing to do fetches the next.
        let (mut batch, mut next) = (Labelled::default(), Labelled::default());
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
            if following == batches {
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
                return Ok(Some(Outcome::Interrupted));
            }
        }
        let largest = self.learner.largest()?;
        self.check_sane(largest, &rule)?;
        (self.at.batch, self.at.epoch) = (0, self.at.epoch + 1);
        let mut metrics = self.measure_epoch(monitors, &rule, before.as_deref())?;
        self.check_alive(monitors, &metrics)?;
        self.judge(&metrics)?;
        let converged = self.at.stopping.judge(&self.config, &metrics);
        metrics.seconds = started.elapsed().as_secs_f64();
        metrics.samples_per_second = samples as f64 / metrics.seconds;
        let control = ask(observer, &metrics, &self.snapshot())?;
        // A training that ended by itself in this epoch was not cut short.
        if converged {
            return Ok(Some(Outcome::Converged));
        }
        let cut_short = control == Control::Stop && self.at.epoch < self.config.epochs;
        Ok(cut_short.then_some(Outcome::Interrupted))
    }

    /// One update from one minibatch.
    fn update(&mut self, data: &Labelled, rule: &Rule) -> Result<()> {
        let draws = Draws { seed: self.config.seed, step: self.at.step };
        let largest = self.learner.learn(data, rule, draws, &self.config)?;
        self.at.step = self.at.step.checked_add(1).ok_or(Error::Endless)?;
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

    /// Keeps the model if validation samples are more probable than under any before it.
    fn judge(&mut self, metrics: &EpochMetrics) -> Result<()> {
        let Some(log_likelihood) = metrics.log_likelihood_valid else { return Ok(()) };
        if self.best.as_ref().is_none_or(|best| log_likelihood > best.log_likelihood) {
            let parameters = self.learner.rbm()?.to_parameters()?;
            self.best = Some(Best { epoch: self.at.epoch, log_likelihood, parameters });
        }
        Ok(())
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RbmConfig;
    use deepbelief_kernels::{Batch, Bits};

    struct Once(Batch);

    impl Minibatches for Once {
        fn samples(&self) -> usize {
            self.0.rows()
        }
        fn units(&self) -> usize {
            self.0.units()
        }
        fn batches(&self) -> usize {
            1
        }
        fn start_epoch(&mut self, _: u32) {}
        fn fill(&mut self, _: usize, batch: &mut Batch) {
            *batch = self.0.clone();
        }
    }

    /// Back at a state with velocities: the parameters are its own, the velocities zero, the rates half.
    #[test]
    fn going_back_is_from_rest_and_at_half_the_rates() {
        let rbm = Rbm::new(&RbmConfig::default(), &[0.4; 6], &Device::Cpu).unwrap();
        let batch = Batch::Binary(Bits::from_values(2, 6, &[1., 0., 0., 1., 1., 0., 0., 1., 0., 0., 1., 1.]));
        let config = TrainConfig { epochs: 2, on_divergence: OnDivergence::HalveLr, ..Default::default() };
        let mut trainer = Trainer::new(&rbm, config).unwrap();
        let monitors = Monitors { train: batch.clone(), ..Default::default() };
        trainer.fit(&mut Once(batch), &monitors, &mut ()).unwrap();
        let (state, before) = (trainer.snapshot().now().unwrap(), trainer.rule());
        assert!(state.velocities.w_rec.iter().any(|&x| x != 0.0) && state.velocities.vb.iter().any(|&x| x != 0.0));
        trainer.go_back(state.clone()).unwrap();
        let (now, after) = (trainer.snapshot().now().unwrap(), trainer.rule());
        assert!(now.parameters == state.parameters);
        let Parameters { w_rec, hb, vb, label_w, label_b } = &now.velocities;
        assert!([w_rec, hb, vb, label_w, label_b].into_iter().flatten().all(|&x| x == 0.0));
        assert_eq!(now.position, Position { halvings: 1, ..state.position });
        let rates = |rule: &Rule| [rule.learning_rate, rule.fast_learning_rate];
        assert_eq!(rates(&after), rates(&before).map(|rate| 0.5 * rate));
    }
}
