//! Downloads: cached, resumed, checked, offline.

use crate::server::{Fault, Server, commit, git_hash, sha256};
use crate::{address, bytes, fetch, hub, settings};
use deepbelief_hub::{Hub, Kind, Settings};
use std::path::Path;

/// Files of a commit come once, large ones by way of a redirect, and lie where other programs of
/// the Hub look for them.
#[test]
fn files_come_once_and_lie_in_the_cache_as_others_expect() {
    let (server, cache) = (Server::start(), tempfile::tempdir().unwrap());
    let large = bytes(300_000);
    server.put("datasets/u/d", false, &[("a/b.parquet", &large), ("notes 1%.csv", b"1,2\n")]);
    let hub = hub(&server, cache.path(), "");
    let snapshot = hub.open(Kind::Dataset, &address("u/d")).unwrap();
    assert_eq!(
        (snapshot.commit(), snapshot.files().unwrap()),
        (&*commit(1), &["a/b.parquet".into(), "notes 1%.csv".into()][..])
    );
    let path = snapshot.fetch("a/b.parquet").unwrap();
    assert!(std::fs::read(&path).unwrap() == large);
    let folder = cache.path().join("datasets--u--d");
    assert_eq!(path, folder.join("snapshots").join(commit(1)).join("a/b.parquet"));
    assert_eq!(std::fs::read_to_string(folder.join("refs/main")).unwrap(), commit(1));
    assert_eq!(std::fs::read(folder.join("blobs").join(sha256(&large))).unwrap(), large);
    server.requests();
    assert_eq!(fetch(&hub, "u/d", "a/b.parquet").unwrap(), large);
    assert_eq!(server.requests(), ["GET /api/datasets/u/d/revision/main"], "the file is not asked for again");
}

#[test]
fn a_name_that_needs_escaping_arrives() {
    let (server, cache) = (Server::start(), tempfile::tempdir().unwrap());
    server.put("datasets/u/d", false, &[("notes%20.csv", b"1,2\n")]);
    // The server takes paths as they come, so it has the file under its escaped name too.
    server.put("datasets/u/d", false, &[("notes%20.csv", b"1,2\n"), ("notes%2520.csv", b"escaped\n")]);
    assert_eq!(fetch(&hub(&server, cache.path(), ""), "u/d", "notes%20.csv").unwrap(), b"escaped\n");
}

/// The connection breaks three times, in one process and between two; no byte is sent twice.
#[test]
fn a_broken_download_goes_on_where_it_stopped() {
    let (server, cache) = (Server::start(), tempfile::tempdir().unwrap());
    let (large, hash) = (bytes(500_000), sha256(&bytes(500_000)));
    server.put("datasets/u/d", false, &[("x.parquet", &large)]);
    server.fail("GET /cdn", Fault::Cut(200_000), 1);
    server.fail(&format!("/cdn/{hash} bytes=200000-"), Fault::Cut(200_000), 1);
    server.fail(&format!("/cdn/{hash} bytes=400000-"), Fault::Status(418), 1);
    let first = fetch(&hub(&server, cache.path(), ""), "u/d", "x.parquet").map(|_| "a file");
    assert!(first.as_ref().is_err_and(|error| error.contains("not answer as the Hub does: status 418")), "{first:?}");
    let cdn = |line: &String| line.contains("/cdn/");
    server.requests();
    assert!(fetch(&hub(&server, cache.path(), ""), "u/d", "x.parquet").unwrap() == large);
    let asked: Vec<String> = server.requests().into_iter().filter(cdn).collect();
    assert_eq!(asked, [format!("GET /cdn/{hash} bytes=400000-")]);
}

#[test]
fn a_server_without_ranges_sends_all_again() {
    let (server, cache) = (Server::start(), tempfile::tempdir().unwrap());
    let large = bytes(200_000);
    server.put("datasets/u/d", false, &[("x.parquet", &large)]);
    server.fail("GET /cdn", Fault::Cut(50_000), 1);
    server.fail(&format!("/cdn/{} bytes=50000-", sha256(&large)), Fault::NoRanges, 1);
    assert!(fetch(&hub(&server, cache.path(), ""), "u/d", "x.parquet").unwrap() == large);
}

/// What is here of a file may be too long for it, if it was left by something else.
#[test]
fn remains_that_cannot_belong_to_the_file_are_dropped() {
    let (server, cache) = (Server::start(), tempfile::tempdir().unwrap());
    let large = bytes(1000);
    server.put("datasets/u/d", false, &[("x.parquet", &large)]);
    let blobs = cache.path().join("datasets--u--d/blobs");
    std::fs::create_dir_all(&blobs).unwrap();
    std::fs::write(blobs.join(format!("{}.incomplete", sha256(&large))), [7; 1001]).unwrap();
    assert!(fetch(&hub(&server, cache.path(), ""), "u/d", "x.parquet").unwrap() == large);
}

/// Small files come with the hash that git gives them.
#[test]
fn a_small_file_with_another_hash_is_refused() {
    let (server, cache) = (Server::start(), tempfile::tempdir().unwrap());
    server.put("datasets/u/d", false, &[("x.csv", b"1,2\n")]);
    server.fail("GET /datasets/u/d/resolve", Fault::Corrupt, 1);
    let hub = hub(&server, cache.path(), "");
    let error = fetch(&hub, "u/d", "x.csv").unwrap_err();
    let expected = format!("expected {}; it was removed, fetch it again", git_hash(b"1,2\n"));
    assert!(error.starts_with("x.csv of u/d came damaged: its git hash is ") && error.ends_with(&expected), "{error}");
    assert_eq!(fetch(&hub, "u/d", "x.csv").unwrap(), b"1,2\n");
}

/// What `printf '1,2\\n' | git hash-object --stdin` prints.
#[test]
fn the_hash_of_git_is_git_s() {
    assert_eq!(git_hash(b"1,2\n"), "d72f2010a822172de15795be5808b26d750dba36");
}

#[test]
fn content_with_another_hash_is_refused_and_fetched_anew() {
    let (server, cache) = (Server::start(), tempfile::tempdir().unwrap());
    let large = bytes(1000);
    server.put("datasets/u/d", false, &[("x.parquet", &large)]);
    server.fail("GET /cdn", Fault::Corrupt, 1);
    let hub = hub(&server, cache.path(), "");
    let error = fetch(&hub, "u/d", "x.parquet").unwrap_err();
    let expected = format!("expected {}; it was removed, fetch it again", sha256(&large));
    assert!(
        error.starts_with("x.parquet of u/d came damaged: its SHA-256 is ") && error.ends_with(&expected),
        "{error}"
    );
    assert_eq!(fetch(&hub, "u/d", "x.parquet").unwrap(), large);
}

/// A new commit on the branch is seen; the old one stays what it was.
#[test]
fn a_revision_is_the_state_it_names() {
    let (server, cache) = (Server::start(), tempfile::tempdir().unwrap());
    server.put("datasets/u/d", false, &[("x.csv", b"old")]);
    let hub = hub(&server, cache.path(), "");
    assert_eq!(fetch(&hub, "u/d", "x.csv").unwrap(), b"old");
    server.put("datasets/u/d", false, &[("x.csv", b"new")]);
    assert_eq!(fetch(&hub, "u/d", "x.csv").unwrap(), b"new");
    assert_eq!(fetch(&hub, &format!("u/d@{}", commit(1)), "x.csv").unwrap(), b"old");
}

fn offline(server: &Server, cache: &Path) -> Hub {
    Hub::new(Settings { offline: true, ..settings(server, cache, "") }).unwrap()
}

#[test]
fn offline_the_cache_is_all_there_is() {
    let (server, cache) = (Server::start(), tempfile::tempdir().unwrap());
    server.put("datasets/u/d", false, &[("x.csv", b"1"), ("y.csv", b"2")]);
    let error = fetch(&offline(&server, cache.path()), "u/d", "x.csv").unwrap_err();
    let cached = format!("is not in the cache {}, and HF_HUB_OFFLINE forbids to fetch it", cache.path().display());
    assert_eq!(error, format!("the data set u/d@main {cached}"));
    fetch(&hub(&server, cache.path(), ""), "u/d", "x.csv").unwrap();
    server.requests();
    let offline = offline(&server, cache.path());
    assert_eq!(offline.open(Kind::Dataset, &address("u/d")).unwrap().files().unwrap(), ["x.csv", "y.csv"]);
    assert_eq!(fetch(&offline, "u/d", "x.csv").unwrap(), b"1");
    assert_eq!(fetch(&offline, "u/d", "y.csv").unwrap_err(), format!("y.csv of u/d {cached}"));
    // Another program fills the cache without the list: its files may be a part of all.
    let repo = cache.path().join("datasets--u--d");
    std::fs::remove_dir_all(repo.join("listings")).unwrap();
    let snapshot = offline.open(Kind::Dataset, &address("u/d")).unwrap();
    assert_eq!(snapshot.files().unwrap_err().to_string(), format!("the list of files of u/d {cached}"));
    assert_eq!(std::fs::read(snapshot.fetch("x.csv").unwrap()).unwrap(), b"1");
    let error = offline.push(Kind::Model, "u/m", false, "A model", Vec::new()).unwrap_err().to_string();
    assert_eq!(error, "HF_HUB_OFFLINE forbids to push to u/m: unset it");
    assert!(server.requests().is_empty(), "nothing is asked offline");
}
