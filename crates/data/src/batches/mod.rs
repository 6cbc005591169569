//! From samples to minibatches of states.

pub(crate) mod binarize;
mod holdout;
mod letters;
pub(crate) mod minibatch;
mod moments;
mod of_units;
mod order;
pub(crate) mod split;
#[cfg(test)]
mod split_tests;
