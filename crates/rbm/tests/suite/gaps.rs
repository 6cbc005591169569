//! Data with gaps, and samples that weigh more than others: compared with the exact gradient of what was observed, and
//! against samples that stand there more than once.

use super::{Fixed, binary, bits, random_rbm, real, uniforms, values};
use candle_core::{Device, Tensor};
use deepbelief_kernels::{Batch, Bits, Minibatches, Missing};
use deepbelief_rbm::{
    EpochMetrics, LabelGroup, MissingAs, Monitors, Rbm, Schedule, TrainConfig, TrainState, Trainer, UnitKind,
    VisibleStates,
};

/// One batch, with what it lacks, its labels and its weights.
#[derive(Clone)]
pub(crate) struct Gappy {
    batch: Batch,
    missing: Option<Missing>,
    labels: Vec<u32>,
    pub(crate) weights: Option<Vec<f32>>,
}

impl Gappy {
    pub(crate) fn of(batch: Batch) -> Self {
        Self { batch, missing: None, labels: Vec::new(), weights: None }
    }

    fn lacking(batch: Batch, missing: &[f32]) -> Self {
        let cells = Bits::from_values(batch.rows(), batch.units(), missing);
        let samples = (0..batch.rows() as u32).map(|sample| 70_000 + sample).collect();
        Self { missing: Some(Missing { samples, cells }), ..Self::of(batch) }
    }
}

impl Minibatches for Gappy {
    fn samples(&self) -> usize {
        self.batch.rows()
    }
    fn units(&self) -> usize {
        self.batch.units()
    }
    fn batches(&self) -> usize {
        1
    }
    fn start_epoch(&mut self, _: u32) {}
    fn fill(&mut self, _: usize, batch: &mut Batch) {
        batch.clone_from(&self.batch);
    }
    fn labels(&self) -> Option<&[u32]> {
        Some(self.labels.as_slice()).filter(|labels| !labels.is_empty())
    }
    fn missing(&self) -> Option<&Missing> {
        self.missing.as_ref()
    }
    fn weights(&self) -> Option<&[f32]> {
        self.weights.as_deref()
    }
}

/// A rule that is the gradient alone.
pub(crate) fn gradient(learning_rate: f64, epochs: u32) -> TrainConfig {
    let (momentum, final_momentum, weight_cost) = (0.0, 0.0, 0.0);
    let schedule = Schedule::Constant;
    TrainConfig { epochs, learning_rate, schedule, momentum, final_momentum, weight_cost, ..TrainConfig::default() }
}

pub(crate) fn train(rbm: &Rbm, data: &Gappy, config: TrainConfig) -> Rbm {
    let mut trainer = Trainer::new(rbm, config).unwrap();
    trainer.fit(&mut data.clone(), &unwatched(rbm.visible()), &mut ()).unwrap();
    trainer.snapshot().model().unwrap()
}

/// No samples to measure.
fn unwatched(units: usize) -> Monitors {
    Monitors { train: Batch::Binary(Bits::zeros(0, units)), ..Monitors::default() }
}

/// Parameters in one row: weights, hidden biases, visible biases.
fn parameters(rbm: &Rbm) -> Vec<f64> {
    [rbm.w_rec(), rbm.hb(), rbm.vb()].iter().flat_map(|t| values(t)).map(f64::from).collect()
}

/// A tiny model in double precision.
struct Tiny {
    visible: usize,
    hidden: usize,
    p: Vec<f64>,
}

impl Tiny {
    fn of(rbm: &Rbm) -> Self {
        Self { visible: rbm.visible(), hidden: rbm.hidden(), p: parameters(rbm) }
    }

    /// ln sum of exp(-F) over the states of the units that are `free`, the others as in `v`; units that are `out` of
    /// the model are off and have no bias.
    fn log_sum(&self, v: &[f64], free: &[usize]) -> f64 {
        let (hidden, visible) = (self.hidden, self.visible);
        let term = |state: usize| {
            let mut v = v.to_vec();
            free.iter().enumerate().for_each(|(bit, &unit)| v[unit] = f64::from((state >> bit & 1) as u8));
            let (hb, vb) = (&self.p[visible * hidden..][..hidden], &self.p[visible * hidden + hidden..]);
            let linear: f64 = v.iter().zip(vb).map(|(v, b)| v * b).sum();
            let softplus = |j: usize| {
                let x: f64 = hb[j] + (0..visible).map(|i| v[i] * self.p[i * hidden + j]).sum::<f64>();
                x.max(0.0) + (-x.abs()).exp().ln_1p()
            };
            linear + (0..hidden).map(softplus).sum::<f64>()
        };
        let terms: Vec<f64> = (0..1 << free.len()).map(term).collect();
        let most = terms.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        most + terms.iter().map(|x| (x - most).exp()).sum::<f64>().ln()
    }

    /// Mean ln p of what was observed: of all units, or of an RBM of the observed ones alone.
    fn log_likelihood(&self, samples: &[f32], missing: &[f32], excluded: bool) -> f64 {
        let rows = samples.chunks_exact(self.visible).zip(missing.chunks_exact(self.visible));
        let of = |(v, missing): (&[f32], &[f32])| {
            let gaps: Vec<usize> = (0..self.visible).filter(|&unit| missing[unit] == 1.0).collect();
            let there: Vec<usize> = (0..self.visible).filter(|&unit| missing[unit] == 0.0).collect();
            let v: Vec<f64> = v.iter().zip(missing).map(|(&v, &m)| f64::from(v * (1.0 - m))).collect();
            if excluded {
                self.log_sum(&v, &[]) - self.log_sum(&vec![0.0; self.visible], &there)
            } else {
                self.log_sum(&v, &gaps) - self.log_sum(&v, &(0..self.visible).collect::<Vec<_>>())
            }
        };
        let terms: Vec<f64> = rows.map(of).collect();
        terms.iter().sum::<f64>() / terms.len() as f64
    }

    /// Its gradient, by differences of 1e-5: exact to 1e-9.
    fn slope(&self, samples: &[f32], missing: &[f32], excluded: bool) -> Vec<f64> {
        let at = |place: usize, step: f64| {
            let mut p = self.p.clone();
            p[place] += step;
            Self { p, ..*self }.log_likelihood(samples, missing, excluded)
        };
        (0..self.p.len()).map(|place| (at(place, 1e-5) - at(place, -1e-5)) / 2e-5).collect()
    }
}

fn largest_difference(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, |most, x| if x > most || x.is_nan() { x } else { most })
}

/// With a rate so small that the model stays what it is, the mean of many updates is the gradient of the mean
/// ln p of what was observed. A missing unit's draws have a standard deviation below 1/2 a sample, and are
/// correlated over fewer than four updates: over 3,000 updates of 12 samples that is a standard error below
/// 0.5 sqrt(8 / 3000 / 12) = 0.0075, and that of 500 chains is smaller. At a tolerance of 0.04, five standard errors,
/// one of 23 parameters fails with a probability below 2e-5; the seed is fixed. Where gaps were taken for their
/// stand-ins, the gradient would be another by more than 0.12.
#[test]
fn updates_follow_the_likelihood_of_what_was_observed() {
    let (rows, visible, hidden, updates, rate) = (12, 5, 3, 3000u32, 3e-5);
    let rbm = random_rbm(visible, hidden, 1.5, 4);
    let samples = binary(rows, visible, 0.5, 8).to_values();
    let missing: Vec<f32> = uniforms(rows, visible, 9).iter().map(|&u| f32::from(u8::from(u < 0.35))).collect();
    let whole = vec![0.0; missing.len()];
    let batch = Batch::Binary(Bits::from_values(rows, visible, &samples));
    let data = Gappy::lacking(batch.clone(), &missing);
    let start = parameters(&rbm);
    let mean_step = |data: &Gappy, config: TrainConfig| -> Vec<f64> {
        let end = parameters(&train(&rbm, data, config));
        start.iter().zip(end).map(|(a, b)| (b - a) / (rate * f64::from(updates))).collect()
    };
    let exact = Tiny::of(&rbm).slope(&samples, &missing, false);
    let persistent = TrainConfig { persistent_chains: 500, ..gradient(rate, updates) };
    let step = mean_step(&data, persistent.clone());
    assert!(largest_difference(&step, &exact) < 0.04, "{step:?} against {exact:?}");
    let filled = mean_step(&Gappy::of(batch), persistent.clone());
    assert!(largest_difference(&filled, &exact) > 0.12, "{filled:?} against {exact:?}");
    assert!(largest_difference(&filled, &Tiny::of(&rbm).slope(&samples, &whole, false)) < 0.04);

    // Centred steps are linear maps of the gradient, whose stationary points are the same; here, the same model
    // learns alike.
    let centred = train(&rbm, &data, TrainConfig { centred: true, ..persistent });
    let likelihood = |rbm: &Rbm| Tiny::of(rbm).log_likelihood(&samples, &missing, false);
    assert!(likelihood(&centred) > likelihood(&rbm));

    // Of the units that each sample has: long chains from the data are as good as exact here.
    let exact = Tiny::of(&rbm).slope(&samples, &missing, true);
    let config = TrainConfig { missing_as: MissingAs::Excluded, cd_steps: 30.into(), ..gradient(rate, updates) };
    let step = mean_step(&data, config);
    assert!(largest_difference(&step, &exact) < 0.04, "{step:?} against {exact:?}");
}

/// A training that stops in its middle, is written and goes on ends as one that never stopped; the gaps' last values
/// are part of the state. On the engine and on tensors, for states and for probabilities.
#[test]
fn a_resumed_training_has_the_same_gaps() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.safetensors");
    let missing: Vec<f32> = uniforms(9, 40, 3).iter().map(|&u| f32::from(u8::from(u < 0.3))).collect();
    for (batch, visible_states) in [
        (binary(9, 40, 0.4, 2), VisibleStates::Sampled),
        (real(9, 40, 0.7, 2), VisibleStates::Probabilities),
        (real(9, 40, 0.7, 2), VisibleStates::Sampled),
    ] {
        for units in [UnitKind::Bernoulli, UnitKind::Gaussian] {
            let data = Gappy::lacking(batch.clone(), &missing);
            let rbm = random_rbm(40, 7, 0.1, 5).with_hidden_units(units).unwrap();
            let config = |epochs| TrainConfig { visible_states, ..gradient(0.01, epochs) };
            let whole = train(&rbm, &data, config(8));
            let mut half = Trainer::new(&rbm, config(3)).unwrap();
            half.fit(&mut data.clone(), &unwatched(rbm.visible()), &mut ()).unwrap();
            half.snapshot().state().unwrap().save(&path).unwrap();
            let state = TrainState::load(&path).unwrap();
            let mut rest = Trainer::resume(config(8), state, &Device::Cpu).unwrap();
            rest.fit(&mut data.clone(), &unwatched(rbm.visible()), &mut ()).unwrap();
            assert_eq!(bits(&rest.snapshot().model().unwrap()), bits(&whole), "{visible_states:?}, {units:?}");
            // What the batch holds in a gap does not matter once it has been drawn a few times: here, that it is
            // drawn at all.
            assert_ne!(bits(&whole), bits(&train(&rbm, &Gappy::of(batch.clone()), config(8))));
        }
    }
}

fn labelled(rbm: Rbm) -> Rbm {
    let hidden = rbm.hidden();
    let w = Tensor::from_vec(uniforms(2, hidden, 40), (2, hidden), &Device::Cpu).unwrap();
    rbm.with_labels(LabelGroup { w, b: Tensor::zeros(2, candle_core::DType::F32, &Device::Cpu).unwrap() }).unwrap()
}

/// The positive statistics of two samples of weight 1 and 2 are those of three, two of which are the same, and chains
/// that persist are the same chains. Sums run in another order: after 20 updates parameters of size one agree to
/// 1e-5. Every way of learning that takes statistics of its own is tried.
#[test]
fn a_sample_of_weight_two_is_two_samples() {
    let (visible, hidden) = (37, 21);
    for batch in [binary(2, visible, 0.4, 6), real(2, visible, 0.8, 6)] {
        let row = batch.to_values();
        let thrice = [&row[..], &row[visible..]].concat();
        let thrice = match &batch {
            Batch::Binary(_) => Batch::Binary(Bits::from_values(3, visible, &thrice)),
            Batch::Real { .. } => Batch::Real { rows: 3, units: visible, values: thrice },
        };
        let base = TrainConfig { persistent_chains: 10, ..gradient(0.1, 20) };
        for (what, config) in [
            ("plain", base.clone()),
            ("momentum", TrainConfig { momentum: 0.5, weight_cost: 1e-3, l1_cost: 1e-4, ..base.clone() }),
            ("centred", TrainConfig { centred: true, ..base.clone() }),
            ("sparse", TrainConfig { sparsity_cost: 0.3, ..base.clone() }),
        ] {
            let rbm = labelled(random_rbm(visible, hidden, 0.3, 6));
            let weighted =
                Gappy { labels: vec![0, 1], weights: Some(vec![2.0 / 3.0, 4.0 / 3.0]), ..Gappy::of(batch.clone()) };
            let repeated = Gappy { labels: vec![0, 1, 1], ..Gappy::of(thrice.clone()) };
            let (a, b) = (train(&rbm, &weighted, config.clone()), train(&rbm, &repeated, config.clone()));
            let difference = largest_difference(&parameters(&a), &parameters(&b));
            assert!(difference < 1e-5, "{what}: {difference}");
            let label_w = |rbm: &Rbm| values(&rbm.labels().unwrap().w).into_iter().map(f64::from).collect::<Vec<_>>();
            assert!(largest_difference(&label_w(&a), &label_w(&b)) < 1e-5, "{what}: labels");
            let label_b = |rbm: &Rbm| values(&rbm.labels().unwrap().b).into_iter().map(f64::from).collect::<Vec<_>>();
            assert!(largest_difference(&label_b(&a), &label_b(&b)) < 1e-5, "{what}: labels' biases");
            // Without its weight it would be another model.
            let plain = train(&rbm, &Gappy { weights: None, ..weighted }, config);
            assert!(largest_difference(&parameters(&plain), &parameters(&b)) > 1e-2, "{what}");
        }
    }
}

/// A minibatch may weigh nothing where others do: it then moves nothing but by rounding, whatever the rule divides by.
#[test]
fn a_minibatch_without_weight_moves_nothing() {
    let rbm = random_rbm(37, 21, 0.3, 6);
    let data = Gappy { weights: Some(vec![0.0; 2]), ..Gappy::of(binary(2, 37, 0.4, 6)) };
    for persistent_chains in [0, 5] {
        let config = TrainConfig { persistent_chains, centred: true, sparsity_cost: 0.3, ..gradient(0.1, 3) };
        let difference = largest_difference(&parameters(&train(&rbm, &data, config)), &parameters(&rbm));
        // Written so that NaN fails it.
        assert!(difference <= 1e-6, "{difference} with {persistent_chains} chains");
    }
}

/// What an epoch measures weighs samples as training does. Costs of reconstruction draw for each row, and are left out.
#[test]
fn measurements_weigh_samples_too() {
    let rbm = labelled(random_rbm(37, 21, 0.5, 6));
    let samples = binary(40, 37, 0.4, 6);
    let labels: Vec<u32> = (0..40).map(|row| row % 2).collect();
    let weights: Vec<f32> = (0..40).map(|row| (row % 4) as f32).collect();
    let copies = |row: usize| row % 4;
    let rows: Vec<f32> =
        samples.to_values().chunks(37).enumerate().flat_map(|(row, values)| values.repeat(copies(row))).collect();
    let count = rows.len() / 37;
    let repeated = Batch::Binary(Bits::from_values(count, 37, &rows));
    let repeated_labels = (0..40).flat_map(|row| vec![labels[row]; copies(row)]).collect();
    let measure = |train: Batch, train_labels: Vec<u32>, train_weights: Vec<f32>| {
        let mut seen = None;
        let mut data = Gappy { labels: labels.clone(), ..Gappy::of(samples.clone()) };
        let monitors = Monitors { train, train_labels, train_weights, ..Monitors::default() };
        let mut trainer = Trainer::new(&rbm, gradient(1e-12, 1)).unwrap();
        trainer.fit(&mut data, &monitors, &mut |epoch: &EpochMetrics| seen = Some(epoch.clone())).unwrap();
        let seen = seen.unwrap();
        (seen.free_energy_train, seen.label_error_train.unwrap(), seen.hidden_activity.unwrap())
    };
    let weighted = measure(samples.clone(), labels.clone(), weights);
    let copied = measure(repeated, repeated_labels, Vec::new());
    let plain = measure(samples.clone(), labels.clone(), Vec::new());
    assert!((weighted.0 - copied.0).abs() < 1e-9 && (weighted.0 - plain.0).abs() > 1e-3, "{weighted:?} {copied:?}");
    assert!((weighted.1 - copied.1).abs() < 1e-9 && (weighted.1 - plain.1).abs() > 1e-3, "{weighted:?} {copied:?}");
    assert!((weighted.2 - copied.2).abs() < 1e-9 && (weighted.2 - plain.2).abs() > 1e-4, "{weighted:?} {copied:?}");
}

/// Chains that start from the data weigh what their sample does: a sample of weight 0 might as well not be there.
/// Equal weights are none, to the bit.
#[test]
fn chains_of_the_data_weigh_what_their_sample_does() {
    let (visible, hidden) = (37, 21);
    let rbm = random_rbm(visible, hidden, 0.3, 6);
    let both = binary(2, visible, 0.4, 6);
    let first = both.slice(0..1);
    let config = TrainConfig { cd_steps: 2.into(), ..gradient(0.05, 20) };
    let centred = TrainConfig { centred: true, sparsity_cost: 0.3, ..config.clone() };
    let weights = |weights: [f32; 2]| Gappy { weights: Some(weights.to_vec()), ..Gappy::of(both.clone()) };
    let alone = train(&rbm, &Gappy::of(first), config.clone());
    let one_counts = train(&rbm, &weights([2.0, 0.0]), config.clone());
    let difference = largest_difference(&parameters(&alone), &parameters(&one_counts));
    assert!(difference < 1e-5, "{difference}");
    let alone = train(&rbm, &Gappy::of(both.slice(0..1)), centred.clone());
    let difference = largest_difference(&parameters(&alone), &parameters(&train(&rbm, &weights([2.0, 0.0]), centred)));
    assert!(difference < 1e-5, "centred: {difference}");
    let equal = train(&rbm, &weights([1.0, 1.0]), config.clone());
    assert_eq!(bits(&equal), bits(&train(&rbm, &Gappy::of(both), config)));
}

#[test]
fn what_goes_not_together_is_refused() {
    let rbm = random_rbm(4, 3, 0.3, 6);
    let config = TrainConfig { missing_as: MissingAs::Excluded, persistent_chains: 5, ..gradient(0.1, 1) };
    let error = Trainer::new(&rbm, config).err().unwrap().to_string();
    assert!(error.contains("missing_as is excluded; it must be sampled where chains are persistent"), "{error}");
    let gaussian = rbm.with_hidden_units(UnitKind::Gaussian).unwrap();
    let mut trainer = Trainer::new(&gaussian, gradient(0.1, 1)).unwrap();
    let mut data = Gappy { weights: Some(vec![1.0; 3]), ..Gappy::of(Fixed(vec![binary(3, 4, 0.5, 1)]).0.remove(0)) };
    let error = trainer.fit(&mut data, &unwatched(4), &mut ()).err().unwrap().to_string();
    assert!(error.contains("weights is given"), "{error}");
}
