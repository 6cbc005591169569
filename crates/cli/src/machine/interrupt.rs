//! Signals. Ctrl-C, and a request to terminate, end the program as they end any other, but leave no temporary file
//! behind. While a training runs, the first asks it to stop at the next batch, the second ends the program. A file
//! that grows beyond a limit is an error where it is written, as a full disk is.

use crate::failure::{Explain, Result};
use crate::machine::platform::{refuse_large_files, watch};
use crate::machine::threads::FEW;
use deepbelief_rbm::discard_unfinished;
use std::sync::atomic::{AtomicBool, Ordering};

/// Exit code of a run that was interrupted and saved.
pub(crate) const EXIT_CODE: u8 = 130;

static TRAINING: AtomicBool = AtomicBool::new(false);
static ASKED: AtomicBool = AtomicBool::new(false);

/// From here on an interrupt asks for a stop: there is something to save.
pub(crate) fn catch() {
    TRAINING.store(true, Ordering::Relaxed);
}

/// Whether the user asked to stop.
pub(crate) fn asked() -> bool {
    ASKED.load(Ordering::Relaxed)
}

/// Starts to handle signals.
pub(crate) fn start() -> Result<()> {
    watch(interrupted).or_fail(|| "cannot start the thread that catches interrupts".into()).or_hint(|| FEW.into())?;
    refuse_large_files().or_fail(|| "cannot catch the signal of a file's limit".into())
}

/// What an interrupt does; `end` ends a program that is not training.
fn interrupted(end: &dyn Fn()) {
    let training = TRAINING.load(Ordering::Relaxed);
    if training && !ASKED.swap(true, Ordering::Relaxed) {
        tracing::warn!("interrupted: finishing the batch and saving; once more to exit at once");
        return;
    }
    let _no_more_files = discard_unfinished();
    if !training {
        end();
    }
    std::process::exit(i32::from(EXIT_CODE));
}
