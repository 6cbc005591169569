//! Trainings: of an RBM, of a stack, of a net by wake-sleep, of a network by backpropagation.
//!
//! Each returns the model, how the training ended (`finished`, `converged`, `interrupted`, or what diverged), and the
//! exception of a signal or of a callback that interrupted it: the caller keeps the model before it raises that.

use crate::attended::{Attention, Done, attended, computed};
use crate::data::Data;
use crate::failure::{Failure, Result};
use crate::model::{Model, Net, Pickled, from_bytes, rows_of, to_bytes};
use crate::settings::{complete, parsed};
use candle_core::Device;
use deepbelief_cli::embedded::{self, Complete};
use deepbelief_data::{BatchConfig, Binarize, Minibatcher, Split};
use deepbelief_finetune::{Finetuner, Network};
use deepbelief_kernels::{Stream, Uniforms};
use deepbelief_rbm::{
    Error as RbmError, Monitors, Outcome, Provenance, Rbm, RbmConfig, TrainConfig, TrainState, Trainer,
};
use deepbelief_stack::{Dbn, Greedy};
use deepbelief_wake_sleep::Tuner;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use serde_json::Value;

/// A model, how its training ended, and what interrupted it.
type Trained = (Model, String, Option<Py<PyAny>>);

/// What a training of an RBM goes on from.
#[pyclass(frozen, module = "deepbelief._deepbelief")]
pub(crate) struct State(TrainState);

#[pymethods]
impl State {
    /// Epochs done.
    #[getter]
    fn epochs(&self) -> u32 {
        self.0.epochs_done()
    }

    /// The state of a file's bytes.
    #[staticmethod]
    fn from_bytes(py: Python<'_>, bytes: Vec<u8>) -> PyResult<Self> {
        computed(py, 1, move |_| from_bytes(&bytes, |path| Ok(Self(TrainState::load(path)?))))
    }

    /// Pickles hold the bytes of a file.
    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<Pickled<'py>> {
        let py = slf.py();
        let this = slf.get();
        let bytes = computed(py, 1, |_| to_bytes(|path| Ok(this.0.save(path)?)))?;
        Ok((slf.get_type().getattr("from_bytes")?, (PyBytes::new(py, &bytes),)))
    }

    /// Hidden states of the persistent chains [chains, hidden].
    fn chains<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.0.learned.chains().map(|chains| rows_of(py, chains.to_values(), chains.units())).transpose()
    }
}

/// Trains an RBM, from weights that are drawn, from a state or from another RBM, or leaves it as it starts; `monitor`
/// samples are measured after every epoch.
#[pyfunction]
#[pyo3(signature = (
    data, settings, beside, *, untrained=false, valid=None, state=None, start=None, monitor=2000, watch=None
))]
pub(crate) fn train_rbm(
    py: Python<'_>,
    data: &Data,
    settings: &str,
    beside: &str,
    untrained: bool,
    valid: Option<&Data>,
    state: Option<&State>,
    start: Option<&Model>,
    monitor: usize,
    watch: Option<&Bound<'_, PyAny>>,
) -> PyResult<(Model, String, Option<Py<PyAny>>, State)> {
    let Complete { config: layer, batch_size, binarize, recipe } =
        complete(embedded::pretrain(&parsed(settings)?, &data.set))?;
    let dealing = (batch_size, binarize);
    let provenance = |seed, epochs| provenance(recipe, beside, seed, epochs);
    let TrainConfig { seed, threads, .. } = layer.train;
    let config = layer.train.clone();
    let work = |attention: &mut Attention<'_>| {
        let (mut minibatches, monitors) = dealt(data.samples_of(), valid, dealing, seed, monitor)?;
        let mut trainer = if let Some(state) = state {
            Trainer::resume(config, state.0.clone(), &Device::Cpu)?
        } else if let Some(start) = start {
            Trainer::new(start.belief("units that learn from samples alone")?.top(), config)?
        } else {
            let units = data.samples_of().layer();
            let visible_units = (!units.is_bernoulli()).then(|| units.clone());
            let start = RbmConfig { visible_units, ..layer.rbm(seed) };
            Trainer::new(&Rbm::new(&start, &data.samples_of().mean()?, &Device::Cpu)?, config)?
        };
        let outcome =
            if untrained { Ok(Outcome::Finished) } else { trainer.fit(&mut minibatches, &monitors, attention) };
        // A model whose training diverged or collapsed is as far as it came, if it is one.
        let outcome = match outcome {
            Err(error @ (RbmError::Diverged { .. } | RbmError::Collapsed { .. })) => Failure::from(error).text().into(),
            outcome => named(outcome?),
        };
        let snapshot = trainer.snapshot();
        Ok((snapshot.model()?, outcome, snapshot.epochs_done(), snapshot.state()?))
    };
    let Done { result, interruption } = attended(py, threads, work, watching(watch))?;
    let (rbm, outcome, epochs, state) = result?;
    let provenance = provenance(seed, epochs)?;
    let model = Model { net: Net::Rbm(Dbn::from_rbms(vec![rbm]).map_err(Failure::from)?), provenance };
    Ok((model, outcome, exception(py, interruption), State(state)))
}

/// Trains a stack, with a label group at the top where the data have labels. Interrupted, it has the layers that are
/// finished, and one at least.
#[pyfunction]
#[pyo3(signature = (data, settings, beside, *, classes=None, valid=None, monitor=5000, watch=None))]
pub(crate) fn train_stack(
    py: Python<'_>,
    data: &Data,
    settings: &str,
    beside: &str,
    classes: Option<usize>,
    valid: Option<&Data>,
    monitor: usize,
    watch: Option<&Bound<'_, PyAny>>,
) -> PyResult<Trained> {
    let Complete { config, batch_size, binarize, recipe } =
        complete(embedded::stack(&parsed(settings)?, &data.set, classes))?;
    let dealing = (batch_size, binarize);
    let (seed, threads) = (config.seed, config.threads);
    let epochs = config.layers.iter().map(|layer| layer.train.epochs).sum();
    let work = |attention: &mut Attention<'_>| {
        let (mut minibatches, monitors) = dealt(data.samples_of(), valid, dealing, seed, monitor)?;
        let mut greedy = Greedy::new(config)?;
        let outcome = greedy.fit(&mut minibatches, &monitors, attention)?;
        let dbn = match outcome {
            Outcome::Interrupted => interrupted_net(&greedy)?,
            _ => greedy.dbn()?,
        };
        Ok((dbn, named(outcome)))
    };
    let Done { result, interruption } = attended(py, threads, work, watching(watch))?;
    let (dbn, outcome) = result?;
    let model = Model { net: Net::Dbn(dbn), provenance: provenance(recipe, beside, seed, epochs)? };
    Ok((model, outcome, exception(py, interruption)))
}

/// Tunes a deep belief net by wake-sleep.
#[pyfunction]
#[pyo3(signature = (model, data, settings, beside, *, valid=None, monitor=2000, watch=None))]
pub(crate) fn tune(
    py: Python<'_>,
    model: &Model,
    data: &Data,
    settings: &str,
    beside: &str,
    valid: Option<&Data>,
    monitor: usize,
    watch: Option<&Bound<'_, PyAny>>,
) -> PyResult<Trained> {
    let dbn = model.belief("generative weights to tune")?;
    let Complete { config, batch_size, binarize, recipe } =
        complete(embedded::tune(&parsed(settings)?, &model.provenance.recipe, dbn.layers().len()))?;
    let (seed, threads, dealing) = (config.seed, config.threads, (batch_size, binarize));
    let work = |attention: &mut Attention<'_>| {
        let (mut minibatches, monitors) = dealt(data.samples_of(), valid, dealing, seed, monitor)?;
        let mut tuner = Tuner::new(dbn, config)?;
        let outcome = tuner.fit(&mut minibatches, &monitors, attention)?;
        let snapshot = tuner.snapshot();
        let best = snapshot.best().filter(|_| valid.is_some()).map(|best| best.model.clone());
        let tuned = best.map_or_else(|| snapshot.model(), Ok)?;
        Ok((tuned, named(outcome), snapshot.epochs_done()))
    };
    let Done { result, interruption } = attended(py, threads, work, watching(watch))?;
    let (dbn, outcome, epochs) = result?;
    let model = Model { net: Net::Dbn(dbn), provenance: provenance(recipe, beside, seed, epochs)? };
    Ok((model, outcome, exception(py, interruption)))
}

/// Makes a classifier of so many classes, or without them an autoencoder, of a net and trains it by backpropagation.
#[pyfunction]
#[pyo3(signature = (model, data, settings, beside, *, classes=None, valid=None, monitor=2000, watch=None))]
pub(crate) fn finetune(
    py: Python<'_>,
    model: &Model,
    data: &Data,
    settings: &str,
    beside: &str,
    classes: Option<usize>,
    valid: Option<&Data>,
    monitor: usize,
    watch: Option<&Bound<'_, PyAny>>,
) -> PyResult<Trained> {
    let Complete { config, batch_size, binarize, recipe } =
        complete(embedded::finetune(&parsed(settings)?, &model.provenance.recipe))?;
    let (seed, threads, dealing) = (config.seed, config.threads, (batch_size, binarize));
    let work = |attention: &mut Attention<'_>| {
        let (mut minibatches, monitors) = dealt(data.samples_of(), valid, dealing, seed, monitor)?;
        let network = match (&model.net, classes) {
            (Net::Network(network), _) => network.clone(),
            (Net::Rbm(dbn) | Net::Dbn(dbn), Some(classes)) => Network::classifier(dbn, classes)?,
            (Net::Rbm(dbn) | Net::Dbn(dbn), None) => Network::autoencoder(dbn)?,
        };
        let mut finetuner = Finetuner::new(&network, config)?;
        let outcome = finetuner.fit(&mut minibatches, &monitors, attention)?;
        let snapshot = finetuner.snapshot();
        let best = snapshot.best().filter(|_| valid.is_some()).map(|best| best.model.clone());
        let tuned = best.map_or_else(|| snapshot.model(), Ok)?;
        Ok((tuned, named(outcome), snapshot.epochs_done()))
    };
    let Done { result, interruption } = attended(py, threads, work, watching(watch))?;
    let (network, outcome, epochs) = result?;
    let model = Model { net: Net::Network(network), provenance: provenance(recipe, beside, seed, epochs)? };
    Ok((model, outcome, exception(py, interruption)))
}

/// The finished layers of a stack that was interrupted, or the first as far as it came.
fn interrupted_net(greedy: &Greedy) -> Result<Dbn> {
    let state = greedy.state();
    if !state.finished.is_empty() {
        return Ok(greedy.dbn()?);
    }
    let running = state.running.ok_or_else(|| Failure::new("interrupted before the first update"))?;
    Ok(Dbn::from_rbms(vec![running.learned.rbm()?])?)
}

/// Minibatches of samples, and what every epoch is measured on: as many training samples as held-out ones.
fn dealt(
    train: &Split,
    valid: Option<&Data>,
    (batch_size, binarize): (usize, Binarize),
    seed: u64,
    most: usize,
) -> Result<(Minibatcher, Monitors)> {
    let minibatches = Minibatcher::new(train, BatchConfig { batch_size, binarize, balanced: false, seed })?;
    let size = valid.map_or(most, |valid| valid.samples_of().samples().min(most));
    let mut order: Vec<u32> = (0..train.samples() as u32).collect();
    Uniforms::new(seed, Stream::Monitor, 1).shuffle(0, &mut order);
    order.truncate(size);
    let chosen = || order.iter().map(|&sample| sample as usize);
    let monitors = Monitors {
        train: train.batch(chosen(), binarize, seed)?,
        train_labels: chosen().filter_map(|sample| train.label(sample)).collect(),
        valid: valid.map(|valid| valid.samples_of().batch(0..size, binarize, seed)).transpose()?,
        valid_labels: (0..size).filter_map(|sample| valid?.samples_of().label(sample)).collect(),
        ..Monitors::default()
    };
    Ok((minibatches, monitors))
}

fn named(outcome: Outcome) -> String {
    match outcome {
        Outcome::Finished => "finished",
        Outcome::Converged => "converged",
        Outcome::Interrupted => "interrupted",
    }
    .into()
}

/// Hands the metrics of an epoch to Python.
fn watching<'py>(watch: Option<&Bound<'py, PyAny>>) -> impl FnMut(Python<'_>, &str) -> PyResult<()> {
    let watch = watch.map(|watch| watch.clone().unbind());
    move |py, message| match &watch {
        Some(watch) => watch.bind(py).call1((message,)).map(drop),
        None => Ok(()),
    }
}

fn exception(py: Python<'_>, interruption: Option<PyErr>) -> Option<Py<PyAny>> {
    interruption.map(|error| error.into_value(py).into_any())
}

/// Where a model comes from: its settings, and `beside` them what its data were, as JSON.
fn provenance(mut recipe: Value, beside: &str, seed: u64, epochs: u32) -> Result<Provenance> {
    if let (Some(recipe), Value::Object(beside)) = (recipe.as_object_mut(), parsed(beside)?) {
        recipe.extend(beside);
    }
    let (dataset, crate_version) = ("Python".into(), env!("CARGO_PKG_VERSION").into());
    Ok(Provenance { dataset, seed, epochs, crate_version, recipe, ..Provenance::default() })
}
