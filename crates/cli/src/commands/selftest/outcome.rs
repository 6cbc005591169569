//! A check and its outcome.

use crate::failure::Result;
use candle_core::Device;

/// The outcome of a check.
pub(super) struct Outcome {
    /// How far from right it was.
    pub(super) error: f64,
    /// How far it may be.
    pub(super) limit: f64,
    /// What that is measured in.
    pub(super) unit: &'static str,
}

/// A check and its name.
pub(super) type Check = (&'static str, fn(&Device) -> Result<Outcome>);
