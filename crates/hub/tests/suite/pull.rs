//! Repositories as folders.

use crate::server::Server;
use crate::{address, bytes, hub};
use deepbelief_hub::{Error, Kind, Pulled};
use std::fs;
use std::path::Path;

fn pull(server: &Server, place: &Path, repo: &str, out: &str) -> Result<Pulled, Error> {
    hub(server, &place.join("cache"), "").pull(Kind::Model, &address(repo), &place.join(out))
}

#[test]
fn a_folder_holds_the_files_and_nothing_else() {
    let (server, place) = (Server::start(), tempfile::tempdir().unwrap());
    let files: [(&str, &[u8]); 3] =
        [(".gitattributes", b"x"), ("README.md", b"# A model"), ("deep/er/model.safetensors", &bytes(1000))];
    server.put("models/u/m", false, &files);
    fs::create_dir(place.path().join("empty")).unwrap();
    // A user may stand in it, or it may be a disk of its own: it is filled, and not replaced.
    let made = fs::metadata(place.path().join("empty")).unwrap().created().ok();
    for out in ["new/folder", "empty"] {
        let pulled = pull(&server, place.path(), "u/m", out).unwrap();
        assert_eq!(pulled.files, ["README.md", "deep/er/model.safetensors"]);
        let out = place.path().join(out);
        assert_eq!(fs::read(out.join("deep/er/model.safetensors")).unwrap(), bytes(1000));
        assert_eq!(fs::read_dir(&out).unwrap().count(), 2);
        assert!(!out.join("README.md").is_symlink(), "a copy, which the cache may lose");
    }
    assert_eq!(fs::metadata(place.path().join("empty")).unwrap().created().ok(), made);
    assert_eq!(pull(&server, place.path(), "u/m:README.md", "one").unwrap().files, ["README.md"]);
    assert_eq!(fs::read_dir(place.path().join("one")).unwrap().count(), 1);
    assert_eq!(fs::read_dir(place.path()).unwrap().count(), 4, "cache, new, empty, one: nothing is left beside");
}

/// Neither a folder with something in it, nor a file, nor a link that leads to nothing is replaced.
#[test]
fn what_is_there_is_not_replaced() {
    let (server, place) = (Server::start(), tempfile::tempdir().unwrap());
    server.put("models/u/m", false, &[("README.md", b"# A model")]);
    fs::write(place.path().join("file"), "theirs").unwrap();
    fs::create_dir(place.path().join("folder")).unwrap();
    fs::write(place.path().join("folder/file"), "theirs").unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink("nowhere", place.path().join("link")).unwrap();
    for out in ["file", "folder", "link"] {
        if out == "link" && !cfg!(unix) {
            continue;
        }
        let error = pull(&server, place.path(), "u/m", out).unwrap_err();
        assert!(matches!(&error, Error::Occupied { path } if *path == place.path().join(out)), "{error}");
    }
    assert!(server.requests().is_empty(), "nothing is asked for first");
    assert!(!place.path().join("nowhere").exists());
    assert_eq!(fs::read_to_string(place.path().join("folder/file")).unwrap(), "theirs");
}
