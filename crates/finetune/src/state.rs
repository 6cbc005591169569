//! The state of a training: what a resume needs and a network does not.
//!
//! One safetensors file that is sufficient by itself:
//!
//! | tensors | hold |
//! |---|---|
//! | as in the file of a network | the network |
//! | the same behind `first.` | mean gradients or velocities, in the shape of the network |
//! | the same behind `second.` | mean squares of gradients, with Adam |
//! | the same behind `best.` | the best network so far, if validation data say which |

use crate::error::Result;
use crate::measure::Scores;
use crate::network::{Activation, Network, Objective};
use deepbelief_rbm::tensors::{self, Reader};
use deepbelief_rbm::{FORMAT_VERSION, is_default};
use serde::{Deserialize, Serialize};
use std::path::Path;

const KIND: &str = "finetuning";

/// The best network so far, by its error on the validation data, and among equals by its cost.
#[derive(Clone, Debug)]
pub struct Best {
    /// The epoch it is from; 0 before the first.
    pub epoch: u32,
    /// How good it is on the validation data.
    pub scores: Scores,
    /// The network.
    pub network: Network,
}

/// Where a training is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Position {
    /// Whether the network was measured before the first update.
    pub(crate) started: bool,
    /// Epochs done.
    pub(crate) epoch: u32,
    /// Batches done in the running epoch.
    pub(crate) batch: usize,
    /// Updates done.
    pub(crate) step: u32,
    /// Cost of the running epoch's samples, summed.
    pub(crate) cost: f64,
    /// Epochs in a row that count against `patience`.
    pub(crate) stale_epochs: u32,
    /// How often the learning rate was halved after a divergence.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(crate) halvings: u32,
}

/// Everything that [`crate::Finetuner::resume`] continues from.
#[derive(Clone, Debug)]
pub struct FinetuneState {
    pub(crate) network: Network,
    /// In the shape of a network; `second` of Adam alone.
    pub(crate) first: Network,
    pub(crate) second: Option<Network>,
    pub(crate) position: Position,
    pub(crate) best: Option<Best>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StateHeader {
    format_version: u32,
    kind: String,
    objective: Objective,
    sizes: Vec<usize>,
    activations: Vec<Activation>,
    second: bool,
    position: Position,
    best: Option<BestHeader>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct BestHeader {
    epoch: u32,
    scores: Scores,
}

impl FinetuneState {
    /// Units of every layer, from the visible ones to the outputs.
    #[must_use]
    pub fn sizes(&self) -> Vec<usize> {
        self.network.sizes()
    }

    /// Epochs done.
    #[must_use]
    pub fn epochs_done(&self) -> u32 {
        self.position.epoch
    }

    /// The epoch that was measured last: 0 is the network before the training, none not even that.
    #[must_use]
    pub fn measured(&self) -> Option<u32> {
        self.position.started.then_some(self.position.epoch)
    }

    /// The network as it is at this point.
    #[must_use]
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// Writes the state, whole or not at all; the one before is kept (see [`deepbelief_rbm::recover`]).
    ///
    /// # Errors
    /// [`deepbelief_rbm::Error::Io`] if the file cannot be written.
    pub fn save(&self, path: &Path) -> Result<()> {
        let header = StateHeader {
            format_version: FORMAT_VERSION,
            kind: KIND.into(),
            objective: self.network.objective(),
            sizes: self.network.sizes(),
            activations: self.network.activations(),
            second: self.second.is_some(),
            position: self.position,
            best: self.best.as_ref().map(|best| BestHeader { epoch: best.epoch, scores: best.scores }),
        };
        let parts = [
            ("", Some(&self.network)),
            ("first.", Some(&self.first)),
            ("second.", self.second.as_ref()),
            ("best.", self.best.as_ref().map(|best| &best.network)),
        ];
        let mut tensors = Vec::new();
        for (prefix, part) in parts {
            if let Some(part) = part {
                tensors.extend(part.named_tensors(prefix)?);
            }
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
        let part = |prefix| Network::from_reader(&file, prefix, header.objective, &header.sizes, &header.activations);
        let best = match header.best {
            None => None,
            Some(BestHeader { epoch, scores }) => Some(Best { epoch, scores, network: part("best.")? }),
        };
        Ok(Self {
            network: part("")?,
            first: part("first.")?,
            second: header.second.then(|| part("second.")).transpose()?,
            position: header.position,
            best,
        })
    }
}
