//! A data set: what [`load`](crate::load) returns.

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

use crate::batches::split::Split;
use crate::error::Error;
use crate::schema::columns::Schema;
use crate::schema::pixels::Row;
use crate::schema::scaling::Scaling;
use crate::tables::aligned::Aligned;
use crate::tables::image_shape::ImageShape;
use crate::tables::text_form::TextForm;

/// Training samples, test samples where the source has them, and what is known of both.
#[derive(Clone, Debug)]
pub struct Dataset {
    /// A short name: `mnist`, or the name of the file or folder.
    pub name: String,
    /// Training samples.
    pub train: Split,
    /// Test samples.
    pub test: Option<Split>,
    /// Shape of a sample that is a picture, row by row.
    pub image: Option<ImageShape>,
    /// Number of classes, where there are labels: they are `0..classes`.
    pub classes: Option<usize>,
    /// What the classes are called, where the source names them: class `i` is `class_names[i]`.
    pub class_names: Option<Vec<String>>,
    /// How the values came into [0, 1].
    pub scaling: Scaling,
    /// What the columns of a table of text are; without columns for other sources.
    pub schema: Schema,
    /// What was found in the alignment that the data are.
    pub alignment: Option<Box<Aligned>>,
    /// How the file is written, where it is a CSV file.
    pub form: TextForm,
    /// How the source was understood, where another way is possible.
    pub notes: Vec<String>,
    /// What in it is unlikely to be meant.
    pub doubts: Vec<String>,
}

impl Dataset {
    /// SHA-256 of the training data in hexadecimal: the provenance of what is learned from it.
    ///
    /// Hashed are the text `deepbelief-data 1`, units, samples, one byte for the kind of pixels
    /// (0 bytes, 1 floats), one for labels (0 no, 1 yes), the pixels row by row (bytes, or
    /// little-endian 32-bit floats), then the labels; `missing` and which values are, if some are,
    /// a bit each, rows from a word of 32 on; `weights` and those of the samples; all integers but the two bytes as
    /// little-endian 64-bit (labels 32-bit). Splits of a data set hash their own samples only.
    ///
    /// # Errors
    /// If samples that are in a file cannot be read.
    pub fn sha256(&self) -> Result<String, Error> {
        hash(&self.train)
    }

    /// The same of the test data, where there are some.
    ///
    /// # Errors
    /// If samples that are in a file cannot be read.
    pub fn test_sha256(&self) -> Result<Option<String>, Error> {
        self.test.as_ref().map(hash).transpose()
    }

    /// The same data with all samples in memory.
    ///
    /// # Errors
    /// If those that are in a file cannot be read, or there is not so much memory.
    pub fn held(self) -> Result<Self, Error> {
        Ok(Self { train: self.train.held()?, test: self.test.map(Split::held).transpose()?, ..self })
    }

    /// Bytes of memory that samples would take which are in a file now.
    #[must_use]
    pub fn bytes_in_files(&self) -> u64 {
        let splits = [Some(&self.train), self.test.as_ref()].into_iter().flatten();
        splits.filter(|split| !split.is_held()).map(|split| split.pixel_bytes() as u64).sum()
    }
}

/// SHA-256 of a split: see [`Dataset::sha256`].
fn hash(split: &Split) -> Result<String, Error> {
    let mut hash = Sha256::new();
    hash.update(b"deepbelief-data 1");
    hash.update((split.units() as u64).to_le_bytes());
    hash.update((split.samples() as u64).to_le_bytes());
    hash.update([u8::from(!split.has_bytes()), u8::from(split.label(0).is_some())]);
    let mut little_endian = Vec::new();
    split.visit(0..split.samples(), |_, _, row| match row {
        Row::Bytes(bytes) => hash.update(bytes),
        Row::Floats(floats) => {
            little_endian.clear();
            little_endian.extend(floats.iter().flat_map(|x| x.to_le_bytes()));
            hash.update(&little_endian);
        }
    })?;
    for label in (0..split.samples()).filter_map(|sample| split.label(sample)) {
        hash.update(label.to_le_bytes());
    }
    if split.has_missing() {
        hash.update(b"missing");
        for word in (0..split.samples()).flat_map(|sample| split.missing_words(sample)) {
            hash.update(word.to_le_bytes());
        }
    }
    for (sample, weight) in (0..split.samples()).map_while(|sample| split.weight(sample)).enumerate() {
        hash.update(if sample == 0 { &b"weights"[..] } else { &[] });
        hash.update(weight.to_le_bytes());
    }
    Ok(hex(&hash.finalize()))
}

/// SHA-256 of bytes, in hexadecimal.
#[must_use]
pub fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// Bytes in hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut hex, byte| {
        // Writing to a string cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Pixels;

    fn dataset(units: usize, pixels: Pixels, labels: Option<Vec<u32>>) -> Dataset {
        let train = Split::new(units, pixels, labels).unwrap();
        let (image, classes, class_names, alignment) = (None, None, None, None);
        let (scaling, schema, form) = (Scaling::None, Schema::default(), TextForm::default());
        let (name, test, notes, doubts) = ("t".into(), None, Vec::new(), Vec::new());
        Dataset { name, train, test, image, classes, class_names, scaling, schema, alignment, form, notes, doubts }
    }

    /// The bytes hashed are spelt out here by hand, so a change of the canonical form, which
    /// would orphan every recorded provenance, cannot pass unnoticed.
    #[test]
    fn the_hash_is_that_of_the_documented_bytes() {
        let mut bytes = b"deepbelief-data 1".to_vec();
        bytes.extend([3, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
        bytes.extend([1, 2, 3, 4, 5, 6]);
        bytes.extend([7, 0, 0, 0, 1, 2, 0, 0]);
        let expected = hex(&Sha256::digest(&bytes));
        let data = dataset(3, Pixels::from(vec![1u8, 2, 3, 4, 5, 6]), Some(vec![7, 513]));
        assert_eq!(data.sha256().unwrap(), expected);
    }

    /// Each change alters one thing the hash must see.
    #[test]
    fn the_hash_sees_pixels_labels_shape_and_kind() {
        let all = [
            dataset(3, Pixels::from(vec![1u8, 2, 3, 4, 5, 6]), Some(vec![0, 1])),
            dataset(3, Pixels::from(vec![1u8, 2, 3, 4, 5, 7]), Some(vec![0, 1])),
            dataset(3, Pixels::from(vec![1u8, 2, 3, 4, 5, 6]), Some(vec![1, 1])),
            dataset(3, Pixels::from(vec![1u8, 2, 3, 4, 5, 6]), None),
            dataset(2, Pixels::from(vec![1u8, 2, 3, 4, 5, 6]), None),
            dataset(2, Pixels::from(vec![0.0f32, 1.0]), None),
            dataset(2, Pixels::from(vec![0u8, 255]), None),
        ];
        let hashes: std::collections::BTreeSet<String> = all.iter().map(|data| data.sha256().unwrap()).collect();
        assert_eq!(hashes.len(), all.len());
    }
}
