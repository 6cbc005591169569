//! Updates and measurements against double precision.

use crate::reference::{Fields, Reference, Update};
use crate::setup::{data, draw, hidden, parameters, visible};
use deepbelief_kernels::{Batch, Engine, Layers, Offsets, Parameters, Sparsity, StepRule, Stream, TypedRbm, UnitKind};

const RULE: StepRule = StepRule { learning_rate: 0.05, momentum: 0.5, l2: 1e-2, l1: 1e-3 };
const OFF: Sparsity = Sparsity { target: 0.1, cost: 0.0 };

pub(crate) fn pairs() -> Vec<Layers> {
    let of = |visible: &deepbelief_kernels::Units| {
        hidden().into_iter().map(|hidden| Layers { visible: visible.clone(), hidden }).collect::<Vec<_>>()
    };
    visible().iter().flat_map(of).collect()
}

/// The largest difference of numbers beside their size.
fn apart(got: &[f32], want: &[f64]) -> f64 {
    assert_eq!(got.len(), want.len());
    let each = got.iter().zip(want).map(|(&got, want)| (f64::from(got) - want).abs() / (1.0 + want.abs()));
    each.fold(0.0, |a, b| if b.is_nan() { f64::INFINITY } else { a.max(b) })
}

fn fields_apart(b: &[f32], fields: &deepbelief_kernels::Fields, want: &Fields) -> f64 {
    let each = fields.each().into_iter().zip([&want.log_g, &want.b_below, &want.log_g_below]);
    let rest = each.filter(|((_, got), _)| !got.is_empty()).map(|((_, got), want)| apart(got, want));
    rest.fold(apart(b, &want.b), f64::max)
}

fn assert_near(got: &Parameters, want: (&[f64], &Fields, &Fields), tolerance: f64, what: &str) {
    let (w, visible, hidden) = want;
    let found = [
        apart(&got.w_rec, w),
        fields_apart(&got.vb, &got.visible_fields, visible),
        fields_apart(&got.hb, &got.hidden_fields, hidden),
    ];
    assert!(found.iter().all(|apart| *apart < tolerance), "{what}: weights, visible, hidden fields {found:?}");
}

/// Updates of several kinds after each other, each compared.
fn compare(layers: &Layers, samples: usize, chains: usize, tolerance: f64) {
    let name = format!("{} with {}", layers.visible, layers.hidden);
    let start = parameters(layers, 5);
    let mut machine = TypedRbm::new(layers, &start);
    let mut reference = Reference::new(layers, &start);
    let v0 = data(&layers.visible, samples, 3);
    machine.set_hidden_states(&machine.fresh_hidden(chains, draw(Stream::Chains, 0)));
    let weights: Vec<f32> = (0..samples).map(|s| 0.5 + (s % 3) as f32).collect();
    let mean = weights.iter().sum::<f32>() / samples as f32;
    let of_chains = vec![mean; chains];
    for step in 0..5 {
        let mut kept = Batch::default();
        machine.keep_hidden(&mut kept).unwrap();
        let by_states = step == 1;
        machine.infer_hidden(&v0, by_states.then(|| draw(Stream::Hidden, 100 + step)));
        let h0 = machine.hidden_states().clone();
        machine.set_hidden_states(&kept);
        if step == 3 {
            machine.mean_visible();
        } else {
            machine.sample_visible(draw(Stream::Visible, step));
        }
        if by_states || step == 0 {
            machine.sample_hidden(draw(Stream::Hidden, step));
        }
        let (v, h) = (machine.reconstruction().clone(), machine.hidden_states().clone());
        let mut update = Update { rule: RULE, weights: None, states: None, share: None };
        match step {
            1 => {
                update.states = Some((&h0, &h));
                machine.update_from_states(&v0, &h0, &RULE);
            }
            2 => {
                update.weights = Some((&weights, &of_chains));
                machine.weigh(&weights, false);
                machine.update(&v0, &RULE, OFF);
            }
            4 => {
                update.share = Some(0.75);
                machine.follow_means(&v0, 0.75);
                machine.update(&v0, &RULE, OFF);
            }
            _ => {
                machine.update(&v0, &RULE, OFF);
            }
        }
        reference.update(&v0, &v, &update);
        let (w, visible, hidden) = &reference.velocity;
        let what = format!("{name}, step {step}");
        assert_near(&machine.parameters(), (&reference.w, &reference.visible, &reference.hidden), tolerance, &what);
        assert_near(&machine.velocities(), (w, visible, hidden), tolerance, &format!("{what}, velocities"));
    }
    let Offsets { visible, hidden, .. } = machine.offsets().unwrap().unwrap();
    assert!(apart(&visible, &reference.offsets.0) < tolerance && apart(&hidden, &reference.offsets.1) < tolerance);
    let mut ones = vec![1.0; layers.hidden.columns()];
    let mut states = Batch::Real { rows: 1, units: ones.len(), values: ones.clone() };
    machine.rescale_hidden(&mut states);
    ones.copy_from_slice(&states.to_values());
    assert!(apart(&ones, &reference.rescaled) < tolerance, "{name}: states follow the units of measure");
}

/// Single precision sums a few hundred terms: 2e-5 is some forty times what was seen.
#[test]
fn updates_are_those_of_double_precision_for_every_pair_of_layers() {
    for layers in pairs() {
        compare(&layers, 40, 50, 2e-5);
    }
}

/// Chunks of samples, and blocks of 32 that are not full.
#[test]
fn updates_of_many_samples_are_those_of_double_precision() {
    let all = pairs();
    for layers in [&all[5], &all[28], &all[41]] {
        compare(layers, 150, 275, 3e-5);
        compare(layers, 33, 1, 3e-5);
    }
}

#[test]
fn measurements_are_those_of_double_precision() {
    for layers in pairs() {
        let name = format!("{} with {}", layers.visible, layers.hidden);
        let mut machine = TypedRbm::new(&layers, &parameters(&layers, 5));
        let reference = Reference::new(&layers, &machine.parameters());
        let v = data(&layers.visible, 140, 3);
        let weights: Vec<f32> = (0..140).map(|s| (s % 4) as f32).collect();
        let total: f64 = weights.iter().map(|&x| f64::from(x)).sum();
        machine.infer_hidden(&v, Some(draw(Stream::Monitor, 0)));
        let h = reference.hidden_states(machine.hidden_states());
        let states = reference.visible_states(&v);
        let found = machine.measure(&v, &weights, draw(Stream::Monitor, 0));
        let mean = |of: &dyn Fn(usize) -> f64| (0..140).map(|s| f64::from(weights[s]) * of(s)).sum::<f64>() / total;
        let near = |got: f64, want: f64, what: &str| {
            assert!((got - want).abs() < 2e-5 * (1.0 + want.abs()), "{name}: {what} {got}, exactly {want}");
        };
        near(found.free_energy, mean(&|s| reference.free_energy(&states[s])), "free energy");
        near(found.reconstruction_cost, mean(&|s| reference.cost(&states[s], &h[s])), "cost");
        let means: Vec<Vec<f64>> =
            states.iter().map(|v| reference.up(v).iter().map(|(_, m)| m[0] + m[2]).collect()).collect();
        for u in 0..layers.hidden.columns() {
            let activity = mean(&|s| means[s][u]);
            near(found.activity[u], activity, "activity");
            near(found.spread[u], mean(&|s| (means[s][u] - activity).powi(2)).sqrt(), "spread");
        }
        machine.mean_visible();
        let got = reference.visible_states(machine.reconstruction());
        for (got, h) in got.iter().zip(&h) {
            for (got, want) in got.iter().zip(reference.means_down(h)) {
                near(*got, want, "means");
            }
        }
    }
}

/// Only Bernoulli units are pulled, and those as [`deepbelief_kernels::PackedRbm`] does it.
#[test]
#[should_panic(expected = "sparsity pulls Bernoulli units")]
fn sparsity_is_of_bernoulli_units() {
    let layers = Layers { visible: visible()[0].clone(), hidden: deepbelief_kernels::Units::of(UnitKind::Spin, 3) };
    let mut machine = TypedRbm::new(&layers, &parameters(&layers, 1));
    let v0 = data(&layers.visible, 4, 1);
    machine.infer_hidden(&v0, Some(draw(Stream::Hidden, 0)));
    machine.sample_visible(draw(Stream::Visible, 0));
    machine.update(&v0, &RULE, Sparsity { target: 0.1, cost: 1.0 });
}
