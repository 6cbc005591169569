//! Pairs of sites ranked by their couplings, and how many of the first are contacts of a structure.

use crate::couplings::{Couplings, pairs};
use crate::structure::Distances;
use serde::Serialize;

/// A pair of sites and how strongly they are coupled.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Pair {
    /// The first site, from 0.
    pub i: usize,
    /// The second one, after it.
    pub j: usize,
    /// The norm less what its two sites have with all others; what pairs are ranked by.
    pub score: f64,
    /// The Frobenius norm of the couplings, in nats.
    pub norm: f64,
}

/// Scores of norms of all pairs i < j, less the average product: `F_ij - F_i. F_.j / F_..`, with means over the pairs of a
/// site and over all (Dunn, Wahl & Gloor 2008).
#[must_use]
pub fn average_product_corrected(sites: usize, norms: &[f64]) -> Vec<f64> {
    let mut means = vec![0.0; sites];
    for ((i, j), norm) in pairs(sites).zip(norms) {
        means[i] += norm / (sites.max(2) - 1) as f64;
        means[j] += norm / (sites.max(2) - 1) as f64;
    }
    let mean = norms.iter().sum::<f64>() / norms.len().max(1) as f64;
    let product = |i: usize, j: usize| if mean > 0.0 { means[i] * means[j] / mean } else { 0.0 };
    pairs(sites).zip(norms).map(|((i, j), norm)| norm - product(i, j)).collect()
}

/// All pairs of sites at least `separation` apart, those of the highest score first. Norms are of levels that
/// `counts(site, level)` says.
#[must_use]
pub fn ranked(couplings: &Couplings, separation: usize, counts: impl Fn(usize, usize) -> bool) -> Vec<Pair> {
    let norms = couplings.norms(counts);
    let scores = average_product_corrected(couplings.sites(), &norms);
    let each = pairs(couplings.sites()).zip(norms).zip(scores);
    let mut ranked: Vec<Pair> = each.map(|(((i, j), norm), score)| Pair { i, j, score, norm }).collect();
    ranked.retain(|pair| pair.j - pair.i >= separation);
    ranked.sort_by(|a, b| b.score.total_cmp(&a.score));
    ranked
}

/// How many of the first pairs are contacts.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Predictive {
    /// So many of the first pairs whose distance is known.
    pub first: usize,
    /// Those of them that are contacts.
    pub contacts: usize,
    /// The share of the latter: the positive predictive value.
    pub value: f64,
}

/// The positive predictive values of the first pairs, in numbers `first` of pairs whose distance is known; a pair below
/// `limit`, in Å, is a contact. Numbers beyond the last pair are left out.
#[must_use]
pub fn predictive(ranked: &[Pair], distances: &Distances, limit: f64, first: &[usize]) -> Vec<Predictive> {
    let known = ranked.iter().filter_map(|pair| distances.between(pair.i, pair.j));
    let contacts: Vec<bool> = known.map(|distance| distance < limit).collect();
    let fits = first.iter().filter(|&&first| (1..=contacts.len()).contains(&first));
    fits.map(|&first| {
        let found = contacts[..first].iter().filter(|&&contact| contact).count();
        Predictive { first, contacts: found, value: found as f64 / first as f64 }
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of a matrix of a product form nothing is left, and what stands out of it alone is.
    #[test]
    fn what_two_sites_have_with_all_others_is_taken_away() {
        let f = [1.0, 2.0, 3.0, 4.0];
        let norms: Vec<f64> = pairs(4).map(|(i, j)| if (i, j) == (1, 3) { 20.0 } else { f[i] + f[j] }).collect();
        let scores = average_product_corrected(4, &norms);
        // Means of the sites by hand: 12/3, 28/3, 16/3, 32/3; of all 44/6.
        let by_hand = |i: usize, j: usize| {
            [4.0, 28.0 / 3.0, 16.0 / 3.0, 32.0 / 3.0][i] * [4.0, 28.0 / 3.0, 16.0 / 3.0, 32.0 / 3.0][j] / (44.0 / 6.0)
        };
        for (((i, j), norm), score) in pairs(4).zip(&norms).zip(&scores) {
            assert!((score - (norm - by_hand(i, j))).abs() < 1e-12, "{i} {j}");
        }
        let best = pairs(4).zip(&scores).max_by(|a, b| a.1.total_cmp(b.1));
        assert_eq!(best.map(|(pair, _)| pair), Some((1, 3)));
        assert_eq!(average_product_corrected(3, &[0.0; 3]), [0.0; 3]);
    }

    #[test]
    fn contacts_among_the_first_pairs_whose_distance_is_known_are_counted() {
        let pair = |i, j, score| Pair { i, j, score, norm: score };
        let ranked = [pair(0, 5, 9.0), pair(1, 7, 8.0), pair(2, 9, 7.0), pair(0, 8, 1.0)];
        let distances = Distances::new(10, [(0, 5, 7.9), (2, 9, 8.0), (0, 8, 3.0)]).unwrap();
        let found = predictive(&ranked, &distances, 8.0, &[1, 2, 3, 4]);
        let shares: Vec<(usize, usize)> = found.iter().map(|found| (found.first, found.contacts)).collect();
        assert_eq!(shares, [(1, 1), (2, 1), (3, 2)]);
        assert!((found[2].value - 2.0 / 3.0).abs() < 1e-15);
    }
}
