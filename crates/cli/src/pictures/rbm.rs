//! Pictures of an RBM.

use super::sheet::{Shades, Sheet};
use super::shown::Shown;
use super::tiles::{ROW, shares, tiles, values};
use crate::failure::Result;
use candle_core::{Device, Tensor};
use deepbelief_data::ImageShape;
use deepbelief_kernels::{Stream, Uniforms};
use deepbelief_rbm::Rbm;
use deepbelief_report::robust_limit;

/// Gibbs steps after which a fantasy is shown.
const FANTASY_STEPS: [u32; 5] = [0, 1, 10, 100, 1000];

/// Chains shown.
const FANTASY_CHAINS: usize = 8;

/// An RBM to draw.
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

/// An RBM in a title.
pub(crate) fn name(rbm: &Rbm, epochs: u32) -> String {
    format!("{}-{} RBM, epoch {epochs}", rbm.visible(), rbm.hidden())
}

/// Weights of the first hundred hidden units as tiles, white where they are zero.
pub(crate) fn filters(subject: Subject<'_>) -> Result<Vec<u8>> {
    let Subject { rbm, shape, .. } = subject;
    let shown = rbm.hidden().min(ROW * ROW);
    // Row j of w_gen is what hidden unit j adds to each visible one.
    let weights = values(&rbm.w_gen().narrow(0, 0, shown)?)?;
    let limit = robust_limit(&weights);
    let tiles = tiles(&shares(&weights, limit), shape.width * shape.height);
    Sheet {
        title: format!(
            "{}: weights of {shown} hidden units, from -{limit:.2} (blue) over 0 (white) to {limit:.2} (red)",
            subject.name()
        ),
        rows: tiles.chunks(ROW).map(<[_]>::to_vec).collect(),
        shades: Shades::Diverging,
        shape: subject.tile_shape(),
        ..Sheet::default()
    }
    .png()
}

/// Samples over one-step reconstructions of them: binary states, then the probabilities these were drawn from.
pub(crate) fn reconstructions(subject: Subject<'_>, samples: &Shown) -> Result<Sheet> {
    let Subject { rbm, .. } = subject;
    let units = rbm.visible();
    let data = Tensor::from_slice(&samples.values, (samples.values.len() / units, units), &Device::Cpu)?;
    let step = rbm.forward_gibbs(&data, subject.draws(0))?;
    let (states, probabilities) = (values(&step.visible.states)?, values(&step.visible.probabilities)?);
    let mut all = samples.rows();
    all.extend([
        ("reconstruction:\nbinary sample", states.as_slice()),
        ("reconstruction:\nprobabilities", probabilities.as_slice()),
    ]);
    let title = format!("{}: data and one-step reconstructions", subject.name());
    Ok(samples.sheet(title, &all, units, subject.tile_shape()))
}

/// Gibbs chains, each a row, as they are after 0, 1, 10, 100 and 1000 steps: half of them start
/// from the first of `samples` [n, visible], half from noise.
pub(crate) fn fantasies(subject: Subject<'_>, samples: &[f32]) -> Result<Sheet> {
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
    Ok(Sheet {
        title: format!("{}: Gibbs chains; the start, then visible probabilities after so many steps", subject.name()),
        column_labels: FANTASY_STEPS.iter().map(ToString::to_string).collect(),
        row_labels: (0..FANTASY_CHAINS).map(|chain| chain_label(chain).into()).collect(),
        rows,
        shape: subject.tile_shape(),
        ..Sheet::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pictures::shape_of;
    use deepbelief_rbm::RbmConfig;

    fn subject(rbm: &Rbm) -> Subject<'_> {
        Subject { rbm, epochs: 3, shape: shape_of(rbm.visible(), None).unwrap(), seed: 1 }
    }

    fn rbm(units: usize) -> Rbm {
        let config = RbmConfig { hidden: 7, weight_std: 0.5, ..Default::default() };
        Rbm::new(&config, &vec![0.3; units], &Device::Cpu).unwrap()
    }

    fn decode(png: &[u8]) -> image::RgbImage {
        image::load_from_memory(png).unwrap().to_rgb8()
    }

    fn shown(values: Vec<f32>) -> Shown {
        Shown { values, ..Shown::default() }
    }

    /// The sign of a weight must be seen: a unit with a positive and one with a negative weight
    /// gives a red and a blue tile.
    #[test]
    fn filters_are_red_where_positive_and_blue_where_negative() {
        let w = Tensor::from_slice(&[1.0f32, -1.0], (1, 2), &Device::Cpu).unwrap();
        let zeros = |n: usize| Tensor::zeros(n, candle_core::DType::F32, &Device::Cpu).unwrap();
        let rbm = Rbm::from_tensors(w, zeros(2), zeros(1)).unwrap();
        let picture = decode(&filters(subject(&rbm)).unwrap());
        // Below the title there are two tiles of 16 x 16 pixels and a gap.
        let (x, y) = (12, picture.height() - 12 - 4 - 8);
        let ([red, _, less_blue], [less_red, _, blue]) =
            (picture.get_pixel(x + 8, y).0, picture.get_pixel(x + 28, y).0);
        assert!(red > 2 * less_blue && blue > 2 * less_red);
    }

    #[test]
    fn pictures_are_the_same_for_the_same_seed_and_other_for_another() {
        let rbm = rbm(9);
        let samples = shown((0..2 * 9).map(|i| f32::from(i % 2 == 0)).collect());
        let pictures: [fn(Subject<'_>, &Shown) -> Result<Sheet>; 2] =
            [reconstructions, |subject, samples| fantasies(subject, &samples.values)];
        for draw in pictures {
            let one = draw(subject(&rbm), &samples).unwrap().png().unwrap();
            assert_eq!(one, draw(subject(&rbm), &samples).unwrap().png().unwrap());
            assert_ne!(one, draw(Subject { seed: 2, ..subject(&rbm) }, &samples).unwrap().png().unwrap());
        }
    }

    #[test]
    fn many_samples_go_on_below() {
        let rbm = rbm(4);
        let drawn =
            |n: usize| decode(&reconstructions(subject(&rbm), &shown(vec![1.0; 4 * n])).unwrap().png().unwrap());
        let (few, many) = (drawn(10), drawn(11));
        assert_eq!(few.width(), many.width());
        assert!(many.height() > few.height());
        assert!(fantasies(subject(&rbm), &[]).is_ok(), "without data all chains start from noise");
    }

    /// The grey original stands above its binary draw, and each sample has the name of its class.
    #[test]
    fn originals_and_names_stand_above_what_is_made_of_them() {
        let rbm = rbm(4);
        let names = |n: usize| (0..n).map(|class| format!("class {class}")).collect::<Vec<_>>();
        let samples = |n: usize| Shown { values: vec![1.0; 4 * n], greys: Some(vec![0.7; 4 * n]), names: names(n) };
        let sheet = reconstructions(subject(&rbm), &samples(2)).unwrap();
        assert_eq!(sheet.row_labels[..2], ["original", "binary draw"]);
        assert_eq!((sheet.rows[0][0][0], sheet.rows[1][0][0]), (0.7, 1.0));
        assert_eq!(sheet.column_labels, names(2));
        let sheet = reconstructions(subject(&rbm), &samples(11)).unwrap();
        assert!(sheet.column_labels.is_empty());
        assert_eq!((sheet.captions[0].len(), sheet.captions[1].len(), sheet.captions[4].len()), (10, 0, 1));
    }
}
