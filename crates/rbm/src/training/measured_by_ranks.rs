//! Measurements of an epoch that ranks make together: the same for any number of them.
//!
//! The samples are cut into pieces of [`PIECE`]. A rank measures its own, and every rank adds all of them up in their
//! order.

use crate::error::Result;
use deepbelief_kernels::{Batch, Engine, Measures, Share, Uniforms};
use deepbelief_ranks::Group;

/// Samples that are measured at a time.
const PIECE: usize = 256;

/// [`Engine::measure`] of samples, with their labels and weights, by all ranks.
pub(crate) fn measures_by_ranks<E: Engine>(
    rbm: &mut E,
    group: &dyn Group,
    samples: &Batch,
    (labels, weights): (&[u32], &[f32]),
    draw: Uniforms,
) -> Result<Measures> {
    let (rows, ranks) = (samples.rows(), group.size());
    if rows <= PIECE {
        return Ok(rbm.measure(samples, labels, weights, draw)?);
    }
    let mut own = Vec::new();
    for rows in (Share { piece: PIECE, rank: group.rank(), ranks }).of(rows) {
        let of = |weights: &[f32]| weights[rows.clone()].iter().map(|&weight| f64::from(weight)).sum();
        let weight: f64 = if weights.is_empty() { rows.len() as f64 } else { of(weights) };
        let labels = if labels.is_empty() { labels } else { &labels[rows.clone()] };
        let weights = if weights.is_empty() { weights } else { &weights[rows.clone()] };
        let found = rbm.measure(&samples.slice(rows.clone()), labels, weights, draw.from_row(rows.start as u32))?;
        own.extend(to_numbers(weight, &found).flat_map(f64::to_ne_bytes));
    }
    let all = group.gather(&own).map_err(deepbelief_training::Error::from)?;
    let numbers: Vec<Vec<f64>> =
        all.iter().map(|bytes| bytes.as_chunks().0.iter().map(|x| f64::from_ne_bytes(*x)).collect()).collect();
    let pieces = rows.div_ceil(PIECE);
    // Rank 0 has the first piece.
    let width = numbers[0].len() / pieces.div_ceil(ranks);
    let pieces = (0..pieces).map(|index| &numbers[index % ranks][index / ranks * width..][..width]);
    Ok(together(pieces, rbm.hidden(), rbm.classes() > 0))
}

/// Numbers of a piece before those of its hidden units.
const FIRST: usize = 4;

/// What the samples of a piece weigh, and their measures.
fn to_numbers(weight: f64, measures: &Measures) -> impl Iterator<Item = f64> {
    let Measures { free_energy, reconstruction_cost, activity, spread, label_error } = measures;
    let first: [f64; FIRST] = [weight, *free_energy, *reconstruction_cost, label_error.unwrap_or_default()];
    first.into_iter().chain(activity.iter().chain(spread).copied())
}

/// The measures of all samples, from those of their pieces.
fn together<'a>(pieces: impl Iterator<Item = &'a [f64]>, hidden: usize, labelled: bool) -> Measures {
    let (mut total, mut sums, mut squares) = (0.0, vec![0.0; FIRST + hidden], Vec::new());
    for numbers in pieces {
        let weight = numbers[0];
        let (means, spread) = numbers.split_at(FIRST + hidden);
        total += weight;
        sums.iter_mut().zip(means).for_each(|(sum, mean)| *sum += weight * mean);
        squares.resize(spread.len(), 0.0);
        let of_units = spread.iter().zip(&means[FIRST..]);
        squares
            .iter_mut()
            .zip(of_units)
            .for_each(|(sum, (spread, mean))| *sum += weight * (spread * spread + mean * mean));
    }
    let total = f64::max(total, f64::MIN_POSITIVE);
    let means: Vec<f64> = sums.iter().map(|sum| sum / total).collect();
    let activity = means[FIRST..].to_vec();
    let spread = squares.iter().zip(&activity).map(|(square, mean)| (square / total - mean * mean).max(0.0).sqrt());
    Measures {
        free_energy: means[1],
        reconstruction_cost: means[2],
        spread: spread.collect(),
        activity,
        label_error: labelled.then_some(means[3]),
    }
}
