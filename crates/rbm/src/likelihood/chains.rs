//! Chains that anneal, all of them at the same inverse temperature, on the device of their RBM.

use crate::error::Result;
use crate::rbm::Rbm;
use deepbelief_kernels::{Bits, GibbsDraws, PathBiases, Tempered};

/// What annealing asks of chains.
pub(crate) trait Chains: Send {
    /// Changes the biases along the path; the chains stay where they are.
    fn set_biases(&mut self, biases: &PathBiases) -> Result<()>;

    /// Starts so many from the exact distribution at β = 0.
    fn start(&mut self, chains: usize, draws: &GibbsDraws) -> Result<()>;

    /// Starts from visible states and, where there is a label group, labels.
    fn start_from(&mut self, v: &Bits, labels: &[u32]) -> Result<()>;

    /// Adds `ln p*(v, y; to) - ln p*(v, y; from)` of every chain to its log weight, then, with
    /// `draws`, makes a Gibbs step at `to`.
    fn anneal(&mut self, from: f32, to: f32, draws: Option<&GibbsDraws>) -> Result<()>;

    /// The log weights collected since the start or the last call.
    fn take_log_weights(&mut self) -> Result<Vec<f64>>;

    /// The visible states.
    fn states(&self) -> Result<Bits>;

    /// The hidden states of the last Gibbs step.
    fn hidden_states(&self) -> Result<Bits>;
}

/// Chains of an RBM with Bernoulli units, whose biases grow from 0 until others are set.
pub(crate) fn of(rbm: &Rbm) -> Result<Box<dyn Chains>> {
    let (visible, hidden, parameters) = (rbm.visible(), rbm.hidden(), rbm.to_parameters()?);
    let base = &vec![0.0; visible];
    #[cfg(feature = "cuda")]
    if rbm.w_rec().device().is_cuda() {
        let gpu = deepbelief_kernels::cuda::Gpu::new(rbm.w_rec().device())?;
        return Ok(Box::new(on_device::OnDevice::new(&gpu, visible, hidden, &parameters, base)?));
    }
    let chains = Tempered::new(visible, hidden, &parameters, base);
    Ok(Box::new(Packed { chains, log_weights: Vec::new() }))
}

/// On the CPU.
struct Packed {
    chains: Tempered,
    log_weights: Vec<f64>,
}

impl Packed {
    fn reset(&mut self) {
        self.log_weights = vec![0.0; self.chains.states().rows()];
    }
}

impl Chains for Packed {
    fn set_biases(&mut self, biases: &PathBiases) -> Result<()> {
        self.chains.set_biases(biases);
        Ok(())
    }

    fn start(&mut self, chains: usize, draws: &GibbsDraws) -> Result<()> {
        self.chains.start(chains, draws);
        self.reset();
        Ok(())
    }

    fn start_from(&mut self, v: &Bits, labels: &[u32]) -> Result<()> {
        self.chains.start_from(v, labels);
        self.reset();
        Ok(())
    }

    fn anneal(&mut self, from: f32, to: f32, draws: Option<&GibbsDraws>) -> Result<()> {
        let n = self.log_weights.len();
        // A step's terms by themselves first: they are small beside what the chain has collected.
        let mut added = vec![0.0; n];
        self.chains.anneal(&vec![from; n], &vec![to; n], draws, &mut added);
        for (weight, added) in self.log_weights.iter_mut().zip(added) {
            *weight += added;
        }
        Ok(())
    }

    fn take_log_weights(&mut self) -> Result<Vec<f64>> {
        let taken = std::mem::take(&mut self.log_weights);
        self.reset();
        Ok(taken)
    }

    fn states(&self) -> Result<Bits> {
        Ok(self.chains.states().clone())
    }

    fn hidden_states(&self) -> Result<Bits> {
        Ok(self.chains.hidden_states().clone())
    }
}

#[cfg(feature = "cuda")]
mod on_device {
    use super::Chains;
    use crate::error::Result;
    use deepbelief_kernels::cuda::GpuTempered;
    use deepbelief_kernels::{Bits, GibbsDraws, PathBiases};

    pub(super) use deepbelief_kernels::cuda::GpuTempered as OnDevice;

    impl Chains for GpuTempered {
        fn set_biases(&mut self, biases: &PathBiases) -> Result<()> {
            Ok(Self::set_biases(self, biases)?)
        }

        fn start(&mut self, chains: usize, draws: &GibbsDraws) -> Result<()> {
            Ok(Self::start(self, chains, draws)?)
        }

        fn start_from(&mut self, v: &Bits, labels: &[u32]) -> Result<()> {
            Ok(Self::start_from(self, v, labels)?)
        }

        fn anneal(&mut self, from: f32, to: f32, draws: Option<&GibbsDraws>) -> Result<()> {
            Ok(Self::anneal(self, from, to, draws)?)
        }

        fn take_log_weights(&mut self) -> Result<Vec<f64>> {
            Ok(self.log_weights()?)
        }

        fn states(&self) -> Result<Bits> {
            Ok(Self::states(self)?)
        }

        fn hidden_states(&self) -> Result<Bits> {
            Ok(Self::hidden_states(self)?)
        }
    }
}
