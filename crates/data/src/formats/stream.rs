//! Files of text: what a file is, its first bytes say before its name does. What is packed is unpacked, text of
//! 16 bits and Windows-1252 becomes UTF-8, a zip archive of one file is that file, and what is no text is refused by its true name.

use std::fs::File;
use std::io::{self, BufReader, Cursor, Read};
use std::path::Path;

use flate2::read::MultiGzDecoder;
use lzma_rust2::XzReader;

use super::encoding::{Converted, IsWindows, Utf8, Utf16};
use super::zip_member;
use super::zstd::Frames;
use crate::error::Error;
use crate::memory::room::length;
use crate::memory::unpack::Unpacked;

/// Bytes that are looked at.
const LOOK: usize = 1 << 12;

/// Streams in streams, at most: a gzip file may have been packed twice.
const DEPTH: usize = 4;

/// A file as text.
pub(crate) struct Text {
    /// UTF-8, without a byte-order mark.
    pub(crate) bytes: Box<dyn Read + Send>,
    /// Whether the file has Windows-1252, known once it is read.
    pub(crate) is_windows: IsWindows,
    /// How it was stored, from the outside: `gzip`, `UTF-16`.
    pub(crate) stored: Vec<&'static str>,
    /// Bytes of the file, where it has a length.
    pub(crate) length: Option<u64>,
}

/// Opens a file as text.
pub(crate) fn open(path: &Path) -> Result<Text, Error> {
    let file = File::open(path).map_err(Error::read(path))?;
    let length = length(path, &file)?;
    let packed = length.unwrap_or(0);
    let is_windows = IsWindows::default();
    let (mut stored, mut from): (Vec<&'static str>, Box<dyn Read + Send>) = (Vec::new(), Box::new(file));
    loop {
        let mut start = Vec::with_capacity(LOOK);
        from.by_ref().take(LOOK as u64).read_to_end(&mut start).map_err(Error::read(path))?;
        let found = look(&start);
        let whole = Cursor::new(start).chain(from);
        from = match found {
            Found::Text { mark } => {
                let mut bytes = whole;
                bytes.by_ref().take(mark).read_to_end(&mut Vec::new()).map_err(Error::read(path))?;
                let bytes = Box::new(Converted::new(Utf8::new(bytes, is_windows.clone())));
                return Ok(Text { bytes, is_windows, stored, length });
            }
            Found::Utf16 { big, mark } => {
                stored.push("UTF-16");
                let mut units = whole;
                units.by_ref().take(mark).read_to_end(&mut Vec::new()).map_err(Error::read(path))?;
                return Ok(Text {
                    bytes: Box::new(Converted::new(Utf16::new(units, big))),
                    is_windows,
                    stored,
                    length,
                });
            }
            Found::Packed(how) if stored.len() < DEPTH => {
                stored.push(how);
                match how {
                    "gzip" => Box::new(Unpacked::new(MultiGzDecoder::new(whole), packed)),
                    "zstd" => Box::new(Unpacked::new(Frames::new(whole), packed)),
                    _ => Box::new(Unpacked::new(XzReader::new(BufReader::new(whole), true), packed)),
                }
            }
            Found::Packed(how) => return Err(foreign(path, how, "unpack it first")),
            // An archive ends with the list of its files, which a stream has to be read for.
            Found::Zip if stored.is_empty() && length.is_some() => {
                stored.push("zip");
                zip_member::only(path)?
            }
            Found::Zip => return Err(foreign(path, "a zip archive", "unpack it and name the file in it")),
            Found::Other(kind, hint) => return Err(foreign(path, kind, hint)),
        };
    }
}

fn foreign(path: &Path, kind: &'static str, hint: &'static str) -> Error {
    Error::Foreign { path: path.into(), kind, hint }
}

/// What the first bytes say.
#[derive(Debug, PartialEq)]
enum Found {
    /// Text behind a byte-order mark of so many bytes.
    Text { mark: u64 },
    /// Text of 16 bits.
    Utf16 { big: bool, mark: u64 },
    /// A stream that is unpacked.
    Packed(&'static str),
    /// An archive of files.
    Zip,
    /// What it is, and what to do.
    Other(&'static str, &'static str),
}

/// What files begin with that are no text.
const KNOWN: &[(&[u8], &str, &str)] = &[
    (b"\x93NUMPY", "a NumPy array", "name it npy:FILE"),
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file", "name it h5:FILE"),
    (b"PAR1", "a Parquet file", "name it parquet:FILE"),
    (b"\x89PNG\r\n\x1a\n", "a PNG picture", "name its folder, images:DIR"),
    (b"\xff\xd8\xff", "a JPEG picture", "name its folder, images:DIR"),
    (b"GIF8", "a GIF picture", "convert it to PNG and name its folder, images:DIR"),
    (b"%PDF-", "a PDF document", "export its table as CSV"),
    (b"BZh", "a bzip2 file", "unpack it with bunzip2, or pack it with gzip"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", "unpack it and name the file in it"),
    (b"Rar!", "a RAR archive", "unpack it and name the file in it"),
    (b"SQLite format 3\0", "an SQLite database", "export its table as CSV"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Excel or Office document", "save it as CSV"),
    (b"MATLAB 5.0 MAT", "a MATLAB file", "name it mat:FILE"),
    (b"ARROW1\0\0", "an Arrow file", "save it as Parquet or CSV"),
    (b"\x7fELF", "a program", "name a table"),
];

/// Python's pickles name their protocol first.
fn is_pickle(start: &[u8]) -> bool {
    matches!(start, [0x80, 2..=5, ..])
}

fn look(start: &[u8]) -> Found {
    let begins = |magic: &[u8]| start.starts_with(magic);
    if begins(b"\x1f\x8b") {
        return Found::Packed("gzip");
    }
    if begins(b"\x28\xb5\x2f\xfd") {
        return Found::Packed("zstd");
    }
    if begins(b"\xfd7zXZ\0") {
        return Found::Packed("xz");
    }
    if begins(b"PK\x03\x04") || begins(b"PK\x05\x06") {
        let names = |name: &[u8]| start.windows(name.len()).any(|part| part == name);
        return if names(b"[Content_Types].xml") || names(b"xl/") {
            Found::Other("an Excel workbook", "save the sheet as CSV")
        } else if names(b"mimetypeapplication/vnd.oasis") {
            Found::Other("an OpenDocument file", "save the sheet as CSV")
        } else if names(b".npy") {
            Found::Other("a NumPy archive", "name it npz:FILE")
        } else {
            Found::Zip
        };
    }
    if is_pickle(start) {
        return Found::Other("a Python pickle", "save the table with DataFrame.to_csv or numpy.save");
    }
    if let Some(&(_, kind, hint)) = KNOWN.iter().find(|(magic, ..)| begins(magic)) {
        return Found::Other(kind, hint);
    }
    // Of 32 bits of a letter the upper ones are zero; the mark of 16 bits begins as one of 32 does.
    let zero = |place: usize| start.len() >= 8 && start.iter().skip(place).step_by(4).all(|&byte| byte == 0);
    if begins(b"\xff\xfe\0\0")
        || begins(b"\0\0\xfe\xff")
        || zero(0) && zero(1) && !zero(3)
        || zero(2) && zero(3) && !zero(0)
    {
        return Found::Other("text of 32 bits (UTF-32)", "save it as UTF-8");
    }
    if begins(b"\xff\xfe") || begins(b"\xfe\xff") {
        return Found::Utf16 { big: start[0] == 0xfe, mark: 2 };
    }
    if begins(b"\xef\xbb\xbf") {
        return Found::Text { mark: 3 };
    }
    let zeros = |odd: usize| start.iter().skip(odd).step_by(2).filter(|&&byte| byte == 0).count();
    let (even, odd) = (zeros(0), zeros(1));
    match (even, odd) {
        (0, 0) => Found::Text { mark: 0 },
        // In text of 16 bits one byte of nearly every letter is zero, and never the other.
        (0, odd) if 4 * odd > start.len() => Found::Utf16 { big: false, mark: 0 },
        (even, 0) if 4 * even > start.len() => Found::Utf16 { big: true, mark: 0 },
        _ => Found::Other("a binary file", "name a table of text, or give the prefix of its format"),
    }
}

/// Text whose lines end as those of old Macs did, with ends as they are now.
pub(crate) struct NewEnds<R>(pub(crate) R);

impl<R: Read> Read for NewEnds<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let got = self.0.read(into)?;
        into[..got].iter_mut().filter(|byte| **byte == b'\r').for_each(|byte| *byte = b'\n');
        Ok(got)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn read(bytes: &[u8]) -> Result<(String, Vec<&'static str>), String> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("t");
        std::fs::write(&path, bytes).unwrap();
        let text = open(&path);
        let prefix = format!("{}/", dir.path().display());
        let text = text.map_err(|error| error.to_string().replace(&prefix, ""))?;
        let (mut whole, mut bytes) = (Vec::new(), text.bytes);
        bytes.read_to_end(&mut whole).map_err(|error| error.to_string())?;
        Ok((String::from_utf8(whole).unwrap(), text.stored))
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packer.write_all(bytes).unwrap();
        packer.finish().unwrap()
    }

    fn zstd(bytes: &[u8]) -> Vec<u8> {
        ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest)
    }

    fn xz(bytes: &[u8]) -> Vec<u8> {
        let mut packer = lzma_rust2::XzWriter::new(Vec::new(), lzma_rust2::XzOptions::with_preset(1)).unwrap();
        packer.write_all(bytes).unwrap();
        packer.finish().unwrap()
    }

    fn utf16(text: &str, big: bool) -> Vec<u8> {
        text.encode_utf16().flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect()
    }

    /// The same text, however it is stored; long enough for pairs of 16 bits to fall across blocks.
    #[test]
    fn packed_and_marked_text_is_the_text_itself() {
        let long = "größe;😀\n".repeat(3000);
        for text in ["a,b\n1,2\n", long.as_str()] {
            let plain = text.as_bytes();
            let marked = ["\u{feff}", text].concat();
            for (bytes, stored) in [
                (plain.to_vec(), vec![]),
                (marked.clone().into_bytes(), vec![]),
                (gzip(plain), vec!["gzip"]),
                ([gzip(&plain[..4]), gzip(&plain[4..])].concat(), vec!["gzip"]),
                (zstd(plain), vec!["zstd"]),
                ([zstd(&plain[..4]), zstd(&plain[4..])].concat(), vec!["zstd"]),
                (xz(plain), vec!["xz"]),
                (gzip(&xz(marked.as_bytes())), vec!["gzip", "xz"]),
                (utf16(&marked, true), vec!["UTF-16"]),
                (utf16(&marked, false), vec!["UTF-16"]),
                (zstd(&utf16(&marked, false)), vec!["zstd", "UTF-16"]),
            ] {
                assert_eq!(read(&bytes), Ok((text.to_string(), stored)));
            }
        }
        let plain = "a;b\n1;2\n";
        assert_eq!(read(&utf16(plain, false)).unwrap().0, plain, "a mark is not needed");
        assert_eq!(read(&utf16(plain, true)).unwrap().0, plain);
        assert_eq!(read(b""), Ok((String::new(), vec![])));
    }

    #[test]
    fn other_files_are_refused_by_their_true_name() {
        for (bytes, said) in [
            (
                &b"PK\x03\x04\x14\0\0\0[Content_Types].xml"[..],
                "t is an Excel workbook, no table of text: save the sheet as CSV",
            ),
            (b"PK\x03\x04\x14\0\0\0x.npy", "t is a NumPy archive, no table of text: name it npz:FILE"),
            (
                b"\x80\x04\x95\x10\0",
                "t is a Python pickle, no table of text: save the table with DataFrame.to_csv or numpy.save",
            ),
            (
                b"\xff\xfe\x00\x001\x00\x00\x00\n\x00\x00\x00",
                "t is text of 32 bits (UTF-32), no table of text: save it as UTF-8",
            ),
            (b"1\0\0\0,\0\0\0", "t is text of 32 bits (UTF-32), no table of text: save it as UTF-8"),
            (b"\x93NUMPY\x01\0", "t is a NumPy array, no table of text: name it npy:FILE"),
            (
                b"\0\x01\x02\0\0\0\0\0\0",
                "t is a binary file, no table of text: name a table of text, or give the prefix of its format",
            ),
        ] {
            assert_eq!(read(bytes).unwrap_err(), said);
        }
        let packed = gzip(b"PK\x03\x04\x14\0\0\0digits.csv");
        assert_eq!(
            read(&packed).unwrap_err(),
            "t is a zip archive, no table of text: unpack it and name the file in it"
        );
        assert!(read(&gzip(b"PAR1\x15\0")).unwrap_err().contains("is a Parquet file"));
        let five = (0..5).fold(b"1,2".to_vec(), |bytes, _| gzip(&bytes));
        assert_eq!(read(&five).unwrap_err(), "t is gzip, no table of text: unpack it first");
    }

    #[test]
    fn damage_and_bombs_are_errors() {
        let mut torn = gzip(b"1,2\n3,4\n");
        torn.truncate(torn.len() - 9);
        assert!(read(&torn).is_err());
        // Streams one after the other are one file.
        let bomb = xz(&vec![b'0'; 10 << 20]).repeat(30);
        assert!(read(&bomb).unwrap_err().contains("unpack to more than 256 MiB"));
    }
}
