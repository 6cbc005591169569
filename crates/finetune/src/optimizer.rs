//! Gradient descent as a candle optimiser whose state can be saved. candle's own `AdamW` keeps its
//! moments to itself, and takes a dozen passes over the parameters where this takes one.

#[cfg(feature = "cuda")]
use candle_core::CudaStorage;
use candle_core::backprop::GradStore;
use candle_core::{CpuStorage, InplaceOp2, Layout, Result, Tensor, Var, bail};
use candle_nn::Optimizer;
#[cfg(feature = "cuda")]
use deepbelief_kernels::cuda::{Gpu, GpuMoments};
use deepbelief_kernels::{Adam, Momentum, limit_norms};
use deepbelief_training::DEVICES;
use serde::{Deserialize, Serialize};
use std::sync::Mutex;

/// How parameters follow their gradient.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OptimizerKind {
    /// Adam, with weight decay apart from the gradient (AdamW): [`deepbelief_kernels::Adam`].
    #[default]
    Adam,
    /// Gradient descent with momentum: [`deepbelief_kernels::Momentum`].
    Sgd,
}

/// Settings of [`Descent`]; the fields are those of [`crate::FinetuneConfig`].
#[derive(Clone, Copy, Debug, PartialEq)]
#[expect(missing_docs, reason = "described there")]
pub struct DescentConfig {
    pub kind: OptimizerKind,
    pub learning_rate: f64,
    pub momentum: f64,
    pub nesterov: bool,
    pub square_momentum: f64,
    pub weight_cost: f64,
    pub max_norm: f64,
}

/// Adam, or gradient descent with momentum, over F32 variables on the CPU or a GPU. Weight cost and norms
/// are for matrices, the weights [in, out]; biases, of one dimension, bear none.
///
/// ```
/// use candle_core::{Device, Tensor, Var};
/// use candle_nn::Optimizer;
/// use deepbelief_finetune::{Descent, FinetuneConfig};
/// # fn main() -> candle_core::Result<()> {
/// let x = Var::from_tensor(&Tensor::new(&[3.0f32, -1.0], &Device::Cpu)?)?;
/// let config = FinetuneConfig { learning_rate: 0.1, ..Default::default() };
/// let mut descent = Descent::new(vec![x.clone()], config.descent())?;
/// descent.backward_step(&x.sqr()?.sum_all()?)?;
/// assert!(x.to_vec1::<f32>()?[0] < 3.0);
/// # Ok(())
/// # }
/// ```
pub struct Descent {
    config: DescentConfig,
    slots: Vec<Slot>,
    steps: u32,
}

/// A variable and what is remembered of its gradients.
struct Slot {
    var: Var,
    kept: Mutex<Kept>,
}

/// Where the moments are: beside their variable.
enum Kept {
    Host(Moments),
    #[cfg(feature = "cuda")]
    Device(GpuMoments),
}

impl Kept {
    fn beside(var: &Var, moments: Moments) -> Result<Self> {
        #[cfg(feature = "cuda")]
        if var.device().is_cuda() {
            let gpu = Gpu::new(var.device())?;
            return Ok(Self::Device(GpuMoments::new(&gpu, &moments.first, &moments.second)?));
        }
        if !var.device().is_cpu() {
            bail!("descent: a variable must be on {DEVICES}");
        }
        Ok(Self::Host(moments))
    }
}

/// Mean gradients or velocities, and mean squares of gradients, which are Adam's alone.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Moments {
    pub(crate) first: Vec<f32>,
    pub(crate) second: Vec<f32>,
}

impl Descent {
    /// What is remembered of each variable's gradients.
    pub(crate) fn moments(&self) -> Result<Vec<Moments>> {
        let moments = |slot: &Slot| match &*lock(&slot.kept) {
            Kept::Host(moments) => Ok(moments.clone()),
            #[cfg(feature = "cuda")]
            Kept::Device(moments) => {
                let squares = self.config.kind == OptimizerKind::Adam;
                let (first, second) = moments.values(slot.var.elem_count(), squares)?;
                Ok(Moments { first, second })
            }
        };
        self.slots.iter().map(moments).collect()
    }

    /// A step along the gradients of the variables, in their order; one without a gradient stays.
    pub(crate) fn take<'a>(&mut self, gradients: impl IntoIterator<Item = Option<&'a Tensor>>) -> Result<()> {
        self.steps += 1;
        for (Slot { var, kept }, gradient) in self.slots.iter().zip(gradients) {
            if let Some(gradient) = gradient {
                let update = Update { config: &self.config, kept, step: self.steps };
                var.as_tensor().inplace_op2(&gradient.contiguous()?, &update)?;
            }
        }
        Ok(())
    }

    /// Goes on as if `steps` steps had led to these moments.
    pub(crate) fn restore(&mut self, moments: Vec<Moments>, steps: u32) -> Result<()> {
        self.steps = steps;
        for (slot, moments) in self.slots.iter_mut().zip(moments) {
            slot.kept = Kept::beside(&slot.var, moments)?.into();
        }
        Ok(())
    }
}

impl Optimizer for Descent {
    type Config = DescentConfig;

    fn new(vars: Vec<Var>, config: DescentConfig) -> Result<Self> {
        let adam = config.kind == OptimizerKind::Adam;
        let slots = vars.into_iter().map(|var| {
            let n = var.elem_count();
            let moments = Moments { first: vec![0.0; n], second: vec![0.0; if adam { n } else { 0 }] };
            Ok(Slot { kept: Kept::beside(&var, moments)?.into(), var })
        });
        Ok(Self { config, slots: slots.collect::<Result<_>>()?, steps: 0 })
    }

    fn step(&mut self, gradients: &GradStore) -> Result<()> {
        let found: Vec<_> = self.slots.iter().map(|slot| gradients.get(&slot.var).cloned()).collect();
        self.take(found.iter().map(Option::as_ref))
    }

    fn learning_rate(&self) -> f64 {
        self.config.learning_rate
    }

    fn set_learning_rate(&mut self, rate: f64) {
        self.config.learning_rate = rate;
    }
}

/// One step of one variable, which candle takes as an operation in place.
struct Update<'a> {
    config: &'a DescentConfig,
    kept: &'a Mutex<Kept>,
    step: u32,
}

/// The rule of a step.
enum Rule {
    Adam(Adam),
    Momentum(Momentum),
}

impl Update<'_> {
    /// The rule for a variable of this shape, and the limit to the norms of its columns.
    fn rule(&self, layout: &Layout) -> (Rule, Option<f32>) {
        let DescentConfig { kind, learning_rate, momentum, nesterov, square_momentum, weight_cost, max_norm } =
            *self.config;
        let matrix = layout.dims().len() == 2;
        let (weight_cost, step) = (if matrix { weight_cost } else { 0.0 }, self.step);
        let rule = match kind {
            OptimizerKind::Adam => Rule::Adam(Adam { learning_rate, momentum, square_momentum, weight_cost, step }),
            OptimizerKind::Sgd => Rule::Momentum(Momentum { learning_rate, momentum, nesterov, weight_cost }),
        };
        (rule, (matrix && max_norm > 0.0).then_some(max_norm as f32))
    }
}

impl InplaceOp2 for Update<'_> {
    fn name(&self) -> &'static str {
        "descent"
    }

    fn cpu_fwd(&self, w: &mut CpuStorage, wl: &Layout, g: &CpuStorage, gl: &Layout) -> Result<()> {
        let (CpuStorage::F32(w), Some((start, end))) = (w, wl.contiguous_offsets()) else {
            bail!("descent: a variable must be a contiguous F32 tensor")
        };
        let Some((from, to)) = gl.contiguous_offsets() else { bail!("descent: a gradient must be contiguous") };
        let (w, gradient) = (&mut w[start..end], &g.as_slice::<f32>()?[from..to]);
        let (rule, limit) = self.rule(wl);
        #[cfg_attr(not(feature = "cuda"), expect(irrefutable_let_patterns, reason = "there is one place"))]
        let Kept::Host(Moments { first, second }) = &mut *lock(self.kept) else {
            bail!("descent: the variable has left its device")
        };
        match rule {
            Rule::Adam(adam) => adam.take(w, first, second, gradient),
            Rule::Momentum(momentum) => momentum.take(w, first, gradient),
        }
        if let Some(most) = limit {
            limit_norms(w, wl.dims()[1], most);
        }
        Ok(())
    }

    #[cfg(feature = "cuda")]
    fn cuda_fwd(&self, w: &mut CudaStorage, wl: &Layout, g: &CudaStorage, gl: &Layout) -> Result<()> {
        let (rule, limit) = self.rule(wl);
        let Kept::Device(moments) = &mut *lock(self.kept) else { bail!("descent: the variable has left its device") };
        match rule {
            Rule::Adam(adam) => moments.adam(&adam, w, wl, g, gl)?,
            Rule::Momentum(momentum) => moments.momentum(&momentum, w, wl, g, gl)?,
        }
        limit.map_or(Ok(()), |most| moments.limit_norms(w, wl, most))
    }
}

/// A panic while the lock was held leaves the moments between two steps at worst.
fn lock(kept: &Mutex<Kept>) -> std::sync::MutexGuard<'_, Kept> {
    kept.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
