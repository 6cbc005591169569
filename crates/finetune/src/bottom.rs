//! The lowest layer of a net as layers of a network, whose samples are as batches hold them: spins are 0 and 1.
//!
//! With s and o of each visible unit, 2 and -1 of a spin, else 1 and 0, it is `s v + o` of the value v in a batch:
//!
//! ```text
//! up      W'_iu = s_i W_iu,             b'_u = b_u + sum over i of o_i W_iu
//! down    W'_ui = s_i W_ui / g_i,       b'_i = s_i b_i / g_i
//! ```
//!
//! where g is the precision of a number, whose mean is its input over g, and else 1.

use crate::error::Result;
use candle_core::{DType, Device, Tensor};
use deepbelief_kernels::ops::product;
use deepbelief_rbm::{UnitKind, Units};
use deepbelief_stack::Dbn;

/// A number for each visible column.
fn columns(units: &Units, of: impl Fn(UnitKind) -> f32) -> Result<Tensor> {
    let each = units.each().flat_map(|(segment, columns)| std::iter::repeat_n(of(segment.units), columns.len()));
    Ok(Tensor::from_vec(each.collect::<Vec<_>>(), units.columns(), &Device::Cpu)?)
}

fn scales(units: &Units) -> Result<Tensor> {
    columns(units, |kind| if kind == UnitKind::Spin { 2.0 } else { 1.0 })
}

/// Weights [V, H] and biases of the first layer.
pub(crate) fn upward(dbn: &Dbn, w: &Tensor, b: &Tensor) -> Result<(Tensor, Tensor)> {
    let units = dbn.visible_units();
    let shifts = columns(units, |kind| if kind == UnitKind::Spin { -1.0 } else { 0.0 })?.unsqueeze(0)?;
    Ok((w.broadcast_mul(&scales(units)?.unsqueeze(1)?)?, (b + product(&shifts, w)?.squeeze(0)?)?))
}

/// Weights [H, V] and biases of the last layer of an autoencoder.
pub(crate) fn downward(dbn: &Dbn, w: &Tensor, b: &Tensor) -> Result<(Tensor, Tensor)> {
    let mut factors = scales(dbn.visible_units())?;
    let fields = dbn.layers().first().map_or(dbn.top().visible_fields(), |layer| layer.visible_fields());
    if let Some(log_g) = &fields.log_precision {
        factors = (factors / log_g.to_dtype(DType::F32)?.exp()?)?;
    }
    Ok((w.broadcast_mul(&factors)?, (b * factors)?))
}
