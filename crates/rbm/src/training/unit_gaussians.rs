//! Measures of Bernoulli units under Gaussian hidden ones of unit variance, in the terms that such trainings are
//! recorded in: energies count `(h - b)²/2` for a hidden unit, where [`crate::Rbm::free_energy`] has `h²/2 - b h`, so
//! that free energies are larger by the sum of `b²/2`.

use crate::error::Result;
use crate::model::rbm::Rbm;
use candle_core::{DType, Tensor};
use deepbelief_kernels::{Layers, UnitKind, ops};

/// Whether units are Gaussian ones over Bernoulli ones.
pub(crate) fn over_bernoulli(layers: &Layers) -> bool {
    let Layers { visible, hidden } = layers;
    visible.is_bernoulli() && hidden.all(|kind| kind == UnitKind::Gaussian) && !hidden.is_bernoulli()
}

/// Whether `rbm` has these, of unit variance.
pub(crate) fn has_them(rbm: &Rbm) -> Result<bool> {
    let log_g = rbm.hidden_fields().to_fields()?.log_precision;
    Ok(over_bernoulli(rbm.layers()) && log_g.iter().all(|&log_g| log_g == 0.0))
}

/// What those energies are larger by: the sum of `b²/2`.
pub(crate) fn excess(rbm: &Rbm) -> Result<f64> {
    Ok(0.5 * values(rbm.hb())?.iter().map(|b| b * b).sum::<f64>())
}

/// The mean free energy of visible states [B, V], and the mean cost of them given hidden `states` [B, H], whose means are
/// `means`.
pub(crate) fn measure(rbm: &Rbm, v: &Tensor, means: &[f64], states: &Tensor) -> Result<(f64, f64)> {
    let (n, hb, vb, pixels) = (v.dim(0)? as f64, values(rbm.hb())?, values(rbm.vb())?, values(v)?);
    let linear: f64 = pixels.chunks_exact(vb.len()).flatten().zip(vb.iter().cycle()).map(|(v, b)| v * b).sum();
    let squares = means.iter().map(|m| m * m).sum::<f64>() / n - hb.iter().map(|b| b * b).sum::<f64>();
    let normalizer = 0.5 * hb.len() as f64 * libm::log(std::f64::consts::TAU);

    let x = ops::product(states, rbm.w_gen())?;
    let softplus = ops::softplus_sums(&x, rbm.vb(), &rbm.vb().zeros_like()?.unsqueeze(0)?)?;
    let agreement: f64 = pixels.iter().zip(values(&x)?).map(|(v, x)| v * x).sum::<f64>() + linear;
    let free_energy = -linear / n - 0.5 * squares - normalizer;
    Ok((free_energy, (values(&softplus)?.iter().sum::<f64>() - agreement) / n))
}

fn values(tensor: &Tensor) -> Result<Vec<f64>> {
    Ok(tensor.to_dtype(DType::F64)?.flatten_all()?.to_vec1()?)
}
