//! How the parameters of an RBM lie on the device: rows of weights for the visible units, padding, and
//! where there is a label group rows for its units and their padding.

use super::gpu::Gpu;
use super::rows::padded;
use crate::learning::parameters::Parameters;
use candle_core::Result;
use candle_core::cuda_backend::WrapErr;
use candle_core::cuda_backend::cudarc::driver::CudaSlice;
use std::ops::Range;

/// Parameters of one kind on the device, padded.
pub(super) struct Values {
    /// [visible and labels, hidden].
    pub(super) w: CudaSlice<f32>,
    pub(super) hb: CudaSlice<f32>,
    /// Of visible units, then of labels.
    pub(super) vb: CudaSlice<f32>,
}

/// How an RBM lies on the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    pub(super) visible: usize,
    pub(super) hidden: usize,
    pub(super) classes: usize,
}

impl Layout {
    pub(super) fn of(visible: usize, hidden: usize, parameters: &Parameters) -> Self {
        assert_eq!(parameters.w_rec.len(), visible * hidden, "a weight for each pair");
        assert_eq!((parameters.vb.len(), parameters.hb.len()), (visible, hidden), "one bias a unit");
        let classes = parameters.label_b.len();
        assert_eq!(parameters.label_w.len(), classes * hidden, "a label weight for each pair");
        Self { visible, hidden, classes }
    }

    /// The column of the first label.
    pub(super) fn labels_at(self) -> usize {
        padded(self.visible)
    }

    /// Columns of visible rows.
    pub(super) fn visible_width(self) -> usize {
        padded(self.visible) + padded(self.classes)
    }

    /// Columns of hidden rows.
    pub(super) fn hidden_width(self) -> usize {
        padded(self.hidden)
    }

    /// Visible and label biases side by side, with `padding` between and after.
    pub(super) fn visible_biases(self, visible: &[f32], labels: &[f32], padding: f32) -> Vec<f32> {
        let mut biases = vec![padding; self.visible_width()];
        biases[..self.visible].copy_from_slice(visible);
        biases[self.labels_at()..][..self.classes].copy_from_slice(labels);
        biases
    }

    /// Weights of visible units and labels below each other, padded with zeros.
    pub(super) fn weights(self, parameters: &Parameters) -> Vec<f32> {
        let (hidden, width) = (self.hidden.max(1), self.hidden_width());
        let mut w = vec![0.0; self.visible_width() * width];
        let rows = (0..).zip(parameters.w_rec.chunks_exact(hidden));
        let labels = (self.labels_at()..).zip(parameters.label_w.chunks_exact(hidden));
        for (row, values) in rows.chain(labels) {
            w[row * width..row * width + self.hidden].copy_from_slice(values);
        }
        w
    }

    /// Visible and label parts of what lies as [`Self::visible_biases`] has it.
    pub(super) fn split_visible(self, values: &[f32]) -> (Vec<f32>, Vec<f32>) {
        (values[..self.visible].to_vec(), values[self.labels_at()..][..self.classes].to_vec())
    }

    /// Refuses parameters of another RBM.
    pub(super) fn require(self, parameters: &Parameters) {
        assert_eq!(Self::of(self.visible, self.hidden, parameters), self, "parameters of these sizes");
    }

    /// Zeros.
    pub(super) fn zeros(self, gpu: &Gpu) -> Result<Values> {
        let (rows, columns) = (self.visible_width(), self.hidden_width());
        Ok(Values { w: gpu.zeros(rows * columns)?, hb: gpu.zeros(columns)?, vb: gpu.zeros(rows)? })
    }

    /// The parameters, with `padding` for the biases of padding units.
    pub(super) fn upload(self, gpu: &Gpu, parameters: &Parameters, padding: f32) -> Result<Values> {
        let mut hb = parameters.hb.clone();
        hb.resize(self.hidden_width(), padding);
        Ok(Values {
            w: gpu.upload(&self.weights(parameters))?,
            hb: gpu.upload(&hb)?,
            vb: gpu.upload(&self.visible_biases(&parameters.vb, &parameters.label_b, padding))?,
        })
    }

    /// The parameters again, without padding.
    pub(super) fn download(self, gpu: &Gpu, values: &Values) -> Result<Parameters> {
        let get = |slice: &CudaSlice<f32>| gpu.stream.clone_dtoh(slice).w();
        let (w, mut hb, vb) = (get(&values.w)?, get(&values.hb)?, get(&values.vb)?);
        hb.truncate(self.hidden);
        let rows = |rows: Range<usize>| {
            let mut out = Vec::with_capacity(rows.len() * self.hidden);
            for row in rows {
                out.extend_from_slice(&w[row * self.hidden_width()..][..self.hidden]);
            }
            out
        };
        let labels = self.labels_at()..self.labels_at() + self.classes;
        let (vb, label_b) = self.split_visible(&vb);
        Ok(Parameters { w_rec: rows(0..self.visible), hb, vb, label_w: rows(labels), label_b, ..Parameters::default() })
    }
}
