//! Samples some at a time.

use crate::failure::Result;
use candle_core::{Device, Tensor};
use deepbelief_data::{Binarize, Split};
use deepbelief_kernels::Batch;
use deepbelief_rbm::Units;
use deepbelief_rbm::to_tensor;

/// Samples that are passed through a model at once: bounds the memory.
pub(crate) const CHUNK: usize = 1000;

/// A batch of samples of these units, as a tensor on the CPU.
pub(crate) fn tensor(batch: &Batch, units: &Units) -> Result<Tensor> {
    let mut values = batch.to_values();
    to_tensor(units, &mut values);
    Ok(Tensor::from_vec(values, (batch.rows(), batch.units()), &Device::Cpu)?)
}

/// All samples in order, some at a time, as values [n, units].
pub(crate) fn chunks(samples: &Split, binarize: Binarize, seed: u64) -> impl Iterator<Item = Result<Tensor>> {
    chunks_of(samples, samples.layer().clone(), binarize, seed)
}

/// The same of samples that are taken for these units.
pub(crate) fn chunks_of(
    samples: &Split,
    units: Units,
    binarize: Binarize,
    seed: u64,
) -> impl Iterator<Item = Result<Tensor>> {
    (0..count_of(samples)).map(move |chunk| chunk_of(samples, &units, binarize, seed, chunk))
}

/// How many chunks samples have.
pub(crate) fn count_of(samples: &Split) -> usize {
    samples.samples().div_ceil(CHUNK)
}

/// One of them, from 0.
pub(crate) fn chunk_of(samples: &Split, units: &Units, binarize: Binarize, seed: u64, chunk: usize) -> Result<Tensor> {
    let rows = CHUNK * chunk..samples.samples().min(CHUNK * (chunk + 1));
    tensor(&samples.batch(rows, binarize, seed)?, units)
}

/// How grey values become binary, in words; nothing of units that are not Bernoulli, whose values stay.
pub(crate) fn binarisation(units: &Units, how: Binarize) -> String {
    if units.is_bernoulli() { format!("; binarisation {how}") } else { String::new() }
}
