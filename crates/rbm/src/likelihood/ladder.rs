//! The inverse temperatures that annealing climbs.

use crate::error::{Result, require};

/// Inverse temperatures from 0 to 1, ascending.
#[derive(Clone, Debug, PartialEq)]
pub struct Ladder(Vec<f32>);

/// The published one.
impl Default for Ladder {
    fn default() -> Self {
        Self::spaced(Self::PUBLISHED)
    }
}

impl Ladder {
    /// Steps of the published ladder.
    pub const PUBLISHED: usize = 14_500;

    /// So many steps, spaced as in the paper: a 29th of them below 0.5, 8 of 29 from there to 0.9,
    /// 20 of 29 above (Salakhutdinov & Murray 2008, section 6: steps of 1e-3, 1e-4 and 1e-5, which
    /// are [`Ladder::PUBLISHED`] in all).
    ///
    /// # Errors
    /// [`crate::Error::Config`] for no steps, or for more than a million.
    pub fn with_steps(steps: usize) -> Result<Self> {
        require((1..=1_000_000).contains(&steps), "temperatures", steps, "between 1 and 1000000")?;
        Ok(Self::spaced(steps))
    }

    pub(super) fn spaced(steps: usize) -> Self {
        let at = |step: usize| {
            let share = 29.0 * step as f64 / steps as f64;
            let beta = match share {
                share if share <= 1.0 => 0.5 * share,
                share if share <= 9.0 => 0.5 + 0.4 * (share - 1.0) / 8.0,
                share => 0.9 + 0.1 * (share - 9.0) / 20.0,
            };
            beta.min(1.0) as f32
        };
        Self((0..=steps).map(at).collect())
    }

    /// So many steps of equal width.
    pub(crate) fn with_uniform_steps(steps: usize) -> Self {
        Self((0..=steps).map(|step| step as f32 / steps as f32).collect())
    }

    /// So many steps of equal length, measured by `spread`: the standard deviation of the change of
    /// ln p* with the inverse temperature, at the middle of each step of this ladder. Where the
    /// distribution changes fast, steps are short.
    pub(crate) fn respaced(&self, spread: &[f64], steps: usize) -> Self {
        let pairs = || self.0.windows(2).zip(spread);
        // A floor, so that no part of the way is left out where the pilot happened to see no spread.
        let total: f64 = pairs().map(|(pair, spread)| f64::from(pair[1] - pair[0]) * spread).sum();
        let floor = 0.05 * total;
        let length = |pair: &[f32], spread: f64| f64::from(pair[1] - pair[0]) * (spread + floor);
        let whole: f64 = pairs().map(|(pair, &spread)| length(pair, spread)).sum();
        if whole <= 0.0 {
            return Self::with_uniform_steps(steps);
        }
        let (mut betas, mut passed) = (Vec::with_capacity(steps + 1), 0.0);
        for (pair, &spread) in pairs() {
            let length = length(pair, spread);
            while betas.len() <= steps && betas.len() as f64 / steps as f64 * whole < passed + length {
                let share = (betas.len() as f64 / steps as f64 * whole - passed) / length;
                betas.push((f64::from(pair[0]) + share * f64::from(pair[1] - pair[0])) as f32);
            }
            passed += length;
        }
        betas.resize(steps + 1, 1.0);
        betas[steps] = 1.0;
        Self(betas)
    }

    /// The inverse temperatures with others added where they are missing, ascending.
    pub(super) fn through(&self, others: impl Iterator<Item = f32>) -> Vec<f32> {
        let mut betas: Vec<f32> = self.0.iter().copied().chain(others).collect();
        betas.sort_by(f32::total_cmp);
        betas.dedup();
        betas
    }

    /// The inverse temperatures.
    #[must_use]
    pub fn betas(&self) -> &[f32] {
        &self.0
    }

    /// Steps from 0 to 1.
    #[must_use]
    pub fn steps(&self) -> usize {
        self.0.len() - 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_ladder_has_its_steps() {
        let ladder = Ladder::with_steps(Ladder::PUBLISHED).unwrap();
        let betas = ladder.betas();
        assert_eq!((betas[0], betas[500], betas[4500], betas[14_500]), (0.0, 0.5, 0.9, 1.0));
        assert!((betas[1] - 1e-3).abs() < 1e-7 && (betas[501] - 0.5001).abs() < 1e-6);
        assert!(betas.windows(2).all(|pair| pair[0] < pair[1]));
        for steps in [1, 2, 3, 29, 1000] {
            let ladder = Ladder::with_steps(steps).unwrap();
            assert_eq!((ladder.steps(), ladder.betas()[0], ladder.betas()[steps]), (steps, 0.0, 1.0));
        }
        assert!(Ladder::with_steps(0).is_err());
    }

    #[test]
    fn steps_are_short_where_the_spread_is_large() {
        let pilot = Ladder::with_steps(100).unwrap();
        let spread: Vec<f64> = pilot.betas()[1..].iter().map(|&beta| if beta < 0.7 { 10.0 } else { 1.0 }).collect();
        let ladder = pilot.respaced(&spread, 1000);
        assert_eq!((ladder.steps(), ladder.betas()[0], ladder.betas()[1000]), (1000, 0.0, 1.0));
        assert!(ladder.betas().windows(2).all(|pair| pair[0] < pair[1]));
        let below = ladder.betas().iter().filter(|&&beta| beta < 0.7).count();
        assert!((900..970).contains(&below), "{below} of 1000 below 0.7");
        assert_eq!(pilot.respaced(&[0.0; 100], 4).betas(), [0.0, 0.25, 0.5, 0.75, 1.0]);
    }
}
