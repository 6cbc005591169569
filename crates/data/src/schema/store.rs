//! Where the pixels of a data set are.

use std::sync::Arc;

use super::conversion::Conversion;
use super::pixels::Pixels;
use crate::tables::file_rows::FileRows;

/// Pixels in memory or in a file.
#[derive(Clone, Debug)]
pub(crate) enum Store {
    Held(Pixels),
    /// In a file of values, each of which is converted when it is read.
    File {
        rows: Arc<FileRows>,
        conversion: Conversion,
    },
}
