//! Axes: their range, whether they are logarithmic, and where their marks stand.

/// What is greater is no figure of a training.
pub(crate) const GREATEST: f64 = 1e30;

/// A largest value of so many medians dwarfs the rest.
const DWARFS: f64 = 20.0;

/// How values become places.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Scale {
    /// As they are.
    Linear,
    /// By their logarithm: all are positive.
    Log,
    /// Linear within this distance of zero, logarithmic beyond: `asinh(x / d)`.
    Symmetric(f64),
}

impl Scale {
    /// Where a value lies before the axis is stretched.
    fn warp(self, value: f64) -> f64 {
        match self {
            Self::Linear => value,
            Self::Log => value.ln(),
            Self::Symmetric(distance) => (value / distance).asinh(),
        }
    }

    /// The value there.
    fn unwarp(self, place: f64) -> f64 {
        match self {
            Self::Linear => place,
            Self::Log => place.exp(),
            Self::Symmetric(distance) => place.sinh() * distance,
        }
    }
}

/// An axis that is never empty.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Axis {
    /// How values become places.
    pub(crate) scale: Scale,
    /// Its ends.
    pub(crate) low: f64,
    /// The greater one.
    pub(crate) high: f64,
}

impl Axis {
    /// The axis of these values, with a little room; logarithmic where some of them dwarf the rest.
    pub(crate) fn of(values: impl Iterator<Item = f64>) -> Self {
        let mut values: Vec<f64> = values.filter(|x| x.abs() < GREATEST).collect();
        values.sort_unstable_by(f64::total_cmp);
        let scale = scale_of(&values);
        let (Some(&low), Some(&high)) = (values.first(), values.last()) else {
            return Self { scale, low: 0.0, high: 1.0 };
        };
        if low == 0.0 && high == 0.0 {
            return Self { scale, low, high: 1.0 };
        }
        if scale == Scale::Linear {
            let room = if high > low { 0.06 * (high - low) } else { 0.5 * low.abs().max(1.0) };
            // The marks of the axis must be apart in 64 bits.
            let room = room.max(1e-6 * low.abs().max(high.abs()).max(1e-6));
            return Self { scale, low: low - room, high: high + room };
        }
        let (a, b) = (scale.warp(low), scale.warp(high));
        let room = 0.06 * (b - a);
        Self { scale, low: scale.unwarp(a - room), high: scale.unwarp(b + room) }
    }

    /// The axis of epochs.
    pub(crate) fn of_epochs(values: impl Iterator<Item = f64>) -> Self {
        let ends = |(low, high): (f64, f64), x: f64| (low.min(x), high.max(x));
        let (low, high) = values.filter(|x| x.abs() < GREATEST).fold((f64::INFINITY, f64::NEG_INFINITY), ends);
        match (low, high) {
            (low, high) if low > high => Self { scale: Scale::Linear, low: 0.0, high: 1.0 },
            (low, high) if low < high => Self { scale: Scale::Linear, low, high },
            (only, _) => Self { scale: Scale::Linear, low: only - 0.5, high: only + 0.5 },
        }
    }

    /// Where a value lies, from 0 at the lower end to 1 at the upper one.
    pub(crate) fn place(&self, value: f64) -> f64 {
        let (low, high) = (self.scale.warp(self.low), self.scale.warp(self.high));
        let place = (self.scale.warp(value) - low) / (high - low);
        if place.is_finite() { place.clamp(0.0, 1.0) } else { 0.0 }
    }

    /// Some `most` marks, with their labels.
    pub(crate) fn marks(&self, most: usize) -> Vec<(f64, String)> {
        let decades = if self.scale == Scale::Linear { Vec::new() } else { self.decades(most) };
        if decades.len() >= 2 { decades } else { self.even_marks(most) }
    }

    /// The marks of an axis of epochs, which are whole.
    pub(crate) fn whole_marks(&self, most: usize) -> Vec<(f64, String)> {
        let marks = self.even_marks(most).into_iter();
        marks.filter(|(value, _)| value.fract() == 0.0).map(|(value, _)| (value, format!("{value}"))).collect()
    }

    /// Multiples of 1, 2 or 5 times a power of ten.
    fn even_marks(&self, most: usize) -> Vec<(f64, String)> {
        let rough = (self.high - self.low) / most.max(1) as f64;
        if !(rough > 0.0 && rough.is_finite()) {
            return Vec::new();
        }
        let power = 10f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0].into_iter().map(|m| m * power).find(|&step| step >= rough).unwrap_or(rough);
        let digits = (-step.log10().floor()).clamp(0.0, 12.0) as usize;
        let first = (self.low / step).ceil();
        let count = ((self.high / step).floor() - first).clamp(0.0, 100.0) as usize;
        let mark = |n: usize| {
            let value = (first + n as f64) * step;
            // Sums of tenths are no tenths.
            let value = if digits <= 12 { format!("{value:.digits$}").parse().unwrap_or(value) } else { value };
            (value, label(value, digits))
        };
        let mut marks: Vec<_> = (0..=count).map(mark).filter(|(x, _)| (self.low..=self.high).contains(x)).collect();
        marks.dedup_by(|a, b| a.1 == b.1);
        marks
    }

    /// Powers of ten, of either sign, with those between them where there are few.
    fn decades(&self, most: usize) -> Vec<(f64, String)> {
        let largest = self.low.abs().max(self.high.abs());
        let smallest = match self.scale {
            Scale::Symmetric(distance) => distance,
            _ => self.low,
        };
        let exponents = smallest.log10().floor() as i32..=largest.log10().ceil() as i32;
        let all = |multiples: &[f64]| -> Vec<f64> {
            let sizes = exponents.clone().flat_map(|power| multiples.iter().map(move |m| m * 10f64.powi(power)));
            let sizes: Vec<f64> = sizes.collect();
            let mut values: Vec<f64> = sizes.iter().rev().map(|x| -x).chain([0.0]).chain(sizes.clone()).collect();
            values.retain(|value| (self.low..=self.high).contains(value));
            values
        };
        let mut values = all(&[1.0, 2.0, 5.0]);
        if values.len() > most + 2 {
            values = all(&[1.0]);
        }
        let every = values.len().div_ceil(most.max(1) + 2).max(1);
        let labelled = |value: f64| {
            let digits = if value == 0.0 { 0.0 } else { -value.abs().log10().floor() };
            (value, label(value, digits.clamp(0.0, 12.0) as usize))
        };
        values.into_iter().step_by(every).map(labelled).collect()
    }
}

/// Round numbers from one end of a linear axis to the other, about so many at most, with their labels.
#[must_use]
pub fn round_marks(low: f64, high: f64, most: usize) -> Vec<(f64, String)> {
    Axis { scale: Scale::Linear, low, high }.even_marks(most)
}

/// Logarithmic where a value dwarfs the rest, or a cost falls by powers of ten.
fn scale_of(sorted: &[f64]) -> Scale {
    let (Some(&low), Some(&high)) = (sorted.first(), sorted.last()) else { return Scale::Linear };
    let mut sizes: Vec<f64> = sorted.iter().map(|x| x.abs()).filter(|&x| x > 0.0).collect();
    sizes.sort_unstable_by(f64::total_cmp);
    let Some(&median) = sizes.get(sizes.len() / 2) else { return Scale::Linear };
    let largest = sizes[sizes.len() - 1];
    // Below the normal numbers there are no powers of ten to speak of.
    if sorted.len() < 4 || largest < DWARFS * median && !(low > 0.0 && high > 100.0 * low) || sizes[0] < 1e-290 {
        return Scale::Linear;
    }
    if low > 0.0 { Scale::Log } else { Scale::Symmetric(median) }
}

/// A mark in as few characters as it takes.
fn label(value: f64, digits: usize) -> String {
    let size = value.abs();
    let text =
        if size >= 1e6 || size > 0.0 && size < 1e-4 { format!("{value:e}") } else { format!("{value:.digits$}") };
    // Adding zero turns -0 into 0.
    if text.trim_start_matches('-').trim_matches(['0', '.']).is_empty() { "0".into() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(marks: Vec<(f64, String)>) -> Vec<String> {
        marks.into_iter().map(|(_, label)| label).collect()
    }

    #[test]
    fn marks_are_round_and_inside() {
        let axis = Axis { scale: Scale::Linear, low: 57.3, high: 142.1 };
        assert_eq!(labels(axis.marks(5)), ["60", "80", "100", "120", "140"]);
        assert_eq!(labels(round_marks(-0.013, 0.021, 5)), ["-0.01", "0", "0.01", "0.02"]);
        assert!(round_marks(0.0, 0.0, 5).is_empty());
        let axis = Axis::of_epochs([1.0, 3.0].into_iter());
        assert_eq!(labels(axis.whole_marks(8)), ["1", "2", "3"], "no mark between two epochs");
        let axis = Axis::of_epochs([1.0, 100_000.0].into_iter());
        assert_eq!(labels(axis.whole_marks(5)), ["20000", "40000", "60000", "80000", "100000"]);
    }

    #[test]
    fn an_axis_is_logarithmic_where_a_value_dwarfs_the_rest() {
        let of = |values: &[f64]| Axis::of(values.iter().copied());
        assert_eq!(of(&[200.0, 90.0, 80.0, 75.0, 73.0]).scale, Scale::Linear);
        assert_eq!(of(&[9000.0, 90.0, 80.0, 75.0, 73.0]).scale, Scale::Log);
        assert_eq!(of(&[-9000.0, -90.0, -80.0, 75.0, 73.0]).scale, Scale::Symmetric(80.0));
        let axis = of(&[9000.0, 90.0, 80.0, 75.0, 73.0]);
        assert_eq!(labels(axis.marks(6)), ["100", "200", "500", "1000", "2000", "5000", "10000"]);
        let (low, high) = (axis.place(73.0), axis.place(9000.0));
        assert!(low > 0.0 && low < 0.1 && high > 0.9 && high < 1.0);
        let axis = of(&[-9000.0, -90.0, -80.0, 75.0, 73.0]);
        assert!(labels(axis.marks(6)).contains(&"0".to_string()));
        assert!(axis.place(-9000.0) < 0.1 && axis.place(75.0) > 0.9);
    }

    /// Metrics that were damaged or edited, or that hardly change.
    #[test]
    fn any_values_make_an_axis() {
        let values = [0.0, 5e-324, 1e-310, 1.0, 1.0 + 4e-16, 1e29, 1e30, 1e300, f64::MAX, f64::MIN, -1e-320];
        for a in values.into_iter().chain([f64::INFINITY, f64::NAN]) {
            for b in values {
                for axis in [Axis::of([a, b, b, 1.0, 1.0].into_iter()), Axis::of([a, b].into_iter())] {
                    assert!(axis.low < axis.high && axis.low.is_finite() && axis.high.is_finite(), "{a} {b}");
                    assert!(axis.marks(6).len() < 200);
                    assert!((0.0..=1.0).contains(&axis.place(a)) && (0.0..=1.0).contains(&axis.place(b)));
                }
            }
        }
    }
}
