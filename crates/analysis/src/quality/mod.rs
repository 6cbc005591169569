//! Whether the samples of a model are what the data are.
//!
//! Data and samples are compared by the frequencies of one site, two and three, connected ones
//! ([`moments`]), by where the principal components of the data put them ([`projections`]), and by whether the nearest
//! neighbour of a point tells where it comes from ([`adversarial`]). Values are those of the visible columns: a
//! categorical unit has one column a level, which is 1 or 0, so that moments of columns are frequencies.

pub mod adversarial;
pub mod moments;
pub mod projections;

use crate::error::{Error, Result};
use deepbelief_rbm::Units;
use std::ops::Range;

/// Points with their weights.
#[derive(Clone, Debug)]
pub struct Points {
    /// [points, columns].
    values: Vec<f32>,
    /// Of mean 1.
    weights: Vec<f64>,
    /// The columns of each site.
    sites: Vec<Range<usize>>,
    columns: usize,
}

impl Points {
    /// Values [points, columns] of visible units, and the points' weights; without these, each weighs 1.
    ///
    /// # Errors
    /// [`Error::Count`] if there are fewer than two points, values do not fill whole ones, or there is not one weight each.
    pub fn new(units: &Units, values: Vec<f32>, weights: Option<Vec<f64>>) -> Result<Self> {
        let columns = units.columns();
        let count = values.len() / columns.max(1);
        if count < 2 || values.len() != count * columns {
            let expected = format!("{columns} for each of at least two points");
            return Err(Error::Count { what: "values", got: values.len(), expected });
        }
        let mut weights = weights.unwrap_or_else(|| vec![1.0; count]);
        let total: f64 = weights.iter().sum();
        if weights.len() != count || total.is_nan() || total <= 0.0 {
            let expected = format!("{count}, one a point, of a sum above 0");
            return Err(Error::Count { what: "weights of points", got: weights.len(), expected });
        }
        for weight in &mut weights {
            *weight *= count as f64 / total;
        }
        let sites = units.each().flat_map(|(segment, columns)| {
            columns.step_by(segment.levels).map(move |first| first..first + segment.levels)
        });
        Ok(Self { values, weights, sites: sites.collect(), columns })
    }

    /// Number of points.
    #[must_use]
    pub fn len(&self) -> usize {
        self.weights.len()
    }

    /// Whether there is none, which cannot be.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.weights.is_empty()
    }

    /// Number of values of a point.
    #[must_use]
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// The values of point `n`.
    ///
    /// # Panics
    /// If `n` is not below their number.
    #[must_use]
    pub fn row(&self, n: usize) -> &[f32] {
        &self.values[n * self.columns..(n + 1) * self.columns]
    }

    /// What the points weigh, of mean 1.
    #[must_use]
    pub fn weights(&self) -> &[f64] {
        &self.weights
    }

    /// The site of each column.
    pub(crate) fn site_of_columns(&self) -> Vec<usize> {
        self.sites.iter().enumerate().flat_map(|(site, columns)| columns.clone().map(move |_| site)).collect()
    }

    /// Refuses points of other units.
    pub(crate) fn require_same(&self, other: &Self) -> Result<()> {
        if self.sites == other.sites {
            return Ok(());
        }
        let expected = format!("{}, of the same units", self.columns);
        Err(Error::Count { what: "columns of the second points", got: other.columns, expected })
    }
}
