//! Runs that must agree with each other.

use crate::setup::{data, draw, parameters, units, visible};
use crate::updates::pairs;
use deepbelief_kernels::{
    AdamDecays, Batch, Bits, Cpu, Descent, Engine, Layers, Level, PackedRbm, Parameters, Sparsity, StepRule, Stream,
    TypedRbm, UnitKind, Units,
};
use rayon::ThreadPoolBuilder;

const RULE: StepRule = StepRule { learning_rate: 0.05, momentum: 0.5, l2: 1e-2, l1: 1e-3 };
const OFF: Sparsity = Sparsity { target: 0.1, cost: 0.0 };

/// By momentum, and by Adam with the L1b cost.
fn descents() -> [Descent; 2] {
    let adam = AdamDecays { beta1: 0.9, beta2: 0.99, epsilon: 1e-6 };
    [Descent::default(), Descent { adam: Some(adam), l1b: 0.1 }]
}

/// States that are bits.
fn states(rows: usize, units: usize, values: &[f32]) -> Batch {
    Batch::Binary(Bits::from_values(rows, units, values))
}

/// Some updates by CD-2, centred from the third on. `step` goes on counting.
fn train(machine: &mut TypedRbm, v0: &Batch, steps: std::ops::Range<u32>) {
    for step in steps {
        machine.infer_hidden(v0, Some(draw(Stream::Hidden, step)));
        machine.sample_visible(draw(Stream::Visible, step));
        machine.sample_hidden(draw(Stream::Hidden, step).gibbs(1));
        machine.sample_visible(draw(Stream::Visible, step).gibbs(1));
        if step >= 2 {
            machine.follow_means(v0, 0.5);
        }
        machine.update(v0, &RULE, OFF);
    }
}

fn bits(parameters: &Parameters) -> Vec<u32> {
    let Parameters { w_rec, hb, vb, visible_fields, hidden_fields, .. } = parameters;
    let mut all: Vec<u32> = [w_rec, hb, vb].into_iter().flatten().map(|x| x.to_bits()).collect();
    for (_, values) in visible_fields.each().into_iter().chain(hidden_fields.each()) {
        all.extend(values.iter().map(|x| x.to_bits()));
    }
    all
}

#[test]
fn threads_and_instruction_sets_change_no_bit() {
    for (layers, descent) in pairs().iter().flat_map(|layers| descents().map(|descent| (layers, descent))) {
        let (start, v0) = (parameters(layers, 2), data(&layers.visible, 140, 4));
        let run = |threads: usize, level: Level| {
            let pool = ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| {
                let mut machine = TypedRbm::new(layers, &start);
                machine.set_descent(&descent);
                machine.set_level(level);
                train(&mut machine, &v0, 0..4);
                let measured = machine.measure(&v0, &[], draw(Stream::Monitor, 0));
                let (learned, remembered) = (bits(&machine.parameters()), bits(&machine.velocities()));
                let squares = machine.adam_memory().map(|memory| bits(&memory.squares));
                (learned, remembered, squares, machine.hidden_states().clone(), measured)
            })
        };
        let first = run(1, Level::detect());
        assert!(first.4.free_energy.is_finite() && first.2.is_some() == descent.adam.is_some());
        for threads in [2, 5] {
            assert_eq!(run(threads, Level::detect()), first, "{threads} threads");
        }
        for level in Level::available() {
            assert_eq!(run(2, level), first, "{}", level.name());
        }
    }
}

/// What files hold of an RBM is all that it goes on from.
#[test]
fn a_training_goes_on_from_its_parameters() {
    for (layers, descent) in pairs().iter().flat_map(|layers| descents().map(|descent| (layers, descent))) {
        let v0 = data(&layers.visible, 20, 4);
        let mut machine = TypedRbm::new(layers, &parameters(layers, 2));
        machine.set_descent(&descent);
        train(&mut machine, &v0, 0..3);
        let mut resumed = TypedRbm::at(&Cpu, layers, &machine.parameters()).unwrap();
        resumed.set_descent(&descent);
        resumed.set_velocities(&machine.velocities());
        if let Some(memory) = machine.adam_memory() {
            resumed.set_adam_memory(&memory);
        }
        resumed.set_offsets(&machine.offsets().unwrap().unwrap()).unwrap();
        assert_eq!(bits(&resumed.parameters()), bits(&machine.parameters()));
        train(&mut machine, &v0, 3..6);
        train(&mut resumed, &v0, 3..6);
        assert_eq!(bits(&resumed.parameters()), bits(&machine.parameters()));
        assert_eq!(resumed.hidden_states(), machine.hidden_states());
    }
}

#[test]
fn bernoulli_layers_are_those_of_the_packed_rbm() {
    for (columns, hidden, samples) in [(37, 35, 20), (97, 64, 150)] {
        let layers = Layers::bernoulli(columns, hidden);
        let start = parameters(&layers, 2);
        let (mut typed, mut packed) = (TypedRbm::new(&layers, &start), PackedRbm::new(columns, hidden, &start));
        let binary = data(&layers.visible, samples, 4);
        let grey = |rest: f32| {
            let values = binary.to_values().iter().enumerate().map(|(i, x)| x * (i % 7) as f32 / 7.0 + rest).collect();
            Batch::Real { rows: samples, units: columns, values }
        };
        for (step, v0) in [binary.clone(), grey(0.0), grey(0.01), binary.clone()].iter().enumerate() {
            let step = step as u32;
            typed.infer_hidden(v0, Some(draw(Stream::Hidden, step)));
            packed.infer_hidden(v0, &[], Some(draw(Stream::Hidden, step)));
            assert_eq!(*typed.hidden_states(), Batch::Binary(packed.hidden_states().clone()));
            if step == 2 {
                typed.mean_visible();
                packed.mean_visible();
            } else {
                typed.sample_visible(draw(Stream::Visible, step));
                packed.sample_visible(draw(Stream::Visible, step));
            }
            assert_eq!(typed.reconstruction(), packed.reconstruction());
            let sparsity = Sparsity { target: 0.1, cost: 0.3 };
            typed.update(v0, &RULE, sparsity);
            packed.update(v0, &RULE, sparsity);
            assert_eq!(bits(&typed.parameters()), bits(&packed.parameters()), "{columns} x {hidden}, step {step}");
        }
        let (typed, packed) = (
            typed.measure(&binary, &[], draw(Stream::Monitor, 0)),
            packed.measure(&binary, &[], &[], draw(Stream::Monitor, 0)),
        );
        let near = |a: f64, b: f64| assert!((a - b).abs() < 1e-5 * b.abs(), "{a} and {b}");
        near(typed.free_energy, packed.free_energy);
        near(typed.reconstruction_cost, packed.reconstruction_cost);
    }
}

/// The parameters of the Bernoulli RBM that a spin RBM is.
fn in_bits(layers: &Layers, p: &Parameters) -> Parameters {
    let (visible, hidden) = (layers.visible.columns(), layers.hidden.columns());
    let (mut hb, mut vb) = (p.hb.clone(), p.vb.clone());
    for i in 0..visible {
        for u in 0..hidden {
            hb[u] -= p.w_rec[i * hidden + u];
            vb[i] -= p.w_rec[i * hidden + u];
        }
    }
    let doubled = |values: Vec<f32>| values.into_iter().map(|x| 2.0 * x).collect();
    Parameters {
        w_rec: p.w_rec.iter().map(|w| 4.0 * w).collect(),
        hb: doubled(hb),
        vb: doubled(vb),
        ..Parameters::default()
    }
}

#[test]
fn spins_are_bernoulli_units_of_other_parameters() {
    let spins = |sites| Units::of(UnitKind::Spin, sites);
    let layers = Layers { visible: spins(37), hidden: spins(35) };
    let start = parameters(&layers, 2);
    let mut typed = TypedRbm::new(&layers, &start);
    let mut packed = PackedRbm::new(37, 35, &in_bits(&layers, &start));
    let v0 = data(&layers.visible, 300, 4);
    typed.infer_hidden(&v0, Some(draw(Stream::Hidden, 0)));
    packed.infer_hidden(&v0, &[], Some(draw(Stream::Hidden, 0)));
    typed.sample_visible(draw(Stream::Visible, 0));
    packed.sample_visible(draw(Stream::Visible, 0));
    // Sums of another order: of some twenty thousand draws, one may lie between two roundings.
    let differ = |a: &Batch, b: &Batch| match (a, b) {
        (Batch::Binary(a), Batch::Binary(b)) => a.differing(b),
        _ => unreachable!("spins are bits"),
    };
    assert!(differ(typed.hidden_states(), &Batch::Binary(packed.hidden_states().clone())) <= 1);
    assert!(differ(typed.reconstruction(), packed.reconstruction()) <= 40, "one hidden spin moves a whole sample");
    let (typed, packed) =
        (typed.measure(&v0, &[], draw(Stream::Monitor, 0)), packed.measure(&v0, &[], &[], draw(Stream::Monitor, 0)));
    assert!((typed.reconstruction_cost - packed.reconstruction_cost).abs() < 1e-3, "{typed:?}, {packed:?}");
    for (spin, bit) in typed.activity.iter().zip(&packed.activity) {
        assert!((spin - (2.0 * bit - 1.0)).abs() < 1e-5);
    }
}

/// Bernoulli units as categorical ones of two levels.
#[test]
fn categorical_units_of_two_levels_are_bernoulli_units() {
    let layers = |visible| Layers { visible, hidden: Units::of(UnitKind::Bernoulli, 35) };
    let two = layers(Units::categorical(19, 2));
    let start = parameters(&two, 2);
    let mut bernoulli = Parameters { hb: start.hb.clone(), ..Parameters::default() };
    for site in 0..19 {
        bernoulli.vb.push(start.vb[2 * site + 1] - start.vb[2 * site]);
        for u in 0..35 {
            let w = [start.w_rec[2 * site * 35 + u], start.w_rec[(2 * site + 1) * 35 + u]];
            bernoulli.w_rec.push(w[1] - w[0]);
            bernoulli.hb[u] += w[0];
        }
    }
    let one_hot = data(&two.visible, 50, 4);
    let values = one_hot.to_values();
    let on: Vec<f32> = values.chunks_exact(2).map(|levels| levels[1]).collect();
    let v0 = Batch::Binary(Bits::from_values(50, 19, &on));
    let one = layers(Units::of(UnitKind::Bernoulli, 19));
    let (mut two, mut one) = (TypedRbm::new(&two, &start), TypedRbm::new(&one, &bernoulli));
    let rule = StepRule { learning_rate: 0.05, momentum: 0.0, l2: 0.0, l1: 0.0 };
    let found = two.measure(&one_hot, &[], draw(Stream::Monitor, 0));
    let want = one.measure(&v0, &[], draw(Stream::Monitor, 0));
    assert!((found.reconstruction_cost - want.reconstruction_cost).abs() < 1e-4, "{found:?}, {want:?}");
    two.infer_hidden(&one_hot, Some(draw(Stream::Hidden, 0)));
    one.infer_hidden(&v0, Some(draw(Stream::Hidden, 0)));
    assert_eq!(two.hidden_states(), one.hidden_states());
    // Chains that are the data's complement, so that both have the same.
    two.set_chains(&states(50, 38, &values.chunks_exact(2).flat_map(|x| [x[1], x[0]]).collect::<Vec<_>>()));
    one.set_chains(&states(50, 19, &on.iter().map(|x| 1.0 - x).collect::<Vec<_>>()));
    two.update(&one_hot, &rule, OFF);
    one.update(&v0, &rule, OFF);
    let (two, one) = (two.parameters(), one.parameters());
    for site in 0..19 {
        // Two weights share what one steps: their difference moves twice as far.
        let moved = one.vb[site] - bernoulli.vb[site];
        let found = two.vb[2 * site + 1] - two.vb[2 * site];
        assert!((found - bernoulli.vb[site] - 2.0 * moved).abs() < 1e-6);
        for u in 0..35 {
            let moved = one.w_rec[site * 35 + u] - bernoulli.w_rec[site * 35 + u];
            let found = two.w_rec[(2 * site + 1) * 35 + u] - two.w_rec[2 * site * 35 + u];
            let per_level = found - bernoulli.w_rec[site * 35 + u];
            // The levels' sum of statistics is that of h, whatever v: what is left is 2 S - h.
            let of_h = one.hb[u] - bernoulli.hb[u];
            assert!((per_level - (2.0 * moved - of_h)).abs() < 1e-5, "site {site}, unit {u}");
        }
    }
}

#[test]
fn a_sample_of_weight_two_is_two_samples() {
    for layers in pairs().iter().step_by(5) {
        let all = data(&layers.visible, 60, 4);
        let values = all.to_values();
        let columns = layers.visible.columns();
        let batch = |values: Vec<f32>| match &all {
            Batch::Binary(_) => Batch::Binary(Bits::from_values(values.len() / columns, columns, &values)),
            Batch::Real { .. } => Batch::Real { rows: values.len() / columns, units: columns, values },
        };
        let doubled = batch([&values[..], &values[..20 * columns]].concat());
        let weights: Vec<f32> = (0..60).map(|s| if s < 20 { 1.5 } else { 0.75 }).collect();
        let run = |v0: &Batch, weights: &[f32]| {
            let mut machine = TypedRbm::new(layers, &parameters(layers, 2));
            machine.set_hidden_states(&machine.fresh_hidden(45, draw(Stream::Chains, 0)));
            machine.sample_visible(draw(Stream::Visible, 0));
            machine.infer_hidden(v0, None);
            if !weights.is_empty() {
                machine.weigh(weights, false);
            }
            machine.follow_means(v0, 0.5);
            machine.update(v0, &RULE, OFF);
            (machine.parameters(), machine.measure(v0, weights, draw(Stream::Monitor, 0)).free_energy)
        };
        let ((twice, f), (weighed, g)) = (run(&doubled, &[]), run(&all, &weights));
        assert!((f - g).abs() < 1e-4 * f.abs(), "{f} and {g}");
        for (a, b) in bits(&twice).into_iter().zip(bits(&weighed)) {
            let (a, b) = (f32::from_bits(a), f32::from_bits(b));
            assert!((a - b).abs() < 1e-5 * (1.0 + a.abs()), "{a} and {b}");
        }
    }
}

/// Left-out cells give no input: the hidden units are what they are without them.
#[test]
fn units_that_are_turned_off_give_no_input() {
    let visible = &visible()[6];
    let layers = Layers { visible: visible.clone(), hidden: units(&[(UnitKind::Drelu, 1, 9)]) };
    let mut start = parameters(&layers, 2);
    let mut v0 = data(visible, 30, 4);
    let columns = visible.columns();
    // One unit of each kind.
    let out: Vec<usize> = visible.each().flat_map(|(segment, range)| range.take(segment.levels)).collect();
    let cells: Vec<f32> = (0..30 * columns).map(|at| f32::from(u8::from(out.contains(&(at % columns))))).collect();
    visible.turn_off(&Bits::from_values(30, columns, &cells), &mut v0);
    let mut means = Vec::new();
    for _ in 0..2 {
        let mut machine = TypedRbm::new(&layers, &start);
        means.push(machine.measure(&v0, &[], draw(Stream::Monitor, 0)).activity);
        for unit in &out {
            start.w_rec[unit * 9..(unit + 1) * 9].fill(0.0);
        }
    }
    means[0].iter().zip(&means[1]).for_each(|(a, b)| assert!((a - b).abs() < 1e-5, "{a} and {b}"));
}
