//! Training on several ranks, which threads stand for: the same bytes for any number of them.

use crate::machines::{layer, name, pairs, parameters, random, samples};
use crate::typed::compare;
use crate::{Fixed, Labelled, binary, plain, random_rbm, real};
use candle_core::{Device, Tensor};
use deepbelief_kernels::{Batch, Bits, Minibatches, Missing, Share};
use deepbelief_ranks::{Error as GroupError, Group, Threads};
use deepbelief_rbm::{
    Contrastive, Control, Error, LabelGroup, Layers, MissingAs, Monitors, Observer, Optimizer, Outcome, Progress, Rbm,
    Sampler, Sums, TrainConfig, TrainState, Trainer, UnitKind,
};
use std::sync::Arc;

const RANKS: [usize; 5] = [1, 2, 3, 4, 7];

pub(crate) fn exact() -> TrainConfig {
    TrainConfig { epochs: 2, sums: Sums::Exact, threads: 1, ..plain() }
}

/// A training: an RBM and batches, the last smaller than the others.
#[derive(Clone)]
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) rbm: Rbm,
    pub(crate) batches: Vec<Batch>,
    pub(crate) classes: u32,
    /// Whether every seventh value is missing.
    pub(crate) lacks: bool,
    /// Whether samples weigh more or less than others.
    pub(crate) weighs: bool,
    pub(crate) config: TrainConfig,
}

/// Batches of which values are missing, or samples weigh more or less than others.
struct Uneven {
    batches: Fixed,
    lacks: bool,
    weighs: bool,
    missing: Missing,
    weights: Vec<f32>,
}

impl Minibatches for Uneven {
    fn samples(&self) -> usize {
        self.batches.samples()
    }
    fn units(&self) -> usize {
        self.batches.units()
    }
    fn batches(&self) -> usize {
        self.batches.batches()
    }
    fn start_epoch(&mut self, _: u32) {}
    fn fill(&mut self, index: usize, batch: &mut Batch) {
        self.batches.fill(index, batch);
        let (rows, units) = (batch.rows(), batch.units());
        let lacks: Vec<f32> = (0..rows * units).map(|at| f32::from(u8::from(at % 7 == 0 && at % 64 > 20))).collect();
        // Each batch has samples of its own, in another order each time.
        let samples = (0..rows as u32).map(|row| 1000 * index as u32 + (row * 31 + 7) % rows as u32).collect();
        self.missing = Missing { samples, cells: Bits::from_values(rows, units, &lacks) };
        self.weights = (0..rows).map(|row| if row < 64 { 0.0 } else { 0.25 * (row % 11) as f32 }).collect();
    }
    fn missing(&self) -> Option<&Missing> {
        Some(&self.missing).filter(|_| self.lacks)
    }
    fn weights(&self) -> Option<&[f32]> {
        Some(&self.weights[..]).filter(|_| self.weighs)
    }
}

/// Data whose rows beside a share are none that anything can be learned of.
struct Spoiled(Box<dyn Minibatches>);

impl Minibatches for Spoiled {
    fn samples(&self) -> usize {
        self.0.samples()
    }
    fn units(&self) -> usize {
        self.0.units()
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
    fn fill_share(&mut self, index: usize, share: Share, batch: &mut Batch) {
        self.0.fill(index, batch);
        let own: Vec<usize> = share.of(batch.rows()).flatten().collect();
        for row in (0..batch.rows()).filter(|row| !own.contains(row)) {
            match batch {
                Batch::Binary(bits) => (0..bits.blocks()).for_each(|block| bits.set_word(row, block, u32::MAX)),
                Batch::Real { units, values, .. } => values[row * *units..][..*units].fill(f32::NAN),
            }
        }
    }
    fn labels(&self) -> Option<&[u32]> {
        self.0.labels()
    }
    fn missing(&self) -> Option<&Missing> {
        self.0.missing()
    }
    fn weights(&self) -> Option<&[f32]> {
        self.0.weights()
    }
}

impl Case {
    fn lacking(self) -> Self {
        Self { lacks: true, name: self.name.clone() + ", lacking", ..self }
    }

    fn weighed(self) -> Self {
        Self { weighs: true, name: self.name.clone() + ", weighed", ..self }
    }

    fn bernoulli(name: &str, config: TrainConfig) -> Self {
        // Pieces of 64 rows: three and a rest, two, and less than one.
        let batches = vec![binary(200, 50, 0.3, 1), real(130, 50, 0.4, 2), binary(37, 50, 0.2, 3)];
        let (rbm, lacks, weighs) = (random_rbm(50, 40, 0.1, 1), false, false);
        Self { name: name.into(), rbm, batches, classes: 0, lacks, weighs, config }
    }

    pub(crate) fn typed(layers: &Layers, config: TrainConfig) -> Self {
        let batches = [150, 70, 20].map(|rows| samples(&layers.visible, rows, rows as u32)).to_vec();
        let (rbm, lacks, weighs) = (random(layers, 5), false, false);
        Self { name: name(layers), rbm, batches, classes: 0, lacks, weighs, config }
    }

    fn labelled(mut self) -> Self {
        let (hidden, values) = (self.rbm.hidden(), |count, step| crate::machines::signed(count, 0.2, step));
        let tensor = |values: Vec<f32>, shape: &[usize]| Tensor::from_vec(values, shape, &Device::Cpu).unwrap();
        let (w, b) = (tensor(values(3 * hidden, 91), &[3, hidden]), tensor(values(3, 92), &[3]));
        self.rbm = self.rbm.with_labels(LabelGroup { w, b }).unwrap();
        self.classes = 3;
        // One size, as the labels of a batch are the same in all.
        self.batches.truncate(1);
        self.batches.push(self.batches[0].clone());
        self.name += ", labelled";
        self
    }

    pub(crate) fn data(&self) -> Box<dyn Minibatches> {
        let batches = Fixed(self.batches.clone());
        let data: Box<dyn Minibatches> = match self.classes {
            0 if self.lacks || self.weighs => {
                let Self { lacks, weighs, .. } = *self;
                Box::new(Uneven { batches, lacks, weighs, missing: Missing::default(), weights: Vec::new() })
            }
            0 => Box::new(batches),
            classes => {
                let labels = labels(self.batches[0].rows(), classes);
                Box::new(Labelled::new(batches.0.into_iter().map(|batch| (batch, labels.clone())).collect()))
            }
        };
        Box::new(Spoiled(data))
    }

    fn monitors(&self) -> Monitors {
        let train = self.batches[0].head(30);
        let train_labels = if self.classes > 0 { labels(30, self.classes) } else { Vec::new() };
        Monitors { train, train_labels, ..Monitors::default() }
    }

    pub(crate) fn trainer(&self, group: &Arc<dyn Group>, from: Option<&TrainState>) -> Result<Trainer, Error> {
        let config = self.config.clone();
        let trainer = match from {
            None => Trainer::new(&self.rbm, config)?,
            Some(state) => Trainer::resume(config, state.clone(), &Device::Cpu)?,
        };
        trainer.among(group)
    }

    /// The state after the training on so many ranks, of which each ends with the same.
    fn state(&self, ranks: usize, from: Option<&TrainState>) -> TrainState {
        let all = Threads::run(ranks, |group| {
            let mut trainer = self.trainer(&group, from)?;
            trainer.fit(&mut *self.data(), &self.monitors(), &mut ())?;
            trainer.snapshot().state()
        });
        let states: Vec<TrainState> = all.into_iter().map(Result::unwrap).collect();
        assert!(states.iter().all(|state| bytes(state) == bytes(&states[0])), "{}: {ranks} ranks", self.name);
        states.into_iter().next().unwrap()
    }
}

pub(crate) fn labels(rows: usize, classes: u32) -> Vec<u32> {
    (0..rows as u32).map(|row| row * row % classes).collect()
}

/// The file of a state.
fn bytes(state: &TrainState) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.safetensors");
    state.save(&path).unwrap();
    std::fs::read(path).unwrap()
}

pub(crate) fn bernoulli_cases() -> Vec<Case> {
    let chains = |persistent_chains| TrainConfig { persistent_chains, ..exact() };
    let case = Case::bernoulli;
    vec![
        case("CD", exact()),
        case("CD-3, momentum, costs", TrainConfig { cd_steps: 3.into(), l1_cost: 1e-4, ..exact() }),
        case("PCD", chains(200)),
        case("PCD with few chains", chains(10)),
        case("PCD with many chains", chains(300)),
        case("centred", TrainConfig { centred: true, ..exact() }),
        case("centred PCD", TrainConfig { centred: true, ..chains(70) }),
        case("fast", TrainConfig { sampler: Sampler::Fast, ..chains(130) }),
        case("averaged", TrainConfig { averaging: 0.9, ..chains(65) }),
        case("CD", exact()).labelled(),
        case("centred PCD", TrainConfig { centred: true, ..chains(90) }).labelled(),
        case("sparse", sparse()),
        case("sparse, centred PCD", TrainConfig { centred: true, persistent_chains: 90, ..sparse() }),
        case("sparse", sparse()).labelled(),
        case("sparse", sparse()).weighed(),
        case("CD", exact()).weighed(),
        case("centred PCD", TrainConfig { centred: true, ..chains(90) }).weighed(),
        case("CD", exact()).lacking(),
        case("CD", TrainConfig { missing_as: MissingAs::Excluded, ..exact() }).lacking().weighed(),
        case("PCD", chains(70)).lacking().weighed(),
        case("Adam", TrainConfig { optimizer: Optimizer::Adam, learning_rate: 1e-3, ..chains(90) }),
    ]
}

fn sparse() -> TrainConfig {
    TrainConfig { sparsity_target: 0.1, sparsity_cost: 0.5, ..exact() }
}

fn typed_cases() -> Vec<Case> {
    let slow = |config: TrainConfig| TrainConfig { learning_rate: 0.005, ..config };
    let chains = TrainConfig { persistent_chains: 100, ..exact() };
    let mut cases: Vec<Case> = pairs().iter().map(|layers| Case::typed(layers, slow(chains.clone()))).collect();
    let (categorical, gaussian) = (UnitKind::Categorical, UnitKind::Gaussian);
    for visible in [(categorical, 4, 9), (gaussian, 1, 11)] {
        let layers = Layers { visible: layer(&[visible]), hidden: layer(&[(UnitKind::Bernoulli, 1, 35)]) };
        cases.push(Case::typed(&layers, slow(exact())));
        cases.push(Case::typed(&layers, slow(TrainConfig { centred: true, ..chains.clone() })));
        cases.push(Case::typed(&layers, slow(exact())).labelled());
        cases.push(Case::typed(&layers, slow(TrainConfig { centred: true, ..sparse() })).weighed());
        cases.push(Case::typed(&layers, slow(sparse())).lacking());
        cases.push(Case::typed(&layers, slow(TrainConfig { sampler: Sampler::Fast, ..chains.clone() })));
    }
    cases
}

#[test]
fn any_number_of_ranks_learns_the_same_bytes() {
    for case in bernoulli_cases().into_iter().chain(typed_cases()) {
        let one = case.state(1, None);
        assert_ne!(parameters(&one.learned.rbm().unwrap()), parameters(&case.rbm), "{}: nothing learned", case.name);
        for ranks in &RANKS[1..] {
            assert!(bytes(&case.state(*ranks, None)) == bytes(&one), "{}: {ranks} ranks", case.name);
        }
    }
}

/// Two epochs by some ranks and two more by others, against four by one.
#[test]
fn any_number_of_ranks_goes_on_from_a_state() {
    for case in bernoulli_cases() {
        let long = Case { config: TrainConfig { epochs: 4, ..case.config.clone() }, ..case.clone() };
        let whole = bytes(&long.state(1, None));
        for (first, second) in [(1, 3), (3, 1), (2, 7)] {
            let half = case.state(first, None);
            assert!(bytes(&long.state(second, Some(&half))) == whole, "{}: {first} then {second}", case.name);
        }
    }
}

/// Exact sums against the rule on tensors in double precision, as the engines are tested.
#[test]
fn exact_sums_follow_the_rule() {
    // Gaussian units over Bernoulli ones are drawn in another way on tensors.
    let drawn_alike =
        |layers: &Layers| !layers.visible.is_bernoulli() || !layers.hidden.any(|kind| kind == UnitKind::Gaussian);
    for layers in pairs().into_iter().filter(drawn_alike) {
        for chains in [0, 17] {
            let rate = if layers.hidden.all(UnitKind::is_discrete) { 0.1 } else { 0.02 };
            let config = TrainConfig { learning_rate: rate, persistent_chains: chains, ..exact() };
            compare(&format!("{}, exact sums, {chains} chains", name(&layers)), &layers, &config);
        }
    }
}

/// Floats differ from exact sums by their roundings: 200 terms below 1, 2^-24 each, at a rate of 0.05 an update, twice.
#[test]
fn exact_sums_are_those_of_floats() {
    for case in bernoulli_cases() {
        let short = |sums| {
            let config = TrainConfig { epochs: 1, sums, ..case.config.clone() };
            let case = Case { config, batches: case.batches[..1].to_vec(), ..case.clone() };
            parameters(&case.state(1, None).learned.rbm().unwrap())
        };
        for ((what, exact), (_, float)) in short(Sums::Exact).into_iter().zip(short(Sums::Float)) {
            let off = exact.iter().zip(&float).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(off < 2e-6, "{}: {what} is off by {off}", case.name);
        }
    }
}

/// Asks to stop after some updates.
struct Stopper {
    after: usize,
    seen: usize,
}

impl Observer<Contrastive> for Stopper {
    fn batch_done(&mut self, _: &Progress) -> Control {
        self.seen += 1;
        if self.seen == self.after { Control::Stop } else { Control::Continue }
    }
}

#[test]
fn all_ranks_stop_after_the_same_update_when_one_wants_to() {
    let case = Case::bernoulli("stopped", TrainConfig { persistent_chains: 150, ..exact() });
    let whole = bytes(&case.state(1, None));
    for who in [0, 2] {
        let all = Threads::run(3, |group| {
            let mut trainer = case.trainer(&group, None)?;
            let after = if group.rank() == who { 1 } else { usize::MAX };
            let mut observer = Stopper { after, seen: 0 };
            let outcome = trainer.fit(&mut *case.data(), &case.monitors(), &mut observer)?;
            let stopped = (outcome, observer.seen, bytes(&trainer.snapshot().state()?));
            // It goes on to the end, and to the same bytes.
            let outcome = trainer.fit(&mut *case.data(), &case.monitors(), &mut observer)?;
            Ok::<_, Error>((stopped, outcome, bytes(&trainer.snapshot().state()?)))
        });
        let all: Vec<_> = all.into_iter().map(Result::unwrap).collect();
        for ((outcome, seen, state), then, end) in &all {
            assert_eq!((*outcome, *seen, *then), (Outcome::Interrupted, 2, Outcome::Finished));
            assert!(*state == all[0].0.2 && *end == whole);
        }
    }
}

#[test]
fn all_ranks_see_a_divergence_that_is_in_one_piece() {
    let mut case = Case::bernoulli("diverged", exact());
    if let Batch::Real { values, .. } = &mut case.batches[1] {
        values[100 * 50] = f32::NAN;
    }
    for ranks in RANKS {
        let all =
            Threads::run(ranks, |group| case.trainer(&group, None)?.fit(&mut *case.data(), &case.monitors(), &mut ()));
        for end in all {
            let error = end.unwrap_err();
            assert!(matches!(error, Error::Diverged { epoch: 1, batch: 2, .. }), "{error}");
        }
    }
}

#[test]
fn a_rank_that_ends_ends_the_others() {
    let case = Case::bernoulli("left alone", exact());
    let all = Threads::run(3, |group| {
        let mut trainer = case.trainer(&group, None)?;
        if group.rank() == 1 {
            return Err(Error::from(deepbelief_training::Error::Group(GroupError::Aborted)));
        }
        trainer.fit(&mut *case.data(), &case.monitors(), &mut ())
    });
    let ended = |end: Result<Outcome, Error>| {
        matches!(end, Err(Error::Loop(deepbelief_training::Error::Group(GroupError::Aborted))))
    };
    assert!(all.into_iter().all(ended));
}

#[test]
fn a_rank_with_another_model_is_named() {
    let case = Case::bernoulli("another model", exact());
    let all = Threads::run(3, |group| {
        let seed = if group.rank() == 2 { 9 } else { 1 };
        let own = Case { rbm: random_rbm(50, 40, 0.1, seed), ..case.clone() };
        own.trainer(&group, None)?.fit(&mut *own.data(), &own.monitors(), &mut ())
    });
    for end in all {
        let error = end.unwrap_err().to_string();
        assert!(error.starts_with("rank 2 has another model than rank 0 after epoch 1"), "{error}");
    }
}

#[test]
fn what_cannot_be_split_is_refused() {
    let refused = |config: TrainConfig| {
        let all = Threads::run(2, |group| {
            let case = Case::bernoulli("refused", config.clone());
            case.trainer(&group, None)?.fit(&mut *case.data(), &case.monitors(), &mut ())
        });
        all.into_iter().next().unwrap().unwrap_err().to_string()
    };
    let place = "is not available with exact sums, which training on several ranks takes";
    let tempered = TrainConfig { sampler: Sampler::Tempered, persistent_chains: 20, ..exact() };
    assert_eq!(refused(tempered), format!("a sampler that swaps states {place}"));
    assert_eq!(
        refused(TrainConfig { sums: Sums::Float, ..exact() }),
        "sums is float; it must be exact on several ranks"
    );
}
