//! What models make of samples.

use crate::arrays::to_rows;
use crate::attended::computed;
use crate::blocks::{Number, ROWS, stop};
use crate::data::Data;
use crate::failure::{Failure, Result};
use crate::likelihood::{Estimate, Wanted, log_likelihood};
use crate::model::{Model, Net, rows_of};
use candle_core::{DType, Device, Tensor};
use deepbelief_data::Binarize;
use deepbelief_kernels::{Batch, Bits, PackedRbm, Stream, Uniforms};
use deepbelief_rbm::likelihood::{flip_log_likelihood, pseudo_log_likelihood};
use deepbelief_rbm::{Rbm, batch_of, to_batch, to_tensor};
use deepbelief_stack::{Chains, Completing};
use numpy::PyArray1;
use pyo3::prelude::*;

/// Gibbs steps between two such looks.
const AT_ONCE: usize = 100;

/// Numbers of a tensor, row by row.
type Doubles<'py> = Bound<'py, PyArray1<f64>>;

impl Model {
    /// An array of rows of `columns` numbers.
    fn each_tensor<'py, T: Number>(
        &self,
        py: Python<'py>,
        data: &Data,
        threads: usize,
        columns: usize,
        of: impl Fn(&Tensor) -> Result<Tensor> + Send + Sync,
    ) -> PyResult<Bound<'py, PyAny>> {
        let values = computed(py, threads, |attention| {
            self.in_tensors(data.samples_of(), attention, columns, |v| {
                let made = of(v)?.to_dtype(DType::F32)?.flatten_all()?.to_vec1::<f32>()?;
                Ok(made.into_iter().map(T::from).collect())
            })
        })?;
        Ok(to_rows(py, values, columns)?.into_any())
    }

    fn each_number<'py>(
        &self,
        py: Python<'py>,
        data: &Data,
        threads: usize,
        of: impl Fn(&Tensor) -> Result<Vec<f64>> + Send + Sync,
    ) -> PyResult<Doubles<'py>> {
        let values = computed(py, threads, |attention| self.in_tensors(data.samples_of(), attention, 1, of))?;
        Ok(PyArray1::from_vec(py, values))
    }

    /// Means of the units of layer `depth`, counted from 1.
    fn codes<'py, T: Number>(
        &self,
        py: Python<'py>,
        data: &Data,
        depth: usize,
        threads: usize,
    ) -> PyResult<Bound<'py, PyAny>> {
        let sizes = self.sizes();
        let Some(&columns) = sizes.get(depth) else {
            return Err(Failure::new(format!("depth is {depth}; it must be at most {}", sizes.len() - 1)).into());
        };
        let Some(rbm) = self.bernoulli_rbm().filter(|_| depth == 1) else {
            return self.each_tensor::<T>(py, data, threads, columns, |v| match &self.net {
                Net::Rbm(dbn) | Net::Dbn(dbn) => Ok(dbn.encode(v, depth, None)?),
                Net::Network(network) => Ok(network.encode(v, depth)?),
            });
        };
        let values = computed(py, threads, |attention| {
            let machine = PackedRbm::new(rbm.visible(), rbm.hidden(), &rbm.to_parameters()?);
            self.in_blocks(data.samples_of(), attention, columns, |batch| {
                Ok(machine.hidden_means(&batch).into_iter().map(T::from).collect())
            })
        })?;
        Ok(to_rows(py, values, columns)?.into_any())
    }

    /// The RBM, where it is one alone and its units are Bernoulli ones.
    pub(crate) fn bernoulli_rbm(&self) -> Option<&Rbm> {
        match &self.net {
            Net::Rbm(dbn) => Some(dbn.top()).filter(|rbm| rbm.layers().are_bernoulli()),
            _ => None,
        }
    }
}

fn doubles(tensor: &Tensor) -> Result<Vec<f64>> {
    Ok(tensor.to_dtype(DType::F64)?.flatten_all()?.to_vec1()?)
}

#[pymethods]
impl Model {
    /// Means of the units of layer `depth`, counted from 1, as float32, or with `double` as float64.
    #[pyo3(signature = (data, depth, threads=0, *, double=false))]
    fn encode<'py>(
        &self,
        py: Python<'py>,
        data: &Data,
        depth: usize,
        threads: usize,
        double: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        if double { self.codes::<f64>(py, data, depth, threads) } else { self.codes::<f32>(py, data, depth, threads) }
    }

    /// p(class | sample).
    #[pyo3(signature = (data, threads=0))]
    fn probabilities<'py>(&self, py: Python<'py>, data: &Data, threads: usize) -> PyResult<Bound<'py, PyAny>> {
        self.each_tensor::<f32>(py, data, threads, self.classes(), |v| match &self.net {
            Net::Rbm(dbn) | Net::Dbn(dbn) => Ok(dbn.label_probabilities(v)?),
            Net::Network(network) => Ok(network.forward(v)?),
        })
    }

    /// Visible means after the way up and down.
    #[pyo3(signature = (data, threads=0))]
    fn reconstruct<'py>(&self, py: Python<'py>, data: &Data, threads: usize) -> PyResult<Bound<'py, PyAny>> {
        self.each_tensor::<f32>(py, data, threads, self.visible(), |v| match &self.net {
            Net::Rbm(dbn) | Net::Dbn(dbn) => Ok(dbn.reconstruct(v)?),
            Net::Network(network) => Ok(network.forward(v)?),
        })
    }

    /// Free energy of the top, nats per sample.
    #[pyo3(signature = (data, threads=0))]
    fn free_energy<'py>(&self, py: Python<'py>, data: &Data, threads: usize) -> PyResult<Doubles<'py>> {
        let dbn = self.belief("free energy")?;
        self.each_number(py, data, threads, |v| {
            doubles(&dbn.top().free_energy(&dbn.encode(v, dbn.layers().len(), None)?)?)
        })
    }

    /// Cost of the reconstruction, nats per sample.
    #[pyo3(signature = (data, threads=0))]
    fn costs<'py>(&self, py: Python<'py>, data: &Data, threads: usize) -> PyResult<Doubles<'py>> {
        let dbn = self.belief("reconstruction cost")?;
        self.each_number(py, data, threads, |v| Ok(dbn.reconstruction_costs(v)?))
    }

    /// Pseudo-likelihood of an RBM, nats per sample; with `flips` as scikit-learn has it of values between 0 and 1.
    #[pyo3(signature = (data, flips=false, threads=0))]
    fn pseudo<'py>(&self, py: Python<'py>, data: &Data, flips: bool, threads: usize) -> PyResult<Doubles<'py>> {
        let Net::Rbm(dbn) = &self.net else {
            return Err(
                Failure::new("the pseudo-likelihood is of an RBM, and this model has layers under its top").into()
            );
        };
        let rbm = dbn.top();
        let values = computed(py, threads, |attention| {
            let split = self.whole(data.samples_of(), attention)?;
            let mut all = Vec::with_capacity(split.samples());
            for first in (0..split.samples()).step_by(ROWS) {
                stop(attention.flag())?;
                let batch = split.batch(first..split.samples().min(first + ROWS), Binarize::None, 0)?;
                let found = if flips {
                    flip_log_likelihood(rbm, &batch)?
                } else {
                    pseudo_log_likelihood(rbm, &batch, &[], None)?
                };
                all.extend(found);
            }
            Ok(all)
        })?;
        Ok(PyArray1::from_vec(py, values))
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
                stop(attention.flag())?;
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
                    stop(attention.flag())?;
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
