//! Files that are written whole or not at all.

use std::io::Write;
use std::path::{Path, PathBuf};

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
    let mut file = builder.prefix(PREFIX).suffix(SUFFIX).tempfile_in(folder(path))?;
    write(&mut file)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    sync_folder(path);
    Ok(())
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
