//! Values as tiles: their shape, their shades, and which of them to show.

use crate::failure::{Failure, Result};
use candle_core::Tensor;
use deepbelief_data::{ImageShape, Split};

/// Tiles side by side, unless a picture says otherwise.
pub(crate) const ROW: usize = 10;

/// The shape of `units` visible units as a picture: the one that is known, if it fits, or a
/// square.
pub(crate) fn shape_of(units: usize, known: Option<ImageShape>) -> Result<ImageShape> {
    let side = units.isqrt();
    match known {
        Some(shape) if shape.width * shape.height == units => Ok(shape),
        Some(shape) => Err(Failure::new(format!("pictures of {shape} pixels do not fit {units} visible units"))),
        None if side * side == units => Ok(ImageShape { width: side, height: side }),
        None => Err(Failure::new(format!("{units} visible units have no known shape as a picture"))
            .hint("give their width and height with --image-size")),
    }
}

/// The samples to show: the first of each class in turn, then the second of each, and so on;
/// without labels simply the first ones.
pub(crate) fn showcase(split: &Split, count: usize) -> Vec<usize> {
    let mut seen = std::collections::HashMap::new();
    let mut order: Vec<(u32, u32, usize)> = (0..split.samples())
        .map(|sample| {
            let Some(label) = split.label(sample) else { return (0, 0, sample) };
            let turn = seen.entry(label).or_insert(0);
            *turn += 1;
            (*turn, label, sample)
        })
        .collect();
    order.sort_unstable();
    order.into_iter().take(count).map(|(_, _, sample)| sample).collect()
}

/// Rows of `width` values as tiles.
pub(crate) fn tiles(values: &[f32], width: usize) -> Vec<Vec<f32>> {
    values.chunks(width.max(1)).map(<[f32]>::to_vec).collect()
}

/// Weights as shares of `limit`.
pub(super) fn shares(weights: &[f32], limit: f32) -> Vec<f32> {
    weights.iter().map(|w| w / limit).collect()
}

/// Row-major values of a tensor.
pub(crate) fn values(tensor: &Tensor) -> Result<Vec<f32>> {
    Ok(tensor.flatten_all()?.to_vec1()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_are_known_or_square_or_refused() {
        let shape = |width, height| ImageShape { width, height };
        assert_eq!(shape_of(6, Some(shape(3, 2))).unwrap(), shape(3, 2));
        assert_eq!(shape_of(9, None).unwrap(), shape(3, 3));
        let refused = shape_of(7, Some(shape(3, 2))).unwrap_err();
        assert_eq!(refused.what(), "pictures of 3x2 pixels do not fit 7 visible units");
        assert!(shape_of(7, None).unwrap_err().hint_text().unwrap().contains("--image-size"));
    }

    #[test]
    fn one_of_each_class_is_shown_first() {
        let split = |labels| Split::new(1, vec![0u8; 6].into(), labels).unwrap();
        assert_eq!(showcase(&split(Some(vec![2, 2, 0, 2, 1, 0])), 4), [2, 4, 0, 5]);
        assert_eq!(showcase(&split(None), 4), [0, 1, 2, 3]);
        assert_eq!(showcase(&split(None), 99).len(), 6);
    }
}
