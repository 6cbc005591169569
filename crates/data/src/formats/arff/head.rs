//! What the head of a file says of its columns.

use std::collections::{HashMap, HashSet};
use std::io::Read;
use std::path::Path;

use super::tokens::{Token, tokens};
use crate::error::Error;
use crate::formats::dialect::number;
use crate::formats::lines::Lines;
use crate::formats::records::MOST_FIELDS;
use crate::memory::room::Room;
use crate::tables::table::check_units;
use crate::text::shown;

/// A column as the head of a file declares it.
pub(super) struct Attribute {
    pub(super) name: String,
    pub(super) kind: Kind,
}

pub(super) enum Kind {
    Numeric,
    /// Texts or dates.
    Text,
    /// One of these, with what each is, as it is written and as it is shown.
    Nominal {
        levels: Vec<String>,
        cells: HashMap<Vec<u8>, Level>,
    },
}

/// What a level is: a number where all levels of its column are different numbers.
#[derive(Clone, Copy)]
pub(super) enum Level {
    Number(f64),
    Text,
}

impl Attribute {
    pub(super) fn levels(&self) -> Option<&Vec<String>> {
        match &self.kind {
            Kind::Nominal { levels, .. } => Some(levels),
            _ => None,
        }
    }

    fn nominal(name: String, levels: &[Vec<u8>]) -> Result<Self, String> {
        let numbers: Option<Vec<f64>> =
            levels.iter().map(|level| number(level, false).filter(|x| x.is_finite())).collect();
        // Numbers that 32 bits do not tell apart are texts.
        let numbers = numbers.filter(|numbers| {
            let mut sorted: Vec<f64> = numbers.iter().map(|x| x + 0.0).collect();
            sorted.sort_by(f64::total_cmp);
            sorted.windows(2).all(|pair| pair[0] != pair[1])
        });
        let level = |place: usize| numbers.as_ref().map_or(Level::Text, |numbers| Level::Number(numbers[place]));
        let shown = |(place, text): (usize, &Vec<u8>)| match level(place) {
            Level::Number(x) => x.to_string(),
            Level::Text => shown(text),
        };
        let named: Vec<String> = levels.iter().enumerate().map(shown).collect();
        let as_shown = named.iter().map(|name| name.clone().into_bytes());
        let cells: HashMap<_, _> =
            levels.iter().cloned().chain(as_shown).zip((0..levels.len()).cycle().map(level)).collect();
        if named.iter().collect::<HashSet<_>>().len() < named.len() {
            return Err(format!("a level of {name:?} comes twice"));
        }
        Ok(Self { name, kind: Kind::Nominal { levels: named, cells } })
    }
}

/// The head of a file, up to its data.
pub(super) fn attributes(path: &Path, lines: &mut Lines<impl Read>, room: Room) -> Result<Vec<Attribute>, Error> {
    let what = path.display().to_string();
    let (mut attributes, mut bytes) = (Vec::new(), 0u64);
    while let Some((line, text)) = lines.next()? {
        if text.is_empty() || text.starts_with(b"%") {
            continue;
        }
        let broken = |reason: String| broken(path, line, &reason);
        let end = text.iter().position(u8::is_ascii_whitespace).unwrap_or(text.len());
        let (keyword, rest) = text.split_at(end);
        match keyword.to_ascii_lowercase().as_slice() {
            b"@relation" => {}
            b"@data" if attributes.is_empty() => return Err(Error::NoColumns { what }),
            b"@data" => {
                check_units(attributes.len() as u128, &what)?;
                return Ok(attributes);
            }
            b"@attribute" => {
                // A level is kept as it is and as it is shown, and found by a hash.
                bytes += 4 * text.len() as u64 + 128;
                room.require(&what, bytes.into())?;
                attributes.push(attribute(&tokens(rest).map_err(broken)?).map_err(broken)?);
                if attributes.len() > MOST_FIELDS {
                    return Err(Error::TooManyUnits { what, units: attributes.len() as u128 });
                }
            }
            other => {
                let other: String = String::from_utf8_lossy(other).chars().take(40).collect();
                return Err(broken(format!("{other:?} stands where @attribute or @data should")));
            }
        }
    }
    let reason = if attributes.is_empty() { "it has no @attribute" } else { "it has no @data" };
    Err(Error::Broken { what, format: "ARFF", reason: reason.into() })
}

/// What a declaration says behind its keyword.
fn attribute(tokens: &[Token]) -> Result<Attribute, String> {
    let [Token::Word(name, _), rest @ ..] = tokens else { return Err("an attribute has no name".into()) };
    let name = shown(name);
    match rest {
        [Token::Open, levels @ .., Token::Close] if !levels.is_empty() => {
            let text = |token: &Token| match token {
                Token::Word(text, _) => Ok(text.clone()),
                _ => Err(format!("the levels of {name:?} have braces in them")),
            };
            let levels: Vec<Vec<u8>> = levels.iter().map(text).collect::<Result<_, _>>()?;
            Attribute::nominal(name, &levels)
        }
        [Token::Word(kind, _), ..] => match kind.to_ascii_lowercase().as_slice() {
            b"numeric" | b"real" | b"integer" => Ok(Attribute { name, kind: Kind::Numeric }),
            b"string" | b"date" => Ok(Attribute { name, kind: Kind::Text }),
            other => {
                let other = shown(other);
                Err(format!("{name:?} is {other:?}, expected numeric, real, integer, string, date or {{LEVEL, ...}}"))
            }
        },
        _ => Err(format!("{name:?} has no type")),
    }
}

/// Refuses a line.
pub(super) fn broken(path: &Path, line: u64, reason: &str) -> Error {
    Error::Broken { what: format!("{}: line {line}", path.display()), format: "ARFF", reason: reason.into() }
}
