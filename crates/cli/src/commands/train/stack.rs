//! `dbn stack`: train a stack of RBMs layer by layer.

use super::watch_layers::StackLayers;
use crate::args::TrainArgs;
use crate::data::chunks::CHUNK;
use crate::failure::{Result, count};
use crate::machine::memory::MemoryOption;
use crate::machine::{interrupt, ranks};
use crate::report::{Report, bytes, thousands};
use crate::run::folder::RunFolder;
use crate::run::history::History;
use crate::run::known::Known;
use crate::run::measured::Epoch;
use crate::run::parts::Parts;
use crate::run::watcher::{Follower, Watcher, control};
use crate::run::{identity, interrupted, outcome, require_run, resume_command};
use crate::settings::{Resolved, Settings, StackSettings, record, resolve, resume as resume_settings, to_toml};
use deepbelief_data::Minibatcher;
use deepbelief_rbm::{ObserverResult, Outcome, Provenance, Rbm, TrainState, UnitKind, UnitMix};
use deepbelief_report::State;
use deepbelief_stack::{Footprint, Greedy, GreedyState, LayerStart, Mode, StackConfig, StackObserver};
use std::path::Path;

/// Samples that each epoch is measured on, at most.
const MONITOR: usize = crate::options::Verb::Stack.measured();

/// Bytes a unit and monitored sample take when they are passed up: training and validation samples
/// stay, and the pass holds products, probabilities and states.
const MONITORED: u64 = 4 * (2 + 5);

/// Bytes a hidden unit and monitored sample take of the layer that learns, both sets at once.
const PROBABILITIES: u64 = 4 * 2;

/// A training about to start.
struct Run {
    of: Prepared,
    folder: RunFolder,
    history: History<Epoch>,
}

/// What every rank has of a training.
struct Prepared {
    settings: StackSettings,
    config: StackConfig,
    parts: Parts,
    stages: Vec<Stage>,
    greedy: Greedy,
}

/// What layers learn from, up to one of them: where few samples have labels, all samples train what
/// is under the top, and those the top.
struct Stage {
    layers: usize,
    parts: Parts,
    minibatches: Minibatcher,
}

/// Trains; returns the program's exit code.
pub(crate) fn stack(args: &TrainArgs<StackSettings>, report: &Report) -> Result<u8> {
    match (&args.run.resume, ranks::group().is_first()) {
        (Some(path), true) => train(resume(path, args)?, report),
        (None, true) => train(start(args)?, report),
        (Some(path), false) => follow(restored(&RunFolder::of_first(path), args)?.0),
        (None, false) => follow(begun(args)?),
    }
}

/// A new run. The folder comes last, so that settings or data which do not do leave nothing
/// behind.
fn start(args: &TrainArgs<StackSettings>) -> Result<Run> {
    let of = begun(args)?;
    let hidden: Vec<String> = of.settings.layers.iter().map(|layer| layer.hidden.to_string()).collect();
    let name = format!("{}-{}", of.settings.data.data.name(), hidden.join("-"));
    let folder = RunFolder::create(args.run.out.as_deref(), &name, &to_toml(&of.settings)?, args.run.force)?;
    let history = History::new(folder.metrics());
    Ok(Run { of, folder, history })
}

/// A new training.
fn begun(args: &TrainArgs<StackSettings>) -> Result<Prepared> {
    let Resolved { mut settings, said, .. } = resolve::<StackSettings>(&args.asked(), None)?;
    let parts = Parts::load(&mut settings, &said, Known::default())?;
    settings.layers.iter().try_for_each(|layer| parts.require_valid(layer.train.patience))?;
    parts.require_shape(&settings.data)?;
    let config = config_of(&settings, &parts)?;
    config.validate_on(parts.train.units())?;
    let greedy = Greedy::new(config.clone())?.on(&parts.device(settings.run.device)?)?;
    let parts = settle(parts, &settings, &config)?;
    let stages = stages(&parts, &settings, &config)?;
    Ok(Prepared { settings, config, parts, stages, greedy })
}

/// The settings of the training, on these data.
fn config_of(settings: &StackSettings, parts: &Parts) -> Result<StackConfig> {
    let visible = parts.train.layer();
    let visible_units = (!visible.is_bernoulli()).then(|| visible.clone());
    let config = StackConfig { visible_units, ..settings.stack_config(parts.data.classes)? };
    config.validate()?;
    Ok(config)
}

/// All layers on all samples, unless the top learns few labels.
fn stages(parts: &Parts, settings: &StackSettings, config: &StackConfig) -> Result<Vec<Stage>> {
    let (seed, depth) = (settings.seed(), config.layers.len());
    let stage = |layers, parts: Parts| -> Result<Stage> {
        let minibatches = parts.minibatches(&settings.data, settings.batch_size(), seed)?;
        Ok(Stage { layers, parts, minibatches })
    };
    if settings.labelled.unwrap_or(0) == 0 {
        return Ok(vec![stage(depth, parts.clone())?]);
    }
    let mut labelled = parts.clone();
    labelled.keep(settings.labelled, seed)?;
    Ok(vec![stage(depth - 1, parts.clone())?, stage(depth, labelled)?])
}

/// A run that goes on where it was saved.
fn resume(path: &Path, args: &TrainArgs<StackSettings>) -> Result<Run> {
    // A stack that was stopped before its first save goes on from the beginning.
    let folder = RunFolder::open(path, "stack", None)?;
    let (of, (layer, epochs)) = restored(&folder, args)?;
    let history = History::resume(folder.metrics(), Some((layer as u32, epochs)))?;
    folder.write_config(&to_toml(&of.settings)?)?;
    tracing::info!("resuming after {} and {}", count(layer, "layer"), count(epochs as usize, "epoch"));
    Ok(Run { of, folder, history })
}

/// The training of a run that was saved, and the layers and epochs that it had done.
fn restored(folder: &RunFolder, args: &TrainArgs<StackSettings>) -> Result<(Prepared, (usize, u32))> {
    let settings = resume_settings::<StackSettings>(&folder.config(), &args.asked())?;
    let state = ranks::first_then_others(|| folder.told(GreedyState::recover(folder.path())))?;
    let parts = Parts::load_again(&settings, folder)?;
    let config = config_of(&settings, &parts)?;
    let parts = settle(parts, &settings, &config)?;
    let provenance = parts.provenance(record(&settings)?, settings.seed())?;
    require_run(state.require_run(&identity("stack", &provenance)), folder)?;
    let done = (state.finished.len(), state.running.as_ref().map_or(0, TrainState::epochs_done));
    let greedy = Greedy::resume(config.clone(), state)?.on(&parts.device(settings.run.device)?)?;
    let stages = stages(&parts, &settings, &config)?;
    Ok((Prepared { settings, config, parts, stages, greedy }, done))
}

/// The training of a run, named by what fixes it, as one of the ranks that are to do it.
fn among(greedy: Greedy, provenance: &Provenance) -> Result<Greedy> {
    let run = identity("stack", provenance);
    ranks::require_same(&run)?;
    Ok(greedy.of_run(run).among(&ranks::group()))
}

/// Trains as every rank but the first, without a word and without a file; the program's exit code.
fn follow(of: Prepared) -> Result<u8> {
    let Prepared { settings, parts, mut stages, greedy, .. } = of;
    let mut greedy = among(greedy, &parts.provenance(record(&settings)?, settings.seed())?)?;
    ranks::resumed_by("")?;
    interrupt::catch();
    for Stage { layers, parts, minibatches } in &mut stages {
        let monitors = parts.monitors(&settings.data, MONITOR, settings.seed())?;
        loop {
            let fitted = greedy.fit_layers(*layers, minibatches, &monitors, &mut Follower);
            match outcome(fitted, minibatches)? {
                Outcome::Interrupted if ranks::any(interrupt::asked())? => return Ok(interrupt::EXIT_CODE),
                // Rank 0 saves.
                Outcome::Interrupted => {}
                _ => break,
            }
        }
    }
    Ok(0)
}

impl StackObserver for Follower {
    fn layer_started(&mut self, _: &LayerStart<'_>) -> ObserverResult {
        Ok(control())
    }

    fn layer_done(&mut self, _: usize, _: &[Rbm]) -> ObserverResult {
        Ok(control())
    }
}

fn train(run: Run, report: &Report) -> Result<u8> {
    let Run { of: Prepared { settings, config, parts, mut stages, greedy }, folder, history } = run;
    let seed = settings.seed();
    introduce(&settings, &config, &parts, &stages, &folder);
    let gallery = parts.gallery(&settings.data, seed)?;
    let provenance = parts.provenance(record(&settings)?, seed)?;
    let mut greedy = among(greedy, &provenance)?;
    let mut watcher = Watcher::<StackLayers>::new(report, &folder, &settings, gallery, provenance, history);
    if let Ok(finished) = greedy.dbn() {
        watcher.draw_finished(&finished)?;
    }
    ranks::resumed_by(&resume_command("stack", &folder))?;
    interrupt::catch();
    let mut reached = Outcome::Finished;
    for Stage { layers, parts, minibatches } in &mut stages {
        let monitors = parts.monitors(&settings.data, MONITOR, seed)?;
        reached = loop {
            let fitted = greedy.fit_layers(*layers, minibatches, &monitors, &mut watcher);
            let fitted = outcome(fitted, minibatches).map_err(|error| {
                watcher.ticker.finish();
                watcher.failed(error)
            });
            match fitted? {
                Outcome::Interrupted if !ranks::any(interrupt::asked())? => {
                    watcher.kept.midway = true;
                    watcher.save_midway(|watcher| watcher.save_state(&greedy.state()))?;
                    watcher.report_stack(&greedy.state(), State::Running);
                }
                outcome => break outcome,
            }
        };
        if reached != Outcome::Finished {
            break;
        }
    }
    watcher.ticker.finish();
    if reached == Outcome::Interrupted {
        watcher.save_interrupted(&greedy.state())?;
        watcher.report_stack(&greedy.state(), State::Unfinished);
        return Ok(interrupted("stack", &folder));
    }
    let dbn = greedy.dbn()?;
    let test_error = parts.test_error(&dbn, &settings.data, seed)?;
    watcher.complete(&dbn, test_error)?;
    let test = test_error.map_or(String::new(), |error| format!("; test label error {:.2} %", 100.0 * error));
    tracing::info!("done after {}{test}", count(dbn.depth(), "layer"));
    watcher.reporter.say_next();
    report.data(&format!("{}\n", folder.path().display()))?;
    Ok(0)
}

/// What each layer takes on top of the data.
fn footprints(settings: &StackSettings, config: &StackConfig, parts: &Parts) -> Vec<Footprint> {
    let batch_size = settings.batch_size();
    let mut footprints = config.memory(parts.train.samples(), parts.train.units(), batch_size);
    // Samples to measure on and to test the finished net on are floats, twice.
    let measured = 8 * ((MONITOR + CHUNK) * parts.train.units()) as u64;
    for (layer, footprint) in footprints.iter_mut().enumerate() {
        let below = layer.checked_sub(1).map_or(0, |below| config.layers[below].hidden);
        let passed = MONITORED * below as u64 + PROBABILITIES * config.layers[layer].hidden as u64;
        footprint.bytes += measured + passed * MONITOR as u64;
    }
    footprints
}

/// Bytes of the layer that takes most.
fn peak(footprints: &[Footprint]) -> u64 {
    footprints.iter().map(|footprint| footprint.bytes).max().unwrap_or(0)
}

/// The data where there is room for them.
fn settle(parts: Parts, settings: &StackSettings, config: &StackConfig) -> Result<Parts> {
    let (held, of) = (parts.bytes(&settings.data), parts.clone());
    let needed = |config: &StackConfig| held + peak(&footprints(settings, config, &of));
    let sizes: Vec<usize> = config.layers.iter().map(|layer| layer.hidden).collect();
    let cache = (config.cache_bytes >> 20) as usize;
    let options = [
        MemoryOption::layers(&sizes, |sizes| {
            let mut config = config.clone();
            config.layers.iter_mut().zip(sizes).for_each(|(layer, &hidden)| layer.hidden = hidden);
            needed(&config)
        }),
        MemoryOption::new("--cache", 0, cache, |mib| {
            needed(&StackConfig { cache_bytes: (mib as u64) << 20, ..config.clone() })
        }),
    ];
    parts.settle(settings, needed(config), &options)
}

/// Says what is about to happen.
fn introduce(settings: &StackSettings, config: &StackConfig, parts: &Parts, stages: &[Stage], folder: &RunFolder) {
    parts.introduce(&settings.data, MONITOR);
    if let [_, labelled] = stages {
        let samples = thousands(labelled.parts.train.samples());
        tracing::info!("labels:  {samples} of the training samples have theirs; the top trains on these alone");
    }
    let visible = parts.train.units();
    let sizes: Vec<usize> = std::iter::once(visible).chain(config.layers.iter().map(|layer| layer.hidden)).collect();
    let weights: usize = sizes.windows(2).map(|pair| pair[0] * pair[1] + pair[0] + pair[1]).sum();
    let of_labels = config.classes.map_or(0, |classes| classes * (sizes[sizes.len() - 1] + 1));
    let labels = config.classes.map_or("no labels".into(), |classes| format!("{classes} labels at the top"));
    let named = settings.sizes_in_words(visible);
    let below = config.visible_units.as_ref().map_or(String::new(), |units| format!(" of {units} visible units"));
    let top = config.layers.last().map(|top| &top.hidden_units).filter(|units| !units.is_bernoulli());
    let above = match top {
        None => String::new(),
        Some(UnitMix::All(UnitKind::Gaussian)) => " with Gaussian units at the top".into(),
        Some(units) => format!(" with {units} units at the top"),
    };
    tracing::info!("model:   {named} stack{below}{above}, {labels}, {} parameters", thousands(weights + of_labels));
    let footprints = footprints(settings, config, parts);
    tracing::info!("memory:  {}", parts.memory(&settings.data, peak(&footprints)));
    for (layer, Footprint { plan, bytes: total }) in footprints.iter().enumerate() {
        let input = match plan.map(|plan| (plan.mode, plan.bytes)) {
            None if parts.train.is_held() => "the data".to_string(),
            None => "the data, read from disk".to_string(),
            Some((Mode::Recompute, _)) => "computed again for every minibatch: it does not fit --cache".to_string(),
            Some((Mode::Floats, n)) => format!("kept as floats, {}", bytes(n)),
            Some((Mode::Bytes, n)) => format!("kept as bytes, {}", bytes(n)),
            Some((Mode::Bits, n)) => format!("kept as bits, states drawn once, {}", bytes(n)),
        };
        tracing::info!("layer {}: input {input}; training takes {}", layer + 1, bytes(*total));
    }
    tracing::info!("run:     {}", folder.path().display());
}
