//! What a model makes of missing values, against sums over all states.

use super::{binary, random_rbm, random_rbms};
use candle_core::{Device, Tensor};
use deepbelief_kernels::{Batch, Bits};
use deepbelief_rbm::{FieldTensors, LabelGroup, Layers, Rbm, UnitKind, Units, VisibleStates};
use deepbelief_stack::{Completing, Dbn};

fn missing(rows: usize, units: usize, cells: &[(usize, usize)]) -> Bits {
    let mut on = vec![0.0; rows * units];
    for &(row, unit) in cells {
        on[row * units + unit] = 1.0;
    }
    Bits::from_values(rows, units, &on)
}

/// The mean of each missing unit given what was observed, of an RBM, by the free energies of all states of what is missing.
fn exact(rbm: &Rbm, v: &[f32], gaps: &[usize]) -> Vec<f64> {
    let states: Vec<Vec<f32>> = (0..1usize << gaps.len())
        .map(|state| {
            let mut v = v.to_vec();
            gaps.iter().enumerate().for_each(|(bit, &unit)| v[unit] = (state >> bit & 1) as f32);
            v
        })
        .collect();
    let tensor = Tensor::from_vec(states.concat(), (states.len(), v.len()), &Device::Cpu).unwrap();
    let weights: Vec<f64> = if rbm.labels().is_some() {
        let scores: Vec<Vec<f32>> = rbm.label_scores(&tensor).unwrap().to_vec2().unwrap();
        let vb: Vec<f32> = rbm.vb().to_vec1().unwrap();
        let linear = |v: &[f32]| v.iter().zip(&vb).map(|(v, b)| f64::from(v * b)).sum::<f64>();
        let sum = |scores: &[f32]| scores.iter().map(|s| f64::from(*s).exp()).sum::<f64>();
        states.iter().zip(&scores).map(|(v, scores)| sum(scores) * linear(v).exp()).collect()
    } else {
        let energies: Vec<f32> = rbm.free_energy(&tensor).unwrap().to_vec1().unwrap();
        energies.iter().map(|f| (-f64::from(*f)).exp()).collect()
    };
    let total: f64 = weights.iter().sum();
    gaps.iter()
        .map(|&unit| states.iter().zip(&weights).map(|(v, w)| f64::from(v[unit]) * w).sum::<f64>() / total)
        .collect()
}

/// 200 chains of 50 steps: p(v|h) varies by less than 1/2, over steps that are correlated for fewer than eight of
/// them, which is a standard error below 0.5 sqrt(8 / 10,000) = 0.014. At 0.06, over four of them, one of 20 means
/// fails with a probability below 1e-3 if the bound were reached; the seed is fixed.
#[test]
fn the_mean_of_what_is_missing_is_exact_for_an_rbm() {
    let (rows, units) = (5, 6);
    let plain = random_rbm(units, 4, 0, 1.2, 3);
    let w = Tensor::from_vec(super::uniforms(3, 4, 9), (3, 4), &Device::Cpu).unwrap().affine(4.0, -2.0).unwrap();
    let labelled =
        plain.clone().with_labels(LabelGroup { w, b: Tensor::new(&[0.3f32, -0.2, 0.1], &Device::Cpu).unwrap() });
    let batch = binary(rows, units, 0.5, 4);
    let cells = [(0, 1), (0, 4), (2, 0), (2, 1), (2, 2), (2, 3), (2, 4), (2, 5), (4, 5)];
    let how = Completing { chains: 200, burn_in: 20, sweeps: 50, ..Completing::default() };
    for rbm in [plain, labelled.unwrap()] {
        let dbn = Dbn::from_rbms(vec![rbm.clone()]).unwrap();
        let completed = dbn.complete(&batch, &missing(rows, units, &cells), &how).unwrap();
        let values = batch.to_values();
        for row in 0..rows {
            let gaps: Vec<usize> = cells.iter().filter(|cell| cell.0 == row).map(|cell| cell.1).collect();
            let v = &values[row * units..][..units];
            for (unit, mean) in gaps.iter().zip(exact(&rbm, v, &gaps)) {
                let found = f64::from(completed.mean[row * units + unit]);
                assert!((found - mean).abs() < 0.06, "row {row}, unit {unit}: {found} against {mean}");
            }
            // What was observed stays, in every draw.
            for unit in (0..units).filter(|unit| !gaps.contains(unit)) {
                let at = row * units + unit;
                assert_eq!((completed.mean[at], completed.deviation[at]), (v[unit], 0.0));
                assert!(completed.draws.iter().all(|draw| draw[at] == v[unit]));
            }
        }
        assert_eq!(completed.draws.len(), 200);
        assert!(completed.draws.iter().flatten().all(|&x| x == 0.0 || x == 1.0));
    }
}

/// What a sample is given depends on its own values alone: not on the samples beside it, its place, or what stands in
/// its gaps. A net of several layers does the same, and one that takes probabilities holds those.
#[test]
fn a_sample_is_completed_alike_wherever_it_stands() {
    let (rows, units) = (70, 40);
    let rbms = random_rbms(&[units, 30, 20, 10], 0, 0.5);
    let dbn = Dbn::from_rbms(rbms).unwrap();
    let batch = binary(rows, units, 0.4, 5);
    let cells: Vec<(usize, usize)> = (0..rows).flat_map(|row| [(row, row % units), (row, 39)]).collect();
    let how = Completing { visible_states: VisibleStates::Probabilities, ..Completing::default() };
    let all = dbn.complete(&batch, &missing(rows, units, &cells), &how).unwrap();
    let alone = dbn.complete(&batch.slice(33..34), &missing(1, units, &[(0, 33), (0, 39)]), &how).unwrap();
    for (a, b) in all.mean[33 * units..34 * units].iter().zip(&alone.mean) {
        // Sums over other numbers of rows may run in another order.
        assert!((a - b).abs() < 1e-6, "{a} against {b}");
    }
    assert!(all.mean.iter().any(|&x| x > 0.0 && x < 1.0));
    assert!(all.draws[0].iter().any(|&x| x > 0.0 && x < 1.0), "probabilities");
    let whole = dbn.complete(&batch, &Bits::zeros(rows, units), &how).unwrap();
    assert_eq!(whole.mean, batch.to_values());
    let error = dbn.complete(&Batch::Binary(Bits::zeros(1, 3)), &Bits::zeros(1, 3), &how).unwrap_err().to_string();
    assert!(error.contains("units is 3; it must be 40"), "{error}");
}

/// Samples that are alike draw alike, unless each has numbers of its own: then as many are on as should be.
#[test]
fn samples_may_draw_numbers_of_their_own() {
    let (rows, units) = (4000, 6);
    let dbn = Dbn::from_rbms(random_rbms(&[units, 4, 5], 0, 0.8)).unwrap();
    let one = binary(1, units, 0.5, 4);
    let batch = Batch::Binary(Bits::from_values(rows, units, &one.to_values().repeat(rows)));
    let cells: Vec<(usize, usize)> = (0..rows).map(|row| (row, 2)).collect();
    let missing = missing(rows, units, &cells);
    let shares = |rows_from| -> (f64, f64) {
        let how = Completing { chains: 1, burn_in: 20, sweeps: 1, rows_from, ..Completing::default() };
        let completed = dbn.complete(&batch, &missing, &how).unwrap();
        let mean = |values: &[f32]| values.chunks(units).map(|row| f64::from(row[2])).sum::<f64>() / rows as f64;
        (mean(&completed.draws[0]), mean(&completed.draw_means[0]))
    };
    let together = shares(None).0;
    assert!(together == 0.0 || together == 1.0, "{together}");
    let (states, means) = shares(Some(7));
    // Five standard errors of a share.
    assert!((states - means).abs() < 5.0 * 0.5 / (rows as f64).sqrt(), "{states} on of {means}");
    assert!((0.05..0.95).contains(&means));
}

/// Strong weights, so that steps through the hidden units would not leave the stand-in: a category of three and a binary
/// value, each given the rest, and both at once.
#[test]
fn choices_are_drawn_given_the_rest() {
    let (rows, units) = (4, 6);
    let rbm = random_rbm(units, 40, 0, 3.0, 7);
    let dbn = Dbn::from_rbms(vec![rbm.clone()]).unwrap();
    let mut values = binary(rows, units, 0.5, 4).to_values();
    values.chunks_mut(units).for_each(|row| row[1..4].copy_from_slice(&[1.0, 0.0, 0.0]));
    let batch = Batch::Binary(Bits::from_values(rows, units, &values));
    let category = [(0, 1), (0, 2), (0, 3), (2, 1), (2, 2), (2, 3)];
    let cells: Vec<(usize, usize)> = category.into_iter().chain([(1, 5), (2, 5)]).collect();
    let how = Completing { chains: 2000, burn_in: 5, sweeps: 5, ..Completing::default() };
    let completed = dbn.complete_choices(&batch, &missing(rows, units, &cells), &[1..4, 5..6], &how).unwrap();
    for row in 0..3 {
        // All values that the row may have.
        let mut states = Vec::new();
        for (category, binary) in (0..3).flat_map(|k| [(k, 0.0), (k, 1.0)]) {
            let mut v = values[row * units..][..units].to_vec();
            if row != 1 {
                v[1..4].fill(0.0);
                v[1 + category] = 1.0;
            }
            v[5] = if row == 0 { v[5] } else { binary };
            states.push(v);
        }
        let tensor = Tensor::from_vec(states.concat(), (6, units), &Device::Cpu).unwrap();
        let energies: Vec<f32> = rbm.free_energy(&tensor).unwrap().to_vec1().unwrap();
        let weights: Vec<f64> = energies.iter().map(|f| (-f64::from(f - energies[0])).exp()).collect();
        for unit in [1, 2, 3, 5] {
            let mean = states.iter().zip(&weights).map(|(v, w)| f64::from(v[unit]) * w).sum::<f64>();
            let (mean, found) = (mean / weights.iter().sum::<f64>(), f64::from(completed.mean[row * units + unit]));
            // Exact where one choice is missing; else of 10,000 steps, some of which follow from others.
            let tolerance = if row == 2 { 0.05 } else { 1e-4 };
            assert!((found - mean).abs() < tolerance, "row {row}, unit {unit}: {found} against {mean}");
        }
    }
    let one = |v: &[f32]| v[1] + v[2] + v[3] == 1.0;
    assert!(completed.draws.iter().chain(&completed.draw_means).all(|v| v.chunks(units).all(one)));
}

/// Of two numbers with precisions of their own over two hidden units: mean and standard deviation of one given the
/// other, which is a mixture of four normal distributions. 4 x 20,000 steps; at 0.05, some seven standard errors of
/// steps that are independent, a right sampler fails with a probability far below 1e-6, and the seed is fixed.
#[test]
fn missing_numbers_have_the_mean_and_the_spread_that_they_have_given_the_rest() {
    let tensor = |values: &[f32], shape: (usize, usize)| Tensor::from_slice(values, shape, &Device::Cpu).unwrap();
    let vector = |values: &[f32]| Tensor::new(values, &Device::Cpu).unwrap();
    let (w, hb, vb, log_g) = ([0.9f32, -0.6, 1.2, 0.8], [0.2f32, -0.3], [0.1f32, -0.4], [0.3f32, 0.7]);
    let layers = Layers { visible: Units::of(UnitKind::Gaussian, 2), hidden: Units::of(UnitKind::Bernoulli, 2) };
    let fields = FieldTensors { log_precision: Some(vector(&log_g)), ..FieldTensors::default() };
    let rbm = Rbm::from_tensors(tensor(&w, (2, 2)), vector(&hb), vector(&vb)).unwrap();
    let rbm = rbm.with_layers(layers, fields, FieldTensors::default()).unwrap();
    let v0 = -1.3f64;
    let (mut total, mut first, mut second) = (0.0, 0.0, 0.0);
    for state in 0..4u8 {
        let h = [f64::from(state & 1), f64::from(state >> 1)];
        let sum = |row: usize| (0..2).map(|u| f64::from(w[2 * row + u]) * h[u]).sum::<f64>();
        let (g, t) = (f64::from(log_g[1]).exp(), f64::from(vb[1]) + sum(1));
        let own: f64 = (0..2).map(|u| f64::from(hb[u]) * h[u]).sum();
        let weight = (own + v0 * sum(0) + t * t / (2.0 * g)).exp();
        total += weight;
        first += weight * t / g;
        second += weight * (1.0 / g + (t / g).powi(2));
    }
    let (mean, deviation) = (first / total, (second / total - (first / total).powi(2)).sqrt());
    let batch = Batch::Real { rows: 1, units: 2, values: vec![v0 as f32, 0.0] };
    let how = Completing { burn_in: 20, sweeps: 20_000, ..Completing::default() };
    let completed = Dbn::from_rbms(vec![rbm]).unwrap().complete(&batch, &missing(1, 2, &[(0, 1)]), &how).unwrap();
    assert_eq!(completed.mean[0], v0 as f32);
    assert!((f64::from(completed.mean[1]) - mean).abs() < 0.05, "{} and not {mean}", completed.mean[1]);
    assert!(
        (f64::from(completed.deviation[1]) - deviation).abs() < 0.05,
        "{} and not {deviation}",
        completed.deviation[1]
    );
}
