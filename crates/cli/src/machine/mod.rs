//! What the machine has and allows: memory, threads, devices, signals.

pub(crate) mod device;
pub(crate) mod footprint;
pub(crate) mod interrupt;
mod limits;
pub(crate) mod memory;
pub(crate) mod platform;
pub(crate) mod ranks;
pub(crate) mod threads;
