//! What is asked for of the columns of a sheet, before their values say anything.

use std::path::PathBuf;

use super::kind::{ColumnKind, KindName};
use super::options::LoadOptions;
use super::scale::Scale;
use super::survey::Found;
use super::visible::{ColumnUnits, VisibleUnits};
use crate::error::Error;
use crate::tables::sheet::Sheet;

/// Which units learn the columns.
pub(crate) fn learned_by(options: &LoadOptions) -> Result<ColumnUnits, Error> {
    let is_scaled = match options.visible_units {
        VisibleUnits::Bernoulli => return Ok(ColumnUnits::Bernoulli),
        VisibleUnits::Auto if options.scale != Scale::Auto => return Ok(ColumnUnits::Bernoulli),
        VisibleUnits::Gaussian => !matches!(options.scale, Scale::Auto | Scale::Standard),
        _ => options.scale != Scale::Auto,
    };
    if is_scaled {
        return Err(Error::Setting {
            name: "scale",
            got: options.scale.to_string(),
            expected: format!(
                "left out: it brings values into 0 to 1, for Bernoulli units, and these are {}",
                options.visible_units
            ),
        });
    }
    Ok(ColumnUnits::ByKind)
}

/// The column of the labels that is asked for.
pub(crate) fn label(sheet: &Sheet, options: &LoadOptions) -> Result<Option<usize>, Error> {
    let Some(wanted) = &options.label_column else { return Ok(None) };
    sheet.find(wanted).map(Some).ok_or_else(|| {
        let available = sheet.available();
        Error::NoSuchColumn { path: PathBuf::from(&sheet.what), column: wanted.clone(), available }
    })
}

/// The kind that was asked for, of each column.
pub(crate) fn asked(sheet: &Sheet, options: &LoadOptions) -> Result<Vec<Option<KindName>>, Error> {
    let mut asked = vec![None; sheet.columns()];
    for (column, kind) in &options.column_types.0 {
        let place = sheet.find(column).ok_or_else(|| Error::Column {
            path: PathBuf::from(&sheet.what),
            column: column.clone(),
            reason: format!("there is no such column; {}", sheet.available()),
        })?;
        asked[place] = Some(*kind);
    }
    if let Some(wanted) = &options.weight_column {
        let missing = || Error::NoSuchColumn {
            path: PathBuf::from(&sheet.what),
            column: wanted.clone(),
            available: sheet.available(),
        };
        asked[sheet.find(wanted).ok_or_else(missing)?] = Some(KindName::Weight);
    }
    Ok(asked)
}

/// A column of weights.
pub(crate) fn weight(sheet: &Sheet, found: &Found, column: usize) -> Result<ColumnKind, Error> {
    if found.is_numeric() && found.missing == 0 && found.min >= 0.0 && found.max > 0.0 && found.max.is_finite() {
        return Ok(ColumnKind::Weight);
    }
    let has = match (found.missing, found.texts) {
        (0, 0) => format!("{} to {}", found.min, found.max),
        (0, _) => format!("texts, such as {:?}", sheet.texts[column].distinct[0]),
        (missing, _) => format!("{missing} rows without one"),
    };
    let reason = format!("weights are numbers from 0 up, one for every row, and not all 0, but this column has {has}");
    Err(Error::Column { path: PathBuf::from(&sheet.what), column: sheet.called(column), reason })
}
