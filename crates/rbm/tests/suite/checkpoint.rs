//! Files: what is written is read back, and what does not fit is refused by name.

use crate::{bits, random_rbm};
use candle_core::{DType, Device};
use candle_nn::VarBuilder;
use deepbelief_rbm::{Provenance, Rbm, load, save};
use std::path::Path;

fn provenance() -> Provenance {
    Provenance {
        dataset: "toy".into(),
        seed: 3,
        recipe: serde_json::json!({"zeta": 1, "alpha": {"b": 2, "a": 1}}),
        figures: [("reconstruction_cost".to_string(), 1.0 / 3.0)].into(),
        ..Default::default()
    }
}

fn refusal(path: &Path) -> String {
    load(path, &Device::Cpu).map(|_| ()).unwrap_err().to_string()
}

#[test]
fn saving_and_loading_are_inverse_and_reproducible() {
    let folder = tempfile::tempdir().unwrap();
    let (a, b) = (folder.path().join("a.safetensors"), folder.path().join("b.safetensors"));
    let rbm = random_rbm(9, 4, 1.0, 1);
    save(&a, &rbm, &provenance()).unwrap();
    let (loaded, header) = load(&a, &Device::Cpu).unwrap();
    assert_eq!(bits(&loaded), bits(&rbm));
    assert_eq!((&header.layers, header.kind.as_str()), (rbm.layers(), "rbm"));
    let version = env!("CARGO_PKG_VERSION").to_string();
    assert_eq!(header.provenance, Provenance { crate_version: version, ..provenance() }, "filled in where left out");
    save(&b, &loaded, &header.provenance).unwrap();
    assert_eq!(std::fs::read(&a).unwrap(), std::fs::read(&b).unwrap());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2, "no temporary files are left");

    let text = String::from_utf8_lossy(&std::fs::read(&a).unwrap()).into_owned();
    let (dataset, figures) = (text.find("dataset"), text.find("figures"));
    assert!(dataset.is_some() && dataset < figures, "keys are sorted");
}

#[test]
fn candle_loads_it_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("m.safetensors");
    let rbm = random_rbm(9, 4, 1.0, 2);
    save(&path, &rbm, &provenance()).unwrap();
    let bytes = std::fs::read(&path).unwrap();
    let vb = VarBuilder::from_buffered_safetensors(bytes, DType::F32, &Device::Cpu).unwrap();
    assert_eq!(bits(&Rbm::from_var_builder(9, 4, &vb).unwrap()), bits(&rbm));
    assert!(Rbm::from_var_builder(8, 4, &vb).is_err());
}

#[test]
fn what_does_not_fit_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("m.safetensors");
    assert!(refusal(&path).starts_with("cannot read"), "a file that is not there");

    save(&path, &random_rbm(9, 4, 1.0, 3), &provenance()).unwrap();
    let good = std::fs::read(&path).unwrap();
    let write = |bytes: &[u8]| {
        std::fs::write(&path, bytes).unwrap();
        refusal(&path)
    };
    for length in [0, 7, 8, 100, good.len() - 1] {
        let message = write(&good[..length]);
        assert!(message.contains("safetensors file"), "cut to {length} bytes: {message}");
    }
    let swap = |from: &str, to: &str| {
        assert_eq!(from.len(), to.len());
        let at = good.windows(from.len()).position(|w| w == from.as_bytes()).expect("present");
        let mut bytes = good.clone();
        bytes[at..at + to.len()].copy_from_slice(to.as_bytes());
        write(&bytes)
    };
    assert!(swap("\"deepbelief\":", "\"shallowbel\":").contains("not written by deepbelief"));
    assert!(swap("format_version\\\":1", "format_version\\\":9").contains("format version 9"));
    assert!(swap("kind\\\":\\\"rbm", "kind\\\":\\\"dbn").contains("kind 'dbn', expected 'rbm'"));
    assert!(swap("hidden\\\":4", "hidden\\\":5").contains("'w_rec' has shape [9, 4], expected [9, 5]"));
    assert!(swap("\"w_gen\":", "\"w_gem\":").contains("'w_gen' is missing"));

    let mut untied = good.clone();
    *untied.last_mut().unwrap() ^= 1;
    assert!(write(&untied).contains("not the transpose"));
    let mut nan = good.clone();
    let at = nan.len() - 4;
    nan[at..].copy_from_slice(&f32::NAN.to_le_bytes());
    assert!(write(&nan).contains("holds NaN"));
}

#[test]
fn a_failed_write_leaves_the_old_file() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("gone").join("m.safetensors");
    let message = save(&missing, &random_rbm(3, 2, 1.0, 4), &provenance()).unwrap_err().to_string();
    assert!(message.starts_with("cannot write") && message.contains("gone"), "{message}");
}
