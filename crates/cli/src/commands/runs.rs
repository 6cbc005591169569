//! `dbn runs`: the runs in a folder, with their dates, data, progress and state.

use crate::args::RunsArgs;
use crate::failure::{Failure, Result};
use crate::report::{Report, table};
use crate::run::folder::RunFolder;
use crate::run::stage::{header, planned, sizes, state};
use chrono::DateTime;
use deepbelief_rbm::{open_regular, read_regular};
use deepbelief_report::State;
use indicatif::FormattedDuration;
use serde::Serialize;
use serde_json::{Map, Value};
use std::io::{BufRead, BufReader, Error, ErrorKind};
use std::path::{Path, PathBuf};
use std::str::from_utf8;
use std::time::{Duration, UNIX_EPOCH};
use toml::Table;

/// What is shown of costs and label errors, the first that a run has: `_valid` stands for
/// validation samples.
const COSTS: [&str; 6] = [
    "variational_cost_valid",
    "variational_cost",
    "cost_valid",
    "cost",
    "reconstruction_cost_valid",
    "reconstruction_cost",
];
const LABEL_ERRORS: [&str; 2] = ["label_error_valid", "label_error_train"];

/// A run and how far it is.
#[derive(Serialize)]
struct Run {
    name: String,
    /// When it started, as its settings were written: seconds since 1970.
    started: Option<u64>,
    /// Verb of `dbn` whose run it is.
    verb: String,
    /// What it learns from.
    data: Option<String>,
    /// Units of every layer of the model so far, from the visible ones; none where nothing has
    /// been saved.
    sizes: Vec<usize>,
    /// Of all layers.
    epochs_done: usize,
    epochs_planned: Option<u64>,
    state: State,
    /// Wall time of the epochs done.
    seconds: f64,
    /// The metrics of the last epoch.
    last_epoch: Map<String, Value>,
}

/// Lists the runs.
pub(crate) fn runs(args: &RunsArgs, report: &Report) -> Result<()> {
    let runs: Vec<Run> = folders(&args.folder)?.iter().filter_map(|path| look(path)).collect();
    if runs.is_empty() {
        tracing::info!("no runs in {}", args.folder.display());
    }
    if args.json {
        return report.json(&serde_json::json!({ "folder": args.folder, "runs": runs }));
    }
    report.data(&describe(&runs))
}

/// The folder itself where it is a run, else those in it, in the order of their names.
fn folders(folder: &Path) -> Result<Vec<PathBuf>> {
    if RunFolder::find(folder).is_some() {
        return Ok(vec![folder.to_path_buf()]);
    }
    let entries = std::fs::read_dir(folder).map_err(|error| cannot_list(folder, error))?;
    let mut paths = Vec::new();
    for entry in entries {
        paths.push(entry.map_err(Failure::from)?.path());
    }
    paths.sort();
    Ok(paths)
}

/// Why the runs of a folder cannot be listed, and what to do.
fn cannot_list(folder: &Path, error: Error) -> Failure {
    let failure = match error.kind() {
        ErrorKind::NotFound => Failure::new(format!("there is no folder {}", folder.display())),
        ErrorKind::NotADirectory => Failure::new(format!("{} is not a folder", folder.display())),
        _ => Failure::from(error).while_doing(format!("cannot list the runs in {}", folder.display())),
    };
    failure.hint(
        "name the folder that holds your runs: dbn runs DIR; a training makes its run under runs/, where it starts",
    )
}

/// A run, by its files; none where the folder is no run.
fn look(path: &Path) -> Option<Run> {
    let (folder, verb) = RunFolder::find(path)?;
    let settings = read_regular(&folder.config()).ok().and_then(|text| from_utf8(&text).ok()?.parse::<Table>().ok());
    let model = header(&folder.model());
    let epochs = Epochs::read(&folder.metrics());
    let state = state(&folder, &verb, settings.as_ref(), epochs.done);
    let epochs_planned = settings.as_ref().and_then(|settings| planned(&verb, settings));
    let text = |key: &str| settings.as_ref()?.get(key)?.as_str().map(String::from);
    Some(Run {
        name: path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned(),
        started: folder.started().and_then(|time| Some(time.duration_since(UNIX_EPOCH).ok()?.as_secs())),
        verb,
        data: text("data"),
        sizes: if text("top").as_deref() == Some("factorial") { below_factorial(sizes(&model)) } else { sizes(&model) },
        epochs_done: epochs.done,
        epochs_planned,
        state,
        seconds: epochs.seconds,
        last_epoch: epochs.last,
    })
}

/// The sizes of a net without the unit that stands above independent ones.
fn below_factorial(mut sizes: Vec<usize>) -> Vec<usize> {
    sizes.pop();
    sizes
}

/// What a file of metrics says.
#[derive(Default)]
struct Epochs {
    /// Of training: epoch 0 only measures what there was before.
    done: usize,
    seconds: f64,
    last: Map<String, Value>,
}

impl Epochs {
    /// Of the lines of a file, if there is one; a line cut short by a crash says nothing.
    fn read(path: &Path) -> Self {
        let file = match open_regular(path) {
            Ok(file) => Some(file),
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => {
                tracing::warn!("cannot read {}: {error}", path.display());
                None
            }
        };
        let mut epochs = Self::default();
        for line in file.into_iter().flat_map(|file| BufReader::new(file).split(b'\n')).map_while(std::io::Result::ok) {
            let Ok(epoch) = serde_json::from_slice::<Map<String, Value>>(&line) else { continue };
            epochs.done += usize::from(epoch.get("epoch").and_then(Value::as_u64) > Some(0));
            epochs.seconds += epoch.get("seconds").and_then(Value::as_f64).unwrap_or(0.0);
            epochs.last = epoch;
        }
        epochs
    }
}

/// A line a run.
fn describe(runs: &[Run]) -> String {
    if runs.is_empty() {
        return String::new();
    }
    let head = ["run", "started", "verb", "data", "units", "epochs", "cost", "label error", "time", "state"];
    let rows = runs.iter().map(|run| {
        let figure = |known: &[&str]| known.iter().find_map(|name| run.last_epoch.get(*name)?.as_f64());
        let sizes: Vec<String> = run.sizes.iter().map(ToString::to_string).collect();
        let planned = run.epochs_planned.map_or("?".into(), |planned| planned.to_string());
        vec![
            run.name.clone(),
            run.started.map_or(String::new(), date),
            run.verb.clone(),
            run.data.clone().unwrap_or_default(),
            sizes.join("-"),
            format!("{}/{planned}", run.epochs_done),
            figure(&COSTS).map_or(String::new(), |cost| format!("{cost:.2}")),
            figure(&LABEL_ERRORS).map_or(String::new(), |error| format!("{:.2} %", 100.0 * error)),
            FormattedDuration(Duration::try_from_secs_f64(run.seconds).unwrap_or_default()).to_string(),
            run.state.words().into(),
        ]
    });
    table(std::iter::once(head.map(String::from).to_vec()).chain(rows))
}

/// `2006-07-28 14:05`, in universal time.
fn date(seconds: u64) -> String {
    let time = i64::try_from(seconds).ok().and_then(|seconds| DateTime::from_timestamp(seconds, 0));
    time.map_or(String::new(), |time| time.format("%Y-%m-%d %H:%M").to_string())
}
