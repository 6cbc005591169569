//! What stands above the directed layers: an RBM, or nothing but biases.

use crate::config::{UnitChoices, Units};
use crate::draws::PhaseDraws;
use crate::error::Result;
use crate::sets::{copied, pass};
use candle_core::Device;
use deepbelief_kernels::{
    Batch, Bits, CpuDirection, Direction, Engine, Layers, Measures, PackedRbm, Parameters, Shown, Sparsity, StepRule,
    Uniforms, UnitKind, Weights,
};
use deepbelief_rbm::Rbm;

/// The top in training.
pub(crate) enum Top<E: Engine> {
    Undirected(Undirected<E>),
    Factorial(Factorial<E>),
}

/// An RBM over penultimate units and, where there are labels, the label.
pub(crate) struct Undirected<E: Engine> {
    pub(crate) rbm: E,
    /// Its hidden states over the data.
    h0: E::States,
}

/// Independent penultimate units: the biases of a direction whose one input is never on.
pub(crate) struct Factorial<E: Engine> {
    pub(crate) prior: E::Directed,
    /// The input of the prior.
    nothing: E::States,
    fantasy: E::States,
}

fn bits(units: usize) -> deepbelief_kernels::Units {
    deepbelief_kernels::Units::of(UnitKind::Bernoulli, units)
}

fn nothing(rows: usize) -> Batch {
    Batch::Binary(Bits::zeros(rows, 1))
}

impl Top<PackedRbm> {
    pub(crate) fn undirected(rbm: &Rbm) -> Result<Self> {
        Self::with_rbm(PackedRbm::new(rbm.visible(), rbm.hidden(), &rbm.to_parameters()?))
    }

    /// From an RBM of one hidden unit without weights, of which the visible biases count.
    pub(crate) fn factorial(rbm: &Rbm) -> Result<Self> {
        let b = rbm.to_parameters()?.vb;
        let (one, units) = (bits(1), bits(b.len()));
        let weights = Weights { w: vec![0.0; b.len()], b, ..Weights::default() };
        Self::with_prior(CpuDirection::new(&one, &units, &weights))
    }
}

impl<E: Engine> Top<E> {
    pub(crate) fn with_rbm(rbm: E) -> Result<Self> {
        let h0 = rbm.hidden_room()?;
        Ok(Self::Undirected(Undirected { rbm, h0 }))
    }

    pub(crate) fn with_prior(prior: E::Directed) -> Result<Self> {
        let (nothing, fantasy) = (prior.input_room()?, prior.output_room()?);
        Ok(Self::Factorial(Factorial { prior, nothing, fantasy }))
    }

    fn rbm_of(&self, parameters: Parameters) -> Result<Rbm> {
        Ok(Rbm::from_parameters(&Layers::bernoulli(self.visible(), self.hidden()), parameters, &Device::Cpu)?)
    }

    pub(crate) fn rbm(&self) -> Result<Rbm> {
        match self {
            Self::Undirected(top) => self.rbm_of(top.rbm.parameters()?),
            Self::Factorial(top) => self.rbm_of(biases(top.prior.weights()?)),
        }
    }

    /// The velocities in the shape of the RBM.
    pub(crate) fn velocities(&self) -> Result<Rbm> {
        match self {
            Self::Undirected(top) => self.rbm_of(top.rbm.velocities()?),
            Self::Factorial(top) => self.rbm_of(biases(top.prior.velocities()?)),
        }
    }

    pub(crate) fn set_velocities(&mut self, velocities: &Rbm) -> Result<()> {
        let velocities = velocities.to_parameters()?;
        match self {
            Self::Undirected(top) => top.rbm.set_velocities(&velocities)?,
            Self::Factorial(top) => {
                let Parameters { w_rec: w, vb: b, .. } = velocities;
                top.prior.set_velocities(&Weights { w, b, ..Weights::default() })?;
            }
        }
        Ok(())
    }

    /// The same at another place.
    pub(crate) fn copied<F: Engine>(&self, place: &F::Place) -> Result<Top<F>> {
        match self {
            Self::Undirected(top) => {
                let mut rbm = F::at(place, &top.rbm.layers(), &top.rbm.parameters()?)?;
                rbm.set_velocities(&top.rbm.velocities()?)?;
                Top::with_rbm(rbm)
            }
            Self::Factorial(top) => Top::with_prior(copied(place, &top.prior)?),
        }
    }

    /// Penultimate units.
    pub(crate) fn visible(&self) -> usize {
        match self {
            Self::Undirected(top) => top.rbm.visible(),
            Self::Factorial(top) => top.prior.outputs().columns(),
        }
    }

    pub(crate) fn hidden(&self) -> usize {
        match self {
            Self::Undirected(top) => top.rbm.hidden(),
            Self::Factorial(_) => 1,
        }
    }

    /// Persistent chains from their hidden states.
    pub(crate) fn chains(&mut self, h: &Bits) -> Result<Option<E::States>> {
        match self {
            Self::Undirected(top) => Ok(Some(top.rbm.unpack_hidden(&Batch::Binary(h.clone()))?)),
            Self::Factorial(_) => Ok(None),
        }
    }

    /// The hidden states of persistent chains.
    pub(crate) fn pack_chains(&self, chains: &E::States) -> Result<Option<Bits>> {
        match self {
            Self::Undirected(top) => Ok(match top.rbm.pack_hidden(chains)? {
                Batch::Binary(states) => Some(states),
                Batch::Real { .. } => None,
            }),
            Self::Factorial(_) => Ok(None),
        }
    }

    /// Room for penultimate units.
    pub(crate) fn penultimate_room(&self) -> Result<E::States> {
        Ok(match self {
            Self::Undirected(top) => top.rbm.visible_room()?,
            Self::Factorial(top) => top.prior.output_room()?,
        })
    }

    /// Top units given `samples` penultimate ones and labels, and `steps` Gibbs steps from there or from
    /// `chains`, which go on to where they then are. [`Self::keep_fantasy`] has the last penultimate units.
    pub(crate) fn dream(
        &mut self,
        penultimate: Shown<'_, E::States>,
        (samples, labels): (usize, &[u32]),
        steps: u32,
        units: UnitChoices,
        draws: &PhaseDraws,
        chains: Option<&mut E::States>,
    ) -> Result<()> {
        let Undirected { rbm, h0 } = match self {
            Self::Undirected(top) => top,
            Self::Factorial(Factorial { prior, nothing: room, fantasy }) => {
                let nothing = nothing(samples);
                let input = prior.load(&nothing, room)?;
                return pass(prior, units.penultimate, input, draws.visible, fantasy);
            }
        };
        rbm.infer_hidden(penultimate, labels, Some(draws.hidden.gibbs(0)))?;
        rbm.keep_hidden(h0)?;
        if let Some(chains) = &chains {
            rbm.set_hidden(chains)?;
        }
        for k in 0..steps as u16 {
            if k > 0 {
                rbm.sample_hidden(draws.hidden.gibbs(k))?;
            }
            match units.penultimate {
                Units::Sampled => rbm.sample_visible(draws.visible.gibbs(k))?,
                Units::Probabilities => rbm.mean_visible()?,
            }
            if units.label == Units::Sampled {
                rbm.sample_labels(draws.label.gibbs(k))?;
            }
        }
        if units.top_statistics == Units::Sampled || chains.is_some() {
            rbm.sample_hidden(draws.hidden.gibbs(steps as u16))?;
        }
        if let Some(chains) = chains {
            rbm.keep_hidden(chains)?;
        }
        Ok(())
    }

    /// Copies the penultimate units at the end of the last [`Self::dream`] to `room`.
    pub(crate) fn keep_fantasy(&mut self, room: &mut E::States) -> Result<()> {
        match self {
            Self::Undirected(top) => top.rbm.keep_visible(room)?,
            Self::Factorial(top) => std::mem::swap(&mut top.fantasy, room),
        }
        Ok(())
    }

    /// One step after a dream from these penultimate units, `samples` of them.
    pub(crate) fn learn(
        &mut self,
        penultimate: Shown<'_, E::States>,
        samples: usize,
        statistics: Units,
        rule: &StepRule,
    ) -> Result<()> {
        match self {
            Self::Undirected(top) => match statistics {
                Units::Sampled => top.rbm.update_from_states(penultimate, &top.h0, rule)?,
                Units::Probabilities => top.rbm.update(penultimate, rule, Sparsity { target: 0.0, cost: 0.0 })?,
            },
            Self::Factorial(Factorial { prior, nothing: room, fantasy }) => {
                let nothing = nothing(samples);
                let input = prior.load(&nothing, room)?;
                let target = match penultimate {
                    Shown::Batch(batch) => prior.load(batch, fantasy)?,
                    Shown::States(states) => states,
                };
                prior.learn(input, target, rule)?;
            }
        }
        Ok(())
    }

    /// The largest parameter that a step left since this was last asked.
    pub(crate) fn largest(&mut self) -> Result<f32> {
        Ok(match self {
            Self::Undirected(top) => top.rbm.largest()?,
            Self::Factorial(top) => top.prior.largest()?,
        })
    }
}

/// What is measured, and only on the CPU.
impl Top<PackedRbm> {
    pub(crate) fn classes(&self) -> usize {
        match self {
            Self::Undirected(top) => top.rbm.classes(),
            Self::Factorial(_) => 0,
        }
    }

    /// What learning moves most of, to measure updates by: the weights, or the biases where there
    /// are no weights.
    pub(crate) fn weights(&self) -> Vec<f32> {
        match self {
            Self::Undirected(top) => top.rbm.parameters().w_rec,
            Self::Factorial(top) => top.prior.weights().b,
        }
    }

    /// What it takes to tell penultimate states, nats per sample: the reconstruction cost that
    /// `measures` has of an RBM, or `-log p` under the prior.
    pub(crate) fn cost(&mut self, penultimate: &Batch, measures: &Measures) -> f64 {
        match self {
            Self::Undirected(_) => measures.reconstruction_cost,
            Self::Factorial(top) => top.prior.cross_entropy(&nothing(penultimate.rows()), penultimate),
        }
    }

    /// Measures the RBM on penultimate units.
    pub(crate) fn measure(&mut self, penultimate: &Batch, labels: &[u32], draw: Uniforms) -> Measures {
        match self {
            Self::Undirected(top) => top.rbm.measure(penultimate, labels, &[], draw),
            Self::Factorial(top) => {
                let parameters = biases(top.prior.weights());
                PackedRbm::new(parameters.vb.len(), 1, &parameters).measure(penultimate, labels, &[], draw)
            }
        }
    }
}

/// An RBM of one hidden unit that has nothing but visible biases.
fn biases(weights: Weights) -> Parameters {
    Parameters { w_rec: weights.w, hb: vec![0.0], vb: weights.b, ..Parameters::default() }
}
