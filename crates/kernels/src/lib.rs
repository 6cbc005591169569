//! Kernels of deepbelief: counter-based randomness, packed binary states, and the products and
//! updates that training a restricted Boltzmann machine is made of.
//!
//! [`PackedRbm`] holds an RBM in its fastest layout, [`Directed`] the weights of one direction
//! between two layers; [`Batch`] and [`Bits`] carry states to them; [`Uniforms`] supplies their
//! random numbers. [`ops`] offers the same kernels on candle tensors,
//! [`feedforward`] those of backpropagation, and [`Adam`] and [`Momentum`] its steps.

#[cfg(feature = "cuda")]
pub mod cuda;
mod descent;
mod directed;
mod engine;
mod enumerate;
pub mod feedforward;
mod following;
mod gibbs;
mod gradient;
mod labels;
mod learn;
mod lists;
mod machine;
mod math;
mod means;
mod measure;
pub mod ops;
mod panels;
mod positions;
mod precision;
mod product;
mod pseudo;
mod rng;
mod scratch;
mod simd;
mod source;
mod states;
mod tempered;
mod transpose;
mod unit_lists;
mod units;
mod update;

pub use descent::{Adam, Momentum, limit_norms};
pub use directed::{Directed, Weights};
pub use engine::{Betas, Cpu, Direction, Engine, Shown, Tempering, norm_and_change};
pub use enumerate::{Conditionals, LogSum, log_sum_over_states};
pub use gradient::{Offsets, Statistics};
pub use learn::Sparsity;
pub use machine::{MAX_UNITS, PackedRbm, Parameters};
pub use measure::Measures;
pub use precision::Precision;
pub use rng::{Stream, Uniforms, philox};
pub use simd::Level;
pub use states::{Batch, Bits, Minibatches};
pub use tempered::{BiasLine, GibbsDraws, PathBiases, Tempered};
pub use update::StepRule;
