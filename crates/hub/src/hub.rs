//! The Hub: repositories opened for reading, folders of files pushed.

use crate::address::Address;
use crate::cache::{Folder, is_commit};
use crate::net::{ATTEMPTS, Net, Refusal};
use crate::snapshot::Snapshot;
use crate::{Error, Kind, Result, Settings};
use hf_hub::repository::{CommitOperation, RepoSibling};
use hf_hub::{HFClient, HFClientSync, HFError, RepoTypeModel, split_id};
use std::path::PathBuf;

/// The Hub, as some user sees it.
pub struct Hub {
    pub(crate) settings: Settings,
    pub(crate) net: Net,
    library: HFClientSync,
}

/// What is pushed as one file.
#[derive(Clone, Debug)]
pub enum Content {
    /// The content of a local file.
    File(PathBuf),
    /// These bytes.
    Bytes(Vec<u8>),
}

/// What came of a push.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pushed {
    /// The page of the repository.
    pub url: String,
    /// The commit, where the Hub told it.
    pub commit: Option<String>,
}

/// What a repository says of itself.
struct Info {
    commit: Option<String>,
    files: Vec<RepoSibling>,
    private: Option<bool>,
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
        // Without a token the library would look for one by itself; it sends none that is no header.
        let library = HFClient::builder()
            .endpoint(&settings.endpoint)
            .token(settings.token.clone().unwrap_or_else(|| "\n".into()))
            .cache_dir(&settings.cache)
            .retry_max_attempts(ATTEMPTS as usize - 1)
            .retry_base_delay(settings.retry_delay)
            .build_sync()
            .map_err(|error| match error {
                HFError::Url(error) => Error::Answer { url: settings.endpoint.clone(), reason: error.to_string() },
                error => Error::Library(error),
            })?;
        Ok(Self { net: Net::new(&settings)?, settings, library })
    }

    /// Opens a repository at one commit: the newest of the revision that is asked for, or offline,
    /// and where the Hub cannot be reached, the newest that was seen here.
    ///
    /// # Errors
    /// If there is no such repository or revision, or none that the token opens; if the Hub cannot
    /// be reached, or not be asked, and nothing is in the cache.
    pub fn open(&self, kind: Kind, address: &Address) -> Result<Snapshot<'_>> {
        let (repo, revision) = (&address.repo, address.revision());
        let folder = Folder::new(&self.settings.cache, kind, repo);
        let cached = |folder: Folder, offline: &'static str| {
            let commit = folder.commit(revision)?;
            let listed = folder.listed(&commit);
            let complete = listed.is_some();
            let files = listed.unwrap_or_else(|| folder.files(&commit));
            let (hub, repo, offline) = (self, repo.clone(), Some(offline));
            (!files.is_empty()).then_some(Snapshot { hub, kind, repo, commit, files, complete, folder, offline })
        };
        if self.settings.offline {
            let (what, cache) = (format!("the {kind} {repo}@{revision}"), self.settings.cache.clone());
            let reason = "HF_HUB_OFFLINE forbids to fetch it";
            return cached(folder, reason).ok_or(Error::Offline { what, cache, reason });
        }
        let info = match self.info(kind, repo, revision) {
            Err(error) if error.is_passing() => {
                let snapshot = cached(folder, "the Hub cannot be reached").ok_or(error)?;
                tracing::warn!("{} cannot be reached: {repo}@{revision} as it is in the cache", self.net.endpoint());
                return Ok(snapshot);
            }
            info => info?,
        };
        let odd = |reason: &str| Error::Answer {
            url: format!("{}/api/{}/{repo}", self.net.endpoint(), kind.plural()),
            reason: reason.into(),
        };
        let commit = info.commit.filter(|commit| is_commit(commit)).ok_or_else(|| odd("it names no commit"))?;
        let mut files: Vec<String> = info.files.into_iter().map(|file| file.rfilename).collect();
        // A name that leads out of the cache folder is no file's.
        files.retain(|file| crate::address::is_inside(file));
        files.sort_unstable();
        folder.list(&commit, &files)?;
        folder.remember(revision, &commit)?;
        let (hub, repo, complete, offline) = (self, repo.clone(), true, None);
        Ok(Snapshot { hub, kind, repo, commit, files, complete, folder, offline })
    }

    /// Pushes files to a model's repository as one commit; the repository is made if there is none.
    ///
    /// # Errors
    /// If the settings say offline, if there is no token or it may not write there, if the Hub cannot
    /// be reached, if a file cannot be read; and for a private push to a repository that is not known
    /// to be private, before any file is sent.
    pub fn push(&self, repo: &str, private: bool, message: &str, files: Vec<(String, Content)>) -> Result<Pushed> {
        if self.settings.offline {
            return Err(Error::OfflinePush { repo: repo.into() });
        }
        if !self.net.has_token() {
            return Err(Error::NoToken { repo: repo.into() });
        }
        let refused = |error| self.explain(error, Kind::Model, repo, "main");
        let made = self.library.create_repository().repo_id(repo).repo_type(RepoTypeModel).private(private);
        made.exist_ok(true).send().map_err(refused)?;
        if private && self.info(Kind::Model, repo, "main")?.private != Some(true) {
            return Err(Error::Public { repo: repo.into() });
        }
        let operation = |(name, content)| match content {
            Content::File(path) => CommitOperation::add_file(name, path),
            Content::Bytes(bytes) => CommitOperation::add_bytes(name, bytes),
        };
        let operations = files.into_iter().map(operation).collect();
        let (owner, name) = split_id(repo);
        let repository = self.library.model(owner, name);
        let commit = repository.create_commit().operations(operations).commit_message(message);
        let commit = commit.send().map_err(refused)?.commit_oid;
        Ok(Pushed { url: format!("{}/{repo}", self.net.endpoint()), commit })
    }

    fn info(&self, kind: Kind, repo: &str, revision: &str) -> Result<Info> {
        let (owner, name) = split_id(repo);
        let info = match kind {
            Kind::Model => self.library.model(owner, name).info().revision(revision).send().map(|info| Info {
                commit: info.sha,
                files: info.siblings.unwrap_or_default(),
                private: info.private,
            }),
            Kind::Dataset => self.library.dataset(owner, name).info().revision(revision).send().map(|info| Info {
                commit: info.sha,
                files: info.siblings.unwrap_or_default(),
                private: info.private,
            }),
        };
        info.map_err(|error| self.explain(error, kind, repo, revision))
    }

    /// The library's errors in the words of this crate.
    fn explain(&self, error: HFError, kind: Kind, repo: &str, revision: &str) -> Error {
        let context = match error {
            HFError::Http { context }
            | HFError::AuthRequired { context }
            | HFError::Forbidden { context }
            | HFError::Conflict { context }
            | HFError::RateLimited { context, .. }
            | HFError::RepoNotFound { context: Some(context), .. }
            | HFError::RevisionNotFound { context: Some(context), .. }
            | HFError::EntryNotFound { context: Some(context), .. } => context,
            HFError::Request { source, .. } if source.is_decode() => {
                return Error::Answer { url: self.net.endpoint().into(), reason: cause(&source) };
            }
            HFError::Request { source, .. } => return self.net.unreachable(source),
            other => return Error::Library(other),
        };
        let (code, message) = (context.error_code.as_deref(), context.server_message.as_deref());
        self.refusal(&Refusal { status: context.status.as_u16(), code, message }, kind, repo, revision)
    }

    /// What a refusal means.
    pub(crate) fn refusal(&self, refusal: &Refusal<'_>, kind: Kind, repo: &str, revision: &str) -> Error {
        let no_repo = || Error::NoRepo {
            endpoint: self.net.endpoint().into(),
            kind,
            repo: repo.into(),
            token: self.net.has_token(),
        };
        let reason = || refusal.message.unwrap_or("no reason given").to_string();
        match (refusal.status, refusal.code) {
            (_, Some("RepoNotFound")) => no_repo(),
            (_, Some("RevisionNotFound")) => Error::NoRevision { repo: repo.into(), revision: revision.into() },
            (403, _) | (_, Some("GatedRepo")) => Error::Forbidden { repo: repo.into(), reason: reason() },
            (401 | 404, _) => no_repo(),
            (status @ (408 | 429 | 500..), _) => self.net.busy(status, refusal.message),
            (status, _) => Error::Answer {
                url: format!("{}/{repo}", self.net.endpoint()),
                reason: format!("status {status}: {}", reason()),
            },
        }
    }
}

/// The innermost reason of an error.
fn cause(error: &dyn std::error::Error) -> String {
    error.source().map_or_else(|| error.to_string(), cause)
}
