//! The IDX format of the MNIST files: a big-endian magic number 0x000008RR (unsigned bytes, RR
//! dimensions), RR big-endian 32-bit sizes, then the bytes; plain or gzipped.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use flate2::bufread::MultiGzDecoder;

use crate::error::{Error, IdxError};
use crate::memory::room::Room;
use crate::memory::unpack::{Allowance, Unpacked};
use crate::tables::element::Element;
use crate::tables::file_rows::{FileRows, Stamp};
use crate::tables::image_shape::ImageShape;
use crate::tables::table::{Cells, Table, Tables, check_units};
use crate::tables::values::Values;

/// Bytes before the pixels of images: the magic number and three sizes.
const HEADER: u64 = 16;

/// Memory set aside on a header's word alone; more is taken only as bytes arrive.
const TRUSTED: usize = 1 << 26;

/// Reads `train-images-idx3-ubyte` and its three companions from a folder.
pub(crate) fn read_dir(dir: &Path, room: Room) -> Result<Tables, Error> {
    let (train, image) = read_pair(dir, "train", room)?.ok_or_else(|| missing(dir, "train-images-idx3-ubyte"))?;
    // Whether the sizes of training and test pictures agree is checked with all other splits.
    let test = read_pair(dir, "t10k", room.beside(train.held_bytes()))?.map(|(table, _)| table);
    Ok(Tables { test, image: Some(image), ..Tables::of(train) })
}

fn missing(dir: &Path, name: &str) -> Error {
    Error::MissingFile { dir: dir.into(), name: name.into() }
}

/// Images and, where present, labels of one split; nothing if neither is there.
fn read_pair(dir: &Path, split: &str, room: Room) -> Result<Option<(Table, ImageShape)>, Error> {
    let images = find(dir, &format!("{split}-images"), "idx3-ubyte");
    let labels = find(dir, &format!("{split}-labels"), "idx1-ubyte");
    match (images, labels) {
        (None, None) => Ok(None),
        (None, Some(_)) => Err(missing(dir, &format!("{split}-images-idx3-ubyte"))),
        (Some(images), labels) => {
            let (mut table, shape) = table(&images, room)?;
            // A label takes a byte as it is read, and four as it stays.
            let labelled = u128::from(table.held_bytes()) + 5 * table.samples() as u128;
            room.require(&table.what, labelled)?;
            table.labels = labels.map(|path| read_labels(&path, open(&path, room)?)).transpose()?;
            Ok(Some((table, shape)))
        }
    }
}

/// The images of a file: in memory if they are compressed, else left where they are.
fn table(path: &Path, room: Room) -> Result<(Table, ImageShape), Error> {
    let what = path.display().to_string();
    let mut file = File::open(path).map_err(Error::read(path))?;
    let mut start = [0; 2];
    if file.read_exact(&mut start).is_ok() && is_gzip(&start) {
        let (shape, bytes) = read_images(path, open(path, room)?)?;
        return Ok((Table::new(what, shape.width * shape.height, Values::Bytes(bytes)), shape));
    }
    let (samples, shape) = read_image_header(path, &mut File::open(path).map_err(Error::read(path))?)?;
    let (units, opened) = (shape.width * shape.height, Stamp::of(path, &file)?);
    check_length(path, opened.length.saturating_sub(HEADER) as usize, samples as u128 * units as u128)?;
    let (path, element) = (path.to_path_buf(), Element::U8);
    let rows = FileRows { path, file, start: HEADER, samples, units, element, big_endian: true, opened };
    Ok((Table::new(what, units, Cells::File(rows.into())), shape))
}

/// The file, in either spelling, plain or gzipped.
fn find(dir: &Path, stem: &str, kind: &str) -> Option<PathBuf> {
    let names = ["-", "."].map(|dash| format!("{stem}{dash}{kind}"));
    names.iter().flat_map(|name| [dir.join(name), dir.join(format!("{name}.gz"))]).find(|path| path.is_file())
}

/// Opens a file; gzip is known by its first bytes, whatever the name says.
fn open(path: &Path, room: Room) -> Result<Box<dyn Read>, Error> {
    let mut file = BufReader::with_capacity(1 << 16, File::open(path).map_err(Error::read(path))?);
    let packed = file.get_ref().metadata().map_err(Error::read(path))?.len();
    let gzipped = is_gzip(file.fill_buf().map_err(Error::read(path))?);
    Ok(if gzipped {
        Box::new(Unpacked::within(MultiGzDecoder::new(file), Allowance::of(packed).at_most(room.most())))
    } else {
        Box::new(file)
    })
}

fn is_gzip(start: &[u8]) -> bool {
    start.starts_with(&[0x1f, 0x8b])
}

/// Reads images [samples, height, width] to the end of `input`; `path` is for messages.
pub(crate) fn read_images(path: &Path, mut input: impl Read) -> Result<(ImageShape, Vec<u8>), Error> {
    let (samples, shape) = read_image_header(path, &mut input)?;
    let bytes = read_data(path, input, samples as u128 * (shape.width * shape.height) as u128)?;
    Ok((shape, bytes))
}

/// The number of images and their shape.
fn read_image_header(path: &Path, input: &mut impl Read) -> Result<(usize, ImageShape), Error> {
    let [samples, height, width] = read_header(path, input)?;
    check_units(u128::from(height) * u128::from(width), &path.display().to_string())?;
    Ok((samples as usize, ImageShape { width: width as usize, height: height as usize }))
}

/// Reads labels [samples] to the end of `input`.
pub(crate) fn read_labels(path: &Path, mut input: impl Read) -> Result<Vec<u32>, Error> {
    let [samples] = read_header(path, &mut input)?;
    let bytes = read_data(path, input, u128::from(samples))?;
    Ok(bytes.iter().map(|&label| u32::from(label)).collect())
}

fn read_header<const RANK: usize>(path: &Path, input: &mut impl Read) -> Result<[u32; RANK], Error> {
    let length = 4 + 4 * RANK;
    let mut header = Vec::with_capacity(length);
    // A compressed stream that breaks off counts as the end.
    let got = match input.take(length as u64).read_to_end(&mut header) {
        Err(error) if error.kind() != io::ErrorKind::UnexpectedEof => return Err(Error::read(path)(error)),
        _ => header.len(),
    };
    let word = |i: usize| {
        header.get(4 * i..4 * i + 4).map(|bytes| bytes.iter().fold(0, |word, &byte| word << 8 | u32::from(byte)))
    };
    let expected = 0x0800 | RANK as u32;
    match word(0) {
        Some(magic) if magic != expected => {
            Err(IdxError::Magic { path: path.into(), got: magic, expected, rank: RANK }.into())
        }
        _ if got < length => {
            Err(IdxError::Truncated { path: path.into(), part: "header", got, expected: length as u128 }.into())
        }
        _ => Ok(std::array::from_fn(|i| word(1 + i).unwrap_or(0))),
    }
}

fn read_data(path: &Path, input: impl Read, expected: u128) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::with_capacity(expected.min(TRUSTED as u128) as usize);
    // One byte beyond the promise is enough to know that there are too many.
    let limit = u64::try_from(expected + 1).unwrap_or(u64::MAX);
    let read = input.take(limit).read_to_end(&mut bytes);
    // How many bytes are missing says more than that the stream breaks off; where none is, it does so in its
    // checksum, or in what follows that.
    if read.as_ref().err().is_none_or(|error| error.kind() == io::ErrorKind::UnexpectedEof) {
        check_length(path, bytes.len(), expected)?;
    }
    match read {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            let why = "the compressed stream breaks off behind its data; fetch the file again";
            Err(Error::read(path)(io::Error::new(error.kind(), why)))
        }
        read => read.map(|_| bytes).map_err(Error::read(path)),
    }
}

/// Refuses data of another length than the header promises.
fn check_length(path: &Path, got: usize, expected: u128) -> Result<(), Error> {
    match got as u128 {
        long if long > expected => Err(IdxError::Overlong { path: path.into(), expected }.into()),
        short if short < expected => Err(IdxError::Truncated { path: path.into(), part: "data", got, expected }.into()),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::pixels::Row;
    use crate::{LoadOptions, Source, load};
    use flate2::{Compression, write::GzEncoder};
    use std::io::Write;

    fn file(dims: &[u32], data: &[u8]) -> Vec<u8> {
        let magic = 0x0800 | dims.len() as u32;
        let words = std::iter::once(&magic).chain(dims);
        words.flat_map(|word| word.to_be_bytes()).chain(data.iter().copied()).collect()
    }

    fn gz(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    /// Of a compressed file its checksum is a part: cut by a byte, nobody can tell whether it is whole.
    #[test]
    fn a_compressed_file_that_breaks_off_in_its_checksum_is_refused() {
        let whole = gz(&file(&[2, 1, 3], &[1, 2, 3, 4, 5, 6]));
        let read = |bytes: &[u8]| {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("f");
            std::fs::write(&path, bytes).unwrap();
            read_images(&path, open(&path, Room::ENDLESS).unwrap()).map(|(_, bytes)| bytes)
        };
        assert_eq!(read(&whole).unwrap(), [1, 2, 3, 4, 5, 6]);
        for cut in 1..=8 {
            assert!(matches!(read(&whole[..whole.len() - cut]), Err(Error::Read { .. })), "{cut}");
        }
    }

    fn refused(bytes: &[u8]) -> String {
        read_images(Path::new("f"), bytes).unwrap_err().to_string()
    }

    /// The same four files plain and gzipped, in both spellings, give the same data set.
    #[test]
    fn folders_read_plain_and_gzipped_in_both_spellings() {
        let (train, labels) = (file(&[3, 2, 1], &[0, 50, 100, 150, 200, 255]), file(&[3], &[2, 0, 1]));
        let (test, test_labels) = (file(&[1, 2, 1], &[7, 8]), file(&[1], &[2]));
        let mut hashes = Vec::new();
        for dash in ["-", "."] {
            for packed in [false, true] {
                let dir = tempfile::tempdir().unwrap();
                for (stem, kind, bytes) in [
                    ("train-images", "idx3", &train),
                    ("train-labels", "idx1", &labels),
                    ("t10k-images", "idx3", &test),
                    ("t10k-labels", "idx1", &test_labels),
                ] {
                    let name = format!("{stem}{dash}{kind}-ubyte{}", if packed { ".gz" } else { "" });
                    let bytes = if packed { gz(bytes) } else { bytes.clone() };
                    std::fs::write(dir.path().join(name), bytes).unwrap();
                }
                let data = load(&Source::Idx(dir.path().into()), &LoadOptions::default()).unwrap();
                assert_eq!(data.image, Some(ImageShape { width: 1, height: 2 }));
                assert_eq!(data.classes, Some(3));
                assert_eq!(data.train.labels(), Some(vec![2, 0, 1]));
                assert_eq!(data.train.row(1), Row::Bytes(&[100, 150]));
                let test = data.test.as_ref().unwrap();
                assert_eq!((test.row(0), test.label(0)), (Row::Bytes(&[7, 8]), Some(2)));
                hashes.push(data.sha256().unwrap());
            }
        }
        hashes.dedup();
        assert_eq!(hashes.len(), 1);
    }

    #[test]
    fn labels_and_test_files_are_optional_but_images_are_not() {
        let dir = tempfile::tempdir().unwrap();
        let source = Source::Idx(dir.path().into());
        let message = || load(&source, &LoadOptions::default()).unwrap_err().to_string();
        assert!(message().contains("there is no train-images-idx3-ubyte"), "{}", message());
        std::fs::write(dir.path().join("train-images-idx3-ubyte"), file(&[2, 1, 1], &[1, 2])).unwrap();
        let data = load(&source, &LoadOptions::default()).unwrap();
        assert!(data.test.is_none() && data.classes.is_none() && data.train.labels().is_none());
        std::fs::write(dir.path().join("t10k-labels-idx1-ubyte"), file(&[1], &[0])).unwrap();
        assert!(message().contains("there is no t10k-images-idx3-ubyte"), "{}", message());
        std::fs::remove_file(dir.path().join("t10k-labels-idx1-ubyte")).unwrap();
        std::fs::write(dir.path().join("train-labels-idx1-ubyte"), file(&[3], &[0, 1, 0])).unwrap();
        assert!(message().ends_with("train-images-idx3-ubyte: 2 samples but 3 labels"), "{}", message());
    }

    #[test]
    fn damaged_files_are_refused_with_their_sizes() {
        let good = file(&[2, 2, 2], &[9; 8]);
        assert_eq!(
            refused(&good[..good.len() - 1]),
            "f: the file is truncated: its data has 7 bytes, expected 8; fetch it again"
        );
        assert_eq!(
            refused(&good[..10]),
            "f: the file is truncated: its header has 10 bytes, expected 16; fetch it again"
        );
        assert_eq!(refused(&[]), "f: the file is truncated: its header has 0 bytes, expected 16; fetch it again");
        assert_eq!(
            refused(&[good.clone(), vec![0]].concat()),
            "f: the file is too long: bytes follow the 8 that its header promises"
        );
        assert_eq!(
            refused(&file(&[2], &[1, 2])),
            "f: the first four bytes are 0x00000801, expected 0x00000803 (IDX, unsigned bytes, 3 dimensions); \
             are images and labels mixed up?"
        );
        assert!(read_labels(Path::new("f"), &good[..]).unwrap_err().to_string().contains("expected 0x00000801"));
        assert_eq!(refused(&file(&[2, 0, 5], &[])), "f: the samples have no columns");
        assert!(refused(&file(&[2, 300, 300], &[])).starts_with("f: the samples have 90000 columns;"));
    }

    /// A header that promises 2^32 pictures of 65,025 pixels (279 terabytes) must be refused for
    /// what is missing, having set aside no more than 64 MiB.
    #[test]
    fn promises_of_terabytes_allocate_nothing() {
        let error = refused(&file(&[u32::MAX, 255, 255], &[1; 100]));
        assert_eq!(error, "f: the file is truncated: its data has 100 bytes, expected 279280248357375; fetch it again");
        assert!(refused(&file(&[u32::MAX; 3], &[1; 100])).contains("the samples have 18446744065119617025 columns"));
    }

    #[test]
    fn broken_gzip_streams_are_errors_not_data() {
        let packed = gz(&file(&[100, 2, 2], &(0..400).map(|i| (i % 251) as u8).collect::<Vec<_>>()));
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("f.gz");
        std::fs::write(&path, &packed[..packed.len() / 2]).unwrap();
        let error = read_images(&path, open(&path, Room::ENDLESS).unwrap()).unwrap_err().to_string();
        assert!(error.contains("f.gz: the file is truncated"), "{error}");
        let mut flipped = packed.clone();
        let end = flipped.len();
        flipped[end - 6] ^= 1;
        std::fs::write(&path, flipped).unwrap();
        let error = read_images(&path, open(&path, Room::ENDLESS).unwrap()).unwrap_err();
        assert!(error.to_string().starts_with("cannot read") && std::error::Error::source(&error).is_some(), "{error}");
    }

    /// Any prefix and any single changed byte of the header gives an error or the data, never a
    /// panic.
    #[test]
    fn no_header_panics() {
        let good = file(&[2, 2, 2], &[9; 8]);
        for end in 0..good.len() {
            assert!(read_images(Path::new("f"), &good[..end]).is_err());
        }
        for at in 0..16 {
            for value in 0..=255 {
                let mut bytes = good.clone();
                bytes[at] = value;
                assert_eq!(read_images(Path::new("f"), &bytes[..]).is_ok(), bytes == good, "byte {at} = {value}");
            }
        }
    }

    #[test]
    fn no_more_memory_is_taken_than_there_may_be() {
        let dir = tempfile::tempdir().unwrap();
        let write = |name: &str, bytes: &[u8]| std::fs::write(dir.path().join(name), bytes).unwrap();
        write("train-images-idx3-ubyte.gz", &gz(&file(&[10, 3, 3], &[9; 90])));
        write("train-labels-idx1-ubyte.gz", &gz(&file(&[10], &[1; 10])));
        let within = |most| {
            let options = LoadOptions { max_memory: Some(most), ..LoadOptions::default() };
            load(&Source::Idx(dir.path().into()), &options)
        };
        // Its pixels, and of each label a byte as it is read and four as it stays.
        assert_eq!(within(90 + 50).unwrap().train.samples(), 10);
        assert!(matches!(within(90 + 49), Err(Error::Memory { .. })));
        assert!(matches!(within(80), Err(Error::Read { .. })));
    }
}
