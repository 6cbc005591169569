//! Short decimals, fast and exact.

/// Powers of ten that floats hold exactly.
const TENS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
    1e21, 1e22,
];

/// Digits that 64 bits hold, whatever they are.
const DIGITS: usize = 18;

/// The number that a text starts with, and the bytes that it takes: of a decimal of few digits the nearest float, as
/// `str::parse` gives it; none where that takes more thought, and for all else. `point` is a point too.
///
/// Whole numbers and powers of ten that are exact make a quotient that is rounded once (Clinger, 1990).
#[inline]
pub(crate) fn decimal(text: &[u8], point: u8) -> Option<(f64, usize)> {
    match text.first_chunk().and_then(|&start| in_a_word(u64::from_le_bytes(start), point)) {
        Some(found) => Some(found),
        None => one_by_one(text, point),
    }
}

/// The same of a number that ends within eight bytes, which are looked at all at once; none of any other.
#[inline]
fn in_a_word(word: u64, point: u8) -> Option<(f64, usize)> {
    const EACH: u64 = 0x0101_0101_0101_0101;
    let first = word as u8;
    let signs = usize::from(first == b'-' || first == b'+');
    // What stands behind a sign; zero bytes, which are no digits, behind that.
    let word = word >> (8 * signs);
    let digits = word ^ (EACH * u64::from(b'0'));
    // The highest bit of each byte that is no digit: 10 and more become 128 and more.
    let others = (((digits & (EACH * 0x7f)) + EACH * 0x76) | digits) & (EACH * 0x80);
    let place = |others: u64| others.trailing_zeros() as usize / 8;
    let before = place(others);
    let mark = (word >> (8 * before.min(7))) as u8;
    let (digits, end, places) = if before < 8 && (mark == b'.' || mark == point) {
        let end = place(others & (others - 1));
        // The digits behind the point follow those before it.
        let kept = (1 << (8 * before)) - 1;
        (digits & kept | digits >> 8 & !kept, end, end - 1 - before)
    } else {
        (digits, before, 0)
    };
    let count = end - usize::from(end > before);
    if end + signs >= 8 || count == 0 {
        return None;
    }
    // Eight digits, zeros in front, then pairs, fours and all of them.
    let eight = digits << (8 * (8 - count));
    let pairs = eight.wrapping_mul(10).wrapping_add(eight >> 8);
    let of_pairs = |shift: u32, by: u64| (pairs >> shift & 0x0000_00ff_0000_00ff).wrapping_mul(by);
    let whole = of_pairs(0, 0x000f_4240_0000_0064).wrapping_add(of_pairs(16, 0x0000_2710_0000_0001)) >> 32;
    let size = if places == 0 { whole as f64 } else { whole as f64 / TENS[places] };
    Some((if first == b'-' { -size } else { size }, end + signs))
}

/// The same, a byte at a time.
fn one_by_one(text: &[u8], point: u8) -> Option<(f64, usize)> {
    let signs = usize::from(matches!(text.first(), Some(b'-' | b'+')));
    let (mut whole, mut mark, mut end) = (0u64, None, text.len());
    for (at, &byte) in text.iter().enumerate().skip(signs) {
        let digit = byte.wrapping_sub(b'0');
        if digit < 10 {
            whole = whole.wrapping_mul(10).wrapping_add(digit.into());
        } else if mark.is_none() && (byte == b'.' || byte == point) {
            mark = Some(at);
        } else {
            end = at;
            break;
        }
    }
    let digits = end - signs - usize::from(mark.is_some());
    let places = mark.map_or(0, |mark| end - 1 - mark);
    if digits == 0 || digits > DIGITS || whole > 1 << f64::MANTISSA_DIGITS {
        return None;
    }
    let size = if places == 0 { whole as f64 } else { whole as f64 / TENS[places] };
    Some((if text[0] == b'-' { -size } else { size }, end))
}

/// The nearest float to a decimal of few digits, with no more behind it.
pub(crate) fn short_decimal(field: &[u8], decimal_comma: bool) -> Option<f64> {
    let point = if decimal_comma { b',' } else { b'.' };
    decimal(field, point).filter(|&(_, end)| end == field.len()).map(|(x, _)| x)
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
            let behind = format!("{text};1234567");
            assert_eq!(decimal(behind.as_bytes(), b'.'), one_by_one(behind.as_bytes(), b'.'), "{behind}");
            if let Some(x) = short_decimal(text.as_bytes(), false) {
                told += 1;
                assert_eq!(Ok(x.to_bits()), text.parse::<f64>().map(f64::to_bits), "{text}");
            }
        };
        for k in 0..200_000usize {
            let (digits, places) = ((next() % 10u64.pow(1 + k as u32 % 17)).to_string(), next() as usize % 18);
            let padded = format!("{digits:0>width$}", width = places + k % 2);
            let (before, behind) = padded.split_at(padded.len() - places);
            let sign = ["", "-", "+"][k % 3];
            compare(&format!("{sign}{before}.{behind}"));
            compare(&format!("{sign}{digits}"));
            compare(&format!("{:.*}", 1 + k % 16, f64::from_bits(0x3ff0_0000_0000_0000 + (next() >> 4))));
        }
        assert!(3 * told > 2 * all, "{told} of {all}");
    }

    /// Eight bytes of any kind at once are what they are one by one.
    #[test]
    fn a_word_is_read_as_its_bytes_are() {
        let letters = b"0123456789.,-+;e\n \x00\xff\x80\xb0:/";
        let mut state = 3u64;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as usize
        };
        let mut told = 0;
        for round in 0..400_000 {
            let most = if round % 2 == 0 { 12 } else { letters.len() };
            let text: [u8; 8] = std::array::from_fn(|_| letters[next() % most]);
            let found = in_a_word(u64::from_le_bytes(text), b',');
            told += usize::from(found.is_some());
            let bits = |found: Option<(f64, usize)>| found.map(|(x, end)| (x.to_bits(), end));
            match bits(one_by_one(&text, b',')) {
                // It may go on behind them.
                Some((_, 8)) => assert_eq!(found, None, "{text:?}"),
                one => assert_eq!(bits(found), one, "{text:?}"),
            }
        }
        assert!(told > 100_000, "{told}");
    }

    #[test]
    fn what_is_no_short_decimal_is_left_to_others() {
        for text in ["", ".", "-", "+.", "1e3", "nan", "1_000", "1.2.3", "--1", "0x1", "1234567890123456789", "1,5"] {
            assert_eq!(short_decimal(text.as_bytes(), false), None, "{text}");
        }
        assert_eq!(short_decimal(b"1,5", true), Some(1.5));
        assert_eq!(short_decimal(b"1.000,5", true), None);
        assert_eq!(short_decimal(b"-0", false).map(f64::to_bits), Some((-0.0f64).to_bits()));
        assert_eq!((short_decimal(b"5.", false), short_decimal(b".5", false)), (Some(5.0), Some(0.5)));
        assert_eq!(decimal(b"1.50;2", b','), Some((1.5, 4)));
        assert_eq!((decimal(b"", b'.'), decimal(b"1e3", b'.')), (None, Some((1.0, 1))));
    }
}
