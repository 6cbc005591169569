//! Which [`Learner`] an RBM takes: by its hidden units, and by the device where it is.

use crate::error::Result;
use crate::model::hidden_units::HiddenUnits;
use crate::model::rbm::Rbm;
use crate::training::cd::Velocity;
use crate::training::config::TrainConfig;
use crate::training::engine_learner::EngineLearner;
use crate::training::imputed::Imputed;
use crate::training::learned::Learned;
use crate::training::learner::Learner;
use crate::training::tensor_learner::TensorLearner;
use candle_core::Device;
#[cfg(feature = "cuda")]
use deepbelief_kernels::cuda::{GpuRbm, OnGpu};
use deepbelief_kernels::{Cpu, Engine, Layers, PackedRbm};

/// The form for the hidden units of `rbm` and the device it is on, at rest.
pub(crate) fn start(rbm: &Rbm, config: &TrainConfig) -> Result<Box<dyn Learner>> {
    let (visible, hidden, parameters) = (rbm.visible(), rbm.hidden(), rbm.to_parameters()?);
    let device = rbm.w_rec().device();
    config.validate_on(device, rbm.hidden_units())?;
    Ok(match rbm.hidden_units() {
        #[cfg(feature = "cuda")]
        HiddenUnits::Bernoulli if device.is_cuda() => {
            let place = OnGpu::new(device, config.precision)?;
            Box::new(EngineLearner::start(GpuRbm::at(&place, &Layers::bernoulli(visible, hidden), &parameters)?))
        }
        HiddenUnits::Bernoulli => {
            Box::new(EngineLearner::start(PackedRbm::at(&Cpu, &Layers::bernoulli(visible, hidden), &parameters)?))
        }
        HiddenUnits::Gaussian => {
            // In F32, whatever it came as.
            let rbm = Rbm::from_parameters(visible, hidden, parameters, device)?;
            let rbm = rbm.with_hidden_units(HiddenUnits::Gaussian)?;
            let velocity = Velocity::zeros(&rbm)?;
            Box::new(TensorLearner::new(rbm, velocity, None, Imputed::default())?)
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
            let Learned { visible, hidden, hidden_units, parameters, velocities, chains, memory, .. } = state;
            let rbm = Rbm::from_parameters(visible, hidden, parameters, device)?;
            let velocity = Velocity::from_parameters(visible, hidden, velocities, device)?;
            let rbm = rbm.with_hidden_units(hidden_units)?;
            Box::new(TensorLearner::new(rbm, velocity, chains.as_ref(), memory.imputed)?)
        }
    })
}
