//! Steps of gradient descent on variables on the device: [`Adam`], [`Momentum`] and
//! [`crate::limit_norms`] there.

use super::gpu::{Gpu, each, launch};
use crate::learning::descent::{Adam, Momentum};
use candle_core::cuda_backend::WrapErr;
use candle_core::cuda_backend::cudarc::driver::{CudaSlice, CudaView, CudaViewMut};
use candle_core::{CudaStorage, Layout, Result, bail};
use std::sync::Arc;

/// What is remembered of a variable's gradients.
pub struct GpuMoments {
    gpu: Arc<Gpu>,
    first: CudaSlice<f32>,
    second: CudaSlice<f32>,
}

impl GpuMoments {
    /// Mean gradients or velocities, and the mean squares of Adam alone.
    ///
    /// # Errors
    /// If the device is out of memory.
    pub fn new(gpu: &Arc<Gpu>, first: &[f32], second: &[f32]) -> Result<Self> {
        let upload = |values: &[f32]| if values.is_empty() { gpu.zeros(0) } else { gpu.upload(values) };
        Ok(Self { gpu: Arc::clone(gpu), first: upload(first)?, second: upload(second)? })
    }

    /// Both again, for a variable of `n` elements; the second is empty unless `squares` are kept.
    ///
    /// # Errors
    /// If the device failed.
    pub fn values(&self, n: usize, squares: bool) -> Result<(Vec<f32>, Vec<f32>)> {
        let get = |slice: &CudaSlice<f32>, n: usize| -> Result<Vec<f32>> {
            let mut values = self.gpu.stream.clone_dtoh(slice).w()?;
            values.truncate(n);
            Ok(values)
        };
        Ok((get(&self.first, n)?, if squares { get(&self.second, n)? } else { Vec::new() }))
    }

    /// Takes a step of Adam.
    ///
    /// # Errors
    /// If a tensor is not contiguous and F32, or the device failed.
    pub fn adam(&mut self, rule: &Adam, w: &mut CudaStorage, wl: &Layout, g: &CudaStorage, gl: &Layout) -> Result<()> {
        let numbers = rule.numbers();
        let (gradient, mut w) = (values(g, gl)?, values_mut(w, wl)?);
        let n = gradient.len();
        launch!(&self.gpu, "adam", each(n);
            &mut w, &mut self.first, &mut self.second, &gradient, &(n as u64),
            &numbers.m, &numbers.s, &numbers.rate, &numbers.scale, &numbers.shrink)
    }

    /// Takes a step with momentum.
    ///
    /// # Errors
    /// As [`Self::adam`].
    pub fn momentum(
        &mut self,
        rule: &Momentum,
        w: &mut CudaStorage,
        wl: &Layout,
        g: &CudaStorage,
        gl: &Layout,
    ) -> Result<()> {
        let (gradient, mut w) = (values(g, gl)?, values_mut(w, wl)?);
        let n = gradient.len();
        launch!(&self.gpu, "descend", each(n);
            &mut w, &mut self.first, &gradient, &(n as u64), &(rule.learning_rate as f32), &(rule.momentum as f32),
            &(rule.weight_cost as f32), &u32::from(rule.nesterov))
    }

    /// Limits the norms of the columns of a matrix.
    ///
    /// # Errors
    /// As [`Self::adam`].
    pub fn limit_norms(&self, w: &mut CudaStorage, wl: &Layout, most: f32) -> Result<()> {
        let (rows, columns) = wl.shape().dims2()?;
        let mut w = values_mut(w, wl)?;
        launch!(&self.gpu, "limit_norms", each(columns); &mut w, &(rows as u32), &(columns as u32), &most)
    }
}

fn values<'a>(storage: &'a CudaStorage, layout: &Layout) -> Result<CudaView<'a, f32>> {
    match layout.contiguous_offsets() {
        Some((start, end)) => Ok(storage.as_cuda_slice::<f32>()?.slice(start..end)),
        None => bail!("the tensor must be contiguous"),
    }
}

fn values_mut<'a>(storage: &'a mut CudaStorage, layout: &Layout) -> Result<CudaViewMut<'a, f32>> {
    match layout.contiguous_offsets() {
        Some((start, end)) => Ok(storage.as_cuda_slice_mut::<f32>()?.slice_mut(start..end)),
        None => bail!("the tensor must be contiguous"),
    }
}
