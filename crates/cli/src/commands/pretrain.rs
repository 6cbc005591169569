//! `dbn pretrain`: train one RBM, new or resumed.

use crate::args::PretrainArgs;
use crate::failure::{Explain, Failure, Result, count};
use crate::history::History;
use crate::interrupt;
use crate::pictures::{shape_of, showcase, values};
use crate::report::{Report, bytes, thousands};
use crate::run_folder::RunFolder;
use crate::settings::{Resolved, Settings};
use crate::watcher::{Gallery, Watcher};
use candle_core::Device;
use deepbelief_data::{BatchConfig, Dataset, Minibatcher, Split};
use deepbelief_kernels::{Machine, Parameters, Stream, Uniforms};
use deepbelief_rbm::{Monitors, Outcome, Provenance, Rbm, Trainer, load, load_state, peak_memory};
use std::collections::BTreeMap;
use std::path::Path;

/// Samples that each epoch is measured on, at most.
const MONITOR: usize = 2000;

/// Test samples that a finished training is measured on, at most.
const TEST: usize = 10_000;

/// Samples shown in the pictures.
const SHOWN: usize = 10;

/// Data, parted.
struct Parts {
    data: Dataset,
    sha256: String,
    train: Split,
    valid: Option<Split>,
}

/// A training about to start.
struct Run {
    settings: Settings,
    parts: Parts,
    minibatches: Minibatcher,
    trainer: Trainer,
    folder: RunFolder,
    history: History,
    resumed: bool,
}

/// Trains; returns the program's exit code.
pub(crate) fn pretrain(args: &PretrainArgs, report: &Report) -> Result<u8> {
    let run = match &args.resume {
        Some(path) => resume(path, args)?,
        None => start(args)?,
    };
    train(run, report)
}

/// A new run. The folder comes last, so that settings or data which do not do leave nothing
/// behind.
fn start(args: &PretrainArgs) -> Result<Run> {
    let Resolved { mut settings, valid_is_default } = Settings::resolve(args)?;
    let data = deepbelief_data::load(&settings.data, &settings.load_options())?;
    if valid_is_default {
        let samples = data.train.samples();
        settings.valid = settings.valid.min(samples / 10);
    }
    settings.image_size = settings.image_size.or(data.image);
    if settings.image_size.is_some() {
        shape_of(data.train.units(), settings.image_size)?;
    }
    let parts = part(data, &settings)?;
    let rbm = Rbm::new(&settings.rbm_config(), &parts.train.mean(), &Device::Cpu)?;
    let trainer = Trainer::new(&rbm, settings.train_config())?;
    let minibatches = minibatches(&settings, &parts.train)?;
    let folder = RunFolder::create(args.out.as_deref(), &settings, args.force)?;
    let history = History::new(folder.metrics());
    Ok(Run { settings, parts, minibatches, trainer, folder, history, resumed: false })
}

/// A run that goes on where it was saved.
fn resume(path: &Path, args: &PretrainArgs) -> Result<Run> {
    let folder = RunFolder::open(path)?;
    let settings = Settings::resume(&folder.config(), args)?;
    let state = load_state(&folder.state()).or_fail(|| "cannot resume".into())?;
    let done = state.epochs_done();
    if settings.epochs < done {
        return Err(Failure::new(format!("--epochs is {}, but the run has done {done} already", settings.epochs)));
    }
    let parts = part(deepbelief_data::load(&settings.data, &settings.load_options())?, &settings)?;
    let (visible, hidden) = state.sizes();
    if (visible, hidden) != (parts.train.units(), settings.hidden) {
        return Err(Failure::new(format!(
            "{} holds an RBM of {visible} visible and {hidden} hidden units, but data and settings want {} and {}",
            folder.state().display(),
            parts.train.units(),
            settings.hidden
        )));
    }
    // The model tells which data the run was started on.
    if folder.model().is_file() {
        let (_, header) = load(&folder.model(), &Device::Cpu).or_fail(|| "cannot resume".into())?;
        if header.provenance.dataset_sha256 != parts.sha256 {
            return Err(Failure::new(format!("the data '{}' have changed since the run was started", settings.data))
                .hint("a resumed run needs the very same training data; start a new run on the new ones"));
        }
    }
    let minibatches = minibatches(&settings, &parts.train)?;
    let trainer = Trainer::resume(settings.train_config(), state)?;
    let history = History::resume(folder.metrics(), done)?;
    folder.write_config(&settings)?;
    Ok(Run { settings, parts, minibatches, trainer, folder, history, resumed: true })
}

fn part(data: Dataset, settings: &Settings) -> Result<Parts> {
    let (train, valid) = match settings.valid {
        0 => (data.train.clone(), None),
        n => {
            let (train, valid) = data.train.split_validation(n, settings.seed).or_hint(|| "see --valid".into())?;
            (train, Some(valid))
        }
    };
    Ok(Parts { sha256: data.sha256(), data, train, valid })
}

fn minibatches(settings: &Settings, train: &Split) -> Result<Minibatcher> {
    let config = BatchConfig {
        batch_size: settings.batch_size,
        binarize: settings.binarize,
        balanced: settings.balanced,
        seed: settings.seed,
    };
    Ok(Minibatcher::new(train, config)?)
}

fn train(run: Run, report: &Report) -> Result<u8> {
    let Run { settings, parts, mut minibatches, mut trainer, folder, history, resumed } = run;
    introduce(&settings, &parts, &minibatches, &trainer, &folder);
    let gallery = gallery(&settings, &parts);
    let provenance = Provenance {
        dataset: parts.data.name.clone(),
        dataset_sha256: parts.sha256.clone(),
        seed: settings.seed,
        crate_version: env!("CARGO_PKG_VERSION").into(),
        recipe: settings.recipe()?,
        ..Default::default()
    };
    let mut watcher = Watcher::new(report, &folder, &settings, gallery, provenance, history);
    if resumed {
        tracing::info!("resuming after {}", count(trainer.epochs_done() as usize, "epoch"));
    } else {
        // From here on there is always something to resume from.
        watcher.save(&trainer.snapshot(), BTreeMap::new())?;
    }
    interrupt::catch()?;
    let fitted = trainer.fit(&mut minibatches, &monitors(&settings, &parts), &mut watcher);
    watcher.finish();
    let outcome = match fitted {
        Ok(outcome) => outcome,
        Err(error) => return Err(explain(error.into(), &mut watcher, &folder)),
    };
    let rbm = trainer.snapshot().rbm()?;
    let figures =
        if outcome == Outcome::Interrupted { BTreeMap::new() } else { test_figures(&rbm, &settings, &parts)? };
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
    report.data(&format!("{}\n", folder.path().display()))?;
    Ok(0)
}

/// Says what is about to happen.
fn introduce(settings: &Settings, parts: &Parts, minibatches: &Minibatcher, trainer: &Trainer, folder: &RunFolder) {
    let (data, train) = (&parts.data, &parts.train);
    let part = |name: &str, split: Option<&Split>| {
        split.map_or(String::new(), |split| format!(", {} {name}", thousands(split.samples())))
    };
    tracing::info!(
        "data:    {}, {} training samples{}{} of {}; {}; binarisation {}",
        data.name,
        thousands(train.samples()),
        part("validation", parts.valid.as_ref()),
        part("test", data.test.as_ref()),
        count(train.units(), "unit"),
        data.scaling,
        settings.binarize
    );
    let (visible, hidden) = (train.units(), settings.hidden);
    let parameters = thousands(visible * hidden + visible + hidden);
    tracing::info!("model:   {visible}-{hidden} RBM, {parameters} parameters");
    let threads = count(trainer.threads(), "thread");
    tracing::info!("machine: {threads}, {}", trainer.simd());
    let held = data.train.bytes() + data.test.as_ref().map_or(0, Split::bytes) + minibatches.bytes();
    let work = peak_memory(visible, hidden, settings.batch_size, &settings.train_config());
    let total = held as u64 + work;
    tracing::info!("memory:  about {} (data {}, training {})", bytes(total), bytes(held as u64), bytes(work));
    tracing::info!("run:     {}", folder.path().display());
}

/// Fixed samples to measure every epoch on, as many of training as of validation.
fn monitors(settings: &Settings, parts: &Parts) -> Monitors {
    let seed = settings.seed;
    let size = parts.valid.as_ref().map_or(MONITOR, |valid| valid.samples().min(MONITOR));
    let batch = |split: &Split, samples: Vec<usize>| split.batch(samples, settings.binarize, seed);
    let mut order: Vec<usize> = (0..parts.train.samples()).collect();
    Uniforms::new(seed, Stream::Monitor, 1).shuffle(0, &mut order);
    order.truncate(size);
    Monitors {
        train: batch(&parts.train, order),
        valid: parts.valid.as_ref().map(|valid| batch(valid, (0..size).collect())),
        ..Monitors::default()
    }
}

/// Test samples for the pictures, or where there is no test set, others.
fn gallery(settings: &Settings, parts: &Parts) -> Gallery {
    let split = parts.data.test.as_ref().or(parts.valid.as_ref()).unwrap_or(&parts.train);
    let shape = shape_of(split.units(), settings.image_size);
    if let Err(failure) = &shape {
        tracing::info!("no pictures of filters and samples: {} (see --image-size)", failure.what());
    }
    let chosen = showcase(split, SHOWN);
    let samples = split.batch(chosen.iter().copied(), settings.binarize, settings.seed).to_values();
    Gallery { shape: shape.ok(), samples }
}

/// What a finished model makes of the test samples: measured as each epoch was.
fn test_figures(rbm: &Rbm, settings: &Settings, parts: &Parts) -> Result<BTreeMap<String, f64>> {
    let Some(test) = &parts.data.test else { return Ok(BTreeMap::new()) };
    let parameters = Parameters {
        w_rec: values(rbm.w_rec())?,
        hb: values(rbm.hb())?,
        vb: values(rbm.vb())?,
        ..Parameters::default()
    };
    let batch = test.batch(0..test.samples().min(TEST), settings.binarize, settings.seed);
    let draw = Uniforms::new(settings.seed, Stream::Monitor, 0);
    let measures = Machine::new(rbm.visible(), rbm.hidden(), &parameters).measure(&batch, &[], draw);
    let figures =
        [("reconstruction_cost_test", measures.reconstruction_cost), ("free_energy_test", measures.free_energy)];
    Ok(figures.map(|(name, value)| (name.to_string(), value)).into())
}

/// What ended a training, and what is left of it.
fn explain(error: Failure, watcher: &mut Watcher<'_>, folder: &RunFolder) -> Failure {
    if let Some(failure) = watcher.take_failure() {
        return failure;
    }
    match watcher.saved_epoch() {
        Some(epoch) => error.hint(format!(
            "the checkpoint of {} is in {}",
            if epoch == 0 { "the start".to_string() } else { format!("epoch {epoch}") },
            folder.model().display()
        )),
        None => error.hint(format!("the last checkpoint is in {}", folder.path().display())),
    }
}

/// A path as it can be typed into a shell.
fn shell_word(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |c: char| c.is_alphanumeric() || "/._-+:,@%".contains(c);
    if text.chars().all(plain) { text } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_in_commands_can_be_pasted() {
        assert_eq!(shell_word(Path::new("runs/mnist-500")), "runs/mnist-500");
        assert_eq!(shell_word(Path::new("my runs/it's")), r"'my runs/it'\''s'");
    }
}
