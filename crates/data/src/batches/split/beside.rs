//! What is known of samples beside their values: what is missing, what each weighs, what lies beyond its range.

use deepbelief_kernels::{Missing, Share};

use super::Split;
use crate::error::Error;

impl Split {
    /// The same with what is known of missing values, weights and values beyond their columns' ranges.
    pub(crate) fn with(self, missing: Option<Vec<u32>>, weights: Option<Vec<f32>>, beyond: Option<Vec<u32>>) -> Self {
        let (missing, weights, beyond) = (missing.map(Into::into), weights.map(Into::into), beyond.map(Into::into));
        Self { missing, weights, beyond, ..self }
    }

    /// The same with what each sample is called.
    pub(crate) fn named(self, names: Option<Vec<String>>) -> Self {
        Self { names: names.map(Into::into), ..self }
    }

    /// What a sample is called, where the data say so: the name of a sequence.
    ///
    /// # Panics
    /// If `sample` is not below [`Split::samples`].
    #[must_use]
    pub fn name(&self, sample: usize) -> Option<&str> {
        self.names.as_ref().map(|names| names[self.stored_row(sample)].as_str())
    }

    /// The same with the line of the file that each sample is: of an array there is none, which is 0.
    pub(crate) fn in_lines(self, lines: Option<Vec<u32>>) -> Self {
        Self { lines: lines.filter(|lines| lines.first().is_some_and(|&line| line > 0)).map(Into::into), ..self }
    }

    /// The same with the cluster of each sample, of which [`Split::split_validation`] holds whole ones out.
    pub(crate) fn in_clusters(self, clusters: Option<Vec<u32>>) -> Self {
        Self { clusters: clusters.map(Into::into), ..self }
    }

    /// The cluster of each sample, where they have been put into some.
    #[must_use]
    pub fn clusters(&self) -> Option<Vec<u32>> {
        let clusters = self.clusters.as_ref()?;
        Some((0..self.samples).map(|sample| clusters[self.stored_row(sample)]).collect())
    }

    /// The line of its file, from 1, that a sample is, where the data are a file of lines.
    ///
    /// # Panics
    /// If `sample` is not below [`Split::samples`].
    #[must_use]
    pub fn line(&self, sample: usize) -> Option<u32> {
        self.lines.as_ref().map(|lines| lines[self.stored_row(sample)])
    }

    /// The row of its data, from 0, that a sample is, whatever was selected of them.
    ///
    /// # Panics
    /// If `sample` is not below [`Split::samples`].
    #[must_use]
    pub fn row_number(&self, sample: usize) -> usize {
        self.stored_row(sample)
    }

    /// What a sample is called in messages: its line where the data are a file of lines, else its number from 0.
    ///
    /// # Panics
    /// If `sample` is not below [`Split::samples`].
    #[must_use]
    pub fn called(&self, sample: usize) -> String {
        self.line(sample).map_or_else(|| format!("sample {sample} (from 0)"), |line| format!("line {line}"))
    }

    /// The same samples where some values are missing: those whose place in row-major [samples, units] is `true`.
    /// What they hold stands for them wherever a model takes no notice.
    ///
    /// # Errors
    /// If there is not one truth a value of the whole data set.
    pub fn with_missing(self, missing: &[bool]) -> Result<Self, Error> {
        self.require_one_each("truth values of what is missing", missing.len(), self.samples * self.units)?;
        let word = |bits: &[bool]| bits.iter().enumerate().fold(0u32, |word, (bit, &on)| word | u32::from(on) << bit);
        let words = missing.chunks_exact(self.units).flat_map(|row| row.chunks(32).map(word));
        let missing = Some(words.collect());
        Ok(Self { missing, ..self })
    }

    /// The same samples, each of which weighs so much in training.
    ///
    /// # Errors
    /// If there is not one weight a sample of the whole data set, one is negative or no number, or all are 0.
    pub fn with_weights(self, weights: Vec<f32>) -> Result<Self, Error> {
        self.require_one_each("weights", weights.len(), self.samples)?;
        let fit = weights.iter().all(|x| *x >= 0.0 && x.is_finite()) && weights.iter().any(|&x| x > 0.0);
        if !fit {
            let expected = "numbers from 0 up, not all of them 0".into();
            return Err(Error::Setting { name: "weights", got: "others".into(), expected });
        }
        Ok(Self { weights: Some(weights.into()), ..self })
    }

    /// Refuses another number of things than there are in the whole data set.
    pub(super) fn require_one_each(&self, name: &'static str, got: usize, expected: usize) -> Result<(), Error> {
        if self.rows.is_none() && got == expected {
            return Ok(());
        }
        let whole = if self.rows.is_some() { ", of a whole data set and no selection" } else { "" };
        Err(Error::Setting { name, got: got.to_string(), expected: format!("{expected}{whole}") })
    }

    /// Whether a value of the data set is missing.
    #[must_use]
    pub fn has_missing(&self) -> bool {
        self.missing.is_some()
    }

    /// Number of values of these samples that are missing: one for a categorical unit, however many levels it has.
    #[must_use]
    pub fn missing_values(&self) -> u64 {
        let mut counted = vec![0u32; self.units.div_ceil(32)];
        for (segment, columns) in self.layer().each() {
            columns.step_by(segment.levels).for_each(|column| counted[column / 32] |= 1 << (column % 32));
        }
        let of =
            |sample| self.missing_words(sample).iter().zip(&counted).map(|(word, sites)| (word & sites).count_ones());
        (0..self.samples).flat_map(of).map(u64::from).sum()
    }

    /// Which values of a sample are missing: a bit each, nothing where none of the data set is.
    pub(crate) fn missing_words(&self, sample: usize) -> &[u32] {
        let blocks = self.units.div_ceil(32);
        let row = self.stored_row(sample);
        self.missing.as_ref().map_or(&[], |words| &words[row * blocks..(row + 1) * blocks])
    }

    /// What samples lack; none where no value of the data set is missing.
    ///
    /// # Panics
    /// If a sample is not below [`Split::samples`].
    #[must_use]
    pub fn missing(&self, samples: &[usize]) -> Option<Missing> {
        self.missing.as_ref()?;
        let words: Vec<u32> = samples.iter().flat_map(|&sample| self.missing_words(sample)).copied().collect();
        let mut missing =
            Missing { samples: samples.iter().map(|&sample| self.id(sample)).collect(), ..Missing::default() };
        missing.cells.gather(self.units, &words, &(0..samples.len() as u32).collect::<Vec<_>>(), Share::WHOLE);
        Some(missing)
    }

    /// What a sample weighs, where they do not all weigh the same.
    ///
    /// # Panics
    /// If `sample` is not below [`Split::samples`].
    #[must_use]
    pub fn weight(&self, sample: usize) -> Option<f32> {
        self.weights.as_ref().map(|weights| weights[self.stored_row(sample)])
    }

    /// How many values of a sample lie beyond the ranges of their columns, whose ends stand for them, or are numbers of
    /// Gaussian units and far out ([`crate::ColumnUnits::FAR_OUT`]).
    ///
    /// # Panics
    /// If `sample` is not below [`Split::samples`].
    #[must_use]
    pub fn beyond(&self, sample: usize) -> u32 {
        self.beyond.as_ref().map_or(0, |beyond| beyond[self.stored_row(sample)])
    }
}
