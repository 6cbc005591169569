//! Parquet: a column of pictures or of lists of numbers, or a column a number, and perhaps one of
//! labels. Read column by column, a row group at a time; sizes follow from what is read, never
//! from what a header promises.

use std::fs::File;
use std::path::{Path, PathBuf};

use parquet::basic::{ConvertedType, LogicalType, Type as Physical};
use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::DataType;
use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, RowGroupReader, SerializedFileReader};
use parquet::schema::types::ColumnDescriptor;

use crate::dataset::ImageShape;
use crate::load::LoadOptions;
use crate::split::check_units;
use crate::table::{Table, Tables, Values};
use crate::{Error, images, labels};

/// What columns of samples are called where nobody says.
const FEATURES: [&str; 7] = ["image", "img", "picture", "pixels", "features", "data", "x"];
/// What columns of labels are called.
const LABELS: [&str; 6] = ["label", "labels", "class", "target", "digit", "y"];
/// Records read at once.
const CHUNK: usize = 1024;

/// Reads the files of a data set: those of the training samples and those of the test samples,
/// which may be none.
pub(crate) fn read(train: &[PathBuf], test: &[PathBuf], options: &LoadOptions) -> Result<Tables, Error> {
    let Some(first) = train.first() else { return Err(Error::Empty { what: "the training samples".into() }) };
    let plan = Plan::of(&Parquet::open(first)?, options)?;
    let size = options.image_size;
    let mut splits = Vec::new();
    for paths in [train, test] {
        let mut split = Samples { units: plan.units(size), ..Samples::default() };
        for path in paths {
            split.append(&Parquet::open(path)?, &plan, size)?;
        }
        splits.push(split);
    }
    let texts: Vec<String> = splits.iter().flat_map(|split| split.labels.iter().cloned()).collect();
    let what = first.display().to_string();
    let (mut numbers, class_names) = match (&plan.label, &plan.class_names) {
        (None, _) => (Vec::new(), None),
        (Some(_), Some(names)) => {
            let numbers: Vec<f64> = texts.iter().map(|text| text.parse().unwrap_or(f64::NAN)).collect();
            (labels::from_numbers(&what, &numbers)?, Some(names.clone()))
        }
        (Some(_), None) => labels::from_text(&what, &texts, options.class_names.is_some())?,
    };
    let mut table = |split: Samples, path: &Path| {
        let rest = numbers.split_off(split.labels.len().min(numbers.len()));
        let own = std::mem::replace(&mut numbers, rest);
        let values = if plan.is_pictures() { Values::Bytes(split.bytes) } else { Values::Floats(split.floats) };
        let mut table = Table::new(path.display().to_string(), split.units, values);
        table.labels = plan.label.as_ref().map(|_| own);
        table
    };
    let mut splits = splits.into_iter();
    let (train, of_test) = (splits.next().unwrap_or_default(), splits.next().unwrap_or_default());
    Ok(Tables {
        train: table(train, first),
        test: test.first().map(|path| table(of_test, path)),
        image: plan.is_pictures().then_some(size),
        class_names,
    })
}

/// An open file.
struct Parquet {
    path: PathBuf,
    reader: SerializedFileReader<File>,
    /// By their names, in the order of the file.
    columns: Vec<(String, Column)>,
}

/// What a column holds, and the leaf of the schema that it is in.
#[derive(Clone, Debug, PartialEq)]
enum Column {
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
    fn what(&self) -> &'static str {
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
                _ if leaf.converted_type() == ConvertedType::DECIMAL => Self::Other,
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

impl Parquet {
    fn open(path: &Path) -> Result<Self, Error> {
        let file = File::open(path).map_err(Error::read(path))?;
        let reader = SerializedFileReader::new(file).map_err(|error| broken(path, &error))?;
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
        Ok(Self { path: path.into(), reader, columns })
    }

    fn get(&self, name: &str) -> Result<&Column, Error> {
        let found = self.columns.iter().find(|(column, _)| column == name);
        found.map(|(_, column)| column).ok_or_else(|| self.no_column(name))
    }

    fn no_column(&self, name: &str) -> Error {
        let all: Vec<String> =
            self.columns.iter().take(12).map(|(name, column)| format!("{name} ({})", column.what())).collect();
        let more = if self.columns.len() > 12 { ", ..." } else { "" };
        self.refuse(name, format!("there is no such column; there are {}{more}", all.join(", ")))
    }

    fn refuse(&self, column: &str, reason: String) -> Error {
        Error::Column { path: self.path.clone(), column: column.into(), reason }
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
struct Plan {
    /// One of pictures or lists, or all those of numbers.
    features: Vec<(String, Column)>,
    label: Option<String>,
    class_names: Option<Vec<String>>,
}

impl Plan {
    fn of(file: &Parquet, options: &LoadOptions) -> Result<Self, Error> {
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
        let whole = |column: &Column| matches!(column, Column::Pictures(_) | Column::Numbers(_));
        let features = match options.feature_column.as_deref() {
            Some(wanted) => vec![(wanted.to_string(), file.get(wanted)?.clone())],
            None => match named(&FEATURES).filter(|(_, column)| whole(column)) {
                Some(found) => vec![found.clone()],
                // No name that is known: the only column that holds whole samples, or all numbers.
                None => match file.columns.iter().filter(|(_, column)| whole(column)).collect::<Vec<_>>()[..] {
                    [only] => vec![only.clone()],
                    _ => {
                        let number = |(name, column): &&(String, Column)| {
                            matches!(column, Column::Number(_)) && Some(name) != label.as_ref()
                        };
                        file.columns.iter().filter(number).cloned().collect()
                    }
                },
            },
        };
        match &features[..] {
            [] => return Err(file.refuse("", "no column holds samples: pictures or numbers".into())),
            [(name, column @ (Column::Text(_) | Column::Other))] => {
                return Err(file.refuse(name, format!("it holds {}, expected pictures or numbers", column.what())));
            }
            _ => {}
        }
        check_units(features.len() as u128, &file.path.display().to_string())?;
        let class_names = label.as_ref().and_then(|label| file.class_names(label));
        let plan = Self { features, label, class_names };
        if options.feature_column.is_none() || options.label_column.is_none() {
            tracing::info!("{}: {}", file.path.display(), plan.describe());
        }
        Ok(plan)
    }

    fn describe(&self) -> String {
        let samples = match &self.features[..] {
            [(name, column)] => format!("samples are the {} of column {name}", column.what()),
            all => format!("samples are the {} columns of numbers", all.len()),
        };
        match &self.label {
            Some(label) => format!("{samples}, labels those of column {label}"),
            None => format!("{samples}; no labels"),
        }
    }

    fn is_pictures(&self) -> bool {
        matches!(self.features[..], [(_, Column::Pictures(_))])
    }

    /// Values of a sample, as far as the columns alone tell; lists tell when they are read.
    fn units(&self, size: ImageShape) -> usize {
        match &self.features[..] {
            [(_, Column::Pictures(_))] => size.width * size.height,
            [(_, Column::Numbers(_))] => 0,
            all => all.len(),
        }
    }
}

/// Samples of one split, as they are read.
#[derive(Default)]
struct Samples {
    units: usize,
    rows: usize,
    bytes: Vec<u8>,
    floats: Vec<f32>,
    labels: Vec<String>,
}

impl Samples {
    fn append(&mut self, file: &Parquet, plan: &Plan, size: ImageShape) -> Result<(), Error> {
        let mut row = 0;
        for group in 0..file.reader.num_row_groups() {
            let group = file.reader.get_row_group(group).map_err(|error| broken(&file.path, &error))?;
            let group = Group { file, reader: &*group, row };
            let rows = match &plan.features[..] {
                [(name, Column::Pictures(_))] => self.pictures(&group, name, size)?,
                [(name, Column::Numbers(_))] => self.lists(&group, name)?,
                columns => self.numbers(&group, columns)?,
            };
            if let Some(label) = &plan.label {
                let found = group.labels(label)?;
                if found.len() != rows {
                    let what = file.path.display().to_string();
                    return Err(Error::Counts { what, samples: rows, labels: found.len() });
                }
                self.labels.extend(found);
            }
            row += rows;
        }
        self.rows += row;
        Ok(())
    }

    fn pictures(&mut self, group: &Group<'_>, name: &str, size: ImageShape) -> Result<usize, Error> {
        let pictures = group.bytes(name)?;
        for (row, picture) in pictures.iter().enumerate() {
            images::decode(picture, size, &mut self.bytes)
                .map_err(|reason| group.refuse(name, row, &format!("is no readable picture: {reason}")))?;
        }
        Ok(pictures.len())
    }

    fn lists(&mut self, group: &Group<'_>, name: &str) -> Result<usize, Error> {
        let lists = group.values(name)?;
        for (row, &length) in lists.lengths.iter().enumerate() {
            if self.units == 0 {
                check_units(length as u128, &group.file.path.display().to_string())?;
                self.units = length;
            }
            if length != self.units {
                let reason = format!("has {length} numbers, expected {} as in the first row", self.units);
                return Err(group.refuse(name, row, &reason));
            }
        }
        self.floats.extend(lists.values.iter().map(|&x| x as f32));
        Ok(lists.lengths.len())
    }

    fn numbers(&mut self, group: &Group<'_>, columns: &[(String, Column)]) -> Result<usize, Error> {
        let start = self.floats.len();
        let mut rows = 0;
        for (place, (name, _)) in columns.iter().enumerate() {
            let column = group.values(name)?.values;
            if place == 0 {
                rows = column.len();
                self.floats.resize(start + rows * columns.len(), 0.0);
            }
            if column.len() != rows {
                let reason = format!("it has {} rows, expected {rows} as the first column has", column.len());
                return Err(group.file.refuse(name, reason));
            }
            for (row, value) in column.into_iter().enumerate() {
                self.floats[start + row * columns.len() + place] = value as f32;
            }
        }
        Ok(rows)
    }
}

/// A row group, and the number of its first row in the file.
struct Group<'a> {
    file: &'a Parquet,
    reader: &'a dyn RowGroupReader,
    row: usize,
}

/// Values of a column, and how many of them each row has.
struct Leaf<T> {
    values: Vec<T>,
    lengths: Vec<usize>,
}

impl Group<'_> {
    fn refuse(&self, column: &str, row: usize, reason: &str) -> Error {
        self.file.refuse(column, format!("row {} (from 0) {reason}", self.row + row))
    }

    /// Numbers of a column, one or more a row.
    fn values(&self, name: &str) -> Result<Leaf<f64>, Error> {
        let column = self.file.get(name)?;
        let (Column::Number(leaf) | Column::Numbers(leaf)) = column else {
            return Err(self.file.refuse(name, format!("it holds {}, expected numbers", column.what())));
        };
        match self.column(*leaf)? {
            ColumnReader::BoolColumnReader(reader) => self.drain(name, *leaf, reader, |x| f64::from(u8::from(x))),
            ColumnReader::Int32ColumnReader(reader) => self.drain(name, *leaf, reader, f64::from),
            ColumnReader::Int64ColumnReader(reader) => self.drain(name, *leaf, reader, |x| x as f64),
            ColumnReader::FloatColumnReader(reader) => self.drain(name, *leaf, reader, f64::from),
            ColumnReader::DoubleColumnReader(reader) => self.drain(name, *leaf, reader, |x| x),
            _ => Err(self.file.refuse(name, "its type has changed on the way".into())),
        }
    }

    /// Byte strings of a column, one a row.
    fn bytes(&self, name: &str) -> Result<Vec<Vec<u8>>, Error> {
        let column = self.file.get(name)?;
        let (Column::Pictures(leaf) | Column::Text(leaf)) = column else {
            return Err(self.file.refuse(name, format!("it holds {}, expected pictures or text", column.what())));
        };
        match self.column(*leaf)? {
            ColumnReader::ByteArrayColumnReader(reader) => {
                Ok(self.drain(name, *leaf, reader, |bytes| bytes.data().to_vec())?.values)
            }
            _ => Err(self.file.refuse(name, "its type has changed on the way".into())),
        }
    }

    fn labels(&self, name: &str) -> Result<Vec<String>, Error> {
        if let Column::Text(_) = self.file.get(name)? {
            let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
            return Ok(self.bytes(name)?.into_iter().map(text).collect());
        }
        Ok(self.values(name)?.values.iter().map(ToString::to_string).collect())
    }

    fn column(&self, leaf: usize) -> Result<ColumnReader, Error> {
        self.reader.get_column_reader(leaf).map_err(|error| broken(&self.file.path, &error))
    }

    /// Reads a column to its end. No value may be missing.
    fn drain<D: DataType, X>(
        &self,
        name: &str,
        leaf: usize,
        mut reader: ColumnReaderImpl<D>,
        convert: impl Fn(D::T) -> X,
    ) -> Result<Leaf<X>, Error> {
        let schema = self.file.reader.metadata().file_metadata().schema_descr_ptr();
        let descriptor = schema.column(leaf);
        let mut all = Leaf { values: Vec::new(), lengths: Vec::new() };
        loop {
            let (mut definitions, mut repetitions, mut values) = (Vec::new(), Vec::new(), Vec::new());
            let read = reader.read_records(CHUNK, Some(&mut definitions), Some(&mut repetitions), &mut values);
            let (records, _, levels) = read.map_err(|error| broken(&self.file.path, &error))?;
            if records == 0 && levels == 0 {
                return Ok(all);
            }
            let full = descriptor.max_def_level();
            let missing = definitions.iter().position(|&level| level < full);
            if let Some(at) = missing {
                let starts = repetitions.iter().take(at + 1).filter(|&&level| level == 0).count();
                let row = all.lengths.len() + if descriptor.max_rep_level() == 0 { at } else { starts.max(1) - 1 };
                return Err(self.refuse(name, row, "is empty: fill in missing values or leave the row out"));
            }
            if descriptor.max_rep_level() == 0 {
                all.lengths.extend(std::iter::repeat_n(1, values.len()));
            } else {
                for level in repetitions {
                    match all.lengths.last_mut().filter(|_| level > 0) {
                        Some(length) => *length += 1,
                        None => all.lengths.push(1),
                    }
                }
            }
            all.values.extend(values.into_iter().map(&convert));
        }
    }
}

fn broken(path: &Path, error: &ParquetError) -> Error {
    Error::Broken { what: path.display().to_string(), format: "Parquet", reason: error.to_string() }
}
