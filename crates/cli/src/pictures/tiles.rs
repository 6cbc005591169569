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

/// Rows of tiles that belong together under their labels. More tiles than fit side by side go on
/// below, each group with its own labels.
pub(super) fn in_groups(rows: &[(&str, Vec<Vec<f32>>)]) -> (Vec<String>, Vec<Vec<Vec<f32>>>) {
    let columns = rows.iter().map(|(_, tiles)| tiles.len()).max().unwrap_or(0);
    let group = |start: usize| {
        let part = move |tiles: &[Vec<f32>]| tiles.iter().skip(start).take(ROW).cloned().collect();
        rows.iter().map(move |(label, tiles)| ((*label).to_string(), part(tiles)))
    };
    (0..columns).step_by(ROW).flat_map(group).unzip()
}

/// Rows of `width` values as tiles.
pub(crate) fn tiles(values: &[f32], width: usize) -> Vec<Vec<f32>> {
    values.chunks(width.max(1)).map(<[f32]>::to_vec).collect()
}

/// Weights as shades: black at minus `limit`, grey at zero, white at `limit`.
pub(super) fn shades(weights: &[f32], limit: f32) -> Vec<f32> {
    weights.iter().map(|w| 0.5 + 0.5 * w / limit).collect()
}

/// Row-major values of a tensor.
pub(crate) fn values(tensor: &Tensor) -> Result<Vec<f32>> {
    Ok(tensor.flatten_all()?.to_vec1()?)
}

/// The magnitude that 99 in 100 weights stay below, so that a few large ones do not turn the
/// strokes of all others grey. Never zero.
pub(super) fn robust_limit(weights: &[f32]) -> f32 {
    let mut magnitudes: Vec<f32> = weights.iter().map(|w| w.abs()).collect();
    if magnitudes.is_empty() {
        return 1.0;
    }
    let place = (magnitudes.len() - 1) * 99 / 100;
    let (_, limit, _) = magnitudes.select_nth_unstable_by(place, f32::total_cmp);
    limit.max(1e-6)
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
    fn one_extreme_weight_does_not_set_the_scale() {
        let mut weights = vec![0.1; 1000];
        weights[17] = -50.0;
        assert_eq!(robust_limit(&weights), 0.1);
        assert!(robust_limit(&[0.0; 4]) > 0.0);
    }

    #[test]
    fn one_of_each_class_is_shown_first() {
        let split = |labels| Split::new(1, vec![0u8; 6].into(), labels).unwrap();
        assert_eq!(showcase(&split(Some(vec![2, 2, 0, 2, 1, 0])), 4), [2, 4, 0, 5]);
        assert_eq!(showcase(&split(None), 4), [0, 1, 2, 3]);
        assert_eq!(showcase(&split(None), 99).len(), 6);
    }
}
