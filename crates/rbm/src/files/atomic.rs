//! Files that are written whole or not at all.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Writes `bytes` to `path`: a temporary file in the same folder, flushed to the disk, takes the
/// name only when it is complete. What was there before stays until then.
///
/// # Errors
/// The system's reason; nothing is left behind.
pub fn write_atomic(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    write_atomic_with(path, |file| file.write_all(bytes))
}

/// The same of what `write` writes.
///
/// # Errors
/// The system's reason, or that of `write`; nothing is left behind.
pub fn write_atomic_with(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> std::io::Result<()>,
) -> std::io::Result<()> {
    let mut builder = tempfile::Builder::new();
    // Temporary files are private by default; a result is for whoever may read the folder.
    #[cfg(unix)]
    let builder = builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let (_unfinished, mut file) = {
        let mut unfinished = unfinished();
        let file = builder.prefix(PREFIX).suffix(SUFFIX).tempfile_in(folder(path))?;
        let listed = Unfinished::list(file.path().to_path_buf(), &mut unfinished);
        (listed, file)
    };
    write(&mut file)?;
    file.as_file().sync_all()?;
    {
        let _unfinished = unfinished();
        file.persist(path).map_err(|error| error.error)?;
    }
    sync_folder(path);
    Ok(())
}

/// Temporary files that this program is writing.
static UNFINISHED: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

fn unfinished() -> MutexGuard<'static, BTreeSet<PathBuf>> {
    UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A temporary file that [`discard_unfinished`] removes until the value is dropped.
pub(crate) struct Unfinished(PathBuf);

impl Unfinished {
    /// The file in `path`, which need not be there yet.
    pub(crate) fn at(path: PathBuf) -> Self {
        Self::list(path, &mut unfinished())
    }

    fn list(path: PathBuf, unfinished: &mut BTreeSet<PathBuf>) -> Self {
        unfinished.insert(path.clone());
        Self(path)
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        unfinished().remove(&self.0);
    }
}

/// Removes the temporary files that this program is writing. Call it before the program ends in the middle of its
/// work. While the value lives, no file is begun.
#[must_use = "writing goes on when the value is dropped"]
pub fn discard_unfinished() -> impl Drop {
    let unfinished = unfinished();
    for path in unfinished.iter() {
        // One that has taken its name is not there any more.
        let _ = std::fs::remove_file(path);
    }
    unfinished
}

const PREFIX: &str = ".dbn-";
const SUFFIX: &str = ".tmp";

/// Whether a file of this name is one that a write was making when its program was killed.
#[must_use]
pub fn is_temporary(name: &str) -> bool {
    name.starts_with(PREFIX) && name.ends_with(SUFFIX)
}

/// A temporary name of the file in `path`, always the same.
pub(crate) fn beside(path: &Path, what: &str) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!("{PREFIX}{name}.{what}{SUFFIX}"))
}

/// A new name must itself survive a power cut; not every file system can sync a folder.
pub(crate) fn sync_folder(path: &Path) {
    #[cfg(unix)]
    let _ = std::fs::File::open(folder(path)).and_then(|folder| folder.sync_all());
    #[cfg(not(unix))]
    let _ = path;
}

fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}
