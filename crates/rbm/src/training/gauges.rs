//! The form that is chosen among all RBMs of one distribution, after every update, and the limits of precisions.
//!
//! The weights of a categorical unit may move by w for all of its levels if the linear fields of the hidden units move by
//! -w, its biases by any number: they sum to zero. A ReLU or dReLU unit may count in any unit of measure: its weights have
//! norm 1. Where ln g would leave its range with that, they have the norm that takes it to the end of the range.

use crate::error::Result;
use crate::model::rbm::Rbm;
use crate::training::velocity::Velocity;
use candle_core::Tensor;
use deepbelief_kernels::{UnitKind, Units};

/// Norms below this are those of units without weights, which stay as they are.
const LEAST_NORM: f64 = 1e-15;

/// ln 1e4: where ln g of visible Gaussian units ends. It begins at 0, since their columns have variance 1, which the noise
/// is a share of.
const VISIBLE_LOG_G: f64 = 9.210_340_371_976_184;

/// ln 1e6: where ln g of ReLU and dReLU units ends on both sides.
const HIDDEN_LOG_G: f64 = 13.815_510_557_964_274;

/// Whether the precision of a hidden unit of this kind is learned.
pub(crate) fn learns_precision(kind: UnitKind) -> bool {
    matches!(kind, UnitKind::Relu | UnitKind::Drelu)
}

/// 1 for columns of units that `has` is true of, 0 for others, in the type and on the device of `like`.
pub(crate) fn marks(units: &Units, like: &Tensor, has: impl Fn(UnitKind) -> bool) -> candle_core::Result<Tensor> {
    let values =
        units.each().flat_map(|(segment, columns)| vec![f32::from(u8::from(has(segment.units))); columns.len()]);
    Tensor::from_vec(values.collect::<Vec<_>>(), units.columns(), like.device())?.to_dtype(like.dtype())
}

/// Chooses the form of an RBM that has just stepped. Returns what the hidden states are multiplied by, `[H]`.
pub(crate) fn settle(rbm: &mut Rbm, velocity: &mut Velocity) -> Result<Option<Tensor>> {
    zero_sums(rbm)?;
    bound_precisions(rbm)?;
    let factors = unit_norms(rbm, velocity)?;
    bound_precisions(rbm)?;
    Ok(factors)
}

/// Brings ln g of the units that learn it back into its range.
fn bound_precisions(rbm: &mut Rbm) -> Result<()> {
    let layers = rbm.layers().clone();
    let gaussian = |kind| kind == UnitKind::Gaussian;
    let clamp = |field: &mut Option<Tensor>, units: &Units, has: fn(UnitKind) -> bool, (least, most): (f64, f64)| {
        let Some(log_g) = field.take() else { return Ok(()) };
        let marks = marks(units, &log_g, has)?;
        // The others are where they are.
        let bounded = log_g.clamp(least, most)?;
        *field = Some((&log_g + ((bounded - &log_g)? * marks)?)?);
        candle_core::Result::Ok(())
    };
    clamp(&mut rbm.visible_fields.log_precision, &layers.visible, gaussian, (0.0, VISIBLE_LOG_G))?;
    for field in [&mut rbm.hidden_fields.log_precision, &mut rbm.hidden_fields.log_precision_below] {
        clamp(field, &layers.hidden, learns_precision, (-HIDDEN_LOG_G, HIDDEN_LOG_G))?;
    }
    Ok(())
}

fn zero_sums(rbm: &mut Rbm) -> Result<()> {
    let Some(_) = rbm.layers.visible.segments().iter().find(|segment| segment.units == UnitKind::Categorical) else {
        return Ok(());
    };
    let (mut weights, mut biases, mut moved) = (Vec::new(), Vec::new(), rbm.hb.zeros_like()?);
    for (segment, columns) in rbm.layers.visible.each() {
        let w = rbm.w_rec.narrow(0, columns.start, columns.len())?;
        let b = rbm.vb.narrow(0, columns.start, columns.len())?;
        if segment.units != UnitKind::Categorical {
            weights.push(w);
            biases.push(b);
            continue;
        }
        let (sites, levels, hidden) = (segment.sites, segment.levels, rbm.hidden());
        let by_site = w.reshape((sites, levels, hidden))?;
        let mean = by_site.mean_keepdim(1)?;
        moved = (moved + mean.sum((0, 1))?)?;
        weights.push(by_site.broadcast_sub(&mean)?.reshape((sites * levels, hidden))?);
        let by_site = b.reshape((sites, levels))?;
        biases.push(by_site.broadcast_sub(&by_site.mean_keepdim(1)?)?.flatten_all()?);
    }
    rbm.w_rec = Tensor::cat(&weights, 0)?.contiguous()?;
    rbm.w_gen = rbm.w_rec.t()?.contiguous()?;
    rbm.vb = Tensor::cat(&biases, 0)?;
    rbm.hb = (&rbm.hb + &moved)?;
    if let Some(below) = &rbm.hidden_fields.bias_below {
        let drelu = marks(&rbm.layers.hidden, below, |kind| kind == UnitKind::Drelu)?;
        rbm.hidden_fields.bias_below = Some((below + (moved * drelu)?)?);
    }
    Ok(())
}

fn unit_norms(rbm: &mut Rbm, velocity: &mut Velocity) -> Result<Option<Tensor>> {
    if !rbm.layers.hidden.any(learns_precision) {
        return Ok(None);
    }
    let learned = marks(&rbm.layers.hidden, &rbm.hb, learns_precision)?;
    let norms = rbm.w_rec.sqr()?.sum(0)?.sqrt()?;
    let scaled = (norms.gt(LEAST_NORM)?.to_dtype(norms.dtype())? * &learned)?;
    // norm^1 where it is to be 1, norm^0 elsewhere.
    let factors = ((&norms * &scaled)? + (1.0 - &scaled)?)?;
    let whole = (factors.log()? * 2.0)?;
    let step = within_range(rbm, &whole)?;
    let factors = (factors * ((&step - &whole)? * 0.5)?.exp()?)?;
    let over = |x: &Tensor| x.broadcast_div(&factors);
    rbm.w_rec = over(&rbm.w_rec)?;
    rbm.w_gen = rbm.w_rec.t()?.contiguous()?;
    rbm.hb = over(&rbm.hb)?;
    let below = &mut rbm.hidden_fields.bias_below;
    *below = below.as_ref().map(&over).transpose()?;
    match velocity.squares.take() {
        None => velocity.rescale(over)?,
        // Gradients by parameters of another measure.
        Some(mut squares) => {
            velocity.rescale(|x| x.broadcast_mul(&factors))?;
            squares.rescale(|x| x.broadcast_mul(&factors.sqr()?))?;
            velocity.squares = Some(squares);
        }
    }
    let fields = &mut rbm.hidden_fields;
    fields.log_precision = fields.log_precision.as_ref().map(|log_g| log_g - &step).transpose()?;
    if let Some(log_g) = &fields.log_precision_below {
        let drelu = marks(&rbm.layers.hidden, log_g, |kind| kind == UnitKind::Drelu)?;
        fields.log_precision_below = Some((log_g - (step * drelu)?)?);
    }
    Ok(Some(factors))
}

/// How far ln g of the hidden units falls, `[H]`: by `step`, but to the end of its range at most. A unit that shrinks there
/// would else have a larger bias with every step.
fn within_range(rbm: &Rbm, step: &Tensor) -> Result<Tensor> {
    let fields = &rbm.hidden_fields;
    let Some(above) = &fields.log_precision else { return Ok(step.clone()) };
    let drelu = marks(&rbm.layers.hidden, above, |kind| kind == UnitKind::Drelu)?;
    let below = match &fields.log_precision_below {
        Some(below) => (above + ((below - above)? * drelu)?)?,
        None => above.clone(),
    };
    let (least, most) = ((above.maximum(&below)? - HIDDEN_LOG_G)?, (above.minimum(&below)? + HIDDEN_LOG_G)?);
    let learned = marks(&rbm.layers.hidden, above, learns_precision)?;
    let limited = step.maximum(&least)?.minimum(&most)?;
    Ok((step + ((limited - step)? * learned)?)?)
}
