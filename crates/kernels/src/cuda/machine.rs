//! An RBM on the device, and the operations learning rules are made of: [`crate::PackedRbm`] there.
//!
//! Visible rows hold the visible units, padding, and where there is a label group its units and
//! their padding: one-hot labels of the data, p(y|h) of the chains. Two matrices hold the batch
//! above the chains, so that one product gives the gradient of both phases:
//!
//! ```text
//! gradient = [v0; v]ᵀ [p0; -r p]           r: samples a chain
//! ```

use super::gpu::{Factor, Gpu, columns, each, launch, typed};
use super::layout::{Layout, Values};
use super::rows::{Feed, Rows, padded};
use super::steps::{Biases, read_largest, rounded, step_weights};
use crate::learn::Sparsity;
use crate::machine::Parameters;
use crate::precision::Precision;
use crate::rng::Uniforms;
use crate::states::{Batch, Bits};
use crate::update::StepRule;
use candle_core::Result;
use candle_core::cuda_backend::WrapErr;
use candle_core::cuda_backend::cudarc::driver::CudaSlice;
use std::sync::Arc;

/// An RBM with Bernoulli units on the device, and everything one training step needs: see
/// [`crate::PackedRbm`] for the order of calls.
pub struct GpuRbm {
    pub(super) gpu: Arc<Gpu>,
    precision: Precision,
    pub(super) layout: Layout,
    pub(super) parameters: Values,
    velocities: Values,
    /// The weights in BF16, where products take them so.
    rounded: Option<CudaSlice<u16>>,

    feed: Feed,
    label_feed: Feed,
    chain_feed: Feed,
    /// The batch, and below it the chains.
    v: Rows,
    /// p(h|v0), and below it -r p(h|v).
    p: Rows,
    h: Rows,
    /// Products of visible rows, and of hidden ones.
    x: CudaSlice<f32>,
    y: CudaSlice<f32>,
    gradient: CudaSlice<f32>,
    samples: usize,
    /// Chains to keep room for.
    most_chains: usize,
    /// Whether `x` belongs to the chains' visible states.
    x_is_current: bool,
    largest: CudaSlice<u32>,
    /// Room for sums of biases' gradients.
    sums: CudaSlice<f32>,
    /// The weights when [`Self::remember`] was called.
    before: Option<CudaSlice<f32>>,
}

impl GpuRbm {
    /// Puts `parameters` of an RBM with `visible` x `hidden` units on the device.
    ///
    /// # Errors
    /// If the device is out of memory.
    ///
    /// # Panics
    /// If the lengths do not fit the sizes.
    pub fn new(
        gpu: &Arc<Gpu>,
        precision: Precision,
        visible: usize,
        hidden: usize,
        parameters: &Parameters,
    ) -> Result<Self> {
        let layout = Layout::of(visible, hidden, parameters);
        let (rows, columns) = (layout.visible_width(), layout.hidden_width());
        let parameters = layout.upload(gpu, parameters, f32::NEG_INFINITY)?;
        Ok(Self {
            precision,
            layout,
            rounded: rounded(gpu, precision, &parameters.w)?,
            parameters,
            velocities: Values { w: gpu.zeros(rows * columns)?, hb: gpu.zeros(columns)?, vb: gpu.zeros(rows)? },
            feed: Feed::new(gpu)?,
            label_feed: Feed::new(gpu)?,
            chain_feed: Feed::new(gpu)?,
            v: Rows::new(gpu, precision, rows)?,
            p: Rows::new(gpu, precision, columns)?,
            h: Rows::new(gpu, precision, columns)?,
            x: gpu.zeros(0)?,
            y: gpu.zeros(0)?,
            gradient: gpu.zeros(rows * columns)?,
            samples: 0,
            most_chains: 0,
            x_is_current: false,
            largest: gpu.zeros(1)?,
            sums: gpu.zeros(0)?,
            before: None,
            gpu: Arc::clone(gpu),
        })
    }

    /// Number of visible units.
    #[must_use]
    pub fn visible(&self) -> usize {
        self.layout.visible
    }

    /// Number of hidden units.
    #[must_use]
    pub fn hidden(&self) -> usize {
        self.layout.hidden
    }

    /// The parameters, row-major.
    ///
    /// # Errors
    /// If the device failed.
    pub fn parameters(&self) -> Result<Parameters> {
        self.layout.download(&self.gpu, &self.parameters)
    }

    /// The velocities that momentum keeps.
    ///
    /// # Errors
    /// If the device failed.
    pub fn velocities(&self) -> Result<Parameters> {
        self.layout.download(&self.gpu, &self.velocities)
    }

    /// Continues with the velocities of an earlier run.
    ///
    /// # Errors
    /// If the device is out of memory.
    ///
    /// # Panics
    /// If a length does not fit.
    pub fn set_velocities(&mut self, velocities: &Parameters) -> Result<()> {
        assert_eq!(Layout::of(self.visible(), self.hidden(), velocities), self.layout, "velocities of this RBM");
        self.velocities = self.layout.upload(&self.gpu, velocities, 0.0)?;
        Ok(())
    }

    /// Weights as a factor of a product.
    fn weights(&self, transposed: bool) -> Factor {
        let at = match &self.rounded {
            Some(rounded) => self.gpu.address(rounded),
            None => self.gpu.address(&self.parameters.w),
        };
        Factor { at, columns: self.layout.hidden_width(), transposed }
    }

    /// Makes room for a batch and chains.
    fn make_room(&mut self, samples: usize) -> Result<()> {
        let (gpu, chains) = (&self.gpu, samples.max(self.h.count).max(self.most_chains));
        self.v.reshape(gpu, samples + chains)?;
        self.p.reshape(gpu, samples + chains)?;
        for (buffer, width) in [(&mut self.x, self.p.width), (&mut self.y, self.v.width)] {
            if buffer.len() < chains * width {
                *buffer = gpu.zeros(chains * width)?;
            }
        }
        self.samples = samples;
        Ok(())
    }

    /// `x = v W` of the visible rows from `first` on.
    fn product_up(&mut self, first: usize, rows: usize) -> Result<()> {
        let sizes = [rows, self.v.width, self.p.width];
        let (left, right) = (self.v.factor(&self.gpu, first, false), self.weights(false));
        self.gpu.product(self.precision, sizes, left, right, self.gpu.address(&self.x))
    }

    /// Puts a batch on the device, and its labels, which a machine without a label group ignores.
    ///
    /// # Errors
    /// If the device is out of memory.
    ///
    /// # Panics
    /// If there is a label group and not one label of it a sample.
    pub fn set_data(&mut self, v0: &Batch, labels: &[u32]) -> Result<()> {
        self.make_room(v0.rows())?;
        let gpu = Arc::clone(&self.gpu);
        self.feed.load(&gpu, v0, &mut self.v, 0)?;
        self.set_labels(labels)
    }

    /// The same for a batch that is already there.
    ///
    /// # Errors
    /// If the device is out of memory.
    ///
    /// # Panics
    /// As [`Self::set_data`].
    pub fn set_data_rows(&mut self, v0: &Rows, labels: &[u32]) -> Result<()> {
        self.make_room(v0.count)?;
        let (rows, width, stride) = (v0.count as u32, v0.width as u32, self.v.width as u32);
        launch!(&self.gpu, typed!(v0.number, "copy"), each(v0.count * v0.width);
            &v0.data, &mut self.v.data, &rows, &width, &width, &stride)?;
        self.set_labels(labels)
    }

    fn set_labels(&mut self, labels: &[u32]) -> Result<()> {
        let (classes, at, gpu) = (self.layout.classes, self.layout.labels_at(), Arc::clone(&self.gpu));
        if classes == 0 {
            return Ok(());
        }
        require_labels(labels, self.samples, classes);
        self.label_feed.load_labels(&gpu, labels, &mut self.v, at, padded(classes))
    }

    /// The positive phase: p(h|v0, y), and with `draw` also h ~ p(h|v0, y), where the chains then
    /// start. Without, the chains are those that [`Self::set_hidden_states`] set.
    ///
    /// # Errors
    /// If the device is out of memory or failed.
    pub fn infer_hidden(&mut self, draw: Option<Uniforms>) -> Result<()> {
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

    /// Half a Gibbs step down: v ~ p(v|h), and the labels' p(y|h).
    ///
    /// # Errors
    /// If the device failed.
    pub fn sample_visible(&mut self, draw: Uniforms) -> Result<()> {
        self.visible_units(Some(draw))
    }

    /// As [`Self::sample_visible`], with the probabilities p(v|h) themselves in place of states.
    ///
    /// # Errors
    /// If the device failed.
    pub fn mean_visible(&mut self) -> Result<()> {
        self.visible_units(None)
    }

    fn visible_units(&mut self, draw: Option<Uniforms>) -> Result<()> {
        let (first, chains, stride) = (self.samples, self.h.count, self.v.width);
        let sizes = [chains, self.p.width, stride];
        let (left, right) = (self.h.factor(&self.gpu, 0, false), self.weights(true));
        self.gpu.product(self.precision, sizes, left, right, self.gpu.address(&self.y))?;
        let (visible, number) = (padded(self.layout.visible), self.v.number);
        let mut rows = self.v.view_mut(first..first + chains);
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
    fn labels(&mut self, draw: Option<Uniforms>) -> Result<()> {
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
            &self.y.slice(at..), &self.parameters.vb.slice(at..), &1.0f32, &mut p, &(classes as u32), &(stride as u32),
            &u32::from(draw.is_some()), &key0, &key1, &step, &purpose)
    }

    /// Draws the labels of the last down pass: states in the place of p(y|h).
    ///
    /// # Errors
    /// If the device failed.
    pub fn sample_labels(&mut self, draw: Uniforms) -> Result<()> {
        self.labels(Some(draw))
    }

    /// Half a Gibbs step up: h ~ p(h|v) for the visible states, and the label probabilities, of
    /// the last down pass.
    ///
    /// # Errors
    /// If the device failed.
    pub fn sample_hidden(&mut self, draw: Uniforms) -> Result<()> {
        self.product_of_chains()?;
        let (n, width) = (self.h.count as u32, self.p.width as u32);
        let [key0, key1, step, purpose] = draw.key_and_counter();
        launch!(&self.gpu, typed!(self.h.number, "states"), each(self.h.count * self.p.width / 4);
            &self.x, &self.parameters.hb, &mut self.h.data, &n, &width, &width, &0u32,
            &key0, &key1, &step, &purpose)
    }

    fn product_of_chains(&mut self) -> Result<()> {
        if !self.x_is_current {
            self.product_up(self.samples, self.h.count)?;
            self.x_is_current = true;
        }
        Ok(())
    }

    /// The negative phase's last p(h|v) and the update of all parameters, as
    /// [`crate::PackedRbm::update`] has it. The largest parameter is kept on the device:
    /// [`Self::largest`] reads it.
    ///
    /// # Errors
    /// If the device failed.
    pub fn update(&mut self, rule: &StepRule, sparsity: Sparsity) -> Result<()> {
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
            &self.x, &self.parameters.hb, &mut negative, &(chains as u32), &width, &width, &-r)?;
        self.step(rule)
    }

    /// The same update with hidden states in the place of probabilities: those that the positive
    /// phase drew, which `h0` holds, and those of the chains, drawn after the last down pass.
    ///
    /// # Errors
    /// If the device failed.
    pub fn update_from_states(&mut self, h0: &Rows, rule: &StepRule) -> Result<()> {
        let (samples, chains, width) = (self.samples, self.h.count, self.p.width as u32);
        let (r, gpu) = (ratio(samples, chains), Arc::clone(&self.gpu));
        self.p.copy(&gpu, 0, h0, 0, samples)?;
        let mut negative = self.p.view_mut(samples..samples + chains);
        launch!(&gpu, typed!(self.h.number, "scale"), each(chains * width as usize);
            &self.h.data, &mut negative, &(chains as u32), &width, &width, &-r)?;
        self.step(rule)
    }

    fn step(&mut self, rule: &StepRule) -> Result<()> {
        let (gpu, samples, chains) = (Arc::clone(&self.gpu), self.samples, self.h.count);
        let (v, p) = (&self.v, &self.p);
        let sizes = [v.width, samples + chains, p.width];
        let (left, right) = (v.factor(&gpu, 0, true), p.factor(&gpu, 0, false));
        gpu.product(self.precision, sizes, left, right, gpu.address(&self.gradient))?;

        let (rate, momentum) = (rule.learning_rate / samples.max(1) as f32, rule.momentum);
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

    /// The largest |weight| or |bias| of all updates since this was last asked; NaN if one was NaN.
    /// Waits for the device.
    ///
    /// # Errors
    /// If the device failed.
    pub fn largest(&mut self) -> Result<f32> {
        read_largest(&self.gpu, &mut self.largest)
    }

    /// Remembers the weights, for [`Self::norm_and_change`].
    ///
    /// # Errors
    /// If the device is out of memory.
    pub fn remember(&mut self) -> Result<()> {
        let before = match &mut self.before {
            Some(before) => before,
            None => self.before.insert(self.gpu.zeros(self.parameters.w.len())?),
        };
        self.gpu.stream.memcpy_dtod(&self.parameters.w, before).w()
    }

    /// The Euclidean norms of the weights, and of their change since [`Self::remember`] was called: 0 if
    /// it never was.
    ///
    /// # Errors
    /// If the device failed.
    pub fn norm_and_change(&self) -> Result<(f64, f64)> {
        // The labels' weights come after those of the visible units.
        let (blocks, n) = (256, self.layout.visible * self.layout.hidden_width());
        let mut sums = self.gpu.zeros::<f64>(2 * blocks)?;
        let before = self.before.as_ref().unwrap_or(&self.parameters.w);
        launch!(&self.gpu, "squares", super::gpu::blocks(blocks);
            &self.parameters.w, before, &(n as u64), &mut sums)?;
        let sums = self.gpu.stream.clone_dtoh(&sums).w()?;
        let root = |at: usize| sums.chunks_exact(2).map(|pair| pair[at]).sum::<f64>().sqrt();
        Ok((root(0), root(1)))
    }

    /// The hidden states of the chains.
    ///
    /// # Errors
    /// If the device failed.
    pub fn hidden_states(&self) -> Result<Bits> {
        self.h.to_bits(&self.gpu, 0..self.h.count, self.layout.hidden)
    }

    /// The visible states of the chains.
    ///
    /// # Errors
    /// If the device failed.
    pub fn visible_states(&self) -> Result<Bits> {
        let rows = self.samples..self.samples + self.h.count;
        self.v.to_bits(&self.gpu, rows, self.layout.visible)
    }

    /// Sets the hidden states, and with them the number of chains.
    ///
    /// # Errors
    /// If the device is out of memory.
    pub fn set_hidden_states(&mut self, h: &Bits) -> Result<()> {
        let gpu = Arc::clone(&self.gpu);
        self.most_chains = self.most_chains.max(h.rows());
        self.h.reshape(&gpu, h.rows())?;
        self.chain_feed.load(&gpu, &Batch::Binary(h.clone()), &mut self.h, 0)?;
        self.x_is_current = false;
        Ok(())
    }

    /// Packed hidden states that [`Self::keep_chains`] kept.
    ///
    /// # Errors
    /// If the device failed.
    pub fn states_of(&self, rows: &Rows) -> Result<Bits> {
        rows.to_bits(&self.gpu, 0..rows.count, self.layout.hidden)
    }

    /// Rows for visible units, without labels.
    ///
    /// # Errors
    /// If the device is out of memory.
    pub fn visible_rows(&self) -> Result<Rows> {
        Rows::new(&self.gpu, self.precision, padded(self.layout.visible))
    }

    /// Rows for hidden states.
    ///
    /// # Errors
    /// If the device is out of memory.
    pub fn hidden_rows(&self) -> Result<Rows> {
        Rows::new(&self.gpu, self.precision, self.h.width)
    }

    /// Copies the chains' hidden states to `rows`.
    ///
    /// # Errors
    /// If the device is out of memory.
    pub fn keep_chains(&self, rows: &mut Rows) -> Result<()> {
        rows.reshape(&self.gpu, self.h.count)?;
        rows.copy(&self.gpu, 0, &self.h, 0, self.h.count)
    }

    /// Goes on with other chains, at most as many as there are samples or were ever set by
    /// [`Self::set_hidden_states`].
    pub fn swap_chains(&mut self, rows: &mut Rows) {
        std::mem::swap(&mut self.h, rows);
        self.x_is_current = false;
    }

    /// Copies the chains' visible states of the last down pass, without labels, to `rows`.
    ///
    /// # Errors
    /// If the device is out of memory.
    pub fn keep_fantasy(&self, rows: &mut Rows) -> Result<()> {
        rows.reshape(&self.gpu, self.h.count)?;
        let source = self.v.view(self.samples..self.samples + self.h.count);
        let (n, width, stride) = (self.h.count as u32, rows.width as u32, self.v.width as u32);
        launch!(&self.gpu, typed!(self.v.number, "copy"), each(self.h.count * rows.width);
            &source, &mut rows.data, &n, &width, &stride, &width)
    }
}

/// Refuses labels that are not those of `samples` samples.
pub(super) fn require_labels(labels: &[u32], samples: usize, classes: usize) {
    assert_eq!(labels.len(), samples, "one label a sample");
    assert!(labels.iter().all(|&label| (label as usize) < classes), "labels below the number of classes");
}

/// Samples a chain.
fn ratio(samples: usize, chains: usize) -> f32 {
    samples as f32 / chains.max(1) as f32
}
