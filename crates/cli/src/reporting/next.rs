//! What to type next, for a run of each kind.

use crate::args::SEPARATION;
use crate::model::checkpoint::Model;
use crate::model::decoded::picture_shape;
use crate::model::paged::can_have_a_page;
use crate::model::trained::Trained;
use crate::report::shell_word;
use crate::run::folder::{BEST, CONTACTS, UNITS};
use deepbelief_finetune::Objective;
use deepbelief_report::{Next, State};
use deepbelief_wake_sleep::require_tunable;
use std::path::{Path, PathBuf};
use toml::{Table, Value};

/// What training on is offered with.
pub(super) const LONGER: &str = "Train on, for twice the epochs:";

/// The commands that go on from a run, whose data may have `gaps`.
pub(super) fn next(
    path: &Path,
    (verb, state): (&str, State),
    model: Option<&Model>,
    settings: Option<&Table>,
    gaps: bool,
) -> Vec<Next> {
    let run = shell_word(path);
    let mut all = Vec::new();
    let mut add = |command: String, what: &str| all.push(Next { command, what: what.to_string() });
    if state == State::Unfinished {
        add(format!("dbn {verb} --resume {run}"), "Resume the training:");
    }
    let Some(model) = model.filter(|_| state != State::Unfinished || verb != "stack") else { return all };
    let of = of_best(path, model).map_or_else(|| run.clone(), |best| shell_word(&best));
    let labels = model.told_classes() > 0;
    // Where there is no test set, samples that were held out say more than those that were learned.
    let held_out = settings.and_then(|settings| settings.get("valid")?.as_integer()).is_some_and(|valid| valid > 0);
    let split = if held_out && model.provenance().test_sha256.is_none() { " --split valid" } else { "" };
    let is_picture = picture_shape(model, model.image_shape()).is_ok();
    let is_alignment = model.schema().is_some_and(|schema| schema.alphabet().is_some());
    let samples = match (is_picture, is_alignment) {
        (true, _) => "samples.png",
        (_, true) => "samples.fasta",
        _ => "samples.csv",
    };
    match model {
        Model::Belief(checkpoint) => {
            if labels {
                add(format!("dbn classify {of}{split} --confusion"), "Predict labels and count the errors:");
            }
            if gaps {
                let filled = if is_alignment { "filled.fasta" } else { "filled.csv" };
                add(format!("dbn impute {of} --out {filled}"), "Fill what the data lack:");
            } else if verb == "stack" {
                // These learn nothing from data with gaps.
                let tunable = require_tunable(&checkpoint.dbn).is_ok();
                if tunable {
                    add(format!("dbn tune {run}"), "Tune the net by wake-sleep:");
                }
                if labels {
                    let or = if tunable { "Or train" } else { "Train" };
                    add(format!("dbn finetune {run}"), &format!("{or} it by backpropagation, as a classifier:"));
                }
            }
            // Chains from noise are no first look at such a model.
            if is_picture && checkpoint.starts_from_data() {
                add(format!("dbn reconstruct {of} --out reconstructions.png"), "See what the model makes of samples:");
            }
            add(format!("dbn sample {of} --out {samples}"), "Generate samples:");
            if is_alignment && verb == "pretrain" {
                for Next { command, what } in of_alignment(path, &of, model) {
                    add(command, &what);
                }
            }
            if can_have_a_page(checkpoint) {
                let page = shell_word(&path.join("page.html"));
                add(format!("dbn page {of} --out {page}"), "Make a page to try the model in:");
            }
            if verb == "pretrain" {
                add(format!("dbn eval {of}{split}"), "Measure the log-likelihood, with an interval:");
            }
        }
        Model::Network(checkpoint) if checkpoint.network.objective() == Objective::Classifier => {
            add(format!("dbn classify {of}{split} --confusion"), "Predict labels and count the errors:");
        }
        Model::Network(_) => {
            add(format!("dbn encode {of} --out codes.npy"), "Write the codes of the samples:");
            let out = if is_picture { "reconstructions.png" } else { "reconstructions.csv" };
            add(format!("dbn reconstruct {of} --out {out}"), "Reconstruct samples:");
        }
    }
    // A schedule that spans all epochs would be another one.
    let epochs = settings.and_then(|settings| settings.get("epochs")).and_then(Value::as_integer);
    if let Some(epochs) = epochs.filter(|_| state == State::Finished && ["pretrain", "finetune"].contains(&verb)) {
        let more = epochs.saturating_mul(2);
        add(format!("dbn {verb} --resume {run} --epochs {more}"), LONGER);
    }
    all
}

/// The best model of a run, where it is not the last one.
fn of_best(path: &Path, last: &Model) -> Option<PathBuf> {
    let best = path.join(BEST);
    let model = best.is_file().then(|| Model::open(&best).ok()).flatten()?;
    (model.provenance().epochs != last.provenance().epochs).then_some(best)
}

/// What goes on from an RBM of an alignment, which the file or folder `model_of` holds. Pictures that the report shows are
/// drawn by the training, but for those that take long.
fn of_alignment(path: &Path, model_of: &str, model: &Model) -> Vec<Next> {
    let of = |name: &str| shell_word(&path.join(name));
    let (has_units, has_map) = (path.join(UNITS).is_file(), path.join(CONTACTS).is_file());
    let mut all = Vec::new();
    let mut add = |command: String, what: &str| all.push(Next { command, what: what.to_string() });
    if !has_units {
        add(
            format!("dbn show {model_of} --units {}", of(UNITS)),
            "Draw what the hidden units look for, for this report too:",
        );
    }
    // Of fewer sites no two are far enough apart.
    let has_pairs = model.columns().each().count() > SEPARATION as usize;
    let pairs = of("contacts.csv");
    match (has_pairs, has_map) {
        (false, _) => {}
        (true, true) => {
            add(format!("dbn contacts {model_of} --out {pairs}"), "Rank pairs of sites by their couplings:");
        }
        (true, false) => add(
            format!("dbn contacts {model_of} --out {pairs} --picture {}", of(CONTACTS)),
            "Rank pairs of sites by their couplings, for this report too:",
        ),
    }
    if !has_units || has_pairs && !has_map {
        add(format!("dbn report {}", shell_word(path)), "Draw this report again, with these pictures:");
    }
    all
}
