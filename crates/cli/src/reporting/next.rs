//! What to type next, for a run of each kind.

use crate::args::SEPARATION;
use crate::model::checkpoint::{Model, Trained};
use crate::model::decoded::picture_shape;
use crate::model::paged::can_have_a_page;
use crate::report::shell_word;
use crate::run::folder::BEST;
use deepbelief_finetune::Objective;
use deepbelief_report::{Next, State};
use std::path::Path;
use toml::{Table, Value};

/// The logos of hidden units, by `dbn show --units`.
pub(super) const UNITS: &str = "units.svg";

/// The map of couplings, by `dbn contacts --picture`.
pub(super) const CONTACTS: &str = "contacts.png";

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
    let best = path.join(BEST);
    let labels = model.told_classes() > 0;
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
                let of = if best.is_file() { shell_word(&best) } else { run.clone() };
                add(format!("dbn classify {of} --confusion"), "Predict labels and count the errors:");
            }
            if gaps {
                let filled = if is_alignment { "filled.fasta" } else { "filled.csv" };
                add(format!("dbn impute {run} --out {filled}"), "Fill what the data lack:");
            } else if verb == "stack" {
                // These learn nothing from data with gaps.
                add(format!("dbn tune {run}"), "Tune the net by wake-sleep:");
                if labels {
                    add(format!("dbn finetune {run}"), "Or train it by backpropagation, as a classifier:");
                }
            }
            // Chains from noise are no first look at such a model.
            if is_picture && checkpoint.starts_from_data() {
                add(format!("dbn reconstruct {run} --out reconstructions.png"), "See what the model makes of samples:");
            }
            add(format!("dbn sample {run} --out {samples}"), "Generate samples:");
            if is_alignment && verb == "pretrain" {
                let of = |name: &str| shell_word(&path.join(name));
                let (units, pairs, map) = (of(UNITS), of("contacts.csv"), of(CONTACTS));
                add(
                    format!("dbn show {run} --units {units}"),
                    "Draw what the hidden units look for, for this report too:",
                );
                // Of fewer sites no two are far enough apart.
                if model.columns().each().count() > SEPARATION as usize {
                    add(
                        format!("dbn contacts {run} --out {pairs} --picture {map}"),
                        "Rank pairs of sites by their couplings, for this report too:",
                    );
                }
                add(format!("dbn report {run}"), "Draw this report again, with these pictures:");
            }
            if can_have_a_page(checkpoint) {
                let page = shell_word(&path.join("page.html"));
                add(format!("dbn page {run} --out {page}"), "Make a page to try the model in:");
            }
            if verb == "pretrain" {
                add(format!("dbn eval {run}"), "Measure the log-likelihood, with an interval:");
            }
        }
        Model::Network(checkpoint) if checkpoint.network.objective() == Objective::Classifier => {
            add(format!("dbn classify {run} --confusion"), "Predict labels and count the errors:");
        }
        Model::Network(_) => {
            add(format!("dbn encode {run} --out codes.npy"), "Write the codes of the samples:");
            let out = if is_picture { "reconstructions.png" } else { "reconstructions.csv" };
            add(format!("dbn reconstruct {run} --out {out}"), "Reconstruct samples:");
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
