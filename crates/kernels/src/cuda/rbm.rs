//! An RBM on the device: [`crate::PackedRbm`] there. What it does is in `gibbs.rs` and `learning.rs`, and
//! [`crate::Engine`] for all to call in `engine.rs`.
//!
//! Visible rows hold the visible units, padding, and where there is a label group its units and
//! their padding: one-hot labels of the data, p(y|h) of the chains. Two matrices hold the batch
//! above the chains, so that one product gives the gradient of both phases:
//!
//! ```text
//! gradient = [v0; v]ᵀ [p0; -r p]           r: samples a chain
//! ```

use super::gpu::{Factor, Gpu, OnGpu};
use super::layout::{Layout, Values};
use super::rows::{Feed, Rows};
use super::steps::rounded;
use crate::learning::parameters::Parameters;
use crate::precision::Precision;
use crate::states::batch::Batch;
use crate::states::bits::Bits;
use candle_core::Result;
use candle_core::cuda_backend::WrapErr;
use candle_core::cuda_backend::cudarc::driver::CudaSlice;
use std::sync::Arc;

/// An RBM with Bernoulli units on the device, and everything one training step needs: an
/// [`Engine`](crate::Engine).
pub struct GpuRbm {
    pub(super) gpu: Arc<Gpu>,
    pub(super) precision: Precision,
    pub(super) layout: Layout,
    pub(super) parameters: Values,
    pub(super) velocities: Values,
    /// The weights in BF16, where products take them so.
    pub(super) rounded: Option<CudaSlice<u16>>,
    /// Offsets of the visible rows' columns, and of the hidden units.
    pub(super) offsets: Option<(CudaSlice<f32>, CudaSlice<f32>)>,

    pub(super) feed: Feed,
    pub(super) label_feed: Feed,
    pub(super) chain_feed: Feed,
    pub(super) chain_label_feed: Feed,
    /// The batch, and below it the chains.
    pub(super) v: Rows,
    /// p(h|v0), and below it -r p(h|v).
    pub(super) p: Rows,
    pub(super) h: Rows,
    /// Products of visible rows, and of hidden ones.
    pub(super) x: CudaSlice<f32>,
    pub(super) y: CudaSlice<f32>,
    pub(super) gradient: CudaSlice<f32>,
    pub(super) samples: usize,
    /// Chains to keep room for.
    most_chains: usize,
    /// Whether `x` belongs to the chains' visible states.
    pub(super) x_is_current: bool,
    pub(super) largest: CudaSlice<u32>,
    /// Room for sums of biases' gradients.
    pub(super) sums: CudaSlice<f32>,
    /// The weights that a change of them is measured from.
    pub(super) before: Option<CudaSlice<f32>>,
}

impl GpuRbm {
    /// Puts `parameters` of an RBM with `visible` x `hidden` units on the device.
    pub(super) fn new(place: &OnGpu, visible: usize, hidden: usize, parameters: &Parameters) -> Result<Self> {
        let OnGpu { gpu, precision } = place;
        let precision = *precision;
        let layout = Layout::of(visible, hidden, parameters);
        let (rows, columns) = (layout.visible_width(), layout.hidden_width());
        let parameters = layout.upload(gpu, parameters, f32::NEG_INFINITY)?;
        Ok(Self {
            precision,
            layout,
            rounded: rounded(gpu, precision, &parameters.w)?,
            parameters,
            velocities: layout.zeros(gpu)?,
            offsets: None,
            feed: Feed::new(gpu)?,
            label_feed: Feed::new(gpu)?,
            chain_feed: Feed::new(gpu)?,
            chain_label_feed: Feed::new(gpu)?,
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

    /// Weights as a factor of a product.
    pub(super) fn weights(&self, transposed: bool) -> Factor {
        let at = match &self.rounded {
            Some(rounded) => self.gpu.address(rounded),
            None => self.gpu.address(&self.parameters.w),
        };
        Factor { at, columns: self.layout.hidden_width(), transposed }
    }

    /// Makes room for a batch and chains. What is there stays.
    pub(super) fn make_room(&mut self, samples: usize) -> Result<()> {
        let (gpu, chains) = (&self.gpu, samples.max(self.h.count).max(self.most_chains));
        self.v.grow(gpu, samples + chains)?;
        self.p.grow(gpu, samples + chains)?;
        for (buffer, width) in [(&mut self.x, self.p.width), (&mut self.y, self.v.width)] {
            if buffer.len() < chains * width {
                *buffer = gpu.zeros(chains * width)?;
            }
        }
        self.samples = samples;
        Ok(())
    }

    /// So many chains, whose states are to be written. The batch stays.
    pub(super) fn make_chains(&mut self, chains: usize) -> Result<()> {
        self.most_chains = self.most_chains.max(chains);
        self.make_room(self.samples)?;
        self.h.reshape(&self.gpu, chains)?;
        self.x_is_current = false;
        Ok(())
    }

    /// The rows of the visible matrix that are the chains'.
    pub(super) fn chain_rows(&self) -> std::ops::Range<usize> {
        self.samples..self.samples + self.h.count
    }

    /// The hidden states of the chains.
    ///
    /// # Errors
    /// If the device failed.
    pub fn hidden_states(&self) -> Result<Bits> {
        self.h.to_bits(&self.gpu, 0..self.h.count, self.layout.hidden)
    }

    /// Goes on from the hidden states of other chains.
    ///
    /// # Errors
    /// If the device is out of memory.
    pub fn set_hidden_states(&mut self, h: &Bits) -> Result<()> {
        self.make_chains(h.rows())?;
        let gpu = Arc::clone(&self.gpu);
        Feed::new(&gpu)?.load(&gpu, &Batch::Binary(h.clone()), &mut self.h, 0)
    }

    /// The visible states of the chains.
    ///
    /// # Errors
    /// If the device failed.
    pub fn visible_states(&self) -> Result<Bits> {
        self.v.to_bits(&self.gpu, self.chain_rows(), self.layout.visible)
    }

    /// The Euclidean norms of the visible units' weights, and of their change.
    pub(super) fn norms(&self) -> Result<(f64, f64)> {
        use super::gpu::{blocks, launch};
        // The labels' weights come after those of the visible units.
        let (parts, n) = (256, self.layout.visible * self.layout.hidden_width());
        let mut sums = self.gpu.zeros::<f64>(2 * parts)?;
        let before = self.before.as_ref().unwrap_or(&self.parameters.w);
        launch!(&self.gpu, "squares", blocks(parts);
            &self.parameters.w, before, &(n as u64), &mut sums)?;
        let sums = self.gpu.stream.clone_dtoh(&sums).w()?;
        let root = |at: usize| sums.chunks_exact(2).map(|pair| pair[at]).sum::<f64>().sqrt();
        Ok((root(0), root(1)))
    }
}

/// Refuses labels that are not those of `samples` samples.
pub(super) fn require_labels(labels: &[u32], samples: usize, classes: usize) {
    assert_eq!(labels.len(), samples, "one label a sample");
    assert!(labels.iter().all(|&label| (label as usize) < classes), "labels below the number of classes");
}
