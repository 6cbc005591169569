//! What models make of samples.
//!
//! Samples pass through in blocks of one size, the last one filled up: a sample then takes the same path of products
//! whatever it comes with, and has the same result bit for bit.

use crate::attended::{Attention, computed};
use crate::data::Data;
use crate::failure::{Failure, Result};
use crate::likelihood::{Estimate, Wanted, log_likelihood};
use crate::model::{Model, Net, rows_of};
use candle_core::{DType, Device, Tensor};
use deepbelief_data::{Binarize, Split};
use deepbelief_kernels::{Batch, Bits, Stream, Uniforms};
use deepbelief_rbm::likelihood::{flip_log_likelihood, pseudo_log_likelihood};
use deepbelief_rbm::{batch_of, to_batch, to_tensor};
use deepbelief_stack::{Chains, Completing};
use numpy::PyArray1;
use pyo3::prelude::*;
use rayon::prelude::*;

/// Samples of a block.
const BLOCK: usize = 256;

/// Blocks between two looks at whether to stop.
const ATTENTIVE: usize = 16;

/// Samples whose missing values are drawn at a time.
const ROWS: usize = 2000;

/// Gibbs steps between two such looks.
const AT_ONCE: usize = 100;

/// Numbers of a tensor, row by row.
type Doubles<'py> = Bound<'py, PyArray1<f64>>;

impl Model {
    /// Samples without what they lack: the model's mean given the rest stands there.
    pub(crate) fn whole(&self, split: &Split, attention: &Attention<'_>) -> Result<Split> {
        if split.units() != self.visible() {
            let (got, expected) = (split.units(), self.visible());
            return Err(Failure::new(format!(
                "the samples have {got} units, but the model has {expected} visible units"
            )));
        }
        if !split.has_missing() {
            return Ok(split.clone());
        }
        Ok(split.with_values(self.filled(split, &self.completing(), attention)?.0)?)
    }

    /// Means and standard deviations of what samples lack, beside what they have.
    fn filled(&self, split: &Split, how: &Completing, attention: &Attention<'_>) -> Result<(Vec<f32>, Vec<f32>)> {
        let (dbn, choices) = (self.belief("values to put where some are missing")?, self.schema().choices());
        let (mut mean, mut deviation) = (Vec::new(), Vec::new());
        for first in (0..split.samples()).step_by(ROWS) {
            stop(attention)?;
            let chosen: Vec<usize> = (first..split.samples().min(first + ROWS)).collect();
            let batch = split.batch(chosen.iter().copied(), Binarize::None, 0)?;
            let missing = split.missing(&chosen).map(|missing| missing.cells);
            let missing = missing.unwrap_or_else(|| Bits::zeros(batch.rows(), batch.units()));
            let completed = dbn.complete_choices(&batch, &missing, &choices, how)?;
            mean.extend(completed.mean);
            deviation.extend(completed.deviation);
        }
        Ok((mean, deviation))
    }

    /// `of` every block of samples, as a batch of states and a tensor of them.
    fn each_block<T: Send>(
        &self,
        split: &Split,
        attention: &Attention<'_>,
        of: impl Fn(&Batch, &Tensor) -> Result<Vec<T>> + Sync,
    ) -> Result<Vec<T>> {
        let split = self.whole(split, attention)?;
        let (n, units) = (split.samples(), split.units());
        let of_block = |block: usize| -> Result<Vec<T>> {
            let samples = block * BLOCK..n.min((block + 1) * BLOCK);
            let there = samples.len();
            let mut values = split.batch(samples, Binarize::None, 0)?.to_values();
            values.resize(BLOCK * units, 0.0);
            let batch = Batch::Real { rows: BLOCK, units, values: values.clone() };
            to_tensor(split.layer(), &mut values);
            let mut made = of(&batch, &Tensor::from_vec(values, (BLOCK, units), &Device::Cpu)?)?;
            made.truncate(made.len() / BLOCK * there);
            Ok(made)
        };
        let mut all = Vec::new();
        for first in (0..n.div_ceil(BLOCK)).step_by(ATTENTIVE) {
            stop(attention)?;
            let blocks = first..n.div_ceil(BLOCK).min(first + ATTENTIVE);
            let parts: Vec<Result<Vec<T>>> = blocks.into_par_iter().map(of_block).collect();
            for part in parts {
                all.extend(part?);
            }
        }
        Ok(all)
    }

    /// The same of tensors [block, columns].
    fn each_tensor<'py>(
        &self,
        py: Python<'py>,
        data: &Data,
        threads: usize,
        of: impl Fn(&Tensor) -> Result<Tensor> + Send + Sync,
    ) -> PyResult<Bound<'py, PyAny>> {
        let values = computed(py, threads, |attention| {
            self.each_block(data.samples_of(), attention, |_, v| {
                Ok(of(v)?.to_dtype(DType::F32)?.flatten_all()?.to_vec1()?)
            })
        })?;
        let columns = values.len() / data.samples_of().samples().max(1);
        rows_of(py, values, columns)
    }

    fn each_number<'py>(
        &self,
        py: Python<'py>,
        data: &Data,
        threads: usize,
        of: impl Fn(&Batch, &Tensor) -> Result<Vec<f64>> + Send + Sync,
    ) -> PyResult<Doubles<'py>> {
        let values = computed(py, threads, |attention| self.each_block(data.samples_of(), attention, of))?;
        Ok(PyArray1::from_vec(py, values))
    }
}

/// Refuses to go on where somebody wants it to end.
fn stop(attention: &Attention<'_>) -> Result<()> {
    if attention.is_stopped() { Err(Failure::new("interrupted")) } else { Ok(()) }
}

fn doubles(tensor: &Tensor) -> Result<Vec<f64>> {
    Ok(tensor.to_dtype(DType::F64)?.flatten_all()?.to_vec1()?)
}

#[pymethods]
impl Model {
    /// Means of the units of layer `depth`, counted from 1.
    #[pyo3(signature = (data, depth, threads=0))]
    fn encode<'py>(&self, py: Python<'py>, data: &Data, depth: usize, threads: usize) -> PyResult<Bound<'py, PyAny>> {
        self.each_tensor(py, data, threads, |v| match &self.net {
            Net::Rbm(dbn) | Net::Dbn(dbn) => Ok(dbn.encode(v, depth, None)?),
            Net::Network(network) => Ok(network.encode(v, depth)?),
        })
    }

    /// p(class | sample).
    #[pyo3(signature = (data, threads=0))]
    fn probabilities<'py>(&self, py: Python<'py>, data: &Data, threads: usize) -> PyResult<Bound<'py, PyAny>> {
        self.each_tensor(py, data, threads, |v| match &self.net {
            Net::Rbm(dbn) | Net::Dbn(dbn) => Ok(dbn.label_probabilities(v)?),
            Net::Network(network) => Ok(network.forward(v)?),
        })
    }

    /// Visible means after the way up and down.
    #[pyo3(signature = (data, threads=0))]
    fn reconstruct<'py>(&self, py: Python<'py>, data: &Data, threads: usize) -> PyResult<Bound<'py, PyAny>> {
        self.each_tensor(py, data, threads, |v| match &self.net {
            Net::Rbm(dbn) | Net::Dbn(dbn) => Ok(dbn.reconstruct(v)?),
            Net::Network(network) => Ok(network.forward(v)?),
        })
    }

    /// Free energy of the top, nats per sample.
    #[pyo3(signature = (data, threads=0))]
    fn free_energy<'py>(&self, py: Python<'py>, data: &Data, threads: usize) -> PyResult<Doubles<'py>> {
        let dbn = self.belief("free energy")?;
        self.each_number(py, data, threads, |_, v| {
            doubles(&dbn.top().free_energy(&dbn.encode(v, dbn.layers().len(), None)?)?)
        })
    }

    /// Cost of the reconstruction, nats per sample.
    #[pyo3(signature = (data, threads=0))]
    fn costs<'py>(&self, py: Python<'py>, data: &Data, threads: usize) -> PyResult<Doubles<'py>> {
        let dbn = self.belief("reconstruction cost")?;
        self.each_number(py, data, threads, |_, v| Ok(dbn.reconstruction_costs(v)?))
    }

    /// Pseudo-likelihood of an RBM, nats per sample; with `flips` as scikit-learn has it of values between 0 and 1.
    #[pyo3(signature = (data, flips=false, threads=0))]
    fn pseudo<'py>(&self, py: Python<'py>, data: &Data, flips: bool, threads: usize) -> PyResult<Doubles<'py>> {
        let Net::Rbm(dbn) = &self.net else {
            return Err(
                Failure::new("the pseudo-likelihood is of an RBM, and this model has layers under its top").into()
            );
        };
        self.each_number(py, data, threads, |batch, _| {
            let rbm = dbn.top();
            Ok(if flips { flip_log_likelihood(rbm, batch)? } else { pseudo_log_likelihood(rbm, batch, &[], None)? })
        })
    }

    /// What a model makes of missing values: means and their standard deviations [n, units].
    #[pyo3(signature = (data, sweeps, seed, threads=0))]
    fn impute<'py>(
        &self,
        py: Python<'py>,
        data: &Data,
        sweeps: u32,
        seed: u64,
        threads: usize,
    ) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyAny>)> {
        let how = Completing { sweeps, seed, ..self.completing() };
        let (mean, deviation) = computed(py, threads, |attention| self.filled(data.samples_of(), &how, attention))?;
        let units = data.samples_of().units();
        Ok((rows_of(py, mean, units)?, rows_of(py, deviation, units)?))
    }

    /// `count` samples after `steps` Gibbs steps, and their labels where there is a label group: means of Bernoulli units,
    /// and states of all others.
    #[pyo3(signature = (count, labels, steps, seed, threads=0))]
    fn sample<'py>(
        &self,
        py: Python<'py>,
        count: usize,
        labels: Option<Vec<u32>>,
        steps: u32,
        seed: u64,
        threads: usize,
    ) -> PyResult<(Bound<'py, PyAny>, Vec<u32>)> {
        let dbn = self.belief("samples of its own")?;
        let visible = dbn.visible_units();
        let (values, labels) = computed(py, threads, |attention| {
            let mut chains = Chains::new(dbn, count, labels.as_deref(), seed)?;
            for first in (0..steps).step_by(AT_ONCE) {
                stop(attention)?;
                chains.advance((steps - first).min(AT_ONCE as u32))?;
            }
            let shown = if visible.is_bernoulli() { chains.show()? } else { chains.show_states()? };
            let mut values = shown.to_dtype(DType::F32)?.flatten_all()?.to_vec1()?;
            to_batch(visible, &mut values);
            Ok((values, chains.labels().to_vec()))
        })?;
        Ok((rows_of(py, values, self.visible())?, labels))
    }

    /// `count` samples whose columns `given`, by name and text, keep their values.
    #[pyo3(signature = (count, given, steps, seed, threads=0))]
    fn sample_given<'py>(
        &self,
        py: Python<'py>,
        count: usize,
        given: Vec<(String, String)>,
        steps: u32,
        seed: u64,
        threads: usize,
    ) -> PyResult<Bound<'py, PyAny>> {
        let (dbn, schema, units) = (self.belief("samples of its own")?, self.schema(), self.visible());
        let values = computed(py, threads, |_| {
            let (mut row, mut missing) = (vec![0.0; units], Bits::zeros(count, units));
            let mut free = vec![true; units];
            for (name, text) in &given {
                let (columns, values) = schema.given(name, text)?;
                free[columns.clone()].fill(false);
                row[columns].copy_from_slice(&values);
            }
            for sample in 0..count {
                for (block, word) in free.chunks(32).enumerate() {
                    let bits = word.iter().enumerate().map(|(bit, &free)| u32::from(free) << bit);
                    missing.set_word(sample, block, bits.sum());
                }
            }
            let batch = Batch::Real { rows: count, units, values: row.repeat(count) };
            let how = Completing {
                chains: 1,
                burn_in: steps.saturating_sub(1),
                sweeps: 1,
                seed,
                rows_from: Some(0),
                ..self.completing()
            };
            Ok(dbn.complete_choices(&batch, &missing, &schema.choices(), &how)?.draw_means.concat())
        })?;
        rows_of(py, values, units)
    }

    /// Visible states after Gibbs steps of an RBM from samples.
    #[pyo3(signature = (data, steps, seed, threads=0))]
    fn gibbs<'py>(
        &self,
        py: Python<'py>,
        data: &Data,
        steps: u16,
        seed: u64,
        threads: usize,
    ) -> PyResult<Bound<'py, PyAny>> {
        let Net::Rbm(dbn) = &self.net else {
            return Err(Failure::new("Gibbs steps are those of an RBM; a net with layers has sample()").into());
        };
        let (rbm, units) = (dbn.top(), self.visible());
        let values = computed(py, threads, |attention| {
            let split = self.whole(data.samples_of(), attention)?;
            let mut all = Vec::with_capacity(split.samples() * units);
            for (chunk, first) in (0..split.samples()).step_by(ROWS).enumerate() {
                let mut v = split.batch(first..split.samples().min(first + ROWS), Binarize::None, 0)?.to_values();
                let rows = v.len() / units;
                to_tensor(split.layer(), &mut v);
                let mut v = Tensor::from_vec(v, (rows, units), &Device::Cpu)?;
                for step in 0..steps {
                    stop(attention)?;
                    let draw = Uniforms::new(seed ^ (u64::from(step) << 32), Stream::User, chunk as u32);
                    v = rbm.forward_gibbs(&v, draw)?.visible.states;
                }
                all.extend(batch_of(split.layer(), &v)?.to_values());
            }
            Ok(all)
        })?;
        rows_of(py, values, units)
    }

    /// Mean log-likelihood of samples as JSON: see `likelihood.rs`.
    #[pyo3(signature = (data, chains, temperatures, burn_in, seed, threads=0))]
    fn log_likelihood(
        &self,
        py: Python<'_>,
        data: &Data,
        chains: usize,
        temperatures: usize,
        burn_in: u32,
        seed: u64,
        threads: usize,
    ) -> PyResult<String> {
        let dbn = self.belief("likelihood")?;
        let log_scales = self.schema().log_scales(|_| true);
        let estimate: Estimate = computed(py, threads, |attention| {
            let split = self.whole(data.samples_of(), attention)?;
            let wanted = Wanted { chains, temperatures, burn_in, seed, threads };
            log_likelihood(dbn, &split, log_scales, &wanted)
        })?;
        Ok(serde_json::to_string(&estimate).map_err(Failure::from)?)
    }
}
