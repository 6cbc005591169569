//! The training samples that a sample is compared with.

use crate::args::ScoreArgs;
use crate::data::chunks::{CHUNK, count_of, tensor};
use crate::failure::{Result, count};
use crate::machine::ranks;
use crate::model::checkpoint::Checkpoint;
use crate::model::trained::Trained;
use crate::report::Work;
use deepbelief_data::{Binarize, Dataset, Split};
use deepbelief_rbm::to_tensor;
use deepbelief_stack::Scorer;
use rayon::prelude::*;
use std::collections::{BTreeSet, HashMap};
use std::ops::Range;

/// Training samples that a sample is compared with, at most.
const TRAINING: usize = 10_000;

/// The same where it lacks values: as many, and no fewer.
const HIDDEN: std::ops::RangeInclusive<usize> = 100..=1000;

/// Passes through the net for the training samples of which the same units are hidden, for one pattern of them and for
/// all: what is hidden is summed over its values.
const PASSES: usize = 1 << 20;
const ALL_PASSES: usize = 1 << 22;

/// Training samples whose own gaps count in what it takes to hide others, at most.
const LOOKED_AT: usize = 32;

/// Samples that the model learned from: those of `given` where these are its data, else of the data that the
/// checkpoint names, if they can be opened and are still the same.
pub(super) fn training(args: &ScoreArgs, checkpoint: &Checkpoint, given: &Dataset) -> Result<Option<Split>> {
    let learned = &checkpoint.provenance().dataset_sha256;
    let samples = if args.on.data.data.is_none() && given.sha256()? == *learned {
        given.train.clone()
    } else {
        match checkpoint.training_data(&args.on.checkpoint, args.machine) {
            Ok(data) => data.train,
            Err(failure) => {
                tracing::warn!("no column percentile: {}", failure.what());
                return Ok(None);
            }
        }
    };
    if samples.weight(0).is_some() {
        tracing::info!("percentiles count the training samples as often as each weighs");
    }
    // Spread over the order they come in, which may be by class.
    let (there, wanted) = (samples.samples(), samples.samples().min(TRAINING));
    Ok(Some(samples.select(&spread(there, wanted).collect::<Vec<_>>())?))
}

/// So many numbers below `there`, spread over all.
fn spread(there: usize, wanted: usize) -> impl Iterator<Item = usize> {
    (0..wanted).map(move |k| k * there / wanted)
}

/// Minus the free energy of a sample, in nats, with what is missing summed out.
#[derive(Clone, Copy, Debug)]
pub(super) struct Measured {
    pub(super) value: f32,
    /// Whether it is an estimate.
    pub(super) estimated: bool,
}

impl Measured {
    fn exact(value: f64) -> Self {
        Self { value: value as f32, estimated: false }
    }

    /// As another rank gets it: the value, and 0 where there is none, 1 for an exact one, 2 for an estimate.
    fn to_numbers(found: Option<Self>) -> [f32; 2] {
        found.map_or([0.0; 2], |Self { value, estimated }| [value, if estimated { 2.0 } else { 1.0 }])
    }

    fn of_numbers([value, kind]: [f32; 2]) -> Option<Self> {
        (kind > 0.0).then_some(Self { value, estimated: kind > 1.0 })
    }
}

/// Passes through the model that [`minus_free_energies`] takes of this rank.
pub(super) fn passes(scorer: &Scorer, samples: &Split) -> u64 {
    let rows = ranks::own_pieces(count_of(samples)).flat_map(|chunk| rows_of(samples, chunk));
    rows.map(|row| scorer.passes(&lacking(samples, row)) as u64).sum()
}

/// The samples of a chunk.
fn rows_of(samples: &Split, chunk: usize) -> Range<usize> {
    CHUNK * chunk..samples.samples().min(CHUNK * (chunk + 1))
}

/// Of every sample; where too much is missing to sum it out, an estimate if there can be one. `work` counts [`passes`].
pub(super) fn minus_free_energies(
    scorer: &Scorer,
    samples: &Split,
    binarize: Binarize,
    work: &Work,
) -> Result<Vec<Option<Measured>>> {
    // Of each sample its value, and how that was found.
    let chunks = ranks::each(count_of(samples), |chunk| {
        let found = of_chunk(scorer, samples, binarize, chunk, work)?;
        Ok(found.into_iter().flat_map(Measured::to_numbers).collect())
    })?;
    Ok(chunks.iter().flat_map(|chunk| chunk.as_chunks().0).map(|&numbers| Measured::of_numbers(numbers)).collect())
}

/// The same of one chunk.
fn of_chunk(
    scorer: &Scorer,
    samples: &Split,
    binarize: Binarize,
    chunk: usize,
    work: &Work,
) -> Result<Vec<Option<Measured>>> {
    let chosen: Vec<usize> = rows_of(samples, chunk).collect();
    let batch = samples.batch(chosen.iter().copied(), binarize, 0)?;
    // Samples that lack nothing pass at once, the others by themselves.
    let complete = scorer.complete(&tensor(&batch, samples.layer())?)?;
    let mut found: Vec<Option<Measured>> = complete.into_iter().map(|x| Some(Measured::exact(x))).collect();
    let Some(missing) = samples.missing(&chosen) else {
        work.did((chosen.len() * scorer.passes(&[])) as u64);
        return Ok(found);
    };
    let mut values = batch.to_values();
    to_tensor(samples.layer(), &mut values);
    let rows = values.par_chunks_exact(batch.units()).zip(&mut found).enumerate();
    rows.try_for_each(|(row, (v, found))| -> Result<()> {
        let missing: Vec<usize> = missing.units(row).collect();
        if !missing.is_empty() {
            *found = match scorer.observed(v, &missing)? {
                Some(exact) => Some(Measured::exact(exact)),
                None => scorer.estimated(v, &missing)?.map(|x| Measured { value: x as f32, estimated: true }),
            };
        }
        work.did(scorer.passes(&missing) as u64);
        Ok(())
    })?;
    Ok(found)
}

/// The units that a sample lacks, in their order.
pub(super) fn lacking(samples: &Split, row: usize) -> Vec<usize> {
    samples.missing(&[row]).map_or(Vec::new(), |missing| missing.units(0).collect())
}

/// What some samples lack; nothing where all are whole.
fn gaps_of(samples: &Split) -> Vec<Vec<usize>> {
    if samples.missing_values() == 0 {
        return Vec::new();
    }
    let there = samples.samples();
    spread(there, there.min(LOOKED_AT)).map(|row| lacking(samples, row)).collect()
}

/// All of two lists of units, in their order.
fn both(some: &[usize], others: &[usize]) -> Vec<usize> {
    let all: BTreeSet<usize> = some.iter().chain(others).copied().collect();
    all.into_iter().collect()
}

/// The training samples, by what is hidden of them.
pub(super) struct Peers<'a> {
    scorer: &'a Scorer,
    training: Split,
    binarize: Binarize,
    whole: Ranks,
    /// By the units that are hidden, of how many training samples, and the passes that each of these takes; nothing where
    /// that is too much. See [`Self::plan`].
    planned: HashMap<Vec<usize>, (usize, usize)>,
    hidden: HashMap<Vec<usize>, Option<Ranks>>,
    /// What some training samples lack; nothing where all are whole.
    gaps: Vec<Vec<usize>>,
    /// Samples that were compared with none.
    alone: usize,
}

impl<'a> Peers<'a> {
    pub(super) fn of(scorer: &'a Scorer, training: Split, binarize: Binarize, work: &Work) -> Result<Self> {
        let gaps = gaps_of(&training);
        let whole = Ranks::of(&training, &minus_free_energies(scorer, &training, binarize, work)?);
        let (planned, hidden, alone) = (HashMap::new(), HashMap::new(), 0);
        Ok(Self { scorer, training, binarize, whole, planned, hidden, gaps, alone })
    }

    /// Per cent of the training samples that are as probable or less, when they lack what the sample lacks, which
    /// [`Self::plan`] saw. `work` counts the passes that it said.
    pub(super) fn percentile(&mut self, lacking: &[usize], x: f32, work: &Work) -> Result<Option<f32>> {
        if lacking.is_empty() {
            return Ok(self.whole.percentile(x));
        }
        if !self.hidden.contains_key(lacking) {
            let ranks = self.hide(lacking, work)?;
            self.hidden.insert(lacking.to_vec(), ranks);
        }
        let ranks = self.hidden.get(lacking).and_then(Option::as_ref);
        self.alone += usize::from(ranks.is_none());
        Ok(ranks.and_then(|ranks| ranks.percentile(x)))
    }

    /// Says what the percentiles of samples with gaps are.
    pub(super) fn tell(&self) {
        if !self.hidden.is_empty() {
            tracing::info!(
                "percentiles of samples that lack values are among training samples of which the same is hidden, {} at \
                 most",
                HIDDEN.end()
            );
        }
        if self.alone > 0 {
            tracing::warn!(
                "{} without a percentile: they lack too much, or each lacks something else, so that hiding the same in \
                 training samples would take too long",
                count(self.alone, "sample")
            );
        }
    }

    /// Shares the passes out among what samples lack, the fewest units first, and says how many that takes. The order of
    /// the samples is nothing to it, and a percentile that there is does not depend on what other samples lack.
    pub(super) fn plan(&mut self, samples: impl Iterator<Item = Vec<usize>>) -> u64 {
        let all: BTreeSet<(usize, Vec<usize>)> =
            samples.filter(|lacking| !lacking.is_empty()).map(|lacking| (lacking.len(), lacking)).collect();
        let mut left = ALL_PASSES;
        for (_, lacking) in all {
            if let Some((wanted, each)) = self.affordable(&lacking)
                && wanted * each <= left
            {
                left -= wanted * each;
                self.planned.insert(lacking, (wanted, each));
            }
        }
        (ALL_PASSES - left) as u64
    }

    /// Training samples of which the same can be hidden, and the passes that each takes; none where these are too few.
    fn affordable(&self, lacking: &[usize]) -> Option<(usize, usize)> {
        let there = self.training.samples();
        let with = |each: usize| {
            let wanted = (PASSES / each).min(*HIDDEN.end()).min(there);
            (wanted >= *HIDDEN.start().min(&there)).then_some((wanted, each))
        };
        let found = with(self.scorer.summed_passes(lacking)?)?;
        if self.gaps.is_empty() { Some(found) } else { with(self.beside_gaps(lacking)) }
    }

    /// Passes that a training sample takes of which these units are hidden beside its own gaps: the mean over some samples.
    /// What cannot be summed out takes none.
    fn beside_gaps(&self, lacking: &[usize]) -> usize {
        let of = |gaps: &Vec<usize>| self.scorer.summed_passes(&both(gaps, lacking)).unwrap_or(0);
        self.gaps.iter().map(of).sum::<usize>().div_ceil(self.gaps.len()).max(1)
    }

    /// Training samples, spread over all, that lack these units beside their own gaps.
    fn hide(&mut self, lacking: &[usize], work: &Work) -> Result<Option<Ranks>> {
        let Some(&(wanted, each)) = self.planned.get(lacking) else { return Ok(None) };
        let there = self.training.samples();
        let samples = self.training.select(&spread(there, wanted).collect::<Vec<_>>())?;
        let of_row = |row| -> Result<Option<Measured>> {
            let hidden = both(&self::lacking(&samples, row), lacking);
            let mut v = samples.batch(std::iter::once(row), self.binarize, 0)?.to_values();
            to_tensor(samples.layer(), &mut v);
            let found = self.scorer.observed(&v, &hidden)?.map(Measured::exact);
            work.did(each as u64);
            Ok(found)
        };
        let found = (0..wanted).into_par_iter().map(of_row).collect::<Result<Vec<_>>>()?;
        Ok(found.iter().any(Option::is_some).then(|| Ranks::of(&samples, &found)))
    }
}

/// The training samples in the order of their probability.
struct Ranks {
    minus_free_energies: Vec<f32>,
    /// What each weighs with all that are less probable.
    weights: Vec<f64>,
}

impl Ranks {
    fn of(samples: &Split, minus_free_energies: &[Option<Measured>]) -> Self {
        let weighed =
            |(sample, x): (usize, &Option<Measured>)| Some(((*x)?.value, samples.weight(sample).unwrap_or(1.0)));
        let mut all: Vec<(f32, f32)> = minus_free_energies.iter().enumerate().filter_map(weighed).collect();
        all.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
        let mut weight = 0.0;
        let mut until = |&(_, more): &(f32, f32)| {
            weight += f64::from(more);
            weight
        };
        let weights = all.iter().map(&mut until).collect();
        Self { minus_free_energies: all.into_iter().map(|(x, _)| x).collect(), weights }
    }

    /// Per cent of the samples, as often as each weighs, that are as probable or less; none where none has a weight.
    fn percentile(&self, x: f32) -> Option<f32> {
        let all = self.weights.last().filter(|&&all| all > 0.0)?;
        let places = self.minus_free_energies.partition_point(|other| *other <= x);
        let below = places.checked_sub(1).map_or(0.0, |last| self.weights[last]);
        Some((100.0 * below / all) as f32)
    }
}
