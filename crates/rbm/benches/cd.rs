//! The training step and its parts: packed, on tensors, and as the dense products alone.
//!
//! `just bench`, or `cargo bench -p deepbelief-rbm`. Data are random states as dense as binary
//! MNIST (13 %) and hidden states (30 %); throughput is in samples.

use candle_core::{Device, Tensor};
use deepbelief_kernels::{Batch, Bits, PackedRbm, Parameters, Sparsity, Stream, Uniforms};
use deepbelief_rbm::{Draws, Rbm, TrainConfig, Velocity};
use divan::counter::ItemsCount;
use divan::{Bencher, black_box};

const VISIBLE: usize = 784;

/// Batch size and hidden units.
const SHAPES: [(usize, usize); 4] = [(100, 500), (32, 500), (2000, 500), (100, 2000)];

fn main() {
    divan::main();
}

fn states(rows: usize, units: usize, density: f32) -> Batch {
    let draw = Uniforms::new(1, Stream::User, units as u32);
    let mut values = vec![0.0; rows * units];
    for (row, values) in values.chunks_exact_mut(units).enumerate() {
        draw.fill_row(row as u32, values);
    }
    let on: Vec<f32> = values.iter().map(|&u| f32::from(u8::from(u < density))).collect();
    Batch::Binary(Bits::from_values(rows, units, &on))
}

fn dense(batch: &Batch) -> Tensor {
    Tensor::from_vec(batch.to_values(), (batch.rows(), batch.units()), &Device::Cpu).expect("values fit the shape")
}

fn parameters(hidden: usize) -> Parameters {
    let mut w = vec![0.0; VISIBLE * hidden];
    Uniforms::new(1, Stream::Weights, 0).normal(0.01, hidden, &mut w);
    Parameters { w_rec: w, hb: vec![-0.8; hidden], vb: vec![-1.9; VISIBLE], ..Parameters::default() }
}

fn layer(hidden: usize) -> Rbm {
    let p = parameters(hidden);
    let tensor = |values: Vec<f32>| Tensor::from_vec(values.clone(), values.len(), &Device::Cpu).expect("a vector");
    let w = tensor(p.w_rec).reshape((VISIBLE, hidden)).expect("values fit the shape");
    Rbm::from_tensors(w, tensor(p.hb), tensor(p.vb)).expect("shapes fit")
}

const HIDDEN: Stream = Stream::Hidden;

/// h ~ p(h|v) from binary data.
mod up {
    use super::{
        Batch, Bencher, HIDDEN, ItemsCount, PackedRbm, SHAPES, Uniforms, VISIBLE, black_box, dense, layer, parameters,
        states,
    };

    #[divan::bench(args = SHAPES)]
    fn packed(bencher: Bencher, (batch, hidden): (usize, usize)) {
        let mut machine = PackedRbm::new(VISIBLE, hidden, &parameters(hidden));
        let v: Batch = states(batch, VISIBLE, 0.13);
        bencher
            .counter(ItemsCount::new(batch))
            .bench_local(|| machine.infer_hidden(&v, &[], Some(Uniforms::new(1, HIDDEN, 0))));
    }

    #[divan::bench(args = SHAPES)]
    fn tensors(bencher: Bencher, (batch, hidden): (usize, usize)) {
        let (rbm, v) = (layer(hidden), dense(&states(batch, VISIBLE, 0.13)));
        bencher.counter(ItemsCount::new(batch)).bench_local(|| rbm.sample_h(&v, Uniforms::new(1, HIDDEN, 0)));
    }

    #[divan::bench(args = SHAPES)]
    fn dense_product(bencher: Bencher, (batch, hidden): (usize, usize)) {
        let (rbm, v) = (layer(hidden), dense(&states(batch, VISIBLE, 0.13)));
        bencher.counter(ItemsCount::new(batch)).bench_local(|| black_box(&v).matmul(rbm.w_rec()));
    }
}

/// v ~ p(v|h).
mod down {
    use super::{
        Bencher, HIDDEN, ItemsCount, PackedRbm, SHAPES, Uniforms, VISIBLE, black_box, dense, layer, parameters, states,
    };

    #[divan::bench(args = SHAPES)]
    fn packed(bencher: Bencher, (batch, hidden): (usize, usize)) {
        let mut machine = PackedRbm::new(VISIBLE, hidden, &parameters(hidden));
        machine.infer_hidden(&states(batch, VISIBLE, 0.13), &[], Some(Uniforms::new(1, HIDDEN, 0)));
        bencher.counter(ItemsCount::new(batch)).bench_local(|| machine.sample_visible(Uniforms::new(1, HIDDEN, 1)));
    }

    #[divan::bench(args = SHAPES)]
    fn tensors(bencher: Bencher, (batch, hidden): (usize, usize)) {
        let (rbm, h) = (layer(hidden), dense(&states(batch, hidden, 0.3)));
        bencher.counter(ItemsCount::new(batch)).bench_local(|| rbm.sample_v(&h, Uniforms::new(1, HIDDEN, 1)));
    }

    #[divan::bench(args = SHAPES)]
    fn dense_product(bencher: Bencher, (batch, hidden): (usize, usize)) {
        let (rbm, h) = (layer(hidden), dense(&states(batch, hidden, 0.3)));
        bencher.counter(ItemsCount::new(batch)).bench_local(|| black_box(&h).matmul(rbm.w_gen()));
    }
}

/// A whole update by contrastive divergence with k Gibbs steps (0: PCD-1).
mod update {
    use super::{
        Bencher, Draws, HIDDEN, ItemsCount, PackedRbm, SHAPES, Sparsity, Stream, TrainConfig, Uniforms, VISIBLE,
        Velocity, dense, layer, parameters, states,
    };

    fn packed(bencher: Bencher, (batch, hidden): (usize, usize), gibbs_steps: u16, persistent: bool) {
        let mut machine = PackedRbm::new(VISIBLE, hidden, &parameters(hidden));
        let v = states(batch, VISIBLE, 0.13);
        let rule = deepbelief_kernels::StepRule { learning_rate: 1e-4, momentum: 0.0, l2: 0.0, l1: 0.0 };
        let off = Sparsity { target: 0.1, cost: 0.0 };
        machine.infer_hidden(&v, &[], Some(Uniforms::new(1, HIDDEN, 0)));
        let mut chains = machine.hidden_states().clone();
        let mut step = 0;
        bencher.counter(ItemsCount::new(batch)).bench_local(|| {
            let hidden = |k| Uniforms::new(1, HIDDEN, step).gibbs(k);
            machine.infer_hidden(&v, &[], (!persistent).then(|| hidden(0)));
            if persistent {
                machine.set_hidden_states(&chains);
            }
            for k in 0..gibbs_steps {
                if k > 0 {
                    machine.sample_hidden(hidden(k));
                }
                machine.sample_visible(Uniforms::new(1, Stream::Visible, step).gibbs(k));
            }
            if persistent {
                machine.sample_hidden(hidden(gibbs_steps));
                chains.clone_from(machine.hidden_states());
            }
            step += 1;
            machine.update(&v, &rule, off)
        });
    }

    #[divan::bench(args = SHAPES)]
    fn cd1(bencher: Bencher, shape: (usize, usize)) {
        packed(bencher, shape, 1, false);
    }

    #[divan::bench(args = SHAPES)]
    fn cd10(bencher: Bencher, shape: (usize, usize)) {
        packed(bencher, shape, 10, false);
    }

    #[divan::bench(args = SHAPES)]
    fn pcd1(bencher: Bencher, shape: (usize, usize)) {
        packed(bencher, shape, 1, true);
    }

    #[divan::bench(args = SHAPES)]
    fn cd1_tensors(bencher: Bencher, (batch, hidden): (usize, usize)) {
        let (mut rbm, v) = (layer(hidden), dense(&states(batch, VISIBLE, 0.13)));
        let mut velocity = Velocity::zeros(&rbm).expect("memory");
        let rule = TrainConfig { learning_rate: 1e-4, ..Default::default() }.rule(0);
        let mut step = 0;
        bencher.counter(ItemsCount::new(batch)).bench_local(|| {
            step += 1;
            rbm.cd_update(&v, None, &rule, &mut velocity, Draws { seed: 1, step, first: 0 })
        });
    }

    #[divan::bench(args = SHAPES)]
    fn five_dense_products(bencher: Bencher, (batch, hidden): (usize, usize)) {
        let (rbm, v, h) = (layer(hidden), dense(&states(batch, VISIBLE, 0.13)), dense(&states(batch, hidden, 0.3)));
        bencher.counter(ItemsCount::new(batch)).bench_local(|| {
            let up = v.matmul(rbm.w_rec())?;
            let down = h.matmul(rbm.w_gen())?;
            let again = v.matmul(rbm.w_rec())?;
            let (data, model) = (v.t()?.matmul(&h)?, v.t()?.matmul(&h)?);
            Ok::<_, candle_core::Error>((up, down, again, data, model))
        });
    }
}
