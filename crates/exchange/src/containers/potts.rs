//! The text that adabmDCA writes of a Potts model: a parameter a line, `J i j a b value` of two sites and `h i a value` of
//! one. Sites count from 0, a and b are letters.
//!
//! | name | what |
//! |---|---|
//! | `bias` | the fields h [L, q] |
//! | `coupling_matrix` | the couplings J [L, q, L, q], symmetric |
//! | `tokens` | the letters, in the order of the levels |
//!
//! Each site has a field of each letter. A coupling that is left out is 0, as in the sparse models of adabmDCA. Empty lines
//! and those that begin with `#` say nothing.

use super::arrays::{Array, Arrays};
use std::str::FromStr;

pub(crate) const FIELDS: &str = "bias";
pub(crate) const COUPLINGS: &str = "coupling_matrix";
pub(crate) const LETTERS: &str = "tokens";

/// Fields, at most: the matrix of couplings has the square of their number.
pub(crate) const MOST_FIELDS: usize = 1 << 14;

/// A file in memory.
pub(crate) struct Potts {
    letters: Vec<char>,
    sites: usize,
    fields: Vec<f64>,
    /// Both triangles.
    couplings: Vec<f64>,
}

/// A line that is a parameter, by its number from 1.
struct Line<'a> {
    number: usize,
    words: Vec<&'a str>,
}

impl Potts {
    /// Whether bytes are such a text: its first line is a parameter.
    pub(crate) fn is(bytes: &[u8]) -> bool {
        let mut lines = bytes.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii);
        let first = lines.find(|line| !line.is_empty() && line[0] != b'#').unwrap_or_default();
        let is_text = first.iter().all(|byte| byte.is_ascii_graphic() || byte.is_ascii_whitespace());
        let name = first.split(u8::is_ascii_whitespace).next().unwrap_or_default();
        is_text && (name == b"J" || name == b"h")
    }

    pub(crate) fn open(bytes: Vec<u8>) -> Result<Self, String> {
        let text = String::from_utf8(bytes).map_err(|error| format!("is no text: {error}"))?;
        let mut potts = Self::of_fields(&text)?;
        potts.read_couplings(&text)?;
        Ok(potts)
    }

    /// The fields, which tell how many sites and which letters there are; no couplings.
    fn of_fields(text: &str) -> Result<Self, String> {
        let mut letters: Vec<char> = Vec::new();
        let mut records: Vec<(usize, usize, usize, f64)> = Vec::new();
        for line in lines(text) {
            let line = line?;
            let &[_, site, letter, value] = line.words.as_slice() else { continue };
            let (site, letter, value) = (line.site(site)?, line.letter(letter)?, line.value(value)?);
            let level = letters.iter().position(|&known| known == letter).unwrap_or_else(|| {
                letters.push(letter);
                letters.len() - 1
            });
            records.push((line.number, site, level, value));
        }
        let sites = records.iter().map(|&(_, site, ..)| site.saturating_add(1)).max().unwrap_or(0);
        let count = sites.saturating_mul(letters.len());
        if count > MOST_FIELDS {
            return Err(format!(
                "has {sites} sites of {} letters: at most {MOST_FIELDS} fields are read",
                letters.len()
            ));
        }
        let mut fields = vec![f64::NAN; count];
        for (number, site, level, value) in records {
            let field = &mut fields[site * letters.len() + level];
            if !field.is_nan() {
                return Err(format!(
                    "line {number}: the field of site {site}, letter {}, stands twice",
                    letters[level]
                ));
            }
            *field = value;
        }
        if let Some(at) = fields.iter().position(|field| field.is_nan()) {
            let (site, letter) = (at / letters.len(), letters[at % letters.len()]);
            return Err(format!("there is no field of site {site}, letter {letter}: each site has one of each letter"));
        }
        if fields.is_empty() {
            return Err("has couplings and no fields: is the file whole?".into());
        }
        Ok(Self { letters, sites, fields, couplings: Vec::new() })
    }

    /// The couplings, of either triangle.
    fn read_couplings(&mut self, text: &str) -> Result<(), String> {
        let (q, n) = (self.letters.len(), self.fields.len());
        let mut couplings = vec![f64::NAN; n * n];
        for line in lines(text) {
            let line = line?;
            let &[_, i, j, a, b, value] = line.words.as_slice() else { continue };
            let (i, j) = (self.site(&line, i)?, self.site(&line, j)?);
            let (level_a, level_b) = (self.level(&line, a)?, self.level(&line, b)?);
            if i == j {
                return Err(format!("line {}: site {i} is coupled with itself", line.number));
            }
            let (row, column) = (i * q + level_a, j * q + level_b);
            if !couplings[row * n + column].is_nan() {
                return Err(format!(
                    "line {}: the coupling of site {i}, letter {a}, and site {j}, letter {b}, stands twice",
                    line.number
                ));
            }
            let value = line.value(value)?;
            couplings[row * n + column] = value;
            couplings[column * n + row] = value;
        }
        for coupling in &mut couplings {
            if coupling.is_nan() {
                *coupling = 0.0;
            }
        }
        self.couplings = couplings;
        Ok(())
    }

    /// A site that has fields.
    fn site(&self, line: &Line<'_>, word: &str) -> Result<usize, String> {
        let site = line.site(word)?;
        if site < self.sites { Ok(site) } else { Err(format!("line {}: site {site} has no fields", line.number)) }
    }

    /// The level of a letter that has fields.
    fn level(&self, line: &Line<'_>, word: &str) -> Result<usize, String> {
        let letter = line.letter(word)?;
        let level = self.letters.iter().position(|&known| known == letter);
        level.ok_or_else(|| format!("line {}: the letter {letter} has no fields", line.number))
    }
}

impl Line<'_> {
    fn parsed<T: FromStr>(&self, word: &str, expected: &str) -> Result<T, String> {
        word.parse().map_err(|_| format!("line {}: '{word}' is no {expected}", self.number))
    }

    fn site(&self, word: &str) -> Result<usize, String> {
        self.parsed(word, "site: sites are whole numbers from 0")
    }

    fn letter(&self, word: &str) -> Result<char, String> {
        self.parsed(word, "letter: each level of a site is one character")
    }

    fn value(&self, word: &str) -> Result<f64, String> {
        let value: f64 = self.parsed(word, "number")?;
        if value.is_finite() { Ok(value) } else { Err(format!("line {}: '{word}' is not finite", self.number)) }
    }
}

/// The parameters.
fn lines(text: &str) -> impl Iterator<Item = Result<Line<'_>, String>> {
    let all = text.lines().enumerate().map(|(at, line)| (at + 1, line.split_whitespace().collect::<Vec<_>>()));
    let said = all.filter(|(_, words)| words.first().is_some_and(|word| !word.starts_with('#')));
    said.map(|(number, words)| match (words[0], words.len()) {
        ("J", 6) | ("h", 4) => Ok(Line { number, words }),
        _ => Err(format!("line {number}: expected 'J i j a b value' or 'h i a value'")),
    })
}

impl Arrays for Potts {
    fn names(&self) -> Vec<String> {
        [FIELDS, COUPLINGS, LETTERS].map(String::from).into()
    }

    fn array(&self, name: &str) -> Result<Array, String> {
        let axes = [self.sites, self.letters.len()];
        match name {
            FIELDS => Ok(Array { shape: axes.into(), values: self.fields.clone() }),
            COUPLINGS => Ok(Array { shape: [axes, axes].concat(), values: self.couplings.clone() }),
            _ => Err("is a text".into()),
        }
    }

    fn text(&self, name: &str) -> Option<String> {
        (name == LETTERS).then(|| self.letters.iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "# a model\nJ 0 1 A A 0.5\nJ 1 0 - A -2e-1\n\nh 0 A 1\nh 0 - 2\nh 1 A 3\nh 1 - 4\n";

    #[test]
    fn either_triangle_is_read_and_what_is_left_out_is_zero() {
        assert!(Potts::is(GOOD.as_bytes()));
        let potts = Potts::open(GOOD.into()).unwrap();
        assert_eq!(potts.text(LETTERS).unwrap(), "A-");
        let fields = potts.array(FIELDS).unwrap();
        assert_eq!((fields.shape, fields.values), (vec![2, 2], vec![1.0, 2.0, 3.0, 4.0]));
        let couplings = potts.array(COUPLINGS).unwrap();
        assert_eq!(couplings.shape, [2, 2, 2, 2]);
        let rows = [[0.0, 0.0, 0.5, -0.2], [0.0; 4], [0.5, 0.0, 0.0, 0.0], [-0.2, 0.0, 0.0, 0.0]];
        assert_eq!(couplings.values, rows.concat());
    }

    #[test]
    fn other_files_are_not_such_texts() {
        for bytes in [&b""[..], b"#\n", b"1,2,3\n", b"h\x20\0\0\0\0\0\0{}", b"hello\n", b"i 0 A 1\n"] {
            assert!(!Potts::is(bytes), "{bytes:?}");
        }
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        let said = |from: &str, to: &str| {
            assert!(GOOD.contains(from), "{from}");
            Potts::open(GOOD.replacen(from, to, 1).into()).map(|_| ()).unwrap_err()
        };
        for (from, to, expected) in [
            ("J 0 1 A A 0.5", "J 0 1 A 0.5", "line 2: expected 'J i j a b value' or 'h i a value'"),
            ("h 0 - 2", "x 0 - 2", "line 6: expected 'J i j a b value' or 'h i a value'"),
            ("J 0 1 A A", "J 0 1 A C", "line 2: the letter C has no fields"),
            ("J 0 1 A A", "J 0 1 A 10", "line 2: '10' is no letter: each level of a site is one character"),
            ("J 0 1 A A", "J 0 2 A A", "line 2: site 2 has no fields"),
            ("J 0 1 A A", "J -1 1 A A", "line 2: '-1' is no site: sites are whole numbers from 0"),
            ("J 0 1 A A", "J 1 1 A A", "line 2: site 1 is coupled with itself"),
            ("0.5", "half", "line 2: 'half' is no number"),
            ("0.5", "nan", "line 2: 'nan' is not finite"),
            ("h 1 A 3", "h 1 A inf", "line 7: 'inf' is not finite"),
            ("J 1 0 - A", "J 1 0 A A", "line 3: the coupling of site 1, letter A, and site 0, letter A, stands twice"),
            ("h 1 - 4", "h 1 A 4", "line 8: the field of site 1, letter A, stands twice"),
            ("h 1 - 4\n", "", "there is no field of site 1, letter -: each site has one of each letter"),
            ("h 1 - 4", "h 9000 - 4", "has 9001 sites of 2 letters: at most 16384 fields are read"),
        ] {
            assert_eq!(said(from, to), expected);
        }
        assert_eq!(
            Potts::open(b"J 0 1 A A 1\n".into()).map(|_| ()).unwrap_err(),
            "has couplings and no fields: is the file whole?"
        );
    }

    #[test]
    fn texts_that_are_cut_or_changed_never_panic() {
        for at in 0..GOOD.len() {
            let _ = Potts::open(GOOD.as_bytes()[..at].to_vec());
            for value in [0, b'9', 0xff] {
                let mut bytes = GOOD.as_bytes().to_vec();
                bytes[at] = value;
                let _ = Potts::open(bytes);
            }
        }
    }
}
