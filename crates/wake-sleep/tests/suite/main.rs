//! Tests of the tuner, of what it learns and of its files; helpers they share stand here.

mod exact;
mod gradients;
mod learning;
mod metrics;
mod reference;
mod refusals;
mod tuner;
mod typed;

use candle_core::{DType, Device, Tensor};
use deepbelief_kernels::{Batch, Bits, Minibatches, Stream, Uniforms};
use deepbelief_rbm::{LabelGroup, Monitors, Outcome, Rbm};
use deepbelief_rbm::{Schedule, TrainConfig};
use deepbelief_stack::{Dbn, Layer};
use deepbelief_wake_sleep::{TuneConfig, Tuner};

/// Settings of a training whose rate is constant, unless a test says otherwise.
pub(crate) fn plain_rbm() -> TrainConfig {
    let schedule = Schedule::Constant;
    TrainConfig { learning_rate: 0.05, schedule, weight_cost: 2e-4, ..Default::default() }
}

/// Settings of a tuning whose rates are constant, unless a test says otherwise.
pub(crate) fn plain() -> TuneConfig {
    let (rate, schedule) = (0.01, Schedule::Constant);
    TuneConfig { wake_rate: rate, sleep_rate: rate, top_rate: rate, schedule, final_share: 0.1, ..Default::default() }
}

/// Batches in stored order with their labels, the same every epoch.
#[derive(Clone)]
pub(crate) struct Fixed {
    pub(crate) batches: Vec<Batch>,
    pub(crate) labels: Option<Vec<Vec<u32>>>,
    /// What to measure on in place of the batches.
    pub(crate) monitor: Option<Batch>,
    last: usize,
}

impl Fixed {
    pub(crate) fn new(batches: Vec<Batch>, labels: Option<Vec<Vec<u32>>>) -> Self {
        Self { batches, labels, monitor: None, last: 0 }
    }

    /// Labels 0, 1, ... in turn.
    pub(crate) fn labelled(batches: Vec<Batch>, classes: u32) -> Self {
        let labels = batches.iter().map(|batch| (0..batch.rows() as u32).map(|row| row * row % classes).collect());
        let labels = Some(labels.collect());
        Self::new(batches, labels)
    }

    /// The first batch to measure on, the last to validate with, unless there is a monitor.
    pub(crate) fn monitors(&self) -> Monitors {
        if let Some(train) = &self.monitor {
            return Monitors { train: train.clone(), ..Default::default() };
        }
        let last = self.batches.len() - 1;
        let labels = |index: usize| self.labels.as_ref().map_or(Vec::new(), |labels| labels[index].clone());
        Monitors {
            train: self.batches[0].clone(),
            valid: Some(self.batches[last].clone()),
            train_labels: labels(0),
            valid_labels: labels(last),
            ..Default::default()
        }
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

/// The model after a whole tuning.
pub(crate) fn tune(dbn: &Dbn, config: &TuneConfig, data: &Fixed) -> Dbn {
    let mut tuner = Tuner::new(dbn, config.clone()).unwrap();
    assert_eq!(tuner.fit(&mut data.clone(), &data.monitors(), &mut ()).unwrap(), Outcome::Finished);
    tuner.snapshot().model().unwrap()
}

/// Reproducible numbers in [0, 1), [rows, columns].
pub(crate) fn uniforms(rows: usize, columns: usize, step: u32) -> Vec<f32> {
    let u = Uniforms::new(80, Stream::User, step);
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

/// RBMs that stack, the last with a label group if there are classes.
pub(crate) fn random_rbms(sizes: &[usize], classes: usize, scale: f64) -> Vec<Rbm> {
    let rbm = |(index, pair): (usize, &[usize])| {
        let part = |shape: &[usize], step: u32| tensor(shape, scale, 100 * (index as u32 + 1) + step);
        let (v, h) = (pair[0], pair[1]);
        let rbm = Rbm::from_tensors(part(&[v, h], 1), part(&[h], 2), part(&[v], 3)).unwrap();
        match if index + 2 == sizes.len() { classes } else { 0 } {
            0 => rbm,
            _ => rbm.with_labels(LabelGroup { w: part(&[classes, h], 4), b: part(&[classes], 5) }).unwrap(),
        }
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

/// The same model with nothing but biases at the top: independent penultimate units.
pub(crate) fn with_factorial_top(dbn: &Dbn) -> Dbn {
    let units = dbn.top().visible();
    let zeros = |shape: &[usize]| Tensor::zeros(shape, DType::F32, &Device::Cpu).unwrap();
    let top = Rbm::from_tensors(zeros(&[units, 1]), zeros(&[1]), dbn.top().vb().clone()).unwrap();
    Dbn::new(dbn.layers().to_vec(), top).unwrap()
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

pub(crate) fn to_tensor(batch: &Batch) -> Tensor {
    Tensor::from_vec(batch.to_values(), (batch.rows(), batch.units()), &Device::Cpu).unwrap()
}

pub(crate) fn values(tensor: &Tensor) -> Vec<f64> {
    tensor.to_dtype(DType::F64).unwrap().flatten_all().and_then(|t| t.to_vec1()).unwrap()
}

pub(crate) fn rows(tensor: &Tensor) -> Vec<Vec<f64>> {
    tensor.to_dtype(DType::F64).and_then(|t| t.to_vec2()).unwrap()
}

/// All parameters by name, bit for bit.
pub(crate) fn bits(dbn: &Dbn) -> Vec<(String, Vec<u32>)> {
    let bits =
        |tensor: &Tensor| tensor.flatten_all().unwrap().to_vec1::<f32>().unwrap().iter().map(|x| x.to_bits()).collect();
    dbn.named_tensors("").iter().map(|(name, tensor)| (name.clone(), bits(tensor))).collect()
}

/// All 2^units states as rows.
pub(crate) fn all_states(units: usize) -> Vec<Vec<f64>> {
    (0..1_usize << units).map(|s| (0..units).map(|i| (s >> i & 1) as f64).collect()).collect()
}

/// An error and what caused it, as one line.
pub(crate) fn message(error: &dyn std::error::Error) -> String {
    error.source().map_or(error.to_string(), |cause| format!("{error}: {}", message(cause)))
}
