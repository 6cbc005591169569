//! What a model does on data, for its report: reconstructions, what its units do, which labels it predicts.

use super::table;
use crate::failure::Result;
use crate::pictures::{Crowd, Gallery, Net, Sheet, Subject, autoencoded, reconstructions, values};
use candle_core::{Device, Tensor};
use deepbelief_finetune::{Network, Objective};
use deepbelief_report::observed::{Confusion, Observed, Sheet as Seen, Units};
use deepbelief_stack::Dbn;

/// A model to look at.
pub(crate) enum Look {
    /// An RBM or a deep belief net.
    Net(Dbn),
    /// A feed-forward network.
    Network(Network),
}

/// Looks at a model that has done so many epochs. `fantasies` are what it dreams, where that was drawn, and a thorough
/// look; what is not looked at stays as it was `before`.
pub(super) fn observe(
    look: &Look,
    gallery: &Gallery,
    seed: u64,
    epochs: usize,
    fantasies: Option<&Sheet>,
    thorough: bool,
    before: &Observed,
) -> Result<Observed> {
    let seen = |kind: &str, sheet: &Sheet| of_sheet(kind, sheet, epochs);
    let kept = |kind: &str| before.sheets.iter().find(|sheet| sheet.kind == kind).cloned();
    let mut sheets: Vec<Seen> = Vec::new();
    sheets.extend(reconstructed(look, gallery, seed, epochs)?.map(|sheet| seen("reconstructions", &sheet)));
    sheets.extend(fantasies.map(|sheet| seen("fantasies", sheet)).or_else(|| kept("fantasies")));
    let table = match look {
        Look::Net(dbn) => table::of(dbn, gallery, seed, thorough, before.table.as_ref())?,
        Look::Network(_) => None,
    };
    Ok(Observed {
        command: before.command.clone(),
        epochs,
        warnings: before.warnings.clone(),
        class_names: gallery.class_names.clone(),
        sheets,
        units: units(look, &gallery.crowd)?,
        confusion: confusion(look, &gallery.crowd)?,
        table,
        gaps: gallery.gaps,
        samples: gallery.learned,
        compared: before.compared,
    })
}

fn reconstructed(look: &Look, gallery: &Gallery, seed: u64, epochs: usize) -> Result<Option<Sheet>> {
    let Some(shape) = gallery.shape.filter(|_| !gallery.samples.values.is_empty()) else { return Ok(None) };
    Ok(Some(match look {
        Look::Net(dbn) if dbn.depth() == 1 && dbn.classes() == 0 => {
            reconstructions(Subject { rbm: dbn.top(), epochs: epochs as u32, shape, seed }, &gallery.samples)?
        }
        Look::Net(dbn) => Net { dbn, shape }.reconstructions(&gallery.samples)?,
        Look::Network(network) if network.objective() == Objective::Autoencoder => {
            autoencoded(network, shape, &gallery.samples)?
        }
        Look::Network(_) => return Ok(None),
    }))
}

fn of_sheet(kind: &str, sheet: &Sheet, epochs: usize) -> Seen {
    Seen {
        kind: kind.to_string(),
        epochs,
        title: sheet.title.clone(),
        column_labels: sheet.column_labels.clone(),
        row_labels: sheet.row_labels.clone(),
        captions: sheet.captions.clone(),
        width: sheet.shape.0,
        height: sheet.shape.1,
        rows: sheet.rows.iter().map(|row| row.iter().map(|tile| Seen::greys(tile)).collect()).collect(),
    }
}

/// The samples as a tensor; none if there are none.
fn samples(crowd: &Crowd, visible: usize) -> Result<Option<Tensor>> {
    let rows = crowd.values.len() / visible.max(1);
    (rows > 0).then(|| Ok(Tensor::from_slice(&crowd.values, (rows, visible), &Device::Cpu)?)).transpose()
}

/// What the units of every layer do.
fn units(look: &Look, crowd: &Crowd) -> Result<Vec<Units>> {
    let visible = match look {
        Look::Net(dbn) => dbn.visible(),
        Look::Network(network) => network.visible(),
    };
    let Some(v) = samples(crowd, visible)? else { return Ok(Vec::new()) };
    let depth = match look {
        Look::Net(dbn) => dbn.depth(),
        Look::Network(network) => network.depth(),
    };
    let of = |layer: usize| -> Result<Units> {
        let states = match look {
            Look::Net(dbn) => dbn.encode(&v, layer, None)?,
            Look::Network(network) => network.encode(&v, layer)?,
        };
        let (rows, units) = states.dims2()?;
        Ok(means(&values(&states)?, rows, units, &crowd.labels))
    };
    (1..=depth).map(of).collect()
}

/// Mean states [rows, units], and the class in which each is the greatest.
fn means(states: &[f32], rows: usize, units: usize, labels: &[u32]) -> Units {
    let classes = if labels.len() == rows { labels.iter().max().map_or(0, |&most| most as usize + 1) } else { 0 };
    let mut sums = vec![vec![0.0f64; units]; classes.max(1)];
    let mut counts = vec![0usize; classes.max(1)];
    for (row, states) in states.chunks(units.max(1)).enumerate() {
        let class = if classes > 0 { labels[row] as usize } else { 0 };
        counts[class] += 1;
        sums[class].iter_mut().zip(states).for_each(|(sum, &state)| *sum += f64::from(state));
    }
    let mean = |class: usize, unit: usize| sums[class][unit] / counts[class].max(1) as f64;
    let strongest = |unit: usize| {
        let there = (0..classes).filter(|&class| counts[class] > 0);
        there.max_by(|&a, &b| mean(a, unit).total_cmp(&mean(b, unit)).then(b.cmp(&a))).unwrap_or(0) as u32
    };
    let all = |unit: usize| (sums.iter().map(|sums| sums[unit]).sum::<f64>() / rows.max(1) as f64) as f32;
    Units {
        samples: rows,
        activity: (0..units).map(all).collect(),
        class: if classes > 0 { (0..units).map(strongest).collect() } else { Vec::new() },
    }
}

/// Labels and what they are taken for, where the model predicts them.
fn confusion(look: &Look, crowd: &Crowd) -> Result<Option<Confusion>> {
    let (classes, visible) = match look {
        Look::Net(dbn) => (dbn.classes(), dbn.visible()),
        Look::Network(network) => (network.classes(), network.visible()),
    };
    let Some(v) = samples(crowd, visible)?.filter(|_| classes > 0) else { return Ok(None) };
    if crowd.labels.len() != v.dim(0)? || crowd.labels.iter().any(|&label| label as usize >= classes) {
        return Ok(None);
    }
    let predicted = match look {
        Look::Net(dbn) => dbn.classify(&v)?,
        Look::Network(network) => network.forward(&v)?.argmax(1)?.to_vec1()?,
    };
    let mut counts = vec![vec![0; classes]; classes];
    for (&label, &found) in crowd.labels.iter().zip(&predicted) {
        counts[label as usize][(found as usize).min(classes - 1)] += 1;
    }
    Ok(Some(Confusion { of: crowd.of.to_string(), counts }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_belong_to_the_class_that_they_are_most_active_for() {
        let found = means(&[0.1, 0.9, 0.3, 0.8, 1.0, 0.1], 3, 2, &[0, 0, 2]);
        assert_eq!((found.samples, found.class), (3, vec![2, 0]));
        let expected = [(0.1 + 0.3 + 1.0) / 3.0, (0.9 + 0.8 + 0.1) / 3.0];
        assert!(found.activity.iter().zip(expected).all(|(a, b): (&f32, f32)| (a - b).abs() < 1e-6));
        assert!(means(&[0.5, 0.5], 2, 1, &[]).class.is_empty());
    }
}
