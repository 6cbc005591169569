//! Categorical units, one of q levels, a column each: `U = -b_a` at level a, `cgf(I) = ln sum_a exp(b_a + I_a)`, means
//! `p = softmax(b + I)`, variances `p (1 - p)`. Columns [B, units q].

use super::run::Run;
use candle_core::{D, DType, Result, Tensor};
use candle_nn::ops::softmax;

/// b + I, [B, units, q].
fn logits(run: &Run, input: &Tensor) -> Result<Tensor> {
    let (rows, columns) = input.dims2()?;
    input.broadcast_add(&run.b)?.reshape((rows, columns / run.levels, run.levels))
}

/// [B, units].
pub(super) fn cgf(run: &Run, input: &Tensor) -> Result<Tensor> {
    logits(run, input)?.log_sum_exp(D::Minus1)
}

pub(super) fn mean(run: &Run, input: &Tensor) -> Result<Tensor> {
    softmax(&logits(run, input)?, D::Minus1)?.reshape(input.dims2()?)
}

pub(super) fn variance(run: &Run, input: &Tensor) -> Result<Tensor> {
    let p = mean(run, input)?;
    &p * (1.0 - &p)?
}

/// The level that each unit's uniform number [B, units] draws: the first up to which the probabilities sum to more than it,
/// and the last possible one if rounding leaves none.
pub(super) fn draw(run: &Run, input: &Tensor, u: &Tensor) -> Result<Tensor> {
    let (p, u) = (mean(run, input)?, u.to_dtype(DType::F64)?.flatten_all()?.to_vec1::<f64>()?);
    let mut states = vec![0.0_f64; input.elem_count()];
    let p: Vec<f64> = p.to_dtype(DType::F64)?.flatten_all()?.to_vec1()?;
    for ((states, p), u) in states.chunks_exact_mut(run.levels).zip(p.chunks_exact(run.levels)).zip(u) {
        let mut sum = 0.0;
        let level = p.iter().position(|p| {
            sum += p;
            sum > u
        });
        let last = || p.iter().rposition(|&p| p > 0.0);
        if let Some(level) = level.or_else(last) {
            states[level] = 1.0;
        }
    }
    Tensor::from_vec(states, input.dims2()?, input.device())?.to_dtype(input.dtype())
}

/// The first of the most probable levels.
pub(super) fn mode(run: &Run, input: &Tensor) -> Result<Tensor> {
    let best = logits(run, input)?.to_dtype(DType::F64)?.to_vec3::<f64>()?;
    let one_hot = |x: &Vec<f64>| {
        let best = x.iter().enumerate().fold(0, |best, (at, x1)| if *x1 > x[best] { at } else { best });
        (0..x.len()).map(move |at| f64::from(u8::from(at == best))).collect::<Vec<_>>()
    };
    let states: Vec<f64> = best.iter().flatten().flat_map(one_hot).collect();
    Tensor::from_vec(states, input.dims2()?, input.device())?.to_dtype(input.dtype())
}
