//! What a page shows of a model (`dbn page`): pictures, or the columns of a table.

use super::checkpoint::Checkpoint;
use super::decoded::picture_shape;
use super::trained::Trained;
use deepbelief_data::{ColumnKind, ImageShape, Schema};
use deepbelief_page::{Column, Values, require_units_of_pictures, require_units_of_tables};
use deepbelief_rbm::UnitKind;

/// Whether a page of the model can be made without another word.
pub(crate) fn can_have_a_page(checkpoint: &Checkpoint) -> bool {
    match table(checkpoint, None) {
        Some(_) => require_units_of_tables(&checkpoint.dbn).is_ok(),
        None => {
            picture_shape(checkpoint, checkpoint.image_shape()).is_ok()
                && require_units_of_pictures(&checkpoint.dbn).is_ok()
        }
    }
}

/// What the columns of the model are, if it is one of a table and not taken for pictures.
pub(crate) fn table(checkpoint: &Checkpoint, image_size: Option<ImageShape>) -> Option<Schema> {
    let is_table = |schema: &Schema| !schema.layer().is_bernoulli() || !schema.is_of_one_kind();
    checkpoint.schema().filter(|schema| image_size.is_none() && is_table(schema))
}

/// Columns and what their units stand for.
pub(crate) fn columns(schema: &Schema) -> Vec<Column> {
    let layer = schema.layer();
    let units: Vec<UnitKind> =
        layer.each().flat_map(|(segment, columns)| columns.map(move |_| segment.units)).collect();
    let mut at = 0;
    let column = |(place, (name, kind)): (usize, (Option<&str>, &ColumnKind))| {
        let unit = *units.get(at)?;
        at += kind.units();
        let number = |offset, scale| match unit {
            UnitKind::Gaussian => Values::Number { offset, scale },
            _ => Values::Probability { offset, scale },
        };
        let values = match kind {
            ColumnKind::Binary { off, on } => Values::Binary([off.clone(), on.clone()]),
            ColumnKind::Spin if unit == UnitKind::Spin => Values::Spin,
            ColumnKind::Spin => Values::Binary(["-1".into(), "1".into()]),
            ColumnKind::Categorical { levels } => Values::Categorical(levels.clone()),
            ColumnKind::Unit { divisor } => number(0.0, f64::from(*divisor)),
            ColumnKind::Real { offset, scale } => number(*offset, *scale),
            ColumnKind::Ignored | ColumnKind::Label | ColumnKind::Weight => return None,
        };
        Some(Column { name: schema.called(place, name), values })
    };
    schema.each().enumerate().filter_map(column).collect()
}
