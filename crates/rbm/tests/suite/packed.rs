//! The packed training step in F32 against the same step on tensors in F64, which uses none of
//! the kernels, for equal random numbers.
//!
//! Both add the same terms, so parameters agree to rounding. A state could
//! differ only where a probability ties with its uniform to rounding, which the fixed seeds
//! of these sizes do not meet.

use crate::{Fixed, binary, bits, in_f64, random_rbm, real, tensor, uniforms, values};
use candle_core::{DType, Device, Tensor};
use deepbelief_kernels::{Batch, Bits, Level, PackedRbm, Parameters, Sparsity, Stream, Uniforms};
use deepbelief_rbm::{
    Contrastive, Control, Draws, EpochMetrics, Monitors, Observer, Rbm, Snapshot, TrainConfig, Trainer, Velocity,
    VisibleStates,
};

fn compare(name: &str, visible: usize, hidden: usize, batches: &[Batch], config: &TrainConfig) {
    compare_rbm(name, &random_rbm(visible, hidden, 0.2, 1), batches, config);
}

/// The trainer's own form against the update on tensors in F64, from the same RBM.
pub(crate) fn compare_rbm(name: &str, rbm: &Rbm, batches: &[Batch], config: &TrainConfig) {
    let (visible, hidden) = (rbm.visible(), rbm.hidden());
    let config = TrainConfig { epochs: 1, threads: 2, ..config.clone() };
    let monitors = Monitors { train: batches[0].clone(), ..Monitors::default() };
    let mut trainer = Trainer::new(rbm, config.clone()).unwrap();
    trainer.fit(&mut Fixed(batches.to_vec()), &monitors, &mut ()).unwrap();
    let packed = trainer.snapshot().model().unwrap();

    let mut reference = in_f64(rbm);
    let mut velocity = Velocity::zeros(&reference).unwrap();
    let mut chains = first_chains(rbm, &config);
    for (step, batch) in batches.iter().enumerate() {
        let draws = Draws { seed: config.seed, step: step as u32, first: 0 };
        let v0 = tensor(batch).to_dtype(DType::F64).unwrap();
        let rule = config.rule(0);
        match &mut chains {
            None => reference.cd_update(&v0, None, &rule, &mut velocity, draws).unwrap(),
            Some(chains) => reference.pcd_update(&v0, None, &rule, &mut velocity, chains, draws).unwrap(),
        }
    }
    for (what, a, b, start) in [
        ("w_rec", packed.w_rec(), reference.w_rec(), rbm.w_rec()),
        ("hb", packed.hb(), reference.hb(), rbm.hb()),
        ("vb", packed.vb(), reference.vb(), rbm.vb()),
    ] {
        let (a, b, start) = (values(a), values(b), values(start));
        let moved = b.iter().zip(&start).any(|(b, s)| (b - s).abs() > 1e-4);
        // One unit may well reconstruct its one sample perfectly.
        assert!(moved || visible * hidden < 40, "{name}: {what} did not move");
        for (i, (a, b)) in a.iter().zip(&b).enumerate() {
            assert!((a - b).abs() < 2e-6 * (1.0 + b.abs()), "{name}: {what}[{i}] is {a}, reference {b}");
        }
    }
}

/// Where persistent chains start: at fair coins, or normal deviates for Gaussian units.
fn first_chains(rbm: &Rbm, config: &TrainConfig) -> Option<Tensor> {
    let (chains, hidden) = (config.persistent_chains, rbm.hidden());
    let draw = Uniforms::new(config.seed, Stream::Chains, 0);
    let mut normals = vec![0.0; chains * hidden];
    draw.normal(1.0, hidden, &mut normals);
    let coins = || Bits::coins(chains, hidden, draw).to_values();
    let values = if rbm.layers().are_bernoulli() { coins() } else { normals };
    let chains = (chains > 0).then(|| Tensor::from_vec(values, (chains, hidden), &Device::Cpu).unwrap());
    chains.map(|chains| chains.to_dtype(DType::F64).unwrap())
}

#[test]
fn every_rule_on_every_kind_of_data_and_odd_shapes() {
    let plain = TrainConfig { momentum: 0.0, weight_cost: 0.0, learning_rate: 0.1, ..crate::plain() };
    let rules = [
        ("plain", plain.clone()),
        ("momentum and costs", TrainConfig { momentum: 0.5, weight_cost: 1e-2, l1_cost: 1e-3, ..plain.clone() }),
        ("CD-3", TrainConfig { cd_steps: 3.into(), ..plain.clone() }),
        ("persistent chains", TrainConfig { persistent_chains: 23, cd_steps: 2.into(), ..plain.clone() }),
        ("sparsity", TrainConfig { sparsity_cost: 0.3, sparsity_target: 0.05, ..plain.clone() }),
        (
            "visible probabilities",
            TrainConfig { visible_states: VisibleStates::Probabilities, cd_steps: 2.into(), ..plain.clone() },
        ),
    ];
    for (rule, config) in &rules {
        for (visible, hidden) in [(1, 1), (7, 5), (33, 64), (97, 31), (250, 70)] {
            // One sample, a chunk, several uneven chunks; the sizes of the batches differ.
            for rows in [1, 20, 301] {
                for (kind, batches) in [
                    ("binary", vec![binary(rows, visible, 0.2, 5), binary(rows.div_ceil(2), visible, 0.3, 6)]),
                    ("sparse", vec![real(rows, visible, 0.25, 7), real(rows.div_ceil(2), visible, 0.25, 8)]),
                    ("dense", vec![real(rows, visible, 1.1, 9), binary(rows, visible, 0.9, 10)]),
                ] {
                    if visible * hidden * rows < 40 && *rule != "plain" {
                        continue;
                    }
                    compare(&format!("{rule}, {kind}, {visible}x{hidden}, {rows}"), visible, hidden, &batches, config);
                }
            }
        }
    }
}

/// The reconstruction cost of samples after every epoch.
struct Curve {
    v: Tensor,
    costs: Vec<f64>,
}

impl Observer<Contrastive> for Curve {
    fn epoch_done(
        &mut self,
        _: &EpochMetrics,
        snapshot: &Snapshot<'_>,
    ) -> Result<Control, Box<dyn std::error::Error + Send + Sync>> {
        self.costs.push(snapshot.model()?.reconstruction_cost(&self.v)?);
        Ok(Control::Continue)
    }
}

/// Twelve epochs of 5 batches, momentum and a rate that falls: the curves agree to rounding.
#[test]
fn the_cost_curve_is_that_of_the_reference() {
    let config = TrainConfig { epochs: 12, learning_rate: 0.1, cd_steps: "1x6+3".parse().unwrap(), ..crate::plain() };
    let batches: Vec<Batch> = (0..5).map(|batch| binary(20, 97, 0.2, 20 + batch)).collect();
    let (rbm, v) = (random_rbm(97, 31, 0.05, 1), tensor(&batches[0]));
    let mut curve = Curve { v: v.clone(), costs: Vec::new() };
    let mut trainer = Trainer::new(&rbm, config.clone()).unwrap();
    let monitors = Monitors { train: batches[0].clone(), ..Monitors::default() };
    trainer.fit(&mut Fixed(batches.clone()), &monitors, &mut curve).unwrap();

    let (mut reference, v) = (in_f64(&rbm), v.to_dtype(DType::F64).unwrap());
    let mut velocity = Velocity::zeros(&reference).unwrap();
    let start = reference.reconstruction_cost(&v).unwrap();
    for (epoch, &cost) in curve.costs.iter().enumerate() {
        for (at, batch) in batches.iter().enumerate() {
            let v0 = tensor(batch).to_dtype(DType::F64).unwrap();
            let draws = Draws { seed: config.seed, step: (5 * epoch + at) as u32, first: 0 };
            reference.cd_update(&v0, None, &config.rule(epoch as u32), &mut velocity, draws).unwrap();
        }
        let expected = reference.reconstruction_cost(&v).unwrap();
        assert!((cost - expected).abs() < 1e-4, "epoch {epoch}: {cost}, reference {expected}");
    }
    assert!(curve.costs[11] < start - 5.0, "{} after {start}", curve.costs[11]);
}

/// Five updates of each kind of batch at every level this processor has.
#[test]
fn all_instruction_sets_give_the_same_bits() {
    let parameters = Parameters {
        w_rec: uniforms(97, 70, 1).iter().map(|u| u - 0.5).collect(),
        hb: vec![0.1; 70],
        vb: vec![-0.1; 97],
        ..Parameters::default()
    };
    let rule = deepbelief_kernels::StepRule { learning_rate: 0.1, momentum: 0.5, l2: 1e-3, l1: 1e-4 };
    let run = |level: Level| {
        let mut machine = PackedRbm::new(97, 70, &parameters);
        machine.set_level(level);
        for (step, batch) in [binary(40, 97, 0.2, 2), real(40, 97, 0.2, 3), real(150, 97, 1.1, 4)].iter().enumerate() {
            let draw = |stream, k| Uniforms::new(1, stream, step as u32).gibbs(k);
            machine.infer_hidden(batch, &[], Some(draw(Stream::Hidden, 0)));
            machine.sample_visible(draw(Stream::Visible, 0));
            machine.sample_hidden(draw(Stream::Hidden, 1));
            machine.sample_visible(draw(Stream::Visible, 1));
            machine.update(batch, &rule, Sparsity { target: 0.1, cost: 0.1 });
        }
        let measures = machine.measure(&binary(9, 97, 0.2, 5), &[], &[], Uniforms::new(1, Stream::Monitor, 0));
        (machine.parameters(), measures)
    };
    let expected = run(Level::portable());
    for level in Level::available() {
        assert!(run(level) == expected, "{} differs from portable code", level.name());
    }
}

/// The monitors of the packed form against the layer's own free energy, and its costs against
/// the definition.
#[test]
fn measures_agree_with_the_layer() {
    for batch in [binary(140, 50, 0.3, 1), real(140, 50, 0.3, 2), real(9, 50, 1.1, 3)] {
        let rbm = random_rbm(50, 40, 0.5, 2);
        let draw = Uniforms::new(9, Stream::Monitor, 0);
        let parameters = Parameters {
            w_rec: values(rbm.w_rec()),
            hb: values(rbm.hb()),
            vb: values(rbm.vb()),
            ..Parameters::default()
        };
        let got = PackedRbm::new(50, 40, &parameters).measure(&batch, &[], &[], draw);
        let v = tensor(&batch);
        let hidden = rbm.sample_h(&v, draw).unwrap();
        let mean = |x: &[f32]| x.iter().map(|&x| f64::from(x)).sum::<f64>() / batch.rows() as f64;
        let free_energy = mean(&values(&rbm.free_energy(&v).unwrap()));
        assert!((got.free_energy - free_energy).abs() < 1e-4, "{} against {free_energy}", got.free_energy);
        let p = values(&rbm.reverse(&hidden.states).unwrap());
        let cost: Vec<f32> =
            p.iter().zip(values(&v)).map(|(p, v)| -(v * p.ln() + (1.0 - v) * (1.0 - p).ln())).collect();
        assert!((got.reconstruction_cost - mean(&cost)).abs() < 1e-3);
        let activity = values(&hidden.probabilities.mean(0).unwrap());
        for (got, activity) in got.activity.iter().zip(activity) {
            assert!((got - f64::from(activity)).abs() < 1e-5);
        }
    }
}

#[test]
fn measuring_between_updates_changes_nothing() {
    let rbm = random_rbm(60, 40, 0.2, 3);
    let batches: Vec<Batch> = (0..6).map(|i| binary(20, 60, 0.3, i)).collect();
    let train = |measure: bool| {
        let parameters = Parameters {
            w_rec: values(rbm.w_rec()),
            hb: values(rbm.hb()),
            vb: values(rbm.vb()),
            ..Parameters::default()
        };
        let mut machine = PackedRbm::new(60, 40, &parameters);
        for (step, batch) in batches.iter().enumerate() {
            let look = |machine: &mut PackedRbm| {
                if measure {
                    machine.measure(&batches[0], &[], &[], Uniforms::new(8, Stream::Monitor, step as u32));
                }
            };
            machine.infer_hidden(batch, &[], Some(Uniforms::new(1, Stream::Hidden, step as u32)));
            look(&mut machine);
            machine.sample_visible(Uniforms::new(1, Stream::Visible, step as u32));
            look(&mut machine);
            let rule = deepbelief_kernels::StepRule { learning_rate: 0.1, momentum: 0.9, l2: 0.0, l1: 0.0 };
            machine.update(batch, &rule, Sparsity { target: 0.1, cost: 0.0 });
        }
        machine.parameters()
    };
    assert!(train(true) == train(false));
}

#[test]
fn an_empty_batch_moves_nothing() {
    let rbm = random_rbm(40, 33, 0.2, 4);
    let config = TrainConfig { epochs: 1, ..crate::plain() };
    let mut trainer = Trainer::new(&rbm, TrainConfig { weight_cost: 0.0, ..config }).unwrap();
    let monitors = Monitors { train: binary(2, 40, 0.5, 1), ..Monitors::default() };
    trainer.fit(&mut Fixed(vec![binary(0, 40, 0.5, 1)]), &monitors, &mut ()).unwrap();
    assert_eq!(bits(&trainer.snapshot().model().unwrap()), bits(&rbm));
}
