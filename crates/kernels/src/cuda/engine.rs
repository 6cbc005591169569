//! The GPU's engine: [`GpuRbm`] by the verbs that all engines share.

use super::directed::GpuDirected;
use super::gpu::{OnGpu, each, launch, typed};
use super::learning::GpuStatistics;
use super::rbm::{GpuRbm, require_labels};
use super::rows::{Feed, Rows, padded};
use super::steps::read_largest;
use super::tempered::GpuTempered;
use crate::engine::{Engine, Shown};
use crate::learning::contrast::Sparsity;
use crate::learning::parameters::{Offsets, Parameters};
use crate::learning::update::StepRule;
use crate::measures::measure::Measures;
use crate::rng::Uniforms;
use crate::states::batch::Batch;
use crate::states::bits::Bits;
use crate::units::layers::Layers;
use candle_core::Result;
use candle_core::cuda_backend::WrapErr;
use std::sync::Arc;

impl Engine for GpuRbm {
    type Place = OnGpu;
    type States = Rows;
    type Statistics = GpuStatistics;
    type Directed = GpuDirected;
    type Tempered = GpuTempered;

    const PATIENCE: u32 = 100;

    fn at(place: &OnGpu, layers: &Layers, parameters: &Parameters) -> Result<Self> {
        assert!(layers.are_bernoulli(), "Bernoulli units");
        Self::new(place, layers.visible.columns(), layers.hidden.columns(), parameters)
    }

    fn place(&self) -> OnGpu {
        OnGpu { gpu: Arc::clone(&self.gpu), precision: self.precision }
    }

    fn tempered(&self, parameters: &Parameters, base: &[f32]) -> Result<GpuTempered> {
        GpuTempered::new(&self.gpu, self.layout.visible, self.layout.hidden, parameters, base)
    }

    fn lead(&self, chains: &mut GpuTempered) -> Result<()> {
        chains.follow(self)
    }

    fn layers(&self) -> Layers {
        Layers::bernoulli(self.layout.visible, self.layout.hidden)
    }

    fn visible(&self) -> usize {
        self.layout.visible
    }

    fn hidden(&self) -> usize {
        self.layout.hidden
    }

    fn parameters(&self) -> Result<Parameters> {
        self.layout.download(&self.gpu, &self.parameters)
    }

    fn velocities(&self) -> Result<Parameters> {
        self.layout.download(&self.gpu, &self.velocities)
    }

    fn set_velocities(&mut self, velocities: &Parameters) -> Result<()> {
        self.layout.require(velocities);
        self.velocities = self.layout.upload(&self.gpu, velocities, 0.0)?;
        Ok(())
    }

    fn offsets(&self) -> Result<Option<Offsets>> {
        let Some((visible, hidden)) = &self.offsets else { return Ok(None) };
        let get = |slice| self.gpu.stream.clone_dtoh(slice).w();
        let (visible, mut hidden): (Vec<f32>, Vec<f32>) = (get(visible)?, get(hidden)?);
        hidden.truncate(self.layout.hidden);
        let (visible, labels) = self.layout.split_visible(&visible);
        Ok(Some(Offsets { visible, hidden, labels }))
    }

    fn set_offsets(&mut self, offsets: &Offsets) -> Result<()> {
        let Offsets { visible, hidden, labels } = offsets;
        let mut hidden = hidden.clone();
        hidden.resize(self.layout.hidden_width(), 0.0);
        let visible = self.gpu.upload(&self.layout.visible_biases(visible, labels, 0.0))?;
        self.offsets = Some((visible, self.gpu.upload(&hidden)?));
        Ok(())
    }

    fn infer_hidden(&mut self, v0: Shown<'_, Rows>, labels: &[u32], draw: Option<Uniforms>) -> Result<()> {
        self.positive_phase(v0, labels, draw)
    }

    fn weigh(&mut self, _: &[f32], _: bool) -> Result<()> {
        candle_core::bail!("weights of samples are learned with on the CPU")
    }

    fn sample_visible(&mut self, draw: Uniforms) -> Result<()> {
        self.half_step_down(Some(draw))
    }

    fn mean_visible(&mut self) -> Result<()> {
        self.half_step_down(None)
    }

    fn sample_labels(&mut self, draw: Uniforms) -> Result<()> {
        self.labels(Some(draw))
    }

    fn sample_hidden(&mut self, draw: Uniforms) -> Result<()> {
        self.half_step_up(draw)
    }

    fn update(&mut self, _: Shown<'_, Rows>, rule: &StepRule, sparsity: Sparsity) -> Result<()> {
        self.update_from_probabilities(rule, sparsity)
    }

    fn update_from_states(&mut self, _: Shown<'_, Rows>, h0: &Rows, rule: &StepRule) -> Result<()> {
        self.update_from_hidden(h0, rule)
    }

    fn follow_means(&mut self, _: Shown<'_, Rows>, share: f32) -> Result<()> {
        self.move_offsets(share)
    }

    fn statistics(&mut self, _: Shown<'_, Rows>, sparsity: Sparsity, statistics: &mut GpuStatistics) -> Result<()> {
        self.keep_statistics(sparsity, statistics)
    }

    fn step(&mut self, statistics: &GpuStatistics, rule: &StepRule) -> Result<()> {
        self.step_along(statistics, rule)
    }

    fn run_ahead(&mut self, slow: &Self, statistics: &GpuStatistics, rate: f32, decay: f32) -> Result<()> {
        assert_eq!(self.layout, slow.layout, "RBMs of the same sizes");
        self.follow_ahead(slow, statistics, rate, decay)
    }

    fn approach(&mut self, other: &Self, share: f32) -> Result<()> {
        assert_eq!(self.layout, other.layout, "RBMs of the same sizes");
        self.follow_slowly(other, share)
    }

    fn largest(&mut self) -> Result<f32> {
        read_largest(&self.gpu, &mut self.largest)
    }

    fn visible_room(&self) -> Result<Rows> {
        Rows::new(&self.gpu, self.precision, padded(self.layout.visible))
    }

    fn hidden_room(&self) -> Result<Rows> {
        Rows::new(&self.gpu, self.precision, self.h.width)
    }

    fn visible_states(&self) -> Result<Batch> {
        let mut room = self.visible_room()?;
        self.keep_visible(&mut room)?;
        let (rows, units) = (room.count, self.layout.visible);
        Ok(Batch::Real { rows, units, values: room.to_values(&self.gpu, units)? })
    }

    fn turn_off(&mut self, cells: &Bits) -> Result<()> {
        let mut v = Engine::visible_states(self)?;
        v.turn_off(cells);
        let gpu = Arc::clone(&self.gpu);
        self.chain_feed.load(&gpu, &v, &mut self.v, self.samples)
    }

    fn keep_visible(&self, room: &mut Rows) -> Result<()> {
        room.reshape(&self.gpu, self.h.count)?;
        let source = self.v.view(self.chain_rows());
        let (n, width, stride) = (self.h.count as u32, room.width as u32, self.v.width as u32);
        launch!(&self.gpu, typed!(self.v.number, "copy"), each(self.h.count * room.width);
            &source, &mut room.data, &n, &width, &stride, &width)
    }

    fn keep_hidden(&self, room: &mut Rows) -> Result<()> {
        room.reshape(&self.gpu, self.h.count)?;
        room.copy(&self.gpu, 0, &self.h, 0, self.h.count)
    }

    fn set_hidden(&mut self, h: &Rows) -> Result<()> {
        self.make_chains(h.count)?;
        self.h.copy(&self.gpu, 0, h, 0, h.count)
    }

    fn fresh_hidden(&mut self, chains: usize, draw: Uniforms) -> Result<Rows> {
        let coins = Bits::coins(chains, self.layout.hidden, draw);
        self.unpack_hidden(&Batch::Binary(coins))
    }

    fn pack_hidden(&self, h: &Rows) -> Result<Batch> {
        Ok(Batch::Binary(h.to_bits(&self.gpu, 0..h.count, self.layout.hidden)?))
    }

    fn unpack_hidden(&mut self, h: &Batch) -> Result<Rows> {
        let mut rows = self.hidden_room()?;
        rows.reshape(&self.gpu, h.rows())?;
        Feed::new(&self.gpu)?.load(&self.gpu, h, &mut rows, 0)?;
        Ok(rows)
    }

    fn set_chains(&mut self, v: &Batch, labels: &[u32]) -> Result<()> {
        self.make_chains(v.rows())?;
        let (gpu, layout, first) = (Arc::clone(&self.gpu), self.layout, self.samples);
        self.chain_feed.load(&gpu, v, &mut self.v, first)?;
        if layout.classes > 0 {
            require_labels(labels, v.rows(), layout.classes);
            let place = (first, layout.labels_at());
            self.chain_label_feed.load_labels(&gpu, labels, &mut self.v, place, padded(layout.classes))?;
        }
        Ok(())
    }

    fn take_chains(&mut self, of: &Self) -> Result<()> {
        assert_eq!(self.layout, of.layout, "RBMs of the same sizes");
        self.make_chains(of.h.count)?;
        let gpu = Arc::clone(&self.gpu);
        self.h.copy(&gpu, 0, &of.h, 0, of.h.count)?;
        self.v.copy(&gpu, self.samples, &of.v, of.samples, of.h.count)
    }

    fn measure(&mut self, batch: &Batch, labels: &[u32], weights: &[f32], draw: Uniforms) -> Result<Measures> {
        if !weights.is_empty() {
            candle_core::bail!("weights of samples are measured with on the CPU");
        }
        self.measured(batch, labels, draw)
    }

    fn remember(&mut self) -> Result<()> {
        let before = match &mut self.before {
            Some(before) => before,
            none => none.insert(self.gpu.zeros(self.parameters.w.len())?),
        };
        self.gpu.stream.memcpy_dtod(&self.parameters.w, before).w()
    }

    fn norm_and_change(&self) -> Result<(f64, f64)> {
        self.norms()
    }
}
