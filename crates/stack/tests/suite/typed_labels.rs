//! One layer with labels over visible units of other kinds, against sums over all visible states and labels in plain double
//! precision.

use crate::{Fixed, random_rbm, tensor, uniforms, values};
use candle_core::{DType, Device, Tensor};
use deepbelief_kernels::{Batch, Bits, Stream, Uniforms};
use deepbelief_rbm::{
    FieldTensors, LabelGroup, Layers, Monitors, Provenance, Rbm, Segment, TrainConfig, UnitKind, Units,
};
use deepbelief_stack::{Chains, Completing, Dbn, Greedy, LayerConfig, StackConfig};

const CLASSES: usize = 3;

/// A category of three levels, a spin and a bit.
fn discrete() -> Units {
    [(UnitKind::Categorical, 3), (UnitKind::Spin, 1), (UnitKind::Bernoulli, 1)]
        .map(|(units, levels)| Segment { units, levels, sites: 1 })
        .into_iter()
        .collect()
}

/// 5-4 with labels; the hidden units are of such kinds.
fn net(hidden: &[(UnitKind, usize)]) -> Dbn {
    let hidden: Units = hidden.iter().map(|&(units, sites)| Segment { units, levels: 1, sites }).collect();
    let layers = Layers { visible: discrete(), hidden };
    let rbm = random_rbm(5, 4, 0, 0.8, 1);
    let rbm = rbm.with_layers(layers, FieldTensors::default(), FieldTensors::default()).unwrap();
    // Of one norm, so that no label has most of the mass under any hidden units.
    let w = [[1.0f32, -1.0, 0.5, 0.0], [-1.0, 0.5, 0.0, 1.0], [0.0, 0.5, -1.0, -1.0]];
    let labels = LabelGroup { w: Tensor::new(&w, &Device::Cpu).unwrap(), b: tensor(&[CLASSES], 0.2, 7) };
    Dbn::from_rbms(vec![rbm.with_labels(labels).unwrap()]).unwrap()
}

fn kinds() -> Vec<Vec<(UnitKind, usize)>> {
    use UnitKind::{Bernoulli, Gaussian, Relu, Spin};
    vec![
        vec![(Bernoulli, 4)],
        vec![(Spin, 4)],
        vec![(Gaussian, 4)],
        vec![(Relu, 4)],
        vec![(Bernoulli, 2), (Gaussian, 2)],
    ]
}

/// All twelve visible states.
fn states() -> Vec<Vec<f64>> {
    let of = |level: usize, spin: f64, bit: f64| {
        let mut v = vec![0.0, 0.0, 0.0, spin, bit];
        v[level] = 1.0;
        v
    };
    (0..12).map(|state| of(state % 3, if state / 3 % 2 == 1 { 1.0 } else { -1.0 }, (state / 6) as f64)).collect()
}

/// ln of the integral of `exp(x h - h²/2)` over h >= 0, by sums of a fine grid.
fn relu(x: f64) -> f64 {
    let (step, last) = (1e-3, 20_000);
    let at = |i: i32| (x * f64::from(i) * step - 0.5 * (f64::from(i) * step).powi(2)).exp();
    (step * ((1..last).map(at).sum::<f64>() + 0.5 * (at(0) + at(last)))).ln()
}

fn cgf(kind: UnitKind, x: f64) -> f64 {
    match kind {
        UnitKind::Bernoulli => x.exp().ln_1p(),
        UnitKind::Spin => (2.0 * x.cosh()).ln(),
        UnitKind::Gaussian => 0.5 * x * x + 0.5 * std::f64::consts::TAU.ln(),
        UnitKind::Relu => relu(x),
        UnitKind::Categorical | UnitKind::Drelu => unreachable!("not here"),
    }
}

/// p(v, y): a row a visible state, a column a label.
fn joint(dbn: &Dbn) -> Vec<Vec<f64>> {
    let (top, p) = (dbn.top(), dbn.top().to_parameters().unwrap());
    let kinds: Vec<UnitKind> =
        top.layers().hidden.each().flat_map(|(s, columns)| vec![s.units; columns.len()]).collect();
    let weight = |v: &Vec<f64>, y: usize| {
        let input = |u: usize| {
            let own = f64::from(p.hb[u]) + f64::from(p.label_w[y * 4 + u]);
            own + v.iter().enumerate().map(|(i, v)| v * f64::from(p.w_rec[4 * i + u])).sum::<f64>()
        };
        let linear: f64 = v.iter().zip(&p.vb).map(|(v, &b)| v * f64::from(b)).sum();
        let hidden: f64 = kinds.iter().enumerate().map(|(u, &kind)| cgf(kind, input(u))).sum();
        (linear + f64::from(p.label_b[y]) + hidden).exp()
    };
    let mut all: Vec<Vec<f64>> = states().iter().map(|v| (0..CLASSES).map(|y| weight(v, y)).collect()).collect();
    let z: f64 = all.iter().flatten().sum();
    all.iter_mut().flatten().for_each(|p| *p /= z);
    all
}

fn of_states(rows: &[Vec<f64>]) -> Tensor {
    let values: Vec<f32> = rows.iter().flatten().map(|&x| x as f32).collect();
    Tensor::from_vec(values, (rows.len(), 5), &Device::Cpu).unwrap()
}

/// The number of a visible state.
fn number(v: &[f64]) -> usize {
    let level = (0..3).find(|&level| v[level] == 1.0).unwrap();
    level + 3 * usize::from(v[3] > 0.0) + 6 * v[4] as usize
}

/// Probabilities within 1e-5 (single precision), labels those that are most probable, and the mean of the Gibbs samples
/// within 0.04: 2,000 chains of 200 steps have a standard error below 0.012 even if none ever moved.
#[test]
fn labels_are_classified_exactly_over_any_units() {
    for kinds in kinds() {
        let dbn = net(&kinds);
        let (joint, v) = (joint(&dbn), of_states(&states()));
        let posterior = crate::rows(&dbn.label_probabilities(&v).unwrap());
        let labels = dbn.classify(&v).unwrap();
        for (row, joint) in joint.iter().enumerate() {
            let whole: f64 = joint.iter().sum();
            for (p, joint) in posterior[row].iter().zip(joint) {
                assert!((p - joint / whole).abs() < 1e-5, "{kinds:?}: {p} and not {}", joint / whole);
            }
            assert!(joint.iter().all(|&p| p <= joint[labels[row] as usize]));
        }
        assert!(labels.iter().any(|&label| label != labels[0]), "one label for all states would prove little");
        assert_eq!(dbn.label_error(&v, &labels).unwrap(), 0.0);
        let many = v.narrow(0, 4, 1).unwrap().broadcast_as((2000, 5)).unwrap().contiguous().unwrap();
        let draw = Uniforms::new(5, Stream::User, 0);
        let sampled = values(&dbn.label_probabilities_by_gibbs(&many, 200, draw).unwrap().mean(0).unwrap());
        assert!(sampled.iter().zip(&posterior[4]).all(|(a, b)| (a - b).abs() < 0.04), "{kinds:?}: {sampled:?}");
    }
}

/// The hidden units that reconstructions are made from have the label summed out.
#[test]
fn reconstructions_sum_the_label_out() {
    let dbn = net(&[(UnitKind::Gaussian, 4)]);
    let (joint, p) = (joint(&dbn), dbn.top().to_parameters().unwrap());
    let found = crate::rows(&dbn.reconstruct(&of_states(&states())).unwrap());
    for ((v, joint), found) in states().iter().zip(&joint).zip(&found) {
        let whole: f64 = joint.iter().sum();
        let mean = |u: usize| {
            let label: f64 = (0..CLASSES).map(|y| joint[y] / whole * f64::from(p.label_w[4 * y + u])).sum();
            f64::from(p.hb[u]) + label + (0..5).map(|i| v[i] * f64::from(p.w_rec[4 * i + u])).sum::<f64>()
        };
        let x = |i: usize| f64::from(p.vb[i]) + (0..4).map(|u| mean(u) * f64::from(p.w_rec[4 * i + u])).sum::<f64>();
        let levels: f64 = (0..3).map(|i| x(i).exp()).sum();
        let expected =
            [x(0).exp() / levels, x(1).exp() / levels, x(2).exp() / levels, x(3).tanh(), 1.0 / (1.0 + (-x(4)).exp())];
        assert!(expected.iter().zip(found).all(|(a, b)| (a - b).abs() < 1e-4), "{expected:?} and not {found:?}");
    }
}

/// Pearson's statistic of counts against the probabilities of the cells. Cells of fewer than five expected counts are one,
/// which takes degrees of freedom away and keeps the bounds.
fn chi_square(counts: &[f64], probabilities: &[f64]) -> f64 {
    let n: f64 = counts.iter().sum();
    let (often, rare): (Vec<_>, Vec<_>) = counts.iter().zip(probabilities).partition(|(_, p)| *p * n >= 5.0);
    assert!(2 * often.len() > counts.len(), "too few cells for the statistic");
    let pooled = rare.iter().fold((0.0, 0.0), |sum, (c, p)| (sum.0 + **c, sum.1 + **p));
    let term = |c: f64, p: f64| (c - n * p).powi(2) / (n * p);
    let all: f64 = often.iter().map(|(c, p)| term(**c, **p)).sum();
    if pooled.1 * n >= 5.0 { all + term(pooled.0, pooled.1) } else { all }
}

/// What chains show after 60 steps, by state and label.
fn counts(dbn: &Dbn, labels: Option<&[u32]>, chains: usize) -> Vec<f64> {
    let mut chains = Chains::new(dbn, chains, labels, 3).unwrap();
    chains.advance(60).unwrap();
    let mut counts = vec![0.0; 12 * CLASSES];
    for (v, y) in crate::rows(&chains.penultimate().states).iter().zip(chains.labels()) {
        counts[number(v) * CLASSES + *y as usize] += 1.0;
    }
    counts
}

/// 20,000 chains on the engine, 5,000 on tensors (in double precision), one sample each, in the 36 cells of (v, y): a right
/// sampler exceeds 93 (35 degrees of freedom) with probability about 1e-6, and the seeds are fixed. The same samples must
/// miss the distribution of a model whose labels are turned round.
#[test]
fn free_chains_sample_the_joint_distribution() {
    for kinds in kinds() {
        let dbn = net(&kinds);
        let cells: Vec<f64> = joint(&dbn).concat();
        for (place, dbn, chains) in [("engine", &dbn, 20_000), ("tensors", &dbn.to_dtype(DType::F64).unwrap(), 5000)] {
            let counts = counts(dbn, None, chains);
            let statistic = chi_square(&counts, &cells);
            assert!(statistic < 93.0, "chi-square {statistic} of {kinds:?} on {place}");
            let turned: Vec<f64> = cells.chunks(CLASSES).flat_map(|p| [p[1], p[2], p[0]]).collect();
            assert!(chi_square(&counts, &turned) > 93.0, "{kinds:?} on {place}");
        }
    }
}

/// The same with a clamped label against p(v | y), for every label: 12 cells, 11 degrees of freedom, exceeded at 50 with
/// probability about 1e-6.
#[test]
fn clamped_chains_sample_the_conditional_distribution() {
    for kinds in kinds() {
        let dbn = net(&kinds);
        let joint = joint(&dbn);
        for y in 0..CLASSES {
            let of_label: f64 = joint.iter().map(|p| p[y]).sum();
            let cells: Vec<f64> = joint.iter().map(|p| p[y] / of_label).collect();
            let all = counts(&dbn, Some(&vec![y as u32; 10_000]), 10_000);
            assert_eq!(all.iter().skip(y).step_by(CLASSES).sum::<f64>(), 10_000.0, "the label stays");
            let counts: Vec<f64> = all.iter().skip(y).step_by(CLASSES).copied().collect();
            let statistic = chi_square(&counts, &cells);
            assert!(statistic < 50.0, "chi-square {statistic} of {kinds:?} for label {y}");
        }
    }
}

/// Chains on the engine draw what they draw on tensors in double precision, number by number: but for label and rounding
/// nothing sets them apart.
#[test]
fn chains_on_the_engine_are_those_on_tensors() {
    for kinds in kinds() {
        let top = net(&kinds).top().clone();
        let p = top.to_parameters().unwrap();
        let layers = top.layers().clone();
        let bare = deepbelief_kernels::Parameters { label_w: Vec::new(), label_b: Vec::new(), ..p };
        let dbn = Dbn::from_rbms(vec![Rbm::from_parameters(&layers, bare, &Device::Cpu).unwrap()]).unwrap();
        let double = dbn.to_dtype(DType::F64).unwrap();
        // Gaussian units over Bernoulli ones alone draw otherwise on tensors; these stand over others.
        let (mut engine, mut tensors) =
            (Chains::new(&dbn, 11, None, 3).unwrap(), Chains::new(&double, 11, None, 3).unwrap());
        for steps in [0, 1, 2, 12] {
            engine.advance(steps).unwrap();
            tensors.advance(steps).unwrap();
            assert_eq!(values(&engine.penultimate().states), values(&tensors.penultimate().states), "{kinds:?}");
            let (a, b) = (values(&engine.show().unwrap()), values(&tensors.show().unwrap()));
            assert!(a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-4), "{kinds:?}");
        }
    }
}

/// What is missing has its distribution given the rest, the label summed out: a category exactly, a bit by 200 chains of 50
/// steps within 0.06 (a standard error below 0.014 for steps that are correlated for fewer than eight).
#[test]
fn gaps_are_filled_with_the_label_summed_out() {
    let missing = |cells: &[usize]| {
        let mut on = vec![0.0; 5];
        for &cell in cells {
            on[cell] = 1.0;
        }
        Bits::from_values(1, 5, &on)
    };
    for kinds in kinds() {
        let dbn = net(&kinds);
        let of_v: Vec<f64> = joint(&dbn).iter().map(|p| p.iter().sum()).collect();
        let batch = Batch::Real { rows: 1, units: 5, values: vec![1.0, 0.0, 0.0, 1.0, 0.0] };
        let how = Completing { chains: 200, burn_in: 20, sweeps: 50, ..Completing::default() };
        let level = dbn.complete_choices(&batch, &missing(&[0, 1, 2]), &[0..3, 3..4], &how).unwrap();
        let whole: f64 = (3..6).map(|state| of_v[state]).sum();
        for l in 0..3 {
            let (found, exact) = (f64::from(level.mean[l]), of_v[3 + l] / whole);
            assert!((found - exact).abs() < 1e-5, "{kinds:?}, level {l}: {found} and not {exact}");
        }
        let bit = dbn.complete(&batch, &missing(&[4]), &how).unwrap();
        let (found, exact) = (f64::from(bit.mean[4]), of_v[9] / (of_v[3] + of_v[9]));
        assert!((found - exact).abs() < 0.06, "{kinds:?}, bit: {found} and not {exact}");
    }
}

/// A net of two layers whose top has labels beside hidden units of another kind fills gaps, classifies, and keeps all in its
/// file.
#[test]
fn files_keep_labels_beside_any_units() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("net.safetensors");
    let below = random_rbm(5, 3, 0, 1.0, 1);
    let layers = Layers { visible: discrete(), hidden: Units::of(UnitKind::Bernoulli, 3) };
    let below = below.with_layers(layers, FieldTensors::default(), FieldTensors::default()).unwrap();
    let v = of_states(&states());
    for kind in [UnitKind::Bernoulli, UnitKind::Gaussian, UnitKind::Relu] {
        let top = random_rbm(3, 4, CLASSES, 1.0, 2).with_hidden_units(kind).unwrap();
        let bits = Dbn::from_rbms(vec![random_rbm(3, 4, CLASSES, 1.0, 2).with_hidden_units(kind).unwrap()]).unwrap();
        for dbn in [net(&[(kind, 4)]), Dbn::from_rbms(vec![below.clone(), top]).unwrap(), bits] {
            dbn.save(&path, &Provenance::default()).unwrap();
            let (back, header) = Dbn::load(&path, &Device::Cpu).unwrap();
            assert_eq!((header.classes, back.classes()), (CLASSES, CLASSES));
            assert_eq!(back.top().to_parameters().unwrap(), dbn.top().to_parameters().unwrap());
            assert_eq!(back.top().layers(), dbn.top().layers());
            if dbn.visible() == 5 {
                assert_eq!(back.classify(&v).unwrap(), dbn.classify(&v).unwrap());
                let batch = Batch::Real { rows: 1, units: 5, values: vec![1.0, 0.0, 0.0, 1.0, 0.0] };
                let missing = Bits::from_values(1, 5, &[0.0, 0.0, 0.0, 0.0, 1.0]);
                let filled = dbn.complete(&batch, &missing, &Completing::default()).unwrap();
                assert!(filled.mean[4] > 0.0 && filled.mean[4] < 1.0);
            }
        }
    }
}

/// Two clusters of numbers and a category that goes with them: one layer with labels, in steps of a stack, learns them and
/// resumes.
#[test]
fn one_layer_with_labels_over_other_units_trains() {
    let units: Units = [
        Segment { units: UnitKind::Gaussian, levels: 1, sites: 2 },
        Segment { units: UnitKind::Categorical, levels: 3, sites: 1 },
    ]
    .into_iter()
    .collect();
    let labels: Vec<u32> = (0..60).map(|row| row % 3).collect();
    let noise = uniforms(60, 2, 4);
    let rows = labels.iter().zip(noise.chunks(2)).flat_map(|(&y, noise)| {
        let mut v = [2.0 * f32::from(u8::from(y == 1)) - 1.0 + noise[0], noise[1] - 0.5, 0.0, 0.0, 0.0];
        v[2 + usize::from(y == 2)] = 1.0;
        v
    });
    let batch = Batch::Real { rows: 60, units: 5, values: rows.collect() };
    let layer = LayerConfig {
        hidden: 12,
        weight_std: 0.3,
        train: TrainConfig { epochs: 150, learning_rate: 0.03, ..crate::plain() },
        ..LayerConfig::default()
    };
    let config = StackConfig {
        visible_units: Some(units.clone()),
        layers: vec![layer],
        classes: Some(3),
        threads: 1,
        ..Default::default()
    };
    let mut data = Fixed::new(vec![batch.clone(); 4], Some(vec![labels.clone(); 4]));
    let monitors = Monitors { train: batch.clone(), train_labels: labels.clone(), ..Default::default() };
    let mut greedy = Greedy::new(config).unwrap();
    greedy.fit(&mut data, &monitors, &mut ()).unwrap();
    let dbn = greedy.dbn().unwrap();
    assert_eq!((dbn.visible_units(), dbn.classes()), (&units, 3));
    let v = Tensor::from_vec(batch.to_values(), (60, 5), &Device::Cpu).unwrap();
    assert_eq!(dbn.label_error(&v, &labels).unwrap(), 0.0);
    // Another shape of the group is none.
    let w = tensor(&[3, 5], 1.0, 1);
    assert!(dbn.top().clone().with_labels(LabelGroup { w, b: tensor(&[3], 1.0, 2) }).is_err());
}
