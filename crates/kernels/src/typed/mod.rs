//! An RBM whose layers are of any kinds of units, mixtures of them among them: [`machine::TypedRbm`].
//!
//! **Spins are bits inside.** A spin is `s v + o` of a bit v, with s = 2 and o = -1 (and s = 1, o = 0 for all other
//! units), so that the RBM of weights W and linear fields a, b is, in bits, that of
//!
//! ```text
//! W'_iu = s_i s_u W_iu,    a'_i = s_i (a_i + sum over u of W_iu o_u),    b'_u = s_u (b_u + sum over i of W_iu o_i)
//! ```
//!
//! but for a constant of the energy. What is kept and learned are W', which W is to the bit, and the fields as they
//! are; a' and b' follow from them. The gradient that spins have is that of their bits centred at one half.
//!
//! **Categorical units are one-hot bits**, drawn level by level from tiles in which 32 samples lie side by side. The
//! uniform of the k-th categorical unit of a layer is that of column [`sites::FIRST_UNIFORM`] + k, that of any other
//! unit the one of its own column; in both, the row is the sample.
//!
//! Work is split by panels of 32 columns or by blocks of 32 samples, each output written by one task in a fixed
//! order, so that the result does not depend on the number of threads.

mod adam;
mod centred;
pub(crate) mod descent;
pub(crate) mod direction;
mod down;
mod engine;
mod following;
mod gauges;
pub(crate) mod gradient;
mod layer;
pub(crate) mod machine;
mod measure;
mod moments;
mod panel;
mod pseudo;
mod sites;
mod statistics;
mod step;
pub(crate) mod tempered;
mod up;
