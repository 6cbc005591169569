//! Another language reads the checkpoint and must come to the same numbers.

use crate::Place;
use std::path::Path;
use std::process::Command;

/// A Python that has NumPy and safetensors, if there is one.
fn python() -> Option<String> {
    let python = std::env::var("DBN_PYTHON").unwrap_or_else(|_| "python3".into());
    let has_packages = Command::new(&python).args(["-c", "import numpy, safetensors"]).output();
    has_packages.is_ok_and(|output| output.status.success()).then_some(python)
}

/// NumPy in double precision against our F32: sums of nine terms of magnitude below ten lose a
/// few units of 1e-7 each.
#[test]
#[allow(clippy::print_stderr, reason = "a test that is skipped must say so")]
fn numpy_computes_the_same_probabilities_and_free_energies() {
    let Some(python) = python() else {
        // CI sets this, so that the check cannot be lost there unseen.
        assert!(std::env::var_os("DBN_REQUIRE_PYTHON").is_none(), "Python with numpy and safetensors is required");
        eprintln!("skipped: Python with numpy and safetensors was not found (set DBN_PYTHON to one)");
        return;
    };
    let place = Place::new();
    place.train("r", "--epochs 20 --learning-rate 0.2");
    let bits = place.text("bits.csv");
    let inputs: Vec<&str> = bits.lines().map(|line| line.rsplit_once(',').unwrap().0).collect();
    std::fs::write(place.path("inputs.csv"), inputs.join("\n")).unwrap();
    place.ok("encode r --data csv:inputs.csv --free-energy --out f.safetensors");

    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/verify_checkpoint.py");
    let output = Command::new(python)
        .arg(script)
        .args([place.path("r/model.safetensors"), place.path("inputs.csv")])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", crate::stderr(&output));
    let theirs: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();

    let bytes = place.read("f.safetensors");
    let ours = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let floats = |name: &str| -> Vec<f64> {
        let data = ours.tensor(name).unwrap().data();
        data.as_chunks::<4>().0.iter().map(|&x| f64::from(f32::from_le_bytes(x))).collect()
    };
    let hidden: Vec<f64> = theirs["hidden"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|row| row.as_array().unwrap())
        .map(|x| x.as_f64().unwrap())
        .collect();
    let free_energy: Vec<f64> = theirs["free_energy"].as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect();
    for (name, theirs) in [("features", hidden), ("free_energy", free_energy)] {
        let ours = floats(name);
        assert_eq!(ours.len(), theirs.len());
        assert!(
            ours.iter().any(|x| (x - ours[0]).abs() > 0.1),
            "{name} must vary for the comparison to mean something"
        );
        for (a, b) in ours.iter().zip(&theirs) {
            assert!((a - b).abs() <= 1e-5 * b.abs().max(1.0), "{name}: ours {a}, NumPy's {b}");
        }
    }
}
