//! The weights of a layer: their filters as one picture, their norms, and how they are spread.

use crate::observed::sprite_address;
use serde::Serialize;

/// A filter is called dead if its weights' root mean square is below this share of the median filter's: it never left
/// the noise it started from.
const DEAD: f64 = 0.1;

/// Bars of a histogram.
const BARS: usize = 41;

/// Filters side by side.
const COLUMNS: usize = 20;

/// Pixels of filters that a layer may have in a page: 6.6 MB of them take 5 MB there.
pub const MOST_PIXELS: usize = 2_500_000;

/// A layer's weights as they were read.
#[derive(Default)]
pub struct Weights<'a> {
    /// `Layer 1: 500 hidden units`.
    pub name: String,
    /// What the units add to the visible ones, row-major [units, visible]. Above the lowest layer that is a projection.
    pub filters: &'a [f32],
    /// Weights of the layer itself, [units, inputs].
    pub own: &'a [f32],
    /// Inputs of a unit.
    pub inputs: usize,
    /// Width and height of a filter as a picture; none where visible units are no pixels.
    pub shape: Option<(usize, usize)>,
    /// Whether filters are projected through the layers below, and each scaled by itself.
    pub projected: bool,
    /// Whether what the units pass on are probabilities, which are near 0 and 1 where a unit says nothing.
    pub probabilities: bool,
    /// What visible units are called, where they are no pixels.
    pub visible: Vec<String>,
    /// Visible units.
    pub width: usize,
}

/// The same, ready to be shown.
#[derive(Debug, Serialize)]
pub struct LayerView {
    /// What it is called.
    pub name: String,
    /// Hidden units.
    pub units: usize,
    /// Filters that are shown.
    pub shown: usize,
    /// Root mean square of each unit's weights.
    pub norms: Vec<f64>,
    /// Units whose weights are next to nothing.
    pub dead_filters: usize,
    /// Root mean square of all weights, and the greatest magnitude.
    pub rms: f64,
    /// The greatest magnitude of a weight.
    pub largest: f64,
    /// Weights that are no numbers.
    pub not_finite: usize,
    /// Counts of weights in ranges of one width, from minus `histogram_limit` to it.
    pub histogram: Vec<usize>,
    /// Where the histogram ends; what lies beyond is counted in its ends.
    pub histogram_limit: f64,
    /// The magnitude that has the darkest colour; of projected filters each has its own.
    pub limit: f64,
    /// The picture and the filters beside each other in it.
    #[serde(skip)]
    pub(crate) sprite: Option<(String, usize)>,
    /// Width and height of a filter.
    #[serde(skip)]
    pub(crate) tile: (usize, usize),
    /// Whether filters are pictures.
    #[serde(skip)]
    pub(crate) is_picture: bool,
    /// Whether they are projected.
    pub projected: bool,
    /// Whether activities are probabilities.
    #[serde(skip)]
    pub(crate) probabilities: bool,
    /// Names of what is not a picture, and its weights.
    #[serde(skip)]
    pub(crate) named: Option<(Vec<String>, Vec<f32>)>,
}

/// Cells of a table of weights, at most.
const MOST_CELLS: usize = 4000;

impl LayerView {
    /// Looks at the weights of a layer; at most so many pixels of filters are kept.
    #[must_use]
    pub fn new(weights: &Weights<'_>, most: usize) -> Self {
        let inputs = weights.inputs.max(1);
        let units = weights.own.len() / inputs;
        let rms =
            |row: &[f32]| (row.iter().map(|&w| f64::from(w).powi(2)).sum::<f64>() / row.len().max(1) as f64).sqrt();
        let norms: Vec<f64> = weights.own.chunks(inputs).map(rms).collect();
        let limit = robust_limit(weights.filters);
        let visible = weights.width;
        let there = weights.filters.len() / visible.max(1);
        let tile = weights.shape.filter(|(width, height)| width * height == visible).unwrap_or((visible, 1));
        let is_picture = weights.shape.is_some() && tile.1 > 0 && visible > 0;
        let shown = there.min(most / visible.max(1));
        let bytes = |filter: &[f32]| -> Vec<u8> {
            let limit = if weights.projected { robust_limit(filter) } else { limit };
            filter.iter().map(|w| (128.0 + 127.0 * (w / limit).clamp(-1.0, 1.0)).round() as u8).collect()
        };
        let named = (!is_picture && weights.visible.len() == visible && visible * units <= MOST_CELLS && there > 0)
            .then(|| (weights.visible.clone(), weights.filters.to_vec()));
        let columns = if is_picture { COLUMNS.min(shown.max(1)) } else { 1 };
        let sprite = (shown > 0 && named.is_none())
            .then(|| sprite(weights.filters.chunks(visible).take(shown).map(bytes), columns, shown, tile))
            .flatten();
        let (histogram, histogram_limit) = histogram(weights.own);
        Self {
            name: weights.name.clone(),
            units,
            shown: if sprite.is_some() || named.is_some() { shown } else { 0 },
            dead_filters: dead_filters(&norms),
            rms: rms(weights.own),
            largest: weights.own.iter().fold(0.0, |most, w| f64::from(w.abs()).max(most)),
            not_finite: weights.own.iter().filter(|w| !w.is_finite()).count(),
            norms,
            histogram,
            histogram_limit,
            limit: f64::from(limit),
            sprite: sprite.map(|address| (address, columns)),
            tile,
            is_picture,
            probabilities: weights.probabilities,
            projected: weights.projected,
            named,
        }
    }
}

/// Filters in rows of so many.
fn sprite(
    filters: impl Iterator<Item = Vec<u8>>,
    columns: usize,
    count: usize,
    (width, height): (usize, usize),
) -> Option<String> {
    let (wide, high) = (columns * width, count.div_ceil(columns) * height);
    let mut pixels = vec![128; wide * high];
    for (place, filter) in filters.enumerate() {
        let (left, top) = (place % columns * width, place / columns * height);
        for (y, row) in filter.chunks(width).enumerate() {
            let start = (top + y) * wide + left;
            pixels[start..start + row.len()].copy_from_slice(row);
        }
    }
    sprite_address(&pixels, wide, high)
}

/// The magnitude that 99 in 100 weights stay below, so that a few large ones do not turn all others pale. Never zero.
#[must_use]
pub fn robust_limit(weights: &[f32]) -> f32 {
    let mut magnitudes: Vec<f32> = weights.iter().map(|w| w.abs()).filter(|w| w.is_finite()).collect();
    if magnitudes.is_empty() {
        return 1.0;
    }
    let place = (magnitudes.len() - 1) * 99 / 100;
    let (_, limit, _) = magnitudes.select_nth_unstable_by(place, f32::total_cmp);
    limit.max(1e-6)
}

/// How many norms are next to nothing beside the median one.
#[must_use]
pub fn dead_filters(norms: &[f64]) -> usize {
    let mut sorted = norms.to_vec();
    sorted.sort_by(f64::total_cmp);
    let median = sorted.get(sorted.len() / 2).copied().unwrap_or(0.0);
    norms.iter().filter(|&&norm| norm < DEAD * median).count()
}

/// Counts in ranges of one width, and where they end: at the magnitude that 999 in 1000 stay below.
fn histogram(weights: &[f32]) -> (Vec<usize>, f64) {
    let mut magnitudes: Vec<f32> = weights.iter().map(|w| w.abs()).filter(|w| w.is_finite()).collect();
    if magnitudes.is_empty() {
        return (vec![0; BARS], 1.0);
    }
    let place = (magnitudes.len() - 1) * 999 / 1000;
    let limit = f64::from(magnitudes.select_nth_unstable_by(place, f32::total_cmp).1.max(1e-6));
    let mut counts = vec![0; BARS];
    for weight in weights.iter().filter(|w| w.is_finite()) {
        let share = (f64::from(*weight) / limit).clamp(-1.0, 1.0);
        let bar = (f64::midpoint(share, 1.0) * BARS as f64) as usize;
        counts[bar.min(BARS - 1)] += 1;
    }
    (counts, limit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine as _;

    fn weights(filters: &[f32]) -> Weights<'_> {
        Weights {
            name: "Layer 1".into(),
            filters,
            own: filters,
            inputs: 4,
            shape: Some((2, 2)),
            projected: false,
            visible: Vec::new(),
            width: 4,
            probabilities: true,
        }
    }

    /// Each tile lies where the page looks for it, and the sign is seen.
    #[test]
    fn filters_are_tiles_of_one_picture() {
        let filters: Vec<f32> = (0..21).flat_map(|unit| [if unit == 20 { -1.0 } else { 1.0 }; 4]).collect();
        let view = LayerView::new(&weights(&filters), 1000);
        assert_eq!((view.units, view.shown, view.dead_filters), (21, 21, 0));
        let (address, columns) = view.sprite.unwrap();
        let file = base64::engine::general_purpose::STANDARD.decode(address.split(',').nth(1).unwrap()).unwrap();
        let mut reader = png::Decoder::new(std::io::Cursor::new(&file)).read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        reader.next_frame(&mut pixels).unwrap();
        assert_eq!((columns, reader.info().width, reader.info().height), (20, 40, 4));
        assert_eq!((pixels[0], pixels[39], pixels[2 * 40], pixels[2 * 40 + 2]), (255, 255, 1, 128));
        assert_eq!(LayerView::new(&weights(&filters), 16).shown, 4, "no more than there is room for");
    }

    #[test]
    fn damaged_weights_are_counted_and_drawn() {
        let view = LayerView::new(&weights(&[f32::NAN, f32::INFINITY, 1.0, -2.0]), 100);
        assert_eq!((view.not_finite, view.units), (2, 1));
        assert_eq!(view.histogram.iter().sum::<usize>(), 2);
        let empty = LayerView::new(&weights(&[]), 100);
        assert_eq!((empty.units, empty.shown), (0, 0));
    }

    #[test]
    fn a_filter_far_below_the_median_is_dead_and_one_extreme_weight_sets_no_scale() {
        assert_eq!(dead_filters(&[1.0, 0.05, 2.0]), 1);
        assert_eq!(dead_filters(&[0.0; 6]), 0, "where all are alike none is dead");
        let mut weights = vec![0.1; 1000];
        weights[17] = -50.0;
        assert_eq!(robust_limit(&weights), 0.1);
        assert!(robust_limit(&[0.0; 4]) > 0.0);
    }
}
