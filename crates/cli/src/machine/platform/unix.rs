//! Linux, macOS and other Unixes.

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGXFSZ};
use signal_hook::iterator::Signals;
use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::thread;

/// Calls `interrupted` in a thread of its own at Ctrl-C and at requests to terminate. It gets what ends the program by
/// that signal: a shell that runs the program in a loop ends the loop only then.
pub(crate) fn watch(interrupted: impl Fn(&dyn Fn()) + Send + 'static) -> io::Result<()> {
    let hangup = (!survives_hangup()).then_some(SIGHUP);
    let mut signals = Signals::new([SIGINT, SIGTERM].into_iter().chain(hangup))?;
    let each = move || {
        for signal in signals.forever() {
            // It does not return.
            interrupted(&|| drop(signal_hook::low_level::emulate_default_handler(signal)));
        }
    };
    thread::Builder::new().name("signals".into()).spawn(each).map(drop)
}

/// From here on the system refuses a write beyond the limit of a file's size, which otherwise ends the program.
pub(crate) fn refuse_large_files() -> io::Result<()> {
    signal_hook::flag::register(SIGXFSZ, Arc::default()).map(drop)
}

/// Whether an open file is the one at this path.
pub(crate) fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let place = |metadata: std::fs::Metadata| (metadata.dev(), metadata.ino());
    match (file.metadata(), std::fs::metadata(path)) {
        (Ok(open), Ok(there)) => place(open) == place(there),
        _ => false,
    }
}

/// Whether the program was started by `nohup`, or by whatever else has it ignore that its terminal is closed, as far
/// as the system tells.
fn survives_hangup() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    mask >> (SIGHUP - 1) & 1 == 1
}
