//! Settings of a model. The defaults are the recipe of `dbn pretrain`, after Hinton's practical guide ("A practical guide to training restricted
//! Boltzmann machines", 2010).

use crate::error::{Result, require};
use crate::model::ranges::is_not_negative;
use crate::model::unit_mix::UnitMix;
use deepbelief_kernels::{MAX_UNITS, Segment, UnitKind, Units};
use serde::{Deserialize, Serialize};

/// Where visible biases start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum VisibleBias {
    /// log(p / (1 - p)) of each Bernoulli unit's mean p in the data (guide, section 8.1), and of other units
    /// likewise what makes independent ones have the means of the data.
    #[default]
    LogOdds,
    /// Zero.
    Zero,
}

/// A new RBM.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RbmConfig {
    /// Visible units; if absent, as many as the data have.
    pub visible: Option<usize>,
    /// What they are; if absent, all are Bernoulli. They must be the units of the data, in this project's data crate
    /// those of `Split::layer`: a training refuses data that say they are of other units.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub visible_units: Option<Units>,
    /// Hidden units.
    pub hidden: usize,
    /// What they are.
    pub hidden_units: UnitMix,
    /// Standard deviation of the initial weights.
    pub weight_std: f64,
    /// Where visible biases start.
    pub visible_bias: VisibleBias,
    /// Seed of the initial weights.
    pub seed: u64,
}

impl Default for RbmConfig {
    fn default() -> Self {
        Self {
            visible: None,
            visible_units: None,
            hidden: 500,
            hidden_units: UnitMix::default(),
            weight_std: 0.01,
            visible_bias: VisibleBias::LogOdds,
            seed: 1,
        }
    }
}

impl RbmConfig {
    /// Checks every field.
    ///
    /// # Errors
    /// [`crate::Error::Config`] names the first field out of range.
    pub fn validate(&self) -> Result<()> {
        let fits = |units: usize| (1..=MAX_UNITS).contains(&units);
        require(fits(self.hidden), "hidden", self.hidden, "between 1 and 65504 units")?;
        if let Some(visible) = self.visible {
            require(fits(visible), "visible", visible, "between 1 and 65504 units")?;
        }
        self.hidden_units.validate(self.hidden)?;
        if let Some(units) = &self.visible_units {
            let levels = |segment: &Segment| segment.units == UnitKind::Categorical || segment.levels == 1;
            let fits = units.segments().iter().all(levels);
            require(fits, "visible_units", units, "of one level each, unless they are categorical")?;
            let fits = self.visible.is_none_or(|visible| visible == units.columns());
            require(fits, "visible_units", units, "as many columns as the data have")?;
        }
        let std = self.weight_std;
        require(is_not_negative(std), "weight_std", std, "zero or a positive 32-bit number")
    }
}
