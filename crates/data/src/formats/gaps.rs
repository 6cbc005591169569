//! Fields of text that mean a missing value.

use super::dialect::Dialect;
use crate::number::are_same;
use crate::schema::options::LoadOptions;

/// Those that always do, whatever their case, beside nothing at all.
const USUAL: [&str; 5] = ["na", "n/a", "nan", "null", "?"];

/// What Excel writes where a formula gives no value.
const EXCEL: [&str; 7] = ["#n/a", "#div/0!", "#value!", "#ref!", "#num!", "#name?", "#null!"];

/// Whether a field is one of Excel's error values.
pub(crate) fn is_excel_error(field: &[u8]) -> bool {
    field.first() == Some(&b'#') && EXCEL.iter().any(|error| field.eq_ignore_ascii_case(error.as_bytes()))
}

/// Fields that mean a missing value.
pub(crate) struct Gaps {
    texts: Vec<Vec<u8>>,
    numbers: Vec<f64>,
}

impl Gaps {
    /// The usual ones, those that are declared and those that a model has learned of.
    pub(crate) fn new(options: &LoadOptions, dialect: Dialect) -> Self {
        let of_schema = options.schema.iter().flat_map(|schema| &schema.missing);
        let codes = || of_schema.clone().chain(&options.missing);
        let numbers = codes().filter_map(|code| dialect.number(code.as_bytes())).filter(|x| !x.is_nan()).collect();
        Self { texts: codes().map(|code| code.clone().into_bytes()).collect(), numbers }
    }

    /// Whether a field means a missing value.
    pub(crate) fn has(&self, field: &[u8]) -> bool {
        let usual = || match field {
            [] => true,
            // The usual ones are no numbers.
            [b'0'..=b'9' | b'+' | b'-' | b'.', ..] => false,
            _ => USUAL.iter().any(|gap| field.eq_ignore_ascii_case(gap.as_bytes())) || is_excel_error(field),
        };
        usual() || self.declares(field)
    }

    /// Whether numbers may mean one.
    pub(crate) fn has_numbers(&self) -> bool {
        !self.numbers.is_empty()
    }

    /// Whether a field means one because somebody has declared it.
    pub(crate) fn declares(&self, field: &[u8]) -> bool {
        self.texts.iter().any(|text| text == field)
    }

    /// Whether a number does.
    pub(crate) fn has_number(&self, x: f64) -> bool {
        self.numbers.iter().any(|&code| are_same(code, x))
    }
}
