//! A program that knows candle alone reads the shipped checkpoint as we do.

use crate::Place;
use candle_core::{Device, Tensor};
use deepbelief_stack::Dbn;
use std::path::Path;

/// `examples/candle-features` against the library, on its ten digits: both compute in F32, in
/// another order of additions.
#[test]
fn candle_alone_computes_the_same_features_from_the_shipped_checkpoint() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let checkpoint = root.join("models/mnist-rbm.safetensors");
    let layer = candle_features::recognition_layer(&checkpoint).unwrap();
    let digits = candle_features::digits(&root.join("examples/candle-features/digits.safetensors")).unwrap();
    let theirs = candle_features::hidden_probabilities(&layer, &digits).unwrap();

    let (rbm, _) = deepbelief_rbm::load(&checkpoint, &Device::Cpu).unwrap();
    let ours = rbm.forward(&digits).unwrap();
    assert_eq!(ours.dims(), [10, 500]);
    assert!(flat(&ours).iter().any(|&p| p > 0.9) && flat(&ours).iter().any(|&p| p < 0.1), "digits must excite units");
    close(&ours, &theirs);
}

/// The same of a deep belief net, through the network that `dbn export` writes of it.
#[test]
fn candle_alone_computes_the_same_features_from_an_exported_net() {
    let place = Place::new();
    place.stack("d", "");
    place.ok("export d --as mlp --out mlp.safetensors");
    let layers = candle_features::mlp(&place.path("mlp.safetensors")).unwrap();
    assert_eq!(layers.len(), 3);
    let v = Tensor::from_vec(place.inputs("bits.csv"), (90, 9), &Device::Cpu).unwrap();
    let (dbn, _) = Dbn::load(&place.path("d/model.safetensors"), &Device::Cpu).unwrap();
    let ours = dbn.encode(&v, 3, None).unwrap();
    assert!(ours.get(0).unwrap().ne(&ours.get(1).unwrap()).unwrap().sum_all().unwrap().to_scalar::<u8>().unwrap() > 0);
    close(&ours, &candle_features::features(&layers, &v).unwrap());
    assert!(candle_features::mlp(&place.path("d/model.safetensors")).unwrap().is_empty(), "a checkpoint is none");
}

fn flat(t: &Tensor) -> Vec<f32> {
    t.flatten_all().unwrap().to_vec1().unwrap()
}

fn close(ours: &Tensor, theirs: &Tensor) {
    assert_eq!(ours.dims(), theirs.dims());
    for (a, b) in flat(ours).iter().zip(flat(theirs)) {
        assert!((a - b).abs() < 1e-5, "ours {a}, candle's {b}");
    }
}
