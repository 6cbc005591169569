//! The training loop: determinism, resuming, stopping, divergence.

use crate::{Fixed, binary, bits, random_rbm, real};
use candle_core::Device;
use deepbelief_kernels::Batch;
use deepbelief_rbm::{
    Contrastive, Control, EpochMetrics, Error, Monitors, Observer, ObserverResult, OnDivergence, Outcome, Progress,
    Rbm, Snapshot, TrainConfig, TrainState, Trainer,
};

fn data() -> Fixed {
    Fixed((0..7).map(|i| if i == 3 { real(13, 50, 0.3, i) } else { binary(20, 50, 0.2, i) }).collect())
}

fn monitors() -> Monitors {
    Monitors { train: binary(15, 50, 0.2, 0), valid: Some(binary(15, 50, 0.25, 99)), ..Monitors::default() }
}

fn start() -> Rbm {
    random_rbm(50, 40, 0.1, 1)
}

fn config() -> TrainConfig {
    TrainConfig { epochs: 4, learning_rate: 0.1, ..crate::plain() }
}

fn train(config: TrainConfig) -> Rbm {
    let mut trainer = Trainer::new(&start(), config).unwrap();
    assert_eq!(trainer.fit(&mut data(), &monitors(), &mut ()).unwrap(), Outcome::Finished);
    trainer.snapshot().model().unwrap()
}

#[test]
fn threads_do_not_change_the_result() {
    for chains in [0, 30] {
        let config = TrainConfig { persistent_chains: chains, ..config() };
        let one = bits(&train(TrainConfig { threads: 1, ..config.clone() }));
        for threads in [2, 4] {
            assert_eq!(
                bits(&train(TrainConfig { threads, ..config.clone() })),
                one,
                "{threads} threads, {chains} chains"
            );
        }
    }
}

#[test]
fn the_seed_decides() {
    assert_eq!(bits(&train(config())), bits(&train(config())));
    assert_ne!(bits(&train(config())), bits(&train(TrainConfig { seed: 2, ..config() })));
}

/// The promise is the same bits on every processor, so the bits themselves are written down
/// here (FNV-1a over all parameters). A change of this number is a change of what seeds mean.
#[test]
fn a_seed_means_the_same_bits_on_every_platform() {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in bits(&train(TrainConfig { cd_steps: 2.into(), ..config() })).iter().flat_map(|word| word.to_le_bytes())
    {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    assert_eq!(hash, 0x0734_c95a_8826_f172);
}

/// Stops after a number of batches.
pub(crate) struct StopAfter(pub(crate) usize);

impl Observer<Contrastive> for StopAfter {
    fn batch_done(&mut self, _: &Progress) -> Control {
        self.0 = self.0.wrapping_sub(1);
        if self.0 == 0 { Control::Stop } else { Control::Continue }
    }
}

/// Every possible interruption of 4 epochs of 7 batches, through a file, with contrastive
/// divergence and with persistent chains (fewer and more of them than samples).
#[test]
fn resuming_anywhere_equals_never_having_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.safetensors");
    for chains in [0, 12, 30] {
        let config = TrainConfig { persistent_chains: chains, cd_steps: 2.into(), ..config() };
        let whole = bits(&train(config.clone()));
        for stop in 1..28 {
            let mut trainer = Trainer::new(&start(), config.clone()).unwrap();
            let outcome = trainer.fit(&mut data(), &monitors(), &mut StopAfter(stop)).unwrap();
            if stop % 7 == 0 {
                // The epoch's last batch: the observer's epoch_done, not this one, would stop.
                assert_eq!(outcome, Outcome::Finished);
                continue;
            }
            assert_eq!(outcome, Outcome::Interrupted);
            trainer.snapshot().state().unwrap().save(&path).unwrap();
            drop(trainer);
            let mut trainer = Trainer::resume(config.clone(), TrainState::load(&path).unwrap(), &Device::Cpu).unwrap();
            assert_eq!(trainer.fit(&mut data(), &monitors(), &mut ()).unwrap(), Outcome::Finished);
            assert_eq!(bits(&trainer.snapshot().model().unwrap()), whole, "stopped after {stop} batches");
        }
    }
}

#[derive(Default)]
pub(crate) struct Record(pub(crate) Vec<EpochMetrics>);

impl Observer<Contrastive> for Record {
    fn epoch_done(&mut self, metrics: &EpochMetrics, _: &Snapshot<'_>) -> ObserverResult {
        self.0.push(metrics.clone());
        Ok(Control::Continue)
    }
}

/// Learning to reconstruct four prototypes lowers cost and free energy of the data.
#[test]
fn training_learns_and_its_metrics_are_sane() {
    let prototypes: Vec<f32> = (0..4).flat_map(|p| (0..50).map(move |i| f32::from(u8::from(i % 4 == p)))).collect();
    let rows: Vec<f32> = (0..25).flat_map(|_| prototypes.clone()).collect();
    let batch = deepbelief_kernels::Batch::Binary(deepbelief_kernels::Bits::from_values(100, 50, &rows));
    let monitors = Monitors { train: batch.clone(), valid: Some(batch.clone()), ..Monitors::default() };
    let mut trainer = Trainer::new(&start(), TrainConfig { epochs: 60, ..config() }).unwrap();
    let mut record = Record::default();
    trainer.fit(&mut Fixed(vec![batch; 5]), &monitors, &mut record).unwrap();
    let (first, last) = (&record.0[0], &record.0[59]);
    assert!(last.reconstruction_cost < 2.0 && last.reconstruction_cost < 0.1 * first.reconstruction_cost);
    assert_eq!(last.free_energy_gap, Some(0.0), "the same samples on both sides");
    assert_eq!((last.epoch, last.momentum), (60, 0.9));
    assert!(last.update_ratio > 0.0 && last.update_ratio < 0.1 && last.weight_norm > 1.0);
    assert!(last.hidden_activity.is_some_and(|p| (0.0..=1.0).contains(&p)));
    assert_eq!(last.hidden_spread, None, "of Gaussian units alone");
}

#[test]
fn the_tutorials_tolerance_stops_training() {
    let config = TrainConfig { epochs: 1000, tolerance: 0.5, ..config() };
    let mut trainer = Trainer::new(&start(), config).unwrap();
    let mut record = Record::default();
    assert_eq!(trainer.fit(&mut data(), &monitors(), &mut record).unwrap(), Outcome::Converged);
    let costs: Vec<f64> = record.0.iter().map(|m| m.reconstruction_cost).collect();
    let (last, before) = costs.split_last().unwrap();
    assert!((last - before.last().unwrap()).abs() <= 0.5);
    assert!(before.windows(2).all(|w| (w[1] - w[0]).abs() > 0.5));
}

#[test]
fn patience_stops_an_overfitting_machine() {
    // 20 samples, learned by heart.
    let config = TrainConfig { epochs: 3000, patience: 10, weight_cost: 0.0, ..config() };
    let mut trainer = Trainer::new(&start(), config.clone()).unwrap();
    let train = binary(20, 50, 0.2, 1);
    let monitors = Monitors { train: train.clone(), valid: Some(binary(20, 50, 0.2, 2)), ..Monitors::default() };
    let mut record = Record::default();
    assert_eq!(trainer.fit(&mut Fixed(vec![train.clone()]), &monitors, &mut record).unwrap(), Outcome::Converged);
    let cost = |m: &EpochMetrics| m.reconstruction_cost_valid.unwrap();
    let best = record.0.iter().min_by(|a, b| cost(a).total_cmp(&cost(b))).unwrap();
    assert!(trainer.epochs_done() >= best.epoch + 10, "best in epoch {}", best.epoch);
    assert!(record.0.last().unwrap().free_energy_gap > best.free_energy_gap);

    // The count goes on through a file: a look every few epochs changes nothing.
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.safetensors");
    let mut pieces = Trainer::new(&start(), config.clone()).unwrap();
    while pieces.fit(&mut Fixed(vec![train.clone()]), &monitors, &mut StopEvery(4)).unwrap() == Outcome::Interrupted {
        pieces.snapshot().state().unwrap().save(&path).unwrap();
        pieces = Trainer::resume(config.clone(), TrainState::load(&path).unwrap(), &Device::Cpu).unwrap();
    }
    assert_eq!(pieces.epochs_done(), trainer.epochs_done());
    let (pieces, whole) = (pieces.snapshot().state().unwrap(), trainer.snapshot().state().unwrap());
    assert!(pieces.learned == whole.learned && pieces.position == whole.position);
}

/// Stops after every so many epochs.
struct StopEvery(u32);

impl Observer<Contrastive> for StopEvery {
    fn epoch_done(&mut self, metrics: &EpochMetrics, _: &Snapshot<'_>) -> ObserverResult {
        Ok(if metrics.epoch.is_multiple_of(self.0) { Control::Stop } else { Control::Continue })
    }
}

#[test]
fn divergence_is_said_with_its_place() {
    let config = TrainConfig { learning_rate: 1e6, ..config() };
    let mut trainer = Trainer::new(&start(), config).unwrap();
    let error = trainer.fit(&mut data(), &monitors(), &mut ()).unwrap_err();
    assert!(matches!(error, Error::Diverged { epoch: 1, batch: 1, .. }), "{error}");
    let message = error.to_string();
    assert!(message.contains("epoch 1, batch 1") && message.contains("learning rate below 1000000"), "{message}");
}

/// A rate that lets no parameter explode and yet throws every hidden unit far off in the first
/// epoch: without the check all epochs would run and the result would pass for a model.
#[test]
fn a_layer_without_a_living_unit_is_no_success() {
    let config = TrainConfig { learning_rate: 60.0, momentum: 0.0, weight_cost: 0.0, ..config() };
    let dense = binary(200, 50, 0.9, 1);
    let monitors = Monitors { train: dense.clone(), ..Monitors::default() };
    let mut trainer = Trainer::new(&start(), config.clone()).unwrap();
    let error = trainer.fit(&mut Fixed(vec![dense.clone()]), &monitors, &mut ()).unwrap_err();
    let Error::Collapsed { epoch, dead, saturated, .. } = error else { panic!("{error}") };
    assert_eq!(dead + saturated, 40);
    let message = error.to_string();
    assert!(message.contains(&format!("in epoch {epoch}: all 40 hidden units are constant")), "{message}");
    assert!(message.contains("learning rate below 60"), "{message}");
    assert_eq!(message.contains("visible_bias"), epoch == 1, "{message}");

    // Over numbers the rate that they bear is named.
    let over_numbers = Error::Collapsed {
        epoch: 1,
        dead,
        saturated,
        learning_rate: 5.0,
        unbounded: Some(deepbelief_rbm::UnitKind::Gaussian),
    };
    let message = over_numbers.to_string();
    assert!(message.ends_with("try a learning rate of 0.001 instead of 5"), "{message}");

    // Few units, or no samples to see them vary on, are no reason to stop.
    let few = random_rbm(50, 7, 0.1, 1);
    let mut trainer = Trainer::new(&few, config.clone()).unwrap();
    assert_eq!(trainer.fit(&mut Fixed(vec![dense.clone()]), &monitors, &mut ()).unwrap(), Outcome::Finished);
    let unwatched = Monitors { train: binary(0, 50, 0.9, 1), ..Monitors::default() };
    let mut trainer = Trainer::new(&start(), config).unwrap();
    assert_eq!(trainer.fit(&mut Fixed(vec![dense]), &unwatched, &mut ()).unwrap(), Outcome::Finished);
}

#[test]
fn nan_in_the_data_is_divergence_and_not_a_model() {
    let mut nan = real(5, 50, 0.3, 1);
    if let deepbelief_kernels::Batch::Real { values, .. } = &mut nan {
        values[7] = f32::NAN;
    }
    let mut trainer = Trainer::new(&start(), config()).unwrap();
    let error = trainer.fit(&mut Fixed(vec![nan]), &monitors(), &mut ()).unwrap_err();
    assert!(matches!(error, Error::Diverged { magnitude, .. } if magnitude.is_nan()), "{error}");
}

#[test]
fn data_of_another_width_is_refused() {
    let mut trainer = Trainer::new(&start(), config()).unwrap();
    let error = trainer.fit(&mut Fixed(vec![binary(2, 49, 0.5, 1)]), &monitors(), &mut ()).unwrap_err();
    assert_eq!(error.to_string(), "training data: the shape is [49], expected [50]");
}

#[test]
fn resuming_with_other_chains_is_refused() {
    let mut trainer = Trainer::new(&start(), TrainConfig { persistent_chains: 5, ..config() }).unwrap();
    trainer.fit(&mut data(), &monitors(), &mut ()).unwrap();
    let state = trainer.snapshot().state().unwrap();
    let error = Trainer::resume(config(), state, &Device::Cpu).err().map(|e| e.to_string()).unwrap_or_default();
    assert!(error.contains("persistent_chains is 0"), "{error}");
}

/// Monitors drawn from 2 batches of 5 and 4: all rows of the first and the head of the second, in
/// the form the data have; a function that watches is called for every epoch.
#[test]
fn monitors_come_from_the_data_and_a_function_may_watch() {
    for make in [binary as fn(usize, usize, f32, u32) -> Batch, real] {
        let batches = vec![make(5, 9, 0.5, 1), make(4, 9, 0.5, 2)];
        let expected: Vec<f32> = batches.iter().flat_map(Batch::to_values).collect();
        let mut data = Fixed(batches.clone());
        let monitors = Monitors::from_training(&mut data, 7);
        assert_eq!(std::mem::discriminant(&monitors.train), std::mem::discriminant(&batches[0]));
        assert_eq!((monitors.train.rows(), monitors.train.to_values()), (7, expected[..63].to_vec()));
        assert_eq!(Monitors::from_training(&mut data, 100).train.rows(), 9);
        assert!(monitors.valid.is_none() && monitors.train_labels.is_empty());

        let mut told = Vec::new();
        let config = TrainConfig { epochs: 3, ..crate::plain() };
        let mut trainer = Trainer::new(&random_rbm(9, 4, 0.1, 1), config).unwrap();
        trainer.fit(&mut data, &monitors, &mut |m: &EpochMetrics| told.push(m.epoch)).unwrap();
        assert_eq!(told, [1, 2, 3]);
    }
}

/// What an observer hears of divergences.
#[derive(Default)]
struct Recoveries {
    rates: Vec<f64>,
    epochs: Vec<(u32, f64)>,
}

impl Observer<Contrastive> for Recoveries {
    fn recovered(&mut self, from: &Error, learning_rate: f64) {
        assert!(matches!(from, Error::Diverged { .. } | Error::Collapsed { .. }), "{from}");
        self.rates.push(learning_rate);
    }

    fn epoch_done(&mut self, metrics: &EpochMetrics, _: &Snapshot<'_>) -> ObserverResult {
        self.epochs.push((metrics.epoch, metrics.learning_rate));
        Ok(Control::Continue)
    }
}

/// A rate at which weights explode within the first epoch is halved until they do not; the rate stays
/// halved after a resume, which ends at the same bits. Eleven divergences are too many.
#[test]
fn a_training_that_diverges_can_go_on_at_half_the_rate() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.safetensors");
    let rbm = random_rbm(40, 12, 0.1, 3);
    let batches: Vec<Batch> = (0..20).map(|i| binary(10, 40, 0.5, 40 + i)).collect();
    let monitors = Monitors { train: batches[0].clone(), ..Monitors::default() };
    let config = TrainConfig {
        epochs: 4,
        learning_rate: 400.0,
        momentum: 0.0,
        final_momentum: 0.0,
        on_divergence: OnDivergence::HalveLr,
        ..crate::plain()
    };
    let run = |config: TrainConfig, seen: &mut Recoveries| {
        let mut trainer = Trainer::new(&rbm, config)?;
        trainer.fit(&mut Fixed(batches.clone()), &monitors, seen).map(|_| trainer)
    };
    let mut seen = Recoveries::default();
    let whole = run(config.clone(), &mut seen).unwrap();
    assert!(!seen.rates.is_empty() && seen.rates[0] == 200.0, "{:?}", seen.rates);
    let last = *seen.rates.last().unwrap();
    assert_eq!(seen.epochs.last(), Some(&(4, last)));

    let part = run(TrainConfig { epochs: 2, ..config.clone() }, &mut Recoveries::default()).unwrap();
    part.snapshot().state().unwrap().save(&path).unwrap();
    let mut part = Trainer::resume(config.clone(), TrainState::load(&path).unwrap(), &Device::Cpu).unwrap();
    part.fit(&mut Fixed(batches.clone()), &monitors, &mut ()).unwrap();
    assert!(bits(&part.snapshot().model().unwrap()) == bits(&whole.snapshot().model().unwrap()));

    let hopeless = TrainConfig { learning_rate: 1e9, ..config.clone() };
    let mut seen = Recoveries::default();
    let error = run(hopeless, &mut seen).map(|_| ()).unwrap_err().to_string();
    assert!(error.starts_with("training diverged in epoch 1") && seen.rates.len() == 10, "{error}");
    let stop = TrainConfig { on_divergence: OnDivergence::Stop, ..config };
    let mut seen = Recoveries::default();
    assert!(run(stop, &mut seen).is_err() && seen.rates.is_empty());
}
