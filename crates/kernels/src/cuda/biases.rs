//! Steps of biases: sums over the samples, and the step along them.

use super::gpu::{Gpu, columns, launch, typed};
use super::rows::Rows;
use candle_core::Result;
use candle_core::cuda_backend::cudarc::driver::{CudaSlice, LaunchConfig};

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
        let (above, below) = (positives.div_ceil(PART), negatives.div_ceil(PART));
        if sums.len() < (above + below) * rows.width {
            *sums = gpu.zeros((above + below) * rows.width)?;
        }
        for (first, count, part, parts) in [(0, positives, 0, above), (positives, negatives, above, below)] {
            if parts == 0 {
                continue;
            }
            let config = LaunchConfig { grid_dim: (config.grid_dim.0, parts as u32, 1), ..config };
            let (rows_of_it, mut out) = (rows.view(first..first + count), sums.slice_mut(part * rows.width..));
            launch!(gpu, typed!(rows.number, "sum_parts"), config; &rows_of_it, &(count as u32), &stride, &mut out)?;
        }
        launch!(gpu, "step_biases_by_parts", config;
            &*sums, &(above as u32), &(below as u32), &stride, &r, &rate, &momentum, bias, velocity, largest)
    }
}
