//! Columns of which the values do not tell what they are: all that need an answer are named in one error.

use std::path::PathBuf;

use super::kind::{ColumnKinds, KindName};
use super::options::LoadOptions;
use super::spelling::Spelling;
use crate::error::Error;
use crate::tables::sheet::Sheet;
use crate::text::shell_quoted;

/// Columns that are described, at most.
const NAMED: usize = 12;

/// What is asked of a column.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    pub(crate) column: usize,
    pub(crate) doubt: Doubt,
}

/// Why a column needs an answer.
#[derive(Clone, Debug)]
pub(crate) enum Doubt {
    /// Too many different texts for levels.
    ManyTexts { texts: usize, rows: usize },
    /// A few texts among many numbers.
    Slip { line: u32, text: String },
    /// Texts of one spelling alone.
    Spelt { spelling: Spelling, text: String },
}

impl Doubt {
    fn said(&self) -> String {
        match self {
            Self::ManyTexts { texts, rows } => format!("{texts} different texts in {rows} rows"),
            Self::Slip { line, text } => format!("line {line} has {text:?} among numbers"),
            Self::Spelt { spelling, text } => format!("{}, such as {text:?}", spelling.called()),
        }
    }
}

/// The error that asks.
pub(crate) fn ask(sheet: &Sheet, questions: &[Question], options: &LoadOptions) -> Error {
    let path = PathBuf::from(&sheet.what);
    let as_kind = |column, kind| kinds(&[(typed(sheet, column), kind)]);
    if let [Question { column, doubt }] = questions {
        let (called, said) = (sheet.called(*column), doubt.said());
        let (ignored, categorical) = (as_kind(*column, KindName::Ignored), as_kind(*column, KindName::Categorical));
        let label = shell_quoted(&named(sheet, *column));
        let reason = match doubt {
            Doubt::ManyTexts { .. } => format!(
                "{said}: is it an identifier, then say `{ignored}`; the class of a sample, then `--label-column {label}`; or \
                 levels, then `{categorical}`"
            ),
            Doubt::Slip { text, .. } => format!(
                "{said}: mend it, say `--missing {}` if it means a missing value, or `{categorical}` if the column is no \
                 number",
                shell_quoted(text)
            ),
            Doubt::Spelt { spelling: Spelling::Date, .. } => format!("{said}: say `{ignored}` or `{categorical}`"),
            Doubt::Spelt { .. } => {
                format!("{said}: write them as plain numbers, such as 1234.5, or say `{ignored}` or `{categorical}`")
            }
        };
        return Error::Column { path, column: called, reason };
    }
    let (mut types, mut missing) = (options.column_types.0.clone(), options.missing.clone());
    for Question { column, doubt } in questions {
        match doubt {
            Doubt::Slip { text, .. } if !text.contains(',') => missing.push(text.clone()),
            _ => types.push((typed(sheet, *column), KindName::Ignored)),
        }
    }
    missing.dedup();
    let missing = (!missing.is_empty()).then(|| format!("--missing {}", shell_quoted(&missing.join(","))));
    let types = (!types.is_empty()).then(|| kinds(&types));
    let said: Vec<String> = questions
        .iter()
        .take(NAMED)
        .map(|Question { column, doubt }| format!("column {}: {}", sheet.called(*column), doubt.said()))
        .collect();
    let more = match questions.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!("; and {more} more"),
    };
    let command: Vec<String> = types.into_iter().chain(missing).collect();
    Error::Questions { path, count: questions.len(), columns: said.join("; ") + &more, command: command.join(" ") }
}

/// The option that says what columns are.
pub(crate) fn kinds(types: &[(String, KindName)]) -> String {
    format!("--column-types {}", shell_quoted(&ColumnKinds(types.to_vec()).to_string()))
}

/// What a column is called in a list of columns: its number where its name has a comma.
pub(crate) fn typed(sheet: &Sheet, column: usize) -> String {
    let name = named(sheet, column);
    if name.contains(',') || name.trim() != name { column.to_string() } else { name }
}

/// What a column is called in an option: its name, or its number where it has none of its own.
fn named(sheet: &Sheet, column: usize) -> String {
    let name = sheet.names.as_ref().map(|names| names[column].as_str()).unwrap_or_default();
    let finds = !name.is_empty() && sheet.find(name) == Some(column);
    if finds { name.to_string() } else { column.to_string() }
}
