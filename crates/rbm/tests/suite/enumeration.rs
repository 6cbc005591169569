//! The layer's formulas against sums over all states of small machines.

use crate::{in_f64, random_rbm};
use candle_core::{DType, Device, Tensor};
use deepbelief_kernels::{Stream, Uniforms};
use deepbelief_rbm::{Rbm, RbmConfig};

/// All 2^units states as rows.
pub(crate) fn all_states(units: usize) -> Vec<Vec<f64>> {
    (0..1_usize << units).map(|s| (0..units).map(|i| (s >> i & 1) as f64).collect()).collect()
}

/// Plain numbers of an RBM.
struct Plain {
    w: Vec<Vec<f64>>,
    hb: Vec<f64>,
    vb: Vec<f64>,
}

impl Plain {
    fn of(rbm: &Rbm) -> Self {
        let to = |t: &Tensor| t.to_dtype(DType::F64).unwrap();
        Self {
            w: to(rbm.w_rec()).to_vec2().unwrap(),
            hb: to(rbm.hb()).to_vec1().unwrap(),
            vb: to(rbm.vb()).to_vec1().unwrap(),
        }
    }

    /// E(v, h), written out.
    fn energy(&self, v: &[f64], h: &[f64]) -> f64 {
        let mut e = 0.0;
        for (i, &v) in v.iter().enumerate() {
            e -= self.vb[i] * v;
            for (j, &h) in h.iter().enumerate() {
                e -= v * self.w[i][j] * h;
            }
        }
        e - h.iter().zip(&self.hb).map(|(h, b)| h * b).sum::<f64>()
    }
}

pub(crate) fn rows(states: &[Vec<f64>], dtype: DType) -> Tensor {
    let flat: Vec<f64> = states.concat();
    Tensor::from_vec(flat, (states.len(), states[0].len()), &Device::Cpu).unwrap().to_dtype(dtype).unwrap()
}

/// F(v) = -log sum over all h of exp(-E(v, h)), for every v of a machine with 5 x 4 units, with
/// weights from small to saturating.
#[test]
fn free_energy_is_the_sum_over_hidden_states() {
    for (seed, scale) in [(1, 0.1), (2, 1.0), (3, 20.0)] {
        let rbm = random_rbm(5, 4, scale, seed);
        let plain = Plain::of(&rbm);
        let (vs, hs) = (all_states(5), all_states(4));
        let exact: Vec<f64> = vs
            .iter()
            .map(|v| {
                let terms: Vec<f64> = hs.iter().map(|h| -plain.energy(v, h)).collect();
                let top = terms.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                -(top + terms.iter().map(|t| (t - top).exp()).sum::<f64>().ln())
            })
            .collect();
        for (rbm, dtype, tolerance) in [(in_f64(&rbm), DType::F64, 1e-12), (rbm, DType::F32, 2e-6)] {
            let got: Vec<f64> =
                rbm.free_energy(&rows(&vs, dtype)).unwrap().to_dtype(DType::F64).unwrap().to_vec1().unwrap();
            for (got, exact) in got.iter().zip(&exact) {
                assert!((got - exact).abs() <= tolerance * (1.0 + exact.abs()), "{dtype:?}: {got}, exactly {exact}");
            }
        }
    }
}

/// Both conditionals by summing the joint distribution.
#[test]
fn conditionals_are_those_of_the_joint_distribution() {
    let rbm = in_f64(&random_rbm(4, 3, 1.5, 4));
    let plain = Plain::of(&rbm);
    let (vs, hs) = (all_states(4), all_states(3));
    let up: Vec<Vec<f64>> = rbm.forward(&rows(&vs, DType::F64)).unwrap().to_vec2().unwrap();
    for (v, up) in vs.iter().zip(up) {
        let total: f64 = hs.iter().map(|h| (-plain.energy(v, h)).exp()).sum();
        for j in 0..3 {
            let on: f64 = hs.iter().filter(|h| h[j] == 1.0).map(|h| (-plain.energy(v, h)).exp()).sum();
            assert!((up[j] - on / total).abs() < 1e-12);
        }
    }
    let down: Vec<Vec<f64>> = rbm.reverse(&rows(&hs, DType::F64)).unwrap().to_vec2().unwrap();
    for (h, down) in hs.iter().zip(down) {
        let total: f64 = vs.iter().map(|v| (-plain.energy(v, h)).exp()).sum();
        for i in 0..4 {
            let on: f64 = vs.iter().filter(|v| v[i] == 1.0).map(|v| (-plain.energy(v, h)).exp()).sum();
            assert!((down[i] - on / total).abs() < 1e-12);
        }
    }
}

/// Chains started from the exact distribution must stay there. 40 000 chains of a 5 x 4 machine
/// make five Gibbs steps; the chi-square statistic over the 32 visible states (31 degrees of
/// freedom) exceeds 80.0 with probability below 4e-6, and the seed is fixed. A sampler
/// that, for instance, drew with u <= 1 - p fails by thousands.
#[test]
fn gibbs_steps_leave_the_exact_distribution_alone() {
    const CHAINS: usize = 40_000;
    let rbm = random_rbm(5, 4, 1.5, 5);
    let plain = Plain::of(&rbm);
    let (vs, hs) = (all_states(5), all_states(4));
    let weights: Vec<f64> = vs.iter().map(|v| hs.iter().map(|h| (-plain.energy(v, h)).exp()).sum::<f64>()).collect();
    let z: f64 = weights.iter().sum();
    let p: Vec<f64> = weights.iter().map(|w| w / z).collect();

    let start = Uniforms::new(5, Stream::User, 0);
    let chains: Vec<Vec<f64>> = (0..CHAINS)
        .map(|chain| {
            let mut u = f64::from(start.at(chain as u32, 0));
            let state = p.iter().position(|&p| {
                u -= p;
                u < 0.0
            });
            vs[state.unwrap_or(p.len() - 1)].clone()
        })
        .collect();
    let statistic = |v: &Tensor| {
        let mut counts = vec![0.0; 32];
        for v in v.to_vec2::<f32>().unwrap() {
            counts[v.iter().enumerate().map(|(i, &v)| (v as usize) << i).sum::<usize>()] += 1.0;
        }
        counts.iter().zip(&p).map(|(n, p)| (n - CHAINS as f64 * p).powi(2) / (CHAINS as f64 * p)).sum::<f64>()
    };
    let mut v = rows(&chains, DType::F32);
    assert!(statistic(&v) < 80.0, "the start itself is off: {}", statistic(&v));
    for step in 1..=5 {
        v = rbm.forward_gibbs(&v, Uniforms::new(5, Stream::User, step)).unwrap().visible.states;
    }
    assert!(statistic(&v) < 80.0, "chi-square {} after v -> h -> v", statistic(&v));
    let mut h = rbm.sample_h(&v, Uniforms::new(5, Stream::User, 6)).unwrap().states;
    for step in 7..=11 {
        let gibbs = rbm.reverse_gibbs(&h, Uniforms::new(5, Stream::User, step)).unwrap();
        (h, v) = (gibbs.hidden.states, gibbs.visible.states);
    }
    assert!(statistic(&v) < 80.0, "chi-square {} after h -> v -> h", statistic(&v));
}

#[test]
fn costs_and_energies_of_saturated_units_are_finite() {
    let rbm = random_rbm(6, 5, 1e4, 6);
    let v = rows(&all_states(6), DType::F32);
    assert!(rbm.reconstruction_cost(&v).unwrap().is_finite());
    assert!(rbm.free_energy(&v).unwrap().to_vec1::<f32>().unwrap().iter().all(|f| f.is_finite()));
}

#[test]
fn construction_infers_visible_units_and_their_log_odds() {
    let config = RbmConfig { hidden: 7, ..Default::default() };
    let rbm = Rbm::new(&config, &[0.5, 0.0, 1.0, 0.2], &Device::Cpu).unwrap();
    assert_eq!((rbm.visible(), rbm.hidden()), (4, 7));
    let vb = crate::values(rbm.vb());
    assert_eq!(vb[0], 0.0);
    assert!((vb[3] - (0.2_f32 / 0.8).ln()).abs() < 1e-6);
    assert!(vb[1].is_finite() && vb[2] == -vb[1], "a pixel that never changes keeps a finite bias");
    assert_eq!(crate::values(&rbm.w_rec().t().unwrap().contiguous().unwrap()), crate::values(rbm.w_gen()));

    let wrong = RbmConfig { visible: Some(3), ..config };
    let message = Rbm::new(&wrong, &[0.5; 4], &Device::Cpu).map_err(|e| e.to_string()).unwrap_err();
    assert!(message.contains("[4]") && message.contains("[3]"), "{message}");
}
