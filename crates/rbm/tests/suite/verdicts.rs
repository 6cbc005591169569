//! What annealing in both directions says of itself: phases and modes that are missed, and intervals that do not hold.

use crate::{random_rbm, uniforms};
use candle_core::{Device, Tensor};
use deepbelief_kernels::{Batch, Bits};
use deepbelief_rbm::Rbm;
use deepbelief_rbm::likelihood::{
    AnnealConfig, AnnealPath, BothWays, Ladder, Means, Verdict, annealed_importance, exact_log_partition,
    reverse_annealed_importance,
};

/// A model of 60 x 16 units with two clusters, half of the visible units on or the other half, and a disordered
/// phase between them that fills most of the path. Chains that anneal up stay in the disorder, where they agree on
/// an ln Z that is 2.9 nats too small, and report a standard error of some hundredths: a phase is missed, and the
/// verdict says so.
#[test]
fn a_phase_that_annealing_misses_is_seen() {
    let sign = |i: usize, j: usize| if (i < 30) == (j < 8) { 0.6 } else { -0.6_f32 };
    let w: Vec<f32> = (0..60).flat_map(|i| (0..16).map(move |j| sign(i, j))).collect();
    let tensor = |values: Vec<f32>, shape: &[usize]| Tensor::from_vec(values, shape, &Device::Cpu).unwrap();
    let hb = tensor(vec![-0.7 * 0.6 * 30.0; 16], &[16]);
    let rbm = Rbm::from_tensors(tensor(w, &[60, 16]), hb, tensor(vec![0.0; 60], &[60])).unwrap();
    let exact = exact_log_partition(&rbm).unwrap();
    let data: Vec<f32> = (0..6000).map(|k| f32::from(u8::from((k % 60 < 30) == (k / 60 % 2 == 0)))).collect();
    let data = Batch::Binary(Bits::from_values(100, 60, &data));
    let config = AnnealConfig { ladder: Ladder::with_steps(2000).unwrap(), burn_in: 100, ..Default::default() };
    let means = Means::of(&rbm, &data, &[], &config).unwrap();
    let path = AnnealPath::independent(&rbm, &means).unwrap();
    let forward = annealed_importance(&rbm, &path, &config).unwrap();
    let (up, error) = (forward.estimate.value, forward.estimate.standard_error.unwrap());
    assert!(exact - up > 2.0 && error < 0.2, "{up} with an error of {error}, exactly {exact}: the test needs a miss");
    let reverse = reverse_annealed_importance(&rbm, &path, &data, &[], &config).unwrap();
    let both = BothWays::of(&rbm, &forward, &reverse).unwrap();
    assert!(matches!(both.verdict, Verdict::Phases(end) if end.beta == 1.0), "{both:?}");
    assert!(both.log_z.standard_error.is_none());
}

/// A model with 95 % of its mass on one pattern and 5 % on another, and data of the smaller one alone. Annealing up
/// reaches the smaller one more often than that, so that ln Z in reverse from it is more than a nat too small: the
/// verdict is that chains from the data miss modes, and that only the forward estimate stands.
#[test]
fn modes_that_the_data_miss_are_seen() {
    // All of twelve units on, or all off, 3 nats apart, and too few steps between.
    let tensor = |value: f32, shape: &[usize]| Tensor::full(value, shape, &Device::Cpu).unwrap();
    let rbm = Rbm::from_tensors(tensor(2.0, &[12, 8]), tensor(-12.0, &[8]), tensor(-7.75, &[12])).unwrap();
    let exact = exact_log_partition(&rbm).unwrap();
    let config = AnnealConfig { ladder: Ladder::with_steps(3000).unwrap(), burn_in: 10, ..Default::default() };
    let path = AnnealPath::visible(&rbm, &[0.0; 12]).unwrap();
    let forward = annealed_importance(&rbm, &path, &config).unwrap();
    assert!((forward.estimate.value - exact).abs() < 0.3, "{:?}, exactly {exact}", forward.estimate);
    let reverse = |on: usize| {
        let data: Vec<f32> = (0..1200).map(|k| f32::from(u8::from(k / 12 < on))).collect();
        let data = Batch::Binary(Bits::from_values(100, 12, &data));
        let reverse = reverse_annealed_importance(&rbm, &path, &data, &[], &config).unwrap();
        (reverse.estimate.value, BothWays::of(&rbm, &forward, &reverse).unwrap().verdict)
    };
    let (whole, verdict) = reverse(95);
    assert!((whole - exact).abs() < 0.3 && verdict == Verdict::Sound, "{whole}, exactly {exact}, {verdict:?}");
    let (small, verdict) = reverse(0);
    assert!(exact - small > 1.0, "{small}, exactly {exact}: the test needs a miss");
    assert_eq!(verdict, Verdict::MissedModes, "{small}, exactly {exact}");
}

/// A model of two patterns, all units on and, 3 nats above, all off, and data of the first alone: both directions
/// start from that one, agree to a hundredth of a nat, and are 3 nats too small. Chains from fair units find the other.
#[test]
fn modes_that_neither_direction_comes_to_are_seen() {
    // The hidden units are on where the visible ones are, so that both patterns have a free energy of their own.
    let (visible, hidden, weight) = (40, 8, 1.5_f32);
    let tensor = |value: f32, shape: &[usize]| Tensor::full(value, shape, &Device::Cpu).unwrap();
    let rbm = Rbm::from_tensors(
        tensor(weight, &[visible, hidden]),
        tensor(-0.5 * weight * visible as f32, &[hidden]),
        tensor(-0.5 * weight * hidden as f32 - 3.0 / visible as f32, &[visible]),
    )
    .unwrap();
    let exact = exact_log_partition(&rbm).unwrap();
    let data = Batch::Binary(Bits::from_values(100, visible, &vec![1.0; 100 * visible]));
    let config = AnnealConfig { ladder: Ladder::with_steps(1000).unwrap(), burn_in: 10, ..Default::default() };
    let means = Means::of(&rbm, &data, &[], &config).unwrap();
    let path = AnnealPath::independent(&rbm, &means).unwrap();
    let forward = annealed_importance(&rbm, &path, &config).unwrap();
    let reverse = reverse_annealed_importance(&rbm, &path, &data, &[], &config).unwrap();
    let both = BothWays::of(&rbm, &forward, &reverse).unwrap();
    let short = exact - both.log_z.value;
    assert!((short - 3.0).abs() < 0.2 && both.verdict == Verdict::Sound, "{short}: {both:?}");
    let fair = AnnealPath::visible(&rbm, &vec![0.0; visible]).unwrap();
    let probe = annealed_importance(&rbm, &fair, &AnnealConfig { seed: 2, ..config }).unwrap();
    let probed = both.probed_by(&probe);
    assert!(matches!(probed.verdict, Verdict::UnseenModes(nats) if (nats - short).abs() < 0.5), "{probed:?}");
    assert_eq!(probed.log_z.standard_error, None);
}

/// Weights of one direction that a single chain carries, and directions that disagree: neither has an interval.
#[test]
fn a_direction_that_few_chains_carry_leaves_no_interval() {
    let rbm = random_rbm(37, 11, 3.0, 5);
    let data = Batch::Binary(Bits::from_values(100, 37, &uniforms(100, 37, 11)));
    let means = Means { visible: vec![0.5; 37], hidden: vec![0.5; 11] };
    let path = AnnealPath::independent(&rbm, &means).unwrap();
    let exact = exact_log_partition(&rbm).unwrap();
    let mut refused = 0;
    for seed in 0..20 {
        let config = AnnealConfig { ladder: Ladder::with_steps(150).unwrap(), burn_in: 0, seed, ..Default::default() };
        let forward = annealed_importance(&rbm, &path, &config).unwrap();
        let reverse = reverse_annealed_importance(&rbm, &path, &data, &[], &config).unwrap();
        let both = BothWays::of(&rbm, &forward, &reverse).unwrap();
        let (up, down) = (&forward.estimate, &reverse.estimate);
        let few = up.effective_sample_size.min(down.effective_sample_size) < 10.0;
        assert!(!few || both.log_z.standard_error.is_none(), "{up:?} {down:?} {both:?}");
        if let Some(error) = both.log_z.standard_error {
            assert!((both.log_z.value - exact).abs() < 6.0 * error + 0.05, "{both:?}, exactly {exact}");
        } else {
            refused += 1;
        }
    }
    assert!(refused > 10, "only {refused} of 20 short runs on a rugged model lost their interval");
}
