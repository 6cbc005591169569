//! What a reader finds.

#[cfg(feature = "formats")]
use super::sequences::Sequences;
#[cfg(feature = "formats")]
use super::sheet::Sheet;
use super::table::Tables;

/// Samples as they stand in the file, or cells that a schema makes samples of.
pub(crate) enum Found {
    Tables(Box<Tables>),
    #[cfg(feature = "formats")]
    Sheets(Box<Sheets>),
    #[cfg(feature = "formats")]
    Sequences(Sequences),
}

/// The cells of a data set.
#[cfg(feature = "formats")]
pub(crate) struct Sheets {
    pub(crate) train: Sheet,
    pub(crate) test: Option<Sheet>,
    /// What the classes are called whose numbers are the labels.
    pub(crate) class_names: Option<Vec<String>>,
}

#[cfg(feature = "formats")]
impl From<Sheet> for Found {
    fn from(train: Sheet) -> Self {
        Self::Sheets(Box::new(Sheets { train, test: None, class_names: None }))
    }
}
