//! Models as the program meets them: opening one, what its data are, and the card that a push gives it.

mod alignment;
pub(crate) mod card;
pub(crate) mod checkpoint;
pub(crate) mod decoded;
pub(crate) mod forgetting;
pub(crate) mod inputs;
pub(crate) mod log_z;
mod markdown;
pub(crate) mod paged;
pub(crate) mod recorded;
pub(crate) mod sites;
pub(crate) mod trained;
pub(crate) mod whole;
