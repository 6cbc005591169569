//! `SciPy`'s sparse matrices, as `scipy.sparse.save_npz` writes them: what they leave out is zero, and what they have
//! twice is added.
//!
//! | format | arrays beside `format`, `shape` and `data` |
//! |---|---|
//! | csr, csc | `indices` of the values of a row, or column, which `indptr` parts |
//! | bsr | the same of blocks: `data` is [blocks, rows, columns] |
//! | coo | `row` and `col` of each value |
//! | dia | `offsets` of the diagonals; `data` is [diagonals, columns] |

use std::path::Path;

use super::roles::Arrays;
use crate::error::{ArrayError, Error};
use crate::memory::room::{Room, zeros};
use crate::schema::kind::is_wide;
use crate::tables::table::{Table, Tables, check_units};
use crate::tables::values::Values;

/// Bytes that a number of an array takes while the matrix is made.
const NUMBER: u128 = 16;

/// Up to here floats of 32 bits are all whole numbers.
const EXACT: f64 = 16_777_216.0;

/// Whether these are the arrays of a sparse matrix.
pub(crate) fn is_sparse(names: &[String]) -> bool {
    ["format", "shape", "data"].iter().all(|part| names.iter().any(|name| name == part))
}

/// Reads a matrix [samples, values].
pub(crate) fn read(path: &Path, file: &mut dyn Arrays, room: Room) -> Result<Tables, Error> {
    let broken = |reason: String| Error::Broken { what: path.display().to_string(), format: "sparse npz", reason };
    let format = {
        let array = file.array("format", room)?;
        array.element.texts(array.big_endian, &array.bytes).pop().unwrap_or_default()
    };
    let mut part = |name: &str| {
        let values: u128 = file.shape(name).iter().flatten().map(|&axis| axis as u128).product();
        room.require(&path.display().to_string(), NUMBER * values)?;
        let array = file.array(name, room)?;
        let numbers = array.numbers()?;
        Ok::<_, Error>((array.shape, numbers, array.element.is_wide()))
    };
    let shape = places(&part("shape")?.1).map_err(broken)?;
    let [rows, columns] = shape[..] else {
        let (what, expected) = (format!("{}: the matrix", path.display()), "[samples, values]");
        return Err(ArrayError::Shape { what, got: shape, expected }.into());
    };
    check_units(columns as u128, &path.display().to_string())?;
    let (of_data, data, wide) = part("data")?;
    let size =
        rows.checked_mul(columns).ok_or_else(|| broken("it has more values than memory has addresses".into()))?;
    // A column with a zero is one that 32 bits hold well enough, and so are numbers of few digits.
    let is_short = |x: &f64| x.abs() < EXACT && f64::from(*x as f32) == *x;
    let wide = wide && data.len() >= rows && !data.iter().all(is_short);
    // They are held in 64 bits and in 32 for a moment.
    let value = if wide { size_of::<f64>() + size_of::<f32>() } else { size_of::<f32>() };
    let needed = value as u128 * size as u128 + NUMBER * data.len() as u128;
    room.require(&path.display().to_string(), needed)?;
    let values = if wide { Values::Doubles(zeros(path, size)?) } else { Values::Floats(zeros(path, size)?) };
    let mut matrix = Matrix { rows, columns, values };
    let done = match (format.as_str(), &of_data[..]) {
        ("csr" | "csc", &[_]) => {
            let (indices, starts) = (places(&part("indices")?.1), places(&part("indptr")?.1));
            matrix.compressed(&data, [1, 1], indices, starts, format == "csc")
        }
        ("bsr", &[_, height, width]) => {
            let (indices, starts) = (places(&part("indices")?.1), places(&part("indptr")?.1));
            matrix.compressed(&data, [height, width], indices, starts, false)
        }
        ("coo", &[_]) => {
            let (row, column) = (places(&part("row")?.1), places(&part("col")?.1));
            matrix.coordinates(&data, row, column)
        }
        ("dia", &[_, length]) => matrix.diagonals(&data, length, &part("offsets")?.1),
        ("csr" | "csc" | "bsr" | "coo" | "dia", shape) => Err(format!("its data have the shape {shape:?}")),
        (other, _) => Err(format!("its format is {other:?}, expected csr, csc, coo, bsr or dia")),
    };
    done.map_err(broken)?;
    let notes = vec![format!("a sparse matrix ({format}): what it leaves out is zero")];
    let table = Table::new(path.display().to_string(), columns, matrix.narrowed());
    Ok(Tables { notes, ..Tables::of(table) })
}

/// Whole numbers from 0.
fn places(numbers: &[f64]) -> Result<Vec<usize>, String> {
    let place = |&x: &f64| (x >= 0.0 && x.fract() == 0.0 && x < 9e15).then_some(x as usize);
    numbers.iter().map(|x| place(x).ok_or_else(|| format!("{x} stands where a place should"))).collect()
}

/// A matrix that is filled.
struct Matrix {
    rows: usize,
    columns: usize,
    values: Values,
}

impl Matrix {
    fn add(&mut self, row: usize, column: usize, x: f64) -> Result<(), String> {
        if row >= self.rows || column >= self.columns {
            return Err(format!("a value stands in row {row}, column {column} of {} x {}", self.rows, self.columns));
        }
        let at = row * self.columns + column;
        match &mut self.values {
            Values::Bytes(_) => {}
            Values::Floats(floats) => floats[at] += x as f32,
            Values::Doubles(doubles) => doubles[at] += x,
        }
        Ok(())
    }

    /// The values, in 64 bits only where a column needs them.
    fn narrowed(self) -> Values {
        let Values::Doubles(doubles) = &self.values else { return self.values };
        let mut ends = vec![(f64::INFINITY, f64::NEG_INFINITY); self.columns];
        for row in doubles.chunks_exact(self.columns) {
            for ((min, max), &x) in ends.iter_mut().zip(row) {
                (*min, *max) = (min.min(x), max.max(x));
            }
        }
        let needs = ends.into_iter().any(|(min, max)| min <= max && is_wide(min, max - min));
        if needs { self.values } else { Values::Floats(self.values.into_floats()) }
    }

    /// Blocks of `height` x `width`, row of blocks by row of blocks, or of single values column by column.
    fn compressed(
        &mut self,
        data: &[f64],
        [height, width]: [usize; 2],
        indices: Result<Vec<usize>, String>,
        starts: Result<Vec<usize>, String>,
        by_column: bool,
    ) -> Result<(), String> {
        let (indices, starts, block) = (indices?, starts?, height * width);
        if block == 0 || data.len() != indices.len() * block {
            return Err(format!("it has {} values for {} places", data.len(), indices.len()));
        }
        let lines = if by_column { self.columns } else { self.rows / height };
        let parted = starts.len() == lines + 1 && starts[0] == 0 && starts[lines] <= indices.len();
        if !parted || !by_column && !self.rows.is_multiple_of(height) || !starts.is_sorted() {
            return Err(format!("its indptr does not part its values in {lines}"));
        }
        for (line, ends) in starts.windows(2).enumerate() {
            for (&index, block) in indices[ends[0]..ends[1]].iter().zip(data[ends[0] * block..].chunks(block)) {
                for (at, &x) in block.iter().enumerate() {
                    let (down, right) = (at / width, at % width);
                    let across = index.saturating_mul(width).saturating_add(right);
                    let (row, column) = if by_column { (index, line) } else { (line * height + down, across) };
                    self.add(row, column, x)?;
                }
            }
        }
        Ok(())
    }

    fn coordinates(
        &mut self,
        data: &[f64],
        rows: Result<Vec<usize>, String>,
        columns: Result<Vec<usize>, String>,
    ) -> Result<(), String> {
        let (rows, columns) = (rows?, columns?);
        if rows.len() != data.len() || columns.len() != data.len() {
            return Err(format!("it has {} values, {} rows and {} columns", data.len(), rows.len(), columns.len()));
        }
        let mut each = data.iter().zip(rows).zip(columns);
        each.try_for_each(|((&x, row), column)| self.add(row, column, x))
    }

    /// The value in column `k` of a diagonal stands in column `k` of the matrix, `offset` above the main diagonal.
    fn diagonals(&mut self, data: &[f64], length: usize, offsets: &[f64]) -> Result<(), String> {
        if offsets.len().saturating_mul(length) != data.len() {
            return Err(format!("it has {} values for {} diagonals", data.len(), offsets.len()));
        }
        for (diagonal, &offset) in data.chunks(length.max(1)).zip(offsets) {
            for (column, &x) in diagonal.iter().enumerate().take(self.columns) {
                let row = column as f64 - offset;
                if row.fract() != 0.0 {
                    return Err(format!("a diagonal starts at {offset}"));
                }
                if (0.0..self.rows as f64).contains(&row) {
                    self.add(row as usize, column, x)?;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::formats::npy::tests::{header, npy, read};
    use crate::schema::pixels::Row;
    use std::io::Write;

    fn save(format: &str, arrays: &[(&str, &str, &[f64])]) -> Vec<u8> {
        let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        let mut put = |name: &str, bytes: &[u8]| {
            zip.start_file(format!("{name}.npy"), zip::write::SimpleFileOptions::default()).unwrap();
            zip.write_all(bytes).unwrap();
        };
        put("format", &npy(1, &header("|S3", false, ""), format.as_bytes()));
        for (name, shape, numbers) in arrays {
            let bytes: Vec<u8> = numbers.iter().flat_map(|x| x.to_le_bytes()).collect();
            put(name, &npy(1, &header("<f8", false, shape), &bytes));
        }
        zip.finish().unwrap().into_inner()
    }

    /// One matrix of 2 x 4 in every format.
    #[test]
    fn every_format_is_the_matrix_that_it_stands_for() {
        let shape = ("shape", "2,", &[2.0, 4.0][..]);
        let whole = [[0.0, 0.5, 0.0, 1.0], [0.25, 0.0, 0.0, 0.0]];
        let line = ("data", "3,", &[0.5, 1.0, 0.25][..]);
        let formats = [
            save("csr", &[shape, line, ("indices", "3,", &[1.0, 3.0, 0.0]), ("indptr", "3,", &[0.0, 2.0, 3.0])]),
            save(
                "csc",
                &[
                    shape,
                    ("data", "3,", &[0.25, 0.5, 1.0]),
                    ("indices", "3,", &[1.0, 0.0, 0.0]),
                    ("indptr", "5,", &[0.0, 1.0, 2.0, 2.0, 3.0]),
                ],
            ),
            // What comes twice is added.
            save(
                "coo",
                &[
                    shape,
                    ("data", "4,", &[0.25, 1.0, 0.25, 0.25]),
                    ("row", "4,", &[0.0, 0.0, 1.0, 0.0]),
                    ("col", "4,", &[1.0, 3.0, 0.0, 1.0]),
                ],
            ),
            save(
                "bsr",
                &[
                    shape,
                    ("data", "2, 2, 2", &[0.0, 0.5, 0.25, 0.0, 0.0, 1.0, 0.0, 0.0]),
                    ("indices", "2,", &[0.0, 1.0]),
                    ("indptr", "2,", &[0.0, 2.0]),
                ],
            ),
            save(
                "dia",
                &[
                    shape,
                    ("data", "3, 4", &[0.25, 0.0, 0.0, 0.0, 0.0, 0.5, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0]),
                    ("offsets", "3,", &[-1.0, 1.0, 3.0]),
                ],
            ),
        ];
        for (file, format) in formats.iter().zip(["csr", "csc", "coo", "bsr", "dia"]) {
            let data = read("m.npz", file).unwrap();
            for (row, values) in whole.iter().enumerate() {
                assert_eq!(data.train.row(row), Row::Floats(values), "{format}");
            }
            assert_eq!(data.notes[0], format!("a sparse matrix ({format}): what it leaves out is zero"));
        }
    }

    /// Times of a column without a gap, in 64 bits until they are centred.
    #[test]
    fn numbers_far_from_zero_keep_how_far_they_lie_apart() {
        let times: Vec<f64> = (0..8).map(|k| 1.7e9 + f64::from(k * k)).collect();
        let places: Vec<f64> = (0..8).map(f64::from).collect();
        let arrays: [(&str, &str, &[f64]); 4] =
            [("shape", "2,", &[8.0, 2.0]), ("data", "8,", &times), ("row", "8,", &places), ("col", "8,", &[1.0; 8])];
        let data = read("m.npz", &save("coo", &arrays)).unwrap();
        let expected: Vec<f32> = (0..8).map(|k| (k * k) as f32 / 49.0).collect();
        let found: Vec<f32> = crate::schema::tests::values(&data).iter().map(|row| row[row.len() - 1]).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn what_is_no_matrix_is_refused() {
        let said = |format: &str, arrays: &[(&str, &str, &[f64])]| read("m.npz", &save(format, arrays)).unwrap_err();
        let shape = ("shape", "2,", &[2.0, 4.0][..]);
        let (data, indices) = (("data", "1,", &[1.0][..]), ("indices", "1,", &[4.0][..]));
        let starts = ("indptr", "3,", &[0.0, 1.0, 1.0][..]);
        let csr = said("csr", &[shape, data, indices, starts]);
        assert_eq!(csr, "m.npz: not a readable sparse npz file: a value stands in row 0, column 4 of 2 x 4");
        let starts = ("indptr", "3,", &[0.0, 2.0, 1.0][..]);
        assert!(said("csr", &[shape, data, indices, starts]).contains("its indptr does not part its values in 2"));
        assert!(said("lil", &[shape, data]).contains("its format is \"lil\", expected csr, csc, coo, bsr or dia"));
        assert!(said("bsr", &[shape, data]).contains("its data have the shape [1]"));
        assert!(said("csr", &[("shape", "1,", &[4.0]), data]).contains("the shape is [4], expected [samples, values]"));
        let far = said("csr", &[("shape", "2,", &[1e15, 60000.0]), data, indices, starts]);
        assert!(far.contains("cannot read") || far.contains("memory"), "{far}");
    }
}
