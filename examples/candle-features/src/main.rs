//! Tells digits by a linear classifier, on the features of a trained model and on bare pixels.
//!
//! `cargo run --release -p candle-features [FILE]`, an RBM's checkpoint or what
//! `dbn export --as mlp` wrote of a deep belief net. Ten digits are moved about: the classifier
//! learns from few of the places and is tested on the others.

use candle_features::{classifier, digits, errors, features, mlp, moved, recognition_layer};
use std::path::{Path, PathBuf};

fn main() -> candle_core::Result<()> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let file = std::env::args_os().nth(1).map(PathBuf::from);
    let file = file.unwrap_or_else(|| here.join("../../models/mnist-rbm.safetensors"));
    let layers = match mlp(&file)? {
        none if none.is_empty() => vec![recognition_layer(&file)?],
        layers => layers,
    };
    let digits = digits(&here.join("digits.safetensors"))?;
    let ((train, train_labels), (test, test_labels)) = (moved(&digits, true)?, moved(&digits, false)?);
    let (train_features, test_features) = (features(&layers, &train)?, features(&layers, &test)?);
    println!("pixels {:?} -> features {:?}", train.dims(), train_features.dims());
    for (name, train, test) in [("pixels", &train, &test), ("features", &train_features, &test_features)] {
        let wrong = errors(&classifier(train, &train_labels)?, test, &test_labels)?;
        println!("by their {name:<9} {wrong} of {} digits are wrong", test.dim(0)?);
    }
    Ok(())
}
