//! RBMs of Gaussian units alone: one normal distribution.

use crate::error::{Result, require};
use crate::model::rbm::Rbm;
use candle_core::{DType, Tensor};
use deepbelief_kernels::{UnitKind, Units};

/// Refuses an RBM whose Gaussian units on both sides have more coupling than their precisions bear: its energy has no
/// lowest value, and Z is infinite. It has one where `diag(g_v) - W diag(1/g_h) Wᵀ`, over these units, is positive
/// definite.
///
/// # Errors
/// [`crate::Error::Config`] if it is not.
pub fn require_normalizable(rbm: &Rbm) -> Result<()> {
    let rbm = rbm.to_dtype(DType::F64)?;
    let (visible, hidden) = (gaussian(&rbm.layers().visible), gaussian(&rbm.layers().hidden));
    if visible.is_empty() || hidden.is_empty() {
        return Ok(());
    }
    precision(&rbm, &visible, &hidden).map(|_| ())
}

/// ln Z: with the precision matrix A of all units and their biases b, `(n ln 2 pi - ln det A + bᵀ A⁻¹ b) / 2`.
pub(super) fn log_partition(rbm: &Rbm) -> Result<f64> {
    let rbm = rbm.to_dtype(DType::F64)?;
    let visible: Vec<usize> = (0..rbm.visible()).collect();
    let hidden: Vec<usize> = (0..rbm.hidden()).collect();
    let (factor, log_g) = precision(&rbm, &visible, &hidden)?;
    let w: Vec<Vec<f64>> = rbm.w_rec().to_vec2()?;
    let (hb, vb): (Vec<f64>, Vec<f64>) = (rbm.hb().to_vec1()?, rbm.vb().to_vec1()?);
    // The hidden units are integrated over first.
    let mean: Vec<f64> = hb.iter().zip(&log_g).map(|(b, log_g)| b / libm::exp(*log_g)).collect();
    let b: Vec<f64> =
        vb.iter().zip(&w).map(|(b, w)| b + w.iter().zip(&mean).map(|(w, m)| w * m).sum::<f64>()).collect();
    let own: f64 = hb.iter().zip(&mean).map(|(b, m)| b * m).sum();
    let root = forward(&factor, &b);
    let log_det =
        2.0 * factor.iter().enumerate().map(|(at, row)| libm::log(row[at])).sum::<f64>() + log_g.iter().sum::<f64>();
    let units = (visible.len() + hidden.len()) as f64;
    let squares = root.iter().map(|x| x * x).sum::<f64>() + own;
    Ok(0.5 * (units * libm::log(std::f64::consts::TAU) - log_det + squares))
}

/// The columns of Gaussian units.
fn gaussian(units: &Units) -> Vec<usize> {
    let each = units.each().filter(|(segment, _)| segment.units == UnitKind::Gaussian);
    each.flat_map(|(_, columns)| columns).collect()
}

/// The Cholesky factor of `diag(g_v) - W diag(1/g_h) Wᵀ` over some units, and ln g of the hidden ones.
fn precision(rbm: &Rbm, visible: &[usize], hidden: &[usize]) -> Result<(Vec<Vec<f64>>, Vec<f64>)> {
    let log_g = |field: Option<&Tensor>, columns: &[usize]| -> Result<Vec<f64>> {
        let all: Vec<f64> = field.map_or(Ok(Vec::new()), Tensor::to_vec1)?;
        Ok(columns.iter().map(|&column| all.get(column).copied().unwrap_or(0.0)).collect())
    };
    let above = log_g(rbm.hidden_fields().log_precision.as_ref(), hidden)?;
    let below = log_g(rbm.visible_fields().log_precision.as_ref(), visible)?;
    let w: Vec<Vec<f64>> = rbm.w_rec().to_vec2()?;
    let mut factor = vec![vec![0.0; visible.len()]; visible.len()];
    for i in 0..visible.len() {
        for j in 0..=i {
            let shared: f64 =
                hidden.iter().zip(&above).map(|(&u, g)| w[visible[i]][u] * w[visible[j]][u] / libm::exp(*g)).sum();
            let own = if i == j { libm::exp(below[i]) } else { 0.0 };
            let rest = own - shared - (0..j).map(|k| factor[i][k] * factor[j][k]).sum::<f64>();
            if i != j {
                factor[i][j] = rest / factor[j][j];
                continue;
            }
            require(
                rest > 0.0,
                "weights between gaussian units",
                "too large",
                "so small that the energy has a lowest value: the precisions of the visible units above W W' over those \
                 of the hidden ones",
            )?;
            factor[i][i] = rest.sqrt();
        }
    }
    Ok((factor, above))
}

/// The solution of `L x = b`.
fn forward(factor: &[Vec<f64>], b: &[f64]) -> Vec<f64> {
    let mut x: Vec<f64> = Vec::with_capacity(b.len());
    for (row, b) in factor.iter().zip(b) {
        let rest = b - row.iter().zip(&x).map(|(l, x)| l * x).sum::<f64>();
        x.push(rest / row[x.len()]);
    }
    x
}
