//! Where the fields of visible units start: what makes independent units have the means of the data.

use crate::error::{Error, Result, require};
use deepbelief_kernels::{UnitKind, Units};

/// The largest mean of a Gaussian unit. A training ends as diverged at parameters of this size.
const FARTHEST: f32 = 100.0;

/// Share of the levels of a categorical unit that is spread evenly, so that a level which the data do not have is not
/// impossible.
const PSEUDOCOUNT: f64 = 1e-3;

/// The biases of units, all at `g = 1`, that have the means `mean` `[columns]`; of dReLU units those on both sides.
pub(crate) fn independent_fit(units: &Units, mean: &[f32]) -> Result<Vec<f32>> {
    let mut biases = Vec::with_capacity(mean.len());
    for (segment, columns) in units.each() {
        let columns_from = columns.start;
        let mean = &mean[columns];
        let fits = |p: f32| match segment.units {
            UnitKind::Bernoulli | UnitKind::Spin | UnitKind::Categorical => (0.0..=1.0).contains(&p),
            UnitKind::Gaussian | UnitKind::Drelu => p.is_finite(),
            UnitKind::Relu => p.is_finite() && p >= 0.0,
        };
        let (got, expected) = match segment.units {
            UnitKind::Relu => (
                "negative",
                "0 or more for every relu unit: give columns with negative values gaussian units, by `visible_units`",
            ),
            UnitKind::Gaussian | UnitKind::Drelu => (
                "not a number",
                "finite for every visible unit: leave rows out that have NaN or infinite values, or mark these as missing",
            ),
            UnitKind::Bernoulli => (
                "outside the range of probabilities",
                "between 0 and 1 for every bernoulli unit: scale the data, or give columns of real numbers gaussian \
                 units, by `visible_units`",
            ),
            UnitKind::Spin | UnitKind::Categorical => (
                "outside the range of probabilities",
                "between 0 and 1 for every spin and level: write spins as 0 and 1, a category as a 1 among zeros",
            ),
        };
        require(mean.iter().all(|&p| fits(p)), "data_mean", got, expected)?;
        if segment.units == UnitKind::Gaussian
            && let Some((column, mean)) = mean.iter().enumerate().find(|(_, mean)| mean.abs() > FARTHEST)
        {
            let column = columns_from + column;
            let got = format!("{mean} in column {column} (counted from 0)");
            let expected = "at most 100 from 0: scale columns of real numbers to mean 0 and standard deviation 1";
            return Err(Error::Config { name: "data_mean", got, expected });
        }
        match segment.units {
            UnitKind::Bernoulli => biases.extend(mean.iter().map(|&p| log_odds(p))),
            UnitKind::Spin => biases.extend(mean.iter().map(|&p| 0.5 * log_odds(p))),
            UnitKind::Categorical => mean.chunks_exact(segment.levels).for_each(|p| log_frequencies(p, &mut biases)),
            UnitKind::Gaussian | UnitKind::Relu | UnitKind::Drelu => biases.extend(mean),
        }
    }
    Ok(biases)
}

/// log(p / (1 - p)), with p held 1/1000 away from 0 and 1 so that a pixel that is never on in
/// the training data can still be on elsewhere. Half of it is the bias of a spin that is 1 with probability p.
pub(crate) fn log_odds(p: f32) -> f32 {
    let p = f64::from(p).clamp(1e-3, 1.0 - 1e-3);
    libm::log(p / (1.0 - p)) as f32
}

/// ln of the levels' frequencies, of mean 0.
fn log_frequencies(p: &[f32], biases: &mut Vec<f32>) {
    let even = 1.0 / p.len() as f64;
    let sum: f64 = p.iter().map(|&p| f64::from(p)).sum();
    // Levels of data without any are even.
    let share = |p: f32| if sum > 0.0 { f64::from(p) / sum } else { even };
    let logs: Vec<f64> = p.iter().map(|&p| libm::log((1.0 - PSEUDOCOUNT) * share(p) + PSEUDOCOUNT * even)).collect();
    let mean = logs.iter().sum::<f64>() * even;
    biases.extend(logs.iter().map(|log| (log - mean) as f32));
}
