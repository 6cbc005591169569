//! `dbn finetune`: train a deep belief net by backpropagation.

use super::words::shown;
use crate::data::chunks::CHUNK;
use crate::failure::{Failure, Result, count};
use crate::machine::memory::MemoryOption;
use crate::pictures::{self, network_name};
use crate::report::thousands;
use crate::reporting::Look;
use crate::run::folder::FINETUNE_STATE;
use crate::run::looped::{Figures, Looped};
use crate::run::measured::FinetuneEpoch;
use crate::run::parts::Parts;
use crate::run::watcher::{Verb, Watcher};
use crate::settings::{FinetuneSettings, Settings};
use deepbelief_data::{ClassNumbers, Split};
use deepbelief_finetune::{
    Backprop, FinetuneConfig, FinetuneMetrics, FinetuneState, Finetuner, Network, Objective, Snapshot, peak_memory,
};
use deepbelief_rbm::{OnDivergence, Provenance};
use deepbelief_stack::Dbn;
use deepbelief_training::Best;
use std::path::Path;

/// The verb.
pub(crate) struct Finetune;

impl Verb for Finetune {
    type Settings = FinetuneSettings;
    type Training = Backprop;
    type Epoch = FinetuneEpoch;
    type Kept = ();

    fn span(settings: &FinetuneSettings, (): &()) -> (u32, OnDivergence) {
        (settings.config.epochs, settings.config.on_divergence)
    }

    fn delayed(metrics: &FinetuneMetrics, seconds: f64) -> FinetuneMetrics {
        FinetuneMetrics { seconds: metrics.seconds + seconds, ..metrics.clone() }
    }

    fn tell(watcher: &mut Watcher<'_, Self>, metrics: &FinetuneMetrics, _: &Snapshot<'_>) {
        let (epoch, epochs) = (metrics.epoch, watcher.settings.config.epochs);
        let width = epochs.to_string().len();
        let train = metrics.label_error_train.or(metrics.squared_error_train).unwrap_or_default();
        let valid = metrics.label_error_valid.or(metrics.squared_error_valid);
        let valid =
            valid.map_or(String::new(), |error| format!(" (validation {})", error_in_words(watcher.settings, error)));
        let cost = metrics.training_cost.map_or(String::new(), |cost| format!(", cost {cost:.4}"));
        let rate = match metrics.samples_per_second {
            0.0 => String::new(),
            rate => format!(", {} samples/s", thousands(rate as usize)),
        };
        let short = format!("{}{valid}{cost}{rate}", error_in_words(watcher.settings, train));
        let line = format!("epoch {epoch:>width$}/{epochs}: {short}");
        watcher.ticker.message(&short);
        tracing::info!(
            epoch,
            training_cost = metrics.training_cost,
            cost = metrics.cost,
            cost_valid = metrics.cost_valid,
            label_error_valid = metrics.label_error_valid,
            squared_error_valid = metrics.squared_error_valid,
            samples_per_second = metrics.samples_per_second,
            "{line}"
        );
    }

    fn save(watcher: &mut Watcher<'_, Self>, snapshot: &Snapshot<'_>) -> Result<Network> {
        watcher.save(snapshot, Figures::new())
    }

    fn draw(watcher: &mut Watcher<'_, Self>, network: &Network, epoch: u32) -> Result<()> {
        let name = pictures::network_name(network);
        let title = format!("{name} on {}, {epoch} epochs", watcher.provenance.dataset);
        pictures::draw_curves(watcher.folder, "curves", &title, watcher.history.traces(0))?;
        match watcher.gallery.shape {
            Some(shape) if network.objective() == Objective::Autoencoder => {
                let picture = pictures::autoencoded(network, shape, &watcher.gallery.samples)?;
                watcher.folder.write("reconstructions.png", &picture.png()?)
            }
            _ => Ok(()),
        }
    }

    fn look(_: &Watcher<'_, Self>, network: &Network) -> Result<Look> {
        Ok(Look::Network(network.clone()))
    }
}

impl Looped for Finetune {
    const STATE: &'static str = FINETUNE_STATE;
    const MONITOR: usize = crate::options::Verb::Finetune.measured();

    fn patience(settings: &FinetuneSettings) -> u32 {
        settings.config.patience
    }

    fn batch_size(settings: &FinetuneSettings) -> usize {
        settings.batch_size
    }

    /// A classifier may have more classes than the net.
    fn class_numbers(settings: &FinetuneSettings) -> Option<ClassNumbers> {
        (settings.objective == Objective::Classifier).then_some(ClassNumbers::More)
    }

    fn name(settings: &FinetuneSettings, of: Option<String>) -> String {
        format!("{}-{}", of.unwrap_or_else(|| settings.data.data.name()), settings.objective.kind())
    }

    fn start(settings: &FinetuneSettings, parts: Parts, from: Option<&Dbn>) -> Result<(Finetuner, Parts)> {
        parts.require_whole()?;
        let classes = classes(from, &parts, settings)?;
        let up = match (from, &settings.layers) {
            (Some(dbn), _) => dbn.sizes(),
            (None, layers) => [&[parts.train.units()], layers.as_deref().unwrap_or_default()].concat(),
        };
        parts.require_units(&settings.data, up[0])?;
        parts.require_layer(from.map_or(parts.train.layer(), Dbn::visible_units))?;
        let parts = settle(parts, &settings.objective.sizes(&up, classes), settings)?;
        let network = match (from, settings.objective) {
            (None, objective) => {
                Network::random(objective, &up, classes, settings.seed())?.over(parts.train.layer())?
            }
            (Some(dbn), Objective::Classifier) => Network::classifier(dbn, classes)?,
            (Some(dbn), Objective::Autoencoder) => Network::autoencoder(dbn)?,
        };
        Ok((Finetuner::new(&network, settings.config.clone())?.on(&settings.run.device.open()?)?, parts))
    }

    fn resume(settings: &FinetuneSettings, parts: Parts, state: &FinetuneState) -> Result<(FinetuneConfig, Parts)> {
        Ok((settings.config.clone(), settle(parts, &state.learned.sizes(), settings)?))
    }

    fn introduce(settings: &FinetuneSettings, parts: &Parts, network: &Network) -> Result<(String, u64)> {
        let model = format!("{}; {}", network_name(network), count(settings.config.epochs as usize, "epoch"));
        Ok((model, footprint(settings, parts, &network.sizes(), settings.batch_size)))
    }

    fn write(network: &Network, path: &Path, provenance: &Provenance) -> Result<()> {
        Ok(network.save(path, provenance)?)
    }

    fn test(training: &mut Finetuner, settings: &FinetuneSettings, parts: &Parts) -> Result<Option<(Figures, String)>> {
        let Some(test) = parts.data.test.as_ref().filter(|_| settings.test) else { return Ok(None) };
        let network = training.snapshot().model()?;
        let samples = test.batch(0..test.samples(), settings.data.binarize, settings.seed())?;
        let (figure, error) = match (network.objective(), test.labels()) {
            (Objective::Classifier, None) => return Ok(None),
            (Objective::Classifier, Some(labels)) => ("label_error_test", network.score(&samples, &labels)?.error),
            (Objective::Autoencoder, _) => ("squared_error_test", network.score(&samples, &[])?.error),
        };
        Ok(Some((shown([(figure, error)]), error_in_words(settings, error))))
    }

    fn best_in_words(settings: &FinetuneSettings, best: &Best<Network>) -> String {
        format!(" with {}", error_in_words(settings, best.score.error.unwrap_or_default()))
    }
}

/// `label error 1.25 %` or `squared error 3.21`.
fn error_in_words(settings: &FinetuneSettings, error: f64) -> String {
    match settings.objective {
        Objective::Classifier => format!("label error {:.2} %", 100.0 * error),
        Objective::Autoencoder => format!("squared error {error:.3}"),
    }
}

/// The classes that a classifier of the data has; 0 for an autoencoder.
fn classes(dbn: Option<&Dbn>, parts: &Parts, settings: &FinetuneSettings) -> Result<usize> {
    match (settings.objective, parts.data.classes) {
        (Objective::Autoencoder, _) => Ok(0),
        (Objective::Classifier, Some(classes)) => Ok(classes.max(dbn.map_or(0, Dbn::classes))),
        (Objective::Classifier, None) => {
            let data = &settings.data.data;
            Err(Failure::new(format!("the data '{data}' have no labels, which a classifier learns from"))
                .hint("name the labels' column with --label-column, or train an autoencoder with --as autoencoder"))
        }
    }
}

/// Bytes that the training takes on top of the data: its own, and of samples to measure on with their
/// pass up, some at a time.
fn footprint(settings: &FinetuneSettings, parts: &Parts, sizes: &[usize], batch_size: usize) -> u64 {
    let tested = parts.data.test.as_ref().map_or(0, Split::samples);
    let measured = parts.batch_bytes(&settings.data, parts.monitored(Finetune::MONITOR).max(tested));
    let batch_size = parts.in_a_batch(batch_size);
    peak_memory(sizes, batch_size, &settings.config) + measured + (4 * CHUNK * sizes.iter().sum::<usize>()) as u64
}

/// The labelled samples to train on, where there is room for them.
fn settle(parts: Parts, sizes: &[usize], settings: &FinetuneSettings) -> Result<Parts> {
    let (held, of, batch) = (parts.bytes(&settings.data), parts.clone(), settings.batch_size);
    let needed = |sizes: &[usize], batch| held + footprint(settings, &of, sizes, batch);
    let mut options = vec![MemoryOption::new("--batch-size", 1, batch, |n| needed(sizes, n))];
    if let Some(layers) = &settings.layers {
        let (visible, classes, objective) = (sizes[0], sizes[sizes.len() - 1], settings.objective);
        options.push(MemoryOption::layers(layers, move |hidden| {
            needed(&objective.sizes(&[&[visible], hidden].concat(), classes), batch)
        }));
    }
    let mut parts = parts.settle(settings, needed(sizes, batch), &options)?;
    parts.keep(Some(settings.labelled), settings.seed())?;
    Ok(parts)
}
