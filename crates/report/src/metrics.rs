//! `metrics.jsonl`, read for curves and for the figures of the last epoch. It survives lines that a crash cut short,
//! and what others wrote there.

use crate::traces::Traces;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};

/// Different figures of a layer, at most: a file of another program may have any number of names.
const MOST_FIGURES: usize = 400;

/// Layers, at most.
const MOST_LAYERS: usize = 256;

/// What a file of metrics says.
#[derive(Debug, Default)]
pub struct Metrics {
    /// By number.
    pub layers: BTreeMap<u32, LayerMetrics>,
    /// Lines that are no epoch.
    pub unreadable: usize,
}

/// What it says of a layer.
#[derive(Debug, Default)]
pub struct LayerMetrics {
    /// Its figures by epoch.
    pub traces: Traces,
    /// All numbers of the last epoch by name, as the file has them.
    pub last: BTreeMap<String, Value>,
    /// Epochs of training: epoch 0 only measures what there was before.
    pub done: usize,
    /// Wall time of all epochs.
    pub seconds: f64,
}

impl Metrics {
    /// Reads a file, as far as it can be read.
    pub fn read(file: impl Read) -> Self {
        let mut metrics = Self::default();
        for line in BufReader::new(file).split(b'\n').map_while(Result::ok) {
            match serde_json::from_slice::<Map<String, Value>>(&line) {
                Ok(epoch) => metrics.add(&epoch),
                Err(_) if line.iter().all(u8::is_ascii_whitespace) => (),
                Err(_) => metrics.unreadable += 1,
            }
        }
        metrics
    }

    fn add(&mut self, epoch: &Map<String, Value>) {
        let whole = |key: &str| epoch.get(key).map(|value| value.as_u64().and_then(|n| u32::try_from(n).ok()));
        let (Some(Some(number)), Some(layer)) = (whole("epoch"), whole("layer").unwrap_or(Some(0))) else {
            self.unreadable += 1;
            return;
        };
        if self.layers.len() >= MOST_LAYERS && !self.layers.contains_key(&layer) {
            self.unreadable += 1;
            return;
        }
        let mut last = BTreeMap::new();
        flatten("", epoch, &mut last);
        let of = self.layers.entry(layer).or_default();
        let numbers = last.iter().filter_map(|(name, value)| Some((name.clone(), value.as_f64()?)));
        let known: usize = of.traces.names().count();
        let numbers = numbers.filter(|(name, _)| known < MOST_FIGURES || of.traces.last(name).is_some());
        let numbers: BTreeMap<String, f64> = numbers.take(MOST_FIGURES).collect();
        of.done += usize::from(number > 0);
        of.seconds += numbers.get("seconds").filter(|seconds| seconds.is_finite()).copied().unwrap_or(0.0);
        of.traces.add(number, numbers);
        of.last = last;
    }

    /// Epochs of training, of all layers.
    #[must_use]
    pub fn done(&self) -> usize {
        self.layers.values().map(|layer| layer.done).sum()
    }

    /// Wall time of them.
    #[must_use]
    pub fn seconds(&self) -> f64 {
        self.layers.values().map(|layer| layer.seconds).sum()
    }
}

/// The numbers of an epoch, those of the layers of a tuned net as `layer_0_divergence`.
fn flatten(prefix: &str, object: &Map<String, Value>, into: &mut BTreeMap<String, Value>) {
    for (key, value) in object {
        match value {
            Value::Number(_) if into.len() < MOST_FIGURES && !["layer", "epoch"].contains(&key.as_str()) => {
                into.insert(format!("{prefix}{key}"), value.clone());
            }
            Value::Array(layers) if prefix.is_empty() && key == "layers" => {
                for (layer, object) in layers.iter().enumerate().take(MOST_LAYERS) {
                    if let Value::Object(object) = object {
                        flatten(&format!("layer_{layer}_"), object, into);
                    }
                }
            }
            _ => (),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn damaged_lines_are_counted_and_the_rest_is_read() {
        let text = "{\"layer\":0,\"epoch\":1,\"cost\":2.5,\"seconds\":1}\nnot json\n\n{\"epoch\":-3}\n[1]\n\
                    {\"layer\":0,\"epoch\":2,\"cost\":1.5,\"seconds\":2,\"layers\":[{\"divergence\":0.25}]}\n{\"epoch\":3,\"co";
        let metrics = Metrics::read(text.as_bytes());
        assert_eq!((metrics.unreadable, metrics.done(), metrics.seconds()), (4, 2, 3.0));
        let layer = &metrics.layers[&0];
        assert_eq!(layer.traces.points("cost"), [(1.0, 2.5), (2.0, 1.5)]);
        assert_eq!(layer.last["layer_0_divergence"], Value::from(0.25));
        assert_eq!(Metrics::read(&b"\xff\xfe\n\0\0"[..]).unreadable, 2);
    }

    #[test]
    fn a_hundred_thousand_epochs_are_thinned() {
        let text = (1..=100_000)
            .map(|n| format!("{{\"epoch\":{n},\"cost\":{},\"x{n}\":1}}\n", 1.0 / f64::from(n)))
            .collect::<Vec<_>>()
            .concat();
        let metrics = Metrics::read(text.as_bytes());
        let traces = &metrics.layers[&0].traces;
        assert!(traces.points("cost").len() <= 1401 && traces.names().count() <= 2 * MOST_FIGURES);
        assert_eq!(traces.last("cost"), Some((100_000.0, 1e-5)));
    }
}
