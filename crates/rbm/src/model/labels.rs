//! The parameters of a group of label units.

use candle_core::Tensor;

/// Weights and biases of a label group.
#[derive(Clone, Debug)]
pub struct LabelGroup {
    /// Weights [C, H].
    pub w: Tensor,
    /// Biases `[C]`.
    pub b: Tensor,
}

impl LabelGroup {
    /// Number of classes.
    #[must_use]
    pub fn classes(&self) -> usize {
        self.b.elem_count()
    }
}
