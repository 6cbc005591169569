//! The bound on a deep belief net's likelihood against the exact value of enumerable nets.

use crate::{all_states, random_rbm, rows, stack, untied, values};
use candle_core::{DType, Device, Tensor};
use deepbelief_kernels::{LogSum, Stream, Uniforms};
use deepbelief_rbm::likelihood::exact_log_partition;
use deepbelief_stack::{Dbn, Layer};

/// ln p(v) of every visible state of a net with two layers of weights.
fn exact(dbn: &Dbn) -> Vec<f64> {
    let (vs, hs) = (all_states(dbn.sizes()[0]), all_states(dbn.sizes()[1]));
    let h = stack(&hs).to_dtype(DType::F32).unwrap();
    let log_z = exact_log_partition(dbn.top()).unwrap();
    let prior: Vec<f64> = values(&dbn.top().free_energy(&h).unwrap()).iter().map(|f| -f - log_z).collect();
    let generated = rows(&dbn.layers()[0].generate(&h).unwrap());
    let log_p = |v: &Vec<f64>, p: &Vec<f64>| -> f64 {
        v.iter().zip(p).map(|(v, p)| if *v == 1.0 { p.ln() } else { (-p).ln_1p() }).sum()
    };
    vs.iter()
        .map(|v| generated.iter().zip(&prior).map(|(p, prior)| log_p(v, p) + prior).collect::<LogSum>().value())
        .collect()
}

fn draws(step: u32) -> Uniforms {
    Uniforms::new(5, Stream::User, step)
}

/// Nets of 5-4-3 units whose recognition weights know nothing of the generative ones, with and
/// without labels: from 4000 draws the bound of no state lies more than its noise, 0.02 nats, above
/// ln p(v), on the whole it lies well below, and the importance estimate is within 0.1 nat of it.
/// Over seeds both spread by 0.02 nats where recognition is worst; the seed is fixed.
#[test]
fn the_bound_lies_below_the_exact_value_and_importance_sampling_finds_it() {
    for classes in [0, 3] {
        let dbn = untied(&[5, 4, 3], classes, 0.7);
        let v = stack(&all_states(5)).to_dtype(DType::F32).unwrap();
        let exact = exact(&dbn);
        let total: f64 = exact.iter().map(|p| p.exp()).sum();
        assert!((total - 1.0).abs() < 1e-5, "the exact values are a distribution: {total}");
        let log_z = exact_log_partition(dbn.top()).unwrap();
        let got = dbn.unnormalised_log_likelihood(&v, 4000, draws(0)).unwrap();
        let mut gap = 0.0;
        for ((bound, importance), exact) in got.bound.iter().zip(&got.importance).zip(exact) {
            assert!(bound - log_z < exact + 0.02, "bound {}, exactly {exact}", bound - log_z);
            gap += (exact - (bound - log_z)) / 32.0;
            assert!((importance - log_z - exact).abs() < 0.1, "estimate {}, exactly {exact}", importance - log_z);
        }
        assert!(gap > 0.1, "a bound that is tight where recognition is wrong: {gap}");
    }
}

/// Where hidden units are independent and tell nothing of the visible ones, the posterior is their
/// prior; a recognition that says so makes the bound tight, draw by draw.
#[test]
fn the_bound_touches_where_recognition_is_exact() {
    let zeros = |shape: &[usize]| Tensor::zeros(shape, DType::F32, &Device::Cpu).unwrap();
    let seeded = random_rbm(4, 3, 0, 1.0, 2);
    let top = deepbelief_rbm::Rbm::from_tensors(zeros(&[4, 3]), zeros(&[3]), seeded.vb().clone()).unwrap();
    let bottom = random_rbm(5, 4, 0, 1.0, 3);
    let layer = Layer::from_tensors(zeros(&[5, 4]), zeros(&[4, 5]), seeded.vb().clone(), bottom.vb().clone()).unwrap();
    let dbn = Dbn::new(vec![layer], top).unwrap();
    let v = stack(&all_states(5)).to_dtype(DType::F32).unwrap();
    let (got, log_z) =
        (dbn.unnormalised_log_likelihood(&v, 1, draws(1)).unwrap(), exact_log_partition(dbn.top()).unwrap());
    for ((bound, importance), exact) in got.bound.iter().zip(&got.importance).zip(exact(&dbn)) {
        assert!((bound - log_z - exact).abs() < 1e-5, "{}, exactly {exact}", bound - log_z);
        assert_eq!(bound, importance, "of one draw");
    }
}

/// An RBM is a net of depth one, of which nothing has to be drawn.
#[test]
fn of_an_rbm_both_are_the_free_energy() {
    let dbn = Dbn::from_rbms(vec![random_rbm(5, 4, 2, 1.0, 6)]).unwrap();
    let v = stack(&all_states(5)).to_dtype(DType::F32).unwrap();
    let got = dbn.unnormalised_log_likelihood(&v, 7, draws(2)).unwrap();
    let free_energy: Vec<f64> = values(&dbn.top().free_energy(&v).unwrap()).iter().map(|f| -f).collect();
    assert_eq!((&got.bound, &got.importance), (&free_energy, &free_energy));
    let error = dbn.unnormalised_log_likelihood(&v, 0, draws(2)).unwrap_err();
    assert_eq!(error.to_string(), "draws is 0; it must be at least 1");
}
