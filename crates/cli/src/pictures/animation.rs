//! Grey animations, ten frames a second, over and over. Both formats keep every shade.

use crate::failure::{Explain, Failure, Result};
use deepbelief_report::Canvas;

/// Form of an animation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Animation {
    Gif,
    /// A PNG with several frames, which every reader of PNG shows at least the first of.
    Apng,
}

impl Animation {
    /// Encodes `count` frames of one size.
    pub(crate) fn encode(self, count: usize, frames: impl Iterator<Item = Result<Canvas>>) -> Result<Vec<u8>> {
        match self {
            Self::Gif => gif(frames),
            Self::Apng => apng(count, frames),
        }
    }
}

fn gif(mut frames: impl Iterator<Item = Result<Canvas>>) -> Result<Vec<u8>> {
    let what = || "cannot write an animation as GIF".to_string();
    let Some(first) = frames.next().transpose()? else { return Ok(Vec::new()) };
    let (Ok(width), Ok(height)) = (u16::try_from(first.width()), u16::try_from(first.height())) else {
        let reason = format!("a GIF has at most 65535 x 65535 pixels, this has {} x {}", first.width(), first.height());
        return Err(Failure::new(reason)
            .hint("write a .apng, or ask for fewer chains with --count")
            .while_doing(what()));
    };
    let greys: Vec<u8> = (0..=u8::MAX).flat_map(|grey| [grey; 3]).collect();
    let mut encoder = gif::Encoder::new(Vec::new(), width, height, &greys).or_fail(what)?;
    encoder.set_repeat(gif::Repeat::Infinite).or_fail(what)?;
    for frame in std::iter::once(Ok(first)).chain(frames) {
        let frame = frame?;
        let buffer = frame.greys().into();
        // Hundredths of a second.
        let frame = gif::Frame { width, height, buffer, delay: 10, ..gif::Frame::default() };
        encoder.write_frame(&frame).or_fail(what)?;
    }
    encoder.into_inner().or_fail(what)
}

fn apng(count: usize, mut frames: impl Iterator<Item = Result<Canvas>>) -> Result<Vec<u8>> {
    let what = || "cannot write an animation as APNG".to_string();
    let mut file = Vec::new();
    let Some(first) = frames.next().transpose()? else { return Ok(file) };
    let mut encoder = png::Encoder::new(&mut file, first.width() as u32, first.height() as u32);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_animated(count as u32, 0).or_fail(what)?;
    encoder.set_frame_delay(1, 10).or_fail(what)?;
    let mut writer = encoder.write_header().or_fail(what)?;
    for frame in std::iter::once(Ok(first)).chain(frames) {
        writer.write_image_data(&frame?.greys()).or_fail(what)?;
    }
    writer.finish().or_fail(what)?;
    Ok(file)
}
