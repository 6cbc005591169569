//! Signals. Ctrl-C, and a request to terminate, end the program as they end any other, but leave no temporary file
//! behind. While a training runs, the first asks it to stop at the next batch, the second ends the program. A file
//! that grows beyond a limit is an error where it is written, as a full disk is.

use crate::failure::{Explain, Result};
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
    watch().or_fail(|| "cannot start the thread that catches interrupts".into()).or_hint(|| FEW.into())?;
    // The system then refuses a write beyond the limit of a file's size, which otherwise ends the program.
    #[cfg(unix)]
    signal_hook::flag::register(signal_hook::consts::SIGXFSZ, std::sync::Arc::default())
        .or_fail(|| "cannot catch the signal of a file's limit".into())?;
    Ok(())
}

/// What an interrupt does; `end` ends a program that is not training.
fn interrupted(end: impl FnOnce()) {
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

/// A shell that runs the program in a loop ends the loop only if the program dies of the signal.
#[cfg(unix)]
fn watch() -> std::io::Result<()> {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    let hangup = (!survives_hangup()).then_some(SIGHUP);
    let mut signals = signal_hook::iterator::Signals::new([SIGINT, SIGTERM].into_iter().chain(hangup))?;
    let each = move || {
        for signal in signals.forever() {
            // It does not return.
            interrupted(|| drop(signal_hook::low_level::emulate_default_handler(signal)));
        }
    };
    std::thread::Builder::new().name("signals".into()).spawn(each).map(drop)
}

#[cfg(not(unix))]
fn watch() -> std::result::Result<(), ctrlc::Error> {
    ctrlc::set_handler(|| interrupted(|| ()))
}

/// Whether the program was started by `nohup`, or by whatever else has it ignore that its terminal is closed, as far
/// as the system tells.
#[cfg(unix)]
fn survives_hangup() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    mask >> (signal_hook::consts::SIGHUP - 1) & 1 == 1
}
