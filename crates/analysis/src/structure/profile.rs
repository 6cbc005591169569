//! Lays a chain on the sites of a model by the letters that these have in the data.
//!
//! The best local alignment of the chain's letters with the sites (Smith & Waterman 1981; Gotoh 1982), where letter a at
//! site i scores `ln f_i(a) / f(a)`, with f the frequencies among letters that are no gaps: those of the site over those of
//! all. Gaps in either cost what profile models of protein families take.

use crate::sites::Sequences;

/// Nats that opening a gap costs, and each of its places.
const OPEN: f64 = 4.5;
const EXTEND: f64 = 0.7;

/// Share of the overall frequencies in those of a site, so that a letter it never has is not impossible.
const PRIOR: f64 = 0.05;

/// The letters of the sites.
#[derive(Clone, Debug)]
pub struct Profile {
    letters: Vec<char>,
    /// Log odds [sites][letters], in nats.
    scores: Vec<Vec<f64>>,
    /// The most frequent letter of each site.
    usual: Vec<char>,
}

/// A chain laid on sites.
#[derive(Clone, Debug, PartialEq)]
pub struct Laid {
    /// The residue, from 0, of every site; none where the alignment has a gap.
    pub of_site: Vec<Option<usize>>,
    /// Nats by which the letters are more probable at these sites than anywhere.
    pub score: f64,
    /// Sites whose residue has the most frequent letter of the data.
    pub identical: usize,
}

impl Laid {
    /// Sites that have a residue.
    #[must_use]
    pub fn sites(&self) -> usize {
        self.of_site.iter().flatten().count()
    }
}

/// The place before the one at hand, in the best path to it.
#[derive(Clone, Copy, PartialEq)]
enum From {
    Start,
    Match,
    Site,
    Residue,
}

impl Profile {
    /// Of sequences whose levels are `letters`; those of `gaps` are gaps.
    #[must_use]
    pub fn new(sequences: &Sequences, letters: &[char], gaps: &[char]) -> Self {
        let q = letters.len();
        let mut counts = vec![vec![0.0f64; q]; sequences.sites()];
        for (row, weight) in sequences.rows().zip(sequences.weights()) {
            for (counts, &level) in counts.iter_mut().zip(row) {
                let level = usize::from(level);
                if level < q && !gaps.contains(&letters[level]) {
                    counts[level] += weight;
                }
            }
        }
        let all: Vec<f64> = (0..q).map(|level| counts.iter().map(|counts| counts[level]).sum()).collect();
        let total: f64 = all.iter().sum();
        let log_odds = |counts: &Vec<f64>| {
            let here: f64 = counts.iter().sum();
            let odds = |(count, all): (&f64, &f64)| {
                let expected = all / total;
                // What is nowhere in the data says nothing.
                let known = here > 0.0 && expected > 0.0;
                if known { libm::log((1.0 - PRIOR) * count / here / expected + PRIOR) } else { 0.0 }
            };
            counts.iter().zip(&all).map(odds).collect()
        };
        let most = |counts: &Vec<f64>| {
            let best = (0..q).max_by(|&a, &b| counts[a].total_cmp(&counts[b]).then(b.cmp(&a))).unwrap_or(0);
            letters[best]
        };
        let (scores, usual) = (counts.iter().map(log_odds).collect(), counts.iter().map(most).collect());
        Self { letters: letters.to_vec(), scores, usual }
    }

    fn score(&self, site: usize, letter: char) -> f64 {
        let level = self.letters.iter().position(|&known| known == letter.to_ascii_uppercase());
        level.map_or(0.0, |level| self.scores[site][level])
    }

    /// Lays the letters of a chain on the sites.
    #[must_use]
    pub fn lay(&self, chain: &[char]) -> Laid {
        let (rows, columns) = (self.scores.len(), chain.len());
        let at = |i: usize, k: usize| i * (columns + 1) + k;
        let low = f64::NEG_INFINITY;
        let size = (rows + 1) * (columns + 1);
        // Best paths that end with a match, with a site without a residue, with a residue without a site.
        let (mut matched, mut site, mut residue) = (vec![low; size], vec![low; size], vec![low; size]);
        let mut from = vec![[From::Start; 3]; size];
        let mut best = (0.0, None);
        for i in 1..=rows {
            for k in 1..=columns {
                let (here, before) = (at(i, k), at(i - 1, k - 1));
                let ways = [
                    (0.0, From::Start),
                    (matched[before], From::Match),
                    (site[before], From::Site),
                    (residue[before], From::Residue),
                ];
                let (score, way) = highest(&ways);
                matched[here] = score + self.score(i - 1, chain[k - 1]);
                let (above, left) = (at(i - 1, k), at(i, k - 1));
                let (without_residue, way_site) =
                    highest(&[(matched[above] - OPEN, From::Match), (site[above] - EXTEND, From::Site)]);
                let (without_site, way_residue) =
                    highest(&[(matched[left] - OPEN, From::Match), (residue[left] - EXTEND, From::Residue)]);
                (site[here], residue[here]) = (without_residue, without_site);
                from[here] = [way, way_site, way_residue];
                if matched[here] > best.0 {
                    best = (matched[here], Some((i, k)));
                }
            }
        }
        let mut of_site = vec![None; rows];
        let (mut place, mut state) = (best.1, From::Match);
        while let Some((i, k)) = place {
            let ways = from[at(i, k)];
            (state, place) = match state {
                From::Match => {
                    of_site[i - 1] = Some(k - 1);
                    (ways[0], Some((i - 1, k - 1)))
                }
                From::Site => (ways[1], Some((i - 1, k))),
                _ => (ways[2], Some((i, k - 1))),
            };
            if state == From::Start {
                break;
            }
        }
        Laid { score: best.0, ..self.lies(chain, of_site) }
    }

    /// A chain of which it is known which residue lies on each site. Gaps cost its score nothing.
    ///
    /// # Panics
    /// If a residue is beyond the chain, or there are more places than sites.
    #[must_use]
    pub fn lies(&self, chain: &[char], of_site: Vec<Option<usize>>) -> Laid {
        let on = || of_site.iter().enumerate().filter_map(|(site, residue)| Some((site, chain[(*residue)?])));
        let score = on().map(|(site, letter)| self.score(site, letter)).sum();
        let identical = on().filter(|(site, letter)| letter.eq_ignore_ascii_case(&self.usual[*site])).count();
        Laid { of_site, score, identical }
    }
}

/// The highest of some scores, and the way to it.
fn highest(ways: &[(f64, From)]) -> (f64, From) {
    ways.iter().copied().fold((f64::NEG_INFINITY, From::Start), |best, way| if way.0 > best.0 { way } else { best })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sites::Level;

    const LETTERS: &str = "ACDEFGHIKLMNPQRSTVWY-";

    fn profile(rows: &[&str]) -> Profile {
        let letters: Vec<char> = LETTERS.chars().collect();
        let level = |c: char| letters.iter().position(|&letter| letter == c).unwrap() as Level;
        let levels = rows.iter().flat_map(|row| row.chars().map(level)).collect();
        Profile::new(&Sequences::new(rows[0].len(), levels, None).unwrap(), &letters, &['-'])
    }

    fn laid(profile: &Profile, chain: &str) -> Laid {
        profile.lay(&chain.chars().collect::<Vec<_>>())
    }

    /// What stands before and behind is passed over, an insertion and a missing part are found, and letters that the data
    /// do not have there do not move the others.
    #[test]
    fn a_chain_finds_its_sites() {
        let profile = profile(&["MKWVTFISLLHCDRPYQEGN", "MKWVTFISLLHCDRPYQEGN", "MRWVTFLSLLHC-RPYQDGN"]);
        let plain = laid(&profile, "GGMKWVTFISLLHCDRPYQEGNAA");
        assert_eq!(plain.of_site, (0..20).map(|site| Some(site + 2)).collect::<Vec<_>>());
        assert_eq!((plain.sites(), plain.identical), (20, 20));
        let inserted = laid(&profile, "MKWVTFISLLGGGHCDRPYQEGN");
        assert_eq!(inserted.of_site[9..12], [Some(9), Some(13), Some(14)]);
        let cut = laid(&profile, "MKWVTFISLLCDRPYQEGN");
        assert_eq!(cut.of_site[9..12], [Some(9), None, Some(10)]);
        assert_eq!(cut.sites(), 19);
        let changed = laid(&profile, "MKWVAFISLLHCDXPYQEGN");
        assert_eq!((changed.sites(), changed.identical), (20, 18));
        assert!(plain.score > changed.score && changed.score > 20.0);
        let none = laid(&profile, "AAAAAA");
        assert!(none.score < 5.0, "{}", none.score);
        assert_eq!(laid(&profile, "").sites(), 0);
    }
}
