//! Arrays by name: what every container hands over.

/// An array of numbers.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Array {
    pub(crate) shape: Vec<usize>,
    /// The last axis varies fastest.
    pub(crate) values: Vec<f64>,
}

/// What is written under a name.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Values {
    F32(Vec<f32>),
    F64(Vec<f64>),
    /// One text.
    Text(String),
}

/// Something to write, by its name; in HDF5 files by its path, `group/name`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Dataset {
    pub(crate) path: String,
    /// Empty for a single value.
    pub(crate) shape: Vec<usize>,
    pub(crate) values: Values,
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
