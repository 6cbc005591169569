//! Parallel tempering in training (Desjardins, Courville, Bengio, Vincent & Delalleau, "Tempered Markov
//! chain Monte Carlo for training of restricted Boltzmann machines", AISTATS 2010).
//!
//! Every chain of the model has replicas on a ladder of inverse temperatures `0 = β_1 < ... < β_T = 1`,
//! where hot ones move freely and cold ones are the model's. After every Gibbs step neighbours i and j on
//! a ladder swap their states with probability
//!
//! ```text
//! min(1, p*(v_i; β_j) p*(v_j; β_i) / (p*(v_i; β_i) p*(v_j; β_j)))
//! ```
//!
//! which leaves all their distributions alone. The temperatures adapt: a gap that is crossed less often
//! than the others shrinks, one that is crossed more often grows, until all are crossed alike.

use crate::error::Result;
use crate::training::cd::Draws;
use crate::training::config::TrainConfig;
use deepbelief_kernels::{Batch, Betas, Engine, GibbsDraws, Stream, Tempering, Uniforms};

/// How fast gaps between temperatures follow their rate of swaps, per update.
const ADAPT: f64 = 0.02;

/// Share of the last update in a rate of swaps that is remembered.
const RECENT: f32 = 0.02;

/// Chains of a training, each with its replicas.
pub(crate) struct TemperedChains<E: Engine> {
    tempered: E::Tempered,
    state: LadderState,
}

/// What a resume needs of them. Replica r belongs to ladder `r / T`.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct LadderState {
    /// Visible biases at β = 0: those that training started from.
    pub(crate) base: Vec<f32>,
    /// From 0 to 1.
    pub(crate) betas: Vec<f32>,
    /// Where each replica is on its ladder.
    pub(crate) rungs: Vec<u32>,
    /// How often each pair of neighbouring rungs swaps, a running mean.
    pub(crate) rates: Vec<f32>,
    pub(crate) v: Batch,
    pub(crate) labels: Vec<u32>,
}

impl<E: Engine> TemperedChains<E> {
    pub(crate) fn start(rbm: &E, config: &TrainConfig) -> Result<Self> {
        let (chains, rungs) = (config.persistent_chains, config.temperatures);
        let draw = |stream| Uniforms::new(config.seed, stream, 0);
        let draws = GibbsDraws {
            hidden: draw(Stream::Chains),
            visible: draw(Stream::Chains).layer(1),
            label: draw(Stream::Chains).layer(2),
        };
        let parameters = rbm.parameters()?;
        let mut tempered = rbm.tempered(&parameters, &parameters.vb)?;
        tempered.start(chains * rungs, &draws)?;
        let state = LadderState {
            betas: (0..rungs).map(|rung| rung as f32 / (rungs - 1) as f32).collect(),
            rungs: (0..chains * rungs).map(|replica| (replica % rungs) as u32).collect(),
            rates: vec![0.5; rungs - 1],
            base: parameters.vb,
            ..LadderState::default()
        };
        Ok(Self { tempered, state })
    }

    /// Goes on from a state that fits the RBM.
    pub(crate) fn resume(rbm: &E, state: LadderState) -> Result<Self> {
        let mut tempered = rbm.tempered(&rbm.parameters()?, &state.base)?;
        tempered.start_from(&state.v, &state.labels)?;
        Ok(Self { tempered, state })
    }

    pub(crate) fn state(&self) -> Result<LadderState> {
        let (v, labels) = (self.tempered.states()?, self.tempered.labels()?);
        Ok(LadderState { v, labels, ..self.state.clone() })
    }

    /// The rate of the neighbours that swap least.
    pub(crate) fn slowest(&self) -> f64 {
        self.state.rates.iter().copied().fold(1.0, f32::min).into()
    }

    /// So many Gibbs steps and rounds of swaps under the parameters of `rbm`, which gets the chains
    /// at β = 1.
    pub(crate) fn advance(&mut self, rbm: &mut E, steps: u32, draws: Draws) -> Result<()> {
        rbm.lead(&mut self.tempered)?;
        for k in 0..steps {
            let draw = |stream| Uniforms::new(draws.seed, stream, draws.step).gibbs(k as u16);
            let gibbs = GibbsDraws { hidden: draws.hidden(k), visible: draws.visible(k), label: draw(Stream::Label) };
            self.tempered.gibbs(Betas::Each(&self.state.replica_betas()), &gibbs)?;
            self.swap(((draws.step ^ k) & 1) as usize, draw(Stream::Swap))?;
        }
        self.state.adapt();
        let (v, labels) = self.coldest()?;
        Ok(rbm.set_chains(&v, &labels)?)
    }

    /// Offers the pairs (1, 2), (3, 4), ... of rungs a swap, or (2, 3), (4, 5), ... with `first` = 1.
    fn swap(&mut self, first: usize, draw: Uniforms) -> Result<()> {
        let state = &mut self.state;
        let rungs = state.betas.len();
        let own = state.replica_betas();
        let partner = |rung: usize| {
            let other = if rung % 2 == first { rung + 1 } else { rung.wrapping_sub(1) };
            if other < rungs { other } else { rung }
        };
        let theirs: Vec<f32> = state.rungs.iter().map(|&rung| state.betas[partner(rung as usize)]).collect();
        self.tempered.anneal(Betas::Each(&own), Betas::Each(&theirs), None)?;
        let gain = self.tempered.take_log_weights()?;

        let mut replica_at = vec![0; rungs];
        let mut accepted = vec![0u32; rungs - 1];
        let ladders = state.rungs.len() / rungs;
        for ladder in 0..ladders {
            let replicas = ladder * rungs..(ladder + 1) * rungs;
            for replica in replicas {
                replica_at[state.rungs[replica] as usize] = replica;
            }
            for rung in (first..rungs - 1).step_by(2) {
                let (i, j) = (replica_at[rung], replica_at[rung + 1]);
                let u = f64::from(draw.at(ladder as u32, rung as u32));
                if u < libm::exp(gain[i] + gain[j]) {
                    state.rungs.swap(i, j);
                    accepted[rung] += 1;
                }
            }
        }
        for rung in (first..rungs - 1).step_by(2) {
            let rate = accepted[rung] as f32 / ladders.max(1) as f32;
            state.rates[rung] += RECENT * (rate - state.rates[rung]);
        }
        Ok(())
    }

    /// Visible states and labels at β = 1, ladder by ladder.
    fn coldest(&self) -> Result<(Batch, Vec<u32>)> {
        let (state, v, y) = (&self.state, self.tempered.states()?, self.tempered.labels()?);
        let top = state.betas.len() as u32 - 1;
        let replicas: Vec<usize> = (0..v.rows()).filter(|&replica| state.rungs[replica] == top).collect();
        Ok((v.chosen(&replicas), replicas.iter().filter_map(|&replica| y.get(replica).copied()).collect()))
    }
}

impl LadderState {
    /// The inverse temperature of every replica.
    fn replica_betas(&self) -> Vec<f32> {
        self.rungs.iter().map(|&rung| self.betas[rung as usize]).collect()
    }

    /// Moves the temperatures between the first and the last.
    fn adapt(&mut self) {
        let mean = self.rates.iter().map(|&r| f64::from(r)).sum::<f64>() / self.rates.len() as f64;
        let gaps = self.betas.windows(2).zip(&self.rates).map(|(pair, &rate)| {
            let gap = f64::from(pair[1]) - f64::from(pair[0]);
            gap.max(1e-6) * libm::exp(ADAPT * (f64::from(rate) - mean))
        });
        let gaps: Vec<f64> = gaps.collect();
        let (whole, mut beta) = (gaps.iter().sum::<f64>(), 0.0);
        for (gap, next) in gaps.iter().zip(&mut self.betas[1..]) {
            beta += gap / whole;
            *next = beta as f32;
        }
        if let Some(last) = self.betas.last_mut() {
            *last = 1.0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use deepbelief_kernels::{Bits, PackedRbm, Parameters, Tempered};

    /// Two modes, all on and all off, that Gibbs steps do not cross: an RBM of 6 x 3 units whose weights
    /// bind every unit to every other.
    fn two_modes() -> Parameters {
        Parameters { w_rec: vec![6.0; 18], hb: vec![-18.0; 3], vb: vec![-9.0; 6], ..Parameters::default() }
    }

    /// ln p*(v) for all states of six units.
    fn exact(parameters: &Parameters) -> Vec<f64> {
        let log_p = |state: usize| {
            let on = |i: usize| f64::from(u8::from(state >> i & 1 == 1));
            let linear: f64 = (0..6).map(|i| on(i) * f64::from(parameters.vb[i])).sum();
            let input = |j: usize| {
                f64::from(parameters.hb[j])
                    + (0..6).map(|i| on(i) * f64::from(parameters.w_rec[3 * i + j])).sum::<f64>()
            };
            linear + (0..3).map(|j| input(j).exp().ln_1p()).sum::<f64>()
        };
        (0..64).map(log_p).collect()
    }

    /// 200 ladders of 8 temperatures start with all units off: from there Gibbs chains at β = 1 do not reach
    /// the other mode, where half of the probability is. After 500 updates the states of another 2,000
    /// have the model's distribution: over twelve seeds the share of the other mode had a standard deviation
    /// of 0.0023, so that a tolerance of 0.02 fails falsely with probability below 1e-12. Adapted, all
    /// neighbours swap at rates within 0.05 of each other.
    #[test]
    fn tempered_chains_cross_between_modes_and_have_the_models_distribution() {
        let parameters = two_modes();
        let log_p = exact(&parameters);
        let z: f64 = log_p.iter().map(|x| x.exp()).sum();
        let config = TrainConfig { persistent_chains: 200, temperatures: 8, seed: 3, ..Default::default() };
        let mut machine = PackedRbm::new(6, 3, &parameters);
        // As where half of the data's pixels are on.
        let half = Parameters { vb: vec![0.0; 6], ..parameters.clone() };
        let start = TemperedChains::start(&PackedRbm::new(6, 3, &half), &config).unwrap().state().unwrap();
        let off = LadderState { v: Batch::Binary(Bits::zeros(1600, 6)), ..start };
        let mut ladders = TemperedChains::resume(&machine, off).unwrap();
        let mut counts = vec![0.0; 64];
        let updates = 2500;
        for step in 0..updates {
            ladders.advance(&mut machine, 1, Draws { seed: 3, step, first: 0 }).unwrap();
            if step >= 500 {
                let v = machine.reconstruction().to_values();
                for v in v.chunks(6) {
                    let state = v.iter().enumerate().map(|(i, &on)| (on as usize) << i).sum::<usize>();
                    counts[state] += 1.0 / (200.0 * f64::from(updates - 500));
                }
            }
        }
        let expected: Vec<f64> = log_p.iter().map(|x| x.exp() / z).collect();
        assert!((counts[63] - expected[63]).abs() < 0.02, "{} for {}", counts[63], expected[63]);
        let distance: f64 = counts.iter().zip(&expected).map(|(a, b)| 0.5 * (a - b).abs()).sum();
        assert!(distance < 0.025, "total variation {distance}");
        let rates = &ladders.state.rates;
        let (low, high) = rates.iter().fold((1.0f32, 0.0f32), |(low, high), &r| (low.min(r), high.max(r)));
        assert!(low > 0.7 && high - low < 0.05, "rates of swaps {rates:?} at {:?}", ladders.state.betas);

        // The same start without temperatures in between.
        let mut gibbs = Tempered::new(6, 3, &parameters, &parameters.vb);
        let draws = |step| GibbsDraws {
            hidden: Uniforms::new(3, Stream::Hidden, step),
            visible: Uniforms::new(3, Stream::Visible, step),
            label: Uniforms::new(3, Stream::Label, step),
        };
        gibbs.start_from(&Bits::zeros(200, 6), &[]);
        (1..500).for_each(|step| gibbs.gibbs(&[1.0; 200], &draws(step)));
        let crossed = gibbs.states().to_values().chunks(6).filter(|v| v.iter().sum::<f32>() > 3.0).count();
        assert!(crossed < 20, "{crossed} of 200 chains crossed without tempering: the model is too easy");
    }
}
