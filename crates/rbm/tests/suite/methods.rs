//! Centred gradients, fast weights, tempered chains and averaged models against the same in double
//! precision, written out in loops.

use crate::{Fixed, Labelled, binary, bits, random_rbm, real, values};
use candle_core::{Device, Tensor};
use deepbelief_kernels::{Batch, Bits, PackedRbm, Parameters, Sparsity, Statistics, Stream, Uniforms};
use deepbelief_rbm::{Draws, LabelGroup, Monitors, Rbm, Sampler, TrainConfig, TrainState, Trainer, VisibleStates};

/// Rows of numbers.
type Matrix = Vec<Vec<f64>>;

/// An RBM written out, and what its learning remembers.
#[derive(Clone)]
struct Written {
    w: Matrix,
    hb: Vec<f64>,
    vb: Vec<f64>,
}

impl Written {
    fn of(rbm: &Rbm) -> Self {
        let row = |values: Vec<f32>| values.into_iter().map(f64::from).collect::<Vec<_>>();
        let w = values(rbm.w_rec()).chunks(rbm.hidden()).map(|w| row(w.to_vec())).collect();
        Self { w, hb: row(values(rbm.hb())), vb: row(values(rbm.vb())) }
    }

    fn zeros(&self) -> Self {
        let zeros = |row: &Vec<f64>| vec![0.0; row.len()];
        Self { w: self.w.iter().map(zeros).collect(), hb: zeros(&self.hb), vb: zeros(&self.vb) }
    }

    /// Every parameter of two, combined.
    fn with(&self, other: &Self, f: impl Fn(f64, f64) -> f64) -> Self {
        let row = |(a, b): (&Vec<f64>, &Vec<f64>)| a.iter().zip(b).map(|(&a, &b)| f(a, b)).collect::<Vec<_>>();
        Self {
            w: self.w.iter().zip(&other.w).map(row).collect(),
            hb: row((&self.hb, &other.hb)),
            vb: row((&self.vb, &other.vb)),
        }
    }

    fn up(&self, v: &[f64]) -> Vec<f64> {
        let input = |j: usize| self.hb[j] + v.iter().zip(&self.w).map(|(v, w)| v * w[j]).sum::<f64>();
        (0..self.hb.len()).map(|j| sigmoid(input(j))).collect()
    }

    fn down(&self, h: &[f64]) -> Vec<f64> {
        let input = |(w, b): (&Vec<f64>, &f64)| b + w.iter().zip(h).map(|(w, h)| w * h).sum::<f64>();
        self.w.iter().zip(&self.vb).map(|row| sigmoid(input(row))).collect()
    }

    /// Means over samples of v pᵀ, p and v, with their weight.
    fn add_statistics(&mut self, v: &[f64], p: &[f64], weight: f64) {
        for ((row, &v), vb) in self.w.iter_mut().zip(v).zip(&mut self.vb) {
            row.iter_mut().zip(p).for_each(|(w, p)| *w += weight * v * p);
            *vb += weight * v;
        }
        self.hb.iter_mut().zip(p).for_each(|(b, p)| *b += weight * p);
    }

    fn close_to(&self, rbm: &Rbm, what: &str) {
        let got = Self::of(rbm);
        let flat = |m: &Self| m.w.iter().flatten().chain(&m.hb).chain(&m.vb).copied().collect::<Vec<_>>();
        for (i, (a, b)) in flat(&got).iter().zip(flat(self)).enumerate() {
            assert!((a - b).abs() < 3e-6 * (1.0 + b.abs()), "{what}: parameter {i} is {a}, reference {b}");
        }
    }
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

fn drawn(p: &[f64], draw: Uniforms, row: usize) -> Vec<f64> {
    let on = |(unit, &p): (usize, &f64)| f64::from(u8::from(f64::from(draw.at(row as u32, unit as u32)) < p));
    p.iter().enumerate().map(on).collect()
}

fn mean(rows: &[Vec<f64>]) -> Vec<f64> {
    let sum = |unit: usize| rows.iter().map(|row| row[unit]).sum::<f64>();
    (0..rows[0].len()).map(|unit| sum(unit) / rows.len() as f64).collect()
}

/// Batches learned from one after the other by the rule of the papers.
fn reference(rbm: &Rbm, batches: &[Batch], config: &TrainConfig) -> Written {
    let mut model = Written::of(rbm);
    let (mut velocity, mut fast, mut average) = (model.zeros(), model.zeros(), model.clone());
    let (mut mu, mut lambda) = (vec![0.0; model.vb.len()], vec![0.0; model.hb.len()]);
    let n = config.persistent_chains;
    let coins = Bits::coins(n, rbm.hidden(), Uniforms::new(config.seed, Stream::Chains, 0)).to_values();
    let mut chains: Matrix = coins.chunks(rbm.hidden()).map(|h| h.iter().map(|&h| f64::from(h)).collect()).collect();
    for (step, batch) in batches.iter().enumerate() {
        let draws = Draws { seed: config.seed, step: step as u32, first: 0 };
        let rule = config.rule(0);
        let data: Matrix =
            batch.to_values().chunks(batch.units()).map(|v| v.iter().map(|&v| f64::from(v)).collect()).collect();
        let p0: Matrix = data.iter().map(|v| model.up(v)).collect();
        if n == 0 {
            chains = p0.iter().enumerate().map(|(row, p)| drawn(p, draws.hidden(0), row)).collect();
        }
        let mut statistics = model.zeros();
        for (v, p) in data.iter().zip(&p0) {
            statistics.add_statistics(v, p, 1.0 / data.len() as f64);
        }
        let driven = if config.sampler == Sampler::Fast { model.with(&fast, |w, f| w + f) } else { model.clone() };
        let count = chains.len() as f64;
        for (row, h) in chains.iter_mut().enumerate() {
            let mut v = Vec::new();
            for k in 0..rule.cd_steps {
                let p = driven.down(h);
                let sampled = rule.visible_states == VisibleStates::Sampled;
                v = if sampled { drawn(&p, draws.visible(k), row) } else { p };
                *h = drawn(&driven.up(&v), draws.hidden(k + 1), row);
            }
            statistics.add_statistics(&v, &model.up(&v), -1.0 / count);
        }
        let mut gradient = statistics.clone();
        let share = (1.0 / (step as f64 + 1.0)).max(0.01);
        if config.centred {
            let follow = |offset: &mut Vec<f64>, mean: Vec<f64>| {
                offset.iter_mut().zip(mean).for_each(|(offset, mean)| *offset += share * (mean - *offset));
            };
            follow(&mut mu, mean(&data));
            follow(&mut lambda, mean(&p0));
            for (i, row) in gradient.w.iter_mut().enumerate() {
                for (j, w) in row.iter_mut().enumerate() {
                    *w -= mu[i] * statistics.hb[j] + statistics.vb[i] * lambda[j];
                }
            }
        }
        let eta = rule.learning_rate;
        velocity = velocity.with(&gradient, |v, g| rule.momentum * v + eta * g);
        for (velocity, w) in velocity.w.iter_mut().flatten().zip(model.w.iter().flatten()) {
            *velocity -= eta * rule.weight_cost * w;
        }
        model = model.with(&velocity, |w, v| w + v);
        if config.centred {
            for (i, row) in velocity.w.iter().enumerate() {
                for (j, dw) in row.iter().enumerate() {
                    model.vb[i] -= dw * lambda[j];
                    model.hb[j] -= dw * mu[i];
                }
            }
        }
        fast = fast.with(&statistics, |f, g| 0.95 * f + rule.fast_learning_rate * g);
        let share = (1.0 / (step as f64 + 1.0)).max(1.0 - config.averaging);
        average = average.with(&model, |a, m| a + share * (m - a));
    }
    if config.averaging > 0.0 { average } else { model }
}

fn trained(rbm: &Rbm, batches: &[Batch], config: &TrainConfig) -> Rbm {
    let config = TrainConfig { epochs: 1, ..config.clone() };
    let monitors = Monitors { train: batches[0].clone(), ..Monitors::default() };
    let mut trainer = Trainer::new(rbm, config).unwrap();
    trainer.fit(&mut Fixed(batches.to_vec()), &monitors, &mut ()).unwrap();
    trainer.snapshot().model().unwrap()
}

fn methods() -> Vec<(&'static str, TrainConfig)> {
    let plain = TrainConfig { momentum: 0.5, weight_cost: 1e-2, learning_rate: 0.1, threads: 2, ..crate::plain() };
    let persistent = TrainConfig { persistent_chains: 23, cd_steps: 2.into(), ..plain.clone() };
    vec![
        ("centred", TrainConfig { centred: true, ..plain.clone() }),
        ("centred chains", TrainConfig { centred: true, ..persistent.clone() }),
        ("fast", TrainConfig { sampler: Sampler::Fast, fast_learning_rate: 0.2, ..persistent.clone() }),
        (
            "fast and centred",
            TrainConfig { sampler: Sampler::Fast, fast_learning_rate: 0.1, centred: true, ..persistent.clone() },
        ),
        ("average", TrainConfig { averaging: 0.7, ..plain.clone() }),
        ("average of centred chains", TrainConfig { averaging: 0.7, centred: true, ..persistent }),
    ]
}

#[test]
fn every_method_takes_the_steps_of_its_paper() {
    for (name, config) in methods() {
        for (visible, hidden) in [(7, 5), (33, 64), (97, 31)] {
            let rbm = random_rbm(visible, hidden, 0.2, 1);
            for (kind, batches) in [
                ("binary", (0..4).map(|i| binary(20, visible, 0.3, 5 + i)).collect::<Vec<_>>()),
                ("real", vec![real(20, visible, 0.3, 7), real(12, visible, 1.1, 8)]),
                ("several chunks", vec![binary(301, visible, 0.6, 9), binary(150, visible, 0.6, 10)]),
            ] {
                let expected = reference(&rbm, &batches, &config);
                let what = format!("{name}, {kind}, {visible}x{hidden}");
                expected.close_to(&trained(&rbm, &batches, &config), &what);
                // Otherwise the method would not be seen.
                let plain = TrainConfig { centred: false, averaging: 0.0, sampler: Sampler::Gibbs, ..config.clone() };
                assert!(bits(&trained(&rbm, &batches, &plain)) != bits(&trained(&rbm, &batches, &config)), "{what}");
            }
        }
    }
}

/// Calling a pixel's states by each other's names is the same data. Centred learning does not notice:
/// what it learns from either is the same model, unit for unit, but for rounding. Learning that is not
/// centred does.
#[test]
fn centred_learning_does_not_depend_on_which_state_is_called_on() {
    let (visible, hidden) = (40, 12);
    let rbm = random_rbm(visible, hidden, 0.1, 3);
    let flips: Vec<bool> = (0..visible).map(|i| i % 3 != 0).collect();
    let batches: Vec<Batch> = (0..30).map(|i| binary(25, visible, 0.2, 40 + i)).collect();
    let flipped: Vec<Batch> = batches
        .iter()
        .map(|batch| {
            let states = batch.to_values();
            let flip = |(at, &v): (usize, &f32)| if flips[at % visible] { 1.0 - v } else { v };
            let states: Vec<f32> = states.iter().enumerate().map(flip).collect();
            Batch::Binary(Bits::from_values(batch.rows(), visible, &states))
        })
        .collect();
    // v_i becomes 1 - v_i: w_i and vb_i change their signs, and hb takes w_i over.
    let flip = |rbm: &Rbm| {
        let Written { mut w, mut hb, mut vb } = Written::of(rbm);
        for i in (0..visible).filter(|&i| flips[i]) {
            for (hb, w) in hb.iter_mut().zip(&mut w[i]) {
                *hb += *w;
                *w = -*w;
            }
            vb[i] = -vb[i];
        }
        let tensor = |values: &[f64], shape: &[usize]| {
            let values: Vec<f32> = values.iter().map(|&x| x as f32).collect();
            Tensor::from_vec(values, shape, &Device::Cpu).unwrap()
        };
        Rbm::from_tensors(tensor(&w.concat(), &[visible, hidden]), tensor(&hb, &[hidden]), tensor(&vb, &[visible]))
            .unwrap()
    };
    let difference = |centred: bool| {
        let config = TrainConfig {
            centred,
            learning_rate: 0.2,
            weight_cost: 1e-2,
            // Uniforms would be compared with 1 - p instead of p.
            visible_states: VisibleStates::Probabilities,
            ..crate::plain()
        };
        let straight = Written::of(&trained(&rbm, &batches, &config));
        let detour = Written::of(&flip(&trained(&flip(&rbm), &flipped, &config)));
        let distance = straight.with(&detour, |a, b| (a - b).abs());
        distance.w.iter().flatten().chain(&distance.hb).chain(&distance.vb).copied().fold(0.0, f64::max)
    };
    assert!(difference(true) < 1e-4, "centred: {}", difference(true));
    assert!(difference(false) > 0.05, "not centred: {}", difference(false));
}

/// A step along a gradient that is kept is the step that is taken at once: the same bits.
#[test]
fn a_gradient_that_is_kept_leads_to_the_same_step() {
    let label_w: Vec<f32> = crate::uniforms(3, 70, 5).iter().map(|u| u - 0.5).collect();
    let parameters = Parameters {
        w_rec: crate::uniforms(97, 70, 1).iter().map(|u| u - 0.5).collect(),
        hb: vec![0.1; 70],
        vb: vec![-0.1; 97],
        label_w,
        label_b: vec![0.1, 0.2, -0.3],
        ..Parameters::default()
    };
    let rule = deepbelief_kernels::StepRule { learning_rate: 0.1, momentum: 0.5, l2: 1e-3, l1: 1e-4 };
    let sparsity = Sparsity { target: 0.1, cost: 0.1 };
    for batch in [binary(40, 97, 0.2, 2), real(40, 97, 0.2, 3), real(150, 97, 1.1, 4)] {
        let labels: Vec<u32> = (0..batch.rows() as u32).map(|row| row % 3).collect();
        let mut at_once = PackedRbm::new(97, 70, &parameters);
        let mut kept = at_once.clone();
        let mut gradient = Statistics::default();
        for step in 0..3 {
            for machine in [&mut at_once, &mut kept] {
                machine.infer_hidden(&batch, &labels, Some(Uniforms::new(1, Stream::Hidden, step)));
                machine.sample_visible(Uniforms::new(1, Stream::Visible, step));
            }
            let largest = at_once.update(&batch, &rule, sparsity);
            kept.statistics(&batch, sparsity, &mut gradient);
            assert_eq!(largest.to_bits(), kept.step(&gradient, &rule, None).to_bits());
            assert!(at_once.parameters() == kept.parameters() && at_once.velocities() == kept.velocities());
        }
    }
}

/// A run of six epochs, and the same stopped after two and resumed from its file, for every method;
/// with one thread and with three.
#[test]
fn what_methods_remember_is_resumed_to_the_bit() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.safetensors");
    let batches: Vec<Batch> = (0..4).map(|i| binary(20, 60, 0.3, i)).collect();
    let monitors = Monitors { train: batches[0].clone(), ..Monitors::default() };
    let base = TrainConfig { epochs: 6, ..crate::plain() };
    let tempered = TrainConfig {
        sampler: Sampler::Tempered,
        temperatures: 4,
        persistent_chains: 9,
        cd_steps: 3.into(),
        ..base.clone()
    };
    let mut all = methods();
    all.push(("tempered", tempered.clone()));
    all.push(("trajectory", TrainConfig { sampler: Sampler::Trajectory, learning_rate: 0.5, ..tempered.clone() }));
    all.push(("tempered, centred, averaged", TrainConfig { centred: true, averaging: 0.9, ..tempered }));
    all.push(("ln Z along the path", TrainConfig { log_z_every: 1, ..base }));
    for (name, config) in all {
        let config = TrainConfig { epochs: 6, ..config };
        let plain = random_rbm(60, 40, 0.2, 3);
        let group = LabelGroup::zeros(3, &plain).unwrap();
        for rbm in [plain.clone(), plain.with_labels(group).unwrap()] {
            let classes = rbm.labels().map_or(0, LabelGroup::classes);
            let labels: Vec<u32> = if classes > 0 { (0..20).map(|row| row % 3).collect() } else { Vec::new() };
            let valid = Some(binary(20, 60, 0.3, 9));
            let valid_labels = labels.clone();
            let monitors = Monitors { train_labels: labels.clone(), valid, valid_labels, ..monitors.clone() };
            let mut data = Labelled::new(batches.iter().map(|batch| (batch.clone(), labels.clone())).collect());
            let fit = |trainer: &mut Trainer, data: &mut Labelled| {
                let mut seen = Vec::new();
                let mut watch = |metrics: &deepbelief_rbm::EpochMetrics| seen.push(metrics.log_z);
                trainer.fit(data, &monitors, &mut watch).unwrap();
                seen
            };
            let mut whole = Trainer::new(&rbm, config.clone()).unwrap();
            let expected = fit(&mut whole, &mut data);
            assert_eq!(expected.iter().all(Option::is_some), config.log_z_every > 0, "{name}");

            // Estimates draw from streams of their own.
            let unseen = TrainConfig { log_z_every: 0, ..config.clone() };
            let mut unseen = Trainer::new(&rbm, unseen).unwrap();
            fit(&mut unseen, &mut data);
            let same = bits(&unseen.snapshot().model().unwrap()) == bits(&whole.snapshot().model().unwrap());
            assert!(same, "{name}: looking changed what was learned");

            let first = TrainConfig { epochs: 2, threads: 1, ..config.clone() };
            let mut part = Trainer::new(&rbm, first).unwrap();
            let mut seen = fit(&mut part, &mut data);
            part.snapshot().state().unwrap().save(&path).unwrap();
            let rest = TrainConfig { threads: 3, ..config.clone() };
            let mut part = Trainer::resume(rest, TrainState::load(&path).unwrap(), &Device::Cpu).unwrap();
            seen.extend(fit(&mut part, &mut data));
            assert_eq!(seen, expected, "{name}");
            let (part, whole) = (part.snapshot(), whole.snapshot());
            assert!(bits(&part.model().unwrap()) == bits(&whole.model().unwrap()), "{name}, {classes} classes");
            let best = part.best().map(|best| (best.epoch, best.score, bits(&best.model)));
            assert!(best == whole.best().map(|best| (best.epoch, best.score, bits(&best.model))), "{name}");
            let (part, whole) = (part.state().unwrap(), whole.state().unwrap());
            assert!(part.learned == whole.learned && part.position == whole.position, "{name}, {classes} classes");
        }
    }
}

#[test]
fn a_training_goes_on_by_the_methods_it_started_with() {
    let rbm = random_rbm(9, 5, 0.2, 3);
    let batches = vec![binary(20, 9, 0.3, 1)];
    let config = TrainConfig { epochs: 1, persistent_chains: 4, ..crate::plain() };
    let monitors = Monitors { train: batches[0].clone(), ..Monitors::default() };
    let mut trainer = Trainer::new(&rbm, config.clone()).unwrap();
    trainer.fit(&mut Fixed(batches), &monitors, &mut ()).unwrap();
    for (name, other) in [
        ("sampler", TrainConfig { sampler: Sampler::Fast, ..config.clone() }),
        ("sampler", TrainConfig { sampler: Sampler::Tempered, ..config.clone() }),
        ("sampler", TrainConfig { sampler: Sampler::Trajectory, ..config.clone() }),
        ("centred", TrainConfig { centred: true, ..config.clone() }),
        ("averaging", TrainConfig { averaging: 0.9, ..config.clone() }),
        ("persistent_chains", TrainConfig { persistent_chains: 5, ..config.clone() }),
    ] {
        let state = trainer.snapshot().state().unwrap();
        let refusal = Trainer::resume(other, state, &Device::Cpu).map(|_| ()).unwrap_err().to_string();
        assert!(refusal.starts_with(name) && refusal.ends_with("what it was when the training started"), "{refusal}");
    }
    let no_chains = TrainConfig { sampler: Sampler::Tempered, ..crate::plain() };
    let refusal = no_chains.validate().unwrap_err().to_string();
    assert_eq!(refusal, "persistent_chains is 0; it must be at least 1 unless the sampler is gibbs");
}
