//! Trajectory parallel tempering (Béreux, Decelle, Furtlehner, Rosset & Seoane, "Fast training and sampling
//! of restricted Boltzmann machines", 2024): the models that a training has come by are its ladder.
//!
//! Temperatures lead away from modes, but may lead over a first-order transition, where no number of them
//! lets states pass. A training has grown its modes one after the other: chains of earlier models mix, and
//! neighbours i and j along the way differ little. After every Gibbs step they swap states with probability
//!
//! ```text
//! min(1, p*_i(v_j) p*_j(v_i) / (p*_i(v_i) p*_j(v_j)))
//! ```
//!
//! which leaves all their distributions alone. The first model is that of the start; the present one is
//! frozen and joins the ladder whenever its next step would take it too far from the last that was. Where
//! the ladder is full, the model that its neighbours miss least makes room.

use crate::error::Result;
use crate::training::cd::Draws;
use crate::training::config::TrainConfig;
use deepbelief_kernels::{Batch, Betas, Engine, GibbsDraws, Parameters, Stream, Tempering, Uniforms};

/// Probability of a swap with the last frozen model below which the present one may not fall.
const FREEZE: f64 = 0.25;

/// Share of the last update in a rate of swaps that is remembered.
const RECENT: f32 = 0.05;

/// Chains of every model of a ladder.
pub(crate) struct TrajectoryTempering<E: Engine> {
    /// The frozen ones, then the present one.
    models: Vec<E::Tempered>,
    /// Room for the next present one.
    spare: Option<E::Tempered>,
    /// How often each model swaps with the next, a running mean.
    rates: Vec<f32>,
    /// Models at most.
    most: usize,
}

/// What a resume needs of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct TrajectoryState {
    pub(crate) models: Vec<Parameters>,
    pub(crate) rates: Vec<f32>,
    /// Of every model: visible states, and labels where there is a group of them.
    pub(crate) chains: Vec<(Batch, Vec<u32>)>,
}

impl<E: Engine> TrajectoryTempering<E> {
    pub(crate) fn start(rbm: &E, config: &TrainConfig) -> Result<Self> {
        let draw = |stream| Uniforms::new(config.seed, stream, 0);
        let draws = GibbsDraws {
            hidden: draw(Stream::Chains),
            visible: draw(Stream::Chains).layer(1),
            label: draw(Stream::Chains).layer(2),
        };
        let parameters = rbm.parameters()?;
        let mut start = model(rbm, &parameters)?;
        start.start(config.persistent_chains, &draws)?;
        let state =
            TrajectoryState { models: vec![parameters; 2], rates: vec![1.0], chains: vec![chains_of(&start)?; 2] };
        Self::resume(rbm, &state, config)
    }

    /// Goes on from a state that fits the RBM.
    pub(crate) fn resume(rbm: &E, state: &TrajectoryState, config: &TrainConfig) -> Result<Self> {
        let mut models = Vec::with_capacity(state.models.len());
        for (parameters, (v, labels)) in state.models.iter().zip(&state.chains) {
            let mut model = model(rbm, parameters)?;
            model.start_from(v, labels)?;
            models.push(model);
        }
        Ok(Self { models, spare: None, rates: state.rates.clone(), most: config.temperatures })
    }

    pub(crate) fn state(&self) -> Result<TrajectoryState> {
        Ok(TrajectoryState {
            models: self.models.iter().map(|model| Ok(model.parameters()?)).collect::<Result<_>>()?,
            rates: self.rates.clone(),
            chains: self.models.iter().map(chains_of).collect::<Result<_>>()?,
        })
    }

    /// The rate of the neighbours that swap least.
    pub(crate) fn slowest(&self) -> f64 {
        self.rates.iter().copied().fold(1.0, f32::min).into()
    }

    /// So many Gibbs steps and rounds of swaps, the present model having the parameters of `rbm`, which
    /// gets its chains.
    pub(crate) fn advance(&mut self, rbm: &mut E, steps: u32, draws: Draws) -> Result<()> {
        // What products are left over from the last update would not be there after a resume.
        for model in &mut self.models {
            let (v, labels) = chains_of(model)?;
            model.start_from(&v, &labels)?;
        }
        self.follow(rbm)?;
        let last = self.models.len() - 1;
        for k in 0..steps {
            for (at, model) in self.models.iter_mut().enumerate() {
                let draw = |stream| Uniforms::new(draws.seed, stream, draws.step).gibbs(k as u16).layer(at as u8);
                let gibbs = GibbsDraws {
                    hidden: draw(Stream::Hidden),
                    visible: draw(Stream::Visible),
                    label: draw(Stream::Label),
                };
                model.gibbs(Betas::All(1.0), &gibbs)?;
            }
            let draw = Uniforms::new(draws.seed, Stream::Swap, draws.step).gibbs(k as u16);
            for at in ((draws.step ^ k) as usize & 1..last).step_by(2) {
                self.swap(at, draw.layer(at as u8))?;
            }
        }
        let (v, labels) = chains_of(&self.models[last])?;
        Ok(rbm.set_chains(&v, &labels)?)
    }

    /// Takes over the parameters of the RBM. Where that would take the present model too far from the
    /// last frozen one, it is frozen as it was before.
    fn follow(&mut self, rbm: &E) -> Result<()> {
        let last = self.models.len() - 1;
        let mut next = match self.spare.take() {
            Some(mut spare) => {
                rbm.lead(&mut spare)?;
                spare
            }
            None => model(rbm, &rbm.parameters()?)?,
        };
        let (v, labels) = chains_of(&self.models[last])?;
        next.start_from(&v, &labels)?;
        let gains = gains(&mut self.models[last - 1], &mut next)?;
        let accepted = gains.iter().map(|gain| libm::exp(gain.min(0.0))).sum::<f64>() / gains.len().max(1) as f64;
        if accepted >= FREEZE || self.most < 3 {
            self.spare = Some(std::mem::replace(&mut self.models[last], next));
            return Ok(());
        }
        if self.models.len() == self.most {
            // One that its neighbours miss least; the first model is where all states are forgotten.
            let link = |at: &usize| self.rates[at - 1].min(self.rates[*at]);
            let spare = (1..last).max_by(|a, b| link(a).total_cmp(&link(b))).unwrap_or(1);
            self.spare = Some(self.models.remove(spare));
            let rate = self.rates.remove(spare);
            self.rates[spare - 1] *= rate;
        }
        self.models.push(next);
        self.rates.push(1.0);
        Ok(())
    }

    /// Offers the chains of a model and of the next a swap.
    fn swap(&mut self, at: usize, draw: Uniforms) -> Result<()> {
        let (before, after) = self.models.split_at_mut(at + 1);
        let (a, b) = (&mut before[at], &mut after[0]);
        let gains = gains(a, b)?;
        let (mut of_a, mut of_b) = (chains_of(a)?, chains_of(b)?);
        let mut swapped = 0;
        for (chain, gain) in gains.iter().enumerate() {
            if f64::from(draw.at(chain as u32, 0)) < libm::exp(*gain) {
                of_a.0.swap_row(&mut of_b.0, chain);
                if let (Some(y), Some(z)) = (of_a.1.get_mut(chain), of_b.1.get_mut(chain)) {
                    std::mem::swap(y, z);
                }
                swapped += 1;
            }
        }
        a.start_from(&of_a.0, &of_a.1)?;
        b.start_from(&of_b.0, &of_b.1)?;
        let rate = swapped as f32 / gains.len().max(1) as f32;
        self.rates[at] += RECENT * (rate - self.rates[at]);
        Ok(())
    }
}

/// A model of the sizes of an RBM. All have the same biases at β = 0, so that differences of p* are those of
/// the models.
fn model<E: Engine>(rbm: &E, parameters: &Parameters) -> Result<E::Tempered> {
    Ok(rbm.tempered(parameters, &vec![0.0; rbm.visible()])?)
}

fn chains_of<T: Tempering>(model: &T) -> Result<(Batch, Vec<u32>)> {
    Ok((model.states()?, model.labels()?))
}

/// The logarithm of what the chains of two models gain by each swap.
fn gains<T: Tempering>(a: &mut T, b: &mut T) -> Result<Vec<f64>> {
    let (of_a, of_b) = (chains_of(a)?, chains_of(b)?);
    let (a_of_b, b_of_a) = (log_p(a, &of_b)?, log_p(b, &of_a)?);
    // Last, so that both have their own chains again.
    let (own_a, own_b) = (log_p(a, &of_a)?, log_p(b, &of_b)?);
    Ok((0..own_a.len()).map(|chain| a_of_b[chain] + b_of_a[chain] - own_a[chain] - own_b[chain]).collect())
}

/// ln p* of states and labels but for a constant, which the model has for chains afterwards.
fn log_p<T: Tempering>(model: &mut T, (v, labels): &(Batch, Vec<u32>)) -> Result<Vec<f64>> {
    model.start_from(v, labels)?;
    model.anneal(Betas::All(0.0), Betas::All(1.0), None)?;
    Ok(model.take_log_weights()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use deepbelief_kernels::{Bits, PackedRbm};

    /// Two modes, all on and all off, that Gibbs steps do not cross, as a training may have grown them.
    fn grown(share: f32) -> Parameters {
        Parameters {
            w_rec: vec![6.0 * share; 18],
            hb: vec![-18.0 * share; 3],
            vb: vec![-9.0 * share; 6],
            ..Parameters::default()
        }
    }

    /// Along 400 updates the two modes grow; then all chains of all models are put into one of them. After
    /// 400 further updates, half of the present model's chains are in the other one, where half of its
    /// probability is: over ten seeds the share had a standard deviation of 0.006, so that a tolerance of
    /// 0.05 fails falsely with probability below 1e-12.
    #[test]
    fn earlier_models_lead_from_one_mode_to_the_other() {
        let config = TrainConfig { persistent_chains: 200, temperatures: 30, ..Default::default() };
        let machine_at = |share: f32| PackedRbm::new(6, 3, &grown(share));
        let mut ladder = TrajectoryTempering::start(&machine_at(0.0), &config).unwrap();
        for step in 0..400 {
            ladder.advance(&mut machine_at(step as f32 / 400.0), 1, Draws { seed: 5, step, first: 0 }).unwrap();
        }
        assert!((3..30).contains(&ladder.models.len()), "{} models", ladder.models.len());
        let mut state = ladder.state().unwrap();
        state.chains.iter_mut().for_each(|chains| chains.0 = Batch::Binary(Bits::zeros(200, 6)));
        let mut machine = machine_at(1.0);
        let mut ladder = TrajectoryTempering::resume(&machine, &state, &config).unwrap();
        let mut on = 0.0;
        for step in 400..1800 {
            ladder.advance(&mut machine, 1, Draws { seed: 5, step, first: 0 }).unwrap();
            if step >= 800 {
                let v = machine.reconstruction().to_values();
                on += v.chunks(6).filter(|v| v.iter().sum::<f32>() > 3.0).count() as f64 / (200.0 * 1000.0);
            }
        }
        assert!((on - 0.5).abs() < 0.05, "{on} of the states in the upper mode, {:?}", ladder.rates);
    }
}
