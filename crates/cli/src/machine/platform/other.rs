//! Windows, and whatever else is no Unix.

use std::fs::File;
use std::io;
use std::path::Path;

/// Calls `interrupted` in a thread of its own at Ctrl-C. The system has no signal to end the program by.
pub(crate) fn watch(interrupted: impl Fn(&dyn Fn()) + Send + 'static) -> io::Result<()> {
    ctrlc::set_handler(move || interrupted(&|| ())).map_err(io::Error::other)
}

/// A file's size has no limit but the disk.
#[allow(clippy::unnecessary_wraps, reason = "it may fail elsewhere")]
pub(crate) fn refuse_large_files() -> io::Result<()> {
    Ok(())
}

/// What the terminal answers to a question: it is not asked here.
pub(crate) fn answer_of_terminal(_: &[u8], _: u8) -> Option<Vec<u8>> {
    None
}

/// Whether an open file is the one at this path: a file that is open cannot be removed.
pub(crate) fn is_at(_: &File, _: &Path) -> bool {
    true
}
