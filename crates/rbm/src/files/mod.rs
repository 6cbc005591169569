//! Checkpoints and states of trainings.

pub(crate) mod atomic;
pub(crate) mod checkpoint;
pub(crate) mod format;
pub(crate) mod last_good;
#[cfg(feature = "hub")]
pub(crate) mod pretrained;
pub(crate) mod regular_file;
pub(crate) mod sampler_state;
pub(crate) mod state;
pub mod tensors;
pub(crate) mod written_units;
