//! What can go wrong between ranks.

/// Errors of this crate.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A number in the environment of a launcher is none.
    #[error("{variable} is {value:?}, which is not a number of ranks")]
    Environment {
        /// The variable.
        variable: &'static str,
        /// Its value.
        value: String,
    },
    /// There is no MPI library where one was looked for.
    #[error("{launcher} started {ranks} ranks, but no MPI library can be loaded: {tried}")]
    NoLibrary {
        /// What started the program.
        launcher: &'static str,
        /// How many ranks it started.
        ranks: usize,
        /// The names that were tried, and why each was not it.
        tried: String,
    },
    /// A library lacks a function or constant of MPI.
    #[error("{library} is no MPI library: it has no {symbol}")]
    NoSymbol {
        /// The library.
        library: String,
        /// What it lacks.
        symbol: String,
    },
    /// The library sees another number of ranks than the launcher started.
    #[error(
        "{launcher} started {expected} ranks, but {library} ({version}) sees {found}: the two do not belong together"
    )]
    Worlds {
        /// What started the program.
        launcher: &'static str,
        /// How many ranks it started.
        expected: usize,
        /// The library that was loaded.
        library: String,
        /// What it says of itself.
        version: String,
        /// How many ranks it sees.
        found: usize,
    },
    /// The library does not let one thread after the other use it.
    #[error("{library} lets no thread use it but the first")]
    OneThread {
        /// The library.
        library: String,
    },
    /// An operation failed.
    #[error("{operation} failed: {reason}")]
    Operation {
        /// The function of MPI.
        operation: &'static str,
        /// The library's reason.
        reason: String,
    },
    /// Another rank ended.
    #[error("another rank ended")]
    Aborted,
    /// This platform has no way to load a library.
    #[error("{launcher} started {ranks} ranks, but on this platform only one process can work on a model")]
    Platform {
        /// What started the program.
        launcher: &'static str,
        /// How many ranks it started.
        ranks: usize,
    },
}

/// Results of this crate.
pub type Result<T> = std::result::Result<T, Error>;
