//! How data are understood: where they come from, which options they are read by, what their labels are, and
//! how values become visible units.

pub(crate) mod alignment;
pub(crate) mod alphabet;
#[cfg(all(test, feature = "formats"))]
mod answer_tests;
#[cfg(feature = "formats")]
mod asked;
pub(crate) mod codes;
pub(crate) mod columns;
pub(crate) mod conversion;
pub(crate) mod decode;
#[cfg(feature = "formats")]
mod doubts;
#[cfg(feature = "formats")]
pub(crate) mod encode;
#[cfg(feature = "formats")]
pub(crate) mod found;
mod given;
#[cfg(feature = "formats")]
pub(crate) mod infer;
pub(crate) mod kind;
#[cfg(feature = "formats")]
pub(crate) mod labels;
pub(crate) mod options;
pub(crate) mod pixels;
#[cfg(feature = "formats")]
mod questions;
pub(crate) mod rescale;
pub(crate) mod scale;
pub(crate) mod scaling;
pub(crate) mod shared;
pub(crate) mod source;
#[cfg(feature = "formats")]
mod spelling;
pub(crate) mod store;
#[cfg(feature = "formats")]
mod survey;
#[cfg(all(test, feature = "formats"))]
pub(crate) mod tests;
#[cfg(all(test, feature = "formats"))]
mod unit_tests;
pub(crate) mod visible;
