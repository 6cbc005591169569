//! The update of an RBM of units as they are (spins -1 and 1), in double precision and written as the formulas are.

use deepbelief_kernels::{Batch, Layers, Parameters, StepRule, UnitKind};

/// The fields of a layer or their gradient, a unit each.
#[derive(Clone, Debug)]
pub(crate) struct Fields {
    pub(crate) b: Vec<f64>,
    pub(crate) log_g: Vec<f64>,
    pub(crate) b_below: Vec<f64>,
    pub(crate) log_g_below: Vec<f64>,
}

impl Fields {
    fn zeros(columns: usize) -> Self {
        let zeros = vec![0.0; columns];
        Self { b: zeros.clone(), log_g: zeros.clone(), b_below: zeros.clone(), log_g_below: zeros }
    }

    fn of(b: &[f32], fields: &deepbelief_kernels::Fields) -> Self {
        let wide = |values: &[f32]| {
            let mut values: Vec<f64> = values.iter().map(|&x| f64::from(x)).collect();
            values.resize(b.len(), 0.0);
            values
        };
        let deepbelief_kernels::Fields { log_precision, bias_below, log_precision_below } = fields;
        Self {
            b: wide(b),
            log_g: wide(log_precision),
            b_below: wide(bias_below),
            log_g_below: wide(log_precision_below),
        }
    }

    pub(crate) fn each(&self) -> [&Vec<f64>; 4] {
        [&self.b, &self.log_g, &self.b_below, &self.log_g_below]
    }

    pub(crate) fn each_mut(&mut self) -> [&mut Vec<f64>; 4] {
        [&mut self.b, &mut self.log_g, &mut self.b_below, &mut self.log_g_below]
    }
}

/// `[integral of exp(t h - g h²/2), its h, its h²]` over h > 0.
fn half(t: f64, g: f64) -> [f64; 3] {
    let z = (std::f64::consts::PI / (2.0 * g)).sqrt() * (t * t / (2.0 * g)).exp() * libm::erfc(-t / (2.0 * g).sqrt());
    let first = (1.0 + t * z) / g;
    [z, first, (z + t * first) / g]
}

/// cgf, and what is expected of the statistics of b, ln g, b-, ln g-.
pub(crate) fn unit(kind: UnitKind, input: f64, [b, log_g, b_below, log_g_below]: [f64; 4]) -> (f64, [f64; 4]) {
    let (t, g, g_below) = (b + input, log_g.exp(), log_g_below.exp());
    match kind {
        UnitKind::Bernoulli => (t.exp().ln_1p(), [1.0 / (1.0 + (-t).exp()), 0.0, 0.0, 0.0]),
        UnitKind::Spin => ((2.0 * t.cosh()).ln(), [t.tanh(), 0.0, 0.0, 0.0]),
        UnitKind::Gaussian => {
            let mean = t / g;
            let cgf = 0.5 * (t * t / g + (std::f64::consts::TAU / g).ln());
            (cgf, [mean, -0.5 * g * (mean * mean + 1.0 / g), 0.0, 0.0])
        }
        UnitKind::Relu => {
            let [z, first, second] = half(t, g);
            (z.ln(), [first / z, -0.5 * g * second / z, 0.0, 0.0])
        }
        UnitKind::Drelu => {
            let above = half(t, g);
            let below = half(-(b_below + input), g_below);
            let z = above[0] + below[0];
            let of = [above[1], -0.5 * g * above[2], -below[1], -0.5 * g_below * below[2]];
            (z.ln(), of.map(|x| x / z))
        }
        UnitKind::Categorical => unreachable!("no hidden units are categorical"),
    }
}

/// The same statistics of a state.
fn seen(kind: UnitKind, h: f64, [_, log_g, _, log_g_below]: [f64; 4]) -> [f64; 4] {
    let square = |log_g: f64| -0.5 * log_g.exp() * h * h;
    match kind {
        UnitKind::Bernoulli | UnitKind::Spin | UnitKind::Categorical => [h, 0.0, 0.0, 0.0],
        UnitKind::Gaussian | UnitKind::Relu => [h, square(log_g), 0.0, 0.0],
        UnitKind::Drelu if h >= 0.0 => [h, square(log_g), 0.0, 0.0],
        UnitKind::Drelu => [0.0, 0.0, h, square(log_g_below)],
    }
}

/// An RBM.
#[derive(Clone, Debug)]
pub(crate) struct Reference {
    pub(crate) layers: Layers,
    visible_kinds: Vec<UnitKind>,
    hidden_kinds: Vec<UnitKind>,
    pub(crate) w: Vec<f64>,
    pub(crate) visible: Fields,
    pub(crate) hidden: Fields,
    pub(crate) velocity: (Vec<f64>, Fields, Fields),
    /// Offsets of both layers.
    pub(crate) offsets: (Vec<f64>, Vec<f64>),
    /// What the last step multiplied hidden states by.
    pub(crate) rescaled: Vec<f64>,
}

/// What of an update is special.
pub(crate) struct Update<'a> {
    pub(crate) rule: StepRule,
    /// Weights of samples and chains.
    pub(crate) weights: Option<(&'a [f32], &'a [f32])>,
    /// Hidden states instead of their means.
    pub(crate) states: Option<(&'a Batch, &'a Batch)>,
    /// Share of the means in the offsets, if the step is centred.
    pub(crate) share: Option<f64>,
}

impl Reference {
    pub(crate) fn new(layers: &Layers, p: &Parameters) -> Self {
        let kinds = |units: &deepbelief_kernels::Units| {
            units.each().flat_map(|(segment, columns)| vec![segment.units; columns.len()]).collect::<Vec<_>>()
        };
        let (v, h) = (layers.visible.columns(), layers.hidden.columns());
        Self {
            layers: layers.clone(),
            visible_kinds: kinds(&layers.visible),
            hidden_kinds: kinds(&layers.hidden),
            w: p.w_rec.iter().map(|&x| f64::from(x)).collect(),
            visible: Fields::of(&p.vb, &p.visible_fields),
            hidden: Fields::of(&p.hb, &p.hidden_fields),
            velocity: (vec![0.0; v * h], Fields::zeros(v), Fields::zeros(h)),
            offsets: (vec![0.0; v], vec![0.0; h]),
            rescaled: vec![1.0; h],
        }
    }

    /// States of a layer as they are, from batches that have bits for spins.
    fn states(kinds: &[UnitKind], batch: &Batch) -> Vec<Vec<f64>> {
        let values = batch.to_values();
        let of = |(x, kind): (&f32, &UnitKind)| {
            if *kind == UnitKind::Spin { 2.0 * f64::from(*x) - 1.0 } else { f64::from(*x) }
        };
        values.chunks_exact(kinds.len()).map(|row| row.iter().zip(kinds).map(of).collect()).collect()
    }

    pub(crate) fn visible_states(&self, batch: &Batch) -> Vec<Vec<f64>> {
        Self::states(&self.visible_kinds, batch)
    }

    pub(crate) fn hidden_states(&self, batch: &Batch) -> Vec<Vec<f64>> {
        Self::states(&self.hidden_kinds, batch)
    }

    fn fields_of(fields: &Fields, unit: usize) -> [f64; 4] {
        fields.each().map(|values| values[unit])
    }

    /// cgf and expected statistics of every hidden unit.
    pub(crate) fn up(&self, v: &[f64]) -> Vec<(f64, [f64; 4])> {
        let hidden = self.hidden_kinds.len();
        let of = |(u, kind): (usize, &UnitKind)| {
            let input = v.iter().enumerate().map(|(i, v)| v * self.w[i * hidden + u]).sum::<f64>();
            unit(*kind, input, Self::fields_of(&self.hidden, u))
        };
        self.hidden_kinds.iter().enumerate().map(of).collect()
    }

    /// The sum of U(v).
    fn energy(&self, v: &[f64]) -> f64 {
        let terms = v.iter().enumerate().map(|(i, v)| {
            let square = if self.visible_kinds[i] == UnitKind::Gaussian {
                0.5 * self.visible.log_g[i].exp() * v * v
            } else {
                0.0
            };
            square - self.visible.b[i] * v
        });
        terms.sum()
    }

    pub(crate) fn free_energy(&self, v: &[f64]) -> f64 {
        self.energy(v) - self.up(v).iter().map(|(cgf, _)| cgf).sum::<f64>()
    }

    /// Inputs of the visible units.
    pub(crate) fn down(&self, h: &[f64]) -> Vec<f64> {
        self.w.chunks_exact(h.len()).map(|w| w.iter().zip(h).map(|(w, h)| w * h).sum()).collect()
    }

    /// Logits `b + inputs` of a categorical unit's columns to `ln sum exp`.
    fn log_sum(&self, inputs: &[f64], columns: std::ops::Range<usize>) -> f64 {
        columns.map(|i| (self.visible.b[i] + inputs[i]).exp()).sum::<f64>().ln()
    }

    /// Means of the visible units.
    pub(crate) fn means_down(&self, h: &[f64]) -> Vec<f64> {
        let inputs = self.down(h);
        let mut out = Vec::new();
        for (segment, columns) in self.layers.visible.each() {
            for first in columns.step_by(segment.levels) {
                if segment.units == UnitKind::Categorical {
                    let whole = self.log_sum(&inputs, first..first + segment.levels);
                    out.extend((first..first + segment.levels).map(|i| (self.visible.b[i] + inputs[i] - whole).exp()));
                } else {
                    out.push(unit(segment.units, inputs[first], Self::fields_of(&self.visible, first)).1[0]);
                }
            }
        }
        out
    }

    /// -ln p(v|h).
    pub(crate) fn cost(&self, v: &[f64], h: &[f64]) -> f64 {
        let inputs = self.down(h);
        let mut cost = self.energy(v) - v.iter().zip(&inputs).map(|(v, x)| v * x).sum::<f64>();
        for (segment, columns) in self.layers.visible.each() {
            for first in columns.step_by(segment.levels) {
                cost += if segment.units == UnitKind::Categorical {
                    self.log_sum(&inputs, first..first + segment.levels)
                } else {
                    unit(segment.units, inputs[first], Self::fields_of(&self.visible, first)).0
                };
            }
        }
        cost
    }

    /// Statistics `[samples][units]` of the hidden layer.
    fn hidden_statistics(&self, v: &[Vec<f64>], states: Option<&Batch>) -> Vec<Vec<[f64; 4]>> {
        match states {
            None => v.iter().map(|v| self.up(v).into_iter().map(|(_, moments)| moments).collect()).collect(),
            Some(h) => {
                let each = self.hidden_states(h).into_iter();
                let of = |(u, h): (usize, &f64)| seen(self.hidden_kinds[u], *h, Self::fields_of(&self.hidden, u));
                each.map(|h| h.iter().enumerate().map(of).collect()).collect()
            }
        }
    }

    /// One update from data `v0` and chains `v`.
    pub(crate) fn update(&mut self, v0: &Batch, v: &Batch, update: &Update<'_>) {
        let (rule, columns, hidden) = (update.rule, self.visible_kinds.len(), self.hidden_kinds.len());
        let (data, chains) = (self.visible_states(v0), self.visible_states(v));
        let n = data.len() as f64;
        let r = n / chains.len() as f64;
        let h0 = self.hidden_statistics(&data, update.states.map(|(h0, _)| h0));
        let hk = self.hidden_statistics(&chains, update.states.map(|(_, h)| h));
        let weight = |of: Option<&[f32]>, s: usize| of.map_or(1.0, |weights| f64::from(weights[s]));
        let mean = |moments: &[f64; 4]| moments[0] + moments[2];
        if let Some(share) = update.share {
            let total: f64 = (0..data.len()).map(|s| weight(update.weights.map(|w| w.0), s)).sum();
            for (i, offset) in self.offsets.0.iter_mut().enumerate() {
                let sum: f64 =
                    data.iter().enumerate().map(|(s, v)| weight(update.weights.map(|w| w.0), s) * v[i]).sum();
                *offset += share * (sum / total - *offset);
            }
            for (u, offset) in self.offsets.1.iter_mut().enumerate() {
                let each = h0.iter().enumerate();
                let sum: f64 = each.map(|(s, h)| weight(update.weights.map(|w| w.0), s) * mean(&h[u])).sum();
                *offset += share * (sum / total - *offset);
            }
        }
        let (mut gw, mut gv, mut gh, mut t) =
            (vec![0.0; columns * hidden], Fields::zeros(columns), Fields::zeros(hidden), vec![0.0; hidden]);
        for (states, moments, weights, factor) in
            [(&data, &h0, update.weights.map(|w| w.0), 1.0), (&chains, &hk, update.weights.map(|w| w.1), -r)]
        {
            for (s, (v, h)) in states.iter().zip(moments).enumerate() {
                let factor = factor * weight(weights, s);
                for (i, v) in v.iter().enumerate() {
                    for (u, h) in h.iter().enumerate() {
                        gw[i * hidden + u] += factor * v * mean(h);
                    }
                    let own = seen(self.visible_kinds[i], *v, Self::fields_of(&self.visible, i));
                    gv.b[i] += factor * own[0];
                    gv.log_g[i] += factor * own[1];
                }
                for (u, h) in h.iter().enumerate() {
                    t[u] += factor * mean(h);
                    for (field, own) in gh.each_mut().into_iter().zip(h) {
                        field[u] += factor * own;
                    }
                }
            }
        }
        // The precision of hidden Gaussian units is their unit of measure.
        for (u, kind) in self.hidden_kinds.iter().enumerate() {
            if *kind == UnitKind::Gaussian {
                gh.log_g[u] = 0.0;
            }
        }
        for i in 0..columns {
            for u in 0..hidden {
                gw[i * hidden + u] -= self.offsets.0[i] * t[u] + gv.b[i] * self.offsets.1[u];
            }
        }
        let mut all: Vec<f64> = gw.clone();
        all.extend(gv.each().into_iter().chain(gh.each()).flatten());
        let size = (all.iter().map(|x| x * x).sum::<f64>() / (columns * hidden + columns + hidden) as f64).sqrt() / n;
        let real = !self.layers.visible.is_discrete() || !self.layers.hidden.is_discrete();
        let clip = if real && size > 1.0 { 1.0 / size } else { 1.0 };
        let [rate, momentum, l2, l1] = [rule.learning_rate, rule.momentum, rule.l2, rule.l1].map(f64::from);
        let step = |x: &mut f64, velocity: &mut f64, gradient: f64, cost: f64| {
            *velocity = momentum * *velocity + rate * (clip * gradient / n - cost);
            *x += *velocity;
        };
        let (vw, vv, vh) = &mut self.velocity;
        for (at, w) in self.w.iter_mut().enumerate() {
            let sign = if *w == 0.0 { 0.0 } else { w.signum() };
            let cost = l2 * *w + l1 * sign;
            step(w, &mut vw[at], gw[at], cost);
        }
        for (fields, velocity, gradient) in [(&mut self.visible, vv, &gv), (&mut self.hidden, &mut *vh, &gh)] {
            let each = fields.each_mut().into_iter().zip(velocity.each_mut()).zip(gradient.each());
            for ((fields, velocity), gradient) in each {
                for ((field, velocity), gradient) in fields.iter_mut().zip(velocity).zip(gradient) {
                    step(field, velocity, *gradient, 0.0);
                }
            }
        }
        for i in 0..columns {
            for u in 0..hidden {
                let moved = vw[i * hidden + u];
                self.visible.b[i] -= moved * self.offsets.1[u];
                self.hidden.b[u] -= moved * self.offsets.0[i];
                if self.hidden_kinds[u] == UnitKind::Drelu {
                    self.hidden.b_below[u] -= moved * self.offsets.0[i];
                }
            }
        }
        self.choose();
    }

    /// The form that is chosen, and the limits of precisions.
    fn choose(&mut self) {
        let (columns, hidden) = (self.visible_kinds.len(), self.hidden_kinds.len());
        for (segment, range) in self.layers.visible.each().filter(|(s, _)| s.units == UnitKind::Categorical) {
            for first in range.step_by(segment.levels) {
                let (levels, q) = (first..first + segment.levels, segment.levels as f64);
                let mean = levels.clone().map(|i| self.visible.b[i]).sum::<f64>() / q;
                levels.clone().for_each(|i| self.visible.b[i] -= mean);
                for u in 0..hidden {
                    let mean = levels.clone().map(|i| self.w[i * hidden + u]).sum::<f64>() / q;
                    levels.clone().for_each(|i| self.w[i * hidden + u] -= mean);
                    self.hidden.b[u] += mean;
                    if self.hidden_kinds[u] == UnitKind::Drelu {
                        self.hidden.b_below[u] += mean;
                    }
                }
            }
        }
        let (vw, _, vh) = &mut self.velocity;
        for (u, kind) in self.hidden_kinds.iter().enumerate() {
            if !matches!(kind, UnitKind::Relu | UnitKind::Drelu) {
                continue;
            }
            let norm = (0..columns).map(|i| self.w[i * hidden + u].powi(2)).sum::<f64>().sqrt();
            for i in 0..columns {
                self.w[i * hidden + u] /= norm;
                vw[i * hidden + u] /= norm;
            }
            for linear in [&mut self.hidden.b, &mut self.hidden.b_below, &mut vh.b, &mut vh.b_below] {
                linear[u] /= norm;
            }
            self.hidden.log_g[u] -= 2.0 * norm.ln();
            if *kind == UnitKind::Drelu {
                self.hidden.log_g_below[u] -= 2.0 * norm.ln();
            }
            self.offsets.1[u] *= norm;
            self.rescaled[u] = norm;
        }
        for (i, kind) in self.visible_kinds.iter().enumerate() {
            if *kind == UnitKind::Gaussian {
                self.visible.log_g[i] = self.visible.log_g[i].clamp(0.0, 1e4_f64.ln());
            }
        }
    }
}
