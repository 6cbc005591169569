//! `dbn push`: a run, or a checkpoint alone, as a model of the Hub.

use crate::args::PushArgs;
use crate::failure::{Explain, Failure, Result, count};
use crate::hub;
use crate::model::card::Card;
use crate::model::checkpoint::{Model, Trained};
use crate::report::Report;
use crate::run::folder::{BEST, CONFIG, EVALUATION, METRICS, checkpoint_path};
use deepbelief_data::sha256;
use deepbelief_exchange::IMPORTED_FROM;
use deepbelief_hub::program::Push;
use deepbelief_hub::{Content, is_file_name};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// Pushes the files and the card, and prints the address of the page.
pub(crate) fn push(args: &PushArgs, report: &Report) -> Result<()> {
    // What is no model is not pushed.
    let model = Model::open(&args.run)?;
    let checkpoint = checkpoint_path(&args.run)?;
    if args.run.is_dir() && !is_inside(&args.run, &checkpoint) {
        return Err(Failure::new(format!("{} leads out of {}", checkpoint.display(), args.run.display()))
            .hint("push the checkpoint itself, dbn push FILE.safetensors, or put it into the folder"));
    }
    let mut files = vec![("model.safetensors".to_string(), checkpoint)];
    if args.run.is_dir() {
        files.extend(beside(&args.run)?);
    }
    let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
    let of_run = |name: &str| files.iter().find(|(file, _)| file == name).map(|(_, path)| path.as_path());
    let config = of_run(CONFIG).and_then(|path| std::fs::read_to_string(path).ok());
    let evaluation = of_run(EVALUATION).map_or(Ok(None), |path| evaluation(path, &files[0].1))?;
    let (repo, license) = (&args.repo, args.license.as_deref());
    let card = Card {
        repo,
        license,
        model: &model,
        files: &names,
        config: config.as_deref(),
        evaluation: evaluation.as_ref(),
    }
    .write()?;
    let mut contents: Vec<(String, Content)> =
        files.into_iter().map(|(name, path)| (name, Content::File(path))).collect();
    contents.push(("README.md".into(), Content::Bytes(card.into_bytes())));
    tracing::info!("pushing {} to {repo}", count(contents.len(), "file"));
    let made = if model.provenance().recipe.get(IMPORTED_FROM).is_some() { "imported" } else { "trained" };
    let message = format!("Model {made} with deepbelief {}", env!("CARGO_PKG_VERSION"));
    let pushed = hub::push(repo, &Push { private: args.private, message, files: contents })?;
    report.data(&format!("{}\n", pushed.url))
}

/// What `dbn eval` has measured of this very checkpoint, if that is what it measured.
fn evaluation(path: &Path, checkpoint: &Path) -> Result<Option<Value>> {
    let unread = |path: &Path| format!("cannot read {}", path.display());
    let text = std::fs::read(path).or_fail(|| unread(path))?;
    let evaluation: Value =
        serde_json::from_slice(&text).or_fail(|| format!("{EVALUATION} is not what `dbn eval` wrote"))?;
    let bytes = std::fs::read(checkpoint).or_fail(|| unread(checkpoint))?;
    if evaluation["checkpoint_sha256"].as_str() == Some(&*sha256(&bytes)) {
        return Ok(Some(evaluation));
    }
    tracing::warn!("{EVALUATION} is of another checkpoint: the card does not show it");
    Ok(None)
}

/// What else of a run folder is pushed: settings, metrics, the best model, pictures, pages. Pipes, devices and
/// links out of the folder are not.
fn beside(run: &Path) -> Result<Vec<(String, PathBuf)>> {
    let entries = std::fs::read_dir(run).or_fail(|| format!("cannot read {}", run.display()))?;
    let mut files = Vec::new();
    for entry in entries.flatten() {
        let (name, path) = (entry.file_name().to_string_lossy().into_owned(), entry.path());
        if !is_shown(&name) {
            continue;
        }
        if !is_file_name(&name) || !is_inside(run, &path) {
            tracing::warn!("{name} is not pushed: it is no file of this folder, or no file on the Hub has such a name");
            continue;
        }
        files.push((name, path));
    }
    files.sort();
    Ok(files)
}

/// Whether a path ends, behind all links, at a file in or below a folder.
fn is_inside(folder: &Path, path: &Path) -> bool {
    match (folder.canonicalize(), path.canonicalize()) {
        (Ok(folder), Ok(file)) => file.starts_with(folder) && file.is_file(),
        _ => false,
    }
}

/// Whether a file of a run is of use to others.
fn is_shown(name: &str) -> bool {
    [CONFIG, METRICS, BEST, EVALUATION].contains(&name)
        || name.rsplit_once('.').is_some_and(|(_, ending)| ["png", "svg", "html"].contains(&ending))
}
