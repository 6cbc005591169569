//! The file of a training's state: what a resume needs and a model does not.
//!
//! One safetensors file that is sufficient by itself (weights included), so that no moment
//! between two writes can leave a run that cannot continue.

use crate::error::Result;
use crate::files::format::FORMAT_VERSION;
use crate::files::sampler_state::{Form, Parts, StateEntry, Tensors};
use crate::files::tensors::{self, Reader};
use crate::files::written_units::{Side, kind_of, version};
use crate::model::rbm::Rbm;
use crate::training::contrastive::{Best, TrainState};
use crate::training::learned::Learned;
use candle_core::Device;
use deepbelief_kernels::{Batch, Bits, Layers, Segment, UnitKind};
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
    visible: Side,
    hidden: Side,
    /// Of version 1, where they are not Bernoulli.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    hidden_units: Option<String>,
    /// Of a label group, 0 without one.
    classes: usize,
    /// Classes of a label that is the last visible unit, 0 where there is none.
    #[serde(default, skip_serializing_if = "is_none")]
    label: usize,
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

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks by reference")]
fn is_none(classes: &usize) -> bool {
    *classes == 0
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
    let Layers { visible, hidden } = &learned.layers;
    let version = version(&learned.layers, &learned.parameters);
    let chains = learned.chains.as_ref().map_or(0, Batch::rows);
    let classes = learned.parameters.label_b.len();
    let header = StateHeader {
        format_version: version,
        kind: KIND.into(),
        visible: Side::of(visible, version),
        hidden: Side::of(hidden, version),
        hidden_units: (version == FORMAT_VERSION && !hidden.is_bernoulli()).then(|| kind_of(hidden).to_string()),
        classes,
        label: learned.label,
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
    let form = Form { layers: &learned.layers, classes, fields: version != FORMAT_VERSION };
    let mut tensors = Tensors { form, named: Vec::new() };
    tensors.push_parameters("", &learned.parameters)?;
    tensors.push_parameters("velocity.", &learned.velocities)?;
    if let Some(best) = &state.best {
        let parameters = best.model.to_parameters()?;
        let parameters = if learned.label > 0 { parameters.with_label_as_unit() } else { parameters };
        tensors.push_parameters("best.", &parameters)?;
    }
    if let Some(chains) = &learned.chains {
        tensors.push("chains", &[chains.rows(), hidden.columns()], &chains.to_values())?;
    }
    let header = StateHeader { contents: tensors.push_memory(&learned.memory, learned.path.as_ref())?, ..header };
    tensors::write_state(path, &header, &tensors.named)
}

/// Reads a state.
pub(crate) fn load(path: &Path) -> Result<TrainState> {
    let bytes = tensors::read(path)?;
    let (header, file) = Reader::open::<StateHeader>(path, &bytes, KIND)?;
    let of_all = header.hidden_units.as_deref().unwrap_or("bernoulli");
    let known = [UnitKind::Bernoulli, UnitKind::Gaussian];
    let units = |side: &Side, name, all| side.units(name, all, &known).or_else(|reason| file.refuse(reason));
    let layers = Layers {
        visible: units(&header.visible, "visible", "bernoulli")?,
        hidden: units(&header.hidden, "hidden", of_all)?,
    };
    if header.classes > 0 && !layers.are_bernoulli() {
        file.refuse("has a label group beside other than Bernoulli units, where the label is a unit".into())?;
    }
    let is_label = |last: &Segment| (last.units, last.levels) == (UnitKind::Categorical, header.label);
    if header.label > 0 && !layers.visible.segments().last().is_some_and(is_label) {
        file.refuse(format!("has a label of {} classes, which is not its last visible unit", header.label))?;
    }
    file.require_halvings(header.halvings)?;
    let form = Form { layers: &layers, classes: header.classes, fields: header.format_version != FORMAT_VERSION };
    let parts = Parts { file: &file, form };
    let chains = match header.chains {
        0 => None,
        rows => {
            let units = layers.hidden.columns();
            let values = file.values("chains", &[rows, units])?;
            let discrete = layers.hidden.is_discrete();
            Some(if discrete {
                Batch::Binary(Bits::from_values(rows, units, &values))
            } else {
                Batch::Real { rows, units, values }
            })
        }
    };
    let (memory, along) = parts.memory(&header.contents)?;
    let best = header.best.map(|BestHeader { epoch, log_likelihood }| -> Result<Best> {
        let parameters = parts.parameters("best.")?.with_label_apart(header.label);
        let model = Rbm::from_parameters(&layers.without_label(header.label), parameters, &Device::Cpu)?;
        Ok(Best { epoch, score: Score::of_cost(-log_likelihood), model })
    });
    let (parameters, velocities) = (parts.parameters("")?, parts.parameters("velocity.")?);
    let best = best.transpose()?;
    let label = header.label;
    let learned = Learned { layers, label, parameters, velocities, chains, memory, path: along };
    let StateHeader { epoch, batch, step, stopping, halvings, run, .. } = header;
    let position = Position { started: false, epoch, batch, step, stopping, halvings };
    Ok(TrainState { learned, position, best, run })
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
