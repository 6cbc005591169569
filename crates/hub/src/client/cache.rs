//! The cache folder of a repository, as the Hub's programs lay it out:
//!
//! | path | holds |
//! |---|---|
//! | `{kind}s--{user}--{repo}/refs/{revision}` | the commit that a branch or tag was at |
//! | `.../blobs/{etag}` | a file's content; `{etag}.incomplete` as long as bytes are missing |
//! | `.../snapshots/{commit}/{file}` | a link to the content |
//! | `.../listings/{commit}.json` | the names of all its files; this crate's own |
//! | `.locks/.../{etag}.lock` | held by the process that downloads |
//!
//! A cache may come from elsewhere: unpacked, or shared. So what is read from it is checked like what is
//! received, and nothing is read or written where a link leads out of the repository's folder.

use crate::address::is_file_name;
use crate::{Error, Kind, Result};
use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

/// The most that a list of names may take, received or remembered.
pub(crate) const LONGEST_LIST: u64 = 64 << 20;

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
        let text = self.read(&format!("refs/{revision}"), 1000)?;
        let commit = String::from_utf8(text).ok()?.trim().to_string();
        is_commit(&commit).then_some(commit)
    }

    /// Notes the commit of a revision.
    pub(crate) fn remember(&self, revision: &str, commit: &str) -> Result<()> {
        if is_commit(revision) {
            return Ok(());
        }
        replace(&place(&self.path, &format!("refs/{revision}"))?, commit.as_bytes())
    }

    /// Notes the files of a commit.
    pub(crate) fn list(&self, commit: &str, files: &[String]) -> Result<()> {
        let text = serde_json::json!(files).to_string();
        replace(&place(&self.path, &listing(commit))?, text.as_bytes())
    }

    /// The files of a commit, if they were noted.
    pub(crate) fn listed(&self, commit: &str) -> Option<Vec<String>> {
        let files: Vec<String> = serde_json::from_slice(&self.read(&listing(commit), LONGEST_LIST)?).ok()?;
        files.iter().all(|file| is_file_name(file)).then_some(files)
    }

    /// Where a file of a commit is, if it is here.
    pub(crate) fn snapshot(&self, commit: &str, file: &str) -> Option<PathBuf> {
        let path = self.path.join(snapshot(commit, file));
        self.holds(&path).then_some(path)
    }

    /// Where a content is, or is to be.
    pub(crate) fn blob(&self, name: &str) -> Result<PathBuf> {
        place(&self.path, &format!("blobs/{name}"))
    }

    /// Files of a commit that are here, in the order of their names.
    pub(crate) fn files(&self, commit: &str) -> Vec<String> {
        let mut found = Vec::new();
        self.walk(&self.path.join("snapshots").join(commit), "", &mut found);
        found.sort_unstable();
        found
    }

    fn walk(&self, folder: &Path, prefix: &str, found: &mut Vec<String>) {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let Ok(name) = entry.file_name().into_string() else { continue };
            let name = format!("{prefix}{name}");
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => self.walk(&entry.path(), &format!("{name}/"), found),
                Ok(_) if is_file_name(&name) && self.holds(&entry.path()) => found.push(name),
                _ => {}
            }
        }
    }

    /// Makes a content the file of a commit: by a link, or a copy where links need privileges.
    pub(crate) fn link(&self, commit: &str, file: &str, etag: &str) -> Result<PathBuf> {
        let path = self.path.join(snapshot(commit, file));
        // A link to a content that was deleted is in the way.
        if path.is_symlink() {
            fs::remove_file(&path).map_err(Error::write(&path))?;
        }
        place(&self.path, &snapshot(commit, file))?;
        let _ = fs::remove_file(&path);
        #[cfg(unix)]
        let linked = {
            let up = "../".repeat(file.split('/').count() + 1);
            std::os::unix::fs::symlink(format!("{up}blobs/{etag}"), &path)
        };
        #[cfg(not(unix))]
        let linked = fs::copy(self.blob(etag)?, &path).map(|_| ());
        linked.map_err(Error::write(&path))?;
        Ok(path)
    }

    /// Waits until no other process downloads this content, and keeps others out.
    pub(crate) fn lock(&self, etag: &str) -> Result<File> {
        let path = place(&self.locks, &format!("{etag}.lock"))?;
        let file = OpenOptions::new().create(true).append(true).open(&path).map_err(Error::write(&path))?;
        file.lock().map_err(Error::write(&path))?;
        Ok(file)
    }

    /// Whether a path ends, behind all links, at a file of this folder.
    fn holds(&self, path: &Path) -> bool {
        let real = |path: &Path| path.canonicalize().ok();
        match (real(path), real(&self.path)) {
            (Some(file), Some(folder)) => file.starts_with(folder) && file.is_file(),
            _ => false,
        }
    }

    /// A small file, if it is here and no longer than that.
    fn read(&self, name: &str, longest: u64) -> Option<Vec<u8>> {
        let path = self.path.join(name);
        if !self.holds(&path) {
            return None;
        }
        let mut bytes = Vec::new();
        File::open(path).ok()?.take(longest + 1).read_to_end(&mut bytes).ok()?;
        (bytes.len() as u64 <= longest).then_some(bytes)
    }
}

fn listing(commit: &str) -> String {
    format!("listings/{commit}.json")
}

fn snapshot(commit: &str, file: &str) -> String {
    format!("snapshots/{commit}/{file}")
}

/// The path of a file below `root` that may be written: its folders are made, none of them is a link, and
/// what is there under its name is a file and no link either.
fn place(root: &Path, name: &str) -> Result<PathBuf> {
    fs::create_dir_all(root).map_err(Error::write(root))?;
    let mut path = root.to_path_buf();
    let mut parts = name.split('/').peekable();
    while let Some(part) = parts.next() {
        path.push(part);
        let is_last = parts.peek().is_none();
        match fs::symlink_metadata(&path) {
            Ok(found) if if is_last { found.is_file() } else { found.is_dir() } => {}
            Ok(_) => return Err(Error::InTheWay { path }),
            Err(error) if error.kind() == ErrorKind::NotFound && is_last => {}
            Err(error) if error.kind() == ErrorKind::NotFound => make(&path)?,
            Err(error) => return Err(Error::write(&path)(error)),
        }
    }
    Ok(path)
}

/// Makes a folder, unless another process was faster.
fn make(folder: &Path) -> Result<()> {
    match fs::create_dir(folder) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(Error::write(folder)(error)),
        _ => Ok(()),
    }
}

/// Writes a file whole or not at all.
fn replace(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut builder = tempfile::Builder::new();
    // Temporary files are private by default; the cache may be shared.
    #[cfg(unix)]
    let builder = builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let folder = path.parent().unwrap_or(path);
    let mut file = builder.prefix(".dbn-").suffix(".tmp").tempfile_in(folder).map_err(Error::write(path))?;
    file.write_all(bytes).map_err(Error::write(path))?;
    file.persist(path).map_err(|error| Error::write(path)(error.error))?;
    Ok(())
}

/// Whether a revision is a commit, which never changes.
pub(crate) fn is_commit(revision: &str) -> bool {
    revision.len() == 40 && revision.bytes().all(|c| c.is_ascii_hexdigit())
}
