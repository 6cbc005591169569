//! Samples as a model takes them.

use super::checkpoint::Model;
use crate::data::chunks::{chunk_of, chunks_of};
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
    chunks_of(samples, units(model, samples), binarize, seed)
}

/// One chunk of them.
pub(crate) fn input(model: &Model, samples: &Split, binarize: Binarize, seed: u64, chunk: usize) -> Result<Tensor> {
    chunk_of(samples, &units(model, samples), binarize, seed, chunk)
}

fn units(model: &Model, samples: &Split) -> Units {
    match model {
        Model::Belief(_) => samples.layer().clone(),
        Model::Network(_) => Units::of(UnitKind::Bernoulli, samples.units()),
    }
}
