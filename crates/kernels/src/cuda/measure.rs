//! What training is watched by: [`crate::PackedRbm::measure`] on the device, in F32 whatever products
//! of training are computed in.

use super::gpu::{Factor, blocks, each, launch};
use super::rbm::{GpuRbm, require_labels};
use super::rows::{Feed, Rows, padded};
use crate::measures::measure::Measures;
use crate::precision::Precision;
use crate::rng::Uniforms;
use crate::states::batch::Batch;
use candle_core::Result;
use candle_core::cuda_backend::WrapErr;
use candle_core::cuda_backend::cudarc::driver::{CudaSlice, LaunchConfig};
use std::sync::Arc;

/// Samples measured at once.
const ROWS: usize = 4096;

impl GpuRbm {
    pub(super) fn measured(&self, batch: &Batch, labels: &[u32], draw: Uniforms) -> Result<Measures> {
        let (gpu, layout) = (Arc::clone(&self.gpu), self.layout);
        // Feeds of their own: a feed sends as much as its largest batch.
        let (mut feed, mut label_feed) = (Feed::new(&gpu)?, Feed::new(&gpu)?);
        let (samples, classes) = (batch.rows(), layout.classes);
        if classes > 0 {
            require_labels(labels, samples, classes);
        }
        let (visible, hidden) = (layout.visible_width(), layout.hidden_width());
        let n = samples.min(ROWS);
        let mut v = Rows::new(&gpu, Precision::F32, visible)?;
        let (mut p, mut h) = (Rows::new(&gpu, Precision::F32, hidden)?, Rows::new(&gpu, Precision::F32, hidden)?);
        let (x, y) = (gpu.zeros::<f32>(n * hidden)?, gpu.zeros::<f32>(n * visible)?);
        let (mut sums, mut scores) = (gpu.zeros::<f64>(n)?, gpu.zeros::<f64>(n * classes)?);
        let (mut costs, mut linear) = (gpu.zeros::<f64>(n)?, gpu.zeros::<f64>(n)?);
        let mut activity = gpu.zeros::<f64>(layout.hidden)?;
        let w = |transposed| Factor { at: gpu.address(&self.parameters.w), columns: hidden, transposed };
        let (hb, vb) = (&self.parameters.hb, &self.parameters.vb);
        let label_w = self.parameters.w.slice(layout.labels_at() * hidden..);
        let label_b = vb.slice(layout.labels_at()..);

        let (mut free_energy, mut cost, mut label_errors) = (0.0, 0.0, 0);
        let [key0, key1, step, purpose] = draw.key_and_counter();
        for first in (0..samples).step_by(ROWS) {
            let range = first..samples.min(first + ROWS);
            let (rows, part) = (range.len(), batch.slice(range.clone()));
            for matrix in [&mut v, &mut p, &mut h] {
                matrix.reshape(&gpu, rows)?;
            }
            feed.load(&gpu, &part, &mut v, 0)?;
            let (units, stride) = (layout.hidden as u32, hidden as u32);
            let download = |sums: &CudaSlice<f64>| gpu.stream.clone_dtoh(sums).w();
            if classes == 0 {
                let sizes = [rows, visible, hidden];
                gpu.product(Precision::F32, sizes, v.factor(&gpu, 0, false), w(false), gpu.address(&x))?;
                launch!(&gpu, "softplus_sums", blocks(rows); &x, hb, &units, &stride, &mut sums)?;
            } else {
                // Without labels first: the visible columns alone.
                let sizes = [rows, padded(layout.visible), hidden];
                gpu.product(Precision::F32, sizes, v.factor(&gpu, 0, false), w(false), gpu.address(&x))?;
                let config = LaunchConfig { grid_dim: (rows as u32, classes as u32, 1), ..blocks(rows) };
                launch!(&gpu, "label_scores", config;
                    &x, hb, &label_w, &label_b, &units, &stride, &mut scores)?;
                let width = padded(classes);
                label_feed.load_labels(&gpu, &labels[range.clone()], &mut v, (0, layout.labels_at()), width)?;
                let sizes = [rows, visible, hidden];
                gpu.product(Precision::F32, sizes, v.factor(&gpu, 0, false), w(false), gpu.address(&x))?;
            }
            launch!(&gpu, "sample_f32", each(rows * hidden / 4);
                &x, hb, &mut p.data, &mut h.data, &(rows as u32), &stride, &stride, &(first as u32),
                &key0, &key1, &step, &purpose)?;
            launch!(&gpu, "add_activity", each(layout.hidden);
                &p.data, &(rows as u32), &units, &stride, &mut activity)?;
            let sizes = [rows, hidden, visible];
            gpu.product(Precision::F32, sizes, h.factor(&gpu, 0, false), w(true), gpu.address(&y))?;
            launch!(&gpu, "costs_f32", blocks(rows);
                &y, vb, &v.data, &(layout.visible as u32), &(visible as u32), &mut costs, &mut linear)?;

            let linear = download(&linear)?;
            cost += download(&costs)?[..rows].iter().sum::<f64>();
            if classes == 0 {
                free_energy -= download(&sums)?.iter().zip(&linear).take(rows).map(|(a, b)| a + b).sum::<f64>();
                continue;
            }
            let scores = download(&scores)?;
            for ((scores, &y), linear) in scores.chunks_exact(classes).zip(&labels[range]).zip(&linear) {
                let (own, y) = (scores[y as usize], y as usize);
                free_energy -= own + linear;
                // A tie goes to the lower class, as in an argmax.
                let beaten = |(class, &score): (usize, &f64)| score > own || (score == own && class < y);
                label_errors += usize::from(scores.iter().enumerate().any(beaten));
            }
        }
        let mean = |sum: f64| sum / samples.max(1) as f64;
        let activity = gpu.stream.clone_dtoh(&activity).w()?;
        Ok(Measures {
            free_energy: mean(free_energy),
            reconstruction_cost: mean(cost),
            activity: activity[..layout.hidden].iter().map(|&sum| mean(sum)).collect(),
            spread: Vec::new(),
            label_error: (classes > 0).then(|| mean(label_errors as f64)),
        })
    }
}
