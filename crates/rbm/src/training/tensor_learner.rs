//! The learning rule on tensors, for Gaussian hidden units over Bernoulli ones, and on a GPU for all units that no engine has there: [`crate::Rbm::cd_update`] and
//! [`crate::Rbm::pcd_update`]. Products and states come from the kernels, so that the bits do not
//! depend on threads or processors here either.

use crate::error::{Result, require};
use crate::model::rbm::Rbm;
use crate::model::states::{batch_of, states_of};
use crate::sampling::state::SamplerState;
use crate::training::cd::Draws;
use crate::training::config::TrainConfig;
use crate::training::imputed::Imputed;
use crate::training::learner::{HiddenStatistics, Learner, Measured};
use crate::training::rule::{Rule, VisibleStates};
use crate::training::unit_gaussians::{self, over_bernoulli};
use crate::training::velocity::Velocity;
use crate::units::gaussian::normals;
use candle_core::{DType, Device, Tensor};
use deepbelief_kernels::{Batch, Bits, Parameters, Stream, Uniforms, norm_and_change, ops};
use deepbelief_training::Labelled;

/// An RBM of F32 tensors.
pub(crate) struct TensorLearner {
    rbm: Rbm,
    velocity: Velocity,
    /// [chains, H].
    chains: Option<Tensor>,
    imputed: Imputed,
    /// The weights that a change of them is measured from.
    before: Vec<f32>,
}

impl TensorLearner {
    pub(crate) fn new(rbm: Rbm, velocity: Velocity, chains: Option<&Batch>, imputed: Imputed) -> Result<Self> {
        let chains = chains.map(|states| states_of(&rbm.layers().hidden, states, rbm.w_rec().device())).transpose()?;
        Ok(Self { rbm, velocity, chains, imputed, before: Vec::new() })
    }
}

impl Learner for TensorLearner {
    fn learn(&mut self, data: &Labelled, rule: &Rule, draws: Draws, config: &TrainConfig) -> Result<Option<f32>> {
        let chains = config.persistent_chains;
        let device = self.rbm.w_rec().device();
        let visible = &self.rbm.layers().visible.clone();
        let expected =
            "left out on a GPU, and of gaussian hidden units over bernoulli ones without centring or averaging";
        require(data.weights.is_empty(), "weights", "given", expected)?;
        let v = if data.missing.is_empty() {
            states_of(visible, &data.v, device)?
        } else {
            let rbm = &self.rbm;
            let completed = self.imputed.draw(&data.v, &data.missing, draws, |v, draws| {
                let h = rbm.sample_h(&states_of(visible, v, device)?, draws.hidden)?;
                let drawn = rbm.sample_v(&h.states, draws.visible)?;
                let values = match (v, rule.visible_states) {
                    (Batch::Real { .. }, VisibleStates::Probabilities) => drawn.probabilities,
                    _ => drawn.states,
                };
                let (rows, units) = (v.rows(), v.units());
                Ok(match batch_of(visible, &values)? {
                    // As probabilities, where that is what values are.
                    Batch::Binary(_) => Batch::Real { rows, units, values: values.flatten_all()?.to_vec1()? },
                    values @ Batch::Real { .. } => values,
                })
            })?;
            states_of(visible, &completed, device)?
        };
        if chains == 0 {
            self.rbm.cd_update(&v, None, rule, &mut self.velocity, draws)?;
        } else {
            let mut states = if let Some(states) = self.chains.take() {
                states
            } else {
                fresh_hidden(&self.rbm, chains, Uniforms::new(draws.seed, Stream::Chains, 0))?
            };
            self.rbm.pcd_update(&v, None, rule, &mut self.velocity, &mut states, draws)?;
            self.chains = Some(states);
        }
        let Parameters { w_rec, hb, vb, .. } = self.rbm.to_parameters()?;
        // As bits, NaN is larger than any number.
        let largest = w_rec.iter().chain(&hb).chain(&vb).map(|x| x.abs().to_bits()).max();
        Ok(largest.map(f32::from_bits))
    }

    fn measure(&mut self, samples: &Batch, _: &[u32], _: &[f32], draw: Uniforms) -> Result<Measured> {
        let (rbm, n, hidden) = (&self.rbm, samples.rows(), self.rbm.hidden());
        if n == 0 {
            let hidden = HiddenStatistics::Spread(vec![0.0; hidden]);
            return Ok(Measured { free_energy: 0.0, reconstruction_cost: 0.0, hidden, label_error: None });
        }
        let v = states_of(&rbm.layers().visible, samples, rbm.w_rec().device())?;
        let h = rbm.sample_h(&v, draw)?;
        let double = |tensor: &Tensor| tensor.to_dtype(DType::F64);
        let means = double(&h.probabilities)?.flatten_all()?.to_vec1()?;
        let (free_energy, reconstruction_cost) = if unit_gaussians::has_them(rbm)? {
            unit_gaussians::measure(rbm, &v, &means, &h.states)?
        } else {
            let up = double(&ops::product(&v, rbm.w_rec())?)?;
            let down = double(&ops::product(&h.states, rbm.w_gen())?)?;
            let (v, exact) = (double(&v)?, rbm.to_dtype(DType::F64)?);
            let mean = |costs: Tensor| -> Result<f64> { Ok(costs.mean_all()?.to_scalar()?) };
            let free_energy = (exact.below().energy(&v)? - exact.above().cgf(&up)?)?;
            (mean(free_energy)?, mean(exact.below().cost(&down, &v)?)?)
        };
        let hidden = HiddenStatistics::Spread(spread(&means, hidden));
        Ok(Measured { free_energy, reconstruction_cost, hidden, label_error: None })
    }

    fn rbm(&self) -> Result<Rbm> {
        self.rbm.to_device(&Device::Cpu)
    }

    fn remember(&mut self) -> Result<()> {
        self.before = self.parameters()?.w_rec;
        Ok(())
    }

    fn norm_and_change(&self) -> Result<(f64, f64)> {
        Ok(norm_and_change(&self.parameters()?.w_rec, &self.before))
    }

    fn parameters(&self) -> Result<Parameters> {
        self.rbm.to_parameters()
    }

    fn velocities(&self) -> Result<Parameters> {
        self.velocity.to_parameters(self.rbm.layers())
    }

    fn memory(&self) -> Result<SamplerState> {
        Ok(SamplerState { imputed: self.imputed.clone(), ..SamplerState::default() })
    }

    fn chains(&self) -> Result<Option<Batch>> {
        let Some(states) = &self.chains else { return Ok(None) };
        Ok(Some(batch_of(&self.rbm.layers().hidden, states)?))
    }
}

/// Hidden states for chains that know nothing yet.
fn fresh_hidden(rbm: &Rbm, chains: usize, draw: Uniforms) -> Result<Tensor> {
    let (hidden, device) = (&rbm.layers().hidden, rbm.w_rec().device());
    if hidden.is_discrete() {
        let coins = Bits::coins(chains, hidden.columns(), draw);
        return Ok(states_of(hidden, &Batch::Binary(coins), device)?);
    }
    let input = Tensor::zeros((chains, hidden.columns()), DType::F32, device)?;
    if over_bernoulli(rbm.layers()) {
        return Ok(normals(&input, draw)?);
    }
    Ok(rbm.above().sample(&input, draw)?.states)
}

/// Standard deviation of each column of row-major values [samples, units].
fn spread(values: &[f64], units: usize) -> Vec<f64> {
    let n = (values.len() / units.max(1)) as f64;
    let mean_of = |term: &dyn Fn(usize, f64) -> f64| {
        let mut sums = vec![0.0; units];
        for row in values.chunks_exact(units.max(1)) {
            sums.iter_mut().zip(row).enumerate().for_each(|(unit, (sum, &x))| *sum += term(unit, x) / n);
        }
        sums
    };
    let means = mean_of(&|_, x| x);
    mean_of(&|unit, x| (x - means[unit]).powi(2)).into_iter().map(f64::sqrt).collect()
}
