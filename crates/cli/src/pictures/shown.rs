//! Samples that pictures show.

use super::sheet::Sheet;
use super::tiles::{ROW, showcase, tiles};
use crate::failure::Result;
use deepbelief_data::{Binarize, Split};

/// Samples in the order in which they are shown.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shown {
    /// As the model sees them, [n, visible].
    pub(crate) values: Vec<f32>,
    /// As they were before they were binarised, where they were.
    pub(crate) greys: Option<Vec<f32>>,
    /// What each is called; empty where they have no labels.
    pub(crate) names: Vec<String>,
}

impl Shown {
    /// Some `count` samples, of each class in turn.
    pub(crate) fn of(
        split: &Split,
        count: usize,
        binarize: Binarize,
        seed: u64,
        class_names: &[String],
    ) -> Result<Self> {
        let chosen = showcase(split, count);
        let values = split.batch(chosen.iter().copied(), binarize, seed)?.to_values();
        let grey = binarize != Binarize::None && split.layer().is_bernoulli();
        let greys = grey.then(|| split.batch(chosen.iter().copied(), Binarize::None, seed)).transpose()?;
        let greys = greys.map(|batch| batch.to_values()).filter(|greys| *greys != values);
        let name = |label: u32| class_names.get(label as usize).cloned().unwrap_or_else(|| label.to_string());
        let names = chosen.iter().filter_map(|&sample| split.label(sample)).map(name).collect();
        Ok(Self { values, greys, names })
    }

    /// The first row of a picture, and the second where samples were binarised: what it is called, and the samples.
    pub(super) fn rows(&self) -> Vec<(&'static str, &[f32])> {
        match &self.greys {
            Some(greys) => vec![("original", greys.as_slice()), ("binary draw", self.values.as_slice())],
            None => vec![("data", self.values.as_slice())],
        }
    }

    /// Rows of samples of so many `units` that belong together, under their labels. More than fit side by side go on below,
    /// each group with its own labels; what samples are called stands above one group, and else below its first row.
    pub(super) fn sheet(&self, title: String, rows: &[(&str, &[f32])], units: usize, shape: (usize, usize)) -> Sheet {
        let columns = self.values.len() / units.max(1);
        let group = |start: usize| {
            let part = move |values: &[f32]| tiles(values, units).into_iter().skip(start).take(ROW).collect();
            rows.iter().map(move |&(label, values)| (label.to_string(), part(values)))
        };
        let (row_labels, all): (Vec<_>, Vec<_>) = (0..columns).step_by(ROW).flat_map(group).unzip();
        let mut sheet = Sheet { title, row_labels, rows: all, shape, ..Sheet::default() };
        if columns <= ROW {
            sheet.column_labels.clone_from(&self.names);
        } else if !self.names.is_empty() {
            let below = |names: &[String]| {
                let names = names.to_vec();
                (0..rows.len()).map(move |row| if row == 0 { names.clone() } else { Vec::new() })
            };
            sheet.captions = self.names.chunks(ROW).flat_map(below).collect();
        }
        sheet
    }
}
