//! The learning rule with exact sums: the same bits for any number of ranks.
//!
//! The minibatch, and the persistent chains, are cut into pieces of 64 rows. Each piece goes through the engine by
//! itself, as a minibatch of its own whose random numbers are those of its rows, so that what comes of it does not depend
//! on who has the other pieces. Its statistics are rounded to integers ([`ExactSums`]), which the ranks add up; every rank
//! then takes the same step.

use crate::error::{Error, Result};
use crate::model::rbm::Rbm;
use crate::sampling::gathered::{PIECE, gathered, piece, pieces_of};
use crate::sampling::negative::{Chains, Negative, gibbs};
use crate::sampling::state::SamplerState;
use crate::training::cd::Draws;
use crate::training::config::{TrainConfig, WITH_EXACT_SUMS};
use crate::training::engine_learner::{EngineLearner, OFFSET_SHARE, share, step_of};
use crate::training::learner::{Learner, Measured};
use crate::training::rule::Rule;
use deepbelief_kernels::{Batch, Engine, ExactSums, Offsets, Parameters, Ranges, Shown, Sparsity, Summable, Uniforms};
use deepbelief_ranks::{Alone, Group};
use deepbelief_training::Labelled;
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
    /// How many chains there are, and what each weighs beside a sample.
    chains: usize,
    ratio: f32,
    draws: Draws,
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
        let chains = self.own.iter_mut().flatten().nth(own).filter(|_| of.chains > 0);
        match (negative, chains) {
            (Some(Negative::Data), _) if of.chains > 0 => gibbs(rbm, rule, draws, None)?,
            (Some(Negative::Fast(fast, _)), Some(chains)) => {
                chains.go_on(&mut **fast, rule, draws)?;
                rbm.take_chains(fast)?;
            }
            (_, Some(chains)) => chains.go_on(rbm, rule, draws)?,
            (_, None) => rbm.set_chains(&of.v.head(0), &[])?,
        }
        rbm.weigh_chains(of.ratio)?;
        rbm.statistics(v0, NO_PULL, statistics)?;
        let weight = of.v.rows() as f32 + of.ratio * of.chains as f32;
        self.sums.add(statistics, weight);
        if config.centred {
            let Offsets { visible, hidden, labels } = rbm.sums_of_means(v0)?;
            for sums in [visible, hidden, labels] {
                self.sums.add_numbers(&sums, weight);
            }
        }
        Ok(())
    }

    /// Adds all pieces of this rank up, and the sums of all ranks; whether all numbers were sane.
    fn add_up(&mut self, data: &Labelled, rule: &Rule, draws: Draws, config: &TrainConfig) -> Result<bool> {
        let (samples, chains) = (data.v.rows(), config.persistent_chains);
        let ratio = if chains == 0 { 1.0 } else { samples as f32 / chains as f32 };
        self.sums.reset(samples);
        let pieces = samples.max(chains).div_ceil(PIECE);
        // A rank without any piece adds an empty one, for zeros in the shapes of the others.
        let first = self.group.rank();
        for (own, index) in (first..pieces.max(first + 1)).step_by(self.group.size()).enumerate() {
            let rows = piece(index, samples);
            let of = Piece {
                v: data.v.slice(rows.clone()),
                y: if data.y.is_empty() { &[] } else { &data.y[rows.clone()] },
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

impl<E: Engine<Statistics: Summable>> Learner for ExactLearner<E> {
    fn learn(&mut self, data: &Labelled, rule: &Rule, draws: Draws, config: &TrainConfig) -> Result<Option<f32>> {
        for (name, there) in
            [("weights of samples", !data.weights.is_empty()), ("missing values", !data.missing.is_empty())]
        {
            if there {
                return Err(Error::Method { name, place: WITH_EXACT_SUMS });
            }
        }
        self.take_own(config)?;
        if !self.add_up(data, rule, draws, config)? {
            return Ok(Some(f32::NAN));
        }
        let EngineLearner { rbm, negative, statistics, .. } = &mut self.whole;
        self.sums.read(statistics);
        if config.centred {
            let zeros = |units: usize| vec![0.0; units];
            let (visible, hidden, labels) = (rbm.visible(), rbm.hidden(), rbm.classes());
            let mut sums = Offsets { visible: zeros(visible), hidden: zeros(hidden), labels: zeros(labels) };
            for sums in [&mut sums.visible, &mut sums.hidden, &mut sums.labels] {
                self.sums.read_numbers(sums);
            }
            rbm.follow_sums(&sums, data.v.rows().max(1) as f32, share(OFFSET_SHARE, draws.step))?;
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
        self.whole.measure(samples, labels, weights, draw)
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
