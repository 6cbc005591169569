//! Where a value stands.

use std::fmt;

/// Where a value stands. Rows and columns count from 0, lines of a file from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file, or the array in it.
    pub what: String,
    /// The sample.
    pub row: usize,
    /// The line of the file, where it has lines.
    pub line: Option<u64>,
    /// The column as the file has it, the label's column included.
    pub column: usize,
    /// What the column is called, where the file says so.
    pub name: Option<String>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: row {}, column ", self.what, self.row)?;
        if let Some(name) = &self.name {
            write!(f, "{name:?}, ")?;
        }
        write!(f, "{} (counted from 0", self.column)?;
        match self.line {
            Some(line) => write!(f, "; line {line} of the file)"),
            None => f.write_str(")"),
        }
    }
}
