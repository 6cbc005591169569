//! MNIST inside the library: the four IDX files of Yann `LeCun`, Corinna Cortes and Chris Burges (see
//! `assets/NOTICE`), compressed with Zstandard, some 9.7 MB.

use std::io::Read;
use std::path::Path;

use ruzstd::decoding::StreamingDecoder;

use super::idx;
use crate::error::Error;
use crate::tables::image_shape::ImageShape;
use crate::tables::table::{Table, Tables};
use crate::tables::values::Values;

struct Asset {
    name: &'static str,
    compressed: &'static [u8],
}

macro_rules! asset {
    ($name:literal) => {
        Asset { name: $name, compressed: include_bytes!(concat!("../../assets/", $name, ".zst")) }
    };
}

const TRAIN: [Asset; 2] = [asset!("train-images-idx3-ubyte"), asset!("train-labels-idx1-ubyte")];
const TEST: [Asset; 2] = [asset!("t10k-images-idx3-ubyte"), asset!("t10k-labels-idx1-ubyte")];

/// The digits as the files have them.
pub(crate) fn tables() -> Result<Tables, Error> {
    let (train, image) = pair(&TRAIN)?;
    let (test, _) = pair(&TEST)?;
    Ok(Tables { test: Some(test), image: Some(image), ..Tables::of(train) })
}

fn pair([images, labels]: &[Asset; 2]) -> Result<(Table, ImageShape), Error> {
    let (shape, bytes) = idx::read_images(Path::new(images.name), images.open()?)?;
    let mut table = Table::new(images.name, shape.width * shape.height, Values::Bytes(bytes));
    table.labels = Some(idx::read_labels(Path::new(labels.name), labels.open()?)?);
    Ok((table, shape))
}

impl Asset {
    fn open(&self) -> Result<impl Read, Error> {
        StreamingDecoder::new(self.compressed).map_err(|error| Error::Broken {
            what: self.name.into(),
            format: "zstd",
            reason: error.to_string(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::hex;
    use crate::schema::pixels::Row;
    use crate::{LoadOptions, Scaling, Source};
    use sha2::{Digest, Sha256};

    /// The digests of the original files, taken with sha256sum after gunzip.
    #[test]
    fn the_decoded_files_are_the_originals() {
        let originals = [
            (&TRAIN[0], "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"),
            (&TRAIN[1], "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"),
            (&TEST[0], "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"),
            (&TEST[1], "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"),
        ];
        for (asset, expected) in originals {
            let mut bytes = Vec::new();
            asset.open().unwrap().read_to_end(&mut bytes).unwrap();
            assert_eq!(hex(&Sha256::digest(&bytes)), expected, "{}", asset.name);
        }
    }

    /// Sizes, the known counts of digits in the training set, and the first label (a five).
    #[test]
    fn all_seventy_thousand_digits_are_there() {
        let data = crate::load(&Source::Mnist, &LoadOptions::default()).unwrap();
        let test = data.test.as_ref().unwrap();
        assert_eq!((data.train.samples(), test.samples(), data.train.units()), (60_000, 10_000, 784));
        assert_eq!(data.image, Some(ImageShape { width: 28, height: 28 }));
        assert_eq!((data.classes, data.scaling, data.name.as_str()), (Some(10), Scaling::By255, "mnist"));
        let counts: Vec<usize> = data.train.by_class().iter().map(Vec::len).collect();
        assert_eq!(counts, [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]);
        assert_eq!((data.train.label(0), test.label(0), test.id(0)), (Some(5), Some(7), 60_000));
        assert!(matches!(data.train.row(0), Row::Bytes(_)));
        let mean = data.train.mean().unwrap().iter().map(|&x| f64::from(x)).sum::<f64>() / 784.0;
        assert!((mean - 0.130_66).abs() < 1e-5, "the well-known mean of the training pixels, got {mean}");
    }

    /// A second load hands out the same memory.
    #[test]
    fn digits_are_decompressed_once() {
        let load = || crate::load(&Source::Mnist, &LoadOptions::default()).unwrap();
        let (a, b) = (load(), load());
        let (Row::Bytes(a), Row::Bytes(b)) = (a.train.row(0), b.train.row(0)) else { unreachable!() };
        assert!(std::ptr::eq(a, b));
    }
}
