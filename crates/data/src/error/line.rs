//! What can be wrong with lines of tables of text.

use std::path::PathBuf;

use deepbelief_kernels::MAX_UNITS;

/// A line of a table of text that cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LineError {
    /// A CSV line has another number of fields than the first.
    #[error("{}: line {line} has {got} fields, expected {expected} as in the first line", path.display())]
    Ragged {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: u64,
        /// Fields in it.
        got: usize,
        /// Fields in the first line.
        expected: usize,
    },
    /// A line of a table that is not what it should be, or may be two things.
    #[error("{}: line {line} {reason}", path.display())]
    Unfit {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: u64,
        /// What it is and what to do, a clause about it.
        reason: String,
    },
    /// A CSV line with more fields than the largest layer has units.
    #[error("{}: line {line} has more than {most} fields: a layer has at most {MAX_UNITS} units", path.display())]
    ManyFields {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: u64,
        /// Fields that a line may have.
        most: usize,
    },
    /// A CSV line that is too long to be a sample.
    #[error("{}: line {line} is longer than {} MiB; is it a table of text?", path.display(), most >> 20)]
    LongLine {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: u64,
        /// Bytes that a line may have.
        most: usize,
    },
    /// A CSV field that should be a number.
    #[error("{}: line {line}, column {column} (from 0): {field:?} is not a number{hint}", path.display())]
    NotANumber {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: u64,
        /// Column, from 0.
        column: usize,
        /// The field.
        field: String,
        /// What may have been meant, or nothing.
        hint: &'static str,
    },
}
