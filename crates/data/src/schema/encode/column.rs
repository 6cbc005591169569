//! A column of a sheet and the units that its cells become.

use std::path::PathBuf;

use crate::error::Error;
use crate::number::{are_same, shown};
use crate::schema::kind::{ColumnKind, ROUNDING};
use crate::schema::options::LoadOptions;
use crate::schema::scale::Scale;
use crate::schema::visible::ColumnUnits;
use crate::tables::sheet::{Cell, Content, Sheet};

/// What is to be done with the rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Use {
    /// They are those that the schema was inferred from.
    Train,
    /// A model is used on them.
    Apply,
    /// They are only looked at.
    Look,
}

impl Use {
    /// Of training data: what a schema that is given or standard deviations do not reach is taken for the ends.
    pub(crate) fn to_learn(options: &LoadOptions) -> Self {
        if options.schema.is_some() || options.scale == Scale::Standard { Self::Apply } else { Self::Train }
    }
}

/// A column that becomes units.
pub(super) struct Column<'a> {
    /// Where it stands in the sheet.
    pub(super) from: usize,
    pub(super) kind: &'a ColumnKind,
    pub(super) learned_by: ColumnUnits,
    pub(super) units: usize,
    /// Whether it keeps any number.
    pub(super) gaussian: bool,
    /// Whether grey levels stay undivided.
    raw: bool,
    /// Offset and scale of numbers that 32 bits hold well enough.
    pub(super) plain: Option<(f64, f64)>,
    /// The levels as numbers, where they are some, and the level of each text of the sheet's column.
    numbers: Vec<Option<f64>>,
    texts: Vec<Option<u32>>,
}

impl<'a> Column<'a> {
    pub(super) fn new(
        sheet: &Sheet,
        from: usize,
        (kind, learned_by): (&'a ColumnKind, ColumnUnits),
        raw: bool,
    ) -> Self {
        let levels: Vec<&String> = match kind {
            ColumnKind::Binary { off, on } => vec![off, on],
            ColumnKind::Categorical { levels } => levels.iter().collect(),
            _ => Vec::new(),
        };
        let place = |text: &String| levels.iter().position(|level| *level == text).map(|place| place as u32);
        let texts = sheet.texts[from].distinct.iter().map(place).collect();
        let numbers = levels.iter().map(|level| level.parse().ok()).collect();
        let gaussian = learned_by.are_gaussian(kind);
        let plain = match *kind {
            ColumnKind::Real { offset, scale } if !kind.is_wide() => Some((offset, scale)),
            _ => None,
        };
        Self { from, kind, learned_by, units: kind.units(), gaussian, raw, plain, numbers, texts }
    }

    /// Makes the values of its units of a cell, NaN where it is missing; whether the value lies beyond the range or far
    /// out. No values of what is to be refused.
    pub(super) fn fill(
        &self,
        cell: Cell,
        values: &mut [f32],
        how: Use,
        raw: bool,
        row_beyond: &mut u32,
    ) -> Result<bool, ()> {
        if cell == Cell::MISSING {
            values.fill(f32::NAN);
            return Ok(false);
        }
        let finite = |x: &f32| x.is_finite() || how == Use::Look;
        let x = match (self.plain, cell.as_number()) {
            // What `ColumnKind::scaled` makes of it.
            (Some((offset, scale)), Some(x)) => Some(((f64::from(x as f32) - offset) / scale) as f32),
            _ => self.unit(cell),
        };
        let x = x.filter(finite).ok_or(())?;
        let [value] = values else {
            values.iter_mut().enumerate().for_each(|(unit, value)| *value = if unit as f32 == x { 1.0 } else { 0.0 });
            return Ok(false);
        };
        *value = x;
        if self.gaussian {
            let is_far = x.abs() > ColumnUnits::FAR_OUT;
            *row_beyond += u32::from(is_far);
            return Ok(is_far);
        }
        let most = if raw { 255.0 } else { 1.0 };
        if how == Use::Look {
            return Ok(false);
        }
        let is_beyond = !(-ROUNDING..=most + ROUNDING).contains(&x);
        if is_beyond {
            if how == Use::Train || !self.has_ends() {
                return Err(());
            }
            *row_beyond += 1;
        }
        *value = x.clamp(0.0, most);
        Ok(is_beyond)
    }

    /// The value of its unit, or the number of the unit that is on; none where the schema has no such value.
    fn unit(&self, cell: Cell) -> Option<f32> {
        match (self.kind, cell.content()) {
            (ColumnKind::Unit { .. }, Content::Number(x)) if self.raw => Some(x as f32),
            (ColumnKind::Unit { .. } | ColumnKind::Real { .. }, Content::Number(x)) => self.kind.scaled(x),
            (ColumnKind::Spin, Content::Number(x)) => (x == 1.0 || x == -1.0).then_some(f32::midpoint(x as f32, 1.0)),
            (_, Content::Number(x)) => {
                let exact = self.numbers.iter().position(|level| *level == Some(x));
                let same = |level: &Option<f64>| level.is_some_and(|level| are_same(level, x));
                exact.or_else(|| self.numbers.iter().position(same)).map(|place| place as f32)
            }
            (_, Content::Text(place)) => self.texts.get(place as usize).copied().flatten().map(|place| place as f32),
            (_, Content::Missing) => None,
        }
    }

    /// Whether its range was found in data, so that values beyond it may come: fractions and bytes have theirs by nature.
    fn has_ends(&self) -> bool {
        match self.kind {
            ColumnKind::Real { .. } => !self.gaussian,
            ColumnKind::Unit { divisor } => *divisor != 1.0 && *divisor != 255.0,
            _ => false,
        }
    }

    pub(super) fn refuse(&self, sheet: &Sheet, row: usize, cell: Cell) -> Error {
        let expected = match self.kind {
            ColumnKind::Binary { off, on } => format!("{off} or {on}"),
            ColumnKind::Unit { divisor } => format!("a number from 0 to {divisor}"),
            ColumnKind::Real { .. } if self.gaussian => "a number".into(),
            ColumnKind::Real { offset, scale } => {
                format!("a number, {} to {}", shown(*offset), ColumnKind::top(*offset, *scale))
            }
            ColumnKind::Categorical { levels } => format!("one of {}", levels[..levels.len().min(12)].join(", ")),
            ColumnKind::Spin => "-1 or 1".into(),
            ColumnKind::Ignored | ColumnKind::Label | ColumnKind::Weight => "anything".into(),
        };
        Error::Cell {
            path: PathBuf::from(&sheet.what),
            place: format!("{}, column {}", sheet.called_row(row), sheet.called(self.from)),
            value: sheet.show(cell, self.from),
            expected,
        }
    }
}
