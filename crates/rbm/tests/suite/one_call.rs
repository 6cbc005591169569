//! Likelihoods in one call.

use crate::{random_rbm, uniforms};
use candle_core::{Device, Tensor};
use deepbelief_kernels::{Batch, Bits};
use deepbelief_rbm::likelihood::{Interval, LogZConfig, exact_log_partition, log_likelihood};

/// Of 12 x 6 units the sum is the mean of -F(v) less ln Z, and has no width; the estimate holds it within three standard
/// errors, which a fair one fails to do for 3 seeds in 1,000, and is no wider than some tenths.
#[test]
fn the_interval_of_a_likelihood_holds_the_exact_one() {
    let rbm = random_rbm(12, 6, 1.5, 12);
    let values = uniforms(100, 12, 7001);
    let samples = Batch::Binary(Bits::from_values(100, 12, &values));
    let states = Tensor::from_vec(samples.to_values(), (100, 12), &Device::Cpu).unwrap();
    let free_energies: Vec<f32> = rbm.free_energy(&states).unwrap().to_vec1().unwrap();
    let mean = free_energies.iter().map(|&f| f64::from(f)).sum::<f64>() / 100.0;
    let expected = -mean - exact_log_partition(&rbm).unwrap();

    let exact = log_likelihood(&rbm, &samples, &samples, &LogZConfig::default()).unwrap();
    assert!((exact.value - expected).abs() < 1e-5, "{exact:?} and not {expected}");
    assert_eq!(exact.ends, Some((exact.value, exact.value)));

    let config = LogZConfig { estimate: true, temperatures: 1000, ..LogZConfig::default() };
    let Interval { value, ends } = log_likelihood(&rbm, &samples, &samples, &config).unwrap();
    let (low, high) = ends.expect("both directions saw one model");
    assert!(low <= expected && expected <= high && low < value && value < high, "{low} to {high}, not {expected}");
    assert!(high - low < 0.3, "{low} to {high}");

    let refused = log_likelihood(&rbm, &samples.head(0), &samples, &config).unwrap_err();
    assert!(refused.to_string().contains("samples"), "{refused}");
}
