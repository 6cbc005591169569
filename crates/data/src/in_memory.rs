//! Tables that a program holds in memory, such as data frames: what is known of tables in files holds for them.

use crate::assemble::assemble;
use crate::dataset::Dataset;
use crate::error::Error;
use crate::load::by_columns;
use crate::schema::options::LoadOptions;
use crate::tables::block::{Block, BlockValues};
use crate::tables::found::Sheets;
use crate::tables::sheet::{Cell, Sheet, Texts, too_many_texts};
use std::path::Path;

impl Dataset {
    /// Of columns as they are: NaN and empty texts are missing values. What the columns are is said by
    /// `options.schema`, or else by their values; with `named` they are known by their names, else by their places.
    /// `labels`, one a row, are numbers of classes from 0.
    ///
    /// # Errors
    /// If there are no rows, columns have unlike numbers of rows, or values that cannot be used; the message names the
    /// column and the row.
    pub fn of_blocks(
        name: &str,
        blocks: &[Block],
        named: bool,
        labels: Option<Vec<u32>>,
        options: &LoadOptions,
    ) -> Result<Self, Error> {
        let sheet = sheet(name, blocks, named)?;
        if let Some(labels) = labels.as_ref().filter(|labels| labels.len() != sheet.lines.len()) {
            let (what, samples) = (name.into(), sheet.lines.len());
            return Err(Error::Counts { what, samples, labels: labels.len() });
        }
        let sheets = Sheets { train: sheet, test: None, class_names: None };
        let mut tables = by_columns(sheets, options, true)?;
        tables.train.labels = tables.train.labels.or(labels);
        assemble(name.into(), tables, options)
    }
}

/// The cells of columns.
fn sheet(name: &str, blocks: &[Block], named: bool) -> Result<Sheet, Error> {
    let rows = blocks.first().map_or(0, Block::rows);
    if let Some(unlike) = blocks.iter().find(|block| block.rows() != rows) {
        let reason = format!("{} rows, expected {rows} as in the first column", unlike.rows());
        let column = format!("{:?}", unlike.names.first().map_or("", String::as_str));
        return Err(Error::Column { path: name.into(), column, reason });
    }
    let names: Vec<String> = blocks.iter().flat_map(|block| block.names.clone()).collect();
    let columns = names.len();
    let mut cells = vec![Cell::MISSING; rows * columns];
    let (mut texts, mut first) = (Vec::with_capacity(columns), 0);
    for block in blocks {
        let width = block.names.len();
        let mut of_block = Texts::default();
        let mut put = |at: usize, cell: Cell| cells[at / width * columns + first + at % width] = cell;
        match &block.values {
            BlockValues::Floats(values) => each(values, |at, x| put(at, Cell::number(x.into()))),
            BlockValues::Doubles(values) => each(values, |at, x| put(at, Cell::number(x))),
            BlockValues::Whole(values) => each(values, |at, x| put(at, Cell::number(x as f64))),
            BlockValues::Texts { texts, places } => {
                let known: Option<Vec<Cell>> = texts
                    .iter()
                    .map(|text| match text.as_str() {
                        "" => Some(Cell::MISSING),
                        text => of_block.place(text.as_bytes()).map(Cell::text),
                    })
                    .collect();
                let known = known.ok_or_else(|| too_many_texts(Path::new(name), format!("{:?}", block.names[0])))?;
                each(places, |at, place| put(at, known[place as usize]));
            }
        }
        texts.extend(std::iter::repeat_n(of_block, width));
        first += width;
    }
    let names = named.then_some(names);
    Ok(Sheet { what: name.into(), names, blocks: vec![cells], texts, lines: vec![0; rows], ..Sheet::default() })
}

fn each<T: Copy>(values: &[T], mut put: impl FnMut(usize, T)) {
    values.iter().enumerate().for_each(|(at, &x)| put(at, x));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::VisibleUnits;

    fn blocks() -> Vec<Block> {
        let age = (0..40).map(|row| if row == 5 { f64::NAN } else { 20.5 + f64::from(row) }).collect();
        let colour = (0..40).map(|row| ["red", "green", "blue", ""][row % 4].to_string());
        vec![Block::column("age", BlockValues::Doubles(age)), Block::column("colour", BlockValues::of_texts(colour))]
    }

    fn options() -> LoadOptions {
        LoadOptions { visible_units: VisibleUnits::Auto, ..LoadOptions::default() }
    }

    /// The same columns as a file of text must be understood alike, value by value.
    #[test]
    fn columns_are_read_as_a_file_of_them_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.csv");
        let lines = (0..40).map(|row| {
            let age = if row == 5 { String::new() } else { (20.5 + f64::from(row)).to_string() };
            format!("{age},{}\n", ["red", "green", "blue", ""][row as usize % 4])
        });
        std::fs::write(&path, "age,colour\n".to_string() + &lines.collect::<String>()).unwrap();
        let of_file = crate::load(&crate::Source::Csv(path), &options()).unwrap();
        let held = Dataset::of_blocks("t", &blocks(), true, None, &options()).unwrap();
        assert_eq!(held.schema, of_file.schema);
        assert_eq!(held.sha256().unwrap(), of_file.sha256().unwrap());
        assert_eq!((held.train.missing_values(), held.train.samples()), (of_file.train.missing_values(), 40));
    }

    /// Other rows by the schema of the first ones, in another order of the columns.
    #[test]
    fn a_schema_finds_its_columns_by_name() {
        let held = Dataset::of_blocks("t", &blocks(), true, None, &options()).unwrap();
        let turned: Vec<Block> = blocks().into_iter().rev().collect();
        let by_schema = LoadOptions { schema: Some(held.schema.clone()), ..options() };
        let again = Dataset::of_blocks("t", &turned, true, None, &by_schema).unwrap();
        assert_eq!(again.sha256().unwrap(), held.sha256().unwrap());
    }

    /// The sites of an array share their levels; columns with names have each their own, as in a file of text.
    #[test]
    fn columns_with_names_have_levels_of_their_own() {
        let options = LoadOptions { visible_units: VisibleUnits::Categorical, ..LoadOptions::default() };
        let texts = |of: [&str; 3]| BlockValues::of_texts((0..60).map(|row| of[row % of.len()].to_string()));
        let numbers = |of: usize| BlockValues::Doubles((0..60).map(|row| (row % of) as f64).collect());
        let levels = |blocks: &[Block], named| {
            let schema = Dataset::of_blocks("t", blocks, named, None, &options).unwrap().schema;
            schema.each().map(|(_, kind)| kind.units()).collect::<Vec<_>>()
        };
        let named = [Block::column("size", texts(["S", "M", "L"])), Block::column("mark", numbers(5))];
        assert_eq!(levels(&named, true), [3, 5]);
        let sites = [Block::column("", numbers(3)), Block::column("", numbers(5))];
        assert_eq!(levels(&sites, false), [5, 5]);
    }

    #[test]
    fn columns_of_unlike_lengths_are_refused_by_name() {
        let mut unlike = blocks();
        unlike.push(Block::column("b", BlockValues::Whole(vec![1, 2])));
        let error = Dataset::of_blocks("t", &unlike, true, None, &options()).unwrap_err().to_string();
        assert_eq!(error, "t: column \"b\": 2 rows, expected 40 as in the first column");
        let error = Dataset::of_blocks("t", &blocks(), true, Some(vec![0]), &options()).unwrap_err().to_string();
        assert_eq!(error, "t: 40 samples but 1 labels");
    }
}
