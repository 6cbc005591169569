//! The checks of units of all kinds: every pair of kinds that trains, and mixtures.

use super::checks::{distance, larger, numbers, trained};
use super::outcome::Outcome;
use crate::failure::Result;
use candle_core::{DType, Device, Tensor};
use deepbelief_kernels::{Batch, Bits, Fields, Level, Parameters, Sparsity, StepRule, Stream, TypedRbm, Uniforms};
use deepbelief_rbm::likelihood::{AnnealConfig, AnnealPath, Ladder, Means, annealed_importance, exact_log_partition};
use deepbelief_rbm::{Draws, Layers, Rbm, Schedule, Segment, TrainConfig, UnitKind, Units, Velocity, states_of};

const HIDDEN: [UnitKind; 5] =
    [UnitKind::Bernoulli, UnitKind::Spin, UnitKind::Gaussian, UnitKind::Relu, UnitKind::Drelu];

const OFF: Sparsity = Sparsity { target: 0.1, cost: 0.0 };

fn layer(parts: &[(UnitKind, usize, usize)]) -> Units {
    parts.iter().map(|&(units, levels, sites)| Segment { units, levels, sites }).collect()
}

/// Every pair, with so many hidden units, and two mixtures.
fn pairs(hidden: usize) -> Vec<Layers> {
    use UnitKind::{Bernoulli, Categorical, Drelu, Gaussian, Relu, Spin};
    let below = [(Bernoulli, 1, 6), (Spin, 1, 6), (Categorical, 3, 3), (Gaussian, 1, 4)];
    let pair = |below, above| Layers { visible: layer(&[below]), hidden: Units::of(above, hidden) };
    let mut all: Vec<Layers> = below.into_iter().flat_map(|below| HIDDEN.map(|above| pair(below, above))).collect();
    let real = layer(&[(Gaussian, 1, 2), (Categorical, 4, 1), (Spin, 1, 2), (Bernoulli, 1, 2)]);
    let discrete = layer(&[(Spin, 1, 2), (Categorical, 3, 2), (Bernoulli, 1, 1)]);
    all.push(Layers { visible: real, hidden: layer(&[(Bernoulli, 1, 2), (Spin, 1, 1)]) });
    all.push(Layers { visible: discrete, hidden: layer(&[(Drelu, 1, 1), (Gaussian, 1, 1), (Relu, 1, 1)]) });
    all
}

/// Random parameters in the form that updates choose.
fn parameters(layers: &Layers) -> Parameters {
    let (visible, hidden) = (layers.visible.columns(), layers.hidden.columns());
    let fields = |units: &Units, least: f32, step: u32| {
        let mut fields = Fields::at_rest(units);
        let all = numbers(3, units.columns(), 0.2, step);
        for (segment, columns) in units.each().filter(|(segment, _)| segment.units.has_precision()) {
            for ((name, field), drawn) in fields.each_mut().into_iter().zip(all.chunks(units.columns())) {
                if !field.is_empty() && (name == "log_precision" || segment.units == UnitKind::Drelu) {
                    columns.clone().for_each(|at| field[at] = least + drawn[at]);
                }
            }
        }
        fields
    };
    let start = Parameters {
        w_rec: numbers(visible, hidden, 0.5 / (visible as f32).sqrt(), 100),
        hb: numbers(1, hidden, 0.3, 101),
        vb: numbers(1, visible, 0.3, 102),
        visible_fields: fields(&layers.visible, 0.3, 103),
        hidden_fields: fields(&layers.hidden, 0.0, 104),
        ..Parameters::default()
    };
    let (mut machine, v) = (TypedRbm::new(layers, &start), samples(&layers.visible, 2, 105));
    machine.infer_hidden(&v, None);
    machine.set_chains(&v);
    machine.update(&v, &step(0.0), OFF);
    machine.parameters()
}

fn step(learning_rate: f32) -> StepRule {
    StepRule { learning_rate, momentum: 0.0, l2: 0.0, l1: 0.0 }
}

/// Samples that such units can have.
fn samples(units: &Units, rows: usize, step: u32) -> Batch {
    let (columns, u) = (units.columns(), numbers(rows, units.columns(), 1.0, step));
    let mut values = vec![0.0; rows * columns];
    for (u, values) in u.chunks_exact(columns).zip(values.chunks_exact_mut(columns)) {
        for (Segment { units, levels, .. }, range) in units.each() {
            for site in range.step_by(levels) {
                match units {
                    UnitKind::Categorical => {
                        let level = (0.5 * (u[site] + 1.0) * levels as f32) as usize;
                        values[site + level.min(levels - 1)] = 1.0;
                    }
                    UnitKind::Gaussian => values[site] = 1.5 * u[site],
                    _ => values[site] = f32::from(u8::from(u[site] < -0.2)),
                }
            }
        }
    }
    if units.is_discrete() {
        Batch::Binary(Bits::from_values(rows, columns, &values))
    } else {
        Batch::Real { rows, units: columns, values }
    }
}

fn in_f64(layers: &Layers, parameters: &Parameters) -> Result<Rbm> {
    Ok(Rbm::from_parameters(layers, parameters.clone(), &Device::Cpu)?.to_dtype(DType::F64)?)
}

fn doubles(tensor: &Tensor) -> Result<Vec<f64>> {
    Ok(tensor.to_dtype(DType::F64)?.flatten_all()?.to_vec1()?)
}

/// One hidden unit of each kind with an input x over one visible unit: its mean is the quotient of two sums of `x
/// exp(I x - U(x))` and `exp(I x - U(x))`, over its values or over a grid of 0.001 between -20 and 20.
pub(super) fn means(device: &Device) -> Result<Outcome> {
    let (b, b_below, g, g_below) = (0.4_f32, -0.6_f32, 1.7_f32, 0.8_f32);
    let mut error = 0.0;
    for kind in HIDDEN {
        let layers = Layers { visible: Units::of(UnitKind::Gaussian, 1), hidden: Units::of(kind, 1) };
        let mut fields = Fields::at_rest(&layers.hidden);
        for ((_, field), value) in fields.each_mut().into_iter().zip([g.ln(), b_below, g_below.ln()]) {
            field.fill(value);
        }
        let visible_fields = Fields::at_rest(&layers.visible);
        let own = Parameters {
            w_rec: vec![1.0],
            hb: vec![b],
            vb: vec![0.0],
            visible_fields,
            hidden_fields: fields,
            ..Parameters::default()
        };
        let rbm = Rbm::from_parameters(&layers, own, device)?;
        let inputs = [-6.0, -1.3, 0.0, 0.7, 5.0];
        let v = Tensor::from_slice(&inputs.map(|x: f64| x as f32), (inputs.len(), 1), device)?;
        for (input, got) in inputs.into_iter().zip(doubles(&rbm.forward(&v)?)?) {
            let [b, b_below, g, g_below] = [b, b_below, g, g_below].map(f64::from);
            let real = (-20_000..=20_000).map(|at| 0.001 * f64::from(at));
            let values: Vec<f64> = match kind {
                UnitKind::Bernoulli => vec![0.0, 1.0],
                UnitKind::Spin => vec![-1.0, 1.0],
                UnitKind::Relu => real.filter(|x| *x >= 0.0).collect(),
                _ => real.collect(),
            };
            let energy = |x: f64| match kind {
                UnitKind::Drelu if x < 0.0 => x * (0.5 * g_below * x - b_below),
                UnitKind::Bernoulli | UnitKind::Spin => -b * x,
                _ => x * (0.5 * g * x - b),
            };
            // The grid of a ReLU unit ends in the middle of its first cell.
            let share = |x: f64| if kind == UnitKind::Relu && x == 0.0 { 0.5 } else { 1.0 };
            let sum = |of: &dyn Fn(f64) -> f64| {
                values.iter().map(|&x| share(x) * of(x) * (input * x - energy(x)).exp()).sum::<f64>()
            };
            error = larger(error, (got - sum(&|x| x) / sum(&|_| 1.0)).abs());
        }
    }
    Ok(Outcome { error, limit: 2e-5, unit: "in a mean" })
}

/// 20 000 states of both layers of every pair: their means lie within five of their standard errors of what the RBM
/// says. A right program fails for one seed in three thousand, and the seed is fixed.
pub(super) fn draws(device: &Device) -> Result<Outcome> {
    const DRAWS: usize = 20_000;
    let mut error = 0.0;
    for (at, layers) in (0..).zip(pairs(4)) {
        let rbm = Rbm::from_parameters(&layers, parameters(&layers), device)?;
        let v = states_of(&layers.visible, &samples(&layers.visible, 1, 110), device)?;
        let v = v.broadcast_as((DRAWS, layers.visible.columns()))?.contiguous()?;
        let draw = |stream| Uniforms::new(7, stream, at);
        let above = rbm.sample_h(&v, draw(Stream::Hidden))?;
        let h = above.states.narrow(0, 0, 1)?.broadcast_as((DRAWS, layers.hidden.columns()))?.contiguous()?;
        let below = rbm.sample_v(&h, draw(Stream::Visible))?;
        let variances = [rbm.hidden_variance(&v.narrow(0, 0, 1)?)?, rbm.visible_variance(&h.narrow(0, 0, 1)?)?];
        for (drawn, variance) in [above, below].iter().zip(variances) {
            let got = doubles(&drawn.states.to_dtype(DType::F64)?.mean(0)?)?;
            let means = doubles(&drawn.probabilities.narrow(0, 0, 1)?)?;
            for ((got, mean), variance) in got.iter().zip(means).zip(doubles(&variance)?) {
                error = larger(error, (got - mean).abs() / (variance / DRAWS as f64).sqrt());
            }
        }
    }
    Ok(Outcome { error, limit: 5.0, unit: "standard errors" })
}

/// The gradient that an update follows, of data and chains that are given, against differences of the free energy.
pub(super) fn gradient(_: &Device) -> Result<Outcome> {
    const RATE: f32 = 1e-6;
    const STEP: f32 = 1e-3;
    let mut error = 0.0;
    for layers in pairs(3) {
        let start = parameters(&layers);
        let (v0, v1) = (samples(&layers.visible, 5, 120), samples(&layers.visible, 5, 121));
        let mut machine = TypedRbm::new(&layers, &start);
        machine.infer_hidden(&v0, None);
        machine.set_chains(&v1);
        machine.update(&v0, &step(RATE), OFF);
        let followed = machine.velocities();
        let mean = |v: &Batch, p: &Parameters| -> Result<f64> {
            let states = states_of(&layers.visible, v, &Device::Cpu)?.to_dtype(DType::F64)?;
            Ok(in_f64(&layers, p)?.free_energy(&states)?.mean_all()?.to_scalar()?)
        };
        for (got, field) in [
            (&followed.w_rec, (|p| &mut p.w_rec) as fn(&mut Parameters) -> &mut Vec<f32>),
            (&followed.hb, |p| &mut p.hb),
            (&followed.vb, |p| &mut p.vb),
        ] {
            for (at, &got) in got.iter().enumerate() {
                let mut gains = Vec::new();
                for by in [STEP, -STEP] {
                    let mut moved = start.clone();
                    field(&mut moved)[at] += by;
                    gains.push((f64::from(field(&mut moved)[at]), mean(&v1, &moved)? - mean(&v0, &moved)?));
                }
                let slope = (gains[0].1 - gains[1].1) / (gains[0].0 - gains[1].0);
                error = larger(error, (f64::from(got / RATE) - slope).abs());
            }
        }
    }
    Ok(Outcome { error, limit: 1e-4, unit: "in a gradient" })
}

fn config() -> TrainConfig {
    let schedule = Schedule::Constant;
    TrainConfig { epochs: 3, learning_rate: 0.05, schedule, weight_cost: 1e-3, threads: 1, ..TrainConfig::default() }
}

/// Three updates against the rule of the papers on tensors in double precision.
pub(super) fn training(device: &Device) -> Result<Outcome> {
    let mut error = 0.0;
    for layers in pairs(4) {
        let (start, data, config) = (parameters(&layers), samples(&layers.visible, 30, 130), config());
        let got = trained(&Rbm::from_parameters(&layers, start.clone(), device)?, &data, config.clone())?;
        let mut reference = in_f64(&layers, &start)?;
        let mut velocity = Velocity::zeros(&reference)?;
        let v = states_of(&layers.visible, &data, &Device::Cpu)?.to_dtype(DType::F64)?;
        for step in 0..config.epochs {
            let draws = Draws { seed: config.seed, step, first: 0 };
            reference.cd_update(&v, None, &config.rule(step), &mut velocity, draws)?;
        }
        error = larger(error, distance(&got, &reference.to_parameters()?));
    }
    Ok(Outcome { error, limit: 1e-4, unit: "in a parameter" })
}

/// Three updates at each instruction set that this processor has: the same bits.
#[expect(clippy::unnecessary_wraps, reason = "a check like the others")]
pub(super) fn levels(_: &Device) -> Result<Outcome> {
    let run = |layers: &Layers, level| {
        let mut machine = TypedRbm::new(layers, &parameters(layers));
        machine.set_level(level);
        for at in 0..3 {
            let v0 = samples(&layers.visible, 70, 140 + at);
            machine.infer_hidden(&v0, Some(Uniforms::new(1, Stream::Hidden, at)));
            machine.sample_visible(Uniforms::new(1, Stream::Visible, at));
            machine.update(&v0, &StepRule { momentum: 0.5, l2: 1e-3, ..step(0.05) }, OFF);
        }
        machine.parameters()
    };
    let pairs = pairs(37);
    let slowest: Vec<Parameters> = pairs.iter().map(|layers| run(layers, Level::portable())).collect();
    let same = |level: &Level| pairs.iter().zip(&slowest).all(|(layers, slowest)| run(layers, *level) == *slowest);
    let differ = Level::available().iter().filter(|level| !same(level)).count();
    Ok(Outcome { error: differ as f64, limit: 0.0, unit: "instruction sets differ" })
}

/// Of every pair but those of real units on both sides, where nothing is summed.
pub(super) fn annealing(_: &Device) -> Result<Outcome> {
    let mut error = 0.0;
    for layers in pairs(4).iter().filter(|layers| layers.visible.is_discrete() || layers.hidden.is_discrete()) {
        let rbm = Rbm::from_parameters(layers, parameters(layers), &Device::Cpu)?;
        let config = AnnealConfig { chains: 200, ladder: Ladder::with_steps(500)?, ..AnnealConfig::default() };
        let means = Means::of(&rbm, &samples(&layers.visible, 100, 150), &[], &config)?;
        let path = AnnealPath::independent(&rbm, &means)?;
        let estimate = annealed_importance(&rbm, &path, &config)?.estimate;
        error = larger(error, (estimate.value - exact_log_partition(&rbm)?).abs());
    }
    Ok(Outcome { error, limit: 0.1, unit: "nats" })
}

/// The same bits, whatever the threads.
pub(super) fn repetition(device: &Device) -> Result<Outcome> {
    let mut error = 0.0;
    for layers in pairs(40) {
        let rbm = Rbm::from_parameters(&layers, parameters(&layers), device)?;
        let data = samples(&layers.visible, 200, 160);
        let run = |threads| trained(&rbm, &data, TrainConfig { threads, persistent_chains: 50, ..config() });
        error = larger(error, distance(&run(1)?, &run(2)?));
    }
    Ok(Outcome { error, limit: 0.0, unit: "difference" })
}
