//! Every way in which the Hub, the network or the disk refuses, in words.

use crate::server::{Fault, Server};
use crate::{address, bytes, fetch, hub, said, settings};
use deepbelief_hub::{Hub, Kind, Settings};

/// A server with one public and one private data set.
fn served() -> (Server, tempfile::TempDir) {
    let server = Server::start();
    server.put("datasets/u/open", false, &[("x.csv", b"1"), ("y.parquet", &bytes(1000))]);
    server.put("datasets/u/closed", true, &[("x.csv", b"1")]);
    (server, tempfile::tempdir().unwrap())
}

#[test]
fn what_is_not_there_is_named() {
    let (server, cache) = served();
    let hub = hub(&server, cache.path(), "hf_read");
    let endpoint = &server.endpoint;
    assert_eq!(
        fetch(&hub, "u/none", "x.csv").unwrap_err(),
        format!(
            "{endpoint} shows no data set u/none: either there is none, or it is private and the token does not open it"
        )
    );
    assert_eq!(fetch(&hub, "u/open@v9", "x.csv").unwrap_err(), "u/open has no revision \"v9\"");
    assert_eq!(fetch(&hub, "u/open", "z.csv").unwrap_err(), "u/open has no file \"z.csv\"; it has x.csv, y.parquet");
}

#[test]
fn a_private_repository_opens_to_its_token_alone() {
    let (server, cache) = served();
    let refusal = |token: &str| fetch(&hub(&server, cache.path(), token), "u/closed", "x.csv");
    let text = refusal("").unwrap_err();
    assert!(text.ends_with("it is private and there is no token (HF_TOKEN, or `hf auth login`)"), "{text}");
    let text = refusal("hf_other").unwrap_err();
    assert!(text.ends_with("it is private and the token does not open it"), "{text}");
    assert_eq!(refusal("hf_read").unwrap(), b"1");
}

#[test]
fn a_gated_repository_gives_the_hubs_reason() {
    let (server, cache) = served();
    server.fail("revision", Fault::Status(403), 1);
    let error = fetch(&hub(&server, cache.path(), "hf_read"), "u/open", "x.csv").unwrap_err();
    assert_eq!(error, "u/open is not open to this token: told to fail");
}

/// Whatever request it is that meets a server in trouble, it is repeated.
#[test]
fn a_server_in_trouble_is_asked_again() {
    for status in [500, 502, 503, 504, 429, 408] {
        let (server, cache) = served();
        for request in ["revision", "HEAD", "/cdn/"] {
            server.fail(request, Fault::Status(status), 2);
        }
        assert_eq!(fetch(&hub(&server, cache.path(), ""), "u/open", "y.parquet").unwrap(), bytes(1000), "{status}");
    }
}

#[test]
fn trouble_that_stays_is_reported() {
    for (request, status, reason) in [
        ("revision", 429, "told to fail"),
        ("HEAD", 503, "Service Unavailable"),
        ("/cdn/", 500, "Internal Server Error"),
    ] {
        let (server, cache) = served();
        server.fail(request, Fault::Status(status), 100);
        let error = fetch(&hub(&server, cache.path(), ""), "u/open", "y.parquet").unwrap_err();
        assert_eq!(error, format!("{} answers {status} time and again: {reason}", server.endpoint));
    }
}

/// A connection that breaks at the same byte every time does not keep the program for ever.
#[test]
fn a_download_that_gets_no_further_is_given_up() {
    let (server, cache) = served();
    server.fail("/cdn/", Fault::Cut(0), 1000);
    let error = fetch(&hub(&server, cache.path(), ""), "u/open", "y.parquet").unwrap_err();
    assert!(error.starts_with(&format!("cannot reach {}: ", server.endpoint)), "{error}");
    assert_eq!(server.requests().iter().filter(|line| line.contains("/cdn/")).count(), 6);
}

/// An address where nothing listens: what was seen before is used, with a word of warning.
#[test]
fn without_a_network_the_cache_serves() {
    let (server, cache) = served();
    let endpoint = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}", listener.local_addr().unwrap())
    };
    let lost = Settings { endpoint: endpoint.clone(), ..settings(&server, cache.path(), "") };
    let lost = Hub::new(lost).unwrap();
    let error = fetch(&lost, "u/open", "x.csv").unwrap_err();
    assert!(error.starts_with(&format!("cannot reach {endpoint}: ")) && error.contains("refused"), "{error}");
    fetch(&hub(&server, cache.path(), ""), "u/open", "x.csv").unwrap();
    assert_eq!(fetch(&lost, "u/open", "x.csv").unwrap(), b"1");
}

#[test]
fn an_endpoint_that_is_no_hub_is_told_so() {
    let (server, cache) = served();
    let page = Settings { endpoint: "not an address".into(), ..settings(&server, cache.path(), "") };
    let error = Hub::new(page).err().unwrap();
    assert_eq!(said(error), "not an address does not answer as the Hub does: relative URL without a base");
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let (server, cache) = served();
    let file = cache.path().join("file");
    std::fs::write(&file, "").unwrap();
    let error = hub(&server, &file, "").open(Kind::Dataset, &address("u/open")).err().unwrap();
    let text = said(error);
    assert!(text.starts_with(&format!("cannot write {}", file.display())), "{text}");
}

/// `/dev/full` takes no byte.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_said_to_be_full() {
    let (server, cache) = served();
    let blobs = cache.path().join("datasets--u--open/blobs");
    std::fs::create_dir_all(&blobs).unwrap();
    let part = blobs.join(format!("{}.incomplete", crate::server::sha256(&bytes(1000))));
    std::os::unix::fs::symlink("/dev/full", &part).unwrap();
    let error = fetch(&hub(&server, cache.path(), ""), "u/open", "y.parquet").unwrap_err();
    assert_eq!(error, format!("cannot write {}: No space left on device (os error 28)", part.display()));
}
