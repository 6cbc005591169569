//! Training by backpropagation, compared with plain candle, finite differences and itself.

mod gradients;
mod network;
mod refusals;
mod trainer;
mod typed;

use candle_core::{Device, Tensor};
use deepbelief_data::{BatchConfig, Binarize, Minibatcher, Split};
use deepbelief_finetune::{FinetuneConfig, Finetuner, Network, Objective};
use deepbelief_kernels::{Stream, Uniforms};
use deepbelief_rbm::Schedule;
use deepbelief_rbm::{LabelGroup, Monitors, Rbm, RbmConfig};
use deepbelief_stack::Dbn;

/// Settings of a training whose rate is constant, unless a test says otherwise.
pub(crate) fn plain() -> FinetuneConfig {
    FinetuneConfig { epochs: 30, schedule: Schedule::Constant, final_learning_rate: 1e-5, ..Default::default() }
}

type Failure = Box<dyn std::error::Error>;
type Done = Result<(), Failure>;

/// Numbers in [0, 1) of a shape.
fn numbers(rows: usize, columns: usize, step: u32) -> Result<Tensor, Failure> {
    let mut x = vec![0.0; rows * columns];
    Uniforms::new(11, Stream::User, step).fill_row(0, &mut x);
    Ok(Tensor::from_vec(x, (rows, columns), &Device::Cpu)?)
}

/// A stack 9-6-4 with weights large enough to matter and biases that are not zero, with or without
/// three labels.
fn dbn(labelled: bool) -> Result<Dbn, Failure> {
    let rbm = |visible: usize, hidden, seed| {
        Rbm::new(&RbmConfig { hidden, weight_std: 0.7, seed, ..Default::default() }, &vec![0.3; visible], &Device::Cpu)
    };
    let (below, mut top) = (rbm(9, 6, 1)?, rbm(6, 4, 2)?);
    if labelled {
        let labels = LabelGroup { w: numbers(3, 4, 3)?, b: numbers(1, 3, 4)?.squeeze(0)? };
        top = top.with_labels(labels)?;
    }
    Ok(Dbn::from_rbms(vec![below, top])?)
}

/// Ninety samples of three noisy patterns of nine grey pixels, and their labels.
fn patterns() -> Result<Split, Failure> {
    let noise: Vec<f32> = numbers(90, 9, 7)?.flatten_all()?.to_vec1()?;
    let pixel = |i: usize| if i % 9 / 3 == i / 9 % 3 { 255.0 - 90.0 * noise[i] } else { 90.0 * noise[i] };
    let bytes: Vec<u8> = (0..810).map(|i| pixel(i) as u8).collect();
    Ok(Split::new(9, bytes.into(), Some((0..90).map(|i| i % 3).collect()))?)
}

fn minibatches(split: &Split) -> Result<Minibatcher, Failure> {
    Ok(Minibatcher::new(split, BatchConfig { batch_size: 7, ..Default::default() })?)
}

/// All samples as what is measured on, the last thirty as validation.
fn monitors(split: &Split) -> Monitors {
    let labels = split.labels().unwrap_or_default();
    Monitors {
        train: split.batch(0..60, Binarize::default(), 1).unwrap(),
        train_labels: labels[..60].to_vec(),
        valid: Some(split.batch(60..90, Binarize::default(), 1).unwrap()),
        valid_labels: labels[60..].to_vec(),
        ..Default::default()
    }
}

/// Everything on: dropout of both kinds, weight cost, norms, a schedule.
fn config() -> FinetuneConfig {
    FinetuneConfig {
        epochs: 3,
        learning_rate: 0.01,
        schedule: deepbelief_rbm::Schedule::Linear,
        final_learning_rate: 0.005,
        weight_cost: 0.01,
        dropout: 0.25,
        input_dropout: 0.1,
        max_norm: 3.0,
        ..plain()
    }
}

fn network(objective: Objective) -> Result<Network, Failure> {
    Ok(match objective {
        Objective::Classifier => Network::classifier(&dbn(false)?, 3)?,
        Objective::Autoencoder => Network::autoencoder(&dbn(false)?)?,
    })
}

/// A network trained so.
fn trained(objective: Objective, config: FinetuneConfig) -> Result<Network, Failure> {
    let split = patterns()?;
    let mut finetuner = Finetuner::new(&network(objective)?, config)?;
    finetuner.fit(&mut minibatches(&split)?, &monitors(&split), &mut ())?;
    Ok(finetuner.snapshot().model()?)
}

/// All values of a network, layer after layer.
fn values(network: &Network) -> Result<Vec<f32>, Failure> {
    let mut all = Vec::new();
    for (_, tensor) in network.named_tensors("")? {
        all.extend(tensor.flatten_all()?.to_vec1::<f32>()?);
    }
    Ok(all)
}
