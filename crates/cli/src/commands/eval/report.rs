//! What `dbn eval` finds, for programs and for people.

use crate::args::{PathName, SpacingName};
use crate::failure::count;
use crate::report::thousands;
use clap::ValueEnum;
use deepbelief_rbm::likelihood::{Interval, LogPartition, Separation, Verdict};
use deepbelief_report::{Difference, Moments};
use serde::{Serialize, Serializer};
use std::fmt::Write as _;

/// A figure with an interval of ±3 standard errors of ln Z, in nats: none where too
/// few chains carry the weight.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(super) struct Estimate {
    pub(super) value: f64,
    pub(super) low: Option<f64>,
    pub(super) high: Option<f64>,
    /// Of the chains that ln Z was estimated by; absent where it is exact.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) effective_sample_size: Option<f64>,
}

impl Estimate {
    pub(super) fn exact(value: f64) -> Self {
        Self { value, low: Some(value), high: Some(value), effective_sample_size: None }
    }

    pub(super) fn of(z: &LogPartition) -> Self {
        let Interval { value, ends } = z.interval();
        let effective_sample_size = Some(z.effective_sample_size);
        Self { value, low: ends.map(|ends| ends.0), high: ends.map(|ends| ends.1), effective_sample_size }
    }

    /// Of ln Z, where its interval is known.
    pub(super) fn standard_error(&self) -> Option<f64> {
        self.low.zip(self.high).map(|(low, high)| (high - low) / 6.0)
    }

    /// The same of a site, where a sample has so many.
    pub(super) fn over(self, sites: usize) -> Self {
        let each = |x: f64| x / sites as f64;
        Self { value: each(self.value), low: self.low.map(each), high: self.high.map(each), ..self }
    }

    /// A figure of a site in words, with its interval.
    fn of_a_site(&self) -> String {
        match (self.low, self.high) {
            (Some(low), Some(high)) if low < high => format!("{:.4} nats ({low:.4} to {high:.4})", self.value),
            _ => format!("{:.4} nats", self.value),
        }
    }

    /// `from` less this.
    pub(super) fn below(self, from: f64) -> Self {
        let less = |z: Option<f64>| z.map(|z| from - z);
        Self { value: from - self.value, low: less(self.high), high: less(self.low), ..self }
    }
}

/// ln Z, exactly or from both sides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub(super) struct Found {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) exact: Option<f64>,
    /// By Bennett's ratio over the chains of both directions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) both_ways: Option<Estimate>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) ais: Option<Estimate>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reverse_ais: Option<Estimate>,
    /// Whether the intervals hold.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "verdict_name")]
    pub(super) verdict: Option<Verdict>,
    /// Where along the path the two directions are apart the most.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "separation")]
    pub(super) furthest: Option<Separation>,
}

impl Found {
    /// The one to use.
    fn best(&self) -> Option<Estimate> {
        self.exact.map(Estimate::exact).or(self.both_ways)
    }
}

#[expect(clippy::ref_option, reason = "serde asks for a reference to the field")]
fn verdict_name<S: Serializer>(verdict: &Option<Verdict>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(match verdict {
        None | Some(Verdict::Sound) => "sound",
        Some(Verdict::Phases(_)) => "different phases",
        Some(Verdict::MissedModes) => "missed modes",
        Some(Verdict::UnseenModes(_)) => "unseen modes",
        Some(Verdict::FewChains) => "few chains",
        Some(Verdict::Apart) => "directions apart",
    })
}

#[expect(clippy::ref_option, reason = "serde asks for a reference to the field")]
fn separation<S: Serializer>(found: &Option<Separation>, serializer: S) -> Result<S::Ok, S::Error> {
    found
        .map(|Separation { beta, deviations }| serde_json::json!({"beta": beta, "deviations": deviations}))
        .serialize(serializer)
}

/// Mean log-likelihood of a sample, in nats: what applies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub(super) struct LogLikelihood {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) exact: Option<Estimate>,
    /// The same where samples lacked values, which the model filled: no likelihood of what was observed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) of_filled: Option<Estimate>,
    /// Of a deep belief net whose top has an exact ln Z, by draws of the layers under it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) importance: Option<Estimate>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) both_ways: Option<Estimate>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) ais: Option<Estimate>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reverse_ais: Option<Estimate>,
    /// The variational bound of a deep belief net.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) bound: Option<Estimate>,
}

impl LogLikelihood {
    /// From ln Z and mean unnormalised log-likelihoods of the samples: by importance sampling of the layers of a
    /// `deep` net, which an RBM has none of, and as a bound; whether values of the samples were `filled`.
    pub(super) fn of(log_z: &Found, importance: f64, bound: f64, (deep, filled): (bool, bool)) -> Self {
        let exact = log_z.exact.map(|z| Estimate::exact(z).below(importance));
        let below = |z: Option<Estimate>| z.map(|z| z.below(importance));
        Self {
            exact: exact.filter(|_| !deep && !filled),
            of_filled: exact.filter(|_| !deep && filled),
            importance: exact.filter(|_| deep),
            both_ways: below(log_z.both_ways),
            ais: below(log_z.ais),
            reverse_ais: below(log_z.reverse_ais),
            bound: log_z.best().filter(|_| deep).map(|z| z.below(bound)),
        }
    }

    /// The one to use, of an RBM.
    pub(super) fn best(&self) -> Option<Estimate> {
        [self.exact, self.of_filled, self.both_ways, self.ais].into_iter().flatten().next()
    }

    /// By how much the model is better than independent sites of this log-likelihood, by what single samples say.
    pub(super) fn ahead_of(&self, independent: Option<f64>, samples: Option<Moments>) -> Option<Difference> {
        let (best, independent, samples) = (self.best()?, independent?, samples?);
        Some(Difference::new(best.value - independent, &samples, best.standard_error()))
    }

    pub(super) fn values(&self) -> impl Iterator<Item = f64> {
        let Self { exact, of_filled, importance, both_ways, ais, reverse_ais, bound } = *self;
        [exact, of_filled, importance, both_ways, ais, reverse_ais, bound]
            .into_iter()
            .flatten()
            .map(|estimate| estimate.value)
    }
}

/// How chains of Gibbs steps forget the training samples they start from.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(super) struct Memory {
    /// Steps after which the correlation with the start is below one half; `null` where it never is.
    pub(super) half_life: Option<usize>,
    /// Correlation with the start after the burn-in.
    pub(super) left: f64,
}

#[derive(Serialize)]
pub(super) struct Evaluation {
    pub(super) data: String,
    pub(super) split: &'static str,
    /// What these samples are called.
    #[serde(skip)]
    pub(super) words: &'static str,
    pub(super) samples: usize,
    /// Samples that lacked values, which the model filled.
    #[serde(skip_serializing_if = "is_zero")]
    pub(super) filled: usize,
    pub(super) binarize: String,
    /// Whether that made a difference.
    #[serde(skip)]
    pub(super) is_binarized: bool,
    /// Of the file that was measured.
    pub(super) checkpoint_sha256: String,
    /// Nats per sample.
    pub(super) log_likelihood: LogLikelihood,
    /// The best of these over the number of sites, of letters, categories or spins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) log_likelihood_per_site: Option<Estimate>,
    /// The same of independent sites with the frequencies of the training samples; of sites with levels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) independent: Option<f64>,
    /// By how much the model is better than that, over single samples.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) difference: Option<Difference>,
    /// Of its mean over the samples, which the intervals, of ln Z alone, do not hold.
    pub(super) standard_error_of_samples: Option<f64>,
    /// Of the mean over draws of the pixels, where there is more than one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) standard_error_of_draws: Option<f64>,
    /// Sum over the visible units of ln p(unit | all others), nats per sample; of an RBM, where asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) pseudo_log_likelihood: Option<f64>,
    /// The same over the number of visible units, of which a categorical one is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) pseudo_log_likelihood_per_unit: Option<f64>,
    /// Nats; of the top, where there are layers under it.
    pub(super) log_z: Found,
    /// Of the chains that ln Z was estimated by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) mixing: Option<Memory>,
    /// Mean free energy of these samples minus that of training samples, nats; of the top. Else why it is not known,
    /// which is `null` in JSON.
    #[serde(serialize_with = "value_alone")]
    pub(super) free_energy_gap: Result<f64, String>,
    /// Nats per sample.
    pub(super) reconstruction_cost: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) label_error: Option<f64>,
    pub(super) chains: u32,
    pub(super) temperatures: u32,
    pub(super) path: PathName,
    pub(super) spacing: SpacingName,
    pub(super) burn_in: u32,
    /// Of the pixels.
    pub(super) draws: u16,
    /// Of the layers under the top, for each draw of the pixels.
    pub(super) layer_draws: u16,
    pub(super) seed: u64,
    pub(super) seconds: f64,
}

impl Evaluation {
    /// For people.
    pub(super) fn describe(&self) -> String {
        let mut text = String::new();
        let mut line = |name: &str, value: String| {
            let _ = writeln!(text, "{name:<22}{value}");
        };
        let samples = format!("{} {}", thousands(self.samples), self.words);
        let binarisation = if self.is_binarized { format!(", binarisation {}", self.binarize) } else { String::new() };
        line("data", format!("{}, {samples}{binarisation}", self.data));
        let LogLikelihood { exact, of_filled, importance, both_ways, ais, reverse_ais, bound } = &self.log_likelihood;
        if let Some(exact) = exact {
            line("log-likelihood", format!("{} nats per sample, exactly", self.rounded(exact)));
        }
        if self.filled > 0 {
            let filled = count(self.filled, "sample");
            let with = if self.log_z.exact.is_some() { "" } else { ", with --log-z and the file of --out," };
            line(
                "filled",
                format!("values that {filled} lacked: `dbn score`{with} has the likelihood of what was observed"),
            );
        }
        let estimates = [
            ("log-likelihood", of_filled),
            ("log-likelihood", importance),
            ("log-likelihood", both_ways),
            ("  AIS", ais),
            ("  reverse AIS", reverse_ais),
            ("  variational bound", bound),
        ];
        for (name, estimate) in estimates {
            if let Some(estimate) = estimate {
                let value = self.rounded(estimate);
                line(name, format!("{value} nats per sample{}", self.notes(estimate, name.starts_with("log"))));
            }
        }
        if let Some(each) = self.log_likelihood_per_site {
            line("  per site", each.of_a_site());
        }
        if let Some(independent) = self.independent {
            let is_worse = self.log_likelihood.best().is_some_and(|best| best.value < independent);
            let worse = if is_worse { ": the model is worse than no couplings at all" } else { "" };
            line("independent sites", format!("{independent:.2} nats per sample{worse}"));
        }
        if let Some(difference) = self.difference {
            line("  the model is", difference.in_words());
        }
        if let Some(error) = self.standard_error_of_samples {
            line("spread over samples", format!("the mean has a standard error of {error:.2} nats"));
        }
        if let Some(error) = self.standard_error_of_draws {
            let draws = count(self.draws.into(), "draw");
            line("draws of the pixels", format!("{draws}; their mean has a standard error of {error:.2} nats"));
        }
        if let Some(Memory { half_life, left }) = self.mixing {
            let half = half_life.map_or("not half of their start".to_string(), |steps| {
                format!("half of their start in {}", count(steps, "Gibbs step"))
            });
            let (steps, left) = (thousands(self.burn_in as usize), left.max(0.0));
            line("chains forget", format!("{half}; their correlation with it is {left:.2} after {steps}"));
        }
        if let Some(log_z) = self.log_z.best() {
            let of = if bound.is_some() { " of the top" } else { "" };
            let value = match self.log_z.exact {
                Some(exact) => format!("{exact:.4} nats{of}, exactly"),
                None => format!("{:.2} nats{of}{}", log_z.value, self.notes(&log_z, true)),
            };
            line("ln Z", value);
        }
        if let (Some(pseudo), Some(each)) = (self.pseudo_log_likelihood, self.pseudo_log_likelihood_per_unit) {
            line("pseudo-likelihood", format!("{pseudo:.2} nats per sample, {each:.4} per unit"));
        }
        let gap = match &self.free_energy_gap {
            Ok(gap) => format!("{gap:.2} nats to training samples"),
            Err(why) => format!("none: {why}"),
        };
        line("free-energy gap", gap);
        line("reconstruction cost", format!("{:.2} nats per sample", self.reconstruction_cost));
        if let Some(error) = self.label_error {
            line("label error", format!("{:.2} %", 100.0 * error));
        }
        let drawn = bound.map(|_| format!("{} of the layers, ", count(self.layer_draws.into(), "draw")));
        let temperatures = thousands(self.temperatures as usize);
        let annealed = ais.map(|_| {
            format!(
                "{} path, {temperatures} temperatures, {}, seed {}, ",
                name_of(&self.path),
                name_of(&self.spacing),
                self.seed
            )
        });
        let (drawn, annealed) = (drawn.unwrap_or_default(), annealed.unwrap_or_default());
        line("how", format!("{drawn}{annealed}{:.1} s", self.seconds));
        text
    }

    /// To as many decimals as are known.
    fn rounded(&self, estimate: &Estimate) -> String {
        let error =
            estimate.standard_error().map(|error| error.hypot(self.standard_error_of_draws.unwrap_or_default()));
        let decimals = match error {
            Some(error) if error < 0.05 => 2,
            Some(error) if error >= 0.5 => 0,
            _ => 1,
        };
        format!("{:.decimals$}", estimate.value)
    }

    /// The interval of an estimate and what it rests on; `main` is the one of both directions.
    fn notes(&self, estimate: &Estimate, main: bool) -> String {
        let all = count(self.chains as usize, "chain");
        let chains = estimate.effective_sample_size.map(|n| {
            let how = match self.log_z.verdict {
                _ if !main => "",
                Some(Verdict::MissedModes) => "AIS alone, ",
                _ => "both ways, ",
            };
            format!("{how}{n:.1} effective of {all}")
        });
        let range = match (estimate.low, estimate.high) {
            (Some(low), Some(high)) if low < high => Some(format!("{low:.2} to {high:.2}")),
            (Some(_), Some(_)) => None,
            _ => Some("no interval".into()),
        };
        let notes: Vec<String> = range.into_iter().chain(chains).collect();
        if notes.is_empty() { String::new() } else { format!(" ({})", notes.join(", ")) }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks by reference")]
fn is_zero(n: &usize) -> bool {
    *n == 0
}

fn value_alone<S: Serializer>(value: &Result<f64, String>, serializer: S) -> Result<S::Ok, S::Error> {
    value.as_ref().ok().serialize(serializer)
}

/// As it is typed.
fn name_of(value: &impl ValueEnum) -> String {
    value.to_possible_value().map_or_else(String::new, |value| value.get_name().to_string())
}
