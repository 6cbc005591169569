//! Arrays on their way through an RBM of Bernoulli units, a block of rows at a time. Nothing as large as the array is
//! made but the result: rows of states are packed into bits where they are read, others become 32-bit numbers.

use crate::arrays::{Values, to_rows};
use crate::attended::{Attention, computed};
use crate::blocks::{ATTENTIVE, BLOCK, Number, stop};
use crate::failure::{Failure, Result};
use crate::model::Model;
use deepbelief_kernels::{Batch, Bits, PackedRbm, Value};
use numpy::PyArray1;
use pyo3::prelude::*;
use rayon::prelude::*;
use std::sync::Mutex;

/// What an array had beside values from 0 to 1: its least and greatest value, and whether all are finite.
type Seen = (f64, f64, bool);

/// States alone.
const NOTHING: Seen = (0.0, 1.0, true);

/// Grey level of 1.
const WHITE: f32 = 255.0;

/// Units of a word.
const WORD: usize = 32;

/// The samples of a block that are states, or those that are not, with their rows in the block.
struct Part {
    rows: Vec<usize>,
    batch: Batch,
}

impl Part {
    /// A number of each sample that depends on its values alone.
    fn hashes(&self) -> Vec<u64> {
        match &self.batch {
            Batch::Binary(bits) => {
                let of = |row| hash((0..bits.blocks()).map(|block| bits.word(row, block)));
                (0..bits.rows()).map(of).collect()
            }
            Batch::Real { units, values, .. } => {
                values.chunks_exact((*units).max(1)).map(|row| hash(row.iter().map(|x| x.to_bits()))).collect()
            }
        }
    }
}

impl Model {
    /// `width` results a row of `values`, of the parts of every block.
    fn of_values<V: Value, T: Number>(
        &self,
        values: &[V],
        attention: &Attention<'_>,
        grey: bool,
        width: usize,
        of: impl Fn(&Part) -> Vec<T> + Sync,
    ) -> Result<(Vec<T>, Seen)> {
        let units = self.visible();
        let rows = values.len() / units.max(1);
        let (mut all, seen) = (vec![T::default(); rows * width], Mutex::new(NOTHING));
        let out = (BLOCK * width).max(1);
        for (turn, all) in all.chunks_mut(ATTENTIVE * out).enumerate() {
            stop(attention)?;
            all.par_chunks_mut(out).enumerate().for_each(|(block, out)| {
                let first = (turn * ATTENTIVE + block) * BLOCK;
                let values = &values[first * units..(first + out.len() / width.max(1)) * units];
                for part in parts(values, units, grey, &seen) {
                    for (&row, made) in part.rows.iter().zip(of(&part).chunks(width.max(1))) {
                        out[row * width..(row + 1) * width].copy_from_slice(made);
                    }
                }
            });
        }
        Ok((all, seen.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner)))
    }
}

/// The rows of a block, states apart from others.
fn parts<V: Value>(values: &[V], units: usize, grey: bool, seen: &Mutex<Seen>) -> Vec<Part> {
    let (rows, blocks) = (values.len() / units.max(1), units.div_ceil(WORD));
    let (mut words, mut packed) = (vec![0; blocks], Vec::with_capacity(rows * blocks));
    let (mut states, mut others) = (Vec::with_capacity(rows), Vec::new());
    let mut floats = Vec::new();
    for (place, row) in values.chunks_exact(units.max(1)).enumerate() {
        let start = floats.len();
        let mut is_states = !grey && V::pack(row, &mut words);
        if !is_states {
            floats.extend(row.iter().map(|x| x.to_f32()));
            if grey {
                floats[start..].iter_mut().for_each(|x| *x /= WHITE);
            } else {
                bring_in(&mut floats[start..], seen);
                // What was brought in may be states.
                is_states = f32::pack(&floats[start..], &mut words);
            }
        }
        if is_states {
            floats.truncate(start);
            packed.extend_from_slice(&words);
            states.push(place);
        } else {
            others.push(place);
        }
    }
    let mut bits = Bits::default();
    let chosen: Vec<u32> = (0..states.len() as u32).collect();
    bits.gather(units, &packed, &chosen);
    let real = Batch::Real { rows: others.len(), units, values: floats };
    let both = [Part { rows: states, batch: Batch::Binary(bits) }, Part { rows: others, batch: real }];
    both.into_iter().filter(|part| !part.rows.is_empty()).collect()
}

/// Takes values beyond 0 and 1 for these ends, and notes them.
fn bring_in(row: &mut [f32], seen: &Mutex<Seen>) {
    let ends = |(low, high): (f32, f32), &x: &f32| (low.min(x), high.max(x));
    let (low, high) = row.iter().fold((0f32, 1f32), ends);
    let finite = row.iter().all(|x| x.is_finite());
    if low < 0.0 || high > 1.0 || !finite {
        for x in row {
            *x = x.clamp(0.0, 1.0);
        }
        let mut seen = seen.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        *seen = (seen.0.min(low.into()), seen.1.max(high.into()), seen.2 && finite);
    }
}

/// FNV-1a over words.
fn hash(words: impl Iterator<Item = u32>) -> u64 {
    words.fold(0xcbf2_9ce4_8422_2325, |hash, word| (hash ^ u64::from(word)).wrapping_mul(0x0000_0100_0000_01b3))
}

/// A whole number below `units` that a seed draws for a sample (the last steps of `SplitMix64`; Steele, Lea & Flood 2014).
fn drawn(hash: u64, seed: u64, units: usize) -> u32 {
    let mut x = (hash ^ seed.wrapping_mul(0x9e37_79b9_7f4a_7c15)).wrapping_add(0x9e37_79b9_7f4a_7c15);
    x = (x ^ x >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ x >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((u128::from(x ^ x >> 31) * units as u128) >> 64) as u32
}

#[pymethods]
impl Model {
    /// Means of the hidden units of an RBM of Bernoulli units, of rows of an array of bytes or floats as they are, as
    /// float32 or with `double` as float64; and what beside values from 0 to 1 was among them. None of other models.
    #[pyo3(signature = (array, threads=0, *, grey=false, double=false))]
    fn encode_values<'py>(
        &self,
        py: Python<'py>,
        array: &Bound<'py, PyAny>,
        threads: usize,
        grey: bool,
        double: bool,
    ) -> PyResult<Option<(Bound<'py, PyAny>, Seen)>> {
        if double { self.means::<f64>(py, array, threads, grey) } else { self.means::<f32>(py, array, threads, grey) }
    }

    /// scikit-learn's estimate of the pseudo-likelihood: one unit flips in each sample, which the seed and the sample's
    /// own values draw. Nats, and what beside values from 0 to 1 was in the array.
    #[pyo3(signature = (array, seed, threads=0))]
    fn flip_values<'py>(
        &self,
        py: Python<'py>,
        array: &Bound<'py, PyAny>,
        seed: u64,
        threads: usize,
    ) -> PyResult<(Bound<'py, PyArray1<f64>>, Seen)> {
        let Some(machine) = self.packed()? else {
            return Err(Failure::new("the estimate is of an RBM of Bernoulli units").into());
        };
        let units = self.visible();
        let of = |part: &Part| {
            let chosen: Vec<u32> = part.hashes().into_iter().map(|hash| drawn(hash, seed, units)).collect();
            machine.flip_log_likelihood_of(&part.batch, &chosen)
        };
        let (values, seen) = self.through(py, array, threads, false, 1, of)?;
        Ok((PyArray1::from_vec(py, values), seen))
    }
}

impl Model {
    fn means<'py, T: Number>(
        &self,
        py: Python<'py>,
        array: &Bound<'py, PyAny>,
        threads: usize,
        grey: bool,
    ) -> PyResult<Option<(Bound<'py, PyAny>, Seen)>> {
        let Some(machine) = self.packed()? else { return Ok(None) };
        let hidden = machine.hidden();
        let of = |part: &Part| machine.hidden_means(&part.batch).into_iter().map(T::from).collect();
        let (values, seen) = self.through(py, array, threads, grey, hidden, of)?;
        Ok(Some((to_rows(py, values, hidden)?.into_any(), seen)))
    }

    /// The weights in their fastest layout, of an RBM of Bernoulli units.
    fn packed(&self) -> Result<Option<PackedRbm>> {
        let Some(rbm) = self.bernoulli_rbm() else { return Ok(None) };
        Ok(Some(PackedRbm::new(rbm.visible(), rbm.hidden(), &rbm.to_parameters()?)))
    }

    fn through<T: Number>(
        &self,
        py: Python<'_>,
        array: &Bound<'_, PyAny>,
        threads: usize,
        grey: bool,
        width: usize,
        of: impl Fn(&Part) -> Vec<T> + Send + Sync,
    ) -> PyResult<(Vec<T>, Seen)> {
        let (values, [_, units]) = Values::of(array)?;
        if units != self.visible() {
            let expected = self.visible();
            return Err(Failure::new(format!(
                "the samples have {units} units, but the model has {expected} visible units"
            ))
            .into());
        }
        computed(py, threads, |attention| match &values {
            Values::Bytes(values) => self.of_values(values.as_ref(), attention, grey, width, of),
            Values::Floats(values) => self.of_values(values.as_ref(), attention, grey, width, of),
            Values::Doubles(values) => self.of_values(values.as_ref(), attention, grey, width, of),
        })
    }
}
