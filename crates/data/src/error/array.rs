//! What can be wrong with arrays of a file.

use std::path::PathBuf;

/// An array of a file that holds no samples or labels, or may hold either.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ArrayError {
    /// It is not clear which array of a file holds what.
    #[error("{}: cannot tell which array holds the {role}: found {found}; expected exactly one named {expected}", path.display())]
    Which {
        /// The file.
        path: PathBuf,
        /// `training samples`, `training labels`, `test samples` or `test labels`.
        role: &'static str,
        /// The arrays in the file.
        found: String,
        /// Names that would be clear.
        expected: String,
    },
    /// An array of a type that holds no pixels.
    #[error("{what}: the type is {got}, expected bool, an integer of 8 to 64 bits or a float of 16 to 64")]
    Dtype {
        /// The array.
        what: String,
        /// Its type.
        got: String,
    },
    /// An array of a shape that fits no samples or labels.
    #[error("{what}: the shape is {got:?}, expected {expected}")]
    Shape {
        /// The array.
        what: String,
        /// Its shape.
        got: Vec<usize>,
        /// The shapes that fit.
        expected: &'static str,
    },
}
