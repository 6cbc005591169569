//! What can go wrong, said with what, where and a way out.

use crate::kind::Kind;
use std::io;
#[cfg(feature = "client")]
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;

/// Results of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// Errors of this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An address that does not parse.
    #[error("{text:?} names nothing on the Hub: {hint}")]
    Address {
        /// What was given.
        text: String,
        /// What is wrong with it.
        hint: &'static str,
    },
    /// No repository, or none for this user: the Hub does not tell which.
    #[error(
        "{endpoint} shows no {kind} {repo}: either there is none, or it is private and {}",
        if *token { "the token does not open it" } else { "there is no token (HF_TOKEN, or `hf auth login`)" }
    )]
    NoRepo {
        /// The Hub.
        endpoint: String,
        /// What it should be.
        kind: Kind,
        /// `user/repo`.
        repo: String,
        /// Whether a token was shown.
        token: bool,
    },
    /// No such branch, tag or commit.
    #[error("{repo} has no revision {revision:?}")]
    NoRevision {
        /// `user/repo`.
        repo: String,
        /// The revision.
        revision: String,
    },
    /// No such file.
    #[error("{repo} has no file {file:?}; it has {}", some(files))]
    NoFile {
        /// `user/repo`.
        repo: String,
        /// The file.
        file: String,
        /// The files there are.
        files: Vec<String>,
    },
    /// The user may not do that.
    #[error("{repo} is not open to this token: {reason}")]
    Forbidden {
        /// `user/repo`.
        repo: String,
        /// The Hub's reason.
        reason: String,
    },
    /// Pushing without a token.
    #[error("pushing to {repo} needs a token that may write: set HF_TOKEN, or log in with `hf auth login`")]
    NoToken {
        /// `user/repo`.
        repo: String,
    },
    /// A private push to a repository that everyone can read, or that does not say.
    #[error("{repo} exists and is not private: nothing was pushed; make it private, push elsewhere or push in public")]
    Public {
        /// `user/repo`.
        repo: String,
    },
    /// No connection.
    #[error("cannot reach {endpoint}")]
    Unreachable {
        /// The Hub.
        endpoint: String,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A refusal for now, after several tries.
    #[error("{endpoint} answers {status} time and again: {reason}")]
    Busy {
        /// The Hub.
        endpoint: String,
        /// HTTP status.
        status: u16,
        /// The Hub's reason, or what the status means.
        reason: String,
    },
    /// What came is not what the Hub promised.
    #[error("{file} of {repo} came damaged: {reason}; it was removed, fetch it again")]
    Damaged {
        /// `user/repo`.
        repo: String,
        /// The file.
        file: String,
        /// What differs.
        reason: String,
    },
    /// An endpoint that is no address of the web.
    #[error("HF_ENDPOINT is no address of a Hub: {endpoint:?}: {reason}")]
    Endpoint {
        /// What it is, without a password.
        endpoint: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A push that takes too long.
    #[error(
        "{endpoint} did not take all of {repo} within {} s: see on its page whether it has arrived, or push again",
        limit.as_secs_f32()
    )]
    Slow {
        /// The Hub.
        endpoint: String,
        /// `user/repo`.
        repo: String,
        /// The time that it had.
        limit: Duration,
    },
    /// A name that no file of a repository may have.
    #[error("{name:?} cannot be the name of a file on the Hub")]
    Name {
        /// The name.
        name: String,
    },
    /// A pipe, a device or a folder where a file is to be pushed.
    #[error("{} is not a file", path.display())]
    NotAFile {
        /// Its path.
        path: PathBuf,
    },
    /// A folder of the user's that has something in it already.
    #[error("{} is there already", path.display())]
    Occupied {
        /// The folder.
        path: PathBuf,
    },
    /// Something in the cache that leads elsewhere.
    #[error("the cache needs a file or folder of its own at {}: remove the link or device there", path.display())]
    InTheWay {
        /// Its path.
        path: PathBuf,
    },
    /// Something else than the Hub answers.
    #[error("{url} does not answer as the Hub does: {reason}")]
    Answer {
        /// What was asked.
        url: String,
        /// What is odd.
        reason: String,
    },
    /// Not in the cache, and the network is not to be used, or cannot be.
    #[error("{what} is not in the cache {}, and {reason}", cache.display())]
    Offline {
        /// The repository or file.
        what: String,
        /// The cache folder.
        cache: PathBuf,
        /// Why it is not fetched.
        reason: &'static str,
    },
    /// Pushing without the network.
    #[error("HF_HUB_OFFLINE forbids to push to {repo}: unset it")]
    OfflinePush {
        /// `user/repo`.
        repo: String,
    },
    /// A token that cannot be sent.
    #[error(
        "the token (HF_TOKEN, or the file that `hf auth login` left) holds a space, a line break or a letter beyond ASCII"
    )]
    Token,
    /// A file could not be read or written.
    #[error("cannot {action} {}", path.display())]
    Disk {
        /// `read` or `write`.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// A data set that holds nothing that is read by itself.
    #[error("hf:{address}: there is no Parquet file of training samples; {hint}")]
    NoTable {
        /// The data set.
        address: String,
        /// What to name instead.
        hint: String,
    },
    /// The system gives no thread.
    #[cfg(feature = "client")]
    #[error("the system gives no thread to push with: raise its limit (ulimit -u)")]
    Thread(#[source] io::Error),
    /// The Hub's library refused.
    #[cfg(feature = "client")]
    #[error(transparent)]
    Library(hf_hub::HFError),
}

#[cfg(feature = "client")]
impl Error {
    /// Wraps a system error with the path that could not be written.
    pub(crate) fn write(path: &Path) -> impl Fn(io::Error) -> Self + use<> {
        let path = path.to_path_buf();
        move |source| Self::Disk { action: "write", path: path.clone(), source }
    }

    /// Whether another try may go better.
    pub(crate) fn is_passing(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::Busy { .. })
    }
}

/// A list of files that a message has room for.
fn some(files: &[String]) -> String {
    const ROOM: usize = 8;
    match files {
        [] => "none".into(),
        _ if files.len() <= ROOM => files.join(", "),
        _ => format!("{}, and {} more", files[..ROOM].join(", "), files.len() - ROOM),
    }
}
