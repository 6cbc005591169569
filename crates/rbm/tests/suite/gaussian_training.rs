//! Training of Gaussian hidden units: the promises of the training loop.

use crate::gaussian::{doubles, gaussian, mean_free_energy, plain_rule};
use crate::packed::compare_rbm;
use crate::trainer::{Record, StopAfter};
use crate::{Fixed, binary, bits, in_f64, real, tensor, values};
use candle_core::{DType, Device};
use deepbelief_kernels::{Batch, Bits, Stream, Uniforms};
use deepbelief_rbm::{
    Error, Monitors, Outcome, Provenance, Rbm, RbmConfig, TrainConfig, TrainState, Trainer, UnitKind, Units,
    VisibleStates, load, save,
};

/// The trainer, whose products are kernels in F32, against the update on tensors in F64.
#[test]
fn every_rule_trains_as_the_tensors_in_double_precision_do() {
    let plain = TrainConfig { learning_rate: 0.01, ..plain_rule() };
    let rules = [
        ("plain", plain.clone()),
        ("momentum and costs", TrainConfig { momentum: 0.5, weight_cost: 1e-2, l1_cost: 1e-3, ..plain.clone() }),
        ("CD-3", TrainConfig { cd_steps: 3.into(), ..plain.clone() }),
        ("persistent chains", TrainConfig { persistent_chains: 23, cd_steps: 2.into(), ..plain.clone() }),
        ("visible probabilities", TrainConfig { visible_states: VisibleStates::Probabilities, ..plain.clone() }),
    ];
    for (rule, config) in &rules {
        for (visible, hidden) in [(33, 64), (97, 31)] {
            for batches in
                [vec![binary(20, visible, 0.2, 5), real(31, visible, 1.1, 9)], vec![real(200, visible, 0.2, 7)]]
            {
                let rbm = gaussian(visible, hidden, 0.2, 1);
                compare_rbm(&format!("{rule}, {visible}x{hidden}"), &rbm, &batches, config);
            }
        }
    }
}

fn data() -> Fixed {
    Fixed((0..7).map(|i| if i == 3 { real(13, 50, 0.3, i) } else { binary(20, 50, 0.2, i) }).collect())
}

fn monitors() -> Monitors {
    Monitors { train: binary(15, 50, 0.2, 0), valid: Some(real(15, 50, 0.4, 99)), ..Monitors::default() }
}

fn config() -> TrainConfig {
    TrainConfig { epochs: 3, learning_rate: 0.01, momentum_switch: 1, ..crate::plain() }
}

fn train(config: TrainConfig) -> Rbm {
    let mut trainer = Trainer::new(&gaussian(50, 12, 0.1, 1), config).unwrap();
    assert_eq!(trainer.fit(&mut data(), &monitors(), &mut ()).unwrap(), Outcome::Finished);
    trainer.snapshot().model().unwrap()
}

#[test]
fn threads_do_not_change_the_result_and_the_seed_does() {
    for chains in [0, 30] {
        let config = TrainConfig { persistent_chains: chains, ..config() };
        let one = bits(&train(TrainConfig { threads: 1, ..config.clone() }));
        for threads in [2, 4] {
            assert_eq!(bits(&train(TrainConfig { threads, ..config.clone() })), one, "{threads} threads");
        }
        assert_ne!(bits(&train(TrainConfig { seed: 2, ..config })), one);
    }
}

/// The bits themselves, as in `a_seed_means_the_same_bits_on_every_platform` for Bernoulli units.
#[test]
fn a_seed_means_the_same_bits_on_every_platform() {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in bits(&train(TrainConfig { cd_steps: 2.into(), ..config() })).iter().flat_map(|word| word.to_le_bytes())
    {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    assert_eq!(hash, 0x9279_b3a8_4479_27ce);
}

/// Every interruption of 3 epochs of 7 batches, through a file.
#[test]
fn resuming_anywhere_equals_never_having_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.safetensors");
    for chains in [0, 12] {
        let config = TrainConfig { persistent_chains: chains, cd_steps: 2.into(), ..config() };
        let whole = bits(&train(config.clone()));
        for stop in (1..21).filter(|stop| stop % 7 != 0) {
            let mut trainer = Trainer::new(&gaussian(50, 12, 0.1, 1), config.clone()).unwrap();
            let outcome = trainer.fit(&mut data(), &monitors(), &mut StopAfter(stop)).unwrap();
            assert_eq!(outcome, Outcome::Interrupted);
            trainer.snapshot().state().unwrap().save(&path).unwrap();
            let state = TrainState::load(&path).unwrap();
            let saved = trainer.snapshot().state().unwrap();
            assert!(state.learned == saved.learned && state.position == saved.position);
            assert_eq!(state.learned.layers().hidden, Units::of(UnitKind::Gaussian, state.learned.sizes().1));
            let mut trainer = Trainer::resume(config.clone(), state, &Device::Cpu).unwrap();
            assert_eq!(trainer.fit(&mut data(), &monitors(), &mut ()).unwrap(), Outcome::Finished);
            assert_eq!(bits(&trainer.snapshot().model().unwrap()), whole, "stopped after {stop} batches");
        }
    }
}

/// The measures of an epoch against the layer in double precision: sums of 50 terms below 10 in
/// F32 are right to 1e-4. The hidden draw is the trainer's own.
#[test]
fn measures_agree_with_the_layer() {
    let rbm = gaussian(50, 12, 0.3, 2);
    let mut trainer = Trainer::new(&rbm, TrainConfig { seed: 9, ..config() }).unwrap();
    let double = in_f64(&rbm);
    for batch in [binary(140, 50, 0.3, 1), real(9, 50, 1.1, 3)] {
        let measured = trainer.with_training(|rbm| rbm.measure(&batch, &[])).unwrap();
        let v = tensor(&batch).to_dtype(DType::F64).unwrap();
        let origin = 0.5 * doubles(double.hb()).iter().map(|b| b * b).sum::<f64>();
        assert!((measured.free_energy - mean_free_energy(&double, &v) - origin).abs() < 1e-4);
        let h = double.sample_h(&v, Uniforms::new(9, Stream::Monitor, 0)).unwrap();
        let p = doubles(&double.reverse(&h.states).unwrap());
        let cost = p.iter().zip(doubles(&v)).map(|(p, v)| -(v * p.ln() + (1.0 - v) * (1.0 - p).ln())).sum::<f64>();
        assert!((measured.reconstruction_cost - cost / batch.rows() as f64).abs() < 1e-4);
        let deepbelief_rbm::HiddenStatistics::Spread(spread) = measured.hidden else { panic!("real units spread") };
        let deviations = h.probabilities.broadcast_sub(&h.probabilities.mean(0).unwrap()).unwrap();
        let variances = doubles(&deviations.sqr().unwrap().mean(0).unwrap());
        for (spread, variance) in spread.iter().zip(&variances) {
            assert!((spread - variance.sqrt()).abs() < 1e-5, "{spread}, exactly {}", variance.sqrt());
        }
    }
    let wide = trainer.with_training(|rbm| rbm.measure(&binary(2, 49, 0.5, 1), &[])).unwrap_err();
    assert_eq!(wide.to_string(), "samples: the shape is [49], expected [50]");
}

/// Learning to reconstruct four prototypes lowers the cost, and what cannot be said of real units
/// is left out.
#[test]
fn training_learns_and_its_metrics_do_not_lie() {
    let prototypes: Vec<f32> = (0..4).flat_map(|p| (0..50).map(move |i| f32::from(u8::from(i % 4 == p)))).collect();
    let batch = Batch::Binary(Bits::from_values(100, 50, &prototypes.repeat(25)));
    let monitors = Monitors { train: batch.clone(), ..Monitors::default() };
    let start = Rbm::new(
        &RbmConfig { hidden_units: UnitKind::Gaussian.into(), ..Default::default() },
        &[0.25; 50],
        &Device::Cpu,
    );
    let mut trainer = Trainer::new(&start.unwrap(), TrainConfig { epochs: 60, ..config() }).unwrap();
    let mut record = Record::default();
    trainer.fit(&mut Fixed(vec![batch; 5]), &monitors, &mut record).unwrap();
    let (first, last) = (&record.0[0], &record.0[59]);
    assert!(last.reconstruction_cost < 0.2 * first.reconstruction_cost, "{last:?}");
    assert!(last.hidden_spread > first.hidden_spread && first.hidden_spread > Some(0.0), "{last:?}");
    assert_eq!((last.hidden_activity, last.dead_units, last.saturated_units), (None, None, None));
    let json = serde_json::to_value(last).unwrap();
    assert!(json.get("hidden_activity").is_none() && json["hidden_spread"].is_number(), "{json}");
}

#[test]
fn divergence_names_the_cure() {
    let mut trainer = Trainer::new(&gaussian(50, 12, 0.1, 1), TrainConfig { learning_rate: 5.0, ..config() }).unwrap();
    let error = trainer.fit(&mut data(), &monitors(), &mut ()).unwrap_err();
    assert!(matches!(error, Error::Diverged { epoch: 1, unbounded: Some(UnitKind::Gaussian), .. }), "{error}");
    let cure = "the states of gaussian units know no bound: try a learning rate of 0.001 instead of 5";
    assert!(error.to_string().ends_with(cure), "{error}");

    let mut nan = real(5, 50, 0.3, 1);
    if let Batch::Real { values, .. } = &mut nan {
        values[7] = f32::NAN;
    }
    let small = TrainConfig { learning_rate: 0.001, ..config() };
    let mut trainer = Trainer::new(&gaussian(50, 12, 0.1, 1), small).unwrap();
    let error = trainer.fit(&mut Fixed(vec![nan]), &monitors(), &mut ()).unwrap_err();
    assert!(matches!(error, Error::Diverged { magnitude, .. } if magnitude.is_nan()), "{error}");
    assert!(
        error.to_string().ends_with("try a learning rate below 0.001, a smaller momentum or a weight cost near 0.001")
    );
}

#[test]
fn an_empty_batch_and_an_empty_monitor_move_nothing() {
    let rbm = gaussian(40, 33, 0.2, 4);
    let mut trainer = Trainer::new(&rbm, TrainConfig { weight_cost: 0.0, ..config() }).unwrap();
    let monitors = Monitors { train: binary(0, 40, 0.5, 1), ..Monitors::default() };
    trainer.fit(&mut Fixed(vec![binary(0, 40, 0.5, 1)]), &monitors, &mut ()).unwrap();
    assert_eq!(bits(&trainer.snapshot().model().unwrap()), bits(&rbm));
}

#[test]
fn what_has_no_meaning_is_refused() {
    let sparse = TrainConfig { sparsity_cost: 0.1, ..config() };
    let error = Trainer::new(&gaussian(5, 4, 0.1, 1), sparse).err().map(|e| e.to_string());
    let expected = "sparsity_cost is 0.1; it must be 0 unless hidden units are bernoulli: others have no probability";
    assert_eq!(error.as_deref(), Some(expected));
}

#[test]
fn a_checkpoint_knows_its_units() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("m.safetensors");
    let rbm = gaussian(9, 4, 1.0, 1);
    save(&path, &rbm, &Provenance::default()).unwrap();
    let (loaded, header) = load(&path, &Device::Cpu).unwrap();
    assert_eq!((header.format_version, &header.layers), (1, loaded.layers()));
    assert_eq!(loaded.layers(), rbm.layers());
    assert_eq!((bits(&loaded), values(loaded.hb())), (bits(&rbm), values(rbm.hb())));

    let good = std::fs::read(&path).unwrap();
    let at = good.windows(8).position(|w| w == b"gaussian").unwrap();
    let mut other = good.clone();
    other[at..at + 8].copy_from_slice(b"gaussoid");
    std::fs::write(&path, other).unwrap();
    let message = load(&path, &Device::Cpu).map(|_| ()).unwrap_err().to_string();
    assert!(message.ends_with("has hidden units of type 'gaussoid', this version knows 'bernoulli' and 'gaussian'"));
}
