//! Minibatches dealt to a trainer.
//!
//! This runs inside the training loop, so what can be done once is done once: pixels whose
//! states never change (threshold, fixed) are packed to bits up front, one bit a pixel, and
//! filling a batch copies words; fresh draws skip the blocks of 32 pixels that are all off or
//! all on. Samples that are not in memory are read from their file when their batch is filled,
//! and nothing of them is kept.

use deepbelief_kernels::{Batch, Minibatches, Missing, Share, Stream, Uniforms, Units};

use super::binarize::{Binarize, pack_row};
use super::order;
use super::split::Split;
use crate::error::Error;

/// How minibatches are made.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BatchConfig {
    /// Samples in a batch; the last one of an epoch holds what is left. Default 100.
    pub batch_size: usize,
    /// How pixels become states. Default: they stay grey.
    pub binarize: Binarize,
    /// Whether each batch holds every class in the proportion of the data set, as nearly as
    /// whole samples allow, instead of whatever a plain shuffle gives. Every sample still comes
    /// exactly once an epoch. Default: no.
    pub balanced: bool,
    /// Seed of the order and of the draws.
    pub seed: u64,
}

impl Default for BatchConfig {
    fn default() -> Self {
        Self { batch_size: 100, binarize: Binarize::None, balanced: false, seed: 0 }
    }
}

/// Deals a split out in minibatches, reshuffled each epoch.
#[derive(Debug)]
pub struct Minibatcher {
    config: BatchConfig,
    samples: usize,
    units: usize,
    /// What these columns are of.
    layer: Units,
    store: Store,
    /// Samples of each class, for balanced orders.
    classes: Option<Vec<Vec<u32>>>,
    order: Vec<u32>,
    epoch: u32,
    /// Label of every sample, where there are labels.
    labels: Option<Vec<u32>>,
    /// Labels of the batch filled last.
    dealt: Vec<u32>,
    gaps: Option<Gaps>,
    weights: Option<Weights>,
    failure: Option<Error>,
}

/// Missing values.
#[derive(Debug)]
struct Gaps {
    /// Of every sample, packed, each from a word of its own on.
    words: Vec<u32>,
    /// Of the batch filled last.
    dealt: Missing,
}

/// Weights whose mean is 1.
#[derive(Debug)]
struct Weights {
    /// Of every sample.
    all: Vec<f32>,
    /// Of the batch filled last.
    dealt: Vec<f32>,
}

#[derive(Debug)]
enum Store {
    /// States that never change, row-major: `units / 32` words a sample, rounded up.
    Packed(Vec<u32>),
    /// Pixels that stay grey, are drawn again each time, or are not in memory.
    Pixels(Split),
}

impl Minibatcher {
    /// Prepares the samples of `split`; epoch 0 is started.
    ///
    /// # Errors
    /// If the batch size is 0, the threshold lies outside [0, 1), or batches should be balanced
    /// and there are no labels.
    pub fn new(split: &Split, config: BatchConfig) -> Result<Self, Error> {
        if config.batch_size == 0 {
            return Err(Error::Setting { name: "batch size", got: "0".into(), expected: "at least 1".into() });
        }
        config.binarize.validate()?;
        let config = BatchConfig { binarize: split.binarized(config.binarize), ..config };
        if config.balanced && split.label(0).is_none() {
            return Err(Error::NoLabels);
        }
        let store = if packs(split, config.binarize) {
            Store::Packed(pack(split, config)?)
        } else {
            Store::Pixels(split.clone())
        };
        let classes = config.balanced.then(|| split.by_class());
        let (samples, units, layer) = (split.samples(), split.units(), split.layer().clone());
        let (labels, order, dealt) = (split.labels(), Vec::new(), Vec::new());
        let gaps = split.has_missing().then(|| Gaps {
            words: (0..samples).flat_map(|sample| split.missing_words(sample)).copied().collect(),
            dealt: Missing::default(),
        });
        let weights: Option<Vec<f32>> = (0..samples).map(|sample| split.weight(sample)).collect();
        let weights = weights.map(|weights| {
            let mean = weights.iter().map(|&x| f64::from(x)).sum::<f64>() / samples as f64;
            let all = weights.iter().map(|&x| if mean > 0.0 { (f64::from(x) / mean) as f32 } else { 1.0 }).collect();
            Weights { all, dealt: Vec::new() }
        });
        let (epoch, failure) = (0, None);
        let mut this =
            Self { config, samples, units, layer, store, classes, order, epoch, labels, dealt, gaps, weights, failure };
        this.start_epoch(0);
        Ok(this)
    }

    /// Bytes of memory that dealing a split takes beyond the split's own.
    #[must_use]
    pub fn bytes(split: &Split, binarize: Binarize, balanced: bool) -> u64 {
        let packed = if packs(split, split.binarized(binarize)) { split.units().div_ceil(32) } else { 0 };
        // A number each: the place in the order, the label, the place in its class.
        let gaps = if split.has_missing() { split.units().div_ceil(32) } else { 0 };
        let numbers = 1 + usize::from(split.label(0).is_some()) + usize::from(balanced);
        let numbers = numbers + gaps + usize::from(split.weight(0).is_some());
        4 * split.samples() as u64 * (packed + numbers) as u64
    }

    /// What went wrong in reading samples from their file, if anything did. A minibatch is filled
    /// without a way to say so: it then holds NaN, which stops whoever trains on it and can ask
    /// here why.
    pub fn take_failure(&mut self) -> Option<Error> {
        self.failure.take()
    }
}

/// Whether the states of a split are packed up front.
fn packs(split: &Split, binarize: Binarize) -> bool {
    split.is_held() && matches!(binarize, Binarize::Fixed | Binarize::Threshold(_))
}

fn pack(split: &Split, config: BatchConfig) -> Result<Vec<u32>, Error> {
    let mut words = Vec::with_capacity(split.samples() * split.units().div_ceil(32));
    if let Some(draw) = config.binarize.draw(Uniforms::new(config.seed, Stream::Binarize, 0)) {
        split.visit(0..split.samples(), |_, id, row| pack_row(row, draw, id, |_, word| words.push(word)))?;
    }
    Ok(words)
}

impl Minibatches for Minibatcher {
    fn samples(&self) -> usize {
        self.samples
    }

    fn units(&self) -> usize {
        self.units
    }

    fn layer(&self) -> Option<&Units> {
        Some(&self.layer)
    }

    fn batches(&self) -> usize {
        self.samples.div_ceil(self.config.batch_size)
    }

    fn start_epoch(&mut self, epoch: u32) {
        self.epoch = epoch;
        match &self.classes {
            None => order::shuffled(self.samples, self.config.seed, epoch, &mut self.order),
            Some(classes) => order::balanced(classes, self.config.seed, epoch, &mut self.order),
        }
    }

    /// # Panics
    /// If `index` is not below [`Minibatches::batches`].
    fn fill(&mut self, index: usize, batch: &mut Batch) {
        self.fill_share(index, Share::WHOLE, batch);
    }

    /// Samples beside the share are neither read nor drawn.
    ///
    /// # Panics
    /// As [`Self::fill`].
    fn fill_share(&mut self, index: usize, share: Share, batch: &mut Batch) {
        assert!(index < self.batches(), "batch {index} of {}", self.batches());
        let start = index * self.config.batch_size;
        let chosen = &self.order[start..self.samples.min(start.saturating_add(self.config.batch_size))];
        self.dealt.clear();
        if let Some(labels) = &self.labels {
            self.dealt.extend(chosen.iter().map(|&sample| labels[sample as usize]));
        }
        if let Some(Gaps { words, dealt }) = &mut self.gaps {
            dealt.samples.clear();
            dealt.samples.extend_from_slice(chosen);
            dealt.cells.gather(self.units, words, chosen, Share::WHOLE);
        }
        if let Some(Weights { all, dealt }) = &mut self.weights {
            dealt.clear();
            dealt.extend(chosen.iter().map(|&sample| all[sample as usize]));
        }
        match &self.store {
            Store::Packed(words) => batch.make_binary(0, self.units).gather(self.units, words, chosen, share),
            Store::Pixels(split) => {
                let rows = share.of(chosen.len()).flatten().map(|row| (row, chosen[row] as usize));
                // Step 0 is the one draw of [`Binarize::Fixed`].
                let step = if self.config.binarize == Binarize::Fresh { self.epoch.wrapping_add(1) } else { 0 };
                let draw = self.config.binarize.draw(Uniforms::new(self.config.seed, Stream::Binarize, step));
                if let Err(error) = split.fill(chosen.len(), rows, draw, batch) {
                    batch.make_real(chosen.len(), self.units).fill(f32::NAN);
                    self.failure.get_or_insert(error);
                }
            }
        }
    }

    fn labels(&self) -> Option<&[u32]> {
        self.labels.as_ref().map(|_| self.dealt.as_slice())
    }

    fn missing(&self) -> Option<&Missing> {
        self.gaps.as_ref().map(|gaps| &gaps.dealt)
    }

    fn weights(&self) -> Option<&[f32]> {
        self.weights.as_ref().map(|weights| weights.dealt.as_slice())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    /// Samples whose first pixel is a number of their own, the rest grey.
    fn numbered(samples: usize, units: usize) -> Split {
        let pixel = |i: usize| if i.is_multiple_of(units) { (i / units) as u8 } else { (i * 37 % 256) as u8 };
        let bytes: Vec<u8> = (0..samples * units).map(pixel).collect();
        Split::new(units, bytes.into(), Some((0..samples).map(|i| (i % 3) as u32).collect())).unwrap()
    }

    fn config(batch_size: usize, binarize: Binarize) -> BatchConfig {
        BatchConfig { batch_size, binarize, balanced: false, seed: 42 }
    }

    fn epoch(batches: &mut Minibatcher, epoch: u32) -> Vec<Batch> {
        batches.start_epoch(epoch);
        (0..batches.batches())
            .map(|index| {
                let mut batch = Batch::default();
                batches.fill(index, &mut batch);
                batch
            })
            .collect()
    }

    /// The first pixel names the sample, so the pixels themselves prove that every sample comes
    /// once, that epochs differ in order, and that the last batch holds the rest.
    #[test]
    fn an_epoch_presents_every_sample_once_and_keeps_the_partial_batch() {
        for balanced in [false, true] {
            let split = numbered(50, 5);
            let config = BatchConfig { balanced, ..config(16, Binarize::None) };
            let mut batches = Minibatcher::new(&split, config).unwrap();
            assert_eq!((batches.samples(), batches.units(), batches.batches()), (50, 5, 4));
            let orders: Vec<Vec<usize>> = (0..2)
                .map(|e| {
                    let dealt = epoch(&mut batches, e);
                    assert_eq!(dealt.iter().map(Batch::rows).collect::<Vec<_>>(), [16, 16, 16, 2]);
                    let values: Vec<f32> = dealt.iter().flat_map(Batch::to_values).collect();
                    let order: Vec<usize> = values.chunks(5).map(|row| (row[0] * 255.0).round() as usize).collect();
                    let labels: Vec<u32> = (0..batches.batches())
                        .flat_map(|index| {
                            batches.fill(index, &mut Batch::default());
                            batches.labels().unwrap().to_vec()
                        })
                        .collect();
                    assert!(labels.iter().zip(&order).all(|(&y, &sample)| y == sample as u32 % 3));
                    for (row, &sample) in values.chunks(5).zip(&order) {
                        let mut want = [0.0; 5];
                        split.row(sample).write(&mut want);
                        assert_eq!(row, want);
                    }
                    order
                })
                .collect();
            assert_ne!(orders[0], orders[1]);
            for mut order in orders {
                order.sort_unstable();
                assert_eq!(order, (0..50).collect::<Vec<_>>());
            }
        }
    }

    /// What a batch holds must be what [`Split::batch`] says of the same samples: packing ahead
    /// changes nothing, in widths off the word, in selections, in kinds of pixels.
    #[test]
    fn packed_batches_equal_those_made_on_the_spot() {
        for units in [1, 32, 45] {
            let split = numbered(21, units).select(&(0..21).rev().step_by(2).collect::<Vec<_>>()).unwrap();
            for binarize in [Binarize::Fixed, Binarize::Threshold(0.3)] {
                let mut batches = Minibatcher::new(&split, config(4, binarize)).unwrap();
                let dealt = epoch(&mut batches, 5);
                let order: Vec<usize> = batches.order.iter().map(|&sample| sample as usize).collect();
                for (batch, samples) in dealt.iter().zip(order.chunks(4)) {
                    assert_eq!(*batch, split.batch(samples.iter().copied(), binarize, 42).unwrap());
                }
            }
        }
    }

    /// Rows of a share are those of the whole minibatch, and the others are not made.
    #[test]
    fn a_share_has_its_rows_alone() {
        let split = numbered(300, 40);
        for binarize in [Binarize::None, Binarize::Fixed, Binarize::Fresh] {
            let mut batches = Minibatcher::new(&split, config(200, binarize)).unwrap();
            for index in 0..batches.batches() {
                let (mut whole, mut part) = (Batch::default(), Batch::default());
                batches.fill(index, &mut whole);
                let (labels, zeros) = (batches.labels().unwrap().to_vec(), vec![0.0; 40]);
                for rank in 0..3 {
                    let share = Share { piece: 16, rank, ranks: 3 };
                    batches.fill_share(index, share, &mut part);
                    assert_eq!((part.rows(), batches.labels()), (whole.rows(), Some(&labels[..])));
                    for row in 0..whole.rows() {
                        let own = row / 16 % 3 == rank;
                        let want = if own { whole.slice(row..row + 1).to_values() } else { zeros.clone() };
                        assert_eq!(part.slice(row..row + 1).to_values(), want, "{binarize:?}, row {row}, rank {rank}");
                    }
                }
            }
        }
    }

    fn by_sample(batches: &mut Minibatcher, number: u32) -> BTreeMap<u32, Vec<f32>> {
        let rows: Vec<Vec<f32>> = epoch(batches, number)
            .iter()
            .flat_map(|batch| batch.to_values().chunks(batch.units()).map(<[f32]>::to_vec).collect::<Vec<_>>())
            .collect();
        batches.order.iter().copied().zip(rows).collect()
    }

    /// Fixed draws are one picture per sample for ever; fresh ones are new each epoch, the same
    /// again for the same epoch and seed, and never those of `fixed`.
    #[test]
    fn fixed_stays_and_fresh_changes_with_the_epoch() {
        let split = numbered(10, 64);
        let mut fixed = Minibatcher::new(&split, config(3, Binarize::Fixed)).unwrap();
        assert_eq!(by_sample(&mut fixed, 0), by_sample(&mut fixed, 1));
        let mut fresh = Minibatcher::new(&split, config(3, Binarize::Fresh)).unwrap();
        let (first, second) = (by_sample(&mut fresh, 0), by_sample(&mut fresh, 1));
        assert!(first.iter().zip(&second).all(|(a, b)| a != b));
        assert_eq!(first, by_sample(&mut fresh, 0));
        assert_ne!(first, by_sample(&mut fixed, 0));
        let other = BatchConfig { seed: 43, ..config(3, Binarize::Fresh) };
        assert_ne!(first, by_sample(&mut Minibatcher::new(&split, other).unwrap(), 0));
    }

    /// Over 2000 epochs the mean of a pixel's draws is its grey value within 5 standard errors
    /// sqrt(p (1 - p) / 2000); over 96 pixels a right generator fails with probability below
    /// 6e-5, and the seed is fixed. Pixels of 0 and 255 must never and always be on.
    #[test]
    fn fresh_draws_average_to_the_grey_value() {
        let bytes: Vec<u8> = (0..96).map(|i| if i < 90 { (i * 255 / 89) as u8 } else { 0 }).collect();
        let split = Split::new(96, bytes.clone().into(), None).unwrap();
        let mut batches = Minibatcher::new(&split, config(1, Binarize::Fresh)).unwrap();
        let mut sums = vec![0.0f32; 96];
        for number in 0..2000 {
            for batch in epoch(&mut batches, number) {
                sums.iter_mut().zip(batch.to_values()).for_each(|(sum, x)| *sum += x);
            }
        }
        for (&byte, sum) in bytes.iter().zip(sums) {
            let p = f32::from(byte) / 255.0;
            let error = (p * (1.0 - p) / 2000.0).sqrt();
            assert!((sum / 2000.0 - p).abs() <= 5.0 * error, "byte {byte}: mean {}", sum / 2000.0);
        }
    }

    #[test]
    fn bad_settings_are_refused() {
        let split = Split::new(1, vec![0u8, 255].into(), None).unwrap();
        let message = |config| Minibatcher::new(&split, config).unwrap_err().to_string();
        assert_eq!(message(config(0, Binarize::None)), "batch size is 0; it must be at least 1");
        assert!(message(config(1, Binarize::Threshold(1.0))).starts_with("binarize is threshold=1; it must be"));
        let balanced = BatchConfig { balanced: true, ..config(1, Binarize::None) };
        assert_eq!(message(balanced), "class-balanced batches need labels, and this data has none");
    }

    #[test]
    #[should_panic(expected = "batch 1 of 1")]
    fn a_batch_beyond_the_epoch_is_a_mistake_of_the_caller() {
        let split = Split::new(1, vec![0u8, 255].into(), None).unwrap();
        let mut batches = Minibatcher::new(&split, config(usize::MAX, Binarize::None)).unwrap();
        batches.fill(1, &mut Batch::default());
    }
}
