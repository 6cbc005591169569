//! What units of each kind do, on tensors, of F32 or F64 and on any device.
//!
//! A unit adds a term U(x) to the energy and takes an input I. With it
//!
//! ```text
//! p(x | I) = exp(I x - U(x) - cgf(I)),     cgf(I) = ln of the sum or integral of exp(I x - U(x))
//! E[x | I] = cgf'(I),                      Var[x | I] = cgf''(I)
//! ```
//!
//! and a unit's share of the free energy is -cgf(I) where it is hidden, U(x) where it is visible. Each kind has a file
//! that reads like its row of the table at [`deepbelief_kernels::UnitKind`]. ReLU and dReLU units are computed in double
//! precision on the CPU, whatever the tensors are.
//!
//! Unit i of sample s draws from the uniform number of row s and column i, the k-th categorical unit of a layer from that
//! of column `2^16 + k`, as the engine of such layers does.

mod bernoulli;
mod categorical;
mod drelu;
pub(crate) mod fit;
pub(crate) mod gaussian;
pub(crate) mod layer;
mod relu;
mod run;
mod special;
mod spin;
