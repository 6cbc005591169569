//! What every reader hands over: samples as they stand in their file.

pub(crate) mod element;
pub(crate) mod file_rows;
pub(crate) mod image_shape;
pub(crate) mod table;
pub(crate) mod values;
