//! Chains of which each rank runs a share.

use crate::{random_rbm, untied, values};
use deepbelief_ranks::Threads;
use deepbelief_rbm::{FieldTensors, Layers, Shared, UnitKind, Units};
use deepbelief_stack::{Chains, Dbn, Result};

/// A net whose top has other units than bits.
fn typed(classes: usize) -> Dbn {
    let rbm = random_rbm(40, 33, 0, 1.0, 1);
    let layers = Layers { visible: Units::of(UnitKind::Spin, 40), hidden: Units::of(UnitKind::Relu, 33) };
    let rbm = rbm.with_layers(layers, FieldTensors::default(), FieldTensors::default()).unwrap();
    let labels = random_rbm(40, 33, classes, 1.0, 2).labels().cloned();
    Dbn::from_rbms(vec![labels.map_or(rbm.clone(), |labels| rbm.with_labels(labels).unwrap())]).unwrap()
}

/// Probabilities at the top and at the bottom, and labels.
type Seen = (Vec<f64>, Vec<f64>, Vec<u32>);

/// All that chains show, each time they are looked at.
fn shown(dbn: &Dbn, labels: Option<&[u32]>, ranks: &Shared) -> Result<Vec<Seen>> {
    let mut chains = Chains::new(dbn, 11, labels, 3)?.among(ranks);
    let mut all = Vec::new();
    for steps in [0, 1, 2, 30] {
        chains.advance(steps)?;
        let probabilities = values(&chains.penultimate().probabilities);
        all.push((probabilities, values(&chains.show()?), chains.labels().to_vec()));
    }
    Ok(all)
}

#[test]
fn any_number_of_ranks_shows_what_one_process_does() {
    for dbn in [untied(&[9, 150, 70], 0, 0.7), untied(&[9, 150, 70], 3, 0.7), typed(0), typed(3)] {
        let clamp: Vec<u32> = (0..11).map(|chain| chain % dbn.classes().max(1) as u32).collect();
        for labels in [None, Some(&clamp[..])].into_iter().filter(|labels| dbn.classes() > 0 || labels.is_none()) {
            let alone = shown(&dbn, labels, &Shared::default()).unwrap();
            for ranks in [2, 3, 12] {
                for found in Threads::run(ranks, |group| shown(&dbn, labels, &Shared::among(&group))) {
                    assert!(found.unwrap() == alone, "{ranks} ranks, {} classes", dbn.classes());
                }
            }
        }
    }
}
