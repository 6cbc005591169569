//! Values as files have them.

/// Row-major values as the file has them.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Values {
    Bytes(Vec<u8>),
    #[cfg_attr(not(feature = "formats"), allow(dead_code, reason = "IDX files hold bytes"))]
    Floats(Vec<f32>),
}

impl Values {
    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Bytes(bytes) => bytes.len(),
            Self::Floats(floats) => floats.len(),
        }
    }
}
