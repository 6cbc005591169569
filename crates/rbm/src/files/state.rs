//! The file of a training's state: what a resume needs and a model does not.
//!
//! One safetensors file that is sufficient by itself (weights included), so that no moment
//! between two writes can leave a run that cannot continue.

use crate::error::Result;
use crate::files::format::FORMAT_VERSION;
use crate::files::sampler_state::{Parts, StateEntry, Tensors};
use crate::files::tensors::{self, Reader};
use crate::model::hidden_units::HiddenUnits;
use crate::model::rbm::Rbm;
use crate::model::sizes::Sizes;
use crate::training::contrastive::{Best, TrainState};
use crate::training::learned::Learned;
use candle_core::Device;
use deepbelief_kernels::{Batch, Bits, MAX_UNITS};
use deepbelief_training::{Position, Score, Stopping};
use serde::{Deserialize, Serialize};
use std::path::Path;

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
    #[serde(default, skip_serializing_if = "is_zero")]
    halvings: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    run: Option<String>,
    #[serde(default, skip_serializing_if = "StateEntry::is_empty")]
    contents: StateEntry,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    best: Option<BestHeader>,
}

/// What came later is left out where it says nothing: a state is then the same file as before.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks by reference")]
fn is_zero(halvings: &u32) -> bool {
    *halvings == 0
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct BestHeader {
    epoch: u32,
    log_likelihood: f64,
}

/// Writes a state, whole or not at all; the one before is kept (see [`crate::recover`]).
pub(crate) fn save(path: &Path, state: &TrainState) -> Result<()> {
    let (learned, at) = (&state.learned, state.position);
    let (v, h) = (learned.visible, learned.hidden);
    let chains = learned.chains.as_ref().map_or(0, Batch::rows);
    let classes = learned.parameters.label_b.len();
    let header = StateHeader {
        format_version: FORMAT_VERSION,
        kind: KIND.into(),
        visible: v,
        hidden: h,
        hidden_units: learned.hidden_units,
        classes,
        chains,
        epoch: at.epoch,
        batch: at.batch,
        step: at.step,
        stopping: at.stopping,
        halvings: at.halvings,
        run: state.run.clone(),
        contents: StateEntry::default(),
        best: state.best.as_ref().map(|&Best { epoch, score, .. }| BestHeader { epoch, log_likelihood: -score.cost }),
    };
    let sizes = Sizes { visible: v, hidden: h, classes };
    let mut tensors = Tensors(Vec::new());
    tensors.push_parameters("", sizes, &learned.parameters)?;
    tensors.push_parameters("velocity.", sizes, &learned.velocities)?;
    if let Some(best) = &state.best {
        tensors.push_parameters("best.", sizes, &best.model.to_parameters()?)?;
    }
    if let Some(chains) = &learned.chains {
        tensors.push("chains", &[chains.rows(), h], &chains.to_values())?;
    }
    let header =
        StateHeader { contents: tensors.push_memory(sizes, &learned.memory, learned.path.as_ref())?, ..header };
    tensors::write_state(path, &header, &tensors.0)
}

/// Reads a state.
pub(crate) fn load(path: &Path) -> Result<TrainState> {
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
        let model = Rbm::from_parameters(v, h, parts.parameters("best.")?, &Device::Cpu)?;
        Ok(Best { epoch, score: Score::of_cost(-log_likelihood), model })
    });
    let learned = Learned {
        visible: v,
        hidden: h,
        hidden_units: header.hidden_units,
        parameters: parts.parameters("")?,
        velocities: parts.parameters("velocity.")?,
        chains,
        memory,
        path: along,
    };
    let StateHeader { epoch, batch, step, stopping, halvings, run, .. } = header;
    let position = Position { started: false, epoch, batch, step, stopping, halvings };
    Ok(TrainState { learned, position, best: best.transpose()?, run })
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
    use crate::{RbmConfig, TrainConfig, Trainer};
    use candle_core::Device;

    /// What no training writes, but a file may say.
    #[test]
    fn halvings_that_no_training_makes_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.safetensors");
        let rbm = Rbm::new(&RbmConfig::default(), &[0.5; 3], &Device::Cpu).unwrap();
        let state = Trainer::new(&rbm, TrainConfig::default()).unwrap().snapshot().state().unwrap();
        let said = |position: Position| {
            save(&path, &TrainState { position, ..state.clone() }).unwrap();
            load(&path).map(|state| state.position).map_err(|error| error.to_string())
        };
        let most = Position { halvings: 10, ..state.position };
        assert_eq!(said(most), Ok(most));
        let error = said(Position { halvings: 11, ..most }).unwrap_err();
        assert!(error.contains("has learning rates that were halved 11 times"), "{error}");
    }
}
