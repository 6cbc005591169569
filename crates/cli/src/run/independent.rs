//! Whether a model of sites finds held-out samples more probable than sites that do not depend on each other do.

use super::folder::RunFolder;
use super::parts::Parts;
use super::watcher::{Verb, Watcher};
use crate::failure::Result;
use crate::model::sites::{COUNTED, are_sites, independent, levels, mean, read, spread};
use crate::reporting::Look;
use deepbelief_analysis::mutations::log_frequencies;
use deepbelief_analysis::sites::{Sequences, Sites};
use deepbelief_data::{Binarize, Split};
use deepbelief_rbm::open_regular;
use deepbelief_report::{COMPARED, Compared, Difference, Metrics, Moments, OnSites, Traces};

/// Compares them at the end of a training, after `epochs`, that estimated the likelihood of the first `most` validation
/// samples. The training is done and saved: where the samples cannot be read any more, that is a warning.
pub(super) fn compare<V: Verb>(
    parts: &Parts,
    most: usize,
    watcher: &Watcher<'_, V>,
    epochs: u32,
    look: impl FnOnce() -> Result<Look>,
) -> Option<Compared> {
    let traces = watcher.history.traces(0);
    compared(parts, most, (traces, watcher.folder), epochs, look).unwrap_or_else(|failure| {
        let why = [&[failure.what().to_string()], failure.causes()].concat().join(": ");
        tracing::warn!("the model is not compared with independent sites: {why}");
        None
    })
}

fn compared(
    parts: &Parts,
    most: usize,
    (traces, folder): (&Traces, &RunFolder),
    epochs: u32,
    look: impl FnOnce() -> Result<Look>,
) -> Result<Option<Compared>> {
    let units = parts.train.layer();
    let last = traces.last(COMPARED).filter(|(_, value)| value.is_finite());
    let (Some(valid), Some((epoch, model))) = (&parts.valid, last) else { return Ok(None) };
    if !are_sites(units) || parts.data.classes.is_some() {
        return Ok(None);
    }
    let frequencies = log_frequencies(&plain(&parts.train, &spread(&parts.train, COUNTED))?, &levels(units));
    let measured: Vec<usize> = (0..most.min(valid.samples())).collect();
    let sequences = plain(valid, &measured)?;
    let each = independent(&frequencies, &sequences);
    let alone = mean(&each, &sequences);
    let difference = match look()? {
        // Of an earlier epoch there is no model to measure single samples with.
        Look::Net(dbn) if dbn.depth() == 1 && epoch == f64::from(epochs) => {
            let energies = Sites::of(dbn.top())?.free_energies(&sequences)?;
            let ahead = energies.iter().zip(&each).map(|(energy, alone)| -energy - alone);
            let samples = Moments::of(sequences.weights().iter().copied().zip(ahead));
            Some(Difference::new(model - alone, &samples, log_z_error(folder, epoch)?))
        }
        _ => None,
    };
    Ok(Some(Compared { epoch: epoch as u32, sites: units.sites(), model, independent: alone, difference }))
}

/// Says how they compare, with the cure where the model is not better.
pub(super) fn say<V: Verb>(parts: &Parts, watcher: &Watcher<'_, V>, compared: Option<Compared>) {
    let Some(Compared { epoch, model, independent, difference, .. }) = compared else { return };
    let traces = watcher.history.traces(0);
    let by = difference.map_or(String::new(), |difference| format!("; the model is {}", difference.in_words()));
    let best = traces.points(COMPARED).into_iter().max_by(|a, b| a.1.total_cmp(&b.1)).filter(|best| best.1 > model);
    let earlier = best.map_or(String::new(), |(epoch, value)| format!(" ({value:.2} in epoch {epoch})"));
    let said = format!(
        "validation samples: {model:.2} nats each in epoch {epoch}{earlier}, by independent sites {independent:.2}{by}"
    );
    let l1b_cost = watcher.provenance.recipe.get("l1b_cost").and_then(serde_json::Value::as_f64).unwrap_or_default();
    if let Some(fault) = (OnSites { l1b_cost, compared }).fault(traces) {
        tracing::warn!("{said}. {}", fault.text);
        return;
    }
    let relatives =
        parts.data.alignment.is_some() && parts.valid.as_ref().is_some_and(|valid| valid.clusters().is_none());
    tracing::info!("{said}{}", if relatives { RELATIVES } else { "" });
}

/// What held-out sequences are not asked.
const RELATIVES: &str = "; they were held out at random, and relatives of theirs were learned: --valid-clusters 0.4 holds \
                         whole clusters out";

/// The standard error of ln Z of an epoch, as its metrics have it.
fn log_z_error(folder: &RunFolder, epoch: f64) -> Result<Option<f64>> {
    let metrics = Metrics::read(open_regular(&folder.metrics())?);
    let found = metrics.layers.get(&0).and_then(|layer| layer.traces.last("log_z_error"));
    Ok(found.filter(|found| found.0 == epoch && found.1.is_finite()).map(|(_, error)| error))
}

/// Samples as sequences, with what is missing as it is in minibatches.
fn plain(samples: &Split, taken: &[usize]) -> Result<Sequences> {
    let values = |rows: &[usize]| -> Result<Vec<f32>> {
        Ok(samples.batch(rows.iter().copied(), Binarize::None, 0)?.to_values())
    };
    read(samples.layer(), samples, taken, values)
}
