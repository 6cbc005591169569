//! What a training reads.

use deepbelief_kernels::{Batch, Minibatches, Missing, Share};

/// A minibatch and, where the data have them, its labels, gaps and weights.
#[derive(Default)]
pub struct Labelled {
    /// The samples.
    pub v: Batch,
    /// Their labels; empty where the data have none.
    pub y: Vec<u32>,
    /// Which visible units have no value in the data; empty where all have.
    pub missing: Missing,
    /// What the samples weigh; empty where all weigh the same.
    pub weights: Vec<f32>,
}

impl Labelled {
    /// Fetches a minibatch of the running epoch, for a reader of the samples of `share` alone.
    pub fn fetch(&mut self, data: &mut dyn Minibatches, index: usize, share: Share) {
        data.fill_share(index, share, &mut self.v);
        self.y.clear();
        self.y.extend_from_slice(data.labels().unwrap_or_default());
        match data.missing() {
            Some(missing) => self.missing.clone_from(missing),
            None => self.missing = Missing::default(),
        }
        self.weights.clear();
        self.weights.extend_from_slice(data.weights().unwrap_or_default());
    }
}
