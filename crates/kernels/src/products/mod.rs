//! Products of states with weights, and the layouts that they are fast in.

pub(crate) mod dense;
pub(crate) mod panels;
pub(crate) mod product;
pub(crate) mod scratch;
pub(crate) mod source;
pub(crate) mod transpose;
pub(crate) mod whole;
