//! Where the Hub is and who asks, by the environment variables of the Hub's own programs.

use std::env::{var, var_os};
use std::path::PathBuf;
use std::time::Duration;

/// How the Hub is spoken to.
#[derive(Clone, PartialEq, Eq)]
pub struct Settings {
    /// The Hub's address. From `HF_ENDPOINT`, by default `https://huggingface.co`. A user and a password in
    /// it are sent where there is no token, and shown nowhere.
    pub endpoint: String,
    /// The user's token. From `HF_TOKEN`, else the file that `HF_TOKEN_PATH` names, else
    /// `$HF_HOME/token`, where `hf auth login` leaves it; none where
    /// `HF_HUB_DISABLE_IMPLICIT_TOKEN` says so.
    pub token: Option<String>,
    /// The cache folder. From `HF_HUB_CACHE`, else `$HF_HOME/hub`, by default
    /// `~/.cache/huggingface/hub`.
    pub cache: PathBuf,
    /// Whether nothing but the cache may be used. From `HF_HUB_OFFLINE`.
    pub offline: bool,
    /// The wait before a failed request is repeated; it doubles with every failure. 100 ms.
    pub retry_delay: Duration,
    /// The longest that a list of files may take. A push has a second more for every 64 KiB. 5 minutes.
    pub time_limit: Duration,
}

impl Settings {
    /// The settings of the environment.
    #[must_use]
    pub fn from_env() -> Self {
        let endpoint = var("HF_ENDPOINT").ok().filter(|text| !text.is_empty());
        Self {
            endpoint: endpoint.unwrap_or_else(|| "https://huggingface.co".into()),
            token: token().filter(|_| !is_set("HF_HUB_DISABLE_IMPLICIT_TOKEN")),
            cache: hf_hub::resolve_cache_dir(),
            offline: is_set("HF_HUB_OFFLINE"),
            retry_delay: Duration::from_millis(100),
            time_limit: Duration::from_mins(5),
        }
    }
}

/// Whether a variable says yes.
fn is_set(name: &str) -> bool {
    var(name).is_ok_and(|text| ["1", "true", "yes", "on"].contains(&text.to_ascii_lowercase().as_str()))
}

fn token() -> Option<String> {
    let file = || {
        let path = var_os("HF_TOKEN_PATH").map_or_else(|| hf_hub::hf_home().join("token"), PathBuf::from);
        std::fs::read_to_string(path).ok()
    };
    let text = var("HF_TOKEN").ok().filter(|text| !text.trim().is_empty()).or_else(file)?;
    Some(text.trim().to_string()).filter(|text| !text.is_empty())
}

impl std::fmt::Debug for Settings {
    /// The token is a secret, and so is a password in the address.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let token = self.token.as_ref().map(|_| "(hidden)");
        f.debug_struct("Settings")
            .field("endpoint", &super::endpoint::shown(&self.endpoint))
            .field("token", &token)
            .field("cache", &self.cache)
            .field("offline", &self.offline)
            .field("retry_delay", &self.retry_delay)
            .field("time_limit", &self.time_limit)
            .finish()
    }
}
