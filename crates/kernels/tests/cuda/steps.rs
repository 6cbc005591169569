//! Single steps: of contrastive divergence, of the delta rule, of sampling; and measurements.

use super::{RULE, binary, differing, distance, furthest, labels, numbers, on_gpu, parameters, real, ties};
use candle_core::{Device, Result, Tensor};
use deepbelief_kernels::cuda::{Gpu, GpuDirected, GpuRbm};
use deepbelief_kernels::{
    Batch, Bits, Directed, Direction, Engine, Layers, PackedRbm, Parameters, Precision, Shown, Sparsity, Stream,
    Uniforms, UnitKind, Units, Weights, ops,
};
use std::cell::Cell;

/// CD-2 and PCD-2 step by step, for odd sizes, with and without labels, from binary and real data,
/// by probabilities and by states. The CPU goes on from the GPU's states, so that a tie does not
/// spread.
#[test]
#[ignore = "needs a GPU"]
fn a_step_is_the_cpus() -> Result<()> {
    let place = on_gpu(Precision::F32)?;
    let (states, differ) = (Cell::new(0), Cell::new(0));
    for (visible, hidden, classes, samples) in
        [(1, 1, 0, 1), (7, 5, 3, 4), (97, 31, 0, 33), (784, 500, 10, 100), (60, 40, 2, 700)]
    {
        for (real_data, chains) in [(false, 0), (true, 0), (false, 2 * samples)] {
            let p = parameters(visible, hidden, classes);
            let (mut cpu, mut device) =
                (PackedRbm::new(visible, hidden, &p), GpuRbm::at(&place, &Layers::bernoulli(visible, hidden), &p)?);
            let (y, met) = (labels(samples, classes), differ.get());
            if chains > 0 {
                let start = Bits::coins(chains, hidden, Uniforms::new(5, Stream::Chains, 0));
                cpu.set_hidden_states(&start);
                device.set_hidden_states(&start)?;
            }
            let compare = |a: &Bits, b: &Bits| {
                states.set(states.get() + a.rows() * a.units());
                differ.set(differ.get() + differing(&a.to_values(), &b.to_values()));
            };
            for step in 0..3 {
                let data =
                    if real_data { real(samples, visible, 10 + step) } else { binary(samples, visible, 10 + step) };
                let draw = |stream, half| Uniforms::new(9, stream, step).gibbs(half);
                let first = (chains == 0).then(|| draw(Stream::Hidden, 0));
                let before = cpu.hidden_states().clone();
                cpu.infer_hidden(&data, &y, first);
                device.infer_hidden(Shown::Batch(&data), &y, first)?;
                if chains > 0 {
                    device.set_hidden_states(&before)?;
                }
                if chains > 0 {
                    cpu.set_hidden_states(&before);
                }
                for half in 0..2 {
                    if half > 0 {
                        cpu.sample_hidden(draw(Stream::Hidden, half));
                        device.sample_hidden(draw(Stream::Hidden, half))?;
                    }
                    compare(cpu.hidden_states(), &device.hidden_states()?);
                    cpu.set_hidden_states(&device.hidden_states()?);
                    cpu.sample_visible(draw(Stream::Visible, half));
                    device.sample_visible(draw(Stream::Visible, half))?;
                    if let Batch::Binary(bits) = cpu.reconstruction() {
                        compare(bits, &device.visible_states()?);
                    }
                }
                if chains > 0 {
                    cpu.sample_hidden(draw(Stream::Hidden, 2));
                    device.sample_hidden(draw(Stream::Hidden, 2))?;
                    compare(cpu.hidden_states(), &device.hidden_states()?);
                    cpu.set_hidden_states(&device.hidden_states()?);
                }
                let sparsity = Sparsity { target: 0.1, cost: if step == 1 { 0.01 } else { 0.0 } };
                let (largest, was) = (cpu.update(&data, &RULE, sparsity), device.parameters()?.w_rec);
                device.remember()?;
                device.update(Shown::Batch(&data), &RULE, sparsity)?;
                let (norm, change) = device.norm_and_change()?;
                let now = device.parameters()?.w_rec;
                let root = |terms: &mut dyn Iterator<Item = f64>| terms.map(|x| x * x).sum::<f64>().sqrt();
                let want = root(&mut now.iter().map(|&w| f64::from(w)));
                assert!((norm - want).abs() <= 1e-9 * want, "norm {norm}, exactly {want}");
                let want = root(&mut now.iter().zip(&was).map(|(&a, &b)| f64::from(a) - f64::from(b)));
                assert!((change - want).abs() <= 1e-9 * want, "change {change}, exactly {want}");
                let at = format!("{visible}x{hidden}+{classes}, real {real_data}, {chains} chains, step {step}");
                // A differing visible state moves its weights by rate / samples.
                let far = distance(&cpu.parameters(), &device.parameters()?);
                assert!(far < 2e-5 || (differ.get() > met && far < 0.1), "{at}: parameters differ by {far}");
                let far = (device.largest()? - largest).abs();
                assert!(far < 1e-4 || (differ.get() > met && far < 0.1), "{at}: largest differs by {far}");
                let restart = device.parameters()?;
                let velocities = device.velocities()?;
                cpu = PackedRbm::new(visible, hidden, &restart);
                cpu.set_velocities(&velocities);
                cpu.set_hidden_states(&device.hidden_states()?);
            }
        }
    }
    let (states, differ) = (states.get(), differ.get());
    assert!(differ <= ties(states), "{differ} of {states} states differ");
    println!("{differ} of {states} states differ");
    Ok(())
}

#[test]
#[ignore = "needs a GPU"]
fn measures_are_the_cpus() -> Result<()> {
    let place = on_gpu(Precision::F32)?;
    for (visible, hidden, classes, samples) in [(3, 2, 0, 5), (97, 31, 4, 65), (784, 500, 10, 5000)] {
        let p = parameters(visible, hidden, classes);
        let (mut cpu, mut device) =
            (PackedRbm::new(visible, hidden, &p), GpuRbm::at(&place, &Layers::bernoulli(visible, hidden), &p)?);
        let (data, y, draw) =
            (binary(samples, visible, 20), labels(samples, classes), Uniforms::new(1, Stream::Monitor, 0));
        let (a, b) = (cpu.measure(&data, &y, &[], draw), device.measure(&data, &y, &[], draw)?);
        let close = |a: f64, b: f64| (a - b).abs() <= 1e-5 * a.abs().max(1.0);
        assert!(close(a.free_energy, b.free_energy), "{} and {}", a.free_energy, b.free_energy);
        assert!(close(a.reconstruction_cost, b.reconstruction_cost), "{a:?} and {b:?}");
        assert!(a.activity.iter().zip(&b.activity).all(|(a, b)| (a - b).abs() < 1e-5));
        let errors = a.label_error.unwrap_or(0.0) - b.label_error.unwrap_or(0.0);
        assert!(errors.abs() * samples as f64 <= 1.0, "label errors differ by {errors}");
    }
    Ok(())
}

/// The lower precisions step where F32 does, within what rounding a factor to 10 or 8 bits costs a
/// sum of some hundred terms; and every precision repeats its own bits.
#[test]
#[ignore = "needs a GPU"]
fn precisions_are_close_and_repeat_themselves() -> Result<()> {
    let (visible, hidden, samples) = (784, 500, 100);
    let p = parameters(visible, hidden, 10);
    let run = |precision| -> Result<Parameters> {
        let mut device = GpuRbm::at(&on_gpu(precision)?, &Layers::bernoulli(visible, hidden), &p)?;
        let draw = |stream| Uniforms::new(9, stream, 0);
        let data = binary(samples, visible, 10);
        device.infer_hidden(Shown::Batch(&data), &labels(samples, 10), Some(draw(Stream::Hidden)))?;
        device.sample_visible(draw(Stream::Visible))?;
        device.update(Shown::Batch(&data), &RULE, Sparsity { target: 0.1, cost: 0.0 })?;
        device.parameters()
    };
    let exact = run(Precision::F32)?;
    let moved = p.w_rec.iter().zip(&exact.w_rec).map(|(a, b)| f64::from(a - b).powi(2)).sum::<f64>().sqrt();
    for (precision, tolerance) in [(Precision::F32, 0.0), (Precision::Tf32, 0.01), (Precision::Bf16, 0.05)] {
        let (once, again) = (run(precision)?, run(precision)?);
        assert_eq!(distance(&once, &again), 0.0, "{precision} repeats itself");
        let off = once.w_rec.iter().zip(&exact.w_rec).map(|(a, b)| f64::from(a - b).powi(2)).sum::<f64>().sqrt();
        println!("{precision}: off by {:.4} of the step", off / moved);
        assert!(off <= tolerance * moved, "{precision}: off by {} of the step", off / moved);
    }
    Ok(())
}

/// So many Bernoulli units.
fn bits(units: usize) -> Units {
    Units::of(UnitKind::Bernoulli, units)
}

#[test]
#[ignore = "needs a GPU"]
fn directed_weights_are_the_cpus() -> Result<()> {
    let place = on_gpu(Precision::F32)?;
    let (mut states, mut differ) = (0, 0);
    for (inputs, outputs, samples) in [(1, 1, 1), (97, 31, 33), (500, 784, 100), (40, 60, 700)] {
        let weights =
            Weights { w: numbers(inputs, outputs, 0.2, 0), b: numbers(1, outputs, 1.0, 1), ..Default::default() };
        let mut cpu = Directed::new(inputs, outputs, &weights);
        let mut device = GpuDirected::at(&place, &bits(inputs), &bits(outputs), &weights)?;
        let (input, target) = (binary(samples, inputs, 30), real(samples, outputs, 31));
        let (mut x, mut t, mut y) = (device.input_room()?, device.output_room()?, device.output_room()?);
        device.load(&input, &mut x)?;
        device.load(&target, &mut t)?;
        let draw = Uniforms::new(3, Stream::Wake, 1).layer(2);
        let mut sampled = Batch::default();
        cpu.sample(&input, draw, &mut sampled);
        device.sample(&x, draw, &mut y)?;
        states += samples * outputs;
        differ += differing(&sampled.to_values(), &device.to_values(&y, outputs)?);
        cpu.probabilities(&input, &mut sampled);
        device.probabilities(&x, &mut y)?;
        assert!(furthest(&sampled.to_values(), &device.to_values(&y, outputs)?) < 1e-5);
        for _ in 0..3 {
            let largest = cpu.learn(&input, &target, &RULE);
            device.learn(&x, &t, &RULE)?;
            assert!((device.largest()? - largest).abs() < 1e-4);
        }
        let (a, b) = (cpu.weights(), device.weights()?);
        assert!(furthest(&a.w, &b.w) < 1e-5 && furthest(&a.b, &b.b) < 1e-5);
    }
    assert!(differ <= ties(states), "{differ} of {states} states differ");
    Ok(())
}

/// Sampling on tensors, as a layer of a candle model does it.
#[test]
#[ignore = "needs a GPU"]
fn tensors_are_sampled_with_the_cpus_numbers() -> Result<()> {
    let device = Gpu::device(0)?;
    let (mut all, mut differ) = (0, 0);
    for (rows, units) in [(1, 1), (3, 33), (100, 500), (7, 1000)] {
        let x = Tensor::from_vec(numbers(rows, units, 3.0, 40), (rows, units), &Device::Cpu)?;
        let bias = Tensor::from_vec(numbers(1, units, 1.0, 41), units, &Device::Cpu)?;
        let draw = Uniforms::new(6, Stream::User, 9).gibbs(2);
        let (p, s) = ops::bernoulli(&x, &bias, draw)?;
        let (q, t) = ops::bernoulli(&x.to_device(&device)?, &bias.to_device(&device)?, draw)?;
        let values = |tensor: &Tensor| tensor.flatten_all()?.to_vec1::<f32>();
        assert!(furthest(&values(&p)?, &values(&q)?) < 1e-6);
        all += rows * units;
        differ += differing(&values(&s)?, &values(&t)?);
    }
    assert!(differ <= ties(all), "{differ} of {all} states differ");
    Ok(())
}
