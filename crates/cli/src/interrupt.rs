//! Ctrl-C: the first asks the training to stop at the next batch, the second ends the program.

use crate::failure::{Explain, Result};
use std::sync::atomic::{AtomicBool, Ordering};

/// Exit code of a run that was interrupted and saved.
pub(crate) const EXIT_CODE: u8 = 130;

static ASKED: AtomicBool = AtomicBool::new(false);

/// Begins to catch interrupts (and requests to terminate); before this they end the program,
/// which has nothing to save yet.
pub(crate) fn catch() -> Result<()> {
    ctrlc::set_handler(|| {
        if ASKED.swap(true, Ordering::Relaxed) {
            std::process::exit(i32::from(EXIT_CODE));
        }
        tracing::warn!("interrupted: finishing the batch and saving; once more to exit at once");
    })
    .or_fail(|| "cannot catch interrupts".into())
}

/// Whether the user asked to stop.
pub(crate) fn asked() -> bool {
    ASKED.load(Ordering::Relaxed)
}
