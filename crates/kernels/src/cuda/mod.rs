//! The kernels on an NVIDIA GPU: the same operations on the same uniforms as [`crate::PackedRbm`],
//! [`crate::Directed`] and [`crate::Tempered`], on memory of the device.
//!
//! Dense products are cuBLAS's, everything else is a kernel of our own (`kernels/*.cu`). A matrix of
//! states holds 0/1 numbers, a sample a row; units are padded to a multiple of 32 with units that
//! are never on. A label group is 32 or more further visible columns: the products and the
//! gradient then need no case for it.
//!
//! All work goes to one stream, in order. Nothing is read back inside an epoch but what the
//! caller asks for. Sums run in a fixed order, and cuBLAS repeats its own on the same kind of GPU:
//! a seed gives the same bits again there, and those of the CPU to rounding.

mod descent;
mod directed;
mod engine;
mod gibbs;
mod gpu;
mod layout;
mod learning;
mod measure;
pub(crate) mod ops;
mod rbm;
mod rows;
mod steps;
mod tempered;

pub use descent::GpuMoments;
pub use directed::GpuDirected;
pub use gpu::{Gpu, OnGpu};
pub use learning::GpuStatistics;
pub use rbm::GpuRbm;
pub use rows::Rows;
pub use tempered::GpuTempered;
