//! Stacks three RBMs on MNIST, the labels at the top, and uses the deep belief net that results:
//! it encodes and classifies the test digits, and shows what it believes a seven looks like.
//!
//! `cargo run --release -p stack-mnist [EPOCHS]` writes `dbn.safetensors`.

use candle_core::Device;
use deepbelief_data::{BatchConfig, Binarize, Dataset, Minibatcher};
use deepbelief_rbm::tensors::from_batch;
use deepbelief_rbm::{EpochMetrics, Monitors, Provenance, TrainConfig};
use deepbelief_stack::{Generation, Greedy, StackConfig};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let epochs = std::env::args().nth(1).map_or(Ok(10), |word| word.parse())?;
    let data = Dataset::mnist()?;
    let mut digits = Minibatcher::new(&data.train, BatchConfig::default())?;

    // More Gibbs steps than one, so that long chains find no states that training never saw.
    let train = TrainConfig { epochs, learning_rate: 0.1, cd_steps: 5.into(), ..Default::default() };
    let config = StackConfig { classes: data.classes, ..StackConfig::of_layers(&[500, 500, 2000], &train) };
    let mut stack = Greedy::new(config)?;
    let monitors = Monitors::from_training(&mut digits, 2000);
    stack.fit(&mut digits, &monitors, &mut |m: &EpochMetrics| {
        println!("layer {}, epoch {}: {:.1} nats, {:.1} s", m.layer, m.epoch, m.reconstruction_cost, m.seconds);
    })?;
    let dbn = stack.dbn()?;
    dbn.save("dbn.safetensors".as_ref(), &Provenance { dataset: data.name, seed: 1, epochs, ..Default::default() })?;

    let test = data.test.ok_or("MNIST has test digits")?;
    let v = from_batch(&test.batch(0..test.samples(), Binarize::None, 1)?, &Device::Cpu)?;
    println!("features of the top layer: {:?}", dbn.encode(&v, dbn.depth(), None)?.dims());
    let error = dbn.label_error(&v, &test.labels().unwrap_or_default())?;
    println!("{:.2} % of {} test digits get another label than theirs", 100.0 * error, test.samples());

    let seven = Generation { chains: 1, labels: Some(vec![7]), steps: 200, ..Default::default() };
    let fantasy = dbn.generate(&seven)?.remove(0).visible.flatten_all()?.to_vec1::<f32>()?;
    for row in fantasy.chunks(28).step_by(2) {
        println!("{}", row.iter().map(|&p| [' ', '.', '+', '#'][(p * 3.99) as usize]).collect::<String>());
    }
    Ok(())
}
