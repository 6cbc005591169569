//! What holds of every pair of kinds of units, on tiny RBMs whose distributions are known.

use crate::Fixed;
use crate::gaps::{Gappy, gradient, train};
use crate::machines::{
    all_states, exact_draws, free_energies, in_f64, layer, name, pairs, parameters, probabilities, random, samples,
};
use candle_core::{DType, Device};
use deepbelief_kernels::{Batch, Parameters, Sparsity, StepRule, Stream, TypedRbm, Uniforms};
use deepbelief_rbm::{
    Draws, Layers, MissingAs, Monitors, Rbm, Rule, Sampler, Segment, TrainConfig, TrainState, Trainer, UnitKind, Units,
    Velocity,
};

const OFF: Sparsity = Sparsity { target: 0.1, cost: 0.0 };

/// A rate at which no rounding of a step and no form that is chosen after it shows.
const RATE: f32 = 1e-6;

/// The gradient of the mean log-likelihood that a machine takes of data and chains, before it steps.
fn taken(machine: &TypedRbm, v0: &Batch) -> Parameters {
    let mut machine = machine.clone();
    machine.update(v0, &StepRule { learning_rate: RATE, momentum: 0.0, l2: 0.0, l1: 0.0 }, OFF);
    let mut gradient = machine.velocities();
    for (_, values) in each(&mut gradient) {
        for x in values {
            *x /= RATE;
        }
    }
    gradient
}

/// All parameters by name.
fn each(p: &mut Parameters) -> Vec<(String, &mut Vec<f32>)> {
    let mut all = vec![("w".to_string(), &mut p.w_rec), ("hb".into(), &mut p.hb), ("vb".into(), &mut p.vb)];
    for (side, fields) in [("visible", &mut p.visible_fields), ("hidden", &mut p.hidden_fields)] {
        all.extend(fields.each_mut().into_iter().map(|(name, values)| (format!("{side}.{name}"), values)));
    }
    all
}

/// A random machine in the form that updates choose.
fn machine(layers: &Layers, seed: u32) -> TypedRbm {
    let mut machine = TypedRbm::new(layers, &random(layers, seed).to_parameters().unwrap());
    let v = samples(&layers.visible, 2, 1);
    machine.infer_hidden(&v, None);
    machine.set_chains(&v);
    machine.update(&v, &StepRule { learning_rate: 0.0, momentum: 0.0, l2: 0.0, l1: 0.0 }, OFF);
    machine
}

/// Whether a field of a hidden Gaussian unit is meant, which stays as it is.
fn is_fixed(layers: &Layers, what: &str, at: usize) -> bool {
    let gaussian = |segment: Segment| segment.units == UnitKind::Gaussian;
    what == "hidden.log_precision" && layers.hidden.each().any(|(segment, of)| gaussian(segment) && of.contains(&at))
}

/// Within 1e-4 of what differences of the free energy over 2e-3 give, for every parameter.
#[test]
fn an_update_follows_the_differences_of_the_free_energy() {
    const STEP: f32 = 1e-3;
    for layers in pairs() {
        let (name, machine) = (name(&layers), &mut machine(&layers, 3));
        let (v0, v1) = (samples(&layers.visible, 5, 11), samples(&layers.visible, 5, 12));
        machine.infer_hidden(&v0, None);
        machine.set_chains(&v1);
        let (mut got, start) = (taken(machine, &v0), machine.parameters());
        let mean = |v: &Batch, p: &Parameters| free_energies(&layers, p, v).iter().sum::<f64>() / 5.0;
        // -F of the data and F of the chains.
        let gain = |p: &Parameters| mean(&v1, p) - mean(&v0, p);
        let mut moved = start.clone();
        for (part, (what, got)) in each(&mut got).into_iter().enumerate() {
            for (at, &got) in got.iter().enumerate() {
                let own = each(&mut start.clone())[part].1[at];
                let mut at_distance = |step: f32| {
                    each(&mut moved)[part].1[at] = own + step;
                    (f64::from(own + step), gain(&moved))
                };
                let ((above, more), (below, less)) = (at_distance(STEP), at_distance(-STEP));
                at_distance(0.0);
                let slope = if is_fixed(&layers, &what, at) { 0.0 } else { (more - less) / (above - below) };
                assert!((f64::from(got) - slope).abs() < 1e-4, "{name}: {what}[{at}] follows {got}, is {slope}");
            }
        }
    }
}

/// A step of rate 0 changes no ratio of probabilities of random samples, in double precision, and leaves the sums and
/// the norms that it should.
#[test]
fn the_form_changes_on_tensors_and_the_distribution_does_not() {
    for layers in pairs() {
        let name = name(&layers);
        let mut rbm = random(&layers, 5).to_dtype(DType::F64).unwrap();
        let v = samples(&layers.visible, 40, 21);
        let states = in_f64(&layers.visible, &v);
        let free = |rbm: &Rbm| rbm.free_energy(&states).unwrap().to_vec1::<f64>().unwrap();
        let before = free(&rbm);
        let still = Rule { learning_rate: 0.0, momentum: 0.0, ..TrainConfig::default().rule(0) };
        let mut velocity = Velocity::zeros(&rbm).unwrap();
        rbm.cd_update(&states, None, &still, &mut velocity, Draws { seed: 1, step: 0, first: 0 }).unwrap();
        let after = free(&rbm);
        for (before_v, after_v) in before.iter().zip(&after) {
            let (was, is) = (before_v - before[0], after_v - after[0]);
            assert!((was - is).abs() < 1e-11 * (1.0 + was.abs()), "{name}: {was} became {is}");
        }
        let w: Vec<Vec<f64>> = rbm.w_rec().to_vec2().unwrap();
        for (segment, columns) in layers.visible.each().filter(|(segment, _)| segment.units == UnitKind::Categorical) {
            for unit in columns.step_by(segment.levels) {
                for h in 0..rbm.hidden() {
                    let sum: f64 = w[unit..unit + segment.levels].iter().map(|w| w[h]).sum();
                    assert!(sum.abs() < 1e-12, "{name}: weights of a categorical unit sum to {sum}");
                }
            }
        }
        for (_, columns) in layers.hidden.each().filter(|(s, _)| matches!(s.units, UnitKind::Relu | UnitKind::Drelu)) {
            for h in columns {
                let norm: f64 = w.iter().map(|w| w[h] * w[h]).sum::<f64>().sqrt();
                assert!((norm - 1.0).abs() < 1e-12, "{name}: a norm of {norm}");
            }
        }
    }
}

/// Data and chains that are both drawn from the RBM itself teach it nothing: over 50 minibatches of 400 samples, the mean of
/// every component of the gradient lies within six of its standard errors of 0. Of the some 700 components of all pairs
/// one would be beyond by chance in one of 5000 runs; seeds are fixed. A grid of 0.1 instead of real numbers makes a
/// tenth of a standard error.
#[test]
fn data_of_the_model_teach_it_nothing() {
    const BATCHES: u32 = 50;
    const ROWS: usize = 400;
    for layers in pairs() {
        let (name, machine) = (name(&layers), &mut machine(&layers, 8));
        let states = all_states(&layers.visible);
        let p = probabilities(&layers, &machine.parameters(), &states);
        let mut sums: Vec<(String, Vec<[f64; 2]>)> = Vec::new();
        for batch in 0..BATCHES {
            let drawn = |step| exact_draws(&layers.visible, &states, &p, ROWS, step);
            let draw = |stream, k: u16| Uniforms::new(3, stream, batch).gibbs(k);
            let (v0, chains) = (drawn(2 * batch), drawn(2 * batch + 1));
            machine.infer_hidden(&chains, Some(draw(Stream::Hidden, 0)));
            let h = machine.hidden_states().clone();
            machine.infer_hidden(&v0, None);
            machine.set_hidden_states(&h);
            machine.sample_visible(draw(Stream::Visible, 0));
            machine.sample_hidden(draw(Stream::Hidden, 1));
            machine.sample_visible(draw(Stream::Visible, 1));
            for (part, (what, values)) in each(&mut taken(machine, &v0)).into_iter().enumerate() {
                if batch == 0 {
                    sums.push((what, vec![[0.0; 2]; values.len()]));
                }
                for (sums, &x) in sums[part].1.iter_mut().zip(values.iter()) {
                    sums[0] += f64::from(x);
                    sums[1] += f64::from(x) * f64::from(x);
                }
            }
        }
        for (what, sums) in sums {
            for (at, [sum, squares]) in sums.into_iter().enumerate() {
                let n = f64::from(BATCHES);
                let (mean, variance) = (sum / n, (squares - sum * sum / n) / (n - 1.0));
                let errors = mean / (variance / n).sqrt();
                assert!(mean == 0.0 || errors.abs() < 6.0, "{name}: {what}[{at}] drifts by {errors} standard errors");
            }
        }
    }
}

/// Of the pair that trains on tensors, a method that only an engine has.
fn on_an_engine(layers: &Layers, config: TrainConfig) -> TrainConfig {
    let over_bernoulli = layers.visible.is_bernoulli() && layers.hidden.all(|kind| kind == UnitKind::Gaussian);
    TrainConfig { averaging: if over_bernoulli { 0.5 } else { config.averaging }, ..config }
}

/// A row that stands there twice counts as one that weighs twice as much: parameters within 1e-5 after ten updates.
#[test]
fn a_row_that_stands_there_twice_weighs_twice() {
    for layers in pairs() {
        let name = name(&layers);
        let once = samples(&layers.visible, 3, 31);
        let twice = once.chosen(&[0, 0, 1, 2]);
        let rbm = random(&layers, 4);
        for centred in [false, true] {
            let config = TrainConfig { persistent_chains: 6, centred, ..gradient(0.05, 10) };
            let config = on_an_engine(&layers, config);
            let by_number = train(&rbm, &Gappy::of(twice.clone()), config.clone());
            let mut weighted = Gappy::of(once.clone());
            weighted.weights = Some(vec![1.5, 0.75, 0.75]);
            let by_weight = train(&rbm, &weighted, config.clone());
            let evenly = train(&rbm, &Gappy::of(once.clone()), config);
            let distance = |a: &Rbm, b: &Rbm| {
                let (a, b) = (parameters(a), parameters(b));
                let each = a.iter().zip(&b).flat_map(|((_, a), (_, b))| a.iter().zip(b));
                each.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
            };
            let gap = distance(&by_number, &by_weight);
            assert!(gap < 1e-5, "{name}, centred {centred}: {gap}");
            assert!(distance(&by_number, &evenly) > 1e-3, "{name}: the weights are not seen");
        }
    }
}

fn all_bits(rbm: &Rbm) -> Vec<u32> {
    parameters(rbm).iter().flat_map(|(_, values)| values.iter().map(|x| x.to_bits())).collect()
}

/// A training of six epochs, and the same stopped after two and resumed from its file, with another number of
/// threads, by every method.
#[test]
fn every_pair_is_resumed_to_the_bit() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.safetensors");
    let base = TrainConfig { epochs: 6, learning_rate: 0.02, momentum: 0.5, ..crate::plain() };
    let chains = TrainConfig { persistent_chains: 7, ..base.clone() };
    let laddered = TrainConfig { sampler: Sampler::Tempered, temperatures: 3, ..chains.clone() };
    for layers in pairs() {
        let rbm = random(&layers, 6);
        // Annealing takes the longest by far: of the mixtures, which have every kind.
        let log_z_every = if layers.hidden.segments().len() > 1 { 2 } else { 0 };
        let batches: Vec<Batch> = (0..2).map(|step| samples(&layers.visible, 9, 60 + step)).collect();
        let monitors = Monitors { train: batches[0].clone(), ..Monitors::default() };
        for (method, config) in [
            ("data", base.clone()),
            ("chains", chains.clone()),
            ("fast", TrainConfig { sampler: Sampler::Fast, ..chains.clone() }),
            ("tempered, centred, averaged", TrainConfig { centred: true, averaging: 0.9, ..laddered.clone() }),
            ("ln Z along", TrainConfig { log_z_every, pseudo_every: 1, ..chains.clone() }),
            ("trajectory", TrainConfig { sampler: Sampler::Trajectory, ..laddered.clone() }),
        ] {
            let fit = |trainer: &mut Trainer| trainer.fit(&mut Fixed(batches.clone()), &monitors, &mut ()).unwrap();
            let mut whole = Trainer::new(&rbm, config.clone()).unwrap();
            fit(&mut whole);
            let mut part = Trainer::new(&rbm, TrainConfig { epochs: 2, threads: 1, ..config.clone() }).unwrap();
            fit(&mut part);
            part.snapshot().state().unwrap().save(&path).unwrap();
            let rest = TrainConfig { threads: 3, ..config };
            let mut part = Trainer::resume(rest, TrainState::load(&path).unwrap(), &Device::Cpu).unwrap();
            fit(&mut part);
            let same = all_bits(&part.snapshot().model().unwrap()) == all_bits(&whole.snapshot().model().unwrap());
            assert!(same, "{}, {method}", name(&layers));
            let (part, whole) = (part.snapshot().state().unwrap(), whole.snapshot().state().unwrap());
            assert!(part.learned == whole.learned, "{}, {method}", name(&layers));
        }
    }
}

/// What is not known yet is not refused; what is known and does not go together is.
#[test]
fn methods_are_refused_by_units_that_are_known() {
    let gaussian = |visible: Units| Layers { visible, hidden: Units::of(UnitKind::Gaussian, 3) };
    let methods = [
        TrainConfig { centred: true, ..crate::plain() },
        TrainConfig { averaging: 0.9, ..crate::plain() },
        TrainConfig { sampler: Sampler::Tempered, persistent_chains: 5, ..crate::plain() },
        TrainConfig { sampler: Sampler::Trajectory, persistent_chains: 5, ..crate::plain() },
    ];
    let kinds = [UnitKind::Bernoulli, UnitKind::Spin, UnitKind::Gaussian].map(|kind| Units::of(kind, 4));
    let known = kinds.into_iter().chain([Units::default(), Units::categorical(2, 3)]);
    for visible in known {
        for config in &methods {
            config.validate_for(&gaussian(visible.clone())).unwrap();
        }
    }
    let along = TrainConfig { log_z_every: 1, ..crate::plain() };
    for visible in [Units::default(), Units::categorical(2, 3)] {
        along.validate_for(&gaussian(visible)).unwrap();
    }
    let refusal = along.validate_for(&gaussian(Units::of(UnitKind::Gaussian, 4))).unwrap_err().to_string();
    assert!(refusal.starts_with("log_z_every is not available where gaussian hidden units stand over gaussian"));
    let excluded = TrainConfig { missing_as: MissingAs::Excluded, ..crate::plain() };
    for visible in [Units::default(), Units::of(UnitKind::Bernoulli, 4)] {
        excluded.validate_for(&gaussian(visible)).unwrap();
    }
    let refusal = excluded.validate_for(&gaussian(Units::of(UnitKind::Spin, 4))).unwrap_err().to_string();
    assert_eq!(refusal, "missing_as is not available unless visible units are bernoulli");
}

/// Visible units of two levels are bits, and so are spins.
#[test]
fn units_of_two_values_have_one_distribution_however_they_are_called() {
    let hidden = layer(&[(UnitKind::Drelu, 1, 1), (UnitKind::Bernoulli, 1, 2)]);
    let of = |visible| Layers { visible, hidden: hidden.clone() };
    let bits = of(Units::of(UnitKind::Bernoulli, 3));
    let p = random(&bits, 9).to_parameters().unwrap();
    let plain = probabilities(&bits, &p, &all_states(&bits.visible));
    // The first level adds nothing.
    let levels = of(Units::categorical(3, 2));
    let each = |values: &[f32], columns: usize| -> Vec<f32> {
        values.chunks_exact(columns).flat_map(|row| [vec![0.0; columns], row.to_vec()].concat()).collect()
    };
    let as_levels = Parameters { w_rec: each(&p.w_rec, 3), vb: each(&p.vb, 1), ..p.clone() };
    let two = probabilities(&levels, &as_levels, &all_states(&levels.visible));
    // v = (s + 1) / 2.
    let spins = of(Units::of(UnitKind::Spin, 3));
    let half = |values: &[f32]| values.iter().map(|x| 0.5 * x).collect::<Vec<_>>();
    let (w_rec, vb) = (half(&p.w_rec), half(&p.vb));
    let shift = |fields: &[f32], of: usize| -> Vec<f32> {
        let shifted =
            |(at, b): (usize, &f32)| if at < of { b + w_rec.iter().skip(at).step_by(3).sum::<f32>() } else { *b };
        fields.iter().enumerate().map(shifted).collect()
    };
    let mut as_spins = Parameters { hb: shift(&p.hb, 3), w_rec: w_rec.clone(), vb, ..p.clone() };
    as_spins.hidden_fields.bias_below = shift(&p.hidden_fields.bias_below, 1);
    let spins = probabilities(&spins, &as_spins, &all_states(&spins.visible));
    for ((plain, two), spin) in plain.iter().zip(&two).zip(&spins) {
        assert!((plain - two).abs() < 1e-6 && (plain - spin).abs() < 1e-6, "{plain}, {two}, {spin}");
    }
}
