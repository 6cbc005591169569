//! Tests of the model, its training and its files; helpers they share stand here.

mod bound;
mod checkpoint;
mod complete;
mod enumeration;
mod export;
mod gaussian;
mod greedy;
mod likelihood;
mod model;
mod propagate;
mod refusals;
mod scorer;
mod shared_chains;
mod typed;
mod typed_labels;

use candle_core::{DType, Device, Tensor};
use deepbelief_kernels::{Batch, Bits, Minibatches, Stream, Uniforms};
use deepbelief_rbm::{FieldTensors, LabelGroup, Rbm};
use deepbelief_rbm::{Schedule, TrainConfig};
use deepbelief_stack::{Dbn, Layer};

/// Settings of a training whose rate is constant, unless a test says otherwise.
pub(crate) fn plain() -> TrainConfig {
    let schedule = Schedule::Constant;
    TrainConfig { learning_rate: 0.05, schedule, weight_cost: 2e-4, ..Default::default() }
}

/// Batches in stored order with their labels, the same every epoch.
#[derive(Clone)]
pub(crate) struct Fixed {
    pub(crate) batches: Vec<Batch>,
    pub(crate) labels: Option<Vec<Vec<u32>>>,
    last: usize,
}

impl Fixed {
    pub(crate) fn new(batches: Vec<Batch>, labels: Option<Vec<Vec<u32>>>) -> Self {
        Self { batches, labels, last: 0 }
    }
}

impl Minibatches for Fixed {
    fn samples(&self) -> usize {
        self.batches.iter().map(Batch::rows).sum()
    }
    fn units(&self) -> usize {
        self.batches[0].units()
    }
    fn batches(&self) -> usize {
        self.batches.len()
    }
    fn start_epoch(&mut self, _: u32) {}
    fn fill(&mut self, index: usize, batch: &mut Batch) {
        self.last = index;
        batch.clone_from(&self.batches[index]);
    }
    fn labels(&self) -> Option<&[u32]> {
        self.labels.as_ref().map(|labels| labels[self.last].as_slice())
    }
}

/// Reproducible numbers in [0, 1), [rows, columns].
pub(crate) fn uniforms(rows: usize, columns: usize, step: u32) -> Vec<f32> {
    let u = Uniforms::new(78, Stream::User, step);
    let mut out = vec![0.0; rows * columns];
    for (row, out) in out.chunks_exact_mut(columns.max(1)).enumerate() {
        u.fill_row(row as u32, out);
    }
    out
}

/// Reproducible numbers in [-scale, scale).
pub(crate) fn tensor(shape: &[usize], scale: f64, step: u32) -> Tensor {
    let values = uniforms(1, shape.iter().product(), step);
    Tensor::from_vec(values, shape, &Device::Cpu).and_then(|u| u.affine(2.0 * scale, -scale)).unwrap()
}

pub(crate) fn random_rbm(visible: usize, hidden: usize, classes: usize, scale: f64, seed: u32) -> Rbm {
    let part = |shape: &[usize], step: u32| tensor(shape, scale, 100 * seed + step);
    let rbm = Rbm::from_tensors(part(&[visible, hidden], 1), part(&[hidden], 2), part(&[visible], 3)).unwrap();
    match classes {
        0 => rbm,
        _ => rbm.with_labels(LabelGroup { w: part(&[classes, hidden], 4), b: part(&[classes], 5) }).unwrap(),
    }
}

/// RBMs that stack.
pub(crate) fn random_rbms(sizes: &[usize], classes: usize, scale: f64) -> Vec<Rbm> {
    let top = sizes.len() - 2;
    let rbm = |(index, pair): (usize, &[usize])| {
        random_rbm(pair[0], pair[1], if index == top { classes } else { 0 }, scale, index as u32 + 1)
    };
    sizes.windows(2).enumerate().map(rbm).collect()
}

/// A model whose generative weights have nothing to do with its recognition weights.
pub(crate) fn untied(sizes: &[usize], classes: usize, scale: f64) -> Dbn {
    let mut rbms = random_rbms(sizes, classes, scale);
    let top = rbms.pop().unwrap();
    let layer = |(index, rbm): (usize, &Rbm)| {
        let w_gen = tensor(&[rbm.hidden(), rbm.visible()], scale, 5000 + index as u32);
        Layer::from_tensors(rbm.w_rec().clone(), w_gen, rbm.hb().clone(), rbm.vb().clone()).unwrap()
    };
    Dbn::new(rbms.iter().enumerate().map(layer).collect(), top).unwrap()
}

/// The same RBM in double precision.
pub(crate) fn rbm_in_f64(rbm: &Rbm) -> Rbm {
    let to = |t: &Tensor| t.to_dtype(DType::F64).unwrap();
    let double = Rbm::from_tensors(to(rbm.w_rec()), to(rbm.hb()), to(rbm.vb())).unwrap();
    let double = double.with_layers(rbm.layers().clone(), FieldTensors::default(), FieldTensors::default()).unwrap();
    match rbm.labels() {
        None => double,
        Some(labels) => double.with_labels(LabelGroup { w: to(&labels.w), b: to(&labels.b) }).unwrap(),
    }
}

/// The same model in double precision.
pub(crate) fn in_f64(dbn: &Dbn) -> Dbn {
    let to = |t: &Tensor| t.to_dtype(DType::F64).unwrap();
    let layer = |layer: &Layer| {
        Layer::from_tensors(to(layer.w_rec()), to(layer.w_gen()), to(layer.hb()), to(layer.vb())).unwrap()
    };
    Dbn::new(dbn.layers().iter().map(layer).collect(), rbm_in_f64(dbn.top())).unwrap()
}

/// Binary samples of which about `density` is on.
pub(crate) fn binary(rows: usize, units: usize, density: f32, step: u32) -> Batch {
    let values: Vec<f32> = uniforms(rows, units, step).iter().map(|&u| f32::from(u8::from(u < density))).collect();
    Batch::Binary(Bits::from_values(rows, units, &values))
}

pub(crate) fn to_tensor(batch: &Batch) -> Tensor {
    Tensor::from_vec(batch.to_values(), (batch.rows(), batch.units()), &Device::Cpu).unwrap()
}

pub(crate) fn values(tensor: &Tensor) -> Vec<f64> {
    tensor.to_dtype(DType::F64).unwrap().flatten_all().and_then(|t| t.to_vec1()).unwrap()
}

pub(crate) fn rows(tensor: &Tensor) -> Vec<Vec<f64>> {
    tensor.to_dtype(DType::F64).and_then(|t| t.to_vec2()).unwrap()
}

/// Largest difference between two tensors of one shape.
pub(crate) fn apart(a: &Tensor, b: &Tensor) -> f64 {
    assert_eq!(a.dims(), b.dims());
    values(a).iter().zip(values(b)).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

/// All 2^units states as rows.
pub(crate) fn all_states(units: usize) -> Vec<Vec<f64>> {
    (0..1_usize << units).map(|s| (0..units).map(|i| (s >> i & 1) as f64).collect()).collect()
}

/// Rows as an F64 tensor.
pub(crate) fn stack(states: &[Vec<f64>]) -> Tensor {
    Tensor::from_vec(states.concat(), (states.len(), states[0].len()), &Device::Cpu).unwrap()
}

/// An error and what caused it, as one line.
pub(crate) fn message(error: &dyn std::error::Error) -> String {
    error.source().map_or(error.to_string(), |cause| format!("{error}: {}", message(cause)))
}
