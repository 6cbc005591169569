//! `dbn show --units`: what the hidden units of a model of sequences are for.

use crate::args::{DataArgs, ShowArgs};
use crate::commands::files::extension;
use crate::commands::write_file;
use crate::failure::{Failure, Result};
use crate::laboratory::{MOST_SEQUENCES, logos, most_important};
use crate::model::checkpoint::Model;
use crate::model::sites::NamedSites;
use crate::model::trained::Trained;
use crate::results::{FORMATS, Results};
use deepbelief_analysis::hidden_units::HiddenUnit;
use deepbelief_data::{Block, BlockValues, Split};
use std::path::Path;

/// Endings of pictures, beside those of tables.
const PICTURES: [&str; 2] = ["svg", "png"];

/// Refuses a file of another kind.
pub(super) fn require_format(path: &Path) -> Result<&'static str> {
    extension(path, &[&PICTURES[..], &FORMATS].concat())
}

/// Writes the units, the most important first: a picture of the first `--count`, or a table of all.
pub(super) fn write_units(args: &ShowArgs, path: &Path, model: &Model) -> Result<()> {
    let format = require_format(path)?;
    let Model::Belief(checkpoint) = model else {
        return Err(Failure::new("--units is for RBMs, not for feed-forward networks"));
    };
    let named = NamedSites::of(checkpoint, "--units")?;
    let data = checkpoint.incomplete_data(&args.checkpoint, &DataArgs::default(), args.machine)?;
    let units = most_important(checkpoint, &named, &data.train, MOST_SEQUENCES)?;
    if !PICTURES.contains(&format) {
        return table(&units, &data.train).write(path, format).map(drop);
    }
    let Some(letters) = named.letters() else {
        return Err(Failure::new("logos are of sites with the same letters, which the model's are not")
            .hint("a table has all units: a name that ends in .csv; --filters draws weights of pictures"));
    };
    let logos = logos(checkpoint, &named, letters, &units[..units.len().min(args.count as usize)], &data.train);
    let bytes = if format == "svg" { logos.svg() } else { logos.png()? };
    write_file(path, &bytes)
}

/// A row a unit; the samples that drive it most by their numbers, from 1, and by their names where they have some.
fn table(units: &[HiddenUnit], data: &Split) -> Results {
    let whole =
        |of: &dyn Fn(&HiddenUnit) -> usize| BlockValues::Whole(units.iter().map(|unit| of(unit) as i64).collect());
    let doubles = |of: &dyn Fn(&HiddenUnit) -> f64| BlockValues::Doubles(units.iter().map(of).collect());
    let mut columns = vec![
        Block::column("unit", whole(&|unit| unit.unit)),
        Block::column("importance", doubles(&|unit| unit.importance)),
        Block::column("acts_on", doubles(&|unit| unit.acts_on)),
        Block::column("input_mean", doubles(&|unit| unit.input.0)),
        Block::column("input_std", doubles(&|unit| unit.input.1)),
    ];
    let ends = units.first().map_or(0, |unit| unit.highest.len());
    let mut add = |end: &str, of: fn(&HiddenUnit) -> &[usize]| {
        for k in 0..ends {
            columns.push(Block::column(format!("{end}_{}", k + 1), whole(&|unit| of(unit)[k] + 1)));
            let names: Option<Vec<String>> =
                units.iter().map(|unit| data.name(of(unit)[k]).map(str::to_string)).collect();
            let names = names.map(BlockValues::of_texts);
            columns.extend(names.map(|names| Block::column(format!("{end}_{}_name", k + 1), names)));
        }
    };
    add("highest", |unit| &unit.highest);
    add("lowest", |unit| &unit.lowest);
    Results { name: "units", columns, ..Results::default() }
}
