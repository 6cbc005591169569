//! The state of a training: what a resume needs and a model does not.
//!
//! One safetensors file that is sufficient by itself (weights included), so that no moment
//! between two writes can leave a run that cannot continue.

use crate::config::{Sampler, TrainConfig, is_default};
use crate::error::{Result, require};
use crate::hidden::HiddenUnits;
use crate::likelihood::PathState;
use crate::memory::{Contents, Memory, Parts, Sizes, Tensors};
use crate::rbm::Rbm;
use crate::stopping::Stopping;
use crate::tensors::{self, FORMAT_VERSION, Reader};
use crate::trainer::Position;
use candle_core::Device;
use deepbelief_kernels::{Batch, Bits, MAX_UNITS, Parameters};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// The best model so far: of those epochs that have an estimate of ln Z
/// ([`TrainConfig::log_z_every`]), the one in which validation samples were most probable.
#[derive(Clone, Debug, PartialEq)]
pub struct Best {
    /// The epoch that it is from.
    pub epoch: u32,
    /// Mean ln p(v) of the validation samples, as estimated along the training.
    pub log_likelihood: f64,
    pub(crate) parameters: Parameters,
}

impl Best {
    /// The model, on the CPU.
    ///
    /// # Errors
    /// If the tensors cannot be made.
    pub fn rbm(&self) -> Result<Rbm> {
        let parameters = self.parameters.clone();
        Rbm::from_parameters(parameters.vb.len(), parameters.hb.len(), parameters, &Device::Cpu)
    }
}

/// Everything that [`crate::Trainer::resume`] continues from.
#[derive(Clone, Debug, PartialEq)]
pub struct TrainState {
    pub(crate) visible: usize,
    pub(crate) hidden: usize,
    pub(crate) hidden_units: HiddenUnits,
    pub(crate) parameters: Parameters,
    pub(crate) velocities: Parameters,
    /// Hidden states of the persistent chains.
    pub(crate) chains: Option<Batch>,
    /// What methods remember beside these.
    pub(crate) memory: Memory,
    /// Where the estimate of ln Z along the training is.
    pub(crate) path: Option<PathState>,
    pub(crate) best: Option<Best>,
    pub(crate) position: Position,
}

impl TrainState {
    /// Epochs done.
    #[must_use]
    pub fn epochs_done(&self) -> u32 {
        self.position.epoch
    }

    /// Batches done in the running epoch.
    #[must_use]
    pub fn batches_done(&self) -> usize {
        self.position.batch
    }

    /// Whether a stopping rule ended the training at this point: what continues from here ends at
    /// once, as the training that was saved did.
    #[must_use]
    pub fn is_converged(&self) -> bool {
        self.position.stopping.met
    }

    /// The RBM as it is at this point, on the CPU: where models are averaged, their mean.
    ///
    /// # Errors
    /// If the tensors cannot be made.
    pub fn rbm(&self) -> Result<Rbm> {
        let parameters = self.memory.average.as_ref().unwrap_or(&self.parameters).clone();
        let rbm = Rbm::from_parameters(self.visible, self.hidden, parameters, &Device::Cpu)?;
        rbm.with_hidden_units(self.hidden_units)
    }

    /// Refuses to go on by other methods than those that got here.
    pub(crate) fn require_methods(&self, config: &TrainConfig) -> Result<()> {
        // Before the first update there is nothing to go on with.
        if self.position.step == 0 {
            return Ok(());
        }
        let Memory { offsets, fast, average, ladders, trajectory } = &self.memory;
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
            ("averaging", config.averaging.to_string(), average.is_some() == (config.averaging > 0.0)),
        ];
        same.into_iter()
            .try_for_each(|(name, got, same)| require(same, name, got, "what it was when the training started"))
    }

    /// Visible and hidden units.
    #[must_use]
    pub fn sizes(&self) -> (usize, usize) {
        (self.visible, self.hidden)
    }

    /// Type of the hidden units.
    #[must_use]
    pub fn hidden_units(&self) -> HiddenUnits {
        self.hidden_units
    }
}

/// Kind of file.
const KIND: &str = "rbm-training";

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StateHeader {
    format_version: u32,
    kind: String,
    visible: usize,
    hidden: usize,
    #[serde(default, skip_serializing_if = "HiddenUnits::is_bernoulli")]
    hidden_units: HiddenUnits,
    classes: usize,
    chains: usize,
    epoch: u32,
    batch: usize,
    step: u32,
    stopping: Stopping,
    #[serde(default, skip_serializing_if = "is_default")]
    halvings: u32,
    #[serde(default, skip_serializing_if = "Contents::is_empty")]
    contents: Contents,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    best: Option<BestHeader>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct BestHeader {
    epoch: u32,
    log_likelihood: f64,
}

/// Writes a state, whole or not at all; the one before is kept (see [`crate::recover`]).
///
/// # Errors
/// [`crate::Error::Io`] if the file cannot be written.
pub fn save_state(path: &Path, state: &TrainState) -> Result<()> {
    let (v, h, at) = (state.visible, state.hidden, state.position);
    let chains = state.chains.as_ref().map_or(0, Batch::rows);
    let classes = state.parameters.label_b.len();
    let header = StateHeader {
        format_version: FORMAT_VERSION,
        kind: KIND.into(),
        visible: v,
        hidden: h,
        hidden_units: state.hidden_units,
        classes,
        chains,
        epoch: at.epoch,
        batch: at.batch,
        step: at.step,
        stopping: at.stopping,
        halvings: at.halvings,
        contents: Contents::default(),
        best: state.best.as_ref().map(|&Best { epoch, log_likelihood, .. }| BestHeader { epoch, log_likelihood }),
    };
    let sizes = Sizes { visible: v, hidden: h, classes };
    let mut tensors = Tensors(Vec::new());
    tensors.push_parameters("", sizes, &state.parameters)?;
    tensors.push_parameters("velocity.", sizes, &state.velocities)?;
    if let Some(best) = &state.best {
        tensors.push_parameters("best.", sizes, &best.parameters)?;
    }
    if let Some(chains) = &state.chains {
        tensors.push("chains", &[chains.rows(), h], &chains.to_values())?;
    }
    let header = StateHeader { contents: tensors.push_memory(sizes, &state.memory, state.path.as_ref())?, ..header };
    tensors::write_state(path, &header, &tensors.0)
}

/// Reads a state.
///
/// # Errors
/// [`crate::Error::Io`] if the file cannot be read; [`crate::Error::Checkpoint`] names what is
/// wrong with it.
pub fn load_state(path: &Path) -> Result<TrainState> {
    let bytes = tensors::read(path)?;
    let (header, file) = Reader::open::<StateHeader>(path, &bytes, KIND)?;
    let (v, h) = (header.visible, header.hidden);
    if v > MAX_UNITS || h > MAX_UNITS {
        file.refuse("has more units than this program supports".into())?;
    }
    file.require_halvings(header.halvings)?;
    let parts = Parts { file: &file, sizes: Sizes { visible: v, hidden: h, classes: header.classes } };
    let chains = match header.chains {
        0 => None,
        n => Some(chains(header.hidden_units, n, h, file.values("chains", &[n, h])?)),
    };
    let (memory, along) = parts.memory(&header.contents)?;
    let best = header.best.map(|BestHeader { epoch, log_likelihood }| -> Result<Best> {
        Ok(Best { epoch, log_likelihood, parameters: parts.parameters("best.")? })
    });
    Ok(TrainState {
        visible: v,
        hidden: h,
        hidden_units: header.hidden_units,
        parameters: parts.parameters("")?,
        velocities: parts.parameters("velocity.")?,
        chains,
        memory,
        path: along,
        best: best.transpose()?,
        position: Position {
            epoch: header.epoch,
            batch: header.batch,
            step: header.step,
            stopping: header.stopping,
            halvings: header.halvings,
        },
    })
}

/// Hidden states of `rows` chains.
fn chains(hidden_units: HiddenUnits, rows: usize, units: usize, values: Vec<f32>) -> Batch {
    match hidden_units {
        HiddenUnits::Bernoulli => Batch::Binary(Bits::from_values(rows, units, &values)),
        HiddenUnits::Gaussian => Batch::Real { rows, units, values },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{RbmConfig, Trainer};
    use candle_core::Device;

    /// What no training writes, but a file may say.
    #[test]
    fn halvings_that_no_training_makes_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.safetensors");
        let rbm = Rbm::new(&RbmConfig::default(), &[0.5; 3], &Device::Cpu).unwrap();
        let state = Trainer::new(&rbm, TrainConfig::default()).unwrap().snapshot().state().unwrap();
        let said = |position: Position| {
            save_state(&path, &TrainState { position, ..state.clone() }).unwrap();
            load_state(&path).map(|state| state.position).map_err(|error| error.to_string())
        };
        let most = Position { halvings: 10, ..state.position };
        assert_eq!(said(most), Ok(most));
        let error = said(Position { halvings: 11, ..most }).unwrap_err();
        assert!(error.contains("has learning rates that were halved 11 times"), "{error}");
    }
}
