//! The folder of a run:
//!
//! | file | holds |
//! |---|---|
//! | `config.toml` | the resolved settings |
//! | `metrics.jsonl` | one object an epoch |
//! | `model.safetensors` | the checkpoint |
//! | `state.safetensors` | what the resume of an RBM's training needs, weights included; with estimates of its likelihood it has a `best.safetensors` too |
//! | `best.safetensors` `tuning.state.safetensors` | of a tuning: the best model on the validation samples, and what a resume needs |
//! | `finetuning.state.safetensors` | what a resume of a training by backpropagation needs; it has a `best.safetensors` too |
//! | `*.previous.safetensors` | of every state the one before the newest, for the case that this one is damaged |
//! | `*.damaged.safetensors` | a state that could not be read when a resume fell back to the one before |
//! | `report.html` `observed.json` | the report, and what it knows of the model beside metrics and checkpoint |
//! | `run.lock` | while the run trains: see [`RunLock`] |
//! | `layers.safetensors` `layer-{i}.state.safetensors` | the same of a stack's ([`GreedyState`](deepbelief_stack::GreedyState)) |
//! | `failure.txt` | why the training stopped, until it goes on |
//! | `filters.png` `reconstructions.png` `fantasies.png` `curves.svg` `curves.png` | pictures; of a stack `layer-{n}.filters.png`, `layer-{n}.curves.svg` and `layer-{n}.curves.png`, n from 1 |
//!
//! A save writes the model first and the state after it. A crash between the two leaves a model
//! that is ahead of the state; since the state alone is what a resume starts from, nothing is
//! lost, and a state that says "finished" has its model beside it.

use crate::failure::{Explain, Failure, Result};
use crate::run::lock::RunLock;
use deepbelief_rbm::{Recovered, is_temporary, may_be_whole, open_regular, previous_path, write_atomic};
use deepbelief_report::observed::OBSERVED;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

pub(crate) const CONFIG: &str = "config.toml";
pub(crate) const METRICS: &str = "metrics.jsonl";
pub(crate) const MODEL: &str = "model.safetensors";
/// What `dbn eval --out` is to write into a run folder for the card of a push to show it.
pub(crate) const EVALUATION: &str = "evaluation.json";
/// State of an RBM's training.
pub(crate) const STATE: &str = "state.safetensors";
const LAYERS: &str = "layers.safetensors";
pub(crate) const BEST: &str = "best.safetensors";
const FAILURE: &str = "failure.txt";
pub(crate) const REPORT: &str = "report.html";
/// State of a tuning.
pub(crate) const TUNE_STATE: &str = "tuning.state.safetensors";

/// State of a training by backpropagation.
pub(crate) const FINETUNE_STATE: &str = "finetuning.state.safetensors";

/// Bytes in which the first line of the settings says whose run they are of.
const FIRST_LINE: u64 = 200;

/// The logos of hidden units of a model of an alignment, and the map of its couplings.
pub(crate) const UNITS: &str = "units.svg";
pub(crate) const CONTACTS: &str = "contacts.png";

/// Pictures of a run.
const PICTURES: [&str; 7] =
    ["filters.png", "reconstructions.png", "fantasies.png", "curves.svg", "curves.png", UNITS, CONTACTS];

/// Files of a run that other verbs write again.
const WRITTEN_AGAIN: [&str; 4] = [EVALUATION, REPORT, UNITS, CONTACTS];

/// An existing folder for a run.
#[derive(Debug)]
pub(crate) struct RunFolder {
    path: PathBuf,
    /// Of a folder to train in, which is this program's until it has done so.
    lock: Option<RunLock>,
}

impl RunFolder {
    /// Makes the folder of a new run, by default one under `runs/` that is named `name`, and
    /// writes its settings. An earlier run in the same place is refused, or with `force`
    /// removed: its own files only, and only where it is known as a run by its settings, since
    /// others have files of the same names.
    pub(crate) fn create(out: Option<&Path>, name: &str, config: &str, force: bool) -> Result<Self> {
        let path = out.map_or_else(|| default_path(name), Path::to_path_buf);
        let mut folder = Self { path, lock: None };
        let name = folder.path.display().to_string();
        if folder.path.is_file() {
            return Err(Failure::new(format!("--out {name} is a file")).hint("name a folder for the run"));
        }
        std::fs::create_dir_all(&folder.path).or_fail(|| format!("cannot make the run folder {name}"))?;
        folder.lock = Some(RunLock::take(&folder.path)?);
        let earlier = folder.files()?;
        if let Some(file) = earlier.first()
            && folder.verb().is_none()
        {
            return Err(Failure::new(format!("{name} holds {}, but no run of ours", file.display()))
                .hint("nothing there is replaced, even with --force; choose another folder with --out"));
        }
        if !folder.is_unsaved(&earlier) && !force {
            return Err(Failure::new(format!("{name} already holds a run")).hint(format!(
                "continue it with --resume {name}, replace it with --force, or choose another folder with --out"
            )));
        }
        if let Some(other) = earlier.iter().find(|file| file.is_dir() && !file.is_symlink()) {
            return Err(Failure::new(format!("{} is a folder, where a run has a file", other.display()))
                .hint("move it away, or choose another folder with --out"));
        }
        // The settings last: whatever moment this dies at, what is left is known as a run.
        let (settings, others): (Vec<_>, Vec<_>) = earlier.into_iter().partition(|file| file.ends_with(CONFIG));
        for file in others.iter().chain(&settings) {
            std::fs::remove_file(file).or_fail(|| format!("cannot remove {}", file.display()))?;
        }
        folder.remove_temporary();
        folder.write_config(config)?;
        Ok(folder)
    }

    /// Opens the folder of a run of `dbn {verb}` that is to continue: it must hold settings and
    /// the state that the verb cannot go on without, if there is one.
    pub(crate) fn open(path: &Path, verb: &str, state: Option<&str>) -> Result<Self> {
        let mut folder = Self { path: path.to_path_buf(), lock: None };
        if let Some(other) = folder.verb().filter(|other| other != verb) {
            let name = path.display();
            return Err(Failure::new(format!("{name} is a run of `dbn {other}`, not of `dbn {verb}`"))
                .hint(format!("continue it with: dbn {other} --resume {name}")));
        }
        for file in [CONFIG].into_iter().chain(state) {
            if path.join(file).is_file() || previous_path(&path.join(file)).is_file() {
                continue;
            }
            let name = path.display();
            let failure = Failure::new(format!("{name} is not a run that can be resumed: it has no {file}"));
            if folder.verb().is_none() {
                return Err(failure.hint(format!("--resume takes the folder that an earlier `dbn {verb}` wrote")));
            }
            // A model is written before the state that goes with it.
            let force = if folder.is_unsaved(&folder.files()?) { "" } else { " --force" };
            let again = format!("it was stopped before its first save: start it again, with --out {name}{force}");
            return Err(failure.hint(again));
        }
        folder.lock = Some(RunLock::take(path)?);
        folder.remove_temporary();
        // The run goes on.
        let _ = std::fs::remove_file(path.join(FAILURE));
        Ok(folder)
    }

    /// The folder of a run that rank 0 has opened, for another rank to read.
    pub(crate) fn of_first(path: &Path) -> Self {
        Self { path: path.to_path_buf(), lock: None }
    }

    /// Notes why the training stops, for `dbn runs`; it stops all the same where that cannot be written.
    pub(crate) fn failed(&self, failure: Failure) -> Failure {
        let _ = self.write(FAILURE, format!("{}\n", failure.what()).as_bytes());
        failure
    }

    /// When the run started: its settings are written first, and not again but by a resume.
    pub(crate) fn started(&self) -> Option<SystemTime> {
        self.config().metadata().ok()?.modified().ok()
    }

    /// Why the training stopped, where it failed.
    pub(crate) fn failure(&self) -> Option<String> {
        std::fs::read_to_string(self.path.join(FAILURE)).ok()
    }

    /// The folder of a run and the verb whose run it is, where it is known as a run by its
    /// settings.
    pub(crate) fn find(path: &Path) -> Option<(Self, String)> {
        let folder = Self { path: path.to_path_buf(), lock: None };
        let verb = folder.verb()?;
        Some((folder, verb))
    }

    /// Whether a file belongs to this run, other than those that are written again.
    pub(crate) fn owns(&self, file: &Path) -> bool {
        let place = |path: &Path| path.canonicalize().ok();
        let is_here = file.parent().and_then(place).is_some_and(|folder| Some(folder) == place(&self.path));
        is_here
            && file.file_name().is_some_and(|name| {
                !WRITTEN_AGAIN.iter().any(|written| name == *written) && is_ours(&name.to_string_lossy())
            })
    }

    /// The verb whose run this is, as the first line of its settings says.
    fn verb(&self) -> Option<String> {
        let mut start = Vec::new();
        open_regular(&self.config()).ok()?.take(FIRST_LINE).read_to_end(&mut start).ok()?;
        let start = String::from_utf8_lossy(&start);
        let words = start.lines().next()?.strip_prefix("# Settings of this run; `dbn ")?;
        words.split(' ').next().map(str::to_string)
    }

    /// Writes one file, whole or not at all.
    pub(crate) fn write(&self, name: &str, bytes: &[u8]) -> Result<()> {
        let path = self.path.join(name);
        write_atomic(&path, bytes).or_fail(|| format!("cannot write {}", path.display()))
    }

    /// Writes the settings; a resume with more epochs replaces them.
    pub(crate) fn write_config(&self, config: &str) -> Result<()> {
        self.write(CONFIG, config.as_bytes())
    }

    /// The folder itself.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Resolved settings.
    pub(crate) fn config(&self) -> PathBuf {
        self.path.join(CONFIG)
    }

    /// Metrics of each epoch.
    pub(crate) fn metrics(&self) -> PathBuf {
        self.path.join(METRICS)
    }

    /// The checkpoint.
    pub(crate) fn model(&self) -> PathBuf {
        self.path.join(MODEL)
    }

    /// The finished layers of a stack.
    pub(crate) fn layers(&self) -> PathBuf {
        self.path.join(LAYERS)
    }

    /// The best model on the validation samples.
    pub(crate) fn best(&self) -> PathBuf {
        self.path.join(BEST)
    }

    /// What was read of this run; where its newest state is damaged and an older one had to do, that is said.
    pub(crate) fn told<T, E: std::error::Error>(
        &self,
        recovered: std::result::Result<Recovered<T, E>, E>,
    ) -> Result<T> {
        let Recovered { value, damage } = recovered.or_fail(|| "cannot resume".into()).map_err(|failure| {
            // Nobody is asked to replace what another program or user can go on with.
            if self.files().map_or(true, |files| files.iter().any(|file| may_be_whole(file))) {
                return failure;
            }
            failure.hint("neither the newest state nor the one before it can be read; start the run again with --force")
        })?;
        if let Some(damage) = damage {
            let failure = Failure::from(damage);
            let why = [&[failure.what().to_string()], failure.causes()].concat().join(": ");
            tracing::warn!("{why}; resuming from what was saved before it, to the same result");
        }
        Ok(value)
    }

    /// Whether anything of this run was saved, as far as that can be seen.
    pub(crate) fn holds_a_save(&self) -> bool {
        let is_save = |file: &PathBuf| file.extension().is_some_and(|ending| ending == "safetensors");
        self.files().map_or(true, |files| files.iter().any(is_save))
    }

    /// Whether of all `files` of a run there are none but its settings, and nothing was learned yet.
    fn is_unsaved(&self, files: &[PathBuf]) -> bool {
        files.iter().all(|file| *file == self.config())
    }

    /// Removes what a killed program was writing.
    fn remove_temporary(&self) {
        for entry in std::fs::read_dir(&self.path).into_iter().flatten().flatten() {
            if is_temporary(&entry.file_name().to_string_lossy()) {
                // It is in nobody's way.
                let _ = std::fs::remove_file(entry.path());
            }
        }
    }

    /// The files of an earlier run. What cannot be listed may hold one.
    fn files(&self) -> Result<Vec<PathBuf>> {
        let list = || -> std::io::Result<Vec<PathBuf>> {
            let entries = std::fs::read_dir(&self.path)?.collect::<std::io::Result<Vec<_>>>()?;
            let ours = entries.iter().filter(|entry| is_ours(&entry.file_name().to_string_lossy()));
            Ok(ours.map(std::fs::DirEntry::path).collect())
        };
        let mut files = list()
            .or_fail(|| format!("cannot list {}", self.path.display()))
            .or_hint(|| "make the folder readable, or choose another one with --out".into())?;
        files.sort();
        Ok(files)
    }
}

/// Whether a run, or what measured it, writes a file of this name.
fn is_ours(name: &str) -> bool {
    let of_layer = |rest: &str| {
        let known = |(layer, file): (&str, &str)| {
            layer.bytes().all(|c| c.is_ascii_digit())
                && ["state.safetensors", "filters.png", "curves.svg", "curves.png"].contains(&file)
        };
        rest.split_once('.').is_some_and(known)
    };
    // Of states alone there are two versions.
    let kept = name.strip_suffix(".previous.safetensors").or(name.strip_suffix(".damaged.safetensors"));
    let stem = kept.filter(|stem| *stem == "layers" || stem.ends_with("state"));
    let newest = stem.map(|stem| format!("{stem}.safetensors"));
    let name = newest.as_deref().unwrap_or(name);
    [CONFIG, METRICS, MODEL, STATE, LAYERS, BEST, TUNE_STATE, FINETUNE_STATE, EVALUATION, FAILURE, REPORT, OBSERVED]
        .contains(&name)
        || PICTURES.contains(&name)
        || name.strip_prefix("layer-").is_some_and(of_layer)
}

/// The checkpoint that `path` means: itself, the one in a run folder, or one of the Hub.
pub(crate) fn checkpoint_path(path: &Path) -> Result<PathBuf> {
    if let Some(address) = path.to_str().and_then(|path| path.strip_prefix("hf:")) {
        return crate::hub::model(address);
    }
    let file = if path.is_dir() { path.join(MODEL) } else { path.to_path_buf() };
    if file.is_file() {
        return Ok(file);
    }
    Err(Failure::new(format!("there is no checkpoint {}", file.display()))
        .hint("give a .safetensors file, the folder of a run, or hf:USER/REPO"))
}

/// The first of `runs/mnist-500`, `runs/mnist-500-2`, ... that is free.
fn default_path(name: &str) -> PathBuf {
    let base: String = name.chars().map(|c| if c.is_alphanumeric() || "-_".contains(c) { c } else { '-' }).collect();
    let candidates = (2..).map(|n| format!("{base}-{n}"));
    let free = std::iter::once(base.clone()).chain(candidates).map(|name| Path::new("runs").join(name));
    free.into_iter().find(|path| !path.exists()).unwrap_or_else(|| Path::new("runs").join(base))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_earlier_run_is_only_replaced_by_force() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep").join("run");
        let config = "# Settings of this run; `dbn stack --config` with this file repeats it.\nseed = 1\n";
        let create = |force| RunFolder::create(Some(&path), "x", config, force);
        let run = create(false).unwrap();
        run.write(MODEL, b"old").unwrap();
        run.write("layer-10.state.safetensors", b"old").unwrap();
        let others = ["notes.txt", "layer-cake.state.safetensors", "layer-1.txt"];
        for name in others {
            std::fs::write(path.join(name), "mine").unwrap();
        }

        assert!(create(true).unwrap_err().what().contains("in use by process"), "not even by force while it trains");
        let (model, config) = (run.model(), run.config());
        drop(run);
        let failure = create(false).unwrap_err();
        assert!(failure.what().ends_with("already holds a run") && failure.hint_text().unwrap().contains("--resume"));
        create(true).unwrap();
        assert!(!model.exists() && !path.join("layer-10.state.safetensors").exists() && config.exists());
        assert!(others.iter().all(|name| path.join(name).exists()), "only a run's files are replaced");
    }

    /// As a kill leaves them: settings without anything learned, or not even those.
    #[test]
    fn what_was_killed_before_its_first_save_is_started_again() {
        let folder = tempfile::tempdir().unwrap();
        let config = "# Settings of this run; `dbn pretrain --config` with this file repeats it.\n";
        for left in ["run.lock", ".dbn-x.tmp", ".dbn-state.safetensors.new.tmp"] {
            std::fs::write(folder.path().join(left), "1").unwrap();
        }
        for _ in 0..2 {
            RunFolder::create(Some(folder.path()), "x", config, false).unwrap();
            let left: Vec<_> =
                std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
            assert_eq!(left, [CONFIG]);
        }
        let failure = RunFolder::open(folder.path(), "pretrain", Some(STATE)).unwrap_err();
        let hint = failure.hint_text().unwrap();
        assert!(hint.starts_with("it was stopped before its first save: start it again, with --out "), "{hint}");
    }

    #[test]
    fn the_states_before_the_newest_are_ours_and_nothing_else_of_such_a_name() {
        for name in ["state", "layers", "layer-3.state", "tuning.state", "finetuning.state"] {
            assert!(is_ours(&format!("{name}.previous.safetensors")), "{name}");
        }
        for name in ["model", "best", "config", "estate", "layer-x.state"] {
            assert!(!is_ours(&format!("{name}.previous.safetensors")), "{name}");
        }
    }

    /// Another program's settings have the same name.
    #[test]
    fn what_is_not_known_as_a_run_is_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(CONFIG), "[server]\n").unwrap();
        for force in [false, true] {
            let failure = RunFolder::create(Some(folder.path()), "x", "seed = 1\n", force).unwrap_err();
            assert!(failure.what().ends_with("config.toml, but no run of ours"), "{}", failure.what());
        }
        assert_eq!(std::fs::read_to_string(folder.path().join(CONFIG)).unwrap(), "[server]\n");
    }

    #[test]
    fn a_run_is_resumed_by_its_own_verb() {
        let folder = tempfile::tempdir().unwrap();
        let config = "# Settings of this run; `dbn tune CKPT --config` with this file repeats it.\n";
        RunFolder::create(Some(folder.path()), "x", config, false).unwrap();
        let failure = RunFolder::open(folder.path(), "stack", None).unwrap_err();
        assert!(failure.what().ends_with("is a run of `dbn tune`, not of `dbn stack`"));
        assert!(failure.hint_text().unwrap().starts_with("continue it with: dbn tune --resume "));
        assert!(RunFolder::open(folder.path(), "tune", None).is_ok());
    }

    #[test]
    fn what_is_not_a_run_cannot_be_resumed() {
        let folder = tempfile::tempdir().unwrap();
        let failure = RunFolder::open(folder.path(), "pretrain", Some(STATE)).unwrap_err();
        assert!(failure.what().ends_with("is not a run that can be resumed: it has no config.toml"));
    }

    #[test]
    fn folders_have_names_that_are_safe() {
        assert_eq!(default_path("mnist-7"), Path::new("runs/mnist-7"));
        assert_eq!(default_path("my table.v2-7"), Path::new("runs/my-table-v2-7"));
    }
}
