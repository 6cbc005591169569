//! What says which samples the rows of a table of results are: the lines of the file, what the samples are called, and
//! the columns that the model ignores.

use crate::args::{DataArgs, SplitName};
use crate::failure::Result;
use crate::model::trained::Trained;
use crate::results::{is_named, respelled};
use deepbelief_data::{Block, BlockValues, ColumnKind, Original, Schema, Split, TextForm};
use std::collections::HashMap;
use std::path::Path;

/// The number of each sample: the `line` of a file that has lines, from 1, else the `row`, from 0.
pub(crate) fn numbered(samples: &Split) -> Block {
    let lines: Option<Vec<i64>> = (0..samples.samples()).map(|sample| samples.line(sample).map(i64::from)).collect();
    if let Some(lines) = lines {
        return Block::column("line", BlockValues::Whole(lines));
    }
    let rows = (0..samples.samples()).map(|sample| samples.row_number(sample) as i64);
    Block::column("row", BlockValues::Whole(rows.collect()))
}

/// What the samples are called, where the data say so.
pub(crate) fn names(samples: &Split) -> Option<Block> {
    let names: Option<Vec<String>> =
        (0..samples.samples()).map(|sample| samples.name(sample).map(str::to_string)).collect();
    names.map(|names| Block::column("name", BlockValues::of_texts(names)))
}

/// What the samples are called, where the data say so, then the columns that the model at `path` ignores, for a file of
/// this format, and of this form if it is a .csv file. The samples are those of `part` of the data that `args` name, or the first of them.
pub(crate) fn columns_beside(
    model: &impl Trained,
    path: &Path,
    args: &DataArgs,
    (samples, part): (&Split, SplitName),
    (format, form): (&str, TextForm),
) -> Result<Vec<Block>> {
    if !is_named(format) {
        return Ok(Vec::new());
    }
    let mut columns: Vec<Block> = names(samples).into_iter().collect();
    let (source, options) = model.reading(path, args)?;
    let Some(schema) = options.schema.clone().filter(has_ignored) else { return Ok(columns) };
    let original = Original::read(&source, &options, part == SplitName::Test)?;
    let rows = rows_of(samples, original.lines.as_deref());
    // A file without names has its columns where the schema has them.
    let has_names =
        original.columns.iter().any(|block| schema.each().any(|(name, _)| name == Some(block.names[0].as_str())));
    let is_whole = original.columns.len() == schema.each().count();
    let kind_of = |place: usize, name: &str| {
        let meant = |&(at, (known, _)): &(usize, (Option<&str>, &ColumnKind))| {
            if has_names { known == Some(name) } else { is_whole && at == place }
        };
        schema.each().enumerate().find(meant).map(|(_, (_, kind))| kind.clone())
    };
    let ignored = original.columns.iter().enumerate().filter(|(place, block)| {
        let kind = kind_of(*place, &block.names[0]);
        let is_beside = kind.as_ref().map_or(has_names, |kind| *kind == ColumnKind::Ignored);
        is_beside && !original.learned.contains(place)
    });
    let to = if format == "csv" { form } else { TextForm::default() };
    columns.extend(respelled(ignored.map(|(_, block)| chosen(block, &rows)).collect(), original.form, to));
    Ok(columns)
}

fn has_ignored(schema: &Schema) -> bool {
    schema.each().any(|(_, kind)| *kind == ColumnKind::Ignored)
}

/// The row of a file that each sample is: found by its line where the file has lines.
fn rows_of(samples: &Split, lines: Option<&[u32]>) -> Vec<usize> {
    let places: HashMap<u32, usize> =
        lines.unwrap_or_default().iter().enumerate().map(|(row, &line)| (line, row)).collect();
    let row =
        |sample| samples.line(sample).and_then(|line| places.get(&line).copied()).unwrap_or(samples.row_number(sample));
    (0..samples.samples()).map(row).collect()
}

/// These rows of a column.
fn chosen(block: &Block, rows: &[usize]) -> Block {
    fn of<T: Copy>(values: &[T], rows: &[usize]) -> Vec<T> {
        rows.iter().map(|&row| values[row]).collect()
    }
    let values = match &block.values {
        BlockValues::Floats(values) => BlockValues::Floats(of(values, rows)),
        BlockValues::Doubles(values) => BlockValues::Doubles(of(values, rows)),
        BlockValues::Whole(values) => BlockValues::Whole(of(values, rows)),
        BlockValues::Texts { texts, places } => BlockValues::Texts { texts: texts.clone(), places: of(places, rows) },
    };
    Block { names: block.names.clone(), values }
}
