//! NumPy arrays in and out.

use crate::failure::Failure;
use numpy::{Element, PyArray1, PyArray2, PyArrayMethods, PyUntypedArrayMethods};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use rayon::prelude::*;

/// The values of an array that lives as long as somebody has them.
pub(crate) struct Borrowed<T> {
    _array: Py<PyArray2<T>>,
    start: *const T,
    len: usize,
}

// SAFETY: the values are read only, and the array that owns them is kept. Python code that writes to an array while a
// model learns from it sees what it deserves, as with every library that lets the interpreter go on.
unsafe impl<T: Sync> Send for Borrowed<T> {}
// SAFETY: as above.
unsafe impl<T: Sync> Sync for Borrowed<T> {}

impl<T> AsRef<[T]> for Borrowed<T> {
    fn as_ref(&self) -> &[T] {
        // SAFETY: `Borrowed::of` has seen that so many values lie there in one piece.
        unsafe { std::slice::from_raw_parts(self.start, self.len) }
    }
}

impl<T: Element> Borrowed<T> {
    /// Of an array of this type whose rows lie one behind the other; none of any other.
    pub(crate) fn of(array: &Bound<'_, PyAny>) -> PyResult<Option<(Self, [usize; 2])>> {
        let Ok(array) = array.cast::<PyArray2<T>>() else { return Ok(None) };
        if !array.is_c_contiguous() {
            return Err(PyTypeError::new_err("expected an array whose rows lie one behind the other"));
        }
        let (shape, len) = ([array.shape()[0], array.shape()[1]], array.len());
        let start = if len == 0 { std::ptr::NonNull::dangling().as_ptr() } else { array.data() };
        Ok(Some((Self { _array: array.clone().unbind(), start, len }, shape)))
    }
}

/// An array of any type that data come in.
pub(crate) enum Values {
    Bytes(Borrowed<u8>),
    Floats(Borrowed<f32>),
    Doubles(Borrowed<f64>),
}

impl Values {
    pub(crate) fn of(array: &Bound<'_, PyAny>) -> PyResult<(Self, [usize; 2])> {
        if let Some((values, shape)) = Borrowed::of(array)? {
            return Ok((Self::Bytes(values), shape));
        }
        if let Some((values, shape)) = Borrowed::of(array)? {
            return Ok((Self::Floats(values), shape));
        }
        if let Some((values, shape)) = Borrowed::of(array)? {
            return Ok((Self::Doubles(values), shape));
        }
        Err(PyTypeError::new_err("expected an array [rows, columns] of uint8, float32 or float64"))
    }
}

/// What is known of values: the smallest, the largest, whether all are 0 or 1, whether some are NaN, whether some are
/// infinite.
type Survey = (f64, f64, bool, bool, bool);

/// Looks at all values of an array once.
#[pyfunction]
pub(crate) fn survey(py: Python<'_>, array: &Bound<'_, PyAny>) -> PyResult<Survey> {
    let (values, _) = Values::of(array)?;
    crate::attended::computed(py, 0, |_| {
        Ok(match &values {
            Values::Bytes(values) => looked_at(values.as_ref(), f64::from),
            Values::Floats(values) => looked_at(values.as_ref(), f64::from),
            Values::Doubles(values) => looked_at(values.as_ref(), |x| x),
        })
    })
}

fn looked_at<T: Copy + Sync>(values: &[T], to: impl Fn(T) -> f64 + Sync) -> Survey {
    let of_part = |part: &[T]| {
        part.iter().fold(NOTHING, |(low, high, binary, nan, infinite), &x| {
            let x = to(x);
            // NaN is neither smaller nor larger, and no state.
            (low.min(x), high.max(x), binary && (x == 0.0 || x == 1.0), nan || x.is_nan(), infinite || x.is_infinite())
        })
    };
    let join = |a: Survey, b: Survey| (a.0.min(b.0), a.1.max(b.1), a.2 && b.2, a.3 || b.3, a.4 || b.4);
    values.par_chunks(1 << 16).map(of_part).reduce(|| NOTHING, join)
}

const NOTHING: Survey = (f64::INFINITY, f64::NEG_INFINITY, true, false, false);

/// An array [rows, columns] of values that nobody else has.
pub(crate) fn to_rows<T: Element>(py: Python<'_>, values: Vec<T>, columns: usize) -> PyResult<Bound<'_, PyArray2<T>>> {
    let rows = values.len().checked_div(columns).unwrap_or(0);
    PyArray1::from_vec(py, values).reshape([rows, columns])
}

/// The values of an array of floats [rows, columns].
pub(crate) fn floats(array: &Bound<'_, PyAny>) -> PyResult<(Vec<f32>, [usize; 2])> {
    match Borrowed::<f32>::of(array)? {
        Some((values, shape)) => Ok((values.as_ref().to_vec(), shape)),
        None => Err(Failure::new("expected an array [rows, columns] of float32").into()),
    }
}
