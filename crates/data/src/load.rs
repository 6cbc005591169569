//! From a source to a data set: the reader that a source asks for, then what all have in common.

#[cfg(feature = "embedded-mnist")]
use std::sync::OnceLock;

use crate::assemble::assemble;
use crate::dataset::Dataset;
use crate::error::Error;
use crate::formats::{self, hub::Files};
use crate::memory::room::Room;
use crate::schema::columns::Schema;
#[cfg(feature = "formats")]
use crate::schema::encode::{Use, encode};
#[cfg(feature = "formats")]
use crate::schema::infer::understand;
use crate::schema::options::LoadOptions;
#[cfg(feature = "embedded-mnist")]
use crate::schema::scale::Scale;
use crate::schema::source::Source;
#[cfg(feature = "formats")]
use crate::tables::sheet::Sheet;
#[cfg(feature = "formats")]
use crate::tables::table::Reading;
use crate::tables::table::Tables;

/// Reads a source into memory.
///
/// # Errors
/// If it cannot be read, is not what its prefix says, or holds values that cannot be used; the
/// message names the file and the place in it.
pub fn load(source: &Source, options: &LoadOptions) -> Result<Dataset, Error> {
    open(source, options)?.held()
}

/// Reads a source, but leaves samples in their file where they can be read from there one by one:
/// in uncompressed IDX files, and npy files whose first axis varies slowest. They are looked at
/// once, to be checked and scaled; all else is the same as if they were in memory.
///
/// # Errors
/// Those of [`load`].
pub fn open(source: &Source, options: &LoadOptions) -> Result<Dataset, Error> {
    let scale = options.schema.as_ref().and_then(Schema::scale);
    let options = &match scale {
        // What is no table is scaled by what the columns have in common.
        Some(scale) => LoadOptions { scale, ..options.clone() },
        _ => options.clone(),
    };
    match source {
        #[cfg(feature = "embedded-mnist")]
        Source::Mnist => mnist(options),
        _ => assemble(source.name(), tables(source, options)?, options),
    }
}

/// What the reader of a source finds, values that are missing or no finite numbers included where the
/// file's format lets them pass.
pub(crate) fn tables_with_gaps(source: &Source, options: &LoadOptions) -> Result<Tables, Error> {
    #[cfg(feature = "formats")]
    if let Some(sheet) = sheet(source, options)? {
        return understood(sheet, options, Use::Look);
    }
    tables(source, options)
}

/// The cells of a source that is a table; none of another.
#[cfg(feature = "formats")]
pub(crate) fn sheet(source: &Source, options: &LoadOptions) -> Result<Option<Sheet>, Error> {
    Ok(Some(match source {
        Source::Csv(path) => formats::csv::read(path, options)?,
        Source::Svm(path) => formats::svm::read(path, options)?,
        Source::Arff(path) => formats::arff::read(path, options)?,
        _ => return Ok(None),
    }))
}

/// A table, as the schema says that is given, or else inferred.
#[cfg(feature = "formats")]
fn understood(sheet: Sheet, options: &LoadOptions, how: Use) -> Result<Tables, Error> {
    if sheet.lines.is_empty() {
        return Err(Error::Empty { what: sheet.what });
    }
    let inferred = understand(&sheet, options)?;
    let how = if options.schema.is_some() && how == Use::Train { Use::Apply } else { how };
    let encoded = encode(&inferred.schema, &sheet, how, options.class_names.is_some())?;
    let reading = Reading {
        schema: inferred.schema,
        scaling: Some(encoded.scaling),
        notes: sheet.read_as.into_iter().chain(inferred.notes).chain(encoded.notes).collect(),
        doubts: inferred.doubts,
    };
    Ok(Tables { class_names: encoded.class_names, reading: Some(reading), ..Tables::of(encoded.table) })
}

/// What the reader of a source finds.
pub(crate) fn tables(source: &Source, options: &LoadOptions) -> Result<Tables, Error> {
    if let Some(column) = &options.feature_column
        && !matches!(source, Source::Parquet(_) | Source::Hub(_))
    {
        let (name, got) = ("feature_column", format!("{column:?}"));
        return Err(Error::Setting { name, got, expected: format!("left out: '{source}' is no Parquet data") });
    }
    #[cfg(feature = "formats")]
    if let Some(sheet) = sheet(source, options)? {
        return understood(sheet, options, Use::Train);
    }
    let room = Room::of(options.max_memory);
    Ok(match source {
        #[cfg(feature = "embedded-mnist")]
        Source::Mnist => formats::mnist::tables()?,
        Source::Idx(dir) => formats::idx::read_dir(dir, room)?,
        #[cfg(feature = "formats")]
        Source::Npy(path) => formats::npy::read(path, room)?,
        #[cfg(feature = "formats")]
        Source::Npz(path) => formats::npz::read(path, room, options.class_names.is_some())?,
        #[cfg(feature = "formats")]
        Source::Safetensors(path) => formats::safetensors::read(path, room, options.class_names.is_some())?,
        #[cfg(feature = "formats")]
        Source::Mat(path) | Source::Hdf5(path) => formats::container::read(path, room, options.class_names.is_some())?,
        #[cfg(feature = "formats")]
        Source::Images(dir) => formats::images::read_dir(dir, options.image_size, room)?,
        #[cfg(feature = "parquet")]
        Source::Parquet(path) => formats::parquet::read(std::slice::from_ref(path), &[], options)?,
        Source::Hub(address) => match formats::hub::fetch(address, options.fetch)? {
            Files::One(source) => tables(&source, options)?,
            #[cfg(feature = "parquet")]
            Files::Parquet { train, test } => formats::parquet::read(&train, &test, options)?,
        },
        // What is left is of features that are off.
        #[allow(unreachable_patterns, reason = "all may be on")]
        source => {
            let feature = match source {
                Source::Mnist => "embedded-mnist",
                Source::Parquet(_) => "parquet",
                _ => "formats",
            };
            return Err(Error::FeatureOff { what: source.to_string(), feature });
        }
    })
}

#[cfg(feature = "embedded-mnist")]
/// MNIST, decompressed on the first call; later ones share its 55 MB.
fn mnist(options: &LoadOptions) -> Result<Dataset, Error> {
    static DIGITS: OnceLock<Dataset> = OnceLock::new();
    let read = || assemble("mnist".into(), formats::mnist::tables()?, options);
    match (options.scale, options.classes, &options.class_names) {
        (Scale::Auto | Scale::By255, None | Some(10), None) => {
            if let Some(digits) = DIGITS.get() {
                return Ok(digits.clone());
            }
            let digits = read()?;
            Ok(DIGITS.get_or_init(|| digits).clone())
        }
        // Other wishes are for other data; they get what the same files on disk would get.
        _ => read(),
    }
}

#[cfg(feature = "embedded-mnist")]
impl Dataset {
    /// The 70,000 digits of MNIST, with the options' defaults.
    ///
    /// # Errors
    /// None that the embedded files give cause for.
    pub fn mnist() -> Result<Self, Error> {
        mnist(&LoadOptions::default())
    }
}

#[cfg(all(test, not(feature = "formats")))]
mod tests {
    use super::*;

    #[test]
    fn a_reader_that_was_not_built_names_its_feature() {
        let error = load(&Source::Csv("a.csv".into()), &LoadOptions::default()).unwrap_err().to_string();
        assert_eq!(
            error,
            "this build does not read csv:a.csv: build it with the feature `formats`, for dbn by cargo build --release \
             --features formats"
        );
    }
}
