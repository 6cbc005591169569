//! The threads of everything that has no pool of its own: reading, measuring, and products of matrices.

use crate::failure::{Failure, Result, count};
use crate::machine::ranks;
use std::error::Error as _;
use std::sync::atomic::{AtomicBool, Ordering};

/// What to do where no thread can be started.
pub(crate) const FEW: &str = "the system allows no more threads (`ulimit -u`), or no memory for them (`ulimit -v`): \
                              allow more, or ask for fewer with --threads";

/// Whether they are there.
static BOUND: AtomicBool = AtomicBool::new(false);

/// Threads a processor, at most: what is more only waits, and takes memory.
const MOST: usize = 4;

/// Refuses many more threads than there are processors.
fn require_processors(threads: usize) -> Result<()> {
    let Ok(processors) = std::thread::available_parallelism() else { return Ok(()) };
    if threads <= MOST * processors.get() {
        return Ok(());
    }
    Err(Failure::new(format!(
        "--threads is {threads}, but this machine has {}, for at most {} threads",
        count(processors.get(), "processor"),
        MOST * processors.get()
    ))
    .hint("--threads 0 takes one a processor; the result is the same for any number"))
}

/// Starts so many threads, or with 0 one a core, if none were started yet. What would start them later could
/// not say that there are none.
pub(crate) fn bind(threads: usize) -> Result<()> {
    if BOUND.swap(true, Ordering::Relaxed) {
        return Ok(());
    }
    deepbelief_training::validate_threads(threads)?;
    require_processors(threads)?;
    let threads = ranks::threads(threads);
    let built = rayon::ThreadPoolBuilder::new().num_threads(threads).build_global();
    match built {
        // Without a cause: somebody else was first, and got threads.
        Err(error) if error.source().is_some() => {
            let threads = if threads == 0 { "the threads".to_string() } else { count(threads, "thread") };
            Err(Failure::new(error.to_string()).while_doing(format!("cannot start {threads}")).hint(FEW))
        }
        _ => Ok(()),
    }
}
