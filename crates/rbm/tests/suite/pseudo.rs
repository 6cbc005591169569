//! Pseudo-likelihoods of every pair of kinds against free energies in double precision.

use crate::machines::{free_energies, name, pairs, random, samples};
use candle_core::Device;
use deepbelief_kernels::{Batch, Bits, Layers, Parameters, Stream, Uniforms};
use deepbelief_rbm::likelihood::pseudo_log_likelihood;
use deepbelief_rbm::{Rbm, Segment, UnitKind};

/// ln of the sum of `exp(-F)` over the values of one unit, of a real one over a grid of 0.02 within 14 of 0.
fn log_sum(layers: &Layers, p: &Parameters, v: &[f32], segment: Segment, first: usize) -> f64 {
    let values: Vec<Vec<f32>> = match segment.units {
        UnitKind::Categorical => {
            let one_hot = |on| (0..segment.levels).map(|level| f32::from(u8::from(level == on))).collect();
            (0..segment.levels).map(one_hot).collect()
        }
        UnitKind::Gaussian => (-700..=700).map(|at| vec![0.02 * at as f32]).collect(),
        _ => vec![vec![0.0], vec![1.0]],
    };
    let states: Vec<f32> = values
        .iter()
        .flat_map(|value| {
            let mut state = v.to_vec();
            state[first..first + value.len()].copy_from_slice(value);
            state
        })
        .collect();
    let batch = Batch::Real { rows: values.len(), units: v.len(), values: states };
    let terms = free_energies(layers, p, &batch);
    let least = terms.iter().copied().fold(f64::INFINITY, f64::min);
    let sum = terms.iter().map(|free| (least - free).exp()).sum::<f64>();
    sum.ln() - least + if segment.units == UnitKind::Gaussian { 0.02_f64.ln() } else { 0.0 }
}

/// `ln p(v_i | others)` of every unit.
fn written_out(layers: &Layers, p: &Parameters, v: &[f32]) -> Vec<f64> {
    let whole = Batch::Real { rows: 1, units: v.len(), values: v.to_vec() };
    let free = free_energies(layers, p, &whole)[0];
    let each = layers.visible.each().flat_map(|(segment, columns)| {
        columns.step_by(segment.levels).map(move |first| -free - log_sum(layers, p, v, segment, first))
    });
    each.collect()
}

/// Within 1e-4 nats a unit, for all units and for each that is drawn; draws reach all units.
#[test]
fn every_unit_is_given_all_others() {
    for layers in pairs() {
        let (name, rbm) = (name(&layers), random(&layers, 12));
        let p = rbm.to_parameters().unwrap();
        let batch = samples(&layers.visible, 40, 13);
        let (columns, units) = (layers.visible.columns(), layers.visible.sites());
        let got = pseudo_log_likelihood(&rbm, &batch, &[], None).unwrap();
        let draw = Uniforms::new(5, Stream::User, 0);
        let one = pseudo_log_likelihood(&rbm, &batch, &[], Some(draw)).unwrap();
        for (sample, v) in batch.to_values().chunks(columns).enumerate() {
            let each = written_out(&layers, &p, v);
            let sum = each.iter().sum::<f64>();
            assert!((got[sample] - sum).abs() < 1e-4 * units as f64, "{name}: {}, written out {sum}", got[sample]);
            let unit = (f64::from(draw.at(sample as u32, 0)) * units as f64) as usize;
            let expected = units as f64 * each[unit];
            assert!((one[sample] - expected).abs() < 1e-4 * units as f64, "{name}: unit {unit} of sample {sample}");
        }
    }
}

/// Two modes that lie 20 deviations apart are both counted.
#[test]
fn a_density_counts_all_modes() {
    let layers = Layers {
        visible: deepbelief_rbm::Units::of(UnitKind::Gaussian, 1),
        hidden: deepbelief_rbm::Units::of(UnitKind::Bernoulli, 1),
    };
    let mut p = random(&layers, 1).to_parameters().unwrap();
    (p.w_rec[0], p.vb[0], p.hb[0]) = (20.0, -10.0, 0.0);
    p.visible_fields.log_precision = vec![0.0];
    let rbm = Rbm::from_parameters(&layers, p.clone(), &Device::Cpu).unwrap();
    for x in [-10.0, 10.0, 9.0, 0.0] {
        let batch = Batch::Real { rows: 1, units: 1, values: vec![x] };
        let got = pseudo_log_likelihood(&rbm, &batch, &[], None).unwrap()[0];
        let exact = written_out(&layers, &p, &[x])[0];
        assert!((got - exact).abs() < 1e-4, "at {x}: {got}, written out {exact}");
    }
}

/// Of Bernoulli units, what their own kernel says is what that for all units says.
#[test]
fn bits_have_one_pseudo_likelihood() {
    let rbm = crate::random_rbm(45, 70, 0.4, 5);
    let batch = crate::binary(50, 45, 0.4, 6);
    let real = Batch::Real { rows: 50, units: 45, values: batch.to_values() };
    for draw in [None, Some(Uniforms::new(2, Stream::User, 0))] {
        let (bits, values) = (
            pseudo_log_likelihood(&rbm, &batch, &[], draw).unwrap(),
            pseudo_log_likelihood(&rbm, &real, &[], draw).unwrap(),
        );
        for (a, b) in bits.iter().zip(&values) {
            assert!((a - b).abs() < 1e-4 * a.abs(), "{a} and {b}");
        }
    }
    let wrong = Batch::Binary(Bits::zeros(2, 44));
    assert!(pseudo_log_likelihood(&rbm, &wrong, &[], None).is_err());
}
