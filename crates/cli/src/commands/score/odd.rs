//! Which values of a sample are odd: those that cost most beyond what is usual for their columns, given the others.

use super::peers::lacking;
use crate::failure::Result;
use crate::model::checkpoint::Checkpoint;
use crate::model::trained::Trained;
use crate::report::Report;
use deepbelief_data::{Binarize, Block, BlockValues, Schema, Split};
use deepbelief_rbm::{to_batch, to_tensor};
use deepbelief_stack::{Conditional, Scorer};
use rayon::prelude::*;
use std::ops::Range;

/// Values of a row that are named, at most.
const NAMED: usize = 2;

/// Multiplications that the values of all rows take, at most: some seconds.
const MOST: u64 = 1 << 33;

/// A value that costs more than is usual.
#[derive(Clone, Debug)]
pub(super) struct Odd {
    /// The column.
    pub(super) name: String,
    /// Nats beyond what is usual there.
    pub(super) nats: f64,
    /// The value, and what the model expects.
    value: String,
    expected: String,
}

impl Odd {
    /// For people: `age 340 where 34.2 is expected (9.1 nats)`.
    pub(super) fn words(&self) -> String {
        format!("{} {} where {} is expected ({:.1} nats)", self.name, self.value, self.expected, self.nats)
    }
}

/// A column of the table, and its units.
struct Column {
    name: String,
    units: Range<usize>,
    /// Scores that its costs take, at least: of the sample, and of its completions where the value is missing.
    scores: u64,
}

/// Looks for odd values of the samples of a table.
pub(super) struct Oddities<'a> {
    scorer: &'a Scorer,
    samples: &'a Split,
    binarize: Binarize,
    schema: Schema,
    columns: Vec<Column>,
    /// Multiplications that one pass through the model takes.
    pass: u64,
}

impl<'a> Oddities<'a> {
    /// None where the model is not of a table of several columns.
    pub(super) fn of(
        checkpoint: &Checkpoint,
        scorer: &'a Scorer,
        samples: &'a Split,
        binarize: Binarize,
    ) -> Option<Self> {
        let schema = checkpoint.schema().filter(|schema| schema.units() == samples.units())?;
        let mut at = 0;
        let learned = schema.each().enumerate().filter(|(_, (_, kind))| kind.units() > 0);
        let mut columns = Vec::new();
        for (place, (name, kind)) in learned {
            let units = at..at + kind.units();
            at = units.end;
            let options = scorer.completions(&units.clone().collect::<Vec<_>>());
            let name = name.map_or_else(|| unnamed(&schema, place), str::to_string);
            columns.push(Column { name, units, scores: 1 + options as u64 });
        }
        let sizes = checkpoint.dbn.sizes();
        let pass = sizes.windows(2).map(|pair| (pair[0] * pair[1]) as u64).sum();
        (columns.len() > 1).then_some(Self { scorer, samples, binarize, schema, columns, pass })
    }

    /// The oddest values of each of `rows`, in the order of these, for as many of them as there is time for.
    pub(super) fn find(&self, rows: &[usize], report: &Report) -> Result<Vec<Vec<Odd>>> {
        let (mut left, mut prices) = (MOST, Vec::new());
        for &row in rows {
            let price = self.price(row);
            if price > left {
                break;
            }
            left -= price;
            prices.push(price);
        }
        let work = report.work("rows looked at for odd values", MOST - left);
        let found = rows[..prices.len()].par_iter().zip(&prices).map(|(&row, &price)| {
            let odd = if price > 0 { self.of_row(row) } else { Ok(Vec::new()) };
            work.did(price);
            odd
        });
        found.collect()
    }

    /// Multiplications that a row takes, at least; 0 where it has no odd values, for what it lacks cannot be summed out.
    fn price(&self, row: usize) -> u64 {
        let lacks = lacking(self.samples, row);
        let there = self.columns.iter().filter(|column| !lacks.contains(&column.units.start));
        let scores: u64 = there.map(|column| column.scores).sum();
        let passes = self.scorer.summed_passes(&lacks).unwrap_or(0) as u64;
        scores.saturating_mul(passes).saturating_mul(self.pass)
    }

    fn of_row(&self, row: usize) -> Result<Vec<Odd>> {
        let lacks = lacking(self.samples, row);
        let mut v = self.samples.batch(std::iter::once(row), self.binarize, 0)?.to_values();
        to_tensor(self.samples.layer(), &mut v);
        let mut costs: Vec<(usize, Conditional)> = Vec::new();
        for (place, Column { units, .. }) in self.columns.iter().enumerate() {
            if lacks.contains(&units.start) {
                continue;
            }
            if let Some(found) = self.scorer.conditional(&v, units.clone(), &lacks)? {
                costs.push((place, found));
            }
        }
        costs.retain(|(_, found)| found.surprise() > 0.0);
        costs.sort_by(|(_, a), (_, b)| b.surprise().total_cmp(&a.surprise()));
        costs.truncate(NAMED);
        let own = self.texts(v.clone());
        let odd = |(place, found): (usize, Conditional)| {
            let mut expected = v.clone();
            expected[self.columns[place].units.clone()].copy_from_slice(&found.expected);
            Odd {
                name: self.columns[place].name.clone(),
                nats: found.surprise(),
                value: own[place].clone(),
                expected: self.texts(expected)[place].clone(),
            }
        };
        Ok(costs.into_iter().map(odd).collect())
    }

    /// The values of a row as the table has them, numbers with few digits.
    fn texts(&self, mut v: Vec<f32>) -> Vec<String> {
        to_batch(self.samples.layer(), &mut v);
        let text = |block: Block| match block.values {
            BlockValues::Floats(values) => few_digits(values[0].into()),
            BlockValues::Doubles(values) => few_digits(values[0]),
            BlockValues::Whole(values) => values[0].to_string(),
            BlockValues::Texts { texts, places } => texts[places[0] as usize].clone(),
        };
        self.schema.decode(&v).into_iter().map(text).collect()
    }
}

/// What a column without a name is called: sites of an alignment count from 1.
fn unnamed(schema: &Schema, place: usize) -> String {
    match schema.alphabet() {
        Some(_) => format!("site {}", place + 1),
        None => format!("column {place} (from 0)"),
    }
}

/// A number with four digits, and without zeros at its end.
fn few_digits(x: f64) -> String {
    let text = format!("{x:.3e}");
    text.parse::<f64>().map_or(text, |short| short.to_string())
}

/// Columns `oddest`, `oddest_nats`, `second` and `second_nats` of a table of so many rows, by what was found of some.
pub(super) fn columns(found: &[(usize, Vec<Odd>)], rows: usize) -> Vec<Block> {
    let mut blocks = Vec::new();
    for (place, name) in ["oddest", "second"].into_iter().enumerate() {
        let (mut names, mut nats) = (vec![String::new(); rows], vec![f32::NAN; rows]);
        for (row, odd) in found {
            if let Some(odd) = odd.get(place) {
                names[*row].clone_from(&odd.name);
                nats[*row] = odd.nats as f32;
            }
        }
        blocks.push(Block::column(name, BlockValues::of_texts(names)));
        blocks.push(Block::column(format!("{name}_nats"), BlockValues::Floats(nats)));
    }
    blocks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sites_count_from_1() {
        let of_alignment = Schema::of_alignment("dna".parse().unwrap(), 3);
        assert_eq!(unnamed(&of_alignment, 2), "site 3");
        assert_eq!(unnamed(&Schema::default(), 2), "column 2 (from 0)");
    }

    #[test]
    fn numbers_have_few_digits() {
        assert_eq!([340.0, 34.218_731, 0.000_123_456, -2.0].map(few_digits), ["340", "34.22", "0.0001235", "-2"]);
    }
}
