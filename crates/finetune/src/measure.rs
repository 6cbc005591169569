//! How good a network is on fixed samples.

use crate::error::Result;
use crate::layers::Objective;
use crate::network::Network;
use crate::pass::{self, Drops};
use candle_core::Tensor;
use deepbelief_kernels::Batch;
use serde::{Deserialize, Serialize};

/// Samples passed through a network at once.
const CHUNK: usize = 1000;

/// Means over some samples.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Scores {
    /// Cross-entropy in nats per sample, of labels or of inputs: what is learned.
    pub cost: f64,
    /// What is wanted, the less the better: the share of wrong labels, or the squared error per
    /// sample, summed over its units.
    pub error: f64,
}

impl Network {
    /// Measures the network, without dropout, on samples and, of a classifier, their labels.
    ///
    /// # Errors
    /// If the shapes do not fit.
    pub fn score(&self, samples: &Batch, labels: &[u32]) -> Result<Scores> {
        let (pixels, units, rows) = (samples.to_values(), samples.units(), samples.rows());
        let mut sums = Scores::default();
        for start in (0..rows).step_by(CHUNK) {
            let end = rows.min(start + CHUNK);
            let n = end - start;
            let v = Tensor::from_slice(&pixels[start * units..end * units], (n, units), self.device())?;
            let labels = labels.get(start..end).unwrap_or_default();
            let values = pass::up(self.layers(), &v, Drops::NONE)?;
            let logits = &values[self.depth()];
            let target = pass::target(self.objective(), &v, labels, self.classes())?;
            sums.cost += self.outputs().cost(logits, &target)? * n as f64;
            sums.error += match self.objective() {
                Objective::Classifier => {
                    let told: Vec<u32> = logits.argmax(1)?.to_vec1()?;
                    told.iter().zip(labels).filter(|(told, label)| told != label).count() as f64
                }
                Objective::Autoencoder => {
                    let p: Vec<f32> = self.activated(logits, self.depth())?.flatten_all()?.to_vec1()?;
                    squared_error(&p, &pixels[start * units..end * units])
                }
            };
        }
        let n = rows.max(1) as f64;
        Ok(Scores { cost: sums.cost / n, error: sums.error / n })
    }
}

/// Summed in double precision.
fn squared_error(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(a, b)| f64::from(a - b).powi(2)).sum()
}
