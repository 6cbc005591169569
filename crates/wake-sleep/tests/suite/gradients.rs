//! What the two phases follow: the expected wake update is the gradient of the variational bound on
//! the log-likelihood, the expected sleep update that of minus KL(generative || recognition), both
//! by enumeration and finite differences (Hinton, Dayan, Frey & Neal 1995).

use crate::exact::{Joint, Plain, PlainLayer};
use crate::{Fixed, all_states, tune, untied, with_factorial_top};
use deepbelief_kernels::{Batch, Bits, Directed, StepRule, Weights};
use deepbelief_stack::Dbn;
use deepbelief_wake_sleep::{TopModel, TuneConfig, UnitChoices, Units};

/// Sixteenths of the data at each of 8 visible states.
const DATA: [usize; 8] = [3, 0, 1, 4, 2, 1, 0, 5];

fn data() -> Vec<f64> {
    DATA.iter().map(|&count| count as f64 / 16.0).collect()
}

/// All parameters of one kind, weights row-major and then biases, layer by layer.
type Pick = fn(&mut PlainLayer) -> Vec<&mut f64>;

fn generative(layer: &mut PlainLayer) -> Vec<&mut f64> {
    layer.w_gen.iter_mut().flatten().chain(&mut layer.vb).collect()
}

fn recognition(layer: &mut PlainLayer) -> Vec<&mut f64> {
    layer.w_rec.iter_mut().flatten().chain(&mut layer.hb).collect()
}

fn parameters(plain: &mut Plain, pick: Pick) -> Vec<&mut f64> {
    plain.layers.iter_mut().flat_map(pick).collect()
}

fn prior(plain: &mut Plain) -> Vec<&mut f64> {
    plain.top_vb.iter_mut().collect()
}

fn top_parameters(plain: &mut Plain) -> Vec<&mut f64> {
    plain.top_w.iter_mut().flatten().chain(&mut plain.top_hb).chain(&mut plain.top_vb).collect()
}

/// Central differences: off by about 1e-10 from the derivative.
fn gradient(plain: &Plain, of: impl Fn(&mut Plain) -> Vec<&mut f64>, value: impl Fn(&Plain) -> f64) -> Vec<f64> {
    let mut plain = plain.clone();
    let at = |plain: &mut Plain, index: usize, step: f64| {
        *of(plain)[index] += step;
        let value = value(plain);
        *of(plain)[index] -= step;
        value
    };
    let count = of(&mut plain).len();
    (0..count).map(|i| (at(&mut plain, i, 1e-5) - at(&mut plain, i, -1e-5)) / 2e-5).collect()
}

/// What one joint state adds to the delta rule of all layers in one direction.
fn contribution(plain: &Plain, joint: &Joint, down: bool) -> Vec<f64> {
    let of_layer = |(l, layer): (usize, &PlainLayer)| {
        let (lower, upper) = (&joint[l].1, &joint[l + 1].1);
        let (x, target, w, b) =
            if down { (upper, lower, &layer.w_gen, &layer.vb) } else { (lower, upper, &layer.w_rec, &layer.hb) };
        let error = |i: usize| {
            let logit = b[i] + x.iter().zip(w).map(|(x, w)| x * w[i]).sum::<f64>();
            target[i] - 1.0 / (1.0 + (-logit).exp())
        };
        let errors: Vec<f64> = (0..target.len()).map(error).collect();
        let weights: Vec<f64> = x.iter().flat_map(|x| errors.iter().map(move |e| x * e)).collect();
        [weights, errors].concat()
    };
    plain.layers.iter().enumerate().flat_map(of_layer).collect()
}

/// Mean and mean square of the contributions under the probability of each joint state.
fn moments(plain: &Plain, down: bool, p: impl Fn(&Joint) -> f64) -> Vec<(f64, f64)> {
    let mut sums = Vec::new();
    for joint in plain.joints() {
        let (p, terms) = (p(&joint), contribution(plain, &joint, down));
        sums.resize(terms.len(), (0.0, 0.0));
        for (sum, term) in sums.iter_mut().zip(terms) {
            *sum = (sum.0 + p * term, sum.1 + p * term * term);
        }
    }
    sums
}

fn wake_moments(plain: &Plain) -> Vec<(f64, f64)> {
    moments(plain, true, |joint| data()[joint[0].0] * plain.log_recognition(joint).exp())
}

fn sleep_moments(plain: &Plain) -> Vec<(f64, f64)> {
    let log_top = plain.log_top();
    moments(plain, false, |joint| plain.log_generative(joint, &log_top).exp())
}

/// The delta rules in expectation, against the derivatives of what they are said to follow.
#[test]
fn the_expected_updates_are_the_gradients() {
    for dbn in
        [untied(&[3, 2, 2, 3], 0, 1.5), untied(&[3, 3, 1], 0, 2.0), with_factorial_top(&untied(&[3, 2, 2, 1], 0, 1.5))]
    {
        let plain = Plain::of(&dbn);
        let wake = gradient(&plain, |plain| parameters(plain, generative), |plain| plain.bound(&data()));
        let sleep = gradient(&plain, |plain| parameters(plain, recognition), |plain| -plain.divergence());
        assert!(wake.iter().chain(&sleep).any(|g| g.abs() > 0.05));
        for (expected, gradient) in [(wake_moments(&plain), wake), (sleep_moments(&plain), sleep)] {
            for ((mean, _), gradient) in expected.iter().zip(&gradient) {
                assert!((mean - gradient).abs() < 1e-8, "{mean}, derivative {gradient}");
            }
        }
    }
}

/// A layer in which every unit is on with a probability of 1/4, 1/2 or 3/4, in both directions.
fn in_quarters(lower: usize, upper: usize) -> PlainLayer {
    let ln3 = 3f64.ln();
    let side = |inputs: usize, outputs: usize| {
        let (mut w, mut b) = (vec![vec![0.0; outputs]; inputs], vec![0.0; outputs]);
        for j in 0..outputs {
            let (weight, bias) = [(2.0 * ln3, -ln3), (-ln3, 0.0), (-2.0 * ln3, ln3), (ln3, 0.0)][j % 4];
            (w[(2 * j + 1) % inputs][j], b[j]) = (weight, bias);
        }
        (w, b)
    };
    let ((w_rec, hb), (w_gen, vb)) = (side(lower, upper), side(upper, lower));
    PlainLayer { w_rec, w_gen, hb, vb }
}

/// The packed rule on every joint state as often as it occurs in 4096 (wake) or 16384 (sleep)
/// draws: expectations without chance. What is left is rounding in F32.
#[test]
fn the_packed_rule_on_all_states_is_the_gradient() {
    let top_vb = vec![3f64.ln(), -3f64.ln()];
    let layers = vec![in_quarters(3, 2), in_quarters(2, 2)];
    let plain = Plain { layers, top_w: vec![vec![0.0]; 2], top_hb: vec![0.0], top_vb };
    let log_top = plain.log_top();
    let wake = |joint: &Joint| 4096.0 * data()[joint[0].0] * plain.log_recognition(joint).exp();
    let sleep = |joint: &Joint| 16384.0 * plain.log_generative(joint, &log_top).exp();
    check_on_all_states(&plain, true, &wake, |plain| plain.bound(&data()));
    check_on_all_states(&plain, false, &sleep, |plain| -plain.divergence());
}

fn check_on_all_states(plain: &Plain, down: bool, times: &dyn Fn(&Joint) -> f64, value: impl Fn(&Plain) -> f64) {
    let mut layers = vec![Vec::new(); 3];
    let mut rows = 0;
    for joint in plain.joints() {
        let count = times(&joint);
        assert!((count - count.round()).abs() < 1e-9, "{count} is not whole");
        for _ in 0..count.round() as usize {
            layers.iter_mut().zip(&joint).for_each(|(layer, state)| layer.extend(state.1.iter().map(|&x| x as f32)));
            rows += 1;
        }
    }
    let batches: Vec<Batch> =
        layers.iter().map(|values| Batch::Binary(Bits::from_values(rows, values.len() / rows, values))).collect();
    let rule = StepRule { learning_rate: 1.0, momentum: 0.0, l2: 0.0, l1: 0.0 };
    let single = |values: &[f64]| -> Vec<f32> { values.iter().map(|&x| x as f32).collect() };
    let mut updates = Vec::new();
    for (l, layer) in plain.layers.iter().enumerate() {
        let (x, target, w, b) = if down {
            (&batches[l + 1], &batches[l], &layer.w_gen, &layer.vb)
        } else {
            (&batches[l], &batches[l + 1], &layer.w_rec, &layer.hb)
        };
        let start = Weights { w: single(&w.concat()), b: single(b), ..Weights::default() };
        let mut set = Directed::new(x.units(), target.units(), &start);
        set.learn(x, target, &rule);
        let learned = set.weights();
        let moved = |a: &[f32], b: &[f32]| -> Vec<f64> { a.iter().zip(b).map(|(a, b)| f64::from(a - b)).collect() };
        updates.extend([moved(&learned.w, &start.w), moved(&learned.b, &start.b)].concat());
    }
    let pick = if down { generative } else { recognition };
    let exact = gradient(plain, |plain| parameters(plain, pick), value);
    assert!(exact.iter().any(|g| g.abs() > 0.05));
    for (update, gradient) in updates.iter().zip(&exact) {
        assert!((update - gradient).abs() < 1e-6, "{update}, derivative {gradient}");
    }
}

/// One batch of so many samples, every visible state in its share.
fn batch(rows: usize) -> Fixed {
    let states = all_states(3);
    let share = |(state, count): (&Vec<f64>, usize)| vec![state.clone(); rows / 16 * count].concat();
    let values: Vec<f32> = states.iter().zip(DATA).flat_map(share).map(|x| x as f32).collect();
    let small: Vec<f32> = states.concat().iter().map(|&x| x as f32).collect();
    let mut data = Fixed::new(vec![Batch::Binary(Bits::from_values(rows, 3, &values))], None);
    data.monitor = Some(Batch::Binary(Bits::from_values(8, 3, &small)));
    data
}

/// How far an update of step size 1 has moved the parameters.
fn moved(before: &Dbn, after: &Dbn, of: impl Fn(&mut Plain) -> Vec<&mut f64>) -> Vec<f64> {
    let (mut before, mut after) = (Plain::of(before), Plain::of(after));
    of(&mut after).iter().zip(of(&mut before)).map(|(a, b)| **a - *b).collect()
}

/// The tuner's own update, all its states drawn, against the exact gradients: the mean of 2^18
/// samples within five of its standard errors, which enumeration gives. 46 values fail a right
/// update with probability below 3e-5, and the seed is fixed.
#[test]
fn the_update_of_the_tuner_follows_both_gradients() {
    let rows = 1 << 18;
    let config = TuneConfig {
        top_steps: "1x1".parse().unwrap(),
        wake_rate: 1.0,
        sleep_rate: 1.0,
        top_rate: 1.0,
        top: TopModel::Factorial,
        units: UnitChoices { visible: Units::Sampled, ..Default::default() },
        ..crate::plain()
    };
    let dbn = with_factorial_top(&untied(&[3, 2, 2, 1], 0, 1.5));
    let (after, plain) = (tune(&dbn, &config, &batch(rows)), Plain::of(&dbn));
    let close = |update: &[f64], moments: &[(f64, f64)], gradient: &[f64]| {
        for ((update, (_, square)), gradient) in update.iter().zip(moments).zip(gradient) {
            let error = (square / rows as f64).sqrt();
            assert!((update - gradient).abs() < 5.0 * error + 1e-6, "{update}, derivative {gradient}, error {error}");
        }
    };
    let wake = gradient(&plain, |plain| parameters(plain, generative), |plain| plain.bound(&data()));
    close(&moved(&dbn, &after, |plain| parameters(plain, generative)), &wake_moments(&plain), &wake);
    let sleep = gradient(&plain, |plain| parameters(plain, recognition), |plain| -plain.divergence());
    close(&moved(&dbn, &after, |plain| parameters(plain, recognition)), &sleep_moments(&plain), &sleep);
    // A state minus its probability is never beyond 1.
    close(&moved(&dbn, &after, prior), &[(0.0, 1.0); 2], &gradient(&plain, prior, |plain| plain.bound(&data())));
}

/// With an RBM at the top and Gibbs steps enough to forget the data, here 60, its update follows
/// the bound too: positive minus negative statistics of 2^17 samples, each a difference of two all
/// but independent 0/1 numbers with a variance of at most 1/2, within five standard errors. 8
/// values fail with probability below 5e-6, and the seed is fixed.
#[test]
fn the_update_of_the_top_follows_the_bound() {
    let rows = 1 << 17;
    let dbn = untied(&[3, 2, 2, 2], 0, 1.0);
    for top_statistics in [Units::Sampled, Units::Probabilities] {
        let config = TuneConfig {
            top_steps: "60x1".parse().unwrap(),
            top_rate: 1.0,
            units: UnitChoices { top_statistics, ..Default::default() },
            ..crate::plain()
        };
        let update = moved(&dbn, &tune(&dbn, &config, &batch(rows)), top_parameters);
        let exact = gradient(&Plain::of(&dbn), top_parameters, |plain| plain.bound(&data()));
        assert!(exact.iter().any(|g| g.abs() > 0.05));
        let error = (0.5 / rows as f64).sqrt();
        for (update, gradient) in update.iter().zip(&exact) {
            assert!((update - gradient).abs() < 5.0 * error, "{update}, derivative {gradient}, error {error}");
        }
    }
}
