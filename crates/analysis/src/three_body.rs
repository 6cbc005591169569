//! Effective couplings of three sites: what they have beyond their pairs.
//!
//! With all other sites as in a sequence v, the third difference of the free energy
//!
//! ```text
//! L_ijk(a, b, c | v) = -F(v with v_i = a, v_j = b, v_k = c)
//! J_ijk(a, b, c) = <(1 - mean_a) (1 - mean_b) (1 - mean_c) L_ijk(a, b, c)>
//! ```
//!
//! is in the zero-sum gauge: its mean over the levels of any of the three sites is 0. It is averaged over the sequences of the
//! data as that of pairs is (`couplings`). Of sites of two levels it is one number, `J_ijk(a, b, c) = J s_a s_b s_c` with
//! s 1 at the second level and -1 at the first: the coupling of three spins, whose energy is `- J s s' s''`.

use crate::couplings::{Background, pairs};
use crate::error::{Error, Result};
use crate::sites::{Sequences, Sites};
use rayon::prelude::*;
use serde::Serialize;
use std::collections::BTreeSet;

/// Three sites and how strongly they are coupled beyond their pairs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Triple {
    /// The sites, from 0, in ascending order where [`strongest`] made them.
    pub sites: [usize; 3],
    /// The Frobenius norm of `J_ijk`, in nats.
    pub norm: f64,
    /// `J` of three spins, in nats; none where a site has other than two levels.
    pub coupling: Option<f64>,
}

/// Couplings `J_ijk` of three different sites each, [levels of i, levels of j, levels of k], in the zero-sum gauge, in nats.
///
/// # Errors
/// [`Error::Setting`] for sites that are not three different ones; if the sequences do not fit the model, or candle refuses an
/// operation.
pub fn of_three(sites: &Sites, sequences: &Sequences, triples: &[[usize; 3]]) -> Result<Vec<Vec<f64>>> {
    blocks(sites, sequences, triples, |_, block| block)
}

/// Triples by their norms, the strongest first. Norms are of the levels that `counts(site, level)` says; the gauge is that
/// of all levels.
///
/// # Errors
/// As [`of_three`].
pub fn strongest(
    sites: &Sites,
    sequences: &Sequences,
    triples: &[[usize; 3]],
    counts: impl Fn(usize, usize) -> bool + Sync,
) -> Result<Vec<Triple>> {
    let summed = |triple: [usize; 3], block: Vec<f64>| {
        let q = triple.map(|site| sites.levels()[site]);
        let counted = |at: usize| {
            let levels = [at / (q[1] * q[2]), at / q[2] % q[1], at % q[2]];
            triple.iter().zip(levels).all(|(&site, level)| counts(site, level))
        };
        let squares = block.iter().enumerate().filter(|&(at, _)| counted(at)).map(|(_, x)| x * x);
        let coupling = (q == [2; 3]).then(|| block[7]);
        Triple { sites: triple, norm: squares.sum::<f64>().sqrt(), coupling }
    };
    let mut found = blocks(sites, sequences, triples, summed)?;
    found.sort_by(|a, b| b.norm.total_cmp(&a.norm).then(a.sites.cmp(&b.sites)));
    Ok(found)
}

/// Three sites each, in ascending order, of which at least two pairs are among those given: three sites that are coupled
/// beyond their pairs are seldom coupled in none of them.
#[must_use]
pub fn joined_by(sites: usize, given: &[(usize, usize)]) -> Vec<[usize; 3]> {
    let mut neighbours = vec![BTreeSet::new(); sites];
    for &(i, j) in given {
        neighbours[i].insert(j);
        neighbours[j].insert(i);
    }
    let mut found = BTreeSet::new();
    for (middle, ends) in neighbours.iter().enumerate() {
        let ends: Vec<usize> = ends.iter().copied().collect();
        for (a, b) in pairs(ends.len()) {
            let mut triple = [middle, ends[a], ends[b]];
            triple.sort_unstable();
            found.insert(triple);
        }
    }
    found.into_iter().collect()
}

/// What `of` makes of each triple and its block.
fn blocks<T: Send>(
    sites: &Sites,
    sequences: &Sequences,
    triples: &[[usize; 3]],
    of: impl Fn([usize; 3], Vec<f64>) -> T + Sync,
) -> Result<Vec<T>> {
    let fits = |&[i, j, k]: &[usize; 3]| i != j && j != k && i != k && i.max(j).max(k) < sites.count();
    if let Some(triple) = triples.iter().find(|triple| !fits(triple)) {
        let expected = format!("three different sites below {}", sites.count());
        return Err(Error::Setting { name: "three sites", got: format!("{triple:?} (from 0)"), expected });
    }
    let by_site = sequences.by_site();
    let (background, curves) = Background::new(sites, sequences, &by_site, 3)?;
    let block = |&triple: &[usize; 3]| {
        let mut block = background.block(&curves, triple);
        to_zero_sum(&mut block, triple.map(|site| sites.levels()[site]));
        of(triple, block)
    };
    Ok(triples.par_iter().map(block).collect())
}

/// Takes from a block the mean over each of its three axes.
fn to_zero_sum(block: &mut [f64], [p, q, r]: [usize; 3]) {
    for (levels, stride) in [(p, q * r), (q, r), (r, 1)] {
        for start in (0..block.len()).filter(|at| at / stride % levels == 0) {
            let along = || (0..levels).map(|level| start + level * stride);
            let mean = along().map(|at| block[at]).sum::<f64>() / levels as f64;
            along().for_each(|at| block[at] -= mean);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of a sum of functions of two of the three levels nothing is left.
    #[test]
    fn pairs_leave_nothing_to_triples() {
        let (p, q, r) = (2, 3, 4);
        let mut block: Vec<f64> = (0..p * q * r)
            .map(|at| (at / (q * r), at / r % q, at % r))
            .map(|(a, b, c)| (a * 7 + b * b * 3 + 1) as f64 + (b * c * c) as f64 - (a * c + c) as f64)
            .collect();
        to_zero_sum(&mut block, [p, q, r]);
        assert!(block.iter().all(|x| x.abs() < 1e-12));
        let mut block: Vec<f64> = (0..8u32).map(|at| f64::from(at.count_ones() % 2)).collect();
        to_zero_sum(&mut block, [2; 3]);
        assert_eq!(block, (0..8u32).map(|at| f64::from(at.count_ones() % 2) - 0.5).collect::<Vec<_>>());
    }

    #[test]
    fn triples_have_two_of_the_pairs() {
        assert_eq!(joined_by(6, &[(0, 1), (1, 4), (3, 4)]), [[0, 1, 4], [1, 3, 4]]);
        let all: Vec<(usize, usize)> = pairs(6).collect();
        assert_eq!(joined_by(6, &all).len(), 20);
    }
}
