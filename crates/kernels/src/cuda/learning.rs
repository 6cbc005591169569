//! What an RBM on the device learns by: updates at once, statistics that are kept, steps along them, and models
//! that follow another.

use super::gpu::{blocks, columns, each, launch, typed};
use super::layout::Values;
use super::rbm::GpuRbm;
use super::rows::Rows;
use super::steps::{BLOCKS, Biases, step_weights, sum_biases};
use crate::learning::contrast::Sparsity;
use crate::learning::update::StepRule;
use candle_core::Result;
use candle_core::cuda_backend::cudarc::driver::CudaSlice;
use std::sync::Arc;

/// The gradient of a minibatch on the device, times its samples.
#[derive(Default)]
pub struct GpuStatistics {
    sums: Option<Values>,
    samples: usize,
}

impl GpuRbm {
    /// Puts p(h|v0), less the pull towards sparse activity, above -r p(h|v).
    fn contrast(&mut self, sparsity: Sparsity) -> Result<()> {
        self.product_of_chains()?;
        let (samples, chains, width) = (self.samples, self.h.count, self.p.width as u32);
        let r = ratio(samples, chains);
        let number = self.p.number;
        if sparsity.cost != 0.0 && samples > 0 {
            launch!(&self.gpu, typed!(number, "pull"), columns(self.p.width);
                &mut self.p.data, &(samples as u32), &width, &sparsity.target, &sparsity.cost, &self.parameters.hb)?;
        }
        let mut negative = self.p.view_mut(samples..samples + chains);
        launch!(&self.gpu, typed!(number, "probabilities"), each(chains * width as usize);
            &self.x, &self.parameters.hb, &mut negative, &(chains as u32), &width, &width, &-r)
    }

    pub(super) fn update_from_probabilities(&mut self, rule: &StepRule, sparsity: Sparsity) -> Result<()> {
        self.contrast(sparsity)?;
        self.step_at_once(rule)
    }

    pub(super) fn update_from_hidden(&mut self, h0: &Rows, rule: &StepRule) -> Result<()> {
        let (samples, chains, width) = (self.samples, self.h.count, self.p.width as u32);
        let (r, gpu) = (ratio(samples, chains), Arc::clone(&self.gpu));
        self.p.copy(&gpu, 0, h0, 0, samples)?;
        let mut negative = self.p.view_mut(samples..samples + chains);
        launch!(&gpu, typed!(self.h.number, "scale"), each(chains * width as usize);
            &self.h.data, &mut negative, &(chains as u32), &width, &width, &-r)?;
        self.step_at_once(rule)
    }

    /// The gradient of the weights, into `out`.
    fn product_of_phases(&self, out: &CudaSlice<f32>) -> Result<()> {
        let (gpu, v, p) = (&self.gpu, &self.v, &self.p);
        let sizes = [v.width, self.samples + self.h.count, p.width];
        gpu.product(self.precision, sizes, v.factor(gpu, 0, true), p.factor(gpu, 0, false), gpu.address(out))
    }

    /// The gradient, and the step along it.
    fn step_at_once(&mut self, rule: &StepRule) -> Result<()> {
        let (gpu, samples, chains) = (Arc::clone(&self.gpu), self.samples, self.h.count);
        self.product_of_phases(&self.gradient)?;
        let (v, p) = (&self.v, &self.p);
        let (rate, momentum) = (rule.scale(samples), rule.momentum);
        let (parameters, velocities) = (&mut self.parameters, &mut self.velocities);
        let (largest, sums) = (&mut self.largest, &mut self.sums);
        let hb = Biases {
            bias: &mut parameters.hb,
            velocity: &mut velocities.hb,
            rate,
            momentum,
            largest: &mut *largest,
            sums: &mut *sums,
        };
        // The sign and the ratio of the chains are already in p.
        hb.step(&gpu, p, samples + chains, 0, 1.0)?;
        let vb = Biases { bias: &mut parameters.vb, velocity: &mut velocities.vb, rate, momentum, largest, sums };
        vb.step(&gpu, v, samples, chains, ratio(samples, chains))?;
        let (w, rounded) = (&mut parameters.w, self.rounded.as_mut());
        step_weights(&gpu, &self.gradient, (&mut velocities.w, w, rounded), samples, rule, &mut self.largest)?;
        self.x_is_current = false;
        Ok(())
    }

    pub(super) fn keep_statistics(&mut self, sparsity: Sparsity, statistics: &mut GpuStatistics) -> Result<()> {
        self.contrast(sparsity)?;
        let (gpu, samples, chains) = (Arc::clone(&self.gpu), self.samples, self.h.count);
        statistics.samples = samples;
        let sums = match &mut statistics.sums {
            Some(sums) => sums,
            none => none.insert(self.layout.zeros(&gpu)?),
        };
        self.product_of_phases(&sums.w)?;
        let room = &mut self.sums;
        // The sign and the ratio of the chains are already in p.
        sum_biases(&gpu, &self.p, (samples + chains, 0), 1.0, room, &mut sums.hb)?;
        sum_biases(&gpu, &self.v, (samples, chains), ratio(samples, chains), room, &mut sums.vb)
    }

    pub(super) fn move_offsets(&mut self, share: f32) -> Result<()> {
        let (gpu, samples) = (Arc::clone(&self.gpu), self.samples);
        let (visible, hidden) = match &mut self.offsets {
            Some(offsets) => offsets,
            none => none.insert((gpu.zeros(self.v.width)?, gpu.zeros(self.p.width)?)),
        };
        for (rows, offsets) in [(&self.v, visible), (&self.p, hidden)] {
            let mut sums = gpu.zeros(rows.width)?;
            sum_biases(&gpu, rows, (samples, 0), 0.0, &mut self.sums, &mut sums)?;
            launch!(&gpu, "follow_means", each(rows.width);
                &sums, offsets, &(rows.width as u32), &(samples.max(1) as f32), &share)?;
        }
        Ok(())
    }

    pub(super) fn step_along(&mut self, statistics: &GpuStatistics, rule: &StepRule) -> Result<()> {
        let Some(sums) = &statistics.sums else { return Ok(()) };
        let (gpu, samples) = (Arc::clone(&self.gpu), statistics.samples);
        let (height, width) = (self.v.width, self.p.width);
        let (scale, momentum) = (rule.scale(samples), rule.momentum);
        let Values { w, hb, vb } = &mut self.parameters;
        let velocities = &mut self.velocities;
        let largest = gpu.address(&self.largest);
        // What a centred step then takes from them counts with it.
        let of_biases = if self.offsets.is_some() { 0 } else { largest };
        for (gradient, bias, velocity) in
            [(&sums.hb, &mut *hb, &mut velocities.hb), (&sums.vb, &mut *vb, &mut velocities.vb)]
        {
            let n = bias.len();
            launch!(&gpu, "step_biases_along", each(n);
                gradient, &(n as u32), &scale, &momentum, bias, velocity, &of_biases)?;
        }
        self.x_is_current = false;
        let Some((mu, lambda)) = &self.offsets else {
            let rounded = self.rounded.as_mut();
            return step_weights(&gpu, &sums.w, (&mut velocities.w, w, rounded), samples, rule, &mut self.largest);
        };
        let (n, rounded) = (height * width, self.rounded.as_ref().map_or(0, |rounded| gpu.address(rounded)));
        launch!(&gpu, "step_weights_centred", blocks(n.div_ceil(256).min(BLOCKS));
            &sums.w, mu, &sums.vb, &sums.hb, lambda, &mut velocities.w, w, &rounded, &(n as u64), &(width as u32),
            &scale, &rule.learning_rate, &momentum, &rule.l2, &rule.l1, &largest)?;
        launch!(&gpu, "shift_hidden", columns(width);
            &velocities.w, mu, &(height as u32), &(width as u32), hb, &largest)?;
        launch!(&gpu, "shift_visible", blocks(height);
            &velocities.w, lambda, &(width as u32), vb, &largest)
    }

    pub(super) fn follow_ahead(
        &mut self,
        slow: &Self,
        statistics: &GpuStatistics,
        rate: f32,
        decay: f32,
    ) -> Result<()> {
        let Some(sums) = &statistics.sums else { return Ok(()) };
        let (gpu, scale) = (Arc::clone(&self.gpu), rate / statistics.samples.max(1) as f32);
        let rounded = self.rounded.as_ref().map_or(0, |rounded| gpu.address(rounded));
        let (fast, own) = (&mut self.velocities, &mut self.parameters);
        for (gradient, slow, fast, own, rounded) in [
            (&sums.w, &slow.parameters.w, &mut fast.w, &mut own.w, rounded),
            (&sums.hb, &slow.parameters.hb, &mut fast.hb, &mut own.hb, 0),
            (&sums.vb, &slow.parameters.vb, &mut fast.vb, &mut own.vb, 0),
        ] {
            let n = own.len();
            launch!(&gpu, "run_ahead", blocks(n.div_ceil(256).min(BLOCKS));
                gradient, slow, fast, own, &rounded, &(n as u64), &scale, &decay)?;
        }
        self.x_is_current = false;
        Ok(())
    }

    pub(super) fn follow_slowly(&mut self, other: &Self, share: f32) -> Result<()> {
        let gpu = Arc::clone(&self.gpu);
        let rounded = self.rounded.as_ref().map_or(0, |rounded| gpu.address(rounded));
        let (own, other) = (&mut self.parameters, &other.parameters);
        for (other, own, rounded) in
            [(&other.w, &mut own.w, rounded), (&other.hb, &mut own.hb, 0), (&other.vb, &mut own.vb, 0)]
        {
            let n = own.len();
            launch!(&gpu, "approach", blocks(n.div_ceil(256).min(BLOCKS));
                other, own, &rounded, &(n as u64), &share)?;
        }
        self.x_is_current = false;
        Ok(())
    }
}

/// Samples a chain.
fn ratio(samples: usize, chains: usize) -> f32 {
    samples as f32 / chains.max(1) as f32
}
