//! Tuning on a GPU: it follows the CPU as far as rounding lets it, and resumes exactly. Run with `--ignored`
//! where there is a GPU.
#![allow(clippy::print_stdout, reason = "how far apart two devices are, beside whether that passes")]

use candle_core::Device;
use deepbelief_kernels::cuda::Gpu;
use deepbelief_kernels::{Batch, Bits, Minibatches, Stream, Uniforms};
use deepbelief_rbm::{Control, LabelGroup, Monitors, Observer, Outcome, Progress, Rbm, RbmConfig};
use deepbelief_stack::Dbn;
use deepbelief_wake_sleep::{Result, TopModel, TuneConfig, Tuner, UnitChoices, Units, UpDown, sigmoid_belief_net};

const UNITS: usize = 60;

/// 100 samples of two kinds, in batches of 25.
struct Kinds;

impl Minibatches for Kinds {
    fn samples(&self) -> usize {
        100
    }
    fn units(&self) -> usize {
        UNITS
    }
    fn batches(&self) -> usize {
        4
    }
    fn start_epoch(&mut self, _: u32) {}
    fn fill(&mut self, index: usize, batch: &mut Batch) {
        let draw = Uniforms::new(2, Stream::User, index as u32);
        let mut bits = Bits::zeros(25, UNITS);
        for row in 0..25 {
            let p = |unit: usize| if (unit + row).is_multiple_of(2) { 0.7 } else { 0.1 };
            for block in 0..UNITS.div_ceil(32) {
                let word = draw.below(row as u32, block as u32, &std::array::from_fn(|i| p(32 * block + i)));
                bits.set_word(row, block, word);
            }
        }
        *batch = Batch::Binary(bits);
    }
    fn labels(&self) -> Option<&[u32]> {
        const LABELS: [u32; 25] = [0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0];
        Some(&LABELS)
    }
}

fn monitors() -> Monitors {
    let mut train = Batch::default();
    Kinds.fill(0, &mut train);
    let train_labels = Kinds.labels().map(<[u32]>::to_vec).unwrap_or_default();
    Monitors { train, train_labels, ..Monitors::default() }
}

/// Nets with labels and without, under both tops, learned from states and from probabilities.
fn tunings() -> Result<Vec<(Dbn, TuneConfig)>> {
    let rbm = |visible: usize, hidden| {
        Rbm::new(&RbmConfig { hidden, ..Default::default() }, &vec![0.4; visible], &Device::Cpu)
    };
    let top = rbm(20, 30)?;
    let labels = LabelGroup::zeros(2, &top)?;
    let labelled = Dbn::from_rbms(vec![rbm(UNITS, 20)?, top.with_labels(labels)?])?;
    let config = TuneConfig { top_steps: "2x2".parse()?, momentum: 0.5, ..TuneConfig::default() };
    let other = UnitChoices { label: Units::Sampled, top_statistics: Units::Probabilities, ..config.units };
    let chains = TuneConfig { persistent_chains: 40, ..config.clone() };
    Ok(vec![
        (labelled.clone(), config.clone()),
        (labelled.clone(), TuneConfig { units: other, ..config.clone() }),
        (labelled, chains),
        (Dbn::from_rbms(vec![rbm(UNITS, 30)?])?, config.clone()),
        (sigmoid_belief_net(&[20, 10], &[0.4; UNITS], 0.1, 1)?, TuneConfig { top: TopModel::Factorial, ..config }),
    ])
}

fn values(dbn: &Dbn) -> Result<Vec<f32>> {
    let tensors = dbn.named_tensors("").into_iter().map(|(_, tensor)| tensor.flatten_all()?.to_vec1::<f32>());
    Ok(tensors.collect::<candle_core::Result<Vec<_>>>()?.concat())
}

/// Stops after so many batches.
struct After(u32);

impl Observer<UpDown> for After {
    fn batch_done(&mut self, _: &Progress) -> Control {
        self.0 -= 1;
        if self.0 == 0 { Control::Stop } else { Control::Continue }
    }
}

/// Eight updates from the same start. A state that meets a tie moves its weights by rate / batch; as long as
/// hardly one does, tunings stay together. Stopped and resumed, a GPU ends in the same bits.
#[test]
#[ignore = "needs a GPU"]
fn a_tuning_follows_the_cpus_and_resumes_in_the_same_bits() -> Result<()> {
    let device = Gpu::device(0)?;
    for (net, config) in tunings()? {
        let run = |device: &Device| -> Result<Vec<f32>> {
            let mut tuner = Tuner::new(&net, config.clone())?.on(device)?;
            assert_eq!(tuner.fit(&mut Kinds, &monitors(), &mut ())?, Outcome::Finished);
            values(&tuner.snapshot().model()?)
        };
        let (cpu, gpu) = (run(&Device::Cpu)?, run(&device)?);
        let far = cpu.iter().zip(&gpu).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        println!("{:?}, {} chains: parameters differ by {far:.1e}", config.top, config.persistent_chains);
        assert!(far < 0.05, "{:?}, {} chains: parameters differ by {far}", config.top, config.persistent_chains);
        for stop in [1, 6] {
            let mut tuner = Tuner::new(&net, config.clone())?.on(&device)?;
            assert_eq!(tuner.fit(&mut Kinds, &monitors(), &mut After(stop))?, Outcome::Interrupted);
            let state = tuner.snapshot().state()?;
            let mut tuner = Tuner::resume(config.clone(), state, &device)?;
            assert_eq!(tuner.fit(&mut Kinds, &monitors(), &mut ())?, Outcome::Finished);
            let bits = |values: &[f32]| values.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
            let now = values(&tuner.snapshot().model()?)?;
            assert!(bits(&now) == bits(&gpu), "{:?}: stopped after {stop} batches", config.top);
        }
    }
    Ok(())
}
