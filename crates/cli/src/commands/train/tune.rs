//! `dbn tune`: tune a deep belief net by wake-sleep.

use super::words::shown;
use crate::data::chunks::CHUNK;
use crate::failure::{Failure, Result, count};
use crate::machine::device::DeviceName;
use crate::machine::memory::MemoryOption;
use crate::model::checkpoint::starts_from_labelled_data;
use crate::options::flag;
use crate::pictures;
use crate::report::thousands;
use crate::reporting::Look;
use crate::run::folder::TUNE_STATE;
use crate::run::looped::{Figures, Looped};
use crate::run::measured::TuneEpoch;
use crate::run::parts::Parts;
use crate::run::watcher::{Verb, Watcher};
use crate::settings::{Rate, Said, Settings, TuneSettings};
use candle_core::Device;
use deepbelief_rbm::{LabelGroup, OnDivergence, Provenance, Rbm, RbmConfig};
use deepbelief_stack::{Dbn, StackConfig};
use deepbelief_training::Best;
use deepbelief_wake_sleep::{
    Snapshot, TopModel, TuneConfig, TuneMetrics, TuneState, Tuner, Units, UpDown, peak_memory, require_tunable,
    sigmoid_belief_net,
};
use std::path::Path;

/// The verb.
pub(crate) struct Tune;

impl Verb for Tune {
    type Settings = TuneSettings;
    type Training = UpDown;
    type Epoch = TuneEpoch;
    type Kept = ();

    fn span(settings: &TuneSettings, (): &()) -> (u32, OnDivergence) {
        (settings.tune.top_steps.epochs(), settings.tune.on_divergence)
    }

    fn delayed(metrics: &TuneMetrics, seconds: f64) -> TuneMetrics {
        TuneMetrics { seconds: metrics.seconds + seconds, ..metrics.clone() }
    }

    fn tell(watcher: &mut Watcher<'_, Self>, metrics: &TuneMetrics, _: &Snapshot<'_>) {
        let (epoch, epochs) = (metrics.epoch, watcher.settings.tune.top_steps.epochs());
        let width = epochs.to_string().len();
        let percent = |error: Option<f64>| error.map(|error| format!("{:.2} %", 100.0 * error));
        let error = match (percent(metrics.label_error_train), percent(metrics.label_error_valid)) {
            (Some(train), Some(valid)) => format!("label error {train} (validation {valid}), "),
            (Some(train), None) => format!("label error {train}, "),
            _ => String::new(),
        };
        let cost = metrics.variational_cost;
        let gap = metrics.free_energy_gap.map_or(String::new(), |gap| format!(", gap {gap:.2}"));
        // Not `sum`, by which nothing is minus zero.
        let apart = metrics.layers.iter().fold(0.0, |sum, layer| sum + layer.divergence);
        let rate = if epoch == 0 {
            String::new()
        } else {
            format!(", {} samples/s", thousands(metrics.samples_per_second as usize))
        };
        let short = format!("{error}cost {cost:.2}{gap}{rate}");
        let line = format!("epoch {epoch:>width$}/{epochs}: {error}cost {cost:.2}{gap}, apart {apart:.2}{rate}");
        watcher.ticker.message(&short);
        tracing::info!(
            epoch,
            label_error_train = metrics.label_error_train,
            label_error_valid = metrics.label_error_valid,
            variational_cost = cost,
            free_energy_gap = metrics.free_energy_gap,
            samples_per_second = metrics.samples_per_second,
            "{line}"
        );
    }

    fn rate_in_words(rate: f64) -> String {
        format!("{rate} of the learning rates")
    }

    fn save(watcher: &mut Watcher<'_, Self>, snapshot: &Snapshot<'_>) -> Result<Dbn> {
        watcher.save(snapshot, Figures::new())
    }

    fn draw(watcher: &mut Watcher<'_, Self>, dbn: &Dbn, epoch: u32) -> Result<()> {
        let (sizes, data) = (sizes_in_words(dbn), &watcher.provenance.dataset);
        let title = format!("{sizes} on {data}, tuned for {}", count(epoch as usize, "epoch"));
        pictures::draw_curves(watcher.folder, "curves", &title, watcher.history.traces(0))?;
        let (seed, from_samples) =
            (watcher.settings.seed(), starts_from_labelled_data(dbn, &watcher.provenance.recipe));
        watcher.reporter.fantasies = watcher.gallery.draw_net(watcher.folder, dbn, seed, from_samples)?;
        Ok(())
    }

    fn look(_: &Watcher<'_, Self>, dbn: &Dbn) -> Result<Look> {
        Ok(Look::Net(dbn.clone()))
    }
}

impl Looped for Tune {
    const STATE: &'static str = TUNE_STATE;
    // The best model is chosen by them, so there are more than where figures are only shown.
    const MONITOR: usize = crate::options::Verb::Tune.measured();

    fn patience(settings: &TuneSettings) -> u32 {
        settings.tune.patience
    }

    fn batch_size(settings: &TuneSettings) -> usize {
        settings.batch_size
    }

    /// Nobody who leaves it open asks for a GPU where there is none of its kernels.
    fn device(settings: &TuneSettings) -> DeviceName {
        match (settings.run.device, settings.tune.top) {
            (DeviceName::Auto, TopModel::Factorial) => DeviceName::Cpu,
            (device, _) => device,
        }
    }

    fn name(settings: &TuneSettings, of: Option<String>) -> String {
        format!("{}-tuned", of.unwrap_or_else(|| settings.data.data.name()))
    }

    /// Other than Bernoulli units are shown to the recognition weights as states, as data are; and those that are numbers
    /// know no bound, and learn at a tenth of the rates.
    fn adapt(settings: &mut TuneSettings, said: &Said, parts: &Parts, from: Option<&Dbn>) {
        let visible = parts.train.layer();
        let hidden = settings.layers.as_deref().unwrap_or_default().len();
        let directed = from.map_or(hidden.saturating_sub(1), |dbn| dbn.layers().len());
        if visible.is_bernoulli() || directed == 0 {
            return;
        }
        if !said.has("sleep_visible") {
            tracing::info!("not set, so as fits {visible} units: --sleep-visible sampled");
            settings.tune.units.visible = Units::Sampled;
        }
        let rates = [("wake_rate", &mut settings.wake_rate), ("sleep_rate", &mut settings.sleep_rate)];
        for (key, rate) in rates.into_iter().filter(|(key, _)| !visible.is_discrete() && !said.has(key)) {
            if let Rate::All(all) = *rate {
                let each: Vec<f64> = (0..directed).map(|layer| if layer == 0 { 0.1 * all } else { all }).collect();
                tracing::info!("not set, so as fits numbers: {} {}", flag(key), in_words(&each));
                *rate = Rate::Each(each);
            }
        }
    }

    fn start(settings: &TuneSettings, parts: Parts, from: Option<&Dbn>) -> Result<(Tuner, Parts)> {
        from.map_or(Ok(()), require_tunable)?;
        parts.require_whole()?;
        let (sizes, classes) = match from {
            Some(dbn) => (dbn.sizes(), dbn.classes()),
            None => from_scratch_sizes(settings, &parts, settings.layers.as_deref().unwrap_or_default()),
        };
        fit((sizes[0], classes), &parts, settings)?;
        parts.require_layer(from.map_or(parts.train.layer(), Dbn::visible_units))?;
        let config = settings.tune_config(sizes.len().saturating_sub(2))?;
        let mut parts = settle(parts, settings, &sizes, &config)?;
        let dbn = from.map_or_else(|| from_scratch(settings, &parts), |dbn| Ok(dbn.clone()))?;
        parts.keep(settings.labelled, settings.seed())?;
        Ok((Tuner::new(&dbn, config)?.on(&Self::device(settings).open()?)?, parts))
    }

    fn resume(settings: &TuneSettings, parts: Parts, state: &TuneState) -> Result<(TuneConfig, Parts)> {
        let sizes = state.learned.sizes();
        parts.require_layer(state.learned.visible_units())?;
        let config = settings.tune_config(sizes.len() - 2)?;
        let mut parts = settle(parts, settings, &sizes, &config)?;
        parts.keep(settings.labelled, settings.seed())?;
        Ok((config, parts))
    }

    fn introduce(settings: &TuneSettings, parts: &Parts, dbn: &Dbn) -> Result<(String, u64)> {
        let labels =
            if dbn.classes() > 0 { format!("{} labels at the top", dbn.classes()) } else { "no labels".into() };
        let steps = &settings.tune.top_steps;
        let epochs = count(steps.epochs() as usize, "epoch");
        let model = format!("{}, {labels}; {epochs} with top steps {steps}", sizes_in_words(dbn));
        let config = settings.tune_config(dbn.layers().len())?;
        Ok((model, footprint(settings, parts, &dbn.sizes(), settings.batch_size, &config)))
    }

    fn write(dbn: &Dbn, path: &Path, provenance: &Provenance) -> Result<()> {
        Ok(dbn.save(path, provenance)?)
    }

    fn test(training: &mut Tuner, settings: &TuneSettings, parts: &Parts) -> Result<Option<(Figures, String)>> {
        let error = parts.test_error(&training.snapshot().model()?, &settings.data, settings.seed())?;
        Ok(error.map(|error| (shown([("label_error_test", error)]), format!("label error {:.2} %", 100.0 * error))))
    }

    fn best_in_words(_: &TuneSettings, best: &Best<Dbn>) -> String {
        best.score.error.map_or(String::new(), |error| format!(" with {:.2} % label error", 100.0 * error))
    }
}

/// Rates as an option has them.
fn in_words(rates: &[f64]) -> String {
    rates.iter().map(|rate| format!("{}", (1e6 * rate).round() / 1e6)).collect::<Vec<_>>().join(",")
}

/// The units of every layer, `784-500-2000`.
fn sizes_in_words(dbn: &Dbn) -> String {
    dbn.code_sizes().unwrap_or_else(|_| dbn.sizes()).iter().map(ToString::to_string).collect::<Vec<_>>().join("-")
}

/// Units of a net from scratch, from the visible ones to the top, and its classes: above a factorial top
/// stands a single unit that does nothing, and no label.
fn from_scratch_sizes(settings: &TuneSettings, parts: &Parts, hidden: &[usize]) -> (Vec<usize>, usize) {
    let below = [&[parts.train.units()], hidden].concat();
    match settings.tune.top {
        TopModel::Undirected => (below, parts.data.classes.unwrap_or(0)),
        TopModel::Factorial => ([below, vec![1]].concat(), 0),
    }
}

/// A net that knows nothing yet.
fn from_scratch(settings: &TuneSettings, parts: &Parts) -> Result<Dbn> {
    let hidden = settings.layers.as_deref().unwrap_or_default();
    let (mut means, seed, weight_std) = (parts.train.mean()?, settings.seed(), settings.weight_std);
    let visible = parts.train.layer();
    if settings.tune.top == TopModel::Factorial {
        if !visible.is_bernoulli() {
            return Err(Failure::new(format!(
                "a net from scratch under a factorial top has Bernoulli visible units, and the data are {visible} units"
            ))
            .hint("take the top of a stack: --top undirected"));
        }
        if parts.data.classes.is_some() {
            tracing::warn!("a factorial top has no label group: the labels of these data are not learned");
        }
        return Ok(sigmoid_belief_net(hidden, &means, weight_std, seed)?);
    }
    let seeds = StackConfig { seed, ..Default::default() };
    let mut rbms = Vec::with_capacity(hidden.len());
    for (layer, &hidden) in hidden.iter().enumerate() {
        let visible_units = (layer == 0 && !visible.is_bernoulli()).then(|| visible.clone());
        let seed = seeds.layer_seed(layer);
        let config = RbmConfig { hidden, weight_std, visible_units, seed, ..Default::default() };
        rbms.push(Rbm::new(&config, &means, &Device::Cpu)?);
        means = vec![0.5; hidden];
    }
    if let Some(classes) = parts.data.classes
        && let Some(top) = rbms.pop()
    {
        let labels = LabelGroup::zeros(classes, &top)?;
        rbms.push(top.with_labels(labels)?);
    }
    Ok(Dbn::from_rbms(rbms)?)
}

/// Refuses data that do not have the model's units and classes.
fn fit((visible, classes): (usize, usize), parts: &Parts, settings: &TuneSettings) -> Result<()> {
    parts.require_units(&settings.data, visible)?;
    let (labelled, data) = (parts.data.classes, &settings.data.data);
    if classes == 0 && settings.labelled.unwrap_or(0) > 0 {
        return Err(Failure::new(
            "labelled says how many samples teach their labels, but the model has no label group",
        )
        .hint("take all samples: --labelled 0"));
    }
    match labelled {
        None if classes > 0 => Err(Failure::new(format!(
            "the data '{data}' have no labels, but the model has a label group of {classes} classes"
        ))
        .hint("name the labels' column with --label-column")),
        Some(found) if classes > 0 && found > classes => Err(Failure::new(format!(
            "the data '{data}' have {found} classes, but the model has a label group of {classes}"
        ))),
        _ => Ok(()),
    }
}

/// Bytes that the tuning of such layers by such batches takes on top of the data: its own; weights before
/// and after an epoch, for their ratio; samples to measure on, with the probabilities of the layers above
/// them and the lists that are made of them; and a test's pass up.
fn footprint(settings: &TuneSettings, parts: &Parts, sizes: &[usize], batch_size: usize, config: &TuneConfig) -> u64 {
    let weights: usize = sizes.windows(2).map(|pair| 2 * pair[0] * pair[1]).sum();
    let directed = sizes.len().saturating_sub(1).max(1);
    let above: usize = sizes[1..directed].iter().sum::<usize>() + sizes[1..directed].iter().max().copied().unwrap_or(0);
    let at_once = parts.monitored(Tune::MONITOR).min(Tune::MONITOR) as u64;
    let measured =
        parts.batch_bytes(&settings.data, parts.monitored(Tune::MONITOR)) + at_once * (4 * above + 6 * sizes[0]) as u64;
    let tested = 8 * CHUNK * sizes.iter().sum::<usize>();
    peak_memory(sizes, parts.train.layer(), parts.in_a_batch(batch_size), config)
        + (2 * 4 * weights + tested) as u64
        + measured
}

/// The data where there is room for them.
fn settle(parts: Parts, settings: &TuneSettings, sizes: &[usize], config: &TuneConfig) -> Result<Parts> {
    let (held, of, batch) = (parts.bytes(&settings.data), parts.clone(), settings.batch_size);
    let needed = |sizes: &[usize], batch| held + footprint(settings, &of, sizes, batch, config);
    let mut options = vec![MemoryOption::new("--batch-size", 1, batch, |n| needed(sizes, n))];
    if let Some(layers) = &settings.layers {
        options
            .push(MemoryOption::layers(layers, |hidden| needed(&from_scratch_sizes(settings, &of, hidden).0, batch)));
    }
    parts.settle(settings, needed(sizes, batch), &options)
}
