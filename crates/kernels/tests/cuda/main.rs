//! The kernels on a GPU against those on the CPU, for equal random numbers.
//!
//! Both add the same terms in another order, so that inputs agree to some 1e-6 and a state differs
//! only where its probability ties with its uniform that closely: each test counts them. Run with
//! `--ignored` where there is a GPU.
#![allow(clippy::print_stdout, reason = "how far apart two devices are, beside whether that passes")]

mod chains;
mod methods;
mod steps;

use candle_core::Result;
use deepbelief_kernels::cuda::{Gpu, OnGpu};
use deepbelief_kernels::{Batch, Bits, Parameters, Precision, StepRule, Stream, Uniforms};

/// Share of states that may differ: a uniform lies within 1e-6 of its probability that often, and
/// five times that is allowed for.
const TIES: f64 = 1e-5;

/// Reproducible numbers in [-scale, scale), [rows, columns].
fn numbers(rows: usize, columns: usize, scale: f32, step: u32) -> Vec<f32> {
    let u = Uniforms::new(80, Stream::User, step);
    let mut out = vec![0.0; rows * columns];
    for (row, out) in out.chunks_exact_mut(columns.max(1)).enumerate() {
        u.fill_row(row as u32, out);
    }
    out.iter().map(|u| scale * (2.0 * u - 1.0)).collect()
}

fn parameters(visible: usize, hidden: usize, classes: usize) -> Parameters {
    Parameters {
        w_rec: numbers(visible, hidden, 0.2, 0),
        hb: numbers(1, hidden, 1.0, 1),
        vb: numbers(1, visible, 1.0, 2),
        label_w: numbers(classes, hidden, 0.5, 3),
        label_b: numbers(1, classes, 1.0, 4),
        ..Parameters::default()
    }
}

fn binary(rows: usize, units: usize, step: u32) -> Batch {
    let values: Vec<f32> = numbers(rows, units, 0.5, step).iter().map(|u| f32::from(u8::from(*u < -0.2))).collect();
    Batch::Binary(Bits::from_values(rows, units, &values))
}

fn real(rows: usize, units: usize, step: u32) -> Batch {
    Batch::Real { rows, units, values: numbers(rows, units, 0.5, step).iter().map(|u| u + 0.5).collect() }
}

fn labels(rows: usize, classes: usize) -> Vec<u32> {
    (0..rows).map(|row| (row * 7 % classes.max(1)) as u32).collect()
}

fn differing(a: &[f32], b: &[f32]) -> usize {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).filter(|(a, b)| a != b).count()
}

fn furthest(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, |most, d| if d.is_nan() { f32::NAN } else { d.max(most) })
}

fn distance(a: &Parameters, b: &Parameters) -> f32 {
    let pairs =
        [(&a.w_rec, &b.w_rec), (&a.hb, &b.hb), (&a.vb, &b.vb), (&a.label_w, &b.label_w), (&a.label_b, &b.label_b)];
    pairs.into_iter().map(|(a, b)| furthest(a, b)).fold(0.0, f32::max)
}

const RULE: StepRule = StepRule { learning_rate: 0.05, momentum: 0.5, l2: 1e-3, l1: 1e-4 };

fn on_gpu(precision: Precision) -> Result<OnGpu> {
    OnGpu::new(&Gpu::device(0)?, precision)
}

/// States that may differ among so many.
fn ties(states: usize) -> usize {
    1 + (states as f64 * TIES) as usize
}
