//! What hidden units are of samples that pass through once: `p(h = 1 | v) = sigmoid(v W + hb)`.

use crate::learning::packed::PackedRbm;
use crate::products::scratch::Scratch;
use crate::products::source::{Room, by_ways};
use crate::row::BLOCK;
use crate::states::batch::Batch;
use crate::units::bernoulli;

impl PackedRbm {
    /// p(h = 1 | v) of every sample, row-major [samples, hidden]. A label group takes no part. A sample has the same bits
    /// whatever others come with it.
    #[must_use]
    pub fn hidden_means(&self, batch: &Batch) -> Vec<f32> {
        let mut means = vec![0.0; batch.rows() * self.hidden];
        let rows: Vec<usize> = (0..batch.rows()).collect();
        self.write_hidden_means(batch, &rows, &mut means, &mut Room::default());
        means
    }

    /// The same in this thread, those of sample s in row `rows[s]` of `means`: written once, where they belong.
    ///
    /// # Panics
    /// If there is no such row.
    pub fn write_hidden_means<T: From<f32>>(&self, batch: &Batch, rows: &[usize], means: &mut [T], room: &mut Room) {
        let hidden = self.hidden;
        by_ways(batch, room, |batch, source, lists, samples| {
            let (mut x, mut p) = (Scratch::new(batch.rows()), Scratch::new(batch.rows()));
            for (panel, bias) in self.hb.iter().enumerate() {
                source.product(self.level, self.rec.panel(panel), lists, 0, &mut x);
                bernoulli::probabilities(self.level, &x, bias, &mut p);
                let units = panel * BLOCK..hidden.min((panel + 1) * BLOCK);
                for (p, &sample) in p.iter().zip(samples) {
                    let means = &mut means[rows[sample] * hidden..][units.clone()];
                    means.iter_mut().zip(p.0).for_each(|(mean, p)| *mean = T::from(p));
                }
            }
        });
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
        // In other places, and wider.
        let (mut wide, mut room) = (vec![0.0_f64; samples * hidden], Room::default());
        let places: Vec<usize> = (0..samples).rev().collect();
        machine.write_hidden_means(&all, &places, &mut wide, &mut room);
        for (wide, means) in wide.chunks(hidden).rev().zip(means.chunks(hidden)) {
            assert!(wide.iter().zip(means).all(|(&wide, &mean)| wide == f64::from(mean)));
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
