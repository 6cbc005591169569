//! Which of the data that a model names are opened without being asked for. A model may come from anyone, and
//! what it names may be a device without an end, a private file, or a repository that the user's token opens.

use crate::failure::{Failure, Result};
use crate::report::shell_word;
use crate::run::folder::{RunFolder, checkpoint_path};
use crate::toml_file;
use deepbelief_data::Source;
use std::path::Path;

/// Refuses data that the model at `model` names, unless they are the program's own digits, a file or folder that
/// the settings of the model's own run folder name too, or one that lies in the model's folder.
pub(crate) fn require_own(model: &Path, source: &Source) -> Result<()> {
    if *source == Source::Mnist {
        return Ok(());
    }
    // What the Hub's cache holds is a stranger's, whatever lies beside it.
    if let Some(path) = source.path().filter(|_| !model.to_str().is_some_and(|model| model.starts_with("hf:"))) {
        let file = checkpoint_path(model)?;
        let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        if lies_below(path, folder) || is_plain(path) && is_set(folder, source) {
            return Ok(());
        }
    }
    let text = source.to_string();
    Err(Failure::new(format!(
        "{} names '{text}' as its data, which are opened only if you say so: others may have made the model",
        model.display()
    ))
    .hint(format!("if you want these data, add --data {}; else name others", shell_word(Path::new(&text)))))
}

/// Refuses data that a model names and that are not there.
pub(crate) fn require_there(source: &Source) -> Result<()> {
    let Some(path) = source.path().filter(|path| !path.exists()) else { return Ok(()) };
    let from = if path.is_relative() { ", a path from the folder that the training ran in" } else { "" };
    Err(Failure::new(format!("the model's training data '{source}' are not there{from}"))
        .hint("name the data with --data, where these have moved or others are meant"))
}

/// Refuses a device or a pipe that the settings of a run name: it has no end, and gives its content but once.
pub(crate) fn require_plain(source: &Source) -> Result<()> {
    match source.path() {
        Some(path) if !is_plain(path) => Err(Failure::new(format!("the run's data '{source}' are no file"))
            .hint("a run is resumed with data that can be read again: save them as a file, and name it with --data")),
        _ => Ok(()),
    }
}

/// Whether a file or folder lies in a folder, links followed.
fn lies_below(path: &Path, folder: &Path) -> bool {
    let (Ok(path), Ok(folder)) = (path.canonicalize(), folder.canonicalize()) else { return false };
    path.starts_with(folder) && is_plain(&path)
}

/// Whether it is a file, a folder or nothing, and no device or pipe.
fn is_plain(path: &Path) -> bool {
    std::fs::metadata(path).map_or(true, |metadata| metadata.is_file() || metadata.is_dir())
}

/// Whether the folder is one of a run whose settings name the source.
fn is_set(folder: &Path, source: &Source) -> bool {
    let Some((folder, _)) = RunFolder::find(folder) else { return false };
    let config = folder.config();
    let settings = is_plain(&config).then(|| toml_file::read(&config, "settings").ok()).flatten();
    settings.is_some_and(|settings| settings.get("data").and_then(|data| data.as_str()) == Some(&source.to_string()))
}
