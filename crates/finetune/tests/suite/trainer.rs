//! A training as a whole: it learns, threads do not change it, and a resume leaves no trace.

use crate::{Done, config, minibatches, monitors, network, patterns, trained, values};
use candle_core::Device;
use deepbelief_data::{BatchConfig, Minibatcher};
use deepbelief_finetune::{
    Backprop, Error, FinetuneConfig, FinetuneMetrics, FinetuneState, Finetuner, Network, Objective, OptimizerKind,
    Snapshot,
};
use deepbelief_rbm::{Control, Observer, ObserverResult, OnDivergence, Outcome, Progress};

const BOTH: [Objective; 2] = [Objective::Classifier, Objective::Autoencoder];

/// Stops after so many batches, if a number is given; keeps what it is given.
#[derive(Default)]
struct Stop {
    left: Option<usize>,
    told: Vec<FinetuneMetrics>,
    /// Learning rates after divergences.
    halved: Vec<f64>,
}

impl Stop {
    fn control(&self) -> Control {
        if self.left == Some(0) { Control::Stop } else { Control::Continue }
    }
}

impl Observer<Backprop> for Stop {
    fn batch_done(&mut self, _: &Progress) -> Control {
        self.left = self.left.map(|left| left - 1);
        self.control()
    }

    fn epoch_done(&mut self, metrics: &FinetuneMetrics, _: &Snapshot<'_>) -> ObserverResult {
        self.told.push(FinetuneMetrics { seconds: 0.0, samples_per_second: 0.0, ..metrics.clone() });
        Ok(self.control())
    }

    fn recovered(&mut self, from: &Error, learning_rate: f64) {
        assert!(matches!(from, Error::Diverged { .. }), "{from}");
        self.halved.push(learning_rate);
    }
}

#[test]
fn networks_learn_their_task() -> Done {
    let split = patterns()?;
    let valid = monitors(&split);
    let samples = valid.valid.ok_or("no validation data")?;
    for (objective, optimizer, learning_rate) in [
        (Objective::Classifier, OptimizerKind::Adam, 0.02),
        (Objective::Classifier, OptimizerKind::Sgd, 0.2),
        (Objective::Autoencoder, OptimizerKind::Adam, 0.02),
        (Objective::Autoencoder, OptimizerKind::Sgd, 0.02),
    ] {
        let config = FinetuneConfig {
            epochs: 60,
            optimizer,
            learning_rate,
            nesterov: optimizer == OptimizerKind::Sgd,
            ..crate::plain()
        };
        let before = network(objective)?.score(&samples, &valid.valid_labels)?;
        let after = trained(objective, config)?.score(&samples, &valid.valid_labels)?;
        match objective {
            Objective::Classifier => assert_eq!(after.error, 0.0, "{optimizer:?}: three patterns apart"),
            Objective::Autoencoder => assert!(after.error < 0.5 * before.error, "{optimizer:?}: {after:?}, {before:?}"),
        }
        assert!(after.cost < before.cost);
    }
    Ok(())
}

#[test]
fn threads_do_not_change_a_bit_and_the_seed_does() -> Done {
    for objective in BOTH {
        let run = |threads, seed| trained(objective, FinetuneConfig { threads, seed, ..config() });
        let one = values(&run(1, 1)?)?;
        for threads in [2, 4] {
            assert!(values(&run(threads, 1)?)? == one, "{threads} threads");
        }
        assert!(values(&run(1, 2)?)? != one, "dropout follows the seed");
    }
    Ok(())
}

/// Stopped before anything was measured, and after any batch, in the first epoch and in a later one, before
/// its end and at it.
#[test]
fn resuming_anywhere_equals_never_having_stopped() -> Done {
    let (split, folder) = (patterns()?, tempfile::tempdir()?);
    let path = folder.path().join("state.safetensors");
    for (objective, optimizer) in
        [(BOTH[0], OptimizerKind::Adam), (BOTH[1], OptimizerKind::Adam), (BOTH[0], OptimizerKind::Sgd)]
    {
        let config = FinetuneConfig { optimizer, ..config() };
        let mut whole = Stop::default();
        let mut finetuner = Finetuner::new(&network(objective)?, config.clone())?;
        finetuner.fit(&mut minibatches(&split)?, &monitors(&split), &mut whole)?;
        let (expected, best) = (values(&finetuner.snapshot().model()?)?, finetuner.snapshot().best().cloned());
        for after in [0, 1, 12, 13, 20, 38] {
            let mut watched = Stop { left: Some(after), ..Default::default() };
            let mut first = Finetuner::new(&network(objective)?, config.clone())?;
            if after > 0 {
                let outcome = first.fit(&mut minibatches(&split)?, &monitors(&split), &mut watched)?;
                assert_eq!(outcome, Outcome::Interrupted, "after {after}");
            }
            first.snapshot().state()?.save(&path)?;
            let mut second = Finetuner::resume(config.clone(), FinetuneState::load(&path)?, &Device::Cpu)?;
            watched.left = None;
            second.fit(&mut minibatches(&split)?, &monitors(&split), &mut watched)?;
            assert!(values(&second.snapshot().model()?)? == expected, "{objective:?} after {after}");
            assert_eq!(watched.told, whole.told);
            let (resumed, best) = (second.snapshot().best().ok_or("no best")?, best.as_ref().ok_or("no best")?);
            assert_eq!((resumed.epoch, resumed.score), (best.epoch, best.score));
            assert!(values(&resumed.model)? == values(&best.model)?);
        }
    }
    Ok(())
}

/// A rate at which the cost overflows is halved until it does not, and stays halved after a resume from
/// within an epoch, which ends at the same bits. Eleven divergences are too many, and without the setting
/// one is.
#[test]
fn a_training_that_diverges_can_go_on_at_half_the_rate() -> Done {
    let (split, folder) = (patterns()?, tempfile::tempdir()?);
    let path = folder.path().join("state.safetensors");
    let start = network(Objective::Classifier)?;
    let config = |learning_rate, on_divergence| FinetuneConfig {
        epochs: 3,
        optimizer: OptimizerKind::Sgd,
        learning_rate,
        on_divergence,
        weight_cost: 1.0,
        ..crate::plain()
    };
    let mut batches = minibatches(&split)?;
    let mut run = |config: &FinetuneConfig, watched: &mut Stop| {
        let mut finetuner = Finetuner::new(&start, config.clone())?;
        finetuner.fit(&mut batches, &monitors(&split), watched).map(|outcome| (outcome, finetuner))
    };
    // A step of the weight cost alone turns weights into minus 499 times what they were.
    let halves = config(500.0, OnDivergence::HalveLr);
    let mut watched = Stop::default();
    let (_, whole) = run(&halves, &mut watched)?;
    assert!(watched.halved.len() > 2, "{:?}", watched.halved);
    assert!(watched.halved.iter().zip(1..).all(|(&rate, n)| rate == 500.0 * 0.5f64.powi(n)));
    assert_eq!(watched.told.last().map(|told| told.learning_rate), watched.halved.last().copied());

    for after in [1, 5, 15, 30] {
        let (outcome, first) = run(&halves, &mut Stop { left: Some(after), ..Default::default() })?;
        assert_eq!(outcome, Outcome::Interrupted, "after {after}");
        first.snapshot().state()?.save(&path)?;
        let mut second = Finetuner::resume(halves.clone(), FinetuneState::load(&path)?, &Device::Cpu)?;
        second.fit(&mut minibatches(&split)?, &monitors(&split), &mut ())?;
        let of = |finetuner: &Finetuner| finetuner.snapshot().model().map_err(Into::into).and_then(|n| values(&n));
        assert!(of(&second)? == of(&whole)?, "after {after}");
    }

    // What the last step of an epoch did is seen at its end, and not taken for a state to go on from.
    let mut all = Minibatcher::new(&split, BatchConfig { batch_size: 90, ..Default::default() })?;
    let mut whole = |rate, on_divergence| {
        let (mut finetuner, mut watched) = (Finetuner::new(&start, config(rate, on_divergence))?, Stop::default());
        let outcome = finetuner.fit(&mut all, &monitors(&split), &mut watched);
        Ok::<_, Error>((outcome.map_err(|error| error.to_string()), watched.told.len(), watched.halved.len()))
    };
    let (outcome, epochs, halvings) = whole(2000.0, OnDivergence::HalveLr)?;
    assert!(outcome == Ok(Outcome::Finished) && epochs == 4 && halvings > 2, "{outcome:?}, {epochs}, {halvings}");
    let (outcome, epochs, halvings) = whole(1e6, OnDivergence::Stop)?;
    assert!(outcome.is_err_and(|error| error.starts_with("training diverged in epoch 1, batch 1: ")));
    assert_eq!((epochs, halvings), (1, 0));

    let mut watched = Stop::default();
    let error = run(&config(1e30, OnDivergence::HalveLr), &mut watched).err().ok_or("no error")?.to_string();
    assert!(error.starts_with("training diverged in epoch 1") && watched.halved.len() == 10, "{error}");
    let error = run(&config(500.0, OnDivergence::Stop), &mut Stop::default()).err().ok_or("no error")?;
    assert!(matches!(error, Error::Diverged { .. }));
    Ok(())
}

/// At a rate too small to change a weight every epoch is as good as the start, which is not better.
#[test]
fn patience_ends_a_training_that_gets_no_better_and_the_best_stays() -> Done {
    let split = patterns()?;
    let start = trained(Objective::Classifier, config())?;
    let config = FinetuneConfig { epochs: 50, learning_rate: 1e-30, patience: 3, ..crate::plain() };
    let mut finetuner = Finetuner::new(&start, config)?;
    let outcome = finetuner.fit(&mut minibatches(&split)?, &monitors(&split), &mut ())?;
    assert_eq!((outcome, finetuner.epochs_done()), (Outcome::Converged, 3));
    let best = finetuner.snapshot().best().ok_or("no best")?;
    assert_eq!(best.epoch, 0);
    assert!(values(&best.model)? == values(&start)?);
    Ok(())
}

#[test]
fn norms_are_limited_and_biases_are_not() -> Done {
    let config = FinetuneConfig { epochs: 5, learning_rate: 0.1, max_norm: 0.5, ..crate::plain() };
    let network: Network = trained(Objective::Classifier, config)?;
    for layer in network.layers() {
        let norms = layer.w.sqr()?.sum(0)?.sqrt()?.to_vec1::<f32>()?;
        assert!(norms.iter().all(|&norm| norm < 0.5 + 1e-6), "{norms:?}");
    }
    Ok(())
}
