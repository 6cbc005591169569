//! The training loop: epochs of contrastive divergence on a packed RBM, measured, watched,
//! resumable.

use crate::cd::Draws;
use crate::config::{Rule, TrainConfig, VisibleStates};
use crate::error::{Error, Result};
use crate::monitors::Monitors;
use crate::observer::{Control, EpochMetrics, Observer, Progress, ask};
use crate::rbm::Rbm;
use crate::state::TrainState;
use crate::stopping::Stopping;
use candle_core::Device;
use deepbelief_kernels::{Batch, Bits, Machine, Measures, Minibatches, Sparsity, Stream, Uniforms};
use std::time::Instant;

/// Parameters beyond this magnitude are divergence: trained ones stay near ten, and a unit with
/// such an input is a constant.
const EXPLODED: f32 = 100.0;

/// Hidden units from which on a layer without a single one that varies is a failure: a few may
/// well be constant together for a while, or because there is nothing else to say of the data.
const ENOUGH_TO_DIE: usize = 8;

/// How a training ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// All epochs are done.
    Finished,
    /// `tolerance` or `patience` was met.
    Converged,
    /// An observer asked to stop.
    Interrupted,
}

/// Trains one RBM.
pub struct Trainer {
    config: TrainConfig,
    machine: Machine,
    pool: std::sync::Arc<rayon::ThreadPool>,
    at: Position,
    chains: Option<Bits>,
}

/// Where a training is: with the parameters, velocities and chains, all a resume needs.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Position {
    /// Epochs done.
    pub(crate) epoch: u32,
    /// Batches done in the running epoch.
    pub(crate) batch: usize,
    /// Updates done.
    pub(crate) step: u32,
    /// What the stopping rules remember.
    pub(crate) stopping: Stopping,
}

/// A look at a training in progress.
pub struct Snapshot<'a> {
    trainer: &'a Trainer,
}

impl Snapshot<'_> {
    /// The RBM as it is now, on the CPU.
    ///
    /// # Errors
    /// If the tensors cannot be made.
    pub fn rbm(&self) -> Result<Rbm> {
        let machine = &self.trainer.machine;
        Rbm::from_parameters(machine.visible(), machine.hidden(), machine.parameters(), &Device::Cpu)
    }

    /// Everything needed to continue from here as if never stopped.
    #[must_use]
    pub fn state(&self) -> TrainState {
        let machine = &self.trainer.machine;
        TrainState {
            visible: machine.visible(),
            hidden: machine.hidden(),
            parameters: machine.parameters(),
            velocities: machine.velocities(),
            chains: self.trainer.chains.clone(),
            position: self.trainer.at,
        }
    }
}

impl Trainer {
    /// Trains `rbm` from where it is.
    ///
    /// # Errors
    /// [`Error::Config`] for a setting out of range, [`Error::Threads`].
    pub fn new(rbm: &Rbm, config: TrainConfig) -> Result<Self> {
        config.validate()?;
        let machine = Machine::new(rbm.visible(), rbm.hidden(), &rbm.to_parameters()?);
        Self::build(machine, config, None, Position::default())
    }

    /// Continues a training; with the same settings and data the result is, bit for bit, that
    /// of a training that never stopped.
    ///
    /// # Errors
    /// [`Error::Config`] for a setting out of range, or chains where the settings want none or
    /// another number of them; [`Error::Threads`].
    pub fn resume(config: TrainConfig, state: TrainState) -> Result<Self> {
        config.validate()?;
        let chains = state.chains.as_ref().map_or(0, Bits::rows);
        // Before the first update there are no chains yet.
        if state.position.step > 0 && chains != config.persistent_chains {
            return Err(Error::Config {
                name: "persistent_chains",
                got: config.persistent_chains.to_string(),
                expected: "what it was when the training started",
            });
        }
        let mut machine = Machine::new(state.visible, state.hidden, &state.parameters);
        machine.set_velocities(&state.velocities);
        Self::build(machine, config, state.chains, state.position)
    }

    fn build(machine: Machine, config: TrainConfig, chains: Option<Bits>, at: Position) -> Result<Self> {
        let threads = config.threads;
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .map_err(|source| Error::Threads { threads, source })?;
        Ok(Self { config, machine, pool: pool.into(), at, chains })
    }

    /// Epochs done.
    #[must_use]
    pub fn epochs_done(&self) -> u32 {
        self.at.epoch
    }

    /// The instruction set in use, such as `avx512`.
    #[must_use]
    pub fn simd(&self) -> &'static str {
        self.machine.level().name()
    }

    /// Threads in use.
    #[must_use]
    pub fn threads(&self) -> usize {
        self.pool.current_num_threads()
    }

    /// A look at the RBM and the state.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot<'_> {
        Snapshot { trainer: self }
    }

    /// Trains until the epochs are done, a stopping rule is met or an observer says so.
    ///
    /// # Errors
    /// [`Error::Shape`] if data or labels do not fit the RBM, [`Error::Config`] for a label beyond its
    /// classes, [`Error::Diverged`], [`Error::Collapsed`], [`Error::Observer`].
    pub fn fit(
        &mut self,
        train: &mut dyn Minibatches,
        monitors: &Monitors,
        observer: &mut dyn Observer,
    ) -> Result<Outcome> {
        let visible = self.machine.visible();
        let sets = [("training data", train.units()), ("training monitor", monitors.train.units())];
        let valid = monitors.valid.as_ref().map(|valid| ("validation data", valid.units()));
        for (what, units) in sets.into_iter().chain(valid) {
            if units != visible {
                return Err(Error::Shape { what: what.into(), got: vec![units], expected: vec![visible] });
            }
        }
        let labels = [("training monitor", &monitors.train, &monitors.train_labels)]
            .into_iter()
            .chain(monitors.valid.as_ref().map(|valid| ("validation data", valid, &monitors.valid_labels)));
        for (what, samples, labels) in labels {
            self.check_labels(what, samples.rows(), labels)?;
        }
        // One entry into the pool for the whole training: joins inside it are much cheaper.
        let pool = std::sync::Arc::clone(&self.pool);
        pool.install(|| self.run(train, monitors, observer))
    }

    /// Refuses labels that a label group cannot learn from.
    fn check_labels(&self, what: &str, samples: usize, labels: &[u32]) -> Result<()> {
        let classes = self.machine.classes();
        if classes == 0 {
            return Ok(());
        }
        if labels.len() != samples {
            let (got, expected) = (vec![labels.len()], vec![samples]);
            return Err(Error::Shape { what: format!("labels of the {what}"), got, expected });
        }
        match labels.iter().find(|&&y| y as usize >= classes) {
            Some(y) => {
                Err(Error::Config { name: "label", got: y.to_string(), expected: "below the number of classes" })
            }
            None => Ok(()),
        }
    }

    fn run(
        &mut self,
        train: &mut dyn Minibatches,
        monitors: &Monitors,
        observer: &mut dyn Observer,
    ) -> Result<Outcome> {
        // While one batch is learned from, a thread that has nothing to do fetches the next.
        let (mut batch, mut next) = (Labelled::default(), Labelled::default());
        while self.at.epoch < self.config.epochs {
            let started = Instant::now();
            let rule = self.config.rule(self.at.epoch);
            train.start_epoch(self.at.epoch);
            let batches = train.batches();
            let mut samples = 0;
            let mut weights_before = Vec::new();
            if self.at.batch < batches {
                next.fetch(train, self.at.batch);
            }
            while self.at.batch < batches {
                std::mem::swap(&mut batch, &mut next);
                let following = self.at.batch + 1;
                self.check_labels("training data", batch.v.rows(), &batch.y)?;
                if self.at.batch + 1 == batches {
                    weights_before = self.machine.parameters().w_rec;
                }
                let fetch = || {
                    if following < batches {
                        next.fetch(train, following);
                    }
                };
                rayon::join(|| self.update(&batch, &rule), fetch).0?;
                samples += batch.v.rows();
                let progress = Progress {
                    epoch: self.at.epoch + 1,
                    epochs: self.config.epochs,
                    batch: self.at.batch,
                    batches,
                    samples,
                };
                if observer.batch_done(&progress) == Control::Stop && self.at.batch < batches {
                    return Ok(Outcome::Interrupted);
                }
            }
            (self.at.batch, self.at.epoch) = (0, self.at.epoch + 1);
            let mut metrics = self.measure(monitors, &rule, &weights_before);
            self.check_alive(monitors, &metrics)?;
            let converged = self.at.stopping.judge(&self.config, &metrics);
            metrics.seconds = started.elapsed().as_secs_f64();
            metrics.samples_per_second = samples as f64 / metrics.seconds;
            let control = ask(observer, &metrics, &self.snapshot())?;
            // A training that ended by itself in this epoch was not cut short.
            if converged {
                return Ok(Outcome::Converged);
            }
            if control == Control::Stop && self.at.epoch < self.config.epochs {
                return Ok(Outcome::Interrupted);
            }
        }
        Ok(Outcome::Finished)
    }

    /// One update from one minibatch.
    fn update(&mut self, data: &Labelled, rule: &Rule) -> Result<()> {
        let draws = Draws { seed: self.config.seed, step: self.at.step };
        let largest = if self.config.persistent_chains == 0 {
            contrastive_divergence(&mut self.machine, data, rule, draws)
        } else {
            let (chains, hidden, seed) = (self.config.persistent_chains, self.machine.hidden(), draws.seed);
            let start = || Bits::coins(chains, hidden, Uniforms::new(seed, Stream::Chains, 0));
            let chains = self.chains.get_or_insert_with(start);
            persistent_divergence(&mut self.machine, data, rule, draws, chains)
        };
        self.at.step += 1;
        self.at.batch += 1;
        // Written so that NaN fails it.
        if largest <= EXPLODED {
            return Ok(());
        }
        Err(Error::Diverged {
            epoch: self.at.epoch + 1,
            batch: self.at.batch,
            magnitude: largest,
            learning_rate: rule.learning_rate,
        })
    }

    /// Refuses to go on with hidden units none of which says anything of the data: with all of
    /// them constant the gradient of the weights is that of the biases, and they stay constant.
    fn check_alive(&self, monitors: &Monitors, metrics: &EpochMetrics) -> Result<()> {
        let (dead, saturated) = (metrics.dead_units, metrics.saturated_units);
        let hidden = self.machine.hidden();
        if hidden < ENOUGH_TO_DIE || dead + saturated < hidden || monitors.train.rows() == 0 {
            return Ok(());
        }
        Err(Error::Collapsed { epoch: metrics.epoch, dead, saturated, learning_rate: metrics.learning_rate })
    }

    fn measure(&mut self, monitors: &Monitors, rule: &Rule, weights_before: &[f32]) -> EpochMetrics {
        // The same numbers after every epoch: a change of cost is a change of the model.
        let draw = Uniforms::new(self.config.seed, Stream::Monitor, 0);
        let train = self.machine.measure(&monitors.train, &monitors.train_labels, draw);
        let valid = monitors.valid.as_ref().map(|valid| self.machine.measure(valid, &monitors.valid_labels, draw));
        let weights = self.machine.parameters().w_rec;
        let norm = |terms: &mut dyn Iterator<Item = f64>| terms.map(|x| x * x).sum::<f64>().sqrt();
        let weight_norm = norm(&mut weights.iter().map(|&w| f64::from(w)));
        let change = norm(&mut weights.iter().zip(weights_before).map(|(&a, &b)| f64::from(a) - f64::from(b)));
        let count = |fits: fn(f64) -> bool| train.activity.iter().filter(|&&p| fits(p)).count();
        let of_valid = |value: fn(&Measures) -> f64| valid.as_ref().map(value);
        EpochMetrics {
            layer: 0,
            epoch: self.at.epoch,
            learning_rate: rule.learning_rate,
            momentum: rule.momentum,
            reconstruction_cost: train.reconstruction_cost,
            reconstruction_cost_valid: of_valid(|valid| valid.reconstruction_cost),
            free_energy_train: train.free_energy,
            free_energy_valid: of_valid(|valid| valid.free_energy),
            free_energy_gap: of_valid(|valid| valid.free_energy).map(|valid| valid - train.free_energy),
            hidden_activity: train.activity.iter().sum::<f64>() / train.activity.len().max(1) as f64,
            dead_units: count(|p| p < 0.001),
            saturated_units: count(|p| p > 0.999),
            label_error_train: train.label_error,
            label_error_valid: valid.as_ref().and_then(|valid| valid.label_error),
            update_ratio: if weight_norm > 0.0 { change / weight_norm } else { 0.0 },
            weight_norm,
            samples_per_second: 0.0,
            seconds: 0.0,
        }
    }
}

/// A minibatch and, where the data have them, its labels.
#[derive(Default)]
struct Labelled {
    v: Batch,
    y: Vec<u32>,
}

impl Labelled {
    fn fetch(&mut self, data: &mut dyn Minibatches, index: usize) {
        data.fill(index, &mut self.v);
        self.y.clear();
        self.y.extend_from_slice(data.labels().unwrap_or_default());
    }
}

/// CD-k (Hinton 2002): the chains start at the data. Returns the largest parameter.
fn contrastive_divergence(machine: &mut Machine, data: &Labelled, rule: &Rule, draws: Draws) -> f32 {
    machine.positive(&data.v, &data.y, Some(draws.hidden(0)));
    gibbs(machine, rule, draws);
    machine.learn(&data.v, &step_of(rule), sparsity_of(rule))
}

/// PCD-k (Tieleman 2008): the chains go on from where the last update left them.
fn persistent_divergence(machine: &mut Machine, data: &Labelled, rule: &Rule, draws: Draws, chains: &mut Bits) -> f32 {
    machine.positive(&data.v, &data.y, None);
    machine.set_hidden_states(chains);
    gibbs(machine, rule, draws);
    machine.up(draws.hidden(rule.cd_steps));
    chains.clone_from(machine.hidden_states());
    machine.learn(&data.v, &step_of(rule), sparsity_of(rule))
}

/// k Gibbs steps from the hidden states to visible ones.
fn gibbs(machine: &mut Machine, rule: &Rule, draws: Draws) {
    for k in 0..rule.cd_steps {
        if k > 0 {
            machine.up(draws.hidden(k));
        }
        match rule.visible_states {
            VisibleStates::Sampled => machine.down(draws.visible(k)),
            VisibleStates::Probabilities => machine.down_mean(),
        }
    }
}

fn step_of(rule: &Rule) -> deepbelief_kernels::Rule {
    deepbelief_kernels::Rule {
        learning_rate: rule.learning_rate as f32,
        momentum: rule.momentum as f32,
        l2: rule.weight_cost as f32,
        l1: rule.l1_cost as f32,
    }
}

fn sparsity_of(rule: &Rule) -> Sparsity {
    Sparsity { target: rule.sparsity_target as f32, cost: rule.sparsity_cost as f32 }
}

/// Bytes a trainer holds for these sizes and batches of `batch_size` samples, on top of the
/// data.
#[must_use]
pub fn peak_memory(visible: usize, hidden: usize, batch_size: usize, config: &TrainConfig) -> u64 {
    let chains = config.persistent_chains.max(batch_size);
    // Row-major copies of weights and velocities exist while a state is saved.
    let copies = 4 * 4 * visible as u64 * hidden as u64;
    Machine::bytes(visible, hidden, chains) + copies
}
