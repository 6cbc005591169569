//! Labels as files write them: whole numbers, or names.

use std::borrow::Cow;
use std::collections::HashMap;
use std::path::Path;

use deepbelief_kernels::MAX_UNITS;

use crate::error::Error;
use crate::memory::room::reserve;

/// Labels as numbers, and what the classes are called if the file calls them something.
pub(crate) type Labels = (Vec<u32>, Option<Vec<String>>);

/// Texts of labels, sample by sample; the text itself is kept once.
#[derive(Default)]
pub(crate) struct Texts {
    /// The different texts in the order they came in, and the place of each there.
    distinct: Vec<String>,
    places: HashMap<String, u32>,
    /// The place of every sample's text.
    rows: Vec<u32>,
}

impl Texts {
    /// Adds a sample's text.
    ///
    /// # Errors
    /// If there are more different ones than a layer of labels has units.
    pub(crate) fn push(&mut self, path: &Path, text: &str) -> Result<(), Error> {
        let text = &*canonical(text);
        let place = match self.places.get(text) {
            Some(&place) => place,
            None if self.distinct.len() >= MAX_UNITS => {
                let (what, row) = (path.display().to_string(), self.rows.len());
                let expected = format!("one of at most {MAX_UNITS} different ones");
                return Err(Error::Label { what, row, label: format!("{text:?}"), expected });
            }
            None => {
                let place = self.distinct.len() as u32;
                self.distinct.push(text.into());
                self.places.insert(text.into(), place);
                place
            }
        };
        reserve(path, &mut self.rows, 1)?;
        self.rows.push(place);
        Ok(())
    }

    /// Number of samples.
    #[cfg(feature = "parquet")]
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// The samples' numbers, given that of each different text.
    fn numbered(mut self, numbers: &[u32]) -> Vec<u32> {
        self.rows.iter_mut().for_each(|row| *row = numbers[*row as usize]);
        self.rows
    }

    /// Refuses the first sample whose text is `unfit`, by its place among the different ones.
    fn refuse(&self, what: &str, unfit: impl Fn(usize) -> bool, expected: &str) -> Result<(), Error> {
        let Some(row) = self.rows.iter().position(|&place| unfit(place as usize)) else { return Ok(()) };
        let label = self.distinct[self.rows[row] as usize].clone();
        Err(Error::Label { what: what.into(), row, label, expected: expected.into() })
    }
}

/// A whole number however it is written: `1`, `1.0`, `+1` and `01` are one class.
fn canonical(text: &str) -> Cow<'_, str> {
    match text.parse::<f64>() {
        Ok(x) if x.fract() == 0.0 && x.abs() < 1e15 => format!("{}", x + 0.0).into(),
        _ => text.into(),
    }
}

/// Whole numbers from 0 are the classes themselves (`3` or `3.0`). Other labels are names: the
/// sorted distinct names are numbered from 0 (in numeric order if all are whole numbers, some
/// of them negative). A number with a fraction is no label. With `names`, all are names, whatever
/// they look like.
pub(crate) fn from_text(what: &str, texts: Texts, names: bool) -> Result<Labels, Error> {
    let number = |text: &String| if names { None } else { text.parse().ok() };
    let numbers: Vec<Option<f64>> = texts.distinct.iter().map(number).collect();
    texts.refuse(what, |place| numbers[place].is_some_and(|x| x.fract() != 0.0), "a whole number or a name")?;
    let whole: Option<Vec<f64>> = numbers.into_iter().collect();
    if whole.as_ref().is_some_and(|whole| whole.iter().all(|x| *x >= 0.0)) {
        return Ok((whole_numbers(what, texts)?, None));
    }
    let mut order: Vec<u32> = (0..texts.distinct.len() as u32).collect();
    match whole {
        Some(whole) => order.sort_by(|&a, &b| {
            let key = |place: u32| (whole[place as usize], &texts.distinct[place as usize]);
            let ((a, name), (b, other)) = (key(a), key(b));
            a.total_cmp(&b).then_with(|| name.cmp(other))
        }),
        None => order.sort_by_key(|&place| &texts.distinct[place as usize]),
    }
    let mut numbers = vec![0; order.len()];
    order.iter().zip(0..).for_each(|(&place, number)| numbers[place as usize] = number);
    let names = order.iter().map(|&place| texts.distinct[place as usize].clone()).collect();
    Ok((texts.numbered(&numbers), Some(names)))
}

/// Texts that are all whole numbers from 0 as labels.
pub(crate) fn whole_numbers(what: &str, texts: Texts) -> Result<Vec<u32>, Error> {
    let labels: Vec<Option<u32>> = texts.distinct.iter().map(|text| label(text.parse().ok()?)).collect();
    texts.refuse(what, |place| labels[place].is_none(), &expected())?;
    let labels: Vec<u32> = labels.into_iter().flatten().collect();
    Ok(texts.numbered(&labels))
}

fn label(x: f64) -> Option<u32> {
    (x.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(&x)).then_some(x as u32)
}

fn expected() -> String {
    format!("a whole number from 0 to {}", u32::MAX)
}

/// Whole numbers from 0 as labels.
pub(crate) fn from_numbers(what: &str, numbers: &[f64]) -> Result<Vec<u32>, Error> {
    let each = |(row, &x): (usize, &f64)| {
        label(x).ok_or_else(|| Error::Label { what: what.into(), row, label: x.to_string(), expected: expected() })
    };
    numbers.iter().enumerate().map(each).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(fields: &[&str]) -> Result<(Vec<u32>, Option<Vec<String>>), String> {
        let mut texts = Texts::default();
        for field in fields {
            texts.push(Path::new("t"), field).map_err(|error| error.to_string())?;
        }
        from_text("t", texts, false).map_err(|error| error.to_string())
    }

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn whole_numbers_are_classes_and_names_are_numbered_in_order() {
        assert_eq!(labels(&["3", "0", "7.0"]), Ok((vec![3, 0, 7], None)));
        assert_eq!(labels(&["dog", "cat", "dog"]), Ok((vec![1, 0, 1], Some(names(&["cat", "dog"])))));
        assert_eq!(labels(&["1", "-1", "10", "-2"]), Ok((vec![2, 1, 3, 0], Some(names(&["-2", "-1", "1", "10"])))));
        assert_eq!(labels(&["b", "1"]), Ok((vec![1, 0], Some(names(&["1", "b"])))));
    }

    #[test]
    fn numbers_that_are_no_classes_are_refused_by_row() {
        let error = "t: the label of row 1 (from 0) is 0.5, expected a whole number or a name";
        assert_eq!(labels(&["0", "0.5"]), Err(error.into()));
        assert!(labels(&["0", "NaN"]).unwrap_err().contains("row 1 (from 0) is NaN"));
        assert!(labels(&["0", "5000000000"]).unwrap_err().ends_with("a whole number from 0 to 4294967295"));
        assert!(labels(&["0", "inf"]).unwrap_err().contains("is inf"));
    }

    /// Texts that differ from sample to sample are no labels, and do not fill the memory.
    #[test]
    fn more_labels_than_a_layer_has_units_are_refused() {
        let mut texts = Texts::default();
        let mut push = |k: usize| texts.push(Path::new("t"), &format!("name {k}")).map_err(|error| error.to_string());
        assert!((0..MAX_UNITS).chain([3, 4]).all(|k| push(k).is_ok()));
        let error =
            "t: the label of row 65506 (from 0) is \"name 65504\", expected one of at most 65504 different ones";
        assert_eq!(push(MAX_UNITS), Err(error.into()));
    }
}
