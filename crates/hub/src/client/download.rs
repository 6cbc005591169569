//! A download that survives its connection, its process and its server's moods.
//!
//! Bytes are appended to `{content}.incomplete` as they come. Whatever breaks off, the next try
//! asks for the rest; the file gets its name when it is whole and has the promised hash: the SHA-256
//! of large files, git's SHA-1 of small ones.

use super::net::{ATTEMPTS, Head, Net};
use crate::{Error, Result};
use reqwest::StatusCode;
use sha1::Sha1;
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// What is fetched.
pub(crate) struct Wanted<'a> {
    pub(crate) url: &'a str,
    pub(crate) repo: &'a str,
    pub(crate) file: &'a str,
    pub(crate) head: &'a Head,
}

impl Wanted<'_> {
    fn damaged(&self, reason: String) -> Error {
        Error::Damaged { repo: self.repo.into(), file: self.file.into(), reason }
    }
}

/// Fetches a content to `path`, by way of `part`.
pub(crate) fn download(net: &Net, wanted: &Wanted<'_>, part: PathBuf, path: &Path) -> Result<()> {
    let size = wanted.head.size;
    let mut part = Part::open(part, size)?;
    let (file, repo) = (wanted.file, wanted.repo);
    match part.bytes {
        0 => tracing::info!("fetching {file} of {repo}, {}", megabytes(size)),
        there => tracing::info!(
            "fetching the rest of {file} of {repo}: {} of {} are here",
            megabytes(there),
            megabytes(size)
        ),
    }
    // What counts is getting further than ever: a server that knows no ranges may start over for ever.
    let (mut failures, mut furthest) = (0, part.bytes);
    while part.bytes < size {
        if let Err(error) = part.go_on(net, wanted) {
            if part.bytes > furthest {
                (failures, furthest) = (0, part.bytes);
            }
            if !error.is_passing() || failures + 1 >= ATTEMPTS {
                return Err(error);
            }
            failures = net.wait(failures);
            tracing::debug!("{file} of {repo} broke off after {} bytes: {error}", part.bytes);
        }
    }
    part.finish(wanted, path)
}

/// The part of a content that has come.
struct Part {
    path: PathBuf,
    file: File,
    bytes: u64,
}

impl Part {
    /// What is there, at `path`, of a content of `size` bytes.
    fn open(path: PathBuf, size: u64) -> Result<Self> {
        let file = OpenOptions::new().create(true).append(true).open(&path).map_err(Error::write(&path))?;
        let bytes = file.metadata().map_err(Error::write(&path))?.len();
        let mut part = Self { path, file, bytes };
        if bytes > size {
            part.start_over()?;
        }
        Ok(part)
    }

    fn start_over(&mut self) -> Result<()> {
        if self.bytes == 0 {
            return Ok(());
        }
        self.bytes = 0;
        self.file.set_len(0).map_err(Error::write(&self.path))
    }

    /// Asks for what is missing and appends it, until all of it is here or the connection breaks.
    fn go_on(&mut self, net: &Net, wanted: &Wanted<'_>) -> Result<()> {
        let mut answer = net.get(wanted.url, self.bytes)?;
        match answer.status() {
            StatusCode::PARTIAL_CONTENT => {}
            // No ranges here: all of it again.
            StatusCode::OK => self.start_over()?,
            StatusCode::RANGE_NOT_SATISFIABLE => {
                self.start_over()?;
                return Err(net.busy(answer.status().as_u16(), None));
            }
            status => {
                let reason = format!("status {} for a file it has", status.as_u16());
                return Err(Error::Answer { url: wanted.url.into(), reason });
            }
        }
        let (size, mut said) = (wanted.head.size, Instant::now());
        let mut buffer = vec![0; 1 << 16];
        while self.bytes < size {
            let n = match answer.read(&mut buffer) {
                Ok(0) => return Err(net.unreachable(io::Error::from(io::ErrorKind::UnexpectedEof))),
                Ok(n) => n,
                Err(error) => return Err(net.unreachable(error)),
            };
            if self.bytes + n as u64 > size {
                self.start_over()?;
                return Err(wanted.damaged(format!("more than the {size} bytes it should have")));
            }
            self.file.write_all(&buffer[..n]).map_err(Error::write(&self.path))?;
            self.bytes += n as u64;
            if said.elapsed() > Duration::from_secs(5) {
                said = Instant::now();
                let (there, all) = (megabytes(self.bytes), megabytes(size));
                tracing::info!("  {there} of {all}, {} %", self.bytes * 100 / size);
            }
        }
        Ok(())
    }

    /// Checks the content and gives it its name.
    fn finish(self, wanted: &Wanted<'_>, path: &Path) -> Result<()> {
        if let Err(reason) = check(&self.path, &wanted.head.etag)? {
            std::fs::remove_file(&self.path).map_err(Error::write(&self.path))?;
            return Err(wanted.damaged(reason));
        }
        self.file.sync_all().map_err(Error::write(&self.path))?;
        std::fs::rename(&self.path, path).map_err(Error::write(path))
    }
}

/// Whether a file has the hash that its `ETag` tells, and what differs if not.
pub(crate) fn check(path: &Path, etag: &str) -> Result<std::result::Result<(), String>> {
    let unread = |source| Error::Disk { action: "read", path: path.into(), source };
    let mut file = File::open(path).map_err(unread)?;
    let (name, found) = if etag.len() == 64 {
        ("SHA-256", hash(Sha256::new(), &mut file))
    } else {
        let size = file.metadata().map_err(unread)?.len();
        // What git hashes begins with the kind and the size of the content.
        ("git hash", hash(Sha1::new_with_prefix(format!("blob {size}\0")), &mut file))
    };
    let found = found.map_err(unread)?;
    Ok(if found == etag { Ok(()) } else { Err(format!("its {name} is {found}, expected {etag}")) })
}

/// The hash of what is in `hash` already and of all that `file` holds, as hexadecimal digits.
fn hash(mut hash: impl Digest, file: &mut File) -> io::Result<String> {
    let mut buffer = vec![0; 1 << 16];
    loop {
        match file.read(&mut buffer)? {
            0 => break,
            n => hash.update(&buffer[..n]),
        }
    }
    Ok(hash.finalize().iter().fold(String::new(), |mut hex, byte| {
        // Writing to a string cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    }))
}

fn megabytes(bytes: u64) -> String {
    format!("{:.1} MB", bytes as f64 / 1e6)
}
