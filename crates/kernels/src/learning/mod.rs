//! Weights in training: an RBM, one direction between two layers, and the steps that move them.

pub(crate) mod contrast;
pub(crate) mod descent;
pub(crate) mod directed;
pub(crate) mod exact;
pub mod feedforward;
pub(crate) mod following;
pub(crate) mod gibbs;
pub(crate) mod labels;
pub(crate) mod largest;
pub(crate) mod packed;
pub(crate) mod parameters;
pub(crate) mod statistics;
pub(crate) mod update;
pub(crate) mod weights;
