//! What is written is read back, bit for bit.

use crate::write;
use candle_core::{Device, Tensor};
use deepbelief_exchange::{Format, IMPORTED_FROM, Options, npz_arrays, read, write_npz};
use deepbelief_rbm::{LabelGroup, Rbm, RbmConfig, UnitKind};
use deepbelief_stack::{Dbn, Layer};

/// An RBM whose biases are not zero.
fn rbm(visible: usize, hidden: usize) -> Rbm {
    let config = RbmConfig { hidden, ..RbmConfig::default() };
    let rbm = Rbm::new(&config, &vec![0.3; visible], &Device::Cpu).unwrap();
    let hb = Tensor::arange(0.0f32, hidden as f32, &Device::Cpu).unwrap();
    Rbm::from_tensors(rbm.w_rec().clone(), hb, rbm.vb().clone()).unwrap()
}

fn labelled(visible: usize, hidden: usize) -> Rbm {
    let w = Tensor::arange(0.0f32, 3.0 * hidden as f32, &Device::Cpu).unwrap().reshape((3, hidden)).unwrap();
    let b = Tensor::arange(1.0f32, 4.0, &Device::Cpu).unwrap();
    rbm(visible, hidden).with_labels(LabelGroup { w, b }).unwrap()
}

/// Layers whose directions have parted, under a top with labels.
fn untied() -> Dbn {
    let below = rbm(4, 3);
    let w_gen = (below.w_gen() + 1.0).unwrap();
    let layer = Layer::from_tensors(below.w_rec().clone(), w_gen, below.hb().clone(), below.vb().clone()).unwrap();
    Dbn::new(vec![layer], labelled(3, 5)).unwrap()
}

/// Bits of all tensors by name.
fn bits(dbn: &Dbn) -> Vec<(String, Vec<usize>, Vec<u32>)> {
    let bits = |tensor: &Tensor| tensor.flatten_all().unwrap().to_vec1::<f32>().unwrap();
    let named = dbn.named_tensors("").into_iter();
    named.map(|(name, t)| (name, t.dims().to_vec(), bits(&t).into_iter().map(f32::to_bits).collect())).collect()
}

#[test]
fn every_net_comes_back_from_its_arrays() {
    let folder = tempfile::tempdir().unwrap();
    let (path, again) = (folder.path().join("a.npz"), folder.path().join("b.npz"));
    let stack = Dbn::from_rbms(vec![rbm(4, 3), rbm(3, 2), rbm(2, 6)]).unwrap();
    let cases = [
        (Dbn::from_rbms(vec![rbm(4, 3)]).unwrap(), Format::Sklearn),
        (Dbn::from_rbms(vec![labelled(4, 3)]).unwrap(), Format::Deepbelief),
        (stack, Format::Deepbelief),
        (untied(), Format::Deepbelief),
    ];
    for (dbn, format) in cases {
        write_npz(&path, &dbn).unwrap();
        let imported = read(std::slice::from_ref(&path), &Options::default()).unwrap();
        assert_eq!(imported.sources[0].format, format);
        assert_eq!(bits(&imported.model), bits(&dbn));
        write_npz(&again, &imported.model).unwrap();
        assert!(std::fs::read(&path).unwrap() == std::fs::read(&again).unwrap(), "the bytes follow from the net");
    }
}

#[test]
fn the_arrays_of_an_rbm_are_those_of_scikit_learn() {
    let dbn = Dbn::from_rbms(vec![rbm(4, 3)]).unwrap();
    let arrays = npz_arrays(&dbn).unwrap();
    let shapes: Vec<(&str, &[usize])> = arrays.iter().map(|(name, array)| (name.as_str(), array.dims())).collect();
    assert_eq!(
        shapes,
        [("components_", &[3, 4][..]), ("intercept_hidden_", &[3][..]), ("intercept_visible_", &[4][..])]
    );
}

#[test]
fn gaussian_units_have_no_names_and_are_refused() {
    let rbm = rbm(4, 3).with_hidden_units(UnitKind::Gaussian).unwrap();
    let message = npz_arrays(&Dbn::from_rbms(vec![rbm]).unwrap()).unwrap_err().to_string();
    assert!(
        message.starts_with("the model has 4 bernoulli below 3 gaussian units, and an npz of weights and biases"),
        "{message}"
    );
}

/// The weights count up, so that a transposition would show.
#[test]
fn rows_are_hidden_units_with_scikit_learn_and_visible_ones_elsewhere() {
    let folder = tempfile::tempdir().unwrap();
    let first_row = |arrays: &[(&str, &[usize])]| {
        let path = write(folder.path(), "a.safetensors", arrays);
        let imported = read(&[path], &Options::default()).unwrap();
        assert_eq!(imported.model.sizes(), [2, 3]);
        imported.model.top().w_rec().get(0).unwrap().to_vec1::<f32>().unwrap()
    };
    let (v, h): (&[usize], &[usize]) = (&[2], &[3]);
    let sklearn = [("components_", &[3, 2][..]), ("intercept_hidden_", h), ("intercept_visible_", v)];
    assert_eq!(first_row(&sklearn), [1.0, 3.0, 5.0]);
    assert_eq!(first_row(&[("W", &[2, 3]), ("a", v), ("b", h)]), [1.0, 2.0, 3.0]);
    assert_eq!(first_row(&[("vishid", &[2, 3]), ("hidbiases", &[1, 3]), ("visbiases", &[1, 2])]), [1.0, 2.0, 3.0]);
}

#[test]
fn several_files_make_a_stack_and_the_checkpoint_says_which() {
    let folder = tempfile::tempdir().unwrap();
    let layer = |name: &str, v: usize, h: usize| {
        write(folder.path(), name, &[("vishid", &[v, h]), ("hidrecbiases", &[1, h]), ("visbiases", &[1, v])])
    };
    let paths = [layer("one", 4, 3), layer("two", 3, 5)];
    let imported = read(&paths, &Options::default()).unwrap();
    let out = folder.path().join("net.safetensors");
    imported.save(&out).unwrap();
    let (dbn, header) = Dbn::load(&out, &Device::Cpu).unwrap();
    assert_eq!(dbn.sizes(), [4, 3, 5]);
    let from = &header.provenance.recipe[IMPORTED_FROM];
    assert_eq!((&from[0]["file"], &from[1]["file"]), (&"one".into(), &"two".into()));
    assert_eq!(from[0]["sha256"].as_str().unwrap().len(), 64);

    imported.save(&out).unwrap();
    let first = std::fs::read(&out).unwrap();
    read(&paths, &Options::default()).unwrap().save(&out).unwrap();
    assert!(first == std::fs::read(&out).unwrap(), "the same files give the same bytes");
}
