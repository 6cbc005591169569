//! What cannot be tuned or read: each is refused by one sentence that says why.

use crate::{Fixed, binary, message, untied};
use candle_core::{Device, Tensor};
use deepbelief_rbm::{Monitors, Observer, ObserverResult, Rbm, UnitKind, tensors};
use deepbelief_stack::Dbn;
use deepbelief_wake_sleep::{
    LayerRates, Snapshot, TopModel, TuneConfig, TuneMetrics, TuneState, Tuner, UpDown, sigmoid_belief_net,
};
use serde_json::{Value, json};

fn config() -> TuneConfig {
    TuneConfig { top_steps: "1x1".parse().unwrap(), ..crate::plain() }
}

fn data() -> Fixed {
    Fixed::labelled(vec![binary(6, 5, 0.4, 1), binary(6, 5, 0.4, 2)], 2)
}

fn model() -> Dbn {
    untied(&[5, 4, 3], 2, 1.0)
}

fn new(dbn: &Dbn, config: TuneConfig) -> String {
    message(&Tuner::new(dbn, config).err().expect("a refusal"))
}

#[test]
fn settings_that_do_not_fit_the_model_are_refused() {
    let layers = vec![LayerRates::default(); 2];
    assert_eq!(
        new(&model(), TuneConfig { layers, ..config() }),
        "rates of single layers is 2; it must be at most 1, the directed layers"
    );
    let factorial = TuneConfig { top: TopModel::Factorial, ..config() };
    assert_eq!(
        new(&model(), factorial),
        "top is factorial; it must be undirected: the top RBM of this model has weights or labels"
    );
    assert!(new(&model(), TuneConfig { top_rate: -1.0, ..config() }).starts_with("top_rate is -1; it must be"));
    let gaussian = model().top().clone();
    let gaussian = Rbm::from_tensors(gaussian.w_rec().clone(), gaussian.hb().clone(), gaussian.vb().clone()).unwrap();
    let gaussian = gaussian.with_hidden_units(UnitKind::Gaussian).unwrap();
    assert_eq!(
        new(&Dbn::new(model().layers().to_vec(), gaussian).unwrap(), config()),
        "hidden_units of the top is gaussian; it must be bernoulli: wake-sleep learns from binary states"
    );
    let none = sigmoid_belief_net(&[], &[0.5], 0.1, 1).map(|_| ()).unwrap_err();
    assert_eq!(message(&none), "hidden layers is 0; it must be at least 1");
    let wide = sigmoid_belief_net(&[70_000], &[0.5], 0.1, 1).map(|_| ()).unwrap_err();
    assert_eq!(message(&wide), "hidden is 70000; it must be between 1 and 65504 units");
    assert!(sigmoid_belief_net(&[3], &[1.5], 0.1, 1).is_err() && sigmoid_belief_net(&[3], &[], 0.1, 1).is_err());
}

fn fit(config: TuneConfig, data: &mut Fixed, monitors: &Monitors) -> String {
    message(&Tuner::new(&model(), config).unwrap().fit(data, monitors, &mut ()).expect_err("a refusal"))
}

#[test]
fn data_that_do_not_fit_are_refused() {
    let monitors = data().monitors();
    let narrow = |batch: usize| {
        let mut data = data();
        data.batches[batch] = binary(6, 4, 0.4, 3);
        data
    };
    assert_eq!(fit(config(), &mut narrow(0), &monitors), "training data: the shape is [4], expected [5]");
    assert_eq!(fit(config(), &mut narrow(1), &monitors), "training data: the shape is [4], expected [5]");
    let other = Monitors { train: binary(6, 4, 0.4, 3), ..monitors.clone() };
    assert_eq!(fit(config(), &mut data(), &other), "training monitor: the shape is [4], expected [5]");
    let other = Monitors { valid: Some(binary(6, 4, 0.4, 3)), ..monitors.clone() };
    assert_eq!(fit(config(), &mut data(), &other), "validation data: the shape is [4], expected [5]");

    let mut unlabelled = Fixed { labels: None, ..data() };
    assert_eq!(
        fit(config(), &mut unlabelled, &monitors),
        "the training data have no labels, which the label group of the model needs; tune a model without one"
    );
    let other = Monitors { valid_labels: vec![1], ..monitors.clone() };
    assert_eq!(fit(config(), &mut data(), &other), "labels of the validation data: the shape is [1], expected [6]");
    let mut beyond = data();
    beyond.labels.as_mut().unwrap()[1][4] = 2;
    assert_eq!(
        fit(config(), &mut beyond, &monitors),
        "label 2 (entry 4 of the training data) is not below the number of classes, 2"
    );
    let patient = TuneConfig { patience: 3, ..config() };
    let unvalidated = Monitors { valid: None, ..monitors };
    assert_eq!(
        fit(patient, &mut data(), &unvalidated),
        "patience is 3; it must be 0 where there are no validation data"
    );
}

#[test]
fn divergence_says_where_and_what_to_try() {
    let diverged = |config: TuneConfig| fit(config, &mut data(), &data().monitors());
    let start = |what: &str| format!("tuning diverged in epoch 1, batch 1: the largest parameter of the {what} is ");
    let end = |rate: &str| format!("; try a {rate} below 10000000, a smaller momentum or a weight cost near 0.001");
    for (config, what, rate) in [
        (TuneConfig { wake_rate: 1e7, ..config() }, "generative weights of layer 1", "wake_rate"),
        (TuneConfig { sleep_rate: 1e7, ..config() }, "recognition weights of layer 1", "sleep_rate"),
        (TuneConfig { top_rate: 1e7, ..config() }, "top, layer 2", "top_rate"),
    ] {
        let message = diverged(config);
        assert!(message.starts_with(&start(what)) && message.ends_with(&end(rate)), "{message}");
    }
    let mut nan = data();
    let deepbelief_kernels::Batch::Binary(bits) = &nan.batches[0] else { panic!("binary") };
    let mut values = bits.to_values();
    values[7] = f32::NAN;
    nan.batches[0] = deepbelief_kernels::Batch::Real { rows: 6, units: 5, values };
    let message = fit(config(), &mut nan, &data().monitors());
    assert!(message.contains("is NaN; try a "), "{message}");
}

#[test]
fn a_failing_observer_ends_the_tuning() {
    struct Fails;
    impl Observer<UpDown> for Fails {
        fn epoch_done(&mut self, _: &TuneMetrics, _: &Snapshot<'_>) -> ObserverResult {
            Err("the disk is full".into())
        }
    }
    let mut tuner = Tuner::new(&model(), config()).unwrap();
    let error = tuner.fit(&mut data(), &data().monitors(), &mut Fails).unwrap_err();
    assert_eq!(message(&error), "an observer of the training failed: the disk is full");
}

/// What the reader says after the path of a state whose header is changed.
fn after(change: impl FnOnce(&mut Value, &mut Vec<(String, Tensor)>)) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.safetensors");
    let mut tuner = Tuner::new(&model(), TuneConfig { persistent_chains: 4, ..config() }).unwrap();
    tuner.fit(&mut data(), &data().monitors(), &mut ()).unwrap();
    tuner.snapshot().state().unwrap().save(&path).unwrap();
    let bytes = std::fs::read(&path).unwrap();
    let (mut header, _) = tensors::Reader::open::<Value>(&path, &bytes, "tuning").unwrap();
    let mut parts: Vec<(String, Tensor)> =
        candle_core::safetensors::load(&path, &candle_core::Device::Cpu).unwrap().into_iter().collect();
    change(&mut header, &mut parts);
    tensors::write(&path, &header, &parts).unwrap();
    let message = message(&TuneState::load(&path).map(|_| ()).unwrap_err());
    message.strip_prefix(&format!("{}: ", path.display())).expect("the path").to_string()
}

#[test]
fn files_that_are_not_a_whole_state_are_refused() {
    assert_eq!(
        after(|header, _| header["kind"] = json!("dbn")),
        "is of kind 'dbn', expected 'tuning': `deepbelief_stack::Dbn::load` reads it"
    );
    assert_eq!(
        after(|header, _| header["sizes"] = json!([5, 4])),
        "tensor 'top.w_rec' has shape [4, 3], expected [5, 4]"
    );
    for name in ["chains", "best.top.hb", "velocity.layers.0.w_gen", "layers.0.w_rec"] {
        let missing = after(|_, tensors| tensors.retain(|(found, _)| found != name));
        assert_eq!(missing, format!("tensor '{name}' is missing"));
    }
    let wrong = after(|header, _| header["position"]["batch"] = json!("two"));
    assert!(wrong.starts_with("has an unreadable header (invalid type"), "{wrong}");
    let absent = TuneState::load(std::path::Path::new("nowhere/state.safetensors")).map(|_| ()).unwrap_err();
    assert!(message(&absent).starts_with("cannot read nowhere/state.safetensors: "));
}

#[test]
fn a_state_of_other_settings_is_refused() {
    let state = |config: TuneConfig| {
        let mut tuner = Tuner::new(&model(), config).unwrap();
        tuner.fit(&mut data(), &data().monitors(), &mut ()).unwrap();
        tuner.snapshot().state().unwrap()
    };
    let resume =
        |config: TuneConfig, state| message(&Tuner::resume(config, state, &Device::Cpu).err().expect("a refusal"));
    let chains = TuneConfig { persistent_chains: 4, ..config() };
    assert_eq!(
        resume(config(), state(chains.clone())),
        "the saved state does not fit the settings: it has 4 persistent chains, the settings say 0; \
         resume with the settings it was started with"
    );
    assert!(resume(chains, state(config())).contains("it has 0 persistent chains, the settings say 4"));
    let factorial = TuneConfig { top: TopModel::Factorial, ..config() };
    assert!(resume(factorial, state(config())).starts_with("top is factorial"));
}
