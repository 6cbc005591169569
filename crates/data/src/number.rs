//! Numbers of 64 bits, as tables have them, beside those of 32 bits, in which what is left of them is learned.

/// A number that has few bits as few digits: 0.1 where it is the float of 32 bits that is nearest to 0.1.
pub(crate) fn shown(x: f64) -> String {
    let short = x as f32;
    if f64::from(short) == x { short.to_string() } else { x.to_string() }
}

/// The float of 32 bits that a decimal of few digits is nearest to; other numbers as they are. What [`shown`] makes of a
/// number comes back so.
pub(crate) fn of_few_digits(x: f64) -> f64 {
    let short = x as f32;
    if short.to_string().parse() == Ok(x) { short.into() } else { x }
}

/// Whether two numbers are one, but for what their way through 32 bits may have cost fractions.
pub(crate) fn are_same(a: f64, b: f64) -> bool {
    a == b || (a as f32 == b as f32 && (a.fract() != 0.0 || b.fract() != 0.0))
}

/// To 32 bits; a finite number stays finite, so that messages can tell it from an infinity.
pub(crate) fn narrow(x: f64) -> f32 {
    let near = x as f32;
    if near.is_infinite() && x.is_finite() { f32::MAX.copysign(near) } else { near }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_32_bits_are_shown_by_their_own_digits() {
        assert_eq!(shown(f64::from(0.1f32)), "0.1");
        assert_eq!((shown(0.1), shown(-3.0), shown(1.7e9 + 1.0)), ("0.1".into(), "-3".into(), "1700000001".into()));
        assert_eq!(shown(f64::INFINITY), "inf");
    }

    #[test]
    fn what_is_shown_comes_back() {
        for x in [f64::from(0.1f32), 0.1, 1.7e9 + 0.25, -3.0, 1.0 / 3.0, f64::from(f32::MAX), 1e300, 0.0] {
            let normal = of_few_digits(x);
            assert_eq!(of_few_digits(shown(normal).parse().unwrap()), normal);
        }
        assert_eq!((of_few_digits(0.1), of_few_digits(1.7e9 + 1.0)), (f64::from(0.1f32), 1.7e9 + 1.0));
    }

    #[test]
    fn fractions_are_the_same_where_32_bits_cannot_tell_them_apart() {
        assert!(are_same(0.1, f64::from(0.1f32)) && are_same(0.1 + 0.2, 0.3) && are_same(-0.0, 0.0));
        assert!(!are_same(1.7e9, 1.7e9 + 1.0) && !are_same(0.1, 0.100_001));
    }
}
