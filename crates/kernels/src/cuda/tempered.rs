//! Chains of an RBM on the path from a model without weights: [`crate::Tempered`] on the device, in F32
//! and at one inverse temperature for all of them.

use super::gpu::{Factor, Gpu, blocks, each, launch};
use super::layout::{Layout, Values};
use super::machine::require_labels;
use super::rows::{Feed, Rows, padded};
use crate::machine::Parameters;
use crate::precision::Precision;
use crate::states::{Batch, Bits};
use crate::tempered::{GibbsDraws, PathBiases};
use candle_core::Result;
use candle_core::cuda_backend::WrapErr;
use candle_core::cuda_backend::cudarc::driver::CudaSlice;
use std::sync::Arc;

/// An RBM with Bernoulli units on the device, and chains of its visible states. See
/// [`crate::Tempered`] for the formulas.
pub struct GpuTempered {
    gpu: Arc<Gpu>,
    layout: Layout,
    parameters: Values,
    /// Offsets and slopes of the biases along the path; those of the labels are 0 and the label biases.
    visible_offset: CudaSlice<f32>,
    visible_slope: CudaSlice<f32>,
    hidden_offset: CudaSlice<f32>,
    hidden_slope: CudaSlice<f32>,
    label_b: Vec<f32>,
    feed: Feed,
    v: Rows,
    h: Rows,
    x: CudaSlice<f32>,
    y: CudaSlice<f32>,
    linear: CudaSlice<f64>,
    log_weights: CudaSlice<f64>,
}

impl GpuTempered {
    /// Puts `parameters` of an RBM with `visible` x `hidden` units on the device, on the path from independent
    /// visible units with biases `base` and fair hidden ones; [`Self::set_biases`] chooses another path.
    ///
    /// # Errors
    /// If the device is out of memory.
    ///
    /// # Panics
    /// If the lengths do not fit the sizes.
    pub fn new(gpu: &Arc<Gpu>, visible: usize, hidden: usize, parameters: &Parameters, base: &[f32]) -> Result<Self> {
        let layout = Layout::of(visible, hidden, parameters);
        assert_eq!(base.len(), visible, "a bias at β = 0 for each visible unit");
        let (rows, columns) = (layout.visible_width(), layout.hidden_width());
        let mut tempered = Self {
            layout,
            // Padding is left out by its place: minus infinity times β = 0 is no bias.
            parameters: layout.upload(gpu, parameters, 0.0)?,
            visible_offset: gpu.zeros(rows)?,
            visible_slope: gpu.zeros(rows)?,
            hidden_offset: gpu.zeros(columns)?,
            hidden_slope: gpu.zeros(columns)?,
            label_b: parameters.label_b.clone(),
            feed: Feed::new(gpu)?,
            v: Rows::new(gpu, Precision::F32, rows)?,
            h: Rows::new(gpu, Precision::F32, columns)?,
            x: gpu.zeros(0)?,
            y: gpu.zeros(0)?,
            linear: gpu.zeros(0)?,
            log_weights: gpu.zeros(0)?,
            gpu: Arc::clone(gpu),
        };
        tempered.set_biases(&PathBiases::from_visible(parameters, base))?;
        Ok(tempered)
    }

    /// Changes the biases along the path; the chains stay where they are.
    ///
    /// # Errors
    /// If the device is out of memory.
    ///
    /// # Panics
    /// If the lines are not one a unit.
    pub fn set_biases(&mut self, biases: &PathBiases) -> Result<()> {
        let (gpu, layout) = (Arc::clone(&self.gpu), self.layout);
        let visible = |values: &[f32], labels: &[f32]| gpu.upload(&layout.visible_biases(values, labels, 0.0));
        let hidden = |values: &[f32]| {
            let mut padded = vec![0.0; layout.hidden_width()];
            padded[..layout.hidden].copy_from_slice(values);
            gpu.upload(&padded)
        };
        self.visible_offset = visible(&biases.visible.offset, &vec![0.0; layout.classes])?;
        self.visible_slope = visible(&biases.visible.slope, &self.label_b)?;
        self.hidden_offset = hidden(&biases.hidden.offset)?;
        self.hidden_slope = hidden(&biases.hidden.slope)?;
        self.sum_linear()
    }

    /// Number of chains.
    #[must_use]
    pub fn chains(&self) -> usize {
        self.v.count
    }

    fn make_room(&mut self, chains: usize) -> Result<()> {
        let gpu = &self.gpu;
        self.v.reshape(gpu, chains)?;
        self.h.reshape(gpu, chains)?;
        self.x = gpu.zeros(chains * self.h.width)?;
        self.y = gpu.zeros(chains * self.v.width)?;
        (self.linear, self.log_weights) = (gpu.zeros(chains)?, gpu.zeros(chains)?);
        Ok(())
    }

    /// Starts `chains` chains from the exact distribution at β = 0.
    ///
    /// # Errors
    /// If the device is out of memory.
    pub fn start(&mut self, chains: usize, draws: &GibbsDraws) -> Result<()> {
        self.make_room(chains)?;
        // The products and β are zero: what is left are the biases at β = 0.
        self.visible_units(0.0, draws)?;
        self.sum_linear()
    }

    /// Starts chains from visible states and, where there is a label group, labels.
    ///
    /// # Errors
    /// If the device is out of memory.
    ///
    /// # Panics
    /// If the states have another number of units, or there is not one label a chain.
    pub fn start_from(&mut self, v: &Bits, labels: &[u32]) -> Result<()> {
        assert_eq!(v.units(), self.layout.visible, "states of the visible units");
        self.make_room(v.rows())?;
        let gpu = Arc::clone(&self.gpu);
        self.feed.load(&gpu, &Batch::Binary(v.clone()), &mut self.v, 0)?;
        let (at, classes) = (self.layout.labels_at(), self.layout.classes);
        if classes > 0 {
            require_labels(labels, v.rows(), classes);
            Feed::new(&gpu)?.load_labels(&gpu, labels, &mut self.v, at, padded(classes))?;
        }
        self.sum_linear()
    }

    /// The visible states of the chains.
    ///
    /// # Errors
    /// If the device failed.
    pub fn states(&self) -> Result<Bits> {
        self.v.to_bits(&self.gpu, 0..self.v.count, self.layout.visible)
    }

    /// The hidden states of the last step.
    ///
    /// # Errors
    /// If the device failed.
    pub fn hidden_states(&self) -> Result<Bits> {
        self.h.to_bits(&self.gpu, 0..self.h.count, self.layout.hidden)
    }

    fn sum_linear(&mut self) -> Result<()> {
        if self.v.count == 0 {
            return Ok(());
        }
        launch!(&self.gpu, "linear_terms", blocks(self.v.count);
            &self.v.data, &self.visible_slope, &(self.v.width as u32), &mut self.linear)
    }

    /// As [`crate::Tempered::anneal`], with one β for all chains, and the log weights kept on the
    /// device: [`Self::log_weights`] reads them.
    ///
    /// # Errors
    /// If the device failed.
    pub fn anneal(&mut self, from: f32, to: f32, draws: Option<&GibbsDraws>) -> Result<()> {
        let (gpu, chains) = (Arc::clone(&self.gpu), self.v.count);
        if chains == 0 {
            return Ok(());
        }
        let (visible, hidden) = (self.v.width, self.h.width);
        let w = |transposed| Factor { at: gpu.address(&self.parameters.w), columns: hidden, transposed };
        let sizes = [chains, visible, hidden];
        gpu.product(Precision::F32, sizes, self.v.factor(&gpu, 0, false), w(false), gpu.address(&self.x))?;
        launch!(&gpu, "anneal_weights", blocks(chains);
            &self.x, &self.hidden_slope, &self.hidden_offset, &self.linear, &from, &to,
            &(self.layout.hidden as u32), &(hidden as u32), &mut self.log_weights)?;
        let Some(draws) = draws else { return Ok(()) };
        let (n, units, width) = (chains as u32, self.layout.hidden as u32, hidden as u32);
        let [key0, key1, step, purpose] = draws.hidden.key_and_counter();
        launch!(&gpu, "tempered_states", each(chains * hidden / 4);
            &self.x, &self.hidden_slope, &self.hidden_offset, &to, &mut self.h.data, &n, &units, &width, &width,
            &key0, &key1, &step, &purpose)?;
        let sizes = [chains, hidden, visible];
        gpu.product(Precision::F32, sizes, self.h.factor(&gpu, 0, false), w(true), gpu.address(&self.y))?;
        self.visible_units(to, draws)?;
        self.sum_linear()
    }

    /// v and y at inverse temperature `beta` from the products in `y`.
    fn visible_units(&mut self, beta: f32, draws: &GibbsDraws) -> Result<()> {
        let (gpu, chains, layout) = (Arc::clone(&self.gpu), self.v.count, self.layout);
        let (n, stride) = (chains as u32, self.v.width as u32);
        let (units, width) = (layout.visible as u32, padded(layout.visible) as u32);
        let [key0, key1, step, purpose] = draws.visible.key_and_counter();
        launch!(&gpu, "tempered_states", each(chains * padded(layout.visible) / 4);
            &self.y, &self.visible_slope, &self.visible_offset, &beta, &mut self.v.data, &n, &units, &width, &stride,
            &key0, &key1, &step, &purpose)?;
        let (at, classes) = (layout.labels_at(), layout.classes);
        if classes == 0 {
            return Ok(());
        }
        let mut labels = self.v.data.slice_mut(at * 4..);
        let [key0, key1, step, purpose] = draws.label.key_and_counter();
        launch!(&gpu, "labels_f32", blocks(chains);
            &self.y.slice(at..), &self.visible_slope.slice(at..), &beta, &mut labels, &(classes as u32), &stride, &1u32,
            &key0, &key1, &step, &purpose)
    }

    /// The log weights so far, which start again from 0.
    ///
    /// # Errors
    /// If the device failed.
    pub fn log_weights(&mut self) -> Result<Vec<f64>> {
        let mut log_weights = self.gpu.stream.clone_dtoh(&self.log_weights).w()?;
        log_weights.truncate(self.v.count);
        self.gpu.stream.memset_zeros(&mut self.log_weights).w()?;
        Ok(log_weights)
    }
}
