//! What can go wrong, said with what, where, got, expected and a way out.

use std::path::PathBuf;

/// Errors of this crate.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The model has units that this analysis is not for.
    #[error("{what} is not for {got}; it needs {expected}")]
    Units {
        /// The analysis.
        what: &'static str,
        /// What the model has.
        got: String,
        /// What it must have.
        expected: &'static str,
    },
    /// Values do not fit the model or each other.
    #[error("{what}: there are {got}, expected {expected}")]
    Count {
        /// Which values.
        what: &'static str,
        /// How many there are.
        got: usize,
        /// How many there must be.
        expected: String,
    },
    /// A setting is out of its range.
    #[error("{name} is {got}; it must be {expected}")]
    Setting {
        /// The setting.
        name: &'static str,
        /// Its value.
        got: String,
        /// What it must be.
        expected: String,
    },
    /// A file is not what it should be.
    #[error("{}: {reason}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why it is refused.
        reason: String,
    },
    /// A file could not be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// The model refuses.
    #[error(transparent)]
    Rbm(#[from] deepbelief_rbm::Error),
    /// candle refuses.
    #[error(transparent)]
    Candle(#[from] candle_core::Error),
}

/// Results of this crate.
pub type Result<T> = std::result::Result<T, Error>;
