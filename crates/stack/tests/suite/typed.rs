//! A lowest layer with a real number, a category, a spin and a bit, against sums over all hidden states in plain double
//! precision.

use crate::gaussian::StopAfter;
use crate::{Fixed, all_states, message, random_rbm, tensor, uniforms, values};
use candle_core::{Device, Tensor};
use deepbelief_kernels::{Batch, Bits, Stream, Uniforms};
use deepbelief_rbm::{
    FieldTensors, Layers, Monitors, Outcome, Provenance, Rbm, Segment, TrainConfig, Trainer, UnitKind, Units, batch_of,
    states_of,
};
use deepbelief_stack::{
    Chains, Completing, Dbn, Greedy, GreedyState, Layer, LayerConfig, Propagate, Scorer, StackConfig, Start, raise,
};

const LOG_G: f32 = 0.4;

/// A number, three levels, a spin and a bit.
pub(crate) fn mixed() -> Units {
    let segment = |units, levels| Segment { units, levels, sites: 1 };
    [(UnitKind::Gaussian, 1), (UnitKind::Categorical, 3), (UnitKind::Spin, 1), (UnitKind::Bernoulli, 1)]
        .map(|(kind, levels)| segment(kind, levels))
        .into_iter()
        .collect()
}

fn fields() -> FieldTensors {
    let log_g = Tensor::new(&[LOG_G, 0.0, 0.0, 0.0, 0.0, 0.0], &Device::Cpu).unwrap();
    FieldTensors { log_precision: Some(log_g), ..FieldTensors::default() }
}

/// 6-3-4 whose generative weights are its own.
pub(crate) fn net(classes: usize) -> Dbn {
    let below = random_rbm(6, 3, 0, 1.0, 1);
    let w_gen = tensor(&[3, 6], 1.0, 5000);
    let layer = Layer::from_tensors(below.w_rec().clone(), w_gen, below.hb().clone(), below.vb().clone()).unwrap();
    let layer = layer.with_visible_units(mixed(), fields()).unwrap();
    Dbn::new(vec![layer], random_rbm(3, 4, classes, 1.5, 2)).unwrap()
}

/// States as batches hold them: spins are 0 and 1.
pub(crate) fn samples(rows: usize, step: u32) -> Batch {
    let mut out = Vec::new();
    for u in uniforms(rows, 4, step).chunks(4) {
        let mut level = [0.0; 3];
        level[(3.0 * u[1]) as usize] = 1.0;
        let bit = |u: f32| f32::from(u8::from(u < 0.4));
        out.extend([4.0 * u[0] - 2.0].iter().chain(&level).chain(&[bit(u[2]), bit(u[3])]));
    }
    Batch::Real { rows, units: 6, values: out }
}

fn states(rows: usize, step: u32) -> Tensor {
    states_of(&mixed(), &samples(rows, step), &Device::Cpu).unwrap()
}

fn softplus(x: f64) -> f64 {
    x.exp().ln_1p()
}

/// The inputs of the visible units given hidden states, biases included.
fn inputs(layer: &Layer, h: &[f64]) -> Vec<f64> {
    let (w, b) = (values(layer.w_gen()), values(layer.vb()));
    (0..6).map(|i| b[i] + h.iter().enumerate().map(|(u, h)| h * w[6 * u + i]).sum::<f64>()).collect()
}

/// ln p(v | h), each unit by its own formula.
fn log_generated(layer: &Layer, v: &[f64], h: &[f64]) -> f64 {
    let (t, g) = (inputs(layer, h), f64::from(LOG_G).exp());
    let number = -0.5 * g * (v[0] - t[0] / g).powi(2) - 0.5 * (2.0 * std::f64::consts::PI / g).ln();
    let level = (1..4).map(|i| v[i] * t[i]).sum::<f64>() - (1..4).map(|i| t[i].exp()).sum::<f64>().ln();
    let spin = v[4] * t[4] - (2.0 * t[4].cosh()).ln();
    number + level + spin + v[5] * t[5] - softplus(t[5])
}

/// ln q(h | v).
fn log_recognised(layer: &Layer, v: &[f64], h: &[f64]) -> f64 {
    let (w, b) = (values(layer.w_rec()), values(layer.hb()));
    let logit = |u: usize| b[u] + (0..6).map(|i| v[i] * w[3 * i + u]).sum::<f64>();
    h.iter().enumerate().map(|(u, h)| h * logit(u) - softplus(logit(u))).sum()
}

/// ln of what each state of the middle layer has under the top, which are not normalised.
fn log_prior(dbn: &Dbn) -> Vec<(Vec<f64>, f64)> {
    let top = dbn.top();
    let (w, hb, vb) = (values(top.w_rec()), values(top.hb()), values(top.vb()));
    let log = |h: &[f64]| {
        let x = |u: usize| hb[u] + (0..3).map(|i| h[i] * w[4 * i + u]).sum::<f64>();
        h.iter().zip(&vb).map(|(h, b)| h * b).sum::<f64>() + (0..4).map(|u| softplus(x(u))).sum::<f64>()
    };
    all_states(3).into_iter().map(|h| (h.clone(), log(&h))).collect()
}

/// 20,000 draws: at most some hundredths of a nat of standard error each, since weights differ by a few nats. The bound
/// lies below the likelihood by more than that.
#[test]
fn bound_and_estimate_are_those_of_sums() {
    let dbn = net(0);
    let (layer, prior, v) = (&dbn.layers()[0], log_prior(&dbn), states(5, 3));
    let found = dbn.unnormalised_log_likelihood(&v, 20_000, Uniforms::new(5, Stream::User, 0)).unwrap();
    for (row, v) in crate::rows(&v).iter().enumerate() {
        let terms = prior.iter().map(|(h, own)| (log_recognised(layer, v, h), log_generated(layer, v, h) + own));
        let terms: Vec<(f64, f64)> = terms.collect();
        let exact = terms.iter().map(|(_, joint)| joint.exp()).sum::<f64>().ln();
        let bound: f64 = terms.iter().map(|(q, joint)| q.exp() * (joint - q)).sum();
        assert!(bound < exact, "row {row}: bound {bound}, likelihood {exact}");
        assert!((found.bound[row] - bound).abs() < 0.05, "row {row}: {} and not {bound}", found.bound[row]);
        assert!((found.importance[row] - exact).abs() < 0.05, "row {row}: {} and not {exact}", found.importance[row]);
    }
}

/// Under a top that is the lowest RBM upside down, recognition is exact: every draw weighs the same, and the net is that
/// RBM.
#[test]
fn a_net_whose_top_mirrors_its_lowest_layer_is_that_rbm() {
    let below = random_rbm(6, 3, 0, 1.0, 1);
    let layers = Layers { visible: mixed(), hidden: Units::of(UnitKind::Bernoulli, 3) };
    let below = below.with_layers(layers, fields(), FieldTensors::default()).unwrap();
    let top = Rbm::from_tensors(below.w_gen().clone(), below.vb().clone(), below.hb().clone()).unwrap();
    let layers = Layers { visible: Units::of(UnitKind::Bernoulli, 3), hidden: mixed() };
    let top = top.with_layers(layers, FieldTensors::default(), fields()).unwrap();
    let dbn = Dbn::from_rbms(vec![below.clone(), top]).unwrap();
    let v = states(6, 9);
    let exact: Vec<f64> = values(&below.free_energy(&v).unwrap()).iter().map(|f| -f).collect();
    let found = dbn.unnormalised_log_likelihood(&v, 3, Uniforms::new(5, Stream::User, 0)).unwrap();
    for ((bound, importance), exact) in found.bound.iter().zip(&found.importance).zip(&exact) {
        assert!((bound - exact).abs() < 1e-4 && (importance - exact).abs() < 1e-4, "{bound}, {importance}, {exact}");
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("net.safetensors");
    dbn.save(&path, &Provenance::default()).unwrap();
    let (back, header) = Dbn::load(&path, &Device::Cpu).unwrap();
    assert_eq!((header.format_version, back.listed_units()), (2, dbn.listed_units()));
    assert_eq!(back.to_rbms().unwrap()[0].layers(), below.layers());
    let same = back.unnormalised_log_likelihood(&v, 3, Uniforms::new(5, Stream::User, 0)).unwrap();
    assert_eq!(same, found);
}

/// 4000 chains of 60 steps. A mean of states in -1 to 1 or of a number of deviation 1.5 has a standard error below 0.024;
/// at 0.1 a right sampler fails with a probability below 1e-4, and the seed is fixed.
#[test]
fn chains_show_states_with_the_means_of_the_model() {
    let dbn = net(0);
    let prior = log_prior(&dbn);
    let z: f64 = prior.iter().map(|(_, own)| own.exp()).sum();
    let mut exact = [0.0; 6];
    for (h, own) in &prior {
        let (t, p) = (inputs(&dbn.layers()[0], h), own.exp() / z);
        let levels: f64 = t[1..4].iter().map(|t| t.exp()).sum();
        let bit = 1.0 / (1.0 + (-t[5]).exp());
        let means = [t[0] / f64::from(LOG_G).exp(), t[1].exp() / levels, t[2].exp() / levels, t[3].exp() / levels];
        exact.iter_mut().zip(means.into_iter().chain([t[4].tanh(), bit])).for_each(|(sum, mean)| *sum += p * mean);
    }
    let mut chains = Chains::new(&dbn, 4000, None, 3).unwrap();
    chains.advance(60).unwrap();
    let states = crate::rows(&chains.show_states().unwrap());
    for (unit, exact) in exact.iter().enumerate() {
        let mean = states.iter().map(|v| v[unit]).sum::<f64>() / 4000.0;
        assert!((mean - exact).abs() < 0.1, "unit {unit}: {mean} and not {exact}");
    }
    for v in &states {
        assert!(v[1] + v[2] + v[3] == 1.0 && v[4].abs() == 1.0 && (v[5] == 0.0 || v[5] == 1.0), "{v:?}");
    }
    // Means are those of the units that are shown.
    let means = crate::rows(&chains.show().unwrap());
    assert!(means.iter().all(|v| (v[1] + v[2] + v[3] - 1.0).abs() < 1e-5 && v[4].abs() < 1.0));
}

#[test]
fn what_is_passed_up_is_what_the_rbm_gives_to_the_bit() {
    let layers = Layers { visible: mixed(), hidden: Units::of(UnitKind::Bernoulli, 3) };
    let rbm = random_rbm(6, 3, 0, 1.0, 1).with_layers(layers, fields(), FieldTensors::default()).unwrap();
    let (batch, draw) = (samples(40, 7), Uniforms::new(4, Stream::User, 1));
    let sampled = rbm.sample_h(&states(40, 7), draw.layer(0)).unwrap();
    for (propagate, expected) in
        [(Propagate::Probabilities, sampled.probabilities), (Propagate::Samples, sampled.states)]
    {
        let raised = raise(std::slice::from_ref(&rbm), &batch, propagate, draw).unwrap();
        let expected: Vec<f32> = expected.flatten_all().unwrap().to_vec1().unwrap();
        assert_eq!(raised.to_values(), expected, "{propagate:?}");
    }
}

/// What is missing gets values that its kind has; what was observed stays, and a sample is completed alike wherever it
/// stands.
#[test]
fn gaps_get_values_of_their_kinds() {
    let (dbn, rows) = (net(2), 6);
    let batch = samples(rows, 2);
    let cells = [(0, 0), (1, 1), (1, 2), (1, 3), (2, 4), (3, 5), (4, 0), (4, 4)];
    let on = |rows: std::ops::Range<usize>| {
        let mut on = vec![0.0; 6 * rows.len()];
        for &(row, unit) in cells.iter().filter(|(row, _)| rows.contains(row)) {
            on[(row - rows.start) * 6 + unit] = 1.0;
        }
        Bits::from_values(rows.len(), 6, &on)
    };
    let how = Completing { chains: 5, burn_in: 10, sweeps: 30, ..Completing::default() };
    let all = dbn.complete_choices(&batch, &on(0..rows), &[1..4, 4..5], &how).unwrap();
    for draw in &all.draws {
        assert!(draw.chunks(6).all(|v| v[1] + v[2] + v[3] == 1.0));
        assert!(draw.chunks(6).all(|v| [v[4], v[5]].iter().all(|&x| x == 0.0 || x == 1.0)));
    }
    let given = batch.to_values();
    for at in (0..6 * rows).filter(|at| !cells.contains(&(at / 6, at % 6))) {
        assert_eq!((all.mean[at], all.deviation[at]), (given[at], 0.0));
    }
    let level = &all.mean[7..10];
    assert!((level.iter().sum::<f32>() - 1.0).abs() < 1e-4 && level.iter().all(|&p| p > 0.0), "{level:?}");
    assert!(all.deviation[0] > 0.3 && (0.0..=1.0).contains(&all.mean[16]));
    let alone = dbn.complete_choices(&batch.slice(4..5), &on(4..5), &[1..4, 4..5], &how).unwrap();
    assert!(all.mean[24..30].iter().zip(&alone.mean).all(|(a, b)| (a - b).abs() < 1e-5));
}

/// The mean and the standard deviation of the number of a sample, given what is not in `gaps`, by all hidden states and all
/// values of what else is missing: a level (1), a spin (4).
fn number_given(layer: &Layer, hb: &[f64], v: &[f64], gaps: &[usize]) -> (f64, f64) {
    let g = f64::from(LOG_G).exp();
    let levels = if gaps.contains(&1) {
        vec![[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
    } else {
        vec![[v[1], v[2], v[3]]]
    };
    let spins = if gaps.contains(&4) { vec![-1.0, 1.0] } else { vec![v[4]] };
    let (mut total, mut first, mut second) = (0.0, 0.0, 0.0);
    for h in all_states(3) {
        let t = inputs(layer, &h);
        let mean = t[0] / g;
        let own = h.iter().zip(hb).map(|(h, b)| h * b).sum::<f64>() + 0.5 * g * mean * mean + v[5] * t[5];
        for (level, spin) in levels.iter().flat_map(|level| spins.iter().map(move |spin| (level, spin))) {
            let p = (own + (0..3).map(|k| level[k] * t[1 + k]).sum::<f64>() + spin * t[4]).exp();
            total += p;
            first += p * mean;
            second += p * (mean * mean + 1.0 / g);
        }
    }
    (first / total, (second / total - (first / total).powi(2)).sqrt())
}

/// 200 chains of 50 steps. A number given the hidden units has a mean that deviates by less than 1, over steps that are
/// correlated for fewer than eight of them: a standard error below sqrt(8 / 10,000) = 0.028, and less than that for its
/// deviation. At 0.12 one of eight figures fails with a probability below 2e-4; the seed is fixed. Where no hidden unit
/// knows the number, 20 chains do, for its mean is exact: draws would leave a standard error of 0.03.
#[test]
fn numbers_are_filled_with_their_means() {
    let layers = || Layers { visible: mixed(), hidden: Units::of(UnitKind::Bernoulli, 3) };
    let knows = random_rbm(6, 3, 0, 1.0, 1).with_layers(layers(), fields(), FieldTensors::default()).unwrap();
    let mut w: Vec<f32> = values(knows.w_rec()).iter().map(|w| *w as f32).collect();
    w[..3].fill(0.0);
    let w = Tensor::from_vec(w, (6, 3), &Device::Cpu).unwrap();
    let plain = Rbm::from_tensors(w, knows.hb().clone(), knows.vb().clone()).unwrap();
    let knows_nothing = plain.with_layers(layers(), fields(), FieldTensors::default()).unwrap();
    let (rows, batch) = (4, samples(4, 11));
    let gaps = [vec![0], vec![0, 4], vec![0, 1, 2, 3], vec![0, 1, 2, 3, 4]];
    let mut on = vec![0.0; 6 * rows];
    gaps.iter().enumerate().for_each(|(row, gaps)| gaps.iter().for_each(|unit| on[6 * row + unit] = 1.0));
    for (rbm, chains, within) in [(knows, 200, 0.12), (knows_nothing, 20, 1e-5)] {
        let how = Completing { chains, burn_in: 20, sweeps: 50, ..Completing::default() };
        let dbn = Dbn::from_rbms(vec![rbm.clone()]).unwrap();
        let layer =
            Layer::from_tensors(rbm.w_rec().clone(), rbm.w_gen().clone(), rbm.hb().clone(), rbm.vb().clone()).unwrap();
        let found = dbn.complete_choices(&batch, &Bits::from_values(rows, 6, &on), &[1..4, 4..5, 5..6], &how).unwrap();
        for (row, v) in crate::rows(&states(rows, 11)).iter().enumerate() {
            let (mean, deviation) = number_given(&layer, &values(rbm.hb()), v, &gaps[row]);
            let (found_mean, found_deviation) = (f64::from(found.mean[6 * row]), f64::from(found.deviation[6 * row]));
            assert!((found_mean - mean).abs() < within, "row {row}: {found_mean} and not {mean}");
            assert!((found_deviation - deviation).abs() < 0.12, "row {row}: {found_deviation} and not {deviation}");
        }
    }
}

/// A score is the logarithm of the mean weight of its draws, and what is missing of discrete units is summed out of that.
#[test]
fn scores_sum_over_what_is_missing() {
    let dbn = net(0);
    let scorer = Scorer::new(&dbn, &[1..4, 4..5], 2000).unwrap();
    let v: Vec<f32> = states(1, 8).flatten_all().unwrap().to_vec1().unwrap();
    let one = |v: &[f32]| scorer.complete(&Tensor::from_slice(v, (1, 6), &Device::Cpu).unwrap()).unwrap()[0];
    let mut all = Vec::new();
    for (level, spin) in (0..3).flat_map(|level| [(level, -1.0), (level, 1.0)]) {
        let mut v = v.clone();
        v[1..4].fill(0.0);
        v[1 + level] = 1.0;
        v[4] = spin;
        all.push(one(&v));
    }
    let sum = all.iter().map(|x| x.exp()).sum::<f64>().ln();
    let found = scorer.observed(&v, &[1, 2, 3, 4]).unwrap().unwrap();
    assert!((found - sum).abs() < 1e-6, "{found} and not {sum}");
    assert_eq!(scorer.observed(&v, &[0]).unwrap(), None);
}

fn config() -> StackConfig {
    let layer = |hidden, learning_rate| LayerConfig {
        hidden,
        train: TrainConfig { epochs: 2, learning_rate, persistent_chains: 7, ..crate::plain() },
        ..Default::default()
    };
    let layers = vec![layer(5, 0.01), layer(4, 0.1)];
    StackConfig { visible_units: Some(mixed()), layers, threads: 1, ..Default::default() }
}

fn parameters(dbn: &Dbn) -> Vec<(String, Vec<f32>)> {
    let values = |tensor: Tensor| tensor.flatten_all().and_then(|t| t.to_vec1()).unwrap();
    dbn.named_tensors("").into_iter().map(|(name, tensor)| (name, values(tensor))).collect()
}

/// Stopped in either layer, through files, with one thread and with two; and the lowest layer is the RBM that trains by
/// itself.
#[test]
fn a_stack_over_mixed_units_trains_and_resumes_bit_for_bit() {
    let batches: Vec<_> = (0..3).map(|step| samples(10, step)).collect();
    let monitors = Monitors { train: batches[0].clone(), ..Default::default() };
    let mut fixed = Fixed::new(batches, None);
    let mut whole = Greedy::new(config()).unwrap();
    whole.fit(&mut fixed, &monitors, &mut ()).unwrap();
    let finished = whole.state().finished;
    let whole = whole.dbn().unwrap();
    assert_eq!((whole.sizes(), whole.visible_units()), (vec![6, 5, 4], &mixed()));
    assert!(parameters(&whole).iter().any(|(name, _)| name == "layers.0.visible.log_precision"));

    let all: Vec<f32> = (0..3).flat_map(|step| samples(10, step).to_values()).collect();
    let mean = |unit: usize| all.chunks(6).map(|v| f64::from(v[unit])).sum::<f64>() / 30.0;
    let means: Vec<f32> = (0..6).map(|unit| mean(unit) as f32).collect();
    let LayerConfig { ref train, .. } = config().layers[0];
    let alone = deepbelief_rbm::RbmConfig { visible_units: Some(mixed()), ..config().layers[0].rbm(config().seed) };
    let alone = Rbm::new(&alone, &means, &Device::Cpu).unwrap();
    let mut alone = Trainer::new(&alone, TrainConfig { seed: config().seed, threads: 1, ..train.clone() }).unwrap();
    alone.fit(&mut fixed, &monitors, &mut ()).unwrap();
    let (alone, lowest) = (alone.snapshot().model().unwrap().to_parameters().unwrap(), finished[0].to_parameters());
    assert_eq!(alone, lowest.unwrap());

    let folder = tempfile::tempdir().unwrap();
    for stop in [1, 4, 7, 11] {
        let mut greedy = Greedy::new(config()).unwrap();
        assert_eq!(greedy.fit(&mut fixed, &monitors, &mut StopAfter(stop)).unwrap(), Outcome::Interrupted);
        greedy.state().save(folder.path(), &Provenance::default()).unwrap();
        let state = GreedyState::load(folder.path()).unwrap();
        let refusal = Greedy::resume(StackConfig { visible_units: None, ..config() }, state.clone()).err().unwrap();
        assert!(refusal.to_string().contains("it has 1 gaussian, 1 categorical of 3, 1 spin, 1 bernoulli visible"));
        let mut greedy = Greedy::resume(StackConfig { threads: 2, ..config() }, state).unwrap();
        assert_eq!(greedy.fit(&mut fixed, &monitors, &mut ()).unwrap(), Outcome::Finished);
        assert_eq!(parameters(&greedy.dbn().unwrap()), parameters(&whole), "stopped after {stop} batches");
    }
}

#[test]
fn what_a_net_of_mixed_units_cannot_be_is_refused() {
    let layers = Layers { visible: mixed(), hidden: Units::of(UnitKind::Bernoulli, 3) };
    let rbm = random_rbm(6, 3, 0, 1.0, 1).with_layers(layers, fields(), FieldTensors::default()).unwrap();
    let above = Dbn::from_rbms(vec![random_rbm(4, 6, 0, 1.0, 2), rbm]).unwrap_err().to_string();
    assert_eq!(
        above,
        "layer 2 has gaussian and categorical and spin and bernoulli visible units, but only the lowest layer can have \
         other than bernoulli ones"
    );
    let refused = |config: StackConfig| message(&Greedy::new(config).err().unwrap());
    let mut mirrored = config();
    mirrored.layers[1].start = Start::Transposed;
    assert_eq!(
        refused(mirrored),
        "start is transposed; it must be random in layer 2, which would mirror visible units that are not bernoulli"
    );
    let mut relu = config();
    relu.layers[0].hidden_units = UnitKind::Relu.into();
    assert!(refused(relu).starts_with("layer 1 has relu hidden units, but only the top layer of a stack of 2"));
    let narrow = StackConfig { visible_units: Some(Units::of(UnitKind::Spin, 4)), ..config() };
    let data = samples(4, 1);
    let monitors = Monitors { train: data.clone(), ..Default::default() };
    let misfit = Greedy::new(narrow).unwrap().fit(&mut Fixed::new(vec![data], None), &monitors, &mut ()).unwrap_err();
    assert_eq!(misfit.to_string(), "visible units is 6; it must be 4, those that are listed");
}

/// A hidden layer of ReLU units at the top of a net: it trains, and its file knows them.
#[test]
fn any_hidden_units_may_stand_at_the_top() {
    let mut config = config();
    config.layers[1].hidden_units = UnitKind::Relu.into();
    config.layers[1].weight_std = 0.1;
    let batches: Vec<_> = (0..3).map(|step| samples(10, step)).collect();
    let monitors = Monitors { train: batches[0].clone(), ..Default::default() };
    let mut greedy = Greedy::new(config).unwrap();
    greedy.fit(&mut Fixed::new(batches, None), &monitors, &mut ()).unwrap();
    let (dbn, folder) = (greedy.dbn().unwrap(), tempfile::tempdir().unwrap());
    let path = folder.path().join("net.safetensors");
    dbn.save(&path, &Provenance::default()).unwrap();
    let (back, _) = Dbn::load(&path, &Device::Cpu).unwrap();
    assert_eq!(parameters(&back), parameters(&dbn));
    assert_eq!(back.top().layers().hidden, Units::of(UnitKind::Relu, 4));
    let reconstructed = batch_of(&mixed(), &dbn.reconstruct(&states(3, 2)).unwrap()).unwrap();
    assert!(reconstructed.to_values().chunks(6).all(|v| (v[1] + v[2] + v[3] - 1.0).abs() < 1e-5));
}
