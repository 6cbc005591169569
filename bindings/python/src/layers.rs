//! The layers of weights of a model as other libraries have them.

use crate::failure::{Failure, Result};
use crate::model::{Model, Net, rows_of};
use deepbelief_finetune::{Activation, Dense, Network};
use numpy::PyArray1;
use pyo3::prelude::*;

/// Weights [in, out], biases `[out]`, and what becomes of the products.
type Layer<'py> = (Bound<'py, PyAny>, Bound<'py, PyArray1<f32>>, &'static str);

#[pymethods]
impl Model {
    /// The layers that samples pass through: of an RBM or a net up to its code, of a network all.
    fn layers<'py>(&self, py: Python<'py>) -> PyResult<Vec<Layer<'py>>> {
        let layers = self.dense()?.into_iter().map(|Dense { w, b, activation }| {
            let values = |tensor: &candle_core::Tensor| -> Result<Vec<f32>> { Ok(tensor.flatten_all()?.to_vec1()?) };
            let biases = values(&b)?;
            let weights = rows_of(py, values(&w)?, biases.len())?;
            Ok((weights, PyArray1::from_vec(py, biases), name(activation)))
        });
        layers.collect()
    }
}

impl Model {
    fn dense(&self) -> Result<Vec<Dense>> {
        match &self.net {
            Net::Rbm(dbn) | Net::Dbn(dbn) => {
                let up_and_down = Network::autoencoder(dbn)?;
                Ok(up_and_down.layers()[..up_and_down.code_depth()].to_vec())
            }
            Net::Network(network) if network.layers().iter().any(|layer| layer.activation == Activation::Means) => {
                Err(Failure::new("the outputs are of several kinds of units, which PyTorch has no layer for"))
            }
            Net::Network(network) => Ok(network.layers().to_vec()),
        }
    }
}

fn name(activation: Activation) -> &'static str {
    match activation {
        Activation::Sigmoid => "sigmoid",
        Activation::Linear => "linear",
        Activation::Softmax => "softmax",
        Activation::Means => "means",
    }
}
