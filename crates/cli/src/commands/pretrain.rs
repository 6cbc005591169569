//! `dbn pretrain`: train one RBM, new or resumed.

use super::training::{Parts, identity, of_units, outcome, require_epochs, require_run, shell_word};
use crate::args::PretrainArgs;
use crate::failure::{Failure, Result, count};
use crate::history::History;
use crate::interrupt;
use crate::measured::Epoch;
use crate::memory::Knob;
use crate::report::{Report, thousands};
use crate::run_folder::{RunFolder, STATE};
use crate::settings::{PretrainSettings, Resolved};
use crate::watcher::Watcher;
use deepbelief_data::Minibatcher;
use deepbelief_rbm::{HiddenUnits, Outcome, Rbm, TrainState, Trainer, peak_memory, recover};
use std::collections::BTreeMap;
use std::path::Path;

/// Samples that each epoch is measured on, at most: told in `--valid`.
const MONITOR: usize = 2000;

/// Test samples that a finished training is measured on, at most.
const TEST: usize = 10_000;

/// A training about to start.
struct Run {
    settings: PretrainSettings,
    parts: Parts,
    minibatches: Minibatcher,
    trainer: Trainer,
    folder: RunFolder,
    history: History<Epoch>,
    resumed: bool,
}

/// Trains; returns the program's exit code.
pub(crate) fn pretrain(args: &PretrainArgs, report: &Report) -> Result<u8> {
    let run = match &args.run.resume {
        Some(path) => resume(path, args)?,
        None => start(args)?,
    };
    train(run, report)
}

/// A new run. The folder comes last, so that settings or data which do not do leave nothing
/// behind.
fn start(args: &PretrainArgs) -> Result<Run> {
    let Resolved { mut settings, valid_is_default, .. } = PretrainSettings::resolve(args)?;
    let seed = settings.run.seed;
    let parts = Parts::load(&mut settings.data, valid_is_default, &settings.run)?;
    parts.require_valid(settings.learning.patience)?;
    parts.require_shape(&settings.data)?;
    let parts = settle(parts, &settings)?;
    let rbm = Rbm::new(&settings.rbm_config(), &parts.train.mean()?, &settings.run.device.open()?)?;
    let trainer = Trainer::new(&rbm, settings.train_config())?;
    let minibatches = parts.minibatches(&settings.data, settings.learning.batch_size, seed)?;
    let name = format!("{}-{}", settings.data.data.name(), settings.hidden);
    let folder = RunFolder::create(args.run.out.as_deref(), &name, &settings.to_toml()?, args.run.force)?;
    let history = History::new(folder.metrics());
    Ok(Run { settings, parts, minibatches, trainer, folder, history, resumed: false })
}

/// A run that goes on where it was saved.
fn resume(path: &Path, args: &PretrainArgs) -> Result<Run> {
    let folder = RunFolder::open(path, "pretrain", Some(STATE))?;
    let settings = PretrainSettings::resume(&folder.config(), args)?;
    let state = folder.told(recover(&folder.state(), TrainState::load))?;
    let (done, epochs) = (state.epochs_done(), settings.learning.epochs);
    require_epochs(epochs, done)?;
    let parts = settle(Parts::load_again(&settings.data, &settings.run, &settings.recipe()?, &folder)?, &settings)?;
    let (visible, hidden) = state.learned.sizes();
    if (visible, hidden) != (parts.train.units(), settings.hidden) {
        return Err(Failure::new(format!(
            "{} holds an RBM of {visible} visible and {hidden} hidden units, but data and settings want {} and {}",
            folder.state().display(),
            parts.train.units(),
            settings.hidden
        )));
    }
    if state.learned.hidden_units() != settings.learning.hidden_units {
        let (path, got, expected) = (folder.state(), state.learned.hidden_units(), settings.learning.hidden_units);
        return Err(Failure::new(format!("{} has {got} hidden units, the settings say {expected}", path.display())));
    }
    let provenance = parts.provenance(settings.recipe()?, settings.run.seed)?;
    require_run(state.require_run(&identity("pretrain", &provenance)), &folder)?;
    let minibatches = parts.minibatches(&settings.data, settings.learning.batch_size, settings.run.seed)?;
    let trainer = Trainer::resume(settings.train_config(), state, &settings.run.device.open()?)?;
    let history = History::resume(folder.metrics(), Some((0, done)))?;
    folder.write_config(&settings.to_toml()?)?;
    Ok(Run { settings, parts, minibatches, trainer, folder, history, resumed: true })
}

fn train(run: Run, report: &Report) -> Result<u8> {
    let Run { settings, parts, mut minibatches, trainer, folder, history, resumed } = run;
    let seed = settings.run.seed;
    introduce(&settings, &parts, &trainer, &folder);
    let gallery = parts.gallery(&settings.data, seed)?;
    let provenance = parts.provenance(settings.recipe()?, seed)?;
    let mut trainer = trainer.of_run(identity("pretrain", &provenance));
    let mut watcher = Watcher::new(report, &folder, &settings, gallery, provenance, history);
    if resumed {
        tracing::info!("resuming after {}", count(trainer.epochs_done() as usize, "epoch"));
    } else {
        // From here on there is always something to resume from.
        watcher.save(&trainer.snapshot(), BTreeMap::new())?;
    }
    interrupt::catch();
    let monitors = parts.monitors(&settings.data, MONITOR, seed)?;
    let outcome = loop {
        let fitted = trainer.fit(&mut minibatches, &monitors, &mut watcher);
        watcher.finish();
        match outcome(fitted, &mut minibatches).map_err(|error| explain(error, &mut watcher, &folder))? {
            Outcome::Interrupted if !interrupt::asked() => watcher.save_midway(&trainer.snapshot())?,
            outcome => break outcome,
        }
    };
    let rbm = trainer.snapshot().model()?;
    let figures =
        if outcome == Outcome::Interrupted { BTreeMap::new() } else { test_figures(&mut trainer, &settings, &parts)? };
    watcher.provenance.stopped_early = outcome == Outcome::Converged;
    let test_cost = figures.get("reconstruction_cost_test").copied();
    watcher.save(&trainer.snapshot(), figures)?;
    if outcome == Outcome::Interrupted {
        let path = shell_word(folder.path());
        tracing::warn!("interrupted and saved; continue with: dbn pretrain --resume {path}");
        return Ok(interrupt::EXIT_CODE);
    }
    watcher.draw(&rbm, trainer.epochs_done())?;
    let early = if outcome == Outcome::Converged { ", stopped early as --tolerance or --patience say" } else { "" };
    let test = test_cost.map_or(String::new(), |cost| format!("; test reconstruction cost {cost:.2} nats per sample"));
    tracing::info!("done after {}{early}{test}", count(trainer.epochs_done() as usize, "epoch"));
    if let Some(best) = trainer.snapshot().best().filter(|best| best.epoch != trainer.epochs_done()) {
        let (epoch, path) = (best.epoch, folder.best());
        let likelihood = -best.score.cost;
        tracing::info!(
            "best on the validation samples: epoch {epoch} with {likelihood:.2} nats, in {}",
            path.display()
        );
    }
    report.data(&format!("{}\n", folder.path().display()))?;
    Ok(0)
}

/// Bytes that a training of so many hidden units and such batches takes on top of the data: its own, and
/// those of samples to measure on. Gaussian units are measured as tensors, hidden ones among them.
fn footprint(settings: &PretrainSettings, parts: &Parts, hidden: usize, batch_size: usize) -> u64 {
    let (visible, units) = (parts.train.units(), settings.learning.hidden_units);
    let tested = parts.data.test.as_ref().map_or(0, |test| test.samples().min(TEST));
    let samples = parts.monitored(MONITOR) + tested;
    let measured = match units {
        HiddenUnits::Bernoulli => parts.batch_bytes(&settings.data, samples),
        HiddenUnits::Gaussian => 4 * (samples * (visible + hidden)) as u64,
    };
    peak_memory(visible, hidden, units, batch_size, &settings.train_config()) + measured
}

/// The data where there is room for them.
fn settle(parts: Parts, settings: &PretrainSettings) -> Result<Parts> {
    let (held, now, batch) = (parts.bytes(&settings.data), settings.hidden, settings.learning.batch_size);
    let of = parts.clone();
    let needed = |hidden, batch| held + footprint(settings, &of, hidden, batch);
    let knobs =
        [Knob::new("--hidden", 1, now, |n| needed(n, batch)), Knob::new("--batch-size", 1, batch, |n| needed(now, n))];
    parts.settle(&settings.data, &settings.run, needed(now, batch), &knobs)
}

/// Says what is about to happen.
fn introduce(settings: &PretrainSettings, parts: &Parts, trainer: &Trainer, folder: &RunFolder) {
    parts.introduce(&settings.data);
    let (visible, hidden) = (parts.train.units(), settings.hidden);
    let parameters = thousands(visible * hidden + visible + hidden);
    let units = of_units(settings.learning.hidden_units);
    tracing::info!("model:   {visible}-{hidden} RBM{units}, {parameters} parameters");
    tracing::info!("machine: {}, {}", count(trainer.threads(), "thread"), trainer.simd());
    tracing::info!(
        "memory:  {}",
        parts.memory(&settings.data, footprint(settings, parts, hidden, settings.learning.batch_size))
    );
    tracing::info!("run:     {}", folder.path().display());
}

/// What a finished model makes of the test samples: measured as each epoch was.
fn test_figures(trainer: &mut Trainer, settings: &PretrainSettings, parts: &Parts) -> Result<BTreeMap<String, f64>> {
    let Some(test) = &parts.data.test else { return Ok(BTreeMap::new()) };
    let batch = test.batch(0..test.samples().min(TEST), settings.data.binarize, settings.run.seed)?;
    let measured = trainer.with_training(|rbm| rbm.measure(&batch, &[]))?;
    let figures =
        [("reconstruction_cost_test", measured.reconstruction_cost), ("free_energy_test", measured.free_energy)];
    Ok(figures.map(|(name, value)| (name.to_string(), value)).into())
}

/// What ended a training, and what is left of it.
fn explain(error: Failure, watcher: &mut Watcher<'_>, folder: &RunFolder) -> Failure {
    let error = watcher.take_failure().unwrap_or(error);
    match watcher.saved_epoch() {
        Some(epoch) => error.hint(format!(
            "the checkpoint of {} is in {}",
            if epoch == 0 { "the start".to_string() } else { format!("epoch {epoch}") },
            folder.model().display()
        )),
        None if folder.model().is_file() => {
            error.hint(format!("the last checkpoint is in {}", folder.path().display()))
        }
        None => error.hint("nothing had been saved yet"),
    }
}
