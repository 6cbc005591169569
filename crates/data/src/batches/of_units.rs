//! Samples of visible units of any kind.

use std::ops::Range;

use deepbelief_kernels::{UnitKind, Units};

use super::binarize::Binarize;
use super::split::Split;
use crate::error::Error;
use crate::place::Place;
use crate::schema::conversion::Conversion;
use crate::schema::pixels::Pixels;
use crate::schema::scaling::Scaling;
use crate::schema::store::Store;
use crate::tables::values::Values;

impl Split {
    /// Samples [samples, units], row-major, and one label a sample. The units are Bernoulli; values of other units are
    /// those of [`Split::of_units`], or of a file that [`load`](crate::load) reads.
    ///
    /// # Errors
    /// If there are no samples or no units, more than
    /// [`MAX_UNITS`](deepbelief_kernels::MAX_UNITS) units, values that do not fill whole samples
    /// or lie outside [0, 1], or another number of labels than samples.
    pub fn new(units: usize, pixels: Pixels, labels: Option<Vec<u32>>) -> Result<Self, Error> {
        let layer = Units::of(UnitKind::Bernoulli, units);
        if let Pixels::Floats(floats) = &pixels {
            require_fit(&layer, floats)?;
        }
        Self::of(layer, Store::Held(pixels), labels)
    }

    /// Samples [samples, columns] of any visible units, row-major, and one label a sample: real numbers for Gaussian
    /// units, 0 and 1 for spins, one-hot for categorical units, values in [0, 1] for Bernoulli units.
    ///
    /// Real numbers are learned as they are: columns of them should have mean 0 and deviation 1. Those of a file, and
    /// those that `Dataset::of_blocks` takes, are scaled so for Gaussian units.
    ///
    /// ```
    /// use deepbelief_data::Split;
    /// use deepbelief_kernels::{UnitKind, Units};
    ///
    /// # fn main() -> Result<(), deepbelief_data::Error> {
    /// // Three rows of two measurements.
    /// let values = vec![-1.2, 0.3, 0.0, -1.1, 1.2, 0.8];
    /// let split = Split::of_units(Units::of(UnitKind::Gaussian, 2), values, None)?;
    /// assert_eq!(split.samples(), 3);
    /// // A model of them has these units, as `visible_units` of its settings.
    /// assert_eq!(split.layer().to_string(), "2 gaussian");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`Split::new`]; if a value is none of its unit.
    pub fn of_units(layer: Units, values: Vec<f32>, labels: Option<Vec<u32>>) -> Result<Self, Error> {
        require_fit(&layer, &values)?;
        let states = layer.is_discrete() && values.iter().all(|x| x.fract() == 0.0);
        let conversion = Conversion { scaling: Scaling::None, whole: states };
        Self::of(layer, Store::Held(conversion.apply(Values::Floats(values))), labels)
    }

    /// Refuses values that are no means of the units.
    pub(super) fn require_means(&self, values: &[f32]) -> Result<(), Error> {
        for (_, columns) in self.layer().each().filter(|(segment, _)| segment.units.is_discrete()) {
            let in_range = |row: &[f32]| row[columns.clone()].iter().all(|x| (0.0..=1.0).contains(x));
            if !values.chunks_exact(self.units()).all(in_range) {
                let (got, expected) = ("others".into(), "0 to 1 of units that are no numbers".into());
                return Err(Error::Setting { name: "values", got, expected });
            }
        }
        if !values.iter().all(|x| x.is_finite()) {
            let (got, expected) = ("not finite".into(), "finite numbers".into());
            return Err(Error::Setting { name: "values", got, expected });
        }
        Ok(())
    }

    /// How samples become states, where it is asked to be so: real values stay, as do all beside them, and what are
    /// states already are taken as they are.
    pub(crate) fn binarized(&self, asked: Binarize) -> Binarize {
        match self.layer().is_discrete() {
            false => Binarize::None,
            true if !self.layer().is_bernoulli() && self.has_bytes() => Binarize::Threshold(0.5),
            true => asked,
        }
    }
}

/// Refuses values, row-major [samples, columns], that are none of their units.
fn require_fit(layer: &Units, values: &[f32]) -> Result<(), Error> {
    for (row, values) in values.chunks_exact(layer.columns().max(1)).enumerate() {
        if let Some((column, expected)) = unfit(layer, values) {
            let value = values[column];
            let cure = match expected {
                _ if value.is_nan() => {
                    "; leave the row out, or put such a value there and mark it as missing, by `Split::with_missing`"
                }
                FRACTION => "; scale the values, or give columns of real numbers Gaussian units, by `Split::of_units`",
                _ => "",
            };
            let place = Place { what: "samples".into(), row, line: None, column, name: None };
            return Err(Error::OutOfRange { place, value, expected: format!("{expected}{cure}"), fitted: true });
        }
    }
    Ok(())
}

/// What a Bernoulli unit has.
const FRACTION: &str = "0 to 1";

/// The first column whose value is none of its unit, and what is.
fn unfit(layer: &Units, row: &[f32]) -> Option<(usize, &'static str)> {
    layer.each().find_map(|(segment, columns)| match segment.units {
        UnitKind::Bernoulli => first(row, columns, |x| (0.0..=1.0).contains(&x), FRACTION),
        UnitKind::Spin => first(row, columns, |x| x == 0.0 || x == 1.0, "0 or 1, for the spins -1 and 1"),
        UnitKind::Relu => first(row, columns, |x| (0.0..f32::INFINITY).contains(&x), "a finite number from 0 up"),
        UnitKind::Gaussian | UnitKind::Drelu => first(row, columns, f32::is_finite, "a finite number"),
        UnitKind::Categorical => columns.step_by(segment.levels).find_map(|site| {
            let levels = &row[site..site + segment.levels];
            let on = levels.iter().filter(|&&x| x == 1.0).count();
            let is_one_hot = on == 1 && levels.iter().all(|&x| x == 0.0 || x == 1.0);
            (!is_one_hot).then_some((site, "one level of the category on: 1 in one column of it and 0 in the others"))
        }),
    })
}

/// The first of these columns that does not fit, and what was expected there.
fn first(
    row: &[f32],
    columns: Range<usize>,
    fits: impl Fn(f32) -> bool,
    expected: &'static str,
) -> Option<(usize, &'static str)> {
    let from = columns.start;
    row[columns].iter().position(|&x| !fits(x)).map(|at| (from + at, expected))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{BatchConfig, Minibatcher};
    use deepbelief_kernels::{Batch, Minibatches, Segment};

    fn units(kinds: &[(UnitKind, usize)]) -> Units {
        kinds.iter().map(|&(units, levels)| Segment { units, levels, sites: 1 }).collect()
    }

    fn dealt(split: &Split, binarize: Binarize) -> Batch {
        let config = BatchConfig { batch_size: split.samples(), binarize, ..BatchConfig::default() };
        let mut batches = Minibatcher::new(split, config).unwrap();
        assert_eq!(batches.layer(), Some(split.layer()));
        let (mut batch, all) = (Batch::default(), split.batch(0..split.samples(), binarize, 0).unwrap());
        batches.fill(0, &mut batch);
        let sorted = |batch: &Batch| {
            let values = batch.to_values();
            let mut rows: Vec<Vec<u32>> =
                values.chunks(split.units()).map(|row| row.iter().map(|x| x.to_bits()).collect()).collect();
            rows.sort_unstable();
            rows
        };
        assert_eq!(sorted(&batch), sorted(&all));
        assert_eq!(matches!(batch, Batch::Binary(_)), matches!(all, Batch::Binary(_)));
        all
    }

    #[test]
    fn states_are_dealt_as_they_are_however_they_are_asked_for() {
        let layer = units(&[(UnitKind::Categorical, 3), (UnitKind::Spin, 1)]);
        let values = vec![0.0, 1.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0];
        let split = Split::of_units(layer, values.clone(), None).unwrap();
        for binarize in [Binarize::None, Binarize::Threshold(0.9), Binarize::Fixed, Binarize::Fresh] {
            let batch = dealt(&split, binarize);
            assert!(matches!(batch, Batch::Binary(_)));
            assert_eq!(batch.to_values(), values);
        }
    }

    #[test]
    fn beside_gaussian_units_all_values_stay() {
        let layer = units(&[(UnitKind::Gaussian, 1), (UnitKind::Categorical, 2), (UnitKind::Bernoulli, 1)]);
        let values = vec![-31.5, 1.0, 0.0, 0.25, 2.5, 0.0, 1.0, 0.75];
        let split = Split::of_units(layer, values.clone(), None).unwrap();
        for binarize in [Binarize::None, Binarize::Fixed, Binarize::Fresh] {
            let batch = dealt(&split, binarize);
            assert!(matches!(batch, Batch::Real { .. }));
            assert_eq!(batch.to_values(), values);
        }
        let mean = split.mean().unwrap();
        assert_eq!((mean.as_slice(), split.variance(&mean).unwrap()[0]), (&[-14.5, 0.5, 0.5, 0.5][..], 289.0));
    }

    /// Fractions are drawn as they are asked for; categories beside them are what they are.
    #[test]
    fn fractions_beside_categories_are_drawn_alone() {
        let layer = units(&[(UnitKind::Categorical, 2), (UnitKind::Bernoulli, 1)]);
        let split = Split::of_units(layer, [1.0, 0.0, 0.5].repeat(64), None).unwrap();
        assert!(matches!(dealt(&split, Binarize::None), Batch::Real { .. }));
        let drawn = split.batch(0..64, Binarize::Fixed, 7).unwrap().to_values();
        assert!(drawn.chunks(3).all(|row| row[..2] == [1.0, 0.0]));
        let on = drawn.chunks(3).filter(|row| row[2] == 1.0).count();
        assert!((16..=48).contains(&on), "{on} of 64");
    }

    #[test]
    fn what_is_no_value_of_its_unit_is_refused() {
        let refused = |kind, levels, values: &[f32]| {
            Split::of_units(units(&[(kind, levels)]), values.to_vec(), None).unwrap_err().to_string()
        };
        for (kind, levels, values, expected) in [
            (
                UnitKind::Categorical,
                2,
                &[1.0, 0.0, 1.0, 1.0][..],
                "row 1, column 0 (counted from 0) is 1, expected one level",
            ),
            (UnitKind::Categorical, 2, &[0.5, 0.5], "is 0.5, expected one level of the category on"),
            (UnitKind::Spin, 1, &[1.0, -1.0], "is -1, expected 0 or 1, for the spins -1 and 1"),
            (UnitKind::Gaussian, 1, &[1.0, f32::INFINITY], "is inf, expected a finite number"),
            (UnitKind::Relu, 1, &[-0.5], "is -0.5, expected a finite number from 0 up"),
            (
                UnitKind::Bernoulli,
                1,
                &[1.5],
                "is 1.5, expected 0 to 1; scale the values, or give columns of real numbers Gaussian units, by \
                 `Split::of_units`",
            ),
            (
                UnitKind::Gaussian,
                1,
                &[0.5, f32::NAN],
                "is NaN, expected a finite number; leave the row out, or put such a value there and mark it as missing, \
                 by `Split::with_missing`",
            ),
        ] {
            let error = refused(kind, levels, values);
            assert!(error.contains(expected) && !error.contains("minmax"), "{error}");
        }
    }
}
