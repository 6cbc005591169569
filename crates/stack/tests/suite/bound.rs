//! Why greedy training is worth anything: learning a second layer raises the variational bound
//! `L = sum_v p(v) sum_h q(h|v) (log p(v|h) + log p_top(h) - log q(h|v))` on the log-likelihood
//! (Hinton, Osindero & Teh 2006, section 4; Neal & Hinton 1998), here by enumeration.

use crate::{Fixed, all_states, in_f64, rbm_in_f64, rows, stack, values};
use deepbelief_kernels::{Batch, Bits};
use deepbelief_rbm::{Monitors, Rbm, Schedule, TrainConfig};
use deepbelief_stack::{Dbn, Greedy, LayerConfig, Propagate, StackConfig, Start};

/// Visible states of 5 units, as often as they occur: the extremes and every pair, more than a few hidden
/// units learn by one-step contrastive divergence.
fn data() -> Vec<Vec<f64>> {
    let states = all_states(5);
    let often = |s: usize| match states[s].iter().sum::<f64>() as usize {
        0 | 5 => 6,
        2 => 2,
        _ => 0,
    };
    (0..states.len()).flat_map(|s| vec![states[s].clone(); often(s)]).collect()
}

/// log p(v) of every visible state of an RBM, normalised by enumeration.
fn log_probabilities(rbm: &Rbm) -> Vec<f64> {
    let minus_free: Vec<f64> =
        values(&rbm.free_energy(&stack(&all_states(rbm.visible()))).unwrap()).iter().map(|f| -f).collect();
    let log_z = minus_free.iter().map(|f| f.exp()).sum::<f64>().ln();
    minus_free.iter().map(|f| f - log_z).collect()
}

fn log_bernoulli(p: &[f64], states: &[f64]) -> f64 {
    p.iter().zip(states).map(|(p, s)| if *s == 1.0 { p.ln() } else { (1.0 - p).ln() }).sum()
}

/// The bound of a model with two layers of weights, a mean over the data.
fn bound(dbn: &Dbn, data: &[Vec<f64>]) -> f64 {
    let dbn = in_f64(dbn);
    let layer = &dbn.layers()[0];
    let hs = all_states(layer.hidden());
    let (down, prior) = (rows(&layer.generate(&stack(&hs)).unwrap()), log_probabilities(dbn.top()));
    let up = rows(&layer.recognize(&stack(data)).unwrap());
    let of_sample = |(v, q): (&Vec<f64>, &Vec<f64>)| {
        let of_state = |(h, state): (usize, &Vec<f64>)| {
            let log_q = log_bernoulli(q, state);
            log_q.exp() * (log_bernoulli(&down[h], v) + prior[h] - log_q)
        };
        hs.iter().enumerate().map(of_state).sum::<f64>()
    };
    data.iter().zip(&up).map(of_sample).sum::<f64>() / data.len() as f64
}

/// A second layer that starts transposed leaves the model as it was: the bound is tight and
/// equals the exact log-likelihood of the first RBM, which holds the formula above against an
/// independent computation. Training it on samples of q(h|v), as the theory asks, must raise the
/// bound, on first layers of different sizes and at different stages of their own training.
/// (Trained on probabilities it may fall: their spread is not that of the samples.) The smallest
/// gain here is 0.02 nats; rounding is below 1e-6, and the seed is fixed.
#[test]
fn learning_a_second_layer_raises_the_variational_bound() {
    let data = data();
    let samples: Vec<f32> = data.concat().iter().map(|&x| x as f32).collect();
    let batch = Batch::Binary(Bits::from_values(data.len(), 5, &samples));
    let train = |epochs, cd_steps| TrainConfig {
        epochs,
        learning_rate: 0.05,
        final_learning_rate: 0.001,
        schedule: Schedule::Exponential,
        final_momentum: 0.5,
        cd_steps: u32::into(cd_steps),
        weight_cost: 0.0,
        ..crate::plain()
    };
    for (hidden, weight_std, epochs) in [(4, 2.0, 50), (4, 3.0, 50), (6, 3.0, 500)] {
        let second = LayerConfig { hidden: 5, start: Start::Transposed, train: train(3000, 20), ..Default::default() };
        let first = LayerConfig { hidden, weight_std, train: train(epochs, 1), ..Default::default() };
        let config =
            StackConfig { layers: vec![first, second], propagate: Propagate::Samples, ..StackConfig::default() };
        let mut greedy = Greedy::new(config).unwrap();
        let monitors = Monitors { train: batch.clone(), ..Default::default() };
        greedy.fit(&mut Fixed::new(vec![batch.clone()], None), &monitors, &mut ()).unwrap();

        let first = greedy.state().finished[0].clone();
        let upside_down = Rbm::from_tensors(first.w_gen().clone(), first.vb().clone(), first.hb().clone()).unwrap();
        let at_start = bound(&Dbn::from_rbms(vec![first.clone(), upside_down]).unwrap(), &data);
        let exact = log_probabilities(&rbm_in_f64(&first));
        let index = |v: &Vec<f64>| v.iter().enumerate().fold(0, |s, (i, &x)| s | (x as usize) << i);
        let likelihood = data.iter().map(|v| exact[index(v)]).sum::<f64>() / data.len() as f64;
        assert!((at_start - likelihood).abs() < 1e-9, "bound {at_start}, log-likelihood {likelihood}");

        let trained = bound(&greedy.dbn().unwrap(), &data);
        assert!(trained > at_start + 0.02, "bound {at_start} before, {trained} after");
    }
}

/// A second layer that starts transposed with more hidden units than it mirrors gives the states h below it the
/// probabilities of one without these units, but for terms of second order in their weights w: a unit adds ln 2 to minus
/// the free energy, and (w h)^2 / 8. Of 35 units with weights of 0.02 that is 0.007 nats at most on average, and 0.02
/// would be more than six standard deviations above; terms of first order would be up to 0.2 nats. A learning rate of 1e-9 moves nothing.
#[test]
fn hidden_units_beyond_those_mirrored_leave_the_model_as_it_was() {
    let data = data();
    let samples: Vec<f32> = data.concat().iter().map(|&x| x as f32).collect();
    let batch = Batch::Binary(Bits::from_values(data.len(), 5, &samples));
    let train = |epochs, learning_rate| TrainConfig { epochs, learning_rate, weight_cost: 0.0, ..crate::plain() };
    let second = |hidden| LayerConfig {
        hidden,
        weight_std: 0.02,
        start: Start::Transposed,
        train: train(1, 1e-9),
        ..Default::default()
    };
    let first = LayerConfig { hidden: 4, weight_std: 3.0, train: train(50, 0.05), ..Default::default() };
    let free_energies = |hidden| -> Vec<f64> {
        let layers = vec![first.clone(), second(hidden)];
        let mut greedy =
            Greedy::new(StackConfig { layers, propagate: Propagate::Samples, ..StackConfig::default() }).unwrap();
        let monitors = Monitors { train: batch.clone(), ..Default::default() };
        greedy.fit(&mut Fixed::new(vec![batch.clone()], None), &monitors, &mut ()).unwrap();
        values(&rbm_in_f64(greedy.dbn().unwrap().top()).free_energy(&stack(&all_states(4))).unwrap())
    };
    for (same, wider) in free_energies(5).into_iter().zip(free_energies(40)) {
        let second_order = same - wider - 35.0 * std::f64::consts::LN_2;
        assert!((-1e-6..0.02).contains(&second_order), "{same} with the units mirrored alone, {wider} with 35 more");
    }
}
