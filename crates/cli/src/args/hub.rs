//! Options of the verbs that speak to the Hugging Face Hub.

use clap::Args;
use deepbelief_hub::Address;
use std::path::PathBuf;

pub(super) const PULL_HELP: &str = "\
The Hub's own variables work here too: HF_TOKEN, HF_HOME, HF_HUB_CACHE, HF_HUB_OFFLINE, HF_ENDPOINT.
Other verbs take a model of the Hub by its name: dbn classify hf:someone/digits

Examples:
  dbn pull someone/digits
  dbn pull someone/digits@v1 --out runs/theirs";

pub(super) const PUSH_HELP: &str = "\
You need a token that may write: set HF_TOKEN, or log in by `hf auth login`. The card shows the
log-likelihood if it is in the run folder: dbn eval runs/deep --out runs/deep/evaluation.json

The Space shows the page.html of the run folder. Where there is none, --space makes one as
`dbn page` does, with 50 samples of the data on it if they are at hand. For a page without samples,
run first: dbn page runs/deep --examples 0 --out runs/deep/page.html

Examples:
  dbn push runs/deep me/digits
  dbn push runs/deep me/digits --private --license mit
  dbn push runs/deep me/digits --space";

/// A model to fetch.
#[derive(Debug, Args)]
pub(crate) struct PullArgs {
    /// Repository, at a revision (@REVISION), or one file of it (:FILE)
    #[arg(value_name = "USER/REPO[@REVISION][:FILE]")]
    pub(crate) address: Address,
    /// Folder to write, which must be new or empty [default: runs/REPO]
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
}

/// A model to push.
#[derive(Debug, Args)]
pub(crate) struct PushArgs {
    /// Run folder, or checkpoint
    #[arg(value_name = "RUN")]
    pub(crate) run: PathBuf,
    /// The repository; it is made if there is none
    #[arg(value_name = "USER/REPO", value_parser = repository)]
    pub(crate) repo: String,
    /// Make what is pushed visible to you alone; a repository that exists and is public is refused
    #[arg(long)]
    pub(crate) private: bool,
    /// Also publish a page to try the model in, as a static Space of the same name
    #[arg(long)]
    pub(crate) space: bool,
    /// License of the model, by the Hub's names, for its card [default: none]
    #[arg(long, value_name = "ID", value_parser = license)]
    pub(crate) license: Option<String>,
}

fn repository(text: &str) -> Result<String, String> {
    let address: Address = text.parse().map_err(|error: deepbelief_hub::Error| error.to_string())?;
    if address.revision.is_some() || address.file.is_some() {
        return Err("expected user/repo: a push goes to the main branch".into());
    }
    Ok(address.repo)
}

/// It becomes a value of YAML.
fn license(text: &str) -> Result<String, String> {
    if !text.is_empty() && text.bytes().all(|c| c.is_ascii_alphanumeric() || b"-._".contains(&c)) {
        return Ok(text.into());
    }
    Err("expected a name such as mit, apache-2.0 or cc-by-4.0".into())
}
