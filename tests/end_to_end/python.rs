//! Another language reads what we write and must get the same numbers.
#![allow(clippy::print_stderr, reason = "a test that is skipped must say so")]

use crate::Place;
use candle_core::Device;
use deepbelief_kernels::{Layers, Parameters};
use deepbelief_rbm::{Provenance, Rbm, save};
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
    assert!(error < 0.1 && our_error < 0.1, "errors {error} and {our_error}: nothing would be compared");
    assert!((estimate - z).abs() <= 5.0 * error, "theirs {estimate}, exactly {z}, standard error {error}");
    assert!((estimate - ours.0).abs() <= 5.0 * error.hypot(our_error), "theirs {estimate}, ours {}", ours.0);
    let likelihood = -number(&theirs["free_energy"]) - z;
    assert!((likelihood - number(&exact["log_likelihood"]["exact"]["value"])).abs() < 1e-4, "likelihood {likelihood}");
}

/// The variational bound of a net of three layers, by NumPy's draws of its hidden states and by ours, both with the exact
/// ln Z of the top: 20 draws of each of 60 samples, whose means differ by less than the tolerance in all but one of a
/// million seeds, and the seeds are fixed.
#[test]
fn numpy_computes_the_same_bound_of_a_net() {
    let place = Place::new();
    place.ok("stack -q --out s --data csv:bits.csv --label-column last --labels none --layers 8,7,5 --epochs 60 \
         --batch-size 7 --valid 0 --learning-rate 0.3 --propagate samples");
    place.write_inputs("bits.csv", "inputs.csv");
    let Some(theirs) = run(&place, "verify_likelihood.py", "s/model.safetensors") else { return };
    let ours: Value = serde_json::from_str(&place.ok("eval s --split train --json")).unwrap();
    let number = |value: &Value| value.as_f64().unwrap();
    let (z, exact) = (number(&theirs["log_z_exact"]), number(&ours["log_z"]["exact"]));
    assert!((z - exact).abs() < 1e-4, "ln Z {exact}, theirs {z}");
    let (bound, other) = (number(&ours["log_likelihood"]["bound"]["value"]), number(&theirs["log_likelihood"]));
    assert!((bound - other).abs() < 0.2, "bound {bound}, theirs {other}");
}

/// A net of two phases: half of the visible units on, or the other half, each held by eight of the hidden units,
/// and chance in between, where nothing holds anything. Chains that anneal up stay in the middle, chains from the
/// data stay where they are, in both programs: each direction is nats away from the exact sum, with a small standard
/// error. Ours says that no interval holds.
#[test]
fn numpy_misses_a_phase_as_we_do_and_we_say_so() {
    let place = Place::new();
    two_phases(&place);
    let Some(theirs) = run(&place, "verify_likelihood.py", "two.safetensors") else { return };
    let eval = |options: &str| {
        let options = format!("eval two.safetensors --data csv:inputs.csv --split train --json {options}");
        serde_json::from_str::<Value>(&place.ok(&options)).unwrap()
    };
    let (exact, ours) = (eval(""), eval("--estimate --temperatures 2000"));
    let (of, number) = (&ours["log_z"], |value: &Value| value.as_f64().unwrap());
    let z = number(&exact["log_z"]["exact"]);
    assert!((number(&theirs["log_z_exact"]) - z).abs() < 1e-3, "{theirs}, ours {z}");
    for (own, other, misses) in
        [(&of["ais"], &theirs["log_z"], -1.0), (&of["reverse_ais"], &theirs["log_z_reverse"], 1.0)]
    {
        let (own, other) = (number(&own["value"]) - z, number(other) - z);
        assert!(own / misses > 1.0 && other / misses > 1.0, "ours off by {own}, theirs by {other}");
    }
    assert_eq!(of["verdict"], "different phases", "{ours}");
    for estimate in ["ais", "reverse_ais", "both_ways"] {
        assert!(of[estimate]["low"].is_null() && of[estimate]["high"].is_null(), "{estimate}: {ours}");
    }
}

/// `two.safetensors`, and `inputs.csv`, samples of its two phases.
fn two_phases(place: &Place) {
    const VISIBLE: usize = 60;
    const HIDDEN: usize = 16;
    let sign = |i: usize, j: usize| if (i < VISIBLE / 2) == (j < HIDDEN / 2) { 0.6 } else { -0.6 };
    let parameters = Parameters {
        w_rec: (0..VISIBLE).flat_map(|i| (0..HIDDEN).map(move |j| sign(i, j))).collect(),
        hb: vec![-0.7 * 0.6 * (VISIBLE / 2) as f32; HIDDEN],
        vb: vec![0.0; VISIBLE],
        label_w: Vec::new(),
        label_b: Vec::new(),
        ..Parameters::default()
    };
    let rbm = Rbm::from_parameters(&Layers::bernoulli(VISIBLE, HIDDEN), parameters, &Device::Cpu).unwrap();
    save(&place.path("two.safetensors"), &rbm, &Provenance::default()).unwrap();
    let row = |sample: usize| {
        let bit = |i: usize| if (i < VISIBLE / 2) == sample.is_multiple_of(2) { "1" } else { "0" };
        (0..VISIBLE).map(bit).collect::<Vec<_>>().join(",") + "\n"
    };
    std::fs::write(place.path("inputs.csv"), (0..100).map(row).collect::<String>()).unwrap();
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
