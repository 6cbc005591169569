//! What methods of learning add to contrastive divergence: statistics that are kept, centred steps, models that
//! follow another. Each method is written once over [`Engine`] and run on both.

use super::{RULE, binary, differing, distance, furthest, labels, on_gpu, parameters, real};
use candle_core::Result;
use deepbelief_kernels::cuda::GpuRbm;
use deepbelief_kernels::{
    Batch, Bits, Cpu, Engine, Layers, PackedRbm, Parameters, Precision, Shown, Sparsity, Stream, Uniforms,
};

/// An update that needs its statistics: they are kept, and stepped along.
fn keep_and_step<E: Engine>(rbm: &mut E, data: &Batch, y: &[u32], step: u32, centred: bool) -> Result<E::Statistics> {
    let draw = |stream| Uniforms::new(9, stream, step);
    let (v0, mut statistics) = (Shown::Batch(data), E::Statistics::default());
    rbm.infer_hidden(v0, y, Some(draw(Stream::Hidden)))?;
    rbm.sample_visible(draw(Stream::Visible))?;
    if centred {
        rbm.follow_means(v0, 0.3)?;
    }
    rbm.statistics(v0, Sparsity { target: 0.1, cost: 0.01 }, &mut statistics)?;
    rbm.step(&statistics, &RULE)?;
    Ok(statistics)
}

/// Refuses parameters that differ by more than rounding, unless a tie put a state on the other side.
fn compare_parameters(at: &str, cpu: &PackedRbm, device: &GpuRbm) -> Result<()> {
    let far = distance(&cpu.parameters(), &device.parameters()?);
    let seen = cpu.reconstruction().to_values();
    let ties = differing(&seen, &device.visible_states()?.to_values());
    println!("{at}: parameters differ by {far:.1e}, {ties} visible states of {}", seen.len());
    assert!(far < 5e-5 || (ties > 0 && ties < 3 && far < 0.1), "{at}: parameters differ by {far}");
    Ok(())
}

/// The sizes that methods are compared at, with and without labels; samples, and chains beyond their number.
const SIZES: [(usize, usize, usize, usize); 4] = [(7, 5, 3, 4), (97, 31, 0, 33), (784, 500, 10, 100), (60, 40, 2, 700)];

/// Centred and uncentred, three steps along kept statistics. Uncentred, they are the bits of an update at once.
#[test]
#[ignore = "needs a GPU"]
fn kept_statistics_and_centred_steps_are_the_cpus() -> Result<()> {
    let place = on_gpu(Precision::F32)?;
    for (visible, hidden, classes, samples) in SIZES {
        for (centred, real_data) in [(false, false), (true, false), (true, true)] {
            let p = parameters(visible, hidden, classes);
            let y = labels(samples, classes);
            let mut cpu = PackedRbm::new(visible, hidden, &p);
            let mut device = GpuRbm::at(&place, &Layers::bernoulli(visible, hidden), &p)?;
            let mut at_once = GpuRbm::at(&place, &Layers::bernoulli(visible, hidden), &p)?;
            for step in 0..3 {
                let data =
                    if real_data { real(samples, visible, 10 + step) } else { binary(samples, visible, 10 + step) };
                keep_and_step(&mut cpu, &data, &y, step, centred)?;
                keep_and_step(&mut device, &data, &y, step, centred)?;
                let at = format!("{visible}x{hidden}+{classes}, centred {centred}, real {real_data}, step {step}");
                compare_parameters(&at, &cpu, &device)?;
                let (a, b) = (Engine::largest(&mut cpu)?, device.largest()?);
                assert!((a - b).abs() < 1e-4 || distance(&cpu.parameters(), &device.parameters()?) > 5e-5);
                if centred {
                    let (a, b) = (Engine::offsets(&cpu)?.unwrap(), device.offsets()?.unwrap());
                    let far = [(&a.visible, &b.visible), (&a.hidden, &b.hidden), (&a.labels, &b.labels)];
                    assert!(far.into_iter().all(|(a, b)| furthest(a, b) < 1e-5), "{at}: offsets differ");
                } else {
                    let draw = |stream| Uniforms::new(9, stream, step);
                    at_once.infer_hidden(Shown::Batch(&data), &y, Some(draw(Stream::Hidden)))?;
                    at_once.sample_visible(draw(Stream::Visible))?;
                    at_once.update(Shown::Batch(&data), &RULE, Sparsity { target: 0.1, cost: 0.01 })?;
                    assert_eq!(distance(&at_once.parameters()?, &device.parameters()?), 0.0, "{at}: at once");
                }
                // The CPU goes on from where the GPU is, so that a tie does not spread.
                cpu = PackedRbm::new(visible, hidden, &device.parameters()?);
                cpu.set_velocities(&device.velocities()?);
                if let Some(offsets) = device.offsets()? {
                    Engine::set_offsets(&mut cpu, &offsets)?;
                }
            }
        }
    }
    Ok(())
}

/// Chains under fast weights that run ahead, whose states the model takes over; a mean of the models.
fn follow<E: Engine>(
    place: &E::Place,
    sizes: (usize, usize),
    p: &Parameters,
    data: &Batch,
    y: &[u32],
) -> Result<[E; 3]> {
    let mut rbm = E::at(place, &Layers::bernoulli(sizes.0, sizes.1), p)?;
    let statistics = keep_and_step(&mut rbm, data, y, 0, false)?;
    let mut fast = rbm.beside(p)?;
    fast.run_ahead(&rbm, &statistics, 0.05, 0.95)?;
    // More chains than samples: room for them is made beside what is there.
    let h = Bits::coins(2 * data.rows() + 3, sizes.1, Uniforms::new(5, Stream::Chains, 0));
    let h = fast.unpack_hidden(&Batch::Binary(h))?;
    rbm.infer_hidden(Shown::Batch(data), y, None)?;
    fast.set_hidden(&h)?;
    fast.sample_visible(Uniforms::new(9, Stream::Visible, 1))?;
    rbm.take_chains(&fast)?;
    let mut statistics = E::Statistics::default();
    rbm.statistics(Shown::Batch(data), Sparsity { target: 0.1, cost: 0.0 }, &mut statistics)?;
    rbm.step(&statistics, &RULE)?;
    fast.run_ahead(&rbm, &statistics, 0.05, 0.95)?;
    let mut average = rbm.beside(p)?;
    average.approach(&rbm, 0.3)?;
    average.approach(&fast, 0.5)?;
    // Chains by their visible states, over which the hidden ones are drawn.
    let v = Bits::coins(data.rows() + 1, sizes.0, Uniforms::new(6, Stream::Chains, 0));
    let labels: Vec<u32> = y.iter().chain(y.first()).copied().collect();
    average.infer_hidden(Shown::Batch(data), y, None)?;
    average.set_chains(&v, &labels)?;
    average.update(Shown::Batch(data), &RULE, Sparsity { target: 0.1, cost: 0.0 })?;
    Ok([rbm, fast, average])
}

#[test]
#[ignore = "needs a GPU"]
fn models_that_follow_are_the_cpus() -> Result<()> {
    let place = on_gpu(Precision::F32)?;
    for (visible, hidden, classes, samples) in SIZES {
        let (p, y) = (parameters(visible, hidden, classes), labels(samples, classes));
        let data = binary(samples, visible, 10);
        let cpu = follow::<PackedRbm>(&Cpu, (visible, hidden), &p, &data, &y)?;
        let device = follow::<GpuRbm>(&place, (visible, hidden), &p, &data, &y)?;
        for (name, (cpu, device)) in ["model", "fast", "mean"].into_iter().zip(cpu.iter().zip(&device)) {
            compare_parameters(&format!("{name} of {visible}x{hidden}+{classes}"), cpu, device)?;
            let far = distance(&cpu.velocities(), &device.velocities()?);
            assert!(far < 0.1, "{name} of {visible}x{hidden}+{classes}: velocities differ by {far}");
        }
    }
    Ok(())
}
