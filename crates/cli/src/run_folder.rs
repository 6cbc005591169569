//! The folder of a run:
//!
//! | file | holds |
//! |---|---|
//! | `config.toml` | the resolved settings |
//! | `metrics.jsonl` | one object an epoch |
//! | `model.safetensors` | the checkpoint |
//! | `state.safetensors` | what a resume needs, weights included |
//! | `filters.png` `reconstructions.png` `fantasies.png` `curves.svg` | pictures |
//!
//! A save writes the model first and the state after it. A crash between the two leaves a model
//! that is ahead of the state; since the state alone is what a resume starts from, nothing is
//! lost, and a state that says "finished" has its model beside it.

use crate::failure::{Explain, Failure, Result};
use crate::settings::Settings;
use deepbelief_rbm::write_atomic;
use std::path::{Path, PathBuf};

const CONFIG: &str = "config.toml";
const METRICS: &str = "metrics.jsonl";
const MODEL: &str = "model.safetensors";
const STATE: &str = "state.safetensors";

/// Pictures of a run.
pub(crate) const PICTURES: [&str; 4] = ["filters.png", "reconstructions.png", "fantasies.png", "curves.svg"];

/// An existing folder for a run.
#[derive(Debug)]
pub(crate) struct RunFolder {
    path: PathBuf,
}

impl RunFolder {
    /// Makes the folder of a new run and writes its settings. An earlier run in the same place
    /// is refused, or with `force` removed: its own files only.
    pub(crate) fn create(out: Option<&Path>, settings: &Settings, force: bool) -> Result<Self> {
        let path = out.map_or_else(|| default_path(settings), Path::to_path_buf);
        let folder = Self { path };
        let name = folder.path.display();
        let earlier: Vec<PathBuf> = folder.files().into_iter().filter(|file| file.exists()).collect();
        if !earlier.is_empty() && !force {
            return Err(Failure::new(format!("{name} already holds a run")).hint(format!(
                "continue it with --resume {name}, replace it with --force, or choose another folder with --out"
            )));
        }
        std::fs::create_dir_all(&folder.path).or_fail(|| format!("cannot make the run folder {name}"))?;
        for file in earlier {
            std::fs::remove_file(&file).or_fail(|| format!("cannot remove {}", file.display()))?;
        }
        folder.write(CONFIG, settings.to_toml()?.as_bytes())?;
        Ok(folder)
    }

    /// Opens the folder of a run that is to continue.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        for file in [CONFIG, STATE] {
            if !path.join(file).is_file() {
                return Err(Failure::new(format!(
                    "{} is not a run that can be resumed: it has no {file}",
                    path.display()
                ))
                .hint("--resume takes the folder that an earlier `dbn pretrain` wrote"));
            }
        }
        Ok(Self { path: path.to_path_buf() })
    }

    /// Writes one file, whole or not at all.
    pub(crate) fn write(&self, name: &str, bytes: &[u8]) -> Result<()> {
        let path = self.path.join(name);
        write_atomic(&path, bytes).or_fail(|| format!("cannot write {}", path.display()))
    }

    /// Replaces the settings, as a resume with more epochs does.
    pub(crate) fn write_config(&self, settings: &Settings) -> Result<()> {
        self.write(CONFIG, settings.to_toml()?.as_bytes())
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

    /// The state of the training.
    pub(crate) fn state(&self) -> PathBuf {
        self.path.join(STATE)
    }

    fn files(&self) -> Vec<PathBuf> {
        [CONFIG, METRICS, MODEL, STATE].iter().chain(&PICTURES).map(|name| self.path.join(name)).collect()
    }
}

/// The checkpoint that `path` means: itself, or the one in a run folder.
pub(crate) fn checkpoint_path(path: &Path) -> Result<PathBuf> {
    let file = if path.is_dir() { path.join(MODEL) } else { path.to_path_buf() };
    if file.is_file() {
        return Ok(file);
    }
    Err(Failure::new(format!("there is no checkpoint {}", file.display()))
        .hint("give a .safetensors file, or a run folder that `dbn pretrain` wrote"))
}

/// The first of `runs/mnist-500`, `runs/mnist-500-2`, ... that is free.
fn default_path(settings: &Settings) -> PathBuf {
    let base = format!("{}-{}", plain(&settings.data.name()), settings.hidden);
    let candidates = (2..).map(|n| format!("{base}-{n}"));
    let free = std::iter::once(base.clone()).chain(candidates).map(|name| Path::new("runs").join(name));
    free.into_iter().find(|path| !path.exists()).unwrap_or_else(|| Path::new("runs").join(base))
}

/// A name that is safe in a path.
fn plain(name: &str) -> String {
    name.chars().map(|c| if c.is_alphanumeric() || c == '-' || c == '_' { c } else { '-' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::PretrainArgs;

    #[test]
    fn an_earlier_run_is_only_replaced_by_force() {
        let folder = tempfile::tempdir().unwrap();
        let settings = Settings::resolve(&PretrainArgs::default()).unwrap().settings;
        let path = folder.path().join("deep").join("run");
        let run = RunFolder::create(Some(&path), &settings, false).unwrap();
        run.write(MODEL, b"old").unwrap();
        std::fs::write(path.join("notes.txt"), "mine").unwrap();

        let failure = RunFolder::create(Some(&path), &settings, false).unwrap_err();
        assert!(failure.what().ends_with("already holds a run") && failure.hint_text().unwrap().contains("--resume"));
        RunFolder::create(Some(&path), &settings, true).unwrap();
        assert!(!run.model().exists() && run.config().exists());
        assert_eq!(std::fs::read_to_string(path.join("notes.txt")).unwrap(), "mine", "only a run's files are replaced");
    }

    #[test]
    fn what_is_not_a_run_cannot_be_resumed() {
        let folder = tempfile::tempdir().unwrap();
        let failure = RunFolder::open(folder.path()).unwrap_err();
        assert!(failure.what().ends_with("is not a run that can be resumed: it has no config.toml"));
    }

    #[test]
    fn folders_are_named_after_the_data() {
        let mut settings = Settings::resolve(&PretrainArgs::default()).unwrap().settings;
        settings.hidden = 7;
        assert_eq!(default_path(&settings), Path::new("runs/mnist-7"));
        settings.data = "csv:some/dir/my table.v2.csv".parse().unwrap();
        assert_eq!(default_path(&settings), Path::new("runs/my-table-v2-7"));
    }
}
