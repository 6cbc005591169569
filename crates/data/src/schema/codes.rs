//! Texts that mean a missing value.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use crate::text::serde_as_text;

/// Texts that mean a missing value, with commas between: `-9,none`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Codes(pub Vec<String>);

impl fmt::Display for Codes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(","))
    }
}

impl FromStr for Codes {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(text.split(',').map(str::trim).filter(|code| !code.is_empty()).map(String::from).collect()))
    }
}

serde_as_text!(Codes);
