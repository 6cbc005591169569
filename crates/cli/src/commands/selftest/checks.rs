//! The checks that every device passes.

use super::outcome::Outcome;
use crate::failure::Result;
use candle_core::{DType, Device, Tensor};
use deepbelief_kernels::{
    Batch, Bits, Layers, Level, Minibatches, PackedRbm, Parameters, Sparsity, StepRule, Stream, Uniforms, ops, philox,
};
use deepbelief_rbm::likelihood::{AnnealConfig, AnnealPath, annealed_importance, exact_log_partition};
use deepbelief_rbm::{Monitors, Rbm, TrainConfig, Trainer};

/// Reproducible numbers in [-scale, scale), [rows, columns].
pub(super) fn numbers(rows: usize, columns: usize, scale: f32, step: u32) -> Vec<f32> {
    let draw = Uniforms::new(81, Stream::User, step);
    let mut out = vec![0.0; rows * columns];
    for (row, out) in out.chunks_exact_mut(columns.max(1)).enumerate() {
        draw.fill_row(row as u32, out);
    }
    out.iter().map(|u| scale * (2.0 * u - 1.0)).collect()
}

/// Binary states, a third of them on.
pub(super) fn states(rows: usize, units: usize, step: u32) -> Bits {
    let values: Vec<f32> = numbers(rows, units, 0.5, step).iter().map(|u| f32::from(u8::from(*u < -0.17))).collect();
    Bits::from_values(rows, units, &values)
}

pub(super) fn parameters(visible: usize, hidden: usize, scale: f32) -> Parameters {
    Parameters {
        w_rec: numbers(visible, hidden, scale, 0),
        hb: numbers(1, hidden, 1.0, 1),
        vb: numbers(1, visible, 1.0, 2),
        ..Parameters::default()
    }
}

/// Largest difference between two sets of parameters; NaN if one has a NaN.
pub(super) fn distance(a: &Parameters, b: &Parameters) -> f64 {
    let pairs = values(a).zip(values(b));
    pairs.map(|(a, b)| f64::from((a - b).abs())).fold(0.0, larger)
}

/// The larger of two errors; NaN if the second is.
pub(super) fn larger(most: f64, error: f64) -> f64 {
    if error <= most { most } else { error }
}

/// Weights, biases and other fields.
fn values(p: &Parameters) -> impl Iterator<Item = f32> + '_ {
    let fields = p.visible_fields.each().into_iter().chain(p.hidden_fields.each());
    let fields = fields.flat_map(|(_, values)| values);
    p.w_rec.iter().chain(&p.hb).chain(&p.vb).chain(fields).copied()
}

/// The known answers of the Random123 distribution for Philox4x32-10.
#[expect(clippy::unnecessary_wraps, reason = "a check like the others")]
pub(super) fn generator(_: &Device) -> Result<Outcome> {
    let known = [
        (philox([0; 4], [0; 2]), [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]),
        (philox([u32::MAX; 4], [u32::MAX; 2]), [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]),
        (
            philox([0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344], [0xa409_3822, 0x299f_31d0]),
            [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1],
        ),
    ];
    let wrong = known.iter().filter(|(got, want)| got != want).count();
    Ok(Outcome { error: wrong as f64, limit: 0.0, unit: "blocks differ" })
}

/// Three steps of CD-1 at each instruction set that this processor has: the same bits.
#[expect(clippy::unnecessary_wraps, reason = "a check like the others")]
pub(super) fn levels(_: &Device) -> Result<Outcome> {
    let run = |level| {
        let mut machine = PackedRbm::new(784, 500, &parameters(784, 500, 0.1));
        machine.set_level(level);
        steps(&mut machine, 3);
        machine.parameters()
    };
    let slowest = run(Level::portable());
    let differ = Level::available().into_iter().filter(|&level| run(level) != slowest).count();
    Ok(Outcome { error: differ as f64, limit: 0.0, unit: "instruction sets differ" })
}

fn steps(machine: &mut PackedRbm, n: u32) {
    let rule = StepRule { learning_rate: 0.05, momentum: 0.5, l2: 1e-3, l1: 0.0 };
    for step in 0..n {
        let v0 = Batch::Binary(states(100, machine.visible(), 10 + step));
        machine.infer_hidden(&v0, &[], Some(Uniforms::new(1, Stream::Hidden, step)));
        machine.sample_visible(Uniforms::new(1, Stream::Visible, step));
        machine.update(&v0, &rule, Sparsity { target: 0.1, cost: 0.0 });
    }
}

/// Products and probabilities on the device against candle's own on the CPU in double precision.
pub(super) fn kernels(device: &Device) -> Result<Outcome> {
    let (v, w) = (states(100, 784, 20).to_values(), numbers(784, 500, 0.2, 21));
    let v = Tensor::from_vec(v, (100, 784), &Device::Cpu)?;
    let w = Tensor::from_vec(w, (784, 500), &Device::Cpu)?;
    let bias = Tensor::from_vec(numbers(1, 500, 1.0, 22), 500, &Device::Cpu)?;
    let draw = Uniforms::new(3, Stream::User, 1);
    let x = ops::product(&v.to_device(device)?, &w.to_device(device)?)?;
    let (p, _) = ops::bernoulli(&x, &bias.to_device(device)?, draw)?;
    let exact = v.to_dtype(DType::F64)?.matmul(&w.to_dtype(DType::F64)?)?;
    let (exact, _) = ops::bernoulli(&exact, &bias.to_dtype(DType::F64)?, draw)?;
    let p = p.to_device(&Device::Cpu)?.to_dtype(DType::F64)?;
    let error = (p - exact)?.abs()?.flatten_all()?.max(0)?.to_scalar::<f64>()?;
    Ok(Outcome { error, limit: 1e-5, unit: "in a probability" })
}

/// One batch, again and again.
struct One(Batch);

impl Minibatches for One {
    fn samples(&self) -> usize {
        self.0.rows()
    }
    fn units(&self) -> usize {
        self.0.units()
    }
    fn batches(&self) -> usize {
        1
    }
    fn start_epoch(&mut self, _: u32) {}
    fn fill(&mut self, _: usize, batch: &mut Batch) {
        batch.clone_from(&self.0);
    }
}

/// Trains an RBM on one batch.
pub(super) fn trained(rbm: &Rbm, data: &Batch, config: TrainConfig) -> Result<Parameters> {
    let mut trainer = Trainer::new(rbm, config)?;
    let monitors = Monitors { train: data.clone(), ..Monitors::default() };
    trainer.fit(&mut One(data.clone()), &monitors, &mut ())?;
    Ok(trainer.snapshot().model()?.to_parameters()?)
}

/// Chains of the negative phase: a mean of theirs has a standard error below 1/2 / sqrt(chains).
const CHAINS: usize = 20_000;

/// The step of PCD with many chains, run long, is the gradient of the log-likelihood, which sixteen
/// times sixty-four states give exactly. Five standard errors may lie between, of 34 numbers: a
/// right program fails for one seed in fifty thousand, and the seed is fixed.
pub(super) fn gradient(device: &Device) -> Result<Outcome> {
    let (visible, hidden) = (6, 4);
    let start = parameters(visible, hidden, 1.0);
    let data = states(50, visible, 30);
    let rbm = Rbm::from_parameters(&Layers::bernoulli(visible, hidden), start.clone(), device)?;
    let config = TrainConfig {
        epochs: 1,
        learning_rate: 1.0,
        momentum: 0.0,
        momentum_switch: 1,
        weight_cost: 0.0,
        cd_steps: 200.into(),
        persistent_chains: CHAINS,
        ..TrainConfig::default()
    };
    let after = trained(&rbm, &Batch::Binary(data.clone()), config)?;
    let mut expected = start.clone();
    add_gradient(&start, &data.to_values(), visible, hidden, &mut expected);
    Ok(Outcome { error: distance(&after, &expected), limit: 2.5 / (CHAINS as f64).sqrt(), unit: "in a gradient" })
}

/// Adds the exact gradient of the mean log-likelihood of `data` at `p` to `sum`.
fn add_gradient(p: &Parameters, data: &[f32], visible: usize, hidden: usize, sum: &mut Parameters) {
    let input = |v: &[f32], j: usize| -> f64 {
        let terms = v.iter().enumerate().map(|(i, &x)| f64::from(x) * f64::from(p.w_rec[i * hidden + j]));
        f64::from(p.hb[j]) + terms.sum::<f64>()
    };
    let mut add = |v: &[f32], weight: f64| {
        for j in 0..hidden {
            let on = weight / (1.0 + (-input(v, j)).exp());
            sum.hb[j] += on as f32;
            for (i, &x) in v.iter().enumerate() {
                sum.w_rec[i * hidden + j] += (on * f64::from(x)) as f32;
            }
        }
        for (sum, &x) in sum.vb.iter_mut().zip(v) {
            *sum += (weight * f64::from(x)) as f32;
        }
    };
    let samples = data.len() / visible;
    for v in data.chunks_exact(visible) {
        add(v, 1.0 / samples as f64);
    }
    let all: Vec<Vec<f32>> =
        (0..1u32 << visible).map(|word| (0..visible).map(|i| (word >> i & 1) as f32).collect()).collect();
    let weight = |v: &Vec<f32>| -> f64 {
        let linear: f64 = v.iter().zip(&p.vb).map(|(&x, &b)| f64::from(x) * f64::from(b)).sum();
        (linear + (0..hidden).map(|j| input(v, j).exp().ln_1p()).sum::<f64>()).exp()
    };
    let weights: Vec<f64> = all.iter().map(weight).collect();
    let z: f64 = weights.iter().sum();
    for (v, weight) in all.iter().zip(&weights) {
        add(v, -weight / z);
    }
}

pub(super) fn annealing(device: &Device) -> Result<Outcome> {
    let rbm = Rbm::from_parameters(&Layers::bernoulli(40, 15), parameters(40, 15, 0.7), &Device::Cpu)?;
    let exact = exact_log_partition(&rbm)?;
    let path = AnnealPath::visible(&rbm, &[0.0; 40])?;
    let estimate = annealed_importance(&rbm.to_device(device)?, &path, &AnnealConfig::default())?.estimate;
    Ok(Outcome { error: (estimate.value - exact).abs(), limit: 0.1, unit: "nats" })
}

/// Two trainings of the same seed: the same bits, whatever the threads.
pub(super) fn repetition(device: &Device) -> Result<Outcome> {
    let rbm = Rbm::from_parameters(&Layers::bernoulli(100, 70), parameters(100, 70, 0.1), device)?;
    let data = Batch::Binary(states(200, 100, 40));
    let run = |threads| trained(&rbm, &data, TrainConfig { epochs: 5, threads, ..TrainConfig::default() });
    Ok(Outcome { error: distance(&run(1)?, &run(2)?), limit: 0.0, unit: "difference" })
}
