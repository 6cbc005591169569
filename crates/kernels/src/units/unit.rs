//! What every kind of unit can do.

use crate::row::{BLOCK, Row};
use crate::units::fields::{FieldRow, Moments};

/// 32 units of one kind, made of their fields once for all samples. Inputs `x` come without the field b. All functions
/// are inlined into kernels that are compiled for an instruction set.
pub(crate) trait Unit {
    /// From the fields.
    fn new(f: &FieldRow) -> Self;

    /// `E[h | x]`.
    fn mean(&self, x: &Row) -> Row;

    /// The same, and states drawn with one uniform each.
    fn mean_and_state(&self, x: &Row, u: &[f32; BLOCK]) -> (Row, Row);

    /// `ln of the integral of exp(x h - U(h))`, a sum where h is discrete.
    fn cgf(&self, x: &Row) -> Row;

    /// `U(h)`.
    fn energy(&self, h: &Row) -> Row;

    /// The moments of given states.
    fn observed(&self, h: &Row) -> Moments;

    /// Their expectations given `x`.
    fn expected(&self, x: &Row) -> Moments;
}
