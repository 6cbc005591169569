//! Options of `dbn thermodynamics`.

use super::machine::MachineArgs;
use clap::Args;
use std::path::PathBuf;
use std::str::FromStr;

pub(super) const THERMODYNAMICS_HELP: &str = "\
At the inverse temperature beta the model has all its weights and biases times beta. Chains go up
from beta 0, then neighbours swap states (parallel tempering). Columns, a row a temperature:
  beta, temperature
  energy         mean of E(v, h) = - b v - c h - v W h, and energy_error, its standard error
  heat_capacity  beta^2 times the variance of the energy
  log_z          nats, by Bennett's acceptance ratio from rung to rung
  entropy        log_z + beta energy, nats
  swap_rate      share of the swaps with the next temperature that were accepted
  overlap        mean of how far visible units of two chains agree: 1 all, 0 as by chance;
                 overlap_std is its standard deviation, --json has its histogram

For RBMs of Bernoulli, spin or categorical visible units, and Bernoulli or spin hidden ones.

Example: dbn thermodynamics runs/ising --betas 0:2:41 --out ladder.csv --picture ladder.png";

/// A model to heat and cool.
#[derive(Debug, Args)]
pub(crate) struct ThermodynamicsArgs {
    /// Checkpoint of an RBM, or run folder that holds one
    #[arg(value_name = "CKPT")]
    pub(crate) checkpoint: PathBuf,
    /// Inverse temperatures: the first, the last and how many
    #[arg(long, value_name = "FROM:TO:COUNT", default_value = "0:2:41")]
    pub(crate) betas: Betas,
    /// Chains
    #[arg(long, value_name = "N", default_value_t = 500, value_parser = clap::value_parser!(u32).range(2..=100_000))]
    pub(crate) chains: u32,
    /// Gibbs steps at each temperature to warm up, and as many to measure
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) steps: u32,
    /// Random seed [default: that of the training]
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
    /// Table to write: .csv, .npy, .parquet or .safetensors
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
    /// Draw the curves into this PNG file
    #[arg(long, value_name = "PNG")]
    pub(crate) picture: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) machine: MachineArgs,
    /// One JSON object on stdout
    #[arg(long)]
    pub(crate) json: bool,
}

/// Evenly spaced inverse temperatures.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Betas {
    from: f64,
    to: f64,
    count: u32,
}

/// Inverse temperatures, at most.
const MOST: u32 = 1000;

impl Betas {
    /// All of them.
    pub(crate) fn ladder(self) -> Vec<f64> {
        let share = |k: u32| f64::from(k) / f64::from(self.count.max(2) - 1);
        (0..self.count).map(|k| self.from + share(k) * (self.to - self.from)).collect()
    }

    /// As it is written, with so many temperatures.
    pub(crate) fn written(self, count: u64) -> String {
        format!("{}:{}:{count}", self.from, self.to)
    }
}

impl FromStr for Betas {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts: Vec<&str> = text.split(':').collect();
        let found = match parts.as_slice() {
            [from, to, count] => from.parse().ok().zip(to.parse().ok()).zip(count.parse().ok()),
            _ => None,
        };
        let rises = |&((from, to), count): &((f64, f64), u32)| {
            from >= 0.0 && to.is_finite() && (1..=MOST).contains(&count) && (from < to || count == 1 && from == to)
        };
        let ((from, to), count) =
            found.filter(rises).ok_or("write the first, the last and how many, from 0 up, such as 0:2:41")?;
        Ok(Self { from, to, count })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ladders_rise_from_the_first_to_the_last() {
        let ladder = |text: &str| text.parse::<Betas>().map(Betas::ladder);
        assert_eq!(ladder("0:2:5"), Ok(vec![0.0, 0.5, 1.0, 1.5, 2.0]));
        assert_eq!(ladder("1:1:1"), Ok(vec![1.0]));
        assert_eq!("0:2.5:5".parse::<Betas>().map(|betas| betas.written(3)), Ok("0:2.5:3".to_string()));
        for bad in ["", "0:2", "2:0:5", "-1:1:3", "0:1:0", "0:inf:3", "a:1:3", "0:1:2:3", "1:1:2"] {
            assert!(bad.parse::<Betas>().is_err(), "{bad}");
        }
    }
}
