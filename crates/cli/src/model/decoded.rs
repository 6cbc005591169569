//! What a model gives as a table: visible values in the units of its training data.

use super::checkpoint::Trained;
use crate::failure::{Failure, Result};
use crate::pictures::shape_of;
use crate::results::Results;
use deepbelief_data::{Block, BlockValues, ImageShape};

/// Visible values `[rows, units]` in [0, 1] as columns called as the training data's, with the rows' labels, where
/// there are some, behind them.
pub(crate) fn decoded(model: &impl Trained, values: &[f32], labels: Option<&[u32]>) -> Results {
    let beside = labels.map(|labels| ("labels", label_column(model, labels))).into_iter().collect();
    Results { name: "values", columns: model.columns().decode(values), beside }
}

/// Labels as a column: by the names of the classes, where the training data had some.
fn label_column(model: &impl Trained, labels: &[u32]) -> Block {
    let schema = model.columns();
    let name = schema.label().filter(|_| schema.has_names()).unwrap_or_else(|| "label".into());
    let known = |names: &Vec<String>| labels.iter().all(|&label| (label as usize) < names.len());
    Block::column(
        name,
        match model.class_names().filter(known) {
            Some(texts) => BlockValues::Texts { texts, places: labels.to_vec() },
            None => BlockValues::Whole(labels.iter().map(|&label| label.into()).collect()),
        },
    )
}

/// The shape of visible units as a picture, as it is known; a table has none unless somebody gives it one.
pub(crate) fn picture_shape(model: &impl Trained, known: Option<ImageShape>) -> Result<ImageShape> {
    if known.is_none() && model.schema().is_some_and(|schema| !schema.is_of_one_kind()) {
        return Err(Failure::new("the model is one of a table, which is no picture").hint("write a table: --out x.csv"));
    }
    shape_of(model.visible(), known)
}
