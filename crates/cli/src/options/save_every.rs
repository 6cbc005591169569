//! How often a training is saved: every few epochs, or after some time.

use serde::de::{Deserializer, Error, Visitor};
use serde::{Deserialize, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

/// The setting `save_every`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SaveEvery {
    /// After so many epochs; 0 only at the end.
    Epochs(u32),
    /// After so many seconds, one at least.
    Seconds(u64),
}

const EXPECTED: &str = "a whole number of epochs, or a time such as 90s, 10m or 2h";

/// Seconds of the units of time.
const UNITS: [(char, u64); 3] = [('h', 3600), ('m', 60), ('s', 1)];

impl FromStr for SaveEvery {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let time = || {
            let (unit, seconds) = UNITS.into_iter().find(|&(unit, _)| text.ends_with(unit))?;
            let number: u64 = text.strip_suffix(unit)?.trim().parse().ok()?;
            number.checked_mul(seconds).filter(|&seconds| seconds > 0).map(Self::Seconds)
        };
        text.parse().ok().map(Self::Epochs).or_else(time).ok_or_else(|| format!("expected {EXPECTED}"))
    }
}

impl fmt::Display for SaveEvery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Epochs(epochs) => write!(f, "{epochs}"),
            Self::Seconds(seconds) => {
                let fits = |&&(_, unit): &&(char, u64)| seconds.is_multiple_of(unit);
                let (name, unit) = UNITS.iter().find(fits).copied().unwrap_or(('s', 1));
                write!(f, "{}{name}", seconds / unit)
            }
        }
    }
}

/// A number of epochs as a number, a time as a text.
impl Serialize for SaveEvery {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Epochs(epochs) => serializer.serialize_u32(*epochs),
            Self::Seconds(_) => serializer.collect_str(self),
        }
    }
}

impl<'de> Deserialize<'de> for SaveEvery {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl Visitor<'_> for Reader {
            type Value = SaveEvery;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(EXPECTED)
            }
            fn visit_i64<E: Error>(self, value: i64) -> Result<SaveEvery, E> {
                u32::try_from(value).map(SaveEvery::Epochs).map_err(|_| wrong(value))
            }
            fn visit_u64<E: Error>(self, value: u64) -> Result<SaveEvery, E> {
                u32::try_from(value).map(SaveEvery::Epochs).map_err(|_| wrong(value))
            }
            fn visit_str<E: Error>(self, value: &str) -> Result<SaveEvery, E> {
                value.parse().map_err(|_| wrong(format!("{value:?}")))
            }
        }
        deserializer.deserialize_any(Reader)
    }
}

fn wrong<E: Error>(value: impl fmt::Display) -> E {
    E::custom(format!("invalid value: {value}, expected {EXPECTED}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn epochs_and_times_read_and_write_as_text() {
        let cases = [
            ("0", SaveEvery::Epochs(0)),
            ("12", SaveEvery::Epochs(12)),
            ("90s", SaveEvery::Seconds(90)),
            ("10m", SaveEvery::Seconds(600)),
            ("2h", SaveEvery::Seconds(7200)),
        ];
        for (text, value) in cases {
            assert_eq!(text.parse(), Ok(value));
            assert_eq!(value.to_string(), text);
            let json = serde_json::to_string(&value).unwrap();
            assert_eq!(json.contains('"'), text.parse::<u32>().is_err(), "{json}");
            assert_eq!(serde_json::from_str::<SaveEvery>(&json).unwrap(), value);
        }
        assert_eq!("3600s".parse::<SaveEvery>().unwrap().to_string(), "1h");
        for text in ["", "s", "-1", "1.5m", "0s", "10d", "10 minutes", "99999999999999999999h", "9999999999999999999m"]
        {
            assert_eq!(text.parse::<SaveEvery>(), Err(format!("expected {EXPECTED}")), "{text}");
        }
        for json in ["-1", "1.5", "true", "\"x\"", "4294967296"] {
            let error = serde_json::from_str::<SaveEvery>(json).unwrap_err().to_string();
            assert!(error.starts_with("invalid ") && error.contains(EXPECTED), "{error}");
        }
    }
}
