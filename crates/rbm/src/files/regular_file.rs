//! Opening files of a folder that may come from a stranger. Only regular files are opened: a named pipe would
//! wait forever, a device may have no end. What is written to is no link either, since the file behind it is
//! somebody else's.

use std::fs::{File, FileType, Metadata, OpenOptions};
use std::io::{Error, ErrorKind, Read, Result};
use std::path::Path;

/// Opens a regular file, or a link to one, to read it.
///
/// # Errors
/// The system's reason; what else the name stands for.
pub fn open_regular(path: &Path) -> Result<File> {
    // The opening of a device may already do something, so that the name is looked up first.
    require_regular(&std::fs::metadata(path)?)?;
    let file = with_flags(OpenOptions::new().read(true), false).open(path)?;
    require_regular(&file.metadata()?)?;
    Ok(file)
}

/// The bytes of a regular file, or of one that a link leads to.
///
/// # Errors
/// As for [`open_regular`].
pub fn read_regular(path: &Path) -> Result<Vec<u8>> {
    let (mut file, mut bytes) = (open_regular(path)?, Vec::new());
    bytes.try_reserve_exact(file.metadata()?.len() as usize)?;
    file.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Opens a regular file to write to it, as `options` say. Neither symbolic nor hard links are followed.
///
/// # Errors
/// The system's reason; what else the name stands for.
pub fn open_for_writing(path: &Path, options: &mut OpenOptions) -> Result<File> {
    let own = |metadata: &Metadata| {
        require_regular(metadata)?;
        if names(metadata) > 1 { Err(not("a hard link to another file")) } else { Ok(()) }
    };
    match std::fs::symlink_metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        metadata => own(&metadata?)?,
    }
    let file = with_flags(options, true).open(path)?;
    own(&file.metadata()?)?;
    Ok(file)
}

fn require_regular(metadata: &Metadata) -> Result<()> {
    if metadata.is_file() { Ok(()) } else { Err(not(kind(metadata.file_type()))) }
}

fn not(what: &str) -> Error {
    Error::new(ErrorKind::InvalidInput, format!("it is {what}, expected a regular file"))
}

fn kind(kind: FileType) -> &'static str {
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt;
        if kind.is_fifo() {
            return "a named pipe";
        }
        if kind.is_socket() {
            return "a socket";
        }
    }
    match kind {
        kind if kind.is_dir() => "a folder",
        kind if kind.is_symlink() => "a symbolic link",
        _ => "a device",
    }
}

/// Opens at once whatever has the name since it was looked up, and if asked to, no link.
#[cfg(unix)]
fn with_flags(options: &mut OpenOptions, own: bool) -> &mut OpenOptions {
    use std::os::unix::fs::OpenOptionsExt;
    options.custom_flags(libc::O_NONBLOCK | if own { libc::O_NOFOLLOW } else { 0 })
}

#[cfg(not(unix))]
fn with_flags(options: &mut OpenOptions, _: bool) -> &mut OpenOptions {
    options
}

/// How many names a file has.
#[cfg(unix)]
fn names(metadata: &Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::nlink(metadata)
}

#[cfg(not(unix))]
fn names(_: &Metadata) -> u64 {
    1
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;
    use std::process::Command;

    fn append(path: &Path) -> Result<File> {
        open_for_writing(path, OpenOptions::new().create(true).append(true))
    }

    #[test]
    fn only_regular_files_are_opened_and_no_link_is_written_to() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::write(at("file"), "text").unwrap();
        symlink(at("file"), at("link")).unwrap();
        symlink("nothing", at("dangling")).unwrap();
        symlink("/dev/zero", at("endless")).unwrap();
        std::fs::create_dir(at("folder")).unwrap();
        assert!(Command::new("mkfifo").arg(at("pipe")).status().unwrap().success());
        let _socket = std::os::unix::net::UnixListener::bind(at("socket")).unwrap();
        let why = |result: Result<File>| result.map_or_else(|error| error.to_string(), |_| "opened".into());

        append(&at("new")).unwrap();
        append(&at("new")).unwrap();
        for (name, to_read, to_write) in [
            ("file", "opened", "opened"),
            ("link", "opened", "it is a symbolic link"),
            ("dangling", "No such file", "it is a symbolic link"),
            ("endless", "it is a device", "it is a symbolic link"),
            ("folder", "it is a folder", "it is a folder"),
            ("pipe", "it is a named pipe", "it is a named pipe"),
            ("socket", "it is a socket", "it is a socket"),
        ] {
            let (read, written) = (why(open_regular(&at(name))), why(append(&at(name))));
            assert!(read.starts_with(to_read) && written.starts_with(to_write), "{name}: {read}, {written}");
        }
        assert_eq!(read_regular(&at("link")).unwrap(), b"text");

        std::fs::hard_link(at("file"), at("second name")).unwrap();
        assert!(why(append(&at("file"))).starts_with("it is a hard link to another file"));
        assert!(open_regular(&at("file")).is_ok());
        assert!(!at("nothing").exists() && std::fs::read(at("file")).unwrap() == b"text");
    }
}
