//! What every reader hands over: samples as they stand in their file; and tables of results.

pub(crate) mod aligned;
pub(crate) mod block;
pub(crate) mod element;
pub(crate) mod file_rows;
pub(crate) mod found;
pub(crate) mod gaps;
pub(crate) mod image_shape;
#[cfg(feature = "formats")]
pub(crate) mod sequences;
pub(crate) mod sheet;
pub(crate) mod table;
pub(crate) mod text_form;
pub(crate) mod values;
