//! What `dbn quality` found, for programs and for people.

use crate::failure::count;
use crate::model::forgetting::{MOST_LEFT, Memory};
use crate::report::{table, thousands};
use deepbelief_analysis::quality::adversarial::Adversarial;
use deepbelief_analysis::quality::moments::{Agreement, Moments};
use deepbelief_analysis::quality::projections::Projection;
use serde::Serialize;
use serde_json::{Value, json};
use std::ops::RangeInclusive;

/// How far a figure may be off that of training samples against test samples or, without these, off that of a perfect
/// model: by how much Pearson's correlation is less, how many times as large a slope is, and by how much an accuracy
/// differs. What chains keep of their start has a bound of its own. All are rules of thumb.
const OFF_PEARSON: f64 = 0.05;
const OFF_SLOPE: f64 = 1.25;
const OFF_ACCURACY: f64 = 0.1;

/// Two sets of points against each other.
#[derive(Serialize)]
pub(super) struct Comparison {
    #[serde(flatten)]
    pub(super) moments: Moments,
    pub(super) projections: Vec<Projection>,
    pub(super) adversarial: Adversarial,
}

/// Between which bounds frequencies of samples are those of the data.
struct Bounds {
    least_pearson: f64,
    slopes: RangeInclusive<f64>,
}

impl Bounds {
    /// By what training samples reach against test samples; without it, by what a perfect model has. The samples may be better
    /// than the training samples.
    fn of(ideal: Option<&Agreement>) -> Self {
        let (pearson, slope) = ideal.map_or((1.0, 1.0), |ideal| (ideal.pearson, ideal.slope));
        let slope = if slope.is_finite() { slope } else { 1.0 };
        let slopes = slope.clamp(0.0, 1.0) / OFF_SLOPE..=slope.max(1.0) * OFF_SLOPE;
        Self { least_pearson: pearson - OFF_PEARSON, slopes }
    }
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

    /// What is not as in a good model, each with the bound that it lies beyond: see [`Bounds`].
    fn remarks(&self) -> Vec<String> {
        // The samples stand where the training samples do.
        let beside = self.test.as_ref().zip(self.train_and_test.as_ref());
        let (judged, ideal) = beside.map_or((&self.train, None), |(judged, ideal)| (judged, Some(ideal)));
        let with = if ideal.is_some() { " with test samples" } else { "" };
        let (moments, best) = (&judged.moments, ideal.map(|ideal| &ideal.moments));
        let mut remarks = Vec::new();
        for (name, found, best) in [
            ("frequencies", &moments.one, best.map(|best| &best.one)),
            ("pairs", &moments.two, best.map(|best| &best.two)),
        ] {
            let bounds = Bounds::of(best);
            if found.pearson < bounds.least_pearson {
                remarks.push(format!("{name}: Pearson {:.3}{with}, below {:.3}", found.pearson, bounds.least_pearson));
            }
            if found.slope.is_finite() && !bounds.slopes.contains(&found.slope) {
                let (low, high) = (bounds.slopes.start(), bounds.slopes.end());
                remarks.push(format!("{name}: slope {:.2}{with}, not from {low:.2} to {high:.2}", found.slope));
            }
        }
        let ideal = ideal.map_or(0.5, |ideal| ideal.adversarial.accuracy);
        let (accuracy, most) = (judged.adversarial.accuracy, ideal.max(0.5) + OFF_ACCURACY);
        // Copies are of training samples.
        let (copied, least) = (self.train.adversarial.accuracy, ideal.min(0.5) - OFF_ACCURACY);
        if accuracy > most {
            remarks.push(format!(
                "adversarial accuracy: {accuracy:.3}{with}, above {most:.3}: samples differ visibly from the data"
            ));
        } else if copied < least {
            remarks.push(format!(
                "adversarial accuracy: {copied:.3}, below {least:.3}: samples lie too near to training samples"
            ));
        }
        if self.samples < self.training && self.train.moments.two.pearson < 1.0 - OFF_PEARSON {
            let (samples, training) = (thousands(self.samples), thousands(self.training));
            remarks.push(format!(
                "{samples} samples are too few to judge pairs by: their frequencies vary more by chance than those of {training} \
                 training samples. Take a --count of {}",
                self.training
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
        let as_data = if self.train_and_test.is_some() { " (else as train, test)" } else { "" };
        format!(
            "{title}; {training} training samples\n{rows}half of the correlation with the start is {half}, {left:.2} is left \
             ({chains} chains from data)\nmean {name}, nats: training {}{test}, samples {}\n\
             ideal: Pearson and slope 1{as_data}, apart 0, accuracy 0.5, nothing left of the start; {remarks}\n",
            value(train),
            value(samples)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn comparison(pearson: f64, slope: f64, accuracy: f64) -> Comparison {
        let agreement = |pearson, slope| Agreement { count: 9, pearson, slope, points: Vec::new() };
        let moments = Moments { one: agreement(1.0, 1.0), two: agreement(pearson, slope), three: None };
        let adversarial = Adversarial { points: 9, of_data: accuracy, of_samples: accuracy, accuracy };
        Comparison { moments, projections: Vec::new(), adversarial }
    }

    fn quality(train: Comparison, test: Option<[Comparison; 2]>, samples: usize) -> Quality {
        let [test, train_and_test] = test.map_or([None, None], |both| both.map(Some));
        Quality {
            data: "d".into(),
            training: 1000,
            samples,
            steps: 1,
            train,
            test,
            train_and_test,
            mixing: Memory { half_life: Some(1), left: 0.0, chains: 9 },
            free_energy: Energies { train: 0.0, test: None, samples: 0.0, log_z: None },
        }
    }

    /// Fixed bounds are for those who have no test samples.
    #[test]
    fn samples_are_judged_by_what_training_samples_reach() {
        let alone = quality(comparison(0.27, 0.5, 0.7), None, 1000).remarks();
        assert_eq!(
            alone,
            [
                "pairs: Pearson 0.270, below 0.950",
                "pairs: slope 0.50, not from 0.80 to 1.25",
                "adversarial accuracy: 0.700, above 0.600: samples differ visibly from the data"
            ]
        );
        let beside = |found: [f64; 3], ideal: [f64; 3]| {
            let [found, ideal] = [found, ideal].map(|[pearson, slope, accuracy]| comparison(pearson, slope, accuracy));
            quality(comparison(0.97, 1.0, 0.5), Some([found, ideal]), 1000).remarks()
        };
        // As good as the training samples, better than they are, and clearly worse.
        assert!(beside([0.07, 0.08, 0.66], [0.085, 0.09, 0.6]).is_empty());
        assert!(beside([0.27, 0.9, 0.5], [0.085, 0.09, 0.6]).is_empty());
        let worse = beside([0.6, 0.4, 0.8], [0.85, 0.8, 0.6]);
        assert_eq!(worse.len(), 3, "{worse:?}");
        assert_eq!(worse[0], "pairs: Pearson 0.600 with test samples, below 0.800");
    }

    #[test]
    fn few_samples_are_said_to_be_few() {
        let said = |pearson, samples| quality(comparison(pearson, 1.0, 0.5), None, samples).remarks();
        assert!(said(0.5, 100)[1].starts_with("100 samples are too few to judge pairs by"));
        assert_eq!((said(0.5, 1000).len(), said(0.99, 100).len()), (1, 0));
    }
}
