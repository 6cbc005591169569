//! Samples of a model of an alignment, as sequences.

use crate::args::{DataArgs, SampleArgs};
use crate::commands::files::write_file;
use crate::failure::Result;
use crate::model::checkpoint::Checkpoint;
use crate::model::trained::Trained;
use crate::sequences::{Nearest, alignment, fasta};

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
    write_file(&args.out, fasta(rows, &alphabet).as_bytes())
}
