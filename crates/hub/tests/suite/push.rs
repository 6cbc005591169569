//! Pushing, and what comes back of it.

use crate::server::{Fault, Server};
use crate::{address, bytes, hub, said};
use deepbelief_hub::{Content, Hub, Kind};

fn push(hub: &Hub, private: bool, model: &[u8]) -> Result<deepbelief_hub::Pushed, String> {
    let files = vec![
        ("model.safetensors".into(), Content::Bytes(model.to_vec())),
        ("README.md".into(), Content::Bytes(b"# A model\n".to_vec())),
    ];
    hub.push("u/m", private, "A model", files).map_err(said)
}

/// Every length modulo three, for the encoding of the upload.
#[test]
fn what_is_pushed_comes_back_the_same() {
    let (server, cache) = (Server::start(), tempfile::tempdir().unwrap());
    let hub = hub(&server, cache.path(), "hf_write");
    for n in [3000, 3001, 3002] {
        let pushed = push(&hub, false, &bytes(n)).unwrap();
        assert_eq!(pushed.url, format!("{}/u/m", server.endpoint));
        let snapshot = hub.open(Kind::Model, &address("u/m")).unwrap();
        assert_eq!(pushed.commit.as_deref(), Some(snapshot.commit()));
        assert_eq!(snapshot.files().unwrap(), ["README.md", "model.safetensors"]);
        assert_eq!(std::fs::read(snapshot.fetch("model.safetensors").unwrap()).unwrap(), bytes(n));
    }
    assert!(!server.is_private("models/u/m"));
}

#[test]
fn a_push_survives_a_server_in_trouble() {
    let (server, cache) = (Server::start(), tempfile::tempdir().unwrap());
    for request in ["create", "preupload", "commit"] {
        server.fail(request, Fault::Status(503), 2);
    }
    push(&hub(&server, cache.path(), "hf_write"), true, b"model").unwrap();
    assert!(server.is_private("models/u/m"));
    assert_eq!(server.files("models/u/m")["model.safetensors"], b"model");
}

/// What is meant to be private must not go where everyone reads.
#[test]
fn a_private_push_into_a_public_repository_sends_nothing() {
    let (server, cache) = (Server::start(), tempfile::tempdir().unwrap());
    server.put("models/u/m", false, &[("README.md", b"old")]);
    let error = push(&hub(&server, cache.path(), "hf_write"), true, b"secret").unwrap_err();
    assert!(error.starts_with("u/m exists and is not private: nothing was pushed"), "{error}");
    assert!(!server.requests().iter().any(|line| line.contains("preupload") || line.contains("commit")));
}

#[test]
fn a_push_needs_a_token_that_may_write() {
    let (server, cache) = (Server::start(), tempfile::tempdir().unwrap());
    let error = push(&hub(&server, cache.path(), ""), false, b"model").unwrap_err();
    assert_eq!(error, "pushing to u/m needs a token that may write: set HF_TOKEN, or log in with `hf auth login`");
    assert!(server.requests().is_empty());
    let error = push(&hub(&server, cache.path(), "hf_read"), false, b"model").unwrap_err();
    assert_eq!(error, "u/m is not open to this token: this token may only read");
    let error = push(&hub(&server, cache.path(), "hf_other"), false, b"model").unwrap_err();
    assert!(error.ends_with("the token does not open it"), "{error}");
}
