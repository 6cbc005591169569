//! RBMs of spins and bits against each other, state by state.

use candle_core::{DType, Device, Tensor};
use deepbelief_analysis::spins::{to_bits, to_spins};
use deepbelief_kernels::{Stream, Uniforms};
use deepbelief_rbm::Rbm;
use deepbelief_rbm::likelihood::exact_log_partition;

type Test = Result<(), Box<dyn std::error::Error>>;

fn bits() -> Result<Rbm, Box<dyn std::error::Error>> {
    let tensor = |row: u32, shape: &[usize]| {
        let mut values = vec![0.0f32; shape.iter().product()];
        Uniforms::new(5, Stream::User, row).normal(1.0, values.len(), &mut values);
        Tensor::from_vec(values, shape, &Device::Cpu)?.to_dtype(DType::F64)
    };
    Ok(Rbm::from_tensors(tensor(0, &[5, 3])?, tensor(1, &[3])?, tensor(2, &[5])?)?)
}

/// All states of five units.
fn states(off: f64) -> Result<Tensor, candle_core::Error> {
    let values = (0..32).flat_map(|word: u32| (0..5).map(move |k| if word >> k & 1 == 1 { 1.0 } else { off }));
    Tensor::from_vec(values.collect::<Vec<f64>>(), (32, 5), &Device::Cpu)
}

#[test]
fn every_state_has_the_same_probability_as_bits_and_as_spins() -> Test {
    let bits = bits()?;
    let (spins, more) = to_spins(&bits)?;
    let (z, z_of_spins) = (exact_log_partition(&bits)?, exact_log_partition(&spins)?);
    // ln Z is summed in single precision.
    assert!((z - z_of_spins - more).abs() < 1e-5, "{z} {z_of_spins} {more}");
    let log = |rbm: &Rbm, off, z: f64| -> Result<Vec<f64>, Box<dyn std::error::Error>> {
        Ok(rbm.free_energy(&states(off)?)?.to_vec1::<f64>()?.into_iter().map(|f| -f - z).collect())
    };
    let (of_bits, of_spins) = (log(&bits, 0.0, z)?, log(&spins, -1.0, z_of_spins)?);
    let sum: f64 = of_bits.iter().map(|p| p.exp()).sum();
    assert!((sum - 1.0).abs() < 1e-5);
    assert!(of_bits.iter().zip(&of_spins).all(|(a, b)| (a - b).abs() < 1e-5));
    // And back: the same weights.
    let (back, less) = to_bits(&spins)?;
    let apart = |a: &Tensor, b: &Tensor| -> candle_core::Result<f64> { (a - b)?.abs()?.max_all()?.to_scalar() };
    assert!(
        apart(back.w_rec(), bits.w_rec())? < 1e-12
            && apart(back.vb(), bits.vb())? < 1e-12
            && apart(back.hb(), bits.hb())? < 1e-12
    );
    assert!((more + less).abs() < 1e-9);
    assert!(to_spins(&spins).is_err() && to_bits(&bits).is_err());
    Ok(())
}
