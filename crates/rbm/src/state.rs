//! The state of a training: what a resume needs and a model does not.
//!
//! One safetensors file that is sufficient by itself (weights included), so that no moment
//! between two writes can leave a run that cannot continue.

use crate::error::Result;
use crate::hidden::HiddenUnits;
use crate::rbm::Rbm;
use crate::stopping::Stopping;
use crate::tensors::{self, FORMAT_VERSION, Reader};
use crate::trainer::Position;
use candle_core::{Device, Tensor};
use deepbelief_kernels::{Batch, Bits, MAX_UNITS, Parameters};
use serde::{Deserialize, Serialize};
use std::path::Path;

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

    /// The RBM as it is at this point, on the CPU.
    ///
    /// # Errors
    /// If the tensors cannot be made.
    pub fn rbm(&self) -> Result<Rbm> {
        let rbm = Rbm::from_parameters(self.visible, self.hidden, self.parameters.clone(), &Device::Cpu)?;
        rbm.with_hidden_units(self.hidden_units)
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
    };
    let mut tensors = Vec::new();
    let mut push = |name: String, shape: &[usize], values: &[f32]| -> Result<()> {
        tensors.push((name, Tensor::from_slice(values, shape, &Device::Cpu)?));
        Ok(())
    };
    for (prefix, p) in [("", &state.parameters), ("velocity.", &state.velocities)] {
        push(format!("{prefix}w_rec"), &[v, h], &p.w_rec)?;
        push(format!("{prefix}hb"), &[h], &p.hb)?;
        push(format!("{prefix}vb"), &[v], &p.vb)?;
        if classes > 0 {
            push(format!("{prefix}label_w"), &[classes, h], &p.label_w)?;
            push(format!("{prefix}label_b"), &[classes], &p.label_b)?;
        }
    }
    if let Some(chains) = &state.chains {
        push("chains".into(), &[chains.rows(), h], &chains.to_values())?;
    }
    tensors::write_state(path, &header, &tensors)
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
    let parameters = |prefix: &str| -> Result<Parameters> {
        let get = |name: &str, shape: &[usize]| file.values(&format!("{prefix}{name}"), shape);
        let (label_w, label_b) = match header.classes {
            0 => Default::default(),
            classes => (get("label_w", &[classes, h])?, get("label_b", &[classes])?),
        };
        Ok(Parameters { w_rec: get("w_rec", &[v, h])?, hb: get("hb", &[h])?, vb: get("vb", &[v])?, label_w, label_b })
    };
    let chains = match header.chains {
        0 => None,
        n => Some(chains(header.hidden_units, n, h, file.values("chains", &[n, h])?)),
    };
    Ok(TrainState {
        visible: v,
        hidden: h,
        hidden_units: header.hidden_units,
        parameters: parameters("")?,
        velocities: parameters("velocity.")?,
        chains,
        position: Position { epoch: header.epoch, batch: header.batch, step: header.step, stopping: header.stopping },
    })
}

/// Hidden states of `rows` chains.
fn chains(hidden_units: HiddenUnits, rows: usize, units: usize, values: Vec<f32>) -> Batch {
    match hidden_units {
        HiddenUnits::Bernoulli => Batch::Binary(Bits::from_values(rows, units, &values)),
        HiddenUnits::Gaussian => Batch::Real { rows, units, values },
    }
}
