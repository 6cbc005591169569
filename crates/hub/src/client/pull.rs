//! A repository as a folder of this machine.

use crate::{Address, Error, Hub, Kind, Pulled, Result};
use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

impl Hub {
    /// Fetches the files of a repository, or the one that the address names, and copies them into the
    /// folder `out`, which must be new or empty. The folder is there with all files or not at all.
    ///
    /// # Errors
    /// [`Error::Occupied`] if something is at `out`; those of [`Hub::open`] and
    /// [`Snapshot::fetch`](crate::Snapshot::fetch); if a file cannot be copied.
    pub fn pull(&self, kind: Kind, address: &Address, out: &Path) -> Result<Pulled> {
        let target = free(out)?;
        let snapshot = self.open(kind, address)?;
        // A repository's settings for git are no part of what it holds.
        let files: Vec<String> = match &address.file {
            Some(file) => vec![file.clone()],
            None => snapshot.files()?.iter().filter(|file| !file.starts_with(".git")).cloned().collect(),
        };
        let fetched: Vec<PathBuf> = files.iter().map(|file| snapshot.fetch(file)).collect::<Result<_>>()?;
        let folder = Unfinished::make(&target)?;
        for (file, from) in files.iter().zip(&fetched) {
            copy(from, &folder.0.join(file)).map_err(|error| match error {
                // The folder that the user named says more than one that is gone.
                Error::Disk { action: "write", source, .. } => Error::write(&out.join(file))(source),
                error => error,
            })?;
        }
        folder.finish(&target)?;
        Ok(Pulled { commit: snapshot.commit, files })
    }
}

/// The path of a folder that is to be made: behind its links, if it is there and empty.
fn free(out: &Path) -> Result<PathBuf> {
    match fs::read_dir(out).map(|mut entries| entries.next().is_none()) {
        Ok(true) => out.canonicalize().map_err(Error::write(out)),
        Err(error) if error.kind() == ErrorKind::NotFound && !out.is_symlink() => {
            std::path::absolute(out).map_err(Error::write(out))
        }
        _ => Err(Error::Occupied { path: out.into() }),
    }
}

/// The folder that [`Hub::pull`] fills before it has its name: what is left of a pull that was killed.
///
/// # Errors
/// [`Error::Occupied`] if something is at `out`.
pub fn unfinished(out: &Path) -> Result<PathBuf> {
    Ok(beside(&free(out)?))
}

/// On the disk where the folder is to be: in it, if it is there.
fn beside(target: &Path) -> PathBuf {
    let name = format!(".dbn-pull-{}.tmp", std::process::id());
    if target.is_dir() { target.join(name) } else { target.with_file_name(name) }
}

/// A new folder, removed again unless it is finished.
struct Unfinished(PathBuf);

impl Unfinished {
    fn make(target: &Path) -> Result<Self> {
        let parent = target.parent().unwrap_or(target);
        fs::create_dir_all(parent).map_err(Error::write(parent))?;
        let path = beside(target);
        fs::create_dir(&path).map_err(Error::write(&path))?;
        Ok(Self(path))
    }

    /// Gives the folder its name, or its files to the folder that has it.
    fn finish(self, target: &Path) -> Result<()> {
        if self.0.parent() != Some(target) {
            return fs::rename(&self.0, target).map_err(Error::write(target));
        }
        let entries = fs::read_dir(&self.0).and_then(Iterator::collect::<io::Result<Vec<_>>>);
        let names: Vec<_> = entries.map_err(Error::write(target))?.iter().map(fs::DirEntry::file_name).collect();
        let moved = names.iter().try_for_each(|name| fs::rename(self.0.join(name), target.join(name)));
        if moved.is_err() {
            // All or nothing, also where it stops half way.
            for name in &names {
                let _ = fs::rename(target.join(name), self.0.join(name));
            }
        }
        moved.map_err(Error::write(target))
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        // Of one that is finished there is nothing left, or an empty folder.
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    let folder = to.parent().unwrap_or(to);
    fs::create_dir_all(folder).map_err(Error::write(folder))?;
    let mut source = File::open(from).map_err(|source| Error::Disk { action: "read", path: from.into(), source })?;
    let mut file = File::create_new(to).map_err(Error::write(to))?;
    io::copy(&mut source, &mut file).and_then(|_| file.sync_all()).map_err(Error::write(to))
}
