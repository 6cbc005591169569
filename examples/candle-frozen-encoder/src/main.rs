//! Tells digits with a hole in them from others, by a head on a deep belief net that never saw
//! holes.
//!
//! `cargo run --release -p candle-frozen-encoder [DBN.safetensors]`. Ten digits have patches blotted
//! out: the head learns from some of the places and is tested on the others.

use candle_core::{DType, Device, Module, Tensor, safetensors};
use candle_frozen_encoder::{blotted, encoder, train_head};
use std::path::{Path, PathBuf};

/// Of the digits 0 to 9.
const HAS_HOLE: [u32; 10] = [1, 0, 0, 0, 0, 0, 1, 0, 1, 1];

fn main() -> candle_core::Result<()> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let file = std::env::args_os().nth(1).map(PathBuf::from);
    let encoder = encoder(&file.unwrap_or_else(|| here.join("../../models/mnist-dbn.safetensors")))?;
    let bytes = safetensors::load(here.join("../candle-features/digits.safetensors"), &Device::Cpu)?;
    let digits = (bytes["images"].to_dtype(DType::F32)? / 255.0)?;
    let (train, test) = (blotted(&digits, false)?, blotted(&digits, true)?);
    let labels = Tensor::new(&HAS_HOLE, digits.device())?.repeat(8)?;

    println!("features of the frozen encoder: {:?}", encoder.forward(&train)?.dims());
    let (net, head) = train_head(encoder, &train, &labels, 2)?;
    let learned: usize = head.all_vars().iter().map(|var| var.elem_count()).sum();
    let told = net.forward(&test)?.argmax(1)?;
    let wrong = told.ne(&labels)?.to_dtype(DType::U32)?.sum_all()?.to_scalar::<u32>()?;
    println!("a head of {learned} weights is wrong in {wrong} of {} blotted digits", test.dim(0)?);
    Ok(())
}
