//! Kernels of deepbelief: counter-based randomness, packed binary states, and the products and
//! updates that training a restricted Boltzmann machine is made of.
//!
//! [`PackedRbm`] holds an RBM in its fastest layout, [`Directed`] the weights of one direction
//! between two layers; [`Batch`] and [`Bits`] carry states to them; [`Uniforms`] supplies their
//! random numbers. [`ops`] offers the same kernels on candle tensors,
//! [`feedforward`] those of backpropagation, and [`Adam`] and [`Momentum`] its steps.

#[cfg(feature = "cuda")]
pub mod cuda;
mod engine;
mod learning;
mod measures;
pub mod ops;
mod precision;
mod products;
mod rng;
mod row;
mod simd;
mod states;
mod typed;
mod units;

pub use engine::{Betas, Cpu, CpuDirection, Direction, Engine, Shown, Tempering, norm_and_change};
pub use learning::contrast::Sparsity;
pub use learning::descent::{Adam, Momentum, limit_norms};
pub use learning::directed::{Directed, Weights};
pub use learning::exact::{ExactSums, Ranges, Summable};
pub use learning::feedforward;
pub use learning::packed::PackedRbm;
pub use learning::parameters::{Fields, MAX_UNITS, Offsets, Parameters};
pub use learning::statistics::Statistics;
pub use learning::update::StepRule;
pub use measures::enumerate::{Conditionals, LogSum, log_sum_over_states};
pub use measures::identity::{Sequences, UNKNOWN_LETTER};
pub use measures::measure::Measures;
pub use measures::path::{BiasLine, GibbsDraws, PathBiases};
pub use measures::tempered::Tempered;
pub use precision::Precision;
pub use products::source::Room;
pub use products::whole::Whole;
pub use rng::{Stream, Uniforms, philox};
pub use simd::Level;
pub use states::batch::Batch;
pub use states::bits::Bits;
pub use states::minibatches::Minibatches;
pub use states::missing::Missing;
pub use states::pack::Value;
pub use states::share::Share;
pub use typed::descent::{AdamDecays, AdamMemory, Descent};
pub use typed::direction::TypedDirection;
pub use typed::gradient::TypedStatistics;
pub use typed::machine::TypedRbm;
pub use typed::tempered::TypedTempered;
pub use units::layers::{Layers, Segment, UnitKind, Units};
pub use units::spins::spins_as_bits;
