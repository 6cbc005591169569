//! States and probabilities of a layer on the device.

use super::gpu::{Factor, Gpu, Number, each, launch, typed};
use crate::precision::Precision;
use crate::row::BLOCK;
use crate::states::batch::Batch;
use crate::states::bits::Bits;
use candle_core::Result;
use candle_core::cuda_backend::WrapErr;
use candle_core::cuda_backend::cudarc::driver::{CudaSlice, CudaView, CudaViewMut, PinnedHostSlice};
use std::ops::Range;

/// Units and padding.
pub(super) fn padded(units: usize) -> usize {
    units.next_multiple_of(BLOCK)
}

/// A matrix of numbers, a sample a row.
pub struct Rows {
    pub(super) data: CudaSlice<u8>,
    pub(super) number: Number,
    /// Number of rows.
    pub(super) count: usize,
    /// Units and padding.
    pub(super) width: usize,
}

impl Rows {
    /// Without rows.
    pub(super) fn new(gpu: &Gpu, precision: Precision, width: usize) -> Result<Self> {
        let number = if precision == Precision::Bf16 { Number::Bf16 } else { Number::F32 };
        Ok(Self { data: gpu.zeros(0)?, number, count: 0, width })
    }

    /// Makes room for so many rows, whose numbers are then anything unless the shape is as before.
    pub(super) fn reshape(&mut self, gpu: &Gpu, rows: usize) -> Result<()> {
        let bytes = rows * self.width * self.number.bytes();
        if self.data.len() < bytes {
            self.data = gpu.zeros(bytes)?;
        }
        self.count = rows;
        Ok(())
    }

    /// The same, and the rows that are there stay.
    pub(super) fn grow(&mut self, gpu: &Gpu, rows: usize) -> Result<()> {
        let bytes = rows * self.width * self.number.bytes();
        if self.data.len() < bytes {
            let mut data = gpu.zeros(bytes)?;
            gpu.stream.memcpy_dtod(&self.data, &mut data.slice_mut(..self.data.len())).w()?;
            self.data = data;
        }
        self.count = rows;
        Ok(())
    }

    fn bytes(&self, rows: Range<usize>) -> Range<usize> {
        let row = self.width * self.number.bytes();
        rows.start * row..rows.end * row
    }

    /// Some of the rows.
    pub(super) fn view(&self, rows: Range<usize>) -> CudaView<'_, u8> {
        self.data.slice(self.bytes(rows))
    }

    pub(super) fn view_mut(&mut self, rows: Range<usize>) -> CudaViewMut<'_, u8> {
        let bytes = self.bytes(rows);
        self.data.slice_mut(bytes)
    }

    /// The rows from `first` on as a factor of a product.
    pub(super) fn factor(&self, gpu: &Gpu, first: usize, transposed: bool) -> Factor {
        let at = gpu.address(&self.data) + self.bytes(0..first).end as u64;
        Factor { at, columns: self.width, transposed }
    }

    /// Copies `count` rows of another matrix of this width and type here.
    pub(super) fn copy(&mut self, gpu: &Gpu, at: usize, from: &Self, first: usize, count: usize) -> Result<()> {
        let source = from.view(first..first + count);
        let mut target = self.view_mut(at..at + count);
        gpu.stream.memcpy_dtod(&source, &mut target).w()
    }

    /// Row-major values [rows, units].
    pub(super) fn to_values(&self, gpu: &Gpu, units: usize) -> Result<Vec<f32>> {
        let bytes = gpu.stream.clone_dtoh(&self.view(0..self.count)).w()?;
        let number = |bytes: &[u8]| match bytes {
            // BF16 is the upper half of F32.
            [a, b] => f32::from_bits(u32::from_le_bytes([0, 0, *a, *b])),
            _ => f32::from_le_bytes(bytes.try_into().expect("four bytes")),
        };
        let values: Vec<f32> = bytes.chunks_exact(self.number.bytes()).map(number).collect();
        Ok(values.chunks_exact(self.width).flat_map(|row| row[..units].iter().copied()).collect())
    }

    /// Packed states of some of the rows.
    pub(super) fn to_bits(&self, gpu: &Gpu, rows: Range<usize>, units: usize) -> Result<Bits> {
        let (n, blocks) = (rows.len(), units.div_ceil(BLOCK));
        let mut words = gpu.zeros::<u32>(n * blocks)?;
        launch!(gpu, typed!(self.number, "pack"), each(n * blocks * BLOCK);
            &self.view(rows), &mut words, &(n as u32), &(blocks as u32), &(self.width as u32))?;
        let words = gpu.stream.clone_dtoh(&words).w()?;
        let mut bits = Bits::zeros(n, units);
        for (i, word) in words.into_iter().take(n * blocks).enumerate() {
            bits.set_word(i % n.max(1), i / n.max(1), word);
        }
        Ok(bits)
    }
}

/// The way of batches of one kind and about one size to the device, for a buffer is sent whole: two
/// buffers in page-locked memory, one of which can be filled
/// while the other one is still on its way.
pub(super) struct Feed {
    host: [Option<PinnedHostSlice<u32>>; 2],
    device: CudaSlice<u32>,
    turn: usize,
}

impl Feed {
    pub(super) fn new(gpu: &Gpu) -> Result<Self> {
        Ok(Self { host: [None, None], device: gpu.zeros(0)?, turn: 0 })
    }

    /// Sends words, which are then in `self.device`.
    fn send(&mut self, gpu: &Gpu, words: &[u32]) -> Result<()> {
        if words.is_empty() {
            return Ok(());
        }
        self.turn = 1 - self.turn;
        let host = &mut self.host[self.turn];
        if host.as_ref().is_none_or(|host| host.len() < words.len()) {
            // SAFETY: memory that is written before it is read.
            *host = Some(unsafe { gpu.stream.context().alloc_pinned(words.len()) }.w()?);
        }
        let host = host.as_mut().expect("allocated above");
        // Waits until the last copy from here is done.
        host.as_mut_slice().w()?[..words.len()].copy_from_slice(words);
        // A buffer is copied whole, beyond the words of a small batch.
        if host.len() > self.device.len() {
            self.device = gpu.zeros(host.len())?;
        }
        gpu.stream.memcpy_htod(host, &mut self.device).w()
    }

    /// Writes a batch to the rows of `to` from `first` on.
    pub(super) fn load(&mut self, gpu: &Gpu, batch: &Batch, to: &mut Rows, first: usize) -> Result<()> {
        let (rows, units, stride) = (batch.rows(), batch.units(), to.width);
        let width = padded(units);
        let number = to.number;
        let mut target = to.view_mut(first..first + rows);
        match batch {
            Batch::Binary(bits) => {
                self.send(gpu, bits.words())?;
                launch!(gpu, typed!(number, "unpack"), each(rows * width);
                    &self.device, &mut target, &(rows as u32), &(bits.blocks() as u32), &(stride as u32))
            }
            Batch::Real { values, .. } => {
                let words: Vec<u32> = values.iter().map(|x| x.to_bits()).collect();
                self.send(gpu, &words)?;
                launch!(gpu, typed!(number, "convert"), each(rows * width);
                    &self.device, &mut target, &(rows as u32), &(units as u32), &(width as u32), &(stride as u32))
            }
        }
    }

    /// Writes the one-hot rows of labels to the `width` columns of `to` from a row and a column on.
    pub(super) fn load_labels(
        &mut self,
        gpu: &Gpu,
        labels: &[u32],
        to: &mut Rows,
        (row, column): (usize, usize),
        width: usize,
    ) -> Result<()> {
        self.send(gpu, labels)?;
        let (stride, number) = (to.width, to.number);
        let start = (row * stride + column) * number.bytes();
        let mut target = to.data.slice_mut(start..);
        launch!(gpu, typed!(number, "one_hot"), each(labels.len() * width);
            &self.device, &mut target, &(labels.len() as u32), &(width as u32), &(stride as u32))
    }
}
