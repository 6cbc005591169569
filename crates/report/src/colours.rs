//! Colours of weights: blue below zero, white at zero, red above.

use crate::canvas::Colour;

/// `RdBu` of `ColorBrewer` (Harrower & Brewer 2003), turned round, which the colour-blind tell apart, too.
const STOPS: [Colour; 11] = [
    [5, 48, 97],
    [33, 102, 172],
    [67, 147, 195],
    [146, 197, 222],
    [209, 229, 240],
    [247, 247, 247],
    [253, 219, 199],
    [244, 165, 130],
    [214, 96, 77],
    [178, 24, 43],
    [103, 0, 31],
];

/// The colour of a value between -1 and 1; what lies beyond has that of the end.
#[must_use]
pub fn diverging(value: f32) -> Colour {
    let last = STOPS.len() - 1;
    let place =
        if value.is_finite() { f32::midpoint(value.clamp(-1.0, 1.0), 1.0) * last as f32 } else { last as f32 / 2.0 };
    let below = (place as usize).min(last - 1);
    let share = place - below as f32;
    std::array::from_fn(|channel| {
        let (a, b) = (f32::from(STOPS[below][channel]), f32::from(STOPS[below + 1][channel]));
        (a + share * (b - a)).round() as u8
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sign_is_seen() {
        assert_eq!([-9.0, -1.0, 0.0, 1.0].map(diverging), [STOPS[0], STOPS[0], STOPS[5], STOPS[10]]);
        assert_eq!(diverging(f32::NAN), STOPS[5]);
        let ([r, _, b], [red, _, blue]) = (diverging(-0.5), diverging(0.5));
        assert!(b > r && red > blue);
    }
}
