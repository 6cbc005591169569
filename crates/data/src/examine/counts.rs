//! How often each class comes, and samples that come more than once, with one label or with several.

use std::path::Path;

use crate::error::Error;
use crate::memory::room::reserve;

/// Samples of each class; labels are below `classes`.
pub(super) fn classes(classes: usize, labels: &[u32]) -> Vec<usize> {
    let mut counts = vec![0; classes];
    for &label in labels {
        if let Some(count) = counts.get_mut(label as usize) {
            *count += 1;
        }
    }
    counts
}

/// Of samples with these hashes: how many are the same as one before, and how many have a copy with
/// another label.
pub(super) fn repetitions(hashes: &[u64], labels: Option<&[u32]>) -> Result<(usize, usize), Error> {
    let label = |sample: usize| labels.and_then(|labels| labels.get(sample)).copied().unwrap_or(0);
    let mut samples: Vec<(u64, u32)> = Vec::new();
    reserve(Path::new("the samples"), &mut samples, hashes.len())?;
    samples.extend(hashes.iter().enumerate().map(|(sample, &hash)| (hash, label(sample))));
    samples.sort_unstable();
    let (mut repeated, mut contradictory) = (0, 0);
    for group in samples.chunk_by(|a, b| a.0 == b.0) {
        repeated += group.len() - 1;
        if group.first().map(|sample| sample.1) != group.last().map(|sample| sample.1) {
            contradictory += group.len();
        }
    }
    Ok((repeated, contradictory))
}
