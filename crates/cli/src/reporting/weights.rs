//! The weights of a model, a layer each.

use crate::failure::{Result, count};
use crate::model::checkpoint::{Checkpoint, Model};
use crate::model::decoded::picture_shape;
use crate::model::trained::Trained;
use crate::pictures::{projected, values};
use deepbelief_finetune::Activation;
use deepbelief_report::{LayerView, MOST_PIXELS, Weights};
use deepbelief_stack::Layer;

/// The layers of a model from the bottom, the lower ones with as many filters as a page has room for.
pub(super) fn layers(model: &Model) -> Result<Vec<LayerView>> {
    let shape = picture_shape(model, model.image_shape()).ok().map(|shape| (shape.width, shape.height));
    match model {
        Model::Belief(checkpoint) => of_net(checkpoint, shape),
        Model::Network(checkpoint) => {
            let (mut views, mut room) = (Vec::new(), MOST_PIXELS);
            let depth = checkpoint.network.layers().len();
            for (place, layer) in checkpoint.network.layers().iter().enumerate() {
                let own = values(&layer.w.t()?)?;
                let (inputs, units) = layer.w.dims2()?;
                // Other layers than the lowest see no pixels.
                let filters = if place == 0 { own.as_slice() } else { &[] };
                let shape = shape.filter(|_| place == 0);
                let probabilities = matches!(layer.activation, Activation::Sigmoid | Activation::Softmax);
                let weights = Weights { filters, own: &own, inputs, shape, probabilities, ..Weights::default() };
                let what = if place + 1 == depth { "output" } else { "hidden unit" };
                views.push(view(place, &count(units, what), weights, &mut room));
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
        let weights = Weights {
            filters: &filters,
            own: &own,
            inputs: sizes[layer],
            shape,
            projected: layer > 0,
            // Layers below the top are Bernoulli in every net.
            probabilities: layer + 1 < dbn.depth() || dbn.top().layers().hidden.is_bernoulli(),
            visible: names,
            ..Weights::default()
        };
        let units = sizes[layer + 1];
        views.push(view(layer, &count(units, "hidden unit"), weights, &mut room));
    }
    Ok(views)
}

/// A layer with its name, and as many filters as there is room for.
fn view(place: usize, what: &str, weights: Weights<'_>, room: &mut usize) -> LayerView {
    let name = format!("Layer {}: {what}", place + 1);
    let width = weights.shape.map_or(weights.inputs, |(width, height)| width * height);
    let view = LayerView::new(&Weights { name, width, ..weights }, *room);
    *room -= (view.shown * width).min(*room);
    view
}
