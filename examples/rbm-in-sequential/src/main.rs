//! Puts a trained RBM under a linear layer, tells digits by the two, and asks the RBM alone what no
//! other layer knows: how likely a picture is to it, and what it would make of it.
//!
//! `cargo run --release -p rbm-in-sequential`

use candle_core::DType;
use candle_features::{digits, moved};
use candle_nn::Module;
use rbm_in_sequential::{load, under_a_classifier};
use std::path::Path;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let rbm = load(&here.join("../../models/mnist-rbm.safetensors"), 784, 500)?;
    let digits = digits(&here.join("../candle-features/digits.safetensors"))?;
    let ((v, labels), (test, test_labels)) = (moved(&digits, false)?, moved(&digits, true)?);

    let net = under_a_classifier(&rbm, &v, &labels)?;
    let wrong = net.forward(&test)?.argmax(1)?.ne(&test_labels)?.to_dtype(DType::U32)?.sum_all()?;
    println!("the two tell {} of {} moved digits wrongly", wrong.to_scalar::<u32>()?, test.dim(0)?);
    let energy = rbm.free_energy(&digits)?.to_vec1::<f32>()?;
    let negative = rbm.free_energy(&(1.0 - &digits)?)?.to_vec1::<f32>()?;
    for (digit, (energy, negative)) in energy.iter().zip(&negative).enumerate() {
        println!("a {digit} has a free energy of {energy:.0} nats, its negative of {negative:.0}");
    }
    println!("reconstructed with {:.0} nats a digit", rbm.reconstruction_cost(&digits)?);
    Ok(())
}
