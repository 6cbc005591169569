//! Mutants of a sequence, and what a model makes of them.
//!
//! A mutant scores `ln p(mutant) - ln p(wild type) = F(wild type) - F(mutant)`, in nats: no ln Z is needed. Beside it stands
//! what sites that are independent make of it, the sum over its substitutions of `ln f_i(b) / f_i(a)` of the frequencies in
//! the data (Hopf et al. 2017).

use crate::error::{Error, Result};
use crate::sites::{Level, Sequences, Sites};
use std::fmt;
use std::str::FromStr;

/// One letter instead of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Substitution {
    /// The letter of the wild type.
    pub from: char,
    /// The number of its residue.
    pub position: i64,
    /// The letter of the mutant.
    pub to: char,
}

impl fmt::Display for Substitution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}{}", self.from, self.position, self.to)
    }
}

/// A mutant: one or more substitutions, as text `H24A` or `H24A:E26K`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Mutant(pub Vec<Substitution>);

impl fmt::Display for Mutant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, substitution) in self.0.iter().enumerate() {
            write!(f, "{}{substitution}", if at == 0 { "" } else { ":" })?;
        }
        Ok(())
    }
}

impl FromStr for Mutant {
    type Err = Error;

    /// Substitutions are apart by `:`, `;`, `,`, `+`, `/` or blanks.
    fn from_str(text: &str) -> Result<Self> {
        let substitution = |text: &str| {
            let mut letters = text.chars();
            let (from, to) = (letters.next()?, letters.next_back()?);
            let position = letters.as_str().parse().ok()?;
            (!from.is_ascii_digit() && !to.is_ascii_digit()).then_some(Substitution { from, position, to })
        };
        let parts = text.split(|c: char| c.is_whitespace() || ":;,+/".contains(c)).filter(|part| !part.is_empty());
        let mutant: Option<Vec<Substitution>> = parts.map(substitution).collect();
        mutant.filter(|mutant| !mutant.is_empty()).map(Self).ok_or_else(|| Error::Setting {
            name: "a mutant",
            got: format!("'{text}'"),
            expected: "letter, number and letter, such as H24A, several with colons: H24A:E26K".into(),
        })
    }
}

/// The sequence whose mutants are scored, laid on the sites of a model.
#[derive(Clone, Debug, PartialEq)]
pub struct WildType {
    /// The level of each site.
    pub levels: Vec<Level>,
    /// The number of each site's residue; none where it has a gap.
    pub positions: Vec<Option<i64>>,
    /// Letters of the levels.
    letters: Vec<char>,
    /// Number and letter of every residue, on a site or not.
    residues: Vec<(i64, char)>,
}

impl WildType {
    /// A sequence that is aligned already, a letter or gap a site; its residues are numbered from `offset` + 1.
    ///
    /// # Errors
    /// [`Error::Count`] for another number of letters than sites, [`Error::Setting`] for a letter that the sites have not.
    pub fn aligned(sequence: &str, sites: usize, letters: &[char], gaps: &[char], offset: i64) -> Result<Self> {
        let sequence: Vec<char> = sequence.chars().map(|c| c.to_ascii_uppercase()).collect();
        if sequence.len() != sites {
            let expected = format!("{sites}, one a site");
            return Err(Error::Count { what: "letters of the wild type", got: sequence.len(), expected });
        }
        let (mut levels, mut positions, mut residues) = (Vec::new(), Vec::new(), Vec::new());
        for &letter in &sequence {
            levels.push(level(letters, letter)?);
            let is_gap = gaps.contains(&letter);
            let position = offset + residues.len() as i64 + 1;
            positions.push((!is_gap).then_some(position));
            residues.extend((!is_gap).then_some((position, letter)));
        }
        Ok(Self { levels, positions, letters: letters.to_vec(), residues })
    }

    /// A sequence without gaps of which it is known which residue, from 0, lies on each site; sites without one have the
    /// gap. Residues are numbered from `offset` + 1, those on no site too.
    ///
    /// # Errors
    /// [`Error::Count`] for a residue beyond the sequence, [`Error::Setting`] for a letter that the sites have not, or where a
    /// site has no residue and the sites no gap.
    pub fn on_sites(
        sequence: &str,
        of_site: &[Option<usize>],
        letters: &[char],
        gaps: &[char],
        offset: i64,
    ) -> Result<Self> {
        let sequence: Vec<char> = sequence.chars().map(|c| c.to_ascii_uppercase()).collect();
        if let Some(k) = of_site.iter().flatten().find(|k| **k >= sequence.len()) {
            let expected = format!("above {k}, a residue that lies on a site");
            return Err(Error::Count { what: "letters of the wild type", got: sequence.len(), expected });
        }
        let gap = || letters.iter().position(|letter| gaps.contains(letter)).map(|level| level as Level);
        let mut levels = Vec::new();
        for (site, residue) in of_site.iter().enumerate() {
            levels.push(match residue {
                Some(k) => level(letters, sequence[*k])?,
                None => gap().ok_or_else(|| Error::Setting {
                    name: "the wild type",
                    got: format!("without a residue at site {}", site + 1),
                    expected: "a sequence that has a residue at every site, since the model has no gap".into(),
                })?,
            });
        }
        let position = |k: usize| offset + k as i64 + 1;
        let positions = of_site.iter().map(|residue| residue.map(position)).collect();
        let residues = sequence.iter().enumerate().map(|(k, &letter)| (position(k), letter)).collect();
        Ok(Self { levels, positions, letters: letters.to_vec(), residues })
    }

    /// The letter of a site's level.
    #[must_use]
    pub fn letter(&self, site: usize) -> char {
        self.letters[usize::from(self.levels[site])]
    }

    /// All single substitutions by letters that are no gaps, by site.
    #[must_use]
    pub fn singles(&self, gaps: &[char]) -> Vec<Mutant> {
        let placed = self.positions.iter().enumerate().filter_map(|(site, position)| Some((site, (*position)?)));
        placed
            .flat_map(|(site, position)| {
                let from = self.letter(site);
                let others = self.letters.iter().filter(move |&&to| to != from && !gaps.contains(&to));
                others.map(move |&to| Mutant(vec![Substitution { from, position, to }]))
            })
            .collect()
    }

    /// The sites and levels that a mutant changes; none where a substitution is at no site or to no letter of the model.
    ///
    /// # Errors
    /// [`Error::Setting`] where the wild type has another letter than a substitution says, which an offset may be the cause of.
    pub fn places(&self, mutant: &Mutant) -> Result<Option<Vec<(usize, Level)>>> {
        let mut places = Vec::new();
        for substitution in &mutant.0 {
            let Substitution { from, position, to } = *substitution;
            let known = self.residues.iter().find(|(number, _)| *number == position);
            if let Some((_, letter)) = known.filter(|(_, letter)| !letter.eq_ignore_ascii_case(&from)) {
                return Err(Error::Setting {
                    name: "the first letter of a mutant",
                    got: format!("{from} in {substitution}"),
                    expected: format!("{letter}, which the wild type has at {position}; --offset shifts the numbers"),
                });
            }
            let site = self.positions.iter().position(|number| *number == Some(position));
            let to = self.letters.iter().position(|letter| letter.eq_ignore_ascii_case(&to));
            match site.zip(to) {
                Some((site, to)) => places.push((site, to as Level)),
                None => return Ok(None),
            }
        }
        Ok(Some(places))
    }
}

fn level(letters: &[char], letter: char) -> Result<Level> {
    let found = letters.iter().position(|known| known.eq_ignore_ascii_case(&letter));
    found.map(|level| level as Level).ok_or_else(|| Error::Setting {
        name: "a letter of the wild type",
        got: format!("'{letter}'"),
        expected: format!("one of {}", letters.iter().collect::<String>()),
    })
}

/// `ln p(mutant) - ln p(wild type)` of mutants, each the sites and levels that it changes, in nats.
///
/// # Errors
/// If the wild type or a mutant does not fit the model, or candle refuses an operation.
pub fn log_ratios(sites: &Sites, wild_type: &[Level], mutants: &[Vec<(usize, Level)>]) -> Result<Vec<f64>> {
    let mut levels = wild_type.to_vec();
    for mutant in mutants {
        let first = levels.len();
        levels.extend(wild_type);
        for &(site, to) in mutant {
            let of = levels.len() - first;
            let place = levels.get_mut(first + site).ok_or_else(|| Error::Setting {
                name: "a site",
                got: site.to_string(),
                expected: format!("below {of}"),
            })?;
            *place = to;
        }
    }
    let energies = sites.free_energies(&Sequences::new(sites.count(), levels, None)?)?;
    Ok(energies[1..].iter().map(|energy| energies[0] - energy).collect())
}

/// Log frequencies of levels, site by site: `ln((n_a + 1/q) / (n + 1))` of weights n, so that one sequence spread evenly over
/// the levels keeps those that the data lack possible.
#[must_use]
pub fn log_frequencies(sequences: &Sequences, levels: &[usize]) -> Vec<Vec<f64>> {
    let mut counts: Vec<Vec<f64>> = levels.iter().map(|&q| vec![1.0 / q as f64; q]).collect();
    for (row, weight) in sequences.rows().zip(sequences.weights()) {
        counts.iter_mut().zip(row).for_each(|(counts, &level)| counts[usize::from(level)] += weight);
    }
    let total = sequences.weights().iter().sum::<f64>() + 1.0;
    counts.into_iter().map(|counts| counts.into_iter().map(|count| libm::log(count / total)).collect()).collect()
}

/// What independent sites with these log frequencies make of mutants, in nats.
#[must_use]
pub fn independent(frequencies: &[Vec<f64>], wild_type: &[Level], mutants: &[Vec<(usize, Level)>]) -> Vec<f64> {
    let change = |&(site, to): &(usize, Level)| {
        frequencies[site][usize::from(to)] - frequencies[site][usize::from(wild_type[site])]
    };
    mutants.iter().map(|mutant| mutant.iter().map(change).sum()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LETTERS: [char; 4] = ['A', 'C', 'D', '-'];

    fn wild_type() -> WildType {
        WildType::aligned("A-cD", 4, &LETTERS, &['-'], 23).unwrap()
    }

    #[test]
    fn mutants_are_read_and_written() {
        for (text, shown) in
            [("H24A", "H24A"), ("H24A:E26K", "H24A:E26K"), ("A-3V, C10- ", "A-3V:C10-"), ("a1b", "a1b")]
        {
            assert_eq!(text.parse::<Mutant>().unwrap().to_string(), shown);
        }
        for text in ["", "H24", "24A", "HA", "H2.5A", "wt", ":"] {
            let refusal = text.parse::<Mutant>().unwrap_err().to_string();
            assert!(refusal.starts_with(&format!("a mutant is '{text}'; it must be letter, number")), "{refusal}");
        }
    }

    /// Residues are counted without gaps.
    #[test]
    fn substitutions_find_their_sites() {
        let wild = wild_type();
        assert_eq!(
            (wild.levels.clone(), wild.positions.clone()),
            (vec![0, 3, 1, 2], vec![Some(24), None, Some(25), Some(26)])
        );
        let places = |text: &str| wild.places(&text.parse().unwrap());
        assert_eq!(places("A24C:D26A").unwrap(), Some(vec![(0, 1), (3, 0)]));
        assert_eq!(places("C25-").unwrap(), Some(vec![(2, 3)]));
        assert_eq!((places("A99C").unwrap(), places("A24W").unwrap()), (None, None), "no such site, no such letter");
        let refusal = places("C24A").unwrap_err().to_string();
        assert_eq!(
            refusal,
            "the first letter of a mutant is C in C24A; it must be A, which the wild type has at 24; --offset shifts the \
             numbers"
        );
        let singles: Vec<String> = wild.singles(&['-']).iter().map(ToString::to_string).collect();
        assert_eq!(singles, ["A24C", "A24D", "C25A", "C25D", "D26A", "D26C"]);
        assert!(
            WildType::aligned("ACD", 4, &LETTERS, &[], 0).is_err()
                && WildType::aligned("ACDW", 4, &LETTERS, &[], 0).is_err()
        );
    }

    /// Residues that lie on no site count, and are checked.
    #[test]
    fn residues_between_sites_are_numbered() {
        let wild = WildType::on_sites("AdWC", &[Some(0), Some(1), None, Some(3)], &LETTERS, &['-'], 23).unwrap();
        let positions = vec![Some(24), Some(25), None, Some(27)];
        assert_eq!((wild.levels.clone(), wild.positions.clone()), (vec![0, 2, 3, 1], positions));
        let places = |text: &str| wild.places(&text.parse().unwrap());
        assert_eq!((places("C27A").unwrap(), places("W26A").unwrap()), (Some(vec![(3, 0)]), None));
        assert!(places("C26A").is_err());
        assert!(WildType::on_sites("A", &[Some(1)], &LETTERS, &['-'], 0).is_err());
    }

    #[test]
    fn independent_sites_score_by_their_frequencies() {
        let data = Sequences::new(2, vec![0, 0, 0, 1, 1, 1], Some(vec![1.0, 1.0, 2.0])).unwrap();
        let frequencies = log_frequencies(&data, &[2, 3]);
        let f = |count: f64, q: f64| ((count + 1.0 / q) / 5.0f64).ln();
        assert!((frequencies[0][0] - f(2.0, 2.0)).abs() < 1e-12 && (frequencies[1][2] - f(0.0, 3.0)).abs() < 1e-12);
        let found = independent(&frequencies, &[0, 0], &[vec![(1, 2)], vec![(0, 1), (1, 1)]]);
        assert!((found[0] - (f(0.0, 3.0) - f(1.0, 3.0))).abs() < 1e-12);
        assert!((found[1] - (f(2.0, 2.0) - f(2.0, 2.0) + f(3.0, 3.0) - f(1.0, 3.0))).abs() < 1e-12);
    }
}
