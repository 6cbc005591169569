//! What backpropagation does besides products of matrices, as candle operations.
//!
//! | function | computes |
//! |---|---|
//! | [`sigmoid`] | `sigmoid(z + bias)`, of which units may be dropped |
//! | [`sigmoid_slope`] | its gradient with respect to z, from its value and the gradient of that |
//! | [`sigmoid_cross_entropy`] | `- log p(target)` of independent units with these logits |
//! | [`sigmoid_excess`] | its gradient with respect to the logits |
//! | [`softmax`], [`log_softmax`] | probabilities of the last axis, and their logarithms |
//! | [`drop_inputs`] | inputs of which some are dropped |
//!
//! On the CPU in F32 each is one pass over its elements, on all threads; of any other type or on
//! another device it is composed of candle's own operations, which candle differentiates, and which
//! are what the tests hold the passes and their gradients against.

use crate::learning::labels;
use crate::ops::{are_ours, matrix, slice, softplus};
use crate::rng::Uniforms;
use crate::row::BLOCK;
use crate::simd::{Level, dispatch};
use crate::units::math;
use candle_core::{CpuStorage, CustomOp1, CustomOp2, D, Layout, Result, Shape, Tensor, bail};
use rayon::prelude::*;

/// Rows that a thread takes at a time, as many as random numbers are drawn for at once.
const ROWS: usize = 8;

/// Units left out of a pass, each with the same probability, the rest made up for it: a unit's
/// value becomes 0 where its uniform lies below `rate`, else it is divided by `1 - rate`, so that
/// its mean stays what it is without dropout (Srivastava et al. 2014).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dropout {
    /// Probability of being left out, at least 0 and below 1.
    pub rate: f32,
    /// Row b decides for sample b.
    pub draw: Uniforms,
}

impl Dropout {
    /// What 32 values are multiplied by.
    #[inline(always)]
    fn factors(&self, u: &[f32; BLOCK]) -> [f32; BLOCK] {
        let (mut factors, scale) = ([0.0; BLOCK], 1.0 / (1.0 - self.rate));
        for i in 0..BLOCK {
            factors[i] = if u[i] < self.rate { 0.0 } else { scale };
        }
        factors
    }

    /// The factors of all values [rows, units].
    fn mask(&self, like: &Tensor) -> Result<Tensor> {
        let (rows, units) = like.dims2()?;
        let mut mask = vec![1.0; rows * units];
        drop_inputs(&mut mask, units, *self);
        Tensor::from_vec(mask, (rows, units), like.device())?.to_dtype(like.dtype())
    }
}

/// `sigmoid(z + bias)` for z [B, N] and bias `[N]`, of which `dropout` leaves some out.
///
/// # Errors
/// If the shapes do not fit.
pub fn sigmoid(z: &Tensor, bias: &Tensor, dropout: Option<Dropout>) -> Result<Tensor> {
    if are_ours(&[z, bias]) {
        return z.contiguous()?.apply_op2_no_bwd(&bias.contiguous()?, &Sigmoid { dropout });
    }
    let y = (z.broadcast_add(bias)?.neg()?.exp()? + 1.0)?.recip()?;
    dropout.map_or(Ok(y.clone()), |dropout| &y * dropout.mask(&y)?)
}

/// The gradient with respect to z of what has `gradient` [B, N] with respect to y [B, N], the value of
/// [`sigmoid`] with this `dropout`.
///
/// With `k = 1 - rate` the value is `y = s / k` where the unit was kept and 0 where it was dropped, so
/// that its slope is `s (1 - s) / k = y (1 - k y)` in both cases.
///
/// # Errors
/// If the shapes do not fit.
pub fn sigmoid_slope(y: &Tensor, gradient: &Tensor, dropout: Option<Dropout>) -> Result<Tensor> {
    let kept = dropout.map_or(1.0, |dropout| 1.0 - dropout.rate);
    if are_ours(&[y, gradient]) {
        return y.contiguous()?.apply_op2_no_bwd(&gradient.contiguous()?, &Slope { kept });
    }
    gradient * (y * y.affine(-f64::from(kept), 1.0)?)?
}

/// Cross-entropy of independent units in nats per sample: the mean over the B samples of
/// `sum over n of softplus(x) - t x`, for logits x [B, N] and targets t [B, N] in [0, 1].
///
/// # Errors
/// If the shapes do not fit.
pub fn sigmoid_cross_entropy(logits: &Tensor, target: &Tensor) -> Result<Tensor> {
    if are_ours(&[logits, target]) {
        return logits.contiguous()?.apply_op2_no_bwd(&target.contiguous()?, &CrossEntropy);
    }
    let samples = logits.dim(0)? as f64;
    (softplus(logits)? - (logits * target)?)?.sum_all()? / samples
}

/// Its gradient with respect to the logits, `(sigmoid(x) - t) / B`.
///
/// # Errors
/// If the shapes do not fit.
pub fn sigmoid_excess(logits: &Tensor, target: &Tensor) -> Result<Tensor> {
    let samples = logits.dim(0)?;
    if are_ours(&[logits, target]) {
        return logits.contiguous()?.apply_op2_no_bwd(&target.contiguous()?, &Excess { samples: samples as f32 });
    }
    ((logits.neg()?.exp()? + 1.0)?.recip()? - target)? / samples as f64
}

/// Probabilities from logits [.., N], `exp(x) / sum over n of exp(x)`: [.., N].
///
/// # Errors
/// If there is no axis.
pub fn softmax(logits: &Tensor) -> Result<Tensor> {
    if are_ours(&[logits]) {
        return logits.contiguous()?.apply_op1_no_bwd(&OfLastAxis("softmax", labels::softmax));
    }
    log_softmax(logits)?.exp()
}

/// Their logarithms in nats, `x - ln sum over n of exp(x)`: [.., N].
///
/// # Errors
/// If there is no axis.
pub fn log_softmax(logits: &Tensor) -> Result<Tensor> {
    if are_ours(&[logits]) {
        return logits.contiguous()?.apply_op1_no_bwd(&OfLastAxis("log-softmax", labels::log_softmax));
    }
    let x = logits.broadcast_sub(&logits.max_keepdim(D::Minus1)?)?;
    x.broadcast_sub(&x.exp()?.sum_keepdim(D::Minus1)?.log()?)
}

/// Multiplies values [rows, units] by 0 where they are dropped, else by what makes up for it.
///
/// # Panics
/// If they are not of whole rows.
pub fn drop_inputs(values: &mut [f32], units: usize, dropout: Dropout) {
    assert!(values.len().is_multiple_of(units.max(1)), "whole rows of {units} values");
    let level = Level::detect();
    values
        .par_chunks_mut((ROWS * units).max(1))
        .enumerate()
        .for_each(|(chunk, values)| drop_rows(level, values, units, ROWS * chunk, dropout));
}

dispatch! {
    fn drop_rows(values: &mut [f32], units: usize, first: usize, dropout: Dropout) {
        for block in 0..units.div_ceil(BLOCK) {
            let (start, width) = (block * BLOCK, BLOCK.min(units - block * BLOCK));
            dropout.draw.rows(first, block, values.len() / units, |row, u| {
                let factors = dropout.factors(u);
                let values = &mut values[row * units + start..][..width];
                values.iter_mut().zip(&factors).for_each(|(x, factor)| *x *= factor);
            });
        }
    }
}

dispatch! {
    /// `y = sigmoid(z + bias)` of some rows, the first of them row `first` of the batch.
    fn sigmoid_rows(z: &[f32], bias: &[f32], first: usize, dropout: Option<Dropout>, y: &mut [f32]) {
        let units = bias.len();
        for block in 0..units.div_ceil(BLOCK) {
            let (start, width) = (block * BLOCK, BLOCK.min(units - block * BLOCK));
            let mut one = |row: usize, factors: &[f32; BLOCK]| {
                let at = row * units + start;
                let mut x = [0.0; BLOCK];
                for ((x, z), bias) in x.iter_mut().zip(&z[at..at + width]).zip(&bias[start..]) {
                    *x = z + bias;
                }
                let p = math::sigmoid(&x);
                for ((y, p), factor) in y[at..at + width].iter_mut().zip(&p).zip(factors) {
                    *y = p * factor;
                }
            };
            let rows = z.len() / units;
            match dropout {
                None => (0..rows).for_each(|row| one(row, &[1.0; BLOCK])),
                Some(dropout) => dropout.draw.rows(first, block, rows, |row, u| one(row, &dropout.factors(u))),
            }
        }
    }
}

struct Sigmoid {
    dropout: Option<Dropout>,
}

impl CustomOp2 for Sigmoid {
    fn name(&self) -> &'static str {
        "bias-sigmoid"
    }

    fn cpu_fwd(&self, z: &CpuStorage, zl: &Layout, bias: &CpuStorage, bl: &Layout) -> Result<(CpuStorage, Shape)> {
        let (z, (samples, units)) = matrix(z, zl)?;
        let bias = slice(bias, bl)?;
        if bias.len() != units {
            bail!("{}: {} biases do not fit inputs [{samples}, {units}]", self.name(), bias.len());
        }
        let (level, rows) = (Level::detect(), (ROWS * units).max(1));
        let mut y = vec![0.0; z.len()];
        y.par_chunks_mut(rows)
            .zip(z.par_chunks(rows))
            .enumerate()
            .for_each(|(chunk, (y, z))| sigmoid_rows(level, z, bias, ROWS * chunk, self.dropout, y));
        Ok((CpuStorage::F32(y), zl.shape().clone()))
    }
}

/// The gradient behind a sigmoid, from its value and the gradient in front of it.
struct Slope {
    kept: f32,
}

impl CustomOp2 for Slope {
    fn name(&self) -> &'static str {
        "sigmoid-slope"
    }

    fn cpu_fwd(&self, y: &CpuStorage, yl: &Layout, g: &CpuStorage, gl: &Layout) -> Result<(CpuStorage, Shape)> {
        let kept = self.kept;
        elementwise(self.name(), (y, yl), (g, gl), |level, y, g, out| slopes(level, y, g, kept, out))
    }
}

dispatch! {
    fn slopes(y: &[f32], gradient: &[f32], kept: f32, out: &mut [f32]) {
        for ((out, y), gradient) in out.iter_mut().zip(y).zip(gradient) {
            *out = gradient * (y * (1.0 - y * kept));
        }
    }
}

/// A function of each row of the last axis, in place.
struct OfLastAxis(&'static str, fn(&mut [f32]));

impl CustomOp1 for OfLastAxis {
    fn name(&self) -> &'static str {
        self.0
    }

    fn cpu_fwd(&self, x: &CpuStorage, xl: &Layout) -> Result<(CpuStorage, Shape)> {
        let Self(_, of) = self;
        let (mut x, units) = (slice(x, xl)?.to_vec(), xl.shape().dim(D::Minus1)?);
        x.par_chunks_mut(units.max(1)).with_min_len(ROWS).for_each(of);
        Ok((CpuStorage::F32(x), xl.shape().clone()))
    }
}

struct CrossEntropy;

impl CustomOp2 for CrossEntropy {
    fn name(&self) -> &'static str {
        "sigmoid-cross-entropy"
    }

    fn cpu_fwd(&self, x: &CpuStorage, xl: &Layout, t: &CpuStorage, tl: &Layout) -> Result<(CpuStorage, Shape)> {
        let (x, (samples, units)) = matrix(x, xl)?;
        let (t, shape) = matrix(t, tl)?;
        if shape != (samples, units) {
            bail!("{}: targets {shape:?} do not fit logits [{samples}, {units}]", self.name());
        }
        let (level, width) = (Level::detect(), units.max(1));
        let mut costs = vec![0.0; samples];
        costs
            .par_iter_mut()
            .zip(x.par_chunks(width).zip(t.par_chunks(width)))
            .for_each(|(cost, (x, t))| *cost = cost_of_row(level, x, t));
        let mean = costs.iter().map(|&cost| f64::from(cost)).sum::<f64>() / samples.max(1) as f64;
        Ok((CpuStorage::F32(vec![mean as f32]), Shape::from(())))
    }
}

dispatch! {
    fn cost_of_row(x: &[f32], t: &[f32]) -> f32 {
        let mut sums = [0.0; BLOCK];
        for (x, t) in x.chunks(BLOCK).zip(t.chunks(BLOCK)) {
            for (sum, (&x, t)) in sums.iter_mut().zip(x.iter().zip(t)) {
                *sum += math::softplus(x) - t * x;
            }
        }
        sums.iter().sum()
    }
}

/// `(sigmoid(x) - t) / B`.
struct Excess {
    samples: f32,
}

impl CustomOp2 for Excess {
    fn name(&self) -> &'static str {
        "sigmoid-excess"
    }

    fn cpu_fwd(&self, x: &CpuStorage, xl: &Layout, t: &CpuStorage, tl: &Layout) -> Result<(CpuStorage, Shape)> {
        let scale = 1.0 / self.samples;
        elementwise(self.name(), (x, xl), (t, tl), |level, x, t, out| excess(level, x, t, scale, out))
    }
}

dispatch! {
    fn excess(x: &[f32], t: &[f32], scale: f32, out: &mut [f32]) {
        for ((out, x), t) in out.chunks_mut(BLOCK).zip(x.chunks(BLOCK)).zip(t.chunks(BLOCK)) {
            let mut logits = [0.0; BLOCK];
            logits[..x.len()].copy_from_slice(x);
            let p = math::sigmoid(&logits);
            for ((out, p), t) in out.iter_mut().zip(&p).zip(t) {
                *out = (p - t) * scale;
            }
        }
    }
}

/// A function of two tensors of one shape, element by element, in whole blocks.
fn elementwise(
    name: &str,
    (a, al): (&CpuStorage, &Layout),
    (b, bl): (&CpuStorage, &Layout),
    with: impl Fn(Level, &[f32], &[f32], &mut [f32]) + Sync,
) -> Result<(CpuStorage, Shape)> {
    const CHUNK: usize = 128 * BLOCK;
    let (values, others) = (slice(a, al)?, slice(b, bl)?);
    if al.shape() != bl.shape() {
        bail!("{name}: {:?} does not fit {:?}", bl.shape(), al.shape());
    }
    let (level, mut out) = (Level::detect(), vec![0.0; values.len()]);
    out.par_chunks_mut(CHUNK)
        .zip(values.par_chunks(CHUNK).zip(others.par_chunks(CHUNK)))
        .for_each(|(out, (a, b))| with(level, a, b, out));
    Ok((CpuStorage::F32(out), al.shape().clone()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Stream;
    use candle_core::{DType, Device, Var};

    /// [rows, columns] in [-3, 3).
    fn numbers(rows: usize, columns: usize, step: u32) -> Result<Var> {
        let mut x = vec![0.0; rows * columns];
        Uniforms::new(3, Stream::User, step).fill_row(0, &mut x);
        Var::from_tensor(&Tensor::from_vec(x, (rows, columns), &Device::Cpu)?.affine(6.0, -3.0)?)
    }

    fn double(x: &Var) -> Result<Var> {
        Var::from_tensor(&x.to_dtype(DType::F64)?)
    }

    fn apart(a: &Tensor, b: &Tensor) -> Result<f64> {
        (a.to_dtype(DType::F64)? - b.to_dtype(DType::F64)?)?.abs()?.flatten_all()?.max(0)?.to_scalar()
    }

    fn dropped() -> Dropout {
        Dropout { rate: 0.3, draw: Uniforms::new(1, Stream::Dropout, 7).layer(2) }
    }

    /// The passes in F32 against candle's own operations in F64, on odd shapes. Single elements err by
    /// less than 3e-7 times a slope of at most 3, the cost of 70 units by less than 70 times as much.
    #[test]
    fn passes_agree_with_composed_operations() -> Result<()> {
        for (rows, units) in [(1, 1), (3, 33), (20, 70)] {
            let (a, b) = (numbers(rows, units, 1)?, numbers(rows, units, 2)?);
            let (a64, b64) = (double(&a)?, double(&b)?);
            let bias = numbers(1, units, 3)?.squeeze(0)?;
            for dropout in [None, Some(dropped())] {
                let (y, exact) = (sigmoid(&a, &bias, dropout)?, sigmoid(&a64, &bias.to_dtype(DType::F64)?, dropout)?);
                assert!(apart(&y, &exact)? < 1e-6);
                assert!(apart(&sigmoid_slope(&y, &b, dropout)?, &sigmoid_slope(&exact, &b64, dropout)?)? < 3e-6);
            }
            assert!(apart(&sigmoid_cross_entropy(&a, &b)?, &sigmoid_cross_entropy(&a64, &b64)?)? < 7e-5);
            assert!(apart(&sigmoid_excess(&a, &b)?, &sigmoid_excess(&a64, &b64)?)? < 1e-6);
            assert!(apart(&softmax(&a)?, &softmax(&a64)?)? < 1e-6);
            assert!(apart(&log_softmax(&a)?, &log_softmax(&a64)?)? < 4e-6);
        }
        Ok(())
    }

    /// In F64: against what candle makes of the composed functions, and against central differences
    /// with steps of 1e-5, whose error is of order 1e-10. What dropped units are made up for by is
    /// rounded to F32, and with it the slope to 6e-8 of at most 3.
    #[test]
    fn slopes_are_the_gradients() -> Result<()> {
        let (a, b) = (double(&numbers(3, 5, 1)?)?, double(&numbers(3, 5, 2)?)?.as_tensor().detach());
        let bias = numbers(1, 5, 3)?.squeeze(0)?.to_dtype(DType::F64)?;
        let sigmoids = |z: &Tensor| (sigmoid(z, &bias, Some(dropped()))? * &b)?.sum_all();
        let cost = |x: &Tensor| sigmoid_cross_entropy(x, &b);
        let slopes = [
            (
                &sigmoids as &dyn Fn(&Tensor) -> Result<Tensor>,
                sigmoid_slope(&sigmoid(&a, &bias, Some(dropped()))?, &b, Some(dropped()))?,
            ),
            (&cost, sigmoid_excess(&a, &b)?),
        ];
        for (f, slope) in slopes {
            let gradients = f(&a)?.backward()?;
            assert!(apart(&slope, gradients.get(&a).expect("a gradient"))? < 1e-6);
            let (slope, values): (Vec<f64>, Vec<f64>) = (slope.flatten_all()?.to_vec1()?, a.flatten_all()?.to_vec1()?);
            for (i, slope) in slope.iter().enumerate() {
                let at = |step: f64| {
                    let mut moved = values.clone();
                    moved[i] += step;
                    f(&Tensor::from_vec(moved, (3, 5), &Device::Cpu)?)?.to_scalar::<f64>()
                };
                let difference = (at(1e-5)? - at(-1e-5)?) / 2e-5;
                assert!((difference - slope).abs() < 1e-6, "{i}: {slope}, by differences {difference}");
            }
        }
        Ok(())
    }

    /// Of 200 000 units a share of 0.3 is dropped, to within five standard errors (a right
    /// generator fails with probability below 6e-7, and the seed is fixed), and the mean is kept.
    #[test]
    fn dropout_leaves_out_its_share_and_keeps_the_mean() {
        let drop = Dropout { rate: 0.3, draw: Uniforms::new(2, Stream::Dropout, 1) };
        let mut values = vec![1.0; 200_000];
        drop_inputs(&mut values, 500, drop);
        let dropped = values.iter().filter(|&&x| x == 0.0).count() as f64 / 200_000.0;
        assert!((dropped - 0.3).abs() < 5.0 * (0.21f64 / 200_000.0).sqrt(), "{dropped}");
        assert!(values.iter().all(|&x| x == 0.0 || (x - 1.0 / 0.7).abs() < 1e-6));
    }

    #[test]
    fn misfits_are_refused() -> Result<()> {
        let z = numbers(2, 3, 0)?;
        let message = |result: Result<Tensor>| result.map(|_| ()).expect_err("a misfit").to_string();
        let refused = message(sigmoid(&z, &Tensor::zeros(4, DType::F32, &Device::Cpu)?, None));
        assert!(refused.contains("4 biases do not fit inputs [2, 3]"), "{refused}");
        let refused = message(sigmoid_cross_entropy(&z, &Tensor::zeros((2, 4), DType::F32, &Device::Cpu)?));
        assert!(refused.contains("targets (2, 4) do not fit logits [2, 3]"), "{refused}");
        Ok(())
    }
}
