//! The Hub: repositories opened for reading.

use super::cache::Folder;
use super::listing::listing;
use super::net::Net;
use super::snapshot::Snapshot;
use crate::address::Address;
use crate::{Error, Kind, Result, Settings};
use std::path::PathBuf;

/// The Hub, as some user sees it.
pub struct Hub {
    pub(crate) settings: Settings,
    pub(crate) net: Net,
}

impl Hub {
    /// A way to the Hub; nothing is sent yet.
    ///
    /// # Errors
    /// If the endpoint is no address, the token none either, or no connection can be prepared.
    pub fn new(settings: Settings) -> Result<Self> {
        let header = |token: &String| !token.is_empty() && token.bytes().all(|c| c.is_ascii_graphic());
        if settings.token.as_ref().is_some_and(|token| !header(token)) {
            return Err(Error::Token);
        }
        Ok(Self { net: Net::new(&settings)?, settings })
    }

    /// Opens a repository at one commit: the newest of the revision that is asked for, or offline,
    /// and where the Hub cannot be reached, the newest that was seen here.
    ///
    /// # Errors
    /// If there is no such repository or revision, or none that the token opens; if the Hub cannot
    /// be reached, or not be asked, and nothing is in the cache.
    pub fn open(&self, kind: Kind, address: &Address) -> Result<Snapshot<'_>> {
        // Its fields may have been set to anything.
        let address: Address = address.to_string().parse()?;
        let (repo, revision) = (&address.repo, address.revision());
        let folder = Folder::new(&self.settings.cache, kind, repo);
        let cached = |folder: Folder, offline: &'static str| {
            let commit = folder.commit(revision)?;
            let listed = folder.listed(&commit);
            let complete = listed.is_some();
            let files = listed.unwrap_or_else(|| folder.files(&commit));
            let (net, cache, repo, offline) = (&self.net, &*self.settings.cache, repo.clone(), Some(offline));
            (!files.is_empty()).then_some(Snapshot { net, cache, kind, repo, commit, files, complete, folder, offline })
        };
        if self.settings.offline {
            let (what, cache) = (format!("the {kind} {repo}@{revision}"), self.settings.cache.clone());
            let reason = "HF_HUB_OFFLINE forbids to fetch it";
            return cached(folder, reason).ok_or(Error::Offline { what, cache, reason });
        }
        let listing = match listing(&self.net, kind, repo, revision) {
            Err(error) if error.is_passing() => {
                let snapshot = cached(folder, "the Hub cannot be reached").ok_or(error)?;
                tracing::warn!("{} cannot be reached: {repo}@{revision} as it is in the cache", self.net.endpoint());
                return Ok(snapshot);
            }
            listing => listing?,
        };
        let (commit, files) = (listing.commit, listing.files);
        folder.list(&commit, &files)?;
        folder.remember(revision, &commit)?;
        let (net, cache, repo, complete, offline) = (&self.net, &*self.settings.cache, repo.clone(), true, None);
        Ok(Snapshot { net, cache, kind, repo, commit, files, complete, folder, offline })
    }

    /// The path of a model's checkpoint: the file that the address names, or `model.safetensors`.
    ///
    /// # Errors
    /// Those of [`Hub::open`] and [`Snapshot::fetch`].
    pub fn model(&self, address: &Address) -> Result<PathBuf> {
        self.open(Kind::Model, address)?.fetch(address.file.as_deref().unwrap_or("model.safetensors"))
    }
}
