//! Models of other programs, read as deep belief nets ([`read`]), and nets written for other
//! programs ([`write()`], [`write_adabmdca`], [`write_npz`]).
//!
//! A format is recognised by the names of the arrays in a file, a container (npz, safetensors, HDF5, mat, text)
//! by its first bytes:
//!
//! | format | model | container | arrays |
//! |---|---|---|---|
//! | [`Format::Sklearn`] | scikit-learn's `BernoulliRBM`, alone or in a pipeline | npz | `components_`, `intercept_hidden_`, `intercept_visible_` |
//! | [`Format::Rbms`] | rbms' RBMs of bits, of categorical units and of spins | HDF5 | `update_{n}/params/weight_matrix`, `.../hbias`, `.../vbias` |
//! | [`Format::Learnergy`] | learnergy's binary RBM, and deep belief nets of it | safetensors, npz | `W`, `a`, `b`, behind `models.{i}.` in a net |
//! | [`Format::Hinton`] | RBMs of Hinton & Salakhutdinov's MATLAB code | mat, npz | `vishid`, `hidrecbiases`, `visbiases`, and so on upward |
//! | [`Format::RbmJl`] | RBMs of RestrictedBoltzmannMachines.jl | HDF5 | `weights`, `visible_par`, `hidden_par` and the types of the layers |
//! | [`Format::Pgm`] | RBMs of PGM | npz | `weights`, `vlayer.fields`, `hlayer.theta_plus` and so on, `visible`, `hidden` |
//! | [`Format::Adabmdca`] | Potts models of adabmDCA | text | `bias`, `coupling_matrix`, `tokens` |
//! | [`Format::Deepbelief`] | what [`write_npz`] writes of a deep belief net | npz | `layers.{i}.w_rec`, ..., `top.w_rec`, ... |
//!
//! Any container may hold any format. Several files make a stack, bottom first. Weights become
//! 32-bit floats.

mod containers;
mod error;
mod export;
mod file;
mod format;
mod formats;
mod import;

pub use error::{Error, Result};
pub use export::{write, write_adabmdca};
pub use format::{Format, Written};
pub use formats::deepbelief::{npz_arrays, write_npz};
pub use import::{IMPORTED_FROM, Imported, Options, Source, read};
