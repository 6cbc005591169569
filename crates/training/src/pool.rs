//! Thread pools.

use crate::error::{Error, Result, require};
use rayon::ThreadPool;

/// Refuses a number of threads that no machine has: starting them would take the whole machine.
///
/// # Errors
/// [`Error::Config`] says so.
pub fn validate_threads(threads: usize) -> Result<()> {
    require(threads <= 1024, "threads", threads, "at most 1024; 0 takes one a core")
}

/// A pool of so many threads; 0 takes one a core.
///
/// # Errors
/// [`Error::Config`] for more threads than any machine has; [`Error::Threads`] if they cannot be started.
pub fn pool(threads: usize) -> Result<ThreadPool> {
    validate_threads(threads)?;
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().map_err(|source| Error::Threads { threads, source })
}
