//! Pictures of a model: its filters, what it makes of data, what it dreams, how it learned.
//!
//! All draws come from the picture stream, so that looking at a model changes nothing.

mod canvas;
mod curves;
mod sheet;

pub(crate) use curves::{curves, learning, tuning};

use crate::failure::{Failure, Result};
use candle_core::{Device, Tensor};
use deepbelief_data::{ImageShape, Split};
use deepbelief_kernels::{Stream, Uniforms};
use deepbelief_rbm::Rbm;
use sheet::Sheet;

/// Hidden units shown in a row of filters, and rows.
const FILTERS: usize = 10;

/// Gibbs steps after which a fantasy is shown.
const FANTASY_STEPS: [u32; 5] = [0, 1, 10, 100, 1000];

/// Chains shown.
const FANTASY_CHAINS: usize = 8;

/// Samples that the pictures of a run show.
pub(crate) struct Gallery {
    /// Shape of a sample; `None` where samples are no pictures.
    pub(crate) shape: Option<ImageShape>,
    /// Binarised samples [n, visible].
    pub(crate) samples: Vec<f32>,
}

/// A model to draw.
#[derive(Clone, Copy)]
pub(crate) struct Subject<'a> {
    pub(crate) rbm: &'a Rbm,
    /// Epochs it was trained.
    pub(crate) epochs: u32,
    /// Shape of its visible units.
    pub(crate) shape: ImageShape,
    /// Seed of the draws.
    pub(crate) seed: u64,
}

impl Subject<'_> {
    /// `784-500 RBM, epoch 30`
    fn name(&self) -> String {
        name(self.rbm, self.epochs)
    }

    fn tile_shape(&self) -> (usize, usize) {
        (self.shape.width, self.shape.height)
    }

    /// The numbers of Gibbs step `step`; step 0 belongs to the reconstructions.
    fn draws(&self, step: u32) -> Uniforms {
        Uniforms::new(self.seed, Stream::Picture, step)
    }
}

/// A model in a title.
pub(crate) fn name(rbm: &Rbm, epochs: u32) -> String {
    format!("{}-{} RBM, epoch {epochs}", rbm.visible(), rbm.hidden())
}

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

/// Weights of the first hundred hidden units as tiles, grey where they are zero.
pub(crate) fn filters(subject: Subject<'_>) -> Result<Vec<u8>> {
    let Subject { rbm, shape, .. } = subject;
    let shown = rbm.hidden().min(FILTERS * FILTERS);
    // Row j of w_gen is what hidden unit j adds to each visible one.
    let weights = values(&rbm.w_gen().narrow(0, 0, shown)?)?;
    let limit = robust_limit(&weights);
    let shade = |w: &f32| 0.5 + 0.5 * w / limit;
    let tiles: Vec<Vec<f32>> =
        weights.chunks(shape.width * shape.height).map(|tile| tile.iter().map(shade).collect()).collect();
    Sheet {
        title: format!(
            "{}: weights of {shown} hidden units, from -{limit:.2} (black) over 0 (grey) to {limit:.2} (white)",
            subject.name()
        ),
        column_labels: Vec::new(),
        row_labels: Vec::new(),
        rows: tiles.chunks(FILTERS).map(<[_]>::to_vec).collect(),
        shape: subject.tile_shape(),
    }
    .png()
}

/// Samples [n, visible], over one-step reconstructions of them: binary states, then the
/// probabilities these were drawn from.
pub(crate) fn reconstructions(subject: Subject<'_>, samples: &[f32]) -> Result<Vec<u8>> {
    let Subject { rbm, .. } = subject;
    let units = rbm.visible();
    let data = Tensor::from_slice(samples, (samples.len() / units, units), &Device::Cpu)?;
    let step = rbm.forward_gibbs(&data, subject.draws(0))?;
    let tiles = |values: &[f32]| values.chunks(units).map(<[_]>::to_vec).collect::<Vec<_>>();
    let rows = [samples.to_vec(), values(&step.visible.states)?, values(&step.visible.probabilities)?];
    let labels = ["data", "reconstruction:\nbinary sample", "reconstruction:\nprobabilities"];
    // More samples than fit side by side go on below, each group with its own labels.
    let columns = (samples.len() / units).clamp(1, FILTERS);
    let mut sheet = Sheet {
        title: format!("{}: data and one-step reconstructions", subject.name()),
        column_labels: Vec::new(),
        row_labels: Vec::new(),
        rows: Vec::new(),
        shape: subject.tile_shape(),
    };
    let rows = rows.map(|row| tiles(&row));
    for start in (0..rows[0].len()).step_by(columns) {
        for (row, label) in rows.iter().zip(labels) {
            sheet.rows.push(row[start..row.len().min(start + columns)].to_vec());
            sheet.row_labels.push(label.into());
        }
    }
    sheet.png()
}

/// Gibbs chains, each a row, as they are after 0, 1, 10, 100 and 1000 steps: half of them start
/// from the first of `samples` [n, visible], half from noise.
pub(crate) fn fantasies(subject: Subject<'_>, samples: &[f32]) -> Result<Vec<u8>> {
    let Subject { rbm, .. } = subject;
    let units = rbm.visible();
    let from_data = (samples.len() / units).min(FANTASY_CHAINS / 2);
    let mut start = samples[..from_data * units].to_vec();
    start.resize(FANTASY_CHAINS * units, 0.0);
    for (chain, pixels) in start.chunks_mut(units).enumerate().skip(from_data) {
        subject.draws(0).gibbs(u16::MAX).fill_row(chain as u32, pixels);
        for pixel in pixels {
            *pixel = f32::from(u8::from(*pixel < 0.5));
        }
    }
    let mut rows: Vec<Vec<Vec<f32>>> = start.chunks(units).map(|pixels| vec![pixels.to_vec()]).collect();
    let mut v = Tensor::from_vec(start, (FANTASY_CHAINS, units), &Device::Cpu)?;
    for step in 1..=FANTASY_STEPS[FANTASY_STEPS.len() - 1] {
        let visible = rbm.forward_gibbs(&v, subject.draws(step))?.visible;
        if FANTASY_STEPS.contains(&step) {
            let probabilities = values(&visible.probabilities)?;
            rows.iter_mut().zip(probabilities.chunks(units)).for_each(|(row, pixels)| row.push(pixels.to_vec()));
        }
        v = visible.states;
    }
    let chain_label = |chain| if chain < from_data { "from data" } else { "from noise" };
    Sheet {
        title: format!("{}: Gibbs chains; the start, then visible probabilities after so many steps", subject.name()),
        column_labels: FANTASY_STEPS.iter().map(ToString::to_string).collect(),
        row_labels: (0..FANTASY_CHAINS).map(|chain| chain_label(chain).into()).collect(),
        rows,
        shape: subject.tile_shape(),
    }
    .png()
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

/// Row-major values of a tensor.
pub(crate) fn values(tensor: &Tensor) -> Result<Vec<f32>> {
    Ok(tensor.flatten_all()?.to_vec1()?)
}

/// The magnitude that 99 in 100 weights stay below, so that a few large ones do not turn the
/// strokes of all others grey. Never zero.
fn robust_limit(weights: &[f32]) -> f32 {
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
    use deepbelief_rbm::RbmConfig;

    fn subject(rbm: &Rbm) -> Subject<'_> {
        Subject { rbm, epochs: 3, shape: shape_of(rbm.visible(), None).unwrap(), seed: 1 }
    }

    fn rbm(units: usize) -> Rbm {
        let config = RbmConfig { hidden: 7, weight_std: 0.5, ..Default::default() };
        Rbm::new(&config, &vec![0.3; units], &Device::Cpu).unwrap()
    }

    fn decode(png: &[u8]) -> image::GrayImage {
        image::load_from_memory(png).unwrap().to_luma8()
    }

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

    /// The sign of a weight must be seen: a unit with a positive and one with a negative weight
    /// gives a white and a black tile.
    #[test]
    fn filters_are_white_where_positive_and_black_where_negative() {
        let w = Tensor::from_slice(&[1.0f32, -1.0], (1, 2), &Device::Cpu).unwrap();
        let zeros = |n: usize| Tensor::zeros(n, candle_core::DType::F32, &Device::Cpu).unwrap();
        let rbm = Rbm::from_tensors(w, zeros(2), zeros(1)).unwrap();
        let picture = decode(&filters(subject(&rbm)).unwrap());
        // Below the title there are two tiles of 16 x 16 pixels and a gap.
        let (x, y) = (12, picture.height() - 12 - 4 - 8);
        assert_eq!(picture.get_pixel(x + 8, y).0, [255]);
        assert_eq!(picture.get_pixel(x + 20 + 8, y).0, [0]);
    }

    #[test]
    fn pictures_are_the_same_for_the_same_seed_and_other_for_another() {
        let rbm = rbm(9);
        let samples: Vec<f32> = (0..2 * 9).map(|i| f32::from(i % 2 == 0)).collect();
        for draw in [reconstructions, fantasies] {
            let one = draw(subject(&rbm), &samples).unwrap();
            assert_eq!(one, draw(subject(&rbm), &samples).unwrap());
            assert_ne!(one, draw(Subject { seed: 2, ..subject(&rbm) }, &samples).unwrap());
        }
    }

    #[test]
    fn one_of_each_class_is_shown_first() {
        let split = |labels| Split::new(1, vec![0u8; 6].into(), labels).unwrap();
        assert_eq!(showcase(&split(Some(vec![2, 2, 0, 2, 1, 0])), 4), [2, 4, 0, 5]);
        assert_eq!(showcase(&split(None), 4), [0, 1, 2, 3]);
        assert_eq!(showcase(&split(None), 99).len(), 6);
    }

    #[test]
    fn many_samples_go_on_below() {
        let rbm = rbm(4);
        let few = decode(&reconstructions(subject(&rbm), &[1.0; 4 * 10]).unwrap());
        let many = decode(&reconstructions(subject(&rbm), &[1.0; 4 * 11]).unwrap());
        assert_eq!(few.width(), many.width());
        assert!(many.height() > few.height());
        assert!(fantasies(subject(&rbm), &[]).is_ok(), "without data all chains start from noise");
    }
}
