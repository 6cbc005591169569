//! Annealing of RBMs of every kind of units, against sums over all visible states.

use crate::uniforms;
use candle_core::Device;
use deepbelief_kernels::{
    Batch, Bits, Fields, Layers, LogSum, Parameters, Segment, Stream, TypedRbm, Uniforms, UnitKind, Units,
};
use deepbelief_rbm::Rbm;
use deepbelief_rbm::likelihood::{
    AnnealConfig, AnnealPath, BothWays, Ladder, Means, Verdict, annealed_importance, reverse_annealed_importance,
};

const CHAINS: usize = 200;

fn part(units: UnitKind, levels: usize, sites: usize) -> Segment {
    Segment { units, levels, sites }
}

/// One-hot or 0/1 states of a layer, all of them.
fn all_states(units: &Units) -> Vec<Vec<f32>> {
    let mut states = vec![Vec::new()];
    for (Segment { levels, sites, .. }, _) in units.each() {
        for _ in 0..sites {
            let choices = if levels == 1 { vec![vec![0.0], vec![1.0]] } else { one_hot(levels) };
            let longer =
                states.iter().flat_map(|state| choices.iter().map(|choice| [state.as_slice(), choice].concat()));
            states = longer.collect();
        }
    }
    states
}

fn one_hot(levels: usize) -> Vec<Vec<f32>> {
    (0..levels).map(|on| (0..levels).map(|level| f32::from(u8::from(level == on))).collect()).collect()
}

fn random(layers: &Layers, seed: u32) -> Parameters {
    let (v, h) = (layers.visible.columns(), layers.hidden.columns());
    let numbers = |n: usize, scale: f32, step: u32| -> Vec<f32> {
        uniforms(1, n, 100 * seed + step).iter().map(|u| scale * (2.0 * u - 1.0)).collect()
    };
    Parameters {
        w_rec: numbers(v * h, 0.8, 0),
        hb: numbers(h, 0.5, 1),
        vb: numbers(v, 0.5, 2),
        visible_fields: Fields::at_rest(&layers.visible),
        hidden_fields: Fields::at_rest(&layers.hidden),
        ..Parameters::default()
    }
}

/// ln Z by free energies of the engine.
fn by_enumeration(layers: &Layers, parameters: &Parameters) -> f64 {
    let machine = TypedRbm::new(layers, parameters);
    let draw = Uniforms::new(1, Stream::Monitor, 0);
    let log_p = |state: Vec<f32>| {
        let batch = Batch::Binary(Bits::from_values(1, state.len(), &state));
        -machine.clone().measure(&batch, &[], draw).free_energy
    };
    all_states(&layers.visible).into_iter().map(log_p).collect::<LogSum>().value()
}

/// Both directions and what is made of them lie within 0.1 nat of the sum, and the interval holds. Fixed seeds; the
/// standard errors are some hundredths of a nat, so that another seed would fail in less than one of a thousand.
#[test]
fn annealing_finds_ln_z_whatever_the_units_are() {
    use UnitKind::{Bernoulli, Drelu, Gaussian, Relu, Spin};
    let mixed = [part(Bernoulli, 1, 2), part(UnitKind::Categorical, 3, 2), part(Spin, 1, 2)];
    let visible = [Units::of(Bernoulli, 8), Units::of(Spin, 7), Units::categorical(4, 4), mixed.into_iter().collect()];
    let beside = [part(Drelu, 1, 2), part(Bernoulli, 1, 2), part(Relu, 1, 1)];
    let hidden = [
        Units::of(Bernoulli, 5),
        Units::of(Spin, 5),
        Units::of(Gaussian, 3),
        Units::of(Relu, 3),
        Units::of(Drelu, 3),
        beside.into_iter().collect(),
    ];
    for (at, (visible, hidden)) in visible.iter().flat_map(|v| hidden.iter().map(move |h| (v, h))).enumerate() {
        let layers = Layers { visible: visible.clone(), hidden: hidden.clone() };
        let parameters = random(&layers, at as u32 + 1);
        let exact = by_enumeration(&layers, &parameters);
        let rbm = Rbm::from_parameters(&layers, parameters, &Device::Cpu).unwrap();
        let config = AnnealConfig {
            chains: CHAINS,
            ladder: Ladder::with_steps(500).unwrap(),
            burn_in: 200,
            ..Default::default()
        };
        let states = all_states(&layers.visible);
        let start: Vec<f32> = (0..CHAINS).flat_map(|chain| states[chain * 7 % states.len()].clone()).collect();
        let start = Batch::Binary(Bits::from_values(CHAINS, layers.visible.columns(), &start));
        let means = Means::of(&rbm, &start, &[], &config).unwrap();
        let path = AnnealPath::independent(&rbm, &means).unwrap();
        let forward = annealed_importance(&rbm, &path, &config).unwrap();
        let reverse = reverse_annealed_importance(&rbm, &path, &start, &[], &config).unwrap();
        let both = BothWays::of(&rbm, &forward, &reverse).unwrap();
        let found = [forward.estimate.value, reverse.estimate.value, both.log_z.value];
        assert!(found.iter().all(|found| (found - exact).abs() < 0.1), "{layers:?}: {found:?}, exactly {exact}");
        assert_eq!(both.verdict, Verdict::Sound, "{layers:?}");
    }
}
