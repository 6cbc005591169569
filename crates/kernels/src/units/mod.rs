//! What units do with the inputs that arrive.

pub(crate) mod bernoulli;
#[allow(dead_code, reason = "the engine of layers of all kinds calls it")]
pub(crate) mod categorical;
#[allow(dead_code, reason = "the engine of layers of all kinds calls it")]
pub(crate) mod conditional;
pub(crate) mod drelu;
pub(crate) mod fields;
pub(crate) mod gaussian;
pub(crate) mod layers;
pub(crate) mod math;
#[cfg(test)]
mod reference;
pub(crate) mod relu;
pub(crate) mod special;
pub(crate) mod tempered;
pub(crate) mod unit;
