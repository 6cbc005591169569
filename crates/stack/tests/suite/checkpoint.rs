//! Files: what is saved is what is loaded, the same model gives the same bytes.

use crate::{random_rbms, untied, values};
use candle_core::Device;
use deepbelief_rbm::Provenance;
use deepbelief_stack::Dbn;

const SIZES: [usize; 5] = [13, 7, 33, 4, 6];

/// Every tensor, bit by bit, at depths one to four, with and without labels, tied and not; and
/// the second file equals the first byte for byte.
#[test]
fn saving_and_loading_is_the_identity() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    let provenance =
        Provenance { dataset: "toy".into(), seed: 7, figures: [("error".into(), 0.5)].into(), ..Default::default() };
    for depth in 1..=4 {
        for classes in [0, 3] {
            let tied = Dbn::from_rbms(random_rbms(&SIZES[..=depth], classes, 0.5)).unwrap();
            for dbn in [tied, untied(&SIZES[..=depth], classes, 0.5)] {
                dbn.save(&path, &provenance).unwrap();
                let first = std::fs::read(&path).unwrap();
                let (back, header) = Dbn::load(&path, &Device::Cpu).unwrap();
                assert_eq!((header.kind.as_str(), header.sizes.as_slice()), ("dbn", &SIZES[..=depth]));
                assert_eq!((header.classes, header.untied), (classes, !dbn.is_tied().unwrap()));
                assert_eq!(header.provenance, provenance);
                assert_eq!(parameters(&back), parameters(&dbn));
                back.save(&path, &header.provenance).unwrap();
                assert!(std::fs::read(&path).unwrap() == first, "the second file differs");
            }
        }
    }
}

/// All parameters, in an order that tells them apart.
pub(crate) fn parameters(dbn: &Dbn) -> Vec<Vec<u64>> {
    let mut tensors = Vec::new();
    for layer in dbn.layers() {
        tensors.extend([layer.w_rec(), layer.w_gen(), layer.hb(), layer.vb()]);
    }
    tensors.extend([dbn.top().w_rec(), dbn.top().w_gen(), dbn.top().hb(), dbn.top().vb()]);
    if let Some(labels) = dbn.top().labels() {
        tensors.extend([&labels.w, &labels.b]);
    }
    tensors.iter().map(|tensor| values(tensor).into_iter().map(f64::to_bits).collect()).collect()
}

/// The names and shapes of the format, read without this crate's own reader.
#[test]
fn the_file_holds_the_tensors_of_the_format() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    untied(&[13, 7, 33], 3, 0.5).save(&path, &Provenance::default()).unwrap();
    let mut shapes: Vec<(String, Vec<usize>)> = candle_core::safetensors::load(&path, &Device::Cpu)
        .unwrap()
        .iter()
        .map(|(name, tensor)| (name.clone(), tensor.dims().to_vec()))
        .collect();
    shapes.sort();
    let expected: [(&str, &[usize]); 9] = [
        ("layers.0.hb", &[7]),
        ("layers.0.vb", &[13]),
        ("layers.0.w_gen", &[7, 13]),
        ("layers.0.w_rec", &[13, 7]),
        ("top.hb", &[33]),
        ("top.label_b", &[3]),
        ("top.label_w", &[3, 33]),
        ("top.vb", &[7]),
        ("top.w_rec", &[7, 33]),
    ];
    assert_eq!(shapes, expected.map(|(name, shape)| (name.to_string(), shape.to_vec())));
}
