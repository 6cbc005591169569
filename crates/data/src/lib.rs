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

mod assemble;
mod batches;
mod classes;
mod dataset;
mod error;
mod examine;
mod formats;
#[cfg(feature = "formats")]
mod in_memory;
mod load;
mod memory;
mod number;
mod original;
mod place;
mod schema;
mod synthetic;
mod tables;
mod text;

pub use batches::binarize::Binarize;
pub use batches::minibatch::{BatchConfig, Minibatcher};
pub use batches::split::Split;
pub use dataset::{Dataset, sha256};
pub use error::{ArrayError, Error, IdxError, LineError};
pub use examine::{Column, Examination, Gaps, Part, ValueKind, examine};
#[cfg(feature = "formats")]
pub use formats::container::Container;
#[cfg(feature = "formats")]
pub use formats::npy::npy_numbers;
pub use formats::parquet_table::parquet_table;
pub use load::{load, open};
pub use memory::unpack::{Allowance, Unpacked};
pub use original::Original;
pub use place::Place;
pub use schema::alignment::{AlignmentOptions, Inserts, Unknown};
pub use schema::alphabet::Alphabet;
pub use schema::codes::Codes;
pub use schema::columns::{ColumnSchema, Schema};
pub use schema::kind::{ColumnKind, ColumnKinds, KindName};
pub use schema::options::{ClassNumbers, Fetch, Header, LabelUse, LoadOptions, NotFetched};
pub use schema::pixels::Pixels;
pub use schema::scale::Scale;
pub use schema::scaling::Scaling;
pub use schema::shared::Shared;
pub use schema::source::Source;
pub use schema::visible::{ColumnUnits, VisibleUnits};
pub use synthetic::{Patterns, Synthetic};
pub use tables::aligned::{Aligned, Inserted};
pub use tables::block::{Block, BlockValues};
pub use tables::image_shape::ImageShape;
pub use tables::text_form::TextForm;
#[cfg(feature = "formats")]
pub use text::read_text;
pub use text::shell_quoted;
