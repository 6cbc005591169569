//! Trainings on columns that are hard on real-valued units stay finite.

use crate::setup::{draw, hidden, normal, parameters};
use deepbelief_kernels::{Batch, Layers, Sparsity, StepRule, Stream, TypedRbm, UnitKind, Units};

const SAMPLES: usize = 60;
const COLUMNS: usize = 12;
const OFF: Sparsity = Sparsity { target: 0.1, cost: 0.0 };

/// Columns: constant, constant and not 0, two copies of one, two of Cauchy numbers, one in the thousands, one of
/// millions, normal ones.
fn columns() -> Batch {
    let normals = normal(3, SAMPLES, COLUMNS, 1.0);
    let mut values = normals.clone();
    for row in values.chunks_exact_mut(COLUMNS) {
        (row[0], row[1]) = (0.0, 3.0);
        row[3] = row[2];
        // The ratio of two normal numbers has Cauchy's distribution.
        (row[4], row[5]) = (row[4] / row[8], row[5] / row[9]);
        row[6] *= 1e3;
        row[7] *= 1e6;
    }
    Batch::Real { rows: SAMPLES, units: COLUMNS, values }
}

#[test]
fn real_columns_of_any_kind_leave_every_parameter_finite() {
    let v0 = columns();
    for hidden in hidden() {
        let layers = Layers { visible: Units::of(UnitKind::Gaussian, COLUMNS), hidden };
        for (persistent, rate, momentum) in [(false, 0.1, 0.9), (true, 0.1, 0.9), (false, 0.01, 0.5), (true, 0.01, 0.5)]
        {
            let mut machine = TypedRbm::new(&layers, &parameters(&layers, 2));
            let rule = StepRule { learning_rate: rate, momentum, l2: 0.0, l1: 0.0 };
            let mut chains = machine.fresh_hidden(SAMPLES, draw(Stream::Chains, 0));
            for step in 0..1500 {
                machine.infer_hidden(&v0, (!persistent).then(|| draw(Stream::Hidden, step)));
                if persistent {
                    machine.set_hidden_states(&chains);
                }
                machine.sample_visible(draw(Stream::Visible, step));
                if persistent {
                    machine.sample_hidden(draw(Stream::Hidden, step));
                    chains = machine.hidden_states().clone();
                }
                let largest = machine.update(&v0, &rule, OFF);
                machine.rescale_hidden(&mut chains);
                let name = format!("{}, persistent {persistent}, rate {rate}, step {step}", layers.hidden);
                assert!(largest.is_finite(), "{name}: largest {largest}");
            }
            let p = machine.parameters();
            assert!(p.visible_fields.log_precision.iter().all(|g| (0.0..9.3).contains(g)));
            assert!(machine.measure(&v0, &[], draw(Stream::Monitor, 0)).free_energy.is_finite());
        }
    }
}
