//! Labels as files write them: whole numbers, or names.

use std::collections::BTreeSet;

use crate::Error;

/// Labels as numbers, and what the classes are called if the file calls them something.
pub(crate) type Labels = (Vec<u32>, Option<Vec<String>>);

/// Whole numbers from 0 are the classes themselves (`3` or `3.0`). Other labels are names: the
/// sorted distinct names are numbered from 0 (in numeric order if all are whole numbers, some
/// of them negative). A number with a fraction is no label. With `names`, all are names, whatever
/// they look like.
pub(crate) fn from_text(what: &str, fields: &[String], names: bool) -> Result<Labels, Error> {
    let number = |field: &String| if names { None } else { field.parse().ok() };
    let numbers: Vec<Option<f64>> = fields.iter().map(number).collect();
    let fraction = numbers.iter().position(|x| x.is_some_and(|x| x.fract() != 0.0));
    if let Some(row) = fraction {
        let expected = "a whole number or a name".into();
        return Err(Error::Label { what: what.into(), row, label: fields[row].clone(), expected });
    }
    let whole: Option<Vec<f64>> = numbers.into_iter().collect();
    if let Some(whole) = &whole
        && whole.iter().all(|x| *x >= 0.0)
    {
        return Ok((from_numbers(what, whole)?, None));
    }
    let mut names: Vec<String> = fields.iter().collect::<BTreeSet<_>>().into_iter().cloned().collect();
    if whole.is_some() {
        names.sort_by(|a, b| a.parse().unwrap_or(f64::NAN).total_cmp(&b.parse().unwrap_or(f64::NAN)));
    }
    let number: std::collections::HashMap<&str, u32> =
        names.iter().enumerate().map(|(i, name)| (name.as_str(), i as u32)).collect();
    let labels = fields.iter().filter_map(|field| number.get(field.as_str()).copied()).collect();
    Ok((labels, Some(names)))
}

/// Whole numbers from 0 as labels.
pub(crate) fn from_numbers(what: &str, numbers: &[f64]) -> Result<Vec<u32>, Error> {
    let label = |(row, &x): (usize, &f64)| {
        if x.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(&x) {
            return Ok(x as u32);
        }
        let expected = format!("a whole number from 0 to {}", u32::MAX);
        Err(Error::Label { what: what.into(), row, label: x.to_string(), expected })
    };
    numbers.iter().enumerate().map(label).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(fields: &[&str]) -> Result<(Vec<u32>, Option<Vec<String>>), String> {
        let fields: Vec<String> = fields.iter().map(ToString::to_string).collect();
        from_text("t", &fields, false).map_err(|error| error.to_string())
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
}
