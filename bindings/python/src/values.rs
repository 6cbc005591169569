//! Arrays on their way through an RBM of Bernoulli units, a block of rows at a time. Nothing as large as the array is
//! made but the result: rows of states are packed into bits where they are read, others become 32-bit numbers.

use crate::arrays::Values;
use crate::attended::{Attention, computed};
use crate::blocks::{BLOCK, Number, stop};
use crate::failure::{Failure, Result};
use crate::model::Model;
use deepbelief_kernels::{Batch, Bits, PackedRbm, Room, Share, Stream, Uniforms, Value};
use numpy::{PyArray1, PyArray2, PyArrayMethods};
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

/// Samples of a block, where there are fewer than a block for each thread.
const LEAST: usize = 32;

/// The samples of a block that are states, or those that are not, with their rows in the block.
#[derive(Default)]
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

/// Memory that a block takes, kept for the next one.
#[derive(Default)]
struct Desk {
    words: Vec<u32>,
    packed: Vec<u32>,
    states: Part,
    others: Part,
    room: Room,
}

impl Desk {
    /// Lays out the rows of a block, states apart from others.
    fn lay_out<V: Value>(&mut self, values: &[V], units: usize, grey: bool, seen: &Mutex<Seen>) {
        let Self { words, packed, states, others, .. } = self;
        words.resize(units.div_ceil(WORD), 0);
        packed.clear();
        states.rows.clear();
        others.rows.clear();
        let mut floats = match std::mem::take(&mut others.batch) {
            Batch::Real { values, .. } => values,
            Batch::Binary(_) => Vec::new(),
        };
        let mut end = 0;
        for (place, row) in values.chunks_exact(units.max(1)).enumerate() {
            let mut is_states = !grey && V::pack(row, words);
            if !is_states {
                floats.resize(floats.len().max(end + units), 0.0);
                let numbers = &mut floats[end..end + units];
                let within = V::narrow(row, numbers);
                if grey {
                    for x in numbers {
                        *x /= WHITE;
                    }
                } else {
                    if !within {
                        bring_in(numbers, seen);
                    }
                    // What was rounded or brought in may be states.
                    is_states = f32::pack(numbers, words);
                }
            }
            if is_states {
                packed.extend_from_slice(words);
                states.rows.push(place);
            } else {
                end += units;
                others.rows.push(place);
            }
        }
        floats.truncate(end);
        others.batch = Batch::Real { rows: others.rows.len(), units, values: floats };
        let mut bits = match std::mem::take(&mut states.batch) {
            Batch::Binary(bits) => bits,
            Batch::Real { .. } => Bits::default(),
        };
        let chosen: Vec<u32> = (0..states.rows.len() as u32).collect();
        bits.gather(units, packed, &chosen, Share::WHOLE);
        states.batch = Batch::Binary(bits);
    }
}

/// An array on its way through.
struct Passage<'a> {
    array: &'a Values,
    threads: usize,
    grey: bool,
}

impl Model {
    /// Fills `results`, `width` a row of `array`, by `of`, which gets the parts of every block and the block's results.
    fn through<T: Send>(
        &self,
        py: Python<'_>,
        passage: &Passage<'_>,
        width: usize,
        results: &mut [T],
        of: impl Fn(&Part, &mut [T], &mut Room) + Send + Sync,
    ) -> PyResult<Seen> {
        let Passage { array, threads, grey } = passage;
        computed(py, *threads, |attention| match array {
            Values::Bytes(values) => self.of_values(values.as_ref(), attention, *grey, width, results, of),
            Values::Floats(values) => self.of_values(values.as_ref(), attention, *grey, width, results, of),
            Values::Doubles(values) => self.of_values(values.as_ref(), attention, *grey, width, results, of),
        })
    }

    fn of_values<V: Value, T: Send>(
        &self,
        values: &[V],
        attention: &Attention<'_>,
        grey: bool,
        width: usize,
        results: &mut [T],
        of: impl Fn(&Part, &mut [T], &mut Room) + Sync,
    ) -> Result<Seen> {
        let (units, seen, flag) = (self.visible(), Mutex::new(NOTHING), attention.flag());
        let rows = results.len() / width.max(1);
        let block = rows.div_ceil(2 * rayon::current_num_threads()).clamp(LEAST, BLOCK);
        results.par_chunks_mut((block * width).max(1)).enumerate().try_for_each_init(
            Desk::default,
            |desk, (place, results)| -> Result<()> {
                stop(flag)?;
                let first = place * block;
                let values = &values[first * units..rows.min(first + block) * units];
                desk.lay_out(values, units, grey, &seen);
                let Desk { states, others, room, .. } = desk;
                for part in [states, others] {
                    of(part, results, room);
                }
                Ok(())
            },
        )?;
        Ok(seen.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner))
    }

    /// An array that has as many units as the model, and its rows.
    fn fitting(&self, array: &Bound<'_, PyAny>) -> PyResult<(Values, usize)> {
        let (values, [rows, units]) = Values::of(array)?;
        let expected = self.visible();
        if units != expected {
            let message = format!("the samples have {units} units, but the model has {expected} visible units");
            return Err(Failure::new(message).into());
        }
        Ok((values, rows))
    }

    fn means<'py, T: Number>(
        &self,
        py: Python<'py>,
        array: &Bound<'py, PyAny>,
        threads: usize,
        grey: bool,
    ) -> PyResult<Option<(Bound<'py, PyAny>, Seen)>> {
        let Some(machine) = self.packed()? else { return Ok(None) };
        let ((array, rows), hidden) = (self.fitting(array)?, machine.hidden());
        // NumPy asks for huge pages, which a vector does not.
        let means = PyArray2::<T>::zeros(py, [rows, hidden], false);
        let seen = {
            let mut means = means.readwrite();
            let passage = Passage { array: &array, threads, grey };
            self.through(py, &passage, hidden, means.as_slice_mut()?, |part, means, room| {
                machine.write_hidden_means(&part.batch, &part.rows, means, room);
            })?
        };
        Ok(Some((means.into_any(), seen)))
    }

    /// The weights in their fastest layout, of an RBM of Bernoulli units.
    fn packed(&self) -> Result<Option<PackedRbm>> {
        let Some(rbm) = self.bernoulli_rbm() else { return Ok(None) };
        Ok(Some(PackedRbm::new(rbm.visible(), rbm.hidden(), &rbm.to_parameters()?)))
    }
}

/// Takes values beyond 0 and 1 for these ends, and notes them.
fn bring_in(row: &mut [f32], seen: &Mutex<Seen>) {
    let ends = |(low, high): (f32, f32), &x: &f32| (low.min(x), high.max(x));
    let (low, high) = row.iter().fold((0f32, 1f32), ends);
    let finite = row.iter().all(|x| x.is_finite());
    for x in row {
        *x = x.clamp(0.0, 1.0);
    }
    let mut seen = seen.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    *seen = (seen.0.min(low.into()), seen.1.max(high.into()), seen.2 && finite);
}

/// FNV-1a over words.
fn hash(words: impl Iterator<Item = u32>) -> u64 {
    words.fold(0xcbf2_9ce4_8422_2325, |hash, word| (hash ^ u64::from(word)).wrapping_mul(0x0000_0100_0000_01b3))
}

/// A unit that a seed draws for a sample.
fn drawn(hash: u64, seed: u64, units: usize) -> u32 {
    Uniforms::new(seed, Stream::Flip, (hash >> 32) as u32).choice(hash as u32, 0, units) as u32
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
        let (array, rows) = self.fitting(array)?;
        let (units, mut scores) = (self.visible(), vec![0.0; rows]);
        let seen =
            self.through(py, &Passage { array: &array, threads, grey: false }, 1, &mut scores, |part, scores, _| {
                let chosen: Vec<u32> = part.hashes().into_iter().map(|hash| drawn(hash, seed, units)).collect();
                for (&row, score) in part.rows.iter().zip(machine.flip_log_likelihood_of(&part.batch, &chosen)) {
                    scores[row] = score;
                }
            })?;
        Ok((PyArray1::from_vec(py, scores), seen))
    }
}
