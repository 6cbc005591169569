//! Tests of the layer, its training and its files; helpers they share stand here.

mod along;
mod annealed_units;
mod cd;
mod checkpoint;
mod enumeration;
mod gaps;
mod gaussian;
mod gaussian_training;
mod labels;
mod likelihood;
mod machines;
mod measured_by_ranks;
mod methods;
mod one_call;
mod options;
mod other_units;
mod packed;
mod pairs;
mod pseudo;
mod ranks;
mod shared_chains;
mod state_files;
mod stuck_chains;
mod trainer;
mod typed;
mod typed_labels;
mod units;
mod verdicts;

use candle_core::{DType, Device, Tensor};
use deepbelief_kernels::{Batch, Bits, Minibatches, Stream, Uniforms};
use deepbelief_rbm::{Monitors, Rbm, Schedule, TrainConfig};

/// Settings of a training whose rate is constant, unless a test says otherwise.
pub(crate) fn plain() -> TrainConfig {
    let schedule = Schedule::Constant;
    TrainConfig { learning_rate: 0.05, schedule, weight_cost: 2e-4, ..Default::default() }
}

/// Batches in stored order, the same every epoch.
#[derive(Clone)]
pub(crate) struct Fixed(pub(crate) Vec<Batch>);

impl Minibatches for Fixed {
    fn samples(&self) -> usize {
        self.0.iter().map(Batch::rows).sum()
    }
    fn units(&self) -> usize {
        self.0[0].units()
    }
    fn batches(&self) -> usize {
        self.0.len()
    }
    fn start_epoch(&mut self, _: u32) {}
    fn fill(&mut self, index: usize, batch: &mut Batch) {
        batch.clone_from(&self.0[index]);
    }
}

/// Batches with labels in stored order, the same every epoch.
pub(crate) struct Labelled {
    pub(crate) batches: Vec<(Batch, Vec<u32>)>,
    filled: usize,
}

impl Labelled {
    pub(crate) fn new(batches: Vec<(Batch, Vec<u32>)>) -> Self {
        Self { batches, filled: 0 }
    }

    /// Measures on the first batch.
    pub(crate) fn monitors(&self) -> Monitors {
        let (train, train_labels) = self.batches[0].clone();
        Monitors { train, train_labels, ..Monitors::default() }
    }
}

impl Minibatches for Labelled {
    fn samples(&self) -> usize {
        self.batches.iter().map(|(batch, _)| batch.rows()).sum()
    }
    fn units(&self) -> usize {
        self.batches[0].0.units()
    }
    fn batches(&self) -> usize {
        self.batches.len()
    }
    fn start_epoch(&mut self, _: u32) {}
    fn fill(&mut self, index: usize, batch: &mut Batch) {
        self.filled = index;
        batch.clone_from(&self.batches[index].0);
    }
    fn labels(&self) -> Option<&[u32]> {
        Some(&self.batches[self.filled].1)
    }
}

/// Reproducible numbers in [0, 1), [rows, columns].
pub(crate) fn uniforms(rows: usize, columns: usize, step: u32) -> Vec<f32> {
    let u = Uniforms::new(77, Stream::User, step);
    let mut out = vec![0.0; rows * columns];
    for (row, out) in out.chunks_exact_mut(columns.max(1)).enumerate() {
        u.fill_row(row as u32, out);
    }
    out
}

/// Binary samples of which about `density` is on.
pub(crate) fn binary(rows: usize, units: usize, density: f32, step: u32) -> Batch {
    let values: Vec<f32> = uniforms(rows, units, step).iter().map(|&u| f32::from(u8::from(u < density))).collect();
    Batch::Binary(Bits::from_values(rows, units, &values))
}

/// Real values of which about `density` is not zero.
pub(crate) fn real(rows: usize, units: usize, density: f32, step: u32) -> Batch {
    let values = uniforms(rows, units, step).iter().map(|&u| if u < density { u / density } else { 0.0 }).collect();
    Batch::Real { rows, units, values }
}

/// An RBM with weights and biases uniform in [-scale, scale].
pub(crate) fn random_rbm(visible: usize, hidden: usize, scale: f64, seed: u32) -> Rbm {
    let tensor = |rows: usize, columns: usize, step: u32| {
        Tensor::from_vec(uniforms(rows, columns, 1000 * seed + step), (rows, columns), &Device::Cpu)
            .and_then(|u| u.affine(2.0 * scale, -scale))
            .unwrap()
    };
    let row = |units: usize, step: u32| tensor(1, units, step).squeeze(0).unwrap();
    Rbm::from_tensors(tensor(visible, hidden, 1), row(hidden, 2), row(visible, 3)).unwrap()
}

/// The same RBM in double precision.
pub(crate) fn in_f64(rbm: &Rbm) -> Rbm {
    rbm.to_dtype(DType::F64).unwrap()
}

pub(crate) fn tensor(batch: &Batch) -> Tensor {
    Tensor::from_vec(batch.to_values(), (batch.rows(), batch.units()), &Device::Cpu).unwrap()
}

pub(crate) fn values(tensor: &Tensor) -> Vec<f32> {
    tensor.to_dtype(DType::F32).unwrap().flatten_all().and_then(|t| t.to_vec1()).unwrap()
}

/// The bits of all parameters.
pub(crate) fn bits(rbm: &Rbm) -> Vec<u32> {
    [rbm.w_rec(), rbm.w_gen(), rbm.hb(), rbm.vb()]
        .iter()
        .flat_map(|t| values(t).into_iter().map(f32::to_bits))
        .collect()
}
