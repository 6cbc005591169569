//! From the values of visible units to cells in the units of the data: the inverse of `encode`.
//!
//! | kind | cell of a unit's value p, or of the values of its units |
//! |---|---|
//! | real | `offset + scale p`, with no end where it is a Gaussian unit |
//! | unit | `divisor p` |
//! | binary, spin | the value that is on where p is 1/2 or more, else the one that is off |
//! | categorical | the level whose unit is the largest |
//!
//! Of the numbers that have the same unit value the one with the fewest digits is taken, so that 0.1 comes back as 0.1.

use deepbelief_kernels::Uniforms;

use super::columns::Schema;
use super::kind::{ColumnKind, ROUNDING};
use super::visible::ColumnUnits;
use crate::number::of_few_digits;
use crate::tables::block::{Block, BlockValues};

/// Digits that tell any two 32-bit floats apart.
const DIGITS: usize = 9;

/// Digits that tell any two 64-bit floats apart.
const DIGITS_64: usize = 17;

impl Schema {
    /// The cells of visible values `[rows, units]` in [0, 1]: a block a column, in the order of the columns. Those that
    /// are ignored and that of the labels have no units and are left out. Levels that are numbers become numbers.
    #[must_use]
    pub fn decode(&self, values: &[f32]) -> Vec<Block> {
        let width = self.units().max(1);
        let (mut blocks, mut at) = (Vec::new(), 0);
        for (place, (name, kind)) in self.each().enumerate() {
            let units = kind.units();
            if units == 0 {
                continue;
            }
            let ends = !self.learned_by.are_gaussian(kind);
            let cells = cells(kind, ends, values.chunks_exact(width).map(|row| &row[at..at + units]));
            blocks.push(Block::column(self.called(place, name), cells));
            at += units;
        }
        blocks
    }

    /// Visible values `[rows, units]` of categories as numbers of their levels `[rows, columns]`: the largest of each.
    #[must_use]
    pub fn letters(&self, values: &[f32]) -> Vec<u8> {
        let sizes: Vec<usize> = self.each().map(|(_, kind)| kind.units()).filter(|&units| units > 0).collect();
        let mut letters = Vec::with_capacity(values.len() / self.units().max(1) * sizes.len());
        for mut row in values.chunks_exact(self.units().max(1)) {
            for &units in &sizes {
                let (site, rest) = row.split_at(units);
                letters.push(largest(site) as u8);
                row = rest;
            }
        }
        letters
    }

    /// How far values `[rows, units]` may be off, where they are means with standard deviations `deviation`: a block a
    /// column, called `NAME.spread`. Of a number it is the standard deviation, in the units of the column; of a binary
    /// column or a category the probability that it is another one than [`Schema::decode`] says.
    #[must_use]
    pub fn spread(&self, mean: &[f32], deviation: &[f32]) -> Vec<Block> {
        let width = self.units().max(1);
        let (mut blocks, mut at) = (Vec::new(), 0);
        for (place, (name, kind)) in self.each().enumerate() {
            let units = at..at + kind.units();
            at = units.end;
            if units.is_empty() {
                continue;
            }
            let rows = mean.chunks_exact(width).zip(deviation.chunks_exact(width));
            let spreads = rows.map(|(mean, deviation)| match kind {
                ColumnKind::Real { scale, .. } => scale.abs() as f32 * deviation[units.start],
                ColumnKind::Unit { divisor } => divisor * deviation[units.start],
                ColumnKind::Categorical { .. } => {
                    let mean = &mean[units.clone()];
                    let all: f32 = mean.iter().sum();
                    if all > 0.0 { 1.0 - mean[largest(mean)] / all } else { 1.0 - 1.0 / mean.len() as f32 }
                }
                _ => mean[units.start].min(1.0 - mean[units.start]),
            });
            let name = self.called(place, name);
            blocks.push(Block::column(format!("{name}.spread"), BlockValues::Floats(spreads.collect())));
        }
        blocks
    }

    /// Draws states where values are probabilities of states: of binary and spin columns on or off, of a categorical
    /// column one level. Real and unit columns stay as they are.
    ///
    /// A level of a categorical unit is drawn by its probability. One of independent units is drawn in proportion to
    /// the odds `p / (1 - p)` of its unit: that is how they are distributed where exactly one of them is on. Row r draws
    /// from row r of `draw`.
    pub fn draw(&self, values: &mut [f32], draw: Uniforms) {
        let width = self.units().max(1);
        for (row, values) in values.chunks_exact_mut(width).enumerate() {
            let mut at = 0;
            for (_, kind) in self.each() {
                let units = &mut values[at..at + kind.units()];
                let uniform = || draw.at(row as u32, at as u32);
                match kind {
                    ColumnKind::Binary { .. } | ColumnKind::Spin => {
                        units[0] = if uniform() < units[0] { 1.0 } else { 0.0 };
                    }
                    ColumnKind::Categorical { .. } => {
                        let odds = if self.learned_by == ColumnUnits::ByKind { probability } else { odds };
                        let on = level(units, odds, uniform());
                        units.iter_mut().enumerate().for_each(|(unit, p)| *p = if unit == on { 1.0 } else { 0.0 });
                    }
                    _ => {}
                }
                at += kind.units();
            }
        }
    }
}

/// The cells of a column.
fn cells<'a>(kind: &ColumnKind, ends: bool, rows: impl Iterator<Item = &'a [f32]>) -> BlockValues {
    match kind {
        ColumnKind::Binary { off, on } => {
            of_levels(&[off.clone(), on.clone()], rows.map(|units| usize::from(units[0] >= 0.5)))
        }
        ColumnKind::Spin => of_levels(&["-1".into(), "1".into()], rows.map(|units| usize::from(units[0] >= 0.5))),
        ColumnKind::Categorical { levels } => of_levels(levels, rows.map(largest)),
        kind if kind.is_wide() => BlockValues::Doubles(rows.map(|units| shortest(kind, ends, units[0])).collect()),
        kind => BlockValues::Floats(rows.map(|units| shortest(kind, ends, units[0]) as f32).collect()),
    }
}

/// Levels by their places: as numbers, where all of them are.
fn of_levels(levels: &[String], places: impl Iterator<Item = usize>) -> BlockValues {
    let numbers: Option<Vec<f64>> = levels.iter().map(|level| level.parse().ok().map(of_few_digits)).collect();
    match numbers {
        Some(numbers) if numbers.iter().all(|&x| f64::from(x as f32) == x) => {
            BlockValues::Floats(places.map(|place| numbers[place] as f32).collect())
        }
        Some(numbers) => BlockValues::Doubles(places.map(|place| numbers[place]).collect()),
        None => BlockValues::Texts { texts: levels.to_vec(), places: places.map(|place| place as u32).collect() },
    }
}

/// The place of the largest value, the first of equals.
fn largest(units: &[f32]) -> usize {
    (1..units.len()).fold(0, |best, unit| if units[unit] > units[best] { unit } else { best })
}

/// A probability.
fn probability(p: f32) -> f64 {
    f64::from(p)
}

/// The odds of a unit; the largest probability below 1 stands for 1.
fn odds(p: f32) -> f64 {
    let p = f64::from(p.min(1.0 - f32::EPSILON / 2.0));
    p / (1.0 - p)
}

/// A level in proportion to what `share` makes of its unit.
fn level(units: &[f32], share: fn(f32) -> f64, uniform: f32) -> usize {
    let mut left = f64::from(uniform) * units.iter().map(|&p| share(p)).sum::<f64>();
    let found = units.iter().position(|&p| {
        left -= share(p);
        left < 0.0
    });
    found.unwrap_or_else(|| largest(units))
}

/// The number with the fewest digits that has this unit value, where beyond 0 and 1 `ends` stand for it: one of 32 bits
/// if these hold it well enough.
fn shortest(kind: &ColumnKind, ends: bool, value: f32) -> f64 {
    let exact = match *kind {
        ColumnKind::Real { offset, scale } => offset + scale * f64::from(value),
        ColumnKind::Unit { divisor } => f64::from(divisor) * f64::from(value),
        _ => f64::from(value),
    };
    let held = |x: f64| if kind.is_wide() { x } else { f64::from(x as f32) };
    let near = |unit: &f32| !ends || (-ROUNDING..=1.0 + ROUNDING).contains(unit);
    let taken = |unit: f32| if ends { unit.clamp(0.0, 1.0) } else { unit };
    let same = |number: &f64| kind.scaled(*number).filter(near).is_some_and(|unit| taken(unit) == value);
    let digits = if kind.is_wide() { DIGITS_64 } else { DIGITS };
    let rounded = |digits: usize| Some(held(format!("{exact:.digits$e}").parse().ok()?));
    (0..digits).filter_map(rounded).find(same).unwrap_or(held(exact))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Scale;
    use deepbelief_kernels::Stream;

    fn texts(words: &[&str]) -> Vec<String> {
        words.iter().map(ToString::to_string).collect()
    }

    fn schema() -> Schema {
        let named = |name: &str, kind| (Some(name.to_string()), kind);
        Schema::new(
            [
                named("id", ColumnKind::Ignored),
                named("age", ColumnKind::Real { offset: 21.0, scale: 60.0 }),
                named("smokes", ColumnKind::Binary { off: "no".into(), on: "yes".into() }),
                named("kind", ColumnKind::Label),
                named("blood", ColumnKind::Categorical { levels: texts(&["0", "A", "AB"]) }),
                named("rooms", ColumnKind::Categorical { levels: texts(&["1", "2", "5"]) }),
                named("spin", ColumnKind::Spin),
                named("grey", ColumnKind::Unit { divisor: 255.0 }),
            ],
            Vec::new(),
        )
    }

    #[test]
    fn values_become_cells_by_the_kind_of_their_column() {
        let values =
            [0.5, 0.4, 0.2, 0.7, 0.7, 0.1, 0.0, 0.9, 0.5, 0.2, 0.0, 0.6, 0.1, 0.1, 0.3, 0.1, 0.2, 0.4, 0.49, 1.0];
        let blocks = schema().decode(&values);
        let names: Vec<&str> = blocks.iter().map(|block| block.names[0].as_str()).collect();
        assert_eq!(names, ["age", "smokes", "blood", "rooms", "spin", "grey"]);
        assert_eq!(blocks[0].values, BlockValues::Floats(vec![51.0, 21.0]));
        assert_eq!(blocks[1].values, BlockValues::Texts { texts: texts(&["no", "yes"]), places: vec![0, 1] });
        assert_eq!(blocks[2].values, BlockValues::Texts { texts: texts(&["0", "A", "AB"]), places: vec![1, 2] });
        assert_eq!(blocks[3].values, BlockValues::Floats(vec![5.0, 5.0]));
        assert_eq!(blocks[4].values, BlockValues::Floats(vec![1.0, -1.0]));
        assert_eq!(blocks[5].values, BlockValues::Floats(vec![51.0, 255.0]));
        assert!(blocks.iter().all(|block| block.rows() == 2));
    }

    #[test]
    fn a_spread_is_in_the_units_of_its_column() {
        let mean = [0.5, 0.25, 0.25, 0.5, 0.25, 0.0, 0.0, 1.0, 1.0, 0.5];
        let deviation = [0.1, 0.4, 0.4, 0.4, 0.4, 0.0, 0.0, 0.0, 0.0, 0.2];
        let blocks = schema().spread(&mean, &deviation);
        assert_eq!(blocks[0].names, ["age.spread"]);
        let spreads: Vec<f32> = blocks
            .iter()
            .map(|block| match &block.values {
                BlockValues::Floats(values) => values[0],
                _ => panic!(),
            })
            .collect();
        assert_eq!(spreads, [6.0, 0.25, 0.5, 0.0, 0.0, 51.0]);
    }

    /// A number goes to its unit value and back as itself, whatever the range, as long as it has few digits.
    #[test]
    fn numbers_come_back_as_they_were() {
        for (offset, scale) in [(0.0f32, 1.0f32), (21.0, 60.0), (-273.15, 1000.0), (1.55, 0.25), (1e6, 3e6), (0.1, 7.7)]
        {
            let kind = ColumnKind::real(offset.into(), scale.into());
            for k in 0..=1000 {
                let number: f32 = format!("{:.2}", offset + scale * k as f32 / 1000.0).parse().unwrap();
                let unit = kind.scaled(number.into()).unwrap();
                if (0.0..=1.0).contains(&unit) {
                    assert_eq!(shortest(&kind, true, unit) as f32, number, "of {offset} to {}", offset + scale);
                }
            }
        }
        let schema = Schema::of_scale(1, Scale::Range { min: -1.0, max: 3.0 });
        assert_eq!(schema.decode(&[0.0, 0.3, 1.0])[0].values, BlockValues::Floats(vec![-1.0, 0.2, 3.0]));
        let bytes: Vec<f32> = (0..=255u8).map(|byte| f32::from(byte) / 255.0).collect();
        let whole = BlockValues::Floats((0..=255u8).map(f32::from).collect());
        assert_eq!(Schema::of_scale(1, Scale::By255).decode(&bytes)[0].values, whole);
    }

    /// Of Gaussian units numbers come back however far out they lie; of categorical units levels are drawn by their
    /// probabilities, within five standard errors.
    #[test]
    fn cells_of_units_of_their_own_kind() {
        let schema = schema().with_units(ColumnUnits::ByKind);
        let kind = ColumnKind::Real { offset: 21.0, scale: 60.0 };
        for number in [-1000.0f32, -3.25, 20.9, 21.0, 81.5, 4321.0] {
            let mut row = vec![0.0; 10];
            row[0] = kind.scaled(number.into()).unwrap();
            assert_eq!(schema.decode(&row)[0].values, BlockValues::Floats(vec![number]));
        }
        let rows = 20_000;
        let mut values = [7.5, 0.2, 0.5, 0.25, 0.25, 0.0, 0.0, 1.0, 1.0, 0.6].repeat(rows);
        schema.draw(&mut values, Uniforms::new(1, Stream::User, 0));
        for (unit, p) in [(2, 0.5), (3, 0.25), (4, 0.25), (7, 1.0)] {
            let mean = values.chunks(10).map(|row| f64::from(row[unit])).sum::<f64>() / rows as f64;
            assert!((mean - p).abs() <= 5.0 * (p * (1.0 - p) / rows as f64).sqrt(), "unit {unit}: {mean} and not {p}");
        }
        assert!(values.chunks(10).all(|row| row[0] == 7.5));
    }

    /// Frequencies within five standard errors of what independent units have where exactly one is on.
    #[test]
    fn states_are_drawn_from_probabilities() {
        let (schema, rows) = (schema(), 20_000);
        let row = [0.3, 0.2, 0.5, 0.8, 0.5, 0.0, 0.0, 0.0, 0.75, 0.6];
        let mut values = row.repeat(rows);
        schema.draw(&mut values, Uniforms::new(1, Stream::User, 0));
        let mean = |unit: usize| values.chunks(10).map(|row| f64::from(row[unit])).sum::<f64>() / rows as f64;
        // Odds of 1, 4 and 1; where no level has any, the first.
        for (unit, p) in [(1, 0.2), (2, 1.0 / 6.0), (3, 4.0 / 6.0), (4, 1.0 / 6.0), (8, 0.75)] {
            let error = (p * (1.0 - p) / rows as f64).sqrt();
            assert!((mean(unit) - p).abs() < 5.0 * error, "unit {unit}: {} and not {p}", mean(unit));
        }
        let one = |row: &[f32]| row[2] + row[3] + row[4] == 1.0 && row[5..8] == [1.0, 0.0, 0.0];
        assert!(values.chunks(10).all(|row| one(row) && row[0] == 0.3 && row[9] == 0.6));
        assert_eq!(level(&[0.0, 1.0, 0.5], odds, 0.999), 1, "a unit that is surely on is the level");
    }
}
