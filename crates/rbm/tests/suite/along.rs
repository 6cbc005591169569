//! What is known of ln Z along a training, and the model that it keeps as the best.

use crate::{Fixed, Labelled, binary, bits, random_rbm};
use deepbelief_kernels::{Batch, Bits};
use deepbelief_rbm::{LabelGroup, Monitors, TrainConfig, Trainer};

/// Along trainings of RBMs with 14 x 6 units, with and without labels, of which the last ones are far from
/// independent units: ln Z is within 0.1 nat of the exact value after every epoch, and the errors in units of
/// the standard errors that are stated have a root mean square below 2 (they are no more independent than
/// epochs are, and leave out how chains are multiplied). Seeds are fixed; the worst of the 180 was off by
/// 0.067, and the root mean square was 1.08.
#[test]
fn the_path_of_a_training_carries_its_partition_function() {
    let mut squares = Vec::new();
    for seed in 0..6 {
        let plain = random_rbm(14, 6, 0.05, 50 + seed);
        let classes = if seed % 2 == 0 { 0 } else { 3 };
        let rbm = match classes {
            0 => plain,
            n => plain.clone().with_labels(LabelGroup::zeros(n, &plain).unwrap()).unwrap(),
        };
        // Two prototypes with noise.
        let prototype = |row: usize, unit: usize| f32::from(u8::from((unit < 7) == row.is_multiple_of(2)));
        let noise = crate::uniforms(40, 14, 60 + seed);
        let states: Vec<f32> = (0..40 * 14)
            .map(|at| if noise[at] < 0.1 { 1.0 - prototype(at / 14, at % 14) } else { prototype(at / 14, at % 14) })
            .collect();
        let batch = Batch::Binary(Bits::from_values(40, 14, &states));
        let labels: Vec<u32> = if classes > 0 { (0..40).map(|row| row % 2).collect() } else { Vec::new() };
        let monitors = Monitors { train: batch.clone(), train_labels: labels.clone(), ..Monitors::default() };
        let config = TrainConfig {
            epochs: 30,
            learning_rate: 0.05,
            weight_cost: 0.0,
            log_z_every: 1,
            seed: u64::from(seed),
            ..crate::plain()
        };
        let mut data = Labelled::new(vec![(batch, labels); 20]);
        let mut watch = Exact { worst: 0.0, changed: Vec::new(), squares: Vec::new() };
        Trainer::new(&rbm, config).unwrap().fit(&mut data, &monitors, &mut watch).unwrap();
        let (first, last) = (watch.changed[0], watch.changed[29]);
        assert!((last - first).abs() > 3.0, "ln Z only went from {first} to {last}");
        assert!(watch.worst < 0.1, "training {seed}: off by {}", watch.worst);
        squares.extend(watch.squares);
    }
    let spread = (squares.iter().sum::<f64>() / squares.len() as f64).sqrt();
    assert!((0.4..2.0).contains(&spread), "errors in units of standard errors: {spread}");
}

/// Three samples are learned by heart in fifty epochs: others are then less probable than they were on the
/// way, and the model of that epoch is kept, as it was.
#[test]
fn the_best_model_on_validation_samples_is_kept() {
    let batch = binary(3, 14, 0.5, 70);
    let valid = Some(binary(50, 14, 0.5, 71));
    let monitors = Monitors { train: batch.clone(), valid, ..Monitors::default() };
    let config = TrainConfig { epochs: 50, log_z_every: 5, weight_cost: 0.0, ..crate::plain() };
    let mut trainer = Trainer::new(&random_rbm(14, 6, 0.05, 72), config.clone()).unwrap();
    let mut seen = Vec::new();
    let mut watch = |metrics: &deepbelief_rbm::EpochMetrics| {
        seen.extend(metrics.log_likelihood_valid.map(|value| (metrics.epoch, value)));
    };
    trainer.fit(&mut Fixed(vec![batch.clone(); 20]), &monitors, &mut watch).unwrap();
    let (epoch, value) = seen.iter().copied().max_by(|a, b| a.1.total_cmp(&b.1)).unwrap();
    let snapshot = trainer.snapshot();
    let best = snapshot.best().unwrap();
    assert_eq!((best.epoch, -best.score.cost), (epoch, value));
    assert!(epoch < 50 && value > seen.last().unwrap().1 + 1.0, "{seen:?}");
    let mut then = Trainer::new(&random_rbm(14, 6, 0.05, 72), TrainConfig { epochs: epoch, ..config }).unwrap();
    then.fit(&mut Fixed(vec![batch; 20]), &monitors, &mut ()).unwrap();
    assert!(bits(&then.snapshot().model().unwrap()) == bits(&best.model));
}

/// Trainings of every pair of kinds whose states can be summed over: the likelihood of the training samples is within 0.1
/// nat of the exact one after every epoch. Seeds are fixed; standard errors are some hundredths of a nat.
#[test]
fn the_path_of_a_training_carries_the_likelihood_of_all_kinds() {
    for layers in crate::machines::pairs() {
        let real = |units: &deepbelief_rbm::Units| !units.is_discrete();
        if real(&layers.visible) && real(&layers.hidden) {
            continue;
        }
        let rbm = crate::machines::random(&layers, 2);
        let batch = crate::machines::samples(&layers.visible, 12, 80);
        let monitors = Monitors { train: batch.clone(), ..Monitors::default() };
        let config = TrainConfig { epochs: 6, learning_rate: 0.03, log_z_every: 2, weight_cost: 0.0, ..crate::plain() };
        let mut watch = Likelihoods { v: crate::machines::in_f64(&layers.visible, &batch), seen: Vec::new() };
        let mut trainer = Trainer::new(&rbm, config).unwrap();
        trainer.fit(&mut Fixed(vec![batch; 20]), &monitors, &mut watch).unwrap();
        let name = crate::machines::name(&layers);
        assert_eq!(watch.seen.len(), 3, "{name}");
        for (estimate, exact) in watch.seen {
            assert!((estimate - exact).abs() < 0.1, "{name}: {estimate}, exactly {exact}");
        }
    }
}

/// Mean log-likelihoods of the training samples, as the metrics have them and exactly.
struct Likelihoods {
    v: candle_core::Tensor,
    seen: Vec<(f64, f64)>,
}

impl deepbelief_rbm::Observer<deepbelief_rbm::Contrastive> for Likelihoods {
    fn epoch_done(
        &mut self,
        metrics: &deepbelief_rbm::EpochMetrics,
        snapshot: &deepbelief_rbm::Snapshot<'_>,
    ) -> Result<deepbelief_rbm::Control, Box<dyn std::error::Error + Send + Sync>> {
        if let Some(estimate) = metrics.log_likelihood_train {
            let rbm = snapshot.model()?.to_dtype(candle_core::DType::F64)?;
            let free = rbm.free_energy(&self.v)?.mean_all()?.to_scalar::<f64>()?;
            self.seen.push((estimate, -free - deepbelief_rbm::likelihood::exact_log_partition(&rbm)?));
        }
        Ok(deepbelief_rbm::Control::Continue)
    }
}

/// Compares every epoch's ln Z with the exact one.
struct Exact {
    worst: f64,
    changed: Vec<f64>,
    squares: Vec<f64>,
}

impl deepbelief_rbm::Observer<deepbelief_rbm::Contrastive> for Exact {
    fn epoch_done(
        &mut self,
        metrics: &deepbelief_rbm::EpochMetrics,
        snapshot: &deepbelief_rbm::Snapshot<'_>,
    ) -> Result<deepbelief_rbm::Control, Box<dyn std::error::Error + Send + Sync>> {
        let exact = deepbelief_rbm::likelihood::exact_log_partition(&snapshot.model()?)?;
        let (Some(log_z), Some(error)) = (metrics.log_z, metrics.log_z_error) else {
            return Err("no estimate".into());
        };
        self.worst = self.worst.max((log_z - exact).abs());
        self.squares.push(((log_z - exact) / error).powi(2));
        let likelihood = -metrics.free_energy_train - log_z;
        assert_eq!(metrics.log_likelihood_train, Some(likelihood));
        self.changed.push(exact);
        Ok(deepbelief_rbm::Control::Continue)
    }
}
