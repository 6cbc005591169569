//! How long an epoch of tuning takes, and what it does: 784-500-500-2000 with labels on MNIST,
//! 44,000 samples in balanced batches of 100, pixels grey; one JSON line of metrics an epoch.
//!
//! `cargo run --release -p deepbelief-wake-sleep --example time_epochs [CKPT [STEPS [RATE]]]`: a
//! checkpoint to start from, which a short greedy training writes if it is not there, the epochs as
//! in `3x2,10x1`, and the rate of all weights.

use candle_core::Device;
use deepbelief_data::{BatchConfig, LoadOptions, Minibatcher, Source, load};
use deepbelief_rbm::{Control, Monitors, Observer, Provenance, TrainConfig};
use deepbelief_stack::{Dbn, Greedy, LayerConfig, StackConfig};
use deepbelief_wake_sleep::{Snapshot, TuneConfig, TuneMetrics, Tuner, UpDown};
use std::path::{Path, PathBuf};

type Failure = Box<dyn std::error::Error + Send + Sync>;

struct Print;

impl Observer<UpDown> for Print {
    fn epoch_done(&mut self, metrics: &TuneMetrics, _: &Snapshot<'_>) -> Result<Control, Failure> {
        #[expect(clippy::print_stdout, reason = "the program's output")]
        {
            println!("{}", serde_json::to_string(metrics)?);
        }
        Ok(Control::Continue)
    }
}

fn greedy(path: &Path, data: &mut Minibatcher, monitors: &Monitors) -> Result<Dbn, Failure> {
    if !path.exists() {
        let train = TrainConfig { epochs: 5, learning_rate: 0.1, ..Default::default() };
        let layer = |hidden| LayerConfig { hidden, train: train.clone(), ..Default::default() };
        let layers = [500, 500, 2000].map(layer).to_vec();
        let config = StackConfig { layers, classes: Some(10), balanced: true, ..Default::default() };
        let mut greedy = Greedy::new(config)?;
        greedy.fit(data, monitors, &mut ())?;
        greedy.dbn()?.save(path, &Provenance::default())?;
    }
    Ok(Dbn::load(path, &Device::Cpu)?.0)
}

fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let path: PathBuf = arguments.next().unwrap_or_else(|| "greedy.safetensors".into()).into();
    let top_steps = arguments.next().unwrap_or_else(|| "3x2,6x1,10x1".into()).parse()?;
    let rate: f64 = arguments.next().map_or(Ok(0.01), |rate| rate.parse())?;

    let data = load(&Source::Mnist, &LoadOptions::default())?;
    let (train, valid) = data.train.split_validation(10_000, 1)?;
    let (train, _) = train.split_validation(train.samples() - 44_000, 2)?;
    let config = BatchConfig { balanced: true, seed: 1, ..Default::default() };
    let mut minibatches = Minibatcher::new(&train, config)?;
    let labels = |split: &deepbelief_data::Split, count: usize| split.labels().unwrap_or_default()[..count].to_vec();
    let monitors = Monitors {
        train: train.batch(0..2000, config.binarize, 1)?,
        valid: Some(valid.batch(0..10_000, config.binarize, 1)?),
        train_labels: labels(&train, 2000),
        valid_labels: labels(&valid, 10_000),
        ..Monitors::default()
    };
    let dbn = greedy(&path, &mut minibatches, &monitors)?;
    let config = TuneConfig { top_steps, wake_rate: rate, sleep_rate: rate, top_rate: rate, ..Default::default() };
    Tuner::new(&dbn, config)?.fit(&mut minibatches, &monitors, &mut Print)?;
    Ok(())
}
