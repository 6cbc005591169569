//! The kernels as candle operations, for layers whose weights are ordinary tensors.
//!
//! | function | computes |
//! |---|---|
//! | [`product`] | `v w`, states [B, K] times weights [K, N] |
//! | [`product_transposed`] | `e wᵀ`, errors [B, N] times weights [K, N] |
//! | [`outer`] | `vᵀ e`, states [B, K] and errors [B, N], the gradient of the above |
//! | [`bernoulli`] | `p = sigmoid(x + bias)` and states drawn from it |
//! | [`softplus_sums`] | `sum over n of softplus(x + bias + w_c)`, the free energy of each label |
//!
//! On the CPU in F32 each is one custom operation that adds rows where states are sparse and
//! multiplies densely where they are not, as measured; of any other type or on another device
//! it is composed of candle's own operations (but for [`bernoulli`] on a GPU, which is a kernel there too), which is also what the tests hold the kernels
//! against. None of them is differentiable.

use crate::learning::update::accumulate;
use crate::products::dense;
use crate::products::panels::{Activations, Panels};
use crate::products::source::Source;
use crate::products::transpose::transpose;
use crate::rng::Uniforms;
use crate::row::{BLOCK, Row, ZERO};
use crate::simd::Level;
use crate::states::bits::Bits;
use crate::states::lists::{Active, Chunks};
use crate::states::unit_lists::{Side, UnitLists};
use crate::units::bernoulli;
use candle_core::{CpuStorage, CustomOp2, CustomOp3, DType, Layout, Result, Shape, Tensor, bail};
use rayon::prelude::*;

/// Whether the kernels of this crate serve these tensors.
pub(crate) fn are_ours(tensors: &[&Tensor]) -> bool {
    tensors.iter().all(|t| t.device().is_cpu() && t.dtype() == DType::F32)
}

/// Whether those of the GPU do, for the one operation that composing would send through the CPU.
fn are_on_gpu(tensors: &[&Tensor]) -> bool {
    cfg!(feature = "cuda") && tensors.iter().all(|t| t.device().is_cuda() && t.dtype() == DType::F32)
}

/// `v w` for states v [B, K] and weights w [K, N]: [B, N].
///
/// # Errors
/// If the shapes do not fit.
pub fn product(v: &Tensor, w: &Tensor) -> Result<Tensor> {
    if are_ours(&[v, w]) { v.contiguous()?.apply_op2_no_bwd(&w.contiguous()?, &Product::Plain) } else { v.matmul(w) }
}

/// `e wᵀ` for errors e [B, N] and weights w [K, N]: [B, K], as [`product`] with the transpose but without a copy of it.
///
/// # Errors
/// If the shapes do not fit.
pub fn product_transposed(e: &Tensor, w: &Tensor) -> Result<Tensor> {
    if are_ours(&[e, w]) {
        e.contiguous()?.apply_op2_no_bwd(&w.contiguous()?, &Product::Transposed)
    } else {
        e.matmul(&w.t()?)
    }
}

/// `vᵀ e` for states v [B, K] and errors e [B, N]: [K, N].
///
/// # Errors
/// If the shapes do not fit.
pub fn outer(v: &Tensor, e: &Tensor) -> Result<Tensor> {
    if are_ours(&[v, e]) { v.contiguous()?.apply_op2_no_bwd(&e.contiguous()?, &Outer) } else { v.t()?.matmul(e) }
}

/// Probabilities `sigmoid(x + bias)` [B, N] of x [B, N] and bias `[N]`, and 0/1 states drawn from
/// them with row b of `draw` for sample b.
///
/// # Errors
/// If the shapes do not fit.
pub fn bernoulli(x: &Tensor, bias: &Tensor, draw: Uniforms) -> Result<(Tensor, Tensor)> {
    if are_ours(&[x, bias]) || are_on_gpu(&[x, bias]) {
        let both = x.contiguous()?.apply_op2_no_bwd(&bias.contiguous()?, &Bernoulli { draw })?;
        return Ok((both.get(0)?, both.get(1)?));
    }
    let x = x.broadcast_add(bias)?;
    let p = (x.neg()?.exp()? + 1.0)?.recip()?;
    let (rows, units) = p.dims2()?;
    let mut u = vec![0.0; rows * units];
    for (row, u) in u.chunks_exact_mut(units.max(1)).enumerate() {
        draw.fill_row(row as u32, u);
    }
    let u = Tensor::from_vec(u, (rows, units), p.device())?.to_dtype(p.dtype())?;
    let states = u.lt(&p)?.to_dtype(p.dtype())?;
    Ok((p, states))
}

/// `sum over n of softplus(x + bias + w_c)` for inputs x \[B, N\], bias \[N\] and a row of w \[C, N\] a
/// label: [B, C]. With the label's bias it is minus the free energy of the label, but for what
/// all labels share.
///
/// # Errors
/// If the shapes do not fit.
pub fn softplus_sums(x: &Tensor, bias: &Tensor, w: &Tensor) -> Result<Tensor> {
    if are_ours(&[x, bias, w]) {
        return x.contiguous()?.apply_op3_no_bwd(&bias.contiguous()?, &w.contiguous()?, &SoftplusSums);
    }
    let x = x.broadcast_add(bias)?;
    // A label at a time keeps the memory at one [B, N] tensor.
    let sum = |label| softplus(&x.broadcast_add(&w.get(label)?)?)?.sum(1);
    Tensor::stack(&(0..w.dim(0)?).map(sum).collect::<Result<Vec<_>>>()?, 1)
}

/// ln(1 + exp(x)) without overflow, composed of candle's own operations.
///
/// # Errors
/// If candle refuses an operation.
pub fn softplus(x: &Tensor) -> Result<Tensor> {
    x.relu()? + (x.abs()?.neg()?.exp()? + 1.0)?.log()?
}

/// Whether rows of the weights are the states' units, or columns are.
enum Product {
    Plain,
    Transposed,
}

impl CustomOp2 for Product {
    fn name(&self) -> &'static str {
        "states-product"
    }

    fn cpu_fwd(&self, v: &CpuStorage, vl: &Layout, w: &CpuStorage, wl: &Layout) -> Result<(CpuStorage, Shape)> {
        let (v, (samples, inputs)) = matrix(v, vl)?;
        let (w, (rows, columns)) = matrix(w, wl)?;
        let (fitting, outputs) = match self {
            Self::Plain => (rows, columns),
            Self::Transposed => (columns, rows),
        };
        if inputs != fitting {
            bail!("states-product: states [{samples}, {inputs}] do not fit weights [{rows}, {columns}]");
        }
        let (mut support, mut lists, level) = (Bits::default(), Active::default(), Level::detect());
        let source = Source::of_values(samples, inputs, v, &mut support, &mut lists);
        let mut x = Activations::default();
        x.reshape(samples, outputs);
        x.panels_mut().enumerate().with_max_len(1).for_each_init(
            // A row more, of zeros, that lists are filled up with.
            || vec![ZERO; inputs + 1],
            |panel, (index, x)| {
                match self {
                    Self::Plain => pack_panel(w, columns, index, panel),
                    Self::Transposed => pack_transposed(level, w, columns, index, panel),
                }
                source.product(level, panel, &lists, 0, x);
            },
        );
        let mut out = vec![0.0; samples * outputs];
        x.unpack(outputs, &mut out);
        Ok((CpuStorage::F32(out), (samples, outputs).into()))
    }
}

struct Outer;

impl CustomOp2 for Outer {
    fn name(&self) -> &'static str {
        "states-outer"
    }

    fn cpu_fwd(&self, v: &CpuStorage, vl: &Layout, e: &CpuStorage, el: &Layout) -> Result<(CpuStorage, Shape)> {
        let (v, (samples, inputs)) = matrix(v, vl)?;
        let (e, (rows, outputs)) = matrix(e, el)?;
        if samples != rows {
            bail!("states-outer: states [{samples}, {inputs}] do not fit errors [{rows}, {outputs}]");
        }
        let level = Level::detect();
        let mut support = Bits::default();
        support.set_nonzero(samples, inputs, v);
        let dense = support.is_dense();
        let (chunks, mut lists) = (Chunks::new(samples), UnitLists::default());
        if !dense {
            let mut sums = vec![ZERO; inputs.div_ceil(BLOCK)];
            lists.gather(chunks, Side::Scaled(&support, v), Side::Dense, 0.0, &mut sums);
        }
        let mut gradient = Panels::zeros(inputs, outputs);
        gradient.panels_mut().enumerate().with_max_len(1).for_each_init(
            || vec![ZERO; samples],
            |errors, (index, gradient)| {
                pack_panel(e, outputs, index, errors);
                for chunk in 0..chunks.count() {
                    let range = chunks.range(chunk);
                    let (first, rows) = (range.start, &errors[range]);
                    if dense {
                        dense::dense(level, rows, &v[first * inputs..], 1, inputs, &mut gradient[..inputs]);
                    } else {
                        accumulate(level, rows, &lists, chunk, gradient);
                    }
                }
            },
        );
        Ok((CpuStorage::F32(gradient.unpack()), (inputs, outputs).into()))
    }
}

struct Bernoulli {
    draw: Uniforms,
}

impl CustomOp2 for Bernoulli {
    fn name(&self) -> &'static str {
        "bernoulli"
    }

    /// Probabilities and states, [2, B, N].
    fn cpu_fwd(&self, x: &CpuStorage, xl: &Layout, bias: &CpuStorage, bl: &Layout) -> Result<(CpuStorage, Shape)> {
        let (x, (samples, outputs)) = matrix(x, xl)?;
        let bias = slice(bias, bl)?;
        if bias.len() != outputs {
            bail!("bernoulli: {} biases do not fit inputs [{samples}, {outputs}]", bias.len());
        }
        let (level, width) = (Level::detect(), outputs.max(1));
        let mut out = vec![0.0; 2 * samples * outputs];
        let (p, states) = out.split_at_mut(samples * outputs);
        p.par_chunks_exact_mut(width)
            .zip(states.par_chunks_exact_mut(width))
            .zip(x.par_chunks_exact(width))
            .enumerate()
            .with_min_len(8)
            .for_each(|(row, ((p, states), x))| bernoulli::bernoulli_row(level, x, bias, self.draw, row, p, states));
        Ok((CpuStorage::F32(out), (2, samples, outputs).into()))
    }

    #[cfg(feature = "cuda")]
    fn cuda_fwd(
        &self,
        x: &candle_core::CudaStorage,
        xl: &Layout,
        bias: &candle_core::CudaStorage,
        bl: &Layout,
    ) -> Result<(candle_core::CudaStorage, Shape)> {
        crate::cuda::ops::bernoulli(x, xl, bias, bl, self.draw)
    }
}

struct SoftplusSums;

impl CustomOp3 for SoftplusSums {
    fn name(&self) -> &'static str {
        "softplus-sums"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        xl: &Layout,
        bias: &CpuStorage,
        bl: &Layout,
        w: &CpuStorage,
        wl: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (x, (samples, units)) = matrix(x, xl)?;
        let (bias, (w, (labels, columns))) = (slice(bias, bl)?, matrix(w, wl)?);
        if bias.len() != units || columns != units {
            bail!(
                "softplus-sums: {} biases and weights [{labels}, {columns}] do not fit inputs [{samples}, {units}]",
                bias.len()
            );
        }
        let (level, mut out) = (Level::detect(), vec![0.0; samples * labels]);
        out.par_chunks_exact_mut(labels.max(1))
            .zip(x.par_chunks_exact(units.max(1)))
            .for_each(|(sums, x)| bernoulli::softplus_sums_row(level, x, bias, w, sums));
        Ok((CpuStorage::F32(out), (samples, labels).into()))
    }
}

/// Columns `32 * index ..` of a row-major matrix with `columns` columns.
fn pack_panel(values: &[f32], columns: usize, index: usize, panel: &mut [Row]) {
    let start = index * BLOCK;
    let width = BLOCK.min(columns - start);
    for (row, values) in panel.iter_mut().zip(values.chunks_exact(columns)) {
        row.0[width..].fill(0.0);
        row.0[..width].copy_from_slice(&values[start..start + width]);
    }
}

/// Rows `32 * index ..` of a row-major matrix with `columns` columns, as columns.
fn pack_transposed(level: Level, values: &[f32], columns: usize, index: usize, panel: &mut [Row]) {
    let (mut tile, mut turned) = ([ZERO; BLOCK], [ZERO; BLOCK]);
    let rows = &values[index * BLOCK * columns..];
    for (at, panel) in panel[..columns].chunks_mut(BLOCK).enumerate() {
        for (tile, row) in tile.iter_mut().zip(rows.chunks_exact(columns)) {
            tile.0[..panel.len()].copy_from_slice(&row[at * BLOCK..][..panel.len()]);
        }
        transpose(level, &tile, &mut turned);
        panel.copy_from_slice(&turned[..panel.len()]);
    }
}

pub(crate) fn slice<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    match layout.contiguous_offsets() {
        Some((start, end)) => Ok(&storage.as_slice::<f32>()?[start..end]),
        None => bail!("the tensor must be contiguous"),
    }
}

pub(crate) fn matrix<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<(&'a [f32], (usize, usize))> {
    Ok((slice(storage, layout)?, layout.shape().dims2()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Stream;
    use candle_core::Device;

    /// [rows, columns] of which about `density` is not zero: 0/1, or real if `real`.
    fn states(rows: usize, columns: usize, density: f32, real: bool) -> Tensor {
        let draw = Uniforms::new(3, Stream::User, 0);
        let values = (0..rows * columns).map(|i| {
            let u = draw.at((i / columns) as u32, (i % columns) as u32);
            f32::from(u8::from(u < density)) * if real { u - 0.3 } else { 1.0 }
        });
        Tensor::from_iter(values, &Device::Cpu).and_then(|t| t.reshape((rows, columns))).expect("a matrix")
    }

    fn largest_difference(a: &Tensor, b: &Tensor) -> Result<f64> {
        (a.to_dtype(DType::F64)? - b.to_dtype(DType::F64)?)?.abs()?.flatten_all()?.max(0)?.to_scalar()
    }

    fn double(t: &Tensor) -> Result<Tensor> {
        t.to_dtype(DType::F64)
    }

    /// Kernels in F32 against candle's own operations in F64, on odd shapes and on both sides
    /// of the choice between sparse and dense.
    #[test]
    fn kernels_agree_with_composed_operations() -> Result<()> {
        for (b, k, n) in [(1, 1, 1), (3, 33, 5), (20, 250, 97), (300, 40, 64)] {
            for (density, real) in [(0.0, false), (0.2, false), (0.9, false), (0.3, true), (1.1, true)] {
                let (v, w, e) = (states(b, k, density, real), states(k, n, 1.1, true), states(b, n, 1.1, true));
                let exact = product(&double(&v)?, &double(&w)?)?;
                let turned = w.t()?.contiguous()?;
                assert_eq!(product_transposed(&v, &turned)?.to_vec2::<f32>()?, product(&v, &w)?.to_vec2::<f32>()?);
                assert!(largest_difference(&product(&v, &w)?, &exact)? < 1e-4);
                let exact = outer(&double(&v)?, &double(&e)?)?;
                assert!(largest_difference(&outer(&v, &e)?, &exact)? < 1e-4);
            }
            let (x, bias) = (states(b, n, 1.1, true), states(1, n, 1.1, true).squeeze(0)?);
            let draw = Uniforms::new(4, Stream::User, 1);
            let (p, s) = bernoulli(&x, &bias, draw)?;
            let (exact_p, exact_s) = bernoulli(&double(&x)?, &double(&bias)?, draw)?;
            assert!(largest_difference(&p, &exact_p)? < 1e-6);
            assert_eq!(largest_difference(&s, &exact_s)?, 0.0);
            // Sums of n terms below 2, each wrong by less than 1e-6.
            let labels = states(4, n, 1.1, true).affine(3.0, -1.5)?;
            let exact = softplus_sums(&double(&x)?, &double(&bias)?, &double(&labels)?)?;
            assert!(largest_difference(&softplus_sums(&x, &bias, &labels)?, &exact)? < 1e-6 * n as f64);
        }
        Ok(())
    }

    #[test]
    fn views_are_taken_and_misfits_refused() -> Result<()> {
        let w = states(30, 7, 1.1, true);
        let v = states(30, 5, 0.3, false);
        let through_view = product(&v.t()?, &w)?;
        assert!(largest_difference(&through_view, &v.t()?.contiguous()?.matmul(&w)?)? < 1e-5);
        let message = product(&v, &w).map(|_| ()).expect_err("5 columns do not fit 30 rows").to_string();
        assert!(message.contains("[30, 5]") && message.contains("[30, 7]"), "{message}");
        let misfit = softplus_sums(&v, &w.get(0)?, &w).map(|_| ()).expect_err("7 columns for 5 units").to_string();
        assert!(misfit.contains("7 biases") && misfit.contains("[30, 7]") && misfit.contains("[30, 5]"), "{misfit}");
        Ok(())
    }
}
