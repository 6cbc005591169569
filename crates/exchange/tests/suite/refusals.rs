//! What cannot be read is said: which file, which array, what was found, what was expected.

use crate::{golden, write, write_values};
use deepbelief_exchange::{Format, Options, read};
use std::path::{Path, PathBuf};

fn refusal(paths: &[PathBuf], options: &Options) -> String {
    let folder = format!("{}/", paths[0].parent().unwrap().display());
    read(paths, options).unwrap_err().to_string().replace(&folder, "")
}

fn message(path: PathBuf) -> String {
    refusal(&[path], &Options::default())
}

/// The message on arrays of these names and shapes.
fn of(folder: &Path, arrays: &[(&str, &[usize])]) -> String {
    message(write(folder, "f", arrays))
}

#[test]
fn missing_arrays_and_wrong_shapes_are_named() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path();
    let (w, hb, vb) = (("components_", &[3, 2][..]), ("intercept_hidden_", &[3][..]), ("intercept_visible_", &[2][..]));
    assert_eq!(
        of(folder, &[w, vb]),
        "f: there is no array 'intercept_hidden_', which a model of scikit-learn has: found components_, \
         intercept_visible_"
    );
    assert_eq!(
        of(folder, &[w, hb, ("intercept_visible_", &[3])]),
        "f: the array 'intercept_visible_' has the shape [3], expected [2], as the weights have it"
    );
    for shape in [&[6][..], &[3, 2, 1], &[0, 2], &[65_505, 1]] {
        let message = of(folder, &[("components_", shape), hb, vb]);
        assert_eq!(
            message,
            format!("f: the array 'components_' has the shape {shape:?}, expected two axes of 1 to 65504 units")
        );
    }
    let layers = [("0.components_", &[3, 2][..]), ("0.intercept_hidden_", &[3]), ("0.intercept_visible_", &[2])];
    let gap = [&layers[..], &[("2.components_", &[1, 3])]].concat();
    assert!(of(folder, &gap).contains("there is no array '1.components_'"));
    let misfit = [&layers[..], &[("1.components_", &[1, 4]), ("1.intercept_hidden_", &[1])]].concat();
    let misfit = [&misfit[..], &[("1.intercept_visible_", &[4])]].concat();
    assert_eq!(of(folder, &misfit), "layer 2 takes 4 units from below, but the layer below it has 3");
    let net = [("top.w_rec", &[2, 3][..]), ("top.hb", &[3]), ("top.vb", &[2]), ("layers.0.w_rec", &[4, 2])];
    assert!(of(folder, &net).contains("there is no array 'layers.0.w_gen', which a model of deepbelief has"));
    let net = [&net[..], &[("layers.0.w_gen", &[4, 2])]].concat();
    assert!(of(folder, &net).contains("'layers.0.w_gen' has the shape [4, 2], expected [2, 4]"));
}

#[test]
fn numbers_that_are_no_weights_are_named_with_their_place() {
    let place = tempfile::tempdir().unwrap();
    let with = |value: f64| {
        let w = vec![0.0, 0.0, 0.0, value, 0.0, 0.0];
        let arrays = [("W", &[2, 3][..], w), ("a", &[2], vec![0.0; 2]), ("b", &[3], vec![0.0; 3])];
        message(write_values(place.path(), "f", &arrays))
    };
    let expected = "f: the array 'W' holds NaN at [1, 0]: weights must be finite 32-bit floats";
    assert_eq!(with(f64::NAN), expected);
    assert!(with(f64::NEG_INFINITY).contains("holds -inf at [1, 0]"));
    assert!(with(-4e38).contains("finite 32-bit floats"));
}

#[test]
fn other_models_and_unknown_names_are_refused() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path();
    let unknown = of(folder, &[("weights", &[2, 3])]);
    assert!(unknown.starts_with("f: cannot tell which program's model this is: found weights; expected 'components_'"));
    assert!(unknown.contains("'vishid' of Hinton's MATLAB code"), "{unknown}");
    assert!(of(folder, &[]).contains("found no arrays"));
    let names: Vec<String> = (0..40).map(|n| format!("x{n:02}")).collect();
    let many: Vec<(&str, &[usize])> = names.iter().map(|name| (name.as_str(), &[1][..])).collect();
    assert!(of(folder, &many).contains("x10, x11 and 28 more"));
    let sigma = [("W", &[2, 3][..]), ("a", &[2]), ("b", &[3]), ("sigma", &[2])];
    assert!(of(folder, &sigma).contains("holds 'sigma', which learnergy's binary RBM does not have"));
    assert!(of(folder, &[("w1", &[3, 2]), ("w2", &[3, 2])]).contains("weights after backpropagation"));
    let net = write(folder, "net", &[("top.w_rec", &[2, 3]), ("top.hb", &[3]), ("top.vb", &[2])]);
    assert!(refusal(&[net.clone(), net], &Options::default()).contains("net: is a whole net"));
}

#[test]
fn options_that_do_not_fit_are_refused() {
    let with = |file: &str, format, update| refusal(&[golden(file)], &Options { format, update });
    assert_eq!(with("rbms.h5", None, Some(7)), "rbms.h5: holds no update 7: it has 10, 400");
    assert_eq!(with("sklearn.npz", None, Some(7)), "an update is asked for, which only files of rbms have");
    for format in Format::ALL.into_iter().filter(|&format| format != Format::Sklearn) {
        let message = with("sklearn.npz", Some(format), None);
        let expected = if format == Format::Learnergy { "holds 'components_'" } else { "there is no array '" };
        assert!(message.contains(expected), "{message}");
    }
}

#[test]
fn files_that_are_no_arrays_are_refused() {
    let place = tempfile::tempdir().unwrap();
    let with = |bytes: &[u8]| {
        let path = place.path().join("f");
        std::fs::write(&path, bytes).unwrap();
        message(path)
    };
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    zip.start_file("archive/data.pkl", zip::write::SimpleFileOptions::default()).unwrap();
    assert!(with(&zip.finish().unwrap().into_inner()).contains("a pickle of torch"));
    assert!(with(b"\x80\x04rest").contains("f: is a pickle, which may hold any program"));
    assert!(with(b"PK\x03\x04").contains("f: is not a readable npz file"));
    // A file whose weights are said to be terabytes: 12 rows of 7 in the one that there is.
    let mut promising = std::fs::read(golden("rbms.h5")).unwrap();
    let is_shape = |at: &usize| promising[*at..].starts_with(&[12u64, 7].map(u64::to_le_bytes).concat());
    let places: Vec<usize> = (0..promising.len()).filter(is_shape).collect();
    assert!(!places.is_empty());
    for at in places {
        promising[at..at + 8].copy_from_slice(&(1u64 << 40).to_le_bytes());
    }
    let said = with(&promising);
    assert!(said.contains("cannot be read") && said.contains("byte read limit"), "{said}");
    assert!(with(b"\x89HDF\r\n\x1a\n").contains("f: is not a readable HDF5 file"));
    assert!(with(b"1,2,3\n").contains("neither an npz, HDF5 or mat file nor a whole safetensors file"));
    assert!(with(b"").contains("nor a whole safetensors file"));
    assert_eq!(message(place.path().join("none")), "cannot read none");
}
