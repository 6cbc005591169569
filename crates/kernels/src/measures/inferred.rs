//! What hidden units are of samples that pass through once: `p(h = 1 | v) = sigmoid(v W + hb)`.

use crate::learning::packed::PackedRbm;
use crate::products::source::{Source, each_alone};
use crate::row::{BLOCK, ZERO};
use crate::states::batch::Batch;
use crate::states::lists::{Active, Chunks};
use crate::units::bernoulli;
use rayon::prelude::*;

impl PackedRbm {
    /// p(h = 1 | v) of every sample, row-major [samples, hidden]. A label group takes no part. A sample has the same bits
    /// whatever others come with it.
    #[must_use]
    pub fn hidden_means(&self, batch: &Batch) -> Vec<f32> {
        each_alone(batch, self.hidden, |batch, source, lists, _| self.means(batch.rows(), source, lists))
    }

    fn means(&self, rows: usize, source: Source<'_>, lists: &Active) -> Vec<f32> {
        let chunks = Chunks::new(rows);
        let mut means = vec![0.0; rows * self.hidden];
        means.par_chunks_mut((chunks.size * self.hidden).max(1)).enumerate().with_max_len(1).for_each(
            |(chunk, means)| {
                let range = chunks.range(chunk);
                let (mut x, mut p) = (vec![ZERO; range.len()], vec![ZERO; range.len()]);
                for (panel, bias) in self.hb.iter().enumerate() {
                    source.product(self.level, self.rec.panel(panel), lists, range.start, &mut x);
                    bernoulli::probabilities(self.level, &x, bias, &mut p);
                    for (p, means) in p.iter().zip(means.chunks_mut(self.hidden)) {
                        let means = &mut means[panel * BLOCK..];
                        let width = means.len().min(BLOCK);
                        means[..width].copy_from_slice(&p.0[..width]);
                    }
                }
            },
        );
        means
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::learning::parameters::Parameters;
    use crate::rng::{Stream, Uniforms};
    use crate::states::bits::Bits;

    fn numbers(n: usize, step: u32) -> Vec<f32> {
        let mut out = vec![0.0; n];
        Uniforms::new(3, Stream::User, step).fill_row(0, &mut out);
        out
    }

    /// Against double precision; and one sample alone, sparse or dense, has the bits that it has among others.
    #[test]
    fn means_are_those_of_the_formula_whatever_comes_along() {
        let (visible, hidden, samples) = (300, 45, 150);
        let p = Parameters {
            w_rec: numbers(visible * hidden, 0).iter().map(|u| u - 0.5).collect(),
            hb: numbers(hidden, 1),
            vb: vec![0.0; visible],
            ..Parameters::default()
        };
        let machine = PackedRbm::new(visible, hidden, &p);
        // Few values at first, and more of them from sample to sample.
        let mut values = numbers(samples * visible, 2);
        for (s, row) in values.chunks_mut(visible).enumerate() {
            for v in row {
                *v = if *v < s as f32 / samples as f32 { *v } else { 0.0 };
            }
        }
        let all = Batch::Real { rows: samples, units: visible, values: values.clone() };
        let means = machine.hidden_means(&all);
        for (s, (v, means)) in values.chunks(visible).zip(means.chunks(hidden)).enumerate() {
            for (j, &mean) in means.iter().enumerate() {
                let terms = v.iter().enumerate().map(|(i, &v)| f64::from(v) * f64::from(p.w_rec[i * hidden + j]));
                let x = f64::from(p.hb[j]) + terms.sum::<f64>();
                assert!((f64::from(mean) - 1.0 / (1.0 + (-x).exp())).abs() < 2e-6, "sample {s}, unit {j}");
            }
            let alone = Batch::Real { rows: 1, units: visible, values: v.to_vec() };
            assert_eq!(machine.hidden_means(&alone), means, "sample {s}");
        }
        // States: by lists at first, by tables in the end.
        let states: Vec<f32> = values.iter().map(|&v| f32::from(u8::from(v > 0.0))).collect();
        let bits = Bits::from_values(samples, visible, &states);
        let means = machine.hidden_means(&Batch::Binary(bits.clone()));
        let real = machine.hidden_means(&Batch::Real { rows: samples, units: visible, values: states });
        for s in 0..samples {
            let of = |means: &[f32]| means[s * hidden..][..hidden].to_vec();
            assert!(of(&means).iter().zip(of(&real)).all(|(a, b)| (a - b).abs() < 2e-6), "sample {s}");
            assert_eq!(machine.hidden_means(&Batch::Binary(bits.chosen(&[s]))), of(&means), "sample {s}");
        }
    }
}
