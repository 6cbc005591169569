//! Signals. Ctrl-C: the first asks the training to stop at the next batch, the second ends the program. A file
//! that grows beyond a limit is an error where it is written, as a full disk is.

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

/// Has the system say no to a write beyond the limit of a file's size, which otherwise ends the program.
pub(crate) fn survive_limits() -> Result<()> {
    #[cfg(unix)]
    signal_hook::flag::register(signal_hook::consts::SIGXFSZ, std::sync::Arc::default())
        .or_fail(|| "cannot catch the signal of a file's limit".into())?;
    Ok(())
}

/// Whether the user asked to stop.
pub(crate) fn asked() -> bool {
    ASKED.load(Ordering::Relaxed)
}
