//! Stacks three RBMs on MNIST, the labels at the top, and uses the deep belief net that results:
//! it classifies the test digits, encodes them, and shows what it believes a digit looks like.
//!
//! `cargo run --release -p stack-mnist [EPOCHS] [OUT.safetensors]`

use candle_core::{Device, Tensor};
use deepbelief_data::{BatchConfig, Binarize, LoadOptions, Minibatcher, Source, load};
use deepbelief_rbm::{Control, EpochMetrics, Monitors, Observer, Provenance, Schedule, Snapshot, TrainConfig};
use deepbelief_stack::{Generation, Greedy, LayerConfig, StackConfig, StackObserver};
use std::error::Error;

struct Print;

impl Observer for Print {
    fn epoch_done(&mut self, m: &EpochMetrics, _: &Snapshot<'_>) -> Result<Control, Box<dyn Error + Send + Sync>> {
        println!("layer {}, epoch {}: cost {:.1} nats, {:.1} s", m.layer, m.epoch, m.reconstruction_cost, m.seconds);
        Ok(Control::Continue)
    }
}

impl StackObserver for Print {}

fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let mut words = std::env::args().skip(1);
    let epochs = words.next().unwrap_or_else(|| "10".into()).parse()?;
    let out = words.next().unwrap_or_else(|| "dbn.safetensors".into());

    let data = load(&Source::Mnist, &LoadOptions::default())?;
    let mut minibatches = Minibatcher::new(&data.train, BatchConfig { seed: 1, ..Default::default() })?;
    let schedule = Schedule::Exponential;
    let train = TrainConfig { epochs, learning_rate: 0.1, schedule, final_learning_rate: 0.001, ..Default::default() };
    let mut layers = [500, 500, 2000].map(|hidden| LayerConfig { hidden, train: train.clone(), ..Default::default() });
    // Persistent chains unlearn what the top believes in far from the data: it dreams better.
    layers[2].train = TrainConfig { persistent_chains: 500, learning_rate: 0.05, final_momentum: 0.5, ..train };
    let config = StackConfig { layers: layers.into(), classes: data.classes, ..Default::default() };

    let watched = data.train.select(&(0..2000).collect::<Vec<_>>())?;
    let monitors = Monitors {
        train: watched.batch(0..2000, Binarize::None, 1),
        train_labels: watched.labels().unwrap_or_default(),
        ..Default::default()
    };
    let mut stack = Greedy::new(config)?;
    stack.fit(&mut minibatches, &monitors, &mut Print)?;
    let dbn = stack.dbn()?;
    let provenance = Provenance { dataset: data.name, seed: 1, epochs, ..Default::default() };
    dbn.save(out.as_ref(), &provenance)?;

    let test = data.test.ok_or("MNIST has test digits")?;
    let (pixels, labels) = (test.batch(0..test.samples(), Binarize::None, 1).to_values(), test.labels());
    let v = Tensor::from_vec(pixels, (test.samples(), dbn.visible()), &Device::Cpu)?;
    let wrong = dbn.classify(&v)?.iter().zip(labels.iter().flatten()).filter(|(told, label)| told != label).count();
    println!("{wrong} of {} test digits get another label than theirs", test.samples());
    println!("features of the top layer: {:?}", dbn.encode(&v, dbn.depth(), None)?.dims());

    let seven = Generation { chains: 1, labels: Some(vec![7]), ..Default::default() };
    let fantasy = dbn.generate(&seven)?.remove(0).visible.flatten_all()?.to_vec1::<f32>()?;
    for row in fantasy.chunks(28).step_by(2) {
        println!("{}", row.iter().map(|&p| [' ', '.', '+', '#'][(p * 3.99) as usize]).collect::<String>());
    }
    Ok(())
}
