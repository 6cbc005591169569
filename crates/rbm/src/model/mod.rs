//! The model as a candle layer, its units, labels and settings.

pub(crate) mod conditionals;
pub(crate) mod config;
pub(crate) mod fields;
pub(crate) mod labelled;
pub(crate) mod labels;
pub(crate) mod ranges;
pub(crate) mod rbm;
pub(crate) mod sampled;
pub(crate) mod spins;
pub(crate) mod start;
pub(crate) mod states;
pub(crate) mod unit_mix;
