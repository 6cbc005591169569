//! A cache that was tampered with: what is read back is checked like what is received, and links lead
//! nowhere.
#![cfg(unix)]

use crate::server::{Server, commit, git_hash};
use crate::{address, fetch, hub, settings};
use deepbelief_hub::{Hub, Kind, Settings};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

/// A server, a cache that holds its data set, and a file of the user's outside.
struct Place {
    server: Server,
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        let (server, folder) = (Server::start(), tempfile::tempdir().unwrap());
        server.put("datasets/u/d", false, &[("x.csv", b"1,2\n")]);
        let place = Self { server, folder };
        fs::write(place.theirs(), "theirs").unwrap();
        place.fetch().unwrap();
        place
    }

    fn cache(&self) -> PathBuf {
        self.folder.path().join("cache")
    }

    fn repo(&self) -> PathBuf {
        self.cache().join("datasets--u--d")
    }

    fn theirs(&self) -> PathBuf {
        self.folder.path().join("theirs")
    }

    fn fetch(&self) -> Result<Vec<u8>, String> {
        fetch(&hub(&self.server, &self.cache(), ""), "u/d", "x.csv")
    }

    fn offline(&self) -> Hub {
        Hub::new(Settings { offline: true, ..settings(&self.server, &self.cache(), "") }).unwrap()
    }

    fn is_untouched(&self) {
        assert_eq!(fs::read_to_string(self.theirs()).unwrap(), "theirs");
        let outside: Vec<_> =
            fs::read_dir(self.folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(outside.len(), 2 + usize::from(self.folder.path().join("elsewhere").exists()), "{outside:?}");
    }
}

/// Puts a link to `to` instead of what is in the cache.
fn link(path: &Path, to: &Path) {
    let _ = fs::remove_file(path);
    let _ = fs::remove_dir_all(path);
    symlink(to, path).unwrap();
}

/// One name is one name, whatever is in it, and no name leads away.
#[test]
fn names_that_no_file_may_have_are_left_out() {
    let place = Place::new();
    let odd = format!("x\n{}", place.theirs().display());
    place.server.put("datasets/u/d", false, &[("x.csv", b"1"), (&odd, b"2"), ("../y", b"3"), ("\u{85}", b"4")]);
    place.fetch().unwrap();
    for hub in [hub(&place.server, &place.cache(), ""), place.offline()] {
        assert_eq!(hub.open(Kind::Dataset, &address("u/d")).unwrap().files().unwrap(), ["x.csv"]);
    }
    let listing = fs::read_to_string(place.repo().join(format!("listings/{}.json", commit(2)))).unwrap();
    assert_eq!(listing, r#"["x.csv"]"#);
}

#[test]
fn a_list_that_names_other_files_is_not_believed() {
    let place = Place::new();
    let listing = place.repo().join(format!("listings/{}.json", commit(1)));
    for names in [vec![place.theirs().display().to_string()], vec!["../../../theirs".into()], vec!["x\ny".into()]] {
        fs::write(&listing, serde_json::to_string(&names).unwrap()).unwrap();
        let offline = place.offline();
        let snapshot = offline.open(Kind::Dataset, &address("u/d")).unwrap();
        assert!(snapshot.files().unwrap_err().to_string().starts_with("the list of files of u/d is not in the cache"));
        assert!(snapshot.fetch(&names[0]).unwrap_err().to_string().contains("is not in the cache"));
        assert_eq!(fs::read(snapshot.fetch("x.csv").unwrap()).unwrap(), b"1,2\n");
    }
}

/// A file of the cache that is a link to one outside is none; it is fetched once more.
#[test]
fn what_lies_outside_is_not_read() {
    let place = Place::new();
    let snapshot = place.repo().join("snapshots").join(commit(1));
    let blob = place.repo().join("blobs").join(git_hash(b"1,2\n"));
    link(&snapshot.join("x.csv"), &place.theirs());
    let offline = place.offline();
    assert!(offline.open(Kind::Dataset, &address("u/d")).unwrap().fetch("x.csv").is_err());
    fs::remove_dir_all(place.repo().join("listings")).unwrap();
    symlink(place.folder.path(), snapshot.join("above")).unwrap();
    assert!(offline.open(Kind::Dataset, &address("u/d")).is_err(), "no file of it is here");
    assert_eq!(place.fetch().unwrap(), b"1,2\n");
    link(&blob, &place.theirs());
    assert!(
        place
            .fetch()
            .unwrap_err()
            .starts_with(&format!("the cache needs a file or folder of its own at {}", blob.display()))
    );
    place.is_untouched();
}

/// A content that was changed in the cache is not taken for that of another commit.
#[test]
fn a_content_that_is_not_what_its_name_says_is_fetched_again() {
    let place = Place::new();
    fs::write(place.repo().join("blobs").join(git_hash(b"1,2\n")), "other").unwrap();
    place.server.put("datasets/u/d", false, &[("x.csv", b"1,2\n")]);
    assert_eq!(place.fetch().unwrap(), b"1,2\n");
}

/// Whatever is written, a link to a file or a folder outside is not followed.
#[test]
fn nothing_is_written_outside() {
    let hash = git_hash(b"3\n");
    let elsewhere = |place: &Place| {
        let folder = place.folder.path().join("elsewhere");
        fs::create_dir(&folder).unwrap();
        folder
    };
    for name in [
        "refs/main",
        "listings/{commit}.json",
        "blobs/{hash}.incomplete",
        "blobs/{hash}",
        "../.locks/datasets--u--d/{hash}.lock",
    ] {
        let place = Place::new();
        place.server.put("datasets/u/d", false, &[("x.csv", b"3\n")]);
        let path = place.repo().join(name.replace("{commit}", &commit(2)).replace("{hash}", &hash));
        link(&path, &place.theirs());
        let error = place.fetch().unwrap_err();
        assert!(error.starts_with("the cache needs a file or folder of its own at "), "{name}: {error}");
        place.is_untouched();
        fs::remove_file(&path).unwrap();
        assert_eq!(place.fetch().unwrap(), b"3\n", "{name}: what to do helps");
    }
    for name in ["refs", "listings", "blobs", "snapshots", "snapshots/{commit}"] {
        let place = Place::new();
        place.server.put("datasets/u/d", false, &[("x.csv", b"3\n")]);
        let folder = elsewhere(&place);
        link(&place.repo().join(name.replace("{commit}", &commit(2))), &folder);
        let error = place.fetch().unwrap_err();
        assert!(error.starts_with("the cache needs a file or folder of its own at "), "{name}: {error}");
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 0, "{name}");
        place.is_untouched();
    }
}
