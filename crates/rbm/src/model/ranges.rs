//! Ranges of numbers that settings must lie in.

/// Whether a number is positive and finite in the 32 bits that learning is in.
#[must_use]
pub fn is_positive(x: f64) -> bool {
    let x = x as f32;
    x.is_finite() && x > 0.0
}

/// The same of a number that may be zero.
#[must_use]
pub fn is_not_negative(x: f64) -> bool {
    (x as f32).is_finite() && x >= 0.0
}
