//! One contestant of the speed comparison: binary MNIST through the public training loop,
//! measurements and an observer included, or the dense products of the same step alone.
//!
//! `bench_cd --workload W1 --data DIR --threads 2 [--epochs N] [--bound]` prints one JSON line.

use candle_core::{Device, Tensor};
use deepbelief_kernels::{Batch, Bits, Minibatches, Stream, Uniforms};
use deepbelief_rbm::{
    Contrastive, Control, EpochMetrics, Monitors, Observer, Rbm, RbmConfig, Snapshot, TrainConfig, Trainer, VisibleBias,
};
use std::error::Error;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Instant;

struct Workload {
    hidden: usize,
    batch: usize,
    chains: usize,
    steps: u32,
}

fn workload(name: &str) -> Result<Workload, String> {
    let (hidden, batch, chains, steps) = match name {
        "W1" | "W1g" => (500, 100, 0, 1),
        "W1b" => (500, 32, 0, 1),
        "W1c" => (500, 2000, 0, 1),
        "W2" => (2000, 100, 0, 1),
        "W3" => (500, 100, 100, 1),
        "W3b" => (500, 100, 0, 10),
        _ => return Err(format!("unknown workload {name}")),
    };
    Ok(Workload { hidden, batch, chains, steps })
}

/// Rates in samples a second with the cores others used meanwhile, and the test reconstruction
/// cost reached.
type Timed = ((Vec<f64>, f64), f64);

/// Images of a folder of IDX files, plain or gzipped, as bytes.
fn images(folder: &Path, name: &str) -> Result<Vec<u8>, Box<dyn Error>> {
    let plain = folder.join(name);
    let bytes = if plain.exists() {
        std::fs::read(plain)?
    } else {
        let mut bytes = Vec::new();
        flate2::read::GzDecoder::new(std::fs::File::open(folder.join(format!("{name}.gz")))?)
            .read_to_end(&mut bytes)?;
        bytes
    };
    Ok(bytes[16..].to_vec())
}

/// Shuffled minibatches of packed binary images, or of grey ones.
struct Shuffled {
    pixels: Vec<u8>,
    packed: Vec<[u32; 25]>,
    order: Vec<u32>,
    batch: usize,
    grey: bool,
}

impl Shuffled {
    fn new(pixels: Vec<u8>, batch: usize, grey: bool) -> Self {
        let pack = |image: &[u8]| {
            std::array::from_fn(|block| {
                let pixels = image[block * 32..784.min(block * 32 + 32)].iter();
                pixels.enumerate().fold(0, |word, (i, &p)| word | (u32::from(p > 127) << i))
            })
        };
        let packed: Vec<_> = pixels.chunks_exact(784).map(pack).collect();
        Self { order: (0..packed.len() as u32).collect(), pixels, packed, batch, grey }
    }

    fn copy(&self, samples: &[u32], batch: &mut Batch) {
        if self.grey {
            for (sample, out) in samples.iter().zip(batch.make_real(samples.len(), 784).chunks_exact_mut(784)) {
                let at = *sample as usize * 784;
                for (out, &p) in out.iter_mut().zip(&self.pixels[at..at + 784]) {
                    *out = f32::from(p) / 255.0;
                }
            }
        } else {
            let bits: &mut Bits = batch.make_binary(samples.len(), 784);
            for (row, &sample) in samples.iter().enumerate() {
                for (block, &word) in self.packed[sample as usize].iter().enumerate() {
                    bits.set_word(row, block, word);
                }
            }
        }
    }
}

impl Minibatches for Shuffled {
    fn samples(&self) -> usize {
        self.packed.len()
    }
    fn units(&self) -> usize {
        784
    }
    fn batches(&self) -> usize {
        self.packed.len().div_ceil(self.batch)
    }
    fn start_epoch(&mut self, epoch: u32) {
        let draw = Uniforms::new(1, Stream::Shuffle, epoch);
        draw.shuffle(0, &mut self.order);
    }
    fn fill(&mut self, index: usize, batch: &mut Batch) {
        let range = index * self.batch..self.order.len().min((index + 1) * self.batch);
        self.copy(&self.order[range], batch);
    }
}

/// Cores that anything but this process used between two looks; 0 where the system does not say.
/// The Python peers throw disturbed epochs away by the same measure (`bench_common.py`).
struct Others {
    busy: f64,
    own: f64,
    at: Instant,
}

impl Others {
    fn look() -> Self {
        // Clock ticks are hundredths of a second on Linux.
        let ticks = |text: &str, fields: &[usize]| -> f64 {
            let words: Vec<&str> = text.split_whitespace().collect();
            fields.iter().filter_map(|&i| words.get(i)?.parse::<f64>().ok()).sum::<f64>() / 100.0
        };
        let read = |path| std::fs::read_to_string(path).unwrap_or_default();
        let (all, own) = (read("/proc/stat"), read("/proc/self/stat"));
        let own = own.rsplit_once(')').map_or("", |(_, rest)| rest);
        let busy = ticks(all.lines().next().unwrap_or_default(), &[1, 2, 3, 6, 7, 8]);
        Self { busy, own: ticks(own, &[11, 12]), at: Instant::now() }
    }

    /// Cores in use by others since `self` was taken.
    fn since(&self) -> f64 {
        let now = Self::look();
        ((now.busy - self.busy) - (now.own - self.own)).max(0.0) / (now.at - self.at).as_secs_f64()
    }
}

/// Cores of others below which an epoch counts as undisturbed. Ticks make short looks coarse.
const QUIET: f64 = 0.1;

/// Wall time from one epoch's end to the next, and how disturbed the epoch was.
struct Clock {
    wanted: usize,
    others: Others,
    last: Instant,
    epochs: Vec<(f64, f64)>,
}

impl Observer<Contrastive> for Clock {
    fn epoch_done(&mut self, m: &EpochMetrics, _: &Snapshot<'_>) -> Result<Control, Box<dyn Error + Send + Sync>> {
        // The first epoch warms caches and thread pools up.
        if m.epoch > 1 {
            self.epochs.push((self.last.elapsed().as_secs_f64(), self.others.since()));
        }
        (self.last, self.others) = (Instant::now(), Others::look());
        let quiet = self.epochs.iter().filter(|(_, others)| *others <= QUIET).count();
        Ok(if quiet < self.wanted { Control::Continue } else { Control::Stop })
    }
}

fn train(work: &Workload, data: &Path, threads: usize, epochs: u32, grey: bool) -> Result<Timed, Box<dyn Error>> {
    let mut train = Shuffled::new(images(data, "train-images-idx3-ubyte")?, work.batch, grey);
    let test = Shuffled::new(images(data, "t10k-images-idx3-ubyte")?, work.batch, grey);
    let mut monitors = Monitors { valid: Some(Batch::default()), ..Monitors::default() };
    let first: Vec<u32> = (0..2000).collect();
    train.copy(&first, &mut monitors.train);
    test.copy(&first, monitors.valid.get_or_insert_default());
    let config = RbmConfig { hidden: work.hidden, visible_bias: VisibleBias::Zero, ..Default::default() };
    let rbm = Rbm::new(&config, &[0.5; 784], &Device::Cpu)?;
    let config = TrainConfig {
        // Disturbed epochs are timed again, within reason.
        epochs: 1 + 5 * epochs,
        learning_rate: 0.1,
        momentum: 0.0,
        final_momentum: 0.0,
        weight_cost: 0.0,
        cd_steps: work.steps.into(),
        persistent_chains: work.chains,
        threads,
        ..Default::default()
    };
    let mut trainer = Trainer::new(&rbm, config)?;
    let (others, last) = (Others::look(), Instant::now());
    let mut clock = Clock { wanted: epochs as usize, others, last, epochs: Vec::new() };
    trainer.fit(&mut train, &monitors, &mut clock)?;
    let samples = train.samples() as f64;
    let mut all = Batch::default();
    test.copy(&(0..10_000).collect::<Vec<_>>(), &mut all);
    let v = Tensor::from_vec(all.to_values(), (10_000, 784), &Device::Cpu)?;
    let cost = trainer.snapshot().model()?.reconstruction_cost(&v)?;
    let rates = clock.epochs.iter().map(|&(seconds, others)| (samples / seconds, others)).collect();
    Ok((undisturbed(rates), cost))
}

/// The rates taken while others were quiet, or the least disturbed one.
fn undisturbed(mut rates: Vec<(f64, f64)>) -> (Vec<f64>, f64) {
    rates.sort_by(|a, b| a.1.total_cmp(&b.1));
    let quiet = rates.iter().filter(|(_, others)| *others <= QUIET).count().max(1);
    rates.truncate(quiet);
    (rates.iter().map(|&(rate, _)| rate).collect(), rates.last().map_or(0.0, |&(_, others)| others))
}

/// Samples a second of candle's dense products alone: per Gibbs step one down and one up, the
/// first up, and the two of the gradient.
fn bound(work: &Workload, threads: usize) -> Result<Timed, Box<dyn Error>> {
    // candle reads its number of threads when it first multiplies.
    rayon::ThreadPoolBuilder::new().num_threads(threads).build_global()?;
    let values = |rows: usize, columns: usize, step| -> Result<Tensor, candle_core::Error> {
        let mut out = vec![0.0; rows * columns];
        for (row, out) in out.chunks_exact_mut(columns).enumerate() {
            Uniforms::new(1, Stream::User, step).fill_row(row as u32, out);
        }
        Tensor::from_vec(out, (rows, columns), &Device::Cpu)
    };
    let w = values(784, work.hidden, 0)?;
    let v = values(work.batch, 784, 1)?.lt(0.2)?.to_dtype(candle_core::DType::F32)?;
    let h = values(work.batch, work.hidden, 2)?;
    let mut rates = Vec::new();
    for round in 0..12 {
        let (others, started) = (Others::look(), Instant::now());
        let mut samples = 0;
        while started.elapsed().as_secs_f64() < 0.7 {
            v.matmul(&w)?;
            for _ in 0..work.steps {
                h.matmul(&w.t()?)?;
                v.matmul(&w)?;
            }
            v.t()?.matmul(&h)?;
            v.t()?.matmul(&h)?;
            samples += work.batch;
        }
        if round > 0 {
            rates.push((samples as f64 / started.elapsed().as_secs_f64(), others.since()));
        }
        if rates.iter().filter(|(_, others)| *others <= QUIET).count() == 5 {
            break;
        }
    }
    Ok((undisturbed(rates), f64::NAN))
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let value = |flag: &str| arguments.iter().position(|a| a == flag).and_then(|at| arguments.get(at + 1)).cloned();
    let name = value("--workload").unwrap_or_else(|| "W1".into());
    let threads = value("--threads").map_or(Ok(2), |t| t.parse())?;
    let epochs = value("--epochs").map_or(Ok(3), |t| t.parse())?;
    let data = value("--data").map_or_else(|| PathBuf::from("."), PathBuf::from);
    let work = workload(&name)?;
    let is_bound = arguments.iter().any(|a| a == "--bound");
    let ((mut rates, others), cost) =
        if is_bound { bound(&work, threads)? } else { train(&work, &data, threads, epochs, name == "W1g")? };
    rates.sort_by(f64::total_cmp);
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak =
        status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse::<f64>().ok());
    let line = serde_json::json!({
        "peer": if is_bound { "candle gemm" } else { "deepbelief" },
        "variant": deepbelief_kernels::Level::detect().name(),
        "workload": name,
        "hidden": work.hidden,
        "batch": work.batch,
        "algo": format!("{}-{}", if work.chains > 0 { "pcd" } else { "cd" }, work.steps),
        "samples_per_s_median": f64::midpoint(rates[(rates.len() - 1) / 2], rates[rates.len() / 2]),
        "samples_per_s_min": rates[0],
        "samples_per_s_max": rates[rates.len() - 1],
        "foreign_cores_max": others,
        "rss_peak_mb": peak.map(|kb| kb / 1024.0),
        "test_recon_ce": if cost.is_nan() { None } else { Some(cost) },
        "versions": { "deepbelief": env!("CARGO_PKG_VERSION") },
    });
    #[allow(clippy::print_stdout, reason = "this program's output")]
    {
        println!("{line}");
    }
    Ok(())
}
