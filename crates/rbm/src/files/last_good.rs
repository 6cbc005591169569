//! The newest state of a training and the one before it, `state.safetensors` and
//! `state.previous.safetensors`: where the newest is damaged, the one before goes on.
//!
//! At every moment of a write at least one of the two names is a whole file: the old one gets its
//! second name first (a hard link, so that the first never is absent), then the new one, complete
//! on the disk, takes the first.

use crate::files::atomic::{Unfinished, beside, write_atomic};
use crate::files::format::is_newer;
use crate::files::regular_file::read_regular;
use std::io::{ErrorKind, Result};
use std::path::{Path, PathBuf};

/// Where the version before the one in `path` is kept.
#[must_use]
pub fn previous_path(path: &Path) -> PathBuf {
    version(path, "previous")
}

/// Where a damaged version is kept that another one took the place of.
#[must_use]
pub fn damaged_path(path: &Path) -> PathBuf {
    version(path, "damaged")
}

/// `state.previous.safetensors` of `state.safetensors`.
fn version(path: &Path, which: &str) -> PathBuf {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let ending = path.extension().map_or(String::new(), |ending| format!(".{}", ending.to_string_lossy()));
    path.with_file_name(format!("{stem}.{which}{ending}"))
}

/// Writes as [`write_atomic`] does, and keeps what was there before as the previous version.
///
/// # Errors
/// The system's reason. What was there before then is whole, under at least one of its names.
pub fn write_keeping(path: &Path, bytes: &[u8]) -> Result<()> {
    let previous = previous_path(path);
    let _unfinished = Unfinished::at(staged(path));
    // A full disk must be found out before anything has moved.
    write_atomic(&staged(path), bytes)?;
    let kept = link_over(path, &previous).and_then(|()| std::fs::rename(staged(path), path));
    if kept.is_err() {
        let _ = std::fs::remove_file(staged(path));
    }
    kept?;
    crate::files::atomic::sync_folder(path);
    Ok(())
}

/// A file and, where the newest one could not be read, why.
#[derive(Debug)]
pub struct Recovered<T, E> {
    /// What was read.
    pub value: T,
    /// What is wrong with the newest version, if the one before was read instead.
    pub damage: Option<E>,
}

/// Whether a file that cannot be loaded may be whole all the same: the system does not let us read it, or a newer
/// program wrote it.
#[must_use]
pub fn may_be_whole(path: &Path) -> bool {
    match read_regular(path) {
        Ok(bytes) => is_newer(&bytes),
        Err(error) => error.kind() != ErrorKind::NotFound,
    }
}

/// Reads the newest version with `load`; where it is damaged, the one before, which then takes the
/// place of the newest, so that the next write cannot put a damaged file over the last good one. The
/// damaged one stays beside it.
///
/// # Errors
/// Why the newest version cannot be loaded, if it [`may_be_whole`], or if there is no other that can be.
pub fn recover<T, E>(
    path: &Path,
    load: impl Fn(&Path) -> std::result::Result<T, E>,
) -> std::result::Result<Recovered<T, E>, E> {
    let damage = match load(path) {
        Ok(value) => return Ok(Recovered { value, damage: None }),
        Err(damage) => damage,
    };
    if may_be_whole(path) {
        return Err(damage);
    }
    let previous = previous_path(path);
    let Some(value) = previous.is_file().then(|| load(&previous).ok()).flatten() else { return Err(damage) };
    // It is kept for whoever can do more with it.
    match link_over(path, &damaged_path(path)).and_then(|()| link_over(&previous, path)) {
        Ok(()) => Ok(Recovered { value, damage: Some(damage) }),
        Err(_) => Err(damage),
    }
}

/// Where a new version is made ready.
fn staged(path: &Path) -> PathBuf {
    beside(path, "new")
}

/// Gives the file in `from`, if there is one, the name `to` as well, which replaces what had it.
fn link_over(from: &Path, to: &Path) -> Result<()> {
    let link = beside(to, "link");
    let _unfinished = Unfinished::at(link.clone());
    let remove = || match std::fs::remove_file(&link) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    };
    remove()?;
    match std::fs::hard_link(from, &link) {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        // Some file systems know no links. A copy costs its bytes, and keeps the order of things.
        Err(_) => write_atomic(&link, &read_regular(from)?)?,
    }
    std::fs::rename(&link, to)?;
    // Renaming one name of a file to another of the same file leaves both.
    remove()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(path: &Path) -> Result<Vec<u8>> {
        let bytes = std::fs::read(path)?;
        if bytes.starts_with(b"bad") { Err(std::io::Error::other("damaged")) } else { Ok(bytes) }
    }

    #[test]
    fn the_version_before_stays_until_the_next_write() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.safetensors");
        let previous = folder.path().join("state.previous.safetensors");
        assert_eq!(previous_path(&path), previous);
        write_keeping(&path, b"one").unwrap();
        assert!(!previous.exists());
        for (new, old) in [("two", "one"), ("three", "two")] {
            write_keeping(&path, new.as_bytes()).unwrap();
            assert_eq!((read(&path).unwrap(), read(&previous).unwrap()), (new.into(), old.into()));
        }
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2, "nothing else is left");
    }

    /// As a kill leaves them between two steps of a write: both names on one file.
    #[test]
    fn a_write_goes_on_from_what_a_kill_left() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.safetensors");
        write_keeping(&path, b"one").unwrap();
        link_over(&path, &previous_path(&path)).unwrap();
        std::fs::write(staged(&path), "half").unwrap();
        std::fs::write(beside(&previous_path(&path), "link"), "old").unwrap();
        write_keeping(&path, b"two").unwrap();
        assert_eq!((read(&path).unwrap(), read(&previous_path(&path)).unwrap()), (b"two".into(), b"one".into()));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2, "nothing else is left");
    }

    #[test]
    fn a_damaged_file_gives_way_to_the_one_before() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.safetensors");
        write_keeping(&path, b"one").unwrap();
        write_keeping(&path, b"two").unwrap();
        let whole = recover(&path, read).unwrap();
        assert!(whole.value == b"two" && whole.damage.is_none());

        std::fs::write(&path, "bad").unwrap();
        let recovered = recover(&path, read).unwrap();
        assert_eq!(
            (recovered.value.as_slice(), recovered.damage.unwrap().to_string()),
            (&b"one"[..], "damaged".into())
        );
        // The damaged one is nobody's previous version.
        write_keeping(&path, b"three").unwrap();
        assert_eq!(read(&previous_path(&path)).unwrap(), b"one");

        std::fs::remove_file(&path).unwrap();
        assert_eq!(recover(&path, read).unwrap().value, b"one");
        for path in [path.clone(), previous_path(&path)] {
            std::fs::remove_file(&path).unwrap();
            std::fs::write(&path, "bad").unwrap();
        }
        assert_eq!(recover(&path, read).unwrap_err().to_string(), "damaged");
    }
}
