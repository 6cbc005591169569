//! The engine of layers of all kinds against the rule on tensors in double precision.

use crate::Fixed;
use crate::machines::{HIDDEN, layer, parameters, random, samples};
use candle_core::{DType, Device, Tensor};
use deepbelief_kernels::{Batch, Bits, Parameters, Stream, Uniforms};
use deepbelief_rbm::{Draws, Layers, Monitors, Optimizer, Rbm, TrainConfig, Trainer, UnitKind, Velocity, states_of};

/// Four updates of a training and of the rule on tensors in double precision end within 2e-4 of one another: an error of
/// 1e-6 a state, in sums over 13 samples, at a rate of 0.1.
pub(crate) fn compare(name: &str, layers: &Layers, config: &TrainConfig) {
    compare_from(name, &random(layers, 7), config);
}

fn compare_from(name: &str, rbm: &Rbm, config: &TrainConfig) {
    let layers = rbm.layers();
    let batches: Vec<Batch> = (0..2).map(|step| samples(&layers.visible, 13, 50 + step)).collect();
    let mut trainer = Trainer::new(rbm, config.clone()).unwrap();
    trainer
        .fit(&mut Fixed(batches.clone()), &Monitors { train: batches[0].clone(), ..Monitors::default() }, &mut ())
        .unwrap();
    let got = trainer.snapshot().model().unwrap();

    let mut reference = rbm.to_dtype(DType::F64).unwrap();
    let mut velocity = Velocity::zeros(&reference).unwrap();
    let draw = Uniforms::new(config.seed, Stream::Chains, 0);
    let (count, hidden) = (config.persistent_chains, &layers.hidden);
    let mut chains = if hidden.is_discrete() {
        let coins = Batch::Binary(Bits::coins(count, hidden.columns(), draw));
        states_of(hidden, &coins, &Device::Cpu).unwrap().to_dtype(DType::F64).unwrap()
    } else {
        // Without weights no input arrives.
        let none = Parameters {
            w_rec: vec![0.0; layers.visible.columns() * hidden.columns()],
            ..rbm.to_parameters().unwrap()
        };
        let alone = Rbm::from_parameters(layers, none, &Device::Cpu).unwrap().to_dtype(DType::F64).unwrap();
        let v = Tensor::zeros((count, layers.visible.columns()), DType::F64, &Device::Cpu).unwrap();
        alone.sample_h(&v, draw).unwrap().states
    };
    let mut step = 0;
    for epoch in 0..config.epochs {
        for batch in &batches {
            let v0 = states_of(&layers.visible, batch, &Device::Cpu).unwrap().to_dtype(DType::F64).unwrap();
            let (rule, draws) = (config.rule(epoch), Draws { seed: config.seed, step, first: 0 });
            if count == 0 {
                reference.cd_update(&v0, None, &rule, &mut velocity, draws).unwrap();
            } else {
                reference.pcd_update(&v0, None, &rule, &mut velocity, &mut chains, draws).unwrap();
            }
            step += 1;
        }
    }
    for (((what, got), (_, exact)), (_, start)) in
        parameters(&got).iter().zip(parameters(&reference)).zip(parameters(rbm))
    {
        let moved = exact.iter().zip(&start).any(|(a, b)| (a - b).abs() > 1e-3);
        assert!(moved || exact.is_empty() || what.contains('.'), "{name}: {what} did not move");
        for (at, (got, exact)) in got.iter().zip(&exact).enumerate() {
            assert!(
                (got - exact).abs() < 2e-4 * (1.0 + exact.abs()),
                "{name}: {what}[{at}] is {got}, on tensors {exact}"
            );
        }
    }
}

fn config() -> TrainConfig {
    TrainConfig { epochs: 2, learning_rate: 0.1, weight_cost: 1e-3, l1_cost: 1e-4, ..crate::plain() }
}

const VISIBLE: [(UnitKind, usize, usize); 4] =
    [(UnitKind::Bernoulli, 1, 7), (UnitKind::Spin, 1, 7), (UnitKind::Categorical, 3, 4), (UnitKind::Gaussian, 1, 5)];

#[test]
fn every_pair_of_kinds_trains_as_on_tensors() {
    for visible in VISIBLE {
        for hidden in HIDDEN {
            let layers = Layers { visible: layer(&[visible]), hidden: layer(&[(hidden, 1, 6)]) };
            let name = format!("{} with {hidden}", visible.0);
            compare(&name, &layers, &config());
            compare(&format!("{name}, chains"), &layers, &TrainConfig { persistent_chains: 11, ..config() });
        }
    }
}

/// ε is as large as gradients are, or the sign of one that is zero but for rounding would be a step of its own.
#[test]
fn every_pair_of_kinds_trains_by_adam_and_with_the_l1b_cost_as_on_tensors() {
    let adam = TrainConfig { optimizer: Optimizer::Adam, learning_rate: 0.01, beta2: 0.99, epsilon: 0.1, ..config() };
    for visible in VISIBLE {
        for hidden in HIDDEN {
            // These are drawn in another way on tensors.
            if visible.0 == UnitKind::Bernoulli && hidden == UnitKind::Gaussian {
                continue;
            }
            let layers = Layers { visible: layer(&[visible]), hidden: layer(&[(hidden, 1, 6)]) };
            let name = format!("{} with {hidden}", visible.0);
            compare(&format!("{name}, l1b"), &layers, &TrainConfig { l1b_cost: 0.5, ..config() });
            compare(&format!("{name}, adam"), &layers, &TrainConfig { persistent_chains: 11, ..adam.clone() });
            compare(&format!("{name}, both"), &layers, &TrainConfig { l1b_cost: 0.5, ..adam.clone() });
        }
    }
}

/// Units whose precision is at the end of its range shrink there.
#[test]
fn units_at_the_end_of_their_range_train_as_on_tensors() {
    for hidden in [UnitKind::Relu, UnitKind::Drelu] {
        let layers = Layers { visible: layer(&[(UnitKind::Categorical, 3, 4)]), hidden: layer(&[(hidden, 1, 6)]) };
        let mut start = random(&layers, 7).to_parameters().unwrap();
        start.w_rec.iter_mut().for_each(|w| *w *= 0.3);
        for log_g in [&mut start.hidden_fields.log_precision, &mut start.hidden_fields.log_precision_below] {
            log_g.fill(1e6_f32.ln());
        }
        let rbm = Rbm::from_parameters(&layers, start, &Device::Cpu).unwrap();
        compare_from(&format!("{hidden}"), &rbm, &TrainConfig { l1b_cost: 0.5, ..config() });
    }
}

#[test]
fn mixtures_train_as_on_tensors() {
    let visible = layer(&[
        (UnitKind::Gaussian, 1, 3),
        (UnitKind::Categorical, 4, 2),
        (UnitKind::Spin, 1, 2),
        (UnitKind::Categorical, 3, 8),
        (UnitKind::Bernoulli, 1, 5),
    ]);
    let hidden = layer(&[
        (UnitKind::Drelu, 1, 3),
        (UnitKind::Spin, 1, 2),
        (UnitKind::Bernoulli, 1, 30),
        (UnitKind::Relu, 1, 2),
        (UnitKind::Gaussian, 1, 2),
    ]);
    for persistent_chains in [0, 11] {
        let config = TrainConfig { persistent_chains, cd_steps: 2.into(), ..config() };
        let discrete = layer(&[(UnitKind::Spin, 1, 3), (UnitKind::Bernoulli, 1, 4)]);
        compare("mixed", &Layers { visible: visible.clone(), hidden: hidden.clone() }, &config);
        compare("mixed below", &Layers { visible: visible.clone(), hidden: discrete }, &config);
    }
}
