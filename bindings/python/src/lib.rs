//! The private module of the Python package: arrays in, models and arrays out. What learns and computes are the
//! libraries; settings come as JSON for the libraries' own structs; words, checks of arguments and pictures are Python.

mod arrays;
mod attended;
mod blocks;
mod data;
mod failure;
mod layers;
mod likelihood;
mod model;
mod model_use;
mod settings;
mod training;
mod values;

use pyo3::prelude::*;
use std::ffi::OsString;
use std::path::PathBuf;

/// Runs `dbn` as the command line `args` asks, the program's name first; its exit code.
#[pyfunction]
fn program(py: Python<'_>, args: Vec<OsString>) -> u8 {
    py.detach(|| deepbelief_cli::run(args))
}

/// The path of the checkpoint that a path or an address of the Hub means.
#[pyfunction]
fn checkpoint(py: Python<'_>, path: PathBuf) -> PyResult<PathBuf> {
    attended::computed(py, 1, move |_| deepbelief_cli::embedded::checkpoint(&path).map_err(failure::Failure::new))
}

/// Keys of a recipe that are about files or the machine: no settings of a training on samples in memory.
#[pyfunction]
fn keys_of_program() -> Vec<&'static str> {
    deepbelief_cli::embedded::keys_of_program()
}

#[pymodule]
mod _deepbelief {
    use pyo3::prelude::{Bound, PyModule, PyModuleMethods, PyResult};

    #[pymodule_export]
    use super::checkpoint;
    #[pymodule_export]
    use super::keys_of_program;
    #[pymodule_export]
    use super::program;
    #[pymodule_export]
    use crate::arrays::survey;
    #[pymodule_export]
    use crate::data::Data;
    #[pymodule_export]
    use crate::model::Model;
    #[pymodule_export]
    use crate::training::{State, finetune, train_rbm, train_stack, tune};

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}
