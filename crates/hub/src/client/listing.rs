//! What a repository says of itself.

use super::cache::is_commit;
use super::net::{Net, encode};
use crate::address::is_file_name;
use crate::{Error, Kind, Result};
use serde::Deserialize;

/// A repository at one commit.
pub(crate) struct Listing {
    pub(crate) commit: String,
    /// The names of its files, sorted.
    pub(crate) files: Vec<String>,
    /// Whether it is private, if that is said.
    pub(crate) private: Option<bool>,
}

/// The Hub's answer, as far as it is of use.
#[derive(Deserialize)]
struct Answer {
    sha: Option<String>,
    #[serde(default)]
    siblings: Vec<Sibling>,
    private: Option<bool>,
}

#[derive(Deserialize)]
struct Sibling {
    rfilename: String,
}

/// Asks for a repository.
pub(crate) fn listing(net: &Net, kind: Kind, repo: &str, revision: &str) -> Result<Listing> {
    let url = address(net, kind, repo, revision);
    let bytes = net.page(&url)?.map_err(|refusal| net.refusal(&refusal, kind, repo, revision))?;
    let odd = |reason: String| Error::Answer { url: url.clone(), reason };
    let Answer { sha, siblings, private } = serde_json::from_slice(&bytes).map_err(|error| odd(error.to_string()))?;
    let commit = sha.filter(|commit| is_commit(commit)).ok_or_else(|| odd("it names no commit".into()))?;
    let listed = siblings.len();
    // What leads out of a folder, or is more than a line, is no file's name.
    let mut files: Vec<String> =
        siblings.into_iter().map(|sibling| sibling.rfilename).filter(|file| is_file_name(file)).collect();
    if files.len() < listed {
        tracing::warn!("{repo} lists {} names that no file may have: they are left out", listed - files.len());
    }
    files.sort_unstable();
    Ok(Listing { commit, files, private })
}

fn address(net: &Net, kind: Kind, repo: &str, revision: &str) -> String {
    format!("{}/api/{}/{repo}/revision/{}", net.endpoint(), kind.plural(), encode(revision))
}
