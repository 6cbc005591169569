//! How a table of text is written, inferred from its first lines: what parts its fields, whether decimals have commas.

use std::fmt;

use super::decimal::short_decimal;
use crate::tables::text_form::TextForm;

/// Bytes of a file that are looked at.
pub(crate) const LOOK: usize = 1 << 16;

/// Lines that are looked at.
const LINES: usize = 100;

/// Share of the lines that have as many fields as most, where a separator is the right one.
const REGULAR: f64 = 0.9;

/// What parts the fields of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Separator {
    /// One byte.
    Byte(u8),
    /// Any number of blanks and tabs.
    Blanks,
}

/// Those that are tried, in the order that decides where they suit alike: commas may stand in numbers and texts.
const SEPARATORS: [Separator; 5] =
    [Separator::Byte(b'\t'), Separator::Byte(b';'), Separator::Byte(b'|'), Separator::Byte(b','), Separator::Blanks];

/// How a table of text is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Dialect {
    pub(crate) separator: Separator,
    /// Whether `1,5` is one and a half.
    pub(crate) decimal_comma: bool,
    /// Whether the first line says what parts the fields, `sep=;`, as Excel writes it.
    pub(crate) declared: bool,
}

impl Default for Dialect {
    /// Commas and points.
    fn default() -> Self {
        Self { separator: Separator::Byte(b','), decimal_comma: false, declared: false }
    }
}

/// What differs from the usual, for whoever wants to know how a file was understood; nothing where nothing does.
impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let separator = match self.separator {
            Separator::Byte(b',') => None,
            Separator::Byte(b'\t') => Some("tabs part the fields"),
            Separator::Byte(b';') => Some("semicolons part the fields"),
            Separator::Byte(_) => Some("bars part the fields"),
            Separator::Blanks => Some("blanks part the fields"),
        };
        let decimals = self.decimal_comma.then_some("decimals have commas");
        let all: Vec<&str> = [separator, decimals].into_iter().flatten().collect();
        f.write_str(&all.join(", "))
    }
}

impl Dialect {
    /// Of a table that starts so; `whole` where that is all of it. Else the last line may be torn, and does not
    /// count.
    pub(crate) fn of(start: &[u8], whole: bool) -> Self {
        let mut lines = lines(start);
        if !whole && lines.len() > 1 {
            lines.pop();
        }
        lines.retain(|line| !line.starts_with(b"#") && !line.trim_ascii().is_empty());
        let declared = lines.first().and_then(|line| declared(line));
        if declared.is_some() {
            lines.remove(0);
        }
        lines.truncate(LINES);
        let tried = |lines: &[&[u8]]| match declared {
            Some(separator) => score(lines, separator).map(|score| (separator, score)),
            None => best(lines),
        };
        // A title above the table has fields of its own.
        let found = tried(&lines).or_else(|| tried(lines.get(1..)?));
        let (separator, decimal_comma) = match (found, declared) {
            (Some((separator, (_, decimal_comma))), _) => (separator, decimal_comma),
            (None, declared) => (declared.unwrap_or(Separator::Byte(b',')), false),
        };
        Self { separator, decimal_comma, declared: declared.is_some() }
    }

    /// A number as the dialect writes it.
    pub(crate) fn number(self, field: &[u8]) -> Option<f64> {
        number(field, self.decimal_comma)
    }

    /// How a table is written alike: for blanks tabs, which texts rarely hold, for other marks semicolons.
    pub(crate) fn form(self) -> TextForm {
        let separator = match self.separator {
            Separator::Byte(byte @ (b',' | b'|')) => byte.into(),
            Separator::Byte(b'\t') | Separator::Blanks => '\t',
            Separator::Byte(_) => ';',
        };
        TextForm { separator, decimal_comma: self.decimal_comma }
    }
}

/// A number with a point, or with a comma.
pub(crate) fn number(field: &[u8], decimal_comma: bool) -> Option<f64> {
    let field = field.trim_ascii();
    if let Some(x) = short_decimal(field, decimal_comma) {
        return Some(x);
    }
    let text = std::str::from_utf8(field).ok()?;
    // Words that the language takes for numbers are none in a table, but for those that say so.
    if text.bytes().next()?.is_ascii_alphabetic() && !["nan", "inf"].contains(&text.to_ascii_lowercase().as_str()) {
        return None;
    }
    match decimal_comma && text.contains(',') {
        true if text.contains('.') => None,
        true => text.replacen(',', ".", 1).parse().ok(),
        false => text.parse().ok(),
    }
}

/// The separator that a line declares, as Excel does.
fn declared(line: &[u8]) -> Option<Separator> {
    let line = line.trim_ascii_end();
    let line = line.strip_prefix(b"\"").and_then(|line| line.strip_suffix(b"\"")).unwrap_or(line);
    match *line {
        [b's' | b'S', b'e' | b'E', b'p' | b'P', b'=', byte] if byte.is_ascii_punctuation() => {
            Some(Separator::Byte(byte))
        }
        // The tab at its end is white space.
        [b's' | b'S', b'e' | b'E', b'p' | b'P', b'='] => Some(Separator::Byte(b'\t')),
        _ => None,
    }
}

/// The separator of the largest score; of equals the first.
fn best(lines: &[&[u8]]) -> Option<(Separator, (f64, bool))> {
    let first = *lines.first()?;
    let of = |separator| fields(first, separator).len();
    // Blanks stand in texts, and commas in decimals, below a first line that others part.
    let parts_first = SEPARATORS[..4].iter().any(|&separator| of(separator) > 1);
    let is_weak = |separator| matches!(separator, Separator::Blanks | Separator::Byte(b','));
    let suits = |separator: &Separator| !is_weak(*separator) || !parts_first || of(*separator) > 1;
    let tried =
        SEPARATORS.into_iter().filter(suits).filter_map(|separator| Some((separator, score(lines, separator)?)));
    tried.reduce(|best, next| if next.1.0 > best.1.0 { next } else { best })
}

/// Lines of text, whatever ends them; what is quoted may hold ends of lines.
fn lines(text: &[u8]) -> Vec<&[u8]> {
    let (mut lines, mut start, mut quoted) = (Vec::new(), 0, false);
    for (at, &byte) in text.iter().enumerate() {
        match byte {
            b'"' => quoted = !quoted,
            b'\n' | b'\r' if !quoted => {
                if at > start {
                    lines.push(&text[start..at]);
                }
                start = at + 1;
            }
            _ => {}
        }
    }
    if start < text.len() {
        lines.push(&text[start..]);
    }
    lines
}

/// The fields of a line.
fn fields(line: &[u8], separator: Separator) -> Vec<&[u8]> {
    let mut quoted = false;
    let parts = line.split(|&byte| {
        quoted ^= byte == b'"';
        !quoted
            && match separator {
                Separator::Byte(separator) => byte == separator,
                Separator::Blanks => matches!(byte, b' ' | b'\t'),
            }
    });
    match separator {
        Separator::Byte(_) => parts.map(<[u8]>::trim_ascii).collect(),
        Separator::Blanks => parts.filter(|part| !part.is_empty()).collect(),
    }
}

/// A field without the quotes around it.
fn unquoted(field: &[u8]) -> &[u8] {
    field.strip_prefix(b"\"").and_then(|field| field.strip_suffix(b"\"")).unwrap_or(field)
}

/// Whether a field is a number with a comma that cannot part thousands.
fn is_decimal_comma(field: &[u8]) -> bool {
    let Some(comma) = field.iter().position(|&byte| byte == b',') else { return false };
    let thousands = field.len() - comma == 4 && (1..=3).contains(&comma) && field[0] != b'0';
    !thousands && number(field, true).is_some()
}

/// How well a separator suits lines, and whether decimals have commas if it is the right one; nothing if it is not.
fn score(lines: &[&[u8]], separator: Separator) -> Option<(f64, bool)> {
    let parted: Vec<Vec<&[u8]>> = lines.iter().map(|line| fields(line, separator)).collect();
    let mut counts: Vec<usize> = parted.iter().map(Vec::len).collect();
    counts.sort_unstable();
    let most = *counts.get(counts.len() / 2)?;
    let regular = counts.iter().filter(|&&count| count == most).count() as f64 / counts.len() as f64;
    if most < 2 || regular < REGULAR {
        return None;
    }
    let all = || parted.iter().flatten().map(|field| unquoted(field));
    let numbers = |comma: bool| all().filter(|field| number(field, comma).is_some()).count();
    let (points, commas) = (numbers(false), numbers(true));
    let decimal_comma = match separator {
        // A comma in a field is in quotes there, and may part thousands.
        Separator::Byte(b',') => {
            let pointed = |field: &[u8]| field.contains(&b'.') && number(field, false).is_some();
            all().any(is_decimal_comma) && !all().any(pointed)
        }
        _ => commas > points,
    };
    let share = points.max(if decimal_comma { commas } else { 0 }) as f64 / all().count() as f64;
    Some((regular + share, decimal_comma))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> String {
        Dialect::of(text.as_bytes(), true).to_string()
    }

    #[test]
    fn separators_decimals_and_comments_are_told_apart() {
        for (text, want) in [
            ("1,2\n3,4\n", ""),
            ("1\n2\n", ""),
            ("", ""),
            ("a;b\n1;2\n", "semicolons part the fields"),
            ("a;b\n1,5;2,25\n3,0;4,0\n", "semicolons part the fields, decimals have commas"),
            ("1,5;2,5;3,5\n1,5;2,5;3,5\n", "semicolons part the fields, decimals have commas"),
            ("1\t2\n3\t4\n", "tabs part the fields"),
            ("1,5\t2\n3\t4,5\n", "tabs part the fields, decimals have commas"),
            ("first name\tage\nann lee\t3\n", "tabs part the fields"),
            ("1|2|3\n4|5|6\n", "bars part the fields"),
            ("  1.5  2\n 3 \t 4.25\n", "blanks part the fields"),
            ("# made; by; hand\n1,2\n", ""),
            ("sep=;\na,b;c,d\ne,f;g,h\n", "semicolons part the fields"),
            ("My table of 2023\na;b\n1;2\n3;4\n", "semicolons part the fields"),
            ("\"a;b\",c\n\"d;e\",f\n", ""),
            ("name,said\nann,\"one, two\nthree\"\nbob,four\n", ""),
            ("x,y\n\"9,37\",1\n\"0,5\",2\n", "decimals have commas"),
            ("x,y\n\"1,234\",1\n\"5,678\",2\n", ""),
            ("x,y\n\"9,37\",1.5\n\"0,5\",2\n", ""),
            ("x;y\n\"9,37\";1\n\"0,5\";2\n", "semicolons part the fields, decimals have commas"),
            ("New York;8,5\nSan Jose;1,0\n", "semicolons part the fields, decimals have commas"),
            ("ann lee,3\nbob ray,4\n", ""),
            ("1,2\r3,4\r", ""),
            ("1;2\r3;4\r", "semicolons part the fields"),
        ] {
            assert_eq!(told(text), want, "{text:?}");
        }
    }

    /// One column of decimals would be more regular if its commas parted the lines, but not their header.
    #[test]
    fn commas_of_decimals_below_a_header_are_no_separators() {
        let rows = "ann;24;f;job;no;166;74,0\n".repeat(20);
        let text = format!("name;age;sex;work;smoker;height;weight\n{rows}");
        assert_eq!(told(&text), "semicolons part the fields, decimals have commas");
    }

    /// The end of the look may be in the middle of a line.
    #[test]
    fn a_torn_line_does_not_count() {
        let text = b"1;2;3\n4;5;6\n7;";
        assert_eq!(Dialect::of(text, false).separator, Separator::Byte(b';'));
    }

    #[test]
    fn numbers_are_read_as_the_dialect_writes_them() {
        assert_eq!(number(b" 1.5 ", false), Some(1.5));
        assert_eq!(number(b"1,5", true), Some(1.5));
        assert_eq!(number(b"1,5", false), None);
        assert_eq!(number(b"1.000,5", true), None);
        assert_eq!(
            (number(b"+1", false), number(b"1e3", false), number(b"01", true)),
            (Some(1.0), Some(1000.0), Some(1.0))
        );
        assert!(number(b"NaN", false).unwrap().is_nan());
        assert_eq!((number(b"infinity", false), number(b"", false), number(b"x", false)), (None, None, None));
    }
}
