//! Machines that follow another: at a distance that fast weights keep, or slowly.

use crate::learning::packed::PackedRbm;
use crate::learning::statistics::Statistics;
use crate::row::{BLOCK, Row};
use crate::simd::{dispatch, row_by_row};
use crate::states::batch::Batch;
use crate::states::bits::Bits;
use rayon::prelude::*;

impl PackedRbm {
    /// Becomes the RBM of fast weights ahead of `slow` (Tieleman & Hinton, "Using fast weights to
    /// improve persistent contrastive divergence", ICML 2009): fast weights F, which are kept where
    /// velocities are, decay and take a step of their own along the gradient summed over its samples,
    ///
    /// ```text
    /// F <- decay F + rate gradient / samples,     parameters <- those of slow + F
    /// ```
    ///
    /// so that chains which step here are driven out of where they have just been.
    ///
    /// # Panics
    /// If the two have other sizes.
    pub fn run_ahead(&mut self, slow: &Self, gradient: &Statistics, rate: f32, decay: f32) {
        let level = self.level;
        let scale = rate / gradient.samples.max(1) as f32;
        let fast = |gradient: &[Row], fast: &mut [Row], slow: &[Row], sum: &mut [Row]| {
            ahead(level, scale, decay, gradient, fast, slow, sum);
        };
        self.same_sizes(slow);
        let panels = self.rec.panels_mut().zip(self.velocity.panels_mut()).enumerate().with_max_len(1);
        panels.for_each(|(at, (sum, velocity))| fast(gradient.w.panel(at), velocity, slow.rec.panel(at), sum));
        fast(&gradient.hb, &mut self.hb_velocity, &slow.hb, &mut self.hb);
        fast(&gradient.vb, &mut self.vb_velocity, &slow.vb, &mut self.vb);
        let labels = self.labels.panels.iter_mut().zip(&slow.labels.panels).zip(&gradient.label_w);
        for ((own, slow), gradient) in labels {
            fast(gradient, &mut own.velocity, &slow.w, &mut own.w);
        }
        let biases = self.labels.b.iter_mut().zip(&mut self.labels.b_velocity);
        for ((b, fast), (slow, gradient)) in biases.zip(slow.labels.b.iter().zip(&gradient.label_b)) {
            *fast = decay * *fast + scale * gradient;
            *b = slow + *fast;
        }
        self.stepped(0);
    }

    /// Moves the parameters by `share` of the way towards those of `other`: a running mean of the models
    /// of a training (Polyak & Juditsky 1992).
    ///
    /// # Panics
    /// If the two have other sizes.
    pub fn approach(&mut self, other: &Self, share: f32) {
        let level = self.level;
        self.same_sizes(other);
        let panels = self.rec.panels_mut().enumerate().with_max_len(1);
        panels.for_each(|(at, own)| towards(level, share, other.rec.panel(at), own));
        towards_biases(share, &other.hb, &mut self.hb);
        towards_biases(share, &other.vb, &mut self.vb);
        for (own, other) in self.labels.panels.iter_mut().zip(&other.labels.panels) {
            towards(level, share, &other.w, &mut own.w);
        }
        for (own, other) in self.labels.b.iter_mut().zip(&other.labels.b) {
            *own += share * (other - *own);
        }
        self.stepped(0);
    }

    /// Takes over the chains of an RBM of the same sizes: hidden states, visible states and labels of
    /// the last down pass.
    pub fn take_chains(&mut self, of: &Self) {
        self.h.clone_from(&of.h);
        self.reconstruction.clone_from(&of.reconstruction);
        self.labels.p.clone_from(&of.labels.p);
        self.x_states = None;
    }

    /// Takes over chains by their visible states and, where there is a label group, their labels.
    ///
    /// # Panics
    /// If there is a label group and not one label of it a chain.
    pub fn set_chains(&mut self, v: &Bits, labels: &[u32]) {
        self.h.reset(v.rows(), self.hidden);
        self.reconstruction = Batch::Binary(v.clone());
        let classes = self.labels.classes;
        if classes > 0 {
            assert_eq!(labels.len(), v.rows(), "one label a chain");
            self.labels.p = vec![0.0; classes * labels.len()];
            for (p, &y) in self.labels.p.chunks_exact_mut(classes).zip(labels) {
                p[y as usize] = 1.0;
            }
        }
        self.x_states = None;
    }

    fn same_sizes(&self, other: &Self) {
        let sizes = |machine: &Self| (machine.visible, machine.hidden, machine.labels.classes);
        assert_eq!(sizes(self), sizes(other), "RBMs of the same sizes");
    }
}

dispatch! {
    fn ahead(scale: f32, decay: f32, gradient: &[Row], fast: &mut [Row], slow: &[Row], sum: &mut [Row]) {
        for ((gradient, fast), (slow, sum)) in gradient.iter().zip(fast).zip(slow.iter().zip(sum)) {
            for i in 0..BLOCK {
                fast.0[i] = decay * fast.0[i] + scale * gradient.0[i];
                sum.0[i] = slow.0[i] + fast.0[i];
            }
        }
    }
}

dispatch! {
    fn towards(share: f32, other: &[Row], own: &mut [Row]) {
        for (other, own) in other.iter().zip(own) {
            row_by_row();
            for i in 0..BLOCK {
                own.0[i] += share * (other.0[i] - own.0[i]);
            }
        }
    }
}

/// Biases have minus infinity in their padding, which stays.
fn towards_biases(share: f32, other: &[Row], own: &mut [Row]) {
    for (own, other) in own.iter_mut().flat_map(|row| &mut row.0).zip(other.iter().flat_map(|row| &row.0)) {
        if own.is_finite() {
            *own += share * (other - *own);
        }
    }
}
