//! The kinds of repositories.

use serde::{Deserialize, Serialize};
use std::fmt;

/// What a repository holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// A model.
    #[default]
    Model,
    /// A data set.
    Dataset,
    /// A Space: a page that the Hub shows.
    Space,
}

impl Kind {
    /// The word in the Hub's own addresses and in the names of its cache folders.
    #[cfg(feature = "client")]
    pub(crate) fn plural(self) -> &'static str {
        match self {
            Self::Model => "models",
            Self::Dataset => "datasets",
            Self::Space => "spaces",
        }
    }

    /// What stands before `user/repo` in the address of its page.
    #[cfg(feature = "client")]
    pub(crate) fn prefix(self) -> &'static str {
        match self {
            Self::Model => "",
            Self::Dataset => "datasets/",
            Self::Space => "spaces/",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Model => "model",
            Self::Dataset => "data set",
            Self::Space => "Space",
        })
    }
}
