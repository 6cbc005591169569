//! A label as a unit of the visible layer: the last one, categorical, with a level a class.
//!
//! The engine for units of any kinds knows labels in this form alone. Bernoulli units have an engine that keeps label
//! columns of its own; its parameters, and those in files of models, stand apart from those of the other units.

use super::layers::{Layers, Segment, UnitKind, Units};
use crate::learning::parameters::Parameters;
use crate::states::batch::Batch;
use crate::states::bits::Bits;
use crate::states::missing::Missing;

impl Units {
    /// These and, last, a label of so many classes; none of no classes.
    #[must_use]
    pub fn with_label(&self, classes: usize) -> Self {
        let label = Segment { units: UnitKind::Categorical, levels: classes.max(1), sites: usize::from(classes > 0) };
        self.segments().iter().copied().chain([label]).collect()
    }

    /// These without their last unit, a label of so many classes.
    ///
    /// # Panics
    /// If the last unit is not such a one.
    #[must_use]
    pub fn without_label(&self, classes: usize) -> Self {
        let mut segments = self.segments().to_vec();
        if classes > 0 {
            let label =
                segments.last_mut().filter(|last| (last.units, last.levels) == (UnitKind::Categorical, classes));
            label.expect("the last unit is the label").sites -= 1;
        }
        segments.into_iter().collect()
    }
}

impl Layers {
    /// With a label of so many classes as the last visible unit.
    #[must_use]
    pub fn with_label(&self, classes: usize) -> Self {
        Self { visible: self.visible.with_label(classes), hidden: self.hidden.clone() }
    }

    /// Without the last visible unit, a label of so many classes.
    ///
    /// # Panics
    /// If the last visible unit is not such a one.
    #[must_use]
    pub fn without_label(&self, classes: usize) -> Self {
        Self { visible: self.visible.without_label(classes), hidden: self.hidden.clone() }
    }
}

impl Parameters {
    /// With what a label group has as the last visible unit.
    #[must_use]
    pub fn with_label_as_unit(mut self) -> Self {
        let classes = self.label_b.len();
        self.w_rec.append(&mut self.label_w);
        self.vb.append(&mut self.label_b);
        for (_, field) in self.visible_fields.each_mut().into_iter().filter(|(_, field)| !field.is_empty()) {
            field.resize(field.len() + classes, 0.0);
        }
        self
    }

    /// With what the last visible unit, a label of so many classes, has instead of a label group; as they are for no
    /// classes.
    ///
    /// # Panics
    /// If there are not so many visible columns.
    #[must_use]
    pub fn with_label_apart(mut self, classes: usize) -> Self {
        if classes == 0 {
            return self;
        }
        let visible = self.vb.len() - classes;
        self.label_b = self.vb.split_off(visible);
        self.label_w = self.w_rec.split_off(visible * self.hb.len());
        for (_, field) in self.visible_fields.each_mut() {
            field.truncate(visible);
        }
        self
    }
}

impl Batch {
    /// Samples and, as their last unit, their labels; all levels off where there are none.
    ///
    /// # Panics
    /// If there are labels and not one of the classes a sample.
    #[must_use]
    pub fn with_labels(&self, labels: &[u32], classes: usize) -> Self {
        let units = self.units();
        let mut batch = match self {
            Self::Binary(bits) => Self::Binary(widened(bits, classes)),
            Self::Real { rows, values, .. } => {
                let mut all = vec![0.0; rows * (units + classes)];
                for (all, own) in all.chunks_exact_mut(units + classes).zip(values.chunks_exact(units.max(1))) {
                    all[..units].copy_from_slice(own);
                }
                Self::Real { rows: *rows, units: units + classes, values: all }
            }
        };
        if !labels.is_empty() {
            batch.set_labels(labels, classes);
        }
        batch
    }

    /// Gives samples whose last unit is the label other labels.
    ///
    /// # Panics
    /// If there is not one of the classes a sample.
    pub fn set_labels(&mut self, labels: &[u32], classes: usize) {
        assert_eq!(labels.len(), self.rows(), "one label a sample");
        let first = self.units() - classes;
        for (row, &label) in labels.iter().enumerate() {
            assert!((label as usize) < classes, "a label of the classes");
            let levels = (0..classes).map(|level| (first + level, f32::from(u8::from(level == label as usize))));
            self.put(row, levels);
        }
    }

    /// The samples without their last unit, and that as labels: the most probable level of each.
    #[must_use]
    pub fn without_labels(&self, classes: usize) -> (Self, Vec<u32>) {
        let units = self.units() - classes;
        let level = |row: usize| {
            let more = |best: usize, level: usize| {
                if self.value(row, units + level) > self.value(row, units + best) { level } else { best }
            };
            (0..classes).fold(0, more) as u32
        };
        let labels = (0..self.rows()).map(level).collect();
        let samples = match self {
            Self::Binary(bits) => {
                let mut own = Bits::zeros(bits.rows(), units);
                copy(bits, &mut own);
                Self::Binary(own)
            }
            Self::Real { rows, units: all, values } => {
                let own = values.chunks_exact((*all).max(1)).flat_map(|row| &row[..units]).copied().collect();
                Self::Real { rows: *rows, units, values: own }
            }
        };
        (samples, labels)
    }
}

impl Missing {
    /// Of samples whose last unit is their label, which is never missing.
    #[must_use]
    pub fn with_labels(&self, classes: usize) -> Self {
        Self { samples: self.samples.clone(), cells: widened(&self.cells, classes) }
    }
}

/// With so many units more, which are off.
fn widened(bits: &Bits, more: usize) -> Bits {
    let mut wide = Bits::zeros(bits.rows(), bits.units() + more);
    copy(bits, &mut wide);
    wide
}

/// Copies the units that both have.
fn copy(from: &Bits, to: &mut Bits) {
    for block in 0..from.blocks().min(to.blocks()) {
        for row in 0..from.rows() {
            to.set_word(row, block, from.word(row, block));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::learning::parameters::Fields;

    /// Across the words of bits, and of values: what is put together is what was taken apart.
    #[test]
    fn labels_are_put_beside_samples_and_taken_away() {
        for (units, classes) in [(3, 2), (30, 5), (32, 3), (40, 33)] {
            let (rows, labels) = (4, vec![0, 1, classes as u32 - 1, 1]);
            let values: Vec<f32> = (0..rows * units).map(|i| f32::from(u8::from(i % 3 == 1))).collect();
            for batch in [
                Batch::Binary(Bits::from_values(rows, units, &values)),
                Batch::Real { rows, units, values: values.clone() },
            ] {
                let joint = batch.with_labels(&labels, classes);
                assert_eq!(joint.units(), units + classes);
                for (row, joint) in joint.to_values().chunks_exact(units + classes).enumerate() {
                    assert_eq!(joint[..units], values[row * units..(row + 1) * units]);
                    let on: Vec<usize> = (0..classes).filter(|level| joint[units + level] == 1.0).collect();
                    assert_eq!(on, [labels[row] as usize]);
                }
                assert_eq!(joint.without_labels(classes), (batch.clone(), labels.clone()));
                let mut others = joint;
                others.set_labels(&[1; 4], classes);
                assert_eq!(others.without_labels(classes), (batch.clone(), vec![1; 4]));
                assert_eq!(batch.with_labels(&[], classes).without_labels(classes).0, batch);
            }
        }
    }

    #[test]
    fn units_and_parameters_with_a_label_are_those_without_and_a_group() {
        let visible: Units = [
            Segment { units: UnitKind::Gaussian, levels: 1, sites: 1 },
            Segment { units: UnitKind::Categorical, levels: 2, sites: 1 },
        ]
        .into_iter()
        .collect();
        let layers = Layers { visible, hidden: Units::of(UnitKind::Bernoulli, 2) };
        for classes in [0, 2, 3] {
            let joint = layers.with_label(classes);
            assert_eq!(joint.visible.columns(), 3 + classes);
            assert_eq!(joint.without_label(classes), layers);
            let numbers = |from: usize, len: usize| (from..from + len).map(|i| i as f32).collect::<Vec<_>>();
            let apart = Parameters {
                w_rec: numbers(0, 6),
                hb: numbers(10, 2),
                vb: numbers(20, 3),
                visible_fields: Fields { log_precision: vec![0.5, 0.0, 0.0], ..Fields::default() },
                hidden_fields: Fields::default(),
                label_w: numbers(30, 2 * classes),
                label_b: numbers(40, classes),
            };
            let as_unit = apart.clone().with_label_as_unit();
            assert_eq!((as_unit.w_rec.len(), as_unit.vb.len()), (2 * (3 + classes), 3 + classes));
            assert_eq!(as_unit.visible_fields.log_precision.len(), 3 + classes);
            assert_eq!(as_unit.with_label_apart(classes), apart);
        }
    }
}
