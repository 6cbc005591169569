//! Neighbouring units of one kind with their fields.

use candle_core::{Result, Tensor};
use deepbelief_kernels::UnitKind;
use std::ops::Range;

/// Neighbouring units of one kind: their part of a layer's fields, each `[columns]`.
pub(crate) struct Run {
    pub(crate) kind: UnitKind,
    pub(crate) columns: Range<usize>,
    pub(crate) b: Tensor,
    /// ln g.
    pub(crate) log_g: Option<Tensor>,
}

impl Run {
    /// g of units that have one.
    pub(crate) fn g(&self) -> Result<Tensor> {
        match &self.log_g {
            Some(log_g) => log_g.exp(),
            None => self.b.ones_like(),
        }
    }
}
