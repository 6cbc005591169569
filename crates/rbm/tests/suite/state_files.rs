//! Files of states: damage is found out byte by byte, and readers of a file that is being replaced
//! see one version or the other.

use crate::{Fixed, random_rbm};
use candle_core::Device;
use deepbelief_kernels::{Batch, Minibatches};
use deepbelief_rbm::{Monitors, Provenance, TrainConfig, TrainState, Trainer, load, previous_path, save};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// With chains, velocities and a position in an epoch.
fn state() -> TrainState {
    let mut batch = Batch::default();
    batch.make_real(4, 5).fill(0.75);
    let mut data = Fixed(vec![batch.clone(), batch.clone()]);
    assert_eq!(data.samples(), 8);
    let config = TrainConfig { epochs: 1, persistent_chains: 3, ..crate::plain() };
    let mut trainer = Trainer::new(&random_rbm(5, 3, 1.0, 1), config).unwrap();
    trainer.fit(&mut data, &Monitors { train: batch, ..Default::default() }, &mut ()).unwrap();
    trainer.snapshot().state().unwrap()
}

/// Of trainings without a best model.
fn same(a: &TrainState, b: &TrainState) -> bool {
    assert!(a.best.is_none() && b.best.is_none());
    a.learned == b.learned && a.position == b.position && a.run == b.run
}

/// Whatever bit is flipped, the state is refused, or it is the one that was saved (where the bit says
/// nothing, as in the spaces that end a header).
#[test]
fn a_flipped_bit_never_makes_another_state() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.safetensors");
    let whole = state();
    whole.save(&path).unwrap();
    let bytes = std::fs::read(&path).unwrap();
    let mut refused = 0;
    for at in 0..bytes.len() {
        for bit in 0..8 {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1 << bit;
            std::fs::write(&path, &damaged).unwrap();
            match TrainState::load(&path) {
                Ok(read) => assert!(same(&read, &whole), "bit {bit} of byte {at} makes another state"),
                Err(_) => refused += 1,
            }
        }
        std::fs::write(&path, &bytes[..at]).unwrap();
        assert!(TrainState::load(&path).is_err(), "cut to {at} bytes");
    }
    assert!(refused > 8 * bytes.len() * 9 / 10, "{refused} of {} flips are refused", 8 * bytes.len());
}

/// Before there were checksums, states had none.
#[test]
fn a_state_without_a_checksum_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.safetensors");
    state().save(&path).unwrap();
    let bytes = std::fs::read(&path).unwrap();
    let length = u64::from_le_bytes(*bytes.first_chunk().unwrap()) as usize;
    let header = std::str::from_utf8(&bytes[8..8 + length]).unwrap();
    let start = header.find("\\\"content_sha256\\\"").unwrap();
    let end = start + header[start..].find(',').unwrap() + 1;
    let header = format!("{}{}", &header[..start], &header[end..]);
    let old = [&(header.len() as u64).to_le_bytes(), header.as_bytes(), &bytes[8 + length..]].concat();
    std::fs::write(&path, old).unwrap();
    assert!(same(&TrainState::load(&path).unwrap(), &state()));
}

#[test]
fn the_state_before_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.safetensors");
    state().save(&path).unwrap();
    let first = std::fs::read(&path).unwrap();
    assert!(!previous_path(&path).exists());
    state().save(&path).unwrap();
    assert!(std::fs::read(previous_path(&path)).unwrap() == first);
}

/// A thousand threads read while two models take turns under one name.
#[test]
fn a_thousand_readers_of_a_file_that_is_replaced_see_one_model_or_the_other() {
    const READERS: usize = 1000;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    let models = [1, 2].map(|seed| random_rbm(20, 10, 1.0, seed));
    let values = |rbm: &deepbelief_rbm::Rbm| rbm.w_rec().flatten_all().unwrap().to_vec1::<f32>().unwrap();
    let expected = [values(&models[0].to_device(&Device::Cpu).unwrap()), values(&models[1])];
    save(&path, &models[0], &Provenance::default()).unwrap();
    let (done, seen) = (AtomicBool::new(false), [0; 2].map(AtomicUsize::new));
    let replaced = std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            let mut replaced = 0;
            while !done.load(Ordering::Relaxed) {
                replaced += 1;
                save(&path, &models[replaced % 2], &Provenance::default()).unwrap();
            }
            replaced
        });
        std::thread::scope(|scope| {
            for _ in 0..READERS {
                scope.spawn(|| {
                    for _ in 0..3 {
                        let read = values(&load(&path, &Device::Cpu).unwrap().0);
                        let which = expected.iter().position(|model| *model == read);
                        seen[which.expect("one of the two, whole")].fetch_add(1, Ordering::Relaxed);
                    }
                });
            }
        });
        done.store(true, Ordering::Relaxed);
        writer.join().unwrap()
    });
    let seen = seen.map(AtomicUsize::into_inner);
    assert_eq!(seen[0] + seen[1], 3 * READERS);
    assert!(replaced > 1, "replaced {replaced} times");
}
