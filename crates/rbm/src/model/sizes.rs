//! The sizes of an RBM.

/// What training leaves as it is.
#[derive(Clone, Copy)]
pub(crate) struct Sizes {
    pub(crate) visible: usize,
    pub(crate) hidden: usize,
    /// Of the label group, 0 without one.
    pub(crate) classes: usize,
}
