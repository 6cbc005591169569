//! Readers, one a format. Each makes [`Tables`](crate::tables::table::Tables) of a file, and asks
//! [`Room`](crate::memory::room::Room) before it keeps anything. `parquet_table` writes.

#[cfg(feature = "formats")]
pub(crate) mod alignment;
#[cfg(feature = "formats")]
pub(crate) mod arff;
#[cfg(feature = "formats")]
mod arrays;
#[cfg(feature = "formats")]
mod blanks;
#[cfg(feature = "formats")]
mod canvas;
#[cfg(feature = "formats")]
mod comments;
#[cfg(feature = "formats")]
pub(crate) mod container;
#[cfg(feature = "formats")]
pub(crate) mod csv;
#[cfg(feature = "formats")]
mod decimal;
#[cfg(feature = "formats")]
mod dialect;
#[cfg(feature = "formats")]
mod encoding;
#[cfg(feature = "formats")]
mod fortran;
#[cfg(feature = "formats")]
mod gaps;
#[cfg(feature = "hdf5")]
mod hdf5;
#[cfg(feature = "formats")]
mod header;
pub(crate) mod hub;
pub(crate) mod idx;
#[cfg(feature = "formats")]
pub(crate) mod images;
#[cfg(feature = "formats")]
mod lines;
#[cfg(feature = "formats")]
mod mat;
#[cfg(feature = "formats")]
mod mistaken;
#[cfg(feature = "embedded-mnist")]
pub(crate) mod mnist;
#[cfg(feature = "formats")]
pub(crate) mod npy;
#[cfg(feature = "formats")]
pub(crate) mod npz;
#[cfg(feature = "parquet")]
pub(crate) mod parquet;
pub(crate) mod parquet_table;
#[cfg(feature = "formats")]
mod pieces;
#[cfg(feature = "formats")]
mod records;
#[cfg(feature = "formats")]
mod roles;
#[cfg(feature = "formats")]
mod rows;
#[cfg(feature = "formats")]
pub(crate) mod safetensors;
#[cfg(feature = "formats")]
mod sparse;
#[cfg(feature = "formats")]
pub(crate) mod stream;
#[cfg(feature = "formats")]
pub(crate) mod svm;
#[cfg(all(test, feature = "formats"))]
mod tests;
#[cfg(feature = "formats")]
mod zip_member;
#[cfg(feature = "formats")]
mod zstd;
