//! A repository as a folder of this machine.

use crate::{Address, Error, Hub, Kind, Result};
use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

/// What was pulled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pulled {
    /// The commit.
    pub commit: String,
    /// Paths of the files in the folder.
    pub files: Vec<String>,
}

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
        let parent = target.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(parent).map_err(Error::write(parent))?;
        let folder = Unfinished::make(parent)?;
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

/// A new folder, removed again unless it is finished.
struct Unfinished(PathBuf);

impl Unfinished {
    fn make(parent: &Path) -> Result<Self> {
        let path = parent.join(format!(".dbn-pull-{}.tmp", std::process::id()));
        fs::create_dir(&path).map_err(Error::write(&path))?;
        Ok(Self(path))
    }

    /// Gives the folder its name.
    fn finish(self, out: &Path) -> Result<()> {
        // Not every system puts a folder in the place of an empty one.
        if out.exists() {
            fs::remove_dir(out).map_err(Error::write(out))?;
        }
        fs::rename(&self.0, out).map_err(Error::write(out))
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        // There is nothing left of one that is finished.
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
