//! Which columns a file has, and which of them are read.

use std::fs::File;
use std::path::{Path, PathBuf};

use parquet::basic::{ConvertedType, LogicalType, Type as Physical};
use parquet::errors::ParquetError;
use parquet::file::metadata::RowGroupMetaData;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::schema::types::ColumnDescriptor;

use crate::error::Error;
use crate::memory::room::Room;
use crate::memory::unpack::Allowance;
use crate::schema::options::LoadOptions;
use crate::tables::table::check_units;

/// What columns of samples are called where nobody says.
const FEATURES: [&str; 7] = ["image", "img", "picture", "pixels", "features", "data", "x"];
/// What columns of labels are called.
const LABELS: [&str; 6] = ["label", "labels", "class", "target", "digit", "y"];
/// An open file.
pub(super) struct Parquet {
    pub(super) path: PathBuf,
    pub(super) reader: SerializedFileReader<File>,
    /// The same file, for its pages.
    pub(super) pages: File,
    /// What may be unpacked of it.
    pub(super) allowed: Allowance,
    /// By their names, in the order of the file.
    columns: Vec<(String, Column)>,
}

/// What a column holds, and the leaf of the schema that it is in.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Column {
    /// Encoded pictures.
    Pictures(usize),
    /// A number a row.
    Number(usize),
    /// A list of numbers a row, perhaps nested.
    Numbers(usize),
    /// Words.
    Text(usize),
    /// Nothing that is used here.
    Other,
}

impl Column {
    pub(super) fn what(&self) -> &'static str {
        match self {
            Self::Pictures(_) => "pictures",
            Self::Number(_) => "numbers",
            Self::Numbers(_) => "lists of numbers",
            Self::Text(_) => "text",
            Self::Other => "something else",
        }
    }

    fn of(name: &str, leaves: &[(usize, &ColumnDescriptor)]) -> Self {
        let text = |leaf: &ColumnDescriptor| {
            leaf.converted_type() == ConvertedType::UTF8 || leaf.logical_type_ref() == Some(&LogicalType::String)
        };
        match leaves {
            [(at, leaf)] => match leaf.physical_type() {
                Physical::BYTE_ARRAY if leaf.max_rep_level() > 0 => Self::Other,
                Physical::BYTE_ARRAY if text(leaf) => Self::Text(*at),
                Physical::BYTE_ARRAY => Self::Pictures(*at),
                _ if !is_number(leaf) => Self::Other,
                Physical::BOOLEAN | Physical::INT32 | Physical::INT64 | Physical::FLOAT | Physical::DOUBLE => {
                    if leaf.max_rep_level() == 0 { Self::Number(*at) } else { Self::Numbers(*at) }
                }
                _ => Self::Other,
            },
            // The Hub's pictures: their bytes, and the path that they had.
            leaves => {
                let bytes = |leaf: &ColumnDescriptor| {
                    leaf.physical_type() == Physical::BYTE_ARRAY
                        && leaf.max_rep_level() == 0
                        && matches!(leaf.path().parts(), [column, part] if column == name && part == "bytes")
                };
                leaves.iter().find(|(_, leaf)| bytes(leaf)).map_or(Self::Other, |(at, _)| Self::Pictures(*at))
            }
        }
    }
}

/// Whether what a leaf's numbers stand for is numbers too, and no dates, times or decimal digits.
fn is_number(leaf: &ColumnDescriptor) -> bool {
    use LogicalType::{Date, Decimal, Time, Timestamp};
    let stands_for = leaf.logical_type_ref();
    let by_converted = [
        ConvertedType::DECIMAL,
        ConvertedType::DATE,
        ConvertedType::TIME_MILLIS,
        ConvertedType::TIME_MICROS,
        ConvertedType::TIMESTAMP_MILLIS,
        ConvertedType::TIMESTAMP_MICROS,
    ];
    !matches!(stands_for, Some(Date | Decimal { .. } | Time { .. } | Timestamp { .. }))
        && !by_converted.contains(&leaf.converted_type())
}

impl Parquet {
    /// Opens a file of which no more is unpacked than there is room for.
    pub(super) fn open(path: &Path, room: Room) -> Result<Self, Error> {
        let file = File::open(path).map_err(Error::read(path))?;
        let allowed = Allowance::of(file.metadata().map_err(Error::read(path))?.len()).at_most(room.most());
        let pages = file.try_clone().map_err(Error::read(path))?;
        let reader = SerializedFileReader::new(file).map_err(|error| broken(path, &error))?;
        // What the library asserts of a file that it has opened.
        for column in reader.metadata().row_groups().iter().flat_map(RowGroupMetaData::columns) {
            let numbers = [column.data_page_offset(), column.compressed_size(), column.num_values()];
            if numbers.into_iter().chain(column.dictionary_page_offset()).any(|number| number < 0) {
                let (what, reason) = (path.display().to_string(), "a column starts nowhere in the file".into());
                return Err(Error::Broken { what, format: "Parquet", reason });
            }
        }
        let schema = reader.metadata().file_metadata().schema_descr();
        let mut columns: Vec<(String, Vec<(usize, &ColumnDescriptor)>)> = Vec::new();
        for (at, leaf) in schema.columns().iter().enumerate() {
            let name = leaf.path().parts().first().cloned().unwrap_or_default();
            match columns.last_mut().filter(|(last, _)| *last == name) {
                Some((_, leaves)) => leaves.push((at, leaf)),
                None => columns.push((name, vec![(at, leaf)])),
            }
        }
        let column = |(name, leaves): (String, Vec<_>)| {
            let column = Column::of(&name, &leaves);
            (name, column)
        };
        let columns = columns.into_iter().map(column).collect();
        Ok(Self { path: path.into(), reader, pages, allowed, columns })
    }

    pub(super) fn get(&self, name: &str) -> Result<&Column, Error> {
        let found = self.columns.iter().find(|(column, _)| column == name);
        found.map(|(_, column)| column).ok_or_else(|| self.no_column(name))
    }

    fn no_column(&self, name: &str) -> Error {
        let all: Vec<String> =
            self.columns.iter().take(12).map(|(name, column)| format!("{name} ({})", column.what())).collect();
        let more = if self.columns.len() > 12 { ", ..." } else { "" };
        self.refuse(name, format!("there is no such column; there are {}{more}", all.join(", ")))
    }

    pub(super) fn refuse(&self, column: &str, reason: String) -> Error {
        Error::Column { path: self.path.clone(), column: format!("{column:?}"), reason }
    }

    /// What the classes of a column are called, where the Hub's data library has noted it.
    fn class_names(&self, column: &str) -> Option<Vec<String>> {
        let notes = self.reader.metadata().file_metadata().key_value_metadata()?;
        let note = notes.iter().find(|note| note.key == "huggingface")?.value.as_ref()?;
        let note: serde_json::Value = serde_json::from_str(note).ok()?;
        serde_json::from_value(note.get("info")?.get("features")?.get(column)?.get("names")?.clone()).ok()
    }
}

/// Which columns are read.
pub(super) struct Plan {
    /// One of pictures or lists, or all those of a table, the labels' included.
    pub(super) features: Vec<(String, Column)>,
    /// Columns of a table that are not used.
    pub(super) left_out: Vec<String>,
    pub(super) label: Option<String>,
    pub(super) class_names: Option<Vec<String>>,
}

impl Plan {
    pub(super) fn of(file: &Parquet, options: &LoadOptions) -> Result<Self, Error> {
        let named = |known: &[&str]| {
            known.iter().find_map(|known| file.columns.iter().find(|(name, _)| name.eq_ignore_ascii_case(known)))
        };
        let is_label = |column: &Column| matches!(column, Column::Number(_) | Column::Text(_));
        let label = match options.label_column.as_deref() {
            None => named(&LABELS).filter(|(_, column)| is_label(column)).cloned(),
            Some(wanted) => {
                let by_name = file.columns.iter().find(|(name, _)| name == wanted);
                let place = match wanted {
                    "first" => Some(0),
                    "last" => Some(file.columns.len().saturating_sub(1)),
                    other => other.parse().ok(),
                };
                let column = by_name.or_else(|| file.columns.get(place?)).ok_or_else(|| file.no_column(wanted))?;
                if !is_label(&column.1) {
                    let reason = format!("it holds {}, expected labels: numbers or text", column.1.what());
                    return Err(file.refuse(&column.0, reason));
                }
                Some(column.clone())
            }
        };
        let label = label.map(|(name, _)| name);
        let features = match options.feature_column.as_deref() {
            Some(wanted) => vec![(wanted.to_string(), file.get(wanted)?.clone())],
            None => guess(file),
        };
        match &features[..] {
            [] => {
                let columns: Vec<String> =
                    file.columns.iter().take(12).map(|(name, column)| format!("{name} ({})", column.what())).collect();
                let reason = format!("expected samples, pictures or numbers; there are {}", columns.join(", "));
                return Err(file.refuse("of any name", reason));
            }
            [(name, column @ (Column::Text(_) | Column::Other))] if options.feature_column.is_some() => {
                return Err(file.refuse(name, format!("it holds {}, expected pictures or numbers", column.what())));
            }
            _ => {}
        }
        let class_names = label.as_ref().and_then(|label| file.class_names(label));
        let mut plan = Self { features, left_out: Vec::new(), label, class_names };
        if plan.is_flat() {
            plan.complete(file, options.feature_column.is_some())?;
        }
        if options.feature_column.is_none() || options.label_column.is_none() {
            tracing::info!("{}: {}", file.path.display(), plan.describe());
        }
        Ok(plan)
    }

    /// Whether it is a table of numbers and texts.
    pub(super) fn is_flat(&self) -> bool {
        !matches!(self.features[..], [(_, Column::Pictures(_) | Column::Numbers(_))])
    }

    /// Adds the labels to the columns of a table, in their place, and tells what is left out.
    fn complete(&mut self, file: &Parquet, chosen: bool) -> Result<(), Error> {
        let features = std::mem::take(&mut self.features);
        let is = |name: &String| Some(name) == self.label.as_ref() || features.iter().any(|(other, _)| other == name);
        self.features = file.columns.iter().filter(|(name, _)| is(name)).cloned().collect();
        if !chosen {
            let rest = file.columns.iter().map(|(name, _)| name).filter(|name| !is(name) && !counts_rows(name));
            self.left_out = rest.cloned().collect();
        }
        let learned = self.features.len() - usize::from(self.label.is_some());
        check_units(learned as u128, &file.path.display().to_string())
    }

    fn describe(&self) -> String {
        let samples = match &self.features[..] {
            [(name, column)] => format!("samples are the {} of column {name}", column.what()),
            all => {
                let names: Vec<&str> = all.iter().map(|(name, _)| name.as_str()).collect();
                let (first, more) = (&names[..names.len().min(8)], if names.len() > 8 { ", ..." } else { "" });
                format!("samples are the rows of the columns {}{more}", first.join(", "))
            }
        };
        match &self.label {
            Some(label) => format!("{samples}, labels those of column {label}"),
            None => format!("{samples}; no labels"),
        }
    }

    pub(super) fn is_pictures(&self) -> bool {
        matches!(self.features[..], [(_, Column::Pictures(_))])
    }
}

/// The columns of samples where nobody says: one that is called so, or the only one that holds
/// whole samples, or else all numbers and texts.
fn guess(file: &Parquet) -> Vec<(String, Column)> {
    let whole = |column: &Column| matches!(column, Column::Pictures(_) | Column::Numbers(_));
    let wholes: Vec<&(String, Column)> = file.columns.iter().filter(|(_, column)| whole(column)).collect();
    let called = |known: &&str| wholes.iter().find(|(name, _)| name.eq_ignore_ascii_case(known));
    if let Some(found) = FEATURES.iter().find_map(called).or(wholes.first().filter(|_| wholes.len() == 1)) {
        return vec![(*found).clone()];
    }
    let cells = |(name, column): &&(String, Column)| {
        matches!(column, Column::Number(_) | Column::Text(_)) && !counts_rows(name)
    };
    file.columns.iter().filter(cells).cloned().collect()
}

/// Whether a column is that of the numbers of rows, which pandas writes.
fn counts_rows(name: &str) -> bool {
    name.starts_with("__index_level_")
}

pub(super) fn broken(path: &Path, error: &ParquetError) -> Error {
    Error::Broken { what: path.display().to_string(), format: "Parquet", reason: error.to_string() }
}
