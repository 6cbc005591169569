//! Gradient descent on a GPU takes the CPU's steps, to rounding. Run with `--ignored` where there is a
//! GPU.
#![allow(clippy::print_stdout, reason = "how far apart two devices are, beside whether that passes")]

use candle_core::{Device, Result, Tensor, Var};
use deepbelief_finetune::{Descent, FinetuneConfig, OptimizerKind};
use deepbelief_kernels::cuda::Gpu;
use deepbelief_kernels::{Stream, Uniforms};
use deepbelief_rbm::Schedule;

/// Settings of a training whose rate is constant, unless a test says otherwise.
fn plain() -> FinetuneConfig {
    FinetuneConfig { epochs: 30, schedule: Schedule::Constant, final_learning_rate: 1e-5, ..Default::default() }
}

fn numbers(rows: usize, columns: usize, step: u32, device: &Device) -> Result<Tensor> {
    let mut out = vec![0.0; rows * columns];
    for (row, out) in out.chunks_exact_mut(columns).enumerate() {
        Uniforms::new(7, Stream::User, step).fill_row(row as u32, out);
    }
    Tensor::from_vec(out, (rows, columns), device)?.affine(2.0, -1.0)
}

/// Ten steps of least squares, with weight costs and limited norms.
fn trained(config: &FinetuneConfig, device: &Device) -> Result<Vec<f32>> {
    use candle_nn::Optimizer;
    let w = Var::from_tensor(&numbers(70, 33, 0, device)?)?;
    let b = Var::from_tensor(&numbers(1, 33, 1, device)?.squeeze(0)?)?;
    let (x, y) = (numbers(50, 70, 2, device)?, numbers(50, 33, 3, device)?);
    let mut descent = Descent::new(vec![w.clone(), b.clone()], config.descent())?;
    for _ in 0..10 {
        let off = (x.matmul(&w)?.broadcast_add(&b)? - &y)?;
        descent.backward_step(&off.sqr()?.mean_all()?)?;
    }
    let mut values: Vec<f32> = w.flatten_all()?.to_vec1()?;
    values.extend(b.to_vec1::<f32>()?);
    Ok(values)
}

#[test]
#[ignore = "needs a GPU"]
fn steps_are_the_cpus() -> Result<()> {
    let gpu = Gpu::device(0)?;
    let sgd = FinetuneConfig {
        optimizer: OptimizerKind::Sgd,
        learning_rate: 0.5,
        weight_cost: 1e-3,
        max_norm: 4.0,
        ..plain()
    };
    let adam = FinetuneConfig { optimizer: OptimizerKind::Adam, learning_rate: 0.01, ..sgd.clone() };
    for config in [sgd.clone(), FinetuneConfig { nesterov: true, ..sgd }, adam] {
        let (a, b) = (trained(&config, &Device::Cpu)?, trained(&config, &gpu)?);
        let far = a.iter().zip(&b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        println!("{:?}: parameters differ by {far:.1e}", config.optimizer);
        // Adam divides by the size of gradients, and small ones are rounded the most.
        assert!(far < 1e-4, "{:?}: parameters differ by {far}", config.optimizer);
    }
    Ok(())
}
