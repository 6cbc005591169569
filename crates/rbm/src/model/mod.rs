//! The model as a candle layer, its units, labels and settings.

pub(crate) mod config;
pub(crate) mod hidden;
pub(crate) mod hidden_units;
pub(crate) mod labelled;
pub(crate) mod labels;
pub(crate) mod ranges;
pub(crate) mod rbm;
pub(crate) mod sampled;
pub(crate) mod sizes;
