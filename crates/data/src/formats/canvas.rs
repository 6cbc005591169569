//! Pictures brought to grey and to one size, and what that did to them.

use std::io::{BufRead, Seek};

use deepbelief_kernels::MAX_UNITS;
use image::imageops::{self, FilterType};
use image::{DynamicImage, ImageReader, Limits};

use crate::tables::image_shape::ImageShape;

/// Bytes that a picture may take while it is unpacked: forty million pixels of grey, thirty of colour.
const LARGEST: u64 = 128 << 20;

/// Reads a picture. Its format is recognised by the content, not by the name.
pub(crate) fn decoded<R: BufRead + Seek>(reader: ImageReader<R>) -> Result<DynamicImage, String> {
    let mut reader = reader.with_guessed_format().map_err(|error| error.to_string())?;
    let mut limits = Limits::default();
    limits.max_alloc = Some(LARGEST);
    reader.limits(limits);
    reader.decode().map_err(|error| error.to_string())
}

/// What pictures are drawn on: a size that is asked for, or that of the first of them.
pub(crate) struct Canvas {
    size: Option<ImageShape>,
    asked: bool,
    drawn: usize,
    transparent: usize,
    coloured: usize,
    resized: usize,
}

impl Canvas {
    pub(crate) fn new(asked: Option<ImageShape>) -> Self {
        Self { size: asked, asked: asked.is_some(), drawn: 0, transparent: 0, coloured: 0, resized: 0 }
    }

    /// The size of all pictures, once there is one.
    pub(crate) fn size(&self) -> Option<ImageShape> {
        self.size
    }

    /// The size that a picture will have; a clause about it where it has another than those before it, or makes no
    /// layer.
    pub(crate) fn size_of(&mut self, picture: &DynamicImage) -> Result<ImageShape, String> {
        let own = ImageShape { width: picture.width() as usize, height: picture.height() as usize };
        let size = *self.size.get_or_insert(own);
        if size.width * size.height > MAX_UNITS {
            return Err(format!(
                "is {size}, {} pixels, and a layer has at most {MAX_UNITS} units: ask for a smaller size, such as \
                 `--image-size 28x28`",
                size.width * size.height
            ));
        }
        if own != size && !self.asked {
            return Err(format!(
                "is {own}, and those before it are {size}: say `--image-size {size}` to bring all to one size"
            ));
        }
        Ok(size)
    }

    /// Appends the grey values of a picture. Transparent parts lie on white.
    pub(crate) fn draw(&mut self, picture: &DynamicImage, size: ImageShape, pixels: &mut Vec<u8>) {
        let mut grey = picture.to_luma8();
        self.drawn += 1;
        if picture.color().has_alpha() {
            let alphas = picture.to_luma_alpha8();
            let mut transparent = false;
            for (pixel, alpha) in grey.pixels_mut().zip(alphas.pixels().map(|pixel| u32::from(pixel[1]))) {
                transparent |= alpha < 255;
                pixel[0] = ((u32::from(pixel[0]) * alpha + 255 * (255 - alpha) + 127) / 255) as u8;
            }
            self.transparent += usize::from(transparent);
        }
        let unlike = |pixel: &image::Rgb<u8>| pixel[0] != pixel[1] || pixel[1] != pixel[2];
        self.coloured += usize::from(picture.color().has_color() && picture.to_rgb8().pixels().any(unlike));
        let (width, height) = (size.width as u32, size.height as u32);
        if grey.dimensions() != (width, height) {
            self.resized += 1;
            grey = imageops::resize(&grey, width, height, FilterType::Triangle);
        }
        pixels.extend(grey.into_raw());
    }

    /// What the pictures have lost.
    pub(crate) fn notes(&self) -> Vec<String> {
        let of = |count: usize| {
            if count == self.drawn { "all pictures".into() } else { format!("{count} of {} pictures", self.drawn) }
        };
        let size = self.size.map_or_else(String::new, |size| size.to_string());
        let said = [
            (self.resized, format!("of another size are brought to {size}")),
            (self.coloured, "lose their colours: they become grey".into()),
            (self.transparent, "have transparent parts: they lie on white".into()),
        ];
        said.into_iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{} {what}", of(count))).collect()
    }
}
