//! `dbn show --terminal`: the curve of a run and the filters of its model, where one types.

use crate::args::ShowArgs;
use crate::failure::{Failure, Result};
use crate::model::checkpoint::Model;
use crate::model::decoded::picture_shape;
use crate::model::trained::Trained;
use crate::pictures::{FILTERS, Form, Screen, values};
use crate::run::folder::METRICS;
use candle_core::Tensor;
use deepbelief_rbm::open_regular;
use deepbelief_report::chart::{Panel, panels};
use deepbelief_report::{Metrics, robust_limit};
use deepbelief_stack::Layer;
use std::fmt::Write as _;

/// The picture for this screen: the first figure of the run by epoch, where there is a run, and the weights of the
/// first hidden units, where the visible ones are pixels.
pub(super) fn drawn(args: &ShowArgs, model: &Model, screen: Screen) -> Result<String> {
    let mut text = curve(args, screen).unwrap_or_default();
    match picture_shape(model, args.image_size.or_else(|| model.image_shape())) {
        Ok(shape) => {
            let weights = filters(model)?;
            let limit = robust_limit(&weights);
            let shares: Vec<f32> = weights.iter().map(|weight| weight / limit).collect();
            let _ = writeln!(text, "Weights of hidden units, from -{limit:.3} to {limit:.3}\n");
            text += &screen.filters(&shares, shape.width, shape.height);
        }
        Err(failure) if text.is_empty() => {
            let why = "there is nothing to draw: no run with a curve, and no filters that are pictures";
            return Err(Failure::new(why).because(vec![failure.what().to_string()]));
        }
        Err(_) => {}
    }
    Ok(text)
}

/// The first figure of a run; of a stack that of its last layer.
fn curve(args: &ShowArgs, screen: Screen) -> Option<String> {
    let metrics = Metrics::read(open_regular(&args.checkpoint.join(METRICS)).ok()?);
    let (_, layer) = metrics.layers.last_key_value()?;
    let all = panels(&layer.traces);
    // One value is no curve.
    let goes_on = |panel: &&Panel| panel.lines.iter().any(|line| line.points.len() > 1);
    let panel = all.iter().find(goes_on).or_else(|| all.first())?;
    // Validation stands behind training.
    let line = panel.lines.iter().rev().find(|line| line.points.iter().any(|point| point.1.is_finite()))?;
    let points: Vec<(f64, f64)> = line.points.iter().map(|&(epoch, value)| (epoch, panel.drawn(value))).collect();
    let name = if line.name.is_empty() { String::new() } else { format!(", {}", line.name) };
    let title = if screen.form == Form::Sixel { String::new() } else { format!("{}{name}\n\n", panel.title()) };
    Some(format!("{title}{}\n", screen.panel(panel, &points)))
}

/// The weights of the first units of the lowest layer.
fn filters(model: &Model) -> Result<Vec<f32>> {
    let first = |weights: &Tensor| values(&weights.narrow(0, 0, weights.dim(0)?.min(FILTERS))?);
    match model {
        Model::Belief(checkpoint) => {
            let dbn = &checkpoint.dbn;
            first(dbn.layers().first().map_or(dbn.top().w_gen(), Layer::w_gen))
        }
        Model::Network(checkpoint) => first(&checkpoint.network.layers()[0].w.t()?.contiguous()?),
    }
}
