//! Files that are not what they should be: each is refused by one sentence that says why.

use crate::{message, random_rbms};
use candle_core::Device;
use deepbelief_rbm::Provenance;
use deepbelief_stack::Dbn;
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;

/// A file taken apart.
struct Parts {
    header: Value,
    tensors: BTreeMap<String, (Dtype, Vec<usize>, Vec<u8>)>,
}

struct Case {
    folder: tempfile::TempDir,
}

impl Case {
    /// A good file: 5-4-3 units, 2 classes.
    fn new() -> Self {
        let case = Self { folder: tempfile::tempdir().unwrap() };
        Dbn::from_rbms(random_rbms(&[5, 4, 3], 2, 1.0)).unwrap().save(&case.path(), &Provenance::default()).unwrap();
        case
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("model.safetensors")
    }

    /// What the reader says after the path of the file.
    fn refusal(&self) -> String {
        let message = message(&Dbn::load(&self.path(), &Device::Cpu).unwrap_err());
        let path = format!("{}: ", self.path().display());
        message.strip_prefix(&path).unwrap_or_else(|| panic!("no path in '{message}'")).to_string()
    }

    /// What the reader says of the file after a change.
    fn after(change: impl FnOnce(&mut Parts)) -> String {
        let case = Self::new();
        let bytes = std::fs::read(case.path()).unwrap();
        let (_, metadata) = SafeTensors::read_metadata(&bytes).unwrap();
        let header = serde_json::from_str(&metadata.metadata().as_ref().unwrap()["deepbelief"]).unwrap();
        let tensors = SafeTensors::deserialize(&bytes).unwrap().tensors();
        let owned = |(name, view): (String, TensorView<'_>)| {
            (name, (view.dtype(), view.shape().to_vec(), view.data().to_vec()))
        };
        let mut parts = Parts { header, tensors: tensors.into_iter().map(owned).collect() };
        change(&mut parts);
        let views = parts.tensors.iter().map(|(name, (dtype, shape, bytes))| {
            (name.as_str(), TensorView::new(*dtype, shape.clone(), bytes).unwrap())
        });
        let metadata = HashMap::from([("deepbelief".to_string(), parts.header.to_string())]);
        std::fs::write(case.path(), safetensors::serialize(views, Some(metadata)).unwrap()).unwrap();
        case.refusal()
    }
}

#[test]
fn a_header_of_something_else_is_refused() {
    let set = |key: &'static str, value: Value| Case::after(|parts| parts.header[key] = value);
    assert_eq!(set("kind", json!("rbm")), "is of kind 'rbm', expected 'dbn': `deepbelief_rbm::load` reads it");
    assert_eq!(
        set("format_version", json!(3)),
        "has format version 3, this program reads versions up to 2: install a newer deepbelief"
    );
    assert_eq!(set("format_version", json!(2)), "has format version 2 and lists no units, as such files do");
    let listed = Case::after(|parts| {
        parts.header["format_version"] = json!(2);
        parts.header["visible"] = json!([{ "units": "spin", "sites": 4 }]);
        parts.header["hidden"] = json!([{ "units": "bernoulli", "sites": 3 }]);
    });
    assert_eq!(listed, "lists 4 spin as visible units, but the sizes are [5, 4, 3]");
    assert_eq!(
        set("units", json!("gaussian")),
        "has units of type 'gaussian', this version knows 'bernoulli' and 'gaussian-top'"
    );
    assert_eq!(set("sizes", json!([5])), "lists the sizes [5]; a model has 2 to 65 of them");
    let unreadable = set("sizes", json!("many"));
    assert!(unreadable.starts_with("has an unreadable header (invalid type"), "{unreadable}");
}

#[test]
fn a_tensor_that_does_not_fit_is_named_with_both_shapes() {
    let missing = Case::after(|parts| drop(parts.tensors.remove("layers.0.w_gen")));
    assert_eq!(missing, "tensor 'layers.0.w_gen' is missing");
    let unlabelled = Case::after(|parts| drop(parts.tensors.remove("top.label_b")));
    assert_eq!(unlabelled, "tensor 'top.label_b' is missing");
    let shape = Case::after(|parts| parts.header["sizes"] = json!([5, 4, 2]));
    assert_eq!(shape, "tensor 'top.w_rec' has shape [4, 3], expected [4, 2]");
    let deeper = Case::after(|parts| parts.header["sizes"] = json!([5, 4, 3, 3]));
    assert_eq!(deeper, "tensor 'layers.1.w_rec' is missing");
    let huge = Case::after(|parts| parts.header["sizes"] = json!([5, usize::MAX, 3]));
    assert_eq!(huge, format!("tensor 'layers.0.w_rec' has shape [5, 4], expected [5, {}]", usize::MAX));
    let classes = Case::after(|parts| parts.header["classes"] = json!(3));
    assert_eq!(classes, "tensor 'top.label_w' has shape [2, 3], expected [3, 3]");
    let half = Case::after(|parts| {
        let (_, shape, bytes) = parts.tensors["top.hb"].clone();
        parts.tensors.insert("top.hb".into(), (Dtype::F16, shape, bytes[..6].to_vec()));
    });
    assert_eq!(half, "tensor 'top.hb' has type F16, expected F32");
}

#[test]
fn values_that_contradict_the_header_or_are_not_numbers_are_refused() {
    let first = |parts: &mut Parts, name: &str, value: f32| {
        parts.tensors.get_mut(name).unwrap().2[..4].copy_from_slice(&value.to_le_bytes());
    };
    let nan = Case::after(|parts| first(parts, "layers.0.vb", f32::NAN));
    assert_eq!(nan, "tensor 'layers.0.vb' holds NaN at place 0");
    assert_eq!(
        Case::after(|parts| first(parts, "layers.0.w_gen", 9.0)),
        "tensor 'layers.0.w_gen' is not the transpose of 'layers.0.w_rec', as the header's 'untied: false' says"
    );
}

#[test]
fn what_is_not_a_file_of_ours_is_refused() {
    let case = Case::new();
    let whole = std::fs::read(case.path()).unwrap();
    std::fs::write(case.path(), &whole[..whole.len() - 1]).unwrap();
    let cut = case.refusal();
    assert!(cut.starts_with("is damaged (") || cut.starts_with("is not a whole safetensors file ("), "{cut}");
    let no_header: [(&str, TensorView<'_>); 0] = [];
    std::fs::write(case.path(), safetensors::serialize(no_header, None).unwrap()).unwrap();
    assert_eq!(case.refusal(), "has no 'deepbelief' entry in its metadata: it was not written by deepbelief");
    std::fs::remove_file(case.path()).unwrap();
    let absent = message(&Dbn::load(&case.path(), &Device::Cpu).unwrap_err());
    assert!(absent.starts_with(&format!("cannot read {}: ", case.path().display())), "{absent}");
}
