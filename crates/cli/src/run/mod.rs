//! A run of a verb that trains: its folder, its data, what watches it, and [`run`], which all verbs but `stack` are.

pub(crate) mod advised;
pub(crate) mod folder;
pub(crate) mod history;
mod independent;
pub(crate) mod known;
pub(crate) mod lock;
pub(crate) mod looped;
pub(crate) mod measured;
pub(crate) mod parts;
pub(crate) mod progress;
mod same;
pub(crate) mod save_clock;
mod shown;
pub(crate) mod stage;
pub(crate) mod watcher;

pub(crate) use same::{identity, require_run};

use crate::args::TrainArgs;
use crate::failure::{Failure, Result, count};
use crate::machine::{interrupt, ranks};
use crate::model::checkpoint::{Checkpoint, run_name};
use crate::model::recorded;
use crate::model::trained::Trained;
use crate::report::{Report, shell_word};
use crate::reporting::draw_alignment;
use crate::settings::{self, Resolved, Settings, record, to_toml};
use deepbelief_data::Minibatcher;
use deepbelief_rbm::{Outcome, Provenance, recover};
use deepbelief_report::State;
use deepbelief_training::{Loop, State as Saved};
use folder::RunFolder;
use history::History;
use known::Known;
use looped::{Figures, Looped};
use parts::Parts;
use std::path::{Path, PathBuf};
use watcher::{Follower, Verb, Watcher};

/// A training about to start.
struct Run<V: Verb> {
    of: Prepared<V>,
    folder: RunFolder,
    history: History<V::Epoch>,
    resumed: bool,
}

/// What every rank has of a training.
struct Prepared<V: Verb> {
    settings: V::Settings,
    parts: Parts,
    minibatches: Minibatcher,
    training: Loop<V::Training>,
}

/// Trains; returns the program's exit code.
pub(crate) fn run<V: Looped>(args: &TrainArgs<V::Settings>, report: &Report) -> Result<u8> {
    match (&args.run.resume, ranks::group().is_first()) {
        (Some(path), true) => train(resume::<V>(path, args)?, report),
        (None, true) => train(start::<V>(args)?, report),
        (Some(path), false) => follow::<V>(restored(&RunFolder::of_first(path), args)?.0),
        (None, false) => follow::<V>(begun(args)?.0),
    }
}

/// A new run. The folder comes last, so that settings or data which do not do leave nothing behind.
fn start<V: Looped>(args: &TrainArgs<V::Settings>) -> Result<Run<V>> {
    let (of, name) = begun::<V>(args)?;
    let folder = RunFolder::create(args.run.out.as_deref(), &name, &to_toml(&of.settings)?, args.run.force)?;
    let history = History::new(folder.metrics());
    Ok(Run { of, folder, history, resumed: false })
}

/// A new training, and the name of its folder.
fn begun<V: Looped>(args: &TrainArgs<V::Settings>) -> Result<(Prepared<V>, String)> {
    let asked = args.asked();
    let open = |path: PathBuf| Checkpoint::open(&path).map(|checkpoint| (path, checkpoint));
    let opened = asked.checkpoint().map(open).transpose()?;
    let provenance = opened.as_ref().map(|(_, checkpoint)| checkpoint.provenance());
    let Resolved { mut settings, said, data_are_recorded, batch_is_recorded } =
        settings::resolve::<V::Settings>(&asked, provenance)?;
    if let Some((path, _)) = opened.as_ref().filter(|_| data_are_recorded) {
        recorded::require_own(path, &settings.data().data)?;
    }
    let known = opened.as_ref().map(|(_, checkpoint)| Known::of_net(V::class_numbers(&settings), &said, checkpoint));
    let parts = Parts::load(&mut settings, &said, known.unwrap_or_default())?;
    parts.require_valid(V::patience(&settings))?;
    let from = opened.as_ref().map(|(_, checkpoint)| &checkpoint.dbn);
    V::adapt(&mut settings, &said, &parts, from);
    let (training, parts) = V::start(&settings, parts, from)?;
    if batch_is_recorded {
        tracing::info!("not set, so as the net learned: --batch-size {}", V::batch_size(&settings));
    }
    let minibatches = parts.minibatches(settings.data(), V::batch_size(&settings), settings.seed())?;
    let name = V::name(&settings, opened.map(|(path, _)| run_name(&path)));
    Ok((Prepared { settings, parts, minibatches, training }, name))
}

/// A run that goes on where it was saved.
fn resume<V: Looped>(path: &Path, args: &TrainArgs<V::Settings>) -> Result<Run<V>> {
    let folder = RunFolder::open(path, V::Settings::VERB.name(), Some(V::STATE))?;
    let (of, measured) = restored::<V>(&folder, args)?;
    let history = History::resume(folder.metrics(), measured.map(|epoch| (0, epoch)))?;
    folder.write_config(&to_toml(&of.settings)?)?;
    tracing::info!("resuming after {}", count(of.training.epochs_done() as usize, "epoch"));
    Ok(Run { of, folder, history, resumed: true })
}

/// The training of a run that was saved, and the last epoch that it had measured.
fn restored<V: Looped>(folder: &RunFolder, args: &TrainArgs<V::Settings>) -> Result<(Prepared<V>, Option<u32>)> {
    let verb = V::Settings::VERB.name();
    let settings = settings::resume::<V::Settings>(&folder.config(), &args.asked())?;
    let state =
        ranks::first_then_others(|| folder.told(recover(&folder.path().join(V::STATE), Saved::<V::Training>::load)))?;
    let (done, (epochs, _)) = (state.epochs_done(), V::span(&settings, &()));
    if epochs < done {
        return Err(Failure::new(format!("--epochs is {epochs}, but the run has done {done} already")));
    }
    let parts = Parts::load_again(&settings, folder)?;
    let (config, parts) = V::resume(&settings, parts, &state)?;
    let provenance = parts.provenance(record(&settings)?, settings.seed())?;
    require_run(state.require_run(&identity(verb, &provenance)), folder)?;
    let measured = state.measured();
    let training = Loop::resume(config, state, &V::place(&settings, &parts)?)?;
    let minibatches = parts.minibatches(settings.data(), V::batch_size(&settings), settings.seed())?;
    Ok((Prepared { settings, parts, minibatches, training }, measured))
}

/// The training of a run, named by what fixes it, as one of the ranks that are to do it.
fn among<V: Looped>(training: Loop<V::Training>, provenance: &Provenance) -> Result<Loop<V::Training>> {
    let run = identity(V::Settings::VERB.name(), provenance);
    ranks::require_same(&run)?;
    training.of_run(run).among(&ranks::group()).map_err(Into::into)
}

/// Trains as every rank but the first, without a word and without a file; the program's exit code.
fn follow<V: Looped>(of: Prepared<V>) -> Result<u8> {
    let Prepared { settings, parts, mut minibatches, training } = of;
    let provenance = parts.provenance(record(&settings)?, settings.seed())?;
    let mut training = among::<V>(training, &provenance)?;
    ranks::resumed_by("")?;
    interrupt::catch();
    let monitors = parts.monitors(settings.data(), V::MONITOR, settings.seed())?;
    loop {
        let fitted = training.fit(&mut minibatches, &monitors, &mut Follower);
        let reached = outcome(fitted, &mut minibatches)?;
        if reached != Outcome::Interrupted {
            // Ranks share what is measured at the end, too.
            V::test(&mut training, &settings, &parts)?;
            return Ok(0);
        }
        if ranks::any(interrupt::asked())? {
            return Ok(interrupt::EXIT_CODE);
        }
    }
}

fn train<V: Looped>(run: Run<V>, report: &Report) -> Result<u8> {
    let Run { of: Prepared { settings, parts, mut minibatches, training }, folder, history, resumed } = run;
    let (verb, seed) = (V::Settings::VERB.name(), settings.seed());
    introduce::<V>(&settings, &parts, &training, &folder)?;
    let gallery = parts.gallery(settings.data(), seed)?;
    let provenance = parts.provenance(record(&settings)?, seed)?;
    let mut training = among::<V>(training, &provenance)?;
    let mut watcher = Watcher::<V>::new(report, &folder, &settings, gallery, provenance, history);
    if !resumed {
        // From here on there is always something to resume from.
        let model = watcher.save(&training.snapshot(), Figures::new())?;
        watcher.report_model(&model, State::Running);
    }
    ranks::resumed_by(&resume_command(verb, &folder))?;
    interrupt::catch();
    let monitors = parts.monitors(settings.data(), V::MONITOR, seed)?;
    let outcome = loop {
        let fitted = training.fit(&mut minibatches, &monitors, &mut watcher);
        watcher.ticker.finish();
        match outcome(fitted, &mut minibatches).map_err(|error| watcher.failed(error))? {
            Outcome::Interrupted if !ranks::any(interrupt::asked())? => {
                let model = watcher.save_midway(|watcher| watcher.save(&training.snapshot(), Figures::new()))?;
                watcher.report_model(&model, State::Running);
            }
            outcome => break outcome,
        }
    };
    if outcome == Outcome::Interrupted {
        let model = watcher.save(&training.snapshot(), Figures::new())?;
        watcher.report_model(&model, State::Unfinished);
        return Ok(interrupted(verb, &folder));
    }
    watcher.provenance.stopped_early = outcome == Outcome::Converged;
    let (figures, test) = V::test(&mut training, &settings, &parts)?.unwrap_or_default();
    let (snapshot, epochs) = (training.snapshot(), training.epochs_done());
    let model = watcher.save(&snapshot, figures)?;
    V::draw(&mut watcher, &model, epochs)?;
    draw_alignment(&folder, &parts.data, report);
    let compared = independent::compare(&parts, V::MONITOR, &watcher, epochs, || V::look(&watcher, &model));
    watcher.reporter.compare(compared);
    let state = if watcher.provenance.stopped_early { State::StoppedEarly } else { State::Finished };
    watcher.report_model(&model, state);
    let early = if outcome == Outcome::Converged { format!(", stopped early as {}", V::STOPS) } else { String::new() };
    let test = if test.is_empty() { test } else { format!("; test {test}") };
    tracing::info!("done after {}{early}{test}", count(epochs as usize, "epoch"));
    if let Some(best) = snapshot.best().filter(|best| best.epoch != epochs) {
        let (words, path) = (V::best_in_words(&settings, best), folder.best());
        tracing::info!("best on the validation samples: epoch {}{words}, in {}", best.epoch, path.display());
    }
    independent::say(&parts, &watcher, compared);
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
    tracing::info!("machine: {}, {}{}", count(training.threads(), "thread"), training.simd(), ranks::in_words());
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
    tracing::warn!("interrupted and saved; continue with: {}", resume_command(verb, folder));
    interrupt::EXIT_CODE
}

/// The command that goes on with a run.
pub(crate) fn resume_command(verb: &str, folder: &RunFolder) -> String {
    format!("dbn {verb} --resume {}", shell_word(folder.path()))
}
