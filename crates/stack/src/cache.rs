//! The input of a layer, kept: probabilities or states of all samples, their labels, and the
//! order in which an epoch deals them.

use crate::climb::draw_states;
use crate::config::Propagate;
use deepbelief_kernels::{Batch, Bits, Minibatches, Share, Stream, Uniforms};

/// Values of all samples, row-major [samples, units].
#[derive(Debug)]
pub(crate) enum Values {
    /// Probabilities.
    Floats(Vec<f32>),
    /// 255 times the probability, rounded.
    Bytes(Vec<u8>),
    /// States, `units / 32` words a sample, rounded up.
    Bits(Vec<u32>),
}

impl Values {
    /// Adds probabilities, or where bits are kept, the states drawn from them.
    pub(crate) fn extend(&mut self, batch: &Batch) {
        let byte = |p: &f32| (255.0 * p).round() as u8;
        match (self, batch) {
            (Self::Floats(kept), Batch::Real { values, .. }) => kept.extend_from_slice(values),
            (Self::Floats(kept), Batch::Binary(bits)) => kept.extend(bits.to_values()),
            (Self::Bytes(kept), Batch::Real { values, .. }) => kept.extend(values.iter().map(byte)),
            (Self::Bytes(kept), Batch::Binary(bits)) => kept.extend(bits.to_values().iter().map(byte)),
            (Self::Bits(kept), Batch::Binary(bits)) => push(kept, bits),
            (Self::Bits(kept), Batch::Real { rows, units, values }) => {
                push(kept, &Bits::from_values(*rows, *units, values));
            }
        }
    }

    /// Writes the chosen samples into `batch`, those of `share` alone.
    fn write(&self, chosen: &[u32], share: Share, units: usize, batch: &mut Batch) {
        let rows = share.of(chosen.len()).flatten().map(|place| (place, chosen[place] as usize));
        match self {
            Self::Floats(kept) => {
                let values = batch.make_real(chosen.len(), units);
                for (place, row) in rows {
                    values[place * units..][..units].copy_from_slice(&kept[row * units..][..units]);
                }
            }
            Self::Bytes(kept) => {
                let values = batch.make_real(chosen.len(), units);
                for (place, row) in rows {
                    let out = &mut values[place * units..][..units];
                    for (out, &byte) in out.iter_mut().zip(&kept[row * units..][..units]) {
                        *out = f32::from(byte) / 255.0;
                    }
                }
            }
            Self::Bits(kept) => {
                let (bits, blocks) = (batch.make_binary(chosen.len(), units), units.div_ceil(32));
                for (place, row) in rows {
                    for (block, &word) in kept[row * blocks..][..blocks].iter().enumerate() {
                        bits.set_word(place, block, word);
                    }
                }
            }
        }
    }
}

/// Adds states, row by row.
fn push(kept: &mut Vec<u32>, bits: &Bits) {
    for row in 0..bits.rows() {
        kept.extend((0..bits.blocks()).map(|block| bits.word(row, block)));
    }
}

/// What belongs to the samples of a minibatch; empty where the data have none.
#[derive(Debug, Default)]
pub(crate) struct OfBatch {
    pub(crate) labels: Vec<u32>,
    pub(crate) weights: Vec<f32>,
}

impl OfBatch {
    /// Those of the minibatch that `data` filled last.
    pub(crate) fn fetch(&mut self, data: &dyn Minibatches) {
        self.labels.clear();
        self.labels.extend_from_slice(data.labels().unwrap_or_default());
        self.weights.clear();
        self.weights.extend_from_slice(data.weights().unwrap_or_default());
    }
}

/// Kept input, dealt in minibatches.
#[derive(Debug)]
pub(crate) struct Cache {
    pub(crate) values: Values,
    /// Label of every sample; empty where the data have none.
    pub(crate) labels: Vec<u32>,
    /// Weight of every sample; empty where all weigh the same.
    pub(crate) weights: Vec<f32>,
    pub(crate) samples: usize,
    pub(crate) units: usize,
    pub(crate) batch_size: usize,
    pub(crate) balanced: bool,
    pub(crate) propagate: Propagate,
    pub(crate) seed: u64,
    pub(crate) order: Vec<u32>,
    pub(crate) epoch: u32,
}

impl Cache {
    pub(crate) fn start_epoch(&mut self, epoch: u32) {
        self.epoch = epoch;
        self.order.clear();
        self.order.extend(0..self.samples as u32);
        Uniforms::new(self.seed, Stream::Shuffle, epoch).shuffle(0, &mut self.order);
        if self.balanced {
            self.spread_classes();
        }
    }

    /// Gives sample k of the n of its class, in shuffled order, the place (k + u) / n of the
    /// epoch, u one uniform a class: a stretch of the order then holds each class nearly in its
    /// proportion.
    fn spread_classes(&mut self) {
        let classes = self.labels.iter().max().map_or(0, |&label| label as usize + 1);
        let offset = Uniforms::new(self.seed, Stream::Shuffle, self.epoch);
        let (mut sizes, mut seen) = (vec![0.0; classes], vec![0.0; classes]);
        for &label in &self.labels {
            sizes[label as usize] += 1.0;
        }
        let place = |&sample: &u32| {
            let label = self.labels[sample as usize] as usize;
            let k = seen[label];
            seen[label] += 1.0;
            ((k + f64::from(offset.at(1, label as u32))) / sizes[label], sample)
        };
        let mut places: Vec<(f64, u32)> = self.order.iter().map(place).collect();
        // Stable: samples at the same place keep their shuffled order.
        places.sort_by(|a, b| a.0.total_cmp(&b.0));
        self.order.clear();
        self.order.extend(places.iter().map(|&(_, sample)| sample));
    }

    /// Writes the samples of `share` of minibatch `index` into `batch`, and what belongs to all samples into `of`.
    pub(crate) fn fill(&self, index: usize, share: Share, batch: &mut Batch, of: &mut OfBatch) {
        let first = index * self.batch_size;
        let chosen = &self.order[first..self.samples.min(first + self.batch_size)];
        of.labels.clear();
        if !self.labels.is_empty() {
            of.labels.extend(chosen.iter().map(|&sample| self.labels[sample as usize]));
        }
        of.weights.clear();
        if !self.weights.is_empty() {
            of.weights.extend(chosen.iter().map(|&sample| self.weights[sample as usize]));
        }
        self.values.write(chosen, share, self.units, batch);
        if self.propagate == Propagate::Samples && !matches!(self.values, Values::Bits(_)) {
            let draw = Uniforms::new(self.seed, Stream::Binarize, self.epoch).gibbs(PRESENTED);
            let p = std::mem::take(batch);
            draw_states(&p, draw, share, |row| chosen[row], batch);
        }
    }
}

/// Half-step of the draws made when a kept sample is presented; the passes up use 0.
const PRESENTED: u16 = 1;
