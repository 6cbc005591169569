//! The form that is chosen among all RBMs of one distribution.

use crate::reference::Reference;
use crate::setup::{data, draw, parameters};
use crate::updates::pairs;
use deepbelief_kernels::{Batch, Parameters, Sparsity, StepRule, Stream, TypedRbm, UnitKind};

const STILL: StepRule = StepRule { learning_rate: 0.0, momentum: 0.0, l2: 0.0, l1: 0.0 };
const OFF: Sparsity = Sparsity { target: 0.1, cost: 0.0 };

/// A step of rate 0 changes no ratio of probabilities, and leaves what it should.
#[test]
fn the_form_changes_and_the_distribution_does_not() {
    for layers in pairs() {
        let name = format!("{} with {}", layers.visible, layers.hidden);
        let mut machine = TypedRbm::new(&layers, &parameters(&layers, 2));
        let before = Reference::new(&layers, &machine.parameters());
        let v0 = data(&layers.visible, 20, 4);
        machine.infer_hidden(&v0, Some(draw(Stream::Hidden, 0)));
        machine.sample_visible(draw(Stream::Visible, 0));
        machine.update(&v0, &STILL, OFF);
        let after = Reference::new(&layers, &machine.parameters());
        let v = before.visible_states(&v0);
        for other in &v[1..] {
            let ratio = |rbm: &Reference| rbm.free_energy(&v[0]) - rbm.free_energy(other);
            assert!((ratio(&before) - ratio(&after)).abs() < 1e-4, "{name}: {} {}", ratio(&before), ratio(&after));
        }
        let hidden = layers.hidden.columns();
        for (segment, columns) in layers.visible.each().filter(|(segment, _)| segment.units == UnitKind::Categorical) {
            for first in columns.step_by(segment.levels) {
                let levels = first..first + segment.levels;
                assert!(levels.clone().map(|i| after.visible.b[i]).sum::<f64>().abs() < 1e-5, "{name}");
                for u in 0..hidden {
                    let scale = 1.0 + after.w.iter().fold(0.0, |a: f64, w| a.max(w.abs()));
                    assert!(
                        levels.clone().map(|i| after.w[i * hidden + u]).sum::<f64>().abs() < 1e-5 * scale,
                        "{name}"
                    );
                }
            }
        }
        for (segment, columns) in layers.hidden.each() {
            for u in columns.filter(|_| matches!(segment.units, UnitKind::Relu | UnitKind::Drelu)) {
                let norm = after.w.iter().skip(u).step_by(hidden).map(|w| w * w).sum::<f64>().sqrt();
                assert!((norm - 1.0).abs() < 1e-5, "{name}: norm {norm}");
            }
        }
    }
}

/// ln 1e6, where ln g of ReLU and dReLU units ends.
const MOST_LOG_G: f32 = 13.815_511;

/// A unit that shrinks where its precision cannot grow stays the unit that it is: no step makes its bias larger.
#[test]
fn at_the_end_of_the_range_the_distribution_does_not_change_either() {
    for layers in
        pairs().into_iter().filter(|layers| layers.hidden.any(|kind| matches!(kind, UnitKind::Relu | UnitKind::Drelu)))
    {
        let name = format!("{} with {}", layers.visible, layers.hidden);
        let mut start = parameters(&layers, 2);
        start.w_rec.iter_mut().for_each(|w| *w *= 0.05);
        let (mut fields, mut biases) = (start.hidden_fields.clone(), start.hb.clone());
        for (segment, columns) in layers.hidden.each() {
            for u in columns.filter(|_| matches!(segment.units, UnitKind::Relu | UnitKind::Drelu)) {
                fields.log_precision[u] = MOST_LOG_G;
                biases[u] *= 1e3;
                if segment.units == UnitKind::Drelu {
                    (fields.log_precision_below[u], fields.bias_below[u]) = (MOST_LOG_G, 1e3 * fields.bias_below[u]);
                }
            }
        }
        (start.hidden_fields, start.hb) = (fields, biases);
        let mut machine = TypedRbm::new(&layers, &start);
        let v0 = data(&layers.visible, 20, 4);
        let of = |machine: &TypedRbm| {
            let rbm = Reference::new(&layers, &machine.parameters());
            let energies: Vec<f64> = rbm.visible_states(&v0).iter().map(|v| rbm.free_energy(v)).collect();
            energies
        };
        let before = of(&machine);
        for _ in 0..20 {
            machine.infer_hidden(&v0, Some(draw(Stream::Hidden, 0)));
            machine.sample_visible(draw(Stream::Visible, 0));
            machine.update(&v0, &STILL, OFF);
        }
        let after = of(&machine);
        for (a, b) in before.iter().zip(&after) {
            assert!(((a - before[0]) - (b - after[0])).abs() < 1e-3, "{name}: {a} {b}");
        }
        let Parameters { hb, hidden_fields, .. } = machine.parameters();
        let learned = layers.hidden.each().filter(|(s, _)| matches!(s.units, UnitKind::Relu | UnitKind::Drelu));
        for u in learned.flat_map(|(_, columns)| columns) {
            // Means of the weights of a site move into it.
            assert!((hb[u] - start.hb[u]).abs() <= 0.05 * start.hb[u].abs(), "{name}: {} {}", hb[u], start.hb[u]);
            assert!(hidden_fields.log_precision[u] <= MOST_LOG_G, "{name}");
        }
    }
}

/// Weights of norm 0 have no unit of measure to choose.
#[test]
fn hidden_units_without_weights_stay_finite() {
    for layers in pairs() {
        let mut start = parameters(&layers, 2);
        start.w_rec.fill(0.0);
        let mut machine = TypedRbm::new(&layers, &start);
        let v0 = data(&layers.visible, 20, 4);
        machine.infer_hidden(&v0, Some(draw(Stream::Hidden, 0)));
        machine.sample_visible(draw(Stream::Visible, 0));
        assert!(machine.update(&v0, &STILL, OFF).is_finite());
        assert!(machine.parameters().w_rec.iter().all(|w| *w == 0.0));
    }
}

/// Chains go on from where they were: what the visible units are expected to be does not change with the form.
#[test]
fn kept_states_follow_the_form() {
    for layers in pairs() {
        let mut machine = TypedRbm::new(&layers, &parameters(&layers, 2));
        let v0 = data(&layers.visible, 20, 4);
        machine.infer_hidden(&v0, Some(draw(Stream::Hidden, 0)));
        let mut kept = machine.hidden_states().clone();
        machine.mean_visible();
        let before = machine.reconstruction().to_values();
        machine.update(&v0, &STILL, OFF);
        let own = machine.hidden_states().clone();
        machine.rescale_hidden(&mut kept);
        if let (Batch::Real { values: own, .. }, Batch::Real { values: kept, .. }) = (&own, &kept) {
            assert_eq!(own, kept, "the RBM's own states follow too");
        }
        machine.set_hidden_states(&kept);
        machine.mean_visible();
        for (before, after) in before.iter().zip(machine.reconstruction().to_values()) {
            assert!((before - after).abs() < 1e-4, "{} with {}: {before}, {after}", layers.visible, layers.hidden);
        }
    }
}
