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
use crate::layers::{Activation, Objective};
use crate::learned::Learned;
use crate::measure::Scores;
use crate::network::Network;
use deepbelief_rbm::WrittenUnits;
use deepbelief_rbm::tensors::{self, Reader};
use deepbelief_training::{Best, PositionHeader, Score, State, Training};
use serde::{Deserialize, Serialize};
use std::path::Path;

const KIND: &str = "finetuning";

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StateHeader {
    format_version: u32,
    kind: String,
    objective: Objective,
    sizes: Vec<usize>,
    activations: Vec<Activation>,
    second: bool,
    position: PositionHeader,
    best: Option<BestHeader>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    run: Option<String>,
    /// As in the file of a network.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    visible: Option<WrittenUnits>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct BestHeader {
    epoch: u32,
    scores: Scores,
}

/// Writes a state, whole or not at all; the one before is kept (see [`deepbelief_rbm::recover`]).
pub(crate) fn save<T>(state: &State<T>, path: &Path) -> Result<()>
where
    T: Training<Learned = Learned, Model = Network>,
{
    let Learned { network, first, second, cost } = &state.learned;
    let scores = |Score { error, cost }| Scores { error: error.unwrap_or_default(), cost };
    let header = StateHeader {
        format_version: network.version(),
        kind: KIND.into(),
        objective: network.objective(),
        sizes: network.sizes(),
        activations: network.activations(),
        second: second.is_some(),
        position: PositionHeader::new(&state.position, Some(*cost)),
        best: state.best.as_ref().map(|best| BestHeader { epoch: best.epoch, scores: scores(best.score) }),
        run: state.run.clone(),
        visible: network.written_units(),
    };
    let parts = [
        ("", Some(network)),
        ("first.", Some(first)),
        ("second.", second.as_ref()),
        ("best.", state.best.as_ref().map(|best| &best.model)),
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
pub(crate) fn load<T>(path: &Path) -> Result<State<T>>
where
    T: Training<Learned = Learned, Model = Network>,
{
    let bytes = tensors::read(path)?;
    let (header, file) = Reader::open::<StateHeader>(path, &bytes, KIND)?;
    file.require_halvings(header.position.halvings)?;
    let part = |prefix| {
        let StateHeader { objective, sizes, activations, visible, .. } = &header;
        Network::from_reader(&file, prefix, *objective, sizes, activations, visible.as_ref())
    };
    let best = match header.best {
        None => None,
        Some(BestHeader { epoch, scores: Scores { error, cost } }) => {
            Some(Best { epoch, score: Score { error: Some(error), cost }, model: part("best.")? })
        }
    };
    let learned = Learned {
        network: part("")?,
        first: part("first.")?,
        second: header.second.then(|| part("second.")).transpose()?,
        cost: header.position.cost.unwrap_or_default(),
    };
    Ok(State { learned, position: header.position.position(best.as_ref()), best, run: header.run })
}
