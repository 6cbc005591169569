//! What an epoch is measured by, on several ranks, which threads stand for: the same for any number of them.

use crate::binary;
use crate::machines::{pairs, samples};
use crate::ranks::{Case, bernoulli_cases, exact, labels};
use deepbelief_ranks::Threads;
use deepbelief_rbm::{
    Contrastive, Control, EpochMetrics, Error, HiddenStatistics, Measured, Monitors, Observer, ObserverResult,
    Snapshot, Sums, TrainConfig, UnitKind,
};

/// Keeps what epochs are measured by, without their times.
#[derive(Default)]
struct Keeper(Vec<EpochMetrics>);

impl Observer<Contrastive> for Keeper {
    fn epoch_done(&mut self, metrics: &EpochMetrics, _: &Snapshot<'_>) -> ObserverResult {
        self.0.push(EpochMetrics { seconds: 0.0, samples_per_second: 0.0, ..metrics.clone() });
        Ok(Control::Continue)
    }
}

/// Of 600 samples, which ranks measure in pieces of 256.
#[test]
fn any_number_of_ranks_measures_the_same() {
    let mut cases = bernoulli_cases();
    cases.extend(pairs().iter().map(|layers| Case::typed(layers, TrainConfig { learning_rate: 0.005, ..exact() })));
    for case in cases {
        let train = if case.rbm.layers().are_bernoulli() {
            binary(600, case.batches[0].units(), 0.3, 9)
        } else {
            samples(&case.rbm.layers().visible, 600, 9)
        };
        let train_weights = (0..600).map(|row| if case.weighs { 0.5 * (row % 5) as f32 } else { 1.0 }).collect();
        let train_labels = if case.classes > 0 { labels(600, case.classes) } else { Vec::new() };
        let monitors = Monitors { train, train_labels, train_weights, ..Monitors::default() };
        let metrics = |sums: Sums, ranks: usize| {
            let all = Threads::run(ranks, |group| {
                let mut keeper = Keeper::default();
                let case = Case { config: TrainConfig { sums, ..case.config.clone() }, ..case.clone() };
                let mut trainer = case.trainer(&group, None)?;
                // Before training, which float sums do in another way.
                let measured = trainer.with_training(|it| it.measure(&monitors.train, &monitors.train_labels))?;
                trainer.fit(&mut *case.data(), &monitors, &mut keeper)?;
                Ok::<_, Error>((measured, keeper.0))
            });
            let all: Vec<(Measured, Vec<EpochMetrics>)> = all.into_iter().map(Result::unwrap).collect();
            assert!(all.iter().all(|found| *found == all[0]), "{}: {ranks} ranks", case.name);
            all.into_iter().next().unwrap()
        };
        let one = metrics(Sums::Exact, 1);
        for ranks in [2, 3, 7] {
            assert!(metrics(Sums::Exact, ranks) == one, "{}: {ranks} ranks", case.name);
        }
        // The same draws, and sums in double precision, in another order. Gaussian hidden units may train on tensors where
        // sums are of floats, which draw other states: their costs are not compared.
        let gaussian = case.rbm.layers().hidden.segments().iter().any(|segment| segment.units == UnitKind::Gaussian);
        let (found, want) = (one.0, metrics(Sums::Float, 1).0);
        let numbers = |measured: &Measured| {
            let (HiddenStatistics::Activity(units) | HiddenStatistics::Spread(units)) = &measured.hidden;
            let cost = if gaussian { 0.0 } else { measured.reconstruction_cost };
            let first = [measured.free_energy, cost, measured.label_error.unwrap_or(0.0)];
            first.iter().chain(units).copied().collect::<Vec<f64>>()
        };
        for (found, want) in numbers(&found).into_iter().zip(numbers(&want)) {
            assert!((found - want).abs() <= 1e-5 * want.abs().max(1.0), "{}: {found} {want}", case.name);
        }
    }
}
