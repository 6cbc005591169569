//! Pushing, and what comes back of it.

use crate::server::{Fault, Server};
use crate::{address, bytes, hub, said, settings};
use deepbelief_hub::{Content, Hub, Kind, Settings};
use std::time::{Duration, Instant};

fn push(hub: &Hub, private: bool, model: &[u8]) -> Result<deepbelief_hub::Pushed, String> {
    let files = vec![
        ("model.safetensors".into(), Content::Bytes(model.to_vec())),
        ("README.md".into(), Content::Bytes(b"# A model\n".to_vec())),
    ];
    hub.push(Kind::Model, "u/m", private, "A model", files).map_err(said)
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

/// A Space beside a model of the same name is a repository of its own, and stands at another address.
#[test]
fn a_space_is_a_static_one_at_its_own_address() {
    let (server, cache) = (Server::start(), tempfile::tempdir().unwrap());
    let hub = hub(&server, cache.path(), "hf_write");
    push(&hub, false, b"model").unwrap();
    let page = vec![("index.html".to_string(), Content::Bytes(b"<!doctype html>".to_vec()))];
    let pushed = hub.push(Kind::Space, "u/m", true, "A page", page).unwrap();
    assert_eq!(pushed.url, format!("{}/spaces/u/m", server.endpoint));
    assert_eq!(server.sdk("spaces/u/m").as_deref(), Some("static"));
    assert_eq!(server.sdk("models/u/m"), None);
    assert!(server.is_private("spaces/u/m") && !server.is_private("models/u/m"));
    assert_eq!(server.files("spaces/u/m")["index.html"], b"<!doctype html>");
    assert!(!server.files("models/u/m").contains_key("index.html"));
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

#[test]
fn a_push_that_takes_for_ever_is_given_up() {
    for (request, fault) in [("create", Fault::Silent), ("preupload", Fault::Dripping), ("commit", Fault::Silent)] {
        let (server, cache) = (Server::start(), tempfile::tempdir().unwrap());
        server.fail(request, fault, 100);
        let hasty = Settings { time_limit: Duration::from_millis(300), ..settings(&server, cache.path(), "hf_write") };
        let begun = Instant::now();
        let error = push(&Hub::new(hasty).unwrap(), false, b"model").unwrap_err();
        assert!(error.starts_with(&format!("{} did not take all of u/m within 0.3 s", server.endpoint)), "{error}");
        assert!(begun.elapsed() < Duration::from_secs(5), "{request}: {:?}", begun.elapsed());
    }
}

/// A pipe has no end, and a name becomes a path on the machines of others.
#[test]
fn what_is_no_file_is_not_pushed() {
    let (server, cache) = (Server::start(), tempfile::tempdir().unwrap());
    let push = |name: &str, content: Content| {
        hub(&server, cache.path(), "hf_write").push(Kind::Model, "u/m", false, "A model", vec![(name.into(), content)])
    };
    let error = push("x.png", Content::File(cache.path().into())).unwrap_err().to_string();
    assert_eq!(error, format!("{} is not a file", cache.path().display()));
    #[cfg(unix)]
    assert_eq!(push("x.png", Content::File("/dev/zero".into())).unwrap_err().to_string(), "/dev/zero is not a file");
    let error = push("x\n/y.png", Content::Bytes(Vec::new())).unwrap_err().to_string();
    assert_eq!(error, "\"x\\n/y.png\" cannot be the name of a file on the Hub");
    assert!(server.requests().is_empty(), "nothing was sent");
}
