//! Data passed up through finished layers: the input of the layer that trains next, kept for all
//! samples or computed again for every minibatch, as [`plan`] says.

use crate::cache::{Cache, OfBatch, Values};
use crate::climb::Climb;
use crate::complete::Completing;
use crate::config::Propagate;
use crate::dbn::Dbn;
use crate::error::{Error, Result};
use crate::memory::{Mode, Plan, plan};
use deepbelief_kernels::{Batch, Minibatches, Missing, Share, Stream, Uniforms};
use deepbelief_rbm::{Rbm, VisibleStates};
use deepbelief_training::check_data;

/// How to deal the input of a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dealing {
    /// What each layer passes to the next.
    pub propagate: Propagate,
    /// Bytes that may be kept.
    pub cache_bytes: u64,
    /// Samples in a batch of kept input; none takes as many as the data's batches hold.
    pub batch_size: Option<usize>,
    /// Whether batches of kept input hold every class in its proportion.
    pub balanced: bool,
    /// What visible units of the bottom layer take where a value is missing.
    pub visible_states: VisibleStates,
    /// Seed of order and draws.
    pub seed: u64,
}

/// Serves data passed up through finished layers, as minibatches.
pub struct Propagated<'a> {
    plan: Plan,
    input: Input<'a>,
    /// Of the minibatch filled last.
    of: OfBatch,
    labelled: bool,
}

enum Input<'a> {
    Kept(Cache),
    Recomputed(Box<Ascent<'a>>),
}

/// The pass up, a minibatch at a time.
struct Ascent<'a> {
    data: &'a mut dyn Minibatches,
    layers: Climb,
    filler: Option<Filler>,
    dealing: Dealing,
    below: Batch,
    epoch: u32,
    failure: Option<Error>,
}

impl<'a> Propagated<'a> {
    /// Prepares the input of the layer above `rbms`, finished from the bottom. Kept input is
    /// computed here, in one pass over epoch 0 of the data.
    ///
    /// # Errors
    /// [`deepbelief_training::Error::Shape`] or [`deepbelief_training::Error::Units`] if the data do not fit the bottom
    /// layer; [`Error::NoLabels`] if batches should be balanced and there are no labels.
    pub fn new(data: &'a mut dyn Minibatches, rbms: &[Rbm], dealing: Dealing) -> Result<Self> {
        let (samples, units) = (data.samples(), rbms.last().map_or(data.units(), Rbm::hidden));
        if let Some(bottom) = rbms.first() {
            check_data(data, &bottom.layers().visible)?;
        }
        // Above no layer stand the data's own values, grey ones among them.
        let propagate = if rbms.is_empty() { Propagate::Probabilities } else { dealing.propagate };
        let plan = plan(samples, units, propagate, dealing.cache_bytes);
        let mut layers = Climb::new(rbms, propagate)?;
        let filler = rbms.first().map(|bottom| Filler::new(bottom, dealing)).transpose()?;
        let values = match plan.mode {
            Mode::Floats => Values::Floats(Vec::with_capacity(samples * units)),
            Mode::Bytes => Values::Bytes(Vec::with_capacity(samples * units)),
            Mode::Bits => Values::Bits(Vec::with_capacity(samples * units.div_ceil(32))),
            Mode::Recompute => return Self::recomputed(data, layers, filler, dealing, plan),
        };
        let mut cache = Cache {
            values,
            labels: Vec::new(),
            weights: Vec::new(),
            samples: 0,
            units,
            batch_size: dealing.batch_size.unwrap_or_default(),
            balanced: dealing.balanced,
            propagate,
            seed: dealing.seed,
            order: Vec::new(),
            epoch: 0,
        };
        let kept = if plan.mode == Mode::Bits { Propagate::Samples } else { Propagate::Probabilities };
        let (mut batch, mut top) = (Batch::default(), Batch::default());
        data.start_epoch(0);
        for index in 0..data.batches() {
            data.fill(index, &mut batch);
            if cache.batch_size == 0 {
                cache.batch_size = batch.rows();
            }
            let draw = Uniforms::new(dealing.seed, Stream::Binarize, index as u32);
            if let (Some(filler), Some(missing)) = (&filler, data.missing()) {
                filler.fill(missing, &mut batch)?;
            }
            layers.climb(&batch, kept, draw, &mut top)?;
            cache.values.extend(&top);
            cache.labels.extend_from_slice(data.labels().unwrap_or_default());
            cache.weights.extend_from_slice(data.weights().unwrap_or_default());
            cache.samples += batch.rows();
        }
        let labelled = has_labels(data, dealing)?;
        cache.start_epoch(0);
        Ok(Self { plan, input: Input::Kept(cache), of: OfBatch::default(), labelled })
    }

    fn recomputed(
        data: &'a mut dyn Minibatches,
        layers: Climb,
        filler: Option<Filler>,
        dealing: Dealing,
        plan: Plan,
    ) -> Result<Self> {
        let mut below = Batch::default();
        data.start_epoch(0);
        if data.batches() > 0 {
            // Whether there are labels shows with the first batch.
            data.fill(0, &mut below);
        }
        let labelled = has_labels(data, dealing)?;
        let ascent = Ascent { data, layers, filler, dealing, below, epoch: 0, failure: None };
        Ok(Self { plan, input: Input::Recomputed(Box::new(ascent)), of: OfBatch::default(), labelled })
    }

    /// How the input is held.
    #[must_use]
    pub fn plan(&self) -> Plan {
        self.plan
    }

    /// What went wrong in a pass up, if anything did. A minibatch is filled without a way to
    /// say so: it then holds NaN, which stops whoever trains on it and can ask here why.
    pub fn take_failure(&mut self) -> Option<Error> {
        match &mut self.input {
            Input::Kept(_) => None,
            Input::Recomputed(ascent) => ascent.failure.take(),
        }
    }
}

impl Minibatches for Propagated<'_> {
    fn samples(&self) -> usize {
        match &self.input {
            Input::Kept(cache) => cache.samples,
            Input::Recomputed(ascent) => ascent.data.samples(),
        }
    }

    fn units(&self) -> usize {
        match &self.input {
            Input::Kept(cache) => cache.units,
            Input::Recomputed(ascent) => ascent.units(),
        }
    }

    fn batches(&self) -> usize {
        match &self.input {
            Input::Kept(cache) => cache.samples.div_ceil(cache.batch_size.max(1)),
            Input::Recomputed(ascent) => ascent.data.batches(),
        }
    }

    fn start_epoch(&mut self, epoch: u32) {
        match &mut self.input {
            Input::Kept(cache) => cache.start_epoch(epoch),
            Input::Recomputed(ascent) => {
                ascent.epoch = epoch;
                ascent.data.start_epoch(epoch);
            }
        }
    }

    fn fill(&mut self, index: usize, batch: &mut Batch) {
        self.fill_share(index, Share::WHOLE, batch);
    }

    fn fill_share(&mut self, index: usize, share: Share, batch: &mut Batch) {
        match &mut self.input {
            Input::Kept(cache) => cache.fill(index, share, batch, &mut self.of),
            Input::Recomputed(ascent) => ascent.fill(index, share, batch, &mut self.of),
        }
    }

    fn labels(&self) -> Option<&[u32]> {
        self.labelled.then_some(&self.of.labels)
    }

    fn weights(&self) -> Option<&[f32]> {
        Some(self.of.weights.as_slice()).filter(|weights| !weights.is_empty())
    }
}

impl Ascent<'_> {
    fn units(&self) -> usize {
        self.layers.units(self.data.units())
    }

    fn fill(&mut self, index: usize, share: Share, batch: &mut Batch, of: &mut OfBatch) {
        self.data.fill_share(index, share, &mut self.below);
        of.fetch(self.data);
        let step = self.epoch.wrapping_mul(self.data.batches() as u32).wrapping_add(index as u32);
        let draw = Uniforms::new(self.dealing.seed, Stream::Binarize, step);
        let filled = match (&self.filler, self.data.missing()) {
            (Some(filler), Some(missing)) => filler.fill(missing, &mut self.below),
            _ => Ok(()),
        };
        let climbed = filled.and_then(|()| self.climb(share, draw, batch));
        if let Err(error) = climbed {
            batch.make_real(self.below.rows(), self.units()).fill(f32::NAN);
            self.failure.get_or_insert(error);
        }
    }
}

impl Ascent<'_> {
    /// Passes the samples of `share` up.
    fn climb(&mut self, share: Share, draw: Uniforms, batch: &mut Batch) -> Result<()> {
        let (propagate, rows, units) = (self.dealing.propagate, self.below.rows(), self.units());
        if share.is_whole() {
            return self.layers.climb(&self.below, propagate, draw, batch);
        }
        match propagate {
            Propagate::Probabilities => drop(batch.make_real(rows, units)),
            Propagate::Samples => drop(batch.make_binary(rows, units)),
        }
        let mut part = Batch::default();
        for rows in share.of(rows) {
            let (first, below) = (rows.start, self.below.slice(rows));
            self.layers.climb(&below, propagate, draw.from_row(first as u32), &mut part)?;
            batch.put_rows(first, &part);
        }
        Ok(())
    }
}

/// Fills what samples lack by the RBM at the bottom, before they are passed up.
struct Filler {
    bottom: Dbn,
    how: Completing,
}

impl Filler {
    fn new(bottom: &Rbm, dealing: Dealing) -> Result<Self> {
        let how = Completing { visible_states: dealing.visible_states, seed: dealing.seed, ..Completing::default() };
        Ok(Self { bottom: Dbn::from_rbms(vec![bottom.clone()])?, how })
    }

    /// Gives missing units the mean of what they are drawn to be.
    fn fill(&self, missing: &Missing, batch: &mut Batch) -> Result<()> {
        if missing.is_empty() {
            return Ok(());
        }
        let (rows, units) = (batch.rows(), batch.units());
        let values = self.bottom.complete(batch, &missing.cells, &self.how)?.mean;
        *batch = Batch::Real { rows, units, values };
        Ok(())
    }
}

/// A batch passed up through finished layers, in the form the next layer trains on.
///
/// # Errors
/// [`deepbelief_rbm::Error::Shape`] if the batch does not fit the bottom layer; [`Error::OthersBelowTop`].
pub fn raise(rbms: &[Rbm], batch: &Batch, propagate: Propagate, draw: Uniforms) -> Result<Batch> {
    let mut raised = Batch::default();
    Climb::new(rbms, propagate)?.climb(batch, propagate, draw, &mut raised)?;
    Ok(raised)
}

/// Whether the data, some of which have been read, come with labels.
fn has_labels(data: &dyn Minibatches, dealing: Dealing) -> Result<bool> {
    let labelled = data.labels().is_some();
    if dealing.balanced && !labelled {
        return Err(Error::NoLabels { what: "dealing classes in proportion".into() });
    }
    Ok(labelled)
}
