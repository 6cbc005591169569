//! What can go wrong with data, said with what, where, got, expected and a way out.

mod array;
mod idx;
mod line;

use std::io;
use std::path::{Path, PathBuf};

use deepbelief_kernels::MAX_UNITS;

pub use self::array::ArrayError;
pub use self::idx::IdxError;
pub use self::line::LineError;
use crate::place::Place;

/// Errors of this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file or folder could not be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// A data source that does not parse.
    #[error("unknown data source {text:?}: {hint}")]
    UnknownSource {
        /// What was given.
        text: String,
        /// What to write instead.
        hint: String,
    },
    /// A setting is out of its range.
    #[error("{name} is {got}; it must be {expected}")]
    Setting {
        /// The setting.
        name: &'static str,
        /// Its value.
        got: String,
        /// What it may be.
        expected: String,
    },
    /// The program was built without a reader.
    #[error("this build does not read {what}: {}", with_feature(feature))]
    FeatureOff {
        /// The source.
        what: String,
        /// The crate feature that brings its reader.
        feature: &'static str,
    },
    /// A folder of IDX files lacks one.
    #[error("{}: there is no {name} (looked for {name}, {name}.gz and the spelling with a dot)", dir.display())]
    MissingFile {
        /// The folder.
        dir: PathBuf,
        /// The file's classic name.
        name: String,
    },
    /// An IDX file that is none, or not whole.
    #[error(transparent)]
    Idx(#[from] IdxError),
    /// A file is not what its prefix says, or is damaged.
    #[error("{what}: not a readable {format} file: {reason}")]
    Broken {
        /// The file, or the array in it.
        what: String,
        /// The format it was read as.
        format: &'static str,
        /// The reader's reason.
        reason: String,
    },
    /// A file of arrays that cannot be read, or not as a data set.
    #[error("{}: {reason}", path.display())]
    Container {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, a clause about it or its array.
        reason: String,
    },
    /// An alignment that cannot be read, or not as it is asked for.
    #[error("{what}: {reason}")]
    Alignment {
        /// The file.
        what: String,
        /// What is wrong with it, and what to do.
        reason: String,
    },
    /// A line of a table of text.
    #[error(transparent)]
    Line(#[from] LineError),
    /// The label column does not exist.
    #[error("{}: there is no label column {column:?}; {available}", path.display())]
    NoSuchColumn {
        /// The file.
        path: PathBuf,
        /// The column asked for.
        column: String,
        /// What could be asked for.
        available: String,
    },
    /// A column of a table that is not what it should be.
    #[error("{}: column {column}: {reason}", path.display())]
    Column {
        /// The file.
        path: PathBuf,
        /// The column's name.
        column: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Several columns of a table of which the values do not tell what they are.
    #[error(
        "{}: {count} columns need an answer: {columns}; say `{command}` to leave out what is named there, or give other \
         kinds, such as categorical",
        path.display()
    )]
    Questions {
        /// The file.
        path: PathBuf,
        /// How many there are.
        count: usize,
        /// What is asked of the first of them.
        columns: String,
        /// Options that answer all.
        command: String,
    },
    /// An array of a file.
    #[error(transparent)]
    Array(#[from] ArrayError),
    /// A picture could not be decoded.
    #[error("{}: not a readable picture: {reason}; repair it or move it out of the folder", path.display())]
    Picture {
        /// The file.
        path: PathBuf,
        /// The decoder's reason.
        reason: String,
    },
    /// A folder of pictures is laid out in a way that leaves its labels unclear.
    #[error("{}: {reason}", dir.display())]
    Folder {
        /// The folder.
        dir: PathBuf,
        /// What is unclear and what to do.
        reason: String,
    },
    /// NaN or infinity.
    #[error("{place} is {value}: every value must be a finite number")]
    NotFinite {
        /// Where.
        place: Place,
        /// NaN or an infinity.
        value: f32,
    },
    /// A value that the chosen scaling cannot bring into [0, 1].
    #[error("{place} is {value}, expected {expected}{}", if *fitted { "" } else { "; the scaling `minmax` maps any range to [0, 1]" })]
    OutOfRange {
        /// Where.
        place: Place,
        /// The value.
        value: f32,
        /// The range allowed.
        expected: String,
        /// Whether the values must fit other data or their units, so that no other scaling is advised.
        fitted: bool,
    },
    /// Fractions and values above 1: no probabilities, no bytes.
    #[error(
        "{place} is {value}, the largest value {max}, and some values are fractions, so these are neither 0 to 1 \
         nor bytes: mend the value, or say `--scale 255` to divide by 255 or `--scale minmax` to map the range \
         found to 0..1"
    )]
    UnclearRange {
        /// Where the first value above 1 stands.
        place: Place,
        /// That value.
        value: f32,
        /// The largest value.
        max: f32,
    },
    /// Min-max scaling of data without a range.
    #[error("{what}: every value is {value}, so there is no range for the scaling `minmax`")]
    Constant {
        /// The data.
        what: String,
        /// The only value.
        value: f32,
    },
    /// A file that is no table of text.
    #[error("{} is {kind}, no table of text: {hint}", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What it is.
        kind: &'static str,
        /// What to do.
        hint: &'static str,
    },
    /// A zip archive that is not of one file.
    #[error(
        "{} is a zip archive of {files} files{}, expected one: unpack it and name the file to read",
        path.display(),
        if listed.is_empty() { String::new() } else { format!(" ({listed})") }
    )]
    Members {
        /// The archive.
        path: PathBuf,
        /// Files in it.
        files: usize,
        /// What the first of them are called.
        listed: String,
    },
    /// A cell that its column cannot have.
    #[error("{}: {place}: {value:?} is not {expected}", path.display())]
    Cell {
        /// The file.
        path: PathBuf,
        /// The line of the file, or the row, and the column by its name or number.
        place: String,
        /// What stands there.
        value: String,
        /// What the column has.
        expected: String,
    },
    /// A table of another number of columns than a model's data.
    #[error(
        "{}: there are {got} columns, expected {expected} as in the training data{}",
        path.display(),
        if *named { ", which have names: give this file the header of those" } else { "" }
    )]
    Columns {
        /// The file.
        path: PathBuf,
        /// Columns it has.
        got: usize,
        /// Columns the training data had.
        expected: usize,
        /// Whether they had names.
        named: bool,
    },
    /// A schema that says what cannot be.
    #[error("{place}: {reason}")]
    Schema {
        /// The column, or `schema`.
        place: String,
        /// What is wrong with it, and what was expected.
        reason: String,
    },
    /// A table without some columns of a schema.
    #[error("{}: columns that the schema names are missing: {missing}{unknown}", path.display())]
    ColumnsMissing {
        /// The file.
        path: PathBuf,
        /// Those it lacks.
        missing: String,
        /// What it has that the schema does not name.
        unknown: String,
    },
    /// A sample whose class is missing.
    #[error(
        "{}: {place} has no label: give it one, remove the row, or learn without labels, by `--column-types \
         COLUMN=ignored` in place of `--label-column`",
        path.display()
    )]
    NoLabel {
        /// The file.
        path: PathBuf,
        /// The line of the file, or the row, and the column by its name or number.
        place: String,
    },
    /// No samples.
    #[error("{what}: there are no samples")]
    Empty {
        /// The data.
        what: String,
    },
    /// Samples without values.
    #[error("{what}: the samples have no columns")]
    NoColumns {
        /// The data.
        what: String,
    },
    /// Samples with more values than a layer has units.
    #[error("{what}: the samples have {units} columns; a layer has at most {MAX_UNITS} units")]
    TooManyUnits {
        /// The data.
        what: String,
        /// Columns found.
        units: u128,
    },
    /// More samples than 32 bits count.
    #[error("{what}: {samples} samples are more than the 4294967295 that can be numbered")]
    TooManySamples {
        /// The data.
        what: String,
        /// Samples found.
        samples: usize,
    },
    /// Values that do not fill whole samples.
    #[error("{values} values do not make samples of {units} columns")]
    Uneven {
        /// Number of values.
        values: usize,
        /// Columns of a sample.
        units: usize,
    },
    /// Samples and labels differ in number.
    #[error("{what}: {samples} samples but {labels} labels")]
    Counts {
        /// The data.
        what: String,
        /// Number of samples.
        samples: usize,
        /// Number of labels.
        labels: usize,
    },
    /// A label that is no class.
    #[error("{what}: the label of row {row} (from 0) is {label}, expected {expected}")]
    Label {
        /// The data.
        what: String,
        /// The sample.
        row: usize,
        /// Its label as the file has it.
        label: String,
        /// What a label may be.
        expected: String,
    },
    /// A class that the names given do not have.
    #[error("{what}: there is a class {name:?}; the classes are {known}")]
    UnknownClass {
        /// The data.
        what: String,
        /// The class.
        name: String,
        /// The classes there are.
        known: String,
    },
    /// Test samples of another size than the training samples.
    #[error("{what}: the test samples have {test} columns, the training samples {train}")]
    SplitsDiffer {
        /// The data.
        what: String,
        /// Columns of a test sample.
        test: usize,
        /// Columns of a training sample.
        train: usize,
    },
    /// More samples held out than there are, or none.
    #[error("cannot hold out {asked} of {samples} samples: ask for 1 to {}", samples.saturating_sub(1))]
    Holdout {
        /// Validation samples asked for.
        asked: usize,
        /// Samples there are.
        samples: usize,
    },
    /// A data set of the Hub could not be fetched.
    #[error("cannot get the data set from the Hub")]
    Hub(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Data that take more memory than they may.
    #[error("{what}: the data take more than {} MiB of memory, which is all that they may take", most >> 20)]
    Memory {
        /// The data.
        what: String,
        /// Bytes that they may take.
        most: u64,
    },
    /// A file that was written to while its samples were in use.
    #[error("{}: the file was changed while it was in use: samples read before and after differ", path.display())]
    Changed {
        /// The file.
        path: PathBuf,
    },
    /// Balanced batches of data without labels.
    #[error("class-balanced batches need labels, and this data has none")]
    NoLabels,
}

/// How a program gets a feature that this build lacks.
pub(crate) fn with_feature(feature: &str) -> String {
    format!(
        "build it with the feature `{feature}`: a program of yours by features = [\"{feature}\"] in the line of deepbelief \
         in its Cargo.toml, dbn by cargo build --release --features {feature}"
    )
}

impl Error {
    /// Wraps a system error with the path it happened at.
    pub(crate) fn read(path: &Path) -> impl FnOnce(io::Error) -> Self + use<> {
        let path = path.to_path_buf();
        move |source| Self::Read { path, source }
    }
}
