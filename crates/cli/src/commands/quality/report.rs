//! What `dbn quality` found, for programs and for people.

use crate::failure::count;
use crate::report::{table, thousands};
use deepbelief_analysis::quality::adversarial::Adversarial;
use deepbelief_analysis::quality::moments::{Agreement, Moments};
use deepbelief_analysis::quality::projections::Projection;
use serde::Serialize;
use serde_json::{Value, json};
use std::ops::RangeInclusive;

/// Below such a correlation, and beyond such slopes, frequencies of samples are not those of the data; the others beyond which
/// an accuracy or what chains keep is remarked on. Rules of thumb: what the data themselves have is in the column `train, test`.
const LEAST_PEARSON: f64 = 0.95;
const SLOPES: RangeInclusive<f64> = 0.8..=1.25;
const ACCURACIES: RangeInclusive<f64> = 0.4..=0.6;
const MOST_LEFT: f64 = 0.2;

/// Two sets of points against each other.
#[derive(Serialize)]
pub(super) struct Comparison {
    #[serde(flatten)]
    pub(super) moments: Moments,
    pub(super) projections: Vec<Projection>,
    pub(super) adversarial: Adversarial,
}

/// How long chains remember.
#[derive(Clone, Copy, Serialize)]
pub(super) struct Memory {
    /// Gibbs steps after which the correlation with the start is below one half; none if it never was.
    pub(super) half_life: Option<usize>,
    /// The correlation after the last step.
    pub(super) left: f64,
    pub(super) chains: usize,
}

/// Mean free energies, in nats.
#[derive(Clone, Copy)]
pub(super) struct Energies {
    pub(super) train: f64,
    pub(super) test: Option<f64>,
    pub(super) samples: f64,
    pub(super) log_z: Option<f64>,
}

/// All of it.
pub(super) struct Quality {
    pub(super) data: String,
    pub(super) training: usize,
    pub(super) samples: usize,
    pub(super) steps: u32,
    /// The samples against the training samples.
    pub(super) train: Comparison,
    /// The samples against the test samples.
    pub(super) test: Option<Comparison>,
    /// The training samples against the test samples.
    pub(super) train_and_test: Option<Comparison>,
    pub(super) mixing: Memory,
    pub(super) free_energy: Energies,
}

impl Quality {
    /// For programs.
    pub(super) fn json(&self) -> Value {
        let Energies { train, test, samples, log_z } = self.free_energy;
        let likelihood = |energy: f64| log_z.map(|z| -energy - z);
        json!({
            "data": self.data, "training_samples": self.training, "samples": self.samples, "steps": self.steps,
            "train": self.train, "test": self.test, "train_and_test": self.train_and_test, "mixing": self.mixing,
            "free_energy": { "train": train, "test": test, "samples": samples },
            "log_z": log_z, "remarks": self.remarks(),
            "log_likelihood": log_z.map(|_| json!({
                "train": likelihood(train), "test": test.and_then(likelihood), "samples": likelihood(samples),
            })),
        })
    }

    /// Of the picture.
    pub(super) fn title(&self) -> String {
        format!(
            "{}: {} samples after {} Gibbs steps",
            self.data,
            thousands(self.samples),
            thousands(self.steps as usize)
        )
    }

    /// What is not as in a good model of the training samples, each with the bound that it lies beyond.
    fn remarks(&self) -> Vec<String> {
        let Moments { one, two, .. } = &self.train.moments;
        let mut remarks = Vec::new();
        for (name, found) in [("frequencies", one), ("pairs", two)] {
            if found.pearson < LEAST_PEARSON {
                remarks.push(format!("{name}: Pearson {:.3}, below {LEAST_PEARSON}", found.pearson));
            }
            if found.slope.is_finite() && !SLOPES.contains(&found.slope) {
                let (low, high) = (*SLOPES.start(), *SLOPES.end());
                remarks.push(format!("{name}: slope {:.2}, not from {low} to {high}", found.slope));
            }
        }
        let accuracy = self.train.adversarial.accuracy;
        if accuracy > *ACCURACIES.end() {
            let most = *ACCURACIES.end();
            remarks.push(format!(
                "adversarial accuracy: {accuracy:.3}, above {most}: samples differ visibly from the data"
            ));
        } else if accuracy < *ACCURACIES.start() {
            let least = *ACCURACIES.start();
            remarks.push(format!(
                "adversarial accuracy: {accuracy:.3}, below {least}: samples lie too near to training samples"
            ));
        }
        if self.mixing.left > MOST_LEFT {
            remarks.push(format!(
                "chains keep {:.2} of their start, above {MOST_LEFT}: take more --steps before the rest is judged",
                self.mixing.left
            ));
        }
        remarks
    }

    /// For people.
    pub(super) fn summary(&self) -> String {
        let columns = [Some(("samples, train", &self.train)), self.test.as_ref().map(|c| ("samples, test", c))];
        let between = self.train_and_test.as_ref().map(|c| ("train, test", c));
        let columns: Vec<(&str, &Comparison)> = columns.into_iter().chain([between]).flatten().collect();
        let header =
            std::iter::once(String::new()).chain(columns.iter().map(|(name, _)| (*name).to_string())).collect();
        let row = |name: &str, of: &dyn Fn(&Comparison) -> String| -> Vec<String> {
            std::iter::once(name.to_string()).chain(columns.iter().map(|(_, comparison)| of(comparison))).collect()
        };
        let agreement = |found: &Agreement| format!("{:.3}, slope {:.2}", found.pearson, found.slope);
        let mut rows: Vec<Vec<String>> = vec![
            header,
            row("frequencies, Pearson", &|c| agreement(&c.moments.one)),
            row("pairs, connected", &|c| agreement(&c.moments.two)),
            row("triples, connected", &|c| c.moments.three.as_ref().map_or_else(String::new, agreement)),
        ];
        for k in 0..self.train.projections.len() {
            let name = format!("component {}, apart", k + 1);
            rows.push(row(&name, &|c| format!("{:.3} deviations", c.projections[k].distance)));
        }
        rows.push(row("adversarial accuracy", &|c| {
            let found = c.adversarial;
            format!("{:.3} ({:.3} and {:.3})", found.accuracy, found.of_data, found.of_samples)
        }));
        let (title, training, rows) = (self.title(), thousands(self.training), table(rows));
        let Memory { half_life, left, chains } = self.mixing;
        let lost = |steps| format!("lost after {}", count(steps, "Gibbs step"));
        let half = half_life.map_or_else(|| "not lost".to_string(), lost);
        let Energies { train, test, samples, log_z } = self.free_energy;
        let (name, of) = match log_z {
            Some(_) => ("log-likelihood", -1.0),
            None => ("free energy", 1.0),
        };
        let remarks = match self.remarks().as_slice() {
            [] => "nothing stands out".to_string(),
            remarks => format!("look at\n  {}", remarks.join("\n  ")),
        };
        let value = |energy: f64| format!("{:.3}", of * energy - log_z.unwrap_or(0.0));
        let test = test.map_or_else(String::new, |test| format!(", test {}", value(test)));
        format!(
            "{title}; {training} training samples\n{rows}half of the correlation with the start is {half}, {left:.2} is left \
             ({chains} chains from data)\nmean {name}, nats: training {}{test}, samples {}\n\
             ideal: Pearson and slope 1, apart 0, accuracy 0.5, nothing left of the start; {remarks}\n",
            value(train),
            value(samples)
        )
    }
}
