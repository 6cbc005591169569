//! What every reader hands over: samples as they stand in the file, before scaling.

use crate::dataset::ImageShape;
use crate::error::Place;

/// Row-major values as the file has them.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Values {
    Bytes(Vec<u8>),
    #[cfg_attr(not(feature = "formats"), allow(dead_code, reason = "IDX files hold bytes"))]
    Floats(Vec<f32>),
}

/// Samples of one split.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Table {
    /// The file, or the array in it, for messages.
    pub(crate) what: String,
    pub(crate) units: usize,
    pub(crate) values: Values,
    pub(crate) labels: Option<Vec<u32>>,
    /// Line of each row, in files that have lines.
    pub(crate) lines: Option<Vec<u64>>,
    /// Column that held the label and is not among the values.
    pub(crate) label_column: Option<usize>,
}

impl Table {
    /// A table without labels or lines.
    pub(crate) fn new(what: impl Into<String>, units: usize, values: Values) -> Self {
        Self { what: what.into(), units, values, labels: None, lines: None, label_column: None }
    }

    /// Number of whole samples.
    pub(crate) fn samples(&self) -> usize {
        let values = match &self.values {
            Values::Bytes(bytes) => bytes.len(),
            Values::Floats(floats) => floats.len(),
        };
        values.checked_div(self.units).unwrap_or(0)
    }

    /// Where value `at` stands in the file.
    pub(crate) fn place(&self, at: usize) -> Place {
        let (row, column) = (at / self.units, at % self.units);
        let shift = usize::from(self.label_column.is_some_and(|label| label <= column));
        let line = self.lines.as_ref().and_then(|lines| lines.get(row).copied());
        Place { what: self.what.clone(), row, line, column: column + shift }
    }
}

/// All a source holds.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Tables {
    pub(crate) train: Table,
    pub(crate) test: Option<Table>,
    pub(crate) image: Option<ImageShape>,
    pub(crate) class_names: Option<Vec<String>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_count_the_label_column_and_name_the_line() {
        let mut table = Table::new("t.csv", 2, Values::Bytes(vec![0; 4]));
        table.lines = Some(vec![2, 4]);
        table.label_column = Some(1);
        assert_eq!(table.place(2).to_string(), "t.csv: row 1, column 0 (counted from 0; line 4 of the file)");
        assert_eq!(table.place(3).column, 2);
    }
}
