//! A label beside units of any kinds: it is one of the visible units, so that an RBM with a label group is the one whose
//! last visible unit is categorical.

use crate::Labelled;
use crate::machines::{free_energies, in_f64, name, pairs, random, samples, signed};
use candle_core::{DType, Device, Tensor};
use deepbelief_kernels::{Batch, Bits, LogSum, Parameters};
use deepbelief_rbm::likelihood::{
    AnnealConfig, AnnealPath, BothWays, Ladder, Means, Verdict, annealed_importance, exact_log_partition, mixing,
    pseudo_log_likelihood, reverse_annealed_importance,
};
use deepbelief_rbm::{
    LabelGroup, Layers, Monitors, Optimizer, Outcome, Provenance, Rbm, RbmConfig, Sampler, TrainConfig, TrainState,
    Trainer, UnitKind, Units, load, save,
};

const CLASSES: usize = 3;

/// A random RBM with these units and a label, and the parameters of the one that has it as a unit.
fn labelled(layers: &Layers, seed: u32) -> (Rbm, Layers, Parameters) {
    let (rbm, hidden) = (random(layers, seed), layers.hidden.columns());
    let tensor = |values: Vec<f32>, shape: &[usize]| Tensor::from_vec(values, shape, &Device::Cpu).unwrap();
    let w = tensor(signed(CLASSES * hidden, 0.7, 1000 + seed), &[CLASSES, hidden]);
    let rbm = rbm.with_labels(LabelGroup { w, b: tensor(signed(CLASSES, 0.5, 2000 + seed), &[CLASSES]) }).unwrap();
    let parameters = rbm.to_parameters().unwrap().with_label_as_unit();
    (rbm, layers.with_label(CLASSES), parameters)
}

fn labels(rows: usize) -> Vec<u32> {
    (0..rows as u32).map(|row| row * row % CLASSES as u32).collect()
}

/// Pairs but those of bits alone, which have labels apart.
fn typed() -> Vec<Layers> {
    let typed: Vec<Layers> = pairs().into_iter().filter(|layers| !layers.are_bernoulli()).collect();
    assert!(typed.len() > 20);
    typed
}

/// -F(v, y) of every label, by plain formulas in double precision.
fn scores(joint: &Layers, parameters: &Parameters, v: &Batch) -> Vec<Vec<f64>> {
    let given = |y: u32| free_energies(joint, parameters, &v.with_labels(&vec![y; v.rows()], CLASSES));
    let of_label: Vec<Vec<f64>> = (0..CLASSES as u32).map(given).collect();
    (0..v.rows()).map(|row| of_label.iter().map(|f| -f[row]).collect()).collect()
}

/// Posteriors in double precision within 1e-10, free energies within 1e-9, and what the engine says of labels (single
/// precision) within 1e-4 of them.
#[test]
fn posteriors_of_labels_are_exact_whatever_the_units_are() {
    for layers in typed() {
        let (rbm, joint, parameters) = labelled(&layers, 3);
        let v = samples(&layers.visible, 7, 31);
        let scores = scores(&joint, &parameters, &v);
        let (double, states) = (rbm.to_dtype(DType::F64).unwrap(), in_f64(&layers.visible, &v));
        let posterior: Vec<Vec<f64>> = double.label_probabilities(&states).unwrap().to_vec2().unwrap();
        let free: Vec<f64> = double.free_energy(&states).unwrap().to_vec1().unwrap();
        let given = pseudo_log_likelihood(&rbm, &v, &labels(7), None).unwrap();
        let alone =
            pseudo_log_likelihood(&rbm.joined().unwrap(), &v.with_labels(&labels(7), CLASSES), &[], None).unwrap();
        for (row, scores) in scores.iter().enumerate() {
            let whole = scores.iter().copied().collect::<LogSum>().value();
            assert!((free[row] + whole).abs() < 1e-9 * (1.0 + whole.abs()), "{}", name(&layers));
            for (p, score) in posterior[row].iter().zip(scores) {
                assert!((p - (score - whole).exp()).abs() < 1e-10, "{}: {p}", name(&layers));
            }
            // All units are predicted given the label, and then that given all units.
            let own = scores[labels(7)[row] as usize] - whole;
            assert!((alone[row] - given[row] - own).abs() < 1e-4 * (1.0 + alone[row].abs()), "{}", name(&layers));
        }
    }
}

/// The joint RBM is the same, to the bit, and comes back.
#[test]
fn the_label_is_the_last_visible_unit() {
    for layers in typed() {
        let (rbm, joint, parameters) = labelled(&layers, 4);
        let joined = rbm.joined().unwrap().into_owned();
        assert_eq!((joined.layers(), joined.to_parameters().unwrap(), joined.classes()), (&joint, parameters, 0));
    }
    let (bits, ..) = labelled(&Layers::bernoulli(5, 3), 4);
    assert_eq!(bits.joined().unwrap().classes(), CLASSES, "Bernoulli units have labels apart");
}

/// ln Z with labels is that of the sum over all states of the joint RBM; of Gaussian units alone that of the sum of
/// integrals, which differences of free energies agree with.
#[test]
fn ln_z_counts_the_labels() {
    for layers in typed() {
        let (rbm, joint, parameters) = labelled(&layers, 5);
        let sum = exact_log_partition(&Rbm::from_parameters(&joint, parameters.clone(), &Device::Cpu).unwrap());
        let exact = exact_log_partition(&rbm);
        match (sum, exact) {
            (Ok(sum), Ok(exact)) => assert!((sum - exact).abs() < 1e-9 * (1.0 + sum.abs()), "{}", name(&layers)),
            // Of Gaussian units with a label the joint RBM has no formula of its own.
            (Err(_), Ok(exact)) => {
                let v = samples(&layers.visible, 1, 1);
                let score = scores(&joint, &parameters, &v)[0][1];
                let (part, class) = (rbm.to_parameters().unwrap(), 1);
                let hidden = layers.hidden.columns();
                let mut given = part.clone();
                given.label_b.clear();
                let w = given.label_w.split_off(class * hidden);
                given.label_w.clear();
                given.hb.iter_mut().zip(&w).for_each(|(b, w)| *b += w);
                let of_class = Rbm::from_parameters(&layers, given.clone(), &Device::Cpu).unwrap();
                let own = exact_log_partition(&of_class).unwrap();
                let free = free_energies(&layers, &given, &v)[0];
                // p(v, y) = p(y) p(v | y) two ways.
                let b = f64::from(part.label_b[class]);
                assert!((score - (b - free)).abs() < 1e-4 * (1.0 + score.abs()));
                assert!(exact > own + b);
            }
            (Err(_), Err(_)) => {}
            (Ok(_), Err(error)) => panic!("{}: {error}", name(&layers)),
        }
    }
}

/// Both directions and what is made of them lie within 0.1 nat of the exact ln Z. Fixed seeds; the standard errors are
/// some hundredths of a nat, so that another seed would fail in less than one of a thousand.
#[test]
fn annealing_counts_the_labels() {
    let of = |visible: Units, kind, hidden| Layers { visible, hidden: Units::of(kind, hidden) };
    for layers in [
        of(Units::categorical(3, 3), UnitKind::Relu, 3),
        of(Units::of(UnitKind::Spin, 6), UnitKind::Bernoulli, 4),
        of(Units::of(UnitKind::Gaussian, 4), UnitKind::Bernoulli, 4),
        of(Units::of(UnitKind::Bernoulli, 6), UnitKind::Gaussian, 2),
    ] {
        let (rbm, ..) = labelled(&layers, 6);
        let exact = exact_log_partition(&rbm).unwrap();
        let ladder = Ladder::with_steps(500).unwrap();
        let config = AnnealConfig { chains: 200, ladder, burn_in: 200, ..Default::default() };
        let (v, y) = (samples(&layers.visible, 200, 7), labels(200));
        let path = AnnealPath::independent(&rbm, &Means::of(&rbm, &v, &y, &config).unwrap()).unwrap();
        let forward = annealed_importance(&rbm, &path, &config).unwrap();
        let reverse = reverse_annealed_importance(&rbm, &path, &v, &y, &config).unwrap();
        let both = BothWays::of(&rbm, &forward, &reverse).unwrap();
        for found in [forward.estimate.value, reverse.estimate.value, both.log_z.value] {
            assert!((found - exact).abs() < 0.1, "{}: {found} and not {exact}", name(&layers));
        }
        assert_eq!(both.verdict, Verdict::Sound);
        let fair = annealed_importance(&rbm, &AnnealPath::fair(&rbm).unwrap(), &config).unwrap();
        assert!((fair.estimate.value - exact).abs() < 0.2, "{}: {}", name(&layers), fair.estimate.value);
        assert!(mixing(&rbm, &v, &y, &config).unwrap().left() < 0.5);
    }
}

/// Three batches.
fn dealt(units: &Units) -> Labelled {
    Labelled::new((0..3).map(|step| (samples(units, 9, 60 + step), labels(9))).collect())
}

/// Measures on the first batch, and validates on the second.
fn monitors(data: &Labelled) -> Monitors {
    let (valid, valid_labels) = data.batches[1].clone();
    Monitors { valid: Some(valid), valid_labels, ..data.monitors() }
}

/// Every method of learning is that of the joint RBM, to the bit; so are ln Z along a training and free energies. The
/// label error that is measured is the one of the model.
#[test]
fn training_with_labels_is_that_of_the_joint_rbm() {
    let base = TrainConfig { epochs: 3, learning_rate: 0.01, ..crate::plain() };
    let chains = TrainConfig { persistent_chains: 7, ..base.clone() };
    let laddered = TrainConfig { sampler: Sampler::Tempered, temperatures: 3, ..chains.clone() };
    let adam = TrainConfig { optimizer: Optimizer::Adam, learning_rate: 0.001, l1b_cost: 0.01, ..base.clone() };
    let centred = TrainConfig { centred: true, averaging: 0.9, ..laddered.clone() };
    let along = TrainConfig { log_z_every: 3, ..chains.clone() };
    let of_bits = Layers::bernoulli(6, 4);
    for layers in typed().into_iter().chain([of_bits]) {
        let (rbm, joint, parameters) = labelled(&layers, 7);
        let joined = Rbm::from_parameters(&joint, parameters, &Device::Cpu).unwrap();
        let mut data = dealt(&layers.visible);
        let monitors = monitors(&data);
        for (method, config) in
            [("data", &base), ("chains", &chains), ("centred", &centred), ("adam", &adam), ("along", &along)]
        {
            let mixture = layers.hidden.segments().len() > 1;
            if layers.are_bernoulli() && method != "adam" || method == "along" && !mixture {
                continue;
            }
            let mut trainer = Trainer::new(&rbm, config.clone()).unwrap();
            assert_eq!(trainer.fit(&mut data, &monitors, &mut ()).unwrap(), Outcome::Finished);
            let batches: Vec<Batch> =
                data.batches.iter().map(|(batch, labels)| batch.with_labels(labels, CLASSES)).collect();
            let of_joint =
                Monitors { train: batches[0].clone(), valid: Some(batches[1].clone()), ..Monitors::default() };
            let mut alone = Trainer::new(&joined, config.clone()).unwrap();
            alone.fit(&mut crate::Fixed(batches), &of_joint, &mut ()).unwrap();
            let (got, expected) = (trainer.snapshot().model().unwrap(), alone.snapshot().model().unwrap());
            let got_parameters = got.to_parameters().unwrap();
            assert_eq!(got_parameters.label_b.len(), CLASSES);
            let expected = expected.to_parameters().unwrap();
            assert!(got_parameters.with_label_as_unit() == expected, "{}, {method}", name(&layers));
            let measured =
                trainer.with_training(|training| training.measure(&monitors.train, &monitors.train_labels)).unwrap();
            let of_joint = alone.with_training(|training| training.measure(&of_joint.train, &[])).unwrap();
            assert_eq!((measured.free_energy, of_joint.label_error), (of_joint.free_energy, None));
            let states = in_f64(&layers.visible, &monitors.train);
            let scores = got.to_dtype(DType::F64).unwrap().label_scores(&states).unwrap();
            let told: Vec<u32> = scores.argmax(1).unwrap().to_vec1().unwrap();
            let wrong = told.iter().zip(&monitors.train_labels).filter(|(told, label)| told != label).count();
            assert_eq!(measured.label_error, Some(wrong as f64 / 9.0), "{}, {method}", name(&layers));
        }
    }
}

/// Through files of states and models, stopped in the middle.
#[test]
fn resuming_and_saving_keep_a_label_beside_any_units() {
    let folder = tempfile::tempdir().unwrap();
    let (state, model) = (folder.path().join("state.safetensors"), folder.path().join("model.safetensors"));
    let base = TrainConfig { epochs: 4, persistent_chains: 7, learning_rate: 0.01, ..crate::plain() };
    let adam = TrainConfig { optimizer: Optimizer::Adam, learning_rate: 0.001, ..base.clone() };
    for layers in typed().into_iter().chain([Layers::bernoulli(6, 4)]) {
        let (rbm, ..) = labelled(&layers, 8);
        let mut data = dealt(&layers.visible);
        let monitors = monitors(&data);
        let mixture = layers.hidden.segments().len() > 1;
        let config = if layers.are_bernoulli() { adam.clone() } else { base.clone() };
        let config = TrainConfig { log_z_every: if mixture { 2 } else { 0 }, ..config };
        let mut trainer = Trainer::new(&rbm, config.clone()).unwrap();
        trainer.fit(&mut data, &monitors, &mut ()).unwrap();
        let whole = trainer.snapshot();
        let (whole_state, whole) = (whole.state().unwrap(), whole.model().unwrap());
        let mut part = Trainer::new(&rbm, TrainConfig { epochs: 2, ..config.clone() }).unwrap();
        part.fit(&mut data, &monitors, &mut ()).unwrap();
        part.snapshot().state().unwrap().save(&state).unwrap();
        let half = TrainState::load(&state).unwrap();
        assert_eq!((half.learned.layers(), half.learned.rbm().unwrap().classes()), (layers.clone(), CLASSES));
        let mut part = Trainer::resume(config, half, &Device::Cpu).unwrap();
        part.fit(&mut data, &monitors, &mut ()).unwrap();
        let part = part.snapshot();
        let same = part.model().unwrap().to_parameters().unwrap() == whole.to_parameters().unwrap();
        assert!(same, "{}", name(&layers));
        assert!(part.state().unwrap().learned == whole_state.learned, "{}", name(&layers));

        save(&model, &whole, &Provenance::default()).unwrap();
        let (back, header) = load(&model, &Device::Cpu).unwrap();
        assert_eq!((back.to_parameters().unwrap(), header.classes), (whole.to_parameters().unwrap(), CLASSES));
        assert_eq!(back.layers(), &layers);
    }
}

/// A label that is not learned from is no label: what says so is refused, and so is a file whose label is none.
#[test]
fn labels_that_do_not_fit_are_refused_beside_any_units() {
    let layers = Layers { visible: Units::of(UnitKind::Gaussian, 3), hidden: Units::of(UnitKind::Bernoulli, 2) };
    let (rbm, ..) = labelled(&layers, 9);
    let mut data = dealt(&layers.visible);
    let monitors = monitors(&data);
    data.batches[0].1[3] = 3;
    let mut trainer = Trainer::new(&rbm, crate::plain()).unwrap();
    let refusal = trainer.fit(&mut data, &monitors, &mut ()).unwrap_err().to_string();
    assert_eq!(refusal, "label 3 (entry 3 of the training data) is not below the number of classes, 3");
    let w = Tensor::zeros((CLASSES, 5), DType::F32, &Device::Cpu).unwrap();
    let b = Tensor::zeros(CLASSES, DType::F32, &Device::Cpu).unwrap();
    assert!(random(&layers, 1).with_labels(LabelGroup { w, b }).is_err());
}

/// Three clusters of numbers that do not overlap, and the label of each: learned without a mistake, by every kind of hidden
/// unit. ReLU and dReLU units have the rate that is their default, which is a third of that of the others: at that one their
/// noise is as large as what they learn. They start with nine times their default (`weight_std` of 0.03), or most of the
/// updates would pass before they say anything, and take four times as many.
#[test]
fn labels_of_clusters_are_learned() {
    let centres = [[-1.2f32, 0.0], [1.2, 0.0], [0.0, 1.4]];
    let labels: Vec<u32> = (0..150).map(|row| row % 3).collect();
    let noise = signed(300, 0.4, 5);
    let values = labels.iter().zip(noise.chunks(2)).flat_map(|(&y, noise)| {
        let centre = centres[y as usize];
        [centre[0] + noise[0], centre[1] + noise[1]]
    });
    let batch = Batch::Real { rows: 150, units: 2, values: values.collect() };
    let mut data = Labelled::new(vec![(batch.clone(), labels.clone()); 4]);
    let monitors = Monitors { train: batch.clone(), train_labels: labels.clone(), ..Monitors::default() };
    let bounded = |kind: UnitKind| !matches!(kind, UnitKind::Relu | UnitKind::Drelu);
    for kind in [UnitKind::Bernoulli, UnitKind::Spin, UnitKind::Gaussian, UnitKind::Relu, UnitKind::Drelu] {
        let (weight_std, rate, epochs) = if bounded(kind) { (0.3, 0.03, 100) } else { (0.03, 0.01, 400) };
        let config = RbmConfig {
            hidden: 12,
            hidden_units: kind.into(),
            visible_units: Some(Units::of(UnitKind::Gaussian, 2)),
            weight_std,
            ..RbmConfig::default()
        };
        let base = Rbm::new(&config, &[0.0, 0.0], &Device::Cpu).unwrap();
        let rbm = base.clone().with_labels(LabelGroup::zeros(3, &base).unwrap()).unwrap();
        let train = TrainConfig { epochs, learning_rate: rate, final_learning_rate: rate, ..crate::plain() };
        let mut trainer = Trainer::new(&rbm, train).unwrap();
        trainer.fit(&mut data, &monitors, &mut ()).unwrap();
        let error = trainer.with_training(|training| training.measure(&batch, &labels)).unwrap().label_error;
        assert_eq!(error, Some(0.0), "{kind}");
    }
}

#[test]
fn bits_without_a_half_are_the_same_in_both_forms_of_pseudo_likelihood() {
    let (rbm, ..) = labelled(&Layers::bernoulli(6, 4), 3);
    let values: Vec<f32> = (0..24).map(|i| f32::from(u8::from(i % 5 == 0))).collect();
    let bits = pseudo_log_likelihood(&rbm, &Batch::Binary(Bits::from_values(4, 6, &values)), &labels(4), None).unwrap();
    let real = pseudo_log_likelihood(&rbm, &Batch::Real { rows: 4, units: 6, values }, &labels(4), None).unwrap();
    assert!(bits.iter().zip(real).all(|(a, b)| (a - b).abs() < 1e-5));
}
