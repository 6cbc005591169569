//! What can go wrong, said with what, where, got, expected and a way out.

use crate::format::Format;
use std::io;
use std::path::PathBuf;

/// Errors of this crate.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file could not be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// A file is of no kind that is read, or is damaged.
    #[error("{}: {reason}", path.display())]
    Broken {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The names of the arrays are those of no known format.
    #[error(
        "{}: cannot tell which program's model this is: found {found}; expected {}",
        path.display(),
        Format::landmarks()
    )]
    Unknown {
        /// The file.
        path: PathBuf,
        /// The arrays in it.
        found: String,
    },
    /// An array is not there.
    #[error("{}: there is no array '{name}', which a model of {format} has: found {found}", path.display())]
    Missing {
        /// The file.
        path: PathBuf,
        /// The array.
        name: String,
        /// The format that the file was read as.
        format: &'static str,
        /// The arrays in the file.
        found: String,
    },
    /// An array has a shape that does not fit.
    #[error("{}: the array '{name}' has the shape {got:?}, expected {expected}", path.display())]
    Shape {
        /// The file.
        path: PathBuf,
        /// The array.
        name: String,
        /// Its shape.
        got: Vec<usize>,
        /// The shapes that fit.
        expected: String,
    },
    /// NaN, an infinity, or more than a 32-bit float holds.
    #[error("{}: the array '{name}' holds {value} at {place:?}: weights must be finite 32-bit floats", path.display())]
    NotFinite {
        /// The file.
        path: PathBuf,
        /// The array.
        name: String,
        /// Indices of the value, counted from 0.
        place: Vec<usize>,
        /// The value.
        value: f64,
    },
    /// The model is of a kind that has no counterpart here.
    #[error("{}: {reason}", path.display())]
    Unfit {
        /// The file.
        path: PathBuf,
        /// Why, and what would do.
        reason: String,
    },
    /// An option that the files have no use for.
    #[error("{0}")]
    Option(String),
    /// Layers do not fit on each other, or a file could not be written.
    #[error(transparent)]
    Stack(#[from] deepbelief_stack::Error),
    /// An RBM refused, or a file could not be written.
    #[error(transparent)]
    Rbm(#[from] deepbelief_rbm::Error),
    /// candle refused an operation.
    #[error(transparent)]
    Candle(#[from] candle_core::Error),
}

/// Results of this crate.
pub type Result<T> = std::result::Result<T, Error>;
