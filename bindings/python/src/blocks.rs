//! Samples in blocks.
//!
//! Those of tensors have one size, the last one filled up: a sample then takes the same path of products whatever it comes
//! with, and has the same result bit for bit. The kernels add in one order always.

use crate::attended::Attention;
use crate::failure::{Failure, Result};
use crate::model::Model;
use candle_core::{Device, Tensor};
use deepbelief_data::{Binarize, Split};
use deepbelief_kernels::{Batch, Bits};
use deepbelief_rbm::to_tensor;
use deepbelief_stack::Completing;
use numpy::Element;
use rayon::prelude::*;
use std::sync::atomic::{AtomicBool, Ordering};

/// Samples of a block.
pub(crate) const BLOCK: usize = 256;

/// Blocks between two looks at whether to stop.
const ATTENTIVE: usize = 16;

/// Samples whose missing values are drawn, or whose units are flipped, at a time.
pub(crate) const ROWS: usize = 2000;

impl Model {
    /// Samples without what they lack: the model's mean given the rest stands there.
    pub(crate) fn whole(&self, split: &Split, attention: &Attention<'_>) -> Result<Split> {
        if split.units() != self.visible() {
            let (got, expected) = (split.units(), self.visible());
            return Err(Failure::new(format!(
                "the samples have {got} units, but the model has {expected} visible units"
            )));
        }
        if !split.has_missing() {
            return Ok(split.clone());
        }
        Ok(split.with_values(self.filled(split, &self.completing(), attention)?.0)?)
    }

    /// Means and standard deviations of what samples lack, beside what they have.
    pub(crate) fn filled(
        &self,
        split: &Split,
        how: &Completing,
        attention: &Attention<'_>,
    ) -> Result<(Vec<f32>, Vec<f32>)> {
        let (dbn, choices) = (self.belief("values to put where some are missing")?, self.schema().choices());
        let (mut mean, mut deviation) = (Vec::new(), Vec::new());
        for first in (0..split.samples()).step_by(ROWS) {
            stop(attention.flag())?;
            let chosen: Vec<usize> = (first..split.samples().min(first + ROWS)).collect();
            let batch = split.batch(chosen.iter().copied(), Binarize::None, 0)?;
            let missing = split.missing(&chosen).map(|missing| missing.cells);
            let missing = missing.unwrap_or_else(|| Bits::zeros(batch.rows(), batch.units()));
            let completed = dbn.complete_choices(&batch, &missing, &choices, how)?;
            mean.extend(completed.mean);
            deviation.extend(completed.deviation);
        }
        Ok((mean, deviation))
    }

    /// Rows of `columns` numbers that `of` makes of blocks of samples, each written to its place where it is computed.
    pub(crate) fn in_blocks<T: Number>(
        &self,
        split: &Split,
        attention: &Attention<'_>,
        columns: usize,
        of: impl Fn(Batch) -> Result<Vec<T>> + Sync,
    ) -> Result<Vec<T>> {
        let split = self.whole(split, attention)?;
        let n = split.samples();
        let mut all = vec![T::default(); n * columns];
        let width = (BLOCK * columns).max(1);
        for (part, all) in all.chunks_mut(ATTENTIVE * width).enumerate() {
            stop(attention.flag())?;
            all.par_chunks_mut(width).enumerate().try_for_each(|(block, out)| -> Result<()> {
                let first = (part * ATTENTIVE + block) * BLOCK;
                let made = of(split.batch(first..n.min(first + BLOCK), Binarize::None, 0)?)?;
                out.copy_from_slice(made.get(..out.len()).ok_or_else(|| Failure::new("too few results"))?);
                Ok(())
            })?;
        }
        Ok(all)
    }

    /// The same of tensors [block, units].
    pub(crate) fn in_tensors<T: Number>(
        &self,
        split: &Split,
        attention: &Attention<'_>,
        columns: usize,
        of: impl Fn(&Tensor) -> Result<Vec<T>> + Sync,
    ) -> Result<Vec<T>> {
        let units = split.units();
        self.in_blocks(split, attention, columns, |batch| {
            let mut values = batch.to_values();
            values.resize(BLOCK * units, 0.0);
            to_tensor(split.layer(), &mut values);
            of(&Tensor::from_vec(values, (BLOCK, units), &Device::Cpu)?)
        })
    }
}

/// What arrays are made of.
pub(crate) trait Number: Element + Copy + Default + Send + Sync + From<f32> {}

impl Number for f32 {}
impl Number for f64 {}

/// Refuses to go on where somebody wants it to end.
pub(crate) fn stop(flag: &AtomicBool) -> Result<()> {
    if flag.load(Ordering::Relaxed) { Err(Failure::new("interrupted")) } else { Ok(()) }
}
