//! States between minibatches, in which spins are 0 and 1, and tensors, in which they are -1 and 1.

use crate::files::tensors::from_batch;
use candle_core::{DType, Device, Result, Tensor};
use deepbelief_kernels::{Batch, Bits, UnitKind, Units};

/// Two values of the columns of a layer: one of spins, one of all others.
fn per_column(units: &Units, of_spins: f32, of_others: f32, device: &Device) -> Result<Tensor> {
    let values = units.each().flat_map(|(segment, columns)| {
        let value = if segment.units == UnitKind::Spin { of_spins } else { of_others };
        vec![value; columns.len()]
    });
    Tensor::from_vec(values.collect::<Vec<f32>>(), units.columns(), device)
}

/// The states of a minibatch of `units` as a tensor [rows, columns].
///
/// # Errors
/// If candle refuses an operation.
pub fn states_of(units: &Units, batch: &Batch, device: &Device) -> Result<Tensor> {
    let states = from_batch(batch, device)?;
    if !units.any(|kind| kind == UnitKind::Spin) {
        return Ok(states);
    }
    let (scale, shift) = (per_column(units, 2.0, 1.0, device)?, per_column(units, -1.0, 0.0, device)?);
    states.broadcast_mul(&scale)?.broadcast_add(&shift)
}

/// States [rows, columns] of `units` as a minibatch: bits where all units are discrete.
///
/// # Errors
/// If candle refuses an operation.
pub fn batch_of(units: &Units, states: &Tensor) -> Result<Batch> {
    let (rows, columns) = states.dims2()?;
    let mut values: Vec<f32> = states.to_dtype(DType::F32)?.flatten_all()?.to_vec1()?;
    if units.any(|kind| kind == UnitKind::Spin) {
        for row in values.chunks_exact_mut(columns.max(1)) {
            for (_, columns) in units.each().filter(|(segment, _)| segment.units == UnitKind::Spin) {
                row[columns].iter_mut().for_each(|x| *x = 0.5 * (*x + 1.0));
            }
        }
    }
    let discrete = units.is_discrete();
    Ok(if discrete {
        Batch::Binary(Bits::from_values(rows, columns, &values))
    } else {
        Batch::Real { rows, units: columns, values }
    })
}
