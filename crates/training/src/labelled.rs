//! What a training reads.

use deepbelief_kernels::{Batch, Minibatches};

/// A minibatch and, where the data have them, its labels.
#[derive(Default)]
pub struct Labelled {
    /// The samples.
    pub v: Batch,
    /// Their labels; empty where the data have none.
    pub y: Vec<u32>,
}

impl Labelled {
    /// Fetches a minibatch of the running epoch.
    pub fn fetch(&mut self, data: &mut dyn Minibatches, index: usize) {
        data.fill(index, &mut self.v);
        self.y.clear();
        self.y.extend_from_slice(data.labels().unwrap_or_default());
    }
}
