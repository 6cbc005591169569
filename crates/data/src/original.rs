//! The cells of a source as they stand there, for files that give them back.

use crate::error::Error;
use crate::formats::hub::{self, Files};
use crate::load::found;
#[cfg(feature = "formats")]
use crate::load::has_labels_in_a_column;
use crate::number::narrow;
use crate::schema::kind::is_wide;
use crate::schema::options::LoadOptions;
use crate::schema::source::Source;
use crate::tables::block::{Block, BlockValues};
use crate::tables::found::Found;
#[cfg(feature = "formats")]
use crate::tables::sheet::Sheet;
use crate::tables::table::Table;
use crate::tables::text_form::TextForm;
use crate::tables::values::Values;

/// The cells of a source as they stand there.
#[derive(Clone, Debug)]
pub struct Original {
    /// Its columns: of a table of text all of them, each a block; of other sources those of the samples.
    pub columns: Vec<Block>,
    /// Where each column of the schema that has units stands among them.
    pub learned: Vec<usize>,
    /// The line of the file that each row is, where it has lines.
    pub lines: Option<Vec<u32>>,
    /// How a CSV file is written.
    pub form: TextForm,
}

impl Original {
    /// Reads the training or test part of a source again. Fields of a CSV file are kept letter by letter, but for
    /// white space around them. Missing values of other sources are NaN.
    ///
    /// # Errors
    /// Those of [`load`](crate::load); if there is no such part.
    pub fn read(source: &Source, options: &LoadOptions, test: bool) -> Result<Self, Error> {
        if let Source::Hub(address) = source
            && let Files::One(source) = hub::fetch(address, options.fetch)?
        {
            return Self::read(&source, options, test);
        }
        #[cfg(feature = "formats")]
        if let Source::Csv(path) = source {
            return of_sheet(&crate::formats::csv::read_texts(path, options)?, options);
        }
        let none = || Error::Empty { what: source.to_string() };
        let (found, options) = found(source, options)?;
        match found {
            #[cfg(feature = "formats")]
            Found::Tables(tables) if has_labels_in_a_column(&tables, &options)? => {
                let part = if test { tables.test } else { Some(tables.train) };
                of_sheet(&Sheet::of_table(&part.ok_or_else(none)?)?, &options)
            }
            Found::Tables(tables) => {
                let part = if test { tables.test } else { Some(tables.train) };
                of_table(&part.ok_or_else(none)?)
            }
            #[cfg(feature = "formats")]
            Found::Sheets(sheets) => {
                let part = if test { sheets.test } else { Some(sheets.train) };
                of_sheet(&part.ok_or_else(none)?, &options)
            }
            #[cfg(feature = "formats")]
            Found::Sequences(sequences) => {
                let columns = crate::formats::alignment::letters(&sequences, &options)?;
                Ok(Self { learned: (0..columns.len()).collect(), columns, lines: None, form: TextForm::default() })
            }
        }
    }
}

/// Columns without names: in 64 bits where 32 hold too little of one.
fn of_table(table: &Table) -> Result<Original, Error> {
    let mut columns = vec![Vec::with_capacity(table.samples()); table.units];
    for part in table.values.parts() {
        let (_, values) = part?;
        let mut put = |(at, x): (usize, f64)| columns[at % table.units].push(x);
        match &*values {
            Values::Doubles(doubles) => doubles.iter().copied().enumerate().for_each(&mut put),
            values => values.floats(0..values.len()).iter().map(|&x| x.into()).enumerate().for_each(&mut put),
        }
    }
    let block = |(place, column): (usize, Vec<f64>)| {
        let (least, most) = column.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), &x| (a.min(x), b.max(x)));
        let is_short = |&x: &f64| x.is_nan() || f64::from(x as f32) == x;
        let values = if is_wide(least, most - least) && !column.iter().all(is_short) {
            BlockValues::Doubles(column)
        } else {
            BlockValues::Floats(column.into_iter().map(narrow).collect())
        };
        Block::column(place.to_string(), values)
    };
    let columns: Vec<Block> = columns.into_iter().enumerate().map(block).collect();
    Ok(Original { learned: (0..columns.len()).collect(), columns, lines: None, form: TextForm::default() })
}

/// Columns with the names that they have, or their places.
#[cfg(feature = "formats")]
fn of_sheet(sheet: &Sheet, options: &LoadOptions) -> Result<Original, Error> {
    use crate::number::of_few_digits;
    use crate::schema::encode::places;
    use crate::tables::sheet::{Cell, Content};

    let learned = if let Some(schema) = &options.schema {
        places(schema, sheet)?
    } else {
        // Of a model that knows none, all but the labels.
        let label = options.label_column.as_ref().and_then(|label| sheet.find(label)).or(sheet.label);
        (0..sheet.columns()).filter(|column| Some(*column) != label).collect()
    };
    let column = |column: usize| {
        let name = sheet.names.as_ref().map_or_else(|| column.to_string(), |names| names[column].clone());
        let number = |cells: &[Cell]| match cells[column].content() {
            Content::Number(x) => Some(x),
            Content::Missing => Some(f64::NAN),
            Content::Text(_) => None,
        };
        let numbers: Option<Vec<f64>> = sheet.rows().map(number).collect();
        let is_short = |x: &f64| x.is_nan() || f64::from(of_few_digits(*x) as f32) == of_few_digits(*x);
        let values = match numbers {
            Some(numbers) if numbers.iter().all(is_short) => {
                BlockValues::Floats(numbers.into_iter().map(|x| x as f32).collect())
            }
            Some(numbers) => BlockValues::Doubles(numbers),
            None => BlockValues::of_texts(sheet.rows().map(|cells| sheet.show(cells[column], column))),
        };
        Block::column(name, values)
    };
    let lines = (!sheet.is_of_array()).then(|| sheet.lines.clone());
    Ok(Original { columns: (0..sheet.columns()).map(column).collect(), learned, lines, form: sheet.form })
}

#[cfg(all(test, feature = "formats"))]
mod tests {
    use super::*;
    use crate::load;

    #[test]
    fn fields_are_kept_letter_by_letter() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("t.csv");
        std::fs::write(&path, "id;height;sex\n123456789;1,50;m\n007; NA ;f\n8;1,8;?\n").unwrap();
        let types = "id=ignored".parse().unwrap();
        let options = LoadOptions { column_types: types, ..LoadOptions::default() };
        let data = load(&Source::Csv(path.clone()), &options).unwrap();
        let options = LoadOptions { schema: Some(data.schema), ..options };
        let original = Original::read(&Source::Csv(path), &options, false).unwrap();
        assert_eq!((original.learned, original.lines), (vec![1, 2], Some(vec![2, 3, 4])));
        assert_eq!(original.form.to_string(), "semicolon comma");
        let columns: Vec<(String, String)> = original
            .columns
            .into_iter()
            .map(|block| {
                let BlockValues::Texts { texts, places } = &block.values else { panic!() };
                let fields: Vec<&str> = places.iter().map(|&place| texts[place as usize].as_str()).collect();
                (block.names[0].clone(), fields.join(" "))
            })
            .collect();
        let expected = [("id", "123456789 007 8"), ("height", "1,50 NA 1,8"), ("sex", "m f ?")];
        assert_eq!(columns, expected.map(|(name, fields)| (name.to_string(), fields.to_string())));
    }
}
