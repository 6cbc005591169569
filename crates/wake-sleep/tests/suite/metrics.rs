//! What an epoch reports, against its definitions on tensors.

use crate::exact::Plain;
use crate::{Fixed, binary, real, to_tensor, untied, values, with_factorial_top};
use candle_core::{DType, Tensor};
use deepbelief_kernels::{Stream, Uniforms, ops};
use deepbelief_rbm::{Control, Observer, ObserverResult};
use deepbelief_stack::Dbn;
use deepbelief_wake_sleep::{Snapshot, TopModel, TuneConfig, TuneMetrics, Tuner, UpDown};

/// The metrics of an epoch and the model they are of.
#[derive(Default)]
struct Watch(Vec<(TuneMetrics, Option<Dbn>)>);

impl Observer<UpDown> for Watch {
    fn epoch_done(&mut self, metrics: &TuneMetrics, snapshot: &Snapshot<'_>) -> ObserverResult {
        self.0.push((metrics.clone(), Some(snapshot.model()?)));
        Ok(Control::Continue)
    }
}

fn config() -> TuneConfig {
    let top_steps = "2x2".parse().unwrap();
    TuneConfig { top_steps, wake_rate: 0.2, sleep_rate: 0.2, top_rate: 0.2, ..crate::plain() }
}

fn data(classes: usize) -> Fixed {
    Fixed::labelled(vec![binary(140, 30, 0.3, 1), real(40, 30, 0.3, 2)], classes.max(1) as u32)
}

fn watch(dbn: &Dbn, config: TuneConfig, data: &Fixed) -> Vec<(TuneMetrics, Dbn)> {
    let (mut tuner, mut watch) = (Tuner::new(dbn, config).unwrap(), Watch::default());
    tuner.fit(&mut data.clone(), &data.monitors(), &mut watch).unwrap();
    watch.0.into_iter().map(|(metrics, dbn)| (metrics, dbn.unwrap())).collect()
}

fn double(tensor: &Tensor) -> Tensor {
    tensor.to_dtype(DType::F64).unwrap()
}

/// Mean over the samples of `sum of softplus(x) - t x`.
fn cross_entropy(logits: &Tensor, targets: &Tensor) -> f64 {
    let (logits, targets) = (values(logits), values(targets));
    logits.iter().zip(targets).map(|(x, t)| x.exp().ln_1p() - t * x).sum::<f64>()
}

fn logits(x: &Tensor, w: &Tensor, b: &Tensor) -> Tensor {
    double(x).matmul(&double(w)).unwrap().broadcast_add(&double(b)).unwrap()
}

/// The layers of a sampled up-pass from the data, as the monitor draws it.
fn awake(dbn: &Dbn, data: &Tensor) -> Vec<Tensor> {
    let draw = Uniforms::new(1, Stream::Monitor, Stream::Wake as u32);
    let mut states = vec![double(data)];
    for (l, layer) in dbn.layers().iter().enumerate() {
        let x = double(&states[l]).matmul(&double(layer.w_rec())).unwrap();
        states.push(ops::bernoulli(&x, &double(layer.hb()), draw.layer(l as u8 + 1)).unwrap().1);
    }
    states
}

/// Costs and entropies of the directed layers and the divergence of their weights, before and after updates, on
/// binary and on grey samples.
#[test]
fn costs_and_divergences_are_those_of_the_definitions() {
    let data = data(0);
    for (metrics, dbn) in watch(&untied(&[30, 21, 40, 9], 0, 0.4), config(), &data) {
        for (batch, is_train) in [(&data.batches[0], true), (&data.batches[1], false)] {
            let (states, n) = (awake(&dbn, &to_tensor(batch)), batch.rows() as f64);
            for (l, (layer, metrics)) in dbn.layers().iter().zip(&metrics.layers).enumerate() {
                assert_eq!(metrics.layer as usize, l);
                let generative = cross_entropy(&logits(&states[l + 1], layer.w_gen(), layer.vb()), &states[l]) / n;
                let got = if is_train { metrics.generative_cost } else { metrics.generative_cost_valid.unwrap() };
                assert!((got - generative).abs() < 1e-4, "layer {l}: {got}, exactly {generative}");
                if is_train {
                    let q = logits(&states[l], layer.w_rec(), layer.hb());
                    let p = values(&q).into_iter().map(|q| 1.0 / (1.0 + (-q).exp()));
                    let entropy = p.map(|p| -p * p.ln() - (1.0 - p) * (1.0 - p).ln()).sum::<f64>() / n;
                    assert!((metrics.recognition_entropy - entropy).abs() < 1e-4);
                    let t = logits(&states[l], &layer.w_gen().t().unwrap(), layer.hb());
                    let divergence = values(&q).into_iter().zip(values(&t)).map(|(q, t)| {
                        let (p, r) = (1.0 / (1.0 + (-q).exp()), 1.0 / (1.0 + (-t).exp()));
                        p * (p / r).ln() + (1.0 - p) * ((1.0 - p) / (1.0 - r)).ln()
                    });
                    let divergence = divergence.sum::<f64>() / n;
                    let got = metrics.divergence;
                    assert!((got - divergence).abs() < 1e-4, "layer {l}: divergence {got}, exactly {divergence}");
                }
            }
        }
        let layers: f64 = metrics.layers.iter().map(|layer| layer.generative_cost - layer.recognition_entropy).sum();
        assert!((metrics.variational_cost - layers - metrics.reconstruction_cost).abs() < 1e-9);
    }
}

/// A tied model has no divergence at all, and gets one by the first update.
#[test]
fn divergence_starts_at_zero() {
    let dbn = Dbn::from_rbms(crate::random_rbms(&[30, 21, 40], 0, 0.4)).unwrap();
    let seen = watch(&dbn, config(), &data(0));
    assert_eq!(seen[0].0.layers[0].divergence, 0.0);
    assert!(seen[1].0.layers[0].divergence > 1e-6 && seen[2].0.layers[0].divergence > seen[1].0.layers[0].divergence);
}

/// The measured label error is the share of samples that the model's own classification gets wrong,
/// at any depth.
#[test]
fn label_errors_are_those_of_the_classification() {
    for sizes in [&[30, 40][..], &[30, 21, 40], &[30, 21, 33, 40]] {
        let data = data(5);
        for (metrics, dbn) in watch(&untied(sizes, 5, 0.6), config(), &data) {
            for (index, got) in [(0, metrics.label_error_train), (1, metrics.label_error_valid)] {
                let found = dbn.classify(&to_tensor(&data.batches[index])).unwrap();
                let labels = &data.labels.as_ref().unwrap()[index];
                let wrong = found.iter().zip(labels).filter(|(a, b)| a != b).count();
                assert_eq!(got, Some(wrong as f64 / labels.len() as f64));
            }
        }
    }
}

/// Free energies of the top are those of its RBM over the penultimate probabilities.
#[test]
fn free_energies_are_those_of_the_top() {
    let (sizes, data) = ([30, 21, 40], data(0));
    for (metrics, dbn) in watch(&untied(&sizes, 0, 0.4), config(), &data) {
        let free = |index: usize| {
            let penultimate = dbn.penultimate(&to_tensor(&data.batches[index])).unwrap();
            let energies = values(&dbn.top().free_energy(&penultimate).unwrap());
            energies.iter().sum::<f64>() / energies.len() as f64
        };
        let (train, valid) = (free(0), free(1));
        assert!((metrics.free_energy_train - train).abs() < 1e-4);
        assert!((metrics.free_energy_gap.unwrap() - (valid - train)).abs() < 1e-4);
    }
}

/// Under a factorial top the variational cost is minus the variational bound: a mean over 2^16
/// sampled up-passes against enumeration. A sample's terms spread by less than 2 nats here, so that
/// five standard errors are 0.04; a right measure fails with probability below 6e-7 a model, and the
/// seed is fixed.
#[test]
fn the_variational_cost_of_a_belief_net_is_its_bound() {
    let (dbn, rows) = (with_factorial_top(&untied(&[3, 2, 2, 1], 0, 1.5)), 1 << 16);
    let mut data = Fixed::new(vec![binary(20, 3, 0.5, 4)], None);
    let monitor = binary(rows, 3, 0.4, 5);
    let mut shares = vec![0.0; 8];
    for row in monitor.to_values().chunks_exact(3) {
        shares[row.iter().enumerate().fold(0, |s, (i, &x)| s | (x as usize) << i)] += 1.0 / rows as f64;
    }
    data.monitor = Some(monitor);
    for (metrics, dbn) in watch(&dbn, TuneConfig { top: TopModel::Factorial, ..config() }, &data) {
        let bound = Plain::of(&dbn).bound(&shares);
        assert!((metrics.variational_cost + bound).abs() < 0.04, "{}, bound {bound}", metrics.variational_cost);
    }
}

/// The names and the presence of what scripts read, and the update ratios of what is frozen.
#[test]
fn metrics_are_written_by_name() {
    let keys = |metrics: &TuneMetrics| -> Vec<String> {
        serde_json::to_value(metrics).unwrap().as_object().unwrap().keys().cloned().collect()
    };
    let labelled = watch(&untied(&[30, 21, 40], 5, 0.4), config(), &data(5));
    let names = [
        "best_epoch",
        "epoch",
        "free_energy_gap",
        "free_energy_train",
        "free_energy_valid",
        "hidden_activity",
        "label_error_train",
        "label_error_valid",
        "layers",
        "reconstruction_cost",
        "reconstruction_cost_valid",
        "samples_per_second",
        "seconds",
        "sleep_rate",
        "top_rate",
        "top_steps",
        "top_update_ratio",
        "variational_cost",
        "variational_cost_valid",
        "wake_rate",
    ];
    assert_eq!(keys(&labelled[1].0), names);
    assert!(
        !keys(&watch(&untied(&[30, 21, 40], 0, 0.4), config(), &data(0))[1].0).contains(&"label_error_train".into())
    );
    let layer = &labelled[1].0.layers[0];
    assert!(layer.generative_update_ratio > 0.0 && layer.recognition_update_ratio > 0.0);
    let layer = &labelled[0].0.layers[0];
    assert_eq!((layer.generative_update_ratio, layer.recognition_update_ratio), (0.0, 0.0), "nothing is updated yet");
    assert!(labelled[2].0.samples_per_second > 0.0 && labelled[2].0.seconds > 0.0);
}
