//! Arrays by name: what every container hands over.

/// An array of numbers.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Array {
    pub(crate) shape: Vec<usize>,
    /// The last axis varies fastest.
    pub(crate) values: Vec<f64>,
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
