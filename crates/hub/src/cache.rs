//! The cache folder of a repository, as the Hub's programs lay it out:
//!
//! | path | holds |
//! |---|---|
//! | `{kind}s--{user}--{repo}/refs/{revision}` | the commit that a branch or tag was at |
//! | `.../blobs/{etag}` | a file's content; `{etag}.incomplete` as long as bytes are missing |
//! | `.../snapshots/{commit}/{file}` | a link to the content |
//! | `.../listings/{commit}` | the names of all its files, a line each; this crate's own |
//! | `.locks/.../{etag}.lock` | held by the process that downloads |

use crate::{Error, Kind, Result};
use std::fs::{self, File};
use std::path::{Path, PathBuf};

/// The part of the cache that belongs to one repository.
pub(crate) struct Folder {
    path: PathBuf,
    locks: PathBuf,
}

impl Folder {
    pub(crate) fn new(cache: &Path, kind: Kind, repo: &str) -> Self {
        let name = format!("{}--{}", kind.plural(), repo.replace('/', "--"));
        Self { path: cache.join(&name), locks: cache.join(".locks").join(&name) }
    }

    /// The commit of a revision, as far as it is known here.
    pub(crate) fn commit(&self, revision: &str) -> Option<String> {
        if is_commit(revision) {
            return Some(revision.into());
        }
        let commit = fs::read_to_string(self.path.join("refs").join(revision)).ok()?.trim().to_string();
        is_commit(&commit).then_some(commit)
    }

    /// Notes the commit of a revision.
    pub(crate) fn remember(&self, revision: &str, commit: &str) -> Result<()> {
        if is_commit(revision) {
            return Ok(());
        }
        let path = self.path.join("refs").join(revision);
        make_parent(&path)?;
        fs::write(&path, commit).map_err(Error::write(&path))
    }

    /// Notes the files of a commit.
    pub(crate) fn list(&self, commit: &str, files: &[String]) -> Result<()> {
        let path = self.listing(commit);
        make_parent(&path)?;
        fs::write(&path, files.join("\n")).map_err(Error::write(&path))
    }

    /// The files of a commit, if they were noted.
    pub(crate) fn listed(&self, commit: &str) -> Option<Vec<String>> {
        Some(fs::read_to_string(self.listing(commit)).ok()?.lines().map(str::to_string).collect())
    }

    fn listing(&self, commit: &str) -> PathBuf {
        self.path.join("listings").join(commit)
    }

    /// Where a file of a commit is, if it is here.
    pub(crate) fn snapshot(&self, commit: &str, file: &str) -> PathBuf {
        self.path.join("snapshots").join(commit).join(file)
    }

    /// Where a content is, if it is here.
    pub(crate) fn blob(&self, etag: &str) -> PathBuf {
        self.path.join("blobs").join(etag)
    }

    /// Files of a commit that are here, in the order of their names.
    pub(crate) fn files(&self, commit: &str) -> Vec<String> {
        fn walk(folder: &Path, prefix: &str, found: &mut Vec<String>) {
            for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
                let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
                match entry.path() {
                    path if path.is_dir() => walk(&path, &format!("{name}/"), found),
                    path if path.is_file() => found.push(name),
                    _ => {}
                }
            }
        }
        let mut found = Vec::new();
        walk(&self.path.join("snapshots").join(commit), "", &mut found);
        found.sort_unstable();
        found
    }

    /// Makes a content the file of a commit: by a link, or a copy where links need privileges.
    pub(crate) fn link(&self, commit: &str, file: &str, etag: &str) -> Result<PathBuf> {
        let path = self.snapshot(commit, file);
        make_parent(&path)?;
        // A link to a content that was deleted is in the way.
        let _ = fs::remove_file(&path);
        #[cfg(unix)]
        let linked = {
            let up = "../".repeat(file.split('/').count() + 1);
            std::os::unix::fs::symlink(format!("{up}blobs/{etag}"), &path)
        };
        #[cfg(not(unix))]
        let linked = fs::copy(self.blob(etag), &path).map(|_| ());
        linked.map_err(Error::write(&path))?;
        Ok(path)
    }

    /// Waits until no other process downloads this content, and keeps others out.
    pub(crate) fn lock(&self, etag: &str) -> Result<File> {
        let path = self.locks.join(format!("{etag}.lock"));
        make_parent(&path)?;
        let file = File::create(&path).map_err(Error::write(&path))?;
        file.lock().map_err(Error::write(&path))?;
        Ok(file)
    }
}

/// Makes the folder that a file is to be in.
pub(crate) fn make_parent(path: &Path) -> Result<()> {
    path.parent().map_or(Ok(()), |folder| fs::create_dir_all(folder).map_err(Error::write(folder)))
}

/// Whether a revision is a commit, which never changes.
pub(crate) fn is_commit(revision: &str) -> bool {
    revision.len() == 40 && revision.bytes().all(|c| c.is_ascii_hexdigit())
}
