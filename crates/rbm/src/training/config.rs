//! Settings of a training. The defaults are the recipe of `dbn pretrain`, after Hinton's practical guide
//! ("A practical guide to training restricted Boltzmann machines", 2010).

use crate::error::{Error, Result, require};
use crate::model::ranges::{is_not_negative, is_positive};
use crate::training::cd_steps::CdSteps;
use crate::training::optimizer::Optimizer;
use crate::training::rule::{Rule, VisibleStates};
use crate::training::schedule::Schedule;
use crate::training::sums::Sums;
use candle_core::Device;
use deepbelief_kernels::{AdamDecays, Descent, Layers, Precision, UnitKind};
use deepbelief_training::{DEVICES, OnDivergence, Settings, validate_threads};
use serde::{Deserialize, Serialize};

/// What moves persistent chains.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sampler {
    /// Gibbs steps of the model (Tieleman 2008).
    #[default]
    Gibbs,
    /// Gibbs steps under weights that run ahead of the model's (Tieleman & Hinton 2009).
    Fast,
    /// Gibbs steps at several inverse temperatures, between which states are swapped: parallel
    /// tempering (Desjardins et al. 2010).
    Tempered,
    /// Gibbs steps of the model and of earlier ones of the training, between which states are swapped:
    /// trajectory parallel tempering (Béreux et al. 2024). The rate must be so small that one update
    /// leaves a model near the one before.
    Trajectory,
}

/// What becomes of missing values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MissingAs {
    /// They are drawn given the rest of their sample, which maximises the likelihood of what was observed. Each goes
    /// on from its last value, by one Gibbs step an update.
    #[default]
    Sampled,
    /// Their units are left out: each sample has an RBM of the units it has, with shared weights (Salakhutdinov,
    /// Mnih & Hinton 2007). What is missing must say nothing of the sample.
    Excluded,
}

impl MissingAs {
    /// Whether they are drawn.
    #[must_use]
    pub fn is_sampled(&self) -> bool {
        *self == Self::Sampled
    }
}

/// Training of one RBM.
///
/// Hidden states are sampled wherever they drive a reconstruction; the statistics use the
/// hidden probabilities, of the data and of the last reconstruction (guide, section 3).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TrainConfig {
    /// Passes over the data.
    pub epochs: u32,
    /// Step size, per mean gradient of a batch.
    pub learning_rate: f64,
    /// How the step size moves over the epochs.
    pub schedule: Schedule,
    /// Step size of the last epoch, unless the schedule is constant.
    pub final_learning_rate: f64,
    /// How parameters follow their gradient. Adam takes small rates, such as 0.001.
    pub optimizer: Optimizer,
    /// Share of the mean gradient that Adam keeps.
    pub beta1: f64,
    /// Share of the mean squared gradient that Adam keeps.
    pub beta2: f64,
    /// What Adam adds to the root of the mean squared gradient: parameters whose gradient is smaller hardly move.
    pub epsilon: f64,
    /// Share of the last step kept in the next, in the first epochs.
    pub momentum: f64,
    /// The same from epoch `momentum_switch` on.
    pub final_momentum: f64,
    /// Epochs trained with the first momentum.
    pub momentum_switch: u32,
    /// L2 cost of the weights.
    pub weight_cost: f64,
    /// L1 cost of the weights.
    pub l1_cost: f64,
    /// L1b cost of the weights (Tubiana, Cocco & Monasson 2019), `λ / (2 V) sum over u of (sum over i of |W_iu|)²` for V
    /// visible columns: it makes the weights of each hidden unit few.
    pub l1b_cost: f64,
    /// Gibbs steps of the negative phase, of persistent chains too; they may grow with the epochs.
    pub cd_steps: CdSteps,
    /// Persistent chains (Tieleman 2008); 0 starts every chain from the data (Hinton 2002).
    pub persistent_chains: usize,
    /// What moves persistent chains.
    pub sampler: Sampler,
    /// Step size of the fast weights, per mean gradient of a batch; they lose a twentieth of themselves an
    /// update. Only the fast sampler has them.
    pub fast_learning_rate: f64,
    /// Inverse temperatures of the tempered sampler, from 0 to 1; every chain has a replica at each. They
    /// adapt until neighbours swap equally often. Of the sampler trajectory, models at most.
    pub temperatures: usize,
    /// Takes states relative to their means (Melchior et al. 2016): the same model, and learning that does
    /// not depend on which state is called on.
    pub centred: bool,
    /// Share of the mean of the models so far that each update keeps, such as 0.999: that mean is the
    /// model which is measured and saved. 0 keeps the last model alone.
    pub averaging: f64,
    /// Epochs between estimates of ln Z along the training; 0 makes none. They are for the curve, and to keep
    /// the best model by: what [`crate::likelihood::annealed_importance`] finds at the end may be some nats
    /// larger.
    pub log_z_every: u32,
    /// Epochs between measurements of the pseudo-likelihood, which draws one unit of each sample
    /// ([`crate::likelihood::pseudo_log_likelihood`]); 0 makes none.
    #[serde(skip_serializing_if = "is_zero")]
    pub pseudo_every: u32,
    /// What the reconstruction's visible units are.
    pub visible_states: VisibleStates,
    /// What becomes of missing values.
    #[serde(skip_serializing_if = "MissingAs::is_sampled")]
    pub missing_as: MissingAs,
    /// How the statistics of a minibatch are added up.
    #[serde(skip_serializing_if = "Sums::is_float")]
    pub sums: Sums,
    /// Mean hidden probability that `sparsity_cost` pulls towards.
    pub sparsity_target: f64,
    /// Strength of that pull; 0 turns it off.
    pub sparsity_cost: f64,
    /// Stops when the reconstruction cost changes by at most this much from one epoch to the
    /// next, in nats per sample; 0 turns it off.
    pub tolerance: f64,
    /// Stops when the validation reconstruction cost has had no new best for this many epochs
    /// and the gap between validation and training free energy is wider than it was at the
    /// best; 0 turns it off. It needs validation data.
    pub patience: u32,
    /// What becomes of a training that diverges.
    pub on_divergence: OnDivergence,
    /// Seed of everything drawn during training.
    pub seed: u64,
    /// What products are computed in on a GPU; on the CPU it must be F32.
    #[serde(skip_serializing_if = "Precision::is_f32")]
    pub precision: Precision,
    /// Threads; 0 takes one a core. The result does not depend on it.
    pub threads: usize,
}

/// What came later is left out where nobody asks for it: a file then says what it always said.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks by reference")]
fn is_zero(every: &u32) -> bool {
    *every == 0
}

/// Where some methods are not available.
pub(crate) const WITH_EXACT_SUMS: &str = "with exact sums, which training on several ranks takes";

/// Temperatures at most: each has a place of its own among the random numbers.
pub(crate) const MOST_TEMPERATURES: usize = 250;

impl TrainConfig {
    /// Refuses a rate that would rise. States of trainings whose rate rose are resumed as they were.
    pub(crate) fn require_falling(&self) -> Result<()> {
        require(
            self.schedule == Schedule::Constant || self.final_learning_rate <= self.learning_rate,
            "final_learning_rate",
            self.final_learning_rate,
            "at most learning_rate, unless the schedule is constant",
        )
    }

    /// Checks every field.
    ///
    /// # Errors
    /// [`crate::Error::Config`] names the first field out of range.
    pub fn validate(&self) -> Result<()> {
        let share = |x: f64| (0.0..1.0).contains(&x);
        require(self.epochs > 0, "epochs", self.epochs, "at least 1")?;
        require(is_positive(self.learning_rate), "learning_rate", self.learning_rate, "a positive 32-bit number")?;
        let rate = self.final_learning_rate;
        require(
            self.schedule == Schedule::Constant || is_positive(rate),
            "final_learning_rate",
            rate,
            "a positive 32-bit number unless the schedule is constant",
        )?;
        require(share(self.beta1), "beta1", self.beta1, "at least 0 and below 1")?;
        require(share(self.beta2), "beta2", self.beta2, "at least 0 and below 1")?;
        require(is_positive(self.epsilon), "epsilon", self.epsilon, "a positive 32-bit number")?;
        require(share(self.momentum), "momentum", self.momentum, "at least 0 and below 1")?;
        require(share(self.final_momentum), "final_momentum", self.final_momentum, "at least 0 and below 1")?;
        require(
            is_not_negative(self.weight_cost),
            "weight_cost",
            self.weight_cost,
            "zero or a positive 32-bit number",
        )?;
        require(is_not_negative(self.l1_cost), "l1_cost", self.l1_cost, "zero or a positive 32-bit number")?;
        require(is_not_negative(self.l1b_cost), "l1b_cost", self.l1b_cost, "zero or a positive 32-bit number")?;
        self.cd_steps.validate()?;
        let chains = self.persistent_chains;
        require(chains <= 1_000_000, "persistent_chains", chains, "at most 1000000")?;
        require(
            self.sampler == Sampler::Gibbs || chains > 0,
            "persistent_chains",
            chains,
            "at least 1 unless the sampler is gibbs",
        )?;
        let together = chains == 0 || self.missing_as.is_sampled();
        require(together, "missing_as", "excluded", "sampled where chains are persistent: they belong to no sample")?;
        let rate = self.fast_learning_rate;
        require(is_positive(rate), "fast_learning_rate", rate, "a positive 32-bit number")?;
        let temperatures = self.temperatures;
        require((2..=MOST_TEMPERATURES).contains(&temperatures), "temperatures", temperatures, "between 2 and 250")?;
        let swaps = matches!(self.sampler, Sampler::Tempered | Sampler::Trajectory);
        let sampled = !swaps || self.visible_states == VisibleStates::Sampled;
        require(sampled, "visible_states", "probabilities", "sampled where the sampler swaps states")?;
        require(share(self.averaging), "averaging", self.averaging, "at least 0 and below 1")?;
        let target = self.sparsity_target;
        require(target > 0.0 && target < 1.0, "sparsity_target", target, "above 0 and below 1")?;
        require(
            is_not_negative(self.sparsity_cost),
            "sparsity_cost",
            self.sparsity_cost,
            "zero or a positive 32-bit number",
        )?;
        self.require_exact()?;
        require(is_not_negative(self.tolerance), "tolerance", self.tolerance, "zero or a positive 32-bit number")?;
        Ok(validate_threads(self.threads)?)
    }

    /// Checks what depends on what the units are. Where visible units are not known yet, as before data are read, what
    /// depends on them is left for later.
    ///
    /// # Errors
    /// [`Error::Config`] for units that no training has, and for a sparsity cost of units that have no probability;
    /// [`Error::Method`] for a method that is not there for these units.
    pub fn validate_for(&self, layers: &Layers) -> Result<()> {
        let (cost, expected) = (self.sparsity_cost, "0 unless hidden units are bernoulli: others have no probability");
        require(layers.hidden.is_bernoulli() || cost == 0.0, "sparsity_cost", cost, expected)?;
        let (visible, hidden) = (&layers.visible, &layers.hidden);
        let known = visible.all(|kind| kind.is_discrete() || kind == UnitKind::Gaussian);
        require(known, "visible_units", visible.kinds(), "bernoulli, spin, categorical or gaussian to be trained")?;
        let known = hidden.all(|kind| kind != UnitKind::Categorical);
        require(known, "hidden_units", hidden.kinds(), "bernoulli, spin, gaussian, relu or drelu to be trained")?;
        let gaussian = |kind| kind == UnitKind::Gaussian;
        if self.log_z_every > 0 && visible.any(gaussian) && hidden.any(gaussian) {
            let place = "where gaussian hidden units stand over gaussian visible ones: they may have no distribution on \
                         the way to one";
            return Err(Error::Method { name: "log_z_every", place });
        }
        if !visible.is_bernoulli() && !self.missing_as.is_sampled() {
            return Err(Error::Method { name: "missing_as", place: "unless visible units are bernoulli" });
        }
        Ok(())
    }

    /// Refuses chains that meet, beside exact sums.
    fn require_exact(&self) -> Result<()> {
        let swaps = matches!(self.sampler, Sampler::Tempered | Sampler::Trajectory);
        if swaps && self.sums == Sums::Exact {
            return Err(Error::Method { name: "a sampler that swaps states", place: WITH_EXACT_SUMS });
        }
        Ok(())
    }

    /// Refuses what only the engine for all kinds of units has, and that is on the CPU.
    fn require_plain_descent(&self) -> Result<()> {
        let place = "on a GPU";
        let asked = [
            ("optimizer", self.optimizer != Optimizer::Sgd),
            ("l1b_cost", self.l1b_cost > 0.0),
            ("sums", self.sums == Sums::Exact),
        ];
        match asked.into_iter().find(|&(_, asked)| asked) {
            Some((name, _)) => Err(Error::Method { name, place }),
            None => Ok(()),
        }
    }

    /// What steps are taken by.
    pub(crate) fn descent(&self) -> Descent {
        Descent { adam: self.adam(), l1b: self.l1b_cost as f32 }
    }

    fn adam(&self) -> Option<AdamDecays> {
        let Self { beta1, beta2, epsilon, .. } = *self;
        (self.optimizer == Optimizer::Adam).then_some(AdamDecays { beta1, beta2, epsilon })
    }

    /// The first setting that asks for a method of learning which only engines have.
    pub(crate) fn asks_for_an_engine(&self) -> Option<&'static str> {
        let asked = [
            ("sampler", self.sampler != Sampler::Gibbs),
            ("centred", self.centred),
            ("averaging", self.averaging > 0.0),
            ("missing_as", !self.missing_as.is_sampled()),
            ("sums", self.sums == Sums::Exact),
        ];
        asked.into_iter().find(|&(_, asked)| asked).map(|(name, _)| name)
    }

    /// Checks what depends on the device that the training is to run on.
    ///
    /// # Errors
    /// [`crate::Error::Config`] for a device without kernels in this build, and for a precision that it
    /// does not have.
    pub fn validate_on(&self, device: &Device, layers: &Layers) -> Result<()> {
        let ours = device.is_cpu() || cfg!(feature = "cuda") && device.is_cuda();
        require(ours, "device", format!("{device:?}"), DEVICES)?;
        if !device.is_cpu() {
            self.require_plain_descent()?;
        }
        if let Some(name) = self.asks_for_an_engine().filter(|_| !device.is_cpu() && !layers.are_bernoulli()) {
            return Err(Error::Method { name, place: "on a GPU unless all units are bernoulli" });
        }
        let choice = !device.is_cpu() && layers.are_bernoulli();
        let expected = "f32 on the CPU, and unless all units are bernoulli";
        require(choice || self.precision.is_f32(), "precision", self.precision, expected)
    }

    /// The learning rule of an epoch, counted from 0.
    #[must_use]
    pub fn rule(&self, epoch: u32) -> Rule {
        Rule {
            learning_rate: self.schedule.at(self.learning_rate, self.final_learning_rate, epoch, self.epochs),
            momentum: if epoch < self.momentum_switch { self.momentum } else { self.final_momentum },
            weight_cost: self.weight_cost,
            l1_cost: self.l1_cost,
            l1b_cost: self.l1b_cost,
            adam: self.adam(),
            cd_steps: self.cd_steps.at(epoch),
            visible_states: self.visible_states,
            sparsity_target: self.sparsity_target,
            sparsity_cost: self.sparsity_cost,
            fast_learning_rate: self.fast_learning_rate,
        }
    }
}

impl Settings for TrainConfig {
    fn epochs(&self) -> u32 {
        self.epochs
    }

    fn patience(&self) -> u32 {
        self.patience
    }

    fn tolerance(&self) -> f64 {
        self.tolerance
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
    fn schedules_start_and_end_where_they_say() {
        for schedule in [Schedule::Linear, Schedule::Exponential] {
            let config = TrainConfig { schedule, epochs: 11, ..Default::default() };
            let rate = |epoch| config.rule(epoch).learning_rate;
            assert!((rate(0) - 0.1).abs() < 1e-12 && (rate(10) - 0.005).abs() < 1e-12);
            let middle = if schedule == Schedule::Linear { 0.0525 } else { 0.1 * 0.05_f64.sqrt() };
            assert!((rate(5) - middle).abs() < 1e-12);
        }
        let config = TrainConfig::default();
        assert_eq!(config.rule(4).momentum, 0.5);
        assert_eq!(config.rule(5).momentum, 0.9);
        let config = TrainConfig { cd_steps: "1x2+5".parse().unwrap(), ..config };
        assert_eq!((config.rule(1).cd_steps, config.rule(2).cd_steps), (1, 5));
    }

    #[test]
    fn a_setting_out_of_range_is_named() {
        let bad = TrainConfig { momentum: 1.0, ..Default::default() };
        assert_eq!(
            bad.validate().map_err(|e| e.to_string()),
            Err("momentum is 1; it must be at least 0 and below 1".into())
        );
        let bad = TrainConfig { learning_rate: f64::NAN, ..Default::default() };
        assert!(bad.validate().is_err());
        let bad = crate::RbmConfig { hidden: 0, ..Default::default() };
        assert!(bad.validate().is_err());
    }
}
