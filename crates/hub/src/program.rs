//! What `dbn` and the program `dbn-hub` say to each other.
//!
//! `dbn` runs `dbn-hub --for VERSION VERB ...` and keeps its standard input open: the end of it ends
//! `dbn-hub`. Progress comes as lines of JSON on standard error, with a `level` and a `message`. Standard
//! output has one line of JSON, the answer:
//!
//! | verb | answer |
//! |---|---|
//! | `model ADDRESS` | the path of the checkpoint |
//! | `dataset ADDRESS` | [`Fetched`](crate::Fetched) |
//! | `pull ADDRESS DIR` | [`Pulled`](crate::Pulled) |
//! | `push REPO`, the first line of standard input a [`Push`] | [`Pushed`](crate::Pushed) |
//!
//! Where that is impossible, the exit code is 2 and the answer `{"refused": ...}` ([`Refused`]). Interrupted,
//! `dbn-hub` ends with 130 and no answer.

use crate::{Content, Kind};
use serde::{Deserialize, Serialize};

/// The version that both must have.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What is to be pushed.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Push {
    /// What the repository is.
    pub kind: Kind,
    /// Whether the repository is to be private.
    pub private: bool,
    /// The message of the commit.
    pub message: String,
    /// The files by their names in the repository.
    pub files: Vec<(String, Content)>,
}

/// Why something is impossible.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// What failed.
    pub what: String,
    /// Why, outermost first.
    pub causes: Vec<String>,
    /// What to do about it.
    pub hint: Option<String>,
}

impl Refused {
    /// An error and its causes.
    #[must_use]
    pub fn because(error: &dyn std::error::Error) -> Self {
        let causes = std::iter::successors(error.source(), |error| error.source()).map(ToString::to_string);
        Self { what: error.to_string(), causes: causes.collect(), hint: None }
    }
}
