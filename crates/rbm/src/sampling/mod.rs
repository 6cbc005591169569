//! Where the chains of an update start, and what drives them.

pub(crate) mod gathered;
pub(crate) mod held;
pub(crate) mod negative;
pub(crate) mod shared;
pub(crate) mod state;
pub(crate) mod temperature;
pub(crate) mod tempering;
pub(crate) mod trajectory;
