//! A repository at one commit.

use crate::cache::{Folder, make_parent};
use crate::download::{Wanted, download};
use crate::net::Refusal;
use crate::{Error, Hub, Kind, Result};
use std::path::PathBuf;

/// The files of a repository at one commit.
pub struct Snapshot<'a> {
    pub(crate) hub: &'a Hub,
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
                let (what, cache) = (format!("the list of files of {}", self.repo), self.hub.settings.cache.clone());
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
        let (repo, hub) = (&self.repo, self.hub);
        let path = self.folder.snapshot(&self.commit, file);
        if self.files.iter().any(|known| known == file) && path.is_file() {
            return Ok(path);
        }
        let known = self.files.iter().any(|known| known == file);
        if let Some(reason) = self.offline.filter(|_| known || !self.complete) {
            let (what, cache) = (format!("{file} of {repo}"), hub.settings.cache.clone());
            return Err(Error::Offline { what, cache, reason });
        }
        if !known {
            return Err(Error::NoFile { repo: repo.clone(), file: file.into(), files: self.files.clone() });
        }
        let url = self.url(file);
        let head = hub.net.head(&url)?.map_err(|(status, headers)| {
            let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
            let refusal =
                Refusal { status: status.as_u16(), code: text("x-error-code"), message: text("x-error-message") };
            hub.refusal(&refusal, self.kind, repo, &self.commit)
        })?;
        let blob = self.folder.blob(&head.etag);
        make_parent(&blob)?;
        let _lock = self.folder.lock(&head.etag)?;
        if !blob.is_file() {
            download(&hub.net, &Wanted { url: &url, repo, file, head: &head }, &blob)?;
        }
        self.folder.link(&self.commit, file, &head.etag)
    }

    /// Where the file of this commit is.
    fn url(&self, file: &str) -> String {
        let prefix = match self.kind {
            Kind::Model => "",
            Kind::Dataset => "datasets/",
        };
        // A percent sign first, lest those of the others be taken for it.
        let file = file.replace('%', "%25").replace('?', "%3F").replace('#', "%23");
        format!("{}/{prefix}{}/resolve/{}/{file}", self.hub.net.endpoint(), self.repo, self.commit)
    }
}
