//! What hidden units add to the free energy, as curves of their inputs on a grid, averaged over data.
//!
//! A sum over data `sum_n p_n cgf(x_n + s)` for many s is a sum over a histogram of the `x_n`: each is shared among the four
//! grid points around it with the weights of a cubic through these (Lagrange), which is the same as reading cgf between
//! grid points by that cubic. Its error is `3/128 h⁴ cgf''''` at most, with h the distance of grid points.

use crate::error::Result;
use crate::sites::Sites;

/// Grid points of a curve.
const POINTS: usize = 512;

/// Points of the grid around a value that share it.
const SHARES: usize = 4;

/// cgf of every hidden unit on a grid of its own.
#[derive(Debug)]
pub(crate) struct Curves {
    /// The first grid point of each unit, and the distance of two.
    pub(crate) grids: Vec<Grid>,
    /// [hidden][POINTS].
    values: Vec<Vec<f64>>,
}

/// Evenly spaced points.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Grid {
    start: f64,
    step: f64,
}

impl Grid {
    /// The first of the four points around x, and their shares.
    fn shares(self, x: f64) -> (usize, [f64; SHARES]) {
        lagrange((x - self.start) / self.step)
    }
}

/// The first of the four whole numbers around `at`, and their shares.
fn lagrange(at: f64) -> (usize, [f64; SHARES]) {
    let first = (at.floor() - 1.0).max(0.0);
    let t = at - first - 1.0;
    let (a, b, c) = (t + 1.0, t - 1.0, t - 2.0);
    (first as usize, [-t * b * c / 6.0, a * b * c / 2.0, -a * t * c / 2.0, a * t * b / 6.0])
}

impl Curves {
    /// Curves from `lowest` to `highest` input of each unit.
    pub(crate) fn of(sites: &Sites, lowest: &[f64], highest: &[f64]) -> Result<Self> {
        // Three points more than the range on either side, for the cubic at its ends.
        let grid = |(low, high): (&f64, &f64)| {
            let step = ((high - low) / (POINTS - 9) as f64).max(1e-9 * (1.0 + low.abs() + high.abs()));
            Grid { start: low - 3.0 * step, step }
        };
        let grids: Vec<Grid> = lowest.iter().zip(highest).map(grid).collect();
        let inputs = (0..POINTS).flat_map(|k| grids.iter().map(move |grid| grid.start + k as f64 * grid.step));
        let table = sites.cgfs(inputs.collect())?;
        let hidden = sites.hidden();
        let values = (0..hidden).map(|u| table.iter().skip(u).step_by(hidden).copied().collect()).collect();
        Ok(Self { grids, values })
    }
}

/// A histogram of values on a grid, each shared among four points.
#[derive(Debug)]
pub(crate) struct Histogram {
    shares: Vec<f64>,
    low: usize,
    high: usize,
}

impl Histogram {
    pub(crate) fn new() -> Self {
        Self { shares: vec![0.0; POINTS], low: POINTS, high: 0 }
    }

    /// Takes values with their weights in place of what it had.
    pub(crate) fn gather(&mut self, grid: Grid, values: impl Iterator<Item = (f64, f64)>) {
        self.shares[self.low.min(self.high)..self.high].fill(0.0);
        (self.low, self.high) = (POINTS, 0);
        for (x, weight) in values {
            let (first, shares) = grid.shares(x);
            let first = first.min(POINTS - SHARES);
            (self.low, self.high) = (self.low.min(first), self.high.max(first + SHARES));
            for (bin, share) in self.shares[first..first + SHARES].iter_mut().zip(shares) {
                *bin += weight * share;
            }
        }
    }
}

/// Sums `sum_n p_n cgf(x_n + s)` for s from a lowest to a highest, on the same grid.
#[derive(Debug, Default)]
pub(crate) struct Averages {
    values: Vec<f64>,
    start: f64,
    step: f64,
}

impl Averages {
    /// Those of hidden unit `u`, for `s` between `low` and `high`.
    pub(crate) fn of(&mut self, curves: &Curves, u: usize, histogram: &Histogram, low: f64, high: f64) {
        let (grid, curve) = (curves.grids[u], &curves.values[u]);
        let (first, last) = ((low / grid.step).floor() as i64 - 1, (high / grid.step).ceil() as i64 + 2);
        (self.start, self.step) = (first as f64 * grid.step, grid.step);
        self.values.clear();
        let shares = &histogram.shares[histogram.low.min(histogram.high)..histogram.high];
        for shift in first..=last {
            let from = histogram.low as i64 + shift;
            // Three points more on either side of the curves are what the cubics at their ends need.
            let curve = &curve[from as usize..];
            self.values.push(shares.iter().zip(curve).map(|(share, cgf)| share * cgf).sum());
        }
    }

    /// The sum at `s`.
    pub(crate) fn at(&self, s: f64) -> f64 {
        let (first, shares) = lagrange((s - self.start) / self.step);
        self.values[first..].iter().zip(shares).map(|(value, share)| value * share).sum()
    }
}
