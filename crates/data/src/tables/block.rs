//! Tables of results: columns with names, in the units of the data, for files of their own.

use std::collections::HashMap;

/// Neighbouring columns of a table whose values are alike.
#[derive(Clone, Debug, PartialEq)]
pub struct Block {
    /// What the columns are called; at least one.
    pub names: Vec<String>,
    /// Their values, `[rows, names]`, row by row.
    pub values: BlockValues,
}

/// The values of a [`Block`].
#[derive(Clone, Debug, PartialEq)]
pub enum BlockValues {
    /// Numbers.
    Floats(Vec<f32>),
    /// Numbers that 32 bits do not hold well enough.
    Doubles(Vec<f64>),
    /// Whole numbers.
    Whole(Vec<i64>),
    /// Texts, each of which is kept once.
    Texts {
        /// The different texts.
        texts: Vec<String>,
        /// The place of each value's text.
        places: Vec<u32>,
    },
}

impl BlockValues {
    /// Numbers of 32 bits as those of 64 that have the same digits; all else as it is.
    #[must_use]
    pub fn as_doubles(&self) -> Self {
        match self {
            Self::Floats(values) => {
                Self::Doubles(values.iter().map(|x| x.to_string().parse().unwrap_or(f64::from(*x))).collect())
            }
            other => other.clone(),
        }
    }

    /// Texts, each different one once.
    pub fn of_texts(rows: impl IntoIterator<Item = String>) -> Self {
        let (mut texts, mut known) = (Vec::new(), HashMap::new());
        let mut places = Vec::new();
        for text in rows {
            let place = *known.entry(text).or_insert_with_key(|text: &String| {
                texts.push(text.clone());
                texts.len() as u32 - 1
            });
            places.push(place);
        }
        Self::Texts { texts, places }
    }
}

impl Block {
    /// One column.
    pub fn column(name: impl Into<String>, values: BlockValues) -> Self {
        Self { names: vec![name.into()], values }
    }

    /// Puts the rows of a block of the same columns behind its own.
    ///
    /// # Panics
    /// If one has numbers where the other has texts.
    pub fn append(&mut self, block: Self) {
        match (&mut self.values, block.values) {
            (BlockValues::Floats(values), BlockValues::Floats(more)) => values.extend(more),
            (BlockValues::Doubles(values), BlockValues::Doubles(more)) => values.extend(more),
            (BlockValues::Whole(values), BlockValues::Whole(more)) => values.extend(more),
            (BlockValues::Texts { texts, places }, BlockValues::Texts { texts: more, places: rows }) => {
                let first = texts.len() as u32;
                places.extend(rows.iter().map(|place| first + place));
                texts.extend(more);
            }
            (values, more) => panic!("unlike blocks: {values:?} and {more:?}"),
        }
    }

    /// Number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        let values = match &self.values {
            BlockValues::Floats(values) => values.len(),
            BlockValues::Doubles(values) => values.len(),
            BlockValues::Whole(values) => values.len(),
            BlockValues::Texts { places, .. } => places.len(),
        };
        values / self.names.len().max(1)
    }
}
