//! Another language reads what we write and must come to the same numbers.
#![allow(clippy::print_stderr, reason = "a test that is skipped must say so")]

use crate::Place;
use serde_json::Value;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;

/// What a script of this folder makes of a file and `inputs.csv`; nothing where there is no
/// Python that has NumPy and safetensors.
fn run(place: &Place, script: &str, file: &str) -> Option<Value> {
    let python = std::env::var("DBN_PYTHON").unwrap_or_else(|_| "python3".into());
    let packages = Command::new(&python).args(["-c", "import numpy, safetensors"]).output();
    if !packages.is_ok_and(|output| output.status.success()) {
        // CI sets this, so that the check cannot be lost there unseen.
        assert!(std::env::var_os("DBN_REQUIRE_PYTHON").is_none(), "Python with numpy and safetensors is required");
        say("skipped: Python with numpy and safetensors was not found (set DBN_PYTHON to one)");
        return None;
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests").join(script);
    let output = Command::new(python).arg(script).args([place.path(file), place.path("inputs.csv")]).output().unwrap();
    assert!(output.status.success(), "{}", crate::stderr(&output));
    Some(serde_json::from_slice(&output.stdout).unwrap())
}

/// All numbers of nested arrays.
fn flat(value: &Value) -> Vec<f64> {
    match value.as_array() {
        Some(entries) => entries.iter().flat_map(flat).collect(),
        None => vec![value.as_f64().unwrap()],
    }
}

/// Holds a tensor that we wrote against theirs.
fn close(place: &Place, file: &str, name: &str, theirs: &Value) {
    let bytes = place.read(file);
    let tensors = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let data = tensors.tensor(name).unwrap().data();
    let ours: Vec<f64> = data.as_chunks::<4>().0.iter().map(|&x| f64::from(f32::from_le_bytes(x))).collect();
    let theirs = flat(theirs);
    assert_eq!(ours.len(), theirs.len());
    assert!(ours.iter().any(|x| (x - ours[0]).abs() > 0.1), "{name} must vary for the comparison to mean something");
    for (a, b) in ours.iter().zip(&theirs) {
        assert!((a - b).abs() <= 1e-5 * b.abs().max(1.0), "{name}: ours {a}, theirs {b}");
    }
}

/// NumPy in double precision against our F32: sums of nine terms of magnitude below ten lose a
/// few units of 1e-7 each.
#[test]
fn numpy_computes_the_same_probabilities_and_free_energies() {
    let place = Place::new();
    place.train("r", "--epochs 20 --learning-rate 0.2");
    place.write_inputs("bits.csv", "inputs.csv");
    place.ok("encode r --data csv:inputs.csv --free-energy --out f.safetensors");
    place.ok("export r --as npz --out r.npz");
    for file in ["r/model.safetensors", "r.npz"] {
        let Some(theirs) = run(&place, "verify_checkpoint.py", file) else { return };
        close(&place, "f.safetensors", "features", &theirs["hidden"]);
        close(&place, "f.safetensors", "free_energy", &theirs["free_energy"]);
    }
}

/// Annealed importance sampling by another program, with other random numbers and other temperatures,
/// against ours and against the exact sum: within five standard errors each, which right programs miss
/// once in a million seeds, and the seeds are fixed.
#[test]
fn numpy_estimates_the_same_partition_function() {
    let place = Place::new();
    place.train("r", "--epochs 60 --learning-rate 0.5 --momentum 0");
    place.write_inputs("bits.csv", "inputs.csv");
    let Some(theirs) = run(&place, "verify_likelihood.py", "r/model.safetensors") else { return };
    let eval = |option: &str| -> Value { serde_json::from_str(&place.ok(&format!("eval r --json {option}"))).unwrap() };
    let (exact, ours) = (eval(""), eval("--estimate"));
    let number = |value: &Value| value.as_f64().unwrap();
    let (z, ais, error) = (number(&exact["log_z"]["exact"]), &ours["log_z"]["ais"], number(&theirs["standard_error"]));
    let (estimate, ours) = (number(&theirs["log_z"]), (number(&ais["value"]), number(&ais["high"])));
    let our_error = (ours.1 - ours.0) / 3.0;
    assert!(error < 0.1 && our_error < 0.1, "errors {error} and {our_error}: nothing would be told apart");
    assert!((estimate - z).abs() <= 5.0 * error, "theirs {estimate}, exactly {z}, standard error {error}");
    assert!((estimate - ours.0).abs() <= 5.0 * error.hypot(our_error), "theirs {estimate}, ours {}", ours.0);
    let likelihood = -number(&theirs["free_energy"]) - z;
    assert!((likelihood - number(&exact["log_likelihood"]["exact"]["value"])).abs() < 1e-4, "likelihood {likelihood}");
}

/// An exported network loaded by the names of its layers, by NumPy and by torch; with a code layer
/// that is linear, too.
#[test]
fn numpy_and_torch_run_the_exported_network() {
    let place = Place::new();
    place.write_inputs("bits.csv", "inputs.csv");
    place.stack("d", "");
    place.ok(&format!("stack -q --out g {}", crate::gaussian::CODER));
    for run_folder in ["d", "g"] {
        place.ok(&format!("encode {run_folder} --data csv:inputs.csv --out f.safetensors"));
        place.ok(&format!("export {run_folder} --as mlp --out mlp.safetensors"));
        let Some(theirs) = run(&place, "verify_mlp.py", "mlp.safetensors") else { return };
        close(&place, "f.safetensors", "features", &theirs["numpy"]);
        if theirs["torch"].is_null() {
            say("skipped in part: this Python has no torch");
        } else {
            close(&place, "f.safetensors", "features", &theirs["torch"]);
        }
    }
}

/// Says what a passing test left out, past the capture of its output.
fn say(what: &str) {
    let _ = writeln!(std::io::stderr(), "{what}");
}
