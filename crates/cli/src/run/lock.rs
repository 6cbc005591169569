//! One training a run folder: a file in it that the running program holds a lock on.
//!
//! The lock is the operating system's, which gives it back whenever and however the program ends;
//! a file that a killed program left behind locks nothing. What stands in the file only serves the
//! message for the next one.

use crate::failure::{Explain, Failure, Result};
use crate::machine::platform::is_at;
use deepbelief_rbm::open_for_writing;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};

/// Name of the file.
pub(crate) const LOCK: &str = "run.lock";

/// Whether a program trains in a folder now, as far as the file system knows locks.
pub(crate) fn is_held(folder: &Path) -> bool {
    let Ok(file) = deepbelief_rbm::open_regular(&folder.join(LOCK)) else { return false };
    matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock))
}

/// A folder that is this program's until the value is dropped.
#[derive(Debug)]
pub(crate) struct RunLock {
    path: PathBuf,
    /// None on file systems that know no locks.
    file: Option<File>,
}

impl RunLock {
    /// Takes a folder, which must exist. It is refused where another program trains in it.
    pub(crate) fn take(folder: &Path) -> Result<Self> {
        let path = folder.join(LOCK);
        loop {
            let mut options = OpenOptions::new();
            let mut file = open_for_writing(&path, options.create(true).truncate(false).read(true).write(true))
                .or_fail(|| format!("cannot make {}", path.display()))?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Err(in_use(folder, &mut file)),
                Err(TryLockError::Error(error)) => {
                    tracing::warn!("{} cannot be locked ({error}): train there once at a time", folder.display());
                    return Ok(Self { path, file: None });
                }
            }
            // Whoever had it removed it when they were done, perhaps after it was opened here.
            if !is_at(&file, &path) {
                continue;
            }
            // A message without a number is no reason not to train.
            let _ = file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id()));
            return Ok(Self { path, file: Some(file) });
        }
    }
}

impl Drop for RunLock {
    fn drop(&mut self) {
        // While the lock is held, so that nobody else's is removed; not every system can.
        if self.file.is_some() {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

fn in_use(folder: &Path, file: &mut File) -> Failure {
    let mut text = String::new();
    let _ = file.rewind().and_then(|()| file.take(32).read_to_string(&mut text));
    let by = match text.trim().parse::<u32>() {
        Ok(pid) => format!("by process {pid}"),
        Err(_) => "by another process".into(),
    };
    let name = folder.display();
    Failure::new(format!("the run folder {name} is in use {by}"))
        .hint("wait until it is done or stop it (Ctrl-C saves and ends it), or choose another folder with --out")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_one_programs_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let held = RunLock::take(folder.path()).unwrap();
        assert!(is_held(folder.path()));
        let refused = RunLock::take(folder.path()).unwrap_err();
        let pid = std::process::id();
        assert!(refused.what().ends_with(&format!("is in use by process {pid}")), "{}", refused.what());
        drop(held);
        assert!(!is_held(folder.path()));
        assert!(!folder.path().join(LOCK).exists());
        drop(RunLock::take(folder.path()).unwrap());
    }

    /// As a killed program leaves it, even where its number has gone to another one.
    #[test]
    fn a_file_alone_locks_nothing() {
        let folder = tempfile::tempdir().unwrap();
        for text in [String::new(), "1\n".into(), std::process::id().to_string(), "?".repeat(1000)] {
            std::fs::write(folder.path().join(LOCK), text).unwrap();
            drop(RunLock::take(folder.path()).unwrap());
        }
    }

    /// However threads come and go, never two of them are inside.
    #[test]
    fn taking_and_leaving_never_lets_two_in() {
        use std::sync::atomic::{AtomicU32, Ordering};
        let folder = tempfile::tempdir().unwrap();
        let (inside, entered) = (AtomicU32::new(0), AtomicU32::new(0));
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..2000 {
                        let Ok(lock) = RunLock::take(folder.path()) else { continue };
                        assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0);
                        entered.fetch_add(1, Ordering::SeqCst);
                        inside.fetch_sub(1, Ordering::SeqCst);
                        drop(lock);
                    }
                });
            }
        });
        assert!(entered.into_inner() > 0);
    }
}
