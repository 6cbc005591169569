//! Networks of a net over a real number, a category, a spin and a bit.

use crate::{Done, Failure, numbers, values};
use candle_core::{DType, Device, Tensor};
use deepbelief_finetune::{FinetuneConfig, FinetuneState, Finetuner, Network, Objective, OptimizerKind};
use deepbelief_kernels::{Batch, Minibatches};
use deepbelief_rbm::{
    FieldTensors, LabelGroup, Layers, Monitors, Provenance, Rbm, RbmConfig, Segment, UnitKind, Units, states_of,
    to_batch,
};
use deepbelief_stack::Dbn;

fn mixed() -> Units {
    let segment = |(units, levels)| Segment { units, levels, sites: 1 };
    [(UnitKind::Gaussian, 1), (UnitKind::Categorical, 3), (UnitKind::Spin, 1), (UnitKind::Bernoulli, 1)]
        .map(segment)
        .into_iter()
        .collect()
}

/// 6-5-4 with two labels.
fn net() -> Result<Dbn, Failure> {
    let rbm = |visible: usize, hidden, seed| {
        Rbm::new(&RbmConfig { hidden, weight_std: 0.7, seed, ..Default::default() }, &vec![0.3; visible], &Device::Cpu)
    };
    let log_g = Tensor::new(&[0.5f32, 0.0, 0.0, 0.0, 0.0, 0.0], &Device::Cpu)?;
    let fields = FieldTensors { log_precision: Some(log_g), ..FieldTensors::default() };
    let layers = Layers { visible: mixed(), hidden: Units::of(UnitKind::Bernoulli, 5) };
    let below = rbm(6, 5, 1)?.with_layers(layers, fields, FieldTensors::default())?;
    let labels = LabelGroup { w: numbers(2, 4, 3)?, b: numbers(1, 2, 4)?.squeeze(0)? };
    Ok(Dbn::from_rbms(vec![below, rbm(5, 4, 2)?.with_labels(labels)?])?)
}

/// Spins are 0 and 1.
fn samples(rows: usize) -> Result<Batch, Failure> {
    let u: Vec<f32> = numbers(rows, 4, 9)?.flatten_all()?.to_vec1()?;
    let mut values = Vec::new();
    for u in u.chunks(4) {
        values.push(3.0 * u[0] - 1.5);
        values.extend((0..3).map(|level| f32::from(u8::from((3.0 * u[1]) as usize == level))));
        values.extend([f32::from(u8::from(u[2] < 0.5)), f32::from(u8::from(u[3] < 0.3))]);
    }
    Ok(Batch::Real { rows, units: 6, values })
}

struct Whole(Batch, Vec<u32>);

impl Minibatches for Whole {
    fn samples(&self) -> usize {
        self.0.rows()
    }
    fn units(&self) -> usize {
        6
    }
    fn batches(&self) -> usize {
        1
    }
    fn start_epoch(&mut self, _: u32) {}
    fn fill(&mut self, _: usize, batch: &mut Batch) {
        batch.clone_from(&self.0);
    }
    fn labels(&self) -> Option<&[u32]> {
        Some(&self.1)
    }
}

fn data() -> Result<(Whole, Monitors), Failure> {
    let batch = samples(40)?;
    let labels: Vec<u32> = batch.to_values().chunks(6).map(|v| u32::from((v[0] > 0.0) == (v[4] > 0.5))).collect();
    let monitors = Monitors { train: batch.clone(), train_labels: labels.clone(), ..Default::default() };
    Ok((Whole(batch, labels), monitors))
}

fn as_tensor(batch: &Batch) -> Result<Tensor, Failure> {
    Ok(Tensor::from_vec(batch.to_values(), (batch.rows(), batch.units()), &Device::Cpu)?)
}

/// Samples as batches have them give what the net gives of those that tensors have: features, and reconstructions of spins
/// between 0 and 1.
#[test]
fn a_network_starts_as_its_net() -> Done {
    let (dbn, batch) = (net()?, samples(20)?);
    let v = states_of(&mixed(), &batch, &Device::Cpu)?;
    let close = |a: Vec<f32>, b: Vec<f32>| assert!(a.iter().zip(&b).all(|(a, b)| (a - b).abs() < 1e-5), "{a:?} {b:?}");
    let flat = |tensor: Tensor| tensor.flatten_all().and_then(|t| t.to_vec1::<f32>());
    for network in [Network::classifier(&dbn, 2)?, Network::autoencoder(&dbn)?] {
        for depth in 1..=2 {
            close(flat(network.encode(&as_tensor(&batch)?, depth)?)?, flat(dbn.encode(&v, depth, None)?)?);
        }
    }
    let found = Network::autoencoder(&dbn)?.forward(&as_tensor(&batch)?)?;
    let mut expected = flat(dbn.decode(&dbn.encode(&v, 2, None)?, 2)?)?;
    to_batch(&mixed(), &mut expected);
    close(flat(found)?, expected);
    Ok(())
}

/// The cost of an autoencoder in plain numbers: each unit by its kind, numbers with variance 1.
fn reference(network: &Network, batch: &Batch) -> Result<f64, Failure> {
    let mut h = as_tensor(batch)?.to_dtype(DType::F64)?;
    let double = |tensor: &Tensor| tensor.to_dtype(DType::F64);
    for (depth, layer) in network.layers().iter().enumerate() {
        let z = h.matmul(&double(&layer.w)?)?.broadcast_add(&double(&layer.b)?)?;
        h = if depth + 1 < network.depth() { candle_nn::ops::sigmoid(&z)? } else { z };
    }
    let (logits, v) = (h.to_vec2::<f64>()?, as_tensor(batch)?.to_dtype(DType::F64)?.to_vec2::<f64>()?);
    let cost = |(x, v): (&Vec<f64>, &Vec<f64>)| {
        let number = 0.5 * (v[0] - x[0]).powi(2) + 0.5 * std::f64::consts::TAU.ln();
        let levels: f64 = x[1..4].iter().map(|x| x.exp()).sum();
        let level = levels.ln() - (1..4).map(|i| v[i] * x[i]).sum::<f64>();
        number + level + (4..6).map(|i| x[i].exp().ln_1p() - v[i] * x[i]).sum::<f64>()
    };
    Ok(logits.iter().zip(&v).map(cost).sum::<f64>() / logits.len() as f64)
}

/// A step of plain descent over all samples is minus the rate times the gradient of the cost, by central differences of
/// double precision.
#[test]
fn a_step_of_a_mixed_autoencoder_follows_finite_differences() -> Done {
    let network = Network::autoencoder(&net()?)?;
    let (mut data, monitors) = data()?;
    let told = network.score(&monitors.train, &[])?.cost;
    let cost = reference(&network, &monitors.train)?;
    assert!((told - cost).abs() < 1e-5, "{told} and not {cost}");
    let config = FinetuneConfig {
        epochs: 1,
        optimizer: OptimizerKind::Sgd,
        learning_rate: 1.0,
        momentum: 0.0,
        ..crate::plain()
    };
    let mut finetuner = Finetuner::new(&network, config)?;
    finetuner.fit(&mut data, &monitors, &mut ())?;
    let stepped = finetuner.snapshot().model()?;
    let mut largest = 0.0f64;
    for depth in 0..network.depth() {
        let read = |network: &Network| network.layers()[depth].w.flatten_all()?.to_vec1::<f32>();
        let (before, after) = (read(&network)?, read(&stepped)?);
        for place in (0..before.len()).step_by(3) {
            let moved = |step: f32| -> Result<f64, Failure> {
                // The file is the way in for parameters.
                let folder = tempfile::tempdir()?;
                let path = folder.path().join("network.safetensors");
                let mut values = before.clone();
                values[place] += step;
                let shape = network.layers()[depth].w.shape().clone();
                let w = Tensor::from_vec(values, shape, &Device::Cpu)?;
                let tensors: Vec<(String, Tensor)> = network
                    .named_tensors("")?
                    .into_iter()
                    .enumerate()
                    .map(|(at, (name, tensor))| {
                        let tensor = if at == 2 * depth { w.t().and_then(|w| w.contiguous()) } else { Ok(tensor) };
                        Ok((name, tensor?))
                    })
                    .collect::<candle_core::Result<_>>()?;
                network.save(&path, &Provenance::default())?;
                let header = deepbelief_rbm::tensors::header(&path)?;
                deepbelief_rbm::tensors::write(&path, &header, &tensors)?;
                reference(&Network::load(&path, Objective::Autoencoder)?.0, &samples(40)?)
            };
            let difference = (moved(0.01)? - moved(-0.01)?) / 0.02;
            let gradient = f64::from(before[place] - after[place]);
            largest = largest.max(gradient.abs());
            assert!((difference - gradient).abs() < 3e-4, "{depth} {place}: {gradient}, {difference}");
        }
    }
    assert!(largest > 0.02, "{largest}");
    Ok(())
}

/// A classifier and an autoencoder reach a lower cost, and stop and go on through files to the same bits.
#[test]
fn networks_over_mixed_units_learn_and_resume() -> Done {
    let dbn = net()?;
    for network in [Network::classifier(&dbn, 2)?, Network::autoencoder(&dbn)?] {
        let (mut data, monitors) = data()?;
        let config = FinetuneConfig { epochs: 150, learning_rate: 0.02, ..crate::plain() };
        let before = network.score(&monitors.train, &monitors.train_labels)?;
        let mut whole = Finetuner::new(&network, config.clone())?;
        whole.fit(&mut data, &monitors, &mut ())?;
        let whole = whole.snapshot().model()?;
        let after = whole.score(&monitors.train, &monitors.train_labels)?;
        assert!(after.cost < 0.8 * before.cost && after.error < before.error, "{before:?} {after:?}");

        let folder = tempfile::tempdir()?;
        let path = folder.path().join("state.safetensors");
        let mut half = Finetuner::new(&network, FinetuneConfig { epochs: 70, ..config.clone() })?;
        half.fit(&mut data, &monitors, &mut ())?;
        half.snapshot().state()?.save(&path)?;
        let mut on = Finetuner::resume(config, FinetuneState::load(&path)?, &Device::Cpu)?;
        on.fit(&mut data, &monitors, &mut ())?;
        let on = on.snapshot().model()?;
        assert!(values(&on)? == values(&whole)?);

        let path = folder.path().join("network.safetensors");
        whole.save(&path, &Provenance::default())?;
        let (back, header) = Network::load(&path, whole.objective())?;
        let version = if whole.objective() == Objective::Autoencoder { 2 } else { 1 };
        assert_eq!((header.format_version, back.visible_units()), (version, whole.visible_units()));
        assert!(values(&back)? == values(&whole)?);
    }
    Ok(())
}

#[test]
fn what_is_no_network_is_refused() -> Done {
    let dbn = net()?;
    let top = Rbm::new(&RbmConfig { hidden: 4, ..Default::default() }, &[0.5; 5], &Device::Cpu)?;
    let top = top.with_hidden_units(UnitKind::Relu)?;
    let relu = Dbn::new(dbn.layers().to_vec(), top)?;
    let refused = Network::classifier(&relu, 2).map(|_| ()).unwrap_err().to_string();
    assert_eq!(refused, "hidden_units of the top is relu; it must be bernoulli or gaussian, to be layers of a network");
    let refused = Network::autoencoder(&dbn)?.over(&Units::of(UnitKind::Spin, 3)).map(|_| ()).unwrap_err().to_string();
    assert_eq!(refused, "visible units is 3; it must be 6");
    Ok(())
}
