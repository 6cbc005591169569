//! Grey pixels as binary states.
//!
//! A pixel of grey value p is on where p > T (threshold), or where u < p for a uniform u in
//! [0, 1) (a draw), so that a pixel of 0 is never and one of 1 always on.

use std::fmt;
use std::str::FromStr;

use deepbelief_kernels::Uniforms;

use crate::error::Error;
use crate::schema::pixels::Row;
use crate::text::serde_as_text;

/// Pixels that share a word of packed states.
const BLOCK: usize = 32;

/// How pixels become visible states. As text: `none`, `threshold=0.5`, `fixed`, `fresh`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Binarize {
    /// Grey values are kept, as probabilities.
    #[default]
    None,
    /// On where the grey value is above this one, which lies in [0, 1). With 0.5 the byte 127
    /// (0.498) is off and 128 (0.502) is on.
    Threshold(f32),
    /// One draw per pixel, the same at every presentation: row = the sample's number in the
    /// data set, step 0 of the seed's binarisation stream.
    Fixed,
    /// A new draw at every presentation: as above, with step = epoch + 1.
    Fresh,
}

impl fmt::Display for Binarize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("none"),
            Self::Threshold(t) => write!(f, "threshold={t}"),
            Self::Fixed => f.write_str("fixed"),
            Self::Fresh => f.write_str("fresh"),
        }
    }
}

impl FromStr for Binarize {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let threshold = |t: &str| t.parse().ok().map(Self::Threshold).filter(|t| t.validate().is_ok());
        match text {
            "none" => Some(Self::None),
            "fixed" => Some(Self::Fixed),
            "fresh" => Some(Self::Fresh),
            _ => text.strip_prefix("threshold=").and_then(threshold),
        }
        .ok_or_else(|| setting(format!("{text:?}")))
    }
}

serde_as_text!(Binarize);

fn setting(got: String) -> Error {
    Error::Setting {
        name: "binarize",
        got,
        expected: "none, threshold=T with T at least 0 and below 1, fixed or fresh".into(),
    }
}

impl Binarize {
    /// Refuses a threshold outside [0, 1), which would switch all pixels the same way.
    ///
    /// # Errors
    /// If it does.
    pub fn validate(&self) -> Result<(), Error> {
        match self {
            Self::Threshold(t) if !(0.0..1.0).contains(t) => Err(setting(self.to_string())),
            _ => Ok(()),
        }
    }

    /// What decides a pixel: nothing (it stays grey), a threshold, or `uniforms`.
    pub(crate) fn draw(self, uniforms: Uniforms) -> Option<Draw> {
        match self {
            Self::None => None,
            Self::Threshold(t) => Some(Draw::Above(t)),
            Self::Fixed | Self::Fresh => Some(Draw::Random(uniforms)),
        }
    }
}

/// What decides whether a pixel is on.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Draw {
    Above(f32),
    Random(Uniforms),
}

/// Packs one sample, 32 pixels a word, lowest bit first; `write` gets each block and its word.
/// `id` is the row of the uniforms.
#[inline]
pub(crate) fn pack_row(row: Row<'_>, draw: Draw, id: u32, mut write: impl FnMut(usize, u32)) {
    match row {
        Row::Bytes(bytes) => {
            for (block, chunk) in bytes.chunks(BLOCK).enumerate() {
                let pixels = padded(chunk);
                // Most of a picture is paper or ink; neither needs numbers.
                let word = match (pixels.iter().fold(0, |all, x| all | x), pixels.iter().fold(255, |all, x| all & x)) {
                    (0, _) => 0,
                    (_, 255) => u32::MAX,
                    _ => match draw {
                        Draw::Random(uniforms) => uniforms.below_grey(id, block as u32, &pixels),
                        Draw::Above(_) => decide(&pixels.map(|byte| f32::from(byte) / 255.0), draw, id, block),
                    },
                };
                write(block, word);
            }
        }
        Row::Floats(floats) => {
            for (block, chunk) in floats.chunks(BLOCK).enumerate() {
                write(block, decide(&padded(chunk), draw, id, block));
            }
        }
    }
}

/// A block of pixels; the last one of a row is filled up with pixels that are never on.
#[inline]
fn padded<T: Copy + Default>(chunk: &[T]) -> [T; BLOCK] {
    chunk.try_into().unwrap_or_else(|_| {
        let mut block = [T::default(); BLOCK];
        block[..chunk.len()].copy_from_slice(chunk);
        block
    })
}

fn decide(pixels: &[f32; BLOCK], draw: Draw, id: u32, block: usize) -> u32 {
    match draw {
        Draw::Above(threshold) => {
            pixels.iter().enumerate().fold(0, |word, (i, &pixel)| word | (u32::from(pixel > threshold) << i))
        }
        Draw::Random(uniforms) => uniforms.below(id, block as u32, pixels),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use deepbelief_kernels::Stream;

    fn states(row: Row<'_>, draw: Draw, id: u32, units: usize) -> Vec<bool> {
        let mut words = Vec::new();
        pack_row(row, draw, id, |block, word| {
            assert_eq!(block, words.len(), "blocks come in order");
            words.push(word);
        });
        (0..units).map(|unit| words[unit / 32] >> (unit % 32) & 1 == 1).collect()
    }

    /// Every byte against the definition, pixel by pixel through the single-number interface,
    /// on widths around the block; whole blocks of 0 and of 255 take the short cuts.
    #[test]
    fn draws_follow_the_definition_at_every_byte_and_width() {
        let uniforms = Uniforms::new(5, Stream::Binarize, 2);
        for units in [1, 31, 32, 33, 97, 256] {
            for pattern in 0..4 {
                let bytes: Vec<u8> = (0..units)
                    .map(|i| match pattern {
                        0 => i as u8,
                        1 => 255 - i as u8,
                        2 if i < 32 => 255,
                        _ => 0,
                    })
                    .collect();
                let got = states(Row::Bytes(&bytes), Draw::Random(uniforms), 11, units);
                let floats: Vec<f32> = bytes.iter().map(|&byte| f32::from(byte) / 255.0).collect();
                let want: Vec<bool> = (0..units).map(|i| uniforms.at(11, i as u32) < floats[i]).collect();
                assert_eq!(got, want, "{units} units, pattern {pattern}");
                assert_eq!(states(Row::Floats(&floats), Draw::Random(uniforms), 11, units), want);
            }
        }
    }

    #[test]
    fn thresholds_are_exclusive_and_split_the_bytes_at_the_documented_place() {
        let bytes: Vec<u8> = (0..=255).collect();
        for (t, first_on) in [(0.0, 1), (0.5, 128), (0.999, 255)] {
            let got = states(Row::Bytes(&bytes), Draw::Above(t), 0, 256);
            assert_eq!(got.iter().position(|&on| on), Some(first_on), "threshold {t}");
            assert!(got[first_on..].iter().all(|&on| on));
        }
        assert_eq!(states(Row::Floats(&[0.5, 0.500_001]), Draw::Above(0.5), 0, 2), [false, true]);
    }

    #[test]
    fn settings_read_and_write_as_text() {
        for text in ["none", "threshold=0.5", "threshold=0", "fixed", "fresh"] {
            let parsed: Binarize = text.parse().unwrap();
            assert_eq!(parsed.to_string(), text);
            let json = serde_json::to_string(&parsed).unwrap();
            assert_eq!(json, format!("{text:?}"));
            assert_eq!(serde_json::from_str::<Binarize>(&json).unwrap(), parsed);
        }
        for bad in ["", "Fixed", "threshold", "threshold=", "threshold=1", "threshold=-0.1", "threshold=NaN"] {
            let error = bad.parse::<Binarize>().unwrap_err().to_string();
            assert_eq!(
                error,
                format!(
                    "binarize is {bad:?}; it must be none, threshold=T with T at least 0 and below 1, fixed or fresh"
                )
            );
        }
        assert!(Binarize::Threshold(f32::NAN).validate().is_err());
    }
}
