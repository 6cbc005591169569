//! Sums in double precision.

use crate::failure::Result;
use candle_core::{DType, Tensor};

/// All values.
pub(super) fn doubles(tensor: &Tensor) -> Result<Vec<f64>> {
    Ok(tensor.to_dtype(DType::F64)?.flatten_all()?.to_vec1()?)
}

/// The sum of values, each as often as it weighs.
pub(super) fn weighted(weights: &[f64], values: impl IntoIterator<Item = f64>) -> f64 {
    weights.iter().zip(values).map(|(weight, x)| weight * x).sum()
}
