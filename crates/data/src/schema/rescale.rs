//! Bringing values into [0, 1], where a visible unit lives.
//!
//! Whatever comes out as k / 255 with whole k is kept as a byte, whatever the file held it as;
//! everything else becomes a 32-bit float. Nothing is clipped: what does not fit is refused.

use super::conversion::Conversion;
use super::scale::Scale;
use super::scaling::Scaling;
use super::store::Store;
use crate::error::Error;
use crate::number::narrow;
use crate::tables::table::{Cells, Range, Table};
use crate::tables::values::Values;

/// What became of values.
pub(crate) struct Scaled {
    pub(crate) train: Store,
    pub(crate) test: Option<Store>,
    pub(crate) scaling: Scaling,
    /// What was taken for an end of the range.
    pub(crate) notes: Vec<String>,
}

/// Takes values as they are, of units that are not all Bernoulli: bytes where they are the states of `discrete` units.
pub(crate) fn keep(table: &mut Table, range: Range, discrete: bool) -> Store {
    taken(table, Conversion { scaling: Scaling::None, whole: discrete && range.whole })
}

/// Scales training and test values alike, whose ranges are these. With `clamp`, values beyond a range that was found in
/// other data are taken for its ends.
pub(crate) fn scale(
    train: &mut Table,
    test: Option<&mut Table>,
    (of_train, of_test): (Range, Option<Range>),
    scale: Scale,
    clamp: bool,
) -> Result<Scaled, Error> {
    let scaling = match scale {
        Scale::By255 => Scaling::By255,
        Scale::Auto => {
            let scaling = told_by_values(train, of_train)?;
            if let (Scaling::By255, Some(test)) = (scaling, test.as_deref()) {
                refuse(test, |x| x.fract() != 0.0, "a whole number from 0 to 255, as in the training data")?;
            }
            scaling
        }
        Scale::None => Scaling::None,
        Scale::Range { min, max } => Scaling::MinMax { min: min as f32, max: max as f32 },
        Scale::MinMaxColumns | Scale::Standard => {
            return Err(Error::Setting {
                name: "scale",
                got: scale.to_string(),
                expected: "another: pictures are not scaled column by column".into(),
            });
        }
        Scale::MinMax => {
            let of_test = of_test.unwrap_or(of_train);
            let (min, max) = (of_train.min.min(of_test.min), of_train.max.max(of_test.max));
            if min >= max {
                return Err(Error::Constant { what: train.what.clone(), value: min });
            }
            Scaling::MinMax { min, max }
        }
    };
    let mut notes = Vec::new();
    let mut apply = |table: &mut Table, range| {
        if clamp && matches!(scaling, Scaling::MinMax { .. }) {
            notes.extend(beyond(table, scaling)?);
        }
        apply(table, range, scaling, clamp)
    };
    let train = apply(train, of_train)?;
    let test = test.zip(of_test).map(|(test, range)| apply(test, range)).transpose()?;
    Ok(Scaled { train, test, scaling, notes })
}

/// Says how many values lie beyond the range of a scaling, and where the first does.
fn beyond(table: &Table, scaling: Scaling) -> Result<Option<String>, Error> {
    let (bottom, top) = scaling.ends();
    let (mut count, mut first) = (0usize, None);
    for part in table.values.parts() {
        let (start, values) = part?;
        let mut see = |(at, x): (usize, f32)| {
            if x < bottom || x > top {
                count += 1;
                first.get_or_insert((start + at, x));
            }
        };
        match &*values {
            Values::Bytes(bytes) => bytes.iter().map(|&x| f32::from(x)).enumerate().for_each(&mut see),
            Values::Floats(floats) => floats.iter().copied().enumerate().for_each(&mut see),
            Values::Doubles(doubles) => doubles.iter().map(|&x| narrow(x)).enumerate().for_each(&mut see),
        }
    }
    Ok(first.map(|(at, value)| {
        let of = if count == 1 { "value lies" } else { "values lie" };
        format!(
            "{count} {of} beyond the training data's range {bottom} to {top} and are taken for its ends, the first {value} in {}",
            table.place(at)
        )
    }))
}

/// Whole numbers up to 255 are grey levels of a byte where some are as large as this; else counts, grades or grey
/// levels of fewer bits, whose largest is the end of their range.
pub(crate) const BYTE: f32 = 128.0;

/// What [`Scale::Auto`] makes of training values with this range.
fn told_by_values(table: &Table, Range { min, max, whole, .. }: Range) -> Result<Scaling, Error> {
    if min < 0.0 || max > 255.0 {
        refuse(table, |x| !(0.0..=255.0).contains(&x), "0 to 1, or whole numbers from 0 to 255")?;
    }
    if max <= 1.0 {
        return Ok(Scaling::None);
    }
    if !whole && let Some((at, value)) = table.values.find(|x| x > 1.0)? {
        return Err(Error::UnclearRange { place: table.place(at), value, max });
    }
    Ok(if table.pictures || max >= BYTE { Scaling::By255 } else { Scaling::MinMax { min: 0.0, max } })
}

/// Whether training values of this range can have one scale for all: probabilities, or whole numbers of a byte.
pub(crate) fn have_one_scale(Range { min, max, whole, .. }: Range) -> bool {
    min >= 0.0 && (max <= 1.0 || whole && max <= 255.0)
}

/// Refuses the first value that is `unfit`.
fn refuse(table: &Table, unfit: impl Fn(f32) -> bool, expected: &str) -> Result<(), Error> {
    match table.values.find(unfit)? {
        Some((at, value)) => {
            Err(Error::OutOfRange { place: table.place(at), value, expected: expected.into(), fitted: false })
        }
        None => Ok(()),
    }
}

/// Takes the table's values and scales them; those in a file are scaled when they are read.
fn apply(table: &mut Table, range: Range, scaling: Scaling, clamp: bool) -> Result<Store, Error> {
    let (bottom, top) = scaling.ends();
    let taken_for_ends = clamp && matches!(scaling, Scaling::MinMax { .. });
    if !taken_for_ends
        && (range.min < bottom || range.max > top)
        && let Some((at, value)) = table.values.find(|x| !(bottom..=top).contains(&x))?
    {
        let as_there = if clamp { " as in the training data" } else { "" };
        let expected = format!("{bottom} to {top}{as_there}");
        return Err(Error::OutOfRange { place: table.place(at), value, expected, fitted: clamp });
    }
    Ok(taken(table, Conversion { scaling, whole: range.whole }))
}

fn taken(table: &mut Table, conversion: Conversion) -> Store {
    match std::mem::replace(&mut table.values, Values::Bytes(Vec::new()).into()) {
        Cells::Held(values) => Store::Held(conversion.apply(values)),
        Cells::File(rows) => Store::File { rows, conversion },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batches::split::Split;
    use crate::schema::columns::Schema;
    use crate::schema::pixels::{Pixels, Row};
    use crate::tables::block::BlockValues;
    use deepbelief_kernels::{UnitKind, Units};

    fn bernoulli(units: usize) -> Units {
        Units::of(UnitKind::Bernoulli, units)
    }

    fn bytes(values: &[u8]) -> Table {
        Table::new("t", 2, Values::Bytes(values.to_vec()))
    }

    fn floats(values: &[f32]) -> Table {
        Table::new("t", 2, Values::Floats(values.to_vec()))
    }

    /// By the ranges of all that is there.
    fn scale(train: &mut Table, test: Option<&mut Table>, how: Scale, clamp: bool) -> Result<Scaled, Error> {
        let ranges = (train.range()?, test.as_deref().map(Table::range).transpose()?);
        super::scale(train, test, ranges, how, clamp)
    }

    /// The values that come out, whether they are bytes, and what was said of them.
    fn scaled(mut table: Table, how: Scale) -> (Vec<f32>, bool, String) {
        let Scaled { train: pixels, scaling, .. } = scale(&mut table, None, how, false).unwrap();
        let kept = matches!(pixels, Store::Held(Pixels::Bytes(_)));
        let split = Split::of(bernoulli(1), pixels, None).unwrap();
        let mut out = vec![0.0; split.samples()];
        for (sample, out) in out.chunks_mut(1).enumerate() {
            split.row(sample).write(out);
        }
        (out, kept, scaling.to_string())
    }

    fn refused(mut table: Table, how: Scale) -> String {
        scale(&mut table, None, how, false).err().unwrap().to_string()
    }

    #[test]
    fn auto_keeps_unit_values_and_divides_byte_values() {
        assert_eq!(scaled(floats(&[0.0, 0.25]), Scale::Auto), (vec![0.0, 0.25], false, "as they are".into()));
        assert_eq!(scaled(bytes(&[0, 1]), Scale::Auto), (vec![0.0, 1.0], true, "as they are".into()));
        assert_eq!(scaled(floats(&[0.0, 1.0]), Scale::Auto), (vec![0.0, 1.0], true, "as they are".into()));
        assert_eq!(scaled(bytes(&[51, 255]), Scale::Auto), (vec![0.2, 1.0], true, "divided by 255".into()));
        assert_eq!(scaled(floats(&[51.0, 255.0]), Scale::Auto), (vec![0.2, 1.0], true, "divided by 255".into()));
        assert_eq!(scaled(floats(&[127.5, 0.0]), Scale::By255), (vec![0.5, 0.0], false, "divided by 255".into()));
    }

    /// Small whole numbers are grades or grey levels of a few bits.
    #[test]
    fn auto_divides_small_whole_numbers_by_their_largest() {
        assert_eq!(
            scaled(floats(&[7.0, 0.0]), Scale::Auto),
            (vec![1.0, 0.0], false, "mapped from 0..7 to 0..1".into())
        );
        assert_eq!(scaled(bytes(&[0, 16]), Scale::Auto), (vec![0.0, 1.0], false, "mapped from 0..16 to 0..1".into()));
        assert_eq!(scaled(bytes(&[0, 127]), Scale::Auto).2, "mapped from 0..127 to 0..1");
        assert_eq!(scaled(bytes(&[0, 128]), Scale::Auto).2, "divided by 255");
        assert_eq!(scaled(floats(&[7.0, 7.0]), Scale::By255).2, "divided by 255", "who asks for it gets it");
    }

    /// Probabilities with one wild value, and decimals of another range: dividing either by 255
    /// would leave a picture of almost nothing.
    #[test]
    fn auto_refuses_fractions_among_values_above_one() {
        let way_out = "some values are fractions, so these are neither 0 to 1 nor bytes: mend the value, or say \
                       `--scale 255` to divide by 255 or `--scale minmax` to map the range found to 0..1";
        assert_eq!(
            refused(floats(&[0.0, 0.25, 1.5, 1.0]), Scale::Auto),
            format!("t: row 1, column 0 (counted from 0) is 1.5, the largest value 1.5, and {way_out}")
        );
        assert_eq!(
            refused(floats(&[0.5, 3.0, 10.0, 9.5]), Scale::Auto),
            format!("t: row 0, column 1 (counted from 0) is 3, the largest value 10, and {way_out}")
        );
        assert!(refused(floats(&[127.5, 0.0]), Scale::Auto).contains("column 0 (counted from 0) is 127.5,"));
    }

    /// Every byte must survive the way float -> byte -> float of either scaling.
    #[test]
    fn whole_floats_become_the_same_bytes() {
        let all: Vec<f32> = (0..=255u8).map(f32::from).collect();
        let pixels = scale(&mut floats(&all), None, Scale::By255, false).unwrap().train;
        let split = Split::of(bernoulli(256), pixels, None).unwrap();
        assert_eq!(split.row(0), Row::Bytes(&(0..=255).collect::<Vec<u8>>()));
        let pixels = scale(&mut floats(&[1.0, -0.0]), None, Scale::None, false).unwrap().train;
        assert_eq!(Split::of(bernoulli(2), pixels, None).unwrap().row(0), Row::Bytes(&[255, 0]));
    }

    #[test]
    fn what_does_not_fit_is_refused_with_place_and_value() {
        let advice = "; the scaling `minmax` maps any range to [0, 1]";
        for (table, how, message) in [
            (
                floats(&[0.0, 0.5, 0.5, -0.5]),
                Scale::Auto,
                "t: row 1, column 1 (counted from 0) is -0.5, expected 0 to 1, or whole numbers from 0 to 255",
            ),
            (
                floats(&[0.0, 0.5, 256.5, 0.0]),
                Scale::Auto,
                "t: row 1, column 0 (counted from 0) is 256.5, expected 0 to 1, or whole numbers from 0 to 255",
            ),
            (floats(&[0.0, 1.5]), Scale::None, "t: row 0, column 1 (counted from 0) is 1.5, expected 0 to 1"),
            (bytes(&[0, 1, 2, 0]), Scale::None, "t: row 1, column 0 (counted from 0) is 2, expected 0 to 1"),
            (floats(&[-1.0, 1.5]), Scale::By255, "t: row 0, column 0 (counted from 0) is -1, expected 0 to 255"),
        ] {
            assert_eq!(refused(table, how), format!("{message}{advice}"));
        }
        for how in [Scale::Auto, Scale::None, Scale::By255, Scale::MinMax] {
            for (value, shown) in [(f32::INFINITY, "inf"), (f32::NEG_INFINITY, "-inf")] {
                assert_eq!(
                    refused(floats(&[0.0, 0.0, 0.5, value]), how),
                    format!("t: row 1, column 1 (counted from 0) is {shown}: every value must be a finite number")
                );
            }
        }
    }

    #[test]
    fn minmax_maps_the_range_of_training_and_test_data() {
        let (out, _, said) = scaled(floats(&[-1.0, 3.0, 1.0, 0.0]), Scale::MinMax);
        assert_eq!(out, [0.0, 1.0, 0.5, 0.25]);
        assert_eq!(said, "mapped from -1..3 to 0..1");
        assert_eq!(scaled(bytes(&[10, 30]), Scale::MinMax).0, [0.0, 1.0]);
        let Scaled { test, scaling, .. } =
            scale(&mut floats(&[0.0, 1.0]), Some(&mut floats(&[-4.0, 2.0])), Scale::MinMax, false).unwrap();
        assert_eq!(scaling, Scaling::MinMax { min: -4.0, max: 2.0 });
        assert_eq!(Split::of(bernoulli(2), test.unwrap(), None).unwrap().row(0), Row::Floats(&[0.0, 1.0]));
        // The widest range there is must not overflow into NaN.
        assert_eq!(scaled(floats(&[f32::MIN, f32::MAX, 0.0, 0.0]), Scale::MinMax).0, [0.0, 1.0, 0.5, 0.5]);
        assert_eq!(
            refused(floats(&[3.0, 3.0]), Scale::MinMax),
            "t: every value is 3, so there is no range for the scaling `minmax`"
        );
    }

    /// A few samples of a data set, read by themselves, must become what they were in it.
    #[test]
    fn other_data_is_scaled_as_the_first_was() {
        for (whole, part, how) in [
            (vec![-1.0, 3.0, 1.0, 0.0], vec![1.0, 0.0], Scale::MinMax),
            (vec![0.0, 200.0, 1.0, 0.0], vec![1.0, 0.0], Scale::Auto),
            (vec![0.0, 0.5, 1.0, 0.0], vec![1.0, 0.0], Scale::Auto),
        ] {
            let (expected, scaling) = {
                let scaling = scale(&mut floats(&whole), None, how, false).unwrap().scaling;
                (scaled(floats(&whole), how).0[2..].to_vec(), scaling)
            };
            let recorded: Scale = Scale::from(scaling).to_string().parse().unwrap();
            assert_eq!(scaled(floats(&part), recorded).0, expected, "{recorded}");
        }
        let error = refused(floats(&[0.0, 3.5]), Scale::Range { min: -1.0, max: 3.0 });
        assert!(error.starts_with("t: row 0, column 1 (counted from 0) is 3.5, expected -1 to 3;"), "{error}");
        assert!(refused(bytes(&[2, 4]), Scale::Range { min: 2.5, max: 9.0 }).contains("is 2, expected 2.5 to 9;"));
    }

    /// In memory; the same of rows that stay in their file is `file_rows`' to show.
    #[test]
    fn values_beyond_a_range_of_other_data_are_taken_for_its_ends() {
        let range = Scale::Range { min: -1.0, max: 3.0 };
        let mut table = floats(&[0.0, 3.5, -2.0, 3.0]);
        let Scaled { train, notes, .. } = scale(&mut table, None, range, true).unwrap();
        assert_eq!(Split::of(bernoulli(4), train, None).unwrap().row(0), Row::Floats(&[0.25, 1.0, 0.0, 1.0]));
        assert_eq!(
            notes,
            [
                "2 values lie beyond the training data's range -1 to 3 and are taken for its ends, the first 3.5 in t: row 0, column 1 \
              (counted from 0)"
            ]
        );
        let Scaled { notes, .. } = scale(&mut bytes(&[0, 3]), None, range, true).unwrap();
        assert!(notes.is_empty());
        let error = scale(&mut floats(&[0.0, 1.5]), None, Scale::None, true).err().unwrap().to_string();
        assert_eq!(error, "t: row 0, column 1 (counted from 0) is 1.5, expected 0 to 1 as in the training data");
    }

    /// Dark on light becomes light on dark, and the schema of such values brings back what the file has.
    #[test]
    fn a_range_may_be_turned_round() {
        let turned = Scale::Range { min: 255.0, max: 0.0 };
        let (values, kept, said) = scaled(bytes(&[255, 0, 51, 204]), turned);
        assert_eq!((values, said.as_str()), (vec![0.0, 1.0, 0.8, 0.2], "mapped from 255..0 to 0..1"));
        assert!(!kept);
        let back = Schema::of_scale(1, turned).decode(&[0.0, 1.0, 0.8, 0.2]);
        assert_eq!(back[0].values, BlockValues::Floats(vec![255.0, 0.0, 51.0, 204.0]));
        let turned = Scale::Range { min: 3.0, max: -1.0 };
        assert!(refused(floats(&[0.0, 3.5]), turned).contains("is 3.5, expected -1 to 3;"));
        let Scaled { train, notes, .. } = scale(&mut floats(&[3.5, -2.0]), None, turned, true).unwrap();
        assert_eq!(Split::of(bernoulli(2), train, None).unwrap().row(0), Row::Floats(&[0.0, 1.0]));
        assert!(notes[0].starts_with("2 values lie beyond the training data's range -1 to 3"), "{notes:?}");
    }

    #[test]
    fn the_test_data_follows_the_choice_made_on_the_training_data() {
        let test = scale(&mut bytes(&[0, 200]), Some(&mut bytes(&[0, 1])), Scale::Auto, false).unwrap().test;
        assert_eq!(Split::of(bernoulli(2), test.unwrap(), None).unwrap().row(0), Row::Bytes(&[0, 1]));
        let error =
            scale(&mut bytes(&[0, 1]), Some(&mut bytes(&[0, 2])), Scale::Auto, false).err().unwrap().to_string();
        assert!(error.starts_with("t: row 0, column 1 (counted from 0) is 2, expected 0 to 1;"), "{error}");
        let error =
            scale(&mut bytes(&[0, 200]), Some(&mut floats(&[0.0, 0.5])), Scale::Auto, false).err().unwrap().to_string();
        let said =
            "t: row 0, column 1 (counted from 0) is 0.5, expected a whole number from 0 to 255, as in the training";
        assert!(error.starts_with(said), "{error}");
    }

    #[test]
    fn settings_read_and_write_as_text() {
        let range = Scale::Range { min: f64::from(-0.1f32), max: f32::MAX.into() };
        let turned = Scale::Range { min: 255.0, max: 0.0 };
        assert_eq!(turned.to_string(), "255..0");
        for scale in [
            Scale::Auto,
            Scale::None,
            Scale::By255,
            Scale::MinMax,
            Scale::MinMaxColumns,
            Scale::Standard,
            range,
            turned,
        ] {
            assert_eq!(scale.to_string().parse::<Scale>().unwrap(), scale);
        }
        let error = "256".parse::<Scale>().unwrap_err().to_string();
        assert_eq!(
            error,
            "scale is \"256\"; it must be auto, none, 255, minmax, minmax-columns, standard or MIN..MAX, such as -1..3 or \
             255..0"
        );
        for bad in ["..", "1..", "..1", "1..1", "0..inf", "nan..1", "0..1..2"] {
            assert!(bad.parse::<Scale>().is_err(), "{bad}");
        }
    }
}
