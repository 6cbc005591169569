//! Short decimals, fast and exact.

/// Powers of ten that floats hold exactly.
const TENS_32: [f32; 11] = [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10];
const TENS_64: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
    1e21, 1e22,
];

/// Digits that 64 bits hold, whatever they are.
const DIGITS: usize = 18;

/// The bits of a 64-bit mantissa that 32 bits have no room for.
const DROPPED: u64 = (1 << 29) - 1;

/// The nearest 32-bit float to a decimal of few digits, as `str::parse` gives it; none where that takes more thought,
/// and for all else. With `decimal_comma`, a comma is a point too.
///
/// Whole numbers and powers of ten that are exact make a quotient that is rounded once (Clinger, 1990). One of 64 bits
/// is rounded again, which goes wrong only beside the middle between two numbers of 32.
pub(crate) fn short_decimal(field: &[u8], decimal_comma: bool) -> Option<f32> {
    let (negative, digits) = match field {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] | digits => (false, digits),
    };
    let (mut whole, mut point) = (0u64, None);
    if digits.len() > DIGITS {
        return None;
    }
    for (at, &byte) in digits.iter().enumerate() {
        match byte {
            b'0'..=b'9' => whole = 10 * whole + u64::from(byte - b'0'),
            b'.' if point.is_none() => point = Some(at),
            b',' if point.is_none() && decimal_comma => point = Some(at),
            _ => return None,
        }
    }
    if digits.len() == usize::from(point.is_some()) {
        return None;
    }
    let places = point.map_or(0, |at| digits.len() - 1 - at);
    let size = if whole <= 1 << f32::MANTISSA_DIGITS && places < TENS_32.len() {
        whole as f32 / TENS_32[places]
    } else if whole <= 1 << f64::MANTISSA_DIGITS {
        let quotient = whole as f64 / TENS_64[places];
        if (quotient.to_bits() & DROPPED).abs_diff(DROPPED.div_ceil(2)) <= 1 {
            return None;
        }
        quotient as f32
    } else {
        return None;
    };
    Some(if negative { -size } else { size })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fields of all lengths, and those about the middle between two neighbours.
    #[test]
    fn decimals_are_those_of_the_standard_parser() {
        let mut state = 1u64;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            state >> 11
        };
        let (mut told, mut all) = (0, 0);
        let mut compare = |text: &str| {
            all += 1;
            if let Some(x) = short_decimal(text.as_bytes(), false) {
                told += 1;
                assert_eq!(Ok(x.to_bits()), text.parse::<f32>().map(f32::to_bits), "{text}");
            }
        };
        for k in 0..200_000usize {
            let (digits, places) = ((next() % 10u64.pow(1 + k as u32 % 17)).to_string(), next() as usize % 18);
            let padded = format!("{digits:0>width$}", width = places + k % 2);
            let (before, behind) = padded.split_at(padded.len() - places);
            let sign = ["", "-", "+"][k % 3];
            compare(&format!("{sign}{before}.{behind}"));
            compare(&format!("{sign}{digits}"));
            // Halfway between two neighbours, in as many digits as there is room for.
            let x = f32::from_bits(0x3f80_0000 + (next() as u32 & 0x07ff_ffff));
            let middle = f64::midpoint(x.into(), x.next_up().into());
            compare(&format!("{middle:.*}", 1 + k % 16));
        }
        assert!(3 * told > 2 * all, "{told} of {all}");
    }

    #[test]
    fn what_is_no_short_decimal_is_left_to_others() {
        for text in ["", ".", "-", "+.", "1e3", "nan", "1_000", "1.2.3", "--1", "0x1", "1234567890123456789", "1,5"] {
            assert_eq!(short_decimal(text.as_bytes(), false), None, "{text}");
        }
        assert_eq!(short_decimal(b"1,5", true), Some(1.5));
        assert_eq!(short_decimal(b"1.000,5", true), None);
        assert_eq!(short_decimal(b"-0", false).map(f32::to_bits), Some((-0.0f32).to_bits()));
        assert_eq!((short_decimal(b"5.", false), short_decimal(b".5", false)), (Some(5.0), Some(0.5)));
    }
}
