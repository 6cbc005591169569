//! How far a run is, as its settings and files say.

use super::folder::RunFolder;
use deepbelief_rbm::tensors;
use deepbelief_report::State;
use deepbelief_wake_sleep::TopSteps;
use serde_json::Value;
use std::path::Path;
use toml::Table;

/// How far the run of a verb is that has done so many epochs, if no program trains it now.
pub(crate) fn state(folder: &RunFolder, verb: &str, settings: Option<&Table>, done: usize) -> State {
    let is_done = match verb {
        // Layers of a stack may end early, each by itself.
        "stack" => {
            settings.and_then(layers).is_some_and(|layers| layers.len() + 1 == sizes(&header(&folder.layers())).len())
        }
        _ => settings.and_then(|settings| planned(verb, settings)).is_some_and(|planned| planned <= done as u64),
    };
    match (folder.failure(), header(&folder.model()).pointer("/provenance/stopped_early")) {
        (Some(failure), _) => of_failure(&failure),
        _ if is_done => State::Finished,
        (_, Some(Value::Bool(true))) => State::StoppedEarly,
        _ => State::Unfinished,
    }
}

/// How far a run is that ended so.
pub(crate) fn of_failure(what: &str) -> State {
    if what.contains("diverged") { State::Diverged } else { State::Failed }
}

/// What a checkpoint says of itself. A run that has none yet has nothing to say, and of one that
/// cannot be read no more is known.
pub(crate) fn header(path: &Path) -> Value {
    if !path.is_file() {
        return Value::Null;
    }
    tensors::header(path).unwrap_or_else(|error| {
        tracing::warn!("{error}");
        Value::Null
    })
}

/// Units of every layer, by the header of any kind of model.
pub(crate) fn sizes(header: &Value) -> Vec<usize> {
    match header.get("sizes").and_then(Value::as_array) {
        Some(sizes) => sizes.iter().filter_map(units).collect(),
        None => ["visible", "hidden"].into_iter().filter_map(|key| units(header.get(key)?)).collect(),
    }
}

/// Units of a layer: their number, or the sites of each of its segments, which may have levels.
fn units(layer: &Value) -> Option<usize> {
    let Some(segments) = layer.as_array() else { return Some(layer.as_u64()? as usize) };
    let of = |segment: &Value| {
        let levels = segment.get("levels").map_or(Some(1), Value::as_u64)?;
        segment.get("sites")?.as_u64()?.checked_mul(levels)
    };
    Some(segments.iter().map(of).sum::<Option<u64>>()? as usize)
}

/// Epochs that the settings of a stack ask for, of each layer: its own table says so, or else a list, or one number
/// for all.
fn layers(settings: &Table) -> Option<Vec<u64>> {
    if let Some(tables) = settings.get("layer") {
        return tables.as_array()?.iter().map(|layer| whole(layer.get("epochs")?)).collect();
    }
    let depth = settings.get("layers")?.as_array()?.len();
    match settings.get("epochs")? {
        toml::Value::Array(epochs) => epochs.iter().map(whole).collect(),
        epochs => whole(epochs).map(|epochs| vec![epochs; depth]),
    }
}

/// Epochs that the settings of a run ask for, of all layers.
pub(crate) fn planned(verb: &str, settings: &Table) -> Option<u64> {
    match verb {
        "stack" => layers(settings)?.into_iter().try_fold(0u64, u64::checked_add),
        "tune" => Some(settings.get("top_steps")?.as_str()?.parse::<TopSteps>().ok()?.epochs().into()),
        _ => whole(settings.get("epochs")?),
    }
}

fn whole(value: &toml::Value) -> Option<u64> {
    u64::try_from(value.as_integer()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_have_sizes_as_numbers_or_by_their_segments() {
        let sizes = |header: &str| sizes(&serde_json::from_str(header).unwrap());
        assert_eq!(sizes(r#"{"visible": 9, "hidden": 5}"#), [9, 5]);
        let mixed = r#"[{"levels": 3, "sites": 2, "units": "categorical"}, {"sites": 4, "units": "gaussian"}]"#;
        assert_eq!(sizes(&format!(r#"{{"visible": {mixed}, "hidden": [{{"sites": 7}}]}}"#)), [10, 7]);
        assert_eq!(sizes(&format!(r#"{{"visible": {mixed}, "sizes": [10, 7, 6]}}"#)), [10, 7, 6]);
        assert_eq!(sizes("null"), [0; 0]);
    }

    #[test]
    fn epochs_are_planned_by_the_settings_of_each_verb() {
        let planned = |verb, text: &str| planned(verb, &text.parse().unwrap());
        assert_eq!(planned("pretrain", "epochs = 30"), Some(30));
        assert_eq!(planned("finetune", "epochs = 7"), Some(7));
        assert_eq!(planned("stack", "layers = [5, 6]\nepochs = [3, 4]"), Some(7));
        assert_eq!(planned("stack", "layers = [5, 6]\nepochs = 4"), Some(8));
        assert_eq!(planned("stack", "[[layer]]\nepochs = 3\n[[layer]]\nepochs = 4"), Some(7));
        assert_eq!(planned("tune", "top_steps = \"3x100,6x50\""), Some(150));
        for verb in ["pretrain", "stack", "tune"] {
            assert_eq!(planned(verb, "epochs = \"many\"\ntop_steps = 3"), None);
        }
    }
}
