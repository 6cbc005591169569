//! The state of a tuning: what a resume needs and a model does not.
//!
//! One safetensors file that is sufficient by itself:
//!
//! | tensors | hold |
//! |---|---|
//! | as in the checkpoint of a deep belief net | the model |
//! | the same behind `velocity.` | the velocities that momentum keeps, in the shape of the model |
//! | the same behind `best.` | the best model so far, if validation data say which |
//! | `chains` [chains, H] | hidden states of persistent chains, if there are any yet |

use crate::error::Result;
use crate::position::Position;
use candle_core::{Device, Tensor};
use deepbelief_kernels::Bits;
use deepbelief_rbm::FORMAT_VERSION;
use deepbelief_rbm::tensors::{self, Reader};
use deepbelief_stack::Dbn;
use serde::{Deserialize, Serialize};
use std::path::Path;

const KIND: &str = "tuning";

/// The best model so far, by validation label error, or by variational cost without labels.
#[derive(Clone, Debug)]
pub struct Best {
    /// The epoch it is from; 0 before the first.
    pub epoch: u32,
    /// Share of wrong labels on the validation data; absent without a label group.
    pub label_error: Option<f64>,
    /// Variational cost on the validation data, nats per sample; decides between equal errors.
    pub variational_cost: f64,
    /// The model.
    pub dbn: Dbn,
}

/// Everything that [`crate::Tuner::resume`] continues from.
#[derive(Clone, Debug)]
pub struct TuneState {
    pub(crate) dbn: Dbn,
    pub(crate) velocities: Dbn,
    pub(crate) chains: Option<Bits>,
    pub(crate) position: Position,
    pub(crate) best: Option<Best>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StateHeader {
    format_version: u32,
    kind: String,
    sizes: Vec<usize>,
    classes: usize,
    chains: usize,
    position: Position,
    best: Option<BestHeader>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct BestHeader {
    epoch: u32,
    label_error: Option<f64>,
    variational_cost: f64,
}

impl TuneState {
    /// Epochs done.
    #[must_use]
    pub fn epochs_done(&self) -> u32 {
        self.position.epoch
    }

    /// The epoch that was measured last: 0 is the model before the training, none not even that.
    #[must_use]
    pub fn measured(&self) -> Option<u32> {
        self.position.started.then_some(self.position.epoch)
    }

    /// Batches done in the running epoch.
    #[must_use]
    pub fn batches_done(&self) -> usize {
        self.position.batch
    }

    /// Units of every layer, from the visible ones to the top.
    #[must_use]
    pub fn sizes(&self) -> Vec<usize> {
        self.dbn.sizes()
    }

    /// Writes the state, whole or not at all; the one before is kept (see [`deepbelief_rbm::recover`]).
    ///
    /// # Errors
    /// [`deepbelief_rbm::Error::Io`] if the file cannot be written.
    pub fn save(&self, path: &Path) -> Result<()> {
        let header = StateHeader {
            format_version: FORMAT_VERSION,
            kind: KIND.into(),
            sizes: self.dbn.sizes(),
            classes: self.dbn.classes(),
            chains: self.chains.as_ref().map_or(0, Bits::rows),
            position: self.position,
            best: self.best.as_ref().map(|best| BestHeader {
                epoch: best.epoch,
                label_error: best.label_error,
                variational_cost: best.variational_cost,
            }),
        };
        let mut tensors = self.dbn.named_tensors("");
        tensors.extend(self.velocities.named_tensors("velocity."));
        tensors.extend(self.best.iter().flat_map(|best| best.dbn.named_tensors("best.")));
        if let Some(chains) = &self.chains {
            let shape = (chains.rows(), chains.units());
            tensors.push(("chains".into(), Tensor::from_vec(chains.to_values(), shape, &Device::Cpu)?));
        }
        Ok(tensors::write_state(path, &header, &tensors)?)
    }

    /// Reads a state.
    ///
    /// # Errors
    /// [`deepbelief_rbm::Error::Io`] if the file cannot be read;
    /// [`deepbelief_rbm::Error::Checkpoint`] names what is wrong with it.
    pub fn load(path: &Path) -> Result<Self> {
        let bytes = tensors::read(path)?;
        let (header, file) = Reader::open::<StateHeader>(path, &bytes, KIND)?;
        file.require_halvings(header.position.halvings)?;
        let model = |prefix| Dbn::from_reader(&file, prefix, &header.sizes, header.classes, &Device::Cpu);
        let dbn = model("")?;
        let hidden = dbn.top().hidden();
        let chains = match header.chains {
            0 => None,
            n => Some(Bits::from_values(n, hidden, &file.values("chains", &[n, hidden])?)),
        };
        let best = match header.best {
            None => None,
            Some(BestHeader { epoch, label_error, variational_cost }) => {
                Some(Best { epoch, label_error, variational_cost, dbn: model("best.")? })
            }
        };
        Ok(Self { dbn, velocities: model("velocity.")?, chains, position: header.position, best })
    }
}
