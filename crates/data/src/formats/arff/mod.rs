//! Weka's tables: what each column is, then a line a sample.
//!
//! ```text
//! % a comment
//! @relation NAME
//! @attribute NAME numeric            or real, integer, string, date, {LEVEL, LEVEL, ...}
//! @data
//! VALUE, VALUE, ...                  or {PLACE VALUE, PLACE VALUE, ...}: what is left out is 0, or the first level
//! ```
//!
//! Names and values with blanks, commas or braces stand in quotes of either kind; `?` is a missing value. Behind a
//! sample its weight may stand in braces, `{2.5}`; without it weighs 1.

mod head;
mod tokens;

use std::path::Path;

use super::dialect::{Dialect, number};
use super::gaps::Gaps;
use super::lines::Lines;
use super::stream;
use crate::error::Error;
use crate::memory::room::{Room, reserve};
use crate::schema::options::LoadOptions;
use crate::tables::sheet::{Cell, Sheet, Texts};
use crate::text::shown;
use head::{Attribute, Kind, Level, attributes, broken};
use tokens::{Token, tokens};

/// Bytes that a cell takes once it is a unit, beside its own.
const VALUE: u64 = 4;

/// Reads a file.
pub(crate) fn read(path: &Path, options: &LoadOptions) -> Result<Sheet, Error> {
    let (what, room) = (path.display().to_string(), Room::of(options.max_memory));
    let stream::Text { bytes, is_windows, stored, .. } = stream::open(path)?;
    let mut lines = Lines::new(path, bytes);
    let attributes = attributes(path, &mut lines, room)?;
    let mut rows = Rows { path, gaps: Gaps::new(options, Dialect::default()), fields: Vec::new(), weights: Vec::new() };
    let mut sheet = Sheet {
        what: what.clone(),
        names: Some(attributes.iter().map(|attribute| attribute.name.clone()).collect()),
        label: attributes.iter().position(|attribute| attribute.name.eq_ignore_ascii_case("class")),
        texts: vec![Texts::default(); attributes.len()],
        levels: attributes.iter().map(|attribute| attribute.levels().cloned()).collect(),
        read_as: stored.iter().map(|how| format!("stored as {how}")).collect(),
        ..Sheet::default()
    };
    while let Some((line, text)) = lines.next()? {
        rows.push(&attributes, &mut sheet, line, text)?;
        room.require(&what, (sheet.bytes() + VALUE * sheet.len() as u64).into())?;
    }
    sheet.read_as.extend(is_windows.note());
    if rows.weights.iter().any(|&weight| weight > 0.0) {
        rows.weights.resize(sheet.lines.len(), 1.0);
        sheet.read_as.push("samples weigh what stands in braces behind them, else 1".into());
        sheet.weights = Some(rows.weights);
    }
    Ok(sheet)
}

/// Reads the lines of samples.
struct Rows<'a> {
    path: &'a Path,
    gaps: Gaps,
    fields: Vec<Option<(Vec<u8>, bool)>>,
    /// Weights of the samples up to the last one that has one.
    weights: Vec<f32>,
}

impl Rows<'_> {
    fn push(&mut self, attributes: &[Attribute], sheet: &mut Sheet, line: u64, text: &[u8]) -> Result<(), Error> {
        let tokens = tokens(text).map_err(|reason| broken(self.path, line, &reason))?;
        if tokens.is_empty() {
            return Ok(());
        }
        self.fields.clear();
        let sparse = tokens[0] == Token::Open;
        let end = tokens.iter().skip(1).position(|token| *token == if sparse { Token::Close } else { Token::Open });
        let end = end.map_or(tokens.len(), |place| place + 1);
        if sparse {
            if end == tokens.len() {
                return Err(broken(self.path, line, "a brace does not end"));
            }
            self.sparse(attributes, line, tokens[1..end].chunks(2))?;
        } else {
            let words = tokens[..end].iter().map(|token| match token {
                Token::Word(text, quoted) => Ok(Some((text.clone(), *quoted))),
                _ => Err(broken(self.path, line, "a brace ends that does not begin")),
            });
            self.fields = words.collect::<Result<_, _>>()?;
        }
        let behind = &tokens[end..];
        if let Some(weight) = self.weight(line, if sparse { &behind[1..] } else { behind })? {
            let more = sheet.lines.len() + 1 - self.weights.len();
            reserve(self.path, &mut self.weights, more)?;
            self.weights.resize(sheet.lines.len(), 1.0);
            self.weights.push(weight);
        }
        let (got, expected) = (self.fields.len(), attributes.len());
        if got != expected {
            return Err(broken(
                self.path,
                line,
                &format!("it has {got} values, expected {expected}, one an attribute"),
            ));
        }
        reserve(self.path, sheet.last(), expected)?;
        sheet.lines.push(u32::try_from(line).unwrap_or(u32::MAX));
        for (column, (field, attribute)) in self.fields.iter().zip(attributes).enumerate() {
            self.cell(attribute, sheet, column, line, field.as_ref())?;
        }
        Ok(())
    }

    /// What stands behind a sample: nothing, or its weight in braces.
    fn weight(&self, line: u64, tokens: &[Token]) -> Result<Option<f32>, Error> {
        let weight = match tokens {
            [] => return Ok(None),
            [Token::Open, Token::Word(text, false), Token::Close] => number(text, false),
            _ => None,
        };
        match weight.map(|x| x as f32).filter(|x| *x >= 0.0 && x.is_finite()) {
            Some(weight) => Ok(Some(weight)),
            None => {
                Err(broken(self.path, line, "what stands behind the values is no weight: a number from 0 up in braces"))
            }
        }
    }

    /// Puts values at the places that stand before them.
    fn sparse<'b>(
        &mut self,
        attributes: &[Attribute],
        line: u64,
        pairs: impl Iterator<Item = &'b [Token]>,
    ) -> Result<(), Error> {
        self.fields.resize(attributes.len(), None);
        for pair in pairs {
            let expected = format!("PLACE VALUE, with a place from 0 to {}", attributes.len() - 1);
            let [Token::Word(place, _), Token::Word(value, quoted)] = pair else {
                return Err(broken(self.path, line, &format!("expected {expected}")));
            };
            let field =
                std::str::from_utf8(place).ok().and_then(|place| self.fields.get_mut(place.parse::<usize>().ok()?));
            match field {
                Some(field @ None) => *field = Some((value.clone(), *quoted)),
                Some(Some(_)) => {
                    return Err(broken(self.path, line, &format!("the place {} comes twice", shown(place))));
                }
                None => {
                    return Err(broken(
                        self.path,
                        line,
                        &format!("{:?} is no place; expected {expected}", shown(place)),
                    ));
                }
            }
        }
        Ok(())
    }

    /// Adds a cell: what is left out of a sparse row is zero, or the first level.
    fn cell(
        &self,
        attribute: &Attribute,
        sheet: &mut Sheet,
        column: usize,
        line: u64,
        field: Option<&(Vec<u8>, bool)>,
    ) -> Result<(), Error> {
        let refuse = |text: &[u8], expected: String| Error::Cell {
            path: self.path.into(),
            place: format!("line {line}, column {:?}", attribute.name),
            value: String::from_utf8_lossy(text).chars().take(40).collect(),
            expected,
        };
        let cell = match (&attribute.kind, field) {
            (_, Some((text, quoted))) if !quoted && text == b"?" || self.gaps.declares(text) => Cell::MISSING,
            (Kind::Numeric, None) => Cell::number(0.0),
            (Kind::Text, None) => Cell::MISSING,
            (Kind::Numeric, Some((text, _))) => match number(text, false) {
                Some(x) if self.gaps.has_number(x) => Cell::MISSING,
                Some(x) => Cell::number(x),
                None => return Err(refuse(text, "a number".into())),
            },
            (Kind::Text, Some((text, _))) => return sheet.push_text(self.path, column, text),
            (Kind::Nominal { levels, cells }, field) => {
                let text = field.map_or(levels[0].as_bytes(), |(text, _)| text);
                // A number is a number, however it is written.
                let as_number = || {
                    let level = cells.get(number(text, false)?.to_string().as_bytes())?;
                    matches!(level, Level::Number(_)).then_some(level)
                };
                match cells.get(text).or_else(as_number) {
                    Some(Level::Number(x)) if self.gaps.has_number(*x) => Cell::MISSING,
                    Some(Level::Number(x)) => Cell::number(*x),
                    Some(Level::Text) => return sheet.push_text(self.path, column, text),
                    None => {
                        let more = if levels.len() > 12 { ", ..." } else { "" };
                        let levels = levels[..levels.len().min(12)].join(", ");
                        return Err(refuse(text, format!("one of the declared levels, {levels}{more}")));
                    }
                }
            }
        };
        sheet.last().push(cell);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::tests::values;
    use crate::{Dataset, Source, load};

    fn load_text(text: &[u8], options: &LoadOptions) -> Result<Dataset, String> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("t.arff");
        std::fs::write(&path, text).unwrap();
        let prefix = format!("{}/", dir.path().display());
        load(&Source::Arff(path), options).map_err(|error| error.to_string().replace(&prefix, ""))
    }

    fn plain(text: &str) -> Result<Dataset, String> {
        load_text(text.as_bytes(), &LoadOptions::default())
    }

    const PEOPLE: &str = "% a survey\n@RELATION people\n\n\
                          @attribute age numeric\n\
                          @attribute 'home town' {paris, 'new york', rome}\n\
                          @attribute smokes {yes, no}\n\
                          @attribute \"said \\\"so\\\"\" string\n\
                          @attribute stars {3, 2, 1}\n\
                          @Attribute Class {cat,dog}\n\
                          @data\n";

    #[test]
    fn declared_levels_are_the_levels() {
        let rows =
            "20, paris, yes, 'a, b', 3, dog % twenty\n\n45,'new york',no,\"c\",+1,cat,{2}\n32\trome\tno\tc\t2.0\tcat\n";
        let data = plain(&format!("{PEOPLE}{rows}")).unwrap();
        let shown = "age        real: 20 to 45\nhome town  categorical: 3 levels, paris, new york, rome\n\
                     smokes     binary: no is off, yes is on\nsaid \"so\"  binary: a, b is off, c is on\n\
                     stars      categorical: 3 levels, 3, 2, 1\nClass      label";
        assert_eq!(data.schema.to_string(), shown);
        assert_eq!(
            (data.train.labels(), data.class_names.clone()),
            (Some(vec![1, 0, 0]), Some(vec!["cat".into(), "dog".into()]))
        );
        assert_eq!(values(&data)[1], [1.0, 0.0, 1.0, 0.0, 0.0, 1.0, 0.0, 0.0, 1.0]);
        assert_eq!(data.notes, ["samples weigh what stands in braces behind them, else 1"]);
        assert_eq!([0, 1, 2].map(|sample| data.train.weight(sample)), [1.0, 2.0, 1.0].map(Some));
        for behind in ["{-1}", "{x}", "{1", "{1} 2", "}"] {
            let error = plain(&format!("{PEOPLE}20,paris,yes,'a, b',3,dog,{behind}\n")).unwrap_err();
            assert!(error.contains("line 11"), "{behind}: {error}");
        }
        // Another file of the same people: a level that did not come in the first is known all the same.
        let options = LoadOptions { schema: Some(data.schema), ..LoadOptions::default() };
        let again = load_text(format!("{PEOPLE}20,rome,yes,c,2,cat\n").as_bytes(), &options).unwrap();
        assert_eq!(values(&again)[0], [0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 0.0, 1.0, 0.0]);
    }

    #[test]
    fn sparse_rows_leave_out_zeros_and_first_levels() {
        let head = "@relation r\n@attribute a numeric\n@attribute b {x,y,z}\n@attribute c real\n@data\n";
        let data = plain(&format!("{head}{{0 2, 1 z}}\n{{}}\n{{2 5}}\n")).unwrap();
        assert_eq!(values(&data)[0], [1.0, 0.0, 0.0, 1.0, 0.0]);
        assert_eq!(values(&data)[1], [0.0, 1.0, 0.0, 0.0, 0.0]);
        for (row, said) in [
            ("{0 1", "t.arff: line 6: not a readable ARFF file: a brace does not end"),
            (
                "{3 1}",
                "t.arff: line 6: not a readable ARFF file: \"3\" is no place; expected PLACE VALUE, with a place from 0 to 2",
            ),
            ("{0 1, 0 2}", "t.arff: line 6: not a readable ARFF file: the place 0 comes twice"),
            ("{0}", "t.arff: line 6: not a readable ARFF file: expected PLACE VALUE, with a place from 0 to 2"),
        ] {
            assert_eq!(plain(&format!("{head}{row}\n")).unwrap_err(), said);
        }
    }

    #[test]
    fn bad_files_are_named_by_line_and_column() {
        for (row, said) in [
            (
                "20,oslo,yes,a,1,cat",
                "line 11, column \"home town\": \"oslo\" is not one of the declared levels, paris, new york, rome",
            ),
            ("x,rome,yes,a,1,cat", "line 11, column \"age\": \"x\" is not a number"),
            ("20,rome,yes", "line 11: not a readable ARFF file: it has 3 values, expected 6, one an attribute"),
            ("20,'rome,yes", "line 11: not a readable ARFF file: a quote does not end"),
        ] {
            assert_eq!(plain(&format!("{PEOPLE}{row}\n")).unwrap_err(), format!("t.arff: {said}"));
        }
        for (text, said) in [
            ("", "t.arff: not a readable ARFF file: it has no @attribute"),
            ("@attribute a real\n", "t.arff: not a readable ARFF file: it has no @data"),
            ("@data\n1\n", "t.arff: the samples have no columns"),
            ("1,2\n", "t.arff: line 1: not a readable ARFF file: \"1,2\" stands where @attribute or @data should"),
            ("@attribute a {x,x}\n", "t.arff: line 1: not a readable ARFF file: a level of \"a\" comes twice"),
            (
                "@attribute a relational\n",
                "t.arff: line 1: not a readable ARFF file: \"a\" is \"relational\", expected numeric, real, integer, string, date or {LEVEL, ...}",
            ),
            ("@attribute a real\n@data\n", "t.arff: there are no samples"),
        ] {
            assert_eq!(plain(text).unwrap_err(), said);
        }
    }

    #[test]
    fn a_missing_value_is_a_question_mark_that_nobody_quoted() {
        let text = format!("{PEOPLE}20,rome,yes,'?',1,cat\n30,rome,no,a,2,dog\n");
        assert!(plain(&text).unwrap().schema.to_string().contains("binary: ? is off, a is on"));
        let gap = plain(&text.replace(",yes,", ",?,")).unwrap();
        assert_eq!(gap.train.missing(&[0, 1]).map(|missing| missing.samples), Some(vec![0, 1]));
        assert!(plain(&text).unwrap().train.missing(&[0, 1]).is_none());
    }
}
