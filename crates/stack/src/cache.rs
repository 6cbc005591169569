//! The input of a layer, kept: probabilities of all samples, their labels, and the order in
//! which an epoch deals them.

use crate::config::Propagate;
use deepbelief_kernels::{Batch, Stream, Uniforms};

/// Probabilities, row-major [samples, units].
#[derive(Debug)]
pub(crate) enum Values {
    Floats(Vec<f32>),
    /// 255 times the probability, rounded.
    Bytes(Vec<u8>),
}

impl Values {
    pub(crate) fn extend(&mut self, probabilities: &[f32]) {
        match self {
            Self::Floats(values) => values.extend_from_slice(probabilities),
            Self::Bytes(values) => values.extend(probabilities.iter().map(|p| (255.0 * p).round() as u8)),
        }
    }

    fn row(&self, row: usize, out: &mut [f32]) {
        let range = row * out.len()..(row + 1) * out.len();
        match self {
            Self::Floats(values) => out.copy_from_slice(&values[range]),
            Self::Bytes(values) => {
                for (out, &byte) in out.iter_mut().zip(&values[range]) {
                    *out = f32::from(byte) / 255.0;
                }
            }
        }
    }
}

/// Kept input, dealt in minibatches.
#[derive(Debug)]
pub(crate) struct Cache {
    pub(crate) values: Values,
    /// Label of every sample; empty where the data have none.
    pub(crate) labels: Vec<u32>,
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

    /// Writes minibatch `index` into `batch` and its labels into `labels`.
    pub(crate) fn fill(&self, index: usize, batch: &mut Batch, labels: &mut Vec<u32>) {
        let first = index * self.batch_size;
        let chosen = &self.order[first..self.samples.min(first + self.batch_size)];
        labels.clear();
        if !self.labels.is_empty() {
            labels.extend(chosen.iter().map(|&sample| self.labels[sample as usize]));
        }
        let width = self.units.max(1);
        match self.propagate {
            Propagate::Probabilities => {
                for (out, &sample) in batch.make_real(chosen.len(), self.units).chunks_exact_mut(width).zip(chosen) {
                    self.values.row(sample as usize, out);
                }
            }
            Propagate::Samples => {
                let draw = Uniforms::new(self.seed, Stream::Binarize, self.epoch).gibbs(PRESENTED);
                let bits = batch.make_binary(chosen.len(), self.units);
                let mut p = vec![0.0; self.units];
                for (row, &sample) in chosen.iter().enumerate() {
                    self.values.row(sample as usize, &mut p);
                    for (block, chunk) in p.chunks(32).enumerate() {
                        let mut padded = [0.0; 32];
                        padded[..chunk.len()].copy_from_slice(chunk);
                        bits.set_word(row, block, draw.below(sample, block as u32, &padded));
                    }
                }
            }
        }
    }
}

/// Half-step of the draws made when a kept sample is presented; the passes up use 0.
const PRESENTED: u16 = 1;
