//! Greedy layer-wise training (Hinton, Osindero & Teh 2006, section 4; Bengio et al. 2007).
//!
//! Each RBM learns the distribution of what the layer below it makes of the data, and is not
//! changed afterwards; the last one becomes the undirected top, with the label group if there
//! are classes. Training can stop after any batch and resume, bit for bit as if it had not.

use crate::config::{StackConfig, Start};
use crate::dbn::Dbn;
use crate::error::{Error, Result};
use crate::memory::Plan;
use crate::propagate::{Dealing, Propagated, raise};
use crate::state::{GreedyState, run_of_layer};
use crate::survey;
use candle_core::{Device, Tensor};
use deepbelief_kernels::{Batch, Minibatches, Stream, Uniforms};
use deepbelief_ranks::{Alone, Group};
use deepbelief_rbm::{
    Contrastive, Control, EpochMetrics, Error as RbmError, LabelGroup, Monitors, Observer, ObserverResult, Outcome,
    Progress, Rbm, RbmConfig, Snapshot, TrainState, Trainer, UnitKind, UnitMix, Units,
};
use deepbelief_training::{check_data, notify, pool};
use std::sync::Arc;

/// What is about to train.
#[derive(Clone, Copy, Debug)]
pub struct LayerStart<'a> {
    /// The layer, from 0.
    pub layer: usize,
    /// Units below it.
    pub visible: usize,
    /// Its hidden units.
    pub hidden: usize,
    /// Their type.
    pub hidden_units: &'a UnitMix,
    /// Classes of its label group, 0 without one.
    pub classes: usize,
    /// How its input is held; none at the bottom, which reads the data.
    pub plan: Option<Plan>,
    /// Epochs of this layer that an earlier run has done.
    pub epochs_done: u32,
    /// The layers trained so far, from the bottom.
    pub finished: &'a [Rbm],
}

/// Watches a greedy training: batches and epochs of the running layer as an [`Observer`] does
/// (with its number in the metrics), and the layers themselves.
pub trait StackObserver: Observer<Contrastive> {
    /// Before a layer trains, from its start or from where it was interrupted.
    ///
    /// # Errors
    /// An error ends the training.
    fn layer_started(&mut self, start: &LayerStart<'_>) -> ObserverResult {
        let _ = start;
        Ok(Control::Continue)
    }

    /// After a layer is trained; `finished` ends with it.
    ///
    /// # Errors
    /// An error ends the training.
    fn layer_done(&mut self, layer: usize, finished: &[Rbm]) -> ObserverResult {
        let _ = (layer, finished);
        Ok(Control::Continue)
    }
}

/// Watches nothing.
impl StackObserver for () {}

/// A function of an epoch's metrics watches every epoch.
impl<F: FnMut(&EpochMetrics) + Send> StackObserver for F {}

/// Numbers the epochs of a layer for the observer of the stack.
struct OfLayer<'a> {
    layer: u32,
    observer: &'a mut dyn StackObserver,
}

impl Observer<Contrastive> for OfLayer<'_> {
    fn batch_done(&mut self, progress: &Progress) -> Control {
        self.observer.batch_done(progress)
    }

    fn recovered(&mut self, from: &deepbelief_rbm::Error, learning_rate: f64) {
        self.observer.recovered(from, learning_rate);
    }

    fn epoch_done(&mut self, metrics: &EpochMetrics, snapshot: &Snapshot<'_>) -> ObserverResult {
        self.observer.epoch_done(&EpochMetrics { layer: self.layer, ..metrics.clone() }, snapshot)
    }
}

/// Trains a stack of RBMs, one after the other.
///
/// ```
/// use deepbelief_kernels::{Batch, Minibatches};
/// use deepbelief_rbm::{Monitors, Outcome, TrainConfig};
/// use deepbelief_stack::{Greedy, LayerConfig, StackConfig};
///
/// struct Ones;
/// impl Minibatches for Ones {
///     fn samples(&self) -> usize { 4 }
///     fn units(&self) -> usize { 6 }
///     fn batches(&self) -> usize { 1 }
///     fn start_epoch(&mut self, _: u32) {}
///     fn fill(&mut self, _: usize, batch: &mut Batch) { batch.make_real(4, 6).fill(1.0) }
/// }
///
/// # fn main() -> Result<(), deepbelief_stack::Error> {
/// let train = TrainConfig { epochs: 2, ..Default::default() };
/// let layer = |hidden| LayerConfig { hidden, train: train.clone(), ..Default::default() };
/// let config = StackConfig { layers: vec![layer(5), layer(3)], ..Default::default() };
/// let mut shown = Batch::default();
/// Ones.fill(0, &mut shown);
///
/// let mut greedy = Greedy::new(config)?;
/// let monitors = Monitors { train: shown, ..Default::default() };
/// assert_eq!(greedy.fit(&mut Ones, &monitors, &mut ())?, Outcome::Finished);
/// assert_eq!(greedy.dbn()?.sizes(), [6, 5, 3]);
/// # Ok(())
/// # }
/// ```
pub struct Greedy {
    config: StackConfig,
    /// Where layers are trained.
    device: Device,
    /// For the passes up between trainings; a trainer has its own.
    pool: rayon::ThreadPool,
    finished: Vec<Rbm>,
    running: Option<TrainState>,
    run: Option<String>,
    group: Arc<dyn Group>,
}

impl Greedy {
    /// Starts from nothing.
    ///
    /// # Errors
    /// [`Error::Config`] or [`Error::LayerConfig`] for a setting out of range.
    pub fn new(config: StackConfig) -> Result<Self> {
        Self::resume(config, GreedyState::default())
    }

    /// Continues a training; with the same settings and data the result is, bit for bit, that of
    /// one that never stopped.
    ///
    /// # Errors
    /// [`Error::Config`] or [`Error::LayerConfig`] for a setting out of range,
    /// [`deepbelief_training::Error::Resume`] if the state has other layers.
    pub fn resume(config: StackConfig, state: GreedyState) -> Result<Self> {
        config.validate()?;
        state.check(&config)?;
        let pool = pool(config.threads)?;
        let GreedyState { finished, running } = state;
        Ok(Self { config, device: Device::Cpu, pool, finished, running, run: None, group: Arc::new(Alone) })
    }

    /// The same training on `device`; the passes up between trainings stay on the CPU, and so does
    /// the finished model.
    ///
    /// # Errors
    /// [`Error::LayerConfig`] for a device without kernels in this build, or a precision that it does not
    /// have.
    pub fn on(mut self, device: &Device) -> Result<Self> {
        for (layer, config) in self.config.layers.iter().enumerate() {
            let visible = self.config.visible_units.clone().filter(|_| layer == 0).unwrap_or_default();
            let fits = config.train.validate_on(device, &config.units(visible));
            fits.map_err(|source| Error::LayerConfig { layer, source })?;
        }
        self.device = device.clone();
        Ok(self)
    }

    /// The same training as one of several ranks, which make the same calls: see [`deepbelief_training::Loop::among`].
    #[must_use]
    pub fn among(mut self, group: &Arc<dyn Group>) -> Self {
        self.group = Arc::clone(group);
        self
    }

    /// Names the run that states of the running layer are of: see [`GreedyState::require_run`].
    #[must_use]
    pub fn of_run(mut self, run: impl Into<String>) -> Self {
        self.run = Some(run.into());
        self
    }

    /// What to resume from.
    #[must_use]
    pub fn state(&self) -> GreedyState {
        GreedyState { finished: self.finished.clone(), running: self.running.clone() }
    }

    /// The model made of the layers finished so far.
    ///
    /// # Errors
    /// [`Error::Config`] if no layer is finished.
    pub fn dbn(&self) -> Result<Dbn> {
        Dbn::from_rbms(self.finished.clone())
    }

    /// Trains every layer that is not finished: [`Greedy::fit_layers`] of all layers.
    ///
    /// # Errors
    /// As [`Greedy::fit_layers`] has them.
    pub fn fit(
        &mut self,
        data: &mut dyn Minibatches,
        monitors: &Monitors,
        observer: &mut dyn StackObserver,
    ) -> Result<Outcome> {
        self.fit_layers(self.config.layers.len(), data, monitors, observer)
    }

    /// Trains those of the lowest `layers` layers that are not finished; the others may then learn
    /// from other data, as a top does that learns labels where only some samples have them.
    /// [`Outcome::Interrupted`] where an observer asked to stop. `monitors` hold visible units;
    /// every layer is measured on what the layers below make of them.
    ///
    /// # Errors
    /// [`Error::Config`] as [`StackConfig::validate_on`] has it; [`deepbelief_training::Error::Units`] for data of other
    /// visible units; [`Error::Training`] with the layer and the reason; [`Error::NoLabels`] and
    /// [`Error::Label`] for labels that cannot be learned; [`deepbelief_training::Error::Observer`].
    pub fn fit_layers(
        &mut self,
        layers: usize,
        data: &mut dyn Minibatches,
        monitors: &Monitors,
        observer: &mut dyn StackObserver,
    ) -> Result<Outcome> {
        self.config.validate_on(data.units())?;
        let visible = self.config.visible_units.clone();
        check_data(data, &visible.unwrap_or_else(|| Units::of(UnitKind::Bernoulli, data.units())))?;
        while self.finished.len() < layers.min(self.config.layers.len()) {
            if self.fit_layer(data, monitors, observer)? == Control::Stop {
                return Ok(Outcome::Interrupted);
            }
        }
        Ok(Outcome::Finished)
    }

    fn fit_layer(
        &mut self,
        data: &mut dyn Minibatches,
        monitors: &Monitors,
        observer: &mut dyn StackObserver,
    ) -> Result<Control> {
        let layer = self.finished.len();
        if layer == 0 {
            return self.train_layer(data, None, monitors, observer);
        }
        let monitors = self.raise_monitors(layer, monitors)?;
        let dealing = Dealing {
            propagate: self.config.propagate,
            cache_bytes: self.config.cache_bytes,
            batch_size: self.config.layers[layer].batch_size,
            balanced: self.config.balanced,
            visible_states: self.config.layers[0].train.visible_states,
            seed: self.config.layer_seed(layer),
        };
        let mut input = self.pool.install(|| Propagated::new(data, &self.finished, dealing))?;
        let plan = Some(input.plan());
        let control = self.train_layer(&mut input, plan, &monitors, observer);
        // A pass up that failed has stopped the training with an error that does not know why.
        control.map_err(|error| input.take_failure().unwrap_or(error))
    }

    fn train_layer(
        &mut self,
        input: &mut dyn Minibatches,
        plan: Option<Plan>,
        monitors: &Monitors,
        observer: &mut dyn StackObserver,
    ) -> Result<Control> {
        let layer = self.finished.len();
        let failed = |source| Error::Training { layer, source };
        let classes = self.config.classes.filter(|_| layer + 1 == self.config.layers.len());
        let means = self.pool.install(|| survey::means(input, classes))?;
        let train = self.config.train(layer);
        let trainer = match self.running.take() {
            Some(state) => Trainer::resume(train, state, &self.device),
            None => Trainer::new(&self.start(layer, &means, classes)?.to_device(&self.device)?, train),
        };
        let mut trainer = trainer.and_then(|trainer| trainer.among(&self.group)).map_err(failed)?;
        if let Some(run) = &self.run {
            trainer = trainer.of_run(run_of_layer(run, layer));
        }
        let start = LayerStart {
            layer,
            visible: means.len(),
            hidden: self.config.layers[layer].hidden,
            hidden_units: &self.config.layers[layer].hidden_units,
            classes: classes.unwrap_or(0),
            plan,
            epochs_done: trainer.epochs_done(),
            finished: &self.finished,
        };
        let wish = notify(observer.layer_started(&start))?;
        let outcome = match self.agreed(wish)? {
            Control::Stop => Outcome::Interrupted,
            Control::Continue => {
                trainer.fit(input, monitors, &mut OfLayer { layer: layer as u32, observer }).map_err(failed)?
            }
        };
        if outcome == Outcome::Interrupted {
            self.running = Some(trainer.snapshot().state()?);
            return Ok(Control::Stop);
        }
        self.finished.push(trainer.snapshot().model()?);
        let wish = notify(observer.layer_done(layer, &self.finished))?;
        self.agreed(wish)
    }

    /// What all ranks do, where this one wishes so.
    fn agreed(&self, wish: Control) -> Result<Control> {
        let stops = self.group.any(wish == Control::Stop).map_err(deepbelief_training::Error::from)?;
        Ok(if stops { Control::Stop } else { Control::Continue })
    }

    /// The RBM a layer starts as.
    fn start(&self, layer: usize, means: &[f32], classes: Option<usize>) -> Result<Rbm> {
        let config = &self.config.layers[layer];
        let wrong = |source| Error::LayerConfig { layer, source };
        let visible_units = self.config.visible_units.clone().filter(|_| layer == 0);
        let random = RbmConfig { visible_units, ..config.rbm(self.config.layer_seed(layer)) };
        let mut rbm = Rbm::new(&random, means, &Device::Cpu).map_err(wrong)?;
        if let (Start::Transposed, Some(below)) = (config.start, self.finished.last()) {
            rbm = mirrored(below, &rbm)?;
        }
        match classes {
            None => Ok(rbm),
            Some(classes) => {
                let labels = LabelGroup::zeros(classes, &rbm)?;
                Ok(rbm.with_labels(labels)?)
            }
        }
    }

    /// The monitors as a layer sees them, the same in every epoch.
    fn raise_monitors(&self, layer: usize, monitors: &Monitors) -> Result<Monitors> {
        // Step 0 of this stream is the trainer's.
        let draw = Uniforms::new(self.config.layer_seed(layer), Stream::Monitor, 1);
        let raised = |what: &str, batch: &Batch| {
            let (got, expected) = (batch.units(), self.finished[0].visible());
            if got != expected {
                let (got, expected) = (vec![got], vec![expected]);
                return Err(RbmError::Shape { what: what.into(), got, expected }.into());
            }
            self.pool.install(|| raise(&self.finished, batch, self.config.propagate, draw))
        };
        Ok(Monitors {
            train: raised("training monitor", &monitors.train)?,
            valid: monitors.valid.as_ref().map(|valid| raised("validation data", valid)).transpose()?,
            ..monitors.clone()
        })
    }
}

/// The layer below upside down, with the hidden units that it leaves over as they are in `random`. Such a unit with weights w
/// multiplies the probability of a state h by 1 + exp(w h), which is 2 exp(w h / 2) but for terms of second order; the
/// visible biases take the factor back.
fn mirrored(below: &Rbm, random: &Rbm) -> Result<Rbm> {
    let (taken, all) = (below.visible(), random.hidden());
    let (mut weights, mut hidden, mut visible) = (below.w_gen().clone(), below.vb().clone(), below.hb().clone());
    if taken < all {
        let rest = random.w_rec().narrow(1, taken, all - taken)?;
        visible = (visible - (rest.sum(1)? * 0.5)?)?;
        weights = Tensor::cat(&[&weights, &rest], 1)?;
        hidden = Tensor::cat(&[&hidden, &random.hb().narrow(0, taken, all - taken)?], 0)?;
    }
    Ok(Rbm::from_tensors(weights, hidden, visible)?)
}
