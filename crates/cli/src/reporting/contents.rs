//! What a run folder says.

use super::alignment::MOST_BYTES;
use super::next::{LONGER, next};
use super::weights::layers;
use crate::data::open::HELD_OUT;
use crate::failure::{Explain, Failure, Result};
use crate::model::checkpoint::Model;
use crate::model::sites::is_on_sites;
use crate::model::trained::Trained;
use crate::options::{Opt, Verb};
use crate::pictures::{net_name, network_name};
use crate::report::{shell_word, thousands};
use crate::run::folder::{BEST, CONTACTS, REPORT, RunFolder, UNITS};
use crate::run::lock::is_held;
use crate::run::stage;
use crate::settings::{built_in, default_text};
use crate::toml_file;
use deepbelief_rbm::{open_regular, read_regular};
use deepbelief_report::observed::{OBSERVED, Observed};
use deepbelief_report::{Content, DATA_HASH, Drawn, Metrics, Next, Setting, State, Tone, Verdict, page};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};
use toml::Table;

/// Characters of the hash of data that are shown.
const HASH: usize = 12;

/// Pictures that are shown where they are in the run folder, and what they are.
const DRAWN: [(&str, &str); 2] = [
    (UNITS, "What the hidden units look for: letters by their weights, and how often the input is how large."),
    (
        CONTACTS,
        "Pairs of sites by their effective couplings, above the diagonal. Below it the first pairs, and contacts of a structure.",
    ),
];

/// What is in a run folder; `state` is known to who trains there.
pub(crate) fn content(path: &Path, state: Option<State>) -> Result<Content> {
    let (folder, verb) = RunFolder::find(path).ok_or_else(|| {
        Failure::new(format!("{} is no run folder: it has no config.toml of a training", path.display()))
            .hint("give the folder that `dbn pretrain`, `stack`, `tune` or `finetune` wrote; `dbn runs` lists them")
    })?;
    let mut notes = Vec::new();
    let settings = or_note(toml_file::read(&folder.config(), "settings"), &mut notes);
    let metrics = match open_regular(&folder.metrics()) {
        Ok(file) => Metrics::read(file),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Metrics::default(),
        Err(error) => {
            notes.push(format!("metrics.jsonl cannot be read: {error}"));
            Metrics::default()
        }
    };
    let model = folder.model().is_file().then(|| Model::open(&folder.model()));
    let model = model.and_then(|model| or_note(model, &mut notes));
    let observed = observed(path, &mut notes);
    let alone = || stage::state(&folder, &verb, settings.as_ref(), metrics.done());
    let state = state.unwrap_or_else(|| if is_held(path) { State::Running } else { alone() });
    if let Some(why) = folder.failure().filter(|_| state != State::Running) {
        notes.push(format!("The training stopped: {}.", why.trim()));
    }
    let drawn = DRAWN.iter().filter_map(|(name, caption)| drawn(path, name, caption, &mut notes)).collect();
    let layers = model.as_ref().map(layers).and_then(|layers| or_note(layers, &mut notes)).unwrap_or_default();
    let known = Known { path, verb: &verb, settings: settings.as_ref(), model: model.as_ref(), observed: &observed };
    let mut content = Content {
        title: known.title(),
        run: path.display().to_string(),
        state,
        facts: known.facts(&metrics),
        planned: settings.as_ref().and_then(|settings| stage::planned(&verb, settings)),
        tested: known.tested(),
        valid: valid(&verb, settings.as_ref(), model.as_ref()),
        classes: model.as_ref().map_or(0, Trained::told_classes),
        // What a tuned net reconstructs is the input of its top.
        numbers: model.as_ref().filter(|_| verb != "tune").map_or(0, numbers),
        l1b_cost: match &model {
            Some(Model::Belief(checkpoint)) if is_on_sites(&checkpoint.dbn) => Some(l1b_cost(settings.as_ref())),
            _ => None,
        },
        layers,
        settings: settings.as_ref().map(|settings| differing(&verb, settings)).unwrap_or_default(),
        next: next(path, (verb.as_str(), state), model.as_ref(), settings.as_ref(), observed.gaps),
        notes,
        written: SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs()),
        metrics,
        observed,
        drawn,
        verb,
    };
    // More epochs of what overfits, or has another fault, make it worse.
    if content.verdict().findings.iter().any(|finding| finding.tone == Tone::Watch) {
        content.next.retain(|next| next.what != LONGER);
    }
    Ok(content)
}

/// Visible units of a net that are numbers.
fn numbers(model: &Model) -> usize {
    let Model::Belief(checkpoint) = model else { return 0 };
    let each = checkpoint.dbn.visible_units().each();
    each.filter(|(segment, _)| !segment.units.is_discrete()).map(|(_, columns)| columns.len()).sum()
}

/// The L1b cost of a training by these settings.
fn l1b_cost(settings: Option<&Table>) -> f64 {
    let set = settings.and_then(|settings| settings.get("l1b_cost"));
    set.and_then(|cost| cost.as_float().or_else(|| Some(cost.as_integer()? as f64))).unwrap_or_default()
}

/// Validation samples that each epoch of a training by these settings is measured on; 0 where that is not known, as of
/// clusters whose number no model has recorded.
fn valid(verb: &str, settings: Option<&Table>, model: Option<&Model>) -> usize {
    let set = |key: &str| settings.and_then(|settings| settings.get(key));
    let in_clusters =
        set("valid_clusters").is_some_and(|share| share.as_float() != Some(0.0) && share.as_integer() != Some(0));
    let asked = set("valid").and_then(toml::Value::as_integer).filter(|_| !in_clusters);
    let asked = asked.and_then(|asked| usize::try_from(asked).ok()).unwrap_or(0);
    let held = model.and_then(held_out).unwrap_or(asked);
    let most = Verb::TRAINING.into_iter().find(|known| known.name() == verb).map_or(0, Verb::measured);
    held.min(most)
}

/// Samples in the clusters that the training held out.
fn held_out(model: &Model) -> Option<usize> {
    let held = model.provenance().recipe.get(HELD_OUT)?.as_u64()?;
    usize::try_from(held).ok()
}

/// A report that was written.
pub(super) struct Written {
    pub(super) file: PathBuf,
    pub(super) verdict: Verdict,
    /// What it says to type next.
    pub(super) next: Vec<Next>,
}

/// Writes the report of a run into its folder.
pub(super) fn write(path: &Path, state: Option<State>) -> Result<Written> {
    let (file, content) = (path.join(REPORT), content(path, state)?);
    let text = page(&content);
    deepbelief_rbm::write_atomic(&file, text.as_bytes()).or_fail(|| format!("cannot write {}", file.display()))?;
    Ok(Written { file, verdict: content.verdict(), next: content.next })
}

/// What the training saw its model do, as far as it can be read.
fn observed(path: &Path, notes: &mut Vec<String>) -> Observed {
    match read_regular(&path.join(OBSERVED)) {
        Ok(bytes) => or_note(serde_json::from_slice(&bytes).or_fail(|| format!("{OBSERVED} is damaged")), notes)
            .unwrap_or_default(),
        Err(_) => Observed::default(),
    }
}

/// A picture of the run folder, if it is there.
fn drawn(path: &Path, name: &str, caption: &str, notes: &mut Vec<String>) -> Option<Drawn> {
    let file = path.join(name);
    let size = std::fs::metadata(&file).ok()?.len();
    if size > MOST_BYTES as u64 {
        notes.push(format!("{name} is not shown: it has more than {} MiB.", MOST_BYTES >> 20));
        return None;
    }
    let bytes = or_note(read_regular(&file).or_fail(|| format!("{name} cannot be read")), notes)?;
    Some(Drawn { name: name.into(), caption: caption.into(), bytes })
}

/// A value, or a note why there is none.
fn or_note<T>(result: Result<T>, notes: &mut Vec<String>) -> Option<T> {
    result
        .map_err(|failure| {
            let causes = failure.causes().iter().map(|cause| format!(": {cause}"));
            notes.push(format!("{}{}.", failure.what(), causes.collect::<String>()));
        })
        .ok()
}

/// What facts are made of.
struct Known<'a> {
    path: &'a Path,
    verb: &'a str,
    settings: Option<&'a Table>,
    model: Option<&'a Model>,
    observed: &'a Observed,
}

impl Known<'_> {
    fn name(&self) -> Option<String> {
        Some(match self.model? {
            Model::Belief(checkpoint) => net_name(&checkpoint.dbn),
            Model::Network(checkpoint) => network_name(&checkpoint.network),
        })
    }

    fn title(&self) -> String {
        let name = self.name().unwrap_or_else(|| format!("dbn {}", self.verb));
        match self.model.map(|model| &model.provenance().dataset).filter(|data| !data.is_empty()) {
            Some(data) => format!("{name} on {data}"),
            None => name,
        }
    }

    fn set(&self, key: &str) -> Option<String> {
        self.settings?.get(key).map(default_text)
    }

    fn facts(&self, metrics: &Metrics) -> Vec<(String, String)> {
        let mut facts = Vec::new();
        let mut fact = |name: &str, value: Option<String>| facts.extend(value.map(|value| (name.to_string(), value)));
        fact("command", self.observed.command.clone());
        fact("the same again", self.again());
        fact("data", self.set("data"));
        fact(
            "model",
            self.name()
                .zip(self.model)
                .map(|(name, model)| format!("{name}, {} parameters", thousands(parameters(model)))),
        );
        let provenance = self.model.map(Trained::provenance);
        fact("seed", self.set("seed").or_else(|| provenance.map(|provenance| provenance.seed.to_string())));
        let held = self.model.and_then(held_out).map(|held| held.to_string());
        fact("validation samples", held.or_else(|| self.set("valid")).filter(|valid| valid != "0"));
        let best = metrics.layers.last_key_value().and_then(|(_, layer)| layer.last.get("best_epoch").cloned());
        let has_best = self.path.join(BEST).is_file();
        fact("best epoch", best.map(|best| format!("{best}{}", if has_best { ", in best.safetensors" } else { "" })));
        fact(
            DATA_HASH,
            provenance.map(|provenance| {
                let hash: String = provenance.dataset_sha256.chars().take(HASH).collect();
                format!("{hash}\u{2026}")
            }),
        );
        fact("deepbelief", provenance.map(|provenance| provenance.crate_version.clone()));
        facts
    }

    /// The command that trains by the same settings again.
    fn again(&self) -> Option<String> {
        let settings = self.settings?;
        let config = shell_word(&self.path.join("config.toml"));
        let from = match (self.verb, settings.get("checkpoint").and_then(|path| path.as_str())) {
            ("tune" | "finetune", Some(path)) => format!(" {}", shell_word(Path::new(path))),
            ("tune" | "finetune", None) => {
                format!(" --from-scratch --layers {}", settings.get("layers").map(default_text)?)
            }
            _ => String::new(),
        };
        Some(format!("dbn {}{from} --config {config}", self.verb))
    }

    /// What the finished model was tested by.
    fn tested(&self) -> std::collections::BTreeMap<String, f64> {
        let figures = self.model.map(|model| model.provenance().figures.clone()).unwrap_or_default();
        figures.into_iter().filter(|(name, _)| name.ends_with("_test")).collect()
    }
}

fn parameters(model: &Model) -> usize {
    let pairs = |sizes: &[usize]| sizes.windows(2).map(|pair| pair[0] * pair[1] + pair[1]).sum::<usize>();
    match model {
        Model::Belief(checkpoint) => {
            let sizes = checkpoint.dbn.sizes();
            let labels = checkpoint.dbn.classes();
            pairs(&sizes) + sizes[..sizes.len() - 1].iter().sum::<usize>() + labels * (sizes[sizes.len() - 1] + 1)
        }
        Model::Network(checkpoint) => pairs(&checkpoint.network.sizes()),
    }
}

/// Settings that are not the built-in recipe's. What the data say is nobody's choice.
fn differing(verb: &str, settings: &Table) -> Vec<Setting> {
    let Some(verb) = Verb::TRAINING.into_iter().find(|known| known.name() == verb) else { return Vec::new() };
    let Ok(defaults) = built_in(verb, settings) else { return Vec::new() };
    let setting = |opt: &Opt| {
        let (value, default) = (settings.get(opt.key)?, defaults.get(opt.key));
        let text = default_text(value);
        let default = default.map_or_else(|| opt.shown.unwrap_or("none").to_string(), default_text);
        (text != default && !value.is_table() && opt.shown != Some("of the data")).then(|| Setting {
            key: opt.key.to_string(),
            value: text,
            default,
            meaning: opt.summary(),
        })
    };
    verb.options().filter_map(setting).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_differ_where_they_are_not_the_default() {
        let settings = "epochs = 7\nhidden = 500\nseed = 3".parse::<Table>().unwrap();
        let differing = differing("pretrain", &settings);
        let keys: Vec<&str> = differing.iter().map(|setting| setting.key.as_str()).collect();
        assert_eq!(keys, ["epochs", "seed"]);
        assert_eq!((differing[0].value.as_str(), differing[0].meaning.as_str()), ("7", "Passes over the data"));
        assert!(super::differing("other", &settings).is_empty());
    }
}
