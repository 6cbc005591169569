//! The verbs that learning rules are made of, wherever a model is computed: on the CPU
//! ([`crate::PackedRbm`]) or on a GPU (`cuda::GpuRbm`). A rule is written once, generic over an [`Engine`],
//! and compiled for each.
//!
//! A step of CD-k (Hinton 2002) is
//!
//! ```text
//! infer_hidden(v0, hidden draw)            p(h|v0) and h ~ p(h|v0)
//! repeat k times:
//!     sample_visible(visible draw)         v ~ p(v|h)
//!     sample_hidden(hidden draw)           h ~ p(h|v), except after the last
//! update(v0, rule)                         W += rate (v0ᵀ p(h|v0) - vᵀ p(h|v)) / n
//! ```
//!
//! [`Engine::update`] is [`Engine::statistics`] and [`Engine::step`] at once, as an engine does it fastest.
//! Equal random numbers give equal states on every engine, but for ties that rounding decides.

mod cpu;
mod cpu_direction;
mod direction;
mod rbm;
mod tempering;

pub use cpu_direction::{Cpu, CpuDirection};
pub use direction::Direction;
pub use rbm::{Engine, Shown, norm_and_change};
pub use tempering::{Betas, Tempering};
