//! `dbn push`: a run, or a checkpoint alone, as a model of the Hub.

use crate::args::PushArgs;
use crate::checkpoint::{Model, Trained};
use crate::failure::{Explain, Result, count};
use crate::model_card::Card;
use crate::report::Report;
use crate::run_folder::{EVALUATION, checkpoint_path};
use deepbelief_data::sha256;
use deepbelief_exchange::IMPORTED_FROM;
use deepbelief_hub::{Content, Hub, Settings};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// Pushes the files and the card, and prints the address of the page.
pub(crate) fn push(args: &PushArgs, report: &Report) -> Result<()> {
    // What is no model is not pushed.
    let model = Model::open(&args.run)?;
    let checkpoint = checkpoint_path(&args.run)?;
    let mut files = vec![("model.safetensors".to_string(), checkpoint)];
    if args.run.is_dir() {
        files.extend(beside(&args.run)?);
    }
    let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
    let config = std::fs::read_to_string(args.run.join("config.toml")).ok();
    let evaluation = evaluation(&args.run, &files[0].1)?;
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
    let pushed = Hub::new(Settings::from_env())?.push(repo, args.private, &message, contents)?;
    report.data(&format!("{}\n", pushed.url))
}

/// What `dbn eval` has measured of this very checkpoint, if it lies beside it.
fn evaluation(run: &Path, checkpoint: &Path) -> Result<Option<Value>> {
    let Ok(text) = std::fs::read(run.join(EVALUATION)) else { return Ok(None) };
    let evaluation: Value =
        serde_json::from_slice(&text).or_fail(|| format!("{EVALUATION} is not what `dbn eval` wrote"))?;
    let bytes = std::fs::read(checkpoint).or_fail(|| format!("cannot read {}", checkpoint.display()))?;
    if evaluation["checkpoint_sha256"].as_str() == Some(&*sha256(&bytes)) {
        return Ok(Some(evaluation));
    }
    tracing::warn!("{EVALUATION} is of another checkpoint: the card does not show it");
    Ok(None)
}

/// What else of a run folder is pushed: settings, metrics, the best model, pictures.
fn beside(run: &Path) -> Result<Vec<(String, PathBuf)>> {
    let entries = std::fs::read_dir(run).or_fail(|| format!("cannot read {}", run.display()))?;
    let mut files: Vec<(String, PathBuf)> = entries
        .flatten()
        .map(|entry| (entry.file_name().to_string_lossy().into_owned(), entry.path()))
        .filter(|(name, path)| path.is_file() && is_shown(name))
        .collect();
    files.sort();
    Ok(files)
}

/// Whether a file of a run is of use to others.
fn is_shown(name: &str) -> bool {
    ["config.toml", "metrics.jsonl", "best.safetensors", EVALUATION].contains(&name)
        || name.rsplit_once('.').is_some_and(|(_, ending)| ["png", "svg"].contains(&ending))
}
