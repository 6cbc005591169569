//! The crate against a server of its own; nothing here leaves the machine.

mod cache;
mod failures;
mod fetch;
mod pull;
mod push;
mod server;

use deepbelief_hub::{Address, Hub, Kind, Settings};
use server::Server;
use std::path::Path;
use std::time::Duration;

/// The Hub at `server`, seen with `token`.
fn hub(server: &Server, cache: &Path, token: &str) -> Hub {
    Hub::new(settings(server, cache, token)).unwrap()
}

fn settings(server: &Server, cache: &Path, token: &str) -> Settings {
    Settings {
        endpoint: server.endpoint.clone(),
        token: Some(token.to_string()).filter(|token| !token.is_empty()),
        cache: cache.into(),
        offline: false,
        retry_delay: Duration::from_millis(1),
        time_limit: Duration::from_mins(1),
    }
}

fn address(text: &str) -> Address {
    text.parse().unwrap()
}

/// Fetches one file of a data set as `hub` sees it.
fn fetch(hub: &Hub, repo: &str, file: &str) -> Result<Vec<u8>, String> {
    let snapshot = hub.open(Kind::Dataset, &address(repo)).map_err(said)?;
    snapshot.fetch(file).map(|path| std::fs::read(path).unwrap()).map_err(said)
}

/// The whole message: what, and why.
#[expect(clippy::needless_pass_by_value, reason = "it stands in map_err")]
fn said(error: deepbelief_hub::Error) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(&error);
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

/// Bytes in which no two stretches are alike, so that a seam in the wrong place shows.
fn bytes(n: usize) -> Vec<u8> {
    (0..n as u32).flat_map(|i| i.wrapping_mul(2_654_435_761).to_be_bytes()).take(n).collect()
}
