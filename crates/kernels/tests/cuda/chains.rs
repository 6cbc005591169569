//! Chains on the path from a model without weights.

use super::{distance, numbers, on_gpu, parameters};
use candle_core::Result;
use deepbelief_kernels::cuda::{Gpu, GpuRbm, GpuTempered};
use deepbelief_kernels::{
    Betas, BiasLine, Bits, Cpu, Engine, GibbsDraws, Layers, PackedRbm, Parameters, PathBiases, Precision, Stream,
    Tempered, Tempering, Uniforms,
};

/// Annealing for a few temperatures: nearly every chain collects the weight that it collects on the
/// CPU, and one that met a tie goes another way.
#[test]
#[ignore = "needs a GPU"]
fn chains_anneal_as_on_the_cpu() -> Result<()> {
    let gpu = Gpu::new(&Gpu::device(0)?)?;
    for (visible, hidden, classes) in [(7, 5, 0), (97, 31, 4), (784, 500, 10)] {
        let (p, base, chains) = (parameters(visible, hidden, classes), numbers(1, visible, 0.5, 5), 100);
        let mut cpu = Tempered::new(visible, hidden, &p, &base);
        let mut device = GpuTempered::new(&gpu, visible, hidden, &p, &base)?;
        let line =
            |units, step| BiasLine { offset: numbers(1, units, 0.5, step), slope: numbers(1, units, 0.5, step + 1) };
        let biases = PathBiases { visible: line(visible, 6), hidden: line(hidden, 8) };
        cpu.set_biases(&biases);
        device.set_biases(&biases)?;
        let draws = |step| {
            let draw = |stream| Uniforms::new(1, stream, step);
            GibbsDraws {
                hidden: draw(Stream::AnnealHidden),
                visible: draw(Stream::AnnealVisible),
                label: draw(Stream::AnnealLabel),
            }
        };
        cpu.start(chains, &draws(0));
        device.start(chains, &draws(0))?;
        let mut weights = vec![0.0; chains];
        for step in 0..20u32 {
            let (from, to) = (step as f32 / 20.0, (step + 1) as f32 / 20.0);
            let next = draws(step + 1);
            cpu.anneal(&vec![from; chains], &vec![to; chains], Some(&next), &mut weights);
            device.anneal(Betas::All(from), Betas::All(to), Some(&next))?;
        }
        let on_device = device.take_log_weights()?;
        let close = |(a, b): &(&f64, &f64)| (*a - *b).abs() < 1e-3 * a.abs().max(1.0);
        let same = weights.iter().zip(&on_device).filter(close).count();
        println!("{visible}x{hidden}+{classes}: {same} of {chains} chains the same");
        assert!(same >= 90, "{visible}x{hidden}+{classes}: {same} of {chains} chains the same");
    }
    Ok(())
}

/// Chains each at an inverse temperature of its own, led by a model: states, labels and log weights.
fn temper<E: Engine>(place: &E::Place, sizes: (usize, usize), p: &Parameters) -> Result<(Bits, Vec<u32>, Vec<f64>)> {
    let at_rest = Parameters { vb: vec![0.1; sizes.0], ..p.clone() };
    let rbm = E::at(place, &Layers::bernoulli(sizes.0, sizes.1), p)?;
    let mut chains = rbm.tempered(&at_rest, &at_rest.vb)?;
    let draws = |step| {
        let draw = |stream| Uniforms::new(1, stream, step);
        GibbsDraws { hidden: draw(Stream::Hidden), visible: draw(Stream::Visible), label: draw(Stream::Label) }
    };
    chains.start(100, &draws(0))?;
    rbm.lead(&mut chains)?;
    let betas: Vec<f32> = (0..100).map(|chain| (chain % 10) as f32 / 9.0).collect();
    let next: Vec<f32> = betas.iter().map(|beta| 1.0 - beta).collect();
    chains.gibbs(Betas::Each(&betas), &draws(1))?;
    chains.anneal(Betas::Each(&betas), Betas::Each(&next), None)?;
    chains.anneal(Betas::Each(&betas), Betas::All(0.5), Some(&draws(2)))?;
    let (v, y) = (chains.states()?, chains.labels()?);
    chains.start_from(&v, &y)?;
    chains.anneal(Betas::All(0.0), Betas::All(1.0), None)?;
    // The biases of a path are the sum of two numbers.
    assert!(distance(&chains.parameters()?, p) < 1e-6, "chains have the parameters of the model that leads them");
    Ok((v, y, chains.take_log_weights()?))
}

#[test]
#[ignore = "needs a GPU"]
fn chains_at_temperatures_of_their_own_are_the_cpus() -> Result<()> {
    let place = on_gpu(Precision::F32)?;
    for (visible, hidden, classes) in [(7, 5, 0), (97, 31, 4), (784, 500, 10)] {
        let p = parameters(visible, hidden, classes);
        let (v, y, weights) = temper::<PackedRbm>(&Cpu, (visible, hidden), &p)?;
        let (on_device, labels, on_device_weights) = temper::<GpuRbm>(&place, (visible, hidden), &p)?;
        let differ = v.differing(&on_device);
        let close = |(a, b): &(&f64, &f64)| (*a - *b).abs() < 1e-3 * a.abs().max(1.0);
        let same = weights.iter().zip(&on_device_weights).filter(close).count();
        let labels = y.iter().zip(&labels).filter(|(a, b)| a != b).count();
        let at = format!("{visible}x{hidden}+{classes}");
        println!("{at}: {same} of 100 chains the same, {differ} states and {labels} labels differ");
        assert!(same >= 90 && labels <= 10, "{at}: {same} of 100 chains the same, {labels} labels differ");
    }
    Ok(())
}
