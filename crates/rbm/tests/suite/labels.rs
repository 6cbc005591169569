//! The label group: exact posteriors, and the packed step against the one on tensors.

use crate::{Labelled, binary, in_f64, random_rbm, real, tensor, uniforms, values};
use candle_core::{DType, Device, Tensor};
use deepbelief_kernels::Batch;
use deepbelief_rbm::{
    Draws, LabelGroup, Monitors, Outcome, Provenance, Rbm, TrainConfig, TrainState, Trainer, Velocity, load, save,
};

fn labelled_rbm(visible: usize, hidden: usize, classes: usize, scale: f64) -> Rbm {
    let group = random_rbm(classes, hidden, scale, 50);
    let labels = LabelGroup { w: group.w_rec().clone(), b: group.vb().clone() };
    random_rbm(visible, hidden, scale, 51).with_labels(labels).unwrap()
}

fn doubled(rbm: &Rbm) -> Rbm {
    let to = |t: &Tensor| t.to_dtype(DType::F64).unwrap();
    let labels = rbm.labels().unwrap();
    in_f64(rbm).with_labels(LabelGroup { w: to(&labels.w), b: to(&labels.b) }).unwrap()
}

/// p(y|v) and F(v) from sums of exp(-E(v, y, h)) over all h and y of a 4 x 3 machine with three
/// classes.
#[test]
fn label_posteriors_are_exact() {
    let rbm = doubled(&labelled_rbm(4, 3, 3, 1.5));
    let rows = |t: &Tensor| t.to_vec2::<f64>().unwrap();
    let row = |t: &Tensor| t.to_vec1::<f64>().unwrap();
    let (w, u) = (rows(rbm.w_rec()), rows(&rbm.labels().unwrap().w));
    let (hb, vb, b) = (row(rbm.hb()), row(rbm.vb()), row(&rbm.labels().unwrap().b));
    for v in 0..16_usize {
        let v: Vec<f64> = (0..4).map(|i| (v >> i & 1) as f64).collect();
        let joint: Vec<f64> = (0..3)
            .map(|y| {
                (0..8_usize)
                    .map(|h| {
                        let input = |j: usize| hb[j] + u[y][j] + (0..4).map(|i| v[i] * w[i][j]).sum::<f64>();
                        let hidden: f64 = (0..3).filter(|j| h >> j & 1 == 1).map(input).sum();
                        (hidden + b[y] + v.iter().zip(&vb).map(|(v, b)| v * b).sum::<f64>()).exp()
                    })
                    .sum()
            })
            .collect();
        let total: f64 = joint.iter().sum();
        let v = Tensor::from_vec(v, (1, 4), &Device::Cpu).unwrap();
        for (got, joint) in rows(&rbm.label_probabilities(&v).unwrap())[0].iter().zip(&joint) {
            assert!((got - joint / total).abs() < 1e-12);
        }
        assert!((row(&rbm.free_energy(&v).unwrap())[0] + total.ln()).abs() < 1e-12);
    }
}

/// Batches of bits, of some real values and of real values alone, with random labels.
fn labelled_batches(visible: usize, classes: u32, rows: usize) -> Labelled {
    let labels =
        |rows: usize, step| uniforms(1, rows, step).iter().map(|u| (u * classes as f32) as u32).collect::<Vec<u32>>();
    let batches =
        [binary(rows, visible, 0.2, 5), real(rows.div_ceil(2), visible, 0.25, 6), real(rows, visible, 1.1, 7)];
    Labelled::new(batches.into_iter().map(|batch| (batch.clone(), labels(batch.rows(), 8))).collect())
}

fn one_hot(labels: &[u32], classes: usize) -> Tensor {
    let rows = labels.iter().flat_map(|&y| (0..classes).map(move |c| f64::from(u8::from(c == y as usize))));
    Tensor::from_iter(rows, &Device::Cpu).unwrap().reshape((labels.len(), classes)).unwrap()
}

/// As for unlabelled machines (see packed.rs): F32 kernels against F64 tensors, same draws.
#[test]
fn the_packed_step_with_labels_is_the_step_on_tensors() {
    for (visible, hidden, classes) in [(7, 5, 2), (33, 64, 10), (97, 31, 40)] {
        for rows in [1, 20, 301] {
            for steps in [1, 3] {
                let config = TrainConfig {
                    epochs: 1,
                    learning_rate: 0.1,
                    weight_cost: 1e-2,
                    cd_steps: steps.into(),
                    sparsity_cost: 0.1,
                    ..crate::plain()
                };
                let rbm = labelled_rbm(visible, hidden, classes, 0.2);
                let mut data = labelled_batches(visible, classes as u32, rows);
                let monitors = data.monitors();
                let mut trainer = Trainer::new(&rbm, config.clone()).unwrap();
                trainer.fit(&mut data, &monitors, &mut ()).unwrap();
                let packed = trainer.snapshot().model().unwrap();

                let mut reference = doubled(&rbm);
                let mut velocity = Velocity::zeros(&reference).unwrap();
                for (step, (batch, labels)) in data.batches.iter().enumerate() {
                    let v0 = tensor(batch).to_dtype(DType::F64).unwrap();
                    let y0 = one_hot(labels, classes);
                    let draws = Draws { seed: config.seed, step: step as u32, first: 0 };
                    reference.cd_update(&v0, Some(&y0), &config.rule(0), &mut velocity, draws).unwrap();
                }
                let (a, b) = (packed.labels().unwrap(), reference.labels().unwrap());
                for (what, a, b) in [
                    ("label_w", &a.w, &b.w),
                    ("label_b", &a.b, &b.b),
                    ("w_rec", packed.w_rec(), reference.w_rec()),
                    ("hb", packed.hb(), reference.hb()),
                    ("vb", packed.vb(), reference.vb()),
                ] {
                    for (a, b) in values(a).iter().zip(values(b)) {
                        assert!((a - b).abs() < 2e-6 * (1.0 + b.abs()), "{what}, {visible}x{hidden}, {rows}: {a}, {b}");
                    }
                }
            }
        }
    }
}

/// Labels that the samples show plainly are learned; the measured error is the share of wrong
/// arg-max labels.
#[test]
fn labels_are_learned_and_their_error_measured() {
    let labels: Vec<u32> = (0..90).map(|i| i % 3).collect();
    let rows = labels.iter().flat_map(|&y| (0..30).map(move |i| f32::from(u8::from(i % 3 == y))));
    let batch = Batch::Binary(deepbelief_kernels::Bits::from_values(90, 30, &rows.collect::<Vec<_>>()));
    let mut data = Labelled::new(vec![(batch.clone(), labels.clone()); 5]);
    let monitors = data.monitors();
    let base = random_rbm(30, 20, 0.01, 1);
    let rbm = base.clone().with_labels(LabelGroup::zeros(3, &base).unwrap()).unwrap();
    let mut trainer = Trainer::new(&rbm, TrainConfig { epochs: 40, learning_rate: 0.1, ..crate::plain() }).unwrap();
    trainer.fit(&mut data, &monitors, &mut ()).unwrap();
    let trained = trainer.snapshot().model().unwrap();
    let guesses: Vec<u32> = trained.label_scores(&tensor(&batch)).unwrap().argmax(1).unwrap().to_vec1().unwrap();
    assert_eq!(guesses, labels);
}

#[test]
fn resuming_and_saving_keep_the_label_group() {
    let folder = tempfile::tempdir().unwrap();
    let (state, model) = (folder.path().join("state.safetensors"), folder.path().join("model.safetensors"));
    let bits = |rbm: &Rbm| -> Vec<u32> {
        let labels = rbm.labels().unwrap();
        [crate::bits(rbm), values(&labels.w).iter().chain(&values(&labels.b)).map(|x| x.to_bits()).collect()].concat()
    };
    for chains in [0, 12] {
        let config = TrainConfig { epochs: 4, persistent_chains: chains, ..crate::plain() };
        let mut data = labelled_batches(40, 5, 20);
        let monitors = data.monitors();
        let rbm = labelled_rbm(40, 33, 5, 0.1);
        let mut trainer = Trainer::new(&rbm, config.clone()).unwrap();
        assert_eq!(trainer.fit(&mut data, &monitors, &mut ()).unwrap(), Outcome::Finished);
        let whole = trainer.snapshot().model().unwrap();

        let mut trainer = Trainer::new(&rbm, TrainConfig { epochs: 2, ..config.clone() }).unwrap();
        trainer.fit(&mut data, &monitors, &mut ()).unwrap();
        trainer.snapshot().state().unwrap().save(&state).unwrap();
        let mut trainer = Trainer::resume(config, TrainState::load(&state).unwrap(), &Device::Cpu).unwrap();
        trainer.fit(&mut data, &monitors, &mut ()).unwrap();
        assert_eq!(bits(&trainer.snapshot().model().unwrap()), bits(&whole));

        save(&model, &whole, &Provenance::default()).unwrap();
        assert_eq!(bits(&load(&model, &Device::Cpu).unwrap().0), bits(&whole));
    }
}

#[test]
fn labels_that_do_not_fit_are_refused() {
    let rbm = labelled_rbm(40, 9, 5, 0.1);
    let refusal = |data: &mut Labelled, monitors: &Monitors| {
        let mut trainer = Trainer::new(&rbm, crate::plain()).unwrap();
        trainer.fit(data, monitors, &mut ()).unwrap_err().to_string()
    };
    let mut data = labelled_batches(40, 5, 20);
    let unlabelled = Monitors { train_labels: Vec::new(), ..data.monitors() };
    assert_eq!(
        refusal(&mut data, &unlabelled),
        "the training monitor have no labels, which the label group of the model needs; train a model without one"
    );
    let monitors = data.monitors();
    data.batches[0].1[3] = 5;
    assert_eq!(
        refusal(&mut data, &monitors),
        "label 5 (entry 3 of the training data) is not below the number of classes, 5"
    );
}
