//! A repository at one commit.

use super::cache::Folder;
use super::download::{Wanted, check, download};
use super::net::{Net, encode_path};
use crate::{Error, Kind, Result};
use std::path::{Path, PathBuf};

/// The files of a repository at one commit.
pub struct Snapshot<'a> {
    pub(crate) net: &'a Net,
    /// The cache folder, for messages.
    pub(crate) cache: &'a Path,
    pub(crate) kind: Kind,
    pub(crate) repo: String,
    pub(crate) commit: String,
    pub(crate) files: Vec<String>,
    /// Whether all its files are known.
    pub(crate) complete: bool,
    pub(crate) folder: Folder,
    /// Why the Hub is not asked for what is not in the cache, if it is not.
    pub(crate) offline: Option<&'static str>,
}

impl Snapshot<'_> {
    /// The commit.
    #[must_use]
    pub fn commit(&self) -> &str {
        &self.commit
    }

    /// The paths of all files, sorted.
    ///
    /// # Errors
    /// Offline, if they were never listed here: those in the cache may be a part of them.
    pub fn files(&self) -> Result<&[String]> {
        match self.offline.filter(|_| !self.complete) {
            Some(reason) => {
                let (what, cache) = (format!("the list of files of {}", self.repo), self.cache.into());
                Err(Error::Offline { what, cache, reason })
            }
            None => Ok(&self.files),
        }
    }

    /// The path of a file in the cache, which is fetched if it is not there.
    ///
    /// # Errors
    /// If there is no such file, if it cannot be fetched, if it comes damaged, if there is no room.
    pub fn fetch(&self, file: &str) -> Result<PathBuf> {
        let (repo, net) = (&self.repo, self.net);
        let known = self.files.iter().any(|known| known == file);
        if let Some(path) = self.folder.snapshot(&self.commit, file).filter(|_| known) {
            return Ok(path);
        }
        if let Some(reason) = self.offline.filter(|_| known || !self.complete) {
            let (what, cache) = (format!("{file} of {repo}"), self.cache.into());
            return Err(Error::Offline { what, cache, reason });
        }
        if !known {
            return Err(Error::NoFile { repo: repo.clone(), file: file.into(), files: self.files.clone() });
        }
        let url = self.url(file);
        let head = net.head(&url)?.map_err(|refusal| net.refusal(&refusal, self.kind, repo, &self.commit))?;
        let (blob, part) = (self.folder.blob(&head.etag)?, self.folder.blob(&format!("{}.incomplete", head.etag))?);
        let _lock = self.folder.lock(&head.etag)?;
        // A content that is here already, of another commit or another program, is what its name says or is
        // fetched once more.
        if !blob.is_file() || check(&blob, &head.etag)?.is_err() {
            download(net, &Wanted { url: &url, repo, file, head: &head }, part, &blob)?;
        }
        self.folder.link(&self.commit, file, &head.etag)
    }

    /// Where the file of this commit is.
    fn url(&self, file: &str) -> String {
        let prefix = self.kind.prefix();
        let file = encode_path(file);
        format!("{}/{prefix}{}/resolve/{}/{file}", self.net.endpoint(), self.repo, self.commit)
    }
}
