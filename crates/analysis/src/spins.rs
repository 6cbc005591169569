//! RBMs of spins and of bits that are the same model, and their couplings.
//!
//! With `s = 2 x - 1` on both sides, an RBM of bits (W, b, c) is the RBM of spins
//!
//! ```text
//! W' = W / 4,   b' = b / 2 + W 1 / 4,   c' = c / 2 + Wᵀ 1 / 4
//! ```
//!
//! and every state has the same probability. The energies differ by the constant `(sum W) / 4 + (sum b + sum c) / 2`, which is
//! what ln Z differs by too.

use crate::error::{Error, Result};
use candle_core::Tensor;
use deepbelief_rbm::{FieldTensors, Layers, Rbm, UnitKind, Units};

/// The same model with spins instead of bits, and what ln Z of the bits is larger by, in nats.
///
/// # Errors
/// [`Error::Units`] if a unit is no bit; if candle refuses an operation.
pub fn to_spins(rbm: &Rbm) -> Result<(Rbm, f64)> {
    require(rbm, UnitKind::Bernoulli)?;
    let (w, b, c) = (rbm.w_rec(), rbm.vb(), rbm.hb());
    let (of_visible, of_hidden) = (w.sum(1)?, w.sum(0)?);
    let shift = |bias: &Tensor, sums: &Tensor| (bias / 2.0)? + (sums / 4.0)?;
    let spins = Rbm::from_tensors((w / 4.0)?, shift(c, &of_hidden)?, shift(b, &of_visible)?)?;
    Ok((of_kind(spins, UnitKind::Spin)?, total(w)? / 4.0 + f64::midpoint(total(b)?, total(c)?)))
}

/// The same model with bits instead of spins, and what ln Z of the spins is larger by, in nats.
///
/// # Errors
/// [`Error::Units`] if a unit is no spin; if candle refuses an operation.
pub fn to_bits(rbm: &Rbm) -> Result<(Rbm, f64)> {
    require(rbm, UnitKind::Spin)?;
    let (w, b, c) = (rbm.w_rec(), rbm.vb(), rbm.hb());
    let (of_visible, of_hidden) = (w.sum(1)?, w.sum(0)?);
    let shift = |bias: &Tensor, sums: &Tensor| (bias * 2.0)? - (sums * 2.0)?;
    let bits = Rbm::from_tensors((w * 4.0)?, shift(c, &of_hidden)?, shift(b, &of_visible)?)?;
    Ok((bits, total(w)? - total(b)? - total(c)?))
}

fn total(x: &Tensor) -> Result<f64> {
    Ok(x.to_dtype(candle_core::DType::F64)?.sum_all()?.to_scalar()?)
}

fn of_kind(rbm: Rbm, kind: UnitKind) -> Result<Rbm> {
    let layers = Layers { visible: Units::of(kind, rbm.visible()), hidden: Units::of(kind, rbm.hidden()) };
    Ok(rbm.with_layers(layers, FieldTensors::default(), FieldTensors::default())?)
}

fn require(rbm: &Rbm, kind: UnitKind) -> Result<()> {
    let layers = rbm.layers();
    if layers.visible.all(|units| units == kind) && layers.hidden.all(|units| units == kind) && rbm.labels().is_none() {
        return Ok(());
    }
    let (what, expected) = match kind {
        UnitKind::Spin => ("making bits of spins", "spins on both sides, and no labels"),
        _ => ("making spins of bits", "Bernoulli units on both sides, and no labels"),
    };
    let got = format!("{} visible and {} hidden units", layers.visible.kinds(), layers.hidden.kinds());
    Err(Error::Units { what, got, expected })
}
