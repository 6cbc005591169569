//! Chains of an RBM on the path from a model without weights: [`crate::Tempered`] on the device, in F32.

use super::gpu::{Factor, Gpu, blocks, each, launch};
use super::layout::{Layout, Values};
use super::rbm::{GpuRbm, require_labels};
use super::rows::{Feed, Rows, padded};
use crate::engine::{Betas, Tempering};
use crate::learning::parameters::Parameters;
use crate::measures::path::{GibbsDraws, PathBiases};
use crate::precision::Precision;
use crate::states::batch::Batch;
use candle_core::Result;
use candle_core::cuda_backend::WrapErr;
use candle_core::cuda_backend::cudarc::driver::CudaSlice;
use std::sync::Arc;

/// An RBM with Bernoulli units on the device, and chains of its visible states: [`Tempering`] there. See
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
    feed: Feed,
    label_feed: Feed,
    v: Rows,
    h: Rows,
    x: CudaSlice<f32>,
    y: CudaSlice<f32>,
    linear: CudaSlice<f64>,
    log_weights: CudaSlice<f64>,
    /// Room for inverse temperatures from which and to which chains go.
    from: CudaSlice<f32>,
    to: CudaSlice<f32>,
}

/// Inverse temperatures as the kernels take them: an address, null where one number is all of them.
#[derive(Clone, Copy)]
struct Beta {
    each: u64,
    all: f32,
}

/// The same from those of a caller, with room for one a chain.
fn upload(gpu: &Gpu, betas: Betas<'_>, chains: usize, room: &mut CudaSlice<f32>) -> Result<Beta> {
    match betas {
        Betas::All(all) => Ok(Beta { each: 0, all }),
        Betas::Each(betas) => {
            assert_eq!(betas.len(), chains, "one inverse temperature a chain");
            *room = gpu.upload(betas)?;
            Ok(Beta { each: gpu.address(room), all: 0.0 })
        }
    }
}

impl GpuTempered {
    /// Puts `parameters` of an RBM with `visible` x `hidden` units on the device, on the path from independent
    /// visible units with biases `base` and fair hidden ones; [`Tempering::set_biases`] chooses another path.
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
        let no_biases = vec![0.0; visible];
        let mut tempered = Self {
            layout,
            // Padding is left out by its place: minus infinity times β = 0 is no bias.
            parameters: layout.upload(gpu, parameters, 0.0)?,
            visible_offset: gpu.zeros(rows)?,
            // The label biases, which every path has.
            visible_slope: gpu.upload(&layout.visible_biases(&no_biases, &parameters.label_b, 0.0))?,
            hidden_offset: gpu.zeros(columns)?,
            hidden_slope: gpu.zeros(columns)?,
            feed: Feed::new(gpu)?,
            label_feed: Feed::new(gpu)?,
            v: Rows::new(gpu, Precision::F32, rows)?,
            h: Rows::new(gpu, Precision::F32, columns)?,
            x: gpu.zeros(0)?,
            y: gpu.zeros(0)?,
            linear: gpu.zeros(0)?,
            log_weights: gpu.zeros(0)?,
            from: gpu.zeros(0)?,
            to: gpu.zeros(0)?,
            gpu: Arc::clone(gpu),
        };
        tempered.set_biases(&PathBiases::from_visible(parameters, base))?;
        Ok(tempered)
    }

    /// Takes over the parameters of an RBM in training; the chains stay where they are.
    pub(super) fn follow(&mut self, rbm: &GpuRbm) -> Result<()> {
        assert_eq!(self.layout, rbm.layout, "an RBM of the same sizes");
        let (gpu, own, its) = (Arc::clone(&self.gpu), &mut self.parameters, &rbm.parameters);
        for (from, to) in [(&its.w, &mut own.w), (&its.hb, &mut own.hb), (&its.vb, &mut own.vb)] {
            gpu.stream.memcpy_dtod(from, to).w()?;
        }
        for (end, offset, slope) in [
            (&its.vb, &self.visible_offset, &mut self.visible_slope),
            (&its.hb, &self.hidden_offset, &mut self.hidden_slope),
        ] {
            let n = slope.len();
            launch!(&gpu, "bias_slopes", each(n); end, offset, slope, &(n as u32))?;
        }
        self.sum_linear()
    }

    fn make_room(&mut self, chains: usize) -> Result<()> {
        let gpu = Arc::clone(&self.gpu);
        if self.v.count == chains && self.linear.len() == chains {
            return gpu.stream.memset_zeros(&mut self.log_weights).w();
        }
        self.v.reshape(&gpu, chains)?;
        self.h.reshape(&gpu, chains)?;
        self.x = gpu.zeros(chains * self.h.width)?;
        self.y = gpu.zeros(chains * self.v.width)?;
        (self.linear, self.log_weights) = (gpu.zeros(chains)?, gpu.zeros(chains)?);
        Ok(())
    }

    fn sum_linear(&mut self) -> Result<()> {
        if self.v.count == 0 {
            return Ok(());
        }
        launch!(&self.gpu, "linear_terms", blocks(self.v.count);
            &self.v.data, &self.visible_slope, &(self.v.width as u32), &mut self.linear)
    }

    /// The products of the visible states, or of the hidden ones.
    fn product(&self, down: bool) -> Result<()> {
        let (gpu, chains, visible, hidden) = (&self.gpu, self.v.count, self.v.width, self.h.width);
        let w = Factor { at: gpu.address(&self.parameters.w), columns: hidden, transposed: down };
        let (sizes, states, out) = if down {
            ([chains, hidden, visible], &self.h, &self.y)
        } else {
            ([chains, visible, hidden], &self.v, &self.x)
        };
        gpu.product(Precision::F32, sizes, states.factor(gpu, 0, false), w, gpu.address(out))
    }

    /// h from the products in `x`, then v and y.
    fn step(&mut self, beta: Beta, draws: &GibbsDraws) -> Result<()> {
        let (gpu, chains, hidden) = (Arc::clone(&self.gpu), self.v.count, self.h.width);
        let (n, units, width) = (chains as u32, self.layout.hidden as u32, hidden as u32);
        let [key0, key1, step, purpose] = draws.hidden.key_and_counter();
        launch!(&gpu, "tempered_states", each(chains * hidden / 4);
            &self.x, &self.hidden_slope, &self.hidden_offset, &beta.each, &beta.all, &mut self.h.data, &n, &units,
            &width, &width, &key0, &key1, &step, &purpose)?;
        self.product(true)?;
        self.visible_units(beta, draws)?;
        self.sum_linear()
    }

    /// v and y at inverse temperatures from the products in `y`.
    fn visible_units(&mut self, beta: Beta, draws: &GibbsDraws) -> Result<()> {
        let (gpu, chains, layout) = (Arc::clone(&self.gpu), self.v.count, self.layout);
        let (n, stride) = (chains as u32, self.v.width as u32);
        let (units, width) = (layout.visible as u32, padded(layout.visible) as u32);
        let [key0, key1, step, purpose] = draws.visible.key_and_counter();
        launch!(&gpu, "tempered_states", each(chains * padded(layout.visible) / 4);
            &self.y, &self.visible_slope, &self.visible_offset, &beta.each, &beta.all, &mut self.v.data, &n, &units,
            &width, &stride, &key0, &key1, &step, &purpose)?;
        let (at, classes) = (layout.labels_at(), layout.classes);
        if classes == 0 {
            return Ok(());
        }
        let mut labels = self.v.data.slice_mut(at * 4..);
        let [key0, key1, step, purpose] = draws.label.key_and_counter();
        launch!(&gpu, "labels_f32", blocks(chains);
            &self.y.slice(at..), &self.visible_slope.slice(at..), &beta.each, &beta.all, &mut labels,
            &(classes as u32), &stride, &1u32, &key0, &key1, &step, &purpose)
    }
}

impl Tempering for GpuTempered {
    fn parameters(&self) -> Result<Parameters> {
        self.layout.download(&self.gpu, &self.parameters)
    }

    fn set_biases(&mut self, biases: &PathBiases) -> Result<()> {
        let (gpu, layout) = (Arc::clone(&self.gpu), self.layout);
        let visible = |values: &[f32]| gpu.upload(&layout.visible_biases(values, &vec![0.0; layout.classes], 0.0));
        let hidden = |values: &[f32]| {
            let mut padded = vec![0.0; layout.hidden_width()];
            padded[..layout.hidden].copy_from_slice(values);
            gpu.upload(&padded)
        };
        self.visible_offset = visible(&biases.visible.offset)?;
        let mut slope = visible(&biases.visible.slope)?;
        if layout.classes > 0 {
            let at = layout.labels_at();
            gpu.stream.memcpy_dtod(&self.visible_slope.slice(at..), &mut slope.slice_mut(at..)).w()?;
        }
        self.visible_slope = slope;
        self.hidden_offset = hidden(&biases.hidden.offset)?;
        self.hidden_slope = hidden(&biases.hidden.slope)?;
        self.sum_linear()
    }

    fn start(&mut self, chains: usize, draws: &GibbsDraws) -> Result<()> {
        self.make_room(chains)?;
        self.gpu.stream.memset_zeros(&mut self.y).w()?;
        // The products and β are zero: what is left are the biases at β = 0.
        self.visible_units(Beta { each: 0, all: 0.0 }, draws)?;
        self.sum_linear()
    }

    fn start_from(&mut self, v: &Batch, labels: &[u32]) -> Result<()> {
        assert_eq!(v.units(), self.layout.visible, "states of the visible units");
        self.make_room(v.rows())?;
        let gpu = Arc::clone(&self.gpu);
        self.feed.load(&gpu, v, &mut self.v, 0)?;
        let (at, classes) = (self.layout.labels_at(), self.layout.classes);
        if classes > 0 {
            require_labels(labels, v.rows(), classes);
            self.label_feed.load_labels(&gpu, labels, &mut self.v, (0, at), padded(classes))?;
        }
        self.sum_linear()
    }

    fn anneal(&mut self, from: Betas<'_>, to: Betas<'_>, draws: Option<&GibbsDraws>) -> Result<()> {
        let (gpu, chains) = (Arc::clone(&self.gpu), self.v.count);
        if chains == 0 {
            return Ok(());
        }
        let from = upload(&gpu, from, chains, &mut self.from)?;
        let to = upload(&gpu, to, chains, &mut self.to)?;
        self.product(false)?;
        launch!(&gpu, "anneal_weights", blocks(chains);
            &self.x, &self.hidden_slope, &self.hidden_offset, &self.linear, &from.each, &from.all, &to.each, &to.all,
            &(self.layout.hidden as u32), &(self.h.width as u32), &mut self.log_weights)?;
        match draws {
            Some(draws) => self.step(to, draws),
            None => Ok(()),
        }
    }

    fn gibbs(&mut self, betas: Betas<'_>, draws: &GibbsDraws) -> Result<()> {
        let (gpu, chains) = (Arc::clone(&self.gpu), self.v.count);
        if chains == 0 {
            return Ok(());
        }
        let betas = upload(&gpu, betas, chains, &mut self.to)?;
        self.product(false)?;
        self.step(betas, draws)
    }

    fn take_log_weights(&mut self) -> Result<Vec<f64>> {
        let mut log_weights = self.gpu.stream.clone_dtoh(&self.log_weights).w()?;
        log_weights.truncate(self.v.count);
        self.gpu.stream.memset_zeros(&mut self.log_weights).w()?;
        Ok(log_weights)
    }

    fn states(&self) -> Result<Batch> {
        Ok(Batch::Binary(self.v.to_bits(&self.gpu, 0..self.v.count, self.layout.visible)?))
    }

    fn labels(&self) -> Result<Vec<u32>> {
        let (classes, chains, at) = (self.layout.classes, self.v.count, self.layout.labels_at());
        if classes == 0 || chains == 0 {
            return Ok(Vec::new());
        }
        let mut chosen = self.gpu.zeros::<u32>(chains)?;
        launch!(&self.gpu, "chosen_labels", each(chains);
            &self.v.data.slice(at * 4..), &(chains as u32), &(classes as u32), &(self.v.width as u32), &mut chosen)?;
        self.gpu.stream.clone_dtoh(&chosen).w()
    }

    fn hidden_states(&self) -> Result<Batch> {
        Ok(Batch::Binary(self.h.to_bits(&self.gpu, 0..self.h.count, self.layout.hidden)?))
    }
}
