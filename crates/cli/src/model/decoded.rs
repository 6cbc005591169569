//! What a model gives as a table: visible values in the units of its training data.

use super::trained::Trained;
use crate::failure::{Failure, Result};
use crate::pictures::shape_of;
use crate::results::Results;
use deepbelief_data::{Block, BlockValues, ImageShape, Schema, TextForm};
use deepbelief_kernels::UnitKind;

/// Visible values `[rows, units]` in [0, 1] as columns called as the training data's, with `labels`, where
/// there are some, behind them; a csv file of them has this form.
pub(crate) fn decoded(model: &impl Trained, values: &[f32], labels: Option<BlockValues>, form: TextForm) -> Results {
    let schema = model.columns();
    let name = schema.label().filter(|_| schema.has_names()).unwrap_or_else(|| "label".into());
    let beside = labels.map(|labels| ("labels", Block::column(name, labels))).into_iter().collect();
    let marked = |block: Block| Block { values: form.marked(block.values), ..block };
    Results { name: "values", columns: schema.decode(values).into_iter().map(marked).collect(), beside, form }
}

/// Labels as the data have them: the names of their classes, numbers where all of these are, or else the numbers of the
/// classes.
pub(crate) fn in_their_words(labels: &[u32], class_names: Option<&[String]>) -> BlockValues {
    let numbered = || BlockValues::Whole(labels.iter().map(|&label| label.into()).collect());
    let Some(names) = class_names.filter(|names| labels.iter().all(|&label| (label as usize) < names.len())) else {
        return numbered();
    };
    match names.iter().map(|name| name.parse().ok()).collect::<Option<Vec<i64>>>() {
        Some(numbers) => BlockValues::Whole(labels.iter().map(|&label| numbers[label as usize]).collect()),
        None => BlockValues::Texts { texts: names.to_vec(), places: labels.to_vec() },
    }
}

/// Says of numbers that a model makes where they may lie.
pub(crate) fn say_of_bounds(model: &impl Trained) {
    if model.columns().layer().segments().iter().any(|segment| segment.units == UnitKind::Gaussian) {
        tracing::info!(
            "numbers of Gaussian units have no bounds: some may lie beyond all of the training data, such as below 0; \
             trained with --visible-units bernoulli, a model keeps each column to its range"
        );
    }
}

/// Refuses a model whose visible units are no pixels; `instead` says what to do.
pub(crate) fn require_pixels(model: &impl Trained, instead: impl FnOnce(&Schema) -> &'static str) -> Result<()> {
    let Some(schema) = model.schema().filter(|schema| !schema.layer().is_bernoulli()) else { return Ok(()) };
    Err(Failure::new(format!("pictures are of Bernoulli units, and the model's are {}", schema.layer()))
        .hint(instead(&schema)))
}

/// The shape of visible units as a picture to write, as it is known; a table has none unless somebody gives it one.
pub(crate) fn picture_shape(model: &impl Trained, known: Option<ImageShape>) -> Result<ImageShape> {
    require_pixels(model, |schema| match schema.alphabet() {
        Some(_) => "write sequences: --out x.fasta",
        None => "write a table: --out x.csv",
    })?;
    if known.is_none() && model.schema().is_some_and(|schema| !schema.is_of_one_kind()) {
        return Err(Failure::new("the model is one of a table, which is no picture").hint("write a table: --out x.csv"));
    }
    shape_of(model.visible(), known)
}
