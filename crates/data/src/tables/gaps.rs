//! Missing values of a table: noted, and filled so that the table is one of numbers.

use std::path::Path;

use deepbelief_kernels::{UnitKind, Units};

use super::table::{Cells, Range, Table};
use super::values::Values;
use crate::error::Error;
use crate::memory::room::reserve;

/// Notes which values of both tables are missing, and puts there what is most probable in the training data: of a
/// categorical unit the most frequent level, of a Gaussian one 0, of others the more frequent value where a column has
/// 0 and 1 alone, else the mean of its values. Returns the ranges of both. Without gaps no value is looked at more than
/// once.
pub(crate) fn fill_gaps(
    train: &mut Table,
    mut test: Option<&mut Table>,
    units: &Units,
) -> Result<(Range, Option<Range>), Error> {
    let mut of_train = train.range()?;
    let mut of_test = test.as_deref().map(Table::range).transpose()?;
    if of_train.gaps || of_test.is_some_and(|range| range.gaps) {
        let stand_ins = probable(train, of_train, units)?;
        let filled = |table: &mut Table, range: &mut Range| {
            if range.gaps {
                fill(table, &stand_ins)?;
                *range = table.range()?;
            }
            Ok::<_, Error>(())
        };
        filled(train, &mut of_train)?;
        if let (Some(test), Some(range)) = (&mut test, &mut of_test) {
            filled(test, range)?;
        }
    }
    Ok((of_train, of_test))
}

/// What is most probable in every column.
fn probable(table: &Table, range: Range, units: &Units) -> Result<Vec<f32>, Error> {
    let (mut sums, mut counts) = (vec![0.0f64; table.units], vec![0u32; table.units]);
    let mut binary = vec![true; table.units];
    table.each_row(|row| {
        for (unit, &x) in row.iter().enumerate().filter(|(_, x)| !x.is_nan()) {
            sums[unit] += f64::from(x);
            counts[unit] += 1;
            binary[unit] = binary[unit] && (x == 0.0 || x == 1.0);
        }
    })?;
    let of = |unit: usize| match (counts[unit], binary[unit]) {
        (0, _) => range.min,
        (count, true) => f32::from(u8::from(2.0 * sums[unit] > f64::from(count))),
        (count, false) => (sums[unit] / f64::from(count)) as f32,
    };
    let mut stand_ins: Vec<f32> = (0..table.units).map(of).collect();
    for (segment, columns) in units.each() {
        match segment.units {
            UnitKind::Gaussian => stand_ins[columns].fill(0.0),
            UnitKind::Categorical => {
                let (sums, stand_ins) = (&sums[columns.clone()], &mut stand_ins[columns]);
                for (sums, levels) in sums.chunks(segment.levels).zip(stand_ins.chunks_mut(segment.levels)) {
                    let most =
                        (1..sums.len()).fold(0, |most, level| if sums[level] > sums[most] { level } else { most });
                    levels.fill(0.0);
                    levels[most] = 1.0;
                }
            }
            _ => {}
        }
    }
    Ok(stand_ins)
}

/// Notes which values are missing, and puts the stand-in of their column there.
fn fill(table: &mut Table, stand_ins: &[f32]) -> Result<(), Error> {
    let (units, what) = (table.units, table.what.clone());
    let blocks = units.div_ceil(32);
    if let Cells::File(_) | Cells::Held(Values::Doubles(_)) = table.values {
        let mut held = Vec::new();
        reserve(Path::new(&what), &mut held, table.values.len())?;
        table.each_row(|row| held.extend_from_slice(row))?;
        table.values = Values::Floats(held).into();
    }
    let Cells::Held(Values::Floats(values)) = &mut table.values else { return Ok(()) };
    let mut missing = Vec::new();
    reserve(Path::new(&what), &mut missing, blocks * values.len() / units.max(1))?;
    for row in values.chunks_exact_mut(units) {
        for (values, stand_ins) in row.chunks_mut(32).zip(stand_ins.chunks(32)) {
            let mut word = 0u32;
            for (bit, (x, &stand_in)) in values.iter_mut().zip(stand_ins).enumerate() {
                if x.is_nan() {
                    (*x, word) = (stand_in, word | 1 << bit);
                }
            }
            missing.push(word);
        }
    }
    table.missing = Some(missing);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use deepbelief_kernels::Segment;

    #[test]
    fn gaps_are_noted_and_hold_what_the_training_data_make_probable() {
        const NAN: f32 = f32::NAN;
        let table = |values: &[f32]| Table::new("t", 3, Values::Floats(values.to_vec()));
        let mut train = table(&[1.0, 0.5, 7.0, NAN, 0.0, NAN, 1.0, NAN, 9.0, 0.0, 0.1, 8.0]);
        let mut test = table(&[NAN, NAN, NAN]);
        let bernoulli = Units::of(UnitKind::Bernoulli, 3);
        fill_gaps(&mut train, Some(&mut test), &bernoulli).unwrap();
        assert_eq!(train.missing, Some(vec![0, 0b101, 0b010, 0]));
        assert_eq!(test.missing, Some(vec![0b111]));
        let Cells::Held(Values::Floats(values)) = &train.values else { panic!() };
        assert_eq!(values[3..9], [1.0, 0.0, 8.0, 1.0, 0.2, 9.0]);
        let Cells::Held(Values::Floats(values)) = &test.values else { panic!() };
        assert_eq!(values, &[1.0, 0.2, 8.0]);
        let mut whole = table(&[1.0, 2.0, 3.0]);
        let (range, _) = fill_gaps(&mut whole, None, &bernoulli).unwrap();
        assert_eq!((whole.missing, range.min, range.max, range.gaps), (None, 1.0, 3.0, false));
        let (range, of_test) =
            fill_gaps(&mut table(&[4.0, NAN, 6.0]), Some(&mut table(&[NAN, 2.0, 9.0])), &bernoulli).unwrap();
        let of_test = of_test.unwrap();
        assert_eq!((range.min, range.max, range.gaps), (4.0, 6.0, false), "the ranges are those of what was filled");
        assert_eq!((of_test.min, of_test.max, of_test.gaps), (2.0, 9.0, false));
    }

    #[test]
    fn a_categorical_unit_without_a_value_holds_the_most_frequent_level_and_a_gaussian_one_its_mean() {
        const NAN: f32 = f32::NAN;
        let gaussian = Segment { units: UnitKind::Gaussian, levels: 1, sites: 1 };
        let categorical = Segment { units: UnitKind::Categorical, levels: 2, sites: 1 };
        let units: Units = [gaussian, categorical].into_iter().collect();
        let rows = vec![2.0, 0.0, 1.0, NAN, 0.0, 1.0, 1.0, 1.0, 0.0, 0.5, NAN, NAN];
        let mut table = Table::new("t", 3, Values::Floats(rows));
        fill_gaps(&mut table, None, &units).unwrap();
        assert_eq!(table.missing, Some(vec![0, 0b001, 0, 0b110]));
        let Cells::Held(Values::Floats(values)) = &table.values else { panic!() };
        assert_eq!((&values[3..6], &values[9..]), (&[0.0, 0.0, 1.0][..], &[0.5, 0.0, 1.0][..]));
    }
}
