//! Every way in which the Hub, the network or the disk refuses, in words.

use crate::server::{Fault, Server};
use crate::{address, bytes, fetch, hub, said, settings};
use deepbelief_hub::{Hub, Kind, Settings};
use std::time::{Duration, Instant};

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
    assert_eq!(error, "u/open is not open to this token: asked to fail");
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
    for (request, status, reason) in
        [("revision", 429, "asked to fail"), ("HEAD", 503, "asked to fail"), ("/cdn/", 500, "asked to fail")]
    {
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
    assert_eq!(said(error), "HF_ENDPOINT is no address of a Hub: \"not an address\": relative URL without a base");
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

/// Neither the memory nor the patience of the user is the server's to take.
#[test]
fn a_list_of_files_has_an_end() {
    let (server, cache) = served();
    server.fail("revision", Fault::Padded(65 << 20), 1);
    let error = fetch(&hub(&server, cache.path(), ""), "u/open", "x.csv").unwrap_err();
    assert!(error.ends_with("its list of files is longer than 64 MiB"), "{error}");
}

#[test]
fn a_list_of_files_that_takes_for_ever_is_given_up() {
    let (server, cache) = served();
    server.put("datasets/u/new", false, &[("x.csv", b"1")]);
    fetch(&hub(&server, cache.path(), ""), "u/open", "x.csv").unwrap();
    let hasty = Settings { time_limit: Duration::from_millis(300), ..settings(&server, cache.path(), "") };
    let hasty = Hub::new(hasty).unwrap();
    for fault in [Fault::Dripping, Fault::Silent] {
        server.fail("revision", fault, 100);
        let begun = Instant::now();
        assert_eq!(fetch(&hasty, "u/open", "x.csv").unwrap(), b"1", "the cache serves");
        let error = fetch(&hasty, "u/new", "x.csv").unwrap_err();
        assert!(error.starts_with(&format!("cannot reach {}: ", server.endpoint)), "{error}");
        assert!(begun.elapsed() < Duration::from_secs(5), "{fault:?}: {:?}", begun.elapsed());
    }
}

/// A user and a password in the address are sent where there is no token, and shown nowhere.
#[test]
fn a_password_in_the_address_is_not_shown() {
    let (server, cache) = served();
    let at = |token: &str| {
        let endpoint = server.endpoint.replace("http://", "http://me:secret@");
        Settings { endpoint, ..settings(&server, cache.path(), token) }
    };
    let hidden = |text: &str| assert!(!text.contains("secret"), "{text}");
    let anonymous = Hub::new(at("")).unwrap();
    assert_eq!(fetch(&anonymous, "u/open", "x.csv").unwrap(), b"1");
    assert!(server.authorizations().iter().all(|by| by == "Basic bWU6c2VjcmV0"), "me:secret in base 64");
    hidden(&fetch(&anonymous, "u/closed", "x.csv").unwrap_err());
    hidden(&format!("{:?}", at("")));
    server.fail("HEAD", Fault::Status(418), 1);
    hidden(&fetch(&anonymous, "u/open", "y.parquet").unwrap_err());
    server.fail("/cdn/", Fault::Cut(0), 1000);
    hidden(&fetch(&anonymous, "u/open", "y.parquet").unwrap_err());
    server.authorizations();
    fetch(&Hub::new(at("hf_read")).unwrap(), "u/closed", "x.csv").unwrap();
    assert!(server.authorizations().iter().all(|by| by == "Bearer hf_read"));
    let pushed = Hub::new(at("hf_write")).unwrap().push(Kind::Model, "u/m", false, "A model", Vec::new()).unwrap();
    assert_eq!(pushed.url, format!("{}/u/m", server.endpoint));
    for text in ["me:secret@hub", "http://me:secret@"] {
        hidden(&said(Hub::new(Settings { endpoint: text.into(), ..at("") }).err().unwrap()));
    }
}
