//! Arrays by name: what every container hands over.

/// An array of numbers.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Array {
    pub(crate) shape: Vec<usize>,
    /// The last axis varies fastest.
    pub(crate) values: Vec<f64>,
}

impl Array {
    /// From a matrix that lies column by column.
    pub(crate) fn of_columns(rows: usize, columns: usize, values: &[f64]) -> Self {
        // As many steps as there are values: of no columns there may be any number of rows.
        let values = (0..values.len()).map(|at| values[at % columns * rows + at / columns]).collect();
        Self { shape: vec![rows, columns], values }
    }
}

/// A container of arrays. Reasons for failing are clauses about the file.
pub(crate) trait Arrays {
    /// Names of all arrays.
    fn names(&self) -> Vec<String>;

    /// The array of one of these names.
    fn array(&self, name: &str) -> std::result::Result<Array, String>;

    /// The text of this name, where the container holds texts.
    fn text(&self, _name: &str) -> Option<String> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_become_rows_and_rows_of_nothing_take_no_time() {
        let array = Array::of_columns(2, 3, &[1.0, 4.0, 2.0, 5.0, 3.0, 6.0]);
        assert_eq!((array.shape, array.values), (vec![2, 3], vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0]));
        assert!(Array::of_columns(usize::MAX, 0, &[]).values.is_empty());
    }
}
