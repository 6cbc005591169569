//! What the hidden units of a model of sequences are for, and the logos of some.

use crate::failure::{Result, count};
use crate::model::checkpoint::Checkpoint;
use crate::model::sites::{NamedSites, sequences, spread};
use crate::model::trained::Trained;
use crate::pictures::{Logos, UnitLogo};
use crate::report::cell;
use deepbelief_analysis::hidden_units::{HiddenUnit, hidden_units, zero_sum_weights};
use deepbelief_data::Split;

/// Sequences named at either end of a unit's inputs.
const ENDS: usize = 3;

/// Characters of a sequence's name, at most.
const LONGEST_NAME: usize = 30;

/// All hidden units, the most important first, by so many sequences of the data at most. Sequences at the ends of a unit's
/// inputs are rows of the data.
pub(crate) fn most_important(
    checkpoint: &Checkpoint,
    named: &NamedSites,
    data: &Split,
    most: usize,
) -> Result<Vec<HiddenUnit>> {
    let rows = spread(data, most);
    let mut units = hidden_units(&named.sites, &sequences(checkpoint, data, &rows)?, ENDS)?;
    for ends in units.iter_mut().flat_map(|unit| [&mut unit.highest, &mut unit.lowest]) {
        for row in ends {
            *row = rows[*row];
        }
    }
    Ok(units)
}

/// The logos of some units. Units are numbered from 0, as the columns of `dbn encode` are; sequences without a name
/// from 1.
pub(crate) fn logos(
    checkpoint: &Checkpoint,
    named: &NamedSites,
    letters: Vec<char>,
    units: &[HiddenUnit],
    data: &Split,
) -> Logos {
    let sites = named.sites.count();
    let called = |rows: &[usize]| {
        let name = |&row: &usize| {
            data.name(row).map_or_else(|| format!("sequence {}", row + 1), |name| cell(name, LONGEST_NAME))
        };
        rows.iter().map(name).collect::<Vec<_>>().join(", ")
    };
    let logo = |unit: &HiddenUnit| UnitLogo {
        title: vec![
            format!(
                "unit {}: importance {:.3} nats, acts on {:.1} of {sites} sites, input {:.2} +- {:.2}",
                unit.unit, unit.importance, unit.acts_on, unit.input.0, unit.input.1
            ),
            format!("highest: {}; lowest: {}", called(&unit.highest), called(&unit.lowest)),
        ],
        weights: (0..sites).map(|site| zero_sum_weights(&named.sites, site, unit.unit)).collect(),
        inputs: unit.inputs.clone(),
    };
    Logos {
        title: format!(
            "{}: weights of the {} most important of {} hidden units after {}, and their inputs",
            checkpoint.provenance().dataset,
            units.len(),
            named.sites.hidden(),
            count(checkpoint.provenance().epochs as usize, "epoch")
        ),
        letters,
        units: units.iter().map(logo).collect(),
    }
}
