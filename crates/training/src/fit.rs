//! The loop.

use crate::best::Best;
use crate::check::{TRAINING_DATA, check, check_data, check_values, check_width};
use crate::config::Settings;
use crate::divergence::OnDivergence;
use crate::error::{Error, require};
use crate::labelled::Labelled;
use crate::metrics::Metrics;
use crate::monitors::Monitors;
use crate::observer::{Control, Observer, Outcome, Progress, notify};
use crate::pool::pool;
use crate::position::Position;
use crate::snapshot::Snapshot;
use crate::training::{EpochEnd, State, Training};
use candle_core::Device;
use deepbelief_kernels::{Level, Minibatches};
use deepbelief_ranks::{Alone, Group};
use rayon::ThreadPool;
use std::sync::Arc;
use std::time::Instant;

/// Runs a [`Training`]: epochs that are measured, watched, resumable.
pub struct Loop<T: Training> {
    training: T,
    pool: Arc<ThreadPool>,
    at: Position,
    best: Option<Best<T::Model>>,
    /// What an epoch that diverges starts again from.
    safe: Option<State<T>>,
    run: Option<String>,
    group: Arc<dyn Group>,
}

impl<T: Training> Loop<T> {
    /// Trains `model` from where it is.
    ///
    /// # Errors
    /// For a setting out of range, or one that does not fit the model; [`Error::Threads`].
    pub fn new(model: &T::Model, config: T::Config) -> Result<Self, T::Error> {
        let pool = pool(config.threads())?.into();
        let training = T::start(model, config)?;
        Ok(Self { training, pool, at: Position::default(), best: None, safe: None, run: None, group: Arc::new(Alone) })
    }

    /// Continues a training on `device`; with the same settings and data, and on the same kind of device, the
    /// result is, bit for bit, that of one that never stopped.
    ///
    /// # Errors
    /// Those of [`Loop::new`]; for a device without kernels, and settings that the training did not start with.
    pub fn resume(config: T::Config, state: State<T>, device: &Device) -> Result<Self, T::Error> {
        let State { learned, position: at, best, run } = state;
        let pool = pool(config.threads())?.into();
        let training = T::restore(learned, config, &at, device)?;
        Ok(Self { training, pool, at, best, safe: None, run, group: Arc::new(Alone) })
    }

    /// The same training on `device`.
    ///
    /// # Errors
    /// For a device without kernels, or a setting that it does not have; if it is out of memory.
    pub fn on(mut self, device: &Device) -> Result<Self, T::Error> {
        if !self.training.device().same_device(device) {
            let (learned, config) = (self.training.learned()?, self.training.config().clone());
            self.training = T::restore(learned, config, &self.at, device)?;
            self.training.join(&self.group)?;
        }
        self.training.check_device()?;
        Ok(self)
    }

    /// The same training as one of several ranks: see [`Training::join`]. Rank 0's observer alone need do anything.
    ///
    /// # Errors
    /// If this training is one of a single process, or the ranks cannot reach each other.
    pub fn among(mut self, group: &Arc<dyn Group>) -> Result<Self, T::Error> {
        self.training.join(group)?;
        self.group = Arc::clone(group);
        Ok(self)
    }

    /// Names the run that states are of, by all that fixes it: see [`State::require_run`].
    #[must_use]
    pub fn of_run(mut self, run: impl Into<String>) -> Self {
        self.run = Some(run.into());
        self
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
    pub fn snapshot(&self) -> Snapshot<'_, T> {
        let Self { training, at, best, safe, run, .. } = self;
        Snapshot { training, at, best: best.as_ref(), safe: safe.as_ref(), run: run.as_deref() }
    }

    /// Does `work` with what is running, in the threads of the training.
    pub fn with_training<R: Send>(&mut self, work: impl FnOnce(&mut T) -> R + Send) -> R {
        self.pool.install(|| work(&mut self.training))
    }

    /// Trains until the epochs are done, a stopping rule is met or an observer says so. A model that learns labels
    /// learns those of the data; any other ignores them.
    ///
    /// # Errors
    /// [`Error::NoSamples`], [`Error::Shape`], [`Error::Units`], [`Error::Value`], [`Error::NoLabels`], [`Error::Label`] for data that do not fit the model;
    /// [`Error::Config`] for patience without validation data; [`Error::Observer`]; if the training diverged.
    pub fn fit(
        &mut self,
        train: &mut dyn Minibatches,
        monitors: &Monitors,
        observer: &mut dyn Observer<T>,
    ) -> Result<Outcome, T::Error> {
        match self.training.visible_units() {
            Some(visible) => check_data(train, &visible)?,
            None => check_width(TRAINING_DATA, train.units(), self.training.visible())?,
        }
        check(&self.training, "training monitor", &monitors.train, &monitors.train_labels)?;
        check_values(&self.training, "training monitor", &monitors.train)?;
        if let Some(valid) = &monitors.valid {
            check(&self.training, "validation data", valid, &monitors.valid_labels)?;
            check_values(&self.training, "validation data", valid)?;
        }
        self.training.check_device()?;
        let patience = self.training.config().patience();
        let fits = patience == 0 || monitors.valid.is_some();
        require(fits, "patience", patience, "0 where there are no validation data")?;
        // One entry into the pool for the whole training: joins inside it are much cheaper.
        let pool = Arc::clone(&self.pool);
        pool.install(|| self.run(train, monitors, observer))
    }

    fn run(
        &mut self,
        train: &mut dyn Minibatches,
        monitors: &Monitors,
        observer: &mut dyn Observer<T>,
    ) -> Result<Outcome, T::Error> {
        if T::MEASURES_START && !self.at.started {
            self.at.started = true;
            let started = Instant::now();
            self.training.begin_epoch(&self.at);
            let start = EpochEnd { epoch: self.at.epoch, batches: 0, samples: train.samples() };
            if self.close_epoch(monitors, start, (started, 0), observer)? == AfterEpoch::Stop {
                return Ok(Outcome::Interrupted);
            }
        }
        let (config, at) = (self.training.config(), &self.at);
        // The state of a training that ended by itself goes no further.
        if at.stopping.is_met(at.epoch, config.patience()) {
            return Ok(Outcome::Converged);
        }
        let (epochs, on_divergence) = (config.epochs(), config.on_divergence());
        while self.at.epoch < epochs {
            if on_divergence == OnDivergence::HalveLr && (self.at.batch == 0 || self.safe.is_none()) {
                self.safe = Some(self.snapshot().current()?);
            }
            match self.epoch(train, monitors, observer) {
                Ok(None) => {}
                Ok(Some(outcome)) => return Ok(outcome),
                Err(error) if T::is_divergence(&error) && on_divergence.should_retry(self.at.halvings) => {
                    let Some(state) = self.safe.take() else { return Err(error) };
                    self.rollback(state)?;
                    observer.recovered(&error, self.training.rate(&self.at));
                }
                Err(error) => return Err(error),
            }
        }
        Ok(Outcome::Finished)
    }

    /// Goes back to an earlier state, to go on from it at rest and at half the rates.
    fn rollback(&mut self, state: State<T>) -> Result<(), T::Error> {
        let State { learned, position, best, .. } = state;
        self.at = Position { halvings: self.at.halvings + 1, ..position };
        self.best = best;
        let (config, device) = (self.training.config().clone(), self.training.device().clone());
        self.training = T::restore(T::at_rest(learned)?, config, &self.at, &device)?;
        self.training.join(&self.group)
    }

    /// The rest of an epoch; how the training ended, if it ended with it.
    fn epoch(
        &mut self,
        train: &mut dyn Minibatches,
        monitors: &Monitors,
        observer: &mut dyn Observer<T>,
    ) -> Result<Option<Outcome>, T::Error> {
        let started = Instant::now();
        self.training.begin_epoch(&self.at);
        train.start_epoch(self.at.epoch);
        let (epochs, batches) = (self.training.config().epochs(), train.batches());
        let share = self.training.share();
        // While one batch is learned from, a thread that has nothing to do fetches the next.
        let (mut batch, mut next, mut samples) = (Labelled::default(), Labelled::default(), 0);
        if self.at.batch < batches {
            next.fetch(train, self.at.batch, share);
        }
        while self.at.batch < batches {
            std::mem::swap(&mut batch, &mut next);
            let following = self.at.batch + 1;
            check(&self.training, TRAINING_DATA, &batch.v, &batch.y)?;
            if following == batches {
                self.training.remember()?;
            }
            let fetch = || {
                if following < batches {
                    next.fetch(train, following, share);
                }
            };
            rayon::join(|| self.update(&batch), fetch).0?;
            samples += batch.v.rows();
            let progress = Progress { epoch: self.at.epoch + 1, epochs, batch: self.at.batch, batches, samples };
            let stop = observer.batch_done(&progress) == Control::Stop;
            if self.training.agree(stop) && self.at.batch < batches {
                self.training.sync()?;
                return Ok(Some(Outcome::Interrupted));
            }
        }
        self.training.finish_epoch(&self.at)?;
        self.training.sync()?;
        let end = EpochEnd { epoch: self.at.epoch + 1, batches, samples: train.samples() };
        Ok(match self.close_epoch(monitors, end, (started, samples), observer)? {
            AfterEpoch::Converged => Some(Outcome::Converged),
            AfterEpoch::Stop if self.at.epoch < epochs => Some(Outcome::Interrupted),
            AfterEpoch::Stop | AfterEpoch::Continue => None,
        })
    }

    /// One update from one minibatch.
    fn update(&mut self, data: &Labelled) -> Result<(), T::Error> {
        self.training.update(data, &self.at)?;
        self.at.step = self.at.step.checked_add(1).ok_or(Error::Endless)?;
        self.at.batch += 1;
        Ok(())
    }

    /// Measures the model after an epoch, or before the first, keeps it if it is the best, and notifies the observer.
    fn close_epoch(
        &mut self,
        monitors: &Monitors,
        end: EpochEnd,
        (started, samples): (Instant, usize),
        observer: &mut dyn Observer<T>,
    ) -> Result<AfterEpoch, T::Error> {
        let mut metrics = self.training.measure(monitors, &end)?;
        (self.at.batch, self.at.epoch) = (0, end.epoch);
        self.update_best(&metrics)?;
        let converged = self.at.stopping.finish_epoch(self.training.config(), end.epoch, &metrics);
        let seconds = started.elapsed().as_secs_f64();
        metrics.complete(seconds, samples as f64 / seconds, self.best.as_ref().map(|best| best.epoch));
        let wish = notify(observer.epoch_done(&metrics, &self.snapshot()))?;
        Ok(match self.agreed(wish)? {
            // A training that ended by itself in this epoch was not cut short.
            _ if converged => AfterEpoch::Converged,
            Control::Stop => AfterEpoch::Stop,
            Control::Continue => AfterEpoch::Continue,
        })
    }

    /// What all ranks do after an epoch, of which each has made the same model: another is an error.
    fn agreed(&self, wish: Control) -> Result<Control, T::Error> {
        if self.group.size() == 1 {
            return Ok(wish);
        }
        let mut word = self.training.fingerprint()?.to_ne_bytes().to_vec();
        word.push(u8::from(wish == Control::Stop));
        let all = self.group.gather(&word).map_err(Error::from)?;
        let other = all.iter().position(|theirs| theirs[..8] != all[0][..8]);
        if let Some(rank) = other {
            return Err(Error::Ranks { rank, epoch: self.at.epoch }.into());
        }
        Ok(if all.iter().any(|theirs| theirs[8] != 0) { Control::Stop } else { Control::Continue })
    }

    /// Keeps the model if validation data find none better before it.
    fn update_best(&mut self, metrics: &T::Metrics) -> Result<(), T::Error> {
        let Some(score) = metrics.score() else { return Ok(()) };
        if self.best.as_ref().is_none_or(|best| score < best.score) {
            self.best = Some(Best { epoch: self.at.epoch, score, model: self.training.model()? });
        }
        Ok(())
    }
}

/// What comes after an epoch.
#[derive(Clone, Copy, PartialEq, Eq)]
enum AfterEpoch {
    Continue,
    /// An observer asked to stop.
    Stop,
    /// A stopping rule is met.
    Converged,
}
