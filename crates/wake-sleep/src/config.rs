//! Settings of a tuning. The defaults are the recipe of `dbn tune`. Which units are sampled is the choice of Hinton, Osindero & Teh (2006, appendix
//! B).

use crate::error::{Result, require};
use crate::schedule::TopSteps;
use deepbelief_kernels::{Precision, StepRule};
use deepbelief_rbm::{OnDivergence, Schedule, is_not_negative, is_positive};
use deepbelief_training::{Settings, validate_threads};
use serde::{Deserialize, Serialize};

/// What units pass on or contribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Units {
    /// Binary states drawn from their probabilities.
    Sampled,
    /// The probabilities themselves: less noise, some bias.
    Probabilities,
}

/// Which units are sampled in an update. Top hidden units always are where they drive others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct UnitChoices {
    /// Hidden layers on the way up, in the wake phase. Sampled, the generative weights follow the
    /// gradient of the variational bound.
    #[serde(rename = "wake_units")]
    pub wake: Units,
    /// Penultimate units in the Gibbs steps of the top.
    #[serde(rename = "penultimate_units")]
    pub penultimate: Units,
    /// The label in those steps. Sampled, they are a Gibbs chain of the top RBM.
    #[serde(rename = "label_units")]
    pub label: Units,
    /// Top hidden units in the statistics of the top, positive and negative.
    pub top_statistics: Units,
    /// Hidden layers on the way down, in the sleep phase.
    #[serde(rename = "sleep_units")]
    pub sleep: Units,
    /// Visible units at its end. Sampled, the recognition weights follow the gradient of
    /// KL(generative || recognition); of grey data the probabilities are the better likeness.
    #[serde(rename = "sleep_visible")]
    pub visible: Units,
}

impl Default for UnitChoices {
    fn default() -> Self {
        Self {
            wake: Units::Sampled,
            penultimate: Units::Sampled,
            label: Units::Probabilities,
            top_statistics: Units::Sampled,
            sleep: Units::Sampled,
            visible: Units::Probabilities,
        }
    }
}

/// A set of parameters that can be kept from learning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// Recognition weights and biases of the directed layers.
    Recognition,
    /// Generative weights and biases of the directed layers.
    Generative,
    /// The top.
    Top,
}

/// What stands above the directed layers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TopModel {
    /// An RBM, which learns by contrastive divergence.
    #[default]
    Undirected,
    /// Nothing: the units under it are independent, as in [`crate::sigmoid_belief_net`], and learn
    /// their biases by the delta rule. The Gibbs steps of `top_steps` are then none, whatever
    /// their number.
    Factorial,
}

/// Rates of one directed layer where they differ from those of the others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LayerRates {
    /// In place of [`TuneConfig::wake_rate`].
    pub wake_rate: Option<f64>,
    /// In place of [`TuneConfig::sleep_rate`].
    pub sleep_rate: Option<f64>,
}

/// A tuning by wake-sleep.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TuneConfig {
    /// Gibbs steps at the top and epochs, such as `3x100,6x100,10x100`.
    pub top_steps: TopSteps,
    /// Step size of the generative weights, which learn in the wake phase.
    pub wake_rate: f64,
    /// Step size of the recognition weights, which learn in the sleep phase.
    pub sleep_rate: f64,
    /// Step size of the top.
    pub top_rate: f64,
    /// Rates of single directed layers, from the bottom; layers beyond the list have none of their
    /// own.
    #[serde(rename = "layer_rates", skip_serializing_if = "Vec::is_empty")]
    pub layers: Vec<LayerRates>,
    /// How all step sizes move over the epochs.
    pub schedule: Schedule,
    /// Share of each step size that is left in the last epoch, unless the schedule is constant.
    pub final_share: f64,
    /// Share of the last step kept in the next.
    pub momentum: f64,
    /// L2 cost of all weights.
    pub weight_cost: f64,
    /// Persistent chains at the top (Tieleman 2008); 0 starts every chain from the data's up-pass.
    /// The sleep phase has as many samples as there are chains.
    pub persistent_chains: usize,
    /// What does not learn.
    pub freeze: Vec<Part>,
    /// What stands above the directed layers.
    pub top: TopModel,
    /// Which units are sampled.
    #[serde(flatten)]
    pub units: UnitChoices,
    /// Stops after this many epochs in a row without a better model on the validation data; 0 turns
    /// it off.
    pub patience: u32,
    /// What becomes of a tuning that diverges.
    pub on_divergence: OnDivergence,
    /// Seed of everything drawn.
    pub seed: u64,
    /// What products are computed in on a GPU; on the CPU it must be F32.
    #[serde(skip_serializing_if = "Precision::is_f32")]
    pub precision: Precision,
    /// Threads; 0 takes one a core. The result does not depend on it.
    pub threads: usize,
}

impl Default for TuneConfig {
    fn default() -> Self {
        Self {
            top_steps: TopSteps::default(),
            wake_rate: 0.03,
            sleep_rate: 0.03,
            top_rate: 0.1,
            layers: Vec::new(),
            schedule: Schedule::Linear,
            final_share: 0.05,
            momentum: 0.0,
            weight_cost: 0.0,
            persistent_chains: 0,
            freeze: Vec::new(),
            top: TopModel::Undirected,
            units: UnitChoices::default(),
            patience: 0,
            on_divergence: OnDivergence::Stop,
            seed: 1,
            precision: Precision::default(),
            threads: 0,
        }
    }
}

/// How every set of parameters learns in one epoch.
#[derive(Clone, Debug)]
pub(crate) struct Rules {
    pub(crate) generative: Vec<StepRule>,
    pub(crate) recognition: Vec<StepRule>,
    pub(crate) top: StepRule,
    pub(crate) top_steps: u32,
}

impl TuneConfig {
    /// Checks every field.
    ///
    /// # Errors
    /// [`crate::Error::Config`] names the first field out of range.
    pub fn validate(&self) -> Result<()> {
        validate_threads(self.threads)?;
        let rates = [("wake_rate", self.wake_rate), ("sleep_rate", self.sleep_rate), ("top_rate", self.top_rate)];
        let of_layers = self
            .layers
            .iter()
            .flat_map(|layer| [("wake_rate of a layer", layer.wake_rate), ("sleep_rate of a layer", layer.sleep_rate)]);
        for (name, rate) in rates.into_iter().chain(of_layers.filter_map(|(name, rate)| Some((name, rate?)))) {
            require(
                is_positive(rate),
                name,
                rate,
                "a positive 32-bit number; to keep weights as they are, freeze them",
            )?;
        }
        let share = self.final_share;
        let fits = self.schedule == Schedule::Constant || is_positive(share);
        require(fits, "final_share", share, "a positive 32-bit number unless the schedule is constant")?;
        let momentum = self.momentum;
        require((0.0..1.0).contains(&momentum), "momentum", momentum, "at least 0 and below 1")?;
        let cost = self.weight_cost;
        require(is_not_negative(cost), "weight_cost", cost, "zero or a positive 32-bit number")?;
        let chains = self.persistent_chains;
        require(chains <= 1_000_000, "persistent_chains", chains, "at most 1000000")?;
        let factorial = self.top == TopModel::Factorial;
        require(!factorial || chains == 0, "persistent_chains", chains, "0 where the top is factorial")?;
        let learns = [Part::Recognition, Part::Generative, Part::Top].iter().any(|&part| !self.is_frozen(part));
        require(learns, "freeze", "all parts of the model", "at most two of them")
    }

    /// Whether a part does not learn.
    #[must_use]
    pub fn is_frozen(&self, part: Part) -> bool {
        self.freeze.contains(&part)
    }

    /// The share of the step sizes that an epoch, counted from 0, has.
    #[must_use]
    pub fn share(&self, epoch: u32) -> f64 {
        self.schedule.at(1.0, self.final_share, epoch, self.top_steps.epochs())
    }

    /// The rules of an epoch, counted from 0, for so many directed layers, where all rates were halved so
    /// often.
    pub(crate) fn rules(&self, epoch: u32, layers: usize, halvings: u32) -> Rules {
        let share = self.share(epoch) * OnDivergence::decay_factor(halvings);
        let rule = |rate: f64| StepRule {
            learning_rate: (rate * share) as f32,
            momentum: self.momentum as f32,
            l2: self.weight_cost as f32,
            l1: 0.0,
        };
        let own = |layer: usize| self.layers.get(layer).copied().unwrap_or_default();
        Rules {
            generative: (0..layers).map(|layer| rule(own(layer).wake_rate.unwrap_or(self.wake_rate))).collect(),
            recognition: (0..layers).map(|layer| rule(own(layer).sleep_rate.unwrap_or(self.sleep_rate))).collect(),
            top: rule(self.top_rate),
            top_steps: self.top_steps.at(epoch),
        }
    }
}

impl Settings for TuneConfig {
    fn epochs(&self) -> u32 {
        self.top_steps.epochs()
    }

    fn patience(&self) -> u32 {
        self.patience
    }

    fn on_divergence(&self) -> OnDivergence {
        self.on_divergence
    }

    fn threads(&self) -> usize {
        self.threads
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_out_of_range_is_named() {
        let message = |config: TuneConfig| config.validate().map_err(|error| error.to_string());
        let rate = "it must be a positive 32-bit number; to keep weights as they are, freeze them";
        let bad = TuneConfig { sleep_rate: 0.0, ..Default::default() };
        assert_eq!(message(bad), Err(format!("sleep_rate is 0; {rate}")));
        let layers = vec![LayerRates::default(), LayerRates { wake_rate: Some(f64::NAN), sleep_rate: None }];
        let bad = TuneConfig { layers, ..Default::default() };
        assert_eq!(message(bad), Err(format!("wake_rate of a layer is NaN; {rate}")));
        let bad = TuneConfig { schedule: Schedule::Linear, final_share: 0.0, ..Default::default() };
        assert_eq!(
            message(bad),
            Err("final_share is 0; it must be a positive 32-bit number unless the schedule is constant".into())
        );
        let bad = TuneConfig { momentum: 1.0, ..Default::default() };
        assert_eq!(message(bad), Err("momentum is 1; it must be at least 0 and below 1".into()));
        let bad = TuneConfig { weight_cost: -1.0, ..Default::default() };
        assert_eq!(message(bad), Err("weight_cost is -1; it must be zero or a positive 32-bit number".into()));
        let bad = TuneConfig { persistent_chains: 5, top: TopModel::Factorial, ..Default::default() };
        assert_eq!(message(bad), Err("persistent_chains is 5; it must be 0 where the top is factorial".into()));
        let bad = TuneConfig { freeze: vec![Part::Top, Part::Recognition, Part::Generative], ..Default::default() };
        assert_eq!(message(bad), Err("freeze is all parts of the model; it must be at most two of them".into()));
        assert_eq!(message(TuneConfig::default()), Ok(()));
    }

    #[test]
    fn rules_follow_schedule_and_layers() {
        let config = TuneConfig {
            wake_rate: 0.1,
            sleep_rate: 0.2,
            layers: vec![LayerRates { wake_rate: Some(0.4), sleep_rate: None }],
            schedule: Schedule::Exponential,
            final_share: 0.25,
            ..Default::default()
        };
        let (first, last) = (config.rules(0, 2, 0), config.rules(299, 2, 1));
        let rates = |rules: &[StepRule]| rules.iter().map(|rule| rule.learning_rate).collect::<Vec<_>>();
        assert_eq!(rates(&first.generative), [0.4, 0.1]);
        assert_eq!(rates(&first.recognition), [0.2, 0.2]);
        assert_eq!(rates(&last.generative), [0.05, 0.0125], "a quarter is left, and half of that after a divergence");
        assert_eq!((first.top_steps, last.top_steps), (3, 10));
    }

    #[test]
    fn settings_survive_a_file_and_unknown_ones_are_refused() -> std::result::Result<(), serde_json::Error> {
        let config =
            TuneConfig { freeze: vec![Part::Generative], layers: vec![LayerRates::default()], ..Default::default() };
        let text = serde_json::to_string(&config)?;
        assert!(text.contains(r#""top_steps":"3x100,6x100,10x100""#), "{text}");
        assert_eq!(serde_json::from_str::<TuneConfig>(&text)?, config);
        assert_eq!(
            serde_json::from_str::<TuneConfig>(r#"{"sleep_visible": "sampled"}"#)?.units.visible,
            Units::Sampled
        );
        for wrong in [r#"{"rate": 1}"#, r#"{"wake_units": "coins"}"#, r#"{"top_steps": "3"}"#] {
            assert!(serde_json::from_str::<TuneConfig>(wrong).is_err(), "{wrong}");
        }
        Ok(())
    }
}
