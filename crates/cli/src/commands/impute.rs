//! `dbn impute`: a table with its missing values filled by a model.

use crate::args::{ImputeArgs, SplitName};
use crate::commands::files::{extension, require_folder, require_spare};
use crate::data::identity::names;
use crate::failure::{Failure, Result, count};
use crate::machine::footprint;
use crate::machine::memory::{self, PROGRAM};
use crate::model::checkpoint::{Checkpoint, ROWS, filling, split};
use crate::model::trained::Trained;
use crate::report::Report;
use crate::results::{FORMATS, Results, respelled, spare_name};
use crate::sequences::{self, FASTA, is_fasta};
use deepbelief_data::{
    Binarize, Block, BlockValues, ColumnKind, LoadOptions, Original, Schema, Source, Split, TextForm,
};
use deepbelief_kernels::{Stream, Uniforms};
use deepbelief_stack::{Completed, Completing};
use serde_json::json;
use std::path::PathBuf;

/// Fills one part of a data set.
pub(crate) fn impute(args: &ImputeArgs, report: &Report) -> Result<()> {
    let format = extension(&args.out, &[&FORMATS[..], &FASTA].concat())?;
    if is_fasta(format) && (args.spread || args.draws.is_some()) {
        return Err(Failure::new("--spread and --draws go with a table: a name that ends in .csv or .parquet"));
    }
    require_folder(&args.out)?;
    args.form.require(format)?;
    let checkpoint = Checkpoint::open(&args.on.checkpoint)?;
    require_spare(&args.out, &args.on.checkpoint, &checkpoint, args.on.data.data.as_ref())?;
    let (source, options) = reading(&checkpoint, args)?;
    let data = checkpoint.incomplete_data_of(&source, &options, args.machine)?;
    let part = args.on.part(&data);
    let samples = split(&data, part)?;
    let (n, sizes, tables) = (samples.samples(), checkpoint.dbn.sizes(), args.draws.unwrap_or(1));
    memory::require_samples("filling", n, args.machine.max_memory, |n| {
        // The values of the file, means and deviations or draws and their means, and the table of them.
        let table = footprint::features(n, samples.units(), format);
        let held = PROGRAM + footprint::held(&data) + footprint::model(&sizes) + footprint::pass(&sizes, ROWS.min(n));
        held + (3 + 3 * u64::from(tables)) * table
    })?;
    let original = Original::read(&source, &options, part == SplitName::Test)?;
    let form = if format == "csv" { args.form.over(original.form) } else { TextForm::default() };
    let filled = samples.missing_values();
    if filled == 0 {
        tracing::warn!("no value of {} is missing: they are written as they are", data.name);
    }
    let filling = Filling {
        columns: checkpoint.columns(),
        gaps: (0..n)
            .map(|sample| samples.missing(&[sample]).map(|m| m.units(0).collect()).unwrap_or_default())
            .collect(),
        original: Original { columns: respelled(original.columns, original.form, form), ..original },
        form,
        as_numbers: format != "csv",
        learned_alone: !["csv", "parquet"].contains(&format),
    };
    let completed = complete(&checkpoint, samples, args, report)?;
    if is_fasta(format) {
        sequences::write(&args.out, &checkpoint, &completed.mean, samples)?;
        return said(args, &data.name, std::slice::from_ref(&args.out), (n, filled), report);
    }
    let columns = match args.draws {
        None => {
            let mut table = filling.table(&completed.mean);
            if args.spread {
                table.extend(filling.columns.spread(&completed.mean, &completed.deviation));
            }
            table
        }
        Some(_) => draws(&filling, completed.draw_means, args.seed),
    };
    let table = Results { name: "values", columns, form, ..Results::default() };
    // Of several draws each sample has several rows; the columns that the model ignores are there already.
    let names = names(samples).filter(|_| args.draws.is_none());
    let files = table.with_rows(names.into_iter().collect(), format).write(&args.out, format)?;
    said(args, &data.name, &files, (n, filled), report)
}

/// Which data are filled, and how they are read: every row of theirs is one of the output, whatever it lacks.
fn reading(checkpoint: &Checkpoint, args: &ImputeArgs) -> Result<(Source, LoadOptions)> {
    let (source, mut options) = checkpoint.reading(&args.on.checkpoint, &args.on.data)?;
    options.keep_empty = true;
    // What a row weighs changes nothing of what fills it.
    for column in options.schema.iter_mut().flat_map(|schema| &mut schema.columns) {
        if column.kind == ColumnKind::Weight {
            column.kind = ColumnKind::Ignored;
        }
    }
    Ok((source, options))
}

/// Says what was filled and written.
fn said(args: &ImputeArgs, data: &str, files: &[PathBuf], (n, filled): (usize, u64), report: &Report) -> Result<()> {
    tracing::info!("filled {} of {} of {data}", count(filled as usize, "value"), count(n, "sample"));
    if args.json {
        return report.json(&json!({
            "files": files, "data": data, "samples": n, "filled": filled, "draws": args.draws,
        }));
    }
    Ok(())
}

/// What the model makes of what is missing, some samples at a time.
fn complete(checkpoint: &Checkpoint, samples: &Split, args: &ImputeArgs, report: &Report) -> Result<Completed> {
    let mut how = Completing { sweeps: args.sweeps, seed: args.seed, ..checkpoint.completing() };
    how.chains = args.draws.unwrap_or(how.chains);
    let mut all = Completed { draw_means: vec![Vec::new(); how.chains as usize], ..Completed::default() };
    let (n, choices) = (samples.samples(), checkpoint.columns().choices());
    let work = filling(report, &how, n);
    for first in (0..n).step_by(ROWS) {
        let chosen: Vec<usize> = (first..n.min(first + ROWS)).collect();
        let batch = samples.batch(chosen.iter().copied(), Binarize::None, 0)?;
        let missing = samples.missing(&chosen).map(|missing| missing.cells);
        let missing = missing.unwrap_or_else(|| deepbelief_kernels::Bits::zeros(batch.rows(), batch.units()));
        // Rows that are drawn side by side must not draw the same.
        how.rows_from = args.draws.map(|_| first as u32);
        let part = checkpoint.dbn.complete_watched(&batch, &missing, &choices, &how, &|| work.did(1))?;
        all.mean.extend(part.mean);
        all.deviation.extend(part.deviation);
        all.draw_means.iter_mut().zip(part.draw_means).for_each(|(all, part)| all.extend(part));
    }
    Ok(all)
}

/// A table for each chain, one after the other, numbered.
fn draws(filling: &Filling, chains: Vec<Vec<f32>>, seed: u64) -> Vec<Block> {
    let mut all: Vec<Block> = Vec::new();
    for (draw, mut values) in chains.into_iter().enumerate() {
        filling.columns.draw(&mut values, Uniforms::new(seed, Stream::User, draw as u32));
        let mut table = filling.table(&values);
        let rows = table[0].rows();
        let name = spare_name("draw", &table.iter().collect::<Vec<_>>());
        table.insert(0, Block::column(name, BlockValues::Whole(vec![draw as i64 + 1; rows])));
        if all.is_empty() {
            all = table;
        } else {
            all.iter_mut().zip(table).for_each(|(all, block)| all.append(block));
        }
    }
    all
}

/// A table with gaps, and how it is written without them.
struct Filling {
    /// What the visible units are.
    columns: Schema,
    /// The units that have no value, of every sample.
    gaps: Vec<Vec<usize>>,
    original: Original,
    /// How it is written.
    form: TextForm,
    /// Whether numbers are written as numbers, and not as the file has them.
    as_numbers: bool,
    /// Whether only columns that the model learned are written.
    learned_alone: bool,
}

impl Filling {
    /// The table with `values` `[samples, units]` where it has none.
    fn table(&self, values: &[f32]) -> Vec<Block> {
        let filled = self.columns.decode(values);
        let mut units = 0..0;
        let learned = self.columns.each().filter(|(_, kind)| kind.units() > 0).zip(&filled).enumerate();
        let mut table = self.original.columns.clone();
        let mut order = Vec::with_capacity(filled.len());
        for (place, ((_, kind), filled)) in learned {
            units = units.end..units.end + kind.units();
            let missing: Vec<bool> = self.gaps.iter().map(|gaps| gaps.iter().any(|gap| units.contains(gap))).collect();
            let at = self.original.learned[place];
            table[at].values = merged(&table[at].values, &filled.values, &missing, (self.as_numbers, self.form));
            order.push(at);
        }
        if self.learned_alone { order.into_iter().map(|at| table[at].clone()).collect() } else { table }
    }
}

/// Values as texts, numbers as the form writes them.
fn as_texts<T: ToString>(values: &[T], form: TextForm) -> BlockValues {
    form.marked(BlockValues::of_texts(values.iter().map(ToString::to_string)))
}

/// A column whose missing cells are those of `filled`, as numbers or as texts of a form.
fn merged(original: &BlockValues, filled: &BlockValues, missing: &[bool], how: (bool, TextForm)) -> BlockValues {
    use BlockValues::{Doubles, Floats, Texts, Whole};
    let (as_numbers, form) = how;
    match (original, filled) {
        (Floats(cells), Floats(filled)) => Floats(chosen(cells, filled, missing)),
        (Doubles(cells), Doubles(filled)) => Doubles(chosen(cells, filled, missing)),
        (Floats(_), Doubles(_)) | (Doubles(_), Floats(_)) => {
            merged(&original.as_doubles(), &filled.as_doubles(), missing, how)
        }
        (Texts { texts, places }, Floats(_) | Doubles(_)) if as_numbers => {
            let numbers: Vec<f64> = texts.iter().map(|text| text.parse().unwrap_or(f64::NAN)).collect();
            let cells = places.iter().map(|&place| numbers[place as usize]);
            let cells = match filled {
                Floats(_) => Floats(cells.map(|x| x as f32).collect()),
                _ => Doubles(cells.collect()),
            };
            merged(&cells, filled, missing, how)
        }
        (Texts { texts, places }, Texts { texts: levels, places: filled }) if as_numbers => {
            let level = |text: &String| levels.iter().position(|level| level == text).unwrap_or(0) as u32;
            let known: Vec<u32> = texts.iter().map(level).collect();
            let cell = |(row, &gap): (usize, &bool)| if gap { filled[row] } else { known[places[row] as usize] };
            Texts { texts: levels.clone(), places: missing.iter().enumerate().map(cell).collect() }
        }
        (Texts { .. }, Floats(filled)) => merged(original, &as_texts(filled, form), missing, how),
        (Texts { .. }, Doubles(filled)) => merged(original, &as_texts(filled, form), missing, how),
        (Texts { texts, places }, Texts { texts: levels, places: filled }) => {
            let first = texts.len() as u32;
            let cell = |(row, &gap): (usize, &bool)| if gap { first + filled[row] } else { places[row] };
            let places = missing.iter().enumerate().map(cell).collect();
            let levels = levels.iter().map(|level| form.with_mark(level).into_owned());
            Texts { texts: texts.iter().cloned().chain(levels).collect(), places }
        }
        (Floats(cells), Texts { .. }) => merged(&as_texts(cells, form), filled, missing, how),
        (Doubles(cells), Texts { .. }) => merged(&as_texts(cells, form), filled, missing, how),
        // Neither a file's cells nor what is filled are whole.
        (Whole(_), _) | (_, Whole(_)) => filled.clone(),
    }
}

/// The cells that are there, and where one is missing what is filled.
fn chosen<T: Copy>(cells: &[T], filled: &[T], missing: &[bool]) -> Vec<T> {
    missing
        .iter()
        .zip(cells.iter().zip(filled))
        .map(|(&gap, (&cell, &filled))| if gap { filled } else { cell })
        .collect()
}
