//! How a table of text is written, so that results can be written alike.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use super::block::BlockValues;
use crate::error::Error;

/// What separates the fields of a line, by the name that settings have for it.
const SEPARATORS: [(&str, char); 4] = [("comma", ','), ("semicolon", ';'), ("tab", '\t'), ("bar", '|')];

/// The decimal marks.
const MARKS: [(&str, char); 2] = [("point", '.'), ("comma", ',')];

/// How a table of text is written. In words it is the separator and the decimal mark: `semicolon comma`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TextForm {
    /// What separates the fields of a line: a comma, a semicolon, a tab or a bar.
    pub separator: char,
    /// Whether `1,5` is one and a half.
    pub decimal_comma: bool,
}

impl Default for TextForm {
    /// Commas between fields, and decimal points.
    fn default() -> Self {
        Self { separator: ',', decimal_comma: false }
    }
}

impl TextForm {
    /// The separator of this name, `semicolon`, or that is this character.
    ///
    /// # Errors
    /// If there is none.
    pub fn separator_of(text: &str) -> Result<char, Error> {
        one_of("separator", text, &SEPARATORS)
    }

    /// Whether the decimal mark of this name, or that is this character, is a comma.
    ///
    /// # Errors
    /// If there is none.
    pub fn is_decimal_comma(text: &str) -> Result<bool, Error> {
        Ok(one_of("decimal mark", text, &MARKS)? == ',')
    }

    /// A text that is a number with a decimal comma, with a point; any other as it is.
    #[must_use]
    pub fn with_point(self, text: &str) -> Cow<'_, str> {
        self.turned(text, ',', '.')
    }

    /// A text that is a number with a point, with the decimal mark of this form; any other as it is.
    #[must_use]
    pub fn with_mark(self, text: &str) -> Cow<'_, str> {
        self.turned(text, '.', ',')
    }

    /// The same of all texts of a column.
    #[must_use]
    pub fn marked(self, values: BlockValues) -> BlockValues {
        match values {
            BlockValues::Texts { texts, places } if self.decimal_comma => BlockValues::Texts {
                texts: texts.iter().map(|text| self.with_mark(text).into_owned()).collect(),
                places,
            },
            values => values,
        }
    }

    fn turned(self, text: &str, from: char, to: char) -> Cow<'_, str> {
        if !self.decimal_comma || !text.contains(from) {
            return text.into();
        }
        let pointed = if from == ',' { text.replacen(',', ".", 1) } else { text.to_string() };
        let is_number = pointed.bytes().all(|byte| !byte.is_ascii_alphabetic() || byte.eq_ignore_ascii_case(&b'e'))
            && pointed.trim().parse::<f64>().is_ok();
        if is_number { text.replacen(from, &to.to_string(), 1).into() } else { text.into() }
    }
}

/// The character that is meant by a name or by itself.
fn one_of(name: &'static str, text: &str, known: &[(&str, char)]) -> Result<char, Error> {
    let is_meant = |(name, character): &&(&str, char)| *name == text || text.chars().eq([*character]);
    let found = known.iter().find(is_meant).map(|(_, character)| *character);
    found.ok_or_else(|| Error::Setting {
        name,
        got: format!("{text:?}"),
        expected: known.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", "),
    })
}

impl fmt::Display for TextForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name =
            SEPARATORS.iter().find(|(_, separator)| *separator == self.separator).map_or("comma", |(name, _)| name);
        write!(f, "{name} {}", if self.decimal_comma { "comma" } else { "point" })
    }
}

impl FromStr for TextForm {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let (separator, mark) = text.split_once(' ').unwrap_or((text, "point"));
        Ok(Self { separator: Self::separator_of(separator)?, decimal_comma: Self::is_decimal_comma(mark)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_back() {
        for (_, separator) in SEPARATORS {
            for decimal_comma in [false, true] {
                let form = TextForm { separator, decimal_comma };
                assert_eq!(form.to_string().parse::<TextForm>().unwrap(), form);
            }
        }
        assert_eq!(TextForm::separator_of(";").unwrap(), ';');
        assert_eq!(TextForm::separator_of("\t").unwrap(), '\t');
        let error = TextForm::separator_of("colon").unwrap_err().to_string();
        assert!(error.contains("colon") && error.contains("semicolon"), "{error}");
        assert!("semicolon dot".parse::<TextForm>().is_err());
    }

    #[test]
    fn marks_of_numbers_alone_are_turned() {
        let german = TextForm { separator: ';', decimal_comma: true };
        for (text, want) in [("1.5", "1,5"), ("-0.25", "-0,25"), ("a.b", "a.b"), ("1.2.2024", "1.2.2024"), ("7", "7")] {
            assert_eq!(german.with_mark(text), want);
            assert_eq!(TextForm::default().with_mark(text), text);
        }
        for (text, want) in [("1,50", "1.50"), ("NA", "NA"), ("1,000,5", "1,000,5"), ("a,b", "a,b")] {
            assert_eq!(german.with_point(text), want);
        }
    }
}
