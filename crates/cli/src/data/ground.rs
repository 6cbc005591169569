//! Pictures that are dark on a light ground, and the scale that turns them.

use deepbelief_data::{Examination, ImageShape, Scale, Source, ValueKind, shell_quoted};

/// Share of the pixels near an end of the scale from which on pictures are drawings. Those with smooth strokes on scanned
/// paper had 0.70, photographs have few.
const DRAWN: f64 = 0.5;

/// The scale that makes a ground 0 on which most units are on. Values between, as of photographs, are no ground.
pub(crate) fn turned(found: &Examination) -> Option<Scale> {
    let is_drawn = found.image.is_some() && found.schema.columns.is_empty() && found.units.is_bernoulli();
    let two_sided = matches!(found.kind, ValueKind::Binary | ValueKind::Bytes | ValueKind::Unit);
    let is_light = 2.0 * found.active() > found.train.columns.len() as f64;
    let (zero, one) = found.bounds;
    (is_drawn && two_sided && is_light && found.train.near_ends >= DRAWN)
        .then(|| Scale::Range { min: one.into(), max: zero.into() })
}

/// Warns of pictures that a training takes as they are, though they are dark on a light ground.
/// `image_size` is how the data were said to be pictures.
pub(crate) fn warn_of_light(found: &Examination, data: &Source, image_size: Option<ImageShape>) {
    if turned(found).is_some() {
        let size = image_size.map_or(String::new(), |size| format!(" --image-size {size}"));
        tracing::warn!(
            "most pixels are on, as in drawings that are dark on a light ground: `dbn check {}{size}` recommends a --scale \
             that turns them round",
            shell_quoted(&data.to_string())
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use deepbelief_data::{LoadOptions, Part, examine};

    /// Twenty pictures of 4x4 pixels, each with a line of `ink` on `paper`.
    fn found(ink: u8, paper: u8, scale: &str) -> Examination {
        let folder = tempfile::tempdir().unwrap();
        for k in 0..20 {
            let of = |column: u32| if column == k % 4 { ink } else { paper };
            let picture =
                image::GrayImage::from_fn(4, 4, |column, row| image::Luma([of((column + row * (k / 4)) % 4)]));
            picture.save(folder.path().join(format!("{k}.png"))).unwrap();
        }
        let options = LoadOptions { scale: scale.parse().unwrap(), ..LoadOptions::default() };
        examine(&Source::Images(folder.path().into()), &options, None).unwrap()
    }

    #[test]
    fn dark_on_light_is_turned_and_light_on_dark_is_not() {
        let turn = |ink, paper, scale| turned(&found(ink, paper, scale)).map(|scale| scale.to_string());
        assert_eq!(turn(0, 255, "auto").as_deref(), Some("255..0"));
        assert_eq!(turn(10, 250, "auto").as_deref(), Some("255..0"));
        assert_eq!(turn(255, 0, "auto"), None);
        assert_eq!(turn(0, 255, "255..0"), None, "it is turned already");
        assert_eq!(turn(90, 150, "auto"), None, "greys between are amounts");
        // Of scanned drawings with smooth strokes.
        let smooth =
            Examination { train: Part { near_ends: 0.6, ..found(0, 255, "auto").train }, ..found(0, 255, "auto") };
        assert_eq!(turned(&smooth).map(|scale| scale.to_string()).as_deref(), Some("255..0"));
        let light = found(0, 255, "255..0");
        assert!((light.active() - 4.0).abs() < 1e-9, "{}", light.active());
        assert_eq!(light.train.outside, 0);
    }
}
