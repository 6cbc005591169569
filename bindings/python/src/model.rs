//! Models: RBMs and deep belief nets, which are one thing here, and networks made of them.

use crate::arrays::to_rows;
use crate::attended::computed;
use crate::failure::{Failure, Result};
use candle_core::{DType, Device, Tensor};
use deepbelief_data::{Block, BlockValues, Schema};
use deepbelief_finetune::{Network, Objective};
use deepbelief_kernels::{UnitKind, Units};
use deepbelief_rbm::{Provenance, Rbm, UnitMix, VisibleStates, tensors};
use deepbelief_stack::{Completing, Dbn};
use numpy::PyArray1;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList};
use std::path::{Path, PathBuf};

/// What a model is.
#[derive(Clone)]
pub(crate) enum Net {
    /// An RBM alone, as a net of depth one.
    Rbm(Dbn),
    Dbn(Dbn),
    Network(Network),
}

/// A model and where it comes from. It never changes.
#[pyclass(frozen, module = "deepbelief._deepbelief")]
pub(crate) struct Model {
    pub(crate) net: Net,
    pub(crate) provenance: Provenance,
}

impl Model {
    /// The RBM or deep belief net, which `what` needs.
    pub(crate) fn belief(&self, what: &str) -> Result<&Dbn> {
        match &self.net {
            Net::Rbm(dbn) | Net::Dbn(dbn) => Ok(dbn),
            Net::Network(_) => Err(Failure::new(format!("a network has no {what}: it is no probability distribution"))),
        }
    }

    /// The visible units.
    pub(crate) fn visible_layer(&self) -> Units {
        match &self.net {
            Net::Rbm(dbn) | Net::Dbn(dbn) => dbn.visible_units().clone(),
            Net::Network(network) => {
                let bernoulli = || Units::of(UnitKind::Bernoulli, self.visible());
                network.visible_units().cloned().unwrap_or_else(bernoulli)
            }
        }
    }

    pub(crate) fn visible(&self) -> usize {
        match &self.net {
            Net::Rbm(dbn) | Net::Dbn(dbn) => dbn.visible(),
            Net::Network(network) => network.visible(),
        }
    }

    /// What its columns are, where the training data were a table.
    pub(crate) fn schema(&self) -> Schema {
        let schema = self.provenance.recipe.get("schema");
        let schema = schema.and_then(|schema| serde_json::from_value::<Schema>(schema.clone()).ok());
        schema.filter(|schema| schema.units() == self.visible()).unwrap_or_default()
    }

    /// How it draws what is missing: as training did.
    pub(crate) fn completing(&self) -> Completing {
        let recipe = &self.provenance.recipe;
        let of = |recipe: &serde_json::Value| {
            recipe.get("visible_states").and_then(|states| states.as_str()) == Some("probabilities")
        };
        // The recipe of a stack has a table a layer.
        let probabilities = of(recipe) || recipe.get("layer").and_then(|layers| layers.get(0)).is_some_and(of);
        let visible_states = if probabilities { VisibleStates::Probabilities } else { VisibleStates::Sampled };
        Completing { visible_states, ..Completing::default() }
    }

    fn write(&self, path: &Path) -> Result<()> {
        match &self.net {
            Net::Rbm(dbn) => deepbelief_rbm::save(path, dbn.top(), &self.provenance)?,
            Net::Dbn(dbn) => dbn.save(path, &self.provenance)?,
            Net::Network(network) => network.save(path, &self.provenance)?,
        }
        Ok(())
    }

    fn read(path: &Path) -> Result<Self> {
        let network = |objective| -> Result<Self> {
            let (network, header) = Network::load(path, objective)?;
            Ok(Self { net: Net::Network(network), provenance: header.provenance })
        };
        match tensors::kind(path, &tensors::read(path)?)?.as_str() {
            "rbm" => {
                let (rbm, header) = deepbelief_rbm::load(path, &Device::Cpu)?;
                Ok(Self { net: Net::Rbm(Dbn::from_rbms(vec![rbm])?), provenance: header.provenance })
            }
            "dbn" => {
                let (dbn, header) = Dbn::load(path, &Device::Cpu)?;
                Ok(Self { net: Net::Dbn(dbn), provenance: header.provenance })
            }
            "mlp" => network(Objective::Classifier),
            "autoencoder" => network(Objective::Autoencoder),
            kind => Err(Failure::new(format!(
                "{} is of kind '{kind}', expected 'rbm', 'dbn', 'mlp' or 'autoencoder'",
                path.display()
            ))),
        }
    }
}

#[pymethods]
impl Model {
    /// An RBM of Bernoulli units that has these weights [visible, hidden] and biases.
    #[staticmethod]
    fn of_weights(weights: &Bound<'_, PyAny>, hidden: Vec<f32>, visible: Vec<f32>) -> PyResult<Self> {
        let (weights, shape) = crate::arrays::floats(weights)?;
        let make = || -> Result<Dbn> {
            let biases = |values: Vec<f32>| Tensor::new(values, &Device::Cpu);
            let weights = Tensor::from_vec(weights, (shape[0], shape[1]), &Device::Cpu)?;
            Ok(Dbn::from_rbms(vec![Rbm::from_tensors(weights, biases(hidden)?, biases(visible)?)?])?)
        };
        let crate_version = env!("CARGO_PKG_VERSION").into();
        let provenance = Provenance { dataset: "Python".into(), crate_version, ..Provenance::default() };
        Ok(Self { net: Net::Rbm(make()?), provenance })
    }

    /// Reads a checkpoint of `dbn` or of this package.
    #[staticmethod]
    fn load(py: Python<'_>, path: PathBuf) -> PyResult<Self> {
        computed(py, 1, move |_| Self::read(&path))
    }

    /// Writes a checkpoint; whole or not at all.
    fn save(&self, py: Python<'_>, path: PathBuf) -> PyResult<()> {
        computed(py, 1, move |_| self.write(&path))
    }

    /// The model of a checkpoint's bytes.
    #[staticmethod]
    fn from_bytes(py: Python<'_>, bytes: Vec<u8>) -> PyResult<Self> {
        computed(py, 1, move |_| from_bytes(&bytes, Self::read))
    }

    /// Pickles hold the bytes of a checkpoint.
    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<Pickled<'py>> {
        let py = slf.py();
        let this = slf.get();
        let bytes = computed(py, 1, |_| to_bytes(|path| this.write(path)))?;
        Ok((slf.get_type().getattr("from_bytes")?, (PyBytes::new(py, &bytes),)))
    }

    /// `rbm`, `dbn`, `mlp` or `autoencoder`.
    #[getter]
    fn kind(&self) -> &'static str {
        match &self.net {
            Net::Rbm(_) => "rbm",
            Net::Dbn(_) => "dbn",
            Net::Network(network) => network.objective().kind(),
        }
    }

    /// Units of every layer, from the visible ones up.
    #[getter]
    pub(crate) fn sizes(&self) -> Vec<usize> {
        match &self.net {
            Net::Rbm(dbn) | Net::Dbn(dbn) => dbn.sizes(),
            Net::Network(network) => network.sizes(),
        }
    }

    /// Number of classes that it tells apart, 0 where it learned none.
    #[getter]
    pub(crate) fn classes(&self) -> usize {
        match &self.net {
            Net::Rbm(dbn) | Net::Dbn(dbn) => dbn.classes(),
            Net::Network(network) => network.classes(),
        }
    }

    /// Kinds of the visible units, in words.
    #[getter]
    fn visible_units(&self) -> String {
        self.visible_layer().kinds()
    }

    /// Which visible columns are spins.
    #[getter]
    fn spins(&self) -> Vec<bool> {
        let layer = self.visible_layer();
        layer.each().flat_map(|(part, columns)| columns.map(move |_| part.units == UnitKind::Spin)).collect()
    }

    /// Kinds of the hidden units of the top, as settings say them.
    #[getter]
    fn hidden_units(&self) -> PyResult<String> {
        let units = &self.belief("hidden units that are drawn")?.top().layers().hidden;
        let mix = match units.segments() {
            [one] => UnitMix::All(one.units),
            all => UnitMix::Each(all.iter().map(|part| (part.units, part.sites)).collect()),
        };
        Ok(mix.to_string())
    }

    /// Where it comes from, as JSON.
    #[getter]
    fn provenance(&self) -> PyResult<String> {
        Ok(serde_json::to_string(&self.provenance).map_err(Failure::from)?)
    }

    /// All parameters by name, as float32.
    fn tensors<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let named: Vec<(String, Tensor)> = match &self.net {
            Net::Rbm(dbn) => {
                let rbm = dbn.top();
                let tensors = [("w_rec", rbm.w_rec()), ("hb", rbm.hb()), ("vb", rbm.vb())];
                tensors.map(|(name, tensor)| (name.to_string(), tensor.clone())).into()
            }
            Net::Dbn(dbn) => dbn.named_tensors(""),
            Net::Network(network) => network.named_tensors("").map_err(Failure::from)?,
        };
        let all = PyDict::new(py);
        for (name, tensor) in named {
            let values = tensor.to_dtype(DType::F32).and_then(|tensor| tensor.flatten_all()?.to_vec1::<f32>());
            let values = PyArray1::from_vec(py, values.map_err(Failure::from)?);
            let shape = tensor.dims().to_vec();
            all.set_item(name, values.call_method1("reshape", (shape,))?)?;
        }
        Ok(all)
    }

    /// The cells of visible values [n, units]: a name and a list of numbers or texts a column.
    fn decode<'py>(&self, py: Python<'py>, values: &Bound<'py, PyAny>) -> PyResult<Vec<(String, Bound<'py, PyAny>)>> {
        let (values, _) = crate::arrays::floats(values)?;
        let blocks = computed(py, 1, move |_| Ok(self.schema().decode(&values)))?;
        blocks.into_iter().map(|Block { mut names, values }| Ok((names.remove(0), cells(py, values)?))).collect()
    }

    /// The same model with other words about where it comes from, as JSON.
    fn with_recipe(&self, recipe: &str) -> PyResult<Self> {
        let recipe = serde_json::from_str(recipe).map_err(Failure::from)?;
        Ok(Self { net: self.net.clone(), provenance: Provenance { recipe, ..self.provenance.clone() } })
    }
}

/// What makes an object of bytes, and these.
pub(crate) type Pickled<'py> = (Bound<'py, PyAny>, (Bound<'py, PyBytes>,));

/// What `write` puts into a file.
pub(crate) fn to_bytes(write: impl FnOnce(&Path) -> Result<()>) -> Result<Vec<u8>> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("pickle.safetensors");
    write(&path)?;
    Ok(std::fs::read(path)?)
}

/// What `read` makes of a file of these bytes.
pub(crate) fn from_bytes<T>(bytes: &[u8], read: impl FnOnce(&Path) -> Result<T>) -> Result<T> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("pickle.safetensors");
    std::fs::write(&path, bytes)?;
    read(&path)
}

/// A column as Python has it.
fn cells(py: Python<'_>, values: BlockValues) -> PyResult<Bound<'_, PyAny>> {
    Ok(match values {
        BlockValues::Floats(values) => {
            PyArray1::from_vec(py, values.into_iter().map(f64::from).collect::<Vec<f64>>()).into_any()
        }
        BlockValues::Doubles(values) => PyArray1::from_vec(py, values).into_any(),
        BlockValues::Whole(values) => PyArray1::from_vec(py, values).into_any(),
        BlockValues::Texts { texts, places } => {
            PyList::new(py, places.iter().map(|&place| texts[place as usize].as_str()))?.into_any()
        }
    })
}

/// Values [n, columns] as an array.
pub(crate) fn rows_of(py: Python<'_>, values: Vec<f32>, columns: usize) -> PyResult<Bound<'_, PyAny>> {
    Ok(to_rows(py, values, columns)?.into_any())
}
