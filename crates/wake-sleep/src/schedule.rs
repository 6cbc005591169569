//! How many Gibbs steps the top takes, and for how many epochs: `3x100,6x100,10x100`.

use crate::error::{Error, Result};
use deepbelief_rbm::CdSteps;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// What [`TopSteps`] look like.
const FORM: &str = "steps x epochs with commas between, such as 3x100,6x100,10x100, each from 1 to 10000 steps";

/// The phases of a tuning, one after the other: its epochs, and the Gibbs steps of each. Written
/// as `steps x epochs` with commas between, in files too.
///
/// ```
/// let steps: deepbelief_wake_sleep::TopSteps = "3x100, 6x100, 10x100".parse()?;
/// assert_eq!((steps.epochs(), steps.at(0), steps.at(100), steps.at(299)), (300, 3, 6, 10));
/// assert_eq!(steps.to_string(), "3x100,6x100,10x100");
/// # Ok::<(), deepbelief_wake_sleep::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TopSteps {
    steps: CdSteps,
    epochs: u32,
}

impl TopSteps {
    /// Epochs in all.
    #[must_use]
    pub fn epochs(&self) -> u32 {
        self.epochs
    }

    /// Gibbs steps in an epoch, counted from 0; beyond the last epoch those of the last phase.
    #[must_use]
    pub fn at(&self, epoch: u32) -> u32 {
        self.steps.at(epoch)
    }
}

impl Default for TopSteps {
    /// Those of Hinton, Osindero & Teh (2006).
    fn default() -> Self {
        "3x100,6x100,10x100".parse().expect("three phases")
    }
}

impl fmt::Display for TopSteps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.steps.to_string().replace('+', ","))
    }
}

impl FromStr for TopSteps {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let phases = text.replace(',', "+");
        let ended = phases
            .parse::<CdSteps>()
            .ok()
            .filter(|_| !text.contains('+'))
            .and_then(|steps| Some((steps.epochs()?, steps)));
        let (epochs, steps) = ended.ok_or_else(|| Error::config("top_steps", format!("'{text}'"), FORM))?;
        Ok(Self { steps, epochs })
    }
}

impl TryFrom<String> for TopSteps {
    /// What it must be; where it stands, the reader of the file says.
    type Error = String;

    fn try_from(text: String) -> std::result::Result<Self, String> {
        text.parse().map_err(|_| format!("it must be {FORM}"))
    }
}

impl From<TopSteps> for String {
    fn from(steps: TopSteps) -> Self {
        steps.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phases_have_an_end() -> Result<()> {
        assert_eq!("1x2, 5x1".parse::<TopSteps>()?.epochs(), 3);
        assert_eq!(TopSteps::default().to_string(), "3x100,6x100,10x100");
        for text in ["", "3", "3x1,5", "3x1+5x1", "5x0", "1x4294967295,1x1"] {
            let refusal = text.parse::<TopSteps>().map_err(|e| e.to_string());
            assert_eq!(refusal, Err(format!("top_steps is '{text}'; it must be {FORM}")));
        }
        Ok(())
    }
}
