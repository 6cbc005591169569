//! `dbn pretrain`: train one RBM.

use super::words::{of_units, shown};
use crate::failure::{Failure, Result};
use crate::machine::memory::MemoryOption;
use crate::pictures::{self, Subject};
use crate::report::thousands;
use crate::reporting::Look;
use crate::run::folder::STATE;
use crate::run::looped::{Figures, Looped};
use crate::run::measured::Epoch;
use crate::run::parts::Parts;
use crate::run::watcher::{Verb, Watcher};
use crate::settings::{PretrainSettings, Settings};
use candle_core::Device;
use deepbelief_rbm::{
    Contrastive, EpochMetrics, Layers, OnDivergence, Provenance, Rbm, RbmConfig, Snapshot, TrainConfig, TrainState,
    Trainer, UnitKind, Units, peak_memory, save,
};
use deepbelief_stack::Dbn;
use deepbelief_training::Best;
use std::path::Path;

/// Test samples that a finished training is measured on, at most.
const TEST: usize = 10_000;

/// The verb.
pub(crate) struct Pretrain;

impl Verb for Pretrain {
    type Settings = PretrainSettings;
    type Training = Contrastive;
    type Epoch = Epoch;
    type Kept = ();

    fn span(settings: &PretrainSettings, (): &()) -> (u32, OnDivergence) {
        let train = &settings.layer.train;
        (train.epochs, train.on_divergence)
    }

    fn delayed(metrics: &EpochMetrics, seconds: f64) -> EpochMetrics {
        EpochMetrics { seconds: metrics.seconds + seconds, ..metrics.clone() }
    }

    fn tell(watcher: &mut Watcher<'_, Self>, metrics: &EpochMetrics, snapshot: &Snapshot<'_>) {
        watcher.ticker.epoch(metrics, watcher.settings.layer.train.epochs);
        let warnings = snapshot.training().warnings(metrics, snapshot.updates_done());
        watcher.warn(0, metrics.epoch, &warnings);
    }

    fn save(watcher: &mut Watcher<'_, Self>, snapshot: &Snapshot<'_>) -> Result<Rbm> {
        watcher.save(snapshot, Figures::new())
    }

    fn draw(watcher: &mut Watcher<'_, Self>, rbm: &Rbm, epochs: u32) -> Result<()> {
        let folder = watcher.folder;
        if let Some(shape) = watcher.gallery.shape {
            let subject = Subject { rbm, epochs, shape, seed: watcher.settings.seed() };
            let samples = &watcher.gallery.samples;
            folder.write("filters.png", &pictures::filters(subject)?)?;
            folder.write("reconstructions.png", &pictures::reconstructions(subject, samples)?.png()?)?;
            let fantasies = pictures::fantasies(subject, &samples.values)?;
            folder.write("fantasies.png", &fantasies.png()?)?;
            watcher.reporter.fantasies = Some(fantasies);
        }
        let title = format!("{} on {}", pictures::name(rbm, epochs), watcher.provenance.dataset);
        pictures::draw_curves(folder, "curves", &title, watcher.history.traces(0))
    }

    fn look(_: &Watcher<'_, Self>, rbm: &Rbm) -> Result<Look> {
        Ok(Look::Net(Dbn::from_rbms(vec![rbm.clone()])?))
    }
}

impl Looped for Pretrain {
    const STATE: &'static str = STATE;
    const MONITOR: usize = crate::options::Verb::Pretrain.measured();
    const STOPS: &'static str = "--tolerance or --patience say";

    fn patience(settings: &PretrainSettings) -> u32 {
        settings.layer.train.patience
    }

    fn batch_size(settings: &PretrainSettings) -> usize {
        settings.batch_size()
    }

    fn place(settings: &PretrainSettings, parts: &Parts) -> Result<Device> {
        parts.device(settings.run.device)
    }

    fn name(settings: &PretrainSettings, _: Option<String>) -> String {
        format!("{}-{}", settings.data.data.name(), settings.layer.hidden)
    }

    fn start(settings: &PretrainSettings, parts: Parts, _: Option<&Dbn>) -> Result<(Trainer, Parts)> {
        parts.require_shape(&settings.data)?;
        let parts = settle(parts, settings)?;
        let layer = parts.train.layer();
        let visible_units = (!layer.is_bernoulli()).then(|| layer.clone());
        let config = RbmConfig { visible_units, ..settings.rbm_config() };
        let rbm = Rbm::new(&config, &parts.train.mean()?, &Self::place(settings, &parts)?)?;
        Ok((Trainer::new(&rbm, settings.train_config())?, parts))
    }

    fn resume(settings: &PretrainSettings, parts: Parts, state: &TrainState) -> Result<(TrainConfig, Parts)> {
        let parts = settle(parts, settings)?;
        let ((visible, hidden), wanted) = (state.learned.sizes(), settings.layer.hidden);
        if (visible, hidden) != (parts.train.units(), wanted) {
            return Err(Failure::new(format!(
                "{STATE} holds an RBM of {visible} visible and {hidden} hidden units, but data and settings want {} and \
                 {wanted}",
                parts.train.units(),
            )));
        }
        if state.learned.layers().visible != *parts.train.layer() {
            let (got, expected) = (&state.learned.layers().visible, parts.train.layer());
            return Err(Failure::new(format!("{STATE} has {got} visible units, the data have {expected}")));
        }
        let expected = settings.layer.hidden_units.units(wanted);
        let got = &state.learned.layers().hidden;
        if *got != expected {
            return Err(Failure::new(format!("{STATE} has {got} hidden units, the settings say {expected}")));
        }
        Ok((settings.train_config(), parts))
    }

    fn introduce(settings: &PretrainSettings, parts: &Parts, _: &Rbm) -> Result<(String, u64)> {
        let (visible, hidden) = (parts.train.units(), settings.layer.hidden);
        let parameters = thousands(visible * hidden + visible + hidden);
        let units = of_units(&settings.layer.hidden_units);
        let below = match parts.train.layer() {
            layer if layer.is_bernoulli() => String::new(),
            layer => format!(" of {layer} visible units"),
        };
        let model = format!("{visible}-{hidden} RBM{below}{units}, {parameters} parameters");
        Ok((model, footprint(settings, parts, hidden, settings.batch_size())))
    }

    fn write(rbm: &Rbm, path: &Path, provenance: &Provenance) -> Result<()> {
        Ok(save(path, rbm, provenance)?)
    }

    fn test(training: &mut Trainer, settings: &PretrainSettings, parts: &Parts) -> Result<Option<(Figures, String)>> {
        let Some(test) = &parts.data.test else { return Ok(None) };
        let batch = test.batch(0..test.samples().min(TEST), settings.data.binarize, settings.seed())?;
        let measured = training.with_training(|rbm| rbm.measure(&batch, &[]))?;
        let cost = measured.reconstruction_cost;
        let figures = [("reconstruction_cost_test", cost), ("free_energy_test", measured.free_energy)];
        Ok(Some((shown(figures), format!("reconstruction cost {cost:.2} nats per sample"))))
    }

    fn best_in_words(_: &PretrainSettings, best: &Best<Rbm>) -> String {
        format!(" with {:.2} nats", -best.score.cost)
    }
}

/// Bytes that a training of so many hidden units and such batches takes on top of the data: its own, and
/// those of samples to measure on. Other than Bernoulli units are measured as tensors, hidden ones among them.
fn footprint(settings: &PretrainSettings, parts: &Parts, hidden: usize, batch_size: usize) -> u64 {
    let visible = parts.train.units();
    // All other kinds take the same.
    let kind = if settings.layer.hidden_units.is_bernoulli() { UnitKind::Bernoulli } else { UnitKind::Gaussian };
    let layers = Layers { visible: parts.train.layer().clone(), hidden: Units::of(kind, hidden) };
    let tested = parts.data.test.as_ref().map_or(0, |test| test.samples().min(TEST));
    let samples = parts.monitored(Pretrain::MONITOR) + tested;
    let measured = if layers.are_bernoulli() {
        parts.batch_bytes(&settings.data, samples)
    } else {
        4 * (samples * (visible + hidden)) as u64
    };
    peak_memory(&layers, parts.in_a_batch(batch_size), &settings.train_config()) + measured
}

/// The data where there is room for them.
fn settle(parts: Parts, settings: &PretrainSettings) -> Result<Parts> {
    let (held, now, batch) = (parts.bytes(&settings.data), settings.layer.hidden, settings.batch_size());
    let of = parts.clone();
    let needed = |hidden, batch| held + footprint(settings, &of, hidden, batch);
    let options = [
        MemoryOption::new("--hidden", 1, now, |n| needed(n, batch)),
        MemoryOption::new("--batch-size", 1, batch, |n| needed(now, n)),
    ];
    parts.settle(settings, needed(now, batch), &options)
}
