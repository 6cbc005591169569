//! The tuner as a whole: what changes and what does not, threads, seeds, resuming, the best model.

use crate::{Fixed, binary, bits, random_rbms, real, tune, untied, with_factorial_top};
use candle_core::Device;
use deepbelief_kernels::Batch;
use deepbelief_rbm::{
    Control, Monitors, Observer, ObserverResult, OnDivergence, Outcome, Progress, TrainConfig, Trainer,
};
use deepbelief_stack::Dbn;
use deepbelief_wake_sleep::{
    Error, Part, Snapshot, TopModel, TuneConfig, TuneMetrics, TuneState, Tuner, UnitChoices, Units, UpDown, peak_memory,
};
use std::path::PathBuf;

const CLASSES: usize = 3;
const SIZES: [usize; 4] = [30, 21, 17, 25];

fn data() -> Fixed {
    let batches = vec![binary(20, 30, 0.3, 1), real(20, 30, 0.3, 2), binary(13, 30, 0.4, 3)];
    Fixed::labelled(batches, CLASSES as u32)
}

fn config() -> TuneConfig {
    TuneConfig {
        top_steps: "1x1,2x1".parse().unwrap(),
        wake_rate: 0.1,
        sleep_rate: 0.1,
        top_rate: 0.1,
        momentum: 0.5,
        weight_cost: 1e-3,
        ..crate::plain()
    }
}

fn probabilities() -> UnitChoices {
    let p = Units::Probabilities;
    UnitChoices { wake: p, penultimate: p, label: Units::Sampled, top_statistics: p, sleep: p, visible: p }
}

/// Models and settings that take different ways through the code.
fn variants() -> Vec<(Dbn, TuneConfig)> {
    let model = untied(&SIZES, CLASSES, 0.3);
    vec![
        (model.clone(), config()),
        (model.clone(), TuneConfig { units: probabilities(), momentum: 0.0, weight_cost: 0.0, ..config() }),
        (model.clone(), TuneConfig { persistent_chains: 9, ..config() }),
        (with_factorial_top(&model), TuneConfig { top: TopModel::Factorial, ..config() }),
        (untied(&[30, 40], CLASSES, 0.3), config()),
    ]
}

/// Names of the parameters that two models differ in.
fn changed(before: &Dbn, after: &Dbn) -> Vec<String> {
    let pairs = bits(before).into_iter().zip(bits(after));
    pairs.filter(|(before, after)| before != after).map(|(before, _)| before.0).collect()
}

/// Byte equality of what is frozen, for every combination of flags, and that every single tensor of
/// the rest has changed: recognition weights in the sleep phase only, generative ones in the wake
/// phase only.
#[test]
fn what_is_frozen_stays_and_the_rest_learns() {
    let parts = [
        (Part::Recognition, ["layers.0.hb", "layers.0.w_rec", "layers.1.hb", "layers.1.w_rec"].as_slice()),
        (Part::Generative, ["layers.0.vb", "layers.0.w_gen", "layers.1.vb", "layers.1.w_gen"].as_slice()),
        (Part::Top, ["top.hb", "top.label_b", "top.label_w", "top.vb", "top.w_rec"].as_slice()),
    ];
    let dbn = untied(&SIZES, CLASSES, 0.3);
    for persistent_chains in [0, 9] {
        for flags in 0..7 {
            let is_frozen = |part: usize| flags >> part & 1 == 1;
            let freeze = (0..3).filter(|&part| is_frozen(part)).map(|part| parts[part].0).collect();
            let tuned = tune(&dbn, &TuneConfig { freeze, persistent_chains, ..config() }, &data());
            let mut expected: Vec<&str> =
                (0..3).filter(|&part| !is_frozen(part)).flat_map(|part| parts[part].1).copied().collect();
            expected.sort_unstable();
            let mut changed = changed(&dbn, &tuned);
            changed.sort_unstable();
            assert_eq!(changed, expected);
        }
    }
}

/// Freezing one set leaves what another learns as it was: the first update of each depends on the
/// states alone, whose random numbers do not move.
#[test]
fn freezing_one_set_does_not_disturb_the_others() {
    let one = Fixed::labelled(vec![binary(20, 30, 0.3, 1)], CLASSES as u32);
    let config = TuneConfig { top_steps: "2x1".parse().unwrap(), ..config() };
    let dbn = untied(&SIZES, CLASSES, 0.3);
    let whole = tune(&dbn, &config, &one);
    for part in [Part::Recognition, Part::Generative, Part::Top] {
        let frozen = tune(&dbn, &TuneConfig { freeze: vec![part], ..config.clone() }, &one);
        let differ = changed(&whole, &frozen);
        assert!(!differ.is_empty() && differ.iter().all(|name| !changed(&dbn, &frozen).contains(name)), "{differ:?}");
    }
}

#[test]
fn threads_do_not_change_the_result_and_seeds_do() {
    for (dbn, config) in variants() {
        let with = |threads, seed| bits(&tune(&dbn, &TuneConfig { threads, seed, ..config.clone() }, &data()));
        let one = with(1, 1);
        assert!(one == with(2, 1) && one == with(4, 1));
        assert!(one != with(1, 2));
    }
}

/// A tied model comes untied here.
#[test]
fn tuning_unties() {
    let dbn = Dbn::from_rbms(random_rbms(&SIZES, CLASSES, 0.3)).unwrap();
    assert!(dbn.is_tied().unwrap());
    let tuned = tune(&dbn, &config(), &data());
    assert!(tuned.layers().iter().all(|layer| !layer.is_tied().unwrap()));
}

/// With one layer of weights nothing but the top learns, and from probabilities it learns bit for
/// bit as an RBM by itself: by CD-k and from persistent chains.
#[test]
fn a_top_alone_trains_like_an_rbm() {
    let dbn = Dbn::from_rbms(random_rbms(&[30, 40], CLASSES, 0.3)).unwrap();
    for persistent_chains in [0, 9] {
        let units = UnitChoices { top_statistics: Units::Probabilities, ..Default::default() };
        let config = TuneConfig { top_steps: "3x2".parse().unwrap(), units, persistent_chains, ..config() };
        let train = TrainConfig {
            epochs: 2,
            learning_rate: 0.1,
            momentum: 0.5,
            momentum_switch: 2,
            weight_cost: 1e-3,
            cd_steps: 3.into(),
            persistent_chains,
            ..crate::plain_rbm()
        };
        let mut trainer = Trainer::new(dbn.top(), train).unwrap();
        trainer.fit(&mut data(), &data().monitors(), &mut ()).unwrap();
        let rbm = Dbn::from_rbms(vec![trainer.snapshot().model().unwrap()]).unwrap();
        assert!(bits(&tune(&dbn, &config, &data())) == bits(&rbm));
    }
}

/// Stops at the n-th thing that happens, a batch or an epoch.
struct StopAt(usize);

impl StopAt {
    fn event(&mut self) -> Control {
        self.0 = self.0.saturating_sub(1);
        if self.0 == 0 { Control::Stop } else { Control::Continue }
    }
}

impl Observer<UpDown> for StopAt {
    fn batch_done(&mut self, _: &Progress) -> Control {
        self.event()
    }
    fn epoch_done(&mut self, _: &TuneMetrics, _: &Snapshot<'_>) -> ObserverResult {
        Ok(self.event())
    }
}

/// Metrics as an observer sees them, but for the time.
#[derive(Default)]
struct Watch(Vec<TuneMetrics>);

impl Observer<UpDown> for Watch {
    fn epoch_done(&mut self, metrics: &TuneMetrics, _: &Snapshot<'_>) -> ObserverResult {
        self.0.push(TuneMetrics { seconds: 0.0, samples_per_second: 0.0, ..metrics.clone() });
        Ok(Control::Continue)
    }
}

/// Every possible interruption of a tuning of 2 epochs of 3 batches, by way of the file; what was
/// never interrupted is the reference, in the model, in the best model, in the state file as a whole
/// and in the metrics.
#[test]
fn resuming_anywhere_equals_never_having_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| -> PathBuf { folder.path().join(name) };
    let saved = |tuner: &Tuner, name: &str| {
        tuner.snapshot().state().unwrap().save(&path(name)).unwrap();
        std::fs::read(path(name)).unwrap()
    };
    for (dbn, config) in variants() {
        let monitors = data().monitors();
        let (mut tuner, mut watch) = (Tuner::new(&dbn, config.clone()).unwrap(), Watch::default());
        tuner.fit(&mut data(), &monitors, &mut watch).unwrap();
        let whole = saved(&tuner, "whole");
        assert_eq!(watch.0.iter().map(|metrics| metrics.epoch).collect::<Vec<_>>(), [0, 1, 2]);

        let mut stops = 0;
        for events in 0.. {
            let mut tuner = Tuner::new(&dbn, config.clone()).unwrap();
            if events > 0 && tuner.fit(&mut data(), &monitors, &mut StopAt(events)).unwrap() == Outcome::Finished {
                break;
            }
            stops += 1;
            saved(&tuner, "state");
            let state = TuneState::load(&path("state")).unwrap();
            assert_eq!((state.epochs_done(), state.learned.sizes()), (tuner.epochs_done(), dbn.sizes()));
            assert_eq!(state.measured(), (events > 0).then_some(tuner.epochs_done()));
            let (mut resumed, mut rest) =
                (Tuner::resume(config.clone(), state, &Device::Cpu).unwrap(), Watch::default());
            resumed.fit(&mut data(), &monitors, &mut rest).unwrap();
            assert!(saved(&resumed, "resumed") == whole, "stopped at event {events}");
            assert_eq!(rest.0, watch.0[3 - rest.0.len()..]);
        }
        // Before anything was measured; the start; 2 batches and the end of the first epoch, which also
        // serves a stop asked after its last batch; 2 batches of the last epoch, after which nothing is
        // left to interrupt.
        assert_eq!(stops, 1 + 1 + 4 + 2);
    }
}

/// What an observer hears of divergences, and the rates that epochs had.
#[derive(Default)]
struct Recoveries {
    shares: Vec<f64>,
    rates: Vec<f64>,
}

impl Observer<UpDown> for Recoveries {
    fn recovered(&mut self, from: &Error, share: f64) {
        assert!(matches!(from, Error::Diverged { .. }), "{from}");
        self.shares.push(share);
    }
    fn epoch_done(&mut self, metrics: &TuneMetrics, _: &Snapshot<'_>) -> ObserverResult {
        self.rates.push(metrics.top_rate);
        Ok(Control::Continue)
    }
}

/// Rates at which weights explode are halved until they do not, and stay halved after a resume from
/// within an epoch, which ends at the same bits. Eleven divergences are too many, and without the
/// setting one is.
#[test]
fn a_tuning_that_diverges_can_go_on_at_half_the_rates() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state");
    let (model, monitors) = (untied(&SIZES, CLASSES, 0.3), data().monitors());
    let run = |rate, on_divergence, observer: &mut dyn Observer<UpDown>| {
        let rates = TuneConfig { wake_rate: rate, sleep_rate: rate, top_rate: rate, ..config() };
        let mut tuner = Tuner::new(&model, TuneConfig { on_divergence, ..rates.clone() }).unwrap();
        tuner.fit(&mut data(), &monitors, observer).map(|outcome| (outcome, tuner, rates))
    };
    let mut seen = Recoveries::default();
    let (_, whole, rates) = run(400.0, OnDivergence::HalveLr, &mut seen).unwrap();
    assert!(seen.shares.len() > 2, "{:?}", seen.shares);
    assert!(seen.shares.iter().zip(1..).all(|(&share, n)| share == 0.5f64.powi(n)));
    assert_eq!(seen.rates.last(), seen.shares.last().map(|share| 400.0 * share).as_ref());

    for events in 1.. {
        let (outcome, tuner, _) = run(400.0, OnDivergence::HalveLr, &mut StopAt(events)).unwrap();
        if outcome == Outcome::Finished {
            assert!(events > 6);
            break;
        }
        tuner.snapshot().state().unwrap().save(&path).unwrap();
        let config = TuneConfig { on_divergence: OnDivergence::HalveLr, ..rates.clone() };
        let mut resumed = Tuner::resume(config, TuneState::load(&path).unwrap(), &Device::Cpu).unwrap();
        resumed.fit(&mut data(), &monitors, &mut ()).unwrap();
        let of = |tuner: &Tuner| bits(&tuner.snapshot().model().unwrap());
        assert!(of(&resumed) == of(&whole), "stopped at event {events}");
    }

    let mut seen = Recoveries::default();
    let error = run(1e9, OnDivergence::HalveLr, &mut seen).err().unwrap().to_string();
    assert!(error.starts_with("tuning diverged in epoch 1") && seen.shares.len() == 10, "{error}");
    assert!(matches!(run(400.0, OnDivergence::Stop, &mut ()).err().unwrap(), Error::Diverged { .. }));
}

/// The best model is the one with the lowest validation error, or variational cost without labels,
/// of all epochs and the start; patience counts the epochs since.
#[test]
fn the_best_model_is_kept_and_patience_ends() {
    struct Keep(Vec<(Option<f64>, f64, Dbn)>);
    impl Observer<UpDown> for Keep {
        fn epoch_done(&mut self, metrics: &TuneMetrics, snapshot: &Snapshot<'_>) -> ObserverResult {
            self.0.push((metrics.label_error_valid, metrics.variational_cost_valid.unwrap(), snapshot.model()?));
            let of = |seen: &(Option<f64>, f64, Dbn)| (seen.0, seen.1);
            let best = self.0.iter().min_by(|a, b| of(a).partial_cmp(&of(b)).unwrap()).unwrap();
            let kept = snapshot.best().unwrap();
            assert_eq!((kept.score.error, kept.score.cost), of(best));
            assert_eq!(metrics.best_epoch, Some(kept.epoch));
            assert!(bits(&kept.model) == bits(&self.0[kept.epoch as usize].2));
            Ok(Control::Continue)
        }
    }
    for classes in [0, CLASSES] {
        let config = TuneConfig { top_steps: "1x200".parse().unwrap(), patience: 4, ..config() };
        let mut tuner = Tuner::new(&untied(&SIZES, classes, 0.3), config).unwrap();
        let mut keep = Keep(Vec::new());
        let outcome = tuner.fit(&mut data(), &data().monitors(), &mut keep).unwrap();
        let best = tuner.snapshot().best().unwrap().epoch;
        assert_eq!((outcome, tuner.epochs_done()), (Outcome::Converged, best + 4));
        assert_eq!(keep.0.len() as u32, best + 5);
    }
}

/// Without validation data there is no best model; and what is measured on changes nothing.
#[test]
fn monitors_change_nothing() {
    let dbn = untied(&SIZES, CLASSES, 0.3);
    let measured = tune(&dbn, &config(), &data());
    let mut tuner = Tuner::new(&dbn, config()).unwrap();
    let monitors = Monitors { train: Batch::Binary(deepbelief_kernels::Bits::zeros(0, 30)), ..Monitors::default() };
    tuner.fit(&mut data(), &monitors, &mut ()).unwrap();
    assert!(tuner.snapshot().best().is_none());
    assert!(bits(&tuner.snapshot().model().unwrap()) == bits(&measured));
}

/// By hand for 784-500-500-2000: 642,000 directed weights in both directions with velocities, and
/// the top's million three times, are 22 MB; three copies of the model as tensors and as bytes
/// 79 MB. Padding and what a batch adds are below 10 MB, and grow with the chains.
#[test]
fn memory_is_told() {
    let pixels = deepbelief_rbm::Units::of(deepbelief_rbm::UnitKind::Bernoulli, 784);
    let bytes = |config: &TuneConfig| peak_memory(&[784, 500, 500, 2000], &pixels, 100, config);
    let (one, many) = (bytes(&config()), bytes(&TuneConfig { persistent_chains: 1000, ..config() }));
    assert!((101_000_000..111_000_000).contains(&one), "{one}");
    assert!(many > one + 10_000_000, "{many}");
    assert_eq!(peak_memory(&[784], &pixels, 100, &config()), 0);
}
