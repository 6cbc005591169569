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
use crate::learned::Learned;
use crate::up_down::{Best, TuneState};
use candle_core::{Device, Tensor};
use deepbelief_kernels::Bits;
use deepbelief_rbm::tensors::{self, Reader};
use deepbelief_rbm::{FORMAT_VERSION, NEWEST_VERSION, WrittenUnits};
use deepbelief_stack::{Dbn, ListedUnits};
use deepbelief_training::{PositionHeader, Score};
use serde::{Deserialize, Serialize};
use std::path::Path;

const KIND: &str = "tuning";

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StateHeader {
    format_version: u32,
    kind: String,
    sizes: Vec<usize>,
    classes: usize,
    chains: usize,
    position: PositionHeader,
    best: Option<BestHeader>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    run: Option<String>,
    /// In version 2, as in the checkpoint of a deep belief net.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    visible: Option<WrittenUnits>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    hidden: Option<WrittenUnits>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct BestHeader {
    epoch: u32,
    label_error: Option<f64>,
    variational_cost: f64,
}

/// Writes a state, whole or not at all; the one before is kept (see [`deepbelief_rbm::recover`]).
pub(crate) fn save(state: &TuneState, path: &Path) -> Result<()> {
    let Learned { dbn, velocities, chains } = &state.learned;
    let listed = dbn.listed_units();
    let [visible, hidden] = listed.as_ref().map_or([None, None], |listed| listed.written().map(Some));
    let header = StateHeader {
        format_version: if listed.is_some() { NEWEST_VERSION } else { FORMAT_VERSION },
        kind: KIND.into(),
        sizes: dbn.sizes(),
        classes: dbn.classes(),
        chains: chains.as_ref().map_or(0, Bits::rows),
        position: PositionHeader::new(&state.position, None),
        best: state.best.as_ref().map(|best| BestHeader {
            epoch: best.epoch,
            label_error: best.score.error,
            variational_cost: best.score.cost,
        }),
        run: state.run.clone(),
        visible,
        hidden,
    };
    let mut tensors = dbn.named_tensors("");
    tensors.extend(velocities.named_tensors("velocity."));
    tensors.extend(state.best.iter().flat_map(|best| best.model.named_tensors("best.")));
    if let Some(chains) = chains {
        let shape = (chains.rows(), chains.units());
        tensors.push(("chains".into(), Tensor::from_vec(chains.to_values(), shape, &Device::Cpu)?));
    }
    Ok(tensors::write_state(path, &header, &tensors)?)
}

/// Reads a state.
pub(crate) fn load(path: &Path) -> Result<TuneState> {
    let bytes = tensors::read(path)?;
    let (header, file) = Reader::open::<StateHeader>(path, &bytes, KIND)?;
    file.require_halvings(header.position.halvings)?;
    let listed = ListedUnits::read(&file, header.visible.as_ref(), header.hidden.as_ref(), &header.sizes)?;
    let model = |prefix| Dbn::from_reader(&file, prefix, &header.sizes, header.classes, listed.as_ref(), &Device::Cpu);
    let dbn = model("")?;
    let hidden = dbn.top().hidden();
    let chains = match header.chains {
        0 => None,
        n => Some(Bits::from_values(n, hidden, &file.values("chains", &[n, hidden])?)),
    };
    let best = match header.best {
        None => None,
        Some(BestHeader { epoch, label_error, variational_cost }) => {
            let score = Score { error: label_error, cost: variational_cost };
            Some(Best { epoch, score, model: model("best.")? })
        }
    };
    let learned = Learned { dbn, velocities: model("velocity.")?, chains };
    Ok(TuneState { learned, position: header.position.position(best.as_ref()), best, run: header.run })
}
