//! Tuning by wake-sleep: what [`Tuner`] runs.

use crate::config::{Part, Rules, TuneConfig};
use crate::error::{Error, Result, require};
use crate::learned::{Learned, zeros};
use crate::measure::{measure, weights};
use crate::metrics::TuneMetrics;
use crate::net::Net;
use crate::on_device::DeviceNet;
use crate::phases::Phases;
use crate::state;
use candle_core::Device;
use deepbelief_kernels::{Bits, StepRule};
use deepbelief_stack::Dbn;
use deepbelief_training::{
    EpochEnd, Error as LoopError, Labelled, Loop, Monitors, OnDivergence, Position, State, Training,
};
use std::path::Path;

/// Updates on a GPU after which its largest parameters are asked for: asking waits for all that is
/// queued.
const PATIENCE: u32 = 100;

/// Parameters beyond this magnitude are divergence: trained ones stay near ten, and a unit with
/// such an input is a constant.
const EXPLODED: f32 = 100.0;

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
    net: Net,
    device: Device,
    /// Where updates are made, if not on the CPU; `net` then lags behind it within an epoch.
    on_device: Option<DeviceNet>,
    phases: Phases,
    /// The learning rules of the running epoch, and the factor that schedule and divergences leave of its rates.
    rules: Rules,
    factor: f64,
    /// The weights before the last update of the epoch.
    before: Vec<Vec<f32>>,
}

/// Refuses a largest parameter, after a batch counted from 1, out of the range of sane numbers.
pub(crate) fn check_sane(
    (epoch, batch): (u32, usize),
    part: Part,
    layer: usize,
    largest: f32,
    rule: &StepRule,
) -> Result<()> {
    // Written so that NaN fails it.
    if largest <= EXPLODED {
        return Ok(());
    }
    let (what, rate) = match part {
        Part::Generative => (format!("generative weights of layer {layer}"), "wake_rate"),
        Part::Recognition => (format!("recognition weights of layer {layer}"), "sleep_rate"),
        Part::Top => (format!("top, layer {layer}"), "top_rate"),
    };
    let (epoch, value) = (epoch + 1, rule.learning_rate);
    Err(Error::Diverged { what, epoch, batch, magnitude: largest, rate, value })
}

impl UpDown {
    fn new(dbn: &Dbn, config: TuneConfig) -> Result<Self> {
        config.validate()?;
        let (given, layers) = (config.layers.len(), dbn.layers().len());
        require(given <= layers, "rates of single layers", given, format!("at most {layers}, the directed layers"))?;
        Ok(Self {
            net: Net::new(dbn, config.top)?,
            device: Device::Cpu,
            on_device: None,
            rules: config.rules(0, layers, 0),
            config,
            phases: Phases::default(),
            factor: 1.0,
            before: Vec::new(),
        })
    }

    /// Refuses parameters on a GPU, after a batch counted from 1, out of the range of sane numbers.
    fn check_largest(&mut self, epoch: u32, batch: usize) -> Result<()> {
        let Some(device) = &mut self.on_device else { return Ok(()) };
        for (part, layer, largest) in device.largest()? {
            let rule = match part {
                Part::Generative => &self.rules.generative[layer],
                Part::Recognition => &self.rules.recognition[layer],
                Part::Top => &self.rules.top,
            };
            check_sane((epoch, batch), part, layer, largest, rule)?;
        }
        Ok(())
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
        tuning.net.set_velocities(&velocities)?;
        tuning.phases.chains = chains;
        if !device.is_cpu() {
            let (precision, chains) = (tuning.config.precision, tuning.phases.chains.as_ref());
            tuning.on_device = Some(DeviceNet::new(device, precision, &tuning.net, chains)?);
            tuning.device = device.clone();
        }
        Ok(tuning)
    }

    fn config(&self) -> &TuneConfig {
        &self.config
    }

    fn device(&self) -> &Device {
        &self.device
    }

    fn visible(&self) -> usize {
        self.net.visible()
    }

    fn classes(&self) -> usize {
        self.net.top.classes()
    }

    fn model(&self) -> Result<Dbn> {
        self.net.dbn()
    }

    fn learned(&self) -> Result<Learned> {
        let Self { net, phases, .. } = self;
        Ok(Learned { dbn: net.dbn()?, velocities: net.velocities()?, chains: phases.chains.clone() })
    }

    fn at_rest(learned: Learned) -> Result<Learned> {
        Ok(Learned { velocities: zeros(&learned.velocities)?, ..learned })
    }

    fn check_device(&self) -> Result<()> {
        let precision = self.config.precision;
        require(precision.is_f32() || self.on_device.is_some(), "precision", precision, "f32 on the CPU")
    }

    fn begin_epoch(&mut self, at: &Position) {
        self.rules = self.config.rules(at.epoch, self.net.layers(), at.halvings);
        self.factor = self.config.share(at.epoch) * OnDivergence::decay_factor(at.halvings);
        self.before.clear();
    }

    fn rate(&self, at: &Position) -> f64 {
        OnDivergence::decay_factor(at.halvings)
    }

    fn update(&mut self, data: &Labelled, at: &Position) -> Result<()> {
        let Self { config, net, on_device, phases, rules, .. } = self;
        match on_device {
            Some(device) => device.update(data, config, rules, at.step)?,
            None => phases.update(net, data, config, rules, at)?,
        }
        if at.step.wrapping_add(1).is_multiple_of(PATIENCE) {
            self.check_largest(at.epoch, at.batch + 1)?;
        }
        Ok(())
    }

    fn remember(&mut self) -> Result<()> {
        self.sync()?;
        self.before = weights(&self.net);
        Ok(())
    }

    fn sync(&mut self) -> Result<()> {
        if let Some(device) = &self.on_device {
            self.phases.chains = device.download(&mut self.net)?;
        }
        Ok(())
    }

    fn finish_epoch(&mut self, at: &Position) -> Result<()> {
        self.check_largest(at.epoch, at.batch)
    }

    fn measure(&mut self, monitors: &Monitors, end: &EpochEnd) -> Result<TuneMetrics> {
        let Self { config, net, rules, factor, before, .. } = self;
        Ok(TuneMetrics {
            epoch: end.epoch,
            top_steps: rules.top_steps,
            wake_rate: *factor * config.wake_rate,
            sleep_rate: *factor * config.sleep_rate,
            top_rate: *factor * config.top_rate,
            ..measure(net, config, rules, monitors, before)
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
