//! What units do with the inputs that arrive.

pub(crate) mod bernoulli;
pub(crate) mod layers;
pub(crate) mod math;
pub(crate) mod tempered;
