//! The weights of one direction between two layers on the device: [`crate::Directed`] there.

use super::gpu::{Factor, Gpu, OnGpu, each, launch, typed};
use super::rows::{Feed, Rows, padded};
use super::steps::{Biases, read_largest, rounded, step_weights};
use crate::engine::Direction;
use crate::learning::directed::Weights;
use crate::learning::parameters::Fields;
use crate::learning::update::StepRule;
use crate::precision::Precision;
use crate::rng::Uniforms;
use crate::states::batch::Batch;
use crate::units::layers::{UnitKind, Units};
use candle_core::Result;
use candle_core::cuda_backend::WrapErr;
use candle_core::cuda_backend::cudarc::driver::CudaSlice;
use std::sync::Arc;

/// One direction between two layers of Bernoulli units: a [`Direction`].
pub struct GpuDirected {
    gpu: Arc<Gpu>,
    precision: Precision,
    inputs: usize,
    outputs: usize,
    w: CudaSlice<f32>,
    b: CudaSlice<f32>,
    w_velocity: CudaSlice<f32>,
    b_velocity: CudaSlice<f32>,
    /// The weights in BF16, where products take them so.
    rounded: Option<CudaSlice<u16>>,
    feed: Feed,
    x: CudaSlice<f32>,
    errors: Rows,
    gradient: CudaSlice<f32>,
    largest: CudaSlice<u32>,
    /// Room for sums of biases' gradients.
    sums: CudaSlice<f32>,
}

impl GpuDirected {
    fn download(&self, w: &CudaSlice<f32>, b: &CudaSlice<f32>) -> Result<Weights> {
        let (values, mut b) = (self.gpu.stream.clone_dtoh(w).w()?, self.gpu.stream.clone_dtoh(b).w()?);
        b.truncate(self.outputs);
        let mut w = Vec::with_capacity(self.inputs * self.outputs);
        for row in values.chunks_exact(padded(self.outputs).max(1)).take(self.inputs) {
            w.extend_from_slice(&row[..self.outputs]);
        }
        Ok(Weights { w, b, fields: Fields::default() })
    }

    /// Row-major values [rows, units] of inputs or outputs.
    ///
    /// # Errors
    /// If the device failed.
    pub fn to_values(&self, rows: &Rows, units: usize) -> Result<Vec<f32>> {
        rows.to_values(&self.gpu, units)
    }

    fn product(&mut self, input: &Rows) -> Result<()> {
        let (gpu, width) = (&self.gpu, padded(self.outputs));
        if self.x.len() < input.count * width {
            self.x = gpu.zeros(input.count * width)?;
        }
        let at = self.rounded.as_ref().map_or_else(|| gpu.address(&self.w), |rounded| gpu.address(rounded));
        let weights = Factor { at, columns: width, transposed: false };
        let sizes = [input.count, padded(self.inputs), width];
        gpu.product(self.precision, sizes, input.factor(gpu, 0, false), weights, gpu.address(&self.x))
    }
}

impl Direction for GpuDirected {
    type Place = OnGpu;
    type States = Rows;

    fn at(place: &OnGpu, inputs: &Units, outputs: &Units, weights: &Weights) -> Result<Self> {
        if !inputs.is_bernoulli() || !outputs.is_bernoulli() {
            candle_core::bail!("directed weights of {inputs} and {outputs} units are for the CPU");
        }
        let (inputs, outputs) = (inputs.columns(), outputs.columns());
        let (OnGpu { gpu, precision }, rows, width) = (place, padded(inputs), padded(outputs));
        assert_eq!((weights.w.len(), weights.b.len()), (inputs * outputs, outputs), "weights of these sizes");
        let (w, b) = upload(gpu, inputs, outputs, weights, f32::NEG_INFINITY)?;
        Ok(Self {
            gpu: Arc::clone(gpu),
            precision: *precision,
            rounded: rounded(gpu, *precision, &w)?,
            inputs,
            outputs,
            w,
            b,
            w_velocity: gpu.zeros(rows * width)?,
            b_velocity: gpu.zeros(width)?,
            feed: Feed::new(gpu)?,
            x: gpu.zeros(0)?,
            errors: Rows::new(gpu, *precision, width)?,
            gradient: gpu.zeros(rows * width)?,
            largest: gpu.zeros(1)?,
            sums: gpu.zeros(0)?,
        })
    }

    fn inputs(&self) -> Units {
        Units::of(UnitKind::Bernoulli, self.inputs)
    }

    fn outputs(&self) -> Units {
        Units::of(UnitKind::Bernoulli, self.outputs)
    }

    fn weights(&self) -> Result<Weights> {
        self.download(&self.w, &self.b)
    }

    fn velocities(&self) -> Result<Weights> {
        self.download(&self.w_velocity, &self.b_velocity)
    }

    fn set_velocities(&mut self, velocities: &Weights) -> Result<()> {
        (self.w_velocity, self.b_velocity) = upload(&self.gpu, self.inputs, self.outputs, velocities, 0.0)?;
        Ok(())
    }

    fn input_room(&self) -> Result<Rows> {
        Rows::new(&self.gpu, self.precision, padded(self.inputs))
    }

    fn output_room(&self) -> Result<Rows> {
        Rows::new(&self.gpu, self.precision, padded(self.outputs))
    }

    fn load<'a>(&mut self, batch: &'a Batch, room: &'a mut Rows) -> Result<&'a Rows> {
        room.reshape(&self.gpu, batch.rows())?;
        self.feed.load(&self.gpu, batch, room, 0)?;
        Ok(room)
    }

    fn sample(&mut self, input: &Rows, draw: Uniforms, states: &mut Rows) -> Result<()> {
        self.product(input)?;
        states.reshape(&self.gpu, input.count)?;
        let (n, width) = (input.count as u32, states.width as u32);
        let [key0, key1, step, purpose] = draw.key_and_counter();
        launch!(&self.gpu, typed!(states.number, "states"), each(input.count * states.width / 4);
            &self.x, &self.b, &mut states.data, &n, &width, &width, &0u32, &key0, &key1, &step, &purpose)
    }

    fn probabilities(&mut self, input: &Rows, probabilities: &mut Rows) -> Result<()> {
        self.product(input)?;
        probabilities.reshape(&self.gpu, input.count)?;
        let (n, width) = (input.count as u32, probabilities.width as u32);
        launch!(&self.gpu, typed!(probabilities.number, "probabilities"), each(input.count * probabilities.width);
            &self.x, &self.b, &mut probabilities.data, &n, &width, &width, &1.0f32)
    }

    fn learn(&mut self, input: &Rows, target: &Rows, rule: &StepRule) -> Result<()> {
        self.product(input)?;
        self.errors.reshape(&self.gpu, input.count)?;
        let (gpu, samples) = (Arc::clone(&self.gpu), input.count);
        let (n, width) = (samples as u32, self.errors.width as u32);
        launch!(&gpu, typed!(target.number, "errors"), each(samples * self.errors.width);
            &self.x, &self.b, &target.data, &mut self.errors.data, &n, &width, &width)?;
        let sizes = [input.width, samples, self.errors.width];
        let (left, right) = (input.factor(&gpu, 0, true), self.errors.factor(&gpu, 0, false));
        gpu.product(self.precision, sizes, left, right, gpu.address(&self.gradient))?;
        let biases = Biases {
            bias: &mut self.b,
            velocity: &mut self.b_velocity,
            rate: rule.scale(samples),
            momentum: rule.momentum,
            largest: &mut self.largest,
            sums: &mut self.sums,
        };
        biases.step(&gpu, &self.errors, samples, 0, 1.0)?;
        let weights = (&mut self.w_velocity, &mut self.w, self.rounded.as_mut());
        step_weights(&gpu, &self.gradient, weights, samples, rule, &mut self.largest)
    }

    fn largest(&mut self) -> Result<f32> {
        read_largest(&self.gpu, &mut self.largest)
    }
}

/// Weights and biases padded, `padding` being the biases of padding units.
fn upload(
    gpu: &Gpu,
    inputs: usize,
    outputs: usize,
    weights: &Weights,
    padding: f32,
) -> Result<(CudaSlice<f32>, CudaSlice<f32>)> {
    let width = padded(outputs);
    let mut w = vec![0.0; padded(inputs) * width];
    for (padded, row) in w.chunks_exact_mut(width.max(1)).zip(weights.w.chunks_exact(outputs.max(1))) {
        padded[..outputs].copy_from_slice(row);
    }
    let mut b = weights.b.clone();
    b.resize(width, padding);
    Ok((gpu.upload(&w)?, gpu.upload(&b)?))
}
