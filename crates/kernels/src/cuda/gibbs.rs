//! Gibbs steps of an RBM on the device: the positive phase, and half-steps down and up.

use super::gpu::{each, launch, typed};
use super::rbm::{GpuRbm, require_labels};
use super::rows::{Rows, padded};
use crate::engine::Shown;
use crate::rng::Uniforms;
use candle_core::Result;
use std::sync::Arc;

impl GpuRbm {
    /// `x = v W` of the visible rows from `first` on.
    fn product_up(&mut self, first: usize, rows: usize) -> Result<()> {
        let sizes = [rows, self.v.width, self.p.width];
        let (left, right) = (self.v.factor(&self.gpu, first, false), self.weights(false));
        self.gpu.product(self.precision, sizes, left, right, self.gpu.address(&self.x))
    }

    /// The same of the chains' rows, unless it is there.
    pub(super) fn product_of_chains(&mut self) -> Result<()> {
        if !self.x_is_current {
            self.product_up(self.samples, self.h.count)?;
            self.x_is_current = true;
        }
        Ok(())
    }

    /// Puts a batch and its labels above the chains.
    fn show(&mut self, v0: Shown<'_, Rows>, labels: &[u32]) -> Result<()> {
        let gpu = Arc::clone(&self.gpu);
        match v0 {
            Shown::Batch(batch) => {
                self.make_room(batch.rows())?;
                self.feed.load(&gpu, batch, &mut self.v, 0)?;
            }
            Shown::States(states) => {
                self.make_room(states.count)?;
                let (rows, width, stride) = (states.count as u32, states.width as u32, self.v.width as u32);
                launch!(&gpu, typed!(states.number, "copy"), each(states.count * states.width);
                    &states.data, &mut self.v.data, &rows, &width, &width, &stride)?;
            }
        }
        let (classes, at) = (self.layout.classes, self.layout.labels_at());
        if classes == 0 {
            return Ok(());
        }
        require_labels(labels, self.samples, classes);
        self.label_feed.load_labels(&gpu, labels, &mut self.v, (0, at), padded(classes))
    }

    pub(super) fn positive_phase(&mut self, v0: Shown<'_, Rows>, labels: &[u32], draw: Option<Uniforms>) -> Result<()> {
        self.show(v0, labels)?;
        let (samples, gpu) = (self.samples, Arc::clone(&self.gpu));
        self.product_up(0, samples)?;
        self.x_is_current = false;
        let (rows, width, number) = (samples as u32, self.p.width as u32, self.p.number);
        if let Some(draw) = draw {
            self.h.reshape(&gpu, samples)?;
            let [key0, key1, step, purpose] = draw.key_and_counter();
            return launch!(&gpu, typed!(number, "sample"), each(samples * self.p.width / 4);
                &self.x, &self.parameters.hb, &mut self.p.data, &mut self.h.data, &rows, &width, &width, &0u32,
                &key0, &key1, &step, &purpose);
        }
        launch!(&gpu, typed!(number, "probabilities"), each(samples * self.p.width);
            &self.x, &self.parameters.hb, &mut self.p.data, &rows, &width, &width, &1.0f32)
    }

    /// Half a Gibbs step down: states with `draw`, else probabilities; and the labels' p(y|h).
    pub(super) fn half_step_down(&mut self, draw: Option<Uniforms>) -> Result<()> {
        let (chains, stride) = (self.h.count, self.v.width);
        let sizes = [chains, self.p.width, stride];
        let (left, right) = (self.h.factor(&self.gpu, 0, false), self.weights(true));
        self.gpu.product(self.precision, sizes, left, right, self.gpu.address(&self.y))?;
        let (visible, number) = (padded(self.layout.visible), self.v.number);
        let mut rows = self.v.view_mut(self.chain_rows());
        let (n, width, stride) = (chains as u32, visible as u32, stride as u32);
        match draw {
            Some(draw) => {
                let [key0, key1, step, purpose] = draw.key_and_counter();
                launch!(&self.gpu, typed!(number, "states"), each(chains * visible / 4);
                    &self.y, &self.parameters.vb, &mut rows, &n, &width, &stride, &0u32,
                    &key0, &key1, &step, &purpose)?;
            }
            None => launch!(&self.gpu, typed!(number, "probabilities"), each(chains * visible);
                &self.y, &self.parameters.vb, &mut rows, &n, &width, &stride, &1.0f32)?,
        }
        self.x_is_current = false;
        self.labels(None)
    }

    /// p(y|h) of the chains after a product down, or labels drawn from them.
    pub(super) fn labels(&mut self, draw: Option<Uniforms>) -> Result<()> {
        let (at, classes, chains) = (self.layout.labels_at(), self.layout.classes, self.h.count);
        if classes == 0 || chains == 0 {
            return Ok(());
        }
        let (stride, number) = (self.v.width, self.v.number);
        let start = (self.samples * stride + at) * number.bytes();
        let mut p = self.v.data.slice_mut(start..);
        let [key0, key1, step, purpose] = draw.map_or([0; 4], |draw| draw.key_and_counter());
        let config = super::gpu::blocks(chains);
        launch!(&self.gpu, typed!(number, "labels"), config;
            &self.y.slice(at..), &self.parameters.vb.slice(at..), &0u64, &1.0f32, &mut p, &(classes as u32),
            &(stride as u32), &u32::from(draw.is_some()), &key0, &key1, &step, &purpose)
    }

    /// Half a Gibbs step up.
    pub(super) fn half_step_up(&mut self, draw: Uniforms) -> Result<()> {
        self.product_of_chains()?;
        let (n, width) = (self.h.count as u32, self.p.width as u32);
        let [key0, key1, step, purpose] = draw.key_and_counter();
        launch!(&self.gpu, typed!(self.h.number, "states"), each(self.h.count * self.p.width / 4);
            &self.x, &self.parameters.hb, &mut self.h.data, &n, &width, &width, &0u32,
            &key0, &key1, &step, &purpose)
    }
}
