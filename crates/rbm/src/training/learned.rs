//! What a state holds of an RBM in training.

use crate::error::{Result, require};
use crate::likelihood::LogZState;
use crate::model::rbm::Rbm;
use crate::sampling::state::SamplerState;
use crate::training::config::{Sampler, TrainConfig};
use crate::training::optimizer::Optimizer;
use candle_core::Device;
use deepbelief_kernels::{Batch, Layers, Parameters};
use deepbelief_training::Position;

/// What a [`crate::TrainState`] holds of an RBM in training.
#[derive(Clone, Debug, PartialEq)]
pub struct Learned {
    pub(crate) layers: Layers,
    /// Classes of a label that is the last visible unit; 0 where there is none, or it is apart.
    pub(crate) label: usize,
    pub(crate) parameters: Parameters,
    pub(crate) velocities: Parameters,
    /// Hidden states of the persistent chains.
    pub(crate) chains: Option<Batch>,
    /// What methods remember beside these.
    pub(crate) memory: SamplerState,
    /// Where the estimate of ln Z along the training is.
    pub(crate) path: Option<LogZState>,
}

impl Learned {
    /// The RBM as it is at this point, on the CPU: where models are averaged, their mean.
    ///
    /// # Errors
    /// If the tensors cannot be made.
    pub fn rbm(&self) -> Result<Rbm> {
        let parameters = self.memory.average.as_ref().unwrap_or(&self.parameters).clone();
        let rbm = Rbm::from_parameters(&self.layers, parameters, &Device::Cpu)?;
        if self.label > 0 { rbm.with_label_apart(self.label) } else { Ok(rbm) }
    }

    /// Hidden states of the persistent chains, where there are some that are not tempered.
    #[must_use]
    pub fn chains(&self) -> Option<&Batch> {
        self.chains.as_ref()
    }

    /// Refuses to go on by other methods than those that got here.
    pub(crate) fn require_methods(&self, config: &TrainConfig, at: &Position) -> Result<()> {
        // Before the first update there is nothing to go on with.
        if at.step == 0 {
            return Ok(());
        }
        let SamplerState { offsets, fast, average, ladders, trajectory, adam, .. } = &self.memory;
        let by_adam = config.optimizer == Optimizer::Adam;
        let fits = |temperatures: usize| match (ladders, trajectory) {
            (Some(ladders), _) => ladders.betas.len() == temperatures,
            // Models at most: there may be more to come.
            (None, Some(trajectory)) => trajectory.models.len() <= temperatures,
            (None, None) => true,
        };
        let persistent = self.chains.as_ref().map_or(0, Batch::rows);
        let (sampler, chains) = match (trajectory, ladders, fast, persistent) {
            (Some(models), ..) => (Sampler::Trajectory, models.chains.first().map_or(0, |chains| chains.0.rows())),
            (None, Some(ladders), ..) => (Sampler::Tempered, ladders.rungs.len() / ladders.betas.len()),
            (None, None, Some(_), chains) => (Sampler::Fast, chains),
            (None, None, None, chains) => (Sampler::Gibbs, chains),
        };
        let same = [
            ("persistent_chains", config.persistent_chains.to_string(), chains == config.persistent_chains),
            ("sampler", format!("{:?}", config.sampler), sampler == config.sampler),
            ("temperatures", config.temperatures.to_string(), fits(config.temperatures)),
            ("centred", config.centred.to_string(), offsets.is_some() == config.centred),
            ("optimizer", format!("{:?}", config.optimizer), adam.is_some() == by_adam),
            ("averaging", config.averaging.to_string(), average.is_some() == (config.averaging > 0.0)),
        ];
        same.into_iter()
            .try_for_each(|(name, got, same)| require(same, name, got, "what it was when the training started"))
    }

    /// Visible and hidden columns, without labels.
    #[must_use]
    pub fn sizes(&self) -> (usize, usize) {
        (self.layers.visible.columns() - self.label, self.layers.hidden.columns())
    }

    /// The units of both layers, without labels.
    #[must_use]
    pub fn layers(&self) -> Layers {
        self.layers.without_label(self.label)
    }
}
