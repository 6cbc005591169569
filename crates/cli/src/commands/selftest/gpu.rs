//! The GPU against the CPU, for equal random numbers. Sums run in another order there, so that
//! numbers agree to rounding, and a state differs where its probability ties with its uniform.

use super::checks::{self, distance, parameters};
use super::outcome::{Check, Outcome};
use crate::failure::Result;
use candle_core::Device;
use deepbelief_kernels::cuda::{GpuRbm, OnGpu};
use deepbelief_kernels::{Batch, Engine, Layers, PackedRbm, Precision, Shown, Sparsity, StepRule, Stream, Uniforms};

const VISIBLE: usize = 784;
const HIDDEN: usize = 500;
const RULE: StepRule = StepRule { learning_rate: 0.05, momentum: 0.5, l2: 1e-3, l1: 0.0 };

/// What is checked of a device: nothing of the CPU.
pub(super) fn checks(device: &Device) -> &'static [Check] {
    const CHECKS: [Check; 3] = [
        ("a step on the GPU against the CPU's", step),
        ("states on the GPU against the CPU's", states),
        ("measurements on the GPU against the CPU's", measures),
    ];
    if device.is_cuda() { &CHECKS } else { &[] }
}

/// The same machine on both.
fn pair(device: &Device) -> Result<(PackedRbm, GpuRbm)> {
    let parameters = parameters(VISIBLE, HIDDEN, 0.1);
    let on_device = GpuRbm::at(&OnGpu::new(device, Precision::F32)?, &Layers::bernoulli(VISIBLE, HIDDEN), &parameters)?;
    Ok((PackedRbm::new(VISIBLE, HIDDEN, &parameters), on_device))
}

/// A step of CD-1, from the same hidden and visible states.
fn step(device: &Device) -> Result<Outcome> {
    let (mut cpu, mut gpu) = pair(device)?;
    let (v0, sparsity) = (Batch::Binary(checks::states(100, VISIBLE, 50)), Sparsity { target: 0.1, cost: 0.0 });
    let draw = Uniforms::new(1, Stream::Hidden, 0);
    cpu.infer_hidden(&v0, &[], Some(draw));
    gpu.infer_hidden(Shown::Batch(&v0), &[], Some(draw))?;
    cpu.set_hidden_states(&gpu.hidden_states()?);
    cpu.mean_visible();
    gpu.mean_visible()?;
    cpu.update(&v0, &RULE, sparsity);
    gpu.update(Shown::Batch(&v0), &RULE, sparsity)?;
    Ok(Outcome { error: distance(&cpu.parameters(), &gpu.parameters()?), limit: 2e-5, unit: "in a weight" })
}

/// A hundred Gibbs steps, the CPU going on from the GPU's states. A visible state that met a tie moves
/// the inputs of all hidden units above it, of which some more then differ.
fn states(device: &Device) -> Result<Outcome> {
    let (mut cpu, mut gpu) = pair(device)?;
    let v0 = Batch::Binary(checks::states(100, VISIBLE, 60));
    cpu.infer_hidden(&v0, &[], Some(Uniforms::new(1, Stream::Hidden, 0)));
    gpu.infer_hidden(Shown::Batch(&v0), &[], Some(Uniforms::new(1, Stream::Hidden, 0)))?;
    let (mut differ, mut all) = (0, 0);
    for step in 0..100 {
        let (down, up) = (Uniforms::new(1, Stream::Visible, step), Uniforms::new(1, Stream::Hidden, step + 1));
        cpu.set_hidden_states(&gpu.hidden_states()?);
        cpu.sample_visible(down);
        gpu.sample_visible(down)?;
        cpu.sample_hidden(up);
        gpu.sample_hidden(up)?;
        let (a, b) = (cpu.hidden_states().to_values(), gpu.hidden_states()?.to_values());
        differ += a.iter().zip(&b).filter(|(a, b)| a != b).count();
        all += a.len();
    }
    Ok(Outcome { error: differ as f64 / all as f64, limit: 1e-4, unit: "of the states differ" })
}

/// Free energy and reconstruction cost of the same samples.
fn measures(device: &Device) -> Result<Outcome> {
    let (mut cpu, mut gpu) = pair(device)?;
    let (v, draw) = (Batch::Binary(checks::states(1000, VISIBLE, 70)), Uniforms::new(1, Stream::Monitor, 0));
    let (a, b) = (cpu.measure(&v, &[], &[], draw), gpu.measure(&v, &[], &[], draw)?);
    let relative = |a: f64, b: f64| (a - b).abs() / a.abs().max(1.0);
    let error = relative(a.free_energy, b.free_energy).max(relative(a.reconstruction_cost, b.reconstruction_cost));
    Ok(Outcome { error, limit: 1e-5, unit: "relative" })
}
