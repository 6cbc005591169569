//! Samples as a model takes them.

use super::checkpoint::Model;
use crate::data::chunks::chunks_of;
use crate::failure::Result;
use candle_core::Tensor;
use deepbelief_data::{Binarize, Split};
use deepbelief_rbm::{UnitKind, Units};

/// All samples in order, some at a time. To a feed-forward network spins are 0 and 1.
pub(crate) fn inputs(
    model: &Model,
    samples: &Split,
    binarize: Binarize,
    seed: u64,
) -> impl Iterator<Item = Result<Tensor>> {
    let units = match model {
        Model::Belief(_) => samples.layer().clone(),
        Model::Network(_) => Units::of(UnitKind::Bernoulli, samples.units()),
    };
    chunks_of(samples, units, binarize, seed)
}
