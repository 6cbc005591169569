//! Data sets for restricted Boltzmann machines: where samples come from, how they become values
//! in [0, 1] or binary states, and how they reach a trainer in minibatches.
//!
//! The line data flows along: [`Source`] names a place, [`load`] reads it (one reader a format)
//! and scales it ([`open`] does so without taking what is larger than memory there), [`Dataset`] holds the training and test [`Split`]s, [`Split::split_validation`]
//! holds samples out, and [`Minibatcher`] deals them out epoch by epoch, binarised as
//! [`Binarize`] says. Pixels stay bytes wherever they were bytes, splits share them instead of
//! copying, and every random choice is a function of the seed and of the sample's own number. Before all that,
//! [`examine`](fn@examine) tells what data are like, those included that a training would refuse.
//!
//! ```
//! use deepbelief_data::{BatchConfig, Binarize, Minibatcher, Pixels, Split};
//! use deepbelief_kernels::{Batch, Minibatches};
//!
//! # fn main() -> Result<(), deepbelief_data::Error> {
//! // Three samples of two grey pixels.
//! let split = Split::new(2, Pixels::from(vec![0u8, 255, 128, 0, 255, 64]), Some(vec![0, 1, 0]))?;
//! let config = BatchConfig { batch_size: 2, binarize: Binarize::Fresh, balanced: false, seed: 1 };
//! let mut batches = Minibatcher::new(&split, config)?;
//! let mut batch = Batch::default();
//! for epoch in 0..2 {
//!     batches.start_epoch(epoch);
//!     for index in 0..batches.batches() {
//!         batches.fill(index, &mut batch);
//!         assert_eq!(batch.units(), 2);
//!     }
//! }
//! # Ok(())
//! # }
//! ```

mod binarize;
mod conversion;
mod dataset;
mod element;
mod error;
mod examine;
mod file_rows;
mod holdout;
mod hub;
mod idx;
mod load;
mod minibatch;
mod order;
mod pixels;
mod room;
mod scale;
mod source;
mod split;
mod synthetic;
mod table;
mod text;
mod unpack;

#[cfg(feature = "formats")]
mod arrays;
#[cfg(feature = "formats")]
mod csv;
#[cfg(feature = "formats")]
mod fortran;
#[cfg(feature = "formats")]
mod images;
#[cfg(feature = "formats")]
mod labels;
#[cfg(feature = "embedded-mnist")]
mod mnist;
#[cfg(feature = "formats")]
mod npy;
#[cfg(feature = "parquet")]
mod parquet;
#[cfg(feature = "formats")]
mod records;
#[cfg(feature = "formats")]
mod safetensors;

pub use binarize::Binarize;
pub use dataset::{Dataset, ImageShape, sha256};
pub use error::{Error, Place};
pub use examine::{Column, Examination, Part, ValueKind, examine};
pub use hub::{Fetch, NotFetched};
pub use load::{Header, LoadOptions, load, open};
pub use minibatch::{BatchConfig, Minibatcher};
#[cfg(feature = "formats")]
pub use npy::npy_numbers;
pub use pixels::Pixels;
pub use scale::{Scale, Scaling};
pub use source::Source;
pub use split::Split;
pub use synthetic::{Patterns, Synthetic};
pub use unpack::{Allowance, Unpacked};
