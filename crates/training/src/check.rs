//! Data that a training refuses.

use crate::error::{Error, Result};
use crate::training::Training;
use deepbelief_kernels::Batch;

/// Refuses samples that do not fit the model of a training, and labels that it cannot learn from; `what` are the
/// samples called.
///
/// # Errors
/// [`Error::Shape`], [`Error::NoLabels`], [`Error::Label`].
pub fn check<T: Training>(training: &T, what: &'static str, samples: &Batch, labels: &[u32]) -> Result<()> {
    check_units(what, samples.units(), training.visible())?;
    let (rows, classes) = (samples.rows(), training.classes());
    if classes == 0 {
        return Ok(());
    }
    if labels.is_empty() && rows > 0 {
        return Err(Error::NoLabels { what, need: T::NEED_OF_LABELS });
    }
    if labels.len() != rows {
        let (got, expected) = (vec![labels.len()], vec![rows]);
        return Err(Error::Shape { what: format!("labels of the {what}"), got, expected });
    }
    match labels.iter().position(|&label| label as usize >= classes) {
        Some(entry) => Err(Error::Label { got: labels[entry], entry, what, classes }),
        None => Ok(()),
    }
}

/// Refuses data of another width than the model's.
pub(crate) fn check_units(what: &str, got: usize, expected: usize) -> Result<()> {
    if got == expected {
        return Ok(());
    }
    Err(Error::Shape { what: what.into(), got: vec![got], expected: vec![expected] })
}
