//! A program that knows candle alone reads the shipped checkpoint as we do.

use candle_core::Device;
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
    let flat = |t: &candle_core::Tensor| t.flatten_all().unwrap().to_vec1::<f32>().unwrap();
    let (ours, theirs) = (flat(&ours), flat(&theirs));
    assert!(ours.iter().any(|&p| p > 0.9) && ours.iter().any(|&p| p < 0.1), "the digits must excite some units");
    for (a, b) in ours.iter().zip(&theirs) {
        assert!((a - b).abs() < 1e-5, "ours {a}, candle's {b}");
    }
}
