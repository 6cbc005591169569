//! Samples of which some columns or hidden units are given.

use crate::failure::{Failure, Result};
use crate::machine::ranks;
use crate::model::checkpoint::{Checkpoint, ROWS};
use crate::model::trained::Trained;
use crate::pictures::{Dream, Watch};
use deepbelief_data::{ColumnUnits, Schema};
use deepbelief_kernels::{Batch, Bits, Stream, Uniforms};
use deepbelief_stack::Completing;

/// What `--given` has.
#[derive(Default)]
pub(super) struct Given {
    /// Hidden units, by number, and their values.
    pub(super) hidden: Vec<(usize, f64)>,
    /// Columns, as they were written.
    pub(super) columns: Vec<String>,
}

/// What is given of hidden units and of columns. `h12=1` is hidden unit 12, counted from 0 as in the
/// columns of `dbn encode`, unless a column has that name.
pub(super) fn parted(given: &[String], checkpoint: &Checkpoint) -> Result<Given> {
    let columns = checkpoint.columns();
    let is_column = |name: &str| {
        let mut names = columns.each().enumerate().map(|(place, (known, _))| columns.called(place, known));
        names.any(|known| known == name)
    };
    let mut parted = Given::default();
    for pair in given {
        let unit = pair.split_once('=').and_then(|(name, value)| {
            let number = name.trim().strip_prefix('h')?.parse::<usize>().ok()?;
            (!is_column(name.trim())).then_some((number, value.trim()))
        });
        match unit {
            None => parted.columns.push(pair.clone()),
            Some((unit, value)) => match value.parse::<f64>() {
                Ok(value) => parted.hidden.push((unit, value)),
                Err(_) => {
                    return Err(Failure::new(format!(
                        "--given has {pair:?}: the value of a hidden unit is a number, as in h3=1"
                    )));
                }
            },
        }
    }
    if !parted.hidden.is_empty() && checkpoint.dbn.depth() > 1 {
        return Err(Failure::new("--given takes hidden units of one RBM, and this model has layers under its top"));
    }
    Ok(parted)
}

/// What is given of an alignment, letter by letter: `5-7=CPG` is 5=C, 6=P and 7=G.
fn letter_by_letter(columns: &Schema, pair: &str) -> Option<Vec<String>> {
    columns.alphabet()?;
    let (sites, letters) = pair.split_once('=')?;
    let (first, last) = sites.split_once('-')?;
    let (first, last) = (first.trim().parse::<usize>().ok()?, last.trim().parse::<usize>().ok()?);
    let letters: Vec<char> = letters.trim().chars().collect();
    let fits = !letters.is_empty() && first.checked_add(letters.len()) == last.checked_add(1);
    fits.then(|| (first..).zip(letters).map(|(site, letter)| format!("{site}={letter}")).collect())
}

/// Visible values of each chain, after `dream.steps` steps from an empty row, in all of which the columns `given` keep their
/// values. `watch` hears of the steps of each batch of rows.
pub(super) fn values(checkpoint: &Checkpoint, given: &[String], dream: &Dream, watch: Watch<'_>) -> Result<Vec<f32>> {
    let columns = checkpoint.columns();
    let Held { row, free } = held(&columns, given)?;
    let units = row.len();
    let burn_in = dream.steps.saturating_sub(1);
    // Sites are drawn as without `--given`, all at once from the hidden units. One after the other, given all the rest, they
    // mix better, which takes eighty times as long.
    let choices = if columns.alphabet().is_some() { Vec::new() } else { columns.choices() };
    let how = Completing { chains: 1, burn_in, sweeps: 1, seed: dream.seed, ..checkpoint.completing() };
    let of_batch = |batch: usize| -> Result<Vec<f32>> {
        let first = ROWS * batch;
        let rows = ROWS.min(dream.count - first);
        let mut batch = Batch::default();
        batch.make_real(rows, units).copy_from_slice(&row.repeat(rows));
        let mut missing = Bits::zeros(rows, units);
        for sample in 0..rows {
            for (block, word) in free.chunks(32).enumerate() {
                let on = |(bit, &free): (usize, &bool)| u32::from(free) << bit;
                missing.set_word(sample, block, word.iter().enumerate().map(on).sum());
            }
        }
        // Each chain draws numbers of its own.
        let how = Completing { rows_from: Some(first as u32), ..how };
        let stepped = || watch(1);
        let completed = checkpoint.dbn.complete_watched(&batch, &missing, &choices, &how, &stepped)?;
        Ok(completed.draw_means.concat())
    };
    let mut values = ranks::each(dream.count.div_ceil(ROWS), of_batch)?.concat();
    columns.draw(&mut values, Uniforms::new(dream.seed, Stream::User, dream.steps));
    Ok(values)
}

/// The values that stay.
struct Held {
    /// Of every unit; 0 where it is free.
    row: Vec<f32>,
    /// Whether it is.
    free: Vec<bool>,
}

fn held(columns: &Schema, given: &[String]) -> Result<Held> {
    let units = columns.units();
    let (column, form, note) = match columns.alphabet() {
        Some(_) => ("site", "SITE=LETTER", "a comma separates sites, which count from 1, as in 3=C,7=-"),
        None => (
            "column",
            "COLUMN=VALUE",
            "a comma separates columns: write a number with a decimal point, as in height=180.5",
        ),
    };
    let mut held = Held { row: vec![0.0; units], free: vec![true; units] };
    let each = |pair: &String| letter_by_letter(columns, pair).unwrap_or_else(|| vec![pair.clone()]);
    for pair in &given.iter().flat_map(each).collect::<Vec<_>>() {
        let Some((name, text)) = pair.split_once('=') else {
            return Err(Failure::new(format!("--given has {pair:?}, expected {form}")).hint(note));
        };
        let (units, values) = columns.given(name.trim(), text.trim())?;
        if !held.free[units.start] {
            return Err(Failure::new(format!("--given names {column} {:?} twice", name.trim())));
        }
        // Other columns have values from 0 to 1.
        if let Some(far) = values.iter().map(|x| x.abs()).find(|&x| x > ColumnUnits::FAR_OUT) {
            tracing::warn!(
                "{pair} lies {far:.0} standard deviations from the mean of the training data: the model says what it says \
                 of other numbers, and has seen none like this"
            );
        }
        held.free[units.clone()].fill(false);
        held.row[units].copy_from_slice(&values);
    }
    Ok(held)
}
