//! Draws the digits that a deep belief net dreams of, one a label, side by side in a PGM picture.
//!
//! `cargo run --release -p candle-sample [DBN.safetensors [OUT.pgm]]`

use candle_core::DType;
use candle_sample::dream;
use std::path::{Path, PathBuf};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut files = std::env::args_os().skip(1).map(PathBuf::from);
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/mnist-dbn.safetensors");
    let (checkpoint, out) = (files.next().unwrap_or(shipped), files.next().unwrap_or_else(|| "digits.pgm".into()));

    let digits = dream(&checkpoint, 1000, 1)?;
    let (labels, side) = (digits.dim(0)?, digits.dim(1)?.isqrt());
    let row = digits.reshape((labels, side, side))?.permute((1, 0, 2))?.flatten_all()?;
    let mut picture = format!("P5 {} {side} 255\n", labels * side).into_bytes();
    picture.extend((row * 255.0)?.to_dtype(DType::U8)?.to_vec1::<u8>()?);
    std::fs::write(&out, picture)?;
    println!("{}: what the net believes the labels 0 to {} look like", out.display(), labels - 1);
    Ok(())
}
