//! Samples of a model of an alignment, as sequences.

use crate::args::{DataArgs, SampleArgs};
use crate::commands::files::write_file;
use crate::failure::{Result, count};
use crate::model::checkpoint::Checkpoint;
use crate::model::forgetting::{MOST_LEFT, Memory};
use crate::model::trained::Trained;
use crate::report::thousands;
use crate::sequences::{Nearest, alignment, fasta};
use deepbelief_kernels::{Batch, Bits};

/// Samples from which on it is said how chains forget: of fewer, chance is too large.
const ENOUGH: usize = 20;

/// Writes values `[samples, units]` as FASTA; with natural sequences, beside each the nearest of these.
pub(super) fn write(args: &SampleArgs, checkpoint: &Checkpoint, values: &[f32]) -> Result<()> {
    let (schema, alphabet) = alignment(checkpoint)?;
    let sites = schema.each().count();
    let letters = schema.letters(values);
    let nearest = match &args.data {
        None => None,
        Some(data) => {
            let read = DataArgs { data: Some(data.clone()), reweight: Some(0.0), ..DataArgs::default() };
            let natural = checkpoint.incomplete_data(&args.checkpoint, &read, args.machine)?;
            let nearest = Nearest::of(&letters, &natural.train, sites)?;
            let [least, median, most] = nearest.range();
            tracing::info!(
                "letters that differ from the nearest of {}: {least} to {most}, median {median}",
                natural.name
            );
            Some(nearest)
        }
    };
    let name = |row: usize| {
        let beside = nearest.as_ref().map_or(String::new(), |nearest| format!(" {}", nearest.words(row)));
        format!("sample{}{beside}", row + 1)
    };
    let rows = letters.chunks(sites.max(1)).enumerate().map(|(row, letters)| (name(row), letters));
    write_file(&args.out, fasta(rows, &alphabet).as_bytes())?;
    say_forgetting(args, checkpoint, values)
}

/// Says how chains of an RBM forget samples that they start at.
fn say_forgetting(args: &SampleArgs, checkpoint: &Checkpoint, values: &[f32]) -> Result<()> {
    let (dbn, steps) = (&checkpoint.dbn, thousands(args.steps as usize));
    let rows = values.len() / dbn.visible();
    if rows < ENOUGH || args.steps == 0 || !args.given.is_empty() || dbn.depth() > 1 || dbn.classes() > 0 {
        return Ok(());
    }
    let states = Batch::Binary(Bits::from_values(rows, dbn.visible(), values));
    let seed = args.seed.unwrap_or(checkpoint.provenance().seed);
    let Memory { half_life, left, .. } = Memory::of(dbn.top(), &states, args.steps, seed)?;
    let half =
        half_life.map_or("not half of it".to_string(), |steps| format!("half of it in {}", count(steps, "Gibbs step")));
    tracing::info!(
        "chains that start at these samples forget {half}; their correlation with it is {left:.2} after {steps}"
    );
    if left > MOST_LEFT {
        tracing::warn!(
            "samples depend on where their chains started, as {steps} Gibbs steps are too few: use more --steps"
        );
    }
    Ok(())
}
