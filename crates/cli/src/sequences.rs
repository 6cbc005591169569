//! Sequences of an alignment as FASTA: a line of `>` and what a sequence is called, then its letters.

use crate::commands::write_file;
use crate::failure::{Failure, Result};
use crate::model::trained::Trained;
use deepbelief_data::{Alphabet, Schema, Split};
use deepbelief_kernels::Sequences;
use std::fmt::Write as _;
use std::path::Path;

/// Endings of files of sequences.
pub(crate) const FASTA: [&str; 2] = ["fasta", "fa"];

/// Whether a file of this ending has sequences.
pub(crate) fn is_fasta(format: &str) -> bool {
    FASTA.contains(&format)
}

/// What the columns of a model of an alignment are, and its letters.
pub(crate) fn alignment(model: &impl Trained) -> Result<(Schema, Alphabet)> {
    let schema = model.columns();
    match schema.alphabet().cloned() {
        Some(alphabet) => Ok((schema, alphabet)),
        None => Err(Failure::new("the model is none of an alignment, so that it has no sequences to write as FASTA")
            .hint("write a table: --out x.csv")),
    }
}

/// Sequences as FASTA.
pub(crate) fn fasta<'a>(sequences: impl Iterator<Item = (String, &'a [u8])>, alphabet: &Alphabet) -> String {
    sequences.fold(String::new(), |mut text, (name, levels)| {
        let _ = writeln!(text, ">{name}\n{}", alphabet.text(levels));
        text
    })
}

/// Writes visible values `[samples, units]` as FASTA, each sequence called as its sample.
pub(crate) fn write(path: &Path, model: &impl Trained, values: &[f32], samples: &Split) -> Result<()> {
    let (schema, alphabet) = alignment(model)?;
    let levels = schema.letters(values);
    let name = |row: usize| samples.name(row).map_or_else(|| format!("sample{}", row + 1), str::to_string);
    let rows = levels.chunks(schema.each().count().max(1)).enumerate().map(|(row, levels)| (name(row), levels));
    write_file(path, fasta(rows, &alphabet).as_bytes())
}

/// How near sequences are to natural ones.
pub(crate) struct Nearest {
    /// Of each sequence what the nearest natural one is called, and how many letters are the same.
    each: Vec<(String, usize)>,
    sites: usize,
}

impl Nearest {
    /// Of levels `[sequences, sites]` to those of `natural`. Letters that are unknown are equal to none.
    pub(crate) fn of(levels: &[u8], natural: &Split, sites: usize) -> Result<Self> {
        let found = Sequences::new(&natural.levels()?, sites).nearest(levels);
        let name = |row: usize| natural.name(row).unwrap_or_default().to_string();
        Ok(Self { each: found.into_iter().map(|(row, same)| (name(row), same)).collect(), sites })
    }

    /// What stands behind a sequence's name: `nearest=S1 distance=12 identity=0.774`.
    pub(crate) fn words(&self, sequence: usize) -> String {
        let (name, same) = &self.each[sequence];
        let identity = *same as f64 / self.sites as f64;
        format!("nearest={name} distance={} identity={identity:.3}", self.sites - same)
    }

    /// In how many letters they differ from their nearest: least, median and most.
    pub(crate) fn range(&self) -> [usize; 3] {
        let mut distances: Vec<usize> = self.each.iter().map(|(_, same)| self.sites - same).collect();
        distances.sort_unstable();
        let at = |place: usize| distances.get(place).copied().unwrap_or_default();
        [at(0), at(distances.len() / 2), at(distances.len().saturating_sub(1))]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use deepbelief_data::Schema;

    #[test]
    fn sequences_are_lines_of_letters() {
        let schema = Schema::of_alignment("dna".parse().unwrap(), 2);
        let levels = schema.letters(&[0.1, 0.6, 0.1, 0.1, 0.1, 0.0, 0.0, 0.0, 0.0, 1.0]);
        let alphabet = schema.alphabet().unwrap();
        assert_eq!(fasta([("a b".to_string(), &levels[..])].into_iter(), alphabet), ">a b\nC-\n");
    }

    #[test]
    fn distances_are_to_the_nearest() {
        let layer = Schema::of_alignment("dna".parse().unwrap(), 3).layer();
        let one_hot =
            |levels: &[u8]| levels.iter().flat_map(|&l| (0..5).map(move |k| f32::from(u8::from(k == l)))).collect();
        let natural = Split::of_units(layer, one_hot(&[0, 1, 2, 3, 3, 3]), None).unwrap();
        let nearest = Nearest::of(&[0, 1, 2, 3, 3, 0, 4, 4, 4], &natural, 3).unwrap();
        assert_eq!(nearest.words(1), "nearest= distance=1 identity=0.667");
        assert_eq!(nearest.range(), [0, 1, 3]);
    }
}
