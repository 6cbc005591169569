//! Lines that begin with `#`: comments, the names of the columns, or rows whose first field happens to begin so.

use std::path::Path;

use super::gaps::is_excel_error;
use super::header::Line;
use crate::error::{Error, LineError};

/// The comments of a table of text.
pub(crate) struct Comments {
    /// Fields of a row.
    fields: usize,
    /// The last comment above the first row that has as many fields as a row, without its `#`.
    pub(crate) names: Option<Line>,
    /// Comments so far.
    pub(crate) count: usize,
}

impl Comments {
    /// Takes the comments out of the first lines of a file, whose fields `blanks` part or something else.
    pub(crate) fn take(path: &Path, lines: &mut Vec<Line>, blanks: bool) -> Result<Self, Error> {
        let mut others = lines.iter().filter(|(_, fields)| !is_marked(&fields[0])).map(|(_, fields)| fields.len());
        let first = others.next().unwrap_or(0);
        let mut comments = Self { fields: others.next().unwrap_or(first), names: None, count: 0 };
        let mut rows = Vec::with_capacity(lines.len());
        for (line, fields) in lines.drain(..) {
            let above = rows.is_empty();
            if above && is_marked(&fields[0]) {
                require_closed(path, line, &fields)?;
                comments.count += 1;
                let names = without_mark(fields, blanks);
                if names.len() == comments.fields {
                    comments.names = Some((line, names));
                }
            } else if !above && comments.has(path, line, &fields)? {
                comments.count += 1;
            } else {
                rows.push((line, fields));
            }
        }
        *lines = rows;
        Ok(comments)
    }

    /// Whether a line behind the first row is a comment. One with as many fields as a row is a row; of a single field
    /// that says nothing.
    pub(crate) fn has<F: AsRef<[u8]>>(&self, path: &Path, line: u64, fields: &[F]) -> Result<bool, Error> {
        let is_row = !is_marked(fields[0].as_ref()) || fields.len() > 1 && fields.len() == self.fields;
        if !is_row {
            require_closed(path, line, fields)?;
        }
        Ok(!is_row)
    }
}

/// What is said of so many comments.
pub(crate) fn said_of_comments(count: usize) -> Option<String> {
    match count {
        0 => None,
        1 => Some("left out 1 comment line, which begins with #".into()),
        count => Some(format!("left out {count} comment lines, which begin with #")),
    }
}

/// Whether a line that begins with this field may be a comment.
fn is_marked(field: &[u8]) -> bool {
    field.starts_with(b"#") && !is_excel_error(field)
}

/// The fields of a comment behind its `#`, which is no field where blanks part these.
fn without_mark(mut fields: Vec<Vec<u8>>, blanks: bool) -> Vec<Vec<u8>> {
    if blanks && fields[0] == b"#" {
        fields.remove(0);
    } else {
        fields[0] = fields[0][1..].trim_ascii().to_vec();
    }
    fields
}

/// Refuses a comment whose quotes hold the lines behind it.
fn require_closed<F: AsRef<[u8]>>(path: &Path, line: u64, fields: &[F]) -> Result<(), Error> {
    if fields.iter().any(|field| field.as_ref().contains(&b'\n')) {
        let reason = "is a comment with a quote that is not closed: remove the quote".into();
        return Err(LineError::Unfit { path: path.into(), line, reason }.into());
    }
    Ok(())
}
