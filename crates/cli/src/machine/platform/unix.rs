//! Linux, macOS and other Unixes.

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::termios::{OptionalActions, tcgetattr, tcgetpgrp, tcsetattr};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGXFSZ};
use signal_hook::iterator::Signals;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

/// How long a terminal may take to answer: one on another continent too.
const PATIENCE: Duration = Duration::from_millis(500);

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

/// What the terminal answers to a question, up to the character `last`; none where there is no terminal, where the
/// program is in its background, or where it does not answer.
pub(crate) fn answer_of_terminal(question: &[u8], last: u8) -> Option<Vec<u8>> {
    let mut terminal = File::options().read(true).write(true).open("/dev/tty").ok()?;
    // The terminal stops a program in the background that changes its modes.
    if tcgetpgrp(&terminal).ok()? != rustix::process::getpgrp() {
        return None;
    }
    let before = tcgetattr(&terminal).ok()?;
    // Else the answer would be shown, and kept until the end of a line.
    let mut raw = before.clone();
    raw.make_raw();
    tcsetattr(&terminal, OptionalActions::Drain, &raw).ok()?;
    let answer = asked(&mut terminal, question, last);
    // What comes late is thrown away.
    tcsetattr(&terminal, OptionalActions::Flush, &before).ok()?;
    answer.ok()
}

fn asked(terminal: &mut File, question: &[u8], last: u8) -> io::Result<Vec<u8>> {
    terminal.write_all(question)?;
    let (asked, mut answer) = (Instant::now(), Vec::new());
    loop {
        let left = PATIENCE.checked_sub(asked.elapsed()).ok_or(io::ErrorKind::TimedOut)?;
        let left = Timespec::try_from(left).map_err(io::Error::other)?;
        if poll(&mut [PollFd::new(&*terminal, PollFlags::IN)], Some(&left))? == 0 {
            return Err(io::ErrorKind::TimedOut.into());
        }
        let mut some = [0; 64];
        let read = terminal.read(&mut some)?;
        answer.extend_from_slice(&some[..read]);
        if read == 0 || answer.len() > 1024 {
            return Err(io::ErrorKind::InvalidData.into());
        }
        if let Some(end) = answer.iter().position(|&character| character == last) {
            answer.truncate(end + 1);
            return Ok(answer);
        }
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
