//! The build: what keeps it quick and its program fast.

use std::process::Command;

/// The kernels in sixteen units train six times slower; everything else builds faster that way.
#[test]
fn a_release_is_quick_to_build_and_its_kernels_are_in_one_unit() {
    let manifest: toml::Table = include_str!("../../Cargo.toml").parse().unwrap();
    let (release, dist) = (&manifest["profile"]["release"], &manifest["profile"]["dist"]);
    let units = |of: &toml::Value| of["codegen-units"].as_integer();
    assert_eq!(units(&release["package"]["deepbelief-kernels"]), Some(1));
    assert_eq!((units(release), release["lto"].as_str()), (Some(16), Some("off")));
    assert_eq!((units(dist), dist["lto"].as_str()), (Some(1), Some("thin")));
    // With thin link-time optimisation all code has the level of the program's crate.
    let levels = [dist, &dist["package"]["deepbelief-cli"]].map(|of| of["opt-level"].as_integer());
    assert_eq!(levels, [Some(3); 2], "at level 1 a training takes eight times as long");
    let hot = ["candle-core", "gemm", "gemm-common", "gemm-f32", "rayon-core"];
    let ours = ["data", "finetune", "kernels", "rbm", "stack", "wake-sleep"].map(|name| format!("deepbelief-{name}"));
    for name in hot.map(str::to_string).into_iter().chain(ours) {
        assert_eq!(release["package"][&name]["opt-level"].as_integer(), Some(3), "{name}");
    }
}

/// What a program needs for the Hub is built for `dbn-hub` alone.
#[test]
fn the_trainer_holds_no_network_code() {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["tree", "--offline", "--package", "deepbelief-cli", "--edges", "normal", "--prefix", "none"]);
    let output = cargo.current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap();
    let crates = String::from_utf8(output.stdout).unwrap();
    assert!(crates.contains("deepbelief-rbm v"), "{}", String::from_utf8_lossy(&output.stderr));
    for network in ["hf-hub", "hf-xet", "reqwest", "tokio", "hyper", "rustls"] {
        assert!(!crates.lines().any(|line| line.starts_with(&format!("{network} v"))), "{network}");
    }
}
