//! Which [`Learner`] an RBM takes: by its units, and by the device where it is.

use crate::error::Result;
use crate::model::rbm::Rbm;
use crate::training::config::TrainConfig;
use crate::training::engine_learner::EngineLearner;
use crate::training::exact_learner::ExactLearner;
use crate::training::imputed::Imputed;
use crate::training::learned::Learned;
use crate::training::learner::Learner;
use crate::training::sums::Sums;
use crate::training::tensor_learner::TensorLearner;
use crate::training::unit_gaussians::over_bernoulli;
use crate::training::velocity::Velocity;
use candle_core::Device;
#[cfg(feature = "cuda")]
use deepbelief_kernels::cuda::{GpuRbm, OnGpu};
use deepbelief_kernels::{Cpu, Descent, Engine, Layers, PackedRbm, Summable, TypedRbm};

/// Whether the engine for units of any kinds takes it. Bernoulli units under Gaussian ones alone train on tensors, as
/// they always have, unless something is asked for that only engines have; so does all that is not Bernoulli on a GPU.
/// Adam and the L1b cost are this engine's alone.
pub(crate) fn is_typed(device: &Device, layers: &Layers, config: &TrainConfig) -> bool {
    device.is_cpu() && (!is_plain(config) || !layers.are_bernoulli() && !on_tensors(layers, config))
}

/// Whether an RBM with these units trains on tensors wherever it is.
pub(crate) fn on_tensors(layers: &Layers, config: &TrainConfig) -> bool {
    over_bernoulli(layers) && config.asks_for_an_engine().is_none() && is_plain(config)
}

/// Whether the label of an RBM with these units trains as one of its visible units. The engine for Bernoulli units keeps
/// it apart.
pub(crate) fn label_is_a_unit(layers: &Layers, config: &TrainConfig) -> bool {
    !layers.are_bernoulli() || !is_plain(config)
}

/// Whether steps are taken by momentum, and without the L1b cost.
fn is_plain(config: &TrainConfig) -> bool {
    config.descent() == Descent::default()
}

/// The form for the units of `rbm` and the device it is on, at rest.
pub(crate) fn start(rbm: &Rbm, config: &TrainConfig) -> Result<Box<dyn Learner>> {
    let (layers, parameters, device) = (rbm.layers(), rbm.to_parameters()?, rbm.w_rec().device());
    config.validate_on(device, layers)?;
    if is_typed(device, layers, config) {
        let mut machine = TypedRbm::at(&Cpu, layers, &parameters)?;
        machine.set_descent(&config.descent());
        return Ok(on_engine(EngineLearner::start(machine), config));
    }
    if !layers.are_bernoulli() {
        // In F32, whatever it came as.
        let rbm = Rbm::from_parameters(layers, parameters, device)?;
        let velocity = Velocity::zeros(&rbm)?;
        return Ok(Box::new(TensorLearner::new(rbm, velocity, None, Imputed::default())?));
    }
    #[cfg(feature = "cuda")]
    if device.is_cuda() {
        let place = OnGpu::new(device, config.precision)?;
        return Ok(Box::new(EngineLearner::start(GpuRbm::at(&place, layers, &parameters)?)));
    }
    Ok(on_engine(EngineLearner::start(PackedRbm::at(&Cpu, layers, &parameters)?), config))
}

/// The rule on an engine, with the sums that are asked for.
fn on_engine<E: Engine<Statistics: Summable> + 'static>(
    learner: EngineLearner<E>,
    config: &TrainConfig,
) -> Box<dyn Learner> {
    match config.sums {
        Sums::Float => Box::new(learner),
        Sums::Exact => Box::new(ExactLearner::new(learner)),
    }
}

/// The form for the units of a state on a device, with everything else the state holds.
pub(crate) fn resume(state: Learned, config: &TrainConfig, device: &Device) -> Result<Box<dyn Learner>> {
    config.validate_on(device, &state.layers)?;
    if is_typed(device, &state.layers, config) {
        return Ok(on_engine(EngineLearner::<TypedRbm>::resume(&Cpu, state, config)?, config));
    }
    if !state.layers.are_bernoulli() {
        let Learned { layers, parameters, velocities, chains, memory, .. } = state;
        let rbm = Rbm::from_parameters(&layers, parameters, device)?;
        let velocity = Velocity::from_parameters(&layers, velocities, device)?;
        return Ok(Box::new(TensorLearner::new(rbm, velocity, chains.as_ref(), memory.imputed)?));
    }
    #[cfg(feature = "cuda")]
    if device.is_cuda() {
        let place = OnGpu::new(device, config.precision)?;
        return Ok(Box::new(EngineLearner::<GpuRbm>::resume(&place, state, config)?));
    }
    Ok(on_engine(EngineLearner::<PackedRbm>::resume(&Cpu, state, config)?, config))
}
