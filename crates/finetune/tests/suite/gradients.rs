//! The updates of a training against plain candle: its own linear layers, sigmoids, losses and `AdamW`,
//! and against finite differences of the cost that is measured.

use crate::{Done, Failure, minibatches, monitors, network, patterns, values};
use candle_core::{Device, Tensor, Var};
use candle_nn::{AdamW, Optimizer, ParamsAdamW};
use deepbelief_data::Binarize;
use deepbelief_finetune::{Activation, Dense, FinetuneConfig, Finetuner, Network, Objective, OptimizerKind};
use deepbelief_kernels::{Batch, Minibatches};

/// The variables of a network.
fn variables(network: &Network) -> candle_core::Result<Vec<(Var, Var)>> {
    let var = |tensor: &Tensor| Var::from_tensor(&tensor.copy()?);
    network.layers().iter().map(|Dense { w, b, .. }| Ok((var(w)?, var(b)?))).collect()
}

/// The cost of a minibatch, composed of candle's operations alone.
fn reference_cost(network: &Network, vars: &[(Var, Var)], v: &Tensor, labels: &[u32]) -> Result<Tensor, Failure> {
    let mut h = v.clone();
    for ((w, b), layer) in vars.iter().zip(network.layers()) {
        let z = h.matmul(w)?.broadcast_add(b)?;
        h = if layer.activation == Activation::Sigmoid { candle_nn::ops::sigmoid(&z)? } else { z };
    }
    Ok(match network.objective() {
        Objective::Classifier => {
            candle_nn::loss::cross_entropy(&h, &Tensor::from_slice(labels, labels.len(), &Device::Cpu)?)?
        }
        Objective::Autoencoder => {
            let likelihood = ((v * h.log()?)? + ((1.0 - v)? * (1.0 - &h)?.log()?)?)?;
            (likelihood.sum_all()?.neg()? / v.dim(0)? as f64)?
        }
    })
}

/// Two epochs of 13 minibatches each. Adam divides by the root of mean squares, so that its steps are
/// of the size of the rate, 0.01, whatever the gradients; 26 steps whose gradients differ in the last
/// bits leave less than 1e-3 of one step between the two.
#[test]
fn training_is_what_plain_candle_does() -> Done {
    for objective in [Objective::Classifier, Objective::Autoencoder] {
        let (split, network) = (patterns()?, network(objective)?);
        let config = FinetuneConfig { epochs: 2, learning_rate: 0.01, weight_cost: 0.0, ..crate::plain() };
        let mut finetuner = Finetuner::new(&network, config)?;
        finetuner.fit(&mut minibatches(&split)?, &monitors(&split), &mut ())?;
        let fast = values(&finetuner.snapshot().model()?)?;

        let vars = variables(&network)?;
        let all: Vec<Var> = vars.iter().flat_map(|(w, b)| [w.clone(), b.clone()]).collect();
        let mut adam = AdamW::new(all, ParamsAdamW { lr: 0.01, weight_decay: 0.0, ..Default::default() })?;
        let (mut data, mut batch) = (minibatches(&split)?, Batch::default());
        for epoch in 0..2 {
            data.start_epoch(epoch);
            for index in 0..data.batches() {
                data.fill(index, &mut batch);
                let v = Tensor::from_vec(batch.to_values(), (batch.rows(), 9), &Device::Cpu)?;
                adam.backward_step(&reference_cost(&network, &vars, &v, data.labels().unwrap_or_default())?)?;
            }
        }
        let mut slow = Vec::new();
        for (w, b) in &vars {
            slow.extend(w.t()?.flatten_all()?.to_vec1::<f32>()?);
            slow.extend(b.to_vec1::<f32>()?);
        }
        let apart = fast.iter().zip(&slow).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(apart < 1e-5, "{objective:?}: {apart}");
    }
    Ok(())
}

/// One step of plain gradient descent over all samples is minus the rate times the gradient of the
/// measured cost, by central differences. The cost is known to about 1e-7 in F32 and the step is
/// 0.01, so a difference quotient to about 1e-5 plus a curvature term of 1e-4 times the third
/// derivative; gradients here are of order 0.01 to 1.
#[test]
fn a_step_follows_finite_differences_of_the_cost() -> Done {
    let split = patterns()?;
    let (samples, labels) = (split.batch(0..90, Binarize::default(), 1)?, split.labels().unwrap_or_default());
    for objective in [Objective::Classifier, Objective::Autoencoder] {
        let network = network(objective)?;
        let config = FinetuneConfig {
            epochs: 1,
            optimizer: OptimizerKind::Sgd,
            learning_rate: 1.0,
            momentum: 0.0,
            ..crate::plain()
        };
        let mut finetuner = Finetuner::new(&network, config)?;
        let whole = deepbelief_data::BatchConfig { batch_size: 90, ..Default::default() };
        let mut data = deepbelief_data::Minibatcher::new(&split, whole)?;
        finetuner.fit(&mut data, &monitors(&split), &mut ())?;
        let stepped = finetuner.snapshot().model()?;
        for layer in 0..network.depth() {
            let read = |network: &Network| network.layers()[layer].w.flatten_all()?.to_vec1::<f32>();
            let (before, after) = (read(&network)?, read(&stepped)?);
            for place in (0..before.len()).step_by(5) {
                let cost = |step: f32| -> Result<f64, Failure> {
                    let vars = variables(&network)?;
                    let mut moved = before.clone();
                    moved[place] += step;
                    let w = &vars[layer].0;
                    w.set(&Tensor::from_vec(moved, w.shape(), &Device::Cpu)?)?;
                    let v = Tensor::from_vec(samples.to_values(), (90, 9), &Device::Cpu)?;
                    Ok(f64::from(reference_cost(&network, &vars, &v, &labels)?.to_scalar::<f32>()?))
                };
                let difference = (cost(0.01)? - cost(-0.01)?) / 0.02;
                let gradient = f64::from(before[place] - after[place]);
                assert!(
                    (difference - gradient).abs() < 3e-4,
                    "{objective:?} {layer} {place}: {gradient}, {difference}"
                );
            }
        }
    }
    Ok(())
}
