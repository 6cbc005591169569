//! Gibbs chains on the kernels, with hidden and visible units of any kind.

use crate::error::Result;
use candle_core::Tensor;
use deepbelief_kernels::{Batch, Engine, PackedRbm, Shown, Stream, TypedRbm, Uniforms};
use deepbelief_rbm::{Rbm, batch_of};

/// Gibbs half-step counters of one step.
const HIDDEN: u16 = 1;
const VISIBLE: u16 = 2;

/// Gibbs chains of an RBM without labels. One seed fixes them, for any number of threads.
pub struct Chains {
    engine: Running,
    states: Batch,
    seed: u64,
    step: u32,
}

/// The engine that serves the units.
enum Running {
    Packed(Box<PackedRbm>),
    Typed(Box<TypedRbm>),
}

impl Chains {
    /// Chains from visible states, as minibatches have them.
    ///
    /// # Errors
    /// If candle refuses an operation.
    pub fn from_states(rbm: &Rbm, states: Batch, seed: u64) -> Result<Self> {
        let (layers, parameters) = (rbm.layers(), rbm.to_parameters()?);
        let engine = if layers.are_bernoulli() {
            Running::Packed(Box::new(PackedRbm::new(rbm.visible(), rbm.hidden(), &parameters)))
        } else {
            Running::Typed(Box::new(TypedRbm::new(layers, &parameters)))
        };
        Ok(Self { engine, states, seed, step: 0 })
    }

    /// So many chains from visible units drawn by their fields alone.
    ///
    /// # Errors
    /// If candle refuses an operation.
    pub fn new(rbm: &Rbm, chains: usize, seed: u64) -> Result<Self> {
        let h = Tensor::zeros((chains, rbm.hidden()), rbm.vb().dtype(), rbm.vb().device())?;
        let drawn = rbm.sample_v(&h, Uniforms::new(seed, Stream::Picture, 0).gibbs(VISIBLE))?;
        Self::from_states(rbm, batch_of(&rbm.layers().visible, &drawn.states)?, seed)
    }

    /// Makes so many Gibbs steps of every chain.
    ///
    /// # Errors
    /// If candle refuses an operation.
    pub fn advance(&mut self, steps: u32) -> Result<()> {
        for _ in 0..steps {
            self.step = self.step.wrapping_add(1);
            let draw = Uniforms::new(self.seed, Stream::Picture, self.step);
            let shown = Shown::Batch(&self.states);
            match &mut self.engine {
                Running::Packed(rbm) => {
                    half_steps(rbm.as_mut(), shown, draw)?;
                    self.states.clone_from(rbm.reconstruction());
                }
                Running::Typed(rbm) => {
                    half_steps(rbm.as_mut(), shown, draw)?;
                    self.states.clone_from(rbm.reconstruction());
                }
            }
        }
        Ok(())
    }

    /// Swaps the visible states of a chain with those of the same chain of a like model.
    pub(crate) fn swap(&mut self, other: &mut Self, chain: usize) {
        self.states.swap_row(&mut other.states, chain);
    }

    /// The visible states, as minibatches have them.
    #[must_use]
    pub fn states(&self) -> &Batch {
        &self.states
    }
}

/// A step up and down.
fn half_steps<E: Engine>(rbm: &mut E, v: Shown<'_, E::States>, draw: Uniforms) -> Result<()> {
    rbm.infer_hidden(v, &[], Some(draw.gibbs(HIDDEN)))?;
    Ok(rbm.sample_visible(draw.gibbs(VISIBLE))?)
}
