//! What the program says when it cannot go on: one line of what, the causes, a hint.

use std::error::Error;
use std::fmt::Display;

/// An error on its way to the user.
#[derive(Debug)]
pub(crate) struct Failure {
    what: String,
    causes: Vec<String>,
    hint: Option<String>,
}

/// Results of this program.
pub(crate) type Result<T> = std::result::Result<T, Failure>;

impl Failure {
    /// An error without a cause.
    pub(crate) fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), causes: Vec::new(), hint: None }
    }

    /// Says why, outermost first.
    pub(crate) fn because(mut self, causes: Vec<String>) -> Self {
        self.causes = causes;
        self
    }

    /// Says what failed above the reason why.
    pub(crate) fn while_doing(mut self, what: impl Into<String>) -> Self {
        let reason = std::mem::replace(&mut self.what, what.into());
        self.causes.insert(0, reason);
        self
    }

    /// Says which of several ranks failed.
    pub(crate) fn on_rank(self, rank: usize) -> Self {
        Self { what: format!("rank {rank}: {}", self.what), ..self }
    }

    /// Adds what to do about it; the first hint, given closest to the fault, stays.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint.get_or_insert_with(|| hint.into());
        self
    }

    /// What failed, in one line.
    pub(crate) fn what(&self) -> &str {
        &self.what
    }

    /// Why, outermost first.
    pub(crate) fn causes(&self) -> &[String] {
        &self.causes
    }

    /// What to do about it.
    pub(crate) fn hint_text(&self) -> Option<&str> {
        self.hint.as_deref()
    }
}

impl<E: Error> From<E> for Failure {
    fn from(error: E) -> Self {
        let mut failure = Self::new(error.to_string());
        let mut source = error.source();
        while let Some(cause) = source {
            failure.causes.push(cause.to_string());
            source = cause.source();
        }
        failure
    }
}

/// Puts words to a failing result.
pub(crate) trait Explain<T> {
    /// Says what failed above the reason why.
    fn or_fail(self, what: impl FnOnce() -> String) -> Result<T>;
    /// Adds what to do about it.
    fn or_hint(self, hint: impl FnOnce() -> String) -> Result<T>;
}

impl<T, E: Into<Failure>> Explain<T> for std::result::Result<T, E> {
    fn or_fail(self, what: impl FnOnce() -> String) -> Result<T> {
        self.map_err(|error| error.into().while_doing(what()))
    }

    fn or_hint(self, hint: impl FnOnce() -> String) -> Result<T> {
        self.map_err(|error| error.into().hint(hint()))
    }
}

/// The entry of `known` that `word` is most likely a misspelling of.
pub(crate) fn closest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let limit = word.len().div_ceil(3);
    known.into_iter().map(|entry| (distance(word, entry), entry)).min().filter(|&(d, _)| d <= limit).map(|(_, e)| e)
}

/// Number of single-character edits between two words (Levenshtein 1965).
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.chars().count()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, y) in b.chars().enumerate() {
            let change = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = change.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[row.len() - 1]
}

/// `1 sample`, `2 samples`.
pub(crate) fn count(n: usize, noun: impl Display) -> String {
    format!("{n} {noun}{}", if n == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_run_from_the_outside_in() {
        let inner = std::io::Error::other("disk full");
        let result: std::result::Result<(), _> = Err(inner);
        let failure = result.or_fail(|| "cannot save".into()).or_hint(|| "make room".into()).unwrap_err();
        let failure = failure.hint("too late").while_doing("training stopped");
        assert_eq!(failure.what(), "training stopped");
        assert_eq!(failure.causes(), ["cannot save", "disk full"]);
        assert_eq!(failure.hint_text(), Some("make room"));
    }

    #[test]
    fn misspellings_find_their_word_and_other_words_find_none() {
        let known = ["hidden", "epochs", "learning_rate"];
        assert_eq!(closest("hiden", known), Some("hidden"));
        assert_eq!(closest("learning-rate", known), Some("learning_rate"));
        assert_eq!(closest("banana", known), None);
        assert_eq!((distance("", "abc"), distance("kitten", "sitting")), (3, 3));
    }
}
