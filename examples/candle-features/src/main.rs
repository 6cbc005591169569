//! Prints the most active hidden units of ten digits.
//!
//! `cargo run --release -p candle-features [FILE]`, an RBM's checkpoint or what
//! `dbn export --as mlp` wrote of a deep belief net.

use candle_features::{digits, features, mlp, recognition_layer};
use std::path::{Path, PathBuf};

fn main() -> candle_core::Result<()> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let file = std::env::args_os().nth(1).map(PathBuf::from);
    let file = file.unwrap_or_else(|| here.join("../../models/mnist-rbm.safetensors"));
    let layers = match mlp(&file)? {
        none if none.is_empty() => vec![recognition_layer(&file)?],
        layers => layers,
    };
    let features = features(&layers, &digits(&here.join("digits.safetensors"))?)?;
    println!("features {:?}", features.dims());
    for (digit, p) in features.to_vec2::<f32>()?.iter().enumerate() {
        let mut units: Vec<usize> = (0..p.len()).collect();
        units.sort_by(|&a, &b| p[b].total_cmp(&p[a]));
        let mean = p.iter().sum::<f32>() / p.len() as f32;
        println!("a {digit}: mean activity {mean:.3}, most active units {:?}", &units[..5.min(units.len())]);
    }
    Ok(())
}
