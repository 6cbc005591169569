//! What is asked for of the columns of a sheet, before their values say anything.

use std::path::PathBuf;

use super::columns::Schema;
use super::found::Found;
use super::kind::{ColumnKind, KindName};
use super::options::LoadOptions;
use super::scale::Scale;
use super::visible::{ColumnUnits, VisibleUnits};
use crate::error::Error;
use crate::number::shown;
use crate::tables::sheet::{Cell, Content, Sheet};

/// Which units learn the columns.
pub(crate) fn learned_by(options: &LoadOptions) -> Result<ColumnUnits, Error> {
    let is_scaled = match options.visible_units {
        VisibleUnits::Bernoulli => return Ok(ColumnUnits::Bernoulli),
        VisibleUnits::Auto if !matches!(options.scale, Scale::Auto | Scale::Standard) => {
            return Ok(ColumnUnits::Bernoulli);
        }
        VisibleUnits::Auto | VisibleUnits::Gaussian => !matches!(options.scale, Scale::Auto | Scale::Standard),
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

/// A schema that is given, with the column of the labels that is asked for, which may be another one than in the data
/// that the schema is of, or one that these did not have.
pub(crate) fn labelled(schema: &Schema, sheet: &Sheet, options: &LoadOptions) -> Result<Schema, Error> {
    let Some(column) = label(sheet, options)? else { return Ok(schema.clone()) };
    let refuse =
        |reason: String| Err(Error::Column { path: PathBuf::from(&sheet.what), column: sheet.called(column), reason });
    let learned = "it is one of the columns that are learned from, and cannot be that of the labels";
    let mut columns: Vec<(Option<String>, ColumnKind)> =
        schema.each().map(|(name, kind)| (name.map(String::from), kind.clone())).collect();
    let place = columns.iter().position(|(_, kind)| *kind == ColumnKind::Label);
    let by_name = sheet.names.as_ref().filter(|_| schema.has_names());
    let at = match by_name {
        Some(names) => columns.iter().position(|(name, _)| name.as_ref() == Some(&names[column])),
        None => Some(column).filter(|_| sheet.columns() == columns.len()),
    };
    if at.is_some_and(|at| columns[at].1.units() > 0) {
        return refuse(learned.into());
    }
    if place.is_some() && at == place {
        return Ok(schema.clone());
    }
    if by_name.is_none() && sheet.columns() != columns.len() + usize::from(place.is_none() && at.is_none()) {
        // So many columns are not what the schema is of, or the labels alone are not there.
        return Ok(schema.clone());
    }
    if let (None, Some(place)) = (by_name, place) {
        return refuse(format!(
            "the labels of the model are column {place}, and there are no names to tell columns by"
        ));
    }
    if let Some(place) = place {
        columns[place].1 = ColumnKind::Ignored;
    }
    match (at, by_name) {
        (Some(at), _) => columns[at].1 = ColumnKind::Label,
        (None, Some(names)) => columns.push((Some(names[column].clone()), ColumnKind::Label)),
        (None, None) => columns.insert(column.min(columns.len()), (None, ColumnKind::Label)),
    }
    Ok(Schema { learned_by: schema.learned_by, ..Schema::new(columns, schema.missing.clone()) })
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
        let missing = || Error::Column {
            path: PathBuf::from(&sheet.what),
            column: wanted.clone(),
            reason: format!("there is no such column for the weights; {}", sheet.available()),
        };
        asked[sheet.find(wanted).ok_or_else(missing)?] = Some(KindName::Weight);
    }
    Ok(asked)
}

/// What the rows weigh, where something says it: a column that is asked for, or the format. What is no weight in such a
/// column is for [`weight`] to refuse, and counts as none.
pub(crate) fn weights(sheet: &Sheet, options: &LoadOptions) -> Result<Option<Vec<f32>>, Error> {
    let Some(column) = asked(sheet, options)?.iter().position(|kind| *kind == Some(KindName::Weight)) else {
        return Ok(sheet.weights.clone());
    };
    let of = |cells: &[Cell]| match cells[column].content() {
        Content::Number(x) => (x as f32).clamp(0.0, f32::MAX),
        _ => 0.0,
    };
    Ok(Some(sheet.rows().map(of).collect()))
}

/// A column of weights.
pub(crate) fn weight(sheet: &Sheet, found: &Found, column: usize) -> Result<ColumnKind, Error> {
    if found.is_numeric() && found.missing == 0 && found.min >= 0.0 && found.max > 0.0 && found.infinite.is_none() {
        return Ok(ColumnKind::Weight);
    }
    let has = match (found.missing, found.texts) {
        (0, 0) => format!("{} to {}", shown(found.min), shown(found.max)),
        (0, _) => format!("texts, such as {:?}", sheet.texts[column].distinct[0]),
        (missing, _) => format!("{missing} rows without one"),
    };
    let reason = format!("weights are numbers from 0 up, one for every row, and not all 0, but this column has {has}");
    Err(Error::Column { path: PathBuf::from(&sheet.what), column: sheet.called(column), reason })
}
