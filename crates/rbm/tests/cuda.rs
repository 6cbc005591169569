//! Training on a GPU: it follows the CPU as far as rounding lets it, and resumes exactly. Run with
//! `--ignored` where there is a GPU.
#![allow(clippy::print_stdout, reason = "how far apart two devices are, beside whether that passes")]

use candle_core::Device;
use deepbelief_kernels::cuda::Gpu;
use deepbelief_kernels::{Batch, Bits, Minibatches, Precision, Stream, Uniforms};
use deepbelief_rbm::{
    Contrastive, Control, LabelGroup, Monitors, Observer, Outcome, Progress, Rbm, RbmConfig, Result, Sampler, Schedule,
    TrainConfig, Trainer, UnitKind,
};

/// Settings of a training whose rate is constant, unless a test says otherwise.
fn plain() -> TrainConfig {
    let schedule = Schedule::Constant;
    TrainConfig { learning_rate: 0.05, schedule, weight_cost: 2e-4, ..Default::default() }
}

const UNITS: usize = 100;

/// 230 samples of two kinds, in batches of 50, the last of 30.
struct Kinds {
    order: Vec<u32>,
    dealt: Vec<u32>,
}

impl Kinds {
    fn new() -> Self {
        Self { order: (0..230).collect(), dealt: Vec::new() }
    }
}

impl Minibatches for Kinds {
    fn samples(&self) -> usize {
        self.order.len()
    }
    fn units(&self) -> usize {
        UNITS
    }
    fn batches(&self) -> usize {
        self.order.len().div_ceil(50)
    }
    fn start_epoch(&mut self, epoch: u32) {
        self.order = (0..230).collect();
        Uniforms::new(1, Stream::Shuffle, epoch).shuffle(0, &mut self.order);
    }
    fn fill(&mut self, index: usize, batch: &mut Batch) {
        let chosen = &self.order[index * 50..self.order.len().min((index + 1) * 50)];
        self.dealt = chosen.iter().map(|sample| sample % 2).collect();
        let draw = Uniforms::new(2, Stream::User, 0);
        let on =
            |sample: u32, unit: u32| draw.at(sample, unit) < if (unit + sample).is_multiple_of(2) { 0.7 } else { 0.1 };
        let values: Vec<f32> = chosen
            .iter()
            .flat_map(|&sample| (0..UNITS as u32).map(move |unit| f32::from(u8::from(on(sample, unit)))))
            .collect();
        *batch = Batch::Binary(Bits::from_values(chosen.len(), UNITS, &values));
    }
    fn labels(&self) -> Option<&[u32]> {
        Some(&self.dealt)
    }
}

fn monitors() -> Monitors {
    let (mut data, mut train) = (Kinds::new(), Batch::default());
    data.fill(0, &mut train);
    Monitors { train, train_labels: data.dealt, ..Monitors::default() }
}

fn start(labelled: bool, hidden_units: UnitKind, device: &Device) -> Result<Rbm> {
    let config = RbmConfig { hidden: 30, hidden_units: hidden_units.into(), ..Default::default() };
    let rbm = Rbm::new(&config, &[0.4; UNITS], device)?;
    if !labelled {
        return Ok(rbm);
    }
    let labels = LabelGroup::zeros(2, &rbm)?;
    rbm.with_labels(labels)
}

fn bits(rbm: &Rbm) -> Result<Vec<u32>> {
    let p = rbm.to_parameters()?;
    Ok([p.w_rec, p.hb, p.vb, p.label_w, p.label_b].concat().iter().map(|x| x.to_bits()).collect())
}

/// Stops after so many batches.
struct After(u32);

impl Observer<Contrastive> for After {
    fn batch_done(&mut self, _: &Progress) -> Control {
        self.0 -= 1;
        if self.0 == 0 { Control::Stop } else { Control::Continue }
    }
}

#[test]
#[ignore = "needs a GPU"]
fn a_resumed_training_ends_in_the_same_bits() -> Result<()> {
    let device = Gpu::device(0)?;
    for (labelled, chains, precision, units) in [
        (false, 0, Precision::F32, UnitKind::Bernoulli),
        (true, 0, Precision::F32, UnitKind::Bernoulli),
        (false, 40, Precision::Tf32, UnitKind::Bernoulli),
        (true, 70, Precision::Bf16, UnitKind::Bernoulli),
        (false, 0, Precision::F32, UnitKind::Gaussian),
    ] {
        let rate = if units.is_bernoulli() { 0.1 } else { 0.001 };
        let config = TrainConfig {
            epochs: 4,
            learning_rate: rate,
            persistent_chains: chains,
            momentum_switch: 2,
            precision,
            ..plain()
        };
        resumes(&start(labelled, units, &device)?, &config)?;
    }
    Ok(())
}

/// Stops a training at some points, and goes on from the state there to the end.
fn resumes(rbm: &Rbm, config: &TrainConfig) -> Result<()> {
    let mut whole = Trainer::new(rbm, config.clone())?;
    assert_eq!(whole.fit(&mut Kinds::new(), &monitors(), &mut ())?, Outcome::Finished);
    // Not after the last batch of an epoch, where a training that goes on does so by itself.
    for stop in [1, 4, 12] {
        let mut trainer = Trainer::new(rbm, config.clone())?;
        assert_eq!(trainer.fit(&mut Kinds::new(), &monitors(), &mut After(stop))?, Outcome::Interrupted);
        let state = trainer.snapshot().state()?;
        let mut trainer = Trainer::resume(config.clone(), state, rbm.w_rec().device())?;
        assert_eq!(trainer.fit(&mut Kinds::new(), &monitors(), &mut ())?, Outcome::Finished);
        let (a, b) = (bits(&trainer.snapshot().model()?)?, bits(&whole.snapshot().model()?)?);
        assert!(a == b, "{config:?}: stopped after {stop} batches");
    }
    Ok(())
}

/// What learning can be made of beside contrastive divergence: each sampler, centred and averaged.
fn methods() -> Vec<TrainConfig> {
    let config = TrainConfig {
        epochs: 4,
        learning_rate: 0.05,
        persistent_chains: 60,
        temperatures: 4,
        centred: true,
        averaging: 0.9,
        ..plain()
    };
    let by = |sampler| TrainConfig { sampler, ..config.clone() };
    let from_data = TrainConfig { persistent_chains: 0, ..config.clone() };
    vec![from_data, by(Sampler::Gibbs), by(Sampler::Fast), by(Sampler::Tempered), by(Sampler::Trajectory)]
}

#[test]
#[ignore = "needs a GPU"]
fn methods_resume_in_the_same_bits() -> Result<()> {
    let device = Gpu::device(0)?;
    for labelled in [false, true] {
        for config in methods() {
            resumes(&start(labelled, UnitKind::Bernoulli, &device)?, &config)?;
        }
    }
    Ok(())
}

/// Twenty updates from the same start. A state that meets a tie moves its weights by rate / batch; as
/// long as hardly one does, trainings stay together.
#[test]
#[ignore = "needs a GPU"]
fn a_training_follows_the_cpus() -> Result<()> {
    let plain = TrainConfig { epochs: 4, learning_rate: 0.1, cd_steps: 2.into(), ..plain() };
    for (labelled, config) in [false, true].into_iter().flat_map(|labelled| {
        let all = std::iter::once(plain.clone()).chain(methods());
        all.map(move |config| (labelled, config))
    }) {
        // A chain that a tie sends to another rung moves every weight by rate / chains.
        let swaps = matches!(config.sampler, Sampler::Tempered | Sampler::Trajectory);
        let (most, most_energy) = if swaps { (0.05, 0.5) } else { (0.01, 0.1) };
        let run = |device: &Device| -> Result<(Vec<f32>, f64)> {
            let mut trainer = Trainer::new(&start(labelled, UnitKind::Bernoulli, device)?, config.clone())?;
            trainer.fit(&mut Kinds::new(), &monitors(), &mut ())?;
            let monitors = monitors();
            let measured = trainer.with_training(|rbm| rbm.measure(&monitors.train, &monitors.train_labels))?;
            Ok((trainer.snapshot().model()?.to_parameters()?.w_rec, measured.free_energy))
        };
        let ((a, f), (b, g)) = (run(&Device::Cpu)?, run(&Gpu::device(0)?)?);
        let far = a.iter().zip(&b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        let at = format!("labels {labelled}, {:?}, centred {}", config.sampler, config.centred);
        println!("{at}: weights differ by {far:.1e}, free energies by {:.1e}", (f - g).abs());
        assert!(far < most && (f - g).abs() < most_energy, "{at}: weights {far}, free energies {f} and {g}");
    }
    Ok(())
}
