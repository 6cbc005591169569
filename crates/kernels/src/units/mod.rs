//! What units do with the inputs that arrive.

pub(crate) mod bernoulli;
pub(crate) mod categorical;
pub(crate) mod conditional;
pub(crate) mod drelu;
pub(crate) mod fields;
pub(crate) mod gaussian;
pub(crate) mod label;
pub(crate) mod layers;
mod left_out;
pub(crate) mod math;
#[cfg(test)]
pub(crate) mod reference;
pub(crate) mod relu;
pub(crate) mod special;
pub(crate) mod spins;
pub(crate) mod tempered;
pub(crate) mod unit;
