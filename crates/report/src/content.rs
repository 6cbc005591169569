//! What a report says of a run. The program fills it; [`crate::page`] draws it.

use crate::figures::{Figure, figure_of};
use crate::metrics::Metrics;
use crate::observed::Observed;
use crate::on_sites::OnSites;
use crate::verdict::{Basis, Verdict, judge};
use crate::weights::LayerView;
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Name of the fact that says which data were learned.
pub const DATA_HASH: &str = "training data, SHA-256";

/// How far a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// A program trains it now.
    Running,
    /// It is done.
    Finished,
    /// It ended early by a stopping rule.
    StoppedEarly,
    /// It was interrupted, or its program died.
    Unfinished,
    /// Its parameters grew beyond all bounds.
    Diverged,
    /// It stopped by another error.
    Failed,
}

impl State {
    /// In words.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Finished => "finished",
            Self::StoppedEarly => "stopped early",
            Self::Unfinished => "unfinished",
            Self::Diverged => "diverged",
            Self::Failed => "failed",
        }
    }
}

/// A setting that is not the default.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Setting {
    /// Its key in `config.toml`.
    pub key: String,
    /// Its value.
    pub value: String,
    /// The default.
    pub default: String,
    /// What it is.
    pub meaning: String,
}

/// A command to type next.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Next {
    /// The command.
    pub command: String,
    /// What it does.
    pub what: String,
}

/// A picture that another command drew into the run folder.
pub struct Drawn {
    /// Name of the file, which ends in `.svg` or `.png`.
    pub name: String,
    /// What it shows.
    pub caption: String,
    /// The file.
    pub bytes: Vec<u8>,
}

/// A run and everything that its report shows.
pub struct Content {
    /// `784-500 RBM on mnist`.
    pub title: String,
    /// The run's folder.
    pub run: String,
    /// Verb of `dbn` that trains.
    pub verb: String,
    /// How far it is.
    pub state: State,
    /// What was trained on what, by name.
    pub facts: Vec<(String, String)>,
    /// Epochs that the settings ask for, of all layers.
    pub planned: Option<u64>,
    /// The metrics of every layer.
    pub metrics: Metrics,
    /// Figures that the checkpoint has beside those: what the finished model was tested by.
    pub tested: BTreeMap<String, f64>,
    /// Classes of the labels; 0 without.
    pub classes: usize,
    /// Visible units that are numbers, of the RBM that the costs of the first layer are of.
    pub numbers: usize,
    /// Validation samples that each epoch is measured on; 0 where there are none, or it is not known.
    pub valid: usize,
    /// The L1b cost of an RBM on sites, 0 without; none of other models.
    pub l1b_cost: Option<f64>,
    /// The weights, from the bottom.
    pub layers: Vec<LayerView>,
    /// What the model did when it was looked at.
    pub observed: Observed,
    /// Pictures that other commands drew.
    pub drawn: Vec<Drawn>,
    /// What is not the default.
    pub settings: Vec<Setting>,
    /// What to type next.
    pub next: Vec<Next>,
    /// What could not be read, and so is not shown.
    pub notes: Vec<String>,
    /// Seconds since 1970 when this was written.
    pub written: u64,
}

impl Content {
    /// Did it work? Of a stack, its last layer.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        let last = self.metrics.layers.last_key_value();
        last.map_or_else(
            || judge(&crate::NONE, Basis::default()),
            |(&number, layer)| judge(&layer.traces, self.basis(number)),
        )
    }

    /// What the figures of a layer are of.
    fn basis(&self, layer: u32) -> Basis {
        let hidden = self.layers.get(layer as usize).map_or(0, |layer| layer.units);
        let number = if self.metrics.layers.len() > 1 { layer as usize + 1 } else { 0 };
        let (samples, compared) = (self.observed.samples, self.observed.compared);
        let sites = self.l1b_cost.map(|l1b_cost| OnSites { l1b_cost, compared });
        // Only the lowest layer learns numbers.
        let numbers = if layer == 0 { self.numbers } else { 0 };
        Basis { classes: self.classes, numbers, hidden, valid: self.valid, layer: number, samples, sites }
    }

    /// The figures of the last epoch, of a stack its last layer's, and what the finished model was tested by.
    #[must_use]
    pub fn figures(&self) -> Vec<(String, Value)> {
        let last = self.metrics.layers.last_key_value();
        let of_epoch =
            last.iter().flat_map(|(_, layer)| &layer.last).map(|(name, value)| (name.clone(), value.clone()));
        let tested = self.tested.iter().filter_map(|(name, value)| {
            Some((name.clone(), Value::from(*value))).filter(|(_, value)| !value.is_null())
        });
        let mut figures: Vec<(String, Value)> = of_epoch.chain(tested).collect();
        figures.dedup_by(|a, b| a.0 == b.0);
        figures
    }

    /// The figures that the report shows, each once, in the order of the glossary.
    #[must_use]
    pub fn glossary(&self) -> Vec<&'static Figure> {
        let traces = self.metrics.layers.values().flat_map(|layer| layer.traces.names());
        let names = traces.map(str::to_string).chain(self.figures().into_iter().map(|(name, _)| name));
        let shown: Vec<&str> = names.filter_map(|name| figure_of(&name)).map(|figure| figure.name).collect();
        crate::figures::FIGURES.iter().filter(|figure| shown.contains(&figure.name)).collect()
    }

    /// The report as one JSON object.
    #[must_use]
    pub fn json(&self) -> Value {
        let facts: serde_json::Map<String, Value> =
            self.facts.iter().map(|(name, value)| (name.clone(), value.clone().into())).collect();
        let figures: serde_json::Map<String, Value> = self.figures().into_iter().collect();
        let layers = self.metrics.layers.iter().map(|(layer, metrics)| {
            json!({
                "layer": layer, "epochs": metrics.done, "seconds": metrics.seconds,
                "verdict": judge(&metrics.traces, self.basis(*layer)), "last": metrics.last,
            })
        });
        let layers: Vec<Value> = layers.collect();
        json!({
            "title": self.title, "run": self.run, "verb": self.verb, "state": self.state, "facts": facts,
            "epochs_done": self.metrics.done(), "epochs_planned": self.planned, "seconds": self.metrics.seconds(),
            "verdict": self.verdict(), "figures": figures, "layers": layers, "warnings": self.observed.warnings,
            "weights": self.layers, "settings": self.settings, "next": self.next, "notes": self.notes,
            "unreadable_lines": self.metrics.unreadable,
        })
    }
}
