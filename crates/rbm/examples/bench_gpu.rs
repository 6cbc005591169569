//! Training on a GPU through the public training loop, measurements included, at the shapes of the
//! CPU's benchmark and a large one; beside it the five dense products of the step alone.
//!
//! `bench_gpu [--seconds S]` prints one JSON line a shape and precision.

use candle_core::{DType, Device, Tensor};
use deepbelief_kernels::{Batch, Minibatches, Precision, Share, Stream, Uniforms};
use deepbelief_rbm::{
    Contrastive, Control, EpochMetrics, Monitors, Observer, Rbm, RbmConfig, Snapshot, TrainConfig, Trainer,
};
use std::error::Error;
use std::time::{Duration, Instant};

/// What is trained.
#[derive(Clone, Copy)]
struct Shape {
    visible: usize,
    hidden: usize,
    batch: usize,
    chains: usize,
    steps: u32,
    samples: usize,
}

const SHAPES: [Shape; 7] = [
    Shape { visible: 784, hidden: 500, batch: 100, chains: 0, steps: 1, samples: 60_000 },
    Shape { visible: 784, hidden: 500, batch: 2000, chains: 0, steps: 1, samples: 60_000 },
    Shape { visible: 784, hidden: 2000, batch: 100, chains: 0, steps: 1, samples: 60_000 },
    Shape { visible: 784, hidden: 500, batch: 100, chains: 100, steps: 1, samples: 60_000 },
    Shape { visible: 784, hidden: 500, batch: 100, chains: 0, steps: 10, samples: 60_000 },
    Shape { visible: 784, hidden: 500, batch: 32, chains: 0, steps: 1, samples: 60_000 },
    Shape { visible: 4096, hidden: 4096, batch: 4096, chains: 0, steps: 1, samples: 65_536 },
];

/// Random binary samples, a fifth of whose units are on, in shuffled minibatches.
struct Random {
    shape: Shape,
    samples: Vec<u32>,
    order: Vec<u32>,
}

impl Random {
    fn new(shape: Shape) -> Self {
        let blocks = shape.visible.div_ceil(32);
        let (draw, p) = (Uniforms::new(1, Stream::User, 0), [0.2; 32]);
        let places = (0..shape.samples * blocks).map(|i| ((i / blocks) as u32, (i % blocks) as u32));
        let samples = places.map(|(row, block)| draw.below(row, block, &p)).collect();
        Self { shape, samples, order: (0..shape.samples as u32).collect() }
    }
}

impl Minibatches for Random {
    fn samples(&self) -> usize {
        self.shape.samples
    }
    fn units(&self) -> usize {
        self.shape.visible
    }
    fn batches(&self) -> usize {
        self.shape.samples.div_ceil(self.shape.batch)
    }
    fn start_epoch(&mut self, epoch: u32) {
        Uniforms::new(1, Stream::Shuffle, epoch).shuffle(0, &mut self.order);
    }
    fn fill(&mut self, index: usize, batch: &mut Batch) {
        let range = index * self.shape.batch..self.order.len().min((index + 1) * self.shape.batch);
        batch.make_binary(0, self.shape.visible).gather(
            self.shape.visible,
            &self.samples,
            &self.order[range],
            Share::WHOLE,
        );
    }
}

/// Wall time from one epoch's end to the next; the first epoch warms everything up.
struct Clock {
    until: Option<Instant>,
    budget: Duration,
    last: Instant,
    epochs: Vec<f64>,
}

impl Observer<Contrastive> for Clock {
    fn epoch_done(&mut self, _: &EpochMetrics, _: &Snapshot<'_>) -> Result<Control, Box<dyn Error + Send + Sync>> {
        match self.until {
            None => self.until = Some(Instant::now() + self.budget),
            Some(_) => self.epochs.push(self.last.elapsed().as_secs_f64()),
        }
        self.last = Instant::now();
        let enough = self.epochs.len() >= 3 && self.until.is_some_and(|until| Instant::now() >= until);
        Ok(if enough { Control::Stop } else { Control::Continue })
    }
}

/// The median epoch's samples a second.
fn train(shape: Shape, precision: Precision, device: &Device, budget: Duration) -> Result<f64, Box<dyn Error>> {
    let mut data = Random::new(shape);
    let mut shown = Batch::default();
    data.fill(0, &mut shown);
    let config = RbmConfig { hidden: shape.hidden, ..Default::default() };
    let rbm = Rbm::new(&config, &vec![0.2; shape.visible], device)?;
    let config = TrainConfig {
        epochs: 10_000,
        learning_rate: 0.01,
        cd_steps: shape.steps.into(),
        persistent_chains: shape.chains,
        precision,
        ..Default::default()
    };
    let mut trainer = Trainer::new(&rbm, config)?;
    let monitors = Monitors { train: shown.head(1000), ..Monitors::default() };
    let mut clock = Clock { until: None, budget, last: Instant::now(), epochs: Vec::new() };
    trainer.fit(&mut data, &monitors, &mut clock)?;
    clock.epochs.sort_by(f64::total_cmp);
    Ok(shape.samples as f64 / clock.epochs[clock.epochs.len() / 2])
}

/// Samples a second of the step's products alone, by candle's own calls of cuBLAS on tensors that stay
/// on the device.
fn products(shape: Shape, precision: Precision, device: &Device, budget: Duration) -> Result<f64, Box<dyn Error>> {
    candle_core::cuda::set_gemm_reduced_precision_f32(precision == Precision::Tf32);
    let dtype = if precision == Precision::Bf16 { DType::BF16 } else { DType::F32 };
    let values = |rows: usize, columns: usize, step| -> candle_core::Result<Tensor> {
        let mut out = vec![0.0; rows * columns];
        for (row, out) in out.chunks_exact_mut(columns).enumerate() {
            Uniforms::new(1, Stream::User, step).fill_row(row as u32, out);
        }
        Tensor::from_vec(out, (rows, columns), device)?.to_dtype(dtype)
    };
    let w = (values(shape.visible, shape.hidden, 0)? - 0.5)?;
    let v = values(shape.batch, shape.visible, 1)?;
    let h = values(shape.batch, shape.hidden, 2)?;
    let step = || -> candle_core::Result<()> {
        v.matmul(&w)?;
        for _ in 0..shape.steps {
            h.matmul(&w.t()?)?;
            v.matmul(&w)?;
        }
        v.t()?.matmul(&h)?;
        v.t()?.matmul(&h)?;
        Ok(())
    };
    for _ in 0..10 {
        step()?;
    }
    device.synchronize()?;
    let (started, mut done) = (Instant::now(), 0);
    while started.elapsed() < budget {
        for _ in 0..20 {
            step()?;
        }
        device.synchronize()?;
        done += 20;
    }
    Ok((done * shape.batch) as f64 / started.elapsed().as_secs_f64())
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let value = |flag: &str| arguments.iter().position(|a| a == flag).and_then(|at| arguments.get(at + 1));
    let budget = Duration::from_secs_f64(value("--seconds").map_or(Ok(1.0), |s| s.parse())?);
    let device = deepbelief_kernels::cuda::Gpu::device(0)?;
    for shape in SHAPES {
        for precision in [Precision::F32, Precision::Tf32, Precision::Bf16] {
            let rate = train(shape, precision, &device, budget)?;
            let bound = products(shape, precision, &device, budget / 2)?;
            let line = serde_json::json!({
                "peer": "deepbelief",
                "visible": shape.visible,
                "hidden": shape.hidden,
                "batch": shape.batch,
                "algo": format!("{}-{}", if shape.chains > 0 { "pcd" } else { "cd" }, shape.steps),
                "precision": precision,
                "samples_per_s": rate,
                "products_samples_per_s": bound,
                "share_of_products": rate / bound,
            });
            #[allow(clippy::print_stdout, reason = "this program's output")]
            {
                println!("{line}");
            }
        }
    }
    Ok(())
}
