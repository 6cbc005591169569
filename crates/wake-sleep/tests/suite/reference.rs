//! The packed update in F32 against the algorithm as the paper lists it, on tensors in F64 with
//! none of the kernels, for equal random numbers.
//!
//! Both add the same terms, so parameters agree to rounding. A state could differ only where a
//! probability ties with its uniform to rounding, which the fixed seeds do not meet.

use crate::{Fixed, binary, real, to_tensor, tune, untied, values};
use candle_core::{DType, Device, Tensor};
use candle_nn::ops::{sigmoid, softmax};
use deepbelief_kernels::{Bits, Stream, Uniforms};
use deepbelief_stack::Dbn;
use deepbelief_wake_sleep::{LayerRates, TuneConfig, UnitChoices, Units};

/// A set of parameters and its velocity.
struct Set {
    w: Tensor,
    b: Tensor,
    w_velocity: Tensor,
    b_velocity: Tensor,
}

impl Set {
    fn new(w: &Tensor, b: &Tensor) -> Self {
        let double = |tensor: &Tensor| tensor.to_dtype(DType::F64).unwrap();
        let (w, b) = (double(w), double(b));
        Self { w_velocity: w.zeros_like().unwrap(), b_velocity: b.zeros_like().unwrap(), w, b }
    }

    fn probabilities(&self, x: &Tensor) -> Tensor {
        sigmoid(&x.matmul(&self.w).unwrap().broadcast_add(&self.b).unwrap()).unwrap()
    }

    fn units(&self, x: &Tensor, units: Units, draw: Uniforms) -> Tensor {
        let p = self.probabilities(x);
        if units == Units::Sampled { drawn(&p, draw) } else { p }
    }

    fn learn(&mut self, x: &Tensor, target: &Tensor, rate: f64, config: &TuneConfig) {
        let error = (target - self.probabilities(x)).unwrap();
        let n = x.dim(0).unwrap() as f64;
        let (w, b) = (x.t().unwrap().matmul(&error).unwrap(), error.sum(0).unwrap());
        self.step((w / n).unwrap(), (b / n).unwrap(), rate, config);
    }

    fn step(&mut self, w: Tensor, b: Tensor, rate: f64, config: &TuneConfig) {
        let cost = (&self.w * config.weight_cost).unwrap();
        let moved = |velocity: &Tensor, gradient: Tensor| {
            ((velocity * config.momentum).unwrap() + (gradient * rate).unwrap()).unwrap()
        };
        self.w_velocity = moved(&self.w_velocity, (w - cost).unwrap());
        self.b_velocity = moved(&self.b_velocity, b);
        self.w = (&self.w + &self.w_velocity).unwrap();
        self.b = (&self.b + &self.b_velocity).unwrap();
    }
}

fn drawn(p: &Tensor, draw: Uniforms) -> Tensor {
    let (rows, units) = p.dims2().unwrap();
    let u = (0..rows * units).map(|i| f64::from(draw.at((i / units) as u32, (i % units) as u32)));
    let u = Tensor::from_iter(u, &Device::Cpu).unwrap().reshape((rows, units)).unwrap();
    u.lt(p).unwrap().to_dtype(DType::F64).unwrap()
}

/// One-hot labels drawn from probabilities by the first uniform of each row.
fn drawn_labels(p: &Tensor, draw: Uniforms) -> Tensor {
    let one_hot = |(row, p): (usize, Vec<f64>)| {
        let (u, mut sum) = (f64::from(draw.at(row as u32, 0)), 0.0);
        let below = |p: &&f64| {
            sum += **p;
            sum <= u
        };
        let label = p.iter().take_while(below).count();
        (0..p.len()).map(|class| f64::from(u8::from(class == label))).collect::<Vec<_>>()
    };
    let rows: Vec<Vec<f64>> = p.to_vec2::<f64>().unwrap().into_iter().enumerate().map(one_hot).collect();
    Tensor::new(rows, &Device::Cpu).unwrap()
}

/// The model and the persistent chains.
struct Reference {
    recognition: Vec<Set>,
    generative: Vec<Set>,
    /// Weights and hidden biases of the top.
    top: Set,
    /// Its visible biases; no weights.
    top_visible: Set,
    /// Weights and biases of its labels.
    labels: Option<Set>,
    chains: Option<Tensor>,
    step: u32,
}

impl Reference {
    fn new(dbn: &Dbn, config: &TuneConfig) -> Self {
        let (layers, top) = (dbn.layers(), dbn.top());
        let chains = (config.persistent_chains > 0).then(|| {
            let coins = Uniforms::new(config.seed, Stream::Chains, 0);
            let bits = Bits::coins(config.persistent_chains, top.hidden(), coins);
            Tensor::from_vec(bits.to_values(), (bits.rows(), bits.units()), &Device::Cpu).unwrap()
        });
        Self {
            recognition: layers.iter().map(|layer| Set::new(layer.w_rec(), layer.hb())).collect(),
            generative: layers.iter().map(|layer| Set::new(layer.w_gen(), layer.vb())).collect(),
            top: Set::new(top.w_rec(), top.hb()),
            top_visible: Set::new(&top.vb().unsqueeze(0).unwrap().zeros_like().unwrap(), top.vb()),
            labels: top.labels().map(|labels| Set::new(&labels.w, &labels.b)),
            chains: chains.map(|chains| chains.to_dtype(DType::F64).unwrap()),
            step: 0,
        }
    }

    /// p(h|v, y) of the top.
    fn top_hidden(&self, v: &Tensor, y: Option<&Tensor>) -> Tensor {
        let mut x = v.matmul(&self.top.w).unwrap().broadcast_add(&self.top.b).unwrap();
        if let (Some(labels), Some(y)) = (&self.labels, y) {
            x = (x + y.matmul(&labels.w).unwrap()).unwrap();
        }
        sigmoid(&x).unwrap()
    }

    /// The paper's listing, with the choices it leaves open.
    fn update(&mut self, data: &Tensor, y0: Option<&Tensor>, config: &TuneConfig) {
        let (units, n) = (&config.units, self.recognition.len());
        let draw = |stream| Uniforms::new(config.seed, stream, self.step);
        let of_top = |stream, k: u32| draw(stream).layer(n as u8).gibbs(k as u16);

        let mut wake = vec![data.clone()];
        for (l, set) in self.recognition.iter().enumerate() {
            wake.push(set.units(&wake[l], units.wake, draw(Stream::Wake).layer(l as u8 + 1)));
        }
        let p0 = self.top_hidden(&wake[n], y0);
        let h0 = drawn(&p0, of_top(Stream::Hidden, 0));

        let mut h = self.chains.clone().unwrap_or_else(|| h0.clone());
        let (mut v, mut y, mut p) = (wake[n].clone(), None, p0.clone());
        for k in 1..=config.top_steps.at(0) {
            let down =
                sigmoid(&h.matmul(&self.top.w.t().unwrap()).unwrap().broadcast_add(&self.top_visible.b).unwrap());
            v = down.unwrap();
            if units.penultimate == Units::Sampled {
                v = drawn(&v, of_top(Stream::Visible, k - 1));
            }
            y = self.labels.as_ref().map(|labels| {
                let logits = h.matmul(&labels.w.t().unwrap()).unwrap().broadcast_add(&labels.b).unwrap();
                let p = softmax(&logits, 1).unwrap();
                if units.label == Units::Sampled { drawn_labels(&p, of_top(Stream::Label, k - 1)) } else { p }
            });
            p = self.top_hidden(&v, y.as_ref());
            h = drawn(&p, of_top(Stream::Hidden, k));
        }
        if self.chains.is_some() {
            self.chains = Some(h.clone());
        }

        let mut sleep = vec![v.clone()];
        for (l, set) in self.generative.iter().enumerate().rev() {
            let chosen = if l == 0 { units.visible } else { units.sleep };
            sleep.push(set.units(sleep.last().unwrap(), chosen, draw(Stream::Sleep).layer(l as u8)));
        }
        sleep.reverse();

        let rates = |l: usize| config.layers.get(l).copied().unwrap_or_default();
        for (l, set) in self.generative.iter_mut().enumerate() {
            set.learn(&wake[l + 1], &wake[l], rates(l).wake_rate.unwrap_or(config.wake_rate), config);
        }
        let (positive, negative) = if units.top_statistics == Units::Sampled { (h0, h) } else { (p0, p) };
        let contrast = |a: &Tensor, b: &Tensor| {
            let mean = |x: &Tensor, h: &Tensor| (x.t().unwrap().matmul(h).unwrap() / h.dim(0).unwrap() as f64).unwrap();
            (mean(a, &positive) - mean(b, &negative)).unwrap()
        };
        let difference = |a: &Tensor, b: &Tensor| (a.mean(0).unwrap() - b.mean(0).unwrap()).unwrap();
        let no_weights = self.top_visible.w.clone();
        self.top.step(contrast(&wake[n], &v), difference(&positive, &negative), config.top_rate, config);
        self.top_visible.step(no_weights, difference(&wake[n], &v), config.top_rate, config);
        if let (Some(labels), Some(y0), Some(y)) = (&mut self.labels, y0, &y) {
            labels.step(contrast(y0, y), difference(y0, y), config.top_rate, config);
        }
        for (l, set) in self.recognition.iter_mut().enumerate() {
            set.learn(&sleep[l], &sleep[l + 1], rates(l).sleep_rate.unwrap_or(config.sleep_rate), config);
        }
        self.step += 1;
    }

    /// All parameters, named as in a file.
    fn parameters(&self) -> Vec<(String, Tensor)> {
        let mut all = Vec::new();
        for (l, (up, down)) in self.recognition.iter().zip(&self.generative).enumerate() {
            let parts = [("w_rec", &up.w), ("w_gen", &down.w), ("hb", &up.b), ("vb", &down.b)];
            all.extend(parts.map(|(name, tensor)| (format!("layers.{l}.{name}"), tensor.clone())));
        }
        let parts = [("w_rec", &self.top.w), ("hb", &self.top.b), ("vb", &self.top_visible.b)];
        all.extend(parts.map(|(name, tensor)| (format!("top.{name}"), tensor.clone())));
        if let Some(labels) = &self.labels {
            all.extend([("top.label_w".into(), labels.w.clone()), ("top.label_b".into(), labels.b.clone())]);
        }
        all
    }
}

fn one_hot(labels: &[u32], classes: usize) -> Tensor {
    let rows = labels.iter().flat_map(|&y| (0..classes).map(move |c| f64::from(u8::from(c == y as usize))));
    Tensor::from_iter(rows, &Device::Cpu).unwrap().reshape((labels.len(), classes)).unwrap()
}

fn compare(name: &str, sizes: &[usize], classes: usize, data: &Fixed, config: &TuneConfig) {
    let start = untied(sizes, classes, 0.3);
    let packed = tune(&start, config, data).named_tensors("");
    let mut reference = Reference::new(&start, config);
    for (index, batch) in data.batches.iter().enumerate() {
        let y0 = (classes > 0).then(|| one_hot(&data.labels.as_ref().unwrap()[index], classes));
        reference.update(&to_tensor(batch).to_dtype(DType::F64).unwrap(), y0.as_ref(), config);
    }
    let start = start.named_tensors("");
    for (((what, packed), (also, exact)), (_, start)) in packed.iter().zip(reference.parameters()).zip(&start) {
        assert_eq!(*what, also);
        let (packed, exact, start) = (values(packed), values(&exact), values(start));
        let moved = exact.iter().zip(&start).any(|(a, b)| (a - b).abs() > 1e-4);
        assert!(moved || exact.len() < 8, "{name}: {what} did not move");
        for (i, (a, b)) in packed.iter().zip(&exact).enumerate() {
            assert!((a - b).abs() < 3e-6 * (1.0 + b.abs()), "{name}: {what}[{i}] is {a}, reference {b}");
        }
    }
}

#[test]
fn the_packed_update_is_the_one_of_the_paper() {
    let plain = TuneConfig {
        top_steps: "3x1".parse().unwrap(),
        wake_rate: 0.1,
        sleep_rate: 0.2,
        top_rate: 0.15,
        threads: 2,
        ..crate::plain()
    };
    let opposite = UnitChoices {
        wake: Units::Probabilities,
        penultimate: Units::Probabilities,
        label: Units::Sampled,
        top_statistics: Units::Probabilities,
        sleep: Units::Probabilities,
        visible: Units::Sampled,
    };
    let own = vec![LayerRates { wake_rate: Some(0.3), sleep_rate: None }];
    let variants = [
        ("plain", plain.clone()),
        ("opposite choices", TuneConfig { units: opposite, ..plain.clone() }),
        ("momentum and cost", TuneConfig { momentum: 0.5, weight_cost: 1e-2, ..plain.clone() }),
        ("rates of layers", TuneConfig { layers: own, ..plain.clone() }),
        ("many chains", TuneConfig { persistent_chains: 150, ..plain.clone() }),
        ("few chains", TuneConfig { persistent_chains: 7, units: opposite, ..plain.clone() }),
        ("one step", TuneConfig { top_steps: "1x1".parse().unwrap(), ..plain.clone() }),
    ];
    let nets: [(&[usize], usize); 5] =
        [(&[20, 33], 3), (&[97, 40, 31], 0), (&[40, 33, 21, 50], 10), (&[3, 1, 2], 2), (&[35, 34, 5, 6, 7], 4)];
    for (variant, config) in &variants {
        for (sizes, classes) in nets {
            if sizes.len() == 2 && !config.layers.is_empty() {
                continue;
            }
            // One sample, some, several uneven chunks; of different kinds and sizes.
            for rows in [1, 20, 301] {
                let v = sizes[0];
                let batches =
                    vec![binary(rows, v, 0.3, 1), real(rows, v, 0.25, 2), real(rows, v, 1.1, 3), binary(13, v, 0.6, 4)];
                let data = Fixed::labelled(batches, classes.max(1) as u32);
                compare(&format!("{variant}, {sizes:?}, {rows} samples"), sizes, classes, &data, config);
            }
        }
    }
}
