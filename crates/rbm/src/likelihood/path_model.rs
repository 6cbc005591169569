//! Models along the path of a training, and chains of them.

use super::biases::AnnealPath;
use super::runs::in_bits;
use crate::error::Result;
use crate::model::rbm::Rbm;
use crate::model::states::states_of;
use candle_core::{DType, Device};
use deepbelief_kernels::{
    Batch, Betas, BiasLine, GibbsDraws, Layers, Parameters, PathBiases, Tempered, Tempering, TypedTempered,
};

/// An RBM that chains are at.
pub(super) struct PathModel {
    /// In double precision, where there are other than Bernoulli units.
    rbm: Option<Rbm>,
    chains: Box<dyn Tempering>,
}

impl PathModel {
    pub(super) fn of(layers: &Layers, parameters: &Parameters) -> Result<Self> {
        let (visible, hidden) = (layers.visible.columns(), layers.hidden.columns());
        // The same for all models, so that differences of p* are those of the models.
        let base = vec![0.0; visible];
        if layers.are_bernoulli() {
            return Ok(Self { rbm: None, chains: Box::new(Tempered::new(visible, hidden, parameters, &base)) });
        }
        let rbm = Rbm::from_parameters(layers, parameters.clone(), &Device::Cpu)?.to_dtype(DType::F64)?;
        Ok(Self { rbm: Some(rbm), chains: Box::new(TypedTempered::new(layers, parameters, &base)) })
    }

    /// ln p* of states, but for a constant that all models of the same units share.
    pub(super) fn log_p(&mut self, v: &Batch, labels: &[u32]) -> Result<Vec<f64>> {
        let Some(rbm) = &self.rbm else {
            self.chains.start_from(v, labels)?;
            self.chains.anneal(Betas::All(0.0), Betas::All(1.0), None)?;
            return Ok(self.chains.take_log_weights()?);
        };
        let v = states_of(&rbm.layers().visible, v, &Device::Cpu)?.to_dtype(DType::F64)?;
        Ok(rbm.free_energy(&v)?.neg()?.to_vec1()?)
    }

    /// Takes chains from these states a Gibbs step for each of some draws: their states and labels.
    pub(super) fn walk(&mut self, v: &Batch, labels: &[u32], draws: &[GibbsDraws]) -> Result<(Batch, Vec<u32>)> {
        self.chains.start_from(v, labels)?;
        for draws in draws {
            self.chains.gibbs(Betas::All(1.0), draws)?;
        }
        Ok((self.chains.states()?, self.chains.labels()?))
    }
}

/// Chains on the way from independent units with these visible and hidden biases, of spins as bits, to a model; and ln Z
/// where they start.
pub(super) fn from_independent(
    layers: &Layers,
    parameters: &Parameters,
    visible: &[f32],
    hidden: &[f32],
) -> Result<(Box<dyn Tempering>, f64)> {
    if layers.are_bernoulli() {
        let way = PathBiases {
            visible: BiasLine::between(visible, &parameters.vb),
            hidden: BiasLine::between(hidden, &parameters.hb),
            precision: None,
        };
        let mut chains = Tempered::new(visible.len(), hidden.len(), parameters, visible);
        chains.set_biases(&way);
        return Ok((Box::new(chains), way.base_log_partition(parameters.label_b.len())));
    }
    let rbm = Rbm::from_parameters(layers, parameters.clone(), &Device::Cpu)?;
    let (bits, constant) = in_bits(&rbm)?;
    let path = AnnealPath::straight(&bits, visible.to_vec(), hidden.to_vec())?;
    let mut chains = TypedTempered::new(bits.layers(), &bits.to_parameters()?, visible);
    Tempering::set_biases(&mut chains, &path.stretch(0))?;
    Ok((Box::new(chains), path.base_log_partition(&bits)? + constant))
}
