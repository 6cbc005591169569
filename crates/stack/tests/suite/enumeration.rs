//! The model against its joint distribution written out state by state.

use crate::{all_states, apart, in_f64, random_rbm, rows, stack, uniforms, untied, values};
use candle_core::{DType, Device, Tensor};
use deepbelief_kernels::{Stream, Uniforms};
use deepbelief_stack::{Chains, Dbn, Layer};

const CLASSES: usize = 3;

/// log of the probability of 0/1 `states` whose inputs are `bias + below w`.
fn log_bernoulli(states: &[f64], below: &[f64], w: &[Vec<f64>], bias: &[f64]) -> f64 {
    let log = |i: usize, s: f64| {
        let x = bias[i] + below.iter().zip(w).map(|(b, w)| b * w[i]).sum::<f64>();
        s * x - x.exp().ln_1p()
    };
    states.iter().enumerate().map(|(i, &s)| log(i, s)).sum()
}

/// One state of everything and its probability.
struct State {
    v: usize,
    h1: usize,
    pen: usize,
    top: usize,
    y: usize,
    p: f64,
}

/// p(v, h1, pen, top, y) of a model with three layers of weights, by its definition: the
/// energy of the top RBM, normalised by the sum over all its states, times the two directed
/// conditionals. Nothing but the parameters is taken from the model.
fn joint(dbn: &Dbn) -> Vec<State> {
    let sizes = dbn.sizes();
    let [vs, h1s, pens, tops] = [0, 1, 2, 3].map(|layer| all_states(sizes[layer]));
    let (w, hb, vb) = (rows(dbn.top().w_rec()), values(dbn.top().hb()), values(dbn.top().vb()));
    let group = dbn.top().labels().unwrap();
    let (label_w, label_b) = (rows(&group.w), values(&group.b));
    let mut top_states = Vec::new();
    for (p, pen) in pens.iter().enumerate() {
        for (t, top) in tops.iter().enumerate() {
            for y in 0..CLASSES {
                let mut minus_energy = label_b[y];
                for (i, x) in pen.iter().enumerate() {
                    minus_energy += vb[i] * x;
                    minus_energy += top.iter().zip(&w[i]).map(|(h, w)| x * w * h).sum::<f64>();
                }
                for (j, h) in top.iter().enumerate() {
                    minus_energy += h * (hb[j] + label_w[y][j]);
                }
                top_states.push((p, t, y, minus_energy.exp()));
            }
        }
    }
    let z: f64 = top_states.iter().map(|state| state.3).sum();
    let directed = |layer: &Layer| (rows(layer.w_gen()), values(layer.vb()));
    let ((w0, b0), (w1, b1)) = (directed(&dbn.layers()[0]), directed(&dbn.layers()[1]));
    let mut states = Vec::new();
    for (pen, top, y, unnormalised) in top_states {
        for (h1, h1_state) in h1s.iter().enumerate() {
            let upper = log_bernoulli(h1_state, &pens[pen], &w1, &b1);
            for (v, v_state) in vs.iter().enumerate() {
                let log = upper + log_bernoulli(v_state, h1_state, &w0, &b0);
                states.push(State { v, h1, pen, top, y, p: unnormalised / z * log.exp() });
            }
        }
    }
    states
}

/// P(event | given) by summation.
fn conditional(joint: &[State], given: impl Fn(&State) -> bool, event: impl Fn(&State) -> bool) -> f64 {
    let (mut both, mut total) = (0.0, 0.0);
    for state in joint.iter().filter(|state| given(state)) {
        total += state.p;
        both += if event(state) { state.p } else { 0.0 };
    }
    both / total
}

fn model() -> Dbn {
    untied(&[4, 3, 3, 2], CLASSES, 1.5)
}

/// Every conditional the model samples from, for every state it is conditioned on. A transposed
/// weight matrix, a recognition bias in a generative place or a label left out would each show
/// in one of them: the sizes differ where they can, and all parameters are independent.
#[test]
fn conditionals_are_those_of_the_joint_distribution() {
    let dbn = in_f64(&model());
    let joint = joint(&dbn);
    assert!((joint.iter().map(|state| state.p).sum::<f64>() - 1.0).abs() < 1e-12);
    let close = |got: f64, exact: f64| assert!((got - exact).abs() < 1e-12, "{got}, exactly {exact}");
    let on = |state: usize, unit: usize| state >> unit & 1 == 1;

    for (h1, p) in rows(&dbn.layers()[0].generate(&stack(&all_states(3))).unwrap()).iter().enumerate() {
        for (i, &p) in p.iter().enumerate() {
            close(p, conditional(&joint, |s| s.h1 == h1, |s| on(s.v, i)));
        }
    }
    for (pen, p) in rows(&dbn.layers()[1].generate(&stack(&all_states(3))).unwrap()).iter().enumerate() {
        for (i, &p) in p.iter().enumerate() {
            close(p, conditional(&joint, |s| s.pen == pen, |s| on(s.h1, i)));
        }
    }
    let tops = stack(&all_states(2));
    for (top, p) in rows(&dbn.top().reverse(&tops).unwrap()).iter().enumerate() {
        for (i, &p) in p.iter().enumerate() {
            close(p, conditional(&joint, |s| s.top == top, |s| on(s.pen, i)));
        }
    }
    for (top, p) in rows(&dbn.top().reverse_labels(&tops).unwrap()).iter().enumerate() {
        for (y, &p) in p.iter().enumerate() {
            close(p, conditional(&joint, |s| s.top == top, |s| s.y == y));
        }
    }
    for (pen, p) in rows(&dbn.top().label_probabilities(&stack(&all_states(3))).unwrap()).iter().enumerate() {
        for (y, &p) in p.iter().enumerate() {
            close(p, conditional(&joint, |s| s.pen == pen, |s| s.y == y));
        }
    }
}

/// With one layer of weights there is no approximate up-pass: label probabilities, labels and
/// the top units that a reconstruction goes through must be those of the joint distribution.
#[test]
fn one_layer_classifies_and_reconstructs_exactly() {
    let rbm = random_rbm(4, 3, CLASSES, 1.5, 9);
    let dbn = in_f64(&Dbn::from_rbms(vec![rbm]).unwrap());
    let (vs, hs) = (all_states(4), all_states(3));
    let (w, hb, vb) = (rows(dbn.top().w_rec()), values(dbn.top().hb()), values(dbn.top().vb()));
    let group = dbn.top().labels().unwrap();
    let (label_w, label_b) = (rows(&group.w), values(&group.b));
    let v = stack(&vs);
    let (labels, posterior) = (dbn.classify(&v).unwrap(), rows(&dbn.label_probabilities(&v).unwrap()));
    let reconstruction = rows(&dbn.reconstruct(&v).unwrap());
    for (s, v) in vs.iter().enumerate() {
        let (mut of_label, mut on) = ([0.0; CLASSES], [0.0; 3]);
        for h in &hs {
            for y in 0..CLASSES {
                let input = |j: usize| hb[j] + label_w[y][j] + v.iter().zip(&w).map(|(v, w)| v * w[j]).sum::<f64>();
                let weight = (label_b[y] + (0..3).map(|j| h[j] * input(j)).sum::<f64>()).exp();
                of_label[y] += weight;
                (0..3).for_each(|j| on[j] += h[j] * weight);
            }
        }
        let total: f64 = of_label.iter().sum();
        for y in 0..CLASSES {
            assert!((posterior[s][y] - of_label[y] / total).abs() < 1e-12);
            assert!(of_label[y] <= of_label[labels[s] as usize]);
        }
        for i in 0..4 {
            let x = vb[i] + (0..3).map(|j| w[i][j] * on[j] / total).sum::<f64>();
            assert!((reconstruction[s][i] - 1.0 / (1.0 + (-x).exp())).abs() < 1e-12);
        }
    }
    assert!(labels.iter().any(|&label| label != labels[0]), "one label for all states would prove little");
}

/// Gibbs sampling of the label must agree with the exact posterior: 4000 chains from one
/// visible state, averaged over 200 steps. Even if a chain never moved, its mean would have a
/// standard deviation of at most 0.5 and that of all chains 0.008; the start at a fair label
/// adds a few parts in 200. Five standard errors hold both, and the seed is fixed.
#[test]
fn gibbs_sampling_of_labels_agrees_with_the_exact_posterior() {
    let dbn = Dbn::from_rbms(vec![random_rbm(4, 3, CLASSES, 1.5, 9)]).unwrap();
    let v = Tensor::new(&[[1f32, 0.0, 1.0, 1.0]], &Device::Cpu).unwrap();
    let exact = rows(&dbn.label_probabilities(&v).unwrap()).remove(0);
    let many = v.broadcast_as((4000, 4)).unwrap().contiguous().unwrap();
    let sampled =
        dbn.label_probabilities_by_gibbs(&many, 200, Uniforms::new(5, Stream::User, 0)).unwrap().mean(0).unwrap();
    for (sampled, exact) in values(&sampled).iter().zip(&exact) {
        assert!((sampled - exact).abs() < 5.0 * 0.008, "{sampled}, exactly {exact}");
    }
    assert!(exact.iter().any(|p| (p - 1.0 / 3.0).abs() > 0.1), "fair labels would prove little");
}

/// Pearson's statistic of the counts against the probabilities of the cells.
fn chi_square(counts: &[f64], probabilities: &[f64]) -> f64 {
    let n: f64 = counts.iter().sum();
    assert!(probabilities.iter().all(|p| p * n >= 5.0), "a cell is too rare for the statistic");
    counts.iter().zip(probabilities).map(|(c, p)| (c - n * p).powi(2) / (n * p)).sum()
}

/// Visible states of chains after 100 Gibbs steps, with the pixels drawn here.
fn sample_visible(dbn: &Dbn, chains: &mut Chains<'_>) -> Vec<usize> {
    chains.advance(100).unwrap();
    let shown = rows(&chains.show().unwrap());
    let u = uniforms(shown.len(), dbn.visible(), 31);
    let state = |(p, u): (&Vec<f64>, &[f32])| {
        p.iter().zip(u).enumerate().fold(0, |state, (i, (&p, &u))| state | usize::from(f64::from(u) < p) << i)
    };
    shown.iter().zip(u.chunks_exact(dbn.visible())).map(state).collect()
}

/// 20,000 independent chains, one sample each, in the 48 cells of (v, y). A right sampler
/// exceeds 110 (47 degrees of freedom) with probability about 1e-6, and the seed is fixed. The
/// same samples must miss the distributions of two models, one with the recognition bias instead
/// of the top's, one with tied weights: the statistic has the power to tell.
#[test]
fn long_chains_sample_the_joint_distribution() {
    let dbn = model();
    let mut chains = Chains::new(&dbn, 20_000, None, 3).unwrap();
    let mut counts = vec![0.0; 16 * CLASSES];
    for (v, y) in sample_visible(&dbn, &mut chains).into_iter().zip(chains.labels()) {
        counts[v * CLASSES + *y as usize] += 1.0;
    }
    let statistic = |dbn: &Dbn| {
        let mut cells = vec![0.0; 16 * CLASSES];
        for state in joint(dbn) {
            cells[state.v * CLASSES + state.y] += state.p;
        }
        chi_square(&counts, &cells)
    };
    let right = statistic(&dbn);
    assert!(right < 110.0, "chi-square {right}");

    let (bottom, upper, top) = (&dbn.layers()[0], &dbn.layers()[1], dbn.top());
    let recognition_bias =
        deepbelief_rbm::Rbm::from_tensors(top.w_rec().clone(), top.hb().clone(), upper.hb().clone()).unwrap();
    let wrong_top = recognition_bias.with_labels(top.labels().unwrap().clone()).unwrap();
    let wrong_bias = Dbn::new(dbn.layers().to_vec(), wrong_top).unwrap();
    let tied = Layer::from_tensors(
        bottom.w_rec().clone(),
        bottom.w_rec().t().unwrap(),
        bottom.hb().clone(),
        bottom.vb().clone(),
    );
    let wrong_weights = Dbn::new(vec![tied.unwrap(), upper.clone()], top.clone()).unwrap();
    for wrong in [wrong_bias, wrong_weights] {
        let statistic = statistic(&wrong);
        assert!(statistic > 110.0, "chi-square {statistic} of a wrong model");
    }
}

/// The same with a clamped label against p(v | y), for every label: 16 cells, 15 degrees of
/// freedom, exceeded at 58 with probability about 1e-6.
#[test]
fn clamped_chains_sample_the_conditional_distribution() {
    let dbn = model();
    let joint = joint(&dbn);
    for y in 0..CLASSES {
        let mut chains = Chains::new(&dbn, 10_000, Some(&vec![y as u32; 10_000]), 4).unwrap();
        let mut counts = vec![0.0; 16];
        for v in sample_visible(&dbn, &mut chains) {
            counts[v] += 1.0;
        }
        assert!(chains.labels().iter().all(|&label| label as usize == y));
        let cells: Vec<f64> = (0..16).map(|v| conditional(&joint, |s| s.y == y, |s| s.v == v)).collect();
        let statistic = chi_square(&counts, &cells);
        assert!(statistic < 58.0, "chi-square {statistic} for label {y}");
    }
}

/// Chains on the packed kernels against the same chains on tensors in F64: both draw the same
/// numbers, so that every state must be the same. They may part only where a number falls
/// between two probabilities that rounding has moved apart by less than 1e-6; of some 40,000
/// draws one does so with probability below 0.04, and the seed is fixed.
#[test]
fn packed_chains_are_those_on_tensors() {
    for (sizes, classes) in [(&[9, 7, 6, 40][..], 3), (&[5, 33], 0), (&[5, 70, 12], 11)] {
        let dbn = untied(sizes, classes, 0.7);
        let double = in_f64(&dbn);
        let clamp: Vec<u32> = (0..11).map(|chain| chain % classes.max(1) as u32).collect();
        for labels in [None, Some(clamp.as_slice())].into_iter().filter(|labels| classes > 0 || labels.is_none()) {
            let mut packed = Chains::new(&dbn, 11, labels, 3).unwrap();
            let mut exact = Chains::new(&double, 11, labels, 3).unwrap();
            for steps in [0, 1, 2, 12] {
                packed.advance(steps).unwrap();
                exact.advance(steps).unwrap();
                assert_eq!(values(&packed.penultimate().states), values(&exact.penultimate().states));
                assert_eq!(packed.labels(), exact.labels());
                assert!(apart(&packed.penultimate().probabilities, &exact.penultimate().probabilities) < 1e-5);
                assert!(apart(&packed.show().unwrap(), &exact.show().unwrap()) < 1e-5);
            }
        }
    }
}

/// What is shown does not disturb the chain, and the same seed shows the same.
#[test]
fn looking_at_a_chain_leaves_it_as_it_is() {
    let dbn = untied(&[9, 7, 6, 5], CLASSES, 1.0);
    let mut looked_at = Chains::new(&dbn, 11, None, 8).unwrap();
    let mut alone = looked_at.clone();
    for _ in 0..4 {
        looked_at.show().unwrap();
        looked_at.advance(3).unwrap();
    }
    alone.advance(12).unwrap();
    assert_eq!(values(&looked_at.show().unwrap()), values(&alone.show().unwrap()));
    assert_eq!((looked_at.labels(), looked_at.steps()), (alone.labels(), 12));
    let mut other = Chains::new(&dbn, 11, None, 9).unwrap();
    other.advance(12).unwrap();
    assert_ne!(values(&other.show().unwrap()), values(&alone.show().unwrap()));
}

/// A sampled up-pass must have the mean of its probabilities: with one layer of weights, 20,000
/// samples of one state, each unit within five standard errors.
#[test]
fn sampled_codes_average_to_probabilities() {
    let dbn = untied(&[4, 5], 0, 1.5);
    let v = Tensor::ones((20_000, 4), DType::F32, &Device::Cpu).unwrap();
    let states = dbn.encode(&v, 1, Some(Uniforms::new(6, Stream::User, 0))).unwrap();
    assert!(values(&states).iter().all(|&s| s == 0.0 || s == 1.0));
    let p = dbn.encode(&v.narrow(0, 0, 1).unwrap(), 1, None).unwrap();
    for (mean, p) in values(&states.mean(0).unwrap()).iter().zip(values(&p)) {
        assert!((mean - p).abs() < 5.0 * (p * (1.0 - p) / 20_000.0).sqrt(), "{mean}, expected {p}");
    }
}
