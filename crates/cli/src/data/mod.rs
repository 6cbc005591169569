//! Data as the program meets them: opening them, and what looks wrong with them.

pub(crate) mod advice;
pub(crate) mod chunks;
mod family;
pub(crate) mod ground;
pub(crate) mod identity;
pub(crate) mod learners;
pub(crate) mod open;
pub(crate) mod schema_file;
pub(crate) mod setting;
pub(crate) mod warnings;
