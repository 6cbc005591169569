//! Data that a training refuses.

use crate::error::{Error, Result};
use crate::training::Training;
use deepbelief_kernels::{Batch, Minibatches, UnitKind, Units};

/// What data are called that are dealt in minibatches.
pub(crate) const TRAINING_DATA: &str = "training data";

/// Refuses samples that do not fit the model of a training, and labels that it cannot learn from; `what` are the
/// samples called.
///
/// # Errors
/// [`Error::NoSamples`], [`Error::Shape`], [`Error::NoLabels`], [`Error::Label`].
pub fn check<T: Training>(training: &T, what: &'static str, samples: &Batch, labels: &[u32]) -> Result<()> {
    if samples.rows() == 0 && samples.units() != training.visible() {
        return Err(Error::NoSamples { what });
    }
    check_width(what, samples.units(), training.visible())?;
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

/// Refuses samples with values that the visible units cannot have.
///
/// # Errors
/// [`Error::Value`].
pub(crate) fn check_values<T: Training>(training: &T, what: &'static str, samples: &Batch) -> Result<()> {
    let Some(visible) = training.visible_units() else { return Ok(()) };
    match visible.misfit(samples) {
        None => Ok(()),
        Some((row, column, value)) => Err(Error::Value { what, row, column, value, units: visible.kinds() }),
    }
}

/// Refuses training data of another width than the model's visible units, and those that are known to be of other
/// units.
///
/// # Errors
/// [`Error::Shape`], [`Error::Units`].
pub fn check_data(data: &dyn Minibatches, visible: &Units) -> Result<()> {
    check_width(TRAINING_DATA, data.units(), visible.columns())?;
    let Some(layer) = data.layer() else { return Ok(()) };
    match columns(layer).zip(columns(visible)).position(|(got, expected)| got != expected) {
        None => Ok(()),
        Some(column) => Err(Error::Units { got: layer.clone(), expected: visible.clone(), column }),
    }
}

/// The unit of each column, with its levels.
fn columns(units: &Units) -> impl Iterator<Item = (UnitKind, usize)> {
    units.segments().iter().flat_map(|part| std::iter::repeat_n((part.units, part.levels), part.columns()))
}

/// Refuses data of another width than the model's.
pub(crate) fn check_width(what: &str, got: usize, expected: usize) -> Result<()> {
    if got == expected {
        return Ok(());
    }
    Err(Error::Shape { what: what.into(), got: vec![got], expected: vec![expected] })
}
