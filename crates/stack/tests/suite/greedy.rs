//! Greedy training: determinism, resuming, learning, refusals.

use crate::checkpoint::parameters;
use crate::{Fixed, binary, message, random_rbms, uniforms};
use deepbelief_kernels::{Batch, Bits, Minibatches};
use deepbelief_ranks::Threads;
use deepbelief_rbm::{
    Contrastive, Control, EpochMetrics, Monitors, Observer, ObserverResult, Outcome, Progress, Provenance, Rbm,
    Snapshot, Sums, TrainConfig, Trainer,
};
use deepbelief_stack::{
    Dbn, Greedy, GreedyState, LayerConfig, LayerStart, Mode, Propagate, StackConfig, StackObserver, Start,
};

const CLASSES: usize = 3;

/// 30 x 24 bits: each class has a pattern, of which every bit flips with probability 0.1.
fn data() -> Fixed {
    let patterns = uniforms(CLASSES, 24, 500);
    let (mut batches, mut labels) = (Vec::new(), Vec::new());
    for batch in 0..3 {
        let flips = uniforms(10, 24, 501 + batch);
        let label = |row: usize| (row + batch as usize) % CLASSES;
        let value = |i: usize| (patterns[label(i / 24) * 24 + i % 24] < 0.5) != (flips[i] < 0.1);
        let values: Vec<f32> = (0..240).map(|i| f32::from(u8::from(value(i)))).collect();
        batches.push(Batch::Binary(Bits::from_values(10, 24, &values)));
        labels.push((0..10).map(|row| label(row) as u32).collect());
    }
    Fixed::new(batches, Some(labels))
}

fn monitors() -> Monitors {
    let data = data();
    let labels = data.labels.unwrap();
    Monitors {
        train: data.batches[0].clone(),
        valid: Some(data.batches[1].clone()),
        train_labels: labels[0].clone(),
        valid_labels: labels[1].clone(),
        ..Default::default()
    }
}

fn config(hidden: &[usize]) -> StackConfig {
    let train = TrainConfig { epochs: 2, learning_rate: 0.1, ..crate::plain() };
    let layer = |&hidden: &usize| LayerConfig { hidden, weight_std: 0.1, train: train.clone(), ..Default::default() };
    StackConfig { layers: hidden.iter().map(layer).collect(), classes: Some(CLASSES), ..Default::default() }
}

fn train(config: &StackConfig) -> Dbn {
    let mut greedy = Greedy::new(config.clone()).unwrap();
    assert_eq!(greedy.fit(&mut data(), &monitors(), &mut ()).unwrap(), Outcome::Finished);
    greedy.dbn().unwrap()
}

/// Probabilities and samples, kept and recomputed.
fn variants(base: &StackConfig) -> Vec<StackConfig> {
    let mut all = Vec::new();
    for propagate in [Propagate::Probabilities, Propagate::Samples] {
        for cache_bytes in [u64::MAX, 0] {
            all.push(StackConfig { propagate, cache_bytes, ..base.clone() });
        }
    }
    all
}

#[test]
fn threads_do_not_change_the_result_and_seeds_do() {
    for config in variants(&config(&[40, 33, 9])) {
        let with = |threads, seed| parameters(&train(&StackConfig { threads, seed, ..config.clone() }));
        let one = with(1, 1);
        assert!(one == with(2, 1) && one == with(4, 1));
        assert!(one != with(1, 2));
    }
}

/// With labels at the top, inputs kept and recomputed, and chains that ranks hold apart.
#[test]
fn any_number_of_ranks_makes_the_same_stack() {
    let mut base = config(&[20, 9]);
    for layer in &mut base.layers {
        layer.train = TrainConfig { sums: Sums::Exact, persistent_chains: 70, ..layer.train.clone() };
    }
    for config in variants(&StackConfig { threads: 1, ..base }) {
        let one = parameters(&train(&config));
        for ranks in [2, 3] {
            let nets = Threads::run(ranks, |group| {
                let mut greedy = Greedy::new(config.clone())?.among(&group);
                assert_eq!(greedy.fit(&mut data(), &monitors(), &mut ())?, Outcome::Finished);
                greedy.dbn()
            });
            assert!(nets.into_iter().all(|net| parameters(&net.unwrap()) == one), "{ranks} ranks");
        }
    }
}

/// Stops from the n-th thing that happens on: a layer that starts, a batch, an epoch or a layer
/// that is done. Writes what a run folder would hold as it goes.
struct StopAt {
    events: usize,
    folder: std::path::PathBuf,
    layer: usize,
}

impl StopAt {
    fn event(&mut self) -> Control {
        self.events = self.events.saturating_sub(1);
        if self.events == 0 { Control::Stop } else { Control::Continue }
    }
}

impl Observer<Contrastive> for StopAt {
    fn batch_done(&mut self, _: &Progress) -> Control {
        self.event()
    }
    fn epoch_done(&mut self, metrics: &EpochMetrics, snapshot: &Snapshot<'_>) -> ObserverResult {
        assert_eq!(metrics.layer as usize, self.layer);
        GreedyState::save_running(&self.folder, self.layer, &snapshot.state()?)?;
        Ok(self.event())
    }
}

impl StackObserver for StopAt {
    fn layer_started(&mut self, start: &LayerStart<'_>) -> ObserverResult {
        self.layer = start.layer;
        Ok(self.event())
    }
    fn layer_done(&mut self, _: usize, finished: &[Rbm]) -> ObserverResult {
        GreedyState::save_finished(&self.folder, finished, &Provenance::default())?;
        Ok(self.event())
    }
}

/// Every possible interruption of a training of 3 layers, 2 epochs of 3 batches each, by way of
/// the run folder; what was never interrupted is the reference.
#[test]
fn resuming_anywhere_equals_never_having_stopped() {
    for config in variants(&config(&[12, 10, 9])) {
        let whole = parameters(&train(&config));
        let mut stops = 0;
        for events in 1.. {
            let folder = tempfile::tempdir().unwrap();
            let mut observer = StopAt { events, folder: folder.path().into(), layer: 0 };
            let mut greedy = Greedy::new(config.clone()).unwrap();
            if greedy.fit(&mut data(), &monitors(), &mut observer).unwrap() == Outcome::Finished {
                break;
            }
            stops += 1;
            greedy.state().save(folder.path(), &Provenance::default()).unwrap();
            let state = GreedyState::load(folder.path()).unwrap();
            assert_eq!(state.finished.len(), greedy.state().finished.len());
            let mut resumed = Greedy::resume(config.clone(), state).unwrap();
            let mut watch = Layers::default();
            resumed.fit(&mut data(), &monitors(), &mut watch).unwrap();
            assert_eq!(watch.started.first().copied().unwrap_or(3), greedy.state().finished.len(), "a layer repeated");
            assert!(parameters(&resumed.dbn().unwrap()) == whole, "stopped at event {events}");
        }
        // A layer: its start, 6 batches, 2 epochs, its end.
        assert_eq!(stops, 3 * 10);
    }
}

/// What a run that dies between two writes leaves: the earlier finished layers, or those and
/// the state of a layer that is finished by now, or of one that is not yet begun.
#[test]
fn a_folder_is_consistent_whenever_the_run_dies() {
    let folder = tempfile::tempdir().unwrap();
    assert!(GreedyState::load(folder.path()).unwrap().finished.is_empty());
    let config = config(&[12, 10]);
    let mut observer = StopAt { events: 5, folder: folder.path().into(), layer: 0 };
    let mut greedy = Greedy::new(config.clone()).unwrap();
    greedy.fit(&mut data(), &monitors(), &mut observer).unwrap();
    let loaded = GreedyState::load(folder.path()).unwrap();
    assert_eq!((loaded.finished.len(), loaded.running.unwrap().epochs_done()), (0, 1));

    let stale = std::fs::read(folder.path().join("layer-0.state.safetensors")).unwrap();
    let mut observer = StopAt { events: usize::MAX, folder: folder.path().into(), layer: 0 };
    greedy.fit(&mut data(), &monitors(), &mut observer).unwrap();
    let names = |folder: &std::path::Path| {
        let mut names: Vec<_> =
            std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    };
    // Beside the finished layers, what a recovery goes back to where these are damaged.
    let kept = ["layer-1.state.previous.safetensors", "layers.previous.safetensors", "layers.safetensors"];
    assert_eq!(names(folder.path()), kept);
    std::fs::write(folder.path().join("layer-0.state.safetensors"), stale).unwrap();
    let loaded = GreedyState::load(folder.path()).unwrap();
    assert_eq!((loaded.finished.len(), loaded.running.is_none()), (2, true));
}

/// What the observer receives, in order.
#[derive(Default)]
struct Layers {
    started: Vec<usize>,
    modes: Vec<Option<Mode>>,
    epochs: Vec<u32>,
    last: Option<EpochMetrics>,
    done: Vec<usize>,
}

impl Observer<Contrastive> for Layers {
    fn epoch_done(&mut self, metrics: &EpochMetrics, _: &Snapshot<'_>) -> ObserverResult {
        self.epochs.push(metrics.layer);
        self.last = Some(metrics.clone());
        Ok(Control::Continue)
    }
}

impl StackObserver for Layers {
    fn layer_started(&mut self, start: &LayerStart<'_>) -> ObserverResult {
        assert_eq!(start.finished.len(), start.layer);
        self.started.push(start.layer);
        self.modes.push(start.plan.map(|plan| plan.mode));
        Ok(Control::Continue)
    }
    fn layer_done(&mut self, layer: usize, finished: &[Rbm]) -> ObserverResult {
        assert_eq!(finished.len(), layer + 1);
        self.done.push(layer);
        Ok(Control::Continue)
    }
}

#[test]
fn depths_one_to_four_train_with_and_without_labels() {
    let hidden = [12, 10, 33, 9];
    for depth in 1..=4 {
        for classes in [None, Some(CLASSES)] {
            let config = StackConfig { classes, ..config(&hidden[..depth]) };
            let mut greedy = Greedy::new(config).unwrap();
            assert_eq!(message(&greedy.dbn().unwrap_err()), "number of layers is 0; it must be between 1 and 64");
            let mut watch = Layers::default();
            greedy.fit(&mut data(), &monitors(), &mut watch).unwrap();
            let layers: Vec<usize> = (0..depth).collect();
            assert_eq!((&watch.started, &watch.done), (&layers, &layers));
            assert_eq!(watch.epochs, (0..depth as u32).flat_map(|layer| [layer, layer]).collect::<Vec<_>>());
            assert!(watch.modes[0].is_none() && watch.modes[1..].iter().all(|&mode| mode == Some(Mode::Floats)));
            let last = watch.last.unwrap();
            assert!(last.free_energy_gap.is_some(), "validation data reach every depth");
            assert_eq!(last.label_error_valid.is_some(), classes.is_some());
            let dbn = greedy.dbn().unwrap();
            assert_eq!(dbn.sizes()[1..], hidden[..depth]);
            assert_eq!(dbn.classes(), classes.unwrap_or(0));
        }
    }
}

/// The bottom of a stack is the RBM that would be trained alone, from the same start, seed and
/// data.
#[test]
fn the_bottom_layer_trains_like_an_rbm_by_itself() {
    let config = config(&[12, 9]);
    let dbn = train(&config);
    let mut source = data();
    let all: Vec<f32> = source.batches.iter().flat_map(Batch::to_values).collect();
    let mean = |unit: usize| {
        (all.iter().skip(unit).step_by(24).map(|&x| f64::from(x)).sum::<f64>() / source.samples() as f64) as f32
    };
    let means: Vec<f32> = (0..24).map(mean).collect();
    let start = deepbelief_rbm::RbmConfig { hidden: 12, weight_std: 0.1, seed: config.seed, ..Default::default() };
    let rbm = Rbm::new(&start, &means, &candle_core::Device::Cpu).unwrap();
    let mut trainer = Trainer::new(&rbm, config.layers[0].train.clone()).unwrap();
    trainer.fit(&mut source, &monitors(), &mut ()).unwrap();
    let alone = Dbn::from_rbms(vec![trainer.snapshot().model().unwrap()]).unwrap();
    let bottom = Dbn::from_rbms(vec![dbn.to_rbms().unwrap().remove(0)]).unwrap();
    assert!(parameters(&alone) == parameters(&bottom));
}

/// Three noisy patterns, distinguished after 60 epochs a layer by classification through two
/// layers of which only the second ever saw a label. Guessing would miss two in three.
#[test]
fn labels_are_learned_through_the_layers() {
    for mut config in variants(&config(&[20, 20])) {
        config.layers.iter_mut().for_each(|layer| layer.train.epochs = 60);
        config.balanced = true;
        let dbn = train(&config);
        let source = data();
        let mut wrong = 0;
        for (batch, labels) in source.batches.iter().zip(source.labels.as_ref().unwrap()) {
            let found = dbn.classify(&crate::to_tensor(batch)).unwrap();
            wrong += found.iter().zip(labels).filter(|(a, b)| a != b).count();
        }
        assert!(wrong <= 2, "{wrong} of 30 wrong with {:?}", config.propagate);
    }
}

#[test]
fn what_cannot_be_trained_is_refused_with_the_layer() {
    let refused = |config: StackConfig, mut data: Fixed| {
        message(&Greedy::new(config).unwrap().fit(&mut data, &monitors(), &mut ()).unwrap_err())
    };
    let unlabelled = Fixed { labels: None, ..data() };
    assert_eq!(
        refused(config(&[5, 4]), unlabelled),
        "the training data have no labels, which a label group of 3 classes needs; train without it"
    );
    let two = StackConfig { classes: Some(2), ..config(&[5]) };
    assert_eq!(refused(two, data()), "label 2 (entry 2, counted from 0) is not below the number of classes, 2");
    let mut transposed = config(&[5, 4]);
    transposed.layers[1].start = Start::Transposed;
    assert_eq!(
        refused(transposed, data()),
        "hidden is 4; it must be at least 24, the units it mirrors, where layer 2 starts transposed"
    );
    let mut wild = config(&[5, 4]);
    wild.layers[1].train.learning_rate = 1e7;
    let diverged = refused(wild, data());
    assert!(diverged.starts_with("training layer 2 failed: training diverged in epoch 1, batch 1"), "{diverged}");
    let narrow = Fixed::new(vec![binary(4, 20, 0.5, 1)], None);
    assert_eq!(
        refused(StackConfig { classes: None, ..config(&[5]) }, narrow),
        "training layer 1 failed: training monitor: the shape is [24], expected [20]"
    );
}

/// A pass up that fails in the middle of an epoch (here a batch that is narrower than the data
/// said) must surface as what it is, not as the NaN that stops the training.
#[test]
fn a_failing_pass_up_says_why() {
    let mut broken = data();
    broken.batches[1] = binary(10, 20, 0.5, 1);
    let state = GreedyState { finished: random_rbms(&[24, 12], 0, 0.1), running: None };
    let config = StackConfig { classes: None, cache_bytes: 0, ..config(&[12, 5]) };
    let mut greedy = Greedy::resume(config, state).unwrap();
    let refusal = message(&greedy.fit(&mut broken, &monitors(), &mut ()).unwrap_err());
    assert_eq!(refusal, "batch to be passed up: the shape is [20], expected [24]");
}

#[test]
fn a_state_of_other_layers_is_refused() {
    let refused = |finished: &[usize], running: Option<(usize, usize)>, hidden: &[usize]| {
        let running = running.map(|(visible, hidden)| {
            let rbm = random_rbms(&[visible, hidden], 0, 0.1).remove(0);
            Trainer::new(&rbm, crate::plain()).unwrap().snapshot().state().unwrap()
        });
        let finished = if finished.is_empty() { vec![] } else { random_rbms(finished, 0, 0.1) };
        let error = Greedy::resume(config(hidden), GreedyState { finished, running }).map(|_| ()).unwrap_err();
        let message = error.to_string();
        let inner = message.strip_prefix("the saved state does not fit the settings: ").unwrap();
        inner.strip_suffix("; resume with the settings it was started with").unwrap().to_string()
    };
    assert_eq!(refused(&[24, 5, 4], None, &[5]), "it has 2 finished layers, the settings have 1");
    assert_eq!(refused(&[24, 5], None, &[6, 4]), "its layer 1 has 5 hidden units, the settings say 6");
    assert_eq!(refused(&[24, 5], Some((5, 4)), &[5]), "it trains layer 2, the settings have 1 layers");
    assert_eq!(refused(&[24, 5], Some((6, 4)), &[5, 4]), "it trains layer 2 with 6 x 4 units, the settings say 5 x 4");
    assert_eq!(refused(&[], Some((24, 3)), &[4]), "it trains layer 1 with 24 x 3 units, the settings say 24 x 4");
}
