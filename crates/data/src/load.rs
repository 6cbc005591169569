//! From a source to a data set: the reader that a source asks for, then what all have in common.

#[cfg(feature = "embedded-mnist")]
use std::sync::OnceLock;

#[cfg(feature = "parquet")]
use std::path::PathBuf;

#[cfg(feature = "formats")]
use crate::assemble::array_by_columns;
use crate::assemble::assemble;
#[cfg(feature = "formats")]
use crate::classes::renumber;
use crate::dataset::Dataset;
use crate::error::Error;
use crate::formats::{self, hub::Files};
use crate::memory::room::Room;
use crate::schema::columns::Schema;
#[cfg(feature = "formats")]
use crate::schema::encode::{Use, encode};
#[cfg(feature = "formats")]
use crate::schema::infer::{Inferred, understand};
#[cfg(feature = "embedded-mnist")]
use crate::schema::options::LabelUse;
use crate::schema::options::LoadOptions;
use crate::schema::scale::Scale;
use crate::schema::source::Source;
use crate::schema::visible::VisibleUnits;
use crate::tables::found::Found;
#[cfg(feature = "formats")]
use crate::tables::found::Sheets;
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
    refuse_columns(source, options)?;
    match source {
        #[cfg(feature = "embedded-mnist")]
        Source::Mnist => mnist(options),
        _ => assemble(source.name(), tables(source, options)?, options),
    }
}

/// What the reader of a source finds, for a look at it: values beyond a model's range as they are.
pub(crate) fn tables_to_look_at(source: &Source, options: &LoadOptions) -> Result<Tables, Error> {
    refuse_columns(source, options)?;
    #[cfg_attr(not(feature = "formats"), expect(unused_mut, reason = "arrays have no columns then"))]
    let mut tables = understood(source, options, false)?;
    #[cfg(feature = "formats")]
    array_by_columns(&mut tables, options, Use::Look)?;
    Ok(tables)
}

/// What the reader of a source finds.
fn tables(source: &Source, options: &LoadOptions) -> Result<Tables, Error> {
    understood(source, options, true)
}

/// What the reader of a source finds, its columns understood where it is a table.
#[cfg_attr(not(feature = "formats"), allow(unused_variables, reason = "there are no tables"))]
fn understood(source: &Source, options: &LoadOptions, learn: bool) -> Result<Tables, Error> {
    let (found, options) = found(source, options)?;
    match found {
        #[cfg(feature = "formats")]
        Found::Tables(tables) if has_labels_in_a_column(&tables, &options)? => {
            let (train, notes) = (Sheet::of_table(&tables.train)?, tables.notes);
            let test = tables.test.as_ref().map(Sheet::of_table).transpose()?;
            let tables = by_columns(Sheets { train, test, class_names: None }, &options, learn)?;
            Ok(Tables { notes, ..tables })
        }
        Found::Tables(tables) => Ok(*tables),
        #[cfg(feature = "formats")]
        Found::Sheets(sheets) => by_columns(*sheets, &options, learn),
        #[cfg(feature = "formats")]
        Found::Sequences(sequences) => formats::alignment::tables(&sequences, &options, learn),
    }
}

/// Refuses names of columns for a source that has none.
fn refuse_columns(source: &Source, options: &LoadOptions) -> Result<(), Error> {
    let refuse = |name: &'static str, column: &String, why: &str| {
        Err(Error::Setting { name, got: format!("{column:?}"), expected: format!("left out: {why}") })
    };
    if let Some(column) = &options.feature_column
        && !matches!(source, Source::Parquet(_) | Source::Hub(_))
    {
        return refuse("feature_column", column, &format!("'{source}' is no Parquet data"));
    }
    match source {
        Source::Fasta(_) => refuse_columns_of_sites(options)?,
        Source::Hub(_) => {}
        _ if options.alignment.is_asked() => {
            return Err(Error::Setting {
                name: "an option of alignments",
                got: format!("given for '{source}'"),
                expected:
                    "left out: --alphabet, --unknown, --inserts, --max-gaps, --deduplicate, --reweight, --weights and \
                           --valid-clusters are for fasta:FILE"
                        .into(),
            });
        }
        _ => {}
    }
    match (&options.label_column, source) {
        (Some(column), Source::Mnist | Source::Idx(_)) => {
            refuse("label_column", column, &format!("the labels of '{source}' are in files of their own"))
        }
        (Some(column), Source::Images(_)) => {
            refuse("label_column", column, &format!("the labels of '{source}' are its folders"))
        }
        _ => Ok(()),
    }
}

/// Refuses what is for columns of tables, for an alignment.
fn refuse_columns_of_sites(options: &LoadOptions) -> Result<(), Error> {
    let refuse = |name, got: String, why: &str| Err(Error::Setting { name, got, expected: format!("left out: {why}") });
    match options {
        LoadOptions { label_column: Some(column), .. } => {
            refuse("label_column", format!("{column:?}"), "sequences of an alignment have no labels")
        }
        LoadOptions { weight_column: Some(column), .. } => {
            let why = "an alignment has no column of weights; use --weights FILE or --reweight";
            refuse("weight_column", format!("{column:?}"), why)
        }
        LoadOptions { scale, .. } if *scale != Scale::Auto => {
            refuse("scale", scale.to_string(), "letters of an alignment are no numbers")
        }
        LoadOptions { visible_units: units @ (VisibleUnits::Gaussian | VisibleUnits::Spin), .. } => {
            refuse("visible_units", units.to_string(), "sites of an alignment are categorical units")
        }
        LoadOptions { column_types, missing, .. } if !column_types.0.is_empty() || !missing.is_empty() => {
            let why = "they are of tables; letters that are missing are those that the alphabet has not";
            refuse("column types or codes of missing values", "given".into(), why)
        }
        _ => Ok(()),
    }
}

/// Whether the labels of an array are one of its columns, as is asked or as a model has learned.
#[cfg(feature = "formats")]
pub(crate) fn has_labels_in_a_column(tables: &Tables, options: &LoadOptions) -> Result<bool, Error> {
    let Some(column) = &options.label_column else {
        let learned = |schema: &Schema| schema.label().is_some() && schema.each().count() == tables.train.units;
        return Ok(tables.train.labels.is_none() && options.schema.as_ref().is_some_and(learned));
    };
    let why = match (&tables.train.labels, tables.image) {
        (Some(_), _) => "has labels that are an array of their own",
        (None, Some(_)) => "has pictures, which have no columns",
        (None, None) => return Ok(true),
    };
    let expected = format!("left out: {} {why}", tables.train.what);
    Err(Error::Setting { name: "label_column", got: format!("{column:?}"), expected })
}

/// Tables, as the schema says that is given, or else inferred of the training data.
#[cfg(feature = "formats")]
pub(crate) fn by_columns(sheets: Sheets, options: &LoadOptions, learn: bool) -> Result<Tables, Error> {
    let Sheets { train: sheet, test, class_names } = sheets;
    if sheet.lines.is_empty() {
        return Err(Error::Empty { what: sheet.what });
    }
    let inferred = understand(&sheet, options)?;
    let how = |of_training: bool| match (learn, of_training) {
        (false, _) => Use::Look,
        (true, true) => Use::to_learn(options),
        (true, false) => Use::Apply,
    };
    // Numbers of classes that have names are no names.
    let named = options.class_names.is_some() && class_names.is_none();
    let mut encoded = encode(&inferred.schema, &sheet, how(true), named, options.labels)?;
    let class_names = class_names.filter(|_| encoded.class_names.is_none()).or(encoded.class_names);
    encoded.table.weights = encoded.table.weights.or(sheet.weights);
    let mut notes: Vec<String> = sheet.read_as.into_iter().chain(inferred.notes).chain(encoded.notes).collect();
    encoded.notes = Vec::new();
    let mut of_test = None;
    if let Some(sheet) = test.filter(|sheet| !sheet.lines.is_empty()) {
        let test = encode(&inferred.schema, &sheet, how(false), named, options.labels)?;
        let mut table = test.table;
        if let (Some(found), Some(names)) = (test.class_names, &class_names) {
            renumber(&mut table, &found, names)?;
        }
        notes.extend(test.notes);
        of_test = Some(table);
    }
    let scaling = Some(encoded.scaling);
    let Inferred { schema, doubts, hint, whole_levels, .. } = inferred;
    let reading =
        Some(Reading { schema, scaling, notes, doubts, hint, whole_levels, alignment: None, form: sheet.form });
    Ok(Tables { test: of_test, class_names, reading, ..Tables::of(encoded.table) })
}

/// What the reader of a source finds, and the options that are left for what is done with it.
pub(crate) fn found(source: &Source, options: &LoadOptions) -> Result<(Found, LoadOptions), Error> {
    let room = Room::of(options.max_memory);
    let names = options.class_names.is_some();
    let tables = match source {
        #[cfg(feature = "embedded-mnist")]
        Source::Mnist => formats::mnist::tables()?,
        Source::Idx(dir) => formats::idx::read_dir(dir, room)?,
        #[cfg(feature = "formats")]
        Source::Csv(path) => return Ok((formats::csv::read(path, options)?.into(), options.clone())),
        #[cfg(feature = "formats")]
        Source::Svm(path) => return Ok((formats::svm::read(path, options)?.into(), options.clone())),
        #[cfg(feature = "formats")]
        Source::Arff(path) => return Ok((formats::arff::read(path, options)?.into(), options.clone())),
        #[cfg(feature = "formats")]
        Source::Fasta(path) => {
            return Ok((Found::Sequences(formats::alignment::read(path, options)?), options.clone()));
        }
        #[cfg(feature = "formats")]
        Source::Npy(path) => formats::npy::read(path, room)?,
        #[cfg(feature = "formats")]
        Source::Npz(path) => formats::npz::read(path, room, names)?,
        #[cfg(feature = "formats")]
        Source::Safetensors(path) => formats::safetensors::read(path, room, names)?,
        #[cfg(feature = "formats")]
        Source::Mat(path) | Source::Hdf5(path) => formats::container::read(path, room, names)?,
        #[cfg(feature = "formats")]
        Source::Images(dir) => formats::images::read_dir(dir, options.image_size, room)?,
        #[cfg(feature = "parquet")]
        Source::Parquet(path) => return parquet(std::slice::from_ref(path), &[], options),
        Source::Hub(address) => match formats::hub::fetch(address, options.fetch)? {
            Files::One(source) => return found(&source, options),
            #[cfg(feature = "parquet")]
            Files::Parquet { train, test } => return parquet(&train, &test, options),
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
    };
    Ok((Found::Tables(Box::new(tables)), options.clone()))
}

/// Parquet files. Their columns of labels are found by the reader, which knows those that it leaves out.
#[cfg(feature = "parquet")]
fn parquet(train: &[PathBuf], test: &[PathBuf], options: &LoadOptions) -> Result<(Found, LoadOptions), Error> {
    let found = formats::parquet::read(train, test, options)?;
    Ok((found, LoadOptions { label_column: None, ..options.clone() }))
}

#[cfg(feature = "embedded-mnist")]
/// MNIST, decompressed on the first call; later ones share its 55 MB.
fn mnist(options: &LoadOptions) -> Result<Dataset, Error> {
    static DIGITS: OnceLock<Dataset> = OnceLock::new();
    let read = || assemble("mnist".into(), formats::mnist::tables()?, options);
    let units_asked =
        options.visible_units.is_for_all() || options.schema.as_ref().is_some_and(|s| !s.layer().is_bernoulli());
    match (options.scale, options.classes, &options.class_names) {
        _ if units_asked => read(),
        (Scale::Auto | Scale::By255, None | Some(10), None) if options.labels != LabelUse::Unused => {
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
            "this build does not read csv:a.csv: build it with the feature `formats`: a program of yours by features = \
             [\"formats\"] in the line of deepbelief in its Cargo.toml, dbn by cargo build --release --features formats"
        );
    }
}
