//! Distances between sites.

use crate::couplings::pairs;
use crate::error::{Error, Result};
use crate::structure::residues::Residue;
use std::path::Path;

/// Distances between pairs of sites, in Å, as far as they are known.
#[derive(Clone, Debug, PartialEq)]
pub struct Distances {
    sites: usize,
    /// [sites, sites]; NaN where it is not known.
    between: Vec<f64>,
}

impl Distances {
    /// From pairs of sites, from 0, and their distances.
    ///
    /// # Errors
    /// [`Error::Setting`] for a site that is not below `sites`, or a distance that is none.
    pub fn new(sites: usize, known: impl IntoIterator<Item = (usize, usize, f64)>) -> Result<Self> {
        let mut between = vec![f64::NAN; sites * sites];
        for (i, j, distance) in known {
            if i.max(j) >= sites || !(distance >= 0.0 && distance.is_finite()) {
                return Err(Error::Setting {
                    name: "a distance",
                    got: format!("{distance} between sites {} and {} (from 1)", i + 1, j + 1),
                    expected: format!("0 Å or more between two of the {sites} sites of the model"),
                });
            }
            between[i * sites + j] = distance;
            between[j * sites + i] = distance;
        }
        Ok(Self { sites, between })
    }

    /// Of residues laid on sites: the least distance of two of their atoms.
    #[must_use]
    pub fn of_residues(residues: &[Residue], of_site: &[Option<usize>]) -> Self {
        let sites = of_site.len();
        let mut between = vec![f64::NAN; sites * sites];
        for (i, j) in pairs(sites) {
            if let (Some(a), Some(b)) = (of_site[i], of_site[j]) {
                let distance = residues[a].distance(&residues[b]);
                between[i * sites + j] = distance;
                between[j * sites + i] = distance;
            }
        }
        Self { sites, between }
    }

    /// The distance of two sites, where it is known.
    #[must_use]
    pub fn between(&self, i: usize, j: usize) -> Option<f64> {
        (i < self.sites && j < self.sites).then(|| self.between[i * self.sites + j]).filter(|x| !x.is_nan())
    }

    /// How many pairs at least `separation` sites apart have a known distance, and how many of these are below `limit`.
    #[must_use]
    pub fn counts(&self, separation: usize, limit: f64) -> (usize, usize) {
        let far = pairs(self.sites).filter(|(i, j)| j - i >= separation);
        let known: Vec<f64> = far.filter_map(|(i, j)| self.between(i, j)).collect();
        (known.len(), known.iter().filter(|&&distance| distance < limit).count())
    }
}

/// Reads a table of distances: a line a pair, with the numbers of two sites, from 1, in its first two columns and their
/// distance in Å in its last. Columns are apart by blanks or commas; lines that start with `#`, and a first line
/// of words, are passed over.
///
/// # Errors
/// [`Error::File`] names the line that is none of these.
pub fn table(path: &Path, text: &str, sites: usize) -> Result<Distances> {
    let refuse = |reason: String| Error::File { path: path.into(), reason };
    let mut known = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let fields: Vec<&str> =
            line.split(|c: char| c.is_whitespace() || c == ',').filter(|field| !field.is_empty()).collect();
        let is_words = number == 0 && fields.iter().all(|field| field.parse::<f64>().is_err());
        if fields.is_empty() || fields[0].starts_with('#') || is_words {
            continue;
        }
        // A site may be written as a number with a fraction of zero.
        let site = |field: &str| {
            let number = field.parse::<f64>().ok().filter(|x| x.fract() == 0.0 && (1.0..1e9).contains(x))?;
            Some(number as usize - 1)
        };
        let pair = match fields.as_slice() {
            [i, j, .., distance] => site(i).zip(site(j)).zip(distance.parse::<f64>().ok()),
            _ => None,
        };
        let Some(((i, j), distance)) = pair else {
            return Err(refuse(format!(
                "line {} has no pair; expected the numbers of two sites, from 1, and in the last column their distance",
                number + 1
            )));
        };
        known.push((i, j, distance));
    }
    if known.is_empty() {
        return Err(refuse("there are no distances in it".into()));
    }
    Distances::new(sites, known).map_err(|error| refuse(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_of_distances_are_read_with_whatever_stands_between() {
        let path = Path::new("d.dat");
        let text = "i j score distance\n1.000e+00 3.0 2.5 4.25\n# a comment\n\n2,3,9.5\n";
        let distances = table(path, text, 3).unwrap();
        assert_eq!(
            [distances.between(0, 2), distances.between(2, 1), distances.between(0, 1)],
            [Some(4.25), Some(9.5), None]
        );
        assert_eq!(distances.counts(1, 8.0), (2, 1));
        assert_eq!(distances.counts(2, 8.0), (1, 1));
        for (text, reason) in [
            ("", "there are no distances in it"),
            ("1 2 3\n1 x 3", "line 2 has no pair"),
            ("0 2 3", "line 1 has no pair"),
            ("1 2", "line 1 has no pair"),
            ("1 4 2.0", "between sites 1 and 4 (from 1)"),
            ("1 2 -1", "-1 between sites"),
        ] {
            let refusal = table(path, text, 3).unwrap_err().to_string();
            assert!(refusal.contains(reason) && refusal.starts_with("d.dat: "), "{refusal}");
        }
    }
}
