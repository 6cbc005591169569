//! How many Gibbs steps an update takes, as training goes on: the k of CD-k, which may grow.
//!
//! Few steps are enough while the weights are small and chains move freely; later they leave
//! states far from the data untouched, where the model then keeps probability it should not
//! (Carreira-Perpiñán & Hinton 2005; Salakhutdinov & Murray 2008 train with a k that grows).

use crate::error::{Error, Result, require};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// What [`CdSteps`] look like.
const FORM: &str = "a number of Gibbs steps from 1 to 10000, or steps x epochs joined by +, such as 1x20+10x10";

/// Epochs with the same number of Gibbs steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Phase {
    steps: u32,
    /// The last phase may go on for good.
    epochs: Option<u32>,
}

/// Gibbs steps of the updates of each epoch. Written as a number, or as phases of
/// `steps x epochs` with `+` between, the last of which lasts as long as the training.
///
/// ```
/// let steps: deepbelief_rbm::CdSteps = "1x20+10x5+25".parse()?;
/// assert_eq!((steps.at(0), steps.at(19), steps.at(20), steps.at(25), steps.at(100)), (1, 1, 10, 25, 25));
/// assert_eq!((steps.epochs(), steps.to_string().as_str()), (None, "1x20+10x5+25"));
/// assert_eq!(deepbelief_rbm::CdSteps::from(3).at(7), 3);
/// # Ok::<(), deepbelief_rbm::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct CdSteps(Vec<Phase>);

impl CdSteps {
    /// Gibbs steps in an epoch, counted from 0; beyond the last phase as in it.
    #[must_use]
    pub fn at(&self, epoch: u32) -> u32 {
        let (mut end, mut steps) = (0u64, 0);
        for phase in &self.0 {
            steps = phase.steps;
            end += phase.epochs.map_or(u64::MAX / 2, u64::from);
            if u64::from(epoch) < end {
                break;
            }
        }
        steps
    }

    /// Epochs of all phases together; none if the last one has no end.
    #[must_use]
    pub fn epochs(&self) -> Option<u32> {
        self.0.iter().try_fold(0u32, |sum, phase| sum.checked_add(phase.epochs?))
    }

    /// Whether every number is in range.
    pub(crate) fn validate(&self) -> Result<()> {
        let last = self.0.len().saturating_sub(1);
        let fits = |(at, phase): (usize, &Phase)| {
            (1..=10_000).contains(&phase.steps) && phase.epochs.map_or(at == last, |epochs| epochs > 0)
        };
        require(!self.0.is_empty() && self.0.iter().enumerate().all(fits), "cd_steps", self, FORM)
    }
}

impl From<u32> for CdSteps {
    /// The same in every epoch.
    fn from(steps: u32) -> Self {
        Self(vec![Phase { steps, epochs: None }])
    }
}

impl fmt::Display for CdSteps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, phase) in self.0.iter().enumerate() {
            let plus = if at == 0 { "" } else { "+" };
            match phase.epochs {
                Some(epochs) => write!(f, "{plus}{}x{epochs}", phase.steps)?,
                None => write!(f, "{plus}{}", phase.steps)?,
            }
        }
        Ok(())
    }
}

impl FromStr for CdSteps {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let phase = |part: &str| {
            let (steps, epochs) = match part.split_once('x') {
                Some((steps, epochs)) => (steps, Some(epochs.trim().parse().ok()?)),
                None => (part, None),
            };
            Some(Phase { steps: steps.trim().parse().ok()?, epochs })
        };
        let phases: Option<Vec<_>> = text.split('+').map(phase).collect();
        let wrong = || Error::Config { name: "cd_steps", got: format!("'{text}'"), expected: FORM };
        let steps = Self(phases.ok_or_else(wrong)?);
        steps.validate().map_err(|_| wrong())?;
        Ok(steps)
    }
}

/// In files a constant is a number.
#[derive(Serialize, Deserialize)]
#[serde(untagged, expecting = "expected a number of Gibbs steps, or text such as \"1x20+10x10\"")]
enum Written {
    Constant(u32),
    Phases(String),
}

impl TryFrom<Written> for CdSteps {
    /// What it must be; where it stands, the reader of the file says.
    type Error = String;

    fn try_from(written: Written) -> std::result::Result<Self, String> {
        match written {
            // Its range is checked with that of all other settings.
            Written::Constant(steps) => Ok(steps.into()),
            Written::Phases(text) => text.parse().map_err(|_| format!("it must be {FORM}")),
        }
    }
}

impl From<CdSteps> for Written {
    fn from(steps: CdSteps) -> Self {
        match steps.0[..] {
            [Phase { steps, epochs: None }] => Self::Constant(steps),
            _ => Self::Phases(steps.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phases_are_read_written_and_looked_up() -> Result<()> {
        for text in ["1", "10000", "1x1", "3x100+6x100+10x100", "1x2+5"] {
            assert_eq!(text.parse::<CdSteps>()?.to_string(), text);
        }
        let steps: CdSteps = " 2 x 3 + 5x1".parse()?;
        assert_eq!((0..6).map(|epoch| steps.at(epoch)).collect::<Vec<_>>(), [2, 2, 2, 5, 5, 5]);
        assert_eq!(steps.epochs(), Some(4));
        assert_eq!("1x4294967295+1x1".parse::<CdSteps>()?.epochs(), None);
        Ok(())
    }

    #[test]
    fn what_is_no_number_of_steps_is_refused() {
        for text in ["", "x", "3x", "3x1+", "3x1,5", "3x-1", "3.5x2", "0", "0x5", "5x0", "10001", "3+5"] {
            let refusal = text.parse::<CdSteps>().map_err(|e| e.to_string());
            assert_eq!(refusal, Err(format!("cd_steps is '{text}'; it must be {FORM}")));
        }
    }

    #[test]
    fn files_hold_a_number_or_the_phases() -> serde_json::Result<()> {
        for text in ["3", "\"1x20+10x10\""] {
            assert_eq!(serde_json::to_string(&serde_json::from_str::<CdSteps>(text)?)?, text);
        }
        let wrong = serde_json::from_str::<CdSteps>("true").map_err(|e| e.to_string());
        assert_eq!(wrong, Err("expected a number of Gibbs steps, or text such as \"1x20+10x10\"".into()));
        Ok(())
    }
}
