//! States between minibatches, in which spins are 0 and 1, and tensors, in which they are -1 and 1.

use crate::model::spins::{to_batch, to_tensor};
use candle_core::{DType, Device, Result, Tensor};
use deepbelief_kernels::{Batch, Bits, Units};

/// The states of a minibatch of `units` as a tensor [rows, columns].
///
/// # Errors
/// If candle refuses an operation.
pub fn states_of(units: &Units, batch: &Batch, device: &Device) -> Result<Tensor> {
    let mut values = batch.to_values();
    to_tensor(units, &mut values);
    Tensor::from_vec(values, (batch.rows(), batch.units()), device)
}

/// States [rows, columns] of `units` as a minibatch: bits where all units are discrete.
///
/// # Errors
/// If candle refuses an operation.
pub fn batch_of(units: &Units, states: &Tensor) -> Result<Batch> {
    let (rows, columns) = states.dims2()?;
    let mut values: Vec<f32> = states.to_dtype(DType::F32)?.flatten_all()?.to_vec1()?;
    to_batch(units, &mut values);
    let discrete = units.is_discrete();
    Ok(if discrete {
        Batch::Binary(Bits::from_values(rows, columns, &values))
    } else {
        Batch::Real { rows, units: columns, values }
    })
}
