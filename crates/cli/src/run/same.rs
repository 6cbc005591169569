//! Whether a run that goes on is the same run: its settings, its data, its state.

use super::folder::RunFolder;
use crate::data::open::LEARNED;
use crate::failure::{Explain, Failure, Result};
use deepbelief_data::{Dataset, Source, sha256};
use deepbelief_rbm::Provenance;

/// What fixes a run of `dbn {verb}`, in one word: its settings and seed, and the content of its data wherever they
/// are. Epochs are left out, for a run can be prolonged.
pub(crate) fn identity(verb: &str, provenance: &Provenance) -> String {
    let mut recipe = provenance.recipe.clone();
    if let Some(recipe) = recipe.as_object_mut() {
        recipe.retain(|key, _| !LEARNED.contains(&key.as_str()) && !["data", "epochs"].contains(&key.as_str()));
    }
    sha256(format!("{verb}\n{recipe}\n{}\n", provenance.dataset_sha256).as_bytes())
}

/// Refuses the state in `folder` of another run.
pub(crate) fn require_run<E: Into<Failure>>(same: std::result::Result<(), E>, folder: &RunFolder) -> Result<()> {
    let path = folder.path().display();
    same.or_fail(|| format!("cannot resume {path}"))
        .or_hint(|| "put its own state back, or start the run again with --force".into())
}

/// Refuses data other than those that a model was trained and tested on. Where they lie does not matter.
pub(super) fn require_same_data(provenance: &Provenance, data: &Dataset, source: &Source) -> Result<()> {
    let changed = |which: &str| {
        Failure::new(format!("the {which}data '{source}' have changed since the run was started")).hint(format!(
            "a resumed run needs the very same {which}data: if they have moved, say where with --data; else start a new \
             run on the new ones"
        ))
    };
    if provenance.dataset_sha256 != data.sha256()? {
        return Err(changed(""));
    }
    match &provenance.test_sha256 {
        Some(test) if data.test_sha256()?.as_ref() != Some(test) => Err(changed("test ")),
        _ => Ok(()),
    }
}

/// Refuses settings on disk that are others than the model was trained by, but for the number of epochs and the
/// place of the data, which are known by their hash.
pub(super) fn require_same(trained: &serde_json::Value, now: &serde_json::Value, folder: &RunFolder) -> Result<()> {
    let trained = trained.as_object().into_iter().flatten();
    let other = trained
        .filter(|(key, _)| !LEARNED.contains(&key.as_str()) && !["epochs", "data"].contains(&key.as_str()))
        .find(|&(key, value)| now.get(key) != Some(value));
    let Some((key, value)) = other else { return Ok(()) };
    let short = |value: Option<&serde_json::Value>| match value {
        Some(value) if value.is_array() || value.is_object() => "other than it was".to_string(),
        Some(value) => value.to_string(),
        None => "not set".into(),
    };
    let (config, now) = (folder.config(), short(now.get(key)));
    let was = if value.is_array() || value.is_object() { String::new() } else { format!(", and was {value}") };
    Err(Failure::new(format!("{}: {key} is {now}{was} when the run was saved", config.display()))
        .hint("a resumed run keeps its settings: put the file back as it was, or start a new run with --out"))
}
