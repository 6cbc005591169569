//! What a state holds of a network in training.

use crate::network::Network;

/// What a [`crate::FinetuneState`] holds of a network in training.
#[derive(Clone, Debug)]
pub struct Learned {
    pub(crate) network: Network,
    /// Mean gradients or velocities, in the shape of the network.
    pub(crate) first: Network,
    /// Mean squares of gradients, of Adam alone.
    pub(crate) second: Option<Network>,
    /// Cost of the running epoch's samples, summed.
    pub(crate) cost: f64,
}

impl Learned {
    /// Units of every layer, from the visible ones to the outputs.
    #[must_use]
    pub fn sizes(&self) -> Vec<usize> {
        self.network.sizes()
    }
}
