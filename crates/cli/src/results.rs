//! Tables that verbs write: csv, npy, parquet and safetensors files of the same columns.

use crate::commands::write_file;
use crate::failure::{Explain, Result};
use deepbelief_data::{Block, BlockValues, TextForm, parquet_table};
use npyz::WriterBuilder as _;
use safetensors::tensor::{Dtype, TensorView};
use std::borrow::Cow;
use std::fmt::{Display, Write as _};
use std::path::{Path, PathBuf};

/// Endings of the files that a table can be written into.
pub(crate) const FORMATS: [&str; 4] = ["csv", "npy", "parquet", "safetensors"];

/// A table.
#[derive(Debug, Default)]
pub(crate) struct Results {
    /// What the array of the columns is called in a safetensors file.
    pub(crate) name: &'static str,
    pub(crate) columns: Vec<Block>,
    /// What stands behind the columns in a csv or parquet file, and is an array of its own, called so, in others.
    pub(crate) beside: Vec<(&'static str, Block)>,
    /// How a csv file of it is written.
    pub(crate) form: TextForm,
}

impl Results {
    /// Puts columns that say which rows these are before those of a csv or parquet file. One that is called as another
    /// gets an underscore.
    pub(crate) fn with_rows(mut self, rows: Vec<Block>, format: &str) -> Self {
        if !is_named(format) {
            return self;
        }
        for mut block in rows.into_iter().rev() {
            block.names = block.names.iter().map(|name| spare_name(name, &self.blocks())).collect();
            self.columns.insert(0, block);
        }
        self
    }

    /// Number of rows.
    pub(crate) fn rows(&self) -> usize {
        self.blocks().first().map_or(0, |block| block.rows())
    }

    /// Writes the table into a file of the format that its name ends in; the files that there are then.
    pub(crate) fn write(&self, path: &Path, format: &str) -> Result<Vec<PathBuf>> {
        let files = match format {
            "csv" => vec![(path.to_path_buf(), csv(&self.blocks(), self.form).into_bytes())],
            "npy" => self.npy_files(path)?,
            "parquet" => vec![(path.to_path_buf(), parquet_table(&self.blocks())?)],
            _ => vec![(path.to_path_buf(), self.safetensors()?)],
        };
        for (path, bytes) in &files {
            write_file(path, bytes)?;
        }
        Ok(files.into_iter().map(|(path, _)| path).collect())
    }

    fn blocks(&self) -> Vec<&Block> {
        self.columns.iter().chain(self.beside.iter().map(|(_, block)| block)).collect()
    }

    /// All columns as one array of numbers, `[rows, columns]`.
    fn array(&self) -> (Numbers<'_>, [usize; 2]) {
        let width = self.columns.iter().map(|block| block.names.len()).sum();
        let shape = [self.rows(), width];
        if let [Block { values: BlockValues::Floats(values), .. }] = self.columns.as_slice() {
            return (Numbers::Floats(values.into()), shape);
        }
        let doubles = self.columns.iter().any(|block| matches!(block.values, BlockValues::Doubles(_)));
        let values = if doubles {
            Numbers::Doubles(self.gathered(f64::from, |x| x, |x| x as f64).into())
        } else {
            Numbers::Floats(self.gathered(|x| x, |x| x as f32, |x| x as f32).into())
        };
        (values, shape)
    }

    /// All columns row by row: texts by their places.
    fn gathered<T>(&self, of_float: fn(f32) -> T, of_double: fn(f64) -> T, of_whole: fn(i64) -> T) -> Vec<T> {
        let mut values = Vec::new();
        for row in 0..self.rows() {
            for block in &self.columns {
                let at = row * block.names.len()..(row + 1) * block.names.len();
                match &block.values {
                    BlockValues::Floats(floats) => values.extend(floats[at].iter().map(|&x| of_float(x))),
                    BlockValues::Doubles(doubles) => values.extend(doubles[at].iter().map(|&x| of_double(x))),
                    BlockValues::Whole(whole) => values.extend(whole[at].iter().map(|&x| of_whole(x))),
                    BlockValues::Texts { places, .. } => {
                        values.extend(places[at].iter().map(|&place| of_whole(place.into())));
                    }
                }
            }
        }
        values
    }

    fn safetensors(&self) -> Result<Vec<u8>> {
        let (values, shape) = self.array();
        let (dtype, bytes) = values.bytes();
        let mut parts = vec![(self.name, dtype, shape.to_vec(), bytes)];
        for (name, block) in &self.beside {
            let (dtype, bytes) = Numbers::of(block).bytes();
            parts.push((name, dtype, vec![block.rows()], bytes));
        }
        let mut views = Vec::new();
        for (name, dtype, shape, bytes) in &parts {
            views.push((*name, TensorView::new(*dtype, shape.clone(), bytes)?));
        }
        safetensors::serialize(views, None).or_fail(|| "cannot make a safetensors file".into())
    }

    /// One array a file.
    fn npy_files(&self, path: &Path) -> Result<Vec<(PathBuf, Vec<u8>)>> {
        let mut files = Vec::new();
        for (name, block) in &self.beside {
            let file = Numbers::of(block).npy(&[block.rows()])?;
            // `features.npy` and `labels` make `features.labels.npy`.
            files.push((path.with_extension(format!("{name}.npy")), file));
        }
        let (values, shape) = self.array();
        files.push((path.to_path_buf(), values.npy(&shape)?));
        Ok(files)
    }
}

/// Numbers of one type.
#[derive(Debug, PartialEq)]
enum Numbers<'a> {
    Floats(Cow<'a, [f32]>),
    Doubles(Cow<'a, [f64]>),
    Whole(Cow<'a, [i64]>),
}

impl<'a> Numbers<'a> {
    /// A block as numbers: texts by their places.
    fn of(block: &'a Block) -> Self {
        match &block.values {
            BlockValues::Floats(values) => Self::Floats(values.into()),
            BlockValues::Doubles(values) => Self::Doubles(values.into()),
            BlockValues::Whole(values) => Self::Whole(values.into()),
            BlockValues::Texts { places, .. } => Self::Whole(places.iter().map(|&place| place.into()).collect()),
        }
    }

    fn bytes(&self) -> (Dtype, Vec<u8>) {
        match self {
            Self::Floats(values) => (Dtype::F32, bytes(values, f32::to_le_bytes)),
            Self::Doubles(values) => (Dtype::F64, bytes(values, f64::to_le_bytes)),
            Self::Whole(values) => (Dtype::I64, bytes(values, i64::to_le_bytes)),
        }
    }

    fn npy(&self, shape: &[usize]) -> Result<Vec<u8>> {
        match self {
            Self::Floats(values) => npy(shape, values),
            Self::Doubles(values) => npy(shape, values),
            Self::Whole(values) => npy(shape, values),
        }
    }
}

fn bytes<T: Copy, const N: usize>(values: &[T], to_bytes: impl Fn(T) -> [u8; N]) -> Vec<u8> {
    values.iter().flat_map(|&x| to_bytes(x)).collect()
}

fn npy<T: npyz::AutoSerialize + Copy>(shape: &[usize], values: &[T]) -> Result<Vec<u8>> {
    let shape: Vec<u64> = shape.iter().map(|&n| n as u64).collect();
    let mut file = Vec::new();
    let mut writer = npyz::WriteOptions::new().default_dtype().shape(&shape).writer(&mut file).begin_nd()?;
    writer.extend(values.iter().copied())?;
    writer.finish()?;
    Ok(file)
}

/// Whether a file of this format has names of columns and texts.
pub(crate) fn is_named(format: &str) -> bool {
    ["csv", "parquet"].contains(&format)
}

/// The name, with as many underscores behind it as it takes to be no column's.
pub(crate) fn spare_name(name: &str, table: &[&Block]) -> String {
    let mut spare = name.to_string();
    while table.iter().flat_map(|block| &block.names).any(|name| *name == spare) {
        spare.push('_');
    }
    spare
}

/// A cell of a block of one column as text; nothing where there is no number.
pub(crate) fn cell_text(block: &Block, row: usize) -> String {
    match &block.values {
        BlockValues::Floats(values) if values[row].is_nan() => String::new(),
        BlockValues::Floats(values) => values[row].to_string(),
        BlockValues::Doubles(values) if values[row].is_nan() => String::new(),
        BlockValues::Doubles(values) => values[row].to_string(),
        BlockValues::Whole(values) => values[row].to_string(),
        BlockValues::Texts { texts, places } => texts[places[row] as usize].clone(),
    }
}

/// Cells of a file whose decimal marks are those of `from`, with those of `to`.
pub(crate) fn respelled(columns: Vec<Block>, from: TextForm, to: TextForm) -> Vec<Block> {
    if from.decimal_comma == to.decimal_comma {
        return columns;
    }
    let spelled = |text: &String| to.with_mark(&from.with_point(text)).into_owned();
    let values = |values| match values {
        BlockValues::Texts { texts, places } => {
            BlockValues::Texts { texts: texts.iter().map(spelled).collect(), places }
        }
        values => values,
    };
    columns.into_iter().map(|Block { names, values: all }| Block { names, values: values(all) }).collect()
}

/// A line of names, then a line a row. Numbers keep every digit; where there is none the field is empty. Texts stand as
/// they are. A table of one column has decimal points: in a file without separators a comma would be taken for one.
pub(crate) fn csv(blocks: &[&Block], form: TextForm) -> String {
    let columns: usize = blocks.iter().map(|block| block.names.len()).sum();
    let form = if columns > 1 { form } else { TextForm::default() };
    let separator = form.separator.to_string();
    let names = blocks.iter().flat_map(|block| &block.names).map(|name| quoted(name, form));
    let mut text = names.collect::<Vec<_>>().join(&separator) + "\n";
    for row in 0..blocks.first().map_or(0, |block| block.rows()) {
        let mut before = "";
        for block in blocks {
            for at in row * block.names.len()..(row + 1) * block.names.len() {
                text += before;
                match &block.values {
                    BlockValues::Floats(values) if !values[at].is_nan() => put_number(&mut text, values[at], form),
                    BlockValues::Doubles(values) if !values[at].is_nan() => put_number(&mut text, values[at], form),
                    BlockValues::Floats(_) | BlockValues::Doubles(_) => {}
                    BlockValues::Whole(values) => put_number(&mut text, values[at], form),
                    BlockValues::Texts { texts, places } => text += &quoted(&texts[places[at] as usize], form),
                }
                before = &separator;
            }
        }
        text.push('\n');
    }
    text
}

/// Appends a number, with the decimal mark of the form.
fn put_number(text: &mut String, x: impl Display, form: TextForm) {
    let start = text.len();
    let _ = write!(text, "{x}");
    if form.decimal_comma && text[start..].contains('.') {
        let field = text.split_off(start);
        *text += &quoted(&field.replacen('.', ",", 1), form);
    }
}

/// A text as a field.
fn quoted(text: &str, form: TextForm) -> Cow<'_, str> {
    if text.contains([form.separator, '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\"")).into()
    } else {
        text.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use deepbelief_data::{LoadOptions, Original, Source};

    fn column(name: &str, values: BlockValues) -> Block {
        Block::column(name, values)
    }

    fn features() -> Results {
        let names = ["h0", "h1", "h2"].map(String::from).to_vec();
        Results {
            name: "features",
            columns: vec![Block { names, values: BlockValues::Floats(vec![0.5, 0.25, 1.0, 0.0, 0.125, 1e-7]) }],
            beside: vec![
                ("free_energy", column("free_energy", BlockValues::Floats(vec![-1.5, 2.0]))),
                ("labels", column("label", BlockValues::Whole(vec![7, 0]))),
            ],
            ..Results::default()
        }
    }

    /// Columns of every kind.
    fn people() -> Results {
        let texts = ["a,b", "say \"no\"", "AB"].map(String::from).to_vec();
        Results {
            name: "values",
            columns: vec![
                column("age", BlockValues::Floats(vec![21.0, 33.5])),
                column("blood", BlockValues::Texts { texts, places: vec![1, 2] }),
                column("number, of", BlockValues::Whole(vec![4, -1])),
            ],
            ..Results::default()
        }
    }

    #[test]
    fn csv_is_one_line_a_row_and_keeps_every_digit() {
        let text = csv(&features().blocks(), TextForm::default());
        assert_eq!(text, "h0,h1,h2,free_energy,label\n0.5,0.25,1,-1.5,7\n0,0.125,0.0000001,2,0\n");
        let text = csv(&people().blocks(), TextForm::default());
        assert_eq!(text, "age,blood,\"number, of\"\n21,\"say \"\"no\"\"\",4\n33.5,AB,-1\n");
    }

    /// What is written in the form of a file is read by its form.
    #[test]
    fn csv_is_written_as_the_data_are() {
        let german = "semicolon comma".parse().unwrap();
        let text = csv(&people().blocks(), german);
        assert_eq!(text, "age;blood;number, of\n21;\"say \"\"no\"\"\";4\n33,5;AB;-1\n");
        let quoted = csv(&people().blocks(), "comma comma".parse().unwrap());
        assert!(quoted.ends_with("\n\"33,5\",AB,-1\n"), "{quoted}");
        let one = [&column("x", BlockValues::Floats(vec![0.5]))];
        assert_eq!(csv(&one, german), "x\n0.5\n");
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.csv");
        for form in ["semicolon comma", "tab comma", "comma point", "bar comma", "comma comma", "semicolon point"] {
            let form: TextForm = form.parse().unwrap();
            std::fs::write(&path, csv(&features().blocks(), form)).unwrap();
            let data = deepbelief_data::load(&Source::Csv(path.clone()), &LoadOptions::default()).unwrap();
            assert_eq!(data.form, form);
            let original = Original::read(&Source::Csv(path.clone()), &LoadOptions::default(), false).unwrap();
            let BlockValues::Texts { texts, places } = &original.columns[2].values else { panic!() };
            let back: Vec<f32> =
                places.iter().map(|&at| form.with_point(&texts[at as usize]).parse().unwrap()).collect();
            assert_eq!(back, [1.0, 1e-7], "{form}");
        }
    }

    #[test]
    fn npy_files_are_read_back() {
        let files = features().npy_files(Path::new("a/f.npy")).unwrap();
        let read = |name: &str| {
            let (_, bytes) = files.iter().find(|(path, _)| path == Path::new(name)).unwrap();
            npyz::NpyFile::new(&bytes[..]).unwrap()
        };
        let npy = read("a/f.npy");
        assert_eq!(npy.shape(), [2, 3]);
        assert_eq!(npy.into_vec::<f32>().unwrap(), [0.5, 0.25, 1.0, 0.0, 0.125, 1e-7]);
        assert_eq!(read("a/f.labels.npy").into_vec::<i64>().unwrap(), [7, 0]);
        assert_eq!(read("a/f.free_energy.npy").into_vec::<f32>().unwrap(), [-1.5, 2.0]);
        let floats = vec![21.0, 1.0, 4.0, 33.5, 2.0, -1.0];
        assert_eq!(people().array(), (Numbers::Floats(floats.into()), [2, 3]), "texts by their places");
        let mut far = people();
        far.columns[0].values = BlockValues::Doubles(vec![1.7e9 + 0.25, 1.7e9 + 0.5]);
        let doubles = vec![1.7e9 + 0.25, 1.0, 4.0, 1.7e9 + 0.5, 2.0, -1.0];
        assert_eq!(far.array().0, Numbers::Doubles(doubles.into()));
        assert!(csv(&far.blocks(), TextForm::default()).contains("\n1700000000.25,"));
    }

    #[test]
    fn safetensors_files_hold_the_three_tensors() {
        let bytes = features().safetensors().unwrap();
        let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
        assert_eq!(file.tensor("features").unwrap().shape(), [2, 3]);
        assert_eq!(file.tensor("labels").unwrap().data()[..8], 7i64.to_le_bytes());
        assert_eq!(file.tensor("free_energy").unwrap().data()[..4], (-1.5f32).to_le_bytes());
    }
}
