//! `dbn push`: a run, or a checkpoint alone, as a model of the Hub.

use crate::args::PushArgs;
use crate::checkpoint::Model;
use crate::failure::{Explain, Result, count};
use crate::model_card::Card;
use crate::report::Report;
use crate::run_folder::checkpoint_path;
use deepbelief_hub::{Content, Hub, Settings};
use std::path::{Path, PathBuf};

/// What `dbn eval --out` is to write into a run folder for the card to show it.
const EVALUATION: &str = "evaluation.json";

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
    let evaluation = std::fs::read(args.run.join(EVALUATION)).ok().and_then(|text| serde_json::from_slice(&text).ok());
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
    let message = concat!("Model trained with deepbelief ", env!("CARGO_PKG_VERSION"));
    let pushed = Hub::new(Settings::from_env())?.push(repo, args.private, message, contents)?;
    report.data(&format!("{}\n", pushed.url))
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
