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

/// All that is estimated, as text with all digits.
fn estimates(rbm: &Rbm, group: &Arc<dyn Group>) -> deepbelief_rbm::Result<String> {
    let ladder = Ladder::with_steps(80)?;
    let ranks = Shared::among(group);
    let mut config = AnnealConfig { chains: CHAINS, ladder, burn_in: 30, threads: 1, ranks, ..Default::default() };
    let (v, labels) = starts(rbm);
    let means = Means::of(rbm, &v, &labels, &config)?;
    let mut paths = vec![AnnealPath::independent(rbm, &means)?];
    if rbm.layers().are_bernoulli() {
        paths.push(AnnealPath::matched(rbm, &means, &config)?);
    }
    config.ladder = adaptive_ladder(rbm, &paths[0], Some((&v, &labels)), &config, 60)?;
    let mut text = format!("{means:?} {:?} {:?}", config.ladder, mixing(rbm, &v, &labels, &config)?);
    for path in &paths {
        let up = annealed_importance(rbm, path, &config)?;
        let down = reverse_annealed_importance(rbm, path, &v, &labels, &config)?;
        text += &format!("{path:?} {up:?} {down:?}");
    }
    Ok(text)
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
        let alone = estimates(rbm, &(Arc::new(Alone) as Arc<dyn Group>)).unwrap();
        for ranks in [2, 3, 7] {
            for found in Threads::run(ranks, |group| estimates(rbm, &group)) {
                assert!(found.unwrap() == alone, "{ranks} ranks, {:?}", rbm.layers());
            }
        }
    }
}
