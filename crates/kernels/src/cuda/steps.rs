//! Steps of weights and biases along their gradients (`kernels/learn.cu`), and what is kept beside them:
//! the copy in BF16, the largest of all.

use super::gpu::{Gpu, blocks, columns, each, launch, typed};
use super::rows::Rows;
use crate::learning::update::StepRule;
use crate::precision::Precision;
use candle_core::Result;
use candle_core::cuda_backend::WrapErr;
use candle_core::cuda_backend::cudarc::driver::{CudaSlice, LaunchConfig};

/// Blocks that fill any device: each then takes more than one round of four weights a thread.
pub(super) const BLOCKS: usize = 4096;

/// Weights in BF16, where products take them so.
pub(super) fn rounded(gpu: &Gpu, precision: Precision, w: &CudaSlice<f32>) -> Result<Option<CudaSlice<u16>>> {
    if precision != Precision::Bf16 {
        return Ok(None);
    }
    let (n, mut rounded) = (w.len(), gpu.zeros(w.len())?);
    launch!(gpu, "round_weights", each(n); w, &mut rounded, &(n as u64))?;
    Ok(Some(rounded))
}

/// Steps weights, whose velocities come first and whose BF16 copy comes last, along a gradient summed
/// over so many samples.
pub(super) fn step_weights(
    gpu: &Gpu,
    gradient: &CudaSlice<f32>,
    (velocity, w, rounded): (&mut CudaSlice<f32>, &mut CudaSlice<f32>, Option<&mut CudaSlice<u16>>),
    samples: usize,
    rule: &StepRule,
    largest: &mut CudaSlice<u32>,
) -> Result<()> {
    // Rows are padded to whole fours.
    let fours = gradient.len() / 4;
    let rounded = rounded.map_or(0, |rounded| gpu.address(rounded));
    launch!(gpu, "step_weights", blocks(fours.div_ceil(256).min(BLOCKS));
        gradient, velocity, w, &rounded, &(fours as u64), &rule.scale(samples),
        &rule.learning_rate, &rule.momentum, &rule.l2, &rule.l1, largest)
}

/// The largest magnitude kept since this was last asked; NaN if one was NaN. Waits for the device.
pub(super) fn read_largest(gpu: &Gpu, largest: &mut CudaSlice<u32>) -> Result<f32> {
    let bits = gpu.stream.clone_dtoh(largest).w()?;
    gpu.stream.memset_zeros(largest).w()?;
    Ok(f32::from_bits(bits[0]))
}

/// Rows that one block sums: PART in `kernels/learn.cu`.
const PART: usize = 256;

/// Biases of the columns of some rows, their velocities, and what they are stepped by.
pub(super) struct Biases<'a> {
    pub(super) bias: &'a mut CudaSlice<f32>,
    pub(super) velocity: &'a mut CudaSlice<f32>,
    pub(super) rate: f32,
    pub(super) momentum: f32,
    pub(super) largest: &'a mut CudaSlice<u32>,
    /// Room for the sums of parts.
    pub(super) sums: &'a mut CudaSlice<f32>,
}

impl Biases<'_> {
    /// Steps them along the sum of the first `positives` rows minus `r` times that of the `negatives`
    /// below.
    pub(super) fn step(self, gpu: &Gpu, rows: &Rows, positives: usize, negatives: usize, r: f32) -> Result<()> {
        let Self { bias, velocity, rate, momentum, largest, sums } = self;
        let (stride, config) = (rows.width as u32, columns(rows.width));
        if positives.max(negatives) <= PART {
            return launch!(gpu, typed!(rows.number, "step_biases"), config;
                &rows.data, &(positives as u32), &(negatives as u32), &stride, &r, &rate, &momentum,
                bias, velocity, largest);
        }
        let (above, below) = sum_parts(gpu, rows, (positives, negatives), sums)?;
        launch!(gpu, "step_biases_by_parts", config;
            &*sums, &above, &below, &stride, &r, &rate, &momentum, bias, velocity, largest)
    }
}

/// The sum of the first `positives` rows minus `r` times that of the `negatives` below, into `out`; `sums` is room.
pub(super) fn sum_biases(
    gpu: &Gpu,
    rows: &Rows,
    (positives, negatives): (usize, usize),
    r: f32,
    sums: &mut CudaSlice<f32>,
    out: &mut CudaSlice<f32>,
) -> Result<()> {
    let (stride, config) = (rows.width as u32, columns(rows.width));
    if positives.max(negatives) <= PART {
        return launch!(gpu, typed!(rows.number, "sum_biases"), config;
            &rows.data, &(positives as u32), &(negatives as u32), &stride, &r, out);
    }
    let (above, below) = sum_parts(gpu, rows, (positives, negatives), sums)?;
    launch!(gpu, "sum_biases_by_parts", config; &*sums, &above, &below, &stride, &r, out)
}

/// Sums every part of the first `positives` rows and of the `negatives` below into `sums`. How many parts.
fn sum_parts(
    gpu: &Gpu,
    rows: &Rows,
    (positives, negatives): (usize, usize),
    sums: &mut CudaSlice<f32>,
) -> Result<(u32, u32)> {
    let (above, below) = (positives.div_ceil(PART), negatives.div_ceil(PART));
    if sums.len() < (above + below) * rows.width {
        *sums = gpu.zeros((above + below) * rows.width)?;
    }
    let (stride, config) = (rows.width as u32, columns(rows.width));
    for (first, count, part, parts) in [(0, positives, 0, above), (positives, negatives, above, below)] {
        if parts == 0 {
            continue;
        }
        let config = LaunchConfig { grid_dim: (config.grid_dim.0, parts as u32, 1), ..config };
        let (rows_of_it, mut out) = (rows.view(first..first + count), sums.slice_mut(part * rows.width..));
        launch!(gpu, typed!(rows.number, "sum_parts"), config; &rows_of_it, &(count as u32), &stride, &mut out)?;
    }
    Ok((above as u32, below as u32))
}
