//! Tuning by wake-sleep: what [`Tuner`] runs.

use crate::config::{Rules, TuneConfig};
use crate::error::{Error, Result, require};
use crate::learned::{Learned, zeros};
use crate::measure::{measure, weights};
use crate::metrics::TuneMetrics;
use crate::net::Net;
use crate::phases::{Phases, Updates};
use crate::state;
use candle_core::Device;
use deepbelief_kernels::{Bits, PackedRbm};
use deepbelief_stack::Dbn;
use deepbelief_training::{
    EpochEnd, Error as LoopError, Labelled, Loop, Monitors, OnDivergence, Position, State, Training,
};
use std::path::Path;

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
/// assert!(!tuner.snapshot().model()?.is_tied()?);
/// # Ok(())
/// # }
/// ```
pub type Tuner = Loop<UpDown>;

/// A look at a tuning in progress.
pub type Snapshot<'a> = deepbelief_training::Snapshot<'a, UpDown>;

/// Everything that a [`Tuner`] resumes from.
pub type TuneState = State<UpDown>;

/// The best model so far, by validation label error, or by variational cost without labels.
pub type Best = deepbelief_training::Best<Dbn>;

/// A deep belief net in training by the up-down algorithm.
pub struct UpDown {
    config: TuneConfig,
    phases: Phases<PackedRbm>,
    device: Device,
    /// Where updates are made, if not on the CPU; `phases` then lag behind within an epoch.
    elsewhere: Option<Box<dyn Updates>>,
    /// The learning rules of the running epoch, and the factor that schedule and divergences leave of its rates.
    rules: Rules,
    factor: f64,
    /// The weights before the last update of the epoch.
    before: Vec<Vec<f32>>,
}

impl UpDown {
    fn new(dbn: &Dbn, config: TuneConfig) -> Result<Self> {
        config.validate()?;
        let (given, layers) = (config.layers.len(), dbn.layers().len());
        require(given <= layers, "rates of single layers", given, format!("at most {layers}, the directed layers"))?;
        Ok(Self {
            phases: Phases::new(Net::new(dbn, config.top)?, None)?,
            device: Device::Cpu,
            elsewhere: None,
            rules: config.rules(0, layers, 0),
            config,
            factor: 1.0,
            before: Vec::new(),
        })
    }

    /// Moves the updates to a device.
    fn move_to(&mut self, device: &Device) -> Result<()> {
        #[cfg(feature = "cuda")]
        if device.is_cuda() {
            let place = deepbelief_kernels::cuda::OnGpu::new(device, self.config.precision)?;
            self.elsewhere = Some(Box::new(self.phases.copied::<deepbelief_kernels::cuda::GpuRbm>(&place)?));
            self.device = device.clone();
            return Ok(());
        }
        let expected = "the CPU, or an NVIDIA GPU in a build with the feature cuda";
        require(device.is_cpu(), "device", format!("{device:?}"), expected)
    }
}

impl Training for UpDown {
    type Model = Dbn;
    type Config = TuneConfig;
    type Learned = Learned;
    type Metrics = TuneMetrics;
    type Error = Error;

    const MEASURES_START: bool = true;
    const NEED_OF_LABELS: &'static str = "the label group of the model needs; tune a model without one";

    fn start(dbn: &Dbn, config: TuneConfig) -> Result<Self> {
        Self::new(dbn, config)
    }

    fn restore(learned: Learned, config: TuneConfig, at: &Position, device: &Device) -> Result<Self> {
        let Learned { dbn, velocities, chains } = learned;
        let (expected, got) = (config.persistent_chains, chains.as_ref().map_or(0, Bits::rows));
        let mut tuning = Self::new(&dbn, config)?;
        // Before the first update there are no chains yet.
        if at.step > 0 && got != expected {
            let why = format!("it has {got} persistent chains, the settings say {expected}");
            return Err(LoopError::Resume(why).into());
        }
        let Phases { mut net, .. } = tuning.phases;
        net.set_velocities(&velocities)?;
        tuning.phases = Phases::new(net, chains.as_ref())?;
        tuning.move_to(device)?;
        Ok(tuning)
    }

    fn config(&self) -> &TuneConfig {
        &self.config
    }

    fn device(&self) -> &Device {
        &self.device
    }

    fn visible(&self) -> usize {
        self.phases.net.visible()
    }

    fn classes(&self) -> usize {
        self.phases.net.top.classes()
    }

    fn model(&self) -> Result<Dbn> {
        self.phases.net.dbn()
    }

    fn learned(&self) -> Result<Learned> {
        let net = &self.phases.net;
        Ok(Learned { dbn: net.dbn()?, velocities: net.velocities()?, chains: self.phases.chains()? })
    }

    fn at_rest(learned: Learned) -> Result<Learned> {
        Ok(Learned { velocities: zeros(&learned.velocities)?, ..learned })
    }

    fn check_device(&self) -> Result<()> {
        let precision = self.config.precision;
        require(precision.is_f32() || self.elsewhere.is_some(), "precision", precision, "f32 on the CPU")
    }

    fn begin_epoch(&mut self, at: &Position) {
        self.rules = self.config.rules(at.epoch, self.phases.net.layers(), at.halvings);
        self.factor = self.config.share(at.epoch) * OnDivergence::decay_factor(at.halvings);
        self.before.clear();
    }

    fn rate(&self, at: &Position) -> f64 {
        OnDivergence::decay_factor(at.halvings)
    }

    fn update(&mut self, data: &Labelled, at: &Position) -> Result<()> {
        let Self { config, elsewhere, phases, rules, .. } = self;
        match elsewhere {
            Some(elsewhere) => elsewhere.update(data, config, rules, at),
            None => phases.update(data, config, rules, at),
        }
    }

    fn remember(&mut self) -> Result<()> {
        self.sync()?;
        self.before = weights(&self.phases.net);
        Ok(())
    }

    fn sync(&mut self) -> Result<()> {
        if let Some(elsewhere) = &self.elsewhere {
            self.phases = elsewhere.download()?;
        }
        Ok(())
    }

    fn finish_epoch(&mut self, at: &Position) -> Result<()> {
        match &mut self.elsewhere {
            Some(elsewhere) => elsewhere.check_sane(&self.rules, at.epoch, at.batch),
            None => Ok(()),
        }
    }

    fn measure(&mut self, monitors: &Monitors, end: &EpochEnd) -> Result<TuneMetrics> {
        let Self { config, phases, rules, factor, before, .. } = self;
        Ok(TuneMetrics {
            epoch: end.epoch,
            top_steps: rules.top_steps,
            wake_rate: *factor * config.wake_rate,
            sleep_rate: *factor * config.sleep_rate,
            top_rate: *factor * config.top_rate,
            ..measure(&mut phases.net, config, rules, monitors, before)?
        })
    }

    fn is_divergence(error: &Error) -> bool {
        matches!(error, Error::Diverged { .. })
    }

    fn save(state: &TuneState, path: &Path) -> Result<()> {
        state::save(state, path)
    }

    fn load(path: &Path) -> Result<TuneState> {
        state::load(path)
    }
}
