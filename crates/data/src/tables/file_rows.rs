//! Samples that stay in their file: rows are read where they are asked for, each from its place,
//! so that data may be larger than memory. (A mapping of the file would count against a limited
//! address space.)

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::element::Element;
use super::values::Values;
use crate::error::Error;

/// Bytes read at once, where neighbouring rows are asked for.
const AT_ONCE: usize = 1 << 20;

/// Row-major values [samples, units] in a file.
#[derive(Debug)]
pub(crate) struct FileRows {
    pub(crate) path: PathBuf,
    pub(crate) file: File,
    /// Where the first value stands.
    pub(crate) start: u64,
    pub(crate) samples: usize,
    pub(crate) units: usize,
    pub(crate) element: Element,
    pub(crate) big_endian: bool,
    /// What the file was when its header was read.
    pub(crate) opened: Stamp,
}

/// What tells that a file was written to: its length, and when it was written last.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Stamp {
    pub(crate) length: u64,
    written: Option<SystemTime>,
}

impl Stamp {
    pub(crate) fn of(path: &Path, file: &File) -> Result<Self, Error> {
        let metadata = file.metadata().map_err(Error::read(path))?;
        Ok(Self { length: metadata.len(), written: metadata.modified().ok() })
    }
}

impl FileRows {
    fn row_bytes(&self) -> usize {
        self.units * self.element.size()
    }

    /// Neighbouring rows that are worth one read.
    pub(crate) fn at_once(&self) -> usize {
        (AT_ONCE / self.row_bytes().max(1)).max(1)
    }

    /// Refuses what was read if the file was written to since it was opened. (One that was replaced stays open
    /// as it was.)
    pub(crate) fn require_unchanged(&self) -> Result<(), Error> {
        if Stamp::of(&self.path, &self.file)? == self.opened {
            return Ok(());
        }
        Err(Error::Changed { path: self.path.clone() })
    }

    /// The values of `count` rows from `first` on, as the file has them.
    ///
    /// # Errors
    /// If the system cannot read them, as when the file has been cut off since it was opened.
    pub(crate) fn read(&self, first: usize, count: usize) -> Result<Values, Error> {
        let mut bytes = vec![0; count * self.row_bytes()];
        let place = self.start + first as u64 * self.row_bytes() as u64;
        read_at(&self.file, &mut bytes, place).map_err(Error::read(&self.path))?;
        Ok(self.element.values(self.big_endian, bytes))
    }
}

#[cfg(unix)]
fn read_at(file: &File, bytes: &mut [u8], place: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, bytes, place)
}

#[cfg(windows)]
fn read_at(file: &File, mut bytes: &mut [u8], mut place: u64) -> io::Result<()> {
    while !bytes.is_empty() {
        match std::os::windows::fs::FileExt::seek_read(file, bytes, place)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            n => {
                bytes = &mut bytes[n..];
                place += n as u64;
            }
        }
    }
    Ok(())
}

#[cfg(all(test, feature = "formats"))]
mod tests {
    use crate::batches::binarize::Binarize;
    use crate::dataset::Dataset;
    use crate::schema::options::LoadOptions;
    use crate::schema::scale::Scale;
    use crate::schema::source::Source;
    use crate::{BatchConfig, Minibatcher, load, open};
    use deepbelief_kernels::{Batch, Minibatches};
    use std::path::Path;

    const SAMPLES: usize = 900;
    const UNITS: usize = 1500;

    /// Values k of 0, 1, 2, ... of which `value` says what the file holds.
    fn write_npy(path: &Path, descr: &str, value: impl Fn(usize) -> Vec<u8>) -> Source {
        let header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({SAMPLES}, {UNITS}), }}");
        let mut file = b"\x93NUMPY\x01\x00".to_vec();
        file.extend((header.len() as u16).to_le_bytes());
        file.extend(header.bytes());
        file.extend((0..SAMPLES * UNITS).flat_map(value));
        std::fs::write(path, file).unwrap();
        Source::Npy(path.into())
    }

    /// Images with labels, with `bytes` of pixels, and half as many to test on.
    fn write_idx(dir: &Path) -> Source {
        for (name, samples) in [("train", SAMPLES), ("t10k", SAMPLES / 2)] {
            let words = |words: &[usize]| words.iter().flat_map(|&x| (x as u32).to_be_bytes()).collect::<Vec<u8>>();
            let mut images = words(&[0x803, samples, 30, 50]);
            images.extend((0..samples * UNITS).map(|k| if k % 3 == 0 { 0 } else { (k * 31 % 256) as u8 }));
            let mut labels = words(&[0x801, samples]);
            labels.extend((0..samples).map(|k| (k % 5) as u8));
            std::fs::write(dir.join(format!("{name}-images-idx3-ubyte")), images).unwrap();
            std::fs::write(dir.join(format!("{name}-labels-idx1-ubyte")), labels).unwrap();
        }
        Source::Idx(dir.into())
    }

    fn epochs(data: &Dataset, binarize: Binarize) -> Vec<(Batch, Option<Vec<u32>>)> {
        let (train, valid) = data.train.split_validation(100, 3).unwrap();
        let config = BatchConfig { batch_size: 64, binarize, balanced: train.label(0).is_some(), seed: 5 };
        let mut minibatches = Minibatcher::new(&train, config).unwrap();
        let mut dealt = vec![(valid.batch(0..100, binarize, 5).unwrap(), valid.labels())];
        for epoch in 0..2 {
            minibatches.start_epoch(epoch);
            for index in 0..minibatches.batches() {
                let mut batch = Batch::default();
                minibatches.fill(index, &mut batch);
                dealt.push((batch, minibatches.labels().map(<[u32]>::to_vec)));
            }
        }
        assert!(minibatches.take_failure().is_none());
        dealt
    }

    /// Everything that is reported or served of data in files must be, bit for bit, what it is of the
    /// same data in memory: bytes, flags and floats, fractions and whole ones, every scaling and
    /// every way to make states. The files are larger than what is read at once.
    #[test]
    fn samples_in_files_are_those_in_memory() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        let float = |x: f32| x.to_le_bytes().to_vec();
        let sources = [
            (write_idx(dir.path()), Scale::Auto),
            (write_npy(&path("bytes.npy"), "|u1", |k| vec![(k * 7 % 250) as u8]), Scale::MinMax),
            (write_npy(&path("flags.npy"), "|b1", |k| vec![(k % 3) as u8]), Scale::Auto),
            (write_npy(&path("fractions.npy"), "<f4", |k| float((k % 1000) as f32 / 999.0)), Scale::Auto),
            (write_npy(&path("whole.npy"), "<f4", |k| float((k % 256) as f32)), Scale::Auto),
            (write_npy(&path("range.npy"), ">f4", |k| (k as f32 - 1e5).to_be_bytes().to_vec()), Scale::MinMax),
            (Source::Npy(path("range.npy")), Scale::Range { min: -9.9e4, max: -3e4 }),
        ];
        for (source, scale) in sources {
            let options = LoadOptions { scale, clamp: true, ..LoadOptions::default() };
            let (held, filed) = (load(&source, &options).unwrap(), open(&source, &options).unwrap());
            assert!(held.train.is_held() && !filed.train.is_held(), "{source}");
            let pixels = (held.train.bytes() - filed.train.bytes()) as u64;
            let test = held.test.as_ref().map_or(0, |test| test.pixel_bytes() as u64);
            assert_eq!((held.bytes_in_files(), filed.bytes_in_files()), (0, pixels + test), "{source}");
            assert_eq!(held.sha256().unwrap(), filed.sha256().unwrap(), "{source}");
            assert_eq!(held.train.mean().unwrap(), filed.train.mean().unwrap(), "{source}");
            assert_eq!((held.classes, held.image, held.scaling), (filed.classes, filed.image, filed.scaling));
            for binarize in [Binarize::None, Binarize::Threshold(0.4), Binarize::Fixed, Binarize::Fresh] {
                assert!(epochs(&held, binarize) == epochs(&filed, binarize), "{source}, {binarize}");
            }
        }
    }

    /// The place of a wrong value is found in the second of the parts that are read.
    #[test]
    fn wrong_values_are_named_wherever_they_stand() {
        let dir = tempfile::tempdir().unwrap();
        let value = |k: usize| if k == 800 * UNITS + 7 { f32::INFINITY } else { 0.5 };
        let source = write_npy(&dir.path().join("a.npy"), "<f4", |k| value(k).to_le_bytes().to_vec());
        let error = open(&source, &LoadOptions::default()).unwrap_err().to_string();
        assert!(
            error.ends_with("a.npy: row 800, column 7 (counted from 0) is inf: every value must be a finite number")
        );
    }

    /// A gap is found there too; data with gaps are taken into memory.
    #[test]
    fn gaps_are_found_wherever_they_stand() {
        let dir = tempfile::tempdir().unwrap();
        let value = |k: usize| if k == 800 * UNITS + 7 { f32::NAN } else { 0.5 };
        let source = write_npy(&dir.path().join("a.npy"), "<f4", |k| value(k).to_le_bytes().to_vec());
        let train = open(&source, &LoadOptions::default()).unwrap().train;
        assert_eq!((train.is_held(), train.missing_values()), (true, 1));
        assert_eq!(train.missing(&[800]).unwrap().units(0).collect::<Vec<_>>(), [7]);
        assert_eq!(train.batch([800], Binarize::None, 1).unwrap().value(0, 7), 0.5);
    }

    /// A file whose samples are overwritten while it is in use: no reader takes the new ones for those it checked,
    /// in a minibatch, a batch or a hash.
    #[test]
    fn a_file_rewritten_in_use_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.npy");
        let data = open(&write_npy(&path, "|u1", |k| vec![k as u8]), &LoadOptions::default()).unwrap();
        let mut minibatches = Minibatcher::new(&data.train, BatchConfig::default()).unwrap();
        let mut batch = Batch::default();
        minibatches.fill(0, &mut batch);
        assert!(minibatches.take_failure().is_none() && batch.to_values().iter().all(|x| x.is_finite()));
        // The same length, and other samples.
        let file = std::fs::File::options().write(true).open(&path).unwrap();
        let before = file.metadata().unwrap().modified().unwrap();
        write_npy(&path, "|u1", |k| vec![(k + 1) as u8]);
        file.set_modified(before + std::time::Duration::from_millis(20)).unwrap();
        minibatches.fill(1, &mut batch);
        assert!(batch.to_values().iter().all(|x| x.is_nan()));
        let changed =
            |error: String| assert!(error.contains("a.npy: the file was changed while it was in use"), "{error}");
        changed(minibatches.take_failure().unwrap().to_string());
        changed(data.sha256().unwrap_err().to_string());
        changed(data.train.batch(0..3, Binarize::None, 1).unwrap_err().to_string());
        changed(data.held().unwrap_err().to_string());
    }

    /// A file that is cut off while it is in use: a minibatch of NaN, and the reason.
    #[test]
    fn a_file_cut_off_in_use_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.npy");
        let data = open(&write_npy(&path, "|u1", |k| vec![k as u8]), &LoadOptions::default()).unwrap();
        let mut minibatches = Minibatcher::new(&data.train, BatchConfig::default()).unwrap();
        std::fs::File::options().write(true).open(&path).unwrap().set_len(5000).unwrap();
        let mut batch = Batch::default();
        minibatches.fill(0, &mut batch);
        assert!(batch.rows() == 100 && batch.to_values().iter().all(|x| x.is_nan()));
        let error = minibatches.take_failure().unwrap().to_string();
        assert!(error.starts_with("cannot read ") && error.ends_with("a.npy"), "{error}");
        assert!(minibatches.take_failure().is_none());
    }
}
