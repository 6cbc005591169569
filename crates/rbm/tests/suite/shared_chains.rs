//! Annealing by ranks that have a share of the chains each.

use candle_core::Device;
use deepbelief_kernels::{Batch, Fields, Parameters, Stream, Uniforms};
use deepbelief_ranks::{Alone, Group, Threads};
use deepbelief_rbm::likelihood::{
    AnnealConfig, AnnealPath, Ladder, Means, adaptive_ladder, annealed_importance, mixing, reverse_annealed_importance,
};
use deepbelief_rbm::{Layers, Rbm, Segment, Shared, UnitKind, Units};
use std::sync::Arc;

/// Not a multiple of the numbers of ranks.
const CHAINS: usize = 11;

fn uniform(rows: usize, columns: usize, step: u32, scale: f32) -> Vec<f32> {
    let mut values = vec![0.0; rows * columns];
    for (row, values) in values.chunks_exact_mut(columns.max(1)).enumerate() {
        Uniforms::new(4, Stream::User, step).fill_row(row as u32, values);
    }
    values.into_iter().map(|u| scale * (u - 0.5)).collect()
}

fn model(visible: Units, hidden: Units, classes: usize) -> Rbm {
    let (columns, rows) = (hidden.columns(), visible.columns());
    let parameters = Parameters {
        w_rec: uniform(rows, columns, 1, 1.0),
        hb: uniform(1, columns, 2, 1.0),
        vb: uniform(1, rows, 3, 1.0),
        label_w: uniform(classes, columns, 4, 1.0),
        label_b: uniform(1, classes, 5, 1.0),
        visible_fields: Fields::at_rest(&visible),
        hidden_fields: Fields::at_rest(&hidden),
    };
    Rbm::from_parameters(&Layers { visible, hidden }, parameters, &Device::Cpu).unwrap()
}

/// Chains of which the first have nearly all units on and the last nearly none: what is fastest for a share of them is
/// not what is fastest for all.
fn starts(rbm: &Rbm) -> (Batch, Vec<u32>) {
    let units = rbm.visible();
    let on = |at: usize| f32::from(u8::from(at % 7 > 6 * (at / units) / CHAINS));
    let values = (0..CHAINS * units).map(on).collect();
    let labels = (0..CHAINS as u32).map(|chain| chain % rbm.classes().max(1) as u32).collect();
    (Batch::Real { rows: CHAINS, units, values }, labels)
}

fn config(group: &Arc<dyn Group>) -> deepbelief_rbm::Result<AnnealConfig> {
    let (ladder, ranks) = (Ladder::with_steps(60)?, Shared::among(group));
    Ok(AnnealConfig { chains: CHAINS, ladder, burn_in: 20, threads: 1, ranks, ..Default::default() })
}

/// All that is estimated, as text with all digits.
fn estimates(rbm: &Rbm, group: &Arc<dyn Group>) -> deepbelief_rbm::Result<String> {
    let (config, (v, labels)) = (config(group)?, starts(rbm));
    let means = Means::of(rbm, &v, &labels, &config)?;
    let path = AnnealPath::independent(rbm, &means)?;
    let up = annealed_importance(rbm, &path, &config)?;
    let down = reverse_annealed_importance(rbm, &path, &v, &labels, &config)?;
    Ok(format!("{means:?} {path:?} {up:?} {down:?} {:?}", mixing(rbm, &v, &labels, &config)?))
}

/// What is found by runs before the estimate.
fn pilots(rbm: &Rbm, group: &Arc<dyn Group>) -> deepbelief_rbm::Result<String> {
    let (config, (v, labels)) = (config(group)?, starts(rbm));
    let means = Means::of(rbm, &v, &labels, &config)?;
    let path = AnnealPath::matched(rbm, &means, &config)?;
    let ladder = adaptive_ladder(rbm, &path, Some((&v, &labels)), &config, 60)?;
    Ok(format!("{path:?} {ladder:?}"))
}

fn compare(rbm: &Rbm, ranks: &[usize], of: fn(&Rbm, &Arc<dyn Group>) -> deepbelief_rbm::Result<String>) {
    let alone = of(rbm, &(Arc::new(Alone) as Arc<dyn Group>)).unwrap();
    for &ranks in ranks {
        for found in Threads::run(ranks, |group| of(rbm, &group)) {
            assert!(found.unwrap() == alone, "{ranks} ranks, {:?}", rbm.layers());
        }
    }
}

#[test]
fn any_number_of_ranks_estimates_what_one_process_does() {
    use UnitKind::{Bernoulli, Gaussian, Relu, Spin};
    let mixed: Units = [(UnitKind::Categorical, 3, 15), (Gaussian, 1, 9), (Spin, 1, 20)]
        .map(|(units, levels, sites)| Segment { units, levels, sites })
        .into_iter()
        .collect();
    let models = [
        model(Units::of(Bernoulli, 90), Units::of(Bernoulli, 70), 0),
        model(Units::of(Bernoulli, 90), Units::of(Bernoulli, 70), 5),
        model(Units::of(Spin, 90), Units::of(Bernoulli, 70), 0),
        model(mixed, Units::of(Relu, 40), 0),
    ];
    for rbm in &models {
        compare(rbm, &[2, 3, 12], estimates);
    }
}

#[test]
fn any_number_of_ranks_finds_the_same_path() {
    let units = |count| Units::of(UnitKind::Bernoulli, count);
    compare(&model(units(40), units(33), 0), &[3], pilots);
}
