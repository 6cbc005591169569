//! `dbn tune`: tune a deep belief net by wake-sleep, new or resumed.

use super::CHUNK;
use super::training::{Parts, identity, outcome, require_run, shell_word};
use crate::args::TuneArgs;
use crate::checkpoint::{Checkpoint, Trained, run_name};
use crate::device::DeviceName;
use crate::failure::{Failure, Result, count};
use crate::history::History;
use crate::interrupt;
use crate::measured::TuneEpoch;
use crate::memory::Knob;
use crate::recorded;
use crate::report::Report;
use crate::run_folder::{RunFolder, TUNE_STATE};
use crate::settings::{Resolved, TuneSettings};
use crate::tune_watcher::TuneWatcher;
use candle_core::Device;
use deepbelief_data::Minibatcher;
use deepbelief_rbm::{LabelGroup, Outcome, Rbm, RbmConfig, recover};
use deepbelief_stack::{Dbn, StackConfig};
use deepbelief_wake_sleep::{TopModel, TuneConfig, TuneState, Tuner, peak_memory, sigmoid_belief_net};
use std::path::{Path, PathBuf};

/// Samples that each epoch is measured on, at most: told in `--valid`. The best model is chosen by
/// them, so there are more than where figures are only shown.
const MONITOR: usize = 10_000;

/// A tuning about to start.
struct Run {
    settings: TuneSettings,
    parts: Parts,
    minibatches: Minibatcher,
    tuner: Tuner,
    folder: RunFolder,
    history: History<TuneEpoch>,
    resumed: bool,
}

/// Tunes; returns the program's exit code.
pub(crate) fn tune(args: &TuneArgs, report: &Report) -> Result<u8> {
    let run = match &args.run.resume {
        Some(path) => resume(path, args)?,
        None => start(args)?,
    };
    train(run, report)
}

/// A new run. The folder comes last, so that settings or data which do not do leave nothing
/// behind.
fn start(args: &TuneArgs) -> Result<Run> {
    let open = |path: PathBuf| Checkpoint::open(&path).map(|checkpoint| (path, checkpoint));
    let opened = TuneSettings::checkpoint(args)?.map(open).transpose()?;
    let provenance = opened.as_ref().map(|(_, checkpoint)| checkpoint.provenance());
    let Resolved { mut settings, valid_is_default, data_are_recorded } = TuneSettings::resolve(args, provenance)?;
    let seed = settings.run.seed;
    if let Some((path, _)) = opened.as_ref().filter(|_| data_are_recorded) {
        recorded::require_own(path, &settings.data.data)?;
    }
    let parts = Parts::load(&mut settings.data, valid_is_default, &settings.run)?;
    parts.require_valid(settings.patience)?;
    let (sizes, classes) = match &opened {
        Some((_, Checkpoint { dbn, .. })) => (dbn.sizes(), dbn.classes()),
        None => from_scratch_sizes(&settings, &parts, settings.layers.as_deref().unwrap_or_default()),
    };
    fit((sizes[0], classes), &parts, &settings)?;
    let config = settings.tune_config(sizes.len().saturating_sub(2))?;
    let mut parts = settle(parts, &settings, &sizes, &config)?;
    let (dbn, name) = match opened {
        Some((path, Checkpoint { dbn, .. })) => (dbn, run_name(&path)),
        None => (from_scratch(&settings, &parts)?, settings.data.data.name()),
    };
    parts.keep(settings.labelled, seed)?;
    let tuner = Tuner::new(&dbn, config)?.on(&device_of(&settings).open()?)?;
    let minibatches = parts.minibatches(&settings.data, settings.batch_size, seed)?;
    let name = format!("{name}-tuned");
    let folder = RunFolder::create(args.run.out.as_deref(), &name, &settings.to_toml()?, args.run.force)?;
    let history = History::new(folder.metrics());
    Ok(Run { settings, parts, minibatches, tuner, folder, history, resumed: false })
}

/// Units of a net from scratch, from the visible ones to the top, and its classes: above a factorial top
/// stands a single unit that does nothing, and no label.
fn from_scratch_sizes(settings: &TuneSettings, parts: &Parts, hidden: &[usize]) -> (Vec<usize>, usize) {
    let below = [&[parts.train.units()], hidden].concat();
    match settings.top {
        TopModel::Undirected => (below, parts.data.classes.unwrap_or(0)),
        TopModel::Factorial => ([below, vec![1]].concat(), 0),
    }
}

/// A net that knows nothing yet.
fn from_scratch(settings: &TuneSettings, parts: &Parts) -> Result<Dbn> {
    let hidden = settings.layers.as_deref().unwrap_or_default();
    let (mut means, seed, weight_std) = (parts.train.mean()?, settings.run.seed, settings.weight_std);
    if settings.top == TopModel::Factorial {
        if parts.data.classes.is_some() {
            tracing::warn!("a factorial top has no label group: the labels of these data are not learned");
        }
        return Ok(sigmoid_belief_net(hidden, &means, weight_std, seed)?);
    }
    let seeds = StackConfig { seed, ..Default::default() };
    let mut rbms = Vec::with_capacity(hidden.len());
    for (layer, &hidden) in hidden.iter().enumerate() {
        let config = RbmConfig { hidden, weight_std, seed: seeds.layer_seed(layer), ..Default::default() };
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

/// The device asked for; nobody who leaves it open asks for a GPU where there is none of its kernels.
fn device_of(settings: &TuneSettings) -> DeviceName {
    match (settings.run.device, settings.top) {
        (DeviceName::Auto, TopModel::Factorial) => DeviceName::Cpu,
        (device, _) => device,
    }
}

/// A run that goes on where it was saved.
fn resume(path: &Path, args: &TuneArgs) -> Result<Run> {
    let folder = RunFolder::open(path, "tune", Some(TUNE_STATE))?;
    let settings = TuneSettings::resume(&folder.config(), args)?;
    let state = folder.told(recover(&folder.tune_state(), TuneState::load))?;
    let parts = Parts::load_again(&settings.data, &settings.run, &settings.recipe()?, &folder)?;
    let (done, measured, sizes) = (state.epochs_done(), state.measured(), state.learned.sizes());
    let config = settings.tune_config(sizes.len() - 2)?;
    let mut parts = settle(parts, &settings, &sizes, &config)?;
    parts.keep(settings.labelled, settings.run.seed)?;
    let provenance = parts.provenance(settings.recipe()?, settings.run.seed)?;
    require_run(state.require_run(&identity("tune", &provenance)), &folder)?;
    let tuner = Tuner::resume(config, state, &device_of(&settings).open()?)?;
    let minibatches = parts.minibatches(&settings.data, settings.batch_size, settings.run.seed)?;
    let history = History::resume(folder.metrics(), measured.map(|epoch| (0, epoch)))?;
    folder.write_config(&settings.to_toml()?)?;
    tracing::info!("resuming after {}", count(done as usize, "epoch"));
    Ok(Run { settings, parts, minibatches, tuner, folder, history, resumed: true })
}

/// Bytes that the tuning of such layers by such batches takes on top of the data: its own; weights before
/// and after an epoch, for their ratio; samples to measure on, with the probabilities of the layers above
/// them and the lists that are made of them; and a test's pass up.
fn footprint(settings: &TuneSettings, parts: &Parts, sizes: &[usize], batch_size: usize, config: &TuneConfig) -> u64 {
    let weights: usize = sizes.windows(2).map(|pair| 2 * pair[0] * pair[1]).sum();
    let directed = sizes.len().saturating_sub(1).max(1);
    let above: usize = sizes[1..directed].iter().sum::<usize>() + sizes[1..directed].iter().max().copied().unwrap_or(0);
    let at_once = parts.monitored(MONITOR).min(MONITOR) as u64;
    let measured =
        parts.batch_bytes(&settings.data, parts.monitored(MONITOR)) + at_once * (4 * above + 6 * sizes[0]) as u64;
    let tested = 8 * CHUNK * sizes.iter().sum::<usize>();
    peak_memory(sizes, batch_size, config) + (2 * 4 * weights + tested) as u64 + measured
}

/// The data where there is room for them.
fn settle(parts: Parts, settings: &TuneSettings, sizes: &[usize], config: &TuneConfig) -> Result<Parts> {
    let (held, of, batch) = (parts.bytes(&settings.data), parts.clone(), settings.batch_size);
    let needed = |sizes: &[usize], batch| held + footprint(settings, &of, sizes, batch, config);
    let mut knobs = vec![Knob::new("--batch-size", 1, batch, |n| needed(sizes, n))];
    if let Some(layers) = &settings.layers {
        knobs.push(Knob::layers(layers, |hidden| needed(&from_scratch_sizes(settings, &of, hidden).0, batch)));
    }
    parts.settle(&settings.data, &settings.run, needed(sizes, batch), &knobs)
}

fn train(run: Run, report: &Report) -> Result<u8> {
    let Run { settings, parts, mut minibatches, tuner, folder, history, resumed } = run;
    let seed = settings.run.seed;
    introduce(&settings, &parts, &tuner, &folder)?;
    let gallery = parts.gallery(&settings.data, seed)?;
    let provenance = parts.provenance(settings.recipe()?, seed)?;
    let mut tuner = tuner.of_run(identity("tune", &provenance));
    let mut watcher = TuneWatcher::new(report, &folder, &settings, gallery, provenance, history);
    if !resumed {
        // From here on there is always something to resume from.
        watcher.save(&tuner.snapshot(), None)?;
    }
    interrupt::catch();
    let monitors = parts.monitors(&settings.data, MONITOR, seed)?;
    let outcome = loop {
        let fitted = tuner.fit(&mut minibatches, &monitors, &mut watcher);
        watcher.finish();
        match outcome(fitted, &mut minibatches) {
            Ok(Outcome::Interrupted) if !interrupt::asked() => watcher.save_midway(&tuner.snapshot())?,
            Ok(outcome) => break outcome,
            Err(error) => {
                let failure = watcher.take_failure().unwrap_or(error);
                return Err(failure.hint(format!("what was saved of the run is in {}", folder.path().display())));
            }
        }
    };
    let snapshot = tuner.snapshot();
    if outcome == Outcome::Interrupted {
        watcher.save(&snapshot, None)?;
        let path = shell_word(folder.path());
        tracing::warn!("interrupted and saved; continue with: dbn tune --resume {path}");
        return Ok(interrupt::EXIT_CODE);
    }
    watcher.provenance.stopped_early = outcome == Outcome::Converged;
    let dbn = snapshot.model()?;
    let test_error = parts.test_error(&dbn, &settings.data, seed)?;
    watcher.save(&snapshot, test_error)?;
    watcher.draw(&dbn, tuner.epochs_done())?;
    let early = if outcome == Outcome::Converged { ", stopped early as --patience says" } else { "" };
    let test = test_error.map_or(String::new(), |error| format!("; test label error {:.2} %", 100.0 * error));
    tracing::info!("done after {}{early}{test}", count(tuner.epochs_done() as usize, "epoch"));
    if let Some(best) = snapshot.best().filter(|best| best.epoch != tuner.epochs_done()) {
        let error = best.score.error.map_or(String::new(), |error| format!(" with {:.2} % label error", 100.0 * error));
        let path = folder.best();
        tracing::info!("best on the validation samples: epoch {}{error}, in {}", best.epoch, path.display());
    }
    report.data(&format!("{}\n", folder.path().display()))?;
    Ok(0)
}

/// Says what is about to happen.
fn introduce(settings: &TuneSettings, parts: &Parts, tuner: &Tuner, folder: &RunFolder) -> Result<()> {
    parts.introduce(&settings.data);
    let dbn = tuner.snapshot().model()?;
    let sizes: Vec<String> = dbn.sizes().iter().map(ToString::to_string).collect();
    let labels = if dbn.classes() > 0 { format!("{} labels at the top", dbn.classes()) } else { "no labels".into() };
    let epochs = count(settings.top_steps.epochs() as usize, "epoch");
    tracing::info!("model:   {}, {labels}; {epochs} with top steps {}", sizes.join("-"), settings.top_steps);
    tracing::info!("machine: {}, {}", count(tuner.threads(), "thread"), tuner.simd());
    let config = settings.tune_config(dbn.layers().len())?;
    let work = footprint(settings, parts, &dbn.sizes(), settings.batch_size, &config);
    tracing::info!("memory:  {}", parts.memory(&settings.data, work));
    tracing::info!("run:     {}", folder.path().display());
    Ok(())
}
