//! What every epoch is measured on.

use deepbelief_kernels::{Batch, Bits, Minibatches};

/// Fixed samples on which every epoch is measured.
#[derive(Clone, Debug, Default)]
pub struct Monitors {
    /// Some of the training samples.
    pub train: Batch,
    /// Some of the held-out samples.
    pub valid: Option<Batch>,
    /// Labels of the training samples, for an RBM with a label group.
    pub train_labels: Vec<u32>,
    /// Labels of the held-out samples, for an RBM with a label group.
    pub valid_labels: Vec<u32>,
    /// What the training samples weigh; empty where all weigh the same.
    pub train_weights: Vec<f32>,
    /// What the held-out samples weigh; empty where all weigh the same.
    pub valid_weights: Vec<f32>,
}

impl Monitors {
    /// The first `samples` training samples that epoch 0 of the data deals (all, where there are
    /// fewer), with their labels, and no held-out ones.
    pub fn from_training(data: &mut dyn Minibatches, samples: usize) -> Self {
        let (samples, units) = (samples.min(data.samples()), data.units());
        let (mut values, mut labels, mut batch) = (Vec::with_capacity(samples * units), Vec::new(), Batch::default());
        let mut weights = Vec::new();
        data.start_epoch(0);
        for index in 0..data.batches() {
            if values.len() >= samples * units {
                break;
            }
            data.fill(index, &mut batch);
            values.extend(batch.to_values());
            labels.extend_from_slice(data.labels().unwrap_or_default());
            weights.extend_from_slice(data.weights().unwrap_or_default());
        }
        values.truncate(samples * units);
        labels.truncate(samples);
        weights.truncate(samples);
        let train = match batch {
            Batch::Binary(_) => Batch::Binary(Bits::from_values(samples, units, &values)),
            Batch::Real { .. } => Batch::Real { rows: samples, units, values },
        };
        Self { train, train_labels: labels, train_weights: weights, ..Self::default() }
    }
}
