//! What goes to the Hub and comes from it.

use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// What is pushed as one file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Content {
    /// The content of a local file.
    File(PathBuf),
    /// These bytes.
    Bytes(Vec<u8>),
}

/// What came of a push.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pushed {
    /// The page of the repository.
    pub url: String,
    /// The commit, where the Hub gave it.
    pub commit: Option<String>,
}

/// What was pulled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pulled {
    /// The commit.
    pub commit: String,
    /// Paths of the files in the folder.
    pub files: Vec<String>,
}

/// Files of a data set, in the Hub's cache.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fetched {
    /// The commit.
    pub commit: String,
    /// The configuration that they are of; empty for the files of the root folder, and for one file.
    pub config: String,
    /// Training samples.
    pub train: Vec<PathBuf>,
    /// Test samples.
    pub test: Vec<PathBuf>,
    /// Names of other tables of the configuration, which are not fetched.
    pub unread: Vec<String>,
}
