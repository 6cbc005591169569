//! A GPU as the kernels need it: its stream, its compiled kernels, products in a precision.

use crate::precision::Precision;
use candle_core::backend::BackendDevice;
use candle_core::cuda_backend::cudarc::cublas::{result::gemm_ex, sys};
use candle_core::cuda_backend::cudarc::driver::{CudaFunction, CudaSlice, CudaStream, DevicePtr, LaunchConfig};
use candle_core::cuda_backend::{CudaDevice, WrapErr};
use candle_core::{Device, Result, bail};
use std::collections::HashMap;
use std::ffi::c_void;
use std::fmt;
use std::sync::Arc;

/// PTX of `kernels/*.cu`.
#[allow(unreachable_pub, reason = "what the build wrote")]
mod ptx {
    include!(concat!(env!("OUT_DIR"), "/ptx.rs"));
}

/// Threads of a block that handles one number or one sample a thread.
pub(super) const THREADS: u32 = 256;

/// The kernels of each file.
const KERNELS: [(&str, &str, &[&str]); 6] = [
    (
        "states",
        ptx::STATES,
        &[
            "unpack_f32",
            "unpack_bf16",
            "pack_f32",
            "pack_bf16",
            "convert_f32",
            "convert_bf16",
            "one_hot_f32",
            "one_hot_bf16",
            "sample_f32",
            "sample_bf16",
            "bernoulli",
            "states_f32",
            "states_bf16",
            "probabilities_f32",
            "probabilities_bf16",
            "scale_f32",
            "scale_bf16",
            "copy_f32",
            "copy_bf16",
            "errors_f32",
            "errors_bf16",
            "labels_f32",
            "labels_bf16",
        ],
    ),
    (
        "learn",
        ptx::LEARN,
        &[
            "step_biases_f32",
            "step_biases_bf16",
            "sum_parts_f32",
            "sum_parts_bf16",
            "step_biases_by_parts",
            "sum_biases_f32",
            "sum_biases_bf16",
            "sum_biases_by_parts",
            "pull_f32",
            "pull_bf16",
            "step_weights",
            "round_weights",
        ],
    ),
    ("measure", ptx::MEASURE, &["softplus_sums", "label_scores", "add_activity", "squares", "costs_f32", "costs_bf16"]),
    ("descend", ptx::DESCEND, &["adam", "descend", "limit_norms"]),
    (
        "follow",
        ptx::FOLLOW,
        &[
            "step_biases_along",
            "step_weights_centred",
            "shift_hidden",
            "shift_visible",
            "follow_means",
            "run_ahead",
            "approach",
            "bias_slopes",
        ],
    ),
    ("anneal", ptx::ANNEAL, &["anneal_weights", "tempered_states", "linear_terms", "chosen_labels"]),
];

/// Type of the numbers that states and probabilities are kept in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Number {
    F32,
    Bf16,
}

impl Number {
    pub(super) fn bytes(self) -> usize {
        match self {
            Self::F32 => 4,
            Self::Bf16 => 2,
        }
    }

    /// The kernel of this type among the two.
    pub(super) fn kernel(self, f32: &'static str, bf16: &'static str) -> &'static str {
        match self {
            Self::F32 => f32,
            Self::Bf16 => bf16,
        }
    }
}

/// A factor of a product: where it lies and how many columns a row of it has.
#[derive(Clone, Copy)]
pub(super) struct Factor {
    pub(super) at: u64,
    pub(super) columns: usize,
    pub(super) transposed: bool,
}

/// Where an RBM on a GPU is, and what its products are computed in.
#[derive(Clone, Debug)]
pub struct OnGpu {
    pub(super) gpu: Arc<Gpu>,
    pub(super) precision: Precision,
}

impl OnGpu {
    /// On a candle device.
    ///
    /// # Errors
    /// If it is no GPU, or its driver refuses the kernels.
    pub fn new(device: &Device, precision: Precision) -> Result<Self> {
        Ok(Self { gpu: Gpu::new(device)?, precision })
    }

    /// The GPU itself.
    #[must_use]
    pub fn gpu(&self) -> &Arc<Gpu> {
        &self.gpu
    }
}

/// A GPU.
pub struct Gpu {
    device: CudaDevice,
    pub(super) stream: Arc<CudaStream>,
    functions: HashMap<&'static str, CudaFunction>,
}

impl fmt::Debug for Gpu {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.device.fmt(f)
    }
}

impl Gpu {
    /// The candle device of GPU `ordinal`, on a stream of its own. Candle's `Device::new_cuda` takes
    /// the stream of whichever thread calls, and would let threads of one training overtake each
    /// other.
    ///
    /// # Errors
    /// If there is no such GPU or its driver is too old.
    pub fn device(ordinal: usize) -> Result<Device> {
        let device = CudaDevice::new_with_stream(ordinal)?;
        // SAFETY: all tensors of this device are used on its one stream, which keeps them in order.
        unsafe { device.disable_event_tracking() };
        Ok(Device::Cuda(device))
    }

    /// Loads the kernels on a candle device.
    ///
    /// # Errors
    /// If it is no GPU, or its driver refuses the kernels.
    pub fn new(device: &Device) -> Result<Arc<Self>> {
        let Device::Cuda(device) = device else { bail!("the CUDA kernels need a GPU, not {device:?}") };
        let names: Vec<&str> = KERNELS.iter().flat_map(|(_, _, names)| names.iter().copied()).collect();
        Ok(Arc::new(Self::with(device, &names)?))
    }

    /// Loads some of the kernels.
    pub(super) fn with(device: &CudaDevice, wanted: &[&'static str]) -> Result<Self> {
        let mut functions = HashMap::new();
        for (module, ptx, names) in KERNELS {
            for &name in names.iter().filter(|name| wanted.contains(name)) {
                let function = device.get_or_load_custom_func(name, &format!("deepbelief-{module}"), ptx)?;
                functions.insert(name, function.into_cuda_function());
            }
        }
        Ok(Self { device: device.clone(), stream: device.cuda_stream(), functions })
    }

    /// Waits until the device has done all that was asked of it.
    ///
    /// # Errors
    /// If some of it failed.
    pub fn synchronize(&self) -> Result<()> {
        self.device.synchronize()
    }

    /// What the driver calls it.
    ///
    /// # Errors
    /// If the driver does not say.
    pub fn name(&self) -> Result<String> {
        self.stream.context().name().w()
    }

    /// Bytes of free and of all memory.
    ///
    /// # Errors
    /// If the driver does not say.
    pub fn memory(&self) -> Result<(usize, usize)> {
        self.stream.context().mem_get_info().w()
    }

    pub(super) fn function(&self, name: &'static str) -> &CudaFunction {
        &self.functions[name]
    }

    pub(super) fn zeros<T>(&self, len: usize) -> Result<CudaSlice<T>>
    where
        T: candle_core::cuda_backend::cudarc::driver::DeviceRepr
            + candle_core::cuda_backend::cudarc::driver::ValidAsZeroBits,
    {
        // The driver refuses to allocate nothing.
        self.stream.alloc_zeros(len.max(1)).w()
    }

    pub(super) fn upload(&self, values: &[f32]) -> Result<CudaSlice<f32>> {
        self.stream.clone_htod(values).w()
    }

    pub(super) fn address<T>(&self, slice: &CudaSlice<T>) -> u64 {
        slice.device_ptr(&self.stream).0
    }

    /// Row-major `out = left right`, [rows, inner] times [inner, columns], factors as they are or
    /// transposed.
    pub(super) fn product(
        &self,
        precision: Precision,
        [rows, inner, columns]: [usize; 3],
        left: Factor,
        right: Factor,
        out: u64,
    ) -> Result<()> {
        if rows == 0 || columns == 0 {
            return Ok(());
        }
        let (number, compute) = match precision {
            Precision::F32 => (sys::cudaDataType::CUDA_R_32F, sys::cublasComputeType_t::CUBLAS_COMPUTE_32F),
            Precision::Tf32 => (sys::cudaDataType::CUDA_R_32F, sys::cublasComputeType_t::CUBLAS_COMPUTE_32F_FAST_TF32),
            Precision::Bf16 => (sys::cudaDataType::CUDA_R_16BF, sys::cublasComputeType_t::CUBLAS_COMPUTE_32F),
        };
        let operation = |factor: Factor| {
            if factor.transposed { sys::cublasOperation_t::CUBLAS_OP_T } else { sys::cublasOperation_t::CUBLAS_OP_N }
        };
        let (one, zero) = (1.0f32, 0.0f32);
        let (one, zero): (*const f32, *const f32) = (&raw const one, &raw const zero);
        self.stream.context().bind_to_thread().w()?;
        // cuBLAS counts columns first: it computes outᵀ = rightᵀ leftᵀ, of which the matrices in
        // memory are the same.
        //
        // SAFETY: the factors and the output lie in allocations of this device that the callers
        // keep alive and that hold the rows and columns given.
        unsafe {
            gemm_ex(
                *self.device.cublas_handle().handle(),
                operation(right),
                operation(left),
                columns as i32,
                rows as i32,
                inner as i32,
                one.cast(),
                right.at as *const c_void,
                number,
                right.columns as i32,
                left.at as *const c_void,
                number,
                left.columns as i32,
                zero.cast(),
                out as *mut c_void,
                sys::cudaDataType::CUDA_R_32F,
                columns as i32,
                compute,
                sys::cublasGemmAlgo_t::CUBLAS_GEMM_DEFAULT,
            )
        }
        .w()
    }
}

/// Blocks that give each of `n` numbers a thread.
pub(super) fn each(n: usize) -> LaunchConfig {
    blocks(n.div_ceil(THREADS as usize))
}

/// So many blocks of [`THREADS`] threads.
pub(super) fn blocks(n: usize) -> LaunchConfig {
    LaunchConfig { grid_dim: (n.max(1) as u32, 1, 1), block_dim: (THREADS, 1, 1), shared_mem_bytes: 0 }
}

/// Blocks that each sum 32 columns: see `kernels/learn.cu`.
pub(super) fn columns(n: usize) -> LaunchConfig {
    LaunchConfig { grid_dim: (n.div_ceil(32).max(1) as u32, 1, 1), block_dim: (32, 8, 1), shared_mem_bytes: 0 }
}

/// Queues a kernel with its arguments, each a reference to a slice, a view or a number, as the
/// kernel's signature has them.
macro_rules! launch {
    ($gpu:expr, $kernel:expr, $config:expr; $($argument:expr),* $(,)?) => {{
        use candle_core::cuda_backend::cudarc::driver::PushKernelArg;
        let gpu: &$crate::cuda::gpu::Gpu = $gpu;
        let mut arguments = gpu.stream.launch_builder(gpu.function($kernel));
        $(
            let argument = $argument;
            arguments.arg(argument);
        )*
        // SAFETY: the arguments are those of the kernel's signature in kernels/*.cu, and the
        // slices hold as many numbers as it touches.
        let launched = unsafe { arguments.launch($config) };
        candle_core::cuda_backend::WrapErr::w(launched.map(|_| ()))
    }};
}
pub(super) use launch;

/// The kernel of a name for the type of some numbers.
macro_rules! typed {
    ($number:expr, $name:literal) => {
        $number.kernel(concat!($name, "_f32"), concat!($name, "_bf16"))
    };
}
pub(super) use typed;
