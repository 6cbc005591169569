//! Tuning by wake-sleep: what [`Tuner`] runs.

use crate::config::{Rules, TuneConfig};
use crate::error::{Result, require};
use crate::net::Net;
use crate::phases::{Phases, Updates};
use candle_core::Device;
use deepbelief_kernels::{PackedRbm, Precision};
use deepbelief_stack::Dbn;
use deepbelief_training::{Loop, State};

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
    pub(crate) config: TuneConfig,
    pub(crate) phases: Phases<PackedRbm>,
    pub(crate) device: Device,
    /// Where updates are made, if not on the CPU; `phases` then lag behind within an epoch.
    pub(crate) elsewhere: Option<Box<dyn Updates>>,
    /// The learning rules of the running epoch, and the factor that schedule and divergences leave of its rates.
    pub(crate) rules: Rules,
    pub(crate) factor: f64,
    /// The weights before the last update of the epoch.
    pub(crate) before: Vec<Vec<f32>>,
}

impl UpDown {
    pub(crate) fn new(dbn: &Dbn, config: TuneConfig) -> Result<Self> {
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
}

/// The updates of a net on another device.
#[cfg(feature = "cuda")]
pub(crate) fn copied_to(device: &Device, precision: Precision, phases: &Phases<PackedRbm>) -> Result<Box<dyn Updates>> {
    use deepbelief_kernels::cuda::{GpuRbm, OnGpu};
    Ok(Box::new(phases.copied::<GpuRbm>(&OnGpu::new(device, precision)?)?))
}

/// There is none in this build.
#[cfg(not(feature = "cuda"))]
pub(crate) fn copied_to(device: &Device, _: Precision, _: &Phases<PackedRbm>) -> Result<Box<dyn Updates>> {
    Err(crate::Error::config("device", format!("{device:?}"), deepbelief_training::DEVICES))
}
