//! The outputs of an autoencoder of units of several kinds, each with the cost and the mean of its kind:
//!
//! ```text
//! Bernoulli, spin    -ln p(v) = softplus(x) - v x              p = sigmoid(x)
//! categorical        -ln p(v) = ln sum exp(x) - v x            p = softmax(x), a unit
//! Gaussian           -ln p(v) = (v - x)²/2 + ln(2 pi)/2        mean x, variance 1
//! ```
//!
//! with v a spin's bit. The gradient of each by x is its mean minus v.

use candle_core::{Result, Tensor};
use deepbelief_kernels::feedforward::{log_softmax, sigmoid, sigmoid_cross_entropy, softmax};
use deepbelief_rbm::{Segment, UnitKind, Units};
use std::f64::consts::{LN_2, TAU};

/// What `of` makes of the columns of each segment of `x` [B, columns], side by side.
fn each(units: &Units, x: &Tensor, of: impl Fn(Segment, &Tensor) -> Result<Tensor>) -> Result<Tensor> {
    let parts = units.each().map(|(segment, columns)| of(segment, &part(x, columns.start, columns.len())?));
    Tensor::cat(&parts.collect::<Result<Vec<_>>>()?, 1)
}

fn part(x: &Tensor, first: usize, columns: usize) -> Result<Tensor> {
    x.narrow(1, first, columns)?.contiguous()
}

/// [B, columns] -> [B, units, levels].
fn by_levels(x: &Tensor, segment: Segment) -> Result<Tensor> {
    x.reshape((x.dim(0)?, segment.sites, segment.levels))
}

/// The means of units with these logits, [B, columns].
pub(crate) fn means(units: &Units, logits: &Tensor) -> Result<Tensor> {
    each(units, logits, |segment, x| match segment.units {
        UnitKind::Categorical => softmax(&by_levels(x, segment)?)?.reshape(x.shape()),
        UnitKind::Bernoulli | UnitKind::Spin => sigmoid(x, &Tensor::zeros(x.dim(1)?, x.dtype(), x.device())?, None),
        _ => Ok(x.clone()),
    })
}

/// Mean -ln p(v | logits) over the samples, nats.
pub(crate) fn cost(units: &Units, logits: &Tensor, v: &Tensor) -> Result<f64> {
    let (rows, mut sum) = (logits.dim(0)? as f64, 0.0);
    for (segment, columns) in units.each() {
        let (first, count) = (columns.start, columns.len());
        let (x, v) = (part(logits, first, count)?, part(v, first, count)?);
        let total = |terms: Tensor| terms.sum_all()?.to_scalar::<f32>().map(f64::from);
        sum += match segment.units {
            UnitKind::Categorical => -total((log_softmax(&by_levels(&x, segment)?)?.reshape(x.shape())? * v)?)? / rows,
            UnitKind::Bernoulli | UnitKind::Spin => f64::from(sigmoid_cross_entropy(&x, &v)?.to_scalar::<f32>()?),
            _ => 0.5 * (total((x - v)?.sqr()?)? / rows + count as f64 * TAU.ln()),
        };
    }
    Ok(sum)
}

/// The gradient of the cost by the logits, [B, columns].
pub(crate) fn excess(units: &Units, logits: &Tensor, v: &Tensor) -> Result<Tensor> {
    (means(units, logits)? - v)? / logits.dim(0)? as f64
}

/// The cost of outputs that say nothing: of numbers of variance 1 what their mean costs.
pub(crate) fn cost_of_guessing(units: &Units) -> f64 {
    let segments = units.segments().iter();
    let each = segments.map(|&Segment { units, levels, sites }| {
        sites as f64
            * match units {
                UnitKind::Categorical => (levels as f64).ln(),
                UnitKind::Bernoulli | UnitKind::Spin => LN_2,
                _ => 0.5 * (1.0 + TAU.ln()),
            }
    });
    each.sum()
}
