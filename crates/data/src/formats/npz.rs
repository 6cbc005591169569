//! NumPy's archives: npy files in a zip file.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use zip::ZipArchive;

use super::arrays::Array;
use super::npy::{LONGEST_HEADER, array, header};
use super::roles::{self, Arrays};
use super::sparse;
use crate::error::Error;
use crate::memory::room::Room;
use crate::memory::unpack::{Allowance, Unpacked};
use crate::tables::table::Tables;

/// Reads the arrays of an archive that have a role in a data set, or the sparse matrix that it is.
pub(crate) fn read(path: &Path, room: Room, named: bool) -> Result<Tables, Error> {
    let mut file = Npz::open(path)?;
    if sparse::is_sparse(&file.names()) {
        return sparse::read(path, &mut file, room);
    }
    roles::read(path, &mut file, room, named)
}

/// An archive.
struct Npz {
    path: PathBuf,
    size: u64,
    archive: ZipArchive<BufReader<File>>,
    names: Vec<String>,
}

impl Npz {
    fn open(path: &Path) -> Result<Self, Error> {
        let file = File::open(path).map_err(Error::read(path))?;
        let size = file.metadata().map_err(Error::read(path))?.len();
        let broken = |error: zip::result::ZipError| broken(path, error.to_string());
        let archive = ZipArchive::new(BufReader::new(file)).map_err(broken)?;
        let files = archive.file_names().collect::<Result<Vec<_>, _>>().map_err(broken)?;
        let names = files.iter().filter_map(|file| Some(file.strip_suffix(".npy")?.to_string())).collect();
        drop(files);
        Ok(Self { path: path.into(), size, archive, names })
    }
}

fn broken(path: &Path, reason: String) -> Error {
    Error::Broken { what: path.display().to_string(), format: "npz", reason }
}

impl Arrays for Npz {
    fn names(&self) -> Vec<String> {
        self.names.clone()
    }

    fn shape(&mut self, name: &str) -> Option<Vec<usize>> {
        let entry = self.archive.by_name(&format!("{name}.npy")).ok()?;
        let (length, mut start) = (entry.size(), Vec::new());
        entry.take(12 + LONGEST_HEADER as u64).read_to_end(&mut start).ok()?;
        Some(header(name, &start, length).ok()?.1.shape)
    }

    fn array(&mut self, name: &str, room: Room) -> Result<Array<'_>, Error> {
        let Self { path, size, archive, .. } = self;
        let refused = |reason: String| broken(path, format!("{name}: {reason}"));
        let mut bytes = Vec::new();
        let entry = archive.by_name(&format!("{name}.npy")).map_err(|error| refused(error.to_string()))?;
        // A header may say anything; the archive is as large as it is.
        let allowed = Allowance::of(entry.compressed_size().min(*size)).at_most(room.most());
        Unpacked::within(entry, allowed).read_to_end(&mut bytes).map_err(|error| refused(error.to_string()))?;
        array(&format!("{}: {name}", path.display()), bytes.into())
    }
}

#[cfg(test)]
mod tests {
    use crate::formats::npy::tests::{header, npy, read};
    use crate::schema::pixels::Row;
    use crate::{ImageShape, LoadOptions, Source, load};
    use std::io::Write;
    use zip::write::SimpleFileOptions;

    fn npz(entries: &[(&str, Vec<u8>)], method: zip::CompressionMethod) -> Vec<u8> {
        let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        for (name, bytes) in entries {
            zip.start_file(name.to_string(), SimpleFileOptions::default().compression_method(method)).unwrap();
            zip.write_all(bytes).unwrap();
        }
        zip.finish().unwrap().into_inner()
    }

    fn digits() -> Vec<(&'static str, Vec<u8>)> {
        vec![
            ("y_train.npy", npy(1, &header("<i8", false, "3,"), &[2u64, 0, 1].map(u64::to_le_bytes).concat())),
            ("x_train.npy", npy(1, &header("|u1", false, "3, 2, 2"), &(0..12).map(|i| 20 * i).collect::<Vec<u8>>())),
            ("x_test.npy", npy(1, &header("|u1", false, "1, 2, 2"), &[9, 8, 7, 6])),
            ("y_test.npy", npy(1, &header("|u1", false, "1, 1"), &[2])),
            ("readme.txt", b"not an array".to_vec()),
        ]
    }

    #[test]
    fn archives_give_both_splits_stored_and_deflated() {
        for method in [zip::CompressionMethod::Stored, zip::CompressionMethod::Deflated] {
            let data = read("d.npz", &npz(&digits(), method)).unwrap();
            assert_eq!(data.train.labels(), Some(vec![2, 0, 1]));
            assert_eq!(data.train.row(1), Row::Bytes(&[80, 100, 120, 140]));
            let test = data.test.unwrap();
            assert_eq!((test.row(0), test.label(0)), (Row::Bytes(&[9, 8, 7, 6]), Some(2)));
            assert_eq!((data.classes, data.image), (Some(3), Some(ImageShape { width: 2, height: 2 })));
        }
    }

    /// A megabyte of a gigabyte of zeros.
    #[test]
    fn a_bomb_is_refused() {
        let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        let options = SimpleFileOptions::default();
        zip.start_file("x_train.npy", options.compression_method(zip::CompressionMethod::Deflated)).unwrap();
        zip.write_all(&npy(1, &header("|u1", false, "1024, 1048576"), &[])).unwrap();
        for _ in 0..1024 {
            zip.write_all(&vec![0; 1 << 20]).unwrap();
        }
        let message = read("d.npz", &zip.finish().unwrap().into_inner()).unwrap_err();
        assert!(message.starts_with("d.npz: not a readable npz file: x_train: its "), "{message}");
        assert!(message.contains(" bytes unpack to more than 298 MiB"), "{message}");
    }

    /// Nothing is unpacked onto the disk, whatever entries are called.
    #[test]
    fn names_that_lead_out_of_an_archive_lead_nowhere() {
        let x = || npy(1, &header("|u1", false, "1, 2"), &[3, 4]);
        for name in ["../x_train.npy", "/tmp/x_train.npy", "a/../../x_train.npy", "C:\\x_train.npy"] {
            let outer = tempfile::tempdir().unwrap();
            let inner = outer.path().join("inner");
            std::fs::create_dir(&inner).unwrap();
            let path = inner.join("d.npz");
            std::fs::write(&path, npz(&[(name, x())], zip::CompressionMethod::Stored)).unwrap();
            let _ = load(&Source::Npz(path), &LoadOptions::default());
            let left: Vec<_> =
                std::fs::read_dir(outer.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
            assert_eq!(left, ["inner"], "{name}");
            assert_eq!(std::fs::read_dir(&inner).unwrap().count(), 1, "{name}");
        }
    }

    #[test]
    fn bad_archives_are_refused_by_name() {
        let stored = zip::CompressionMethod::Stored;
        assert!(read("d.npz", b"PK no").unwrap_err().starts_with("d.npz: not a readable npz file: "));
        assert!(read("d.npz", &npz(&[], stored)).unwrap_err().contains("found no arrays"));
        let mut entries = digits();
        entries[0].1.pop();
        assert!(
            read("d.npz", &npz(&entries, stored)).unwrap_err().starts_with("d.npz: y_train: not a readable npy file")
        );
        let good = npz(&digits(), zip::CompressionMethod::Deflated);
        for end in (0..good.len()).step_by(7) {
            assert!(read("d.npz", &good[..end]).is_err(), "{end} bytes");
        }
        for at in (0..good.len()).step_by(3) {
            let mut bytes = good.clone();
            bytes[at] ^= 0xff;
            let _ = read("d.npz", &bytes);
        }
    }

    /// What there is room for is read, with not a byte to spare: values in Fortran order once, those of an archive
    /// beside what it holds.
    #[test]
    fn no_more_memory_is_taken_than_there_may_be() {
        let within = |name: &str, bytes: &[u8], most: u64| {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join(name);
            std::fs::write(&path, bytes).unwrap();
            let source = if name == "a.npz" { Source::Npz(path) } else { Source::Npy(path) };
            load(&source, &LoadOptions { max_memory: Some(most), ..LoadOptions::default() })
                .map_err(|error| error.to_string())
        };
        let fortran = npy(1, &header("|i1", true, "100, 30"), &[1; 3000]);
        let archive =
            npz(&[("x.npy", npy(1, &header("|i1", false, "100, 30"), &[1; 3000]))], zip::CompressionMethod::Stored);
        for (name, file, needed) in [("a.npy", fortran, 4 * 3000), ("a.npz", archive, 5 * 3000)] {
            assert_eq!(within(name, &file, needed).unwrap().train.samples(), 100, "{name}");
            let error = within(name, &file, needed - 1).unwrap_err();
            assert!(error.contains("the data take more than 0 MiB of memory"), "{error}");
        }
    }
}
