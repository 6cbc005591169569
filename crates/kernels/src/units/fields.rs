//! The fields of 32 units, and the statistics that the likelihood moves them by.

use crate::row::{BLOCK, Row, ZERO};

/// Inputs and linear fields are cut to this size, and precisions to between its inverse and it, so that no term of an
/// energy overflows.
const LARGEST: f32 = 1e12;

/// The fields of 32 neighbouring units: those that a kind has not are not read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FieldRow {
    /// The linear field b; of dReLU units above 0.
    pub(crate) b: Row,
    /// The precision g, not its logarithm; of dReLU units above 0.
    pub(crate) g: Row,
    /// b- of dReLU units: the linear field below 0.
    pub(crate) b_below: Row,
    /// g- of dReLU units, not its logarithm.
    pub(crate) g_below: Row,
}

/// Sufficient statistics of 32 units, minus the derivatives of their energies by their fields; 0 for fields that a
/// kind has not.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Moments {
    /// Of b: h; of dReLU units where it is above 0.
    pub(crate) b: Row,
    /// Of ln g: `-g h² / 2`; of dReLU units where h is above 0.
    pub(crate) log_g: Row,
    /// Of b- of dReLU units: h where it is below 0.
    pub(crate) b_below: Row,
    /// Of ln g- of dReLU units: `-g- h² / 2` where h is below 0.
    pub(crate) log_g_below: Row,
}

/// None.
pub(crate) const NO_MOMENTS: Moments = Moments { b: ZERO, log_g: ZERO, b_below: ZERO, log_g_below: ZERO };

/// `x` where it is not too large.
#[inline(always)]
pub(crate) fn bounded(x: f32) -> f32 {
    x.clamp(-LARGEST, LARGEST)
}

/// `g` where it is neither too small nor too large.
#[inline(always)]
pub(crate) fn bounded_precision(g: f32) -> f32 {
    g.clamp(1.0 / LARGEST, LARGEST)
}

/// 32 values from their places.
#[inline(always)]
pub(crate) fn each(value: impl Fn(usize) -> f32) -> Row {
    let mut out = ZERO;
    for i in 0..BLOCK {
        out.0[i] = value(i);
    }
    out
}

/// One of two values, both of which are computed. An `if` would come out as a choice of where to load from, which does
/// not vectorise.
#[inline(always)]
pub(crate) fn either(first: bool, one: f32, other: f32) -> f32 {
    std::hint::select_unpredictable(first, one, other)
}

/// The smaller of two numbers; what is no number stays none if it comes first.
#[inline(always)]
pub(crate) fn at_most(x: f32, limit: f32) -> f32 {
    if x > limit { limit } else { x }
}
