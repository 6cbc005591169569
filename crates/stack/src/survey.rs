//! One look at all the input of a layer before it trains.

use crate::error::{Error, Result};
use deepbelief_kernels::{Batch, Minibatches};

/// Mean of every unit, weighted where samples have weights, over epoch 0 of `data`, after checking its labels against the number of
/// classes, if there is one.
///
/// # Errors
/// [`Error::NoLabels`], [`Error::Label`].
pub(crate) fn means(data: &mut dyn Minibatches, classes: Option<usize>) -> Result<Vec<f32>> {
    let (mut sums, mut samples, mut total, mut batch) = (vec![0.0f64; data.units()], 0, 0.0f64, Batch::default());
    data.start_epoch(0);
    for index in 0..data.batches() {
        data.fill(index, &mut batch);
        let weights = data.weights().unwrap_or_default();
        let values = batch.to_values();
        for (row, values) in values.chunks_exact(sums.len().max(1)).enumerate() {
            let weight = weights.get(row).map_or(1.0, |&weight| f64::from(weight));
            sums.iter_mut().zip(values).for_each(|(sum, &x)| *sum += weight * f64::from(x));
            total += weight;
        }
        if let Some(classes) = classes {
            let labels =
                data.labels().ok_or_else(|| Error::NoLabels { what: format!("a label group of {classes} classes") })?;
            if let Some(entry) = labels.iter().position(|&label| label as usize >= classes) {
                return Err(Error::Label { got: labels[entry], entry: samples + entry, classes });
            }
        }
        samples += batch.rows();
    }
    Ok(sums.iter().map(|sum| (sum / if total > 0.0 { total } else { 1.0 }) as f32).collect())
}
