//! A model of sequences, spins or categories, site by site, with what its levels are called.

use crate::failure::{Failure, Result};
use crate::model::checkpoint::Checkpoint;
use crate::model::trained::Trained;
use deepbelief_analysis::sites::{Level, Sequences, Sites};
use deepbelief_data::{Binarize, ColumnKind, Split};
use deepbelief_kernels::{Segment, UnitKind, Units};
use deepbelief_stack::Dbn;
use std::collections::BTreeSet;

/// Sequences that are read at a time.
const ROWS: usize = 2000;

/// Training samples whose letters are counted, at most.
pub(crate) const COUNTED: usize = 100_000;

/// Levels that stand for no letter.
const GAPS: [&str; 2] = ["-", "."];

/// An RBM by its sites.
pub(crate) struct NamedSites {
    pub(crate) sites: Sites,
    /// What the levels of each site are called.
    pub(crate) levels: Vec<Vec<String>>,
}

impl NamedSites {
    /// Of a checkpoint, which `verb` is for if it is one RBM without labels over discrete units.
    pub(crate) fn of(checkpoint: &Checkpoint, verb: &str) -> Result<Self> {
        if checkpoint.dbn.depth() > 1 {
            return Err(Failure::new(format!("{verb} is for one RBM, and the checkpoint is a deep belief net"))
                .hint("`dbn pretrain` trains an RBM"));
        }
        let sites = Sites::of(checkpoint.dbn.top())?;
        let columns = checkpoint.columns();
        let visible = columns.layer();
        let mut levels = Vec::new();
        for (_, kind) in columns.each().filter(|(_, kind)| kind.units() > 0) {
            let two = |off: &str, on: &str| vec![off.to_string(), on.to_string()];
            match kind {
                // Where Bernoulli units learn a category, each of its levels is a site.
                ColumnKind::Categorical { levels: each } if visible.is_bernoulli() => {
                    levels.extend(each.iter().map(|_| two("0", "1")));
                }
                ColumnKind::Categorical { levels: each } => levels.push(each.clone()),
                ColumnKind::Binary { off, on } => levels.push(two(off, on)),
                ColumnKind::Spin => levels.push(two("-1", "1")),
                _ => levels.push(two("0", "1")),
            }
        }
        let fit = levels.iter().map(Vec::len).eq(sites.levels().iter().copied());
        if !fit {
            return Err(Failure::new("the columns that the checkpoint names are not its visible units"));
        }
        Ok(Self { sites, levels })
    }

    /// Whether a level of a site is a gap.
    pub(crate) fn is_gap(&self, site: usize, level: usize) -> bool {
        GAPS.contains(&self.levels[site][level].as_str())
    }

    /// The letters that all sites have as their levels, if these are letters and the same everywhere.
    pub(crate) fn letters(&self) -> Option<Vec<char>> {
        let first = self.levels.first()?;
        let letter = |level: &String| Some(level.chars().next()?).filter(|_| level.chars().count() == 1);
        let same = self.levels.iter().all(|levels| levels == first);
        first.iter().map(letter).collect::<Option<Vec<char>>>().filter(|_| same)
    }

    /// The gaps among them.
    pub(crate) fn gaps() -> Vec<char> {
        GAPS.iter().flat_map(|gap| gap.chars()).collect()
    }
}

/// Whether units are sites with levels, as of categories and spins, and no pixels or numbers.
pub(crate) fn are_sites(units: &Units) -> bool {
    units.is_discrete() && !units.is_bernoulli()
}

/// Whether a net is one RBM on such sites, without labels.
pub(crate) fn is_on_sites(dbn: &Dbn) -> bool {
    dbn.depth() == 1 && dbn.classes() == 0 && are_sites(&dbn.top().layers().visible)
}

/// Levels of each site of discrete units.
pub(crate) fn levels(units: &Units) -> Vec<usize> {
    let of = |segment: &Segment| {
        let levels = if segment.units == UnitKind::Categorical { segment.levels } else { 2 };
        std::iter::repeat_n(levels, segment.sites)
    };
    units.segments().iter().flat_map(of).collect()
}

/// Log-likelihoods, in nats, of sequences whose sites are independent and have these log frequencies.
pub(crate) fn independent(frequencies: &[Vec<f64>], sequences: &Sequences) -> Vec<f64> {
    let of = |levels: &[Level]| -> f64 {
        levels.iter().zip(frequencies).map(|(&level, of_site)| of_site[usize::from(level)]).sum()
    };
    sequences.rows().map(of).collect()
}

/// The mean of a value of each sequence, as often as each weighs.
pub(crate) fn mean(values: &[f64], sequences: &Sequences) -> f64 {
    let sum: f64 = values.iter().zip(sequences.weights()).map(|(value, weight)| weight * value).sum();
    sum / sequences.weights().iter().sum::<f64>()
}

/// So many rows of the data at most, evenly spread.
pub(crate) fn spread(samples: &Split, most: usize) -> Vec<usize> {
    let n = samples.samples();
    let taken: BTreeSet<usize> = (0..most.min(n)).map(|k| k * n / most.min(n)).collect();
    taken.into_iter().collect()
}

/// Rows of the data as sequences with their weights. What is missing is the most probable level given the rest of its
/// sample; values between 0 and 1 count as the nearer one.
pub(crate) fn sequences(checkpoint: &Checkpoint, samples: &Split, taken: &[usize]) -> Result<Sequences> {
    let values = |rows: &[usize]| -> Result<Vec<f32>> {
        let batch = samples.batch(rows.iter().copied(), Binarize::None, 0)?;
        Ok(match samples.missing(rows) {
            None => batch.to_values(),
            Some(missing) => {
                let (how, choices) = (checkpoint.completing(), checkpoint.columns().choices());
                checkpoint.dbn.complete_choices(&batch, &missing.cells, &choices, &how)?.mean
            }
        })
    };
    read(&checkpoint.dbn.top().layers().visible, samples, taken, values)
}

/// Rows of the data as sequences with their weights, some at a time, as letters take far less memory than `values`, which
/// are those of the units in some rows.
pub(crate) fn read(
    units: &Units,
    samples: &Split,
    taken: &[usize],
    values: impl Fn(&[usize]) -> Result<Vec<f32>>,
) -> Result<Sequences> {
    let mut levels: Vec<Level> = Vec::with_capacity(taken.len() * units.sites());
    for rows in taken.chunks(ROWS) {
        let sequences = Sequences::of_values(units, &values(rows)?, None)?;
        for row in sequences.rows() {
            levels.extend_from_slice(row);
        }
    }
    let weights = taken.iter().map(|&sample| samples.weight(sample).map(f64::from)).collect();
    Ok(Sequences::new(units.sites(), levels, weights)?)
}
