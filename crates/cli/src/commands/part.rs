//! Which samples are measured.

use crate::args::PartName;
use crate::failure::{Failure, Result, count};
use crate::model::checkpoint::split;
use crate::model::trained::Trained;
use deepbelief_data::{Dataset, Split};

/// Samples, and what they are in the training of the model.
pub(super) struct Measured {
    pub(super) samples: Split,
    /// What the result calls them.
    pub(super) name: &'static str,
    /// For people, behind their number.
    pub(super) words: &'static str,
    /// What else there is to know of them.
    pub(super) note: Option<String>,
}

/// Whether data, as they are without what the model fills, are those that it learned from; not asked of test samples.
pub(super) fn is_own(model: &impl Trained, data: &Dataset, part: PartName) -> Result<bool> {
    Ok(part != PartName::Test && data.sha256()? == model.provenance().dataset_sha256)
}

/// Samples that the training held out for validation.
pub(super) fn held(model: &impl Trained) -> usize {
    model.provenance().recipe.get("valid").and_then(serde_json::Value::as_u64).unwrap_or(0) as usize
}

/// The part of `data` that is asked for; `usually` says how new samples differ from those that the model learned from.
pub(super) fn part_of(
    model: &impl Trained,
    data: &Dataset,
    (part, is_own): (PartName, bool),
    usually: &str,
) -> Result<Measured> {
    let samples = split(data, part.split())?.clone();
    if part == PartName::Test {
        return Ok(Measured { samples, name: "test", words: "test samples", note: None });
    }
    let provenance = model.provenance();
    let held = held(model);
    if part == PartName::Valid {
        if !is_own {
            return Err(Failure::new("--split valid is of the data that the model learned from, and these are others")
                .hint("leave --data and the other options of how data are read out, or measure all: --split train"));
        }
        if held == 0 {
            return Err(Failure::new("the training of this model held no samples out for validation"));
        }
        let (_, samples) = samples.split_validation(held, provenance.seed)?;
        return Ok(Measured { samples, name: "valid", words: "validation samples", note: None });
    }
    if !is_own {
        return Ok(Measured { samples, name: "train", words: "samples", note: None });
    }
    // Of clusters there may be fewer than were asked for.
    let held = match held {
        0 => 0,
        held => samples.split_validation(held, provenance.seed)?.1.samples(),
    };
    let others = match held {
        0 => String::new(),
        held => format!(", but for {} held out for validation, which --split valid measures", count(held, "sample")),
    };
    let note = Some(format!("the model learned from these samples{others}: {usually}"));
    Ok(Measured { samples, name: "train", words: "training samples", note })
}
