//! Small binary data sets with a known entropy, on which a model's exact log-likelihood can be compared
//! with the best there is.
//!
//! Each set is a list of patterns that are equally probable; one that comes twice counts twice. No
//! model can give the list a higher mean log-likelihood than minus its entropy.

use crate::batches::split::Split;
use crate::error::Error;
use crate::text::serde_as_text;
use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;

/// A kind of small data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Synthetic {
    /// Pictures of `size` x `size` pixels with whole rows on, or whole columns (`MacKay` 2003, chapter
    /// 43). The empty and the full one are both. Labels: 0 rows, 1 columns.
    BarsAndStripes,
    /// `size` random units, and the same moved by one to the left, not at all, or to the right, around
    /// the ends (Hinton & Sejnowski 1986). Labels: which of the three.
    Shifter,
    /// The same with three more units, of which one says which of the three.
    LabelledShifter,
    /// `size` units of which an even number is on: no fewer than all of them tell anything of it.
    Parity,
}

const NAMES: [(&str, Synthetic); 4] = [
    ("bars-and-stripes", Synthetic::BarsAndStripes),
    ("shifter", Synthetic::Shifter),
    ("labelled-shifter", Synthetic::LabelledShifter),
    ("parity", Synthetic::Parity),
];

impl Synthetic {
    /// The size that is usual.
    #[must_use]
    pub fn usual_size(self) -> usize {
        match self {
            Self::BarsAndStripes => 4,
            Self::Shifter | Self::LabelledShifter | Self::Parity => 8,
        }
    }

    /// The largest size: a million patterns.
    #[must_use]
    pub fn largest_size(self) -> usize {
        match self {
            Self::BarsAndStripes | Self::Shifter | Self::LabelledShifter => 18,
            Self::Parity => 21,
        }
    }

    /// All patterns of a size, with their labels where they have some.
    ///
    /// # Errors
    /// [`Error::Setting`] for a size of 0, or one that makes too many patterns.
    pub fn patterns(self, size: usize) -> Result<Patterns, Error> {
        if !(1..=self.largest_size()).contains(&size) {
            let expected = format!("between 1 and {}", self.largest_size());
            return Err(Error::Setting { name: "size", got: size.to_string(), expected });
        }
        let all = 0..1u32 << size;
        let on = |word: u32, unit: usize| (word >> unit & 1) as u8;
        let (mut rows, mut labels) = (Vec::new(), Vec::new());
        for word in all {
            match self {
                Self::BarsAndStripes => {
                    for label in 0..2 {
                        let pixel = |i: usize| on(word, if label == 0 { i / size } else { i % size });
                        rows.push((0..size * size).map(pixel).collect());
                        labels.push(label);
                    }
                }
                Self::Shifter | Self::LabelledShifter => {
                    for label in 0..3u32 {
                        let moved = |i: usize| on(word, (i + size + 1 - label as usize) % size);
                        let mut row: Vec<u8> = (0..size).map(|i| on(word, i)).chain((0..size).map(moved)).collect();
                        if self == Self::LabelledShifter {
                            row.extend((0..3).map(|unit| u8::from(unit == label)));
                        }
                        rows.push(row);
                        labels.push(label);
                    }
                }
                Self::Parity if word.count_ones().is_multiple_of(2) => {
                    rows.push((0..size).map(|i| on(word, i)).collect());
                }
                Self::Parity => {}
            }
        }
        Ok(Patterns { rows, labels: (self != Self::Parity).then_some(labels) })
    }
}

impl fmt::Display for Synthetic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = NAMES.iter().find(|(_, kind)| kind == self).map_or("", |(name, _)| name);
        f.write_str(name)
    }
}

impl FromStr for Synthetic {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        NAMES.iter().find(|(name, _)| *name == text).map(|&(_, kind)| kind).ok_or_else(|| Error::Setting {
            name: "kind of data",
            got: text.into(),
            expected: "bars-and-stripes, shifter, labelled-shifter or parity".into(),
        })
    }
}

serde_as_text!(Synthetic);

/// Equally probable patterns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Patterns {
    /// 0 or 1 for each unit of each pattern.
    pub rows: Vec<Vec<u8>>,
    /// A label for each pattern.
    pub labels: Option<Vec<u32>>,
}

impl Patterns {
    /// Entropy of the patterns, in nats: no model's mean log-likelihood of them is above minus this.
    #[must_use]
    pub fn entropy(&self) -> f64 {
        let mut counts: HashMap<&[u8], u32> = HashMap::new();
        for row in &self.rows {
            *counts.entry(row).or_default() += 1;
        }
        let n = self.rows.len() as f64;
        // In an order that does not depend on the map's.
        let mut counts: Vec<u32> = counts.into_values().collect();
        counts.sort_unstable();
        counts.into_iter().map(|count| f64::from(count) / n).map(|p| -p * libm::log(p)).sum::<f64>() + 0.0
    }

    /// Units of a pattern.
    #[must_use]
    pub fn units(&self) -> usize {
        self.rows.first().map_or(0, Vec::len)
    }

    /// The patterns as samples of 0 and 1, not of grey values up to 255.
    ///
    /// # Errors
    /// None for patterns that were made here.
    pub fn split(&self) -> Result<Split, Error> {
        let values: Vec<f32> = self.rows.iter().flatten().map(|&x| f32::from(x)).collect();
        Split::new(self.units(), values.into(), self.labels.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::f64::consts::LN_2;

    fn made(kind: Synthetic, size: usize) -> Patterns {
        kind.patterns(size).unwrap()
    }

    #[test]
    fn entropies_are_those_of_the_formulas() {
        for n in 1..=6 {
            let size = n as f64;
            // Two patterns of 2^(n+1) come twice.
            let twice = 4.0 / (size + 1.0).exp2();
            let bars = (size + 1.0) * LN_2 - twice * LN_2;
            // A picture of one pixel has two patterns in all, each twice.
            let bars = if n == 1 { LN_2 } else { bars };
            assert!((made(Synthetic::BarsAndStripes, n).entropy() - bars).abs() < 1e-12);
            assert!((made(Synthetic::Parity, n).entropy() - (size - 1.0) * LN_2).abs() < 1e-12);
            let labelled = made(Synthetic::LabelledShifter, n).entropy();
            assert!((labelled - (3.0 * size.exp2()).ln()).abs() < 1e-12);
            assert!(made(Synthetic::Shifter, n).entropy() <= labelled);
        }
    }

    #[test]
    fn patterns_are_what_they_are_called() {
        let bars = made(Synthetic::BarsAndStripes, 3);
        assert_eq!((bars.rows.len(), bars.units()), (16, 9));
        for (row, label) in bars.rows.iter().zip(bars.labels.unwrap()) {
            let lines = |stride: usize, step: usize| {
                (0..3).all(|l| (0..3).all(|i| row[l * stride + i * step] == row[l * stride]))
            };
            assert!(if label == 0 { lines(3, 1) } else { lines(1, 3) }, "{row:?}, {label}");
        }
        let shifter = made(Synthetic::LabelledShifter, 5);
        assert_eq!((shifter.rows.len(), shifter.units()), (96, 13));
        for (row, label) in shifter.rows.iter().zip(shifter.labels.unwrap()) {
            // 0 to the left, 1 as it was, 2 to the right.
            let right = (label + 4) as usize % 5;
            assert!((0..5).all(|i| row[5 + (i + right) % 5] == row[i]), "{row:?}, {label}");
            assert_eq!(row[10..].iter().position(|&x| x == 1), Some(label as usize));
        }
        let parity = made(Synthetic::Parity, 4);
        assert_eq!((parity.rows.len(), parity.labels), (8, None));
        assert!(Synthetic::Parity.patterns(22).is_err() && Synthetic::Shifter.patterns(0).is_err());
        assert_eq!("parity".parse::<Synthetic>().unwrap().to_string(), "parity");
    }
}
