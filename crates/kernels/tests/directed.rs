//! Directed weights in F32 panels against plain loops in F64, and an RBM that learns from hidden
//! states against its statistics written out, for equal random numbers.
//!
//! Both sides add the same terms, so results agree to rounding. A state could differ only where a
//! probability ties with its uniform to rounding, which the fixed seeds do not meet.

use deepbelief_kernels::{Batch, Bits, Directed, Level, PackedRbm, Parameters, StepRule, Stream, Uniforms, Weights};

/// Reproducible numbers in [-scale, scale), [rows, columns].
fn numbers(rows: usize, columns: usize, scale: f32, step: u32) -> Vec<f32> {
    let u = Uniforms::new(79, Stream::User, step);
    let mut out = vec![0.0; rows * columns];
    for (row, out) in out.chunks_exact_mut(columns.max(1)).enumerate() {
        u.fill_row(row as u32, out);
    }
    out.iter().map(|u| scale * (2.0 * u - 1.0)).collect()
}

fn binary(rows: usize, units: usize, density: f32, step: u32) -> Batch {
    let values: Vec<f32> =
        numbers(rows, units, 0.5, step).iter().map(|u| f32::from(u8::from(u + 0.5 < density))).collect();
    Batch::Binary(Bits::from_values(rows, units, &values))
}

fn real(rows: usize, units: usize, density: f32, step: u32) -> Batch {
    let value = |u: &f32| if u + 0.5 < density { (u + 0.5) / density } else { 0.0 };
    Batch::Real { rows, units, values: numbers(rows, units, 0.5, step).iter().map(value).collect() }
}

/// Inputs of every kind: sparse and full states (lists, tables), sparse and full values, nothing.
fn kinds(rows: usize, units: usize) -> [Batch; 5] {
    [
        binary(rows, units, 0.1, 1),
        binary(rows, units, 0.7, 2),
        real(rows, units, 0.25, 3),
        real(rows, units, 1.1, 4),
        Batch::Binary(Bits::zeros(rows, units)),
    ]
}

const SHAPES: [(usize, usize); 6] = [(1, 1), (1, 37), (31, 1), (33, 64), (97, 31), (250, 70)];

fn weights(inputs: usize, outputs: usize) -> Weights {
    Weights { w: numbers(inputs, outputs, 0.5, 7), b: numbers(1, outputs, 1.0, 8), ..Default::default() }
}

/// `b + x W` of every sample.
fn logits(x: &Batch, weights: &Weights) -> Vec<Vec<f64>> {
    let outputs = weights.b.len();
    let row = |x: &[f32]| {
        let mut sums: Vec<f64> = weights.b.iter().map(|&b| f64::from(b)).collect();
        for (x, w) in x.iter().zip(weights.w.chunks_exact(outputs)) {
            sums.iter_mut().zip(w).for_each(|(sum, w)| *sum += f64::from(*x) * f64::from(*w));
        }
        sums
    };
    x.to_values().chunks_exact(x.units()).map(row).collect()
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

#[test]
fn states_probabilities_and_costs_are_those_of_the_formula() {
    for (inputs, outputs) in SHAPES {
        // One sample, some, several uneven chunks.
        for rows in [1, 20, 301] {
            let of = weights(inputs, outputs);
            let mut directed = Directed::new(inputs, outputs, &of);
            assert_eq!(directed.weights(), of);
            let draw = Uniforms::new(5, Stream::Wake, 3).layer(2);
            let target = real(rows, outputs, 0.8, 9);
            for x in kinds(rows, inputs) {
                let exact = logits(&x, &of);
                let (mut states, mut p) = (Batch::default(), Batch::default());
                directed.sample(&x, draw, &mut states);
                directed.probabilities(&x, &mut p);
                let (states, p, t) = (states.to_values(), p.to_values(), target.to_values());
                let mut cost = 0.0;
                for (i, &logit) in exact.concat().iter().enumerate() {
                    let (row, column) = (i / outputs, i % outputs);
                    assert!((f64::from(p[i]) - sigmoid(logit)).abs() < 2e-6);
                    let on = f64::from(draw.at(row as u32, column as u32)) < sigmoid(logit);
                    assert_eq!(states[i], f32::from(u8::from(on)), "sample {row}, unit {column}");
                    cost += (logit.exp().ln_1p() - f64::from(t[i]) * logit) / rows as f64;
                }
                let got = directed.cross_entropy(&x, &target);
                assert!((got - cost).abs() < 1e-5 * (1.0 + cost.abs()), "cost {got}, exactly {cost}");
            }
        }
    }
}

/// Two steps, so that momentum shows, on every kind of input and of target.
#[test]
fn the_delta_rule_is_that_of_the_formula() {
    let rules = [
        StepRule { learning_rate: 0.3, momentum: 0.0, l2: 0.0, l1: 0.0 },
        StepRule { learning_rate: 0.3, momentum: 0.5, l2: 1e-2, l1: 1e-3 },
    ];
    for (inputs, outputs) in SHAPES {
        for rows in [1, 20, 301] {
            for x in kinds(rows, inputs) {
                for (target, rule) in [binary(rows, outputs, 0.4, 5), real(rows, outputs, 0.9, 6)].iter().zip(&rules) {
                    compare(&x, target, &weights(inputs, outputs), rule);
                }
            }
        }
    }
}

fn compare(x: &Batch, target: &Batch, start: &Weights, rule: &StepRule) {
    let (inputs, outputs, rows) = (x.units(), target.units(), x.rows());
    let mut directed = Directed::new(inputs, outputs, start);
    let [rate, momentum, l2, l1] = [rule.learning_rate, rule.momentum, rule.l2, rule.l1].map(f64::from);
    let double = |values: &[f32]| -> Vec<f64> { values.iter().map(|&x| f64::from(x)).collect() };
    let (mut w, mut b) = (double(&start.w), double(&start.b));
    let (mut w_velocity, mut b_velocity) = (vec![0.0; w.len()], vec![0.0; b.len()]);
    let (values, targets) = (double(&x.to_values()), double(&target.to_values()));
    let mut largest = 0.0;
    for _ in 0..2 {
        largest = directed.learn(x, target, rule);
        let (mut w_gradient, mut b_gradient) = (vec![0.0; w.len()], vec![0.0; b.len()]);
        for s in 0..rows {
            for j in 0..outputs {
                let logit = b[j] + (0..inputs).map(|i| values[s * inputs + i] * w[i * outputs + j]).sum::<f64>();
                let error = (targets[s * outputs + j] - sigmoid(logit)) / rows as f64;
                b_gradient[j] += error;
                (0..inputs).for_each(|i| w_gradient[i * outputs + j] += values[s * inputs + i] * error);
            }
        }
        for i in 0..w.len() {
            let sign = if w[i] == 0.0 { 0.0 } else { w[i].signum() };
            w_velocity[i] = momentum * w_velocity[i] + rate * (w_gradient[i] - l2 * w[i] - l1 * sign);
            w[i] += w_velocity[i];
        }
        for j in 0..outputs {
            b_velocity[j] = momentum * b_velocity[j] + rate * b_gradient[j];
            b[j] += b_velocity[j];
        }
    }
    let (got, velocities) = (directed.weights(), directed.velocities());
    let plain = *rule == StepRule { momentum: 0.0, l2: 0.0, l1: 0.0, ..*rule };
    let mut pairs = vec![("w", &got.w, &w), ("b", &got.b, &b), ("velocity of b", &velocities.b, &b_velocity)];
    if !plain {
        pairs.push(("velocity of w", &velocities.w, &w_velocity));
    }
    for (what, got, exact) in pairs {
        for (i, (&got, exact)) in got.iter().zip(exact).enumerate() {
            let close = (f64::from(got) - exact).abs() < 2e-6 * (1.0 + exact.abs());
            assert!(close, "{what}[{i}] of {inputs}x{outputs}, {rows} samples: {got}, exactly {exact}");
        }
    }
    let exact = got.w.iter().chain(&got.b).fold(0.0, |largest, x| x.abs().max(largest));
    // Without costs and momentum, weights of inputs that are never on are not looked at.
    assert!(largest == exact || plain && largest < exact, "largest {largest}, exactly {exact}");
}

#[test]
fn nothing_is_learned_from_an_empty_batch() {
    let start = weights(40, 33);
    let mut directed = Directed::new(40, 33, &start);
    let rule = StepRule { learning_rate: 0.1, momentum: 0.9, l2: 0.0, l1: 0.0 };
    let (mut states, none) = (Batch::default(), |units| Batch::Binary(Bits::zeros(0, units)));
    directed.learn(&none(40), &none(33), &rule);
    directed.sample(&none(40), Uniforms::new(1, Stream::Wake, 0), &mut states);
    assert_eq!((states.rows(), directed.cross_entropy(&none(40), &none(33))), (0, 0.0));
    assert_eq!(directed.weights(), start);
}

/// An input that is never on carries no weight: what is learned is the log odds of each output's
/// mean, the fixed point of the rule, to which 2000 steps of rate 1 come within 1e-4.
#[test]
fn without_inputs_the_biases_learn_the_means() {
    let target = binary(50, 40, 0.4, 11);
    let nothing = Batch::Binary(Bits::zeros(50, 1));
    let mut directed = Directed::new(1, 40, &Weights { w: vec![0.0; 40], b: vec![0.0; 40], ..Default::default() });
    let rule = StepRule { learning_rate: 1.0, momentum: 0.0, l2: 0.0, l1: 0.0 };
    for _ in 0..2000 {
        directed.learn(&nothing, &target, &rule);
    }
    let learned = directed.weights();
    assert!(learned.w.iter().all(|&w| w == 0.0));
    for (j, &b) in learned.b.iter().enumerate() {
        let mean = target.to_values().iter().skip(j).step_by(40).sum::<f32>() / 50.0;
        assert!((sigmoid(f64::from(b)) - f64::from(mean)).abs() < 1e-4, "unit {j}: {b} for a mean of {mean}");
    }
}

#[test]
fn parameters_that_are_not_numbers_are_reported() {
    for at in [0, 32] {
        let mut start = weights(40, 33);
        start.b[at] = f32::NAN;
        let rule = StepRule { learning_rate: 0.1, momentum: 0.9, l2: 0.0, l1: 0.0 };
        let largest = Directed::new(40, 33, &start).learn(&binary(5, 40, 0.5, 1), &binary(5, 33, 0.5, 2), &rule);
        assert!(largest.is_nan());
    }
}

/// Every operation at every level this processor has, with 1, 2 and 4 threads.
#[test]
fn all_levels_and_thread_counts_give_the_same_bits() {
    let rule = StepRule { learning_rate: 0.1, momentum: 0.5, l2: 1e-3, l1: 1e-4 };
    let run = |level: Level| {
        let mut directed = Directed::new(97, 70, &weights(97, 70));
        directed.set_level(level);
        let (mut states, mut p, mut costs) = (Batch::default(), Batch::default(), Vec::new());
        for (step, x) in kinds(150, 97).iter().enumerate() {
            directed.sample(x, Uniforms::new(2, Stream::Sleep, step as u32), &mut states);
            directed.learn(x, &states, &rule);
            directed.probabilities(x, &mut p);
            directed.learn(x, &p, &rule);
            costs.push(directed.cross_entropy(x, &p).to_bits());
        }
        (directed.weights(), directed.velocities(), states, p, costs)
    };
    let expected = run(Level::portable());
    for level in Level::available() {
        assert!(run(level) == expected, "{} differs from portable code", level.name());
    }
    for threads in [1, 2, 4] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
        assert!(pool.install(|| run(Level::detect())) == expected, "{threads} threads differ");
    }
}

/// CD-2 from hidden states, by the statistics `v0ᵀ h0 / n - v2ᵀ h2 / m` of the states themselves,
/// with labels and without, with as many chains as samples and with more and fewer.
#[test]
fn an_rbm_learns_from_hidden_states() {
    let draw = |stream, k| Uniforms::new(6, stream, 1).gibbs(k);
    for (visible, hidden, classes) in [(1, 1, 0), (33, 64, 0), (97, 31, 5)] {
        for (samples, chains) in [(1, 1), (20, 20), (301, 301), (20, 150), (150, 20)] {
            for v0 in
                [binary(samples, visible, 0.3, 21), real(samples, visible, 0.25, 22), real(samples, visible, 1.1, 23)]
            {
                let start = Parameters {
                    w_rec: numbers(visible, hidden, 0.3, 24),
                    hb: numbers(1, hidden, 0.5, 25),
                    vb: numbers(1, visible, 0.5, 26),
                    label_w: numbers(classes, hidden, 0.3, 27),
                    label_b: numbers(1, classes, 0.5, 28),
                    ..Parameters::default()
                };
                let labels: Vec<u32> = (0..samples).map(|s| (s % classes.max(1)) as u32).collect();
                let mut machine = PackedRbm::new(visible, hidden, &start);
                machine.infer_hidden(&v0, &labels, Some(draw(Stream::Hidden, 0)));
                let h0 = machine.hidden_states().clone();
                if chains != samples {
                    machine.set_hidden_states(&Bits::coins(chains, hidden, draw(Stream::Chains, 0)));
                }
                machine.sample_visible(draw(Stream::Visible, 0));
                machine.sample_hidden(draw(Stream::Hidden, 1));
                machine.sample_visible(draw(Stream::Visible, 1));
                let h1 = machine.hidden_states().clone();
                // A drawn label shows which one the machine reconstructed.
                machine.sample_labels(draw(Stream::Label, 1));
                let y1 = drawn_labels(&h1, &start, draw(Stream::Label, 1));
                machine.sample_hidden(draw(Stream::Hidden, 2));
                let (h2, v2) = (machine.hidden_states().clone(), machine.reconstruction().clone());
                let rule = StepRule { learning_rate: 0.4, momentum: 0.0, l2: 0.0, l1: 0.0 };
                machine.update_from_states(&v0, &h0, &rule);

                let y0: Vec<usize> = labels.iter().map(|&y| y as usize).collect();
                let positive = Statistics::of(&v0, &h0, &y0, classes);
                let negative = Statistics::of(&v2, &h2, &y1, classes);
                let got = machine.parameters();
                for (what, got, start, positive, negative) in [
                    ("w_rec", &got.w_rec, &start.w_rec, positive.w, negative.w),
                    ("hb", &got.hb, &start.hb, positive.h, negative.h),
                    ("vb", &got.vb, &start.vb, positive.v, negative.v),
                    ("label_w", &got.label_w, &start.label_w, positive.label_w, negative.label_w),
                    ("label_b", &got.label_b, &start.label_b, positive.label_b, negative.label_b),
                ] {
                    for (i, got) in got.iter().enumerate() {
                        let exact = f64::from(start[i]) + 0.4 * (positive[i] - negative[i]);
                        let close = (f64::from(*got) - exact).abs() < 2e-6;
                        assert!(close, "{what}[{i}] of {visible}x{hidden}, {samples}/{chains}: {got}, exactly {exact}");
                    }
                }
            }
        }
    }
}

/// The label that a uniform falls on, of `softmax(b + w h)`.
fn drawn_labels(h: &Bits, parameters: &Parameters, draw: Uniforms) -> Vec<usize> {
    let (classes, hidden) = (parameters.label_b.len(), h.units());
    let label = |row: usize| {
        let weight = |y: usize| {
            let w = (0..hidden).filter(|&j| h.get(row, j)).map(|j| f64::from(parameters.label_w[y * hidden + j]));
            (f64::from(parameters.label_b[y]) + w.sum::<f64>()).exp()
        };
        let weights: Vec<f64> = (0..classes).map(weight).collect();
        let mut left = f64::from(draw.at(row as u32, 0)) * weights.iter().sum::<f64>();
        let passed = |w: &&f64| {
            left -= **w;
            left >= 0.0
        };
        weights.iter().take_while(passed).count()
    };
    (0..h.rows()).map(label).collect()
}

/// Means over the samples of v h, h, v, y h and y.
struct Statistics {
    w: Vec<f64>,
    h: Vec<f64>,
    v: Vec<f64>,
    label_w: Vec<f64>,
    label_b: Vec<f64>,
}

impl Statistics {
    fn of(v: &Batch, h: &Bits, labels: &[usize], classes: usize) -> Self {
        let (visible, hidden, n) = (v.units(), h.units(), v.rows() as f64);
        let (v, h) = (v.to_values(), h.to_values());
        let mut sums = Self {
            w: vec![0.0; visible * hidden],
            h: vec![0.0; hidden],
            v: vec![0.0; visible],
            label_w: vec![0.0; classes * hidden],
            label_b: vec![0.0; classes],
        };
        for (s, (v, h)) in v.chunks_exact(visible).zip(h.chunks_exact(hidden)).enumerate() {
            for (j, &h) in h.iter().enumerate() {
                sums.h[j] += f64::from(h) / n;
                (0..visible).for_each(|i| sums.w[i * hidden + j] += f64::from(v[i]) * f64::from(h) / n);
                if classes > 0 {
                    sums.label_w[labels[s] * hidden + j] += f64::from(h) / n;
                }
            }
            (0..visible).for_each(|i| sums.v[i] += f64::from(v[i]) / n);
            if classes > 0 {
                sums.label_b[labels[s]] += 1.0 / n;
            }
        }
        sums
    }
}
