//! How many Gibbs steps the top takes, and for how many epochs: `3x100,6x100,10x100`.

use crate::error::{Error, Result, require};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Epochs with the same number of Gibbs steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TopPhase {
    /// Gibbs steps of the top RBM in each update.
    pub steps: u32,
    /// Epochs trained so.
    pub epochs: u32,
}

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
pub struct TopSteps(Vec<TopPhase>);

impl TopSteps {
    /// From phases in order.
    ///
    /// # Errors
    /// [`Error::Config`] for no phases, no steps, more than 10,000 of them, no epochs or more than
    /// 32 bits of them.
    pub fn new(phases: Vec<TopPhase>) -> Result<Self> {
        require(!phases.is_empty(), "top_steps", "empty", "at least one phase, such as 3x100")?;
        for phase in &phases {
            let fits = (1..=10_000).contains(&phase.steps) && phase.epochs > 0;
            require(fits, "top_steps", phase, "1 to 10000 steps x at least 1 epoch in each phase")?;
        }
        let total = phases.iter().try_fold(0u32, |sum, phase| sum.checked_add(phase.epochs));
        require(total.is_some(), "top_steps", "longer than any training", "less than 2^32 epochs in all")?;
        Ok(Self(phases))
    }

    /// The phases in order.
    #[must_use]
    pub fn phases(&self) -> &[TopPhase] {
        &self.0
    }

    /// Epochs in all.
    #[must_use]
    pub fn epochs(&self) -> u32 {
        self.0.iter().map(|phase| phase.epochs).sum()
    }

    /// Gibbs steps in an epoch, counted from 0; beyond the last epoch those of the last phase.
    #[must_use]
    pub fn at(&self, epoch: u32) -> u32 {
        let (mut end, mut steps) = (0, 0);
        for phase in &self.0 {
            (end, steps) = (end + phase.epochs, phase.steps);
            if epoch < end {
                break;
            }
        }
        steps
    }
}

impl Default for TopSteps {
    /// Those of Hinton, Osindero & Teh (2006).
    fn default() -> Self {
        Self([3, 6, 10].map(|steps| TopPhase { steps, epochs: 100 }).to_vec())
    }
}

impl fmt::Display for TopPhase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}", self.steps, self.epochs)
    }
}

impl fmt::Display for TopSteps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let phases: Vec<String> = self.0.iter().map(TopPhase::to_string).collect();
        f.write_str(&phases.join(","))
    }
}

impl FromStr for TopSteps {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let phase = |part: &str| {
            let (steps, epochs) = part.split_once('x')?;
            Some(TopPhase { steps: steps.trim().parse().ok()?, epochs: epochs.trim().parse().ok()? })
        };
        let phases: Option<Vec<_>> = text.split(',').map(phase).collect();
        let form = "steps x epochs with commas between, such as 3x100,6x100,10x100";
        Self::new(phases.ok_or_else(|| Error::config("top_steps", format!("'{text}'"), form))?)
    }
}

impl TryFrom<String> for TopSteps {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
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
    fn phases_are_read_written_and_looked_up() -> Result<()> {
        for text in ["1x1", "3x100,6x100,10x100", "10000x1,1x2"] {
            assert_eq!(text.parse::<TopSteps>()?.to_string(), text);
        }
        let steps: TopSteps = " 2 x 3 , 5x1".parse()?;
        assert_eq!((0..6).map(|epoch| steps.at(epoch)).collect::<Vec<_>>(), [2, 2, 2, 5, 5, 5]);
        assert_eq!(steps.epochs(), 4);
        assert_eq!(TopSteps::default().to_string(), "3x100,6x100,10x100");
        Ok(())
    }

    #[test]
    fn what_is_no_schedule_is_refused() {
        let refusal = |text: &str| text.parse::<TopSteps>().map(|_| ()).map_err(|e| e.to_string());
        let form = "it must be steps x epochs with commas between, such as 3x100,6x100,10x100";
        for text in ["", "3", "x", "3x", "3x1,", "3x-1", "3.5x2"] {
            assert_eq!(refusal(text), Err(format!("top_steps is '{text}'; {form}")));
        }
        let range = "it must be 1 to 10000 steps x at least 1 epoch in each phase";
        for text in ["0x5", "5x0", "10001x1"] {
            assert_eq!(refusal(text), Err(format!("top_steps is {text}; {range}")));
        }
        assert!(refusal("1x4294967295,1x1").is_err());
    }
}
