//! [`TypedRbm`] by the verbs that all engines share.

use super::descent::{AdamMemory, Descent};
use super::gradient::TypedStatistics;
use super::machine::TypedRbm;
use super::tempered::TypedTempered;
use crate::engine::{Cpu, CpuDirection, Engine, Shown, norm_and_change};
use crate::learning::contrast::Sparsity;
use crate::learning::parameters::{Offsets, Parameters};
use crate::learning::update::StepRule;
use crate::measures::measure::Measures;
use crate::rng::Uniforms;
use crate::states::batch::Batch;
use crate::states::bits::Bits;
use crate::units::layers::Layers;
use candle_core::Result;

impl Engine for TypedRbm {
    type Place = Cpu;
    type States = Batch;
    type Statistics = TypedStatistics;
    type Directed = CpuDirection;
    type Tempered = TypedTempered;

    const PATIENCE: u32 = 1;

    fn at(_: &Cpu, layers: &Layers, parameters: &Parameters) -> Result<Self> {
        Ok(Self::new(layers, parameters))
    }

    fn place(&self) -> Cpu {
        Cpu
    }

    fn tempered(&self, parameters: &Parameters, base: &[f32]) -> Result<TypedTempered> {
        Ok(TypedTempered::new(&self.layers(), parameters, base))
    }

    fn lead(&self, chains: &mut TypedTempered) -> Result<()> {
        chains.follow(self);
        Ok(())
    }

    fn layers(&self) -> Layers {
        self.layers()
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

    fn set_descent(&mut self, descent: &Descent) -> Result<()> {
        self.set_descent(descent);
        Ok(())
    }

    fn adam_memory(&self) -> Result<Option<AdamMemory>> {
        Ok(self.adam_memory())
    }

    fn set_adam_memory(&mut self, memory: &AdamMemory) -> Result<()> {
        self.set_adam_memory(memory);
        Ok(())
    }

    fn offsets(&self) -> Result<Option<Offsets>> {
        Ok(self.offsets.clone())
    }

    fn set_offsets(&mut self, offsets: &Offsets) -> Result<()> {
        self.offsets = Some(offsets.clone());
        Ok(())
    }

    fn infer_hidden(&mut self, v0: Shown<'_, Batch>, _: &[u32], draw: Option<Uniforms>) -> Result<()> {
        self.infer_hidden(v0.batch(), draw);
        Ok(())
    }

    fn weigh(&mut self, weights: &[f32], paired: bool) -> Result<()> {
        self.weigh(weights, paired);
        Ok(())
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

    /// There are none.
    fn sample_labels(&mut self, _: Uniforms) -> Result<()> {
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
        let largest = self.update_from_states(v0.batch(), h0, rule);
        self.largest.keep(largest);
        Ok(())
    }

    fn follow_means(&mut self, v0: Shown<'_, Batch>, share: f32) -> Result<()> {
        self.follow_means(v0.batch(), share);
        Ok(())
    }

    fn sums_of_means(&self, v0: Shown<'_, Batch>) -> Result<Offsets> {
        Ok(self.sums_of_means(v0.batch()))
    }

    fn follow_sums(&mut self, sums: &Offsets, samples: f32, share: f32) -> Result<()> {
        self.follow_sums(sums, samples, share);
        Ok(())
    }

    fn statistics(&mut self, v0: Shown<'_, Batch>, sparsity: Sparsity, statistics: &mut TypedStatistics) -> Result<()> {
        self.statistics(v0.batch(), sparsity, statistics);
        Ok(())
    }

    fn step(&mut self, statistics: &TypedStatistics, rule: &StepRule) -> Result<()> {
        let largest = self.step(statistics, rule);
        self.largest.keep(largest);
        Ok(())
    }

    fn rescale_hidden(&self, h: &mut Batch) -> Result<()> {
        self.rescale_hidden(h);
        Ok(())
    }

    fn run_ahead(&mut self, slow: &Self, statistics: &TypedStatistics, rate: f32, decay: f32) -> Result<()> {
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
        Ok(self.reconstruction.clone())
    }

    fn turn_off(&mut self, cells: &Bits) -> Result<()> {
        self.turn_off(cells);
        Ok(())
    }

    fn keep_visible(&self, room: &mut Batch) -> Result<()> {
        room.clone_from(&self.reconstruction);
        Ok(())
    }

    fn keep_hidden(&self, room: &mut Batch) -> Result<()> {
        room.clone_from(&self.h);
        Ok(())
    }

    fn set_hidden(&mut self, h: &Batch) -> Result<()> {
        self.set_hidden_states(h);
        Ok(())
    }

    fn fresh_hidden(&mut self, chains: usize, draw: Uniforms) -> Result<Batch> {
        Ok(Self::fresh_hidden(self, chains, draw))
    }

    fn pack_hidden(&self, h: &Batch) -> Result<Batch> {
        Ok(h.clone())
    }

    fn unpack_hidden(&mut self, h: &Batch) -> Result<Batch> {
        Ok(self.hidden.form_of(h))
    }

    fn set_chains(&mut self, v: &Batch, _: &[u32]) -> Result<()> {
        self.set_chains(v);
        Ok(())
    }

    fn take_chains(&mut self, of: &Self) -> Result<()> {
        self.take_chains(of);
        Ok(())
    }

    fn measure(&mut self, batch: &Batch, _: &[u32], weights: &[f32], draw: Uniforms) -> Result<Measures> {
        Ok(self.measure(batch, weights, draw))
    }

    fn remember(&mut self) -> Result<()> {
        self.before = self.parameters().w_rec;
        Ok(())
    }

    fn norm_and_change(&self) -> Result<(f64, f64)> {
        Ok(norm_and_change(&self.parameters().w_rec, &self.before))
    }
}
