//! What is measured of a model: costs, free energies, partition functions.

pub(crate) mod enumerate;
pub(crate) mod flips;
pub(crate) mod identity;
pub(crate) mod inferred;
pub(crate) mod measure;
pub(crate) mod path;
pub(crate) mod pseudo;
pub(crate) mod tempered;
