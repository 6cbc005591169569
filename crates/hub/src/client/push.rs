//! Files on their way to the Hub, by its own library.

use super::listing::listing;
use super::net::{AGENT, ATTEMPTS, CONNECT, Refusal, SILENCE};
use crate::address::is_file_name;
use crate::{Content, Error, Hub, Kind, Pushed, Result};
use hf_hub::repository::CommitOperation;
use hf_hub::{HFClient, HFClientSync, HFError, RepoTypeAny, split_id};
use std::sync::mpsc;
use std::time::Duration;

/// What a Space runs on: pages are files, which need no program behind them.
const SPACE_SDK: &str = "static";

/// The slowest connection that a push counts on, in bytes a second.
const SLOWEST: u64 = 1 << 16;

impl Hub {
    /// Pushes files to a repository as one commit; the repository is made if there is none. A Space is a static one.
    ///
    /// # Errors
    /// If the settings say offline, if there is no token or it may not write there, if the Hub cannot
    /// be reached or takes longer than [`Settings::time_limit`](crate::Settings::time_limit) and a second
    /// for every 64 KiB, if a file cannot be read; and for a private push to a repository that is not
    /// known to be private, before any file is sent.
    pub fn push(
        &self,
        kind: Kind,
        repo: &str,
        private: bool,
        message: &str,
        files: Vec<(String, Content)>,
    ) -> Result<Pushed> {
        if self.settings.offline {
            return Err(Error::OfflinePush { repo: repo.into() });
        }
        let Some(token) = &self.settings.token else {
            return Err(Error::NoToken { repo: repo.into() });
        };
        if let Some((name, _)) = files.iter().find(|(name, _)| !is_file_name(name)) {
            return Err(Error::Name { name: name.clone() });
        }
        let bytes = files.iter().map(|(_, content)| size(content)).sum::<Result<u64>>()?;
        let library = self.library(token)?;
        let limit = self.settings.time_limit;
        let of_repo = (library.clone(), repo.to_string());
        self.within(limit, kind, repo, move || {
            let (library, repo) = of_repo;
            let sdk = (kind == Kind::Space).then(|| SPACE_SDK.to_string());
            let made = library.create_repository().repo_id(&repo).repo_type(library_kind(kind)).private(private);
            made.maybe_space_sdk(sdk).exist_ok(true).send().map(|_| ())
        })?;
        if private && listing(&self.net, kind, repo, "main")?.private != Some(true) {
            return Err(Error::Public { repo: repo.into() });
        }
        let operation = |(name, content)| match content {
            Content::File(path) => CommitOperation::add_file(name, path),
            Content::Bytes(bytes) => CommitOperation::add_bytes(name, bytes),
        };
        let operations = files.into_iter().map(operation).collect();
        let (of_repo, message) = (repo.to_string(), message.to_string());
        let commit = self.within(limit + Duration::from_secs(bytes / SLOWEST), kind, repo, move || {
            let (owner, name) = split_id(&of_repo);
            let repository = library.repository(library_kind(kind), owner, name);
            repository.create_commit().operations(operations).commit_message(message).send()
        })?;
        Ok(Pushed { url: format!("{}/{}{repo}", self.net.endpoint(), kind.prefix()), commit: commit.commit_oid })
    }

    fn library(&self, token: &str) -> Result<HFClientSync> {
        let client = reqwest::Client::builder().user_agent(AGENT).connect_timeout(CONNECT).read_timeout(SILENCE);
        let client = client.build().map_err(|error| self.net.unreachable(error))?;
        HFClient::builder()
            .endpoint(self.net.endpoint())
            .token(token)
            .client(client)
            .cache_dir(&self.settings.cache)
            .retry_max_attempts(ATTEMPTS as usize - 1)
            .retry_base_delay(self.settings.retry_delay)
            .build_sync()
            .map_err(Error::Library)
    }

    /// What the library does, if it does it in time. What takes longer ends by itself when its server falls
    /// silent, or with the program.
    fn within<T: Send + 'static>(
        &self,
        limit: Duration,
        kind: Kind,
        repo: &str,
        work: impl FnOnce() -> std::result::Result<T, HFError> + Send + 'static,
    ) -> Result<T> {
        let (done, result) = mpsc::channel();
        std::thread::Builder::new().spawn(move || done.send(work())).map_err(Error::Thread)?;
        match result.recv_timeout(limit) {
            Ok(result) => result.map_err(|error| self.explain(error, kind, repo)),
            Err(_) => Err(Error::Slow { endpoint: self.net.endpoint().into(), repo: repo.into(), limit }),
        }
    }

    /// The library's errors in the words of this crate.
    fn explain(&self, error: HFError, kind: Kind, repo: &str) -> Error {
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
        let (code, message) = (context.error_code.clone(), context.server_message.clone());
        let refusal = Refusal { status: context.status.as_u16(), code, message };
        self.net.refusal(&refusal, kind, repo, "main")
    }
}

/// The kind as the library names it.
fn library_kind(kind: Kind) -> RepoTypeAny {
    match kind {
        Kind::Model => RepoTypeAny::Model,
        Kind::Dataset => RepoTypeAny::Dataset,
        Kind::Space => RepoTypeAny::Space,
    }
}

/// Bytes of what is to be pushed. A pipe or a device has no end, so that only files have a size.
fn size(content: &Content) -> Result<u64> {
    match content {
        Content::Bytes(bytes) => Ok(bytes.len() as u64),
        Content::File(path) => match std::fs::metadata(path) {
            Ok(found) if found.is_file() => Ok(found.len()),
            Ok(_) => Err(Error::NotAFile { path: path.clone() }),
            Err(source) => Err(Error::Disk { action: "read", path: path.clone(), source }),
        },
    }
}

/// The innermost reason of an error.
fn cause(error: &dyn std::error::Error) -> String {
    error.source().map_or_else(|| error.to_string(), cause)
}
