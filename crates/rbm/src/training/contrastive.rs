//! Training by contrastive divergence: what [`Trainer`] runs.

use crate::error::{Error, Result};
use crate::likelihood::LogZTracker;
use crate::model::rbm::Rbm;
use crate::training::config::TrainConfig;
use crate::training::forms::label_is_a_unit;
use crate::training::health::{TrainingWarning, warnings};
use crate::training::learner::Learner;
use crate::training::metrics::EpochMetrics;
use crate::training::rule::Rule;
use candle_core::Device;
use deepbelief_kernels::{Batch, Layers, UnitKind};
use deepbelief_training::{Labelled, Loop, Monitors, OnDivergence, Position, State};
use std::borrow::Cow;

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
    /// Of what it learns: with the label, where that is the last visible unit.
    pub(crate) layers: Layers,
    /// Of the label, 0 without one.
    pub(crate) classes: usize,
    /// Whether the label is the last visible unit.
    pub(crate) label_is_a_unit: bool,
    pub(crate) learner: Box<dyn Learner>,
    /// The learning rule of the running epoch.
    pub(crate) rule: Rule,
    /// Whether the learner remembers the weights before the last update of the epoch.
    pub(crate) remembered: bool,
    /// The estimate of ln Z along the training, once there is one.
    pub(crate) path: Option<LogZTracker>,
    pub(crate) device: Device,
}

impl Contrastive {
    /// Of an RBM that has its label apart.
    pub(crate) fn build(
        learner: Box<dyn Learner>,
        rbm: &Rbm,
        config: TrainConfig,
        path: Option<LogZTracker>,
        device: &Device,
    ) -> Result<Self> {
        config.validate()?;
        config.validate_for(rbm.layers())?;
        let (rule, classes, device) = (config.rule(0), rbm.classes(), device.clone());
        let label_is_a_unit = classes > 0 && label_is_a_unit(rbm.layers(), &config);
        let layers = if label_is_a_unit { rbm.layers().with_label(classes) } else { rbm.layers().clone() };
        Ok(Self { config, layers, classes, label_is_a_unit, learner, rule, remembered: false, path, device })
    }

    /// Classes of a label that is the last visible unit; 0 where none is.
    pub(crate) fn levels_of_label(&self) -> usize {
        if self.label_is_a_unit { self.classes } else { 0 }
    }

    /// Samples and labels as the learner takes them.
    pub(crate) fn as_learned<'a>(&self, v: &'a Batch, labels: &'a [u32]) -> (Cow<'a, Batch>, &'a [u32]) {
        if self.label_is_a_unit {
            (Cow::Owned(v.with_labels(labels, self.classes)), &[])
        } else {
            (Cow::Borrowed(v), labels)
        }
    }

    /// A minibatch as the learner takes it.
    pub(crate) fn data_as_learned(&self, data: &Labelled) -> Option<Labelled> {
        self.label_is_a_unit.then(|| Labelled {
            v: data.v.with_labels(&data.y, self.classes),
            y: Vec::new(),
            missing: data.missing.with_labels(self.classes),
            weights: data.weights.clone(),
        })
    }

    /// What looks wrong in an epoch, after so many updates in all.
    #[must_use]
    pub fn warnings(&self, metrics: &EpochMetrics, updates: u32) -> Vec<TrainingWarning> {
        warnings(metrics, self.layers.hidden.columns(), updates)
    }

    /// The learning rule at a point of the training.
    pub(crate) fn rule_at(&self, at: &Position) -> Rule {
        let (rule, factor) = (self.config.rule(at.epoch), OnDivergence::decay_factor(at.halvings));
        let (learning_rate, fast_learning_rate) = (factor * rule.learning_rate, factor * rule.fast_learning_rate);
        Rule { learning_rate, fast_learning_rate, ..rule }
    }

    /// Refuses parameters, after a batch counted from 1, beyond all that training makes of them.
    pub(crate) fn check_sane(&self, epoch: u32, batch: usize, largest: Option<f32>) -> Result<()> {
        let Some(magnitude) = largest else { return Ok(()) };
        // Written so that NaN fails it.
        if magnitude <= if self.config.centred { EXPLODED_CENTRED } else { EXPLODED } {
            return Ok(());
        }
        let (learning_rate, unbounded) = (self.rule.learning_rate, self.unbounded());
        Err(Error::Diverged { epoch: epoch + 1, batch, magnitude, learning_rate, unbounded })
    }

    /// Kind of the first units that know no bound.
    fn unbounded(&self) -> Option<UnitKind> {
        let units = self.layers.hidden.segments().iter().chain(self.layers.visible.segments());
        units.map(|segment| segment.units).find(|kind| !kind.is_discrete())
    }

    /// Refuses to go on with hidden units none of which says anything of the data: with all of
    /// them constant the gradient of the weights is that of the biases, and they stay constant.
    pub(crate) fn check_alive(&self, monitors: &Monitors, metrics: &EpochMetrics) -> Result<()> {
        let (Some(dead), Some(saturated)) = (metrics.dead_units, metrics.saturated_units) else { return Ok(()) };
        let hidden = self.layers.hidden.columns();
        if hidden < ENOUGH_TO_DIE || dead + saturated < hidden || monitors.train.rows() == 0 {
            return Ok(());
        }
        let (epoch, learning_rate, unbounded) = (metrics.epoch, metrics.learning_rate, self.unbounded());
        Err(Error::Collapsed { epoch, dead, saturated, learning_rate, unbounded })
    }
}
