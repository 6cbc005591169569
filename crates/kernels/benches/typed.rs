//! Updates of RBMs of any units: proteins of 31 sites with 21 levels, and pictures of 784 real pixels.
//!
//! `cargo bench -p deepbelief-kernels --bench typed`; throughput is in samples.

use deepbelief_kernels::{
    Batch, Bits, Fields, Layers, Parameters, Sparsity, StepRule, Stream, TypedRbm, Uniforms, UnitKind, Units,
};
use divan::Bencher;
use divan::counter::ItemsCount;

const SITES: usize = 31;
const LEVELS: usize = 21;
const PIXELS: usize = 784;

fn main() {
    divan::main();
}

fn rbm(layers: &Layers) -> TypedRbm {
    let (visible, hidden) = (layers.visible.columns(), layers.hidden.columns());
    let mut w_rec = vec![0.0; visible * hidden];
    Uniforms::new(1, Stream::Weights, 0).normal(0.05, hidden, &mut w_rec);
    let parameters = Parameters {
        w_rec,
        hb: vec![0.0; hidden],
        vb: vec![0.0; visible],
        visible_fields: Fields::at_rest(&layers.visible),
        hidden_fields: Fields::at_rest(&layers.hidden),
        ..Parameters::default()
    };
    TypedRbm::new(layers, &parameters)
}

/// Sequences whose levels are not equally frequent.
fn sequences(samples: usize) -> Batch {
    let draw = Uniforms::new(1, Stream::User, 0);
    let mut values = vec![0.0; samples * SITES * LEVELS];
    for (at, site) in values.chunks_exact_mut(LEVELS).enumerate() {
        let u = draw.at((at / SITES) as u32, (at % SITES) as u32);
        site[(u * u * LEVELS as f32) as usize] = 1.0;
    }
    Batch::Binary(Bits::from_values(samples, SITES * LEVELS, &values))
}

fn pictures(samples: usize) -> Batch {
    let mut values = vec![0.0; samples * PIXELS];
    Uniforms::new(1, Stream::User, 0).normal(1.0, PIXELS, &mut values);
    Batch::Real { rows: samples, units: PIXELS, values }
}

/// One update after k Gibbs steps, from the data or from as many persistent chains.
fn update(bencher: Bencher, layers: &Layers, v0: &Batch, gibbs_steps: u16, persistent: bool) {
    let mut machine = rbm(layers);
    let rule = StepRule { learning_rate: 1e-4, momentum: 0.0, l2: 0.0, l1: 0.0 };
    let mut chains = machine.fresh_hidden(v0.rows(), Uniforms::new(1, Stream::Chains, 0));
    let mut step = 0;
    // As in a training, which runs in its pool.
    let mut update = || {
        let hidden = |k| Uniforms::new(1, Stream::Hidden, step).gibbs(k);
        machine.infer_hidden(v0, (!persistent).then(|| hidden(0)));
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
        machine.update(v0, &rule, Sparsity { target: 0.1, cost: 0.0 })
    };
    let pool = rayon::ThreadPoolBuilder::new().build().expect("a pool");
    bencher.counter(ItemsCount::new(v0.rows())).bench_local(|| pool.install(&mut update));
}

#[divan::bench]
fn sequences_with_100_bernoulli_pcd10_500(bencher: Bencher) {
    let layers = Layers { visible: Units::categorical(SITES, LEVELS), hidden: Units::of(UnitKind::Bernoulli, 100) };
    update(bencher, &layers, &sequences(500), 10, true);
}

#[divan::bench]
fn sequences_with_50_drelu_cd1_100(bencher: Bencher) {
    let layers = Layers { visible: Units::categorical(SITES, LEVELS), hidden: Units::of(UnitKind::Drelu, 50) };
    update(bencher, &layers, &sequences(100), 1, false);
}

#[divan::bench]
fn pictures_with_500_bernoulli_cd1_100(bencher: Bencher) {
    let layers = Layers { visible: Units::of(UnitKind::Gaussian, PIXELS), hidden: Units::of(UnitKind::Bernoulli, 500) };
    update(bencher, &layers, &pictures(100), 1, false);
}
