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
    F32,
    F64,
}

impl Element {
    /// Bytes of a number.
    pub(crate) fn size(self) -> usize {
        match self {
            Self::Bool | Self::U8 | Self::I8 => 1,
            Self::U16 | Self::I16 => 2,
            Self::U32 | Self::I32 | Self::F32 => 4,
            Self::U64 | Self::I64 | Self::F64 => 8,
        }
    }

    /// Bytes of a number as a value of samples.
    #[cfg(feature = "formats")]
    pub(crate) fn held(self) -> usize {
        if matches!(self, Self::Bool | Self::U8) { 1 } else { size_of::<f32>() }
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
        }
    }

    /// The numbers as values of samples: bytes stay bytes.
    pub(crate) fn values(self, big_endian: bool, mut bytes: Vec<u8>) -> Values {
        match self {
            Self::U8 => Values::Bytes(bytes),
            Self::Bool => {
                for x in &mut bytes {
                    *x = u8::from(*x != 0);
                }
                Values::Bytes(bytes)
            }
            _ => Values::Floats(self.decode(big_endian, &bytes, narrow)),
        }
    }
}

/// To 32 bits; a finite number stays finite, so that messages can tell it from an infinity.
fn narrow(x: f64) -> f32 {
    let near = x as f32;
    if near.is_infinite() && x.is_finite() { f32::MAX.copysign(near) } else { near }
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
        let values = |element: Element, bytes: &[u8]| element.values(false, bytes.to_vec());
        assert_eq!(values(Element::Bool, &[0, 1, 7]), Values::Bytes(vec![0, 1, 1]));
        assert_eq!(values(Element::F64, &1e300f64.to_le_bytes()), Values::Floats(vec![f32::MAX]));
        assert_eq!(values(Element::I16, &(-3i16).to_le_bytes()), Values::Floats(vec![-3.0]));
    }
}
