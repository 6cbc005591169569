//! The weights of a model, a layer each.

use crate::failure::{Result, count};
use crate::model::checkpoint::{Checkpoint, Model, Trained};
use crate::model::decoded::picture_shape;
use crate::pictures::{projected, values};
use deepbelief_report::{LayerView, MOST_PIXELS, Weights};
use deepbelief_stack::Layer;

/// The layers of a model from the bottom, the lower ones with as many filters as a page has room for.
pub(super) fn layers(model: &Model) -> Result<Vec<LayerView>> {
    let shape = picture_shape(model, model.image_shape()).ok().map(|shape| (shape.width, shape.height));
    match model {
        Model::Belief(checkpoint) => of_net(checkpoint, shape),
        Model::Network(checkpoint) => {
            let (mut views, mut room) = (Vec::new(), MOST_PIXELS);
            for (place, layer) in checkpoint.network.layers().iter().enumerate() {
                let own = values(&layer.w.t()?)?;
                let (inputs, units) = layer.w.dims2()?;
                // Other layers than the lowest see no pixels.
                let filters = if place == 0 { own.as_slice() } else { &[] };
                let shape = shape.filter(|_| place == 0);
                views.push(view(place, units, filters, &own, inputs, shape, false, Vec::new(), &mut room));
            }
            Ok(views)
        }
    }
}

fn of_net(checkpoint: &Checkpoint, shape: Option<(usize, usize)>) -> Result<Vec<LayerView>> {
    let (dbn, sizes) = (&checkpoint.dbn, checkpoint.dbn.sizes());
    let (mut views, mut room) = (Vec::new(), MOST_PIXELS);
    for layer in 0..dbn.depth() {
        let own = values(dbn.layers().get(layer).map_or(dbn.top().w_gen(), Layer::w_gen))?;
        let names = if layer == 0 && shape.is_none() { checkpoint.columns().unit_names() } else { Vec::new() };
        let filters = match shape {
            Some(_) if layer > 0 => projected(dbn, layer, room / sizes[0].max(1))?,
            None if layer > 0 => Vec::new(),
            _ => own.clone(),
        };
        let shape = shape.filter(|_| !filters.is_empty());
        views.push(view(layer, sizes[layer + 1], &filters, &own, sizes[layer], shape, layer > 0, names, &mut room));
    }
    Ok(views)
}

#[expect(clippy::too_many_arguments, reason = "what a layer is, at its two callers")]
fn view(
    place: usize,
    units: usize,
    filters: &[f32],
    own: &[f32],
    inputs: usize,
    shape: Option<(usize, usize)>,
    projected: bool,
    visible: Vec<String>,
    room: &mut usize,
) -> LayerView {
    let name = format!("Layer {place}: {}", count(units, "hidden unit"));
    let width = shape.map_or(inputs, |(width, height)| width * height);
    let view = LayerView::new(&Weights { name, filters, own, inputs, shape, projected, visible, width }, *room);
    *room -= (view.shown * width).min(*room);
    view
}
