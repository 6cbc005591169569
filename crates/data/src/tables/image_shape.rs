//! The shape of a picture.

use std::fmt;
use std::str::FromStr;

use crate::error::Error;
use crate::text::serde_as_text;

/// Width and height of a picture, written `WIDTHxHEIGHT`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImageShape {
    /// Pixels in a row.
    pub width: usize,
    /// Rows of pixels.
    pub height: usize,
}

impl fmt::Display for ImageShape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}", self.width, self.height)
    }
}

impl FromStr for ImageShape {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let sides = text.split_once('x').and_then(|(w, h)| Some((w.parse::<usize>().ok()?, h.parse().ok()?)));
        match sides {
            Some((width, height)) if width.checked_mul(height) > Some(0) => Ok(Self { width, height }),
            _ => Err(Error::Setting {
                name: "image size",
                got: format!("{text:?}"),
                expected: "WIDTHxHEIGHT in pixels, such as 28x28".into(),
            }),
        }
    }
}

serde_as_text!(ImageShape);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn image_sizes_read_and_write_as_text() {
        let shape: ImageShape = "20x30".parse().unwrap();
        assert_eq!((shape.width, shape.height, shape.to_string().as_str()), (20, 30, "20x30"));
        for bad in ["", "28", "0x3", "3x0", "ax3", "3x3x3", "-1x2"] {
            let error = bad.parse::<ImageShape>().unwrap_err().to_string();
            assert!(error.contains(&format!("{bad:?}")) && error.contains("28x28"), "{error}");
        }
    }
}
