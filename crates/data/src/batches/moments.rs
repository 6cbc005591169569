//! Mean and variance of every unit.

use super::split::Split;
use crate::error::Error;
use crate::schema::pixels::Row;

impl Split {
    /// Mean of each unit over the samples, weighted where they have weights, in [0, 1]; as many values as units.
    ///
    /// # Errors
    /// If their file cannot be read.
    pub fn mean(&self) -> Result<Vec<f32>, Error> {
        let mut sums = vec![0.0f64; self.units()];
        let weight = |sample: usize| f64::from(self.weight(sample).unwrap_or(1.0));
        self.visit(0..self.samples(), |sample, _, row| match row {
            // Bytes are summed as they are: sums of integers are exact.
            Row::Bytes(bytes) => sums.iter_mut().zip(bytes).for_each(|(sum, &x)| *sum += weight(sample) * f64::from(x)),
            Row::Floats(floats) => {
                sums.iter_mut().zip(floats).for_each(|(sum, &x)| *sum += weight(sample) * f64::from(x));
            }
        })?;
        let one = if self.has_bytes() { 255.0 } else { 1.0 };
        let total: f64 = (0..self.samples()).map(weight).sum();
        Ok(sums.iter().map(|sum| (sum / (one * total.max(f64::MIN_POSITIVE))) as f32).collect())
    }

    /// Variance of each unit over the samples, weighted where they have weights; `mean` is [`Split::mean`].
    ///
    /// # Errors
    /// If their file cannot be read.
    pub fn variance(&self, mean: &[f32]) -> Result<Vec<f32>, Error> {
        let (mut sums, mut values) = (vec![0.0f64; self.units()], vec![0.0; self.units()]);
        let weight = |sample: usize| f64::from(self.weight(sample).unwrap_or(1.0));
        self.visit(0..self.samples(), |sample, _, row| {
            row.write(&mut values);
            for ((sum, &x), &mean) in sums.iter_mut().zip(&values).zip(mean) {
                *sum += weight(sample) * (f64::from(x) - f64::from(mean)).powi(2);
            }
        })?;
        let total: f64 = (0..self.samples()).map(weight).sum();
        Ok(sums.iter().map(|sum| (sum / total.max(f64::MIN_POSITIVE)) as f32).collect())
    }
}
