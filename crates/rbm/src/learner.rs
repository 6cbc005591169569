//! What a trainer asks of an RBM in training, whatever form it has: on an engine for Bernoulli hidden units
//! ([`crate::engine_learner`]), of tensors for Gaussian ones ([`crate::composed`]).

use crate::cd::{Draws, Velocity};
use crate::composed::TensorLearner;
use crate::config::{Rule, Sampler, TrainConfig};
use crate::engine_learner::EngineLearner;
use crate::error::Result;
use crate::hidden::HiddenUnits;
use crate::learned::Learned;
use crate::memory::SamplerState;
use crate::rbm::Rbm;
use candle_core::Device;
#[cfg(feature = "cuda")]
use deepbelief_kernels::cuda::{GpuRbm, OnGpu};
use deepbelief_kernels::{Batch, Bits, Cpu, Engine, Measures, PackedRbm, Parameters, Uniforms};
use deepbelief_training::{Labelled, OnDivergence};

/// An RBM, its velocities and its persistent chains.
pub(crate) trait Learner: Send + Sync {
    /// One update by CD-k, or with persistent chains by PCD-k. The largest |weight| or |bias|
    /// afterwards, NaN if one is NaN; a learner on another device says so only now and then, for
    /// all updates since it last did.
    fn learn(&mut self, data: &Labelled, rule: &Rule, draws: Draws, config: &TrainConfig) -> Result<Option<f32>>;

    /// What [`Self::learn`] has not said yet.
    fn largest(&mut self) -> Result<Option<f32>> {
        Ok(None)
    }

    /// Measures the RBM on samples and, where it has a label group, their labels. Draws hidden
    /// states from `draw`, and leaves everything that training continues with untouched.
    fn measure(&mut self, samples: &Batch, labels: &[u32], draw: Uniforms) -> Result<Measured>;

    /// The RBM as it is, on the CPU.
    fn rbm(&self) -> Result<Rbm>;

    /// Remembers the weights, for [`Self::norm_and_change`].
    fn remember(&mut self) -> Result<()>;

    /// The Euclidean norms of the weights, and of their change since [`Self::remember`] was last called.
    fn norm_and_change(&self) -> Result<(f64, f64)>;

    fn parameters(&self) -> Result<Parameters>;

    fn velocities(&self) -> Result<Parameters>;

    /// Hidden states of the persistent chains, once there are any.
    fn chains(&self) -> Result<Option<Batch>>;

    /// What its methods remember beside these.
    fn memory(&self) -> Result<SamplerState> {
        Ok(SamplerState::default())
    }

    /// Share of the persistent chains' hidden units that the last update changed, where that is known.
    fn chains_moved(&self) -> Result<Option<f64>> {
        Ok(None)
    }

    /// How often the tempered chains that swap least do so; none without them.
    fn swap_rate(&self) -> Option<f64> {
        None
    }
}

/// The form for the hidden units of `rbm` and the device it is on, at rest.
pub(crate) fn start(rbm: &Rbm, config: &TrainConfig) -> Result<Box<dyn Learner>> {
    let (visible, hidden, parameters) = (rbm.visible(), rbm.hidden(), rbm.to_parameters()?);
    let device = rbm.w_rec().device();
    config.validate_on(device, rbm.hidden_units())?;
    Ok(match rbm.hidden_units() {
        #[cfg(feature = "cuda")]
        HiddenUnits::Bernoulli if device.is_cuda() => {
            let place = OnGpu::new(device, config.precision)?;
            Box::new(EngineLearner::start(GpuRbm::at(&place, visible, hidden, &parameters)?))
        }
        HiddenUnits::Bernoulli => Box::new(EngineLearner::start(PackedRbm::at(&Cpu, visible, hidden, &parameters)?)),
        HiddenUnits::Gaussian => {
            // In F32, whatever it came as.
            let rbm = Rbm::from_parameters(visible, hidden, parameters, device)?;
            let rbm = rbm.with_hidden_units(HiddenUnits::Gaussian)?;
            let velocity = Velocity::zeros(&rbm)?;
            Box::new(TensorLearner::new(rbm, velocity, None)?)
        }
    })
}

/// The form for the hidden units of a state on a device, with everything else the state holds.
pub(crate) fn resume(state: Learned, config: &TrainConfig, device: &Device) -> Result<Box<dyn Learner>> {
    config.validate_on(device, state.hidden_units)?;
    Ok(match state.hidden_units {
        #[cfg(feature = "cuda")]
        HiddenUnits::Bernoulli if device.is_cuda() => {
            let place = OnGpu::new(device, config.precision)?;
            Box::new(EngineLearner::<GpuRbm>::resume(&place, state, config)?)
        }
        HiddenUnits::Bernoulli => Box::new(EngineLearner::<PackedRbm>::resume(&Cpu, state, config)?),
        HiddenUnits::Gaussian => {
            let Learned { visible, hidden, hidden_units, parameters, velocities, chains, .. } = state;
            let rbm = Rbm::from_parameters(visible, hidden, parameters, device)?;
            let velocity = Velocity::from_parameters(visible, hidden, velocities, device)?;
            Box::new(TensorLearner::new(rbm.with_hidden_units(hidden_units)?, velocity, chains.as_ref())?)
        }
    })
}

/// Measurements of an RBM on samples.
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    /// Mean free energy, nats per sample.
    pub free_energy: f64,
    /// Mean cross-entropy between the samples v and p(v|h) for one h ~ p(h|v), nats per sample.
    pub reconstruction_cost: f64,
    /// What the hidden units do.
    pub hidden: HiddenStatistics,
    /// Share of samples whose most probable label is not theirs; `None` without a label group.
    pub label_error: Option<f64>,
}

impl From<Measures> for Measured {
    fn from(measures: Measures) -> Self {
        Self {
            free_energy: measures.free_energy,
            reconstruction_cost: measures.reconstruction_cost,
            hidden: HiddenStatistics::Activity(measures.activity),
            label_error: measures.label_error,
        }
    }
}

/// What hidden units do over samples.
#[derive(Clone, Debug, PartialEq)]
pub enum HiddenStatistics {
    /// Mean p(h = 1 | v) of each Bernoulli unit.
    Activity(Vec<f64>),
    /// Standard deviation of E\[h | v\] of each Gaussian unit.
    Spread(Vec<f64>),
}

/// Chains of Bernoulli units as they are packed.
pub(crate) fn binary(chains: Batch) -> Bits {
    match chains {
        Batch::Binary(bits) => bits,
        Batch::Real { rows, units, values } => Bits::from_values(rows, units, &values),
    }
}

/// Bytes a trainer holds for these sizes and batches of `batch_size` samples, on top of the
/// data.
#[must_use]
pub fn peak_memory(visible: usize, hidden: usize, units: HiddenUnits, batch_size: usize, config: &TrainConfig) -> u64 {
    let chains = config.persistent_chains.max(batch_size);
    let weights = 4 * visible as u64 * hidden as u64;
    // Sets of parameters that a state holds, each of which exists four times while it is written: weights and
    // velocities, those of methods, the best model, and all once more where an epoch may be begun anew.
    let mut sets = 2 + u64::from(config.averaging > 0.0) + 2 * u64::from(config.log_z_every > 0);
    sets += match config.sampler {
        Sampler::Fast => 1,
        Sampler::Trajectory => config.temperatures as u64,
        Sampler::Gibbs | Sampler::Tempered => 0,
    };
    let again = if config.on_divergence == OnDivergence::HalveLr { sets } else { 0 };
    // And the model as it is measured, drawn and saved in the end, both ways.
    let copies = (4 * sets + 4 + again) * weights;
    let training = match units {
        HiddenUnits::Bernoulli => {
            let laddered = matches!(config.sampler, Sampler::Tempered | Sampler::Trajectory);
            let replicas = if laddered { config.temperatures * chains } else { 0 };
            // Fast weights and chains at several temperatures have weights both ways of their own, the mean
            // of the models and the gradient one way more.
            let more = [
                (config.sampler != Sampler::Gibbs, 3),
                // Every model both ways, and as it is saved; the one that may join them.
                (config.sampler == Sampler::Trajectory, 3 * (config.temperatures as u64 + 1)),
                (config.averaging > 0.0, 3),
                (config.centred || config.sampler == Sampler::Fast, 1),
                // Two models of a path in both directions, and both its ends.
                (config.log_z_every > 0, 7),
            ];
            let more: u64 = more.iter().filter(|(in_use, _)| *in_use).map(|(_, copies)| copies * weights).sum();
            PackedRbm::bytes(visible, hidden, chains + replicas) + more
        }
        // The weights both ways before and after an update, their velocities, two gradients and what
        // lies between; of each layer's units inputs, means and states in both phases.
        HiddenUnits::Gaussian => 10 * weights + 4 * 2 * 5 * chains as u64 * (visible + hidden) as u64,
    };
    training + copies
}
