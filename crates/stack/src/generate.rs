//! Fantasies: what the model itself generates (Hinton, Osindero & Teh 2006, section 7).
//!
//! Chains of Gibbs steps run in the top RBM, `pen, y -> h -> pen, y`, with the label free, or
//! clamped to see what the model thinks a class looks like. To look at a chain costs one pass
//! down the directed layers, which leaves the chain as it is.
//!
//! On the CPU in F32 the chains run on the engine for their units, where the label of other than Bernoulli ones is a visible
//! unit, else on tensors, which are also what the tests hold the engines against.

use crate::dbn::Dbn;
use crate::error::{Error, Result, require};
use crate::labels::{draw_labels, one_hot};
use candle_core::{DType, Tensor};
use deepbelief_kernels::{Batch, Bits, MAX_UNITS, PackedRbm, Stream, TypedRbm, Uniforms, ops};
use deepbelief_rbm::{Rbm, Sampled, Shared, UnitKind, batch_of, states_of};
use std::ops::Range;

/// Gibbs half-step counters of one step: apart from those of the pass down.
const HIDDEN: u16 = 1;
const PENULTIMATE: u16 = 2;
const LABEL: u16 = 3;

/// An engine.
#[derive(Clone)]
enum Machine {
    Packed(Box<PackedRbm>),
    /// With the label as the last visible unit.
    Typed(Box<TypedRbm>),
}

/// Gibbs chains in the top RBM of a model.
#[derive(Clone)]
pub struct Chains<'a> {
    dbn: &'a Dbn,
    /// The top RBM on an engine, where one serves it.
    machine: Option<Machine>,
    penultimate: Sampled,
    /// Label of each chain; empty without a label group.
    labels: Vec<u32>,
    clamped: bool,
    seed: u64,
    step: u32,
    ranks: Shared,
}

impl<'a> Chains<'a> {
    /// `count` chains, each started from penultimate units drawn by their biases in the top RBM.
    /// With `labels`, one a chain, these are clamped; else the label moves too, from one drawn
    /// fairly.
    ///
    /// # Errors
    /// [`Error::Config`] for no chains or another number of labels, [`Error::Label`] for one
    /// that is not a class, [`Error::NoLabelGroup`].
    pub fn new(dbn: &'a Dbn, count: usize, labels: Option<&[u32]>, seed: u64) -> Result<Self> {
        require(count > 0, "chains", count, "at least 1")?;
        let (top, classes) = (dbn.top(), dbn.classes());
        let draw = Uniforms::new(seed, Stream::Picture, 0);
        let x = Tensor::zeros((count, top.visible()), top.vb().dtype(), top.vb().device())?;
        let penultimate = if top.layers().visible.is_bernoulli() {
            let (probabilities, states) = ops::bernoulli(&x, top.vb(), draw.gibbs(PENULTIMATE))?;
            Sampled { probabilities, states }
        } else {
            let h = Tensor::zeros((count, top.hidden()), x.dtype(), x.device())?;
            top.sample_v(&h, draw.gibbs(PENULTIMATE))?
        };
        let drawn = match labels {
            Some(_) if classes == 0 => return Err(Error::NoLabelGroup { what: "a clamped label" }),
            Some(labels) => {
                require(labels.len() == count, "number of labels", labels.len(), format!("{count}, one a chain"))?;
                // Refuses what is not a class.
                one_hot(labels, classes, &x)?;
                labels.to_vec()
            }
            None if classes == 0 => Vec::new(),
            None => draw_labels(&Tensor::ones((count, classes), x.dtype(), x.device())?, draw.gibbs(LABEL))?,
        };
        let machine = machine(top)?;
        Ok(Self {
            dbn,
            machine,
            penultimate,
            labels: drawn,
            clamped: labels.is_some(),
            seed,
            step: 0,
            ranks: Shared::default(),
        })
    }

    /// Starts the chains at these penultimate states, [chains, units], instead: those of samples, as [`Dbn::encode`] has them.
    ///
    /// # Errors
    /// [`Error::Config`] for another number of chains or units.
    pub fn starting_at(mut self, states: &Tensor) -> Result<Self> {
        let (chains, units) = (self.penultimate.states.dim(0)?, self.dbn.top().visible());
        let shape = states.dims2()?;
        require(
            shape == (chains, units),
            "states to start from",
            format!("{shape:?}"),
            format!("{:?}", (chains, units)),
        )?;
        let states = states.to_dtype(self.dbn.top().vb().dtype())?.to_device(self.dbn.top().vb().device())?;
        self.penultimate = Sampled { probabilities: states.clone(), states };
        Ok(self)
    }

    /// Has each rank run a share of the chains from now on, where an engine serves the top RBM; else each runs all. All
    /// ranks have all chains after every [`Self::advance`], the same as one process.
    #[must_use]
    pub fn among(mut self, ranks: &Shared) -> Self {
        self.ranks = ranks.clone();
        match &mut self.machine {
            Some(Machine::Packed(machine)) => machine.set_whole(&ranks.whole()),
            Some(Machine::Typed(machine)) => machine.set_whole(&ranks.whole()),
            None => {}
        }
        self
    }

    /// Runs every chain for so many Gibbs steps.
    ///
    /// # Errors
    /// If candle refuses an operation.
    pub fn advance(&mut self, steps: u32) -> Result<()> {
        if steps == 0 {
            return Ok(());
        }
        let Some(mut machine) = self.machine.take() else { return self.advance_on_tensors(steps) };
        let advanced = match &mut machine {
            Machine::Packed(machine) => self.advance_packed(machine, steps),
            Machine::Typed(machine) => self.advance_typed(machine, steps),
        };
        self.machine = Some(machine);
        advanced
    }

    fn advance_on_tensors(&mut self, steps: u32) -> Result<()> {
        let (top, classes) = (self.dbn.top(), self.dbn.classes());
        for _ in 0..steps {
            self.step = self.step.wrapping_add(1);
            let draw = self.draw();
            let pen = &self.penultimate.states;
            let h = if classes == 0 {
                top.sample_h(pen, draw.gibbs(HIDDEN))?
            } else {
                top.sample_h_with_labels(pen, &one_hot(&self.labels, classes, pen)?, draw.gibbs(HIDDEN))?
            };
            self.penultimate = top.sample_v(&h.states, draw.gibbs(PENULTIMATE))?;
            if classes > 0 && !self.clamped {
                self.labels = draw_labels(&top.reverse_labels(&h.states)?, draw.gibbs(LABEL))?;
            }
        }
        Ok(())
    }

    fn advance_packed(&mut self, machine: &mut PackedRbm, steps: u32) -> Result<()> {
        let (top, classes) = (self.dbn.top(), self.dbn.classes());
        let (chains, device) = (self.penultimate.states.dim(0)?, top.vb().device());
        let own = self.ranks.own(chains);
        let states = self.penultimate.states.narrow(0, own.start, own.len())?.flatten_all()?.to_vec1()?;
        let mut pen = Batch::Binary(Bits::from_values(own.len(), top.visible(), &states));
        let mut labels = self.own_labels(&own);
        for _ in 0..steps {
            self.step = self.step.wrapping_add(1);
            let draw = self.draw().from_row(own.start as u32);
            // Not `sample_hidden`: its differences would leave rounding behind that depends on how often
            // the chains are looked at.
            machine.infer_hidden(&pen, &labels, Some(draw.gibbs(HIDDEN)));
            machine.sample_visible(draw.gibbs(PENULTIMATE));
            pen.clone_from(machine.reconstruction());
            if classes > 0 && !self.clamped && !own.is_empty() {
                let p = Tensor::from_slice(machine.label_probabilities(), (own.len(), classes), device)?;
                labels = draw_labels(&p, draw.gibbs(LABEL))?;
            }
        }
        self.labels = self.ranks.labels(&labels)?;
        let (h, pen) = self.all_states(&Batch::Binary(machine.hidden_states().clone()), &pen, chains)?;
        let h = Tensor::from_vec(h.to_values(), (chains, top.hidden()), device)?;
        let states = Tensor::from_vec(pen.to_values(), (chains, top.visible()), device)?;
        self.penultimate = Sampled { probabilities: top.reverse(&h)?, states };
        Ok(())
    }

    fn advance_typed(&mut self, machine: &mut TypedRbm, steps: u32) -> Result<()> {
        let (top, classes) = (self.dbn.top(), self.dbn.classes());
        let (visible, hidden) = (&top.layers().visible, &top.layers().hidden);
        let device = top.vb().device();
        let chains = self.penultimate.states.dim(0)?;
        let own = self.ranks.own(chains);
        let mut v = batch_of(visible, &self.penultimate.states.narrow(0, own.start, own.len())?)?;
        let labels = self.own_labels(&own);
        if classes > 0 {
            v = v.with_labels(&labels, classes);
        }
        for _ in 0..steps {
            self.step = self.step.wrapping_add(1);
            let draw = self.draw().from_row(own.start as u32);
            machine.infer_hidden(&v, Some(draw.gibbs(HIDDEN)));
            machine.sample_visible(draw.gibbs(PENULTIMATE));
            v.clone_from(machine.reconstruction());
            if self.clamped {
                v.set_labels(&labels, classes);
            }
        }
        let (h, mut v) = self.all_states(machine.hidden_states(), &v, chains)?;
        if classes > 0 {
            (v, self.labels) = v.without_labels(classes);
        }
        let probabilities = top.reverse(&states_of(hidden, &h, device)?)?;
        self.penultimate = Sampled { probabilities, states: states_of(visible, &v, device)? };
        Ok(())
    }

    fn own_labels(&self, own: &Range<usize>) -> Vec<u32> {
        if self.labels.is_empty() { Vec::new() } else { self.labels[own.clone()].to_vec() }
    }

    /// Hidden and visible states of all chains.
    fn all_states(&self, h: &Batch, v: &Batch, chains: usize) -> Result<(Batch, Batch)> {
        Ok((self.ranks.states(h, chains)?, self.ranks.states(v, chains)?))
    }

    fn draw(&self) -> Uniforms {
        Uniforms::new(self.seed, Stream::Picture, self.step)
    }

    /// Gibbs steps made.
    #[must_use]
    pub fn steps(&self) -> u32 {
        self.step
    }

    /// Label of each chain as it is now; empty without a label group.
    #[must_use]
    pub fn labels(&self) -> &[u32] {
        &self.labels
    }

    /// Penultimate units of each chain as they are now, [chains, units].
    #[must_use]
    pub fn penultimate(&self) -> &Sampled {
        &self.penultimate
    }

    /// Visible probabilities [chains, V] after one pass down from the penultimate states, hidden
    /// layers sampled. The same chain at the same step always shows the same.
    ///
    /// # Errors
    /// If candle refuses an operation.
    pub fn show(&self) -> Result<Tensor> {
        self.dbn.decode_sampled(&self.penultimate, self.draw())
    }

    /// The same with visible states drawn from these.
    ///
    /// # Errors
    /// If candle refuses an operation.
    pub fn show_states(&self) -> Result<Tensor> {
        self.dbn.decode_states(&self.penultimate, self.draw())
    }
}

/// The top RBM on the engine for its units, if there is one.
fn machine(top: &Rbm) -> Result<Option<Machine>> {
    let (visible, hidden, vb) = (top.visible(), top.hidden(), top.vb());
    let fits = vb.device().is_cpu() && vb.dtype() == DType::F32 && (visible + top.classes()).max(hidden) <= MAX_UNITS;
    if !fits {
        return Ok(None);
    }
    if top.layers().are_bernoulli() {
        return Ok(Some(Machine::Packed(Box::new(PackedRbm::new(visible, hidden, &top.to_parameters()?)))));
    }
    let joined = top.joined()?;
    let layers = joined.layers();
    // Gaussian units over Bernoulli ones alone draw what they always have.
    let gaussian = layers.hidden.all(|kind| kind == UnitKind::Gaussian);
    if layers.visible.is_bernoulli() && gaussian {
        return Ok(None);
    }
    let known = layers.visible.all(|kind| kind.is_discrete() || kind == UnitKind::Gaussian)
        && layers.hidden.all(|kind| kind != UnitKind::Categorical);
    Ok(if known { Some(Machine::Typed(Box::new(TypedRbm::new(layers, &joined.to_parameters()?)))) } else { None })
}

/// What to generate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Generation {
    /// Chains side by side.
    pub chains: usize,
    /// Labels to clamp, one a chain; none lets them run free.
    pub labels: Option<Vec<u32>>,
    /// Gibbs steps before each sample that is shown.
    pub steps: u32,
    /// Samples shown of each chain.
    pub shown: usize,
    /// Seed of the chains.
    pub seed: u64,
}

/// 1000 steps lie between two shown samples in the same paper.
impl Default for Generation {
    fn default() -> Self {
        Self { chains: 10, labels: None, steps: 1000, shown: 1, seed: 1 }
    }
}

/// One shown sample of every chain.
#[derive(Clone, Debug)]
pub struct Fantasies {
    /// Visible probabilities [chains, V].
    pub visible: Tensor,
    /// Label of each chain; empty without a label group.
    pub labels: Vec<u32>,
}

impl Dbn {
    /// Runs chains and shows them `shown` times.
    ///
    /// # Errors
    /// Those of [`Chains::new`].
    pub fn generate(&self, what: &Generation) -> Result<Vec<Fantasies>> {
        let mut chains = Chains::new(self, what.chains, what.labels.as_deref(), what.seed)?;
        let mut shown = Vec::with_capacity(what.shown);
        for _ in 0..what.shown {
            chains.advance(what.steps)?;
            shown.push(Fantasies { visible: chains.show()?, labels: chains.labels().to_vec() });
        }
        Ok(shown)
    }
}
