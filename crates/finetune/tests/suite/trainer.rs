//! A training as a whole: it learns, threads do not change it, and a resume leaves no trace.

use crate::{Done, config, minibatches, monitors, network, patterns, trained, values};
use deepbelief_finetune::{
    FinetuneConfig, FinetuneMetrics, FinetuneObserver, FinetuneSnapshot, FinetuneState, Finetuner, Network, Objective,
    OptimizerKind,
};
use deepbelief_rbm::{Control, Outcome, Progress};

const BOTH: [Objective; 2] = [Objective::Classifier, Objective::Autoencoder];

/// Stops after so many batches, if a number is given; keeps what it is told.
#[derive(Default)]
struct Stop {
    left: Option<usize>,
    told: Vec<FinetuneMetrics>,
}

impl Stop {
    fn control(&self) -> Control {
        if self.left == Some(0) { Control::Stop } else { Control::Continue }
    }
}

impl FinetuneObserver for Stop {
    fn batch_done(&mut self, _: &Progress) -> Control {
        self.left = self.left.map(|left| left - 1);
        self.control()
    }

    fn epoch_done(
        &mut self,
        metrics: &FinetuneMetrics,
        _: &FinetuneSnapshot<'_>,
    ) -> Result<Control, Box<dyn std::error::Error + Send + Sync>> {
        self.told.push(FinetuneMetrics { seconds: 0.0, samples_per_second: 0.0, ..metrics.clone() });
        Ok(self.control())
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
            ..Default::default()
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

/// Stopped after any batch, in the first epoch and in a later one, before its end and at it.
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
        let (expected, best) = (values(&finetuner.snapshot().network()?)?, finetuner.snapshot().best().cloned());
        for after in [1, 12, 13, 20, 38] {
            let mut watched = Stop { left: Some(after), ..Default::default() };
            let mut first = Finetuner::new(&network(objective)?, config.clone())?;
            let outcome = first.fit(&mut minibatches(&split)?, &monitors(&split), &mut watched)?;
            assert_eq!(outcome, Outcome::Interrupted, "after {after}");
            first.snapshot().state()?.save(&path)?;
            let mut second = Finetuner::resume(config.clone(), FinetuneState::load(&path)?)?;
            watched.left = None;
            second.fit(&mut minibatches(&split)?, &monitors(&split), &mut watched)?;
            assert!(values(&second.snapshot().network()?)? == expected, "{objective:?} after {after}");
            assert_eq!(watched.told, whole.told);
            let (resumed, best) = (second.snapshot().best().ok_or("no best")?, best.as_ref().ok_or("no best")?);
            assert_eq!((resumed.epoch, resumed.scores), (best.epoch, best.scores));
            assert!(values(&resumed.network)? == values(&best.network)?);
        }
    }
    Ok(())
}

/// At a rate too small to change a weight every epoch is as good as the start, which is not better.
#[test]
fn patience_ends_a_training_that_gets_no_better_and_the_best_stays() -> Done {
    let split = patterns()?;
    let start = trained(Objective::Classifier, config())?;
    let config = FinetuneConfig { epochs: 50, learning_rate: 1e-30, patience: 3, ..Default::default() };
    let mut finetuner = Finetuner::new(&start, config)?;
    let outcome = finetuner.fit(&mut minibatches(&split)?, &monitors(&split), &mut ())?;
    assert_eq!((outcome, finetuner.epochs_done()), (Outcome::Converged, 3));
    let best = finetuner.snapshot().best().ok_or("no best")?;
    assert_eq!(best.epoch, 0);
    assert!(values(&best.network)? == values(&start)?);
    Ok(())
}

#[test]
fn norms_are_limited_and_biases_are_not() -> Done {
    let config = FinetuneConfig { epochs: 5, learning_rate: 0.1, max_norm: 0.5, ..Default::default() };
    let network: Network = trained(Objective::Classifier, config)?;
    for layer in network.layers() {
        let norms = layer.w.sqr()?.sum(0)?.sqrt()?.to_vec1::<f32>()?;
        assert!(norms.iter().all(|&norm| norm < 0.5 + 1e-6), "{norms:?}");
    }
    Ok(())
}
