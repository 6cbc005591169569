//! Samples and labels, shared and never copied: a split of a split is a list of row numbers.

mod beside;

use std::sync::Arc;

use deepbelief_kernels::{Batch, Stream, Uniforms, Units};

use super::binarize::{Binarize, Draw, pack_row};
use crate::error::Error;
use crate::schema::pixels::{Pixels, Row};
use crate::schema::store::Store;
use crate::tables::table::{Cells, check_units};

/// Some samples of a data set, with their labels where there are any.
///
/// Cloning and selecting share the pixels, which are in memory or, as
/// [`open`](crate::open) leaves them, still in their file. A sample keeps its number in the data set wherever
/// it goes (see [`Split::id`]): random draws address it by that number, so that the same
/// sample gets the same draws in every split.
#[derive(Clone, Debug)]
pub struct Split {
    /// Columns of a sample.
    units: usize,
    /// The visible units that these columns are of.
    layer: Units,
    store: Store,
    labels: Option<Arc<[u32]>>,
    /// Rows of `store` that belong to this split; all of them if absent.
    rows: Option<Arc<[u32]>>,
    samples: usize,
    first_id: u32,
    /// Which values are missing, packed, each row of `store` from a word of its own on. They hold stand-ins.
    missing: Option<Arc<[u32]>>,
    /// What each row of `store` weighs.
    weights: Option<Arc<[f32]>>,
    /// How many values of each row of `store` lie beyond the ranges of their columns, or far out.
    beyond: Option<Arc<[u32]>>,
    /// What each row of `store` is called.
    names: Option<Arc<[String]>>,
    /// The line of the file that each row of `store` is.
    lines: Option<Arc<[u32]>>,
    /// The cluster of each row of `store`.
    clusters: Option<Arc<[u32]>>,
}

impl Split {
    /// Samples of values that are known to be some of their units.
    pub(crate) fn of(layer: Units, store: Store, labels: Option<Vec<u32>>) -> Result<Self, Error> {
        let units = layer.columns();
        let what = || "samples".to_string();
        check_units(units as u128, "samples")?;
        let values = match &store {
            Store::Held(Pixels::Bytes(bytes)) => bytes.len(),
            Store::Held(Pixels::Floats(floats)) => floats.len(),
            Store::File { rows, .. } => rows.samples * rows.units,
        };
        if values == 0 {
            return Err(Error::Empty { what: what() });
        }
        if !values.is_multiple_of(units) {
            return Err(Error::Uneven { values, units });
        }
        let samples = values / units;
        if u32::try_from(samples).is_err() {
            return Err(Error::TooManySamples { what: what(), samples });
        }
        if let Some(labels) = &labels
            && labels.len() != samples
        {
            return Err(Error::Counts { what: what(), samples, labels: labels.len() });
        }
        let labels = labels.map(Into::into);
        let (rows, first_id, missing, weights, beyond) = (None, 0, None, None, None);
        let (names, lines, clusters) = (None, None, None);
        Ok(Self {
            units,
            layer,
            store,
            labels,
            rows,
            samples,
            first_id,
            missing,
            weights,
            beyond,
            names,
            lines,
            clusters,
        })
    }

    /// The same samples with other values, row-major [samples, units], none of which is missing: those of a model,
    /// which may be means.
    ///
    /// # Errors
    /// If there is not one value for each of this split, which must be no selection, or one is not finite or, of a
    /// discrete unit, not in [0, 1].
    pub fn with_values(&self, values: Vec<f32>) -> Result<Self, Error> {
        self.require_one_each("values", values.len(), self.samples * self.units)?;
        self.require_means(&values)?;
        let Self { store, .. } = Self::of(self.layer.clone(), Store::Held(values.into()), None)?;
        Ok(Self { store, missing: None, ..self.clone() })
    }

    /// The same samples with their pixels in memory.
    ///
    /// # Errors
    /// If their file cannot be read, or there is not so much memory.
    pub(crate) fn held(self) -> Result<Self, Error> {
        let Store::File { rows, conversion } = &self.store else { return Ok(self) };
        let (mut bytes, mut floats) = (Vec::new(), Vec::new());
        let values = rows.samples * rows.units;
        let room =
            if conversion.gives_bytes() { bytes.try_reserve_exact(values) } else { floats.try_reserve_exact(values) };
        room.map_err(|_| Error::read(&rows.path)(std::io::ErrorKind::OutOfMemory.into()))?;
        for part in Cells::File(Arc::clone(rows)).parts() {
            match conversion.apply(part?.1.into_owned()) {
                Pixels::Bytes(part) => bytes.extend_from_slice(&part),
                Pixels::Floats(part) => floats.extend_from_slice(&part),
            }
        }
        let pixels = if conversion.gives_bytes() { bytes.into() } else { floats.into() };
        Ok(Self { store: Store::Held(pixels), ..self })
    }

    /// Numbers the samples from `first` on: a test split goes on where the training split ends.
    pub(crate) fn numbered_from(mut self, first: usize) -> Self {
        self.first_id = first as u32;
        self
    }

    /// Number of samples; at least 1.
    #[must_use]
    pub fn samples(&self) -> usize {
        self.samples
    }

    /// Number of values in a sample: the visible units of a model of it.
    #[must_use]
    pub fn units(&self) -> usize {
        self.units
    }

    /// The visible units of a model of these samples.
    #[must_use]
    pub fn layer(&self) -> &Units {
        &self.layer
    }

    fn require_there(&self, samples: &[usize]) -> Result<(), Error> {
        match samples.iter().find(|&&sample| sample >= self.samples) {
            None => Ok(()),
            Some(sample) => Err(Error::Setting {
                name: "a sample",
                got: sample.to_string(),
                expected: format!("below {}, the number of samples", self.samples),
            }),
        }
    }

    fn stored_row(&self, sample: usize) -> usize {
        self.rows.as_ref().map_or(sample, |rows| rows[sample] as usize)
    }

    /// Hands the rows of `samples` to `visit`, in that order: place in `samples`, number in the data
    /// set, values. Neighbours in a file are read together.
    pub(crate) fn visit(
        &self,
        samples: impl IntoIterator<Item = usize>,
        mut visit: impl FnMut(usize, u32, Row<'_>),
    ) -> Result<(), Error> {
        let id = |row: usize| self.first_id.wrapping_add(row as u32);
        let mut stored = samples.into_iter().map(|sample| self.stored_row(sample)).enumerate().peekable();
        let (rows, conversion) = match &self.store {
            Store::Held(pixels) => {
                stored.for_each(|(place, row)| visit(place, id(row), pixels.row(row, self.units)));
                return Ok(());
            }
            Store::File { rows, conversion } => (rows, conversion),
        };
        while let Some((place, first)) = stored.next() {
            let mut count = 1;
            while count < rows.at_once() && stored.next_if_eq(&(place + count, first + count)).is_some() {
                count += 1;
            }
            let pixels = conversion.apply(rows.read(first, count)?);
            for i in 0..count {
                visit(place + i, id(first + i), pixels.row(i, self.units));
            }
        }
        rows.require_unchanged()
    }

    /// The values of a sample in memory.
    #[cfg(test)]
    pub(crate) fn row(&self, sample: usize) -> Row<'_> {
        match &self.store {
            Store::Held(pixels) => pixels.row(self.stored_row(sample), self.units),
            Store::File { .. } => panic!("the sample is in a file"),
        }
    }

    /// Whether pixels are bytes that stand for value / 255.
    pub(crate) fn has_bytes(&self) -> bool {
        match &self.store {
            Store::Held(pixels) => matches!(pixels, Pixels::Bytes(_)),
            Store::File { conversion, .. } => conversion.gives_bytes(),
        }
    }

    /// Whether the pixels are in memory, not in a file.
    #[must_use]
    pub fn is_held(&self) -> bool {
        matches!(self.store, Store::Held(_))
    }

    /// The number of a sample in the whole data set, test samples after the training samples.
    ///
    /// # Panics
    /// If `sample` is not below [`Split::samples`].
    #[must_use]
    pub fn id(&self, sample: usize) -> u32 {
        self.first_id.wrapping_add(self.stored_row(sample) as u32)
    }

    /// The label of a sample, where the data has labels.
    ///
    /// # Panics
    /// If `sample` is not below [`Split::samples`].
    #[must_use]
    pub fn label(&self, sample: usize) -> Option<u32> {
        self.labels.as_ref().map(|labels| labels[self.stored_row(sample)])
    }

    /// The labels of all samples, where the data has labels.
    #[must_use]
    pub fn labels(&self) -> Option<Vec<u32>> {
        (0..self.samples).map(|sample| self.label(sample)).collect()
    }

    /// The samples at `samples`, in that order, sharing the pixels.
    ///
    /// # Errors
    /// If `samples` is empty.
    ///
    pub fn select(&self, samples: &[usize]) -> Result<Self, Error> {
        if samples.is_empty() {
            return Err(Error::Empty { what: "selection".into() });
        }
        self.require_there(samples)?;
        let rows = samples.iter().map(|&sample| self.stored_row(sample) as u32).collect();
        Ok(Self { rows: Some(rows), samples: samples.len(), ..self.clone() })
    }

    /// Samples of each class, by class; without labels all samples are of one class.
    pub(crate) fn by_class(&self) -> Vec<Vec<u32>> {
        let mut classes: Vec<Vec<u32>> = Vec::new();
        for sample in 0..self.samples {
            let class = self.label(sample).unwrap_or(0) as usize;
            if class >= classes.len() {
                classes.resize_with(class + 1, Vec::new);
            }
            classes[class].push(sample as u32);
        }
        classes
    }

    /// Bytes that the pixels behind this split take, in memory or when they come there.
    #[must_use]
    pub fn pixel_bytes(&self) -> usize {
        match &self.store {
            Store::Held(Pixels::Bytes(bytes)) => bytes.len(),
            Store::Held(Pixels::Floats(floats)) => 4 * floats.len(),
            Store::File { rows, conversion } => {
                rows.samples * rows.units * if conversion.gives_bytes() { 1 } else { 4 }
            }
        }
    }

    /// Bytes of memory behind this split, shared with every split of the same data.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let pixels = if self.is_held() { self.pixel_bytes() } else { 0 };
        let words = |words: Option<usize>| words.map_or(0, |len| 4 * len);
        let (labels, rows) = (self.labels.as_ref().map(|x| x.len()), self.rows.as_ref().map(|x| x.len()));
        let (missing, weights) = (self.missing.as_ref().map(|x| x.len()), self.weights.as_ref().map(|x| x.len()));
        let beyond = self.beyond.as_ref().map(|x| x.len());
        let names = self.names.as_ref().map_or(0, |names| names.iter().map(|name| 24 + name.len()).sum());
        let (lines, clusters) = (self.lines.as_ref().map(|x| x.len()), self.clusters.as_ref().map(|x| x.len()));
        pixels
            + words(lines)
            + words(clusters)
            + words(labels)
            + words(rows)
            + words(missing)
            + words(weights)
            + words(beyond)
            + names
    }

    /// Samples as a batch to measure a model on: `samples` is a range or any list of numbers.
    /// [`Binarize::Fresh`] gives the same draws as [`Binarize::Fixed`] here, so that a measure
    /// is the same whenever it is taken.
    ///
    /// # Errors
    /// [`Error::Setting`] for a sample that is not there; if their file cannot be read.
    pub fn batch<I>(&self, samples: I, binarize: Binarize, seed: u64) -> Result<Batch, Error>
    where
        I: IntoIterator<Item = usize, IntoIter: ExactSizeIterator>,
    {
        let mut batch = Batch::default();
        let binarize = self.binarized(binarize);
        let samples: Vec<usize> = samples.into_iter().collect();
        self.require_there(&samples)?;
        let draw = binarize.draw(Uniforms::new(seed, Stream::Binarize, 0));
        self.fill(samples.len(), samples.into_iter().enumerate(), draw, &mut batch)?;
        Ok(batch)
    }

    /// Writes samples into a batch of so many rows, each into its own: grey, or as states where something decides on
    /// them. Rows without a sample become zeros.
    pub(crate) fn fill(
        &self,
        rows: usize,
        samples: impl Iterator<Item = (usize, usize)>,
        draw: Option<Draw>,
        batch: &mut Batch,
    ) -> Result<(), Error> {
        let units = self.units;
        let (places, samples): (Vec<usize>, Vec<usize>) = samples.unzip();
        match draw {
            None => {
                let values = batch.make_real(rows, units);
                self.visit(samples, |place, _, row| row.write(&mut values[places[place] * units..][..units]))
            }
            Some(draw) => {
                let bits = batch.make_binary(rows, units);
                self.visit(samples, |place, id, row| {
                    pack_row(row, draw, id, |block, word| bits.set_word(places[place], block, word));
                })
            }
        }
    }
}
