//! Contrastive divergence as a gradient, and the tie of the two weight matrices.

use crate::{binary, in_f64, random_rbm, real, tensor};
use candle_core::{DType, Device, Tensor};
use deepbelief_rbm::{Draws, Rbm, Rule, TrainConfig, Velocity};

fn plain_rule() -> Rule {
    TrainConfig { learning_rate: 1.0, momentum: 0.0, weight_cost: 0.0, ..crate::plain() }.rule(0)
}

fn doubles(t: &Tensor) -> Vec<f64> {
    t.to_dtype(DType::F64).unwrap().flatten_all().unwrap().to_vec1().unwrap()
}

/// With rate 1, no momentum and no costs, the CD-1 update is minus the gradient of
/// mean F(v0) - mean F(v1), the reconstruction v1 held constant. The gradient is taken by
/// central differences in F64 for every parameter; v1 is recovered from the same draws.
#[test]
fn the_update_is_the_gradient_of_the_difference_of_mean_free_energies() {
    let to = |t: &Tensor| t.to_dtype(DType::F64).unwrap();
    let rbm = in_f64(&random_rbm(6, 5, 0.8, 1));
    for batch in [binary(9, 6, 0.4, 2), real(9, 6, 0.9, 3)] {
        let v0 = to(&tensor(&batch));
        let draws = Draws { seed: 3, step: 7, first: 0 };
        let h0 = rbm.sample_h(&v0, draws.hidden(0)).unwrap().states;
        let v1 = rbm.sample_v(&h0, draws.visible(0)).unwrap().states;

        let objective = |tensors: &[Vec<f64>; 3]| {
            let t = |values: &Vec<f64>| Tensor::from_slice(values, values.len(), &Device::Cpu).unwrap();
            let w = t(&tensors[0]).reshape((6, 5)).unwrap();
            let rbm = Rbm::from_tensors(w, t(&tensors[1]), t(&tensors[2])).unwrap();
            let mean = |v: &Tensor| rbm.free_energy(v).unwrap().mean_all().unwrap().to_scalar::<f64>().unwrap();
            mean(&v0) - mean(&v1)
        };
        let at = [doubles(rbm.w_rec()), doubles(rbm.hb()), doubles(rbm.vb())];
        let mut updated = rbm.clone();
        let mut velocity = Velocity::zeros(&rbm).unwrap();
        updated.cd_update(&v0, None, &plain_rule(), &mut velocity, draws).unwrap();
        let after = [doubles(updated.w_rec()), doubles(updated.hb()), doubles(updated.vb())];

        let step = 1e-5;
        for (which, (before, after)) in at.iter().zip(&after).enumerate() {
            for i in 0..before.len() {
                let mut shifted = [at.clone(), at.clone()];
                shifted[0][which][i] += step;
                shifted[1][which][i] -= step;
                let gradient = (objective(&shifted[0]) - objective(&shifted[1])) / (2.0 * step);
                let update = after[i] - before[i];
                assert!((update + gradient).abs() < 1e-8, "tensor {which}, entry {i}: {update} against {gradient}");
            }
        }
    }
}

#[test]
fn weights_stay_tied_after_many_updates() {
    let mut rbm = random_rbm(13, 7, 0.1, 2);
    let mut velocity = Velocity::zeros(&rbm).unwrap();
    let rule = TrainConfig { cd_steps: 2.into(), l1_cost: 1e-3, sparsity_cost: 0.1, ..crate::plain() }.rule(9);
    for step in 0..50 {
        let v0 = tensor(&binary(10, 13, 0.3, step));
        rbm.cd_update(&v0, None, &rule, &mut velocity, Draws { seed: 1, step, first: 0 }).unwrap();
    }
    let transposed = rbm.w_rec().t().unwrap().contiguous().unwrap();
    assert_eq!(crate::values(&transposed), crate::values(rbm.w_gen()));
}

#[test]
fn a_batch_of_another_width_is_refused() {
    let mut rbm = random_rbm(4, 3, 0.1, 3);
    let mut velocity = Velocity::zeros(&rbm).unwrap();
    let v0 = tensor(&binary(2, 5, 0.5, 1));
    let error =
        rbm.cd_update(&v0, None, &plain_rule(), &mut velocity, Draws { seed: 1, step: 0, first: 0 }).unwrap_err();
    assert_eq!(error.to_string(), "batch: the shape is [2, 5], expected [2, 4]");
}
