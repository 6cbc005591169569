//! Nets over a real number, a category, a spin and a bit.

use crate::{Fixed, bits, plain, tensor, tune, uniforms};
use candle_core::{DType, Device, Tensor};
use deepbelief_data::{BatchConfig, Minibatcher, Split};
use deepbelief_kernels::Batch;
use deepbelief_rbm::{
    Control, FieldTensors, LabelGroup, Monitors, Observer, Outcome, Progress, Rbm, Segment, UnitKind, states_of,
};
use deepbelief_stack::{Dbn, Layer};
use deepbelief_wake_sleep::{Part, TuneConfig, TuneMetrics, TuneState, Tuner, UnitChoices, Units, UpDown};

fn mixed() -> deepbelief_rbm::Units {
    let segment = |(units, levels)| Segment { units, levels, sites: 1 };
    [(UnitKind::Gaussian, 1), (UnitKind::Categorical, 3), (UnitKind::Spin, 1), (UnitKind::Bernoulli, 1)]
        .map(segment)
        .into_iter()
        .collect()
}

/// 6-5-4, with labels.
fn net() -> Dbn {
    let layer = Layer::from_tensors(
        tensor(&[6, 5], 0.5, 1),
        tensor(&[5, 6], 0.5, 2),
        tensor(&[5], 0.5, 3),
        tensor(&[6], 0.5, 4),
    );
    let log_g = Tensor::new(&[0.2f32, 0.0, 0.0, 0.0, 0.0, 0.0], &Device::Cpu).unwrap();
    let fields = FieldTensors { log_precision: Some(log_g), ..FieldTensors::default() };
    let top = Rbm::from_tensors(tensor(&[5, 4], 0.5, 5), tensor(&[4], 0.5, 6), tensor(&[5], 0.5, 7)).unwrap();
    let top = top.with_labels(LabelGroup { w: tensor(&[2, 4], 0.5, 8), b: tensor(&[2], 0.5, 9) }).unwrap();
    Dbn::new(vec![layer.unwrap().with_visible_units(mixed(), fields).unwrap()], top).unwrap()
}

/// Two kinds of samples, all of whose columns tell which; spins are 0 and 1.
fn samples(rows: usize, step: u32) -> Batch {
    let mut values = Vec::new();
    for u in uniforms(rows, 6, step).chunks(6) {
        let one = u[0] < 0.5;
        let level = if u[1] < 0.9 { usize::from(one) } else { 2 };
        let bit = |u: f32| f32::from(u8::from((u < 0.9) == one));
        values.push(if one { 1.0 } else { -1.0 } + 0.4 * (u[2] + u[3] - 1.0));
        values.extend((0..3).map(|at| f32::from(u8::from(at == level))));
        values.extend([bit(u[4]), bit(u[5])]);
    }
    Batch::Real { rows, units: 6, values }
}

fn data() -> Fixed {
    let batches: Vec<Batch> = (0..4).map(|step| samples(50, step)).collect();
    let label = |row: &[f32]| u32::from(row[0] > 0.0);
    let labels = batches.iter().map(|batch| batch.to_values().chunks(6).map(label).collect()).collect();
    Fixed::new(batches, Some(labels))
}

fn config() -> TuneConfig {
    TuneConfig {
        top_steps: "1x2".parse().unwrap(),
        momentum: 0.5,
        units: UnitChoices { visible: Units::Sampled, ..Default::default() },
        ..plain()
    }
}

#[test]
fn data_of_other_units_are_refused() {
    let bits = deepbelief_rbm::Units::of(UnitKind::Bernoulli, 6);
    let split = Split::of_units(bits, vec![1.0; 24], Some(vec![0, 1, 0, 1])).unwrap();
    let mut data = Minibatcher::new(&split, BatchConfig::default()).unwrap();
    let refused = Tuner::new(&net(), config()).unwrap().fit(&mut data, &Monitors::default(), &mut ());
    let said = "the training data have 6 bernoulli units, but the model has 1 gaussian, 1 categorical of 3, 1 spin, 1 \
                bernoulli visible units; they differ from column 0 (counted from 0) on: ";
    let refused = refused.unwrap_err().to_string();
    assert!(refused.starts_with(said), "{refused}");
}

struct StopAfter(usize);

impl Observer<UpDown> for StopAfter {
    fn batch_done(&mut self, _: &Progress) -> Control {
        self.0 -= 1;
        if self.0 == 0 { Control::Stop } else { Control::Continue }
    }
}

/// Through files, with one thread and with two, in either epoch; the file of the model holds all of it.
#[test]
fn a_tuning_over_mixed_units_resumes_bit_for_bit() {
    let (dbn, data, folder) = (net(), data(), tempfile::tempdir().unwrap());
    let whole = tune(&dbn, &config(), &data);
    assert!(!whole.is_tied().unwrap() && whole.visible_units() == &mixed());
    let path = folder.path().join("state.safetensors");
    for (stop, threads) in [(1, 1), (3, 2), (6, 1)] {
        let mut tuner = Tuner::new(&dbn, TuneConfig { threads, ..config() }).unwrap();
        let stopped = tuner.fit(&mut data.clone(), &data.monitors(), &mut StopAfter(stop)).unwrap();
        assert_eq!(stopped, Outcome::Interrupted);
        tuner.snapshot().state().unwrap().save(&path).unwrap();
        let state = TuneState::load(&path).unwrap();
        assert_eq!(state.learned.visible_units(), &mixed());
        let mut tuner = Tuner::resume(TuneConfig { threads: 3 - threads, ..config() }, state, &Device::Cpu).unwrap();
        tuner.fit(&mut data.clone(), &data.monitors(), &mut ()).unwrap();
        assert!(bits(&tuner.snapshot().model().unwrap()) == bits(&whole), "stopped after {stop} batches");
    }
    let file = folder.path().join("net.safetensors");
    whole.save(&file, &deepbelief_rbm::Provenance::default()).unwrap();
    assert!(bits(&Dbn::load(&file, &Device::Cpu).unwrap().0) == bits(&whole));
}

#[test]
fn each_phase_teaches_one_set_of_a_net_over_mixed_units() {
    let (dbn, data) = (net(), data());
    let names = |dbn: &Dbn| bits(dbn);
    for (part, own) in [
        (Part::Recognition, ["layers.0.hb", "layers.0.w_rec"].as_slice()),
        (Part::Generative, &["layers.0.vb", "layers.0.visible.log_precision", "layers.0.w_gen"]),
        (Part::Top, &["top.hb", "top.label_b", "top.label_w", "top.vb", "top.w_rec"]),
    ] {
        let tuned = tune(&dbn, &TuneConfig { freeze: vec![part], weight_cost: 0.0, ..config() }, &data);
        let pairs = names(&dbn).into_iter().zip(names(&tuned));
        let mut same: Vec<String> = pairs.filter(|(a, b)| a == b).map(|(a, _)| a.0).collect();
        same.sort_unstable();
        assert_eq!(same, own, "{part:?} is frozen");
    }
}

/// The generative cost of an epoch is the mean of -ln p(v | h1) on an up-pass that is drawn: within five standard errors,
/// of 200 draws for each of 50 samples, of what it is by the model's own tensors; and a net that learns reaches a lower
/// variational cost and tells the labels.
#[test]
fn costs_are_those_of_the_kinds_and_fall() {
    let (dbn, data) = (net(), data());
    let monitors = data.monitors();
    let top_steps = "1x200".parse().unwrap();
    let rates = TuneConfig { top_steps, wake_rate: 0.05, sleep_rate: 0.05, top_rate: 0.1, ..config() };
    let mut tuner = Tuner::new(&dbn, rates).unwrap();
    let mut all: Vec<TuneMetrics> = Vec::new();
    let mut watch = |metrics: &TuneMetrics| all.push(metrics.clone());
    tuner.fit(&mut data.clone(), &monitors, &mut watch).unwrap();
    let (first, last) = (all.first().unwrap(), all.last().unwrap());
    let v = states_of(&mixed(), &monitors.train, &Device::Cpu).unwrap();
    let layer = &dbn.layers()[0];
    let (mut sum, mut squares, draws) = (0.0, 0.0, 200);
    for draw in 0..draws {
        let draw = deepbelief_kernels::Uniforms::new(9, deepbelief_kernels::Stream::User, draw);
        let h = dbn.encode(&v, 1, Some(draw)).unwrap();
        let input = h.matmul(layer.w_gen()).unwrap();
        let cost = layer.below().cost(&input, &v).unwrap().to_dtype(DType::F64).unwrap();
        let mean: f64 = cost.mean_all().unwrap().to_scalar().unwrap();
        sum += mean;
        squares += mean * mean;
    }
    let n = f64::from(draws);
    let (mean, deviation) = (sum / n, (squares / n - (sum / n).powi(2)).sqrt());
    let told = first.layers[0].generative_cost;
    assert!((told - mean).abs() < 5.0 * deviation, "{told} and not {mean} with deviation {deviation}");
    assert!(last.variational_cost < first.variational_cost - 0.5, "{first:?} {last:?}");
    assert!(last.label_error_train.unwrap() < 0.2, "{:?}", last.label_error_train);
}

#[test]
fn one_layer_of_other_units_is_refused() {
    let rbm = Rbm::from_tensors(tensor(&[6, 5], 0.5, 1), tensor(&[5], 0.5, 3), tensor(&[6], 0.5, 4)).unwrap();
    let hidden = deepbelief_rbm::Units::of(UnitKind::Bernoulli, 5);
    let layers = deepbelief_rbm::Layers { visible: mixed(), hidden };
    let rbm = rbm.with_layers(layers, FieldTensors::default(), FieldTensors::default()).unwrap();
    let refused = Tuner::new(&Dbn::from_rbms(vec![rbm]).unwrap(), config()).map(|_| ()).unwrap_err();
    assert!(refused.to_string().contains("bernoulli in a net of one layer"), "{refused}");
}
