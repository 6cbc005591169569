//! What settings of a training are where nobody says anything.

use crate::model::unit_mix::UnitMix;
use crate::training::cd_steps::CdSteps;
use crate::training::config::{MissingAs, Sampler, TrainConfig};
use crate::training::optimizer::Optimizer;
use crate::training::rule::VisibleStates;
use crate::training::schedule::Schedule;
use crate::training::sums::Sums;
use deepbelief_kernels::{Precision, UnitKind};
use deepbelief_training::OnDivergence;

/// The largest rate of Adam, whose steps do not shrink with the gradient.
const RATE_OF_ADAM: f64 = 1e-3;

/// The largest rate with ReLU and dReLU units, which know no bound.
const RATE_OF_RELUS: f64 = 0.01;

/// The same with spins: the difference of their two values is twice that of bits, in the gradient and in what a step does.
const RATE_OF_SPINS: f64 = 0.025;

impl Default for TrainConfig {
    fn default() -> Self {
        Self {
            epochs: 30,
            learning_rate: 0.1,
            schedule: Schedule::Exponential,
            final_learning_rate: 0.005,
            optimizer: Optimizer::Sgd,
            beta1: 0.9,
            beta2: 0.999,
            epsilon: 1e-8,
            momentum: 0.5,
            final_momentum: 0.9,
            momentum_switch: 5,
            weight_cost: 1e-4,
            l1_cost: 0.0,
            l1b_cost: 0.0,
            cd_steps: CdSteps::from(1),
            persistent_chains: 0,
            sampler: Sampler::Gibbs,
            fast_learning_rate: 0.01,
            temperatures: 10,
            centred: false,
            averaging: 0.0,
            log_z_every: 0,
            pseudo_every: 0,
            visible_states: VisibleStates::Sampled,
            missing_as: MissingAs::Sampled,
            sums: Sums::Float,
            sparsity_target: 0.1,
            sparsity_cost: 0.0,
            tolerance: 0.0,
            patience: 0,
            on_divergence: OnDivergence::Stop,
            seed: 1,
            precision: Precision::default(),
            threads: 0,
        }
    }
}

impl TrainConfig {
    /// The last rate of a training that begins at `rate`: that of these settings, but where the rate would rise to it, the
    /// same share of the first as in these settings.
    #[must_use]
    pub fn last_rate(&self, rate: f64) -> f64 {
        let last = self.final_learning_rate;
        if last <= rate { last } else { rate * last / self.learning_rate }
    }

    /// These settings with rates that hidden units of these kinds and an optimizer bear: at most that of Adam, or of ReLU,
    /// dReLU or spin units. The final rate keeps its share.
    #[must_use]
    pub fn fitted(self, hidden: &UnitMix, optimizer: Optimizer) -> Self {
        let any = |kinds: &[UnitKind]| !hidden.all(|kind| !kinds.contains(&kind));
        let rate = match optimizer {
            Optimizer::Adam => RATE_OF_ADAM,
            Optimizer::Sgd if any(&[UnitKind::Relu, UnitKind::Drelu]) => RATE_OF_RELUS,
            Optimizer::Sgd if any(&[UnitKind::Spin]) => RATE_OF_SPINS,
            Optimizer::Sgd => return Self { optimizer, ..self },
        };
        let last = self.final_learning_rate * rate / self.learning_rate;
        Self { optimizer, learning_rate: rate, final_learning_rate: last, ..self }
    }
}
