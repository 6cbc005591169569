//! Operations of [`crate::ops`] on tensors on the device.

use super::gpu::{Gpu, each, launch};
use crate::rng::Uniforms;
use crate::row::BLOCK;
use candle_core::{CudaStorage, Layout, Result, Shape, bail};

/// Probabilities and states, [2, B, N].
pub(crate) fn bernoulli(
    x: &CudaStorage,
    xl: &Layout,
    bias: &CudaStorage,
    bl: &Layout,
    draw: Uniforms,
) -> Result<(CudaStorage, Shape)> {
    let (rows, units) = xl.shape().dims2()?;
    let (Some((start, end)), Some((from, to))) = (xl.contiguous_offsets(), bl.contiguous_offsets()) else {
        bail!("bernoulli: the tensors must be contiguous")
    };
    if to - from != units {
        bail!("bernoulli: {} biases do not fit inputs [{rows}, {units}]", to - from);
    }
    let gpu = Gpu::with(&x.device, &["bernoulli"])?;
    let mut out = gpu.zeros::<f32>(2 * rows * units)?;
    let [key0, key1, step, purpose] = draw.key_and_counter();
    launch!(&gpu, "bernoulli", each(rows * units.next_multiple_of(BLOCK) / 4);
        &x.as_cuda_slice::<f32>()?.slice(start..end), &bias.as_cuda_slice::<f32>()?.slice(from..to), &mut out,
        &(rows as u32), &(units as u32), &key0, &key1, &step, &purpose)?;
    Ok((CudaStorage::wrap_cuda_slice(out, x.device.clone()), (2, rows, units).into()))
}
