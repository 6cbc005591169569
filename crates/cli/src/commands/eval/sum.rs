//! Sums in double precision.

use crate::failure::Result;
use candle_core::{DType, Tensor};

/// The sum of all values.
pub(super) fn sum(tensor: &Tensor) -> Result<f64> {
    Ok(tensor.to_dtype(DType::F64)?.sum_all()?.to_scalar()?)
}
