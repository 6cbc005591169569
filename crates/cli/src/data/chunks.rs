//! Samples some at a time.

use crate::failure::Result;
use candle_core::{Device, Tensor};
use deepbelief_data::{Binarize, Split};
use deepbelief_rbm::tensors::from_batch;

/// Samples that are passed through a model at once: bounds the memory.
pub(crate) const CHUNK: usize = 1000;

/// All samples in order, some at a time, as values [n, units] in [0, 1].
pub(crate) fn chunks(samples: &Split, binarize: Binarize, seed: u64) -> impl Iterator<Item = Result<Tensor>> {
    let n = samples.samples();
    (0..n).step_by(CHUNK).map(move |start| {
        let batch = samples.batch(start..n.min(start + CHUNK), binarize, seed)?;
        Ok(from_batch(&batch, &Device::Cpu)?)
    })
}
