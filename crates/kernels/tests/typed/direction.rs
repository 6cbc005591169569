//! Directions between a layer of a number, a category, a spin and bits and one of Bernoulli units: against plain loops in
//! double precision.

use deepbelief_kernels::{
    Batch, Bits, CpuDirection, Fields, Segment, StepRule, Stream, TypedDirection, Uniforms, UnitKind, Units, Weights,
};

const LOG_G: f64 = 0.3;
const RULE: StepRule = StepRule { learning_rate: 0.05, momentum: 0.5, l2: 0.01, l1: 0.0 };

/// 37 columns: two panels.
fn below() -> Units {
    let segment = |units, levels, sites| Segment { units, levels, sites };
    [
        segment(UnitKind::Gaussian, 1, 2),
        segment(UnitKind::Categorical, 10, 3),
        segment(UnitKind::Spin, 1, 2),
        segment(UnitKind::Bernoulli, 1, 3),
    ]
    .into_iter()
    .collect()
}

fn above(units: usize) -> Units {
    Units::of(UnitKind::Bernoulli, units)
}

fn numbers(count: usize, size: f32, step: u32) -> Vec<f32> {
    let mut out = vec![0.0; count];
    Uniforms::new(5, Stream::User, step).fill_row(0, &mut out);
    out.iter().map(|u| size * (2.0 * u - 1.0)).collect()
}

/// Values of a batch, in which spins are 0 and 1.
fn samples(rows: usize, step: u32) -> Batch {
    let mut values = Vec::new();
    for row in 0..rows as u32 {
        let mut u = [0.0; 10];
        Uniforms::new(6, Stream::User, step).fill_row(row, &mut u);
        values.extend([3.0 * u[0] - 1.5, 3.0 * u[1] - 1.5]);
        for u in &u[2..5] {
            values.extend((0..10).map(|level| f32::from(u8::from((10.0 * u) as usize == level))));
        }
        values.extend(u[5..].iter().map(|&u| f32::from(u8::from(u < 0.4))));
    }
    Batch::Real { rows, units: 37, values }
}

fn bits(rows: usize, units: usize, step: u32) -> Batch {
    Batch::Binary(Bits::coins(rows, units, Uniforms::new(7, Stream::User, step)))
}

fn weights(inputs: usize, outputs: usize, down: bool) -> Weights {
    let mut log_precision = vec![0.0; outputs];
    let fields = if down {
        log_precision[..2].fill(LOG_G as f32);
        Fields { log_precision, ..Fields::default() }
    } else {
        Fields::default()
    };
    Weights { w: numbers(inputs * outputs, 0.4, 1), b: numbers(outputs, 0.6, 2), fields }
}

/// Rows as the units are: spins -1 and 1.
fn natural(batch: &Batch) -> Vec<Vec<f64>> {
    let rows = batch.to_values();
    let rows = rows.chunks(batch.units()).map(|row| row.iter().map(|&x| f64::from(x)).collect::<Vec<f64>>());
    let spins = |mut row: Vec<f64>| {
        if row.len() == 37 {
            row[32..34].iter_mut().for_each(|x| *x = 2.0 * *x - 1.0);
        }
        row
    };
    rows.map(spins).collect()
}

/// Inputs of the outputs, biases included.
fn inputs(x: &[f64], of: &Weights) -> Vec<f64> {
    let outputs = of.b.len();
    let each = (0..outputs).map(|j| {
        f64::from(of.b[j]) + x.iter().enumerate().map(|(i, x)| x * f64::from(of.w[i * outputs + j])).sum::<f64>()
    });
    each.collect()
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// The means of the units below.
fn means(t: &[f64]) -> Vec<f64> {
    let mut out = vec![0.0; 37];
    (0..2).for_each(|i| out[i] = t[i] / LOG_G.exp());
    for site in 0..3 {
        let columns = 2 + 10 * site..12 + 10 * site;
        let sum: f64 = t[columns.clone()].iter().map(|t| t.exp()).sum();
        columns.for_each(|i| out[i] = t[i].exp() / sum);
    }
    (32..34).for_each(|i| out[i] = t[i].tanh());
    (34..37).for_each(|i| out[i] = sigmoid(t[i]));
    out
}

/// -ln p(v | inputs).
fn cost(v: &[f64], t: &[f64]) -> f64 {
    let g = LOG_G.exp();
    let numbers = (0..2).map(|i| 0.5 * g * (v[i] - t[i] / g).powi(2) + 0.5 * (std::f64::consts::TAU / g).ln());
    let sites = (0..3).map(|site| {
        let columns = 2 + 10 * site..12 + 10 * site;
        t[columns.clone()].iter().map(|t| t.exp()).sum::<f64>().ln() - columns.map(|i| v[i] * t[i]).sum::<f64>()
    });
    let spins = (32..34).map(|i| (2.0 * t[i].cosh()).ln() - v[i] * t[i]);
    let bits = (34..37).map(|i| t[i].exp().ln_1p() - v[i] * t[i]);
    numbers.chain(sites).chain(spins).chain(bits).sum()
}

fn close(found: &[f32], expected: &[f64], tolerance: f64, what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (at, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert!((f64::from(*found) - expected).abs() < tolerance, "{what} {at}: {found} and not {expected}");
    }
}

#[test]
fn means_and_costs_are_those_of_each_kind() {
    let (rows, hidden) = (70, 35);
    let (v, h) = (samples(rows, 1), bits(rows, hidden, 1));
    let of = weights(hidden, 37, true);
    let mut down = TypedDirection::new(&above(hidden), &below(), &of);
    let mut found = Batch::default();
    down.probabilities(&h, &mut found);
    let inputs_below: Vec<Vec<f64>> = natural(&h).iter().map(|h| inputs(h, &of)).collect();
    let expected: Vec<f64> = inputs_below.iter().flat_map(|t| means(t)).collect();
    let found: Vec<f64> = natural(&found).concat();
    assert!(found.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-5));
    let costs: f64 = natural(&v).iter().zip(&inputs_below).map(|(v, t)| cost(v, t)).sum();
    let told = down.cross_entropy(&h, &v);
    assert!((told - costs / rows as f64).abs() < 1e-4, "{told} and not {}", costs / rows as f64);

    let of = weights(37, hidden, false);
    let mut up = TypedDirection::new(&below(), &above(hidden), &of);
    let mut found = Batch::default();
    up.probabilities(&v, &mut found);
    let logits: Vec<f64> = natural(&v).iter().flat_map(|v| inputs(v, &of)).collect();
    let expected: Vec<f64> = logits.iter().map(|&x| sigmoid(x)).collect();
    close(&found.to_values(), &expected, 1e-5, "p");
    let told = up.cross_entropy(&v, &h);
    let costs =
        logits.iter().zip(natural(&h).concat()).map(|(x, h)| x.exp().ln_1p() - h * x).sum::<f64>() / rows as f64;
    assert!((told - costs).abs() < 1e-4, "{told} and not {costs}");
}

/// Two steps with momentum and weight cost, both ways; what is given is not changed, and a copy goes on to the bit.
#[test]
fn steps_follow_the_delta_rule_of_each_kind() {
    let (rows, hidden) = (70, 35);
    let (v, h) = (samples(rows, 3), bits(rows, hidden, 3));
    for is_down in [true, false] {
        let (x, t) = if is_down { (&h, &v) } else { (&v, &h) };
        let (from, to) = if is_down { (above(hidden), below()) } else { (below(), above(hidden)) };
        let start = weights(from.columns(), to.columns(), is_down);
        let mut set = TypedDirection::new(&from, &to, &start);
        let (xs, ts) = (natural(x), natural(t));
        // The biases of a category are brought to a sum of 0, which changes no probability: so are these.
        let double = |values: &[f32]| values.iter().map(|&x| f64::from(x)).collect::<Vec<f64>>();
        let (mut w, mut b, mut log_g) = (double(&start.w), double(&start.b), double(&start.fields.log_precision));
        let (mut dw, mut db, mut dg) = (vec![0.0; w.len()], vec![0.0; b.len()], vec![0.0; log_g.len()]);
        for _ in 0..2 {
            set.learn(x, t, &RULE);
            let now = Weights {
                w: w.iter().map(|&x| x as f32).collect(),
                b: b.iter().map(|&x| x as f32).collect(),
                ..Weights::default()
            };
            let (n, outputs) = (rows as f64, b.len());
            let (mut gw, mut gb, mut gg) = (vec![0.0; w.len()], vec![0.0; outputs], vec![0.0; log_g.len()]);
            for (x, t) in xs.iter().zip(&ts) {
                let logits = inputs(x, &now);
                let means: Vec<f64> = if is_down {
                    let mut all = means(&logits);
                    (0..2).for_each(|i| all[i] = logits[i] / log_g[i].exp());
                    all
                } else {
                    logits.iter().map(|&x| sigmoid(x)).collect()
                };
                for (j, (t, mean)) in t.iter().zip(&means).enumerate() {
                    let error = (t - mean) / n;
                    gb[j] += error;
                    x.iter().enumerate().for_each(|(i, x)| gw[i * outputs + j] += x * error);
                    if is_down && j < 2 {
                        let g = log_g[j].exp();
                        gg[j] += 0.5 * g * (mean.powi(2) + 1.0 / g - t.powi(2)) / n;
                    }
                }
            }
            let (rate, momentum, cost) = (0.05_f32, 0.5, 0.01_f32);
            let rate = f64::from(rate);
            let step = |speed: &mut [f64], values: &mut [f64], gradient: &[f64], cost: f64| {
                for ((speed, value), gradient) in speed.iter_mut().zip(values).zip(gradient) {
                    *speed = momentum * *speed + rate * (gradient - cost * *value);
                    *value += *speed;
                }
            };
            step(&mut dw, &mut w, &gw, f64::from(cost));
            step(&mut db, &mut b, &gb, 0.0);
            step(&mut dg, &mut log_g, &gg, 0.0);
        }
        let learned = set.weights();
        // Of a category's weights and biases what all of its levels have in common says nothing.
        let bare = |values: &[f64], outputs: usize| -> Vec<f64> {
            let mut values = values.to_vec();
            if outputs == 37 {
                for row in values.chunks_mut(37) {
                    for site in row[2..32].chunks_mut(10) {
                        let mean = site.iter().sum::<f64>() / 10.0;
                        for x in site {
                            *x -= mean;
                        }
                    }
                }
            }
            values
        };
        let outputs = b.len();
        let found: Vec<f32> = bare(&double(&learned.b), outputs).iter().map(|&x| x as f32).collect();
        if is_down {
            close(
                &bare(&double(&learned.w), 37).iter().map(|&x| x as f32).collect::<Vec<_>>(),
                &bare(&w, 37),
                2e-5,
                "w",
            );
            close(&found, &bare(&b, outputs), 2e-5, "b");
            close(&learned.fields.log_precision, &log_g, 2e-5, "ln g");
        } else {
            // Here the levels are inputs: what they have in common belongs to the biases.
            let of = |w: &[f64], b: &[f64], x: &[f64]| -> Vec<f64> {
                (0..outputs).map(|j| b[j] + (0..37).map(|i| x[i] * w[i * outputs + j]).sum::<f64>()).collect()
            };
            for x in xs.iter().take(20) {
                let told = of(&double(&learned.w), &double(&learned.b), x);
                close(&told.iter().map(|&x| x as f32).collect::<Vec<_>>(), &of(&w, &b, x), 2e-3, "input");
            }
        }
        let mut copy = CpuDirection::new(&from, &to, &learned);
        deepbelief_kernels::Direction::set_velocities(&mut copy, &set.velocities()).unwrap();
        set.learn(x, t, &RULE);
        deepbelief_kernels::Direction::learn(&mut copy, x, t, &RULE).unwrap();
        assert_eq!(copy.weights(), set.weights());
    }
}

/// 4000 samples of one input: shares and means within five standard errors.
#[test]
fn states_have_their_means() {
    let (rows, hidden) = (4000, 35);
    let of = weights(hidden, 37, true);
    let mut down = TypedDirection::new(&above(hidden), &below(), &of);
    let one = bits(1, hidden, 9);
    let h = Batch::Real { rows, units: hidden, values: one.to_values().repeat(rows) };
    let (mut states, mut expected) = (Batch::default(), Batch::default());
    down.sample(&h, Uniforms::new(3, Stream::Sleep, 1), &mut states);
    down.probabilities(&one, &mut expected);
    let (states, expected) = (natural(&states), natural(&expected)[0].clone());
    for (unit, expected) in expected.iter().enumerate() {
        let mean = states.iter().map(|v| v[unit]).sum::<f64>() / rows as f64;
        // Of a deviation of 1 at most.
        assert!((mean - expected).abs() < 5.0 / (rows as f64).sqrt(), "unit {unit}: {mean} and not {expected}");
    }
}
