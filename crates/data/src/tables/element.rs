//! Numbers as files hold them.

use super::values::Values;

/// Type of a file's numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(not(feature = "formats"), allow(dead_code, reason = "IDX files hold bytes"))]
pub(crate) enum Element {
    Bool,
    U8,
    U16,
    U32,
    U64,
    I8,
    I16,
    I32,
    I64,
    F16,
    /// The upper half of [`Element::F32`].
    BF16,
    F32,
    F64,
    /// Texts of so many letters of 32 bits.
    Unicode(u32),
    /// Texts of so many bytes.
    Text(u32),
}

impl Element {
    /// Bytes of a number.
    pub(crate) fn size(self) -> usize {
        match self {
            Self::Bool | Self::U8 | Self::I8 => 1,
            Self::U16 | Self::I16 | Self::F16 | Self::BF16 => 2,
            Self::U32 | Self::I32 | Self::F32 => 4,
            Self::U64 | Self::I64 | Self::F64 => 8,
            Self::Unicode(letters) => 4 * letters as usize,
            Self::Text(bytes) => bytes as usize,
        }
    }

    /// Bytes of a number as a value of samples.
    #[cfg(feature = "formats")]
    pub(crate) fn held(self) -> usize {
        match self {
            Self::Bool | Self::U8 => 1,
            wide if wide.is_wide() => size_of::<f64>(),
            _ => size_of::<f32>(),
        }
    }

    /// Whether floats of 32 bits hold not all of its numbers.
    pub(crate) fn is_wide(self) -> bool {
        matches!(self, Self::I32 | Self::U32 | Self::I64 | Self::U64 | Self::F64)
    }

    /// Whether it is text, and no number.
    pub(crate) fn is_text(self) -> bool {
        matches!(self, Self::Unicode(_) | Self::Text(_))
    }

    /// All texts in the order of the file, without the zeros that fill them up; none of numbers.
    #[cfg(feature = "formats")]
    pub(crate) fn texts(self, big_endian: bool, bytes: &[u8]) -> Vec<String> {
        if !self.is_text() || self.size() == 0 {
            return Vec::new();
        }
        let unicode = |text: &[u8]| {
            let letter = |bytes: &[u8]| match *bytes {
                [a, b, c, d] if big_endian => u32::from_be_bytes([a, b, c, d]),
                [a, b, c, d] => u32::from_le_bytes([a, b, c, d]),
                _ => 0,
            };
            let letters = text.chunks(4).map(letter).take_while(|&letter| letter != 0);
            letters.map(|letter| char::from_u32(letter).unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
        };
        let of_bytes = |text: &[u8]| {
            let end = text.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1);
            crate::text::shown(&text[..end])
        };
        let each = bytes.chunks_exact(self.size());
        if let Self::Unicode(_) = self { each.map(unicode).collect() } else { each.map(of_bytes).collect() }
    }

    /// All numbers in the order of the file.
    pub(crate) fn decode<T>(self, big_endian: bool, bytes: &[u8], convert: impl Fn(f64) -> T) -> Vec<T> {
        macro_rules! read {
            ($type:ty, $to_f64:expr) => {
                bytes
                    .chunks_exact(size_of::<$type>())
                    .map(|chunk| {
                        let mut bytes = [0; size_of::<$type>()];
                        bytes.copy_from_slice(chunk);
                        let x = if big_endian { <$type>::from_be_bytes(bytes) } else { <$type>::from_le_bytes(bytes) };
                        convert($to_f64(x))
                    })
                    .collect()
            };
        }
        match self {
            Self::Bool => read!(u8, |x| f64::from(u8::from(x != 0))),
            Self::U8 => read!(u8, f64::from),
            Self::U16 => read!(u16, f64::from),
            Self::U32 => read!(u32, f64::from),
            Self::U64 => read!(u64, |x| x as f64),
            Self::I8 => read!(i8, f64::from),
            Self::I16 => read!(i16, f64::from),
            Self::I32 => read!(i32, f64::from),
            Self::I64 => read!(i64, |x| x as f64),
            Self::F32 => read!(f32, f64::from),
            Self::F64 => read!(f64, |x| x),
            Self::F16 => read!(u16, |x| f64::from(half(x))),
            Self::BF16 => read!(u16, |x| f64::from(f32::from_bits(u32::from(x) << 16))),
            Self::Unicode(_) | Self::Text(_) => Vec::new(),
        }
    }

    /// The numbers as values of samples: bytes stay bytes, and what 32 bits may not hold keeps 64.
    pub(crate) fn values(self, big_endian: bool, mut bytes: Vec<u8>) -> Values {
        match self {
            Self::U8 => Values::Bytes(bytes),
            Self::Bool => {
                for x in &mut bytes {
                    *x = u8::from(*x != 0);
                }
                Values::Bytes(bytes)
            }
            wide if wide.is_wide() => Values::Doubles(self.decode(big_endian, &bytes, |x| x)),
            _ => Values::Floats(self.decode(big_endian, &bytes, |x| x as f32)),
        }
    }
}

/// A number of 16 bits: a sign, five bits of the exponent, ten of the fraction.
fn half(bits: u16) -> f32 {
    let (sign, exponent, fraction) = (bits >> 15, i32::from(bits >> 10 & 31), f32::from(bits & 1023) / 1024.0);
    let size = match exponent {
        0 => fraction * f32::powi(2.0, -14),
        31 if fraction == 0.0 => f32::INFINITY,
        31 => f32::NAN,
        exponent => (1.0 + fraction) * f32::powi(2.0, exponent - 15),
    };
    if sign == 0 { size } else { -size }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 0, 1 and 200 (where it fits) in every type and both byte orders come out as themselves.
    #[test]
    fn every_type_and_byte_order_reads_its_numbers() {
        macro_rules! check {
            ($type:ty, $element:ident, $last:expr) => {
                for big_endian in [false, true] {
                    let bytes: Vec<u8> = [0 as $type, 1 as $type, $last as $type]
                        .iter()
                        .flat_map(|x| if big_endian { x.to_be_bytes() } else { x.to_le_bytes() })
                        .collect();
                    let numbers = Element::$element.decode(big_endian, &bytes, |x| x);
                    assert_eq!(numbers, [0.0, 1.0, f64::from($last)]);
                    assert_eq!(bytes.len(), 3 * Element::$element.size());
                }
            };
        }
        check!(u8, U8, 200);
        check!(u16, U16, 200);
        check!(u32, U32, 200);
        check!(u64, U64, 200);
        check!(i8, I8, 100);
        check!(i16, I16, 200);
        check!(i32, I32, 200);
        check!(i64, I64, 200);
        check!(f32, F32, 200);
        check!(f64, F64, 200);
        for (bits, x) in [
            (0, 0.0),
            (0x3c00, 1.0),
            (0xc000, -2.0),
            (0x3555, 0.333_251_953_125),
            (1, 5.960_464_477_539_063e-8),
            (0x7bff, 65504.0),
        ] {
            assert_eq!(Element::F16.decode(false, &u16::to_le_bytes(bits), |x| x), [x]);
        }
        assert!(half(0x7c00).is_infinite() && half(0x7e00).is_nan());
        assert_eq!(Element::BF16.decode(true, &[0x3f, 0x80, 0xc0, 0x40], |x| x), [1.0, -3.0]);
        let values = |element: Element, bytes: &[u8]| element.values(false, bytes.to_vec());
        assert_eq!(values(Element::Bool, &[0, 1, 7]), Values::Bytes(vec![0, 1, 1]));
        assert_eq!(values(Element::F64, &1e300f64.to_le_bytes()), Values::Doubles(vec![1e300]));
        assert_eq!(values(Element::F64, &1e300f64.to_le_bytes()).into_floats(), [f32::MAX]);
        assert_eq!(values(Element::I64, &(1i64 << 53).to_le_bytes()), Values::Doubles(vec![9_007_199_254_740_992.0]));
        assert_eq!(values(Element::I16, &(-3i16).to_le_bytes()), Values::Floats(vec![-3.0]));
    }

    #[cfg(feature = "formats")]
    #[test]
    fn texts_lose_the_zeros_that_fill_them() {
        let letters = |text: &str| text.chars().flat_map(|c| u32::from(c).to_le_bytes()).collect::<Vec<u8>>();
        let bytes = [letters("ab\0"), letters("é\0\0")].concat();
        assert_eq!(Element::Unicode(3).texts(false, &bytes), ["ab", "é"]);
        assert_eq!(Element::Text(3).texts(false, b"cat\xe9\0\0"), ["cat", "\\xe9"]);
    }
}
