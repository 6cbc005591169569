//! The gradient of an update as a thing of its own.

use crate::products::panels::Panels;
use crate::row::{BLOCK, Row, ZERO};
use crate::units::conditional::Moments;
use crate::units::fields::NO_MOMENTS;

/// The gradient of the mean log-likelihood of a minibatch by the weights and fields of a [`crate::TypedRbm`] in bits, as far
/// as chains estimate it, times its samples.
#[derive(Clone, Debug, Default)]
pub struct TypedStatistics {
    pub(crate) w: Panels,
    /// By an input that all hidden units had alike: what a centred step takes from the weights.
    pub(crate) h: Vec<Row>,
    pub(crate) hidden: Vec<Moments>,
    pub(crate) visible: Vec<Moments>,
    pub(crate) samples: usize,
}

impl TypedStatistics {
    /// Zeros in the shapes of an RBM of so many visible and hidden columns.
    pub(crate) fn reset(&mut self, (visible, hidden): (usize, usize), samples: usize) {
        self.samples = samples;
        let shape = (visible.div_ceil(BLOCK), hidden.div_ceil(BLOCK));
        if (self.visible.len(), self.hidden.len()) == shape && self.w.height() > 0 {
            self.w.slices_mut().for_each(|panel| panel.fill(ZERO));
        } else {
            self.w = Panels::zeros(visible, hidden);
        }
        self.h = vec![ZERO; shape.1];
        self.hidden = vec![NO_MOMENTS; shape.1];
        self.visible = vec![NO_MOMENTS; shape.0];
    }
}
