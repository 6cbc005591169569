//! Training by contrastive divergence: what [`Trainer`] runs.

use crate::cd::Draws;
use crate::config::{Rule, TrainConfig};
use crate::error::{Error, Result};
use crate::health::{TrainingWarning, warnings};
use crate::hidden::HiddenUnits;
use crate::labels::LabelGroup;
use crate::learned::Learned;
use crate::learner::{self, Learner};
use crate::likelihood::LogZTracker;
use crate::metrics::EpochMetrics;
use crate::rbm::Rbm;
use crate::state;
use candle_core::Device;
use deepbelief_kernels::Parameters;
use deepbelief_training::{EpochEnd, Labelled, Loop, Monitors, OnDivergence, Position, State, Training};

/// Trains one RBM.
pub type Trainer = Loop<Contrastive>;

/// A look at a training in progress.
pub type Snapshot<'a> = deepbelief_training::Snapshot<'a, Contrastive>;

/// Everything that a [`Trainer`] resumes from.
pub type TrainState = State<Contrastive>;

/// The best model so far: of those epochs that have an estimate of ln Z ([`TrainConfig::log_z_every`]), the one in
/// which validation samples were most probable. Its cost is minus their mean ln p(v).
pub type Best = deepbelief_training::Best<Rbm>;

/// Parameters beyond this magnitude are divergence: trained ones stay near ten, and a unit with
/// such an input is a constant.
const EXPLODED: f32 = 100.0;

/// The same where learning is centred: biases then make up for the sums of many weights, as where most
/// pixels are on, and are as large as those.
const EXPLODED_CENTRED: f32 = 2000.0;

/// Hidden units from which on a layer without a single one that varies is a failure: a few may
/// well be constant together for a while, or because there is nothing else to say of the data.
const ENOUGH_TO_DIE: usize = 8;

/// An RBM in training by contrastive divergence.
pub struct Contrastive {
    pub(crate) config: TrainConfig,
    pub(crate) sizes: Sizes,
    pub(crate) learner: Box<dyn Learner>,
    /// The learning rule of the running epoch.
    pub(crate) rule: Rule,
    /// Whether the learner remembers the weights before the last update of the epoch.
    pub(crate) remembered: bool,
    /// The estimate of ln Z along the training, once there is one.
    pub(crate) path: Option<LogZTracker>,
    device: Device,
}

/// What training leaves as it is.
#[derive(Clone, Copy)]
pub(crate) struct Sizes {
    pub(crate) visible: usize,
    pub(crate) hidden: usize,
    pub(crate) hidden_units: HiddenUnits,
    pub(crate) classes: usize,
}

impl Contrastive {
    fn build(
        learner: Box<dyn Learner>,
        sizes: Sizes,
        config: TrainConfig,
        path: Option<LogZTracker>,
        device: &Device,
    ) -> Result<Self> {
        config.validate()?;
        config.validate_for(sizes.hidden_units)?;
        let rule = config.rule(0);
        Ok(Self { config, sizes, learner, rule, remembered: false, path, device: device.clone() })
    }

    /// What looks wrong in an epoch, after so many updates in all.
    #[must_use]
    pub fn warnings(&self, metrics: &EpochMetrics, updates: u32) -> Vec<TrainingWarning> {
        warnings(metrics, self.sizes.hidden, updates)
    }

    /// The learning rule at a point of the training.
    fn rule_at(&self, at: &Position) -> Rule {
        let (rule, factor) = (self.config.rule(at.epoch), OnDivergence::decay_factor(at.halvings));
        let (learning_rate, fast_learning_rate) = (factor * rule.learning_rate, factor * rule.fast_learning_rate);
        Rule { learning_rate, fast_learning_rate, ..rule }
    }

    /// Refuses parameters, after a batch counted from 1, beyond all that training makes of them.
    fn check_sane(&self, epoch: u32, batch: usize, largest: Option<f32>) -> Result<()> {
        let Some(magnitude) = largest else { return Ok(()) };
        // Written so that NaN fails it.
        if magnitude <= if self.config.centred { EXPLODED_CENTRED } else { EXPLODED } {
            return Ok(());
        }
        let (learning_rate, hidden_units) = (self.rule.learning_rate, self.sizes.hidden_units);
        Err(Error::Diverged { epoch: epoch + 1, batch, magnitude, learning_rate, hidden_units })
    }

    /// Refuses to go on with hidden units none of which says anything of the data: with all of
    /// them constant the gradient of the weights is that of the biases, and they stay constant.
    fn check_alive(&self, monitors: &Monitors, metrics: &EpochMetrics) -> Result<()> {
        let (Some(dead), Some(saturated)) = (metrics.dead_units, metrics.saturated_units) else { return Ok(()) };
        let hidden = self.sizes.hidden;
        if hidden < ENOUGH_TO_DIE || dead + saturated < hidden || monitors.train.rows() == 0 {
            return Ok(());
        }
        Err(Error::Collapsed { epoch: metrics.epoch, dead, saturated, learning_rate: metrics.learning_rate })
    }
}

impl Training for Contrastive {
    type Model = Rbm;
    type Config = TrainConfig;
    type Learned = Learned;
    type Metrics = EpochMetrics;
    type Error = Error;

    const MEASURES_START: bool = false;
    const NEED_OF_LABELS: &'static str = "the label group of the model needs; train a model without one";

    /// On the device where the RBM is.
    fn start(rbm: &Rbm, config: TrainConfig) -> Result<Self> {
        let learner = learner::start(rbm, &config)?;
        Self::build(learner, Sizes::of(rbm), config, None, rbm.w_rec().device())
    }

    fn restore(learned: Learned, config: TrainConfig, at: &Position, device: &Device) -> Result<Self> {
        learned.require_methods(&config, at)?;
        let sizes = Sizes::of(&learned.rbm()?);
        let path = learned.path.clone().map(|path| LogZTracker::resume(path, config.seed));
        let learner = learner::resume(learned, &config, device)?;
        Self::build(learner, sizes, config, path, device)
    }

    fn config(&self) -> &TrainConfig {
        &self.config
    }

    fn device(&self) -> &Device {
        &self.device
    }

    fn visible(&self) -> usize {
        self.sizes.visible
    }

    fn classes(&self) -> usize {
        self.sizes.classes
    }

    fn model(&self) -> Result<Rbm> {
        self.learner.rbm()
    }

    fn learned(&self) -> Result<Learned> {
        let Self { sizes, learner, path, .. } = self;
        Ok(Learned {
            visible: sizes.visible,
            hidden: sizes.hidden,
            hidden_units: sizes.hidden_units,
            parameters: learner.parameters()?,
            velocities: learner.velocities()?,
            chains: learner.chains()?,
            memory: learner.memory()?,
            path: path.as_ref().map(|path| path.state().clone()),
        })
    }

    fn at_rest(mut learned: Learned) -> Result<Learned> {
        let Parameters { w_rec, hb, vb, label_w, label_b } = &mut learned.velocities;
        for velocities in [w_rec, hb, vb, label_w, label_b] {
            velocities.fill(0.0);
        }
        Ok(learned)
    }

    fn begin_epoch(&mut self, at: &Position) {
        self.rule = self.rule_at(at);
        self.remembered = false;
    }

    fn rate(&self, at: &Position) -> f64 {
        self.rule_at(at).learning_rate
    }

    fn update(&mut self, data: &Labelled, at: &Position) -> Result<()> {
        let draws = Draws { seed: self.config.seed, step: at.step };
        let largest = self.learner.learn(data, &self.rule, draws, &self.config)?;
        self.check_sane(at.epoch, at.batch + 1, largest)
    }

    fn remember(&mut self) -> Result<()> {
        self.remembered = true;
        self.learner.remember()
    }

    fn finish_epoch(&mut self, at: &Position) -> Result<()> {
        let largest = self.learner.largest()?;
        self.check_sane(at.epoch, at.batch, largest)
    }

    fn measure(&mut self, monitors: &Monitors, end: &EpochEnd) -> Result<EpochMetrics> {
        let metrics = self.measure_epoch(monitors, end.epoch)?;
        self.check_alive(monitors, &metrics)?;
        Ok(metrics)
    }

    fn is_divergence(error: &Error) -> bool {
        matches!(error, Error::Diverged { .. } | Error::Collapsed { .. })
    }

    fn save(state: &TrainState, path: &std::path::Path) -> Result<()> {
        state::save(path, state)
    }

    fn load(path: &std::path::Path) -> Result<TrainState> {
        state::load(path)
    }
}

impl Sizes {
    fn of(rbm: &Rbm) -> Self {
        Self {
            visible: rbm.visible(),
            hidden: rbm.hidden(),
            hidden_units: rbm.hidden_units(),
            classes: rbm.labels().map_or(0, LabelGroup::classes),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RbmConfig;
    use deepbelief_kernels::{Batch, Bits, Minibatches};

    struct Once(Batch);

    impl Minibatches for Once {
        fn samples(&self) -> usize {
            self.0.rows()
        }
        fn units(&self) -> usize {
            self.0.units()
        }
        fn batches(&self) -> usize {
            1
        }
        fn start_epoch(&mut self, _: u32) {}
        fn fill(&mut self, _: usize, batch: &mut Batch) {
            *batch = self.0.clone();
        }
    }

    /// Of a state with velocities: the parameters are its own, the velocities zero; a halving halves both rates.
    #[test]
    fn at_rest_nothing_moves_and_a_halving_halves_the_rates() {
        let rbm = Rbm::new(&RbmConfig::default(), &[0.4; 6], &Device::Cpu).unwrap();
        let batch = Batch::Binary(Bits::from_values(2, 6, &[1., 0., 0., 1., 1., 0., 0., 1., 0., 0., 1., 1.]));
        let config = TrainConfig { epochs: 2, on_divergence: OnDivergence::HalveLr, ..Default::default() };
        let mut trainer = Trainer::new(&rbm, config).unwrap();
        let monitors = Monitors { train: batch.clone(), ..Default::default() };
        trainer.fit(&mut Once(batch), &monitors, &mut ()).unwrap();
        let state = trainer.snapshot().state().unwrap();
        let velocities = &state.learned.velocities;
        assert!(velocities.w_rec.iter().any(|&x| x != 0.0) && velocities.vb.iter().any(|&x| x != 0.0));
        let rested = Contrastive::at_rest(state.learned.clone()).unwrap();
        assert!(rested.parameters == state.learned.parameters);
        let Parameters { w_rec, hb, vb, label_w, label_b } = &rested.velocities;
        assert!([w_rec, hb, vb, label_w, label_b].into_iter().flatten().all(|&x| x == 0.0));
        let rates = |halvings| {
            let rule = trainer.snapshot().training().rule_at(&Position { halvings, ..state.position });
            [rule.learning_rate, rule.fast_learning_rate]
        };
        assert_eq!(rates(1), rates(0).map(|rate| 0.5 * rate));
    }
}
