//! What was found in an alignment.

/// Share of gaps from which on a sequence or a site is rich in them.
pub(crate) const RICH: f64 = 0.5;

/// What was found in an alignment. Sites are counted from 1.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Aligned {
    /// Sequences of the file.
    pub sequences: usize,
    /// Sites of each.
    pub sites: usize,
    /// The letters, in words.
    pub alphabet: String,
    /// Sequences of another length than most, which nothing is learned from, and the first of them.
    pub unequal: usize,
    /// The first of these, in words.
    pub first_unequal: Option<String>,
    /// Sequences that are the same as one before.
    pub duplicates: usize,
    /// Sequences of which more than half is gaps.
    pub gap_rich: usize,
    /// Sites at which more than half of the sequences have gaps.
    pub gap_rich_sites: Vec<usize>,
    /// Sites without any letter but the gap.
    pub empty_sites: Vec<usize>,
    /// Letters that the alphabet has not, and how often each stands there; the most frequent first.
    pub unknown: Vec<(char, u64)>,
    /// Sum of the inverse numbers of neighbours, at which share of equal letters; none of one sequence.
    pub effective: Option<(f64, f64)>,
    /// What each sequence of the file is called, and its weight, where they are weighed and only looked at. Those that are
    /// left out weigh nothing.
    pub weights: Vec<(String, f32)>,
    /// Letters that were left out, in the order of the file.
    pub inserts: Vec<Inserted>,
}

/// Letters of a sequence in columns that are no sites, next to each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inserted {
    /// The line of the file at which the sequence begins.
    pub line: u32,
    /// Sites before them.
    pub after: usize,
    /// As the file has them, without gaps.
    pub letters: String,
}

impl Aligned {
    /// What was left out of the sequence that begins at this line.
    #[must_use]
    pub fn inserts_of(&self, line: u32) -> &[Inserted] {
        let first = self.inserts.partition_point(|inserted| inserted.line < line);
        let behind = self.inserts.partition_point(|inserted| inserted.line <= line);
        &self.inserts[first..behind]
    }
}
