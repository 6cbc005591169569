//! What layers of all kinds start with and learn by: ReLU and dReLU units from their defaults, Adam, the L1b cost.

use crate::{Fixed, binary, tensor, uniforms};
use candle_core::{DType, Device};
use deepbelief_kernels::{Batch, Bits};
use deepbelief_rbm::likelihood::exact_log_partition;
use deepbelief_rbm::{
    Monitors, Optimizer, Rbm, RbmConfig, Schedule, TrainConfig, TrainState, Trainer, UnitKind, UnitMix,
};

const GROUP: usize = 6;

/// 2,000 samples of two groups of bits that are independent given a feature each: one that is on or off, as often one
/// as the other, and one that is on in three samples of ten. Their mean log-likelihood under what drew them.
fn planted() -> (Batch, f64) {
    let (rows, columns) = (2000, 2 * GROUP);
    let probabilities = [[0.9, 0.1], [0.8, 0.1]];
    let shares = [0.5, 0.3];
    let u = uniforms(rows, columns + 2, 40);
    let (mut values, mut sum) = (Vec::new(), 0.0);
    for u in u.chunks_exact(columns + 2) {
        for group in 0..2 {
            let on = u[columns + group] < shares[group] as f32;
            let p = probabilities[group];
            let bits: Vec<bool> =
                u[group * GROUP..][..GROUP].iter().map(|&u| f64::from(u) < p[usize::from(!on)]).collect();
            let given = |p: f64| bits.iter().map(|&bit| if bit { p } else { 1.0 - p }).product::<f64>();
            sum += (shares[group] * given(p[0]) + (1.0 - shares[group]) * given(p[1])).ln();
            values.extend(bits.iter().map(|&bit| f32::from(u8::from(bit))));
        }
    }
    (Batch::Binary(Bits::from_values(rows, columns, &values)), sum / rows as f64)
}

fn means(batch: &Batch) -> Vec<f32> {
    let columns = batch.units();
    let mut sums = vec![0.0; columns];
    for row in batch.to_values().chunks_exact(columns) {
        sums.iter_mut().zip(row).for_each(|(sum, x)| *sum += x / batch.rows() as f32);
    }
    sums
}

/// The mean log-likelihood of samples.
fn log_likelihood(rbm: &Rbm, batch: &Batch) -> f64 {
    let rbm = rbm.to_dtype(DType::F64).unwrap();
    let free = rbm.free_energy(&tensor(batch).to_dtype(DType::F64).unwrap()).unwrap();
    -free.mean_all().unwrap().to_scalar::<f64>().unwrap() - exact_log_partition(&rbm).unwrap()
}

fn minibatches(all: &Batch, size: usize) -> Fixed {
    let (values, columns) = (all.to_values(), all.units());
    let rows = values.chunks_exact(size * columns);
    Fixed(rows.map(|values| Batch::Binary(Bits::from_values(size, columns, values))).collect())
}

fn trained(kind: UnitKind, config: TrainConfig, data: &Batch) -> Rbm {
    let start = RbmConfig { hidden: 16, hidden_units: UnitMix::from(kind), ..RbmConfig::default() };
    let rbm = Rbm::new(&start, &means(data), &Device::Cpu).unwrap();
    let mut trainer = Trainer::new(&rbm, config).unwrap();
    let monitors = Monitors { train: data.clone(), ..Monitors::default() };
    trainer.fit(&mut minibatches(data, 100), &monitors, &mut ()).unwrap();
    trainer.snapshot().model().unwrap()
}

/// What independent bits lose of the likelihood is regained to nine tenths, from the defaults of each kind and each
/// optimizer. The data and all seeds are fixed.
#[test]
fn every_kind_of_hidden_units_finds_planted_features_by_its_defaults() {
    let (data, most) = planted();
    let independent: f64 =
        means(&data).iter().map(|&p| f64::from(p)).map(|p| p * p.ln() + (1.0 - p) * (1.0 - p).ln()).sum();
    assert!(most > independent + 2.0, "{most} {independent}");
    for kind in [UnitKind::Bernoulli, UnitKind::Spin, UnitKind::Relu, UnitKind::Drelu] {
        for optimizer in [Optimizer::Sgd, Optimizer::Adam] {
            // As many updates as `dbn check` recommends.
            let config = TrainConfig { epochs: 500, ..TrainConfig::default().fitted(&UnitMix::from(kind), optimizer) };
            let found = log_likelihood(&trained(kind, config, &data), &data);
            let regained = (found - independent) / (most - independent);
            assert!(regained > 0.9, "{kind}, {optimizer:?}: {found}, {regained} of {independent} to {most}");
        }
    }
}

/// Four epochs by Adam with the L1b cost, and the same stopped after two and resumed from its file, with one thread
/// and with three.
#[test]
fn adam_is_resumed_to_the_bit_on_any_number_of_threads() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.safetensors");
    let data = Fixed((0..3).map(|step| binary(20, 40, 0.3, step)).collect());
    let monitors = Monitors { train: data.0[0].clone(), ..Monitors::default() };
    for kind in [UnitKind::Bernoulli, UnitKind::Spin, UnitKind::Gaussian, UnitKind::Drelu] {
        let start = RbmConfig { hidden: 35, hidden_units: UnitMix::from(kind), ..RbmConfig::default() };
        let rbm = Rbm::new(&start, &means(&data.0[0]), &Device::Cpu).unwrap();
        for persistent_chains in [0, 7] {
            let adam = TrainConfig::default().fitted(&UnitMix::from(kind), Optimizer::Adam);
            // A constant rate: that of a schedule spans the epochs.
            let schedule = Schedule::Constant;
            let config = TrainConfig { epochs: 4, persistent_chains, l1b_cost: 0.1, threads: 1, schedule, ..adam };
            let mut whole = Trainer::new(&rbm, config.clone()).unwrap();
            whole.fit(&mut data.clone(), &monitors, &mut ()).unwrap();
            let mut part = Trainer::new(&rbm, TrainConfig { epochs: 2, ..config.clone() }).unwrap();
            part.fit(&mut data.clone(), &monitors, &mut ()).unwrap();
            part.snapshot().state().unwrap().save(&path).unwrap();
            let rest = TrainConfig { threads: 3, ..config.clone() };
            let mut part = Trainer::resume(rest, TrainState::load(&path).unwrap(), &Device::Cpu).unwrap();
            part.fit(&mut data.clone(), &monitors, &mut ()).unwrap();
            let (part, whole) = (part.snapshot().state().unwrap(), whole.snapshot().state().unwrap());
            assert!(part.learned == whole.learned && part.position == whole.position, "{kind}, {persistent_chains}");
            let other = TrainConfig { optimizer: Optimizer::Sgd, l1b_cost: 0.0, ..config };
            let refusal = Trainer::resume(other, TrainState::load(&path).unwrap(), &Device::Cpu).map(|_| ());
            let refusal = refusal.unwrap_err().to_string();
            assert_eq!(refusal, "optimizer is Sgd; it must be what it was when the training started");
        }
    }
}
