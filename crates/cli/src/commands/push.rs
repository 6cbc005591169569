//! `dbn push`: a run, or a checkpoint alone, as a model of the Hub; its page as a Space.

use crate::args::{PageArgs, PushArgs};
use crate::commands::page::made;
use crate::failure::{Explain, Failure, Result, count};
use crate::hub;
use crate::model::card::{Card, space_card};
use crate::model::checkpoint::{Checkpoint, Model};
use crate::model::trained::Trained;
use crate::report::Report;
use crate::run::folder::{BEST, CONFIG, EVALUATION, METRICS, checkpoint_path};
use deepbelief_data::sha256;
use deepbelief_exchange::IMPORTED_FROM;
use deepbelief_hub::program::Push;
use deepbelief_hub::{Content, Kind, is_file_name};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// The card of a repository.
const CARD: &str = "README.md";

/// The page of a model, in a run folder and in a repository.
const PAGE: &str = "page.html";

/// Pushes the files and the card, and prints the addresses.
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
    // What has no page is refused before anything is sent.
    let has_page = files.iter().any(|(name, _)| name == PAGE);
    let made = if args.space && !has_page { Some(made_page(args, report)?) } else { None };
    let space = if args.space { Some(space_files(args, &files, made.as_ref())) } else { None };
    let mut names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
    names.extend(made.is_some().then_some(PAGE));
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
    contents.extend(made.map(|page| (PAGE.into(), page)));
    contents.push((CARD.into(), Content::Bytes(card.into_bytes())));
    tracing::info!("pushing {} to {repo}", count(contents.len(), "file"));
    let origin = if model.provenance().recipe.get(IMPORTED_FROM).is_some() { "imported" } else { "trained" };
    let message = format!("Model {origin} with deepbelief {}", env!("CARGO_PKG_VERSION"));
    let pushed = hub::push(repo, &Push { kind: Kind::Model, private: args.private, message, files: contents })?;
    report.data(&format!("{}\n", pushed.url))?;
    let Some(files) = space else { return Ok(()) };
    tracing::info!("pushing the page to the Space {repo}");
    let message = format!("Page made with deepbelief {}", env!("CARGO_PKG_VERSION"));
    let pushed = hub::push(repo, &Push { kind: Kind::Space, private: args.private, message, files })?;
    report.data(&format!("{}\n", pushed.url))
}

/// The page that `dbn page` makes of the model.
fn made_page(args: &PushArgs, report: &Report) -> Result<Content> {
    let page = PageArgs::of(args.run.clone());
    let (file, _) = Checkpoint::open(&args.run)
        .and_then(|checkpoint| made(&page, &checkpoint, report))
        .map_err(|failure| failure.hint("push the model alone, without --space"))?;
    Ok(Content::Bytes(file.into_bytes()))
}

/// A static Space of the page: the page, and the card that says so and names the model.
fn space_files(args: &PushArgs, files: &[(String, PathBuf)], made: Option<&Content>) -> Vec<(String, Content)> {
    let of_run = files.iter().find(|(name, _)| name == PAGE).map(|(_, path)| Content::File(path.clone()));
    let page = of_run.or_else(|| made.cloned()).map(|page| ("index.html".to_string(), page));
    let card = (CARD.to_string(), Content::Bytes(space_card(&args.repo, args.license.as_deref()).into_bytes()));
    page.into_iter().chain([card]).collect()
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
