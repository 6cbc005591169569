//! Plain networks of candle's `Linear` against the model's own passes.

use crate::{apart, tensor, untied};
use candle_core::{DType, Device, Module, Tensor};
use candle_nn::{VarBuilder, linear};
use deepbelief_stack::{Dbn, export};
use std::path::Path;

/// A network loaded by name from its file and run with candle alone.
fn run(path: &Path, prefixes: &[&str], sizes: &[usize], v: &Tensor) -> Tensor {
    let tensors = candle_core::safetensors::load(path, &Device::Cpu).unwrap();
    assert_eq!(tensors.len(), 2 * prefixes.len() * (sizes.len() - 1));
    let vb = VarBuilder::from_tensors(tensors, DType::F32, &Device::Cpu);
    let (mut x, mut sizes) = (v.clone(), sizes.to_vec());
    for prefix in prefixes {
        for (index, pair) in sizes.windows(2).enumerate() {
            let layer = linear(pair[0], pair[1], vb.pp(prefix).pp(index)).unwrap();
            x = candle_nn::ops::sigmoid(&layer.forward(&x).unwrap()).unwrap();
        }
        sizes.reverse();
    }
    x
}

fn case(depth: usize) -> (Dbn, Vec<usize>, Tensor) {
    let sizes = [19, 8, 33, 5, 7][..=depth].to_vec();
    (untied(&sizes, 0, 0.7), sizes, tensor(&[6, 19], 0.5, 90).affine(1.0, 0.5).unwrap())
}

/// The generative weights of the model are not its recognition weights, so that a decoder made
/// of the wrong ones would show.
#[test]
fn exported_networks_compute_what_the_model_computes() {
    let folder = tempfile::tempdir().unwrap();
    for depth in 1..=4 {
        let (dbn, sizes, v) = case(depth);
        let path = folder.path().join("mlp.safetensors");
        export::save(&path, &dbn, export::Network::Mlp).unwrap();
        assert!(apart(&run(&path, &["layers"], &sizes, &v), &dbn.forward(&v).unwrap()) < 1e-5);
        let path = folder.path().join("autoencoder.safetensors");
        export::save(&path, &dbn, export::Network::Autoencoder).unwrap();
        let reconstruction = run(&path, &["encoder", "decoder"], &sizes, &v);
        assert!(apart(&reconstruction, &dbn.reconstruct(&v).unwrap()) < 1e-5);
    }
}

#[test]
fn the_same_model_gives_the_same_file() {
    let folder = tempfile::tempdir().unwrap();
    let bytes = |name: &str| {
        let path = folder.path().join(name);
        export::save(&path, &case(3).0, export::Network::Mlp).unwrap();
        std::fs::read(path).unwrap()
    };
    assert_eq!(bytes("a"), bytes("b"));
}
