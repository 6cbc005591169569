//! Samples: arrays, columns of a table, sparse rows, and the digits that are part of the package.

use crate::arrays::{Borrowed, Values, floats, to_rows};
use crate::attended::computed;
use crate::failure::{Failure, Result};
use crate::model::Model;
use deepbelief_data::{
    Binarize, Block, BlockValues, Dataset, LoadOptions, Pixels, Scaling, Schema, Shared, Split, TextForm,
};
use deepbelief_kernels::UnitKind;
use numpy::{PyArray2, PyReadonlyArray1};
use pyo3::prelude::*;
use pyo3::types::PyList;
use rayon::prelude::*;

/// Samples [n, units] as visible units have them, with labels where there are some.
#[pyclass(frozen, module = "deepbelief._deepbelief")]
pub(crate) struct Data {
    pub(crate) set: Dataset,
}

impl Data {
    pub(crate) fn samples_of(&self) -> &Split {
        &self.set.train
    }

    fn of_pixels(units: usize, pixels: Pixels, labels: Option<Vec<u32>>) -> Result<Self> {
        Ok(Self::of(Split::new(units, pixels, labels)?))
    }

    fn of(train: Split) -> Self {
        let (scaling, schema) = (Scaling::None, Schema::default());
        let (name, test, image, classes, class_names) = ("X".into(), None, None, None, None);
        let (notes, doubts) = (Vec::new(), Vec::new());
        let (alignment, form) = (None, TextForm::default());
        Self {
            set: Dataset {
                name,
                train,
                test,
                image,
                classes,
                class_names,
                scaling,
                schema,
                alignment,
                form,
                notes,
                doubts,
            },
        }
    }

    fn of_split(&self, split: Split) -> Self {
        Self { set: Dataset { train: split, ..self.set.clone() } }
    }
}

#[pymethods]
impl Data {
    /// Values in [0, 1], or with `grey` bytes that stand for value / 255. What needs no other form is borrowed.
    #[staticmethod]
    #[pyo3(signature = (array, labels=None, *, grey=false, binary=false))]
    fn array(
        py: Python<'_>,
        array: &Bound<'_, PyAny>,
        labels: Option<Vec<u32>>,
        grey: bool,
        binary: bool,
    ) -> PyResult<Self> {
        let (values, [_, units]) = Values::of(array)?;
        computed(py, 0, move |_| {
            let pixels = match values {
                Values::Bytes(bytes) if grey => Pixels::Bytes(Shared::of(bytes)),
                Values::Bytes(bytes) => states(bytes.as_ref(), |&x| x != 0),
                Values::Floats(floats) if binary => states(floats.as_ref(), |&x| x != 0.0),
                Values::Floats(floats) => Pixels::Floats(Shared::of(floats)),
                Values::Doubles(doubles) if binary => states(doubles.as_ref(), |&x| x != 0.0),
                Values::Doubles(doubles) => doubles.as_ref().par_iter().map(|&x| x as f32).collect::<Vec<f32>>().into(),
            };
            Self::of_pixels(units, pixels, labels)
        })
    }

    /// Sparse rows of values in [0, 1]; all that is not stored is 0.
    #[staticmethod]
    #[pyo3(signature = (starts, columns, values, units, labels=None))]
    fn sparse(
        py: Python<'_>,
        starts: PyReadonlyArray1<'_, i64>,
        columns: PyReadonlyArray1<'_, i64>,
        values: PyReadonlyArray1<'_, f32>,
        units: usize,
        labels: Option<Vec<u32>>,
    ) -> PyResult<Self> {
        let not_whole = |_| Failure::new("expected arrays without gaps");
        let starts = starts.as_slice().map_err(not_whole)?;
        let columns = columns.as_slice().map_err(not_whole)?;
        let values = values.as_slice().map_err(not_whole)?;
        computed(py, 0, |_| {
            let rows = starts.len().saturating_sub(1);
            let binary = values.iter().all(|&x| x == 0.0 || x == 1.0);
            let (mut bytes, mut floats) = (Vec::new(), Vec::new());
            if binary {
                bytes.resize(rows * units, 0u8);
            } else {
                floats.resize(rows * units, 0f32);
            }
            for (row, ends) in starts.windows(2).enumerate() {
                for at in ends[0] as usize..ends[1] as usize {
                    let entry = columns.get(at).zip(values.get(at)).filter(|(column, _)| (**column as usize) < units);
                    let Some((&column, &x)) = entry else { return Err(Failure::new("no such sparse rows")) };
                    // Entries that stand there twice are summed, as SciPy has it; a sum of states is no state.
                    let place = row * units + column as usize;
                    if binary { bytes[place] = bytes[place].max(255 * x as u8) } else { floats[place] += x }
                }
            }
            Self::of_pixels(units, if binary { bytes.into() } else { floats.into() }, labels)
        })
    }

    /// Values of float32 as the units of a model have them, for one that no schema tells what its columns are: real
    /// numbers, -1 and 1 or 0 and 1 for spins, one-hot for categorical units.
    #[staticmethod]
    #[pyo3(signature = (model, array, labels=None))]
    fn units_of(py: Python<'_>, model: &Model, array: &Bound<'_, PyAny>, labels: Option<Vec<u32>>) -> PyResult<Self> {
        let (mut values, _) = floats(array)?;
        let layer = model.visible_layer();
        computed(py, 0, move |_| {
            for row in values.chunks_exact_mut(layer.columns().max(1)) {
                let spins = layer.each().filter(|(segment, _)| segment.units == UnitKind::Spin);
                for x in spins.flat_map(|(_, columns)| columns) {
                    row[x] = if row[x] == -1.0 { 0.0 } else { row[x] };
                }
            }
            Ok(Self::of(Split::of_units(layer, values, labels)?))
        })
    }

    /// Columns of a table: arrays of numbers with NaN where a value is missing, or lists of texts with "" there.
    /// `options` are those of loading, as JSON.
    #[staticmethod]
    #[pyo3(signature = (names, columns, options, labels=None))]
    fn columns(
        py: Python<'_>,
        names: Vec<String>,
        columns: &Bound<'_, PyList>,
        options: &str,
        labels: Option<Vec<u32>>,
    ) -> PyResult<Self> {
        let options = load_options(options)?;
        let mut blocks = Vec::with_capacity(names.len());
        for (name, column) in names.into_iter().zip(columns.iter()) {
            let values = match column.extract::<PyReadonlyArray1<'_, f64>>() {
                Ok(numbers) => BlockValues::Doubles(numbers.as_array().to_vec()),
                Err(_) => BlockValues::of_texts(column.extract::<Vec<String>>()?),
            };
            blocks.push(Block::column(name, values));
        }
        computed(py, 0, move |_| Ok(Self { set: Dataset::of_blocks("X", &blocks, true, labels, &options)? }))
    }

    /// An array of columns without names, likewise.
    #[staticmethod]
    #[pyo3(signature = (array, options, labels=None))]
    fn table(py: Python<'_>, array: &Bound<'_, PyAny>, options: &str, labels: Option<Vec<u32>>) -> PyResult<Self> {
        let options = load_options(options)?;
        let Some((values, [_, columns])) = Borrowed::<f64>::of(array)? else {
            return Err(Failure::new("expected an array [rows, columns] of float64").into());
        };
        computed(py, 0, move |_| {
            let names = vec![String::new(); columns];
            let block = Block { names, values: BlockValues::Doubles(values.as_ref().to_vec()) };
            Ok(Self { set: Dataset::of_blocks("X", &[block], false, labels, &options)? })
        })
    }

    /// The 60,000 training or 10,000 test digits of MNIST.
    #[staticmethod]
    fn mnist(py: Python<'_>, test: bool) -> PyResult<Self> {
        computed(py, 0, |_| {
            let digits = Dataset::mnist()?;
            let train = digits.test.clone().filter(|_| test).unwrap_or_else(|| digits.train.clone());
            Ok(Self { set: Dataset { train, test: None, ..digits } })
        })
    }

    /// Parts `samples` held-out samples off, as many of each class as it has a share of: the others, and those.
    fn split(&self, py: Python<'_>, samples: usize, seed: u64) -> PyResult<(Self, Self)> {
        let split = self.set.train.clone();
        let (train, valid) = computed(py, 1, move |_| Ok(split.split_validation(samples, seed)?))?;
        Ok((self.of_split(train), self.of_split(valid)))
    }

    /// The samples from `first` on, `count` of them.
    fn rows(&self, first: usize, count: usize) -> PyResult<Self> {
        let there = self.set.train.samples();
        let rows: Vec<usize> = (first.min(there)..first.saturating_add(count).min(there)).collect();
        Ok(self.of_split(self.set.train.select(&rows).map_err(Failure::from)?))
    }

    /// Number of samples.
    #[getter]
    fn samples(&self) -> usize {
        self.set.train.samples()
    }

    /// Number of visible columns.
    #[getter]
    fn units(&self) -> usize {
        self.set.train.units()
    }

    /// What the columns are, as JSON; none of values that all have one scale.
    #[getter]
    fn schema(&self) -> PyResult<Option<String>> {
        let json = (!self.set.schema.columns.is_empty()).then(|| serde_json::to_string(&self.set.schema));
        Ok(json.transpose().map_err(Failure::from)?)
    }

    /// The kinds of columns in words.
    #[getter]
    fn summary(&self) -> String {
        self.set.schema.summary()
    }

    /// How the columns were understood, where another way is possible.
    #[getter]
    fn notes(&self) -> Vec<String> {
        self.set.notes.clone()
    }

    /// What in them is unlikely to be meant.
    #[getter]
    fn doubts(&self) -> Vec<String> {
        self.set.doubts.clone()
    }

    /// Whether values are missing.
    #[getter]
    fn has_missing(&self) -> bool {
        self.set.train.has_missing()
    }

    /// The labels.
    #[getter]
    fn labels(&self) -> Option<Vec<u32>> {
        self.set.train.labels()
    }

    /// Grey levels [n, units] of values that were bytes.
    fn bytes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArray2<u8>>> {
        let (split, units) = (self.set.train.clone(), self.set.train.units());
        let bytes = computed(py, 1, move |_| {
            let mut bytes = Vec::with_capacity(split.samples() * units);
            for first in (0..split.samples()).step_by(AT_ONCE) {
                let batch = split.batch(first..split.samples().min(first + AT_ONCE), Binarize::None, 0)?;
                bytes.extend(batch.to_values().iter().map(|x| (255.0 * x).round() as u8));
            }
            Ok(bytes)
        })?;
        to_rows(py, bytes, units)
    }

    /// The values [n, units].
    fn values<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArray2<f32>>> {
        let (split, units) = (self.set.train.clone(), self.set.train.units());
        let batch = computed(py, 1, move |_| Ok(split.batch(0..split.samples(), Binarize::None, 0)?.to_values()))?;
        to_rows(py, batch, units)
    }
}

/// Samples that are copied together.
const AT_ONCE: usize = 1000;

/// States, as bytes that stand for 0 and 1.
fn states<T: Sync>(values: &[T], on: impl Fn(&T) -> bool + Sync) -> Pixels {
    values.par_iter().map(|x| if on(x) { 255 } else { 0 }).collect::<Vec<u8>>().into()
}

fn load_options(json: &str) -> Result<LoadOptions> {
    Ok(serde_json::from_str(json)?)
}
