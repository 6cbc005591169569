//! Pictures of a deep belief net. What it dreams is in [`super::dream`].

use super::sheet::{Shades, Sheet};
use super::shown::Shown;
use super::tiles::{ROW, shares, values};
use crate::failure::{Failure, Result, count};
use candle_core::{Device, Tensor};
use deepbelief_data::ImageShape;
use deepbelief_report::robust_limit;
use deepbelief_stack::{Dbn, Layer};

/// Rows of filters a layer has where all layers are in one picture.
const ROWS_PER_LAYER: usize = 3;

/// A deep belief net to draw.
#[derive(Clone, Copy)]
pub(crate) struct Net<'a> {
    pub(crate) dbn: &'a Dbn,
    /// Shape of its visible units.
    pub(crate) shape: ImageShape,
}

/// `784-500-500+10-2000 DBN`; the labels stand beside the units that they join.
pub(crate) fn net_name(dbn: &Dbn) -> String {
    // Where a device fails to tell, the size of the tensors is right too.
    let sizes = dbn.code_sizes().unwrap_or_else(|_| dbn.sizes());
    let mut words: Vec<String> = sizes.iter().map(ToString::to_string).collect();
    if dbn.classes() > 0 {
        words[sizes.len() - 2] = format!("{}+{}", sizes[sizes.len() - 2], dbn.classes());
    }
    format!("{} {}", words.join("-"), if dbn.depth() == 1 { "RBM" } else { "DBN" })
}

impl Net<'_> {
    /// What the net is called.
    pub(crate) fn name(&self) -> String {
        net_name(self.dbn)
    }

    pub(super) fn tile_shape(&self) -> (usize, usize) {
        (self.shape.width, self.shape.height)
    }

    /// What hidden units add to the pixels as tiles, white where that is nothing: the first
    /// hundred of one layer, from 0, or some of every layer.
    pub(crate) fn filters(&self, layer: Option<usize>) -> Result<Vec<u8>> {
        let depth = self.dbn.code_depth()?;
        match layer {
            None if depth > 1 => self.filters_of_all(),
            Some(layer) if layer >= depth => {
                let layers = count(depth, "layer");
                Err(Failure::new(format!("layer {} is asked for, but the model has {layers}", layer + 1)))
            }
            layer => self.filters_of(layer.unwrap_or(0)),
        }
    }

    fn filters_of(&self, layer: usize) -> Result<Vec<u8>> {
        let filters = self.projected(layer, ROW * ROW)?;
        let (shown, units) = (filters.len() / self.dbn.visible(), self.dbn.sizes()[layer + 1]);
        let what = if layer == 0 {
            let limit = robust_limit(&filters);
            format!("weights of {shown} of {units} units, from -{limit:.2} (blue) over 0 (white) to {limit:.2} (red)")
        } else {
            format!("weights of {shown} of {units} units times the filters below, white at 0, each scaled by itself")
        };
        Sheet {
            title: format!("{}, layer {}: {what}", self.name(), layer + 1),
            rows: self.shaded(layer, &filters).chunks(ROW).map(<[_]>::to_vec).collect(),
            shades: Shades::Diverging,
            shape: self.tile_shape(),
            ..Sheet::default()
        }
        .png()
    }

    fn filters_of_all(&self) -> Result<Vec<u8>> {
        let (mut rows, mut row_labels) = (Vec::new(), Vec::new());
        for layer in (0..self.dbn.code_depth()?).rev() {
            let tiles = self.shaded(layer, &self.projected(layer, ROWS_PER_LAYER * ROW)?);
            row_labels.push(format!("layer {}:\n{}", layer + 1, count(self.dbn.sizes()[layer + 1], "unit")));
            rows.extend(tiles.chunks(ROW).map(<[_]>::to_vec));
            row_labels.resize(rows.len(), String::new());
        }
        Sheet {
            title: format!(
                "{}: the first units of every layer; layer 1 by their weights, those above by their weights times the \
                 filters below, each scaled by itself; blue below 0, white at 0, red above",
                self.name()
            ),
            row_labels,
            rows,
            shades: Shades::Diverging,
            shape: self.tile_shape(),
            ..Sheet::default()
        }
        .png()
    }

    fn projected(&self, layer: usize, most: usize) -> Result<Vec<f32>> {
        projected(self.dbn, layer, most)
    }

    /// Filters as tiles. The units of the lowest layer have one scale; above it their strengths differ so
    /// much that the weaker ones would all be pale.
    fn shaded(&self, layer: usize, filters: &[f32]) -> Vec<Vec<f32>> {
        let shared = robust_limit(filters);
        let shade = |filter: &[f32]| shares(filter, if layer == 0 { shared } else { robust_limit(filter) });
        filters.chunks(self.dbn.visible()).map(shade).collect()
    }

    /// Samples over what a pass up through all layers and down again makes of them.
    pub(crate) fn reconstructions(&self, samples: &Shown) -> Result<Sheet> {
        let units = self.dbn.visible();
        let v = Tensor::from_slice(&samples.values, (samples.values.len() / units, units), &Device::Cpu)?;
        let reconstruction = values(&self.dbn.reconstruct(&v)?)?;
        let mut all = samples.rows();
        all.push(("reconstruction", reconstruction.as_slice()));
        let layers = count(self.dbn.depth(), "layer");
        let title = format!("{}: data and reconstructions through {layers}, up and down by probabilities", self.name());
        Ok(samples.sheet(title, &all, units, self.tile_shape()))
    }
}

/// What the first units of a layer, at most so many, add to the inputs of the visible units,
/// row-major [units, visible]. Above the lowest layer that is a linear projection: the generative
/// weights of the layer times those of all layers below.
pub(crate) fn projected(dbn: &Dbn, layer: usize, most: usize) -> Result<Vec<f32>> {
    let layers = dbn.layers();
    let w_gen = layers.get(layer).map_or(dbn.top().w_gen(), Layer::w_gen);
    let mut filters = w_gen.narrow(0, 0, w_gen.dim(0)?.min(most))?;
    for below in layers[..layer].iter().rev() {
        filters = filters.matmul(below.w_gen())?;
    }
    values(&filters)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::pictures::shape_of;
    use candle_core::DType;
    use deepbelief_rbm::{LabelGroup, Rbm, RbmConfig};

    /// A net of nine pixels with random weights.
    pub(in crate::pictures) fn net(hidden: &[usize], classes: usize) -> Dbn {
        let mut visible = 9;
        let mut rbms = Vec::new();
        for &hidden in hidden {
            let config = RbmConfig { hidden, weight_std: 0.5, ..Default::default() };
            rbms.push(Rbm::new(&config, &vec![0.3; visible], &Device::Cpu).unwrap());
            visible = hidden;
        }
        if classes > 0 {
            let top = rbms.pop().unwrap();
            let labels = LabelGroup::zeros(classes, &top).unwrap();
            rbms.push(top.with_labels(labels).unwrap());
        }
        Dbn::from_rbms(rbms).unwrap()
    }

    pub(in crate::pictures) fn drawn(dbn: &Dbn) -> Net<'_> {
        Net { dbn, shape: shape_of(9, None).unwrap() }
    }

    #[test]
    fn a_net_is_named_by_its_sizes_and_labels() {
        assert_eq!(drawn(&net(&[4, 5, 6], 3)).name(), "9-4-5+3-6 DBN");
        assert_eq!(drawn(&net(&[4], 3)).name(), "9+3-4 RBM");
        assert_eq!(drawn(&net(&[4, 5], 0)).name(), "9-4-5 DBN");
    }

    /// Generative weights that are not the transposed recognition weights, so that a projection
    /// through the wrong ones would show: two units above put 2 and -1 times the only filter
    /// below, 0.5, onto the only pixel.
    #[test]
    fn upper_filters_are_weighted_sums_of_lower_ones() {
        let tensor = |values: &[f32], shape: (usize, usize)| Tensor::from_slice(values, shape, &Device::Cpu).unwrap();
        let zeros = |n: usize| Tensor::zeros(n, DType::F32, &Device::Cpu).unwrap();
        let layer = Layer::from_tensors(tensor(&[9.0], (1, 1)), tensor(&[0.5], (1, 1)), zeros(1), zeros(1)).unwrap();
        let top = Rbm::from_tensors(tensor(&[2.0, -1.0], (1, 2)), zeros(2), zeros(1)).unwrap();
        let dbn = Dbn::new(vec![layer], top).unwrap();
        let net = Net { dbn: &dbn, shape: shape_of(1, None).unwrap() };
        assert_eq!(net.projected(1, 100).unwrap(), [1.0, -0.5]);
        assert_eq!(net.projected(1, 1).unwrap(), [1.0]);
        assert_eq!(net.projected(0, 100).unwrap(), [0.5]);
        assert_eq!(net.shaded(1, &[1.0, -0.5]), [[1.0], [-1.0]]);
        assert_eq!(net.shaded(0, &[1.0, 1.0, -0.5]), [[1.0], [1.0], [-0.5]]);
    }

    #[test]
    fn all_layers_or_one_are_drawn_and_others_refused() {
        let dbn = net(&[40, 5, 6], 0);
        let height = |layer| image::load_from_memory(&drawn(&dbn).filters(layer).unwrap()).unwrap().height();
        assert!(height(None) > height(Some(0)) && height(Some(0)) > height(Some(2)));
        let refused = drawn(&dbn).filters(Some(3)).unwrap_err();
        assert_eq!(refused.what(), "layer 4 is asked for, but the model has 3 layers");
        assert!(drawn(&net(&[4], 0)).filters(None).is_ok());
    }

    #[test]
    fn reconstructions_go_on_below() {
        let dbn = net(&[4, 5], 2);
        let shown = |n: usize| Shown { values: vec![1.0; 9 * n], ..Shown::default() };
        let height = |n: usize| {
            image::load_from_memory(&drawn(&dbn).reconstructions(&shown(n)).unwrap().png().unwrap()).unwrap()
        };
        assert!(height(11).height() > height(10).height());
    }
}
