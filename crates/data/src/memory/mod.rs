//! Memory that reading may take.

pub(crate) mod room;
pub(crate) mod unpack;
