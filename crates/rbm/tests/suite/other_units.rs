//! Data of other units than the model's, which no training takes.

use crate::{Fixed, binary, plain, random_rbm};
use candle_core::Device;
use deepbelief_kernels::{Batch, Minibatches};
use deepbelief_rbm::{LabelGroup, Monitors, Outcome, Rbm, RbmConfig, Segment, TrainConfig, Trainer, UnitKind, Units};

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

fn samples() -> Batch {
    binary(8, 6, 0.5, 1)
}

fn data(units: Units) -> Known {
    Known(Fixed(vec![samples()]), units)
}

fn monitors() -> Monitors {
    Monitors { train: samples(), ..Monitors::default() }
}

fn config(epochs: u32) -> TrainConfig {
    TrainConfig { epochs, ..plain() }
}

/// What a training says of data of these units.
fn refusal(trainer: &mut Trainer, units: &Units) -> String {
    let outcome = trainer.fit(&mut data(units.clone()), &monitors(), &mut ());
    outcome.map_or_else(|error| error.to_string(), |_| "nothing was refused".into())
}

fn rbm(units: &Units, mean: f32) -> Rbm {
    let config = RbmConfig { hidden: 4, visible_units: Some(units.clone()), ..RbmConfig::default() };
    Rbm::new(&config, &[mean; 6], &Device::Cpu).unwrap()
}

#[test]
fn bernoulli_units_do_not_learn_other_data() {
    let (bits, numbers) = (Units::of(UnitKind::Bernoulli, 6), Units::of(UnitKind::Gaussian, 6));
    let mut trainer = Trainer::new(&random_rbm(6, 4, 0.1, 1), config(1)).unwrap();
    let said = "the training data have 6 gaussian units, but the model has 6 bernoulli visible units; they differ from \
                column 0 (counted from 0) on: make the model with the units of the data (`visible_units: \
                Some(split.layer().clone())`), or read the data as those of the model were (with its schema, or by \
                `Split::of_units`)";
    assert_eq!(refusal(&mut trainer, &numbers), said);
    let categories = refusal(&mut trainer, &Units::categorical(2, 3));
    assert!(categories.starts_with("the training data have 2 categorical of 3 units, but"), "{categories}");
    let part = |units, sites| Segment { units, levels: 1, sites };
    let mixed: Units = [part(UnitKind::Bernoulli, 4), part(UnitKind::Spin, 2)].into_iter().collect();
    let mixed = refusal(&mut trainer, &mixed);
    assert!(mixed.contains("they differ from column 4 (counted from 0) on"), "{mixed}");

    // Data that are known to fit are learned from; a training that goes on refuses others likewise.
    assert_eq!(trainer.fit(&mut data(bits), &monitors(), &mut ()).unwrap(), Outcome::Finished);
    let state = trainer.snapshot().state().unwrap();
    let mut resumed = Trainer::resume(config(2), state, &Device::Cpu).unwrap();
    assert_eq!(refusal(&mut resumed, &numbers), said);
}

#[test]
fn other_units_do_not_learn_bits() {
    let bits = Units::of(UnitKind::Bernoulli, 6);
    let mut trainer = Trainer::new(&rbm(&Units::of(UnitKind::Gaussian, 6), 0.0), config(1)).unwrap();
    let said = "the training data have 6 bernoulli units, but the model has 6 gaussian visible units; they differ from";
    assert!(refusal(&mut trainer, &bits).starts_with(said));

    // A label that is learned as the last visible unit is none of the data's.
    let sites = rbm(&Units::categorical(2, 3), 1.0 / 3.0);
    let labels = LabelGroup::zeros(3, &sites).unwrap();
    let mut trainer = Trainer::new(&sites.with_labels(labels).unwrap(), config(1)).unwrap();
    let refused = refusal(&mut trainer, &bits);
    assert!(refused.contains("the model has 2 categorical of 3 visible units;"), "{refused}");
}

/// Means that no Bernoulli unit has are those of other data.
#[test]
fn means_of_other_data_are_refused_with_what_to_do() {
    let refused = Rbm::new(&RbmConfig { hidden: 4, ..RbmConfig::default() }, &[0.5, -0.5], &Device::Cpu);
    assert_eq!(
        refused.unwrap_err().to_string(),
        "data_mean is outside the range of probabilities; it must be between 0 and 1 for every bernoulli unit: scale \
         the data, or give columns of real numbers gaussian units, by `visible_units`"
    );
}
