//! A zip archive of one file, which is read as if it were not packed.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use flate2::Crc;
use flate2::read::DeflateDecoder;
use zip::{CompressionMethod, ZipArchive};

use crate::error::Error;
use crate::memory::unpack::Unpacked;

/// Files that a message lists, at most.
const LISTED: usize = 12;

/// The only file of an archive; what systems put beside it does not count.
pub(crate) fn only(path: &Path) -> Result<Box<dyn Read + Send>, Error> {
    let broken = |reason: String| Error::Broken { what: path.display().to_string(), format: "zip", reason };
    let refused = |error: zip::result::ZipError| broken(error.to_string());
    let file = File::open(path).map_err(Error::read(path))?;
    let mut archive = ZipArchive::new(BufReader::new(file)).map_err(refused)?;
    let names: Vec<String> =
        archive.file_names().map(|name| Ok(name?.into_owned())).collect::<Result<_, _>>().map_err(refused)?;
    let members: Vec<usize> = (0..names.len()).filter(|&at| is_member(&names[at])).collect();
    let &[member] = members.as_slice() else {
        let mut listed: Vec<&str> = members.iter().take(LISTED).map(|&at| names[at].as_str()).collect();
        if members.len() > LISTED {
            listed.push("...");
        }
        return Err(Error::Members { path: path.into(), files: members.len(), listed: listed.join(", ") });
    };
    let (start, packed, method, crc) = {
        let entry = archive.by_index_raw(member).map_err(refused)?;
        if entry.encrypted() {
            return Err(broken("its file needs a password: unpack it first".into()));
        }
        let start = entry.data_start().ok_or_else(|| broken("its file starts nowhere".into()))?;
        (start, entry.compressed_size(), entry.compression(), entry.crc32())
    };
    let mut file = File::open(path).map_err(Error::read(path))?;
    file.seek(SeekFrom::Start(start)).map_err(Error::read(path))?;
    let bytes = file.take(packed);
    Ok(match method {
        CompressionMethod::Stored => Box::new(Checked::new(bytes, crc)),
        CompressionMethod::Deflated => {
            Box::new(Checked::new(Unpacked::new(DeflateDecoder::new(BufReader::new(bytes)), packed), crc))
        }
        other => return Err(broken(format!("its file is packed by {other}: unpack it first, or pack it with gzip"))),
    })
}

/// Whether an entry is a file that somebody packed.
fn is_member(name: &str) -> bool {
    let file = name.rsplit(['/', '\\']).next().unwrap_or_default();
    !file.is_empty() && !file.starts_with('.') && !name.starts_with("__MACOSX/")
}

/// Bytes with a checksum, which is compared with theirs at their end.
struct Checked<R> {
    from: R,
    sum: Crc,
    expected: u32,
}

impl<R> Checked<R> {
    fn new(from: R, expected: u32) -> Self {
        Self { from, sum: Crc::new(), expected }
    }
}

impl<R: Read> Read for Checked<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let got = self.from.read(into)?;
        self.sum.update(&into[..got]);
        if got == 0 && !into.is_empty() && self.sum.sum() != self.expected {
            let why = "its checksum is wrong: the archive is damaged";
            return Err(io::Error::new(io::ErrorKind::InvalidData, why));
        }
        Ok(got)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use zip::write::SimpleFileOptions;

    fn archive(entries: &[(&str, &str)], method: CompressionMethod) -> Vec<u8> {
        let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        for (name, text) in entries {
            zip.start_file(name.to_string(), SimpleFileOptions::default().compression_method(method)).unwrap();
            zip.write_all(text.as_bytes()).unwrap();
        }
        zip.finish().unwrap().into_inner()
    }

    fn read(bytes: &[u8]) -> Result<String, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.zip");
        std::fs::write(&path, bytes).unwrap();
        let prefix = format!("{}/", folder.path().display());
        let mut text = String::new();
        only(&path)
            .map_err(|error| error.to_string().replace(&prefix, ""))?
            .read_to_string(&mut text)
            .map_err(|error| error.to_string())?;
        Ok(text)
    }

    #[test]
    fn the_only_file_is_read_and_many_are_listed() {
        for method in [CompressionMethod::Stored, CompressionMethod::Deflated] {
            let entries = [("data/t.csv", "1,2\n3,4\n"), ("__MACOSX/data/._t.csv", "x"), (".DS_Store", "y")];
            assert_eq!(read(&archive(&entries, method)), Ok("1,2\n3,4\n".into()));
            let mut damaged = archive(&entries, method);
            damaged[30 + "data/t.csv".len() + 1] ^= 2;
            assert!(read(&damaged).is_err());
        }
        let two = archive(&[("a.csv", "1"), ("b.csv", "2")], CompressionMethod::Stored);
        assert_eq!(
            read(&two).unwrap_err(),
            "t.zip is a zip archive of 2 files (a.csv, b.csv), expected one: unpack it and name the file to read"
        );
        assert!(read(&archive(&[], CompressionMethod::Stored)).unwrap_err().contains("of 0 files"));
    }
}
