//! Trains an RBM on MNIST, watches it, saves it, and reconstructs a digit.
//!
//! `cargo run --release -p train-rbm [OUT.safetensors]`

use candle_core::Device;
use deepbelief_data::{BatchConfig, Binarize, Dataset, Minibatcher};
use deepbelief_rbm::tensors::from_batch;
use deepbelief_rbm::{EpochMetrics, Monitors, Provenance, Rbm, RbmConfig, TrainConfig, Trainer, save};
use std::path::PathBuf;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let data = Dataset::mnist()?;
    let (train, valid) = data.train.split_validation(5000, 1)?;
    let binarize = Binarize::Fresh;
    let mut minibatches = Minibatcher::new(&train, BatchConfig { binarize, seed: 1, ..Default::default() })?;
    let (train_monitor, valid_monitor) = (train.batch(0..2000, binarize, 1)?, valid.batch(0..2000, binarize, 1)?);
    let monitors = Monitors { train: train_monitor, valid: Some(valid_monitor), ..Default::default() };

    let rbm = Rbm::new(&RbmConfig { hidden: 100, ..Default::default() }, &train.mean()?, &Device::Cpu)?;
    let mut trainer = Trainer::new(&rbm, TrainConfig { epochs: 5, ..Default::default() })?;
    trainer.fit(&mut minibatches, &monitors, &mut |m: &EpochMetrics| {
        let (cost, speed) = (m.reconstruction_cost, m.samples_per_second);
        println!("epoch {}: {cost:.1} nats per digit, {speed:.0} digits a second", m.epoch);
    })?;
    let rbm = trainer.snapshot().model()?;

    let out = std::env::args_os().nth(1).map_or_else(|| PathBuf::from("rbm.safetensors"), PathBuf::from);
    save(&out, &rbm, &Provenance { dataset: data.name.clone(), seed: 1, epochs: 5, ..Default::default() })?;

    let digit = from_batch(&valid.batch([0], binarize, 1)?, &Device::Cpu)?;
    let reconstruction = rbm.reverse(&rbm.forward(&digit)?)?.flatten_all()?.to_vec1::<f32>()?;
    for row in reconstruction.chunks(28).step_by(2) {
        println!("{}", row.iter().map(|&p| [' ', '.', '+', '#'][(p * 3.99) as usize]).collect::<String>());
    }
    Ok(())
}
