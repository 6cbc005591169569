//! Equal letters of sequences of one length, for every pair of many.
//!
//! ```text
//! same(a, b) = number of sites i with a_i = b_i
//! neighbours(a) = number of rows b with same(a, b) >= least, a itself among them
//! ```
//!
//! Sequences lie in blocks of 64, a site's letters side by side, so that one letter is compared with 64 at once. A pair
//! is compared once. All is counted in whole numbers: the result is the same for any number of threads.

use rayon::prelude::*;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::simd::{Level, dispatch};

/// Sequences that are compared with one at once.
const LANES: usize = 64;

/// Sites that a byte counts without overflow.
const SITES: usize = 255;

/// A letter that is unknown: it is equal to none, not even to itself.
pub const UNKNOWN_LETTER: u8 = 255;

/// What stands for an unknown letter on the other side of a comparison, and for no sequence at all.
const OTHER: u8 = 254;

type Lanes<T> = [T; LANES];

/// Sequences in blocks, site by site.
#[derive(Clone, Debug)]
pub struct Sequences {
    sites: usize,
    rows: usize,
    /// Of each block the letters of every site.
    blocks: Vec<Lanes<u8>>,
}

impl Sequences {
    /// Of letters `[rows, sites]`, each below 254 or [`UNKNOWN_LETTER`].
    ///
    /// # Panics
    /// If there are no sites, or the letters do not fill whole rows.
    #[must_use]
    pub fn new(letters: &[u8], sites: usize) -> Self {
        assert!(sites > 0 && letters.len().is_multiple_of(sites), "{} letters of {sites} sites", letters.len());
        let blocks = Vec::with_capacity((letters.len() / sites).div_ceil(LANES) * sites);
        let mut sequences = Self { sites, rows: 0, blocks };
        letters.chunks_exact(sites).for_each(|row| sequences.push(row));
        sequences
    }

    /// Adds a row behind the others.
    fn push(&mut self, letters: &[u8]) {
        let (block, lane) = (self.rows / LANES * self.sites, self.rows % LANES);
        if lane == 0 {
            self.blocks.resize(block + self.sites, [OTHER; LANES]);
        }
        for (lanes, &letter) in self.blocks[block..].iter_mut().zip(letters) {
            lanes[lane] = if letter == UNKNOWN_LETTER { OTHER } else { letter };
        }
        self.rows += 1;
    }

    /// The cluster of each row of `letters`, from 0 in the order of their first rows. A row joins the first row of the
    /// cluster that it has the most letters in common with, the first of equals, if these are at least `least`; else
    /// it is the first of a cluster of its own.
    ///
    /// # Panics
    /// If there are no sites, or the letters do not fill whole rows.
    #[must_use]
    pub fn clusters(letters: &[u8], sites: usize, least: usize) -> Vec<u32> {
        let (level, mut firsts) = (Level::detect(), Self::new(&[], sites));
        assert!(letters.len().is_multiple_of(sites), "{} letters of {sites} sites", letters.len());
        let of = |row: &[u8]| match firsts.most_alike(level, row) {
            Some((cluster, same)) if usize::from(same) >= least => cluster as u32,
            _ => {
                firsts.push(row);
                firsts.rows as u32 - 1
            }
        };
        letters.chunks_exact(sites).map(of).collect()
    }

    /// The row with the most letters in common, the first of equals, and how many these are.
    fn most_alike(&self, level: Level, query: &[u8]) -> Option<(usize, u16)> {
        let mut best: Option<(usize, u16)> = None;
        for (place, block) in self.blocks.chunks_exact(self.sites).enumerate() {
            let mut same = [0u16; LANES];
            count(level, query, block, &mut same);
            for (row, &same) in (place * LANES..self.rows).zip(&same) {
                if best.is_none_or(|(_, most)| same > most) {
                    best = Some((row, same));
                }
            }
        }
        best
    }

    /// Of each row of the same letters how many have at least `least` letters in common with it, itself counted.
    ///
    /// # Panics
    /// If `letters` are not those that these were made of.
    #[must_use]
    pub fn neighbours(&self, letters: &[u8], least: usize) -> Vec<u32> {
        assert_eq!(letters.len(), self.rows * self.sites, "the letters are others");
        let (level, least) = (Level::detect(), u16::try_from(least).unwrap_or(u16::MAX));
        let counts: Vec<AtomicU32> = (0..self.rows).map(|_| AtomicU32::new(1)).collect();
        let row = |row: usize| &letters[row * self.sites..][..self.sites];
        // The last blocks have the most rows before them.
        self.blocks.par_chunks(self.sites).enumerate().rev().for_each(|(place, block)| {
            let first = place * LANES;
            // The lanes behind the last row are of none.
            let lanes = LANES.min(self.rows - first);
            let mut hits = [0u32; LANES];
            for before in 0..first {
                let near = near(level, row(before), block, least, &mut hits[..lanes]);
                if near > 0 {
                    counts[before].fetch_add(near, Ordering::Relaxed);
                }
            }
            for own in first..first + lanes {
                let mut with = [0u32; LANES];
                near(level, row(own), block, least, &mut with[..lanes]);
                with[own - first] = 0;
                counts[own].fetch_add(with.iter().sum(), Ordering::Relaxed);
            }
            for (count, hits) in counts[first..].iter().zip(hits) {
                count.fetch_add(hits, Ordering::Relaxed);
            }
        });
        counts.into_iter().map(AtomicU32::into_inner).collect()
    }

    /// For each of other sequences `[queries, sites]` the row with the most letters in common, the first of equals, and
    /// how many these are. Nothing where there are no rows.
    ///
    /// # Panics
    /// If the letters do not fill whole rows.
    #[must_use]
    pub fn nearest(&self, queries: &[u8]) -> Vec<(usize, usize)> {
        assert!(queries.len().is_multiple_of(self.sites), "{} letters of {} sites", queries.len(), self.sites);
        if self.rows == 0 {
            return Vec::new();
        }
        let level = Level::detect();
        let of = |query: &[u8]| self.most_alike(level, query).map_or((0, 0), |(row, same)| (row, same.into()));
        queries.par_chunks_exact(self.sites).map(of).collect()
    }
}

/// How many of the lanes that `hits` has have at least `least` letters in common with a sequence; each is counted there.
fn near(level: Level, sequence: &[u8], block: &[Lanes<u8>], least: u16, hits: &mut [u32]) -> u32 {
    let mut same = [0u16; LANES];
    count(level, sequence, block, &mut same);
    if same.iter().all(|&same| same < least) {
        return 0;
    }
    let mut near = 0;
    for (hits, same) in hits.iter_mut().zip(same) {
        let hit = u32::from(same >= least);
        (*hits, near) = (*hits + hit, near + hit);
    }
    near
}

dispatch! {
    /// Letters that each lane has in common with a sequence.
    fn count(sequence: &[u8], block: &[Lanes<u8>], same: &mut Lanes<u16>) {
        for (letters, lanes) in sequence.chunks(SITES).zip(block.chunks(SITES)) {
            let mut part = [0u8; LANES];
            for (letter, lanes) in letters.iter().zip(lanes) {
                for i in 0..LANES {
                    part[i] += u8::from(lanes[i] == *letter);
                }
            }
            for i in 0..LANES {
                same[i] += u16::from(part[i]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Stream, Uniforms};

    /// Letters of families: each sequence is one of a few, with some sites drawn again, and a few unknown.
    fn letters(rows: usize, sites: usize) -> Vec<u8> {
        let draw = Uniforms::new(7, Stream::User, 0);
        let at = |row: usize, site: usize, of: f32| (draw.at(row as u32, site as u32) * of) as u8;
        let mut letters = Vec::new();
        for row in 0..rows {
            for site in 0..sites {
                letters.push(match at(row, site, 100.0) {
                    0 => UNKNOWN_LETTER,
                    1..20 => at(row, site + sites, 21.0),
                    _ => at(rows + row % 5, site, 21.0),
                });
            }
        }
        letters
    }

    fn same(a: &[u8], b: &[u8]) -> usize {
        a.iter().zip(b).filter(|(a, b)| a == b && **a != UNKNOWN_LETTER).count()
    }

    /// Pair by pair, over the ends of blocks and of what a byte counts, with one thread and with more.
    #[test]
    fn neighbours_are_those_that_pairs_say() {
        for (rows, sites) in [(1, 1), (63, 7), (130, 53), (200, 300), (64, 700)] {
            let letters = letters(rows, sites);
            let row = |row: usize| &letters[row * sites..][..sites];
            for least in [0, sites / 2, sites * 7 / 10, sites] {
                let near = |a: usize| (0..rows).filter(|&b| a == b || same(row(a), row(b)) >= least).count() as u32;
                let expected: Vec<u32> = (0..rows).map(near).collect();
                let of = |threads| {
                    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
                    pool.install(|| Sequences::new(&letters, sites).neighbours(&letters, least))
                };
                assert_eq!(of(1), expected, "{rows} rows of {sites}, at least {least}");
                assert_eq!(of(3), expected);
            }
        }
    }

    #[test]
    fn the_nearest_is_the_first_of_the_most_alike() {
        let (sites, all) = (53, letters(150, 53));
        let (queries, rows) = all.split_at(40 * sites);
        let found = Sequences::new(rows, sites).nearest(queries);
        for (query, &(row, most)) in queries.chunks(sites).zip(&found) {
            let each: Vec<usize> = rows.chunks(sites).map(|row| same(query, row)).collect();
            assert_eq!(most, *each.iter().max().unwrap());
            assert_eq!(row, each.iter().position(|&same| same == most).unwrap());
        }
        assert!(Sequences::new(&[], 3).nearest(&[1, 2, 3]).is_empty());
    }

    #[test]
    fn clusters_are_those_that_pairs_say() {
        for (rows, sites) in [(1, 1), (300, 7), (200, 53), (130, 300)] {
            let letters = letters(rows, sites);
            let row = |row: usize| &letters[row * sites..][..sites];
            for least in [1, sites / 3 + 1, sites * 7 / 10 + 1, sites] {
                let (mut firsts, mut expected) = (Vec::<usize>::new(), Vec::new());
                for a in 0..rows {
                    let alike = firsts.iter().map(|&first| same(row(a), row(first)));
                    let most = alike.clone().max().filter(|&most| most >= least);
                    let cluster = most.and_then(|most| alike.clone().position(|same| same == most));
                    expected.push(cluster.unwrap_or(firsts.len()) as u32);
                    if cluster.is_none() {
                        firsts.push(a);
                    }
                }
                assert_eq!(Sequences::clusters(&letters, sites, least), expected, "{rows} rows of {sites}, {least}");
            }
        }
        assert!(Sequences::clusters(&[], 3, 1).is_empty());
    }

    /// 40,000 x 100, as asked of it: `cargo test --release -p deepbelief-kernels speed_of_neighbours -- --ignored --nocapture`.
    #[test]
    #[ignore = "a measurement"]
    #[expect(clippy::print_stdout, reason = "a measurement is printed")]
    fn speed_of_neighbours() {
        let letters = letters(40_000, 100);
        for threads in [1, 2] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let began = std::time::Instant::now();
            let counts = pool.install(|| Sequences::new(&letters, 100).neighbours(&letters, 80));
            let sum: u64 = counts.iter().map(|&n| u64::from(n)).sum();
            println!("{threads} threads: {:.2?}, {sum} neighbours", began.elapsed());
        }
    }
}
