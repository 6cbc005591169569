//! What stands above the directed layers: a packed RBM, or nothing but biases.

use crate::config::{UnitChoices, Units};
use crate::draws::PhaseDraws;
use crate::error::Result;
use crate::net::pass;
use candle_core::Device;
use deepbelief_kernels::{
    Batch, Bits, Directed, Measures, PackedRbm, Parameters, Sparsity, StepRule, Uniforms, Weights,
};
use deepbelief_rbm::Rbm;

/// The top in training.
#[expect(clippy::large_enum_variant, reason = "a tuner has one of them")]
pub(crate) enum Top {
    Undirected(Undirected),
    Factorial(Factorial),
}

/// An RBM over penultimate units and, where there are labels, the label.
pub(crate) struct Undirected {
    machine: PackedRbm,
    /// Its hidden states over the data.
    h0: Bits,
}

/// Independent penultimate units: the biases of a direction whose one input is never on.
pub(crate) struct Factorial {
    prior: Directed,
    fantasy: Batch,
}

fn nothing(rows: usize) -> Batch {
    Batch::Binary(Bits::zeros(rows, 1))
}

impl Top {
    pub(crate) fn undirected(rbm: &Rbm) -> Result<Self> {
        let machine = PackedRbm::new(rbm.visible(), rbm.hidden(), &rbm.to_parameters()?);
        Ok(Self::Undirected(Undirected { machine, h0: Bits::default() }))
    }

    /// From an RBM of one hidden unit without weights, of which the visible biases count.
    pub(crate) fn factorial(rbm: &Rbm) -> Result<Self> {
        let b = rbm.to_parameters()?.vb;
        let prior = Directed::new(1, b.len(), &Weights { w: vec![0.0; b.len()], b });
        Ok(Self::Factorial(Factorial { prior, fantasy: Batch::default() }))
    }

    fn rbm_of(visible: usize, hidden: usize, parameters: Parameters) -> Result<Rbm> {
        Ok(Rbm::from_parameters(visible, hidden, parameters, &Device::Cpu)?)
    }

    pub(crate) fn rbm(&self) -> Result<Rbm> {
        match self {
            Self::Undirected(top) => Self::rbm_of(self.visible(), self.hidden(), top.machine.parameters()),
            Self::Factorial(top) => Self::rbm_of(self.visible(), 1, biases(top.prior.weights())),
        }
    }

    /// The velocities in the shape of the RBM.
    pub(crate) fn velocities(&self) -> Result<Rbm> {
        match self {
            Self::Undirected(top) => Self::rbm_of(self.visible(), self.hidden(), top.machine.velocities()),
            Self::Factorial(top) => Self::rbm_of(self.visible(), 1, biases(top.prior.velocities())),
        }
    }

    pub(crate) fn set_velocities(&mut self, velocities: &Rbm) -> Result<()> {
        let velocities = velocities.to_parameters()?;
        match self {
            Self::Undirected(top) => top.machine.set_velocities(&velocities),
            Self::Factorial(top) => {
                top.prior.set_velocities(&Weights { w: velocities.w_rec, b: velocities.vb });
            }
        }
        Ok(())
    }

    /// The RBM of an undirected top.
    #[cfg(feature = "cuda")]
    pub(crate) fn machine(&self) -> Option<&PackedRbm> {
        match self {
            Self::Undirected(top) => Some(&top.machine),
            Self::Factorial(_) => None,
        }
    }

    /// Takes over what an undirected top learned elsewhere.
    #[cfg(feature = "cuda")]
    pub(crate) fn set_parameters(&mut self, parameters: &Parameters, velocities: &Parameters) {
        if let Self::Undirected(top) = self {
            top.machine = PackedRbm::new(top.machine.visible(), top.machine.hidden(), parameters);
            top.machine.set_velocities(velocities);
        }
    }

    /// Penultimate units.
    pub(crate) fn visible(&self) -> usize {
        match self {
            Self::Undirected(top) => top.machine.visible(),
            Self::Factorial(top) => top.prior.outputs(),
        }
    }

    pub(crate) fn hidden(&self) -> usize {
        match self {
            Self::Undirected(top) => top.machine.hidden(),
            Self::Factorial(_) => 1,
        }
    }

    pub(crate) fn classes(&self) -> usize {
        match self {
            Self::Undirected(top) => top.machine.classes(),
            Self::Factorial(_) => 0,
        }
    }

    /// What learning moves most of, to measure updates by: the weights, or the biases where there
    /// are no weights.
    pub(crate) fn weights(&self) -> Vec<f32> {
        match self {
            Self::Undirected(top) => top.machine.parameters().w_rec,
            Self::Factorial(top) => top.prior.weights().b,
        }
    }

    /// Top units given penultimate ones and labels, and `steps` Gibbs steps from there or from
    /// `chains`, which go on to where they then are. The last penultimate units are
    /// [`Self::fantasy`].
    pub(crate) fn dream(
        &mut self,
        penultimate: &Batch,
        labels: &[u32],
        steps: u32,
        units: UnitChoices,
        draws: &PhaseDraws,
        chains: Option<&mut Bits>,
    ) {
        let Undirected { machine, h0 } = match self {
            Self::Undirected(top) => top,
            Self::Factorial(top) => {
                let rows = penultimate.rows();
                return pass(&mut top.prior, units.penultimate, &nothing(rows), draws.visible, &mut top.fantasy);
            }
        };
        machine.infer_hidden(penultimate, labels, Some(draws.hidden.gibbs(0)));
        h0.clone_from(machine.hidden_states());
        if let Some(chains) = &chains {
            machine.set_hidden_states(chains);
        }
        for k in 0..steps as u16 {
            if k > 0 {
                machine.sample_hidden(draws.hidden.gibbs(k));
            }
            match units.penultimate {
                Units::Sampled => machine.sample_visible(draws.visible.gibbs(k)),
                Units::Probabilities => machine.mean_visible(),
            }
            if units.label == Units::Sampled {
                machine.sample_labels(draws.label.gibbs(k));
            }
        }
        if units.top_statistics == Units::Sampled || chains.is_some() {
            machine.sample_hidden(draws.hidden.gibbs(steps as u16));
        }
        if let Some(chains) = chains {
            chains.clone_from(machine.hidden_states());
        }
    }

    /// Penultimate units at the end of the last [`Self::dream`].
    pub(crate) fn fantasy(&self) -> &Batch {
        match self {
            Self::Undirected(top) => top.machine.reconstruction(),
            Self::Factorial(top) => &top.fantasy,
        }
    }

    /// One step after a dream from these penultimate units. Returns the largest parameter.
    pub(crate) fn learn(&mut self, penultimate: &Batch, statistics: Units, rule: &StepRule) -> f32 {
        match self {
            Self::Undirected(top) => match statistics {
                Units::Sampled => top.machine.update_from_states(penultimate, &top.h0, rule),
                Units::Probabilities => top.machine.update(penultimate, rule, Sparsity { target: 0.0, cost: 0.0 }),
            },
            Self::Factorial(top) => top.prior.learn(&nothing(penultimate.rows()), penultimate, rule),
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
            Self::Undirected(top) => top.machine.measure(penultimate, labels, draw),
            Self::Factorial(top) => {
                let parameters = biases(top.prior.weights());
                PackedRbm::new(top.prior.outputs(), 1, &parameters).measure(penultimate, labels, draw)
            }
        }
    }
}

/// An RBM of one hidden unit that has nothing but visible biases.
fn biases(weights: Weights) -> Parameters {
    Parameters { w_rec: weights.w, hb: vec![0.0], vb: weights.b, ..Parameters::default() }
}
