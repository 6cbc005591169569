//! The CPU's engine: [`PackedRbm`] and [`Tempered`] by the verbs that all engines share. Nothing
//! here fails, and nothing is copied that the rules do not ask to keep.

use super::cpu_direction::{Cpu, CpuDirection};
use super::rbm::{Engine, Shown, norm_and_change};
use super::tempering::{Betas, Tempering};
use crate::learning::contrast::Sparsity;
use crate::learning::packed::PackedRbm;
use crate::learning::parameters::{Offsets, Parameters};
use crate::learning::statistics::Statistics;
use crate::learning::update::StepRule;
use crate::measures::measure::Measures;
use crate::measures::path::{GibbsDraws, PathBiases};
use crate::measures::tempered::Tempered;
use crate::rng::Uniforms;
use crate::states::batch::Batch;
use crate::states::bits::Bits;
use crate::units::layers::Layers;
use candle_core::Result;
use std::borrow::Cow;

/// Hidden states, which are bits.
fn bits(states: &Batch) -> Cow<'_, Bits> {
    match states {
        Batch::Binary(bits) => Cow::Borrowed(bits),
        Batch::Real { rows, units, values } => Cow::Owned(Bits::from_values(*rows, *units, values)),
    }
}

impl Engine for PackedRbm {
    type Place = Cpu;
    type States = Batch;
    type Statistics = Statistics;
    type Directed = CpuDirection;
    type Tempered = Tempered;

    const PATIENCE: u32 = 1;

    fn at(_: &Cpu, layers: &Layers, parameters: &Parameters) -> Result<Self> {
        assert!(layers.are_bernoulli(), "Bernoulli units");
        Ok(Self::new(layers.visible.columns(), layers.hidden.columns(), parameters))
    }

    fn place(&self) -> Cpu {
        Cpu
    }

    fn tempered(&self, parameters: &Parameters, base: &[f32]) -> Result<Tempered> {
        Ok(Tempered::new(self.visible, self.hidden, parameters, base))
    }

    fn lead(&self, chains: &mut Tempered) -> Result<()> {
        chains.follow(self);
        Ok(())
    }

    fn layers(&self) -> Layers {
        Layers::bernoulli(self.visible, self.hidden)
    }

    fn visible(&self) -> usize {
        self.visible
    }

    fn hidden(&self) -> usize {
        self.hidden
    }

    fn parameters(&self) -> Result<Parameters> {
        Ok(self.parameters())
    }

    fn velocities(&self) -> Result<Parameters> {
        Ok(self.velocities())
    }

    fn set_velocities(&mut self, velocities: &Parameters) -> Result<()> {
        self.set_velocities(velocities);
        Ok(())
    }

    fn offsets(&self) -> Result<Option<Offsets>> {
        Ok(self.offsets.clone())
    }

    fn set_offsets(&mut self, offsets: &Offsets) -> Result<()> {
        self.offsets = Some(offsets.clone());
        Ok(())
    }

    fn infer_hidden(&mut self, v0: Shown<'_, Batch>, labels: &[u32], draw: Option<Uniforms>) -> Result<()> {
        self.infer_hidden(v0.batch(), labels, draw);
        Ok(())
    }

    fn weigh(&mut self, weights: &[f32], paired: bool) -> Result<()> {
        self.weigh(weights, paired);
        Ok(())
    }

    fn classes(&self) -> usize {
        self.classes()
    }

    fn weigh_chains(&mut self, weight: f32) -> Result<()> {
        self.weigh_chains(weight);
        Ok(())
    }

    fn sample_visible(&mut self, draw: Uniforms) -> Result<()> {
        self.sample_visible(draw);
        Ok(())
    }

    fn mean_visible(&mut self) -> Result<()> {
        self.mean_visible();
        Ok(())
    }

    fn sample_labels(&mut self, draw: Uniforms) -> Result<()> {
        self.sample_labels(draw);
        Ok(())
    }

    fn sample_hidden(&mut self, draw: Uniforms) -> Result<()> {
        self.sample_hidden(draw);
        Ok(())
    }

    fn update(&mut self, v0: Shown<'_, Batch>, rule: &StepRule, sparsity: Sparsity) -> Result<()> {
        let largest = self.update(v0.batch(), rule, sparsity);
        self.largest.keep(largest);
        Ok(())
    }

    fn update_from_states(&mut self, v0: Shown<'_, Batch>, h0: &Batch, rule: &StepRule) -> Result<()> {
        let largest = self.update_from_states(v0.batch(), &bits(h0), rule);
        self.largest.keep(largest);
        Ok(())
    }

    fn follow_means(&mut self, v0: Shown<'_, Batch>, share: f32) -> Result<()> {
        let mut offsets = self.offsets.take().unwrap_or_default();
        Self::follow_means(self, v0.batch(), share, &mut offsets);
        self.offsets = Some(offsets);
        Ok(())
    }

    fn sums_of_means(&self, v0: Shown<'_, Batch>) -> Result<Offsets> {
        Ok(self.sums_of_means(v0.batch()))
    }

    fn follow_sums(&mut self, sums: &Offsets, samples: f32, share: f32) -> Result<()> {
        let mut offsets = self.offsets.take().unwrap_or_default();
        Self::follow_sums(sums, samples, share, &mut offsets);
        self.offsets = Some(offsets);
        Ok(())
    }

    fn statistics(&mut self, v0: Shown<'_, Batch>, sparsity: Sparsity, statistics: &mut Statistics) -> Result<()> {
        self.statistics(v0.batch(), sparsity, statistics);
        Ok(())
    }

    fn step(&mut self, statistics: &Statistics, rule: &StepRule) -> Result<()> {
        let offsets = self.offsets.take();
        let largest = self.step(statistics, rule, offsets.as_ref());
        self.offsets = offsets;
        self.largest.keep(largest);
        Ok(())
    }

    fn run_ahead(&mut self, slow: &Self, statistics: &Statistics, rate: f32, decay: f32) -> Result<()> {
        self.run_ahead(slow, statistics, rate, decay);
        Ok(())
    }

    fn approach(&mut self, other: &Self, share: f32) -> Result<()> {
        self.approach(other, share);
        Ok(())
    }

    fn largest(&mut self) -> Result<f32> {
        Ok(self.largest.take())
    }

    fn visible_room(&self) -> Result<Batch> {
        Ok(Batch::default())
    }

    fn hidden_room(&self) -> Result<Batch> {
        Ok(Batch::default())
    }

    fn visible_states(&self) -> Result<Batch> {
        Ok(self.reconstruction().clone())
    }

    fn turn_off(&mut self, cells: &Bits) -> Result<()> {
        self.reconstruction.turn_off(cells);
        Ok(())
    }

    fn keep_visible(&self, room: &mut Batch) -> Result<()> {
        room.clone_from(self.reconstruction());
        Ok(())
    }

    fn keep_hidden(&self, room: &mut Batch) -> Result<()> {
        *room = Batch::Binary(self.hidden_states().clone());
        Ok(())
    }

    fn set_hidden(&mut self, h: &Batch) -> Result<()> {
        self.set_hidden_states(&bits(h));
        Ok(())
    }

    fn fresh_hidden(&mut self, chains: usize, draw: Uniforms) -> Result<Batch> {
        Ok(Batch::Binary(Bits::coins(chains, self.hidden, draw)))
    }

    fn pack_hidden(&self, h: &Batch) -> Result<Batch> {
        Ok(h.clone())
    }

    fn unpack_hidden(&mut self, h: &Batch) -> Result<Batch> {
        Ok(Batch::Binary(bits(h).into_owned()))
    }

    fn set_chains(&mut self, v: &Batch, labels: &[u32]) -> Result<()> {
        self.set_chains(&bits(v), labels);
        Ok(())
    }

    fn take_chains(&mut self, of: &Self) -> Result<()> {
        self.take_chains(of);
        Ok(())
    }

    fn measure(&mut self, batch: &Batch, labels: &[u32], weights: &[f32], draw: Uniforms) -> Result<Measures> {
        Ok(self.measure(batch, labels, weights, draw))
    }

    fn remember(&mut self) -> Result<()> {
        self.before = self.rec.unpack();
        Ok(())
    }

    fn norm_and_change(&self) -> Result<(f64, f64)> {
        Ok(norm_and_change(&self.rec.unpack(), &self.before))
    }
}

impl Tempering for Tempered {
    fn parameters(&self) -> Result<Parameters> {
        Ok(self.parameters())
    }

    fn set_biases(&mut self, biases: &PathBiases) -> Result<()> {
        self.set_biases(biases);
        Ok(())
    }

    fn start(&mut self, chains: usize, draws: &GibbsDraws) -> Result<()> {
        self.start(chains, draws);
        self.log_weights = vec![0.0; chains];
        Ok(())
    }

    fn start_from(&mut self, v: &Batch, labels: &[u32]) -> Result<()> {
        self.start_from(&bits(v), labels);
        self.log_weights = vec![0.0; v.rows()];
        Ok(())
    }

    fn anneal(&mut self, from: Betas<'_>, to: Betas<'_>, draws: Option<&GibbsDraws>) -> Result<()> {
        let chains = self.states().rows();
        // A step's terms by themselves first: they are small beside what the chain has collected.
        let mut added = vec![0.0; chains];
        self.anneal(&from.each(chains), &to.each(chains), draws, &mut added);
        self.log_weights.iter_mut().zip(added).for_each(|(weight, added)| *weight += added);
        Ok(())
    }

    fn gibbs(&mut self, betas: Betas<'_>, draws: &GibbsDraws) -> Result<()> {
        let chains = self.states().rows();
        self.gibbs(&betas.each(chains), draws);
        Ok(())
    }

    fn take_log_weights(&mut self) -> Result<Vec<f64>> {
        let zeros = vec![0.0; self.states().rows()];
        Ok(std::mem::replace(&mut self.log_weights, zeros))
    }

    fn states(&self) -> Result<Batch> {
        Ok(Batch::Binary(self.states().clone()))
    }

    fn labels(&self) -> Result<Vec<u32>> {
        Ok(self.chain_labels().to_vec())
    }

    fn hidden_states(&self) -> Result<Batch> {
        Ok(Batch::Binary(self.hidden_states().clone()))
    }
}
