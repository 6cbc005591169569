//! `dbn finetune`: train a deep belief net by backpropagation, new or resumed.

use super::CHUNK;
use super::training::{Parts, identity, outcome, require_epochs, require_run, shell_word};
use crate::args::FinetuneArgs;
use crate::checkpoint::{Checkpoint, Trained, run_name};
use crate::failure::{Failure, Result, count};
use crate::finetune_watcher::{FinetuneWatcher, error_in_words};
use crate::history::History;
use crate::interrupt;
use crate::measured::FinetuneEpoch;
use crate::memory::Knob;
use crate::pictures::network_name;
use crate::progress::Ticker;
use crate::recorded;
use crate::report::Report;
use crate::run_folder::{FINETUNE_STATE, RunFolder};
use crate::save_every::SaveClock;
use crate::settings::{FinetuneSettings, Resolved};
use deepbelief_data::{Minibatcher, Split};
use deepbelief_finetune::{FinetuneState, Finetuner, Network, Objective, peak_memory};
use deepbelief_rbm::{Outcome, recover};
use deepbelief_stack::Dbn;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Samples that each epoch is measured on, at most.
const MONITOR: usize = 10_000;

/// A training about to start.
struct Run {
    settings: FinetuneSettings,
    parts: Parts,
    minibatches: Minibatcher,
    finetuner: Finetuner,
    folder: RunFolder,
    history: History<FinetuneEpoch>,
    resumed: bool,
}

/// Trains; returns the program's exit code.
pub(crate) fn finetune(args: &FinetuneArgs, report: &Report) -> Result<u8> {
    let run = match &args.run.resume {
        Some(path) => resume(path, args)?,
        None => start(args)?,
    };
    train(run, report)
}

/// A new run. The folder comes last, so that settings or data which do not do leave nothing
/// behind.
fn start(args: &FinetuneArgs) -> Result<Run> {
    let open = |path: PathBuf| Checkpoint::open(&path).map(|checkpoint| (path, checkpoint));
    let opened = FinetuneSettings::checkpoint(args).map(open).transpose()?;
    let provenance = opened.as_ref().map(|(_, checkpoint)| checkpoint.provenance());
    let Resolved { mut settings, valid_is_default, data_are_recorded } = FinetuneSettings::resolve(args, provenance)?;
    let seed = settings.run.seed;
    if let Some((path, _)) = opened.as_ref().filter(|_| data_are_recorded) {
        recorded::require_own(path, &settings.data.data)?;
    }
    let parts = Parts::load(&mut settings.data, valid_is_default, &settings.run)?;
    parts.require_valid(settings.patience)?;
    let dbn = opened.as_ref().map(|(_, checkpoint)| &checkpoint.dbn);
    let classes = classes(dbn, &parts, &settings)?;
    let up = match (dbn, &settings.layers) {
        (Some(dbn), _) => dbn.sizes(),
        (None, layers) => [&[parts.train.units()], layers.as_deref().unwrap_or_default()].concat(),
    };
    parts.require_units(&settings.data, up[0])?;
    let parts = settle(parts, &settings.objective.sizes(&up, classes), &settings)?;
    let network = match (dbn, settings.objective) {
        (None, objective) => Network::random(objective, &up, classes, seed)?,
        (Some(dbn), Objective::Classifier) => Network::classifier(dbn, classes)?,
        (Some(dbn), Objective::Autoencoder) => Network::autoencoder(dbn)?,
    };
    let finetuner = Finetuner::new(&network, settings.config())?.on(&settings.run.device.open()?)?;
    let minibatches = parts.minibatches(&settings.data, settings.batch_size, seed)?;
    let name = opened.map_or(settings.data.data.name(), |(path, _)| run_name(&path));
    let name = format!("{name}-{}", network.objective().kind());
    let folder = RunFolder::create(args.run.out.as_deref(), &name, &settings.to_toml()?, args.run.force)?;
    let history = History::new(folder.metrics());
    Ok(Run { settings, parts, minibatches, finetuner, folder, history, resumed: false })
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

/// A run that goes on where it was saved.
fn resume(path: &Path, args: &FinetuneArgs) -> Result<Run> {
    let folder = RunFolder::open(path, "finetune", Some(FINETUNE_STATE))?;
    let settings = FinetuneSettings::resume(&folder.config(), args)?;
    let state = folder.told(recover(&folder.finetune_state(), FinetuneState::load))?;
    let (done, measured) = (state.epochs_done(), state.measured());
    require_epochs(settings.epochs, done)?;
    let parts = Parts::load_again(&settings.data, &settings.run, &settings.recipe()?, &folder)?;
    let parts = settle(parts, &state.learned.sizes(), &settings)?;
    let provenance = parts.provenance(settings.recipe()?, settings.run.seed)?;
    require_run(state.require_run(&identity("finetune", &provenance)), &folder)?;
    let finetuner = Finetuner::resume(settings.config(), state, &settings.run.device.open()?)?;
    let minibatches = parts.minibatches(&settings.data, settings.batch_size, settings.run.seed)?;
    let history = History::resume(folder.metrics(), measured.map(|epoch| (0, epoch)))?;
    folder.write_config(&settings.to_toml()?)?;
    tracing::info!("resuming after {}", count(done as usize, "epoch"));
    Ok(Run { settings, parts, minibatches, finetuner, folder, history, resumed: true })
}

/// Bytes that the training takes on top of the data: its own, and of samples to measure on with their
/// pass up, some at a time.
fn footprint(settings: &FinetuneSettings, parts: &Parts, sizes: &[usize], batch_size: usize) -> u64 {
    let tested = parts.data.test.as_ref().map_or(0, Split::samples);
    let measured = parts.batch_bytes(&settings.data, parts.monitored(MONITOR).max(tested));
    peak_memory(sizes, batch_size, &settings.config()) + measured + (4 * CHUNK * sizes.iter().sum::<usize>()) as u64
}

/// The labelled samples to train on, where there is room for them.
fn settle(parts: Parts, sizes: &[usize], settings: &FinetuneSettings) -> Result<Parts> {
    let (held, of, batch) = (parts.bytes(&settings.data), parts.clone(), settings.batch_size);
    let needed = |sizes: &[usize], batch| held + footprint(settings, &of, sizes, batch);
    let mut knobs = vec![Knob::new("--batch-size", 1, batch, |n| needed(sizes, n))];
    if let Some(layers) = &settings.layers {
        let (visible, classes, objective) = (sizes[0], sizes[sizes.len() - 1], settings.objective);
        knobs.push(Knob::layers(layers, move |hidden| {
            needed(&objective.sizes(&[&[visible], hidden].concat(), classes), batch)
        }));
    }
    let mut parts = parts.settle(&settings.data, &settings.run, needed(sizes, batch), &knobs)?;
    parts.keep(Some(settings.labelled), settings.run.seed)?;
    Ok(parts)
}

fn train(run: Run, report: &Report) -> Result<u8> {
    let Run { settings, parts, mut minibatches, finetuner, folder, history, resumed } = run;
    let seed = settings.run.seed;
    introduce(&settings, &parts, &finetuner, &folder)?;
    let provenance = parts.provenance(settings.recipe()?, seed)?;
    let mut finetuner = finetuner.of_run(identity("finetune", &provenance));
    let mut watcher = FinetuneWatcher {
        ticker: Ticker::new(report, String::new()),
        folder: &folder,
        settings: &settings,
        gallery: parts.gallery(&settings.data, seed)?,
        provenance,
        history,
        clock: SaveClock::new(settings.run.save_every),
        failure: None,
    };
    if !resumed {
        // From here on there is always something to resume from.
        watcher.save(&finetuner.snapshot(), BTreeMap::new())?;
    }
    interrupt::catch();
    let monitors = parts.monitors(&settings.data, MONITOR, seed)?;
    let outcome = loop {
        let fitted = finetuner.fit(&mut minibatches, &monitors, &mut watcher);
        watcher.ticker.finish();
        let outcome = outcome(fitted, &mut minibatches).map_err(|error| {
            let failure = watcher.failure.take().unwrap_or(error);
            failure.hint(format!("what was saved of the run is in {}", folder.path().display()))
        })?;
        match outcome {
            Outcome::Interrupted if !interrupt::asked() => watcher.save_midway(&finetuner.snapshot())?,
            outcome => break outcome,
        }
    };
    let snapshot = finetuner.snapshot();
    if outcome == Outcome::Interrupted {
        watcher.save(&snapshot, BTreeMap::new())?;
        let path = shell_word(folder.path());
        tracing::warn!("interrupted and saved; continue with: dbn finetune --resume {path}");
        return Ok(interrupt::EXIT_CODE);
    }
    let (network, epochs) = (snapshot.model()?, finetuner.epochs_done());
    let test = if settings.test { test(&network, &parts, &settings)? } else { None };
    watcher.provenance.stopped_early = outcome == Outcome::Converged;
    watcher.save(&snapshot, test.into_iter().map(|(figure, error)| (figure.to_string(), error)).collect())?;
    watcher.draw(&network, epochs)?;
    let early = if outcome == Outcome::Converged { ", stopped early as --patience says" } else { "" };
    let test = test.map_or(String::new(), |(_, error)| format!("; test {}", error_in_words(&settings, error)));
    tracing::info!("done after {}{early}{test}", count(epochs as usize, "epoch"));
    if let Some(best) = snapshot.best().filter(|best| best.epoch != epochs) {
        let (error, path) = (error_in_words(&settings, best.score.error.unwrap_or_default()), folder.best());
        tracing::info!("best on the validation samples: epoch {} with {error}, in {}", best.epoch, path.display());
    }
    report.data(&format!("{}\n", folder.path().display()))?;
    Ok(0)
}

/// The error on the test samples and what it is called, where there are test samples that have what it
/// takes.
fn test(network: &Network, parts: &Parts, settings: &FinetuneSettings) -> Result<Option<(&'static str, f64)>> {
    let Some(test) = &parts.data.test else { return Ok(None) };
    let samples = test.batch(0..test.samples(), settings.data.binarize, settings.run.seed)?;
    Ok(match (network.objective(), test.labels()) {
        (Objective::Classifier, None) => None,
        (Objective::Classifier, Some(labels)) => Some(("label_error_test", network.score(&samples, &labels)?.error)),
        (Objective::Autoencoder, _) => Some(("squared_error_test", network.score(&samples, &[])?.error)),
    })
}

/// Says what is about to happen.
fn introduce(settings: &FinetuneSettings, parts: &Parts, finetuner: &Finetuner, folder: &RunFolder) -> Result<()> {
    parts.introduce(&settings.data);
    let network = finetuner.snapshot().model()?;
    tracing::info!("model:   {}; {}", network_name(&network), count(settings.epochs as usize, "epoch"));
    tracing::info!("machine: {}, {}", count(finetuner.threads(), "thread"), finetuner.simd());
    let work = footprint(settings, parts, &network.sizes(), settings.batch_size);
    tracing::info!("memory:  {}", parts.memory(&settings.data, work));
    tracing::info!("run:     {}", folder.path().display());
    Ok(())
}
