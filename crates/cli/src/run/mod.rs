//! A run of a verb that trains: its folder, its data, what watches it, and [`run`], which all verbs but `stack` are.

pub(crate) mod advised;
pub(crate) mod folder;
pub(crate) mod history;
pub(crate) mod known;
pub(crate) mod lock;
pub(crate) mod looped;
pub(crate) mod measured;
pub(crate) mod parts;
pub(crate) mod progress;
mod same;
pub(crate) mod save_clock;
pub(crate) mod stage;
pub(crate) mod watcher;

pub(crate) use same::{identity, require_run};

use crate::args::TrainArgs;
use crate::failure::{Failure, Result, count};
use crate::machine::interrupt;
use crate::model::checkpoint::{Checkpoint, Trained, run_name};
use crate::model::recorded;
use crate::report::{Report, shell_word};
use crate::settings::{self, Resolved, Settings, record, to_toml};
use deepbelief_data::Minibatcher;
use deepbelief_rbm::{Outcome, recover};
use deepbelief_report::State;
use deepbelief_training::{Loop, State as Saved};
use folder::RunFolder;
use history::History;
use known::Known;
use looped::{Figures, Looped};
use parts::Parts;
use std::path::{Path, PathBuf};
use watcher::{Verb, Watcher};

/// A training about to start.
struct Run<V: Verb> {
    settings: V::Settings,
    parts: Parts,
    minibatches: Minibatcher,
    training: Loop<V::Training>,
    folder: RunFolder,
    history: History<V::Epoch>,
    resumed: bool,
}

/// Trains; returns the program's exit code.
pub(crate) fn run<V: Looped>(args: &TrainArgs<V::Settings>, report: &Report) -> Result<u8> {
    let run = match &args.run.resume {
        Some(path) => resume::<V>(path, args)?,
        None => start::<V>(args)?,
    };
    train(run, report)
}

/// A new run. The folder comes last, so that settings or data which do not do leave nothing behind.
fn start<V: Looped>(args: &TrainArgs<V::Settings>) -> Result<Run<V>> {
    let asked = args.asked();
    let open = |path: PathBuf| Checkpoint::open(&path).map(|checkpoint| (path, checkpoint));
    let opened = asked.checkpoint().map(open).transpose()?;
    let provenance = opened.as_ref().map(|(_, checkpoint)| checkpoint.provenance());
    let Resolved { mut settings, said, data_are_recorded } = settings::resolve::<V::Settings>(&asked, provenance)?;
    if let Some((path, _)) = opened.as_ref().filter(|_| data_are_recorded) {
        recorded::require_own(path, &settings.data().data)?;
    }
    let known = opened.as_ref().map(|(_, checkpoint)| Known::of_net(V::class_numbers(&settings), &said, checkpoint));
    let parts = Parts::load(&mut settings, &said, known.unwrap_or_default())?;
    parts.require_valid(V::patience(&settings))?;
    let from = opened.as_ref().map(|(_, checkpoint)| &checkpoint.dbn);
    V::adapt(&mut settings, &said, &parts, from);
    let (training, parts) = V::start(&settings, parts, from)?;
    let minibatches = parts.minibatches(settings.data(), V::batch_size(&settings), settings.seed())?;
    let name = V::name(&settings, opened.map(|(path, _)| run_name(&path)));
    let folder = RunFolder::create(args.run.out.as_deref(), &name, &to_toml(&settings)?, args.run.force)?;
    let history = History::new(folder.metrics());
    Ok(Run { settings, parts, minibatches, training, folder, history, resumed: false })
}

/// A run that goes on where it was saved.
fn resume<V: Looped>(path: &Path, args: &TrainArgs<V::Settings>) -> Result<Run<V>> {
    let verb = V::Settings::VERB.name();
    let folder = RunFolder::open(path, verb, Some(V::STATE))?;
    let settings = settings::resume::<V::Settings>(&folder.config(), &args.asked())?;
    let state = folder.told(recover(&folder.path().join(V::STATE), Saved::<V::Training>::load))?;
    let (done, (epochs, _)) = (state.epochs_done(), V::span(&settings, &()));
    if epochs < done {
        return Err(Failure::new(format!("--epochs is {epochs}, but the run has done {done} already")));
    }
    let parts = Parts::load_again(&settings, &folder)?;
    let (config, parts) = V::resume(&settings, parts, &state)?;
    let provenance = parts.provenance(record(&settings)?, settings.seed())?;
    require_run(state.require_run(&identity(verb, &provenance)), &folder)?;
    let history = History::resume(folder.metrics(), state.measured().map(|epoch| (0, epoch)))?;
    let training = Loop::resume(config, state, &V::place(&settings, &parts)?)?;
    let minibatches = parts.minibatches(settings.data(), V::batch_size(&settings), settings.seed())?;
    folder.write_config(&to_toml(&settings)?)?;
    tracing::info!("resuming after {}", count(done as usize, "epoch"));
    Ok(Run { settings, parts, minibatches, training, folder, history, resumed: true })
}

fn train<V: Looped>(run: Run<V>, report: &Report) -> Result<u8> {
    let Run { settings, parts, mut minibatches, training, folder, history, resumed } = run;
    let (verb, seed) = (V::Settings::VERB.name(), settings.seed());
    introduce::<V>(&settings, &parts, &training, &folder)?;
    let gallery = parts.gallery(settings.data(), seed)?;
    let provenance = parts.provenance(record(&settings)?, seed)?;
    let mut training = training.of_run(identity(verb, &provenance));
    let mut watcher = Watcher::<V>::new(report, &folder, &settings, gallery, provenance, history);
    if !resumed {
        // From here on there is always something to resume from.
        watcher.save(&training.snapshot(), Figures::new())?;
        watcher.report_model(&training.snapshot().model()?, State::Running);
    }
    interrupt::catch();
    let monitors = parts.monitors(settings.data(), V::MONITOR, seed)?;
    let outcome = loop {
        let fitted = training.fit(&mut minibatches, &monitors, &mut watcher);
        watcher.ticker.finish();
        match outcome(fitted, &mut minibatches).map_err(|error| watcher.failed(error))? {
            Outcome::Interrupted if !interrupt::asked() => {
                watcher.save_midway(|watcher| watcher.save(&training.snapshot(), Figures::new()))?;
                watcher.report_model(&training.snapshot().model()?, State::Running);
            }
            outcome => break outcome,
        }
    };
    if outcome == Outcome::Interrupted {
        watcher.save(&training.snapshot(), Figures::new())?;
        watcher.report_model(&training.snapshot().model()?, State::Unfinished);
        return Ok(interrupted(verb, &folder));
    }
    watcher.provenance.stopped_early = outcome == Outcome::Converged;
    let (figures, test) = V::test(&mut training, &settings, &parts)?.unwrap_or_default();
    let (snapshot, epochs) = (training.snapshot(), training.epochs_done());
    watcher.save(&snapshot, figures)?;
    let model = snapshot.model()?;
    V::draw(&mut watcher, &model, epochs)?;
    let state = if watcher.provenance.stopped_early { State::StoppedEarly } else { State::Finished };
    watcher.report_model(&model, state);
    let early = if outcome == Outcome::Converged { format!(", stopped early as {}", V::STOPS) } else { String::new() };
    let test = if test.is_empty() { test } else { format!("; test {test}") };
    tracing::info!("done after {}{early}{test}", count(epochs as usize, "epoch"));
    if let Some(best) = snapshot.best().filter(|best| best.epoch != epochs) {
        let (words, path) = (V::best_in_words(&settings, best), folder.best());
        tracing::info!("best on the validation samples: epoch {}{words}, in {}", best.epoch, path.display());
    }
    watcher.reporter.say_next();
    report.data(&format!("{}\n", folder.path().display()))?;
    Ok(0)
}

/// Says what is about to happen.
fn introduce<V: Looped>(
    settings: &V::Settings,
    parts: &Parts,
    training: &Loop<V::Training>,
    folder: &RunFolder,
) -> Result<()> {
    parts.introduce(settings.data(), V::MONITOR);
    let (model, bytes) = V::introduce(settings, parts, &training.snapshot().model()?)?;
    tracing::info!("model:   {model}");
    tracing::info!("machine: {}, {}", count(training.threads(), "thread"), training.simd());
    tracing::info!("memory:  {}", parts.memory(settings.data(), bytes));
    tracing::info!("run:     {}", folder.path().display());
    Ok(())
}

/// How a training ended: where samples could not be read from their file any more, that is why
/// it stopped.
pub(crate) fn outcome<E: Into<Failure>>(
    fitted: std::result::Result<Outcome, E>,
    minibatches: &mut Minibatcher,
) -> Result<Outcome> {
    match minibatches.take_failure() {
        Some(error) => Err(error.into()),
        None => fitted.map_err(Into::into),
    }
}

/// Says how an interrupted run goes on; the program's exit code.
pub(crate) fn interrupted(verb: &str, folder: &RunFolder) -> u8 {
    let path = shell_word(folder.path());
    tracing::warn!("interrupted and saved; continue with: dbn {verb} --resume {path}");
    interrupt::EXIT_CODE
}
