//! How often a model is wrong, and with what it takes for what.

use crate::report::{cell, thousands};
use serde::Serialize;
use std::fmt::Write as _;

/// Characters of a class's name in the matrix, at most: there is a column for each.
const WIDEST: usize = 24;

/// How often the model is wrong.
#[derive(Debug, Serialize)]
pub(super) struct Score<'a> {
    data: &'a str,
    split: &'static str,
    /// What these samples are called.
    #[serde(skip)]
    words: &'static str,
    samples: usize,
    errors: usize,
    /// Share of the samples with a wrong label.
    error: f64,
    /// The same of who always says the label that most samples have.
    error_of_guess: f64,
    /// What the rows and columns of the confusion matrix are called.
    classes: Vec<String>,
    /// Samples of the class of the row that were predicted to be of the class of the column.
    confusion: Vec<Vec<usize>>,
}

impl<'a> Score<'a> {
    /// From predicted and true labels, which are below the number of `classes`; the samples by their part and in words.
    pub(super) fn new(
        data: &'a str,
        (split, words): (&'static str, &'static str),
        labels: impl Iterator<Item = (u32, u32)>,
        classes: Vec<String>,
    ) -> Self {
        let mut confusion = vec![vec![0; classes.len()]; classes.len()];
        let (mut samples, mut errors) = (0, 0);
        for (told, label) in labels {
            confusion[label as usize][told as usize] += 1;
            samples += 1;
            errors += usize::from(told != label);
        }
        let share = |wrong: usize| wrong as f64 / samples.max(1) as f64;
        let error_of_guess = share(samples - frequent(&confusion).1);
        Self { data, split, words, samples, errors, error: share(errors), error_of_guess, classes, confusion }
    }

    /// As text, with the matrix where that is asked for.
    pub(super) fn describe(&self, confusion: bool) -> String {
        let (errors, samples) = (thousands(self.errors), thousands(self.samples));
        // The line begins with the word itself.
        let which = self.words.trim_end_matches("samples");
        let mut text = format!(
            "error   {:.2} %\nerrors  {errors}\nsamples {samples} ({which}of {})\nguess   {:.2} % wrong, by always saying {}\n",
            100.0 * self.error,
            self.data,
            100.0 * self.error_of_guess,
            cell(self.classes.get(frequent(&self.confusion).0).map_or("", String::as_str), WIDEST)
        );
        if confusion {
            text += &self.matrix();
        }
        text
    }

    /// The confusion matrix as a table; dots where there is nothing, and the share of each class
    /// that is wrong.
    fn matrix(&self) -> String {
        let classes: Vec<String> = self.classes.iter().map(|name| cell(name, WIDEST)).collect();
        let longest = classes.iter().map(|name| name.chars().count()).max().unwrap_or(0);
        let most = self.confusion.iter().flatten().max().copied().unwrap_or(0);
        let (name_width, width) = (longest.max(4), longest.max(most.to_string().len()) + 2);
        let mut text = format!("\nrows: true label, columns: predicted label\n{:name_width$}", "");
        for name in &classes {
            let _ = write!(text, "{name:>width$}");
        }
        text += "    error\n";
        for (class, (name, row)) in classes.iter().zip(&self.confusion).enumerate() {
            let _ = write!(text, "{name:<name_width$}");
            for &n in row {
                let cell = if n == 0 { ".".to_string() } else { n.to_string() };
                let _ = write!(text, "{cell:>width$}");
            }
            let samples: usize = row.iter().sum();
            let wrong = 100.0 * (samples - row[class]) as f64 / samples.max(1) as f64;
            let _ = writeln!(text, "{wrong:>7.2} %");
        }
        text
    }
}

/// The first of the classes that most samples have, and how many have it.
fn frequent(confusion: &[Vec<usize>]) -> (usize, usize) {
    let samples = confusion.iter().map(|row| row.iter().sum());
    samples.enumerate().rev().max_by_key(|&(_, samples)| samples).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn errors_are_counted_by_class() {
        let score = Score::new(
            "d",
            ("test", "test samples"),
            [0, 1, 1, 2, 0].into_iter().zip([0, 1, 2, 2, 1]),
            names(&["0", "1", "2"]),
        );
        assert_eq!((score.errors, score.samples, score.error), (2, 5, 0.4));
        assert_eq!(score.confusion, [[1, 0, 0], [1, 1, 0], [0, 1, 1]]);
        assert_eq!(
            score.describe(false),
            "error   40.00 %\nerrors  2\nsamples 5 (test of d)\nguess   60.00 % wrong, by always saying 1\n"
        );
        let others = Score::new("d", ("training", "samples"), [(0, 0)].into_iter(), names(&["0"]));
        assert!(others.describe(false).contains("\nsamples 1 (of d)\n"), "{}", others.describe(false));
    }

    #[test]
    fn the_matrix_names_its_classes() {
        let score =
            Score::new("d", ("test", "test samples"), [0, 0, 1].into_iter().zip([0, 1, 1]), names(&["cat", "hound"]));
        let expected = "
rows: true label, columns: predicted label
         cat  hound    error
cat        1      .   0.00 %
hound      1      1  50.00 %
";
        assert_eq!(score.matrix(), expected);
        let long =
            Score::new("d", ("test", "test samples"), [(0, 1)].into_iter(), names(&["cat", &"long\n".repeat(20_000)]));
        assert!(long.matrix().lines().all(|line| line.chars().count() < 100), "{}", long.matrix());
    }
}
