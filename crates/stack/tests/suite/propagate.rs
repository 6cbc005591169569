//! The input of upper layers: the right values, every sample once, in every form it is held in.

use crate::{Fixed, binary, random_rbms, to_tensor, values};
use candle_core::DType;
use deepbelief_kernels::{Batch, Minibatches, Share, Stream, Uniforms};
use deepbelief_rbm::{Monitors, Rbm, TrainConfig, Trainer, UnitKind, Units};
use deepbelief_stack::{Dbn, Dealing, Greedy, Mode, Plan, Propagate, Propagated, StackConfig, plan, raise};

const CLASSES: u32 = 3;

/// 4 batches of 10 samples and one of 3; the label of a sample is its number modulo the
/// classes, with class 0 more frequent.
fn data() -> Fixed {
    let sizes = [10, 10, 10, 10, 3];
    let label = |i: usize| if i.is_multiple_of(4) { 0 } else { i as u32 % CLASSES };
    let labels = (0..5).map(|b| (0..sizes[b]).map(|row| label(10 * b + row)).collect()).collect();
    Fixed::new((0..5).map(|b| binary(sizes[b], 21, 0.4, b as u32)).collect(), Some(labels))
}

fn rbms() -> Vec<Rbm> {
    random_rbms(&[21, 35, 6], 0, 1.0)
}

fn dealing(mode: Mode) -> Dealing {
    let cache_bytes = match mode {
        Mode::Floats => u64::MAX,
        Mode::Bytes => 43 * (6 + 8),
        Mode::Bits => 43 * (4 + 8),
        Mode::Recompute => 0,
    };
    let propagate = if mode == Mode::Bits { Propagate::Samples } else { Propagate::Probabilities };
    Dealing {
        propagate,
        cache_bytes,
        batch_size: None,
        balanced: false,
        visible_states: deepbelief_rbm::VisibleStates::Sampled,
        seed: 5,
    }
}

/// All minibatches of an epoch, with their labels.
fn epoch(input: &mut Propagated<'_>, epoch: u32) -> Vec<(Batch, Vec<u32>)> {
    input.start_epoch(epoch);
    let mut dealt = Vec::new();
    for index in 0..input.batches() {
        let mut batch = Batch::default();
        input.fill(index, &mut batch);
        dealt.push((batch, input.labels().unwrap().to_vec()));
    }
    dealt
}

/// Rows with their labels.
fn labelled_rows(dealt: &[(Batch, Vec<u32>)]) -> Vec<(Vec<f32>, u32)> {
    let rows = |(batch, labels): &(Batch, Vec<u32>)| {
        let values = batch.to_values();
        let rows: Vec<Vec<f32>> = values.chunks(batch.units()).map(<[f32]>::to_vec).collect();
        rows.into_iter().zip(labels.clone()).collect::<Vec<_>>()
    };
    dealt.iter().flat_map(rows).collect()
}

/// The samples passed up by the model's own up-pass, with their labels: what every form must
/// deal, each sample once an epoch and with its own label. Rounding to bytes may be off by half
/// a step of 1/255; the other forms only by the last bits of the sigmoid.
#[test]
fn every_form_deals_the_up_pass_of_every_sample_once() {
    let dbn = Dbn::from_rbms(rbms()).unwrap();
    let mut source = data();
    let mut exact = Vec::new();
    for index in 0..source.batches() {
        let mut batch = Batch::default();
        source.fill(index, &mut batch);
        let up = values(&dbn.encode(&to_tensor(&batch), 2, None).unwrap());
        let (rows, units, values) = (batch.rows(), 6, up.iter().map(|&x| x as f32).collect());
        exact.push((Batch::Real { rows, units, values }, source.labels().unwrap().to_vec()));
    }
    let exact = labelled_rows(&exact);
    for (mode, tolerance) in [(Mode::Floats, 1e-5), (Mode::Bytes, 0.5 / 255.0 + 1e-5), (Mode::Recompute, 1e-5)] {
        let mut source = data();
        let mut input = Propagated::new(&mut source, &rbms(), dealing(mode)).unwrap();
        assert_eq!(input.plan().mode, mode);
        assert_eq!((input.samples(), input.units(), input.batches()), (43, 6, 5));
        for number in [0, 1, 0] {
            let dealt = epoch(&mut input, number);
            assert_eq!(dealt.iter().map(|(batch, _)| batch.rows()).collect::<Vec<_>>(), [10, 10, 10, 10, 3]);
            let mut times_dealt = vec![0; exact.len()];
            for (got, label) in labelled_rows(&dealt) {
                let is_this = |(row, of_row): &(Vec<f32>, u32)| {
                    *of_row == label && got.iter().zip(row).all(|(a, b)| (a - b).abs() < tolerance)
                };
                let Some(sample) = exact.iter().position(is_this) else { panic!("{mode:?} deals {got:?}") };
                times_dealt[sample] += 1;
            }
            assert!(times_dealt.iter().all(|&times| times == 1), "{mode:?}: {times_dealt:?}");
        }
        assert!(input.take_failure().is_none());
    }
}

/// The rows of a share are, to the bit, those of the whole minibatch.
#[test]
fn a_share_has_the_rows_of_the_whole() {
    for propagate in [Propagate::Probabilities, Propagate::Samples] {
        for mode in [Mode::Floats, Mode::Bytes, Mode::Bits, Mode::Recompute] {
            let mut source = data();
            let mut input = Propagated::new(&mut source, &rbms(), Dealing { propagate, ..dealing(mode) }).unwrap();
            let whole = epoch(&mut input, 1);
            for (index, (whole, labels)) in whole.iter().enumerate() {
                for rank in 0..3 {
                    let (share, mut part) = (Share { piece: 2, rank, ranks: 3 }, Batch::default());
                    input.fill_share(index, share, &mut part);
                    assert_eq!((part.rows(), input.labels()), (whole.rows(), Some(&labels[..])));
                    for rows in share.of(whole.rows()) {
                        assert!(part.slice(rows.clone()) == whole.slice(rows), "{mode:?}, {propagate:?}, rank {rank}");
                    }
                }
            }
        }
    }
}

#[test]
fn kept_input_is_reshuffled_by_epoch_and_seed_alone() {
    let mut source = data();
    let mut input = Propagated::new(&mut source, &rbms(), dealing(Mode::Floats)).unwrap();
    let (first, second, again) = (epoch(&mut input, 0), epoch(&mut input, 1), epoch(&mut input, 0));
    assert!(first == again && first != second);
    let mut source = data();
    let other = Dealing { seed: 6, ..dealing(Mode::Floats) };
    assert!(epoch(&mut Propagated::new(&mut source, &rbms(), other).unwrap(), 0) != first);
    let mut source = data();
    let larger = Dealing { batch_size: Some(16), ..dealing(Mode::Floats) };
    let mut input = Propagated::new(&mut source, &rbms(), larger).unwrap();
    assert_eq!(epoch(&mut input, 0).iter().map(|(batch, _)| batch.rows()).collect::<Vec<_>>(), [16, 16, 11]);
}

/// Counts of every class in every batch, within two samples of its share; a plain shuffle of
/// the same data breaks that within a few epochs, which shows that the bound means something.
#[test]
fn balanced_batches_hold_every_class_in_its_proportion() {
    let worst = |balanced| {
        let mut source = data();
        let all: Vec<u32> = source.labels.clone().unwrap().concat();
        let dealing = Dealing { balanced, ..dealing(Mode::Floats) };
        let mut input = Propagated::new(&mut source, &rbms(), dealing).unwrap();
        let mut worst: f64 = 0.0;
        for number in 0..30 {
            for (batch, labels) in epoch(&mut input, number) {
                for class in 0..CLASSES {
                    let count = |labels: &[u32]| labels.iter().filter(|&&label| label == class).count() as f64;
                    let share = count(&all) * batch.rows() as f64 / all.len() as f64;
                    worst = worst.max((count(&labels) - share).abs());
                }
            }
        }
        worst
    };
    assert!(worst(true) < 2.0, "{}", worst(true));
    assert!(worst(false) > 2.5, "{}", worst(false));
}

/// Over 400 epochs the mean of a unit's states is its probability within five standard errors:
/// of every sample where input is recomputed, in the order of the data, 43 x 6 values, and of all
/// samples together where it is kept and dealt again, 6 values; a right sampler fails with probability
/// below 2e-4, and the seed is fixed. One layer, so that its probabilities are not random themselves.
#[test]
fn samples_average_to_the_probabilities() {
    let rbm = &rbms()[..1];
    for mode in [Mode::Floats, Mode::Recompute] {
        let cache_bytes = if mode == Mode::Floats { u64::MAX } else { 0 };
        let dealing = Dealing { propagate: Propagate::Samples, cache_bytes, batch_size: Some(43), ..dealing(mode) };
        let one_batch = Fixed::new(vec![binary(43, 21, 0.4, 9)], None);
        let p = values(&rbm[0].forward(&to_tensor(&one_batch.batches[0])).unwrap());
        let mut source = one_batch.clone();
        let mut input = Propagated::new(&mut source, rbm, dealing).unwrap();
        // Samples that all differ.
        let rows = if mode == Mode::Recompute { 43 } else { 1 };
        let mut sums = vec![0.0; rows * p.len() / 43];
        let mut batch = Batch::default();
        for number in 0..400 {
            input.start_epoch(number);
            input.fill(0, &mut batch);
            assert!(matches!(batch, Batch::Binary(_)));
            for row in batch.to_values().chunks(sums.len()) {
                sums.iter_mut().zip(row).for_each(|(sum, &x)| *sum += f64::from(x));
            }
        }
        for (place, sum) in sums.iter().enumerate() {
            let of_place = p.iter().skip(place).step_by(sums.len());
            let (mean, variance) = of_place.fold((0.0, 0.0), |(m, v), p| (m + p, v + p * (1.0 - p)));
            let error = (400.0 * variance).sqrt();
            assert!((sum - 400.0 * mean).abs() < 5.0 * error, "{mode:?}: {sum}, expected {}", 400.0 * mean);
        }
    }
}

/// Kept states are those that one pass over epoch 0 of the data draws, each with its label, in
/// every epoch; and a layer learns from bits what it learns from the same states as floats, up to
/// the rounding of additions in another order (weights are of size 0.1).
#[test]
fn kept_states_are_bits_of_one_draw_and_train_as_floats_do() {
    let mut source = data();
    let mut drawn = Vec::new();
    for (index, batch) in source.batches.iter().enumerate() {
        let draw = Uniforms::new(5, Stream::Binarize, index as u32);
        let states = raise(&rbms(), batch, Propagate::Samples, draw).unwrap();
        drawn.push((states, source.labels.as_ref().unwrap()[index].clone()));
    }
    let sorted = |dealt: &[(Batch, Vec<u32>)]| {
        let mut rows = labelled_rows(dealt);
        rows.sort_by(|a, b| a.partial_cmp(b).unwrap());
        rows
    };
    let mut input = Propagated::new(&mut source, &rbms(), dealing(Mode::Bits)).unwrap();
    assert_eq!(input.plan(), Plan { mode: Mode::Bits, bytes: 43 * (4 + 8) });
    let epochs = [epoch(&mut input, 0), epoch(&mut input, 1)];
    for dealt in &epochs {
        assert!(dealt.iter().all(|(batch, _)| matches!(batch, Batch::Binary(_))));
        assert_eq!(sorted(dealt), sorted(&drawn));
    }
    assert!(epochs[0] != epochs[1], "another epoch, another order");

    let as_floats = |batch: &Batch| Batch::Real { rows: batch.rows(), units: 6, values: batch.to_values() };
    let bits: Vec<Batch> = epochs[0].iter().map(|(batch, _)| batch.clone()).collect();
    let floats: Vec<Batch> = bits.iter().map(as_floats).collect();
    let learned = |batches: Vec<Batch>| {
        let monitors = Monitors { train: batches[0].clone(), ..Default::default() };
        let rbm = random_rbms(&[6, 40], 0, 0.1).remove(0);
        let mut trainer = Trainer::new(&rbm, TrainConfig { epochs: 3, ..crate::plain() }).unwrap();
        trainer.fit(&mut Fixed::new(batches, None), &monitors, &mut ()).unwrap();
        values(trainer.snapshot().model().unwrap().w_rec())
    };
    let (bits, floats) = (learned(bits), learned(floats));
    assert!(bits.iter().zip(&floats).all(|(a, b)| (a - b).abs() < 1e-5));
}

/// What [`Rbm::sample_h`] computes of tensors, from layer to layer, bit for bit: of sparse and dense bits, of grey
/// values, on widths that fill no whole block, and whichever of probabilities and states is passed on.
#[test]
fn a_batch_raised_is_what_tensors_make_of_it() {
    let rbms = random_rbms(&[67, 130, 33, 70], 0, 1.0);
    let grey = |rows: usize| (0..rows * 67).map(|i| (i * 37 % 101) as f32 / 100.0).collect();
    let grey = |rows| Batch::Real { rows, units: 67, values: grey(rows) };
    for batch in [binary(1, 67, 0.5, 1), binary(40, 67, 0.04, 2), binary(600, 67, 0.6, 3), grey(7), grey(300)] {
        for propagate in [Propagate::Probabilities, Propagate::Samples] {
            let draw = Uniforms::new(3, Stream::User, 0);
            let mut units = to_tensor(&batch).to_dtype(DType::F32).unwrap();
            for (layer, rbm) in rbms.iter().enumerate() {
                let hidden = rbm.sample_h(&units, draw.layer(layer as u8)).unwrap();
                units = if propagate == Propagate::Samples { hidden.states } else { hidden.probabilities };
            }
            let expected: Vec<f32> = units.flatten_all().unwrap().to_vec1().unwrap();
            let raised = raise(&rbms, &batch, propagate, draw).unwrap();
            assert_eq!(matches!(raised, Batch::Binary(_)), propagate == Propagate::Samples);
            assert!(raised.to_values() == expected, "{} x 67, {propagate:?}", batch.rows());
        }
    }
}

#[test]
fn a_batch_raised_through_no_layers_is_itself() {
    let batch = binary(5, 9, 0.5, 1);
    let draw = Uniforms::new(1, Stream::User, 0);
    assert_eq!(raise(&[], &batch, Propagate::Samples, draw).unwrap(), batch);
    assert!(raise(&rbms(), &batch, Propagate::Probabilities, draw).is_err());
}

/// 1000 samples of 500 units take 2,008,000 bytes as floats and 508,000 as bytes, with eight
/// bytes a sample for label and order; their states take 16 words a sample, 72,000 in all, and are
/// kept where their probabilities have no room.
#[test]
fn the_plan_is_the_most_exact_form_that_fits() {
    let at = |bytes| plan(1000, 500, Propagate::Probabilities, bytes);
    assert_eq!(at(2_008_000), Plan { mode: Mode::Floats, bytes: 2_008_000 });
    assert_eq!(at(2_007_999), Plan { mode: Mode::Bytes, bytes: 508_000 });
    assert_eq!(at(507_999), Plan { mode: Mode::Recompute, bytes: 0 });
    let at = |bytes| plan(1000, 500, Propagate::Samples, bytes);
    assert_eq!([2_008_000, 2_007_999].map(|bytes| at(bytes).mode), [Mode::Floats, Mode::Bytes]);
    assert_eq!(at(507_999), Plan { mode: Mode::Bits, bytes: 72_000 });
    assert_eq!(at(71_999), Plan { mode: Mode::Recompute, bytes: 0 });
    for propagate in [Propagate::Probabilities, Propagate::Samples] {
        assert_eq!(plan(usize::MAX, usize::MAX, propagate, 1 << 40).mode, Mode::Recompute);
    }
}

#[test]
fn data_that_do_not_fit_are_refused() {
    let refusal = |mut data: Fixed, dealing| match Propagated::new(&mut data, &rbms(), dealing) {
        Ok(_) => panic!("accepted"),
        Err(error) => error.to_string(),
    };
    let narrow = Fixed::new(vec![binary(4, 20, 0.5, 1)], None);
    assert_eq!(refusal(narrow, dealing(Mode::Floats)), "training data: the shape is [20], expected [21]");
    for mode in [Mode::Floats, Mode::Recompute] {
        let unlabelled = Fixed { labels: None, ..data() };
        assert_eq!(
            refusal(unlabelled, Dealing { balanced: true, ..dealing(mode) }),
            "the training data have no labels, which dealing classes in proportion needs; train without it"
        );
    }
}

/// Data that say what their units are.
struct Known(Fixed, Units);

impl Minibatches for Known {
    fn samples(&self) -> usize {
        self.0.samples()
    }
    fn units(&self) -> usize {
        self.0.units()
    }
    fn layer(&self) -> Option<&Units> {
        Some(&self.1)
    }
    fn batches(&self) -> usize {
        self.0.batches()
    }
    fn start_epoch(&mut self, epoch: u32) {
        self.0.start_epoch(epoch);
    }
    fn fill(&mut self, index: usize, batch: &mut Batch) {
        self.0.fill(index, batch);
    }
}

/// By whoever reads them first: the stack, or what passes them up.
#[test]
fn data_of_other_units_are_refused() {
    let mut data = Known(data(), Units::of(UnitKind::Gaussian, 21));
    let said =
        "the training data have 21 gaussian units, but the model has 21 bernoulli visible units; they differ from";
    let refused = Propagated::new(&mut data, &rbms(), dealing(Mode::Floats)).err().unwrap().to_string();
    assert!(refused.starts_with(said), "{refused}");
    let monitors = Monitors { train: binary(10, 21, 0.4, 0), ..Monitors::default() };
    let mut greedy = Greedy::new(StackConfig::of_layers(&[5, 4], &crate::plain())).unwrap();
    let refused = greedy.fit(&mut data, &monitors, &mut ()).unwrap_err().to_string();
    assert!(refused.starts_with(said), "{refused}");
    // The other way round, by the settings of the stack.
    let numbers =
        StackConfig { visible_units: Some(data.1.clone()), ..StackConfig::of_layers(&[5, 4], &crate::plain()) };
    data.1 = Units::of(UnitKind::Bernoulli, 21);
    let refused = Greedy::new(numbers).unwrap().fit(&mut data, &monitors, &mut ()).unwrap_err().to_string();
    let said =
        "the training data have 21 bernoulli units, but the model has 21 gaussian visible units; they differ from";
    assert!(refused.starts_with(said), "{refused}");
}
