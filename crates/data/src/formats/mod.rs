//! Readers, one a format. Each makes [`Tables`](crate::tables::table::Tables) of a file, and asks
//! [`Room`](crate::memory::room::Room) before it keeps anything.

#[cfg(feature = "formats")]
mod arrays;
#[cfg(feature = "formats")]
pub(crate) mod csv;
#[cfg(feature = "formats")]
mod fortran;
pub(crate) mod hub;
pub(crate) mod idx;
#[cfg(feature = "formats")]
pub(crate) mod images;
#[cfg(feature = "embedded-mnist")]
pub(crate) mod mnist;
#[cfg(feature = "formats")]
pub(crate) mod npy;
#[cfg(feature = "formats")]
pub(crate) mod npz;
#[cfg(feature = "parquet")]
pub(crate) mod parquet;
#[cfg(feature = "formats")]
mod records;
#[cfg(feature = "formats")]
pub(crate) mod safetensors;
