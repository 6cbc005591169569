//! How a .csv file of results is written.

use crate::failure::{Failure, Result};
use clap::Args;
use deepbelief_data::TextForm;

/// How a .csv file of results is written, as far as it was asked for.
#[derive(Debug, Clone, Copy, Default, Args)]
pub(crate) struct TextFormArgs {
    /// Field separator of a .csv file: comma, semicolon, tab or bar [default: as in the data]
    #[arg(long, value_name = "NAME", value_parser = TextForm::separator_of)]
    pub(crate) separator: Option<char>,
    /// Decimal mark of a .csv file: point or comma [default: as in the data]
    ///
    /// A decimal comma without a --separator brings semicolons where commas would separate the fields.
    #[arg(long, value_name = "MARK", value_parser = TextForm::is_decimal_comma)]
    pub(crate) decimal: Option<bool>,
}

impl TextFormArgs {
    /// Refuses these options for a file of another format.
    pub(crate) fn require(self, format: &str) -> Result<()> {
        if format != "csv" && (self.separator.is_some() || self.decimal.is_some()) {
            return Err(Failure::new("--separator and --decimal go with a table of text: a name that ends in .csv"));
        }
        Ok(())
    }

    /// The form that was asked for, which is that of the data where nobody asked.
    pub(crate) fn over(self, data: TextForm) -> TextForm {
        let decimal_comma = self.decimal.unwrap_or(data.decimal_comma);
        let would_clash = self.decimal == Some(true) && data.separator == ',';
        let separator = self.separator.unwrap_or(if would_clash { ';' } else { data.separator });
        TextForm { separator, decimal_comma }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_beats_what_the_data_have() {
        let form = |separator, decimal, data: &str| {
            TextFormArgs { separator, decimal }.over(data.parse().unwrap()).to_string()
        };
        assert_eq!(form(None, None, "semicolon comma"), "semicolon comma");
        assert_eq!(form(None, Some(false), "semicolon comma"), "semicolon point");
        assert_eq!(form(None, Some(true), "comma point"), "semicolon comma");
        assert_eq!(form(Some(','), Some(true), "comma point"), "comma comma");
        assert_eq!(form(Some('\t'), None, "comma point"), "tab point");
    }
}
