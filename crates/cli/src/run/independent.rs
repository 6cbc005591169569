//! Whether a model of sites finds held-out samples more probable than sites that do not depend on each other do.

use super::parts::Parts;
use crate::failure::Result;
use crate::model::sites::{COUNTED, independent, levels, read, spread};
use deepbelief_analysis::mutations::log_frequencies;
use deepbelief_analysis::sites::Sequences;
use deepbelief_data::{Binarize, Split};
use deepbelief_report::Traces;

/// The figure that is compared.
const FIGURE: &str = "log_likelihood_valid";

/// Says so at the end of a training that estimated the likelihood of the first `most` validation samples. The training is
/// done and saved: where the samples cannot be read any more, that is a warning.
pub(super) fn say(parts: &Parts, most: usize, traces: &Traces) {
    if let Err(failure) = compare(parts, most, traces) {
        let why = [&[failure.what().to_string()], failure.causes()].concat().join(": ");
        tracing::warn!("the model is not compared with independent sites: {why}");
    }
}

fn compare(parts: &Parts, most: usize, traces: &Traces) -> Result<()> {
    let units = parts.train.layer();
    let (Some(valid), Some((epoch, last))) = (&parts.valid, traces.last(FIGURE)) else { return Ok(()) };
    if !units.is_discrete() || units.is_bernoulli() || parts.data.classes.is_some() {
        return Ok(());
    }
    let frequencies = log_frequencies(&plain(&parts.train, &spread(&parts.train, COUNTED))?, &levels(units));
    let measured: Vec<usize> = (0..most.min(valid.samples())).collect();
    let alone = independent(&frequencies, &plain(valid, &measured)?);
    let said = format!("validation samples: {last:.2} nats each in epoch {epoch}, by independent sites {alone:.2}");
    let best = traces.points(FIGURE).into_iter().max_by(|a, b| a.1.total_cmp(&b.1)).filter(|best| best.1 > last);
    let earlier = best.map_or(String::new(), |(epoch, value)| format!("; in epoch {epoch} they were {value:.2}"));
    let is_alignment = parts.data.alignment.is_some();
    if last < alone {
        tracing::warn!("{said}{earlier}: {}", if is_alignment { OF_A_FAMILY } else { OF_OTHERS });
        return Ok(());
    }
    let relatives = is_alignment && valid.clusters().is_none();
    tracing::info!("{said}{earlier}{}", if relatives { RELATIVES } else { "" });
    Ok(())
}

/// What to do where couplings do harm.
const OF_A_FAMILY: &str = "the model is worse than no couplings at all on such samples. Try a larger --l1b-cost and fewer \
                           --epochs, and more branches of the family; docs/src/alignments.md says what helped";
const OF_OTHERS: &str = "the model is worse than no couplings at all on such samples. Try a larger cost of the weights, \
                         fewer epochs, or more samples";

/// What held-out sequences are not asked.
const RELATIVES: &str = "; they were held out at random, and relatives of theirs were learned: --valid-clusters 0.4 holds \
                         whole clusters out";

/// Samples as sequences, with what is missing as it is in minibatches.
fn plain(samples: &Split, taken: &[usize]) -> Result<Sequences> {
    let values = |rows: &[usize]| -> Result<Vec<f32>> {
        Ok(samples.batch(rows.iter().copied(), Binarize::None, 0)?.to_values())
    };
    read(samples.layer(), samples, taken, values)
}
