//! States of minibatches, and which units of them are on.

pub(crate) mod batch;
pub(crate) mod bits;
pub(crate) mod lists;
pub(crate) mod masks;
pub(crate) mod means;
pub(crate) mod minibatches;
pub(crate) mod missing;
pub(crate) mod pack;
pub(crate) mod positions;
pub(crate) mod share;
pub(crate) mod unit_lists;
