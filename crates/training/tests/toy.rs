//! The loop, run by the smallest training there is: a number that follows the mean of the data.

use candle_core::Device;
use deepbelief_kernels::{Batch, Minibatches};
use deepbelief_training::{
    Control, EpochEnd, Error, Labelled, Loop, Metrics, Monitors, Observer, ObserverResult, OnDivergence, Outcome,
    Position, Progress, Score, Settings, Snapshot, State, Training,
};
use std::path::Path;

#[derive(Clone)]
struct Config {
    epochs: u32,
    patience: u32,
    on_divergence: OnDivergence,
    rate: f64,
    /// Costs on the validation data by epoch, from epoch 0.
    valid: Vec<f64>,
}

impl Default for Config {
    fn default() -> Self {
        Self { epochs: 3, patience: 0, on_divergence: OnDivergence::Stop, rate: 0.5, valid: Vec::new() }
    }
}

impl Settings for Config {
    fn epochs(&self) -> u32 {
        self.epochs
    }
    fn patience(&self) -> u32 {
        self.patience
    }
    fn on_divergence(&self) -> OnDivergence {
        self.on_divergence
    }
    fn threads(&self) -> usize {
        2
    }
}

/// A mean, and the last step towards it.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Mean {
    value: f64,
    velocity: f64,
}

struct Follow {
    config: Config,
    mean: Mean,
    rate: f64,
    seen: Vec<f32>,
}

#[derive(Clone, Debug, PartialEq)]
struct Seen {
    epoch: u32,
    valid: Option<f64>,
    best: Option<u32>,
}

impl Metrics for Seen {
    fn score(&self) -> Option<Score> {
        self.valid.map(Score::of_cost)
    }
    fn complete(&mut self, _: f64, _: f64, best_epoch: Option<u32>) {
        self.best = best_epoch;
    }
}

#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("diverged in epoch {0}, batch {1}")]
    Diverged(u32, usize),
    #[error(transparent)]
    Loop(#[from] Error),
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

impl Training for Follow {
    type Model = f64;
    type Config = Config;
    type Learned = Mean;
    type Metrics = Seen;
    type Error = Failure;

    const MEASURES_START: bool = true;
    const NEED_OF_LABELS: &'static str = "nothing needs";

    fn start(&value: &f64, config: Config) -> Result<Self, Failure> {
        Ok(Self { config, mean: Mean { value, velocity: 0.0 }, rate: 0.0, seen: Vec::new() })
    }
    fn restore(mean: Mean, config: Config, _: &Position, _: &Device) -> Result<Self, Failure> {
        Ok(Self { config, mean, rate: 0.0, seen: Vec::new() })
    }
    fn config(&self) -> &Config {
        &self.config
    }
    fn device(&self) -> &Device {
        &Device::Cpu
    }
    fn visible(&self) -> usize {
        1
    }
    fn classes(&self) -> usize {
        0
    }
    fn model(&self) -> Result<f64, Failure> {
        Ok(self.mean.value)
    }
    fn learned(&self) -> Result<Mean, Failure> {
        Ok(self.mean)
    }
    fn at_rest(mean: Mean) -> Result<Mean, Failure> {
        Ok(Mean { velocity: 0.0, ..mean })
    }
    fn begin_epoch(&mut self, at: &Position) {
        self.rate = self.rate(at);
    }
    fn rate(&self, at: &Position) -> f64 {
        OnDivergence::decay_factor(at.halvings) * self.config.rate
    }
    fn update(&mut self, data: &Labelled, at: &Position) -> Result<(), Failure> {
        let x = data.v.to_values()[0];
        self.seen.push(x);
        let Mean { value, velocity } = self.mean;
        let velocity = 0.5 * velocity + self.rate * (f64::from(x) - value);
        self.mean = Mean { value: value + velocity, velocity };
        if self.mean.value.abs() > 10.0 { Err(Failure::Diverged(at.epoch + 1, at.batch + 1)) } else { Ok(()) }
    }
    fn finish_epoch(&mut self, _: &Position) -> Result<(), Failure> {
        Ok(())
    }
    fn measure(&mut self, _: &Monitors, end: &EpochEnd) -> Result<Seen, Failure> {
        Ok(Seen { epoch: end.epoch, valid: self.config.valid.get(end.epoch as usize).copied(), best: None })
    }
    fn is_divergence(error: &Failure) -> bool {
        matches!(error, Failure::Diverged(..))
    }
    fn save(state: &State<Self>, path: &Path) -> Result<(), Failure> {
        Ok(std::fs::write(path, format!("{:?}", state.learned))?)
    }
    fn load(path: &Path) -> Result<State<Self>, Failure> {
        Err(std::fs::read_to_string(path).map(std::io::Error::other)?.into())
    }
}

/// The numbers of an epoch in batches of one, which depend on the epoch.
struct Numbers {
    epoch: u32,
    fetched: Vec<usize>,
}

impl Numbers {
    fn new() -> Self {
        Self { epoch: 0, fetched: Vec::new() }
    }
}

impl Minibatches for Numbers {
    fn samples(&self) -> usize {
        4
    }
    fn units(&self) -> usize {
        1
    }
    fn batches(&self) -> usize {
        4
    }
    fn start_epoch(&mut self, epoch: u32) {
        self.epoch = epoch;
    }
    fn fill(&mut self, index: usize, batch: &mut Batch) {
        self.fetched.push(index);
        batch.make_real(1, 1).fill(self.epoch as f32 + index as f32);
    }
}

fn monitors() -> Monitors {
    let mut one = Batch::default();
    one.make_real(1, 1).fill(1.0);
    Monitors { train: one.clone(), valid: Some(one), ..Monitors::default() }
}

/// Stops from the n-th thing that happens on, a batch or an epoch; remembers epochs and retries.
#[derive(Default)]
struct Watch {
    left: Option<usize>,
    epochs: Vec<Seen>,
    retries: Vec<f64>,
}

impl Watch {
    fn stopping_at(event: usize) -> Self {
        Self { left: Some(event), ..Self::default() }
    }

    fn event(&mut self) -> Control {
        self.left = self.left.map(|left| left.saturating_sub(1));
        if self.left == Some(0) { Control::Stop } else { Control::Continue }
    }
}

impl Observer<Follow> for Watch {
    fn batch_done(&mut self, _: &Progress) -> Control {
        self.event()
    }
    fn recovered(&mut self, _: &Failure, rate: f64) {
        self.retries.push(rate);
    }
    fn epoch_done(&mut self, metrics: &Seen, _: &Snapshot<'_, Follow>) -> ObserverResult {
        self.epochs.push(metrics.clone());
        Ok(self.event())
    }
}

fn run(config: &Config, watch: &mut Watch) -> (Result<Outcome, Failure>, Loop<Follow>) {
    let mut training = Loop::<Follow>::new(&0.0, config.clone()).unwrap();
    let outcome = training.fit(&mut Numbers::new(), &monitors(), watch);
    (outcome, training)
}

#[test]
fn every_batch_is_fetched_once_and_learned_in_its_order() {
    let mut training = Loop::<Follow>::new(&0.0, Config::default()).unwrap();
    let mut data = Numbers::new();
    training.fit(&mut data, &monitors(), &mut ()).unwrap();
    assert_eq!(data.fetched, [0, 1, 2, 3].repeat(3));
    let seen = training.with_training(|training| training.seen.clone());
    assert_eq!(seen, [0., 1., 2., 3., 1., 2., 3., 4., 2., 3., 4., 5.]);
}

/// The start, four batches and an epoch's end, three times.
#[test]
fn resuming_anywhere_equals_never_having_stopped() {
    let config = Config { valid: vec![4.0, 2.0, 3.0, 2.0], ..Config::default() };
    let mut whole = Watch::default();
    let expected = run(&config, &mut whole).1.snapshot().state().unwrap();
    let mut stops = 0;
    for event in 1.. {
        let mut watch = Watch::stopping_at(event);
        let (outcome, stopped) = run(&config, &mut watch);
        if outcome.unwrap() == Outcome::Finished {
            break;
        }
        stops += 1;
        let state = stopped.snapshot().state().unwrap();
        assert_eq!(state.measured(), watch.epochs.last().map(|seen| seen.epoch));
        let mut resumed = Loop::<Follow>::resume(config.clone(), state, &Device::Cpu).unwrap();
        watch.left = None;
        assert_eq!(resumed.fit(&mut Numbers::new(), &monitors(), &mut watch).unwrap(), Outcome::Finished);
        let state = resumed.snapshot().state().unwrap();
        assert_eq!(
            (state.learned, state.position, state.best),
            (expected.learned, expected.position, expected.best.clone())
        );
        assert_eq!(watch.epochs, whole.epochs);
    }
    // A stop asked for after the last batch of an epoch comes at its end; the last epoch leaves nothing to stop there.
    assert_eq!(stops, 1 + 5 + 5 + 3);
}

#[test]
fn the_best_is_the_first_of_the_best_and_patience_counts_from_it() {
    let config = Config { epochs: 9, patience: 3, valid: vec![4.0, 2.0, 3.0, 2.0, 5.0, 1.0], ..Config::default() };
    let mut watch = Watch::default();
    let (outcome, training) = run(&config, &mut watch);
    assert_eq!((outcome.unwrap(), training.epochs_done()), (Outcome::Converged, 4));
    assert_eq!(watch.epochs.iter().map(|seen| seen.best).collect::<Vec<_>>(), [0, 1, 1, 1, 1].map(Some));
    let (_, short) = run(&Config { epochs: 1, ..config.clone() }, &mut Watch::default());
    let best = training.snapshot().best().cloned().unwrap();
    assert_eq!((best.epoch, best.model), (1, short.snapshot().model().unwrap()));

    // The state of a training that ended by itself goes no further.
    let state = training.snapshot().state().unwrap();
    let mut over = Loop::<Follow>::resume(config, state, &Device::Cpu).unwrap();
    assert_eq!(over.fit(&mut Numbers::new(), &monitors(), &mut ()).unwrap(), Outcome::Converged);
}

#[test]
fn patience_needs_validation_data() {
    let mut training = Loop::<Follow>::new(&0.0, Config { patience: 3, ..Config::default() }).unwrap();
    let blind = Monitors { valid: None, ..monitors() };
    let error = training.fit(&mut Numbers::new(), &blind, &mut ()).unwrap_err();
    assert_eq!(error.to_string(), "patience is 3; it must be 0 where there are no validation data");
}

/// At a rate of 40 the first epoch diverges until the rate has been halved a few times.
#[test]
fn an_epoch_that_diverges_starts_again_at_rest_and_at_half_the_rate() {
    let config = Config { rate: 40.0, on_divergence: OnDivergence::HalveLr, ..Config::default() };
    let mut watch = Watch::default();
    let (outcome, training) = run(&config, &mut watch);
    assert_eq!(outcome.unwrap(), Outcome::Finished);
    let rates: Vec<f64> = (1..=watch.retries.len() as i32).map(|n| 40.0 * 0.5f64.powi(n)).collect();
    assert!(watch.retries.len() > 2 && watch.retries == rates, "{:?}", watch.retries);
    assert_eq!(watch.epochs.len(), 4, "each epoch is measured once");
    assert_eq!(training.snapshot().state().unwrap().position.halvings as usize, rates.len());

    let (error, _) = run(&Config { on_divergence: OnDivergence::Stop, ..config.clone() }, &mut Watch::default());
    assert_eq!(error.unwrap_err().to_string(), "diverged in epoch 1, batch 2");
    let mut watch = Watch::default();
    let (error, _) = run(&Config { rate: 1e9, ..config }, &mut watch);
    assert!(error.is_err() && watch.retries.len() == 10, "{:?}", watch.retries);
}

/// Within an epoch that may have to start again, the state is that of its start.
#[test]
fn a_state_within_an_epoch_that_may_retry_is_that_of_its_start() {
    let config = Config { on_divergence: OnDivergence::HalveLr, ..Config::default() };
    let (_, stopped) = run(&config, &mut Watch::stopping_at(1 + 4 + 1 + 2));
    let state = stopped.snapshot().state().unwrap();
    assert_eq!((state.epochs_done(), state.batches_done()), (1, 0));
    let plain = Config { on_divergence: OnDivergence::Stop, ..config };
    let state = run(&plain, &mut Watch::stopping_at(1 + 4 + 1 + 2)).1.snapshot().state().unwrap();
    assert_eq!((state.epochs_done(), state.batches_done()), (1, 2));
}

#[test]
fn a_state_is_of_the_run_that_was_named() {
    let training = Loop::<Follow>::new(&0.0, Config::default()).unwrap();
    let anonymous = training.snapshot().state().unwrap();
    assert!(anonymous.require_run("a").is_ok(), "as older versions wrote it");
    let state = training.of_run("a").snapshot().state().unwrap();
    assert!(state.require_run("a").is_ok());
    let error = state.require_run("b").unwrap_err().to_string();
    assert_eq!(error, "the saved state is that of another run: its settings, seed or data are others");
    let resumed = Loop::<Follow>::resume(Config::default(), state, &Device::Cpu).unwrap();
    assert_eq!(resumed.snapshot().state().unwrap().run.as_deref(), Some("a"));
}

#[test]
fn an_observer_that_fails_ends_the_training() {
    struct Fails;
    impl Observer<Follow> for Fails {
        fn epoch_done(&mut self, _: &Seen, _: &Snapshot<'_, Follow>) -> ObserverResult {
            Err("the disk is full".into())
        }
    }
    let mut training = Loop::<Follow>::new(&0.0, Config::default()).unwrap();
    let error = training.fit(&mut Numbers::new(), &monitors(), &mut Fails).unwrap_err();
    assert!(matches!(error, Failure::Loop(Error::Observer(_))), "{error}");
}
