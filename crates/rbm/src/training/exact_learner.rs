//! The learning rule with exact sums: the same bits for any number of ranks.
//!
//! The minibatch, and the persistent chains, are cut into pieces of 64 rows. Each piece goes through the engine by
//! itself, as a minibatch of its own whose random numbers are those of its rows, so that what comes of it does not depend
//! on who has the other pieces. Its statistics are rounded to integers ([`ExactSums`]), which the ranks add up; every rank
//! then takes the same step.

use crate::error::Result;
use crate::model::rbm::Rbm;
use crate::sampling::gathered::{PIECE, gathered, piece, pieces_of};
use crate::sampling::negative::{Chains, Negative, gibbs};
use crate::sampling::state::SamplerState;
use crate::training::cd::Draws;
use crate::training::config::{MissingAs, TrainConfig};
use crate::training::engine_learner::{EngineLearner, OFFSET_SHARE, impute, share, sparsity_of, step_of};
use crate::training::imputed::ImputeDraws;
use crate::training::learner::{Learner, Measured};
use crate::training::measured_by_ranks::measures_by_ranks;
use crate::training::rule::Rule;
use deepbelief_kernels::{
    Batch, Engine, ExactSums, Offsets, Parameters, Ranges, Share, Shown, Sparsity, Summable, Uniforms,
};
use deepbelief_ranks::{Alone, Group};
use deepbelief_training::Labelled;
use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

/// No pull on the hidden units.
const NO_PULL: Sparsity = Sparsity { target: 0.5, cost: 0.0 };

/// An RBM on an engine, and this rank's part of what its methods keep.
pub(crate) struct ExactLearner<E: Engine> {
    /// All of the training; of persistent chains, as they were gathered last.
    whole: EngineLearner<E>,
    /// Persistent chains of this rank, a piece each; none before they were taken from the whole.
    own: Option<Vec<Chains<E>>>,
    sums: ExactSums,
    group: Arc<dyn Group>,
    /// Whether this rank wants to stop, and whether any did at the last update.
    vote: bool,
    voted: bool,
}

/// Rows of a minibatch, and chains, that go through the engine together.
struct Piece<'a> {
    v: Batch,
    y: &'a [u32],
    /// What the samples weigh; empty where all weigh the same.
    weights: &'a [f32],
    /// Units without a value that nothing is learned of.
    left_out: Option<Batch>,
    /// How many chains there are, and what each weighs beside a sample.
    chains: usize,
    ratio: f32,
    draws: Draws,
}

/// What samples weigh in the bounds of their sums: a little more than they do, as sums of floats are rounded.
fn bound(weights: &[f32], samples: usize) -> f32 {
    const ROUNDING: f32 = 1e-3;
    let rounding = ROUNDING * samples as f32;
    if weights.is_empty() { samples as f32 } else { weights.iter().sum::<f32>() + rounding }
}

impl<E: Engine<Statistics: Summable>> ExactLearner<E> {
    pub(crate) fn new(whole: EngineLearner<E>) -> Self {
        let sums = ExactSums::new(Ranges::of(&whole.rbm.layers()));
        Self { whole, own: None, sums, group: Arc::new(Alone), vote: false, voted: false }
    }

    /// This rank's chains, of all.
    fn take_own(&mut self, config: &TrainConfig) -> Result<()> {
        let EngineLearner { rbm, negative, .. } = &mut self.whole;
        if negative.is_none() {
            *negative = Some(Negative::start(rbm, config)?);
        }
        if self.own.is_none() {
            let states = match negative {
                Some(Negative::Persistent(chains) | Negative::Fast(_, chains)) => chains.states(rbm)?,
                _ => Batch::default(),
            };
            let rows = states.rows();
            let own = pieces_of(&*self.group, rows).map(|index| Chains::of(rbm, &states.slice(piece(index, rows))));
            self.own = Some(own.collect::<Result<_>>()?);
        }
        Ok(())
    }

    /// Adds the statistics of a piece to the sums; `own` is which of this rank's pieces it is.
    fn add(&mut self, of: &Piece<'_>, own: usize, rule: &Rule, config: &TrainConfig) -> Result<()> {
        let EngineLearner { rbm, negative, statistics, .. } = &mut self.whole;
        let (v0, draws) = (Shown::Batch(&of.v), of.draws);
        let from_data = matches!(negative, Some(Negative::Data));
        rbm.infer_hidden(v0, of.y, from_data.then(|| draws.hidden(0)))?;
        if !of.weights.is_empty() {
            rbm.weigh(of.weights, from_data)?;
        }
        let left_out = match &of.left_out {
            Some(Batch::Binary(cells)) => Some(cells),
            _ => None,
        };
        let chains = self.own.iter_mut().flatten().nth(own).filter(|_| of.chains > 0);
        match (negative, chains) {
            (Some(Negative::Data), _) if of.chains > 0 => gibbs(rbm, rule, draws, left_out)?,
            (Some(Negative::Fast(fast, _)), Some(chains)) => {
                chains.go_on(&mut **fast, rule, draws)?;
                rbm.take_chains(fast)?;
            }
            (_, Some(chains)) => chains.go_on(rbm, rule, draws)?,
            (_, None) => rbm.set_chains(&of.v.head(0), &[])?,
        }
        rbm.weigh_chains(of.ratio)?;
        rbm.statistics(v0, NO_PULL, statistics)?;
        let own = bound(of.weights, of.v.rows());
        // Chains of the data weigh what their samples do.
        let weight = own + if from_data { own } else { of.ratio * of.chains as f32 };
        self.sums.add(statistics, weight);
        if needs_means(config) {
            let Offsets { visible, hidden, labels } = rbm.sums_of_means(v0)?;
            for sums in [visible, hidden, labels] {
                self.sums.add_numbers(&sums, weight);
            }
        }
        Ok(())
    }

    /// The samples with values for what they lack, and the units without a value that nothing is learned of.
    fn completed<'a>(
        &mut self,
        data: &'a Labelled,
        rule: &Rule,
        draws: Draws,
        config: &TrainConfig,
    ) -> Result<(Cow<'a, Batch>, Option<Batch>)> {
        if data.missing.is_empty() {
            return Ok((Cow::Borrowed(&data.v), None));
        }
        let Self { whole: EngineLearner { rbm, imputed, .. }, group, .. } = self;
        let missing = &data.missing;
        if config.missing_as == MissingAs::Excluded {
            let mut v = data.v.clone();
            rbm.layers().visible.turn_off(&missing.cells, &mut v);
            return Ok((Cow::Owned(v), Some(Batch::Binary(missing.cells.clone()))));
        }
        let (mut v, rows) = (imputed.recalled(&data.v, missing), data.v.rows());
        // Each rank draws the values of its pieces, and all learn of all: another one may have the sample next time.
        let mut own = Vec::new();
        for index in pieces_of(&**group, rows) {
            let place = piece(index, rows);
            let draws = ImputeDraws::of(Draws { first: place.start as u32, ..draws });
            let drawn = impute(rbm, &v.slice(place.clone()), of_rows(&data.y, &place), rule, draws)?;
            for row in place.clone() {
                own.extend(missing.units(row).flat_map(|unit| drawn.value(row - place.start, unit).to_ne_bytes()));
            }
        }
        let all = group.gather(&own).map_err(deepbelief_training::Error::from)?;
        let mut left: Vec<_> = all.iter().map(|bytes| bytes.as_chunks().0.iter()).collect();
        for row in 0..rows {
            let values = &mut left[row / PIECE % group.size()];
            v.put(row, missing.units(row).zip(values.map(|value| f32::from_ne_bytes(*value))));
        }
        imputed.keep(&v, missing);
        Ok((Cow::Owned(v), None))
    }

    /// Adds all pieces of this rank up, and the sums of all ranks; whether all numbers were sane.
    fn add_up(&mut self, data: &Labelled, rule: &Rule, draws: Draws, config: &TrainConfig) -> Result<bool> {
        let (samples, chains) = (data.v.rows(), config.persistent_chains);
        let together = if data.weights.is_empty() { samples as f32 } else { data.weights.iter().sum() };
        let ratio = if chains == 0 { 1.0 } else { together / chains as f32 };
        let (v, left_out) = self.completed(data, rule, draws, config)?;
        self.sums.reset(samples, bound(&data.weights, samples));
        let pieces = samples.max(chains).div_ceil(PIECE);
        // A rank without any piece adds an empty one, for zeros in the shapes of the others.
        let first = self.group.rank();
        for (own, index) in (first..pieces.max(first + 1)).step_by(self.group.size()).enumerate() {
            let rows = piece(index, samples);
            let of = Piece {
                v: v.slice(rows.clone()),
                y: of_rows(&data.y, &rows),
                weights: of_rows(&data.weights, &rows),
                left_out: left_out.as_ref().map(|cells| cells.slice(rows.clone())),
                chains: if chains == 0 { rows.len() } else { piece(index, chains).len() },
                ratio,
                draws: Draws { first: (PIECE * index) as u32, ..draws },
            };
            self.add(&of, own, rule, config)?;
        }
        let broken = self.sums.broken();
        let values = self.sums.values_mut();
        let len = values.len();
        values.extend([broken, i32::from(self.vote)]);
        self.group.sum(values).map_err(deepbelief_training::Error::from)?;
        let sane = values[len] == 0;
        self.voted = values[len + 1] > 0;
        values.truncate(len);
        Ok(sane)
    }
}

/// What belongs to some rows, of what there is of all or of none.
fn of_rows<'a, T>(all: &'a [T], rows: &Range<usize>) -> &'a [T] {
    if all.is_empty() { all } else { &all[rows.clone()] }
}

/// Whether an update takes the means of units over the minibatch.
fn needs_means(config: &TrainConfig) -> bool {
    config.centred || config.sparsity_cost > 0.0
}

impl<E: Engine<Statistics: Summable>> Learner for ExactLearner<E> {
    fn learn(&mut self, data: &Labelled, rule: &Rule, draws: Draws, config: &TrainConfig) -> Result<Option<f32>> {
        self.take_own(config)?;
        if !self.add_up(data, rule, draws, config)? {
            return Ok(Some(f32::NAN));
        }
        let EngineLearner { rbm, negative, statistics, .. } = &mut self.whole;
        self.sums.read(statistics);
        if needs_means(config) {
            let zeros = |units: usize| vec![0.0; units];
            let (visible, hidden, labels) = (rbm.visible(), rbm.hidden(), rbm.classes());
            let mut sums = Offsets { visible: zeros(visible), hidden: zeros(hidden), labels: zeros(labels) };
            for sums in [&mut sums.visible, &mut sums.hidden, &mut sums.labels] {
                self.sums.read_numbers(sums);
            }
            let weight = if data.weights.is_empty() { data.v.rows() as f32 } else { data.weights.iter().sum() };
            let weight = weight.max(f32::MIN_POSITIVE);
            if config.centred {
                // A minibatch that weighs nothing says nothing of the means.
                let least = if weight > f32::MIN_POSITIVE { share(OFFSET_SHARE, draws.step) } else { 0.0 };
                rbm.follow_sums(&sums, weight, least)?;
            }
            let Sparsity { target, cost } = sparsity_of(rule);
            if cost > 0.0 {
                let pull: Vec<f32> = sums.hidden.iter().map(|sum| cost * (sum / weight - target)).collect();
                statistics.pull(&pull, &sums, weight);
            }
        }
        rbm.step(statistics, &step_of(rule))?;
        if let Some(negative) = negative {
            negative.stepped(rbm, statistics, rule)?;
            for chains in self.own.iter_mut().flatten() {
                match negative {
                    Negative::Fast(fast, _) => fast.rescale_hidden(&mut chains.h)?,
                    _ => rbm.rescale_hidden(&mut chains.h)?,
                }
            }
        }
        self.whole.follow(config, draws)?;
        self.largest()
    }

    fn join(&mut self, group: &Arc<dyn Group>) -> Result<()> {
        self.gather()?;
        (self.group, self.own) = (Arc::clone(group), None);
        Ok(())
    }

    fn share(&self) -> Share {
        Share { piece: PIECE, rank: self.group.rank(), ranks: self.group.size() }
    }

    fn agree(&mut self, stop: bool) -> bool {
        if self.group.size() == 1 {
            return stop;
        }
        let voted = std::mem::take(&mut self.voted);
        // Who has been heard need not say it again.
        self.vote = stop && !voted;
        voted
    }

    fn gather(&mut self) -> Result<()> {
        let EngineLearner { rbm, negative, .. } = &mut self.whole;
        let (Some(Negative::Persistent(chains) | Negative::Fast(_, chains)), Some(own)) = (negative, &self.own) else {
            return Ok(());
        };
        let before = chains.states(rbm)?;
        let own = own.iter().map(|chains| chains.states(rbm)).collect::<Result<Vec<_>>>()?;
        let all = gathered(&*self.group, PIECE, own.iter(), before.rows(), &before)?;
        chains.h = rbm.unpack_hidden(&all)?;
        Ok(())
    }

    fn chains_moved(&self) -> Result<Option<f64>> {
        let mut moves = [0_u64; 2];
        for chains in self.own.iter().flatten() {
            let Some((moved, states)) = chains.moves(&self.whole.rbm)? else { continue };
            moves[0] += moved as u64;
            moves[1] += states as u64;
        }
        let bytes: Vec<u8> = moves.iter().flat_map(|count| count.to_ne_bytes()).collect();
        let all = self.group.gather(&bytes).map_err(deepbelief_training::Error::from)?;
        let of = |at: usize| -> u64 {
            all.iter().filter_map(|bytes| bytes.as_chunks().0.get(at)).map(|count| u64::from_ne_bytes(*count)).sum()
        };
        let (moved, states) = (of(0), of(1));
        Ok((states > 0).then(|| moved as f64 / states as f64))
    }

    fn largest(&mut self) -> Result<Option<f32>> {
        self.whole.largest()
    }

    fn measure(&mut self, samples: &Batch, labels: &[u32], weights: &[f32], draw: Uniforms) -> Result<Measured> {
        let measures = measures_by_ranks(self.whole.measured(), &*self.group, samples, (labels, weights), draw)?;
        Ok(Measured::of(measures, &self.whole.rbm.layers().hidden))
    }

    fn rbm(&self) -> Result<Rbm> {
        self.whole.rbm()
    }

    fn remember(&mut self) -> Result<()> {
        self.whole.remember()
    }

    fn norm_and_change(&self) -> Result<(f64, f64)> {
        self.whole.norm_and_change()
    }

    fn parameters(&self) -> Result<Parameters> {
        self.whole.parameters()
    }

    fn velocities(&self) -> Result<Parameters> {
        self.whole.velocities()
    }

    fn chains(&self) -> Result<Option<Batch>> {
        self.whole.chains()
    }

    fn memory(&self) -> Result<SamplerState> {
        self.whole.memory()
    }
}
