//! Pseudo-likelihood: how probable each visible unit is given all others (Besag 1975).
//!
//! The partition function is not in it. With the free energy F and `v'` the same state but for unit i,
//!
//! ```text
//! p(v_i | others) = p(v) / (p(v) + p(v')) = sigmoid(F(v') - F(v))
//! F(v) - F(v') = d vb_i + sum over hidden j of softplus(x_j + d w_ij) - softplus(x_j)
//! ```
//!
//! for inputs x of the hidden units given v, and d = 1 if unit i is off, else -1. All units of a sample together are what
//! [`Flips`] computes; the sum of softplus is left for single units and for weights that are too large for it.

use crate::learning::packed::PackedRbm;
use crate::measures::flips::{Flips, Odds};
use crate::products::source::{Source, each_alone};
use crate::rng::Uniforms;
use crate::row::{BLOCK, Row, ZERO};
use crate::simd::dispatch;
use crate::states::batch::Batch;
use crate::states::bits::Bits;
use crate::states::lists::{Active, Chunks};
use crate::units::math::softplus;
use rayon::prelude::*;
use std::ops::Range;

impl PackedRbm {
    /// `sum over visible units i of ln p(v_i | others)` of every sample, in nats; the label, where
    /// there is a group of them, is among the others.
    ///
    /// With `draw` one unit a sample is drawn from row s, column 0, and stands for all of them: an
    /// estimate without bias, which scikit-learn calls the pseudo-likelihood.
    ///
    /// # Panics
    /// If there is a label group and not one valid label a sample.
    #[must_use]
    pub fn pseudo_log_likelihood(&self, batch: &Bits, labels: &[u32], draw: Option<Uniforms>) -> Vec<f64> {
        self.flipped_units(&Batch::Binary(batch.clone()), labels, draw)
    }

    /// `sum over visible units i of ln sigmoid(F(v') - F(v))` of every sample, in nats, where v' has `1 - v_i` in place
    /// of `v_i`, whatever that is: of states the pseudo-likelihood, and of values between them what scikit-learn's
    /// estimate of it is on average.
    #[must_use]
    pub fn flip_log_likelihood(&self, batch: &Batch) -> Vec<f64> {
        let labels = vec![0; batch.rows()];
        self.flipped_units(batch, &labels, None)
    }

    /// `ln sigmoid(F(v') - F(v))` times the number of visible units, in nats, of every sample, where v' has `1 - v_i` in
    /// place of `v_i` for the one unit i of the sample's that `units` names: scikit-learn's estimate of the
    /// pseudo-likelihood. A sample has the same bits whatever others come with it.
    ///
    /// # Panics
    /// If there is not a visible unit for each sample.
    #[must_use]
    pub fn flip_log_likelihood_of(&self, batch: &Batch, units: &[u32]) -> Vec<f64> {
        assert_eq!(units.len(), batch.rows(), "a unit for each sample");
        assert!(units.iter().all(|&unit| (unit as usize) < self.visible), "a visible unit for each sample");
        each_alone(batch, |batch, source, lists, rows| {
            let chunks = Chunks::new(batch.rows());
            let of_chunk = |chunk: usize| -> Vec<f64> {
                let range = chunks.range(chunk);
                let inputs = self.inputs(source, lists, range.clone(), |_, _| ZERO);
                let of = |(inputs, s): (&Vec<Row>, usize)| self.one_unit(batch, s, inputs, units[rows[s]] as usize);
                inputs.iter().zip(range).map(of).collect()
            };
            let parts: Vec<Vec<f64>> = (0..chunks.count()).into_par_iter().with_max_len(1).map(of_chunk).collect();
            parts.concat()
        })
    }

    /// Inputs of the hidden units of some samples, one sample after the other, with what `more` adds in a panel.
    fn inputs(
        &self,
        source: Source<'_>,
        lists: &Active,
        range: Range<usize>,
        more: impl Fn(usize, usize) -> Row,
    ) -> Vec<Vec<Row>> {
        let mut inputs = vec![vec![ZERO; self.hb.len()]; range.len()];
        let mut x = vec![ZERO; range.len()];
        for (panel, bias) in self.hb.iter().enumerate() {
            source.product(self.level, self.rec.panel(panel), lists, range.start, &mut x);
            for ((inputs, x), s) in inputs.iter_mut().zip(&x).zip(range.clone()) {
                let more = more(panel, s);
                inputs[panel] = Row(std::array::from_fn(|i| x.0[i] + bias.0[i] + more.0[i]));
            }
        }
        inputs
    }

    fn flipped_units(&self, batch: &Batch, labels: &[u32], draw: Option<Uniforms>) -> Vec<f64> {
        let (samples, visible) = (batch.rows(), self.visible);
        let labelled = self.classes() > 0;
        assert!(!labelled || labels.len() == samples, "one label a sample");
        let (mut support, mut lists) = (Bits::default(), Active::default());
        let source = Source::of_batch(batch, &mut support, &mut lists);
        let chunks = Chunks::new(samples);
        let within = match batch {
            Batch::Binary(_) => true,
            Batch::Real { values, .. } => values.iter().all(|v| (0.0..=1.0).contains(v)),
        };
        let flips = if draw.is_none() && within { Flips::new(self.level, &self.rec) } else { None };
        let of_chunk = |chunk: usize| -> Vec<f64> {
            let range = chunks.range(chunk);
            let of_label = |panel: usize, s: usize| {
                if labelled { self.labels.panels[panel].w[labels[s] as usize] } else { ZERO }
            };
            let inputs = self.inputs(source, &lists, range.clone(), of_label);
            let signs = |s| signs(batch, s, 0..visible);
            let all_units = |inputs: &[Row], s| self.units(&signs(s), 0, inputs).sum::<f64>();
            match (draw, &flips) {
                (Some(draw), _) => {
                    let unit = |s| draw.choice(s as u32, 0, visible);
                    inputs.iter().zip(range).map(|(inputs, s)| self.one_unit(batch, s, inputs, unit(s))).collect()
                }
                (None, None) => inputs.iter().zip(range).map(|(inputs, s)| all_units(inputs, s)).collect(),
                (None, Some(flips)) => {
                    let odds: Vec<Vec<Odds>> = inputs.iter().map(|inputs| Odds::of(self.level, inputs)).collect();
                    let signs: Vec<Vec<f32>> = range.map(signs).collect();
                    flips.log_likelihoods(self.level, &odds, &signs, &self.vb)
                }
            }
        };
        let parts: Vec<Vec<f64>> = (0..chunks.count()).into_par_iter().with_max_len(1).map(of_chunk).collect();
        parts.into_iter().flatten().collect()
    }

    /// `ln p(v_i | others)` of a unit, as often as there are units.
    fn one_unit(&self, batch: &Batch, sample: usize, inputs: &[Row], unit: usize) -> f64 {
        self.visible as f64 * self.units(&signs(batch, sample, unit..unit + 1), unit, inputs).sum::<f64>()
    }

    /// `ln p(v_i | others)` of the units from `first` on, which flip by `signs`.
    fn units(&self, signs: &[f32], first: usize, inputs: &[Row]) -> impl Iterator<Item = f64> {
        let mut sums = vec![0.0; signs.len()];
        for (panel, x) in inputs.iter().enumerate() {
            flipped(self.level, x, &self.rec.panel(panel)[first..first + signs.len()], signs, &mut sums);
        }
        sums.into_iter().zip(signs).enumerate().map(move |(i, (sum, &sign))| {
            let i = first + i;
            let higher = sum + f64::from(sign) * f64::from(self.vb[i / BLOCK].0[i % BLOCK]);
            // -ln(1 + exp(F(v) - F(v'))).
            -(higher.max(0.0) + libm::log1p(libm::exp(-higher.abs())))
        })
    }
}

/// By how much units of a sample change where they flip: `1 - 2 v`.
fn signs(batch: &Batch, sample: usize, units: Range<usize>) -> Vec<f32> {
    match batch {
        Batch::Binary(bits) => units.map(|i| if bits.get(sample, i) { -1.0 } else { 1.0 }).collect(),
        Batch::Real { units: all, values, .. } => values[sample * all..][units].iter().map(|v| 1.0 - 2.0 * v).collect(),
    }
}

dispatch! {
    /// `sums[i] += sum over 32 hidden units of softplus(x + sign_i w_i) - softplus(x)`.
    fn flipped(x: &Row, w: &[Row], signs: &[f32], sums: &mut [f64]) {
        let mut before = x.0;
        for x in &mut before {
            *x = softplus(*x);
        }
        for ((w, &sign), sum) in w.iter().zip(signs).zip(sums) {
            let mut terms = [0.0; BLOCK];
            for i in 0..BLOCK {
                terms[i] = softplus(x.0[i] + sign * w.0[i]) - before[i];
            }
            *sum += terms.iter().map(|&t| f64::from(t)).sum::<f64>();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::learning::parameters::Parameters;
    use crate::rng::Stream;
    use crate::simd::Level;

    fn numbers(n: usize, scale: f32, step: u32) -> Vec<f32> {
        let mut out = vec![0.0; n];
        Uniforms::new(7, Stream::User, step).fill_row(0, &mut out);
        out.iter().map(|u| scale * (2.0 * u - 1.0)).collect()
    }

    /// Unnormalised ln p(v, y), in double precision.
    fn log_weight(p: &Parameters, v: &[f32], label: Option<usize>) -> f64 {
        let hidden = p.hb.len();
        let linear: f64 = v.iter().zip(&p.vb).map(|(v, b)| f64::from(v * b)).sum();
        let input = |j: usize| -> f64 {
            let label = label.map_or(0.0, |y| f64::from(p.label_w[y * hidden + j]));
            let terms = v.iter().enumerate().map(|(i, &v)| f64::from(v) * f64::from(p.w_rec[i * hidden + j]));
            f64::from(p.hb[j]) + label + terms.sum::<f64>()
        };
        linear + (0..hidden).map(|j| input(j).max(0.0) + (-input(j).abs()).exp().ln_1p()).sum::<f64>()
    }

    /// Between their values units are as probable as the energies of v and 1 - v say, and states have nothing of that.
    #[test]
    fn grey_units_are_compared_with_their_complement() {
        let (visible, hidden, samples) = (40, 33, 5);
        let p = Parameters {
            w_rec: numbers(visible * hidden, 1.5, 0),
            hb: numbers(hidden, 1.0, 1),
            vb: numbers(visible, 1.0, 2),
            ..Parameters::default()
        };
        let machine = PackedRbm::new(visible, hidden, &p);
        let values: Vec<f32> = numbers(samples * visible, 1.0, 5).iter().map(|u| 0.5 * (u + 1.0)).collect();
        let grey = Batch::Real { rows: samples, units: visible, values: values.clone() };
        for (v, got) in values.chunks(visible).zip(machine.flip_log_likelihood(&grey)) {
            let (mut v, mut want) = (v.to_vec(), 0.0);
            for i in 0..visible {
                let as_it_is = log_weight(&p, &v, None);
                v[i] = 1.0 - v[i];
                want -= (log_weight(&p, &v, None) - as_it_is).exp().ln_1p();
                v[i] = 1.0 - v[i];
            }
            assert!((got - want).abs() < 1e-5 * visible as f64, "{got}, exactly {want}");
        }
        let states: Vec<f32> = values.iter().map(|v| v.round()).collect();
        let bits = Bits::from_values(samples, visible, &states);
        let real = Batch::Real { rows: samples, units: visible, values: states };
        for (a, b) in machine.flip_log_likelihood(&real).iter().zip(machine.pseudo_log_likelihood(&bits, &[], None)) {
            assert!((a - b).abs() < 1e-5, "{a} {b}");
        }
    }

    /// Against the formula, of states and of values between them; and alone a sample has the same bits.
    #[test]
    fn one_unit_of_a_sample_flips_alone() {
        let (visible, hidden, samples) = (300, 45, 150);
        let p = Parameters {
            w_rec: numbers(visible * hidden, 0.3, 0),
            hb: numbers(hidden, 1.0, 1),
            vb: numbers(visible, 1.0, 2),
            ..Parameters::default()
        };
        let machine = PackedRbm::new(visible, hidden, &p);
        let units: Vec<u32> = (0..samples as u32).map(|s| s * 7 % visible as u32).collect();
        let grey: Vec<f32> = numbers(samples * visible, 1.0, 5).iter().map(|u| 0.5 * (u + 1.0)).collect();
        // On more often from sample to sample.
        let states: Vec<f32> = grey
            .iter()
            .enumerate()
            .map(|(at, &v)| f32::from(u8::from(v < (at / visible) as f32 / samples as f32)))
            .collect();
        let real = Batch::Real { rows: samples, units: visible, values: grey.clone() };
        let binary = Batch::Binary(Bits::from_values(samples, visible, &states));
        for (batch, values) in [(&real, &grey), (&binary, &states)] {
            let got = machine.flip_log_likelihood_of(batch, &units);
            for (s, &got) in got.iter().enumerate() {
                let unit = units[s] as usize;
                let v = &values[s * visible..][..visible];
                let mut flipped = v.to_vec();
                flipped[unit] = 1.0 - flipped[unit];
                let higher = log_weight(&p, &flipped, None) - log_weight(&p, v, None);
                let want = -(visible as f64) * (higher.max(0.0) + (-higher.abs()).exp().ln_1p());
                assert!((got - want).abs() < 2e-5 * visible as f64, "{got}, exactly {want}");
                let alone = machine.flip_log_likelihood_of(&batch.chosen(&[s]), &units[s..=s]);
                assert_eq!(alone[0].to_bits(), got.to_bits(), "sample {s}");
            }
        }
    }

    /// Large weights: products of fewer factors, and beyond 20 none.
    #[test]
    fn large_weights_neither_overflow_nor_vanish() {
        let (visible, hidden, samples) = (33, 70, 4);
        for scale in [6.0, 19.0, 21.0, 60.0] {
            let p = Parameters {
                w_rec: numbers(visible * hidden, scale, 0),
                hb: numbers(hidden, 3.0, 1),
                vb: numbers(visible, 2.0, 2),
                ..Parameters::default()
            };
            let machine = PackedRbm::new(visible, hidden, &p);
            let values: Vec<f32> =
                numbers(samples * visible, 1.0, 5).iter().map(|&u| f32::from(u8::from(u < 0.0))).collect();
            let got = machine.pseudo_log_likelihood(&Bits::from_values(samples, visible, &values), &[], None);
            for (v, got) in values.chunks(visible).zip(got) {
                let (mut v, mut want) = (v.to_vec(), 0.0);
                for i in 0..visible {
                    let as_it_is = log_weight(&p, &v, None);
                    v[i] = 1.0 - v[i];
                    let higher = log_weight(&p, &v, None) - as_it_is;
                    want -= higher.max(0.0) + (-higher.abs()).exp().ln_1p();
                    v[i] = 1.0 - v[i];
                }
                // Inputs of hundreds are rounded to some 1e-5.
                assert!(
                    (got - want).abs() < 1e-4 * visible as f64 + 1e-5 * want.abs(),
                    "{scale}: {got}, exactly {want}"
                );
            }
        }
    }

    #[test]
    fn every_level_has_the_same_bits() {
        let (visible, hidden, samples) = (70, 45, 3);
        let p = Parameters {
            w_rec: numbers(visible * hidden, 1.5, 0),
            hb: numbers(hidden, 1.0, 1),
            vb: numbers(visible, 1.0, 2),
            ..Parameters::default()
        };
        let values: Vec<f32> = numbers(samples * visible, 1.0, 5).iter().map(|u| (0.9 * (u + 1.0)).min(1.0)).collect();
        let batch = Batch::Real { rows: samples, units: visible, values };
        let all = Level::available().into_iter().map(|level| {
            let mut machine = PackedRbm::new(visible, hidden, &p);
            machine.set_level(level);
            machine.flip_log_likelihood(&batch).iter().map(|x| x.to_bits()).collect::<Vec<u64>>()
        });
        let all: Vec<Vec<u64>> = all.collect();
        assert!(all.iter().all(|bits| *bits == all[0]));
    }

    /// Against conditionals made of two unnormalised probabilities each, on sizes off the panel's.
    #[test]
    fn every_unit_is_as_probable_as_its_two_states_say() {
        for (visible, hidden, classes) in [(1, 1, 0), (7, 5, 0), (40, 33, 3)] {
            let p = Parameters {
                w_rec: numbers(visible * hidden, 1.5, 0),
                hb: numbers(hidden, 1.0, 1),
                vb: numbers(visible, 1.0, 2),
                label_w: numbers(classes * hidden, 1.0, 3),
                label_b: numbers(classes, 1.0, 4),
                ..Parameters::default()
            };
            let machine = PackedRbm::new(visible, hidden, &p);
            let samples = 9;
            let values: Vec<f32> =
                numbers(samples * visible, 1.0, 5).iter().map(|&u| f32::from(u8::from(u < -0.2))).collect();
            let labels: Vec<u32> = (0..samples as u32).map(|s| s % classes.max(1) as u32).collect();
            let got = machine.pseudo_log_likelihood(&Bits::from_values(samples, visible, &values), &labels, None);
            let mut of_units = vec![0.0; visible];
            for (s, got) in got.iter().enumerate() {
                let mut v = values[s * visible..(s + 1) * visible].to_vec();
                let label = (classes > 0).then(|| labels[s] as usize);
                let mut want = 0.0;
                for (i, of_unit) in of_units.iter_mut().enumerate() {
                    let as_it_is = log_weight(&p, &v, label);
                    v[i] = 1.0 - v[i];
                    let other = log_weight(&p, &v, label);
                    v[i] = 1.0 - v[i];
                    *of_unit = -(other - as_it_is).exp().ln_1p();
                    want += *of_unit;
                }
                assert!((got - want).abs() < 1e-5 * visible as f64, "{visible}x{hidden}: {got}, exactly {want}");
                // One unit that stands for all is one of those.
                let bits = Bits::from_values(samples, visible, &values);
                let one = machine.pseudo_log_likelihood(&bits, &labels, Some(Uniforms::new(1, Stream::User, 0)))[s];
                let close = of_units.iter().any(|unit| (unit * visible as f64 - one).abs() < 1e-4 * visible as f64);
                assert!(close, "{one} is none of {of_units:?}");
            }
        }
    }
}
